"""What allauth asks this product: at a sign-in, about a second step, and about a Google account."""

from typing import Any, NoReturn

from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payorcrm.core import crypto
from payorcrm.core.clock import now
from payorcrm.core.models import User
from payorcrm.customers.view_as import end_viewing_of
from payorcrm.merchants.sign_in import SignInAdapter
from payorcrm.portal.arrive import arrive
from payorcrm.portal.entrance import sign_in_address
from payorcrm.portal.google import user_of_google
from payorcrm.portal.invited import begin_first_sign_in
from payorcrm.portal.tell_user import tell_user
from payorcrm.portal.user_sessions import end_sessions, note_session
from payorcrm.staff.record_change import record_sign_in
from payorcrm.staff.second_factor import is_required_of
from payorcrm.ui.context import PRODUCT_NAME

# What allauth would say although the page says it, or although it is of no use to anybody.
UNSAID = {"account/messages/logged_in.txt", "mfa/messages/recovery_codes_generated.txt"}


class SignIn(SignInAdapter):
    """The setting `ACCOUNT_ADAPTER`."""

    error_messages = SignInAdapter.error_messages | {
        "email_password_mismatch": gettext_lazy("The e-mail address or the password is not correct.")
    }

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Remember when it was an invitation's password that fitted."""
        user: User | None = super().authenticate(request, **credentials)
        if user:
            begin_first_sign_in(request, user)
        return user

    def post_login(self, request: HttpRequest, user: User, **login: Any) -> HttpResponse:
        """Choose the customer, and list the session."""
        arrive(request, user)
        note_session(request)
        record_sign_in(user, says="Signed in", address=request.META.get("REMOTE_ADDR"), now=now())
        answer: HttpResponse = super().post_login(request, user, **login)
        return answer

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Leave out what needs no saying."""
        if message_template not in UNSAID:
            super().add_message(request, level, message_template, *args, **kwargs)

    def send_notification_mail(self, template_prefix: str, user: User, *_: Any, **__: Any) -> None:
        """Tell it in words of our own."""
        tell_user(context.request, user, template_prefix)

    def logout(self, request: HttpRequest) -> None:
        """End what hangs on the session: its line in the list, and looking at the portal as a customer."""
        if isinstance(request.user, User):
            end_viewing_of(request.user, now())
        super().logout(request)

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """Lead staff to the plain sign-in, everybody else to the entrance that this browser used last."""
        is_staff = isinstance(request.user, User) and request.user.memberships.exists()
        return reverse("account_login") if is_staff else sign_in_address(request)

    def set_password(self, user: User, password: str) -> None:
        """End every other session with the old password."""
        super().set_password(user, password)
        request = context.request
        record_sign_in(
            user, says="Chose a new password", address=request.META.get("REMOTE_ADDR") if request else None, now=now()
        )
        end_sessions(user, but=request.session.session_key if request and request.user == user else None)


class SecondStep(DefaultMFAAdapter):
    """The setting `MFA_ADAPTER`."""

    def encrypt(self, text: str) -> str:
        """Seal what the database keeps of an authenticator app and of recovery codes."""
        return crypto.encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Open it again."""
        return crypto.decrypt(encrypted_text.encode()).decode()

    def is_mfa_enabled(self, user: User, types: Any = None) -> bool:
        """Ask for a second step after a password only with an authenticator app: a passkey is a way in of its own.

        It would otherwise shut out who has it on the telephone and signs in at the office. Of the staff of a merchant
        that requires a second factor, a passkey is asked for too.
        """
        if types and not is_required_of(user) and set(types) == {Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN}:
            types = [Authenticator.Type.TOTP]
        return bool(super().is_mfa_enabled(user, types=types))

    def generate_authenticator_name(self, user: User, type: Any) -> str:  # noqa: A002 (allauth's name)
        """Propose a name for a passkey."""
        count = Authenticator.objects.filter(user=user, type=type).count()
        return _("My passkey") if not count else _("Passkey %(number)s") % {"number": count + 1}

    def _get_site_name(self) -> str:
        return PRODUCT_NAME


class Google(DefaultSocialAccountAdapter):
    """The setting `SOCIALACCOUNT_ADAPTER`."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Refuse: merchants invite their staff and their customers."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Connect a Google account that is new here with the user who has its address, or turn it away."""
        if sociallogin.is_existing:
            return
        user = user_of_google(sociallogin)
        if user is None:
            _turn_away(request, _("There is no sign-in for this Google account. Please use the address we write to."))
        sociallogin.connect(request, user)

    def on_authentication_error(self, request: HttpRequest, provider: Any, **_why: Any) -> None:
        """Lead back to the sign-in when Google did not say who it is."""
        _turn_away(request, _("Google did not sign you in. Please try again, or use your password."))


def _turn_away(request: HttpRequest, why: str) -> NoReturn:
    messages.error(request, why)
    raise ImmediateHttpResponse(redirect(sign_in_address(request)))
