"""Posting to the journal: the only writer of the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from payorcrm.core.errors import Inconsistent
from payorcrm.core.ids import uuid7, uuid7_batch
from payorcrm.core.money import Money
from payorcrm.ledger.models import Account, Entry, EntryKind, Posting


class NotBalanced(Inconsistent):
    """The postings of an entry do not sum to zero in each currency."""

    code = "not_balanced"
    message = "The postings of this entry do not sum to zero."


@dataclass(frozen=True, slots=True)
class Line:
    """One side of an entry to post; RECEIVABLE needs the customer."""

    account: Account
    amount: Money
    customer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """The row that caused an entry; the same cause posts an entry of one kind once."""

    kind: str
    id: UUID


def post_entry(
    *, merchant_id: UUID, kind: EntryKind, postings: Sequence[Line], source: Source, now: datetime
) -> Entry:
    """Write one entry with its postings, in the caller's transaction. Raises NotBalanced.

    Lines of zero are left out. A second entry of the same kind and source violates a unique constraint.
    """
    lines = [line for line in postings if line.amount]
    _check_balance(lines)
    entry = Entry.objects.create(
        id=uuid7(), merchant_id=merchant_id, kind=kind, source_kind=source.kind, source_id=source.id, posted_at=now
    )
    Posting.objects.bulk_create(
        Posting(
            id=posting_id,
            merchant_id=merchant_id,
            entry=entry,
            account=line.account,
            customer_id=line.customer_id,
            amount=line.amount.minor,
            currency=line.amount.currency,
        )
        for posting_id, line in zip(uuid7_batch(len(lines)), lines, strict=True)
    )
    return entry


def _check_balance(lines: Sequence[Line]) -> None:
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.amount.currency] = sums.get(line.amount.currency, 0) + line.amount.minor
    if not lines or any(sums.values()):
        raise NotBalanced(f"The postings of this entry do not sum to zero: {sums}.")
