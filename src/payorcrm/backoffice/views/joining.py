"""What an invited colleague sees behind the link of the mail. GET shows; POST joins."""

from django import forms
from django.contrib.auth import login
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from payorcrm.core import clock
from payorcrm.core.models import User
from payorcrm.merchants.branding import brand_of
from payorcrm.staff.join import account_of, join, join_with_new_account, open_join_link
from payorcrm.staff.models import AuditKind, StaffInvitation
from payorcrm.staff.record_change import record_change

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class NewAccountForm(forms.Form):
    """Name and password of somebody who is new here."""

    name = forms.CharField(label="Your name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label="Password",
        help_text="At least 10 characters. A few words are easier to keep than symbols.",
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: object, email: str) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.email = email

    def clean_password(self) -> str:
        """Refuse what is guessed easily."""
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self.email, name=self.cleaned_data.get("name", "")))
        return password


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@transaction.atomic
def join_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show the invitation and what is missing; a POST joins. Raises NotGenuine, LinkIsOver, InvitedSomebodyElse."""
    invitation = open_join_link(token, now=clock.now())
    if isinstance(request.user, User):
        return _signed_in(request, invitation, request.user)
    if account_of(invitation):
        return _page(request, invitation, {"must_sign_in": True})
    return _new_here(request, invitation)


def _signed_in(request: HttpRequest, invitation: StaffInvitation, user: User) -> HttpResponse:
    if request.method == "POST":
        join(invitation, user=user, now=clock.now())
        return _welcome(request, invitation, user)
    is_other = user.email.lower() != invitation.email.lower()
    return _page(request, invitation, {"is_other": is_other})


def _new_here(request: HttpRequest, invitation: StaffInvitation) -> HttpResponse:
    form = NewAccountForm(request.POST or None, email=invitation.email)
    if request.method == "POST" and form.is_valid():
        name, password = form.cleaned_data["name"], form.cleaned_data["password"]
        staff = join_with_new_account(invitation, name=name, password=password, now=clock.now())
        login(request, staff.user, backend=BACKEND)
        return _welcome(request, invitation, staff.user)
    return _page(request, invitation, {"form": form})


def _welcome(request: HttpRequest, invitation: StaffInvitation, user: User) -> HttpResponse:
    record_change(
        merchant=invitation.merchant,
        actor=user,
        kind=AuditKind.TEAM,
        says="Joined the team",
        about=f"{user}, {invitation.get_role_display().lower()}",
        address=request.META.get("REMOTE_ADDR"),
        now=clock.now(),
    )
    return redirect("backoffice:dashboard", merchant_slug=invitation.merchant.slug)


def _page(request: HttpRequest, invitation: StaffInvitation, shown: dict[str, object]) -> HttpResponse:
    request.brand = brand_of(invitation.merchant)  # type: ignore[attr-defined]
    response = render(request, "backoffice/join.html", {"invitation": invitation, **shown})
    response["Referrer-Policy"] = "no-referrer"
    return response
