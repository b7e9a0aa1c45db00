"""The journal of a period for the accountant: every posting in order, and the sums of the accounts.

Reads tables of other packages by their names in SQL, so that the ledger depends on none of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from payorcrm.core.money import Money
from payorcrm.ledger.models import Account, EntryKind


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One side of an entry; exactly one of `debit` and `credit` is there."""

    at: datetime
    entry_id: UUID
    kind: str
    reference: str
    account: str
    customer_number: str
    customer: str
    debit: Money | None
    credit: Money | None
    currency: str


@dataclass(frozen=True, slots=True)
class AccountSum:
    """What a period brought to one account in one currency."""

    account: str
    debit: Money
    credit: Money


def journal_of(merchant_id: UUID, *, since: datetime, before: datetime) -> Iterator[JournalLine]:
    """Yield the postings of a period, the earliest first, in constant memory; entries stay together."""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(_LINES, [merchant_id, since, before])
        while rows := cursor.fetchmany(2000):
            for row in rows:
                yield _line(*row)


def sums_of(merchant_id: UUID, *, since: datetime, before: datetime) -> list[AccountSum]:
    """Add up a period by account and currency."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, [merchant_id, since, before])
        order = list(Account)
        rows = sorted(cursor.fetchall(), key=lambda row: (row[1], order.index(Account(row[0]))))
    return [
        AccountSum(str(Account(account).label), Money(debit, currency), Money(credit, currency))
        for account, currency, debit, credit in rows
    ]


def entries_of(sources: dict[str, list[UUID]]) -> list[JournalLine]:
    """Return the postings that some rows caused, by the kind of source, the earliest first."""
    kinds = [kind for kind, ids in sources.items() for _ in ids]
    ids = [source_id for each in sources.values() for source_id in each]
    with connection.cursor() as cursor:
        cursor.execute(_OF_SOURCES, [kinds, ids])
        return [_line(*row) for row in cursor.fetchall()]


def _line(
    at: datetime,
    entry_id: UUID,
    kind: str,
    reference: str | None,
    account: str,
    number: str | None,
    name: str | None,
    amount: int,
    currency: str,
) -> JournalLine:
    return JournalLine(
        at=at,
        entry_id=entry_id,
        kind=str(EntryKind(kind).label),
        reference=reference or "",
        account=str(Account(account).label),
        customer_number=number or "",
        customer=name or "",
        debit=Money(amount, currency) if amount > 0 else None,
        credit=Money(-amount, currency) if amount < 0 else None,
        currency=currency,
    )


_COLUMNS = """
SELECT e.posted_at, e.id, e.kind,
       CASE e.source_kind
         WHEN 'payment' THEN (SELECT reference FROM payments_payment WHERE id = e.source_id)
         WHEN 'refund' THEN (SELECT reference FROM payments_refund WHERE id = e.source_id)
         WHEN 'allocation_change' THEN
           (SELECT p.reference FROM payments_allocationchange c JOIN payments_payment p ON p.id = c.payment_id
             WHERE c.batch = e.source_id LIMIT 1)
         WHEN 'invoice_event' THEN
           (SELECT i.number FROM invoices_invoiceevent v JOIN invoices_invoice i ON i.id = v.invoice_id
             WHERE v.id = e.source_id)
         WHEN 'invoice' THEN (SELECT number FROM invoices_invoice WHERE id = e.source_id)
       END,
       l.account, c.number, c.company_name, l.amount, l.currency
  FROM ledger_entry e
  JOIN ledger_posting l ON l.entry_id = e.id
  LEFT JOIN customers_customer c ON c.id = l.customer_id"""
_ORDER = "ORDER BY e.posted_at, e.id, l.amount < 0, l.id"
_LINES = f"{_COLUMNS} WHERE e.merchant_id = %s AND e.posted_at >= %s AND e.posted_at < %s {_ORDER}"
_OF_SOURCES = f"""{_COLUMNS}
  JOIN unnest(%s::text[], %s::uuid[]) AS source (kind, id) ON source.kind = e.source_kind AND source.id = e.source_id
 {_ORDER}"""
_SUMS = """
SELECT l.account, l.currency, coalesce(sum(l.amount) FILTER (WHERE l.amount > 0), 0)::bigint,
       coalesce(-sum(l.amount) FILTER (WHERE l.amount < 0), 0)::bigint
  FROM ledger_entry e JOIN ledger_posting l ON l.entry_id = e.id
 WHERE e.merchant_id = %s AND e.posted_at >= %s AND e.posted_at < %s GROUP BY 1, 2"""
