"""Stops runs of mails to an address that mail comes back from or that complained, and lifts such a stop.

Reminders, statements and invitations of a run do not go there any more. A mail that somebody has just asked for, or
that proves a payment, still does: a wrong report must not keep anybody from paying.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from payorcrm.core.ids import uuid7
from payorcrm.core.models import User
from payorcrm.mail.models import Mail, Suppression, SuppressionReason

Stopped = Mapping[tuple[UUID, str], str]
Follower = Callable[[Mail, str, datetime], None]
LiftFollower = Callable[[Suppression, User | None, datetime], None]

_after_bounce: list[Follower] = []
_after_lifting: list[LiftFollower] = []


def after_bounce(function: Follower) -> Follower:
    """Register what follows when mail to an address came back: `(mail, address, now)`, in the same transaction."""
    _after_bounce.append(function)
    return function


def after_lifting(function: LiftFollower) -> LiftFollower:
    """Register what follows when mails may go to an address again, in the same transaction."""
    _after_lifting.append(function)
    return function


def suppress(*, mail: Mail, address: str, reason: SuppressionReason, note: str, at: datetime) -> bool:
    """Stop runs of the mail's merchant to one of its addresses; say whether that is new.

    `at` is when the bounce or complaint happened: one from before somebody lifted a stop does not bring it back.
    A mail of no merchant (a password, say) stops nothing.
    """
    if mail.merchant_id is None:
        return False
    values: dict[str, Any] = {
        "id": uuid7(),
        "merchant": mail.merchant_id,
        "address": address.lower(),
        "reason": reason.value,
        "note": note[:1000],
        "mail": mail.id,
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SUPPRESS, values)
        is_new = cursor.rowcount == 1
    if is_new and reason == SuppressionReason.BOUNCED:
        for follow in _after_bounce:
            follow(mail, address, at)
    return is_new


_SUPPRESS = """
INSERT INTO mail_suppression (id, merchant_id, address, reason, note, mail_id, suppressed_at)
SELECT %(id)s, %(merchant)s, lower(%(address)s), %(reason)s, %(note)s, %(mail)s, %(at)s
 WHERE NOT EXISTS (
    SELECT FROM mail_suppression
     WHERE merchant_id = %(merchant)s AND address = lower(%(address)s) AND lifted_at > %(at)s
 )
ON CONFLICT (merchant_id, address) WHERE lifted_at IS NULL DO NOTHING
"""


def lift(suppression: Suppression, *, lifted_by: User | None, now: datetime) -> None:
    """Let mails go to an address again; one that was lifted already stays as it is."""
    changed = Suppression.objects.active().filter(id=suppression.id).update(lifted_at=now, lifted_by=lifted_by)
    if changed:
        for follow in _after_lifting:
            follow(suppression, lifted_by, now)


def suppressions_of(merchant_id: UUID, addresses: Iterable[str]) -> list[Suppression]:
    """Return the stops of some addresses, the latest first."""
    wanted = {address.lower() for address in addresses if address}
    found = Suppression.objects.active().filter(merchant=merchant_id, address__in=wanted)
    return list(found.order_by("-suppressed_at", "-id"))


def stopped_among(mails: Collection[Mail]) -> dict[tuple[UUID, str], str]:
    """Return which addresses of mails of runs are stopped, by merchant and address in small letters, and why."""
    bulk = [mail for mail in mails if mail.is_bulk and mail.merchant_id]
    if not bulk:
        return {}
    addresses = {each.lower() for mail in bulk for each in (mail.to_address, *mail.also_to, *mail.cc)}
    merchants = {mail.merchant_id for mail in bulk}
    found = Suppression.objects.active().filter(merchant__in=merchants, address__in=addresses)
    return {(each.merchant_id, each.address): _why(each) for each in found}


def is_stopped(mail: Mail, address: str, stopped: Stopped) -> str:
    """Return why a mail of a run does not go to an address; nothing when it does."""
    if not stopped or not mail.is_bulk or mail.merchant_id is None:
        return ""
    return stopped.get((mail.merchant_id, address.lower()), "")


def _why(suppression: Suppression) -> str:
    day = suppression.suppressed_at.date().isoformat()
    return f"No reminder or invitation goes to {suppression.address}: {suppression.get_reason_display()} on {day}."
