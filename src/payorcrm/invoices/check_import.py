"""Finds the staged rows that contradict themselves or what is known, and how the others change what is there."""

from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import ManyToOneRel

from payorcrm.core.money import Money
from payorcrm.core.tables import BadRow, Table
from payorcrm.invoices.models import Invoice, InvoiceEvent


def contradictions(table: Table) -> list[BadRow]:
    """Return the staged rows whose own values do not fit together."""
    with connection.cursor() as cursor:
        cursor.execute(_CONTRADICTIONS)
        found = cursor.fetchall()
    bad_rows = []
    for row, currency, total, balance, due_on, issued_on in found:
        if balance is not None and balance > total:
            shown, most = Money(balance, currency), Money(total, currency)
            bad_rows.append(
                BadRow(row, table.name_of("balance"), str(shown), f"It is more than the invoice's total, {most}.")
            )
        else:
            reason = f"It is more than ten years from the invoice date, {issued_on}."
            bad_rows.append(BadRow(row, table.name_of("due date"), str(due_on), reason))
    return bad_rows


_CONTRADICTIONS = """
SELECT row, currency, total, balance, due_on, issued_on FROM imported_invoice
 WHERE balance > total OR abs(due_on - issued_on) > 3653 ORDER BY row
"""


def compare(merchant_id: UUID) -> None:
    """Lock, in id order, the invoices that the staged rows may change; put what becomes of them into `invoice_change`.

    The balance: the file cannot tell how much of what was collected here its writer has heard of, so any balance from
    the file's less all that was collected up to the file's own agrees with it. A balance that does is kept; another
    moves to the nearest that does. So what was paid here is not asked for again, and never more than the file says.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, {"merchant_id": merchant_id})
        cursor.execute(_COMPARE.format(is_mentioned=is_mentioned("classed.id")))


# Rows where nothing differs are neither locked nor looked at again; that is nearly all of a file read the second time.
_LOCK = """
DROP TABLE IF EXISTS pg_temp.invoice_candidate, pg_temp.invoice_change;
CREATE TEMPORARY TABLE invoice_candidate ON COMMIT DROP AS
SELECT i.id, r.row
  FROM imported_invoice r JOIN invoices_invoice i ON i.merchant_id = %(merchant_id)s AND i.number = r.number
 WHERE (i.customer_id, i.due_on, i.currency, i.total) IS DISTINCT FROM (r.customer_id, r.due_on, r.currency, r.total)
    OR i.issued_on <> r.issued_on OR i.balance <> r.balance
 ORDER BY i.id FOR UPDATE OF i
"""
_COMPARE = """
CREATE TEMPORARY TABLE invoice_change ON COMMIT DROP AS
WITH facts AS (
  SELECT r.row, i.id, i.number, i.status, i.in_flight, i.total AS old_total, i.balance AS old_balance,
         i.customer_id AS old_customer_id, i.currency AS old_currency, i.due_on AS old_due_on,
         i.issued_on AS old_issued_on, r.customer_id, r.currency, r.due_on,
         coalesce(r.issued_on, i.issued_on) AS issued_on, r.total, r.balance AS said, i.total - i.balance - coalesce(
           (SELECT sum(e.amount) FROM invoices_invoiceevent e WHERE e.invoice_id = i.id), 0)::bigint AS collected
    FROM invoice_candidate c
    JOIN imported_invoice r ON r.row = c.row JOIN invoices_invoice i ON i.id = c.id
), claims AS (
  SELECT *, old_balance + total - old_total AS carried, greatest(said - collected, 0) AS least,
         coalesce(said, total - collected) AS most
    FROM facts
), settled AS (
  SELECT *, least(greatest(carried, coalesce(least, 0)), most) AS balance FROM claims
), classed AS (
  SELECT *, (customer_id, due_on, issued_on, total, currency)
         IS NOT DISTINCT FROM (old_customer_id, old_due_on, old_issued_on, old_total, old_currency) AS has_same_terms
    FROM settled
)
SELECT *, carried - balance AS settled_elsewhere,
       CASE WHEN has_same_terms AND balance = old_balance THEN 'same'
            WHEN status IN ('void', 'written_off') AND has_same_terms AND coalesce(said, 0) = 0 THEN 'same'
            WHEN status NOT IN ('open', 'paid') THEN 'closed'
            WHEN in_flight > 0 THEN 'in_flight'
            WHEN currency <> old_currency THEN 'other_currency'
            WHEN total < collected THEN 'collected_more'
            WHEN customer_id <> old_customer_id AND ({is_mentioned}) THEN 'asked_for'
            ELSE 'changed' END AS verdict
  FROM classed
"""


def is_mentioned(invoice_id: str) -> str:
    """Return the condition that a request, confirmation or payment names the invoice, found by their foreign keys."""
    return " OR ".join(mentions(invoice_id).values()) or "false"


def mentions(invoice_id: str) -> dict[str, str]:
    """Return for each foreign key that may name an invoice, as `app.Model.field`, the condition that it does."""
    named = [
        relation.field
        for relation in Invoice._meta.get_fields(include_hidden=True)
        if isinstance(relation, ManyToOneRel) and not _goes_along(relation.related_model)
    ]
    return {
        str(field): (f"EXISTS (SELECT FROM {field.model._meta.db_table} m WHERE m.{field.column} = {invoice_id})")
        for field in named
    }


def _goes_along(model: object) -> bool:
    """Say whether rows go with their invoice: its history, and what a run noted without sending anything."""
    return model is InvoiceEvent or getattr(model, "goes_with_its_invoice", False)


def refusals(table: Table) -> list[BadRow]:
    """Return the staged rows that ask for what an invoice cannot become."""
    with connection.cursor() as cursor:
        cursor.execute(_REFUSALS)
        return [_refusal(table, *row) for row in cursor.fetchall()]


_REFUSALS = """
SELECT c.row, c.verdict, c.currency, c.old_currency, c.total, c.collected, old.company_name, new.company_name
  FROM invoice_change c
  JOIN customers_customer old ON old.id = c.old_customer_id
  JOIN customers_customer new ON new.id = c.customer_id
 WHERE c.verdict IN ('other_currency', 'collected_more', 'asked_for') ORDER BY c.row
"""


def _refusal(
    table: Table, row: int, verdict: str, currency: str, old_currency: str, total: int, collected: int, *names: Any
) -> BadRow:
    if verdict == "other_currency":
        return BadRow(
            row, table.name_of("currency"), currency, f"The invoice is in {old_currency}; its currency cannot change."
        )
    if verdict == "collected_more":
        paid = Money(collected, currency)
        reason = f"{paid} of this invoice was already paid here, more than its new total. Refund the difference first."
        return BadRow(row, table.name_of("total"), str(Money(total, currency)), reason)
    column = table.name_of("customer number") or table.name_of("customer name")
    reason = (
        f"{names[0]} was already asked to pay this invoice, or paid part of it; it cannot move to another customer."
    )
    return BadRow(row, column, names[1], reason)
