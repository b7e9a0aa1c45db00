"""Where a user is signed in, and ending it there."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from payorcrm.core.clock import now
from payorcrm.portal.access import Visit, for_own_users, session_of_user
from payorcrm.portal.browsers import browser_in_words
from payorcrm.portal.entrance import entrance_of
from payorcrm.portal.user_sessions import see_now, sessions_of, sign_out_everywhere
from payorcrm.ui.paging import page_of


@require_safe
@for_own_users
def sessions(request: HttpRequest, visit: Visit) -> HttpResponse:
    """List the browsers in which the user is signed in, this one marked; it was last seen at this moment."""
    see_now(request, now=now())
    page = page_of(sessions_of(visit.user), by=("-last_seen_at", "-id"), query=request.GET)
    rows = [_row(session, request) for session in page.rows]
    return render(request, "portal/security/sessions.html", {"section": "settings", "page": page, "rows": rows})


@require_POST
@for_own_users
def end_session(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Sign the user out in one other browser."""
    session_of_user(visit, request.POST.get("session", "")).end()
    messages.success(request, _("Signed out there."))
    return redirect("portal:sessions")


@require_POST
@for_own_users
def end_all_sessions(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Sign the user out everywhere, here too."""
    sign_out_everywhere(visit.user, now=now())
    logout(request)
    messages.success(request, _("You are signed out everywhere."))
    return redirect(entrance_of(visit.merchant))


def _row(session: UserSession, request: HttpRequest) -> dict[str, Any]:
    return {
        "id": session.pk,
        "browser": browser_in_words(session.user_agent) or _("Unknown browser"),
        "address": session.ip,
        "last_seen_at": session.last_seen_at,
        "is_current": session.session_key == request.session.session_key,
    }
