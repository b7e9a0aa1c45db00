"""Invites a colleague by mail; the address is proved by the link in it. An owner sends it again or withdraws it."""

from datetime import datetime, timedelta

from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.mail.compose import queue_mail
from payorcrm.merchants.models import Merchant, Role, Staff
from payorcrm.staff.models import StaffInvitation

KIND = "staff_invitation"
INVITATION_LIFE = timedelta(days=7)
# A second press within this time is a double click.
SOONEST_AGAIN = timedelta(minutes=1)


class AlreadyOnTheTeam(Refused):
    """The address belongs to somebody of the staff."""

    code = "already_on_the_team"
    message = "This person is on your team already. Change the role in the list instead."


class InvitedJustNow(Refused):
    """The mail to this address has only just been sent."""

    code = "invited_just_now"
    message = "This mail was sent less than a minute ago. Nothing more was sent."


class InvitationIsOver(Refused):
    """The invitation was accepted or withdrawn meanwhile."""

    code = "staff_invitation_is_over"
    message = "This invitation was accepted or withdrawn already. Nothing was changed."


def invite_colleague(*, merchant: Merchant, email: str, role: Role, invited_by: User, now: datetime) -> StaffInvitation:
    """Mail a link that lasts seven days; an address that is invited already gets a new one, with this role.

    Raises AlreadyOnTheTeam, InvitedJustNow.
    """
    if Staff.objects.filter(merchant=merchant, user__email__iexact=email).exists():
        raise AlreadyOnTheTeam
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).only("id").get(id=merchant.id)  # two presses take turns
        waiting = StaffInvitation.objects.waiting().filter(merchant=merchant, email__iexact=email).first()
        if waiting:
            return send_again(waiting, role=role, now=now)
        invitation = StaffInvitation.objects.create(
            merchant=merchant,
            email=email,
            role=role,
            invited_by=invited_by,
            mailed_at=now,
            expires_at=now + INVITATION_LIFE,
        )
        _mail(invitation, now)
    return invitation


def send_again(invitation: StaffInvitation, *, role: Role | None = None, now: datetime) -> StaffInvitation:
    """Mail a new link; the earlier one ends. Raises InvitationIsOver, InvitedJustNow."""
    with transaction.atomic():
        current = _lock(invitation)
        if now - current.mailed_at < SOONEST_AGAIN:
            raise InvitedJustNow
        current.mail_count += 1
        current.role = role or current.role
        current.mailed_at, current.expires_at = now, now + INVITATION_LIFE
        current.save(update_fields=["mail_count", "role", "mailed_at", "expires_at"])
        _mail(current, now)
    return current


def withdraw(invitation: StaffInvitation, *, now: datetime) -> None:
    """End an invitation and its link; a mail that still waits is not sent. Raises InvitationIsOver."""
    with transaction.atomic():
        current = _lock(invitation)
        current.withdrawn_at = now
        current.save(update_fields=["withdrawn_at"])


def _lock(invitation: StaffInvitation) -> StaffInvitation:
    rows = StaffInvitation.objects.select_related("merchant").select_for_update(of=("self",))
    current = rows.waiting().filter(id=invitation.id).first()
    if current is None:
        raise InvitationIsOver
    return current


def _mail(invitation: StaffInvitation, now: datetime) -> None:
    queue_mail(
        kind=KIND,
        about_id=invitation.id,
        merchant=invitation.merchant,
        customer_id=None,
        to_address=invitation.email,
        now=now,
    )
