"""A merchant's own sign-in. Allauth checks password or passkey, limits the tries and asks for a second step."""

from typing import Any

from allauth.account.models import Login
from allauth.account.views import LoginView
from allauth.mfa.webauthn.internal import flows
from allauth.mfa.webauthn.views import LoginWebAuthnView
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from payorcrm.core.models import User
from payorcrm.merchants.models import Merchant
from payorcrm.portal.access import merchant_at
from payorcrm.portal.arrive import access_here, begin_at, choose_customer, next_page
from payorcrm.portal.entrance import entrance_of, remember_entrance
from payorcrm.portal.sign_in_forms import EntranceForm


class Entrance(LoginView):
    """The sign-in; whoever is signed in goes on to their customer of this merchant."""

    form_class = EntranceForm
    template_name = "portal/sign_in/entrance.html"
    merchant: Merchant

    def dispatch(self, request: HttpRequest, *args: Any, **ids: Any) -> HttpResponseBase:
        self.merchant = merchant_at(request, ids["merchant_slug"])
        if isinstance(request.user, User):
            return _go_on(request, request.user, self.merchant)
        answer: HttpResponseBase = super().dispatch(request, *args, **ids)
        remember_entrance(answer, self.merchant)
        return answer

    def form_valid(self, form: Any) -> HttpResponse:
        begin_at(self.request, self.merchant)
        answer: HttpResponse = super().form_valid(form)
        return answer

    def get_success_url(self) -> str:
        return _entrance_with_next(self.request, self.merchant)

    def get_context_data(self, **shown: Any) -> dict[str, Any]:
        own = {"merchant": self.merchant, "has_google": settings.HAS_GOOGLE, "next": self.get_success_url()}
        return super().get_context_data(**shown) | own


class Passkey(LoginWebAuthnView):
    """The sign-in with a passkey alone: GET hands the browser its question, POST takes the answer."""

    def dispatch(self, request: HttpRequest, *args: Any, **ids: Any) -> HttpResponseBase:
        self.merchant = merchant_at(request, ids["merchant_slug"])
        answer: HttpResponseBase = super().dispatch(request, *args, **ids)
        return answer

    def get(self, request: HttpRequest, *args: Any, **ids: Any) -> HttpResponse:
        answer: HttpResponse = super().get(request, *args, **ids)
        return redirect(entrance_of(self.merchant)) if answer.status_code == 302 else answer

    def form_invalid(self, form: Any) -> HttpResponse:
        messages.error(self.request, _("This passkey did not work here. Please use your password."))
        return redirect(entrance_of(self.merchant))

    def form_valid(self, form: Any) -> HttpResponse:
        authenticator = form.cleaned_data["credential"]
        begin_at(self.request, self.merchant)
        login = Login(user=authenticator.user, redirect_url=_entrance_with_next(self.request, self.merchant))
        answer: HttpResponse = flows.perform_passwordless_login(self.request, authenticator, login)
        return answer

    def get_success_url(self) -> str:
        return entrance_of(self.merchant)


entrance = Entrance.as_view()
passkey = Passkey.as_view()


def _go_on(request: HttpRequest, user: User, merchant: Merchant) -> HttpResponse:
    access = access_here(request, user, merchant)
    if access:
        choose_customer(request, access)
        return redirect(next_page(request))
    if not user.memberships.filter(merchant=merchant).exists():
        messages.warning(request, _("Your sign-in is not connected to a customer of %(name)s.") % {"name": merchant})
    return redirect("home_after_sign_in")


def _entrance_with_next(request: HttpRequest, merchant: Merchant) -> str:
    """Return the entrance, which leads on to the page that was wanted."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    inner = wanted if wanted.startswith("/portal/") else ""
    address = reverse("portal:entrance", args=[merchant.slug])
    return f"{address}?{urlencode({'next': inner})}" if inner else address
