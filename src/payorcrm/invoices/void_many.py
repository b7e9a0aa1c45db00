"""Voids many invoices at once: says how many and which not, then does it in a few statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction

from payorcrm.core.ids import UUID7_IN_SQL, uuid7, uuid7_start
from payorcrm.core.models import User
from payorcrm.core.money import Money
from payorcrm.invoices.models import InvoiceEventKind
from payorcrm.ledger.models import Account, EntryKind
from payorcrm.ledger.post import Source, post_batch
from payorcrm.merchants.models import Merchant

NUMBERS_SHOWN = 20


class NotVoided(models.TextChoices):
    """Why an invoice cannot be voided; `why_not_void` says the same of one."""

    BEING_PAID = "being_paid", "A payment is under way"
    PART_PAID = "part_paid", "Part of it is paid"
    CLOSED = "closed", "Paid, void or written off already"


@dataclass(frozen=True, slots=True)
class LeftOutInvoices:
    """Invoices that stay as they are for one reason; `numbers` are the first few."""

    reason: NotVoided
    count: int
    numbers: list[str]


@dataclass(frozen=True, slots=True)
class VoidPlan:
    """What would be voided, or was."""

    count: int
    totals: list[Money]
    left_out: list[LeftOutInvoices]


def plan_void(*, merchant: Merchant, invoice_ids: Sequence[UUID]) -> VoidPlan:
    """Say what `void_many` would do with some of a merchant's invoices."""
    with connection.cursor() as cursor:
        cursor.execute(_PLAN, {"merchant": merchant.id, "invoices": list(invoice_ids)})
        rows = cursor.fetchall()
    return VoidPlan(
        count=sum(row[2] for row in rows if row[0] is None),
        totals=[Money(int(row[3]), row[1]) for row in rows if row[0] is None],
        left_out=[found for reason in NotVoided if (found := _left_out(reason, rows))],
    )


def void_many(
    *, merchant: Merchant, invoice_ids: Sequence[UUID], note: str, voided_by: User | None, now: datetime
) -> list[tuple[str, Money]]:
    """Void those of a merchant's invoices of which nothing was paid, in history and ledger.

    Returns their numbers and what was owed. A second call with the same invoices voids nothing.
    """
    run_id = uuid7()
    given: dict[str, Any] = {
        "merchant": merchant.id,
        "invoices": list(invoice_ids),
        "kind": InvoiceEventKind.VOIDED.value,
        "note": note,
        "now": now,
        "run": run_id,
        "made_by": voided_by.id if voided_by else None,
        "uuid7_start": uuid7_start(),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK, given)
        cursor.execute(_NOTE, given)
        cursor.execute(_VOID)
        cursor.execute("SELECT number, balance, currency FROM voided_invoice ORDER BY number")
        voided = [(number, Money(balance, currency)) for number, balance, currency in cursor.fetchall()]
        if voided:
            post_batch(
                merchant_id=merchant.id,
                kind=EntryKind.INVOICE_VOIDED,
                against=Account.VOIDED,
                amounts="SELECT customer_id, currency, -balance AS amount FROM voided_invoice",
                source=Source("voids", run_id),
                now=now,
            )
    return voided


def _left_out(reason: NotVoided, rows: list[tuple[Any, ...]]) -> LeftOutInvoices | None:
    same = [row for row in rows if row[0] == reason]
    numbers = sorted(number for row in same for number in row[4])[:NUMBERS_SHOWN]
    return LeftOutInvoices(reason, sum(row[2] for row in same), numbers) if same else None


_PLAN = f"""
SELECT reason, currency, count(*), sum(balance), (array_agg(number ORDER BY number))[1:{NUMBERS_SHOWN}]
  FROM (
    SELECT CASE WHEN in_flight > 0 THEN 'being_paid' WHEN status <> 'open' THEN 'closed'
                WHEN balance <> total THEN 'part_paid' END AS reason, currency, balance, number
      FROM invoices_invoice WHERE merchant_id = %(merchant)s AND id = ANY(%(invoices)s::uuid[])
  ) AS judged GROUP BY reason, currency ORDER BY reason, currency
"""  # noqa: S608
# The rows are locked in the order of their ids, as payments lock them.
_LOCK = """
DROP TABLE IF EXISTS pg_temp.voided_invoice;
CREATE TEMPORARY TABLE voided_invoice ON COMMIT DROP AS
SELECT id, customer_id, number, currency, balance FROM invoices_invoice
 WHERE merchant_id = %(merchant)s AND id = ANY(%(invoices)s::uuid[])
   AND status = 'open' AND in_flight = 0 AND balance = total
 ORDER BY id FOR UPDATE
"""
_NOTE = f"""
INSERT INTO invoices_invoiceevent (id, merchant_id, invoice_id, kind, at, amount, note, source_id, made_by_id)
SELECT {UUID7_IN_SQL}, %(merchant)s, id, %(kind)s, %(now)s, balance, %(note)s, %(run)s, %(made_by)s FROM voided_invoice
"""  # noqa: S608
_VOID = """
UPDATE invoices_invoice AS invoice SET status = 'void', balance = 0 FROM voided_invoice
 WHERE invoice.id = voided_invoice.id
"""
