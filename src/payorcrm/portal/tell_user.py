"""Tells a user by mail what was changed about how they sign in, so that nobody else can do it unseen."""

from django.conf import settings
from django.core.mail import send_mail
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from payorcrm.core.models import User
from payorcrm.portal.browsers import browser_in_words
from payorcrm.portal.entrance import entrance_used

PASSWORD_RESET = "account/email/password_reset"  # noqa: S105 (a name)
GOOGLE_DISCONNECTED = "socialaccount/email/account_disconnected"
# By the names that allauth has for them.
CHANGES = {
    "account/email/password_changed": _("Your password was changed"),
    "account/email/password_set": _("Your password was changed"),
    PASSWORD_RESET: _("Your password was changed"),
    "mfa/email/totp_activated": _("An authenticator app was added to your sign-in"),
    "mfa/email/totp_deactivated": _("The authenticator app was removed from your sign-in"),
    "mfa/email/recovery_codes_generated": _("Your recovery codes were replaced"),
    "mfa/email/webauthn_added": _("A passkey was added to your sign-in"),
    "mfa/email/webauthn_removed": _("A passkey was removed from your sign-in"),
    "socialaccount/email/account_connected": _("A Google account was connected to your sign-in"),
    GOOGLE_DISCONNECTED: _("The Google account was taken off your sign-in"),
}


def tell_user(request: HttpRequest, user: User, change: str) -> None:
    """Queue the mail about one of `CHANGES`, with the way to a new password for whoever did not make it."""
    said = {
        "change": CHANGES[change],
        "browser": browser_in_words(request.headers.get("User-Agent", "")),
        "address": request.META.get("REMOTE_ADDR", ""),
        "link": f"{settings.PUBLIC_URL}{_way_to_a_new_password(request, user)}",
    }
    send_mail(str(CHANGES[change]), render_to_string("account/email/changed_message.txt", said), None, [user.email])


def _way_to_a_new_password(request: HttpRequest, user: User) -> str:
    """Return the page for a forgotten password: that of the entrance in use only if it knows the user."""
    merchant = entrance_used(request)
    if merchant and user.portal_accesses.live().filter(customer__merchant=merchant).exists():
        return reverse("portal:forgot_password", args=[merchant.slug])
    return reverse("account_reset_password")
