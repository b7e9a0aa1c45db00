"""Where a person is signed in: one row a session, touched now and then, so that few requests write."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import cast

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from payorcrm.core.clock import now
from payorcrm.core.models import User

SEEN_AT = "seen_at"
TOUCHED_EVERY_SECONDS = 300


class LastSeen:
    """Notes every few minutes that a session is used, and from where."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.session.accessed and _is_due(request):
            note_session(request)
        return response


def note_session(request: HttpRequest) -> None:
    """Write down browser, address and time of the session."""
    if not request.session.session_key:
        request.session.save()
    request.session[SEEN_AT] = [int(time.time()), request.session.session_key]
    UserSession.objects.create_from_request(request)


def see_now(request: HttpRequest, *, now: datetime) -> None:
    """Note that the session is used at this moment, for a list of sessions that says so."""
    UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=now)


def sessions_of(user: User) -> QuerySet[UserSession]:
    """Return the sessions in which a user is signed in, the last used first."""
    alive = Session.objects.filter(expire_date__gt=now()).values("session_key")
    return cast(
        "QuerySet[UserSession]",
        UserSession.objects.filter(user=user, session_key__in=alive).order_by("-last_seen_at", "-id"),
    )


def end_sessions(user: User, *, but: str | None = None) -> None:
    """End all sessions of a user except one, by its key."""
    ended = UserSession.objects.filter(user=user).exclude(session_key=but or "")
    Session.objects.filter(session_key__in=ended.values("session_key")).delete()
    ended.delete()


def sign_out_everywhere(user: User, *, now: datetime) -> None:
    """End all sessions of a user, unlisted ones too: every session holds a digest that changes with the moment."""
    user.signed_out_at = now
    user.save(update_fields=["signed_out_at"])
    end_sessions(user)


def _is_due(request: HttpRequest) -> bool:
    seen_at, key = request.session.get(SEEN_AT) or (0, "")
    is_old = time.time() - seen_at > TOUCHED_EVERY_SECONDS or key != request.session.session_key
    return bool(seen_at and is_old and request.user.is_authenticated)
