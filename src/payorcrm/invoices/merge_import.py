"""Writes staged invoices and the changes they make: rows, history and ledger, in a few statements for any number."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from payorcrm.core.ids import UUID7_IN_SQL, uuid7_batch, uuid7_start
from payorcrm.core.money import Money
from payorcrm.invoices.models import InvoiceEventKind
from payorcrm.ledger.models import Account, EntryKind
from payorcrm.ledger.post import Source, post_batch


def drop_rows(rows: set[int]) -> None:
    """Take rows out of what is merged."""
    with connection.cursor() as cursor:
        for table in ("imported_invoice", "invoice_change"):
            cursor.execute(f"DELETE FROM {table} WHERE row = ANY(%s)", [list(rows)])  # noqa: S608


def numbers_left(verdict: str) -> list[str]:
    """Return the numbers of the invoices that stay as they are for that reason."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM invoice_change WHERE verdict = %s ORDER BY row", [verdict])
        return [number for (number,) in cursor.fetchall()]


def merge(*, merchant_id: UUID, import_id: UUID, note: str, today: date, now: datetime) -> tuple[int, int, int]:
    """Write everything in the caller's transaction; return how many invoices were new, changed, and there before.

    `note` goes to the history of what was settled elsewhere; `today` is the invoice date where the file has none.
    """
    given: dict[str, Any] = {
        "merchant_id": merchant_id,
        "import_id": import_id,
        "note": note,
        "today": today,
        "now": now,
        "settled": InvoiceEventKind.SETTLED_ELSEWHERE,
        "uuid7_start": uuid7_start(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_NEW, given)
        known_count = cursor.rowcount
        cursor.execute("SELECT count(*) FROM imported_invoice")
        (new_count,) = cursor.fetchone()
        cursor.execute(_INSERT, given)
        cursor.execute(_UPDATE, given)
        changed_count = cursor.rowcount
        cursor.execute(_INSERT_SETTLED, given)
    _write_notes(merchant_id, import_id, now)
    _post(merchant_id, import_id, now)
    return new_count, changed_count, known_count


_KEEP_NEW = """
DELETE FROM imported_invoice r USING invoices_invoice i WHERE i.merchant_id = %(merchant_id)s AND i.number = r.number
"""
_INSERT = f"""
WITH added AS (
  INSERT INTO invoices_invoice
    (id, merchant_id, customer_id, number, status, issued_on, due_on, currency, total, balance, in_flight, created_at)
  SELECT {UUID7_IN_SQL}, %(merchant_id)s, customer_id, number,
         CASE WHEN coalesce(balance, total) = 0 THEN 'paid' ELSE 'open' END,
         coalesce(issued_on, least(due_on, %(today)s::date)), due_on, currency, total, coalesce(balance, total), 0,
         %(now)s
    FROM imported_invoice
  RETURNING id, total - balance AS settled
)
INSERT INTO invoices_invoiceevent (id, merchant_id, invoice_id, kind, at, amount, note, source_id)
SELECT {UUID7_IN_SQL}, %(merchant_id)s, id, %(settled)s, %(now)s, settled, %(note)s, %(import_id)s
  FROM added WHERE settled > 0
"""  # noqa: S608
_UPDATE = """
UPDATE invoices_invoice i
   SET customer_id = c.customer_id, due_on = c.due_on, issued_on = c.issued_on, total = c.total, balance = c.balance,
       status = CASE WHEN c.balance = 0 THEN 'paid' ELSE 'open' END
  FROM invoice_change c WHERE c.id = i.id AND c.verdict = 'changed'
"""
_INSERT_SETTLED = f"""
INSERT INTO invoices_invoiceevent (id, merchant_id, invoice_id, kind, at, amount, note, source_id)
SELECT {UUID7_IN_SQL}, %(merchant_id)s, id, %(settled)s, %(now)s, settled_elsewhere, %(note)s, %(import_id)s
  FROM invoice_change WHERE verdict = 'changed' AND settled_elsewhere <> 0
"""  # noqa: S608


def _write_notes(merchant_id: UUID, import_id: UUID, now: datetime) -> None:
    """Write into the history of every invoice with other terms what they were and are."""
    with connection.cursor() as cursor:
        cursor.execute(_OTHER_TERMS)
        changes = cursor.fetchall()
        if not changes:
            return
        with cursor.copy(_COPY_EVENTS) as copy:
            for event_id, (invoice_id, *terms) in zip(uuid7_batch(len(changes)), changes, strict=True):
                note = " ".join(_sentences(*terms))
                copy.write_row(
                    (event_id, merchant_id, invoice_id, InvoiceEventKind.CHANGED.value, now, 0, note, import_id)
                )


_OTHER_TERMS = """
SELECT c.id, c.currency, c.old_total, c.total, c.old_due_on, c.due_on, c.old_issued_on, c.issued_on,
       old.company_name, new.company_name
  FROM invoice_change c
  JOIN customers_customer old ON old.id = c.old_customer_id
  JOIN customers_customer new ON new.id = c.customer_id
 WHERE c.verdict = 'changed' AND NOT c.has_same_terms ORDER BY c.row
"""
_COPY_EVENTS = "COPY invoices_invoiceevent (id, merchant_id, invoice_id, kind, at, amount, note, source_id) FROM STDIN"


def _sentences(
    currency: str,
    old_total: int,
    total: int,
    old_due: date,
    due: date,
    old_issued: date,
    issued: date,
    old_name: str,
    name: str,
) -> Iterator[str]:
    if total != old_total:
        yield f"Total changed from {Money(old_total, currency)} to {Money(total, currency)}."
    if due != old_due:
        yield f"Due date changed from {old_due:%b %-d, %Y} to {due:%b %-d, %Y}."
    if issued != old_issued:
        yield f"Invoice date changed from {old_issued:%b %-d, %Y} to {issued:%b %-d, %Y}."
    if name != old_name:
        yield f"Moved from {old_name} to {name}."


def _post(merchant_id: UUID, import_id: UUID, now: datetime) -> None:
    for kind, against, amounts in (
        (EntryKind.INVOICES_ISSUED, Account.INVOICED, _ISSUED),
        (EntryKind.INVOICES_CHANGED, Account.INVOICED, _CHANGED),
        (EntryKind.SETTLED_ELSEWHERE, Account.SETTLED_ELSEWHERE, _SETTLED),
    ):
        source = Source("import", import_id)
        post_batch(merchant_id=merchant_id, kind=kind, against=against, amounts=amounts, source=source, now=now)


_ISSUED = "SELECT customer_id, currency, total AS amount FROM imported_invoice"
# An invoice that moves takes what is owed on it along; what was settled of it before stays with who settled it.
_CHANGED = """
SELECT customer_id, currency, total - old_total AS amount FROM invoice_change WHERE verdict = 'changed'
UNION ALL
SELECT side.customer_id, c.currency, side.sign * c.old_balance FROM invoice_change c
 CROSS JOIN LATERAL (VALUES (c.old_customer_id, -1), (c.customer_id, 1)) AS side (customer_id, sign)
 WHERE c.verdict = 'changed' AND c.customer_id <> c.old_customer_id
"""
_SETTLED = """
SELECT customer_id, currency, balance - total AS amount FROM imported_invoice WHERE balance < total
UNION ALL
SELECT customer_id, currency, -settled_elsewhere FROM invoice_change WHERE verdict = 'changed'
"""
