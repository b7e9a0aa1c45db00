"""Signing up a business: the page, the mail that proves the address, and the press that opens the account."""

from allauth.account.utils import perform_login
from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from payorcrm.backoffice.sign_up_forms import BusinessForm, PasswordForm, SignUpForm, first_guess, proposal
from payorcrm.core.clock import now
from payorcrm.core.models import User
from payorcrm.merchants.models import Staff
from payorcrm.merchants.open import NotAMerchant
from payorcrm.sign_ups.accept import (
    AddressHasSignIn,
    OneAtATime,
    OpenAlready,
    SignUpOver,
    has_password,
    open_another,
    open_signed_up,
    sign_up_of_link,
)
from payorcrm.sign_ups.ask import ask_to_sign_up
from payorcrm.sign_ups.models import SignUp

# The name in the session of what this browser asked for.
ASKED = "sign_up"


@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Show the form. A stranger's wish is mailed about; who has signed in opens the business at once."""
    if not settings.PUBLIC_SIGN_UP:
        return render(request, "sign_up/closed.html", status=404)
    form_class = BusinessForm if request.user.is_authenticated else SignUpForm
    guess = first_guess(request.headers.get("Accept-Language", ""), request.GET.get("business", "")[:120])
    form = form_class(request.POST or None, initial=guess)
    if not form.is_valid():
        return render(request, "sign_up/sign_up.html", {"form": form}, status=422 if form.is_bound else 200)
    key = form.cleaned_data.get("email", "").lower() or str(request.user.pk)
    if not ratelimit.consume(request, action="sign_up", key=key):
        return ratelimit.respond_429(request)
    try:
        return _open_now(request, form) if isinstance(request.user, User) else _ask(request, form)
    except (NotAMerchant, OneAtATime) as refused:
        form.add_error(None, str(refused))
        return render(request, "sign_up/sign_up.html", {"form": form}, status=refused.status)


def _ask(request: HttpRequest, form: BusinessForm) -> HttpResponse:
    typed = form.cleaned_data
    asked = ask_to_sign_up(
        details=form.details(), name=typed["name"], email=typed["email"], password=typed["password"], now=now()
    )
    request.session[ASKED] = str(asked.id)
    return redirect("sign_up:sent")


def _open_now(request: HttpRequest, form: BusinessForm) -> HttpResponse:
    assert isinstance(request.user, User)
    return _welcome(request, open_another(request.user, form.details()))


def _welcome(request: HttpRequest, staff: Staff) -> HttpResponse:
    messages.success(request, f"{staff.merchant} is open.")
    return redirect("backoffice:dashboard", merchant_slug=staff.merchant.slug)


@require_safe
def details(request: HttpRequest) -> HttpResponse:
    """Return what can be proposed from the rest of the form."""
    return JsonResponse(proposal(request.GET))


@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """Say that a mail is on its way; the same whoever has the address."""
    asked_id: str | None = request.session.get(ASKED)
    asked = SignUp.objects.filter(id=asked_id, opened_at=None).first() if asked_id else None
    return render(request, "sign_up/sent.html", {"asked": asked}) if asked else redirect("sign_up:sign_up")


@require_http_methods(["GET", "HEAD", "POST"])
def open_account(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the link of the mail opens; POST opens it and signs in."""
    answer = _open_account(request, token)
    answer["Cache-Control"] = "no-store"
    answer["Referrer-Policy"] = "no-referrer"  # the address is a key
    return answer


def _open_account(request: HttpRequest, token: str) -> HttpResponse:
    try:
        asked = sign_up_of_link(token, now())
    except (SignUpOver, OpenAlready) as over:
        return render(request, "sign_up/over.html", {"why": over, "is_open": isinstance(over, OpenAlready)}, status=410)
    if request.method == "POST" and not ratelimit.consume(request, action="open_sign_up", key=str(asked.id)):
        return ratelimit.respond_429(request)
    is_same_browser = request.session.get(ASKED) == str(asked.id)
    form = None if is_same_browser else PasswordForm(request.POST or None)
    if request.method == "POST" and (form is None or _fits(form, asked)):
        return _open(request, asked)
    status = 422 if form and form.is_bound else 200
    return render(request, "sign_up/open.html", {"asked": asked, "form": form}, status=status)


def _fits(form: PasswordForm, asked: SignUp) -> bool:
    if form.is_valid() and not has_password(asked, form.cleaned_data["password"]):
        form.add_error("password", "This is not the password that was chosen. If you did not sign up, close this page.")
    return form.is_valid()


def _open(request: HttpRequest, asked: SignUp) -> HttpResponse:
    try:
        staff = open_signed_up(sign_up=asked, now=now())
    except OpenAlready as over:
        return render(request, "sign_up/over.html", {"why": over, "is_open": True}, status=410)
    except AddressHasSignIn as known:
        messages.info(request, str(known))
        back = f"{reverse('sign_up:sign_up')}?{urlencode({'business': asked.business})}"
        return redirect(f"{reverse('account_login')}?{urlencode({'next': back})}")
    request.session.pop(ASKED, None)
    home = reverse("backoffice:dashboard", args=[staff.merchant.slug])
    answer: HttpResponse = perform_login(request, staff.user, redirect_url=home)
    return answer
