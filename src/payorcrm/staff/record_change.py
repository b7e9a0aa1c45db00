"""Writes down who of the merchant's people did what, with what was before and after."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from payorcrm.core.models import User
from payorcrm.merchants.models import Merchant
from payorcrm.staff.models import AuditEntry, AuditKind

LONGEST_WORDS = 600
# What an entry itself shows; of more changes, all are lines of it too.
MOST_SHOWN = 10

Change = tuple[str, str, str]


def record_change(
    *,
    merchant: Merchant,
    actor: User,
    kind: AuditKind,
    says: str,
    about: str = "",
    changes: Sequence[Change] = (),
    address: str | None,
    customer_id: UUID | None = None,
    now: datetime,
) -> AuditEntry:
    """Add one entry to the transaction of the change; long texts are kept by their beginning."""
    kept = [(_kept(what), _kept(before), _kept(after)) for what, before, after in changes]
    with transaction.atomic():
        entry = AuditEntry.objects.create(
            merchant=merchant,
            actor_id=actor.id,
            actor_name=str(actor)[:200],
            actor_email=actor.email,
            kind=kind,
            says=says,
            about=_kept(about, 300),
            customer_id=customer_id,
            changes=kept[:MOST_SHOWN],
            more_count=max(0, len(kept) - MOST_SHOWN),
            address=address or None,
            happened_at=now,
        )
        if entry.more_count:
            _insert_lines(entry, kept)
    return entry


def _insert_lines(entry: AuditEntry, changes: list[Change]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LINES, [entry.id, *map(list, zip(*changes, strict=True))])


_LINES = """
INSERT INTO staff_auditline (entry_id, what, before, after)
SELECT %s, line.what, line.before, line.after
  FROM unnest(%s::text[], %s::text[], %s::text[]) WITH ORDINALITY AS line (what, before, after, place)
 ORDER BY line.place
"""


def record_sign_in(user: User, *, says: str, address: str | None, now: datetime) -> None:
    """Add an entry for each merchant whose staff the user is."""
    merchants = Merchant.objects.filter(staff__user=user).defer("logo")
    AuditEntry.objects.bulk_create(
        AuditEntry(
            merchant=merchant,
            actor_id=user.id,
            actor_name=str(user)[:200],
            actor_email=user.email,
            kind=AuditKind.SIGN_IN,
            says=says,
            address=address or None,
            happened_at=now,
        )
        for merchant in merchants
    )


def _kept(words: str, longest: int = LONGEST_WORDS) -> str:
    clean = words.replace("\0", "\ufffd")
    return clean if len(clean) <= longest else f"{clean[: longest - 1]}…"
