"""How a user proves who they are: password, passkeys, an authenticator app, recovery codes, a Google account."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from payorcrm.core.models import User
from payorcrm.portal.access import Visit, for_own_users
from payorcrm.portal.google import google_accounts_of
from payorcrm.portal.tell_user import GOOGLE_DISCONNECTED, tell_user


@require_safe
@for_own_users
def security(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the ways in which a customer's user signs in."""
    return render(request, "mfa/index.html", {"section": "settings"} | ways_of(visit.user))


@require_safe
@login_required
def security_of_staff(request: HttpRequest) -> HttpResponse:
    """Show the ways in which staff sign in, or lead a customer's user to their own page."""
    if getattr(request, "visit", None):
        return redirect("portal:security")
    assert isinstance(request.user, User)
    return render(request, "mfa/index.html", ways_of(request.user))


@require_POST
@login_required
def disconnect_google(request: HttpRequest) -> HttpResponse:
    """Take away the sign-in by Google, unless it is the only one."""
    assert isinstance(request.user, User)
    if request.user.has_usable_password():
        deleted_count, _rows = google_accounts_of(request.user).delete()
        if deleted_count:
            tell_user(request, request.user, GOOGLE_DISCONNECTED)
        messages.success(request, _("Your Google account does not sign you in any more."))
    else:
        messages.error(request, _("Choose a password first. Otherwise you could not sign in any more."))
    return redirect("mfa_index")


def ways_of(user: User) -> dict[str, Any]:
    """Return what the page shows: passkeys, whether an app is set up, how many recovery codes are left, Google."""
    found = list(Authenticator.objects.filter(user=user).order_by("created_at", "id"))
    codes = next((one for one in found if one.type == Authenticator.Type.RECOVERY_CODES), None)
    return {
        "passkeys": [one for one in found if one.type == Authenticator.Type.WEBAUTHN],
        "app": next((one for one in found if one.type == Authenticator.Type.TOTP), None),
        "unused_codes": len(codes.wrap().get_unused_codes()) if codes else 0,
        "has_google": settings.HAS_GOOGLE,
        "google": google_accounts_of(user).first() if settings.HAS_GOOGLE else None,
    }
