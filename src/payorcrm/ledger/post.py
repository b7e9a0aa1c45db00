"""Posting to the journal: the only writer of the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from payorcrm.core.errors import Inconsistent
from payorcrm.core.ids import UUID7_IN_SQL, uuid7, uuid7_batch, uuid7_start
from payorcrm.core.money import Money
from payorcrm.ledger.models import Account, EntryKind


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


def post_entry(*, merchant_id: UUID, kind: EntryKind, postings: Sequence[Line], source: Source, now: datetime) -> UUID:
    """Write one entry with its postings, in the caller's transaction, and return its id. Raises NotBalanced.

    Lines of zero are left out. A second entry of the same kind and source violates a unique constraint.
    """
    lines = [line for line in postings if line.amount]
    _check_balance(lines)
    entry_id = uuid7()
    with connection.cursor() as cursor:
        cursor.execute(
            _POST_ENTRY,
            {
                "entry_id": entry_id,
                "merchant_id": merchant_id,
                "kind": kind,
                "source_kind": source.kind,
                "source_id": source.id,
                "now": now,
                "ids": list(uuid7_batch(len(lines))),
                "accounts": [line.account.value for line in lines],
                "customers": [line.customer_id for line in lines],
                "amounts": [line.amount.minor for line in lines],
                "currencies": [line.amount.currency for line in lines],
            },
        )
    return entry_id


_POST_ENTRY = """
WITH entry AS (
  INSERT INTO ledger_entry (id, merchant_id, kind, source_kind, source_id, posted_at)
  VALUES (%(entry_id)s, %(merchant_id)s, %(kind)s, %(source_kind)s, %(source_id)s, %(now)s) RETURNING id
)
INSERT INTO ledger_posting (id, merchant_id, entry_id, account, customer_id, amount, currency)
SELECT line.id, %(merchant_id)s, entry.id, line.account, line.customer_id, line.amount, line.currency
  FROM entry, unnest(%(ids)s::uuid[], %(accounts)s::text[], %(customers)s::uuid[], %(amounts)s::bigint[],
                     %(currencies)s::text[]) AS line (id, account, customer_id, amount, currency)"""


def post_batch(
    *, merchant_id: UUID, kind: EntryKind, against: Account, amounts: str, source: Source, now: datetime
) -> int:
    """Write one entry with a pair of postings per customer and currency, in the caller's transaction; count the pairs.

    `amounts` is a query of (customer_id, currency, amount), in any number of rows; each sum goes to RECEIVABLE, and its
    opposite to `against`. Sums of zero are left out, and an entry with no sums at all is not written.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _POST_BATCH.format(amounts=amounts),
            {
                "entry_id": uuid7(),
                "merchant_id": merchant_id,
                "kind": kind,
                "source_kind": source.kind,
                "source_id": source.id,
                "now": now,
                "receivable": Account.RECEIVABLE,
                "against": against,
                "uuid7_start": uuid7_start(),
            },
        )
        return int(cursor.rowcount) // 2


_POST_BATCH = f"""
WITH sums AS (
  SELECT customer_id, currency, sum(amount)::bigint AS amount
    FROM ({{amounts}}) AS amounts GROUP BY customer_id, currency HAVING sum(amount) <> 0
), entry AS (
  INSERT INTO ledger_entry (id, merchant_id, kind, source_kind, source_id, posted_at)
  SELECT %(entry_id)s, %(merchant_id)s, %(kind)s, %(source_kind)s, %(source_id)s, %(now)s
   WHERE EXISTS (SELECT FROM sums)
)
INSERT INTO ledger_posting (id, merchant_id, entry_id, account, customer_id, amount, currency)
SELECT {UUID7_IN_SQL}, %(merchant_id)s, %(entry_id)s, side.account, sums.customer_id, side.sign * sums.amount,
       sums.currency
  FROM sums CROSS JOIN (VALUES (%(receivable)s, 1), (%(against)s, -1)) AS side (account, sign)
"""  # noqa: S608


def _check_balance(lines: Sequence[Line]) -> None:
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.amount.currency] = sums.get(line.amount.currency, 0) + line.amount.minor
    if not lines or any(sums.values()):
        raise NotBalanced(f"The postings of this entry do not sum to zero: {sums}.")
