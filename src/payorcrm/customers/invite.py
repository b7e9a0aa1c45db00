"""Invites one customer to the portal, and takes what the invited person does: opens the link, signs in, accepts."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.core.signing import NotGenuine, open_signed, sign
from payorcrm.customers.invitation_password import fits
from payorcrm.customers.invite_guests import Guest, invite_guests
from payorcrm.customers.models import Customer, Invitation, PortalAccess
from payorcrm.customers.queries import contact_on_file, users_known_as


class AccessWasRemoved(Refused):
    """The merchant has ended this user's access; only the merchant's people bring it back."""

    code = "access_was_removed"
    message = gettext_lazy("Access for this address was removed.")


class InvitationExpired(Refused):
    """An invitation is older than 14 days, or a newer one or the end of the access has replaced it."""

    code = "invitation_expired"
    status: ClassVar[int] = 410
    message = gettext_lazy("This link does not work any more. Ask for a new one below.")


class InvitationUsed(Refused):
    """The invited person has chosen a password already."""

    code = "invitation_used"
    status: ClassVar[int] = 410
    message = gettext_lazy("You have already chosen a password. Please sign in with it.")


def invite_customer(*, customer: Customer, invited_by: User | None, now: datetime) -> Invitation:
    """Invite the address on file by one mail, or refresh the invitation: its earlier password and link end.

    A person who has a password gets a mail without one. A second press within two minutes changes and sends nothing.
    Staff bring back access that was removed; nobody else does. Raises NoAddressOnFile, AccessWasRemoved.
    """
    contact = contact_on_file(customer.id)
    guest = Guest(customer.merchant_id, customer.id, contact.email, str(contact))
    return invite_guest(guest, invited_by=invited_by, now=now)


def invite_guest(guest: Guest, *, invited_by: User | None, now: datetime) -> Invitation:
    """Invite one person for one customer. Raises AccessWasRemoved."""
    with transaction.atomic():
        if invited_by:
            removed = PortalAccess.objects.filter(customer=guest.customer_id, user__in=users_known_as(guest.email))
            removed.exclude(removed_at=None).update(removed_at=None, last_used_at=None)
        invited = invite_guests([guest], now=now, is_bulk=False)
    if guest.customer_id not in invited:
        raise AccessWasRemoved
    return invited[guest.customer_id]


def invitation_link(invitation: Invitation, now: datetime) -> str:
    """Return the absolute address behind the button of an invitation's mail."""
    payload = invitation.id.bytes + invitation.refresh_count.to_bytes(4, "big")
    token = sign("invitation-link", payload, now=now)
    return f"{settings.PUBLIC_URL}/c/{invitation.access.merchant.slug}/welcome/{token}/"


def open_invitation_link(token: str, *, now: datetime) -> Invitation:
    """Return the invitation of a link, changing nothing. Raises NotGenuine, InvitationExpired, InvitationUsed."""
    payload, _made_at = open_signed("invitation-link", token)
    if len(payload) != 20:
        raise NotGenuine
    rows = Invitation.objects.select_related("access__user", "access__customer__merchant", "access__merchant")
    invitation = rows.filter(id=UUID(bytes=payload[:16])).first()
    if invitation is None:
        raise InvitationExpired
    _refuse_used(invitation)
    if int.from_bytes(payload[16:], "big") != invitation.refresh_count:
        raise InvitationExpired
    _refuse_expired(invitation, now)
    return invitation


def invitation_for_password(*, email: str, password: str, now: datetime) -> Invitation | None:
    """Return the open invitation of a user whose generated password this is, of whatever merchant."""
    rows = Invitation.objects.select_related("access__user", "access__customer__merchant", "access__merchant")
    waiting = rows.filter(
        access__user__in=users_known_as(email).filter(is_active=True),
        access__removed_at=None,
        accepted_at=None,
        expires_at__gt=now,
    )
    found = [row for row in waiting.order_by("id") if fits(row, password) and not _has_password(row)]
    return found[0] if found else None


def accept_invitation(*, invitation: Invitation, password: str, now: datetime) -> User:
    """Set the password that the invited person chose; it opens all that this address was invited to.

    Raises InvitationUsed, InvitationExpired, and ValidationError for a password that is too weak.
    """
    validate_password(password, invitation.access.user)
    if fits(invitation, password):
        raise ValidationError(_("Please choose another password than the one in the mail."), code="password_of_mail")
    hashed = make_password(password)
    with transaction.atomic():
        user = User.objects.select_for_update().get(id=invitation.access.user_id)
        current = Invitation.objects.select_related("access__user").get(id=invitation.id)
        _refuse_used(current)
        if current.refresh_count != invitation.refresh_count:
            raise InvitationExpired
        _refuse_expired(current, now)
        user.password = hashed
        user.save(update_fields=["password"])
        Invitation.objects.filter(access__user=user, access__removed_at=None, accepted_at=None).update(accepted_at=now)
    return user


def _refuse_used(invitation: Invitation) -> None:
    if invitation.accepted_at or _has_password(invitation):
        raise InvitationUsed


def _refuse_expired(invitation: Invitation, now: datetime) -> None:
    if invitation.access.removed_at or not invitation.is_open(now=now):
        raise InvitationExpired


def _has_password(invitation: Invitation) -> bool:
    return invitation.access.user.has_usable_password()
