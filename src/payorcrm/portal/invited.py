"""A sign-in with the password of an invitation: good for choosing one's own, and for nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from payorcrm.core.clock import now
from payorcrm.core.models import User
from payorcrm.customers.invite import invitation_for_password

# The name in the session, and the pages that a person at their first sign-in may see.
FIRST_SIGN_IN = "first_sign_in"
INVITATION_OF_USER = "opened_invitation"
OPEN_AT_FIRST_SIGN_IN = {"portal:choose_password", "portal:logo", "portal:entrance", "account_logout"}
# Stands in sessions that do not say how often their invitation had been refreshed.
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Opened:
    """The invitation by whose password somebody came, and how often it had been refreshed by then."""

    invitation_id: UUID
    refresh_count: int


class InvitationBackend(ModelBackend):
    """Knows a person by the password that their invitation brought."""

    def authenticate(  # type: ignore[override]
        self, request: HttpRequest | None, email: str = "", password: str = "", **_: Any
    ) -> User | None:
        """Return the invited user, who has no password of their own yet."""
        invitation = invitation_for_password(email=email, password=password, now=now()) if email and password else None
        if invitation is None:
            return None
        user = invitation.access.user
        setattr(user, INVITATION_OF_USER, Opened(invitation.id, invitation.refresh_count))
        return user


class FirstSignIn:
    """Leads whoever signed in with an invitation's password to the page where they choose their own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: tuple[Any], ids: dict[str, Any]
    ) -> HttpResponse | None:
        """Let only the few pages through, for staff who were invited as customers too."""
        match = request.resolver_match
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or (match and match.view_name in OPEN_AT_FIRST_SIGN_IN):
            return None
        return redirect("portal:choose_password") if opened_invitation(request) else None


def begin_first_sign_in(request: HttpRequest, user: User) -> None:
    """Remember in the session which invitation a user's password came from, if from one."""
    opened: Opened | None = getattr(user, INVITATION_OF_USER, None)
    if opened:
        request.session[FIRST_SIGN_IN] = {
            "user": str(user.pk),
            "invitation": str(opened.invitation_id),
            "refresh_count": opened.refresh_count,
        }
    else:
        request.session.pop(FIRST_SIGN_IN, None)


def opened_invitation(request: HttpRequest) -> Opened | None:
    """Return the invitation by whose password the signed-in user came, until they have chosen their own."""
    begun = request.session.get(FIRST_SIGN_IN)
    if not begun or begun["user"] != str(request.user.pk):
        return None
    return Opened(UUID(begun["invitation"]), begun.get("refresh_count", UNKNOWN))


def end_first_sign_in(request: HttpRequest) -> None:
    """Open the portal to a user who has chosen a password."""
    request.session.pop(FIRST_SIGN_IN, None)
