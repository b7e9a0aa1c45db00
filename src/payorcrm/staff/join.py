"""Takes what an invited colleague does: opens the link, makes an account if there is none, joins the staff."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.core.signing import NotGenuine, open_signed, sign
from payorcrm.merchants.models import Staff
from payorcrm.staff.models import StaffInvitation
from payorcrm.staff.second_factor import has_factor

_PURPOSE = "staff-invitation"
_COUNT_BYTES = 4


class LinkIsOver(Refused):
    """The link was used, withdrawn, replaced by a newer one, or is older than seven days."""

    code = "staff_link_is_over"
    status: ClassVar[int] = 410
    message = "This invitation was used or withdrawn, or is too old. Please ask the colleague who invited you."


class InvitedSomebodyElse(Refused):
    """Whoever is signed in is not the person that was invited."""

    code = "invited_somebody_else"
    status: ClassVar[int] = 403
    message = "This invitation is for another address than the one you are signed in with. Nothing was changed."


class HasAnAccount(Refused):
    """The invited person has a password already and must sign in with it."""

    code = "has_an_account"
    message = "You have an account already. Please sign in, and the invitation goes on."


def join_link(invitation: StaffInvitation, now: datetime) -> str:
    """Return the absolute address behind the button of the mail."""
    payload = invitation.id.bytes + invitation.mail_count.to_bytes(_COUNT_BYTES, "big")
    return f"{settings.PUBLIC_URL}/join/{sign(_PURPOSE, payload, now=now)}/"


def open_join_link(token: str, *, now: datetime) -> StaffInvitation:
    """Return the invitation of a link, changing nothing. Raises NotGenuine, LinkIsOver."""
    payload, _made_at = open_signed(_PURPOSE, token)
    if len(payload) != 16 + _COUNT_BYTES:
        raise NotGenuine
    rows = StaffInvitation.objects.select_related("merchant", "invited_by")
    invitation = rows.filter(id=UUID(bytes=payload[:16])).first()
    is_latest = invitation and int.from_bytes(payload[16:], "big") == invitation.mail_count
    if not invitation or not is_latest or not invitation.is_open(now=now):
        raise LinkIsOver
    return invitation


def account_of(invitation: StaffInvitation) -> User | None:
    """Return the user who has the invited address and a way to sign in."""
    user = User.objects.filter(email__iexact=invitation.email).first()
    return user if user and _can_sign_in(user) else None


def _can_sign_in(user: User) -> bool:
    # A second factor is asked for at the sign-in only, also of those who come by Google and have no password.
    return user.has_usable_password() or has_factor(user)


def join(invitation: StaffInvitation, *, user: User, now: datetime) -> Staff:
    """Put the invited person on the staff; who is on it already keeps the role.

    Raises InvitedSomebodyElse, LinkIsOver.
    """
    if user.email.lower() != invitation.email.lower():
        raise InvitedSomebodyElse
    with transaction.atomic():
        current = _lock_open(invitation, now)
        staff, _is_new = Staff.objects.get_or_create(
            merchant_id=current.merchant_id, user=user, defaults={"role": current.role}
        )
        current.accepted_at = now
        current.save(update_fields=["accepted_at"])
    return staff


def join_with_new_account(invitation: StaffInvitation, *, name: str, password: str, now: datetime) -> Staff:
    """Make the account and join with it. The password was checked. Raises HasAnAccount, LinkIsOver."""
    hashed = make_password(password)
    with transaction.atomic():
        _lock_open(invitation, now)
        user = User.objects.select_for_update().filter(email__iexact=invitation.email).first()
        if user is None:
            user = User.objects.create_user(invitation.email, name=name)
        if _can_sign_in(user) or not user.is_active:
            raise HasAnAccount
        user.password, user.name = hashed, name or user.name
        user.save(update_fields=["password", "name"])
        return join(invitation, user=user, now=now)


def _lock_open(invitation: StaffInvitation, now: datetime) -> StaffInvitation:
    current = StaffInvitation.objects.select_for_update().get(id=invitation.id)
    if not current.is_open(now=now) or current.mail_count != invitation.mail_count:
        raise LinkIsOver
    return current
