"""Whether a session was opened with a second factor, where the merchant requires one, and whether one was just used."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account import app_settings
from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from payorcrm.core import clock
from payorcrm.core.models import User
from payorcrm.merchants.models import Staff
from payorcrm.staff.record_change import record_sign_in
from payorcrm.staff.second_factor import FACTORS, has_factor

# The name in the session for who set up their first one in it: that proves as much as using it.
SET_UP_HERE = "second_factor_set_up"
SET_UP_AT = "second_factor_set_up_at"


@receiver(authenticator_added)
def note_first_one(request: HttpRequest, user: User, **_: object) -> None:
    """Remember that somebody set up their first factor; a further one proves nothing about the first."""
    if Authenticator.objects.filter(user=user, type__in=FACTORS).count() == 1:
        request.session[SET_UP_HERE], request.session[SET_UP_AT] = str(user.pk), time.time()
    _write_down(request, user, "Set up a second factor")


@receiver(authenticator_removed)
def note_removal(request: HttpRequest, user: User, **_: object) -> None:
    """Write down that a second factor is gone."""
    _write_down(request, user, "Removed a second factor")


def _write_down(request: HttpRequest, user: User, says: str) -> None:
    record_sign_in(user, says=says, address=request.META.get("REMOTE_ADDR"), now=clock.now())


def is_proved(request: HttpRequest, user: User) -> bool:
    """Say whether the person used a second factor, or a passkey alone, in this session."""
    methods = {record.get("method") for record in get_authentication_records(request, user)}
    return "mfa" in methods or request.session.get(SET_UP_HERE) == str(user.pk)


def is_missing(request: HttpRequest, staff: Staff) -> bool:
    """Say whether the merchant requires a second factor and the session has none."""
    return staff.merchant.requires_second_factor and not is_proved(request, staff.user)


def is_just_proved(request: HttpRequest, user: User) -> bool:
    """Say whether the person used a second factor, or a recovery code, within the last minutes."""
    since = time.time() - app_settings.REAUTHENTICATION_TIMEOUT
    used = [record["at"] for record in get_authentication_records(request, user) if record.get("method") == "mfa"]
    if request.session.get(SET_UP_HERE) == str(user.pk):
        used.append(request.session.get(SET_UP_AT, 0))
    return max(used, default=0) > since


def only_with_it(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Ask for the factor that is there before a page that could take it away or put another one beside it.

    A password, which others may know, would otherwise be enough to exchange it for one's own.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **ids: Any) -> HttpResponseBase:
        user = request.user
        if isinstance(user, User) and has_factor(user) and not is_just_proved(request, user):
            has_app = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()
            place = reverse("mfa_reauthenticate" if has_app else "mfa_reauthenticate_webauthn")
            return redirect(f"{place}?{urlencode({'next': request.path})}")
        return view(request, *args, **ids)

    return wrapped


def lead_to_it(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Lead to the page that says how to go on; htmx is told to leave its page for it."""
    place = reverse("backoffice:second_factor", args=[staff.merchant.slug])
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": place})
    return redirect(place)
