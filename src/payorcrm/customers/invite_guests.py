"""Invites any number of people with the same few statements: their users, accesses, invitations and mails."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import connection
from django.db.models import Q

from payorcrm.core.models import User
from payorcrm.customers.invitation_password import new_password, password_digest
from payorcrm.customers.models import Invitation, PortalAccess
from payorcrm.mail.jobs import deliver_soon
from payorcrm.mail.models import Mail, MailState

KIND = "invitation"
INVITATION_LIFE = timedelta(days=14)
# A second press of a button within this time sends nothing again.
JUST_NOW = timedelta(minutes=2)
NO_PASSWORD = b""

_NOT_BEGUN = (MailState.QUEUED, MailState.DEFERRED)


@dataclass(frozen=True, slots=True)
class Guest:
    """Whom to invite for one customer."""

    merchant_id: UUID
    customer_id: UUID
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class _Pass:
    """A guest and their access."""

    guest: Guest
    access: PortalAccess


def invite_guests(guests: Sequence[Guest], *, now: datetime, is_bulk: bool) -> dict[UUID, Invitation]:
    """Write everything in the caller's transaction and return the invitation of each customer.

    There is none where access was removed: nothing here revives it. One whose mail is on its way, or just went, stays
    as it is, without a second mail; any other is refreshed and gets one. What is left of addresses that the customers
    had on file before ends.
    """
    users = _users_of(guests)
    passes = [one for one in _passes(guests, users) if one.access.removed_at is None]
    _end_former_addresses(passes, now)
    known = {row.access_id: row for row in Invitation.objects.filter(access__in=[one.access for one in passes])}
    mails = _mails_under_way(known.values(), now)
    kept = {
        one.guest.customer_id: known[one.access.id]
        for one in passes
        if one.access.id in known and _is_under_way(known[one.access.id], one.access.user, mails, now)
    }
    fresh = {
        one.guest.customer_id: _refreshed(one, known.get(one.access.id), now)
        for one in passes
        if one.guest.customer_id not in kept
    }
    _write(fresh.values())
    not_begun = {invitation_id for invitation_id, state in mails.items() if state in _NOT_BEGUN}
    unwritten = [one.guest for one in passes if one.guest.customer_id in fresh]
    letters = [guest for guest in unwritten if fresh[guest.customer_id].id not in not_begun]
    _queue(letters, fresh, now=now, is_bulk=is_bulk)
    return kept | fresh


def _users_of(guests: Sequence[Guest]) -> dict[str, User]:
    """Return the user of every address, made where there was none."""
    found = _known_users(guests)
    missing = {guest.email.lower(): guest for guest in guests if guest.email not in found}
    if not missing:
        return found
    # In one order everywhere, so that two workers that add the same addresses do not wait for each other in a circle.
    User.objects.bulk_create(
        [
            User(email=guest.email, name=guest.name[:200], password=make_password(None))
            for _, guest in sorted(missing.items())
        ],
        ignore_conflicts=True,
    )
    return _known_users(guests)


def _known_users(guests: Sequence[Guest]) -> dict[str, User]:
    addresses = sorted({guest.email for guest in guests})
    with connection.cursor() as cursor:
        cursor.execute(_USERS, [addresses])
        found = dict(cursor.fetchall())
    users = User.objects.in_bulk(list(set(found.values())))
    return {address: users[user_id] for address, user_id in found.items()}


# The database decides which addresses are one, as its unique index does.
_USERS = """
SELECT asked.email, core_user.id FROM unnest(%s::text[]) AS asked (email)
JOIN core_user ON lower(core_user.email) = lower(asked.email)
"""


def _passes(guests: Sequence[Guest], users: Mapping[str, User]) -> list[_Pass]:
    """Return every guest's access, made where there was none; all of their customers' are locked, in one order."""
    PortalAccess.objects.bulk_create(
        [
            PortalAccess(merchant_id=guest.merchant_id, customer_id=guest.customer_id, user=users[guest.email])
            for guest in sorted(guests, key=lambda guest: guest.customer_id)
        ],
        ignore_conflicts=True,
    )
    rows = PortalAccess.objects.select_for_update(of=("self",)).select_related("user").order_by("customer_id", "id")
    accesses = {
        (row.customer_id, row.user_id): row for row in rows.filter(customer__in=[guest.customer_id for guest in guests])
    }
    return [_Pass(guest, accesses[guest.customer_id, users[guest.email].id]) for guest in guests]


def _end_former_addresses(passes: Sequence[_Pass], now: datetime) -> None:
    """End the invitations that nobody accepted at addresses no longer on file, and the accesses that they never opened.

    An address that was mistyped may be somebody else's inbox: it must not be able to ask for another invitation.
    """
    customers = [one.guest.customer_id for one in passes]
    with connection.cursor() as cursor:
        cursor.execute(_END_FORMER, {"customers": customers, "own": [one.access.id for one in passes], "now": now})


_END_FORMER = """
WITH former AS (
    SELECT access.id, access.last_used_at IS NULL AND known.password LIKE '!%%' AS is_unused
    FROM customers_portalaccess AS access JOIN core_user AS known ON known.id = access.user_id
    WHERE access.customer_id = ANY(%(customers)s) AND access.id <> ALL(%(own)s) AND access.removed_at IS NULL
      AND NOT EXISTS (
          SELECT FROM customers_contact AS contact
          WHERE contact.customer_id = access.customer_id AND contact.is_primary
            AND lower(contact.email) = lower(known.email)
      )
), ended AS (
    UPDATE customers_invitation SET expires_at = %(now)s, password_digest = ''
    FROM former WHERE access_id = former.id AND accepted_at IS NULL AND expires_at > %(now)s
)
UPDATE customers_portalaccess AS access SET removed_at = %(now)s
FROM former WHERE access.id = former.id AND former.is_unused
"""


def _mails_under_way(invitations: Collection[Invitation], now: datetime) -> dict[UUID, str]:
    """Return the state of the mails that are on their way, or just went, by invitation."""
    mails = Mail.objects.filter(
        Q(state__in=[*_NOT_BEGUN, MailState.SENDING]) | Q(state=MailState.SENT, queued_at__gt=now - JUST_NOW),
        kind=KIND,
        about_id__in=[row.id for row in invitations],
    )
    found = mails.order_by("id").values_list("about_id", "state")
    return {invitation_id: state for invitation_id, state in found if invitation_id}


def _is_under_way(invitation: Invitation, user: User, mails: Mapping[UUID, str], now: datetime) -> bool:
    is_good = invitation.is_open(now=now) or (user.has_usable_password() and now < invitation.expires_at)
    return is_good and invitation.id in mails


def _refreshed(one: _Pass, known: Invitation | None, now: datetime) -> Invitation:
    invitation = known or Invitation(merchant_id=one.guest.merchant_id, access=one.access)
    invitation.refresh_count = known.refresh_count + 1 if known else 0
    invitation.invited_at, invitation.expires_at = now, now + INVITATION_LIFE
    if one.access.user.has_usable_password():
        invitation.password_digest = NO_PASSWORD
    else:
        invitation.password_digest = password_digest(new_password(invitation.id, invitation.refresh_count))
        invitation.accepted_at = None
    return invitation


def _write(invitations: Collection[Invitation]) -> None:
    Invitation.objects.bulk_create(
        list(invitations),
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["refresh_count", "password_digest", "invited_at", "expires_at", "accepted_at"],
    )


def _queue(guests: Sequence[Guest], invitations: Mapping[UUID, Invitation], *, now: datetime, is_bulk: bool) -> None:
    if not guests:
        return
    Mail.objects.bulk_create(
        Mail(
            kind=KIND,
            about_id=invitations[guest.customer_id].id,
            merchant_id=guest.merchant_id,
            customer_id=guest.customer_id,
            to_address=guest.email,
            to_name=guest.name[:200],
            is_bulk=is_bulk,
            queued_at=now,
            send_after=now,
        )
        for guest in guests
    )
    deliver_soon()
