"""Takes back the last import of invoices from the browser, as long as nobody has done anything with what it brought."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from payorcrm.core.errors import Refused
from payorcrm.core.money import Money
from payorcrm.customers.models import Import, ImportKind
from payorcrm.invoices.check_import import is_mentioned, mentions
from payorcrm.invoices.lock_numbers import lock_numbers_for_import
from payorcrm.invoices.models import ImportFile, ImportState
from payorcrm.ledger.models import Account, EntryKind
from payorcrm.ledger.post import Source, post_batch

MOST_SHOWN = 10


class InTheWay(NamedTuple):
    """An invoice that something was done with, and what."""

    invoice_id: UUID
    number: str
    why: str


class CannotUndo(Refused):
    """Something was built on what an import brought, or it changed what was there before."""

    code: ClassVar[str] = "cannot_undo"

    def __init__(self, message: str, in_the_way: Sequence[InTheWay] = (), more_count: int = 0) -> None:
        super().__init__(message)
        self.in_the_way, self.more_count = in_the_way, more_count


def why_not_undo(file: ImportFile) -> str:
    """Return what forbids the undo of an import whatever became of its invoices; nothing when it may be offered."""
    if file.kind == ImportKind.CUSTOMERS:
        return "Customers are not undone: a corrected file changes them."
    if file.state != ImportState.DONE or file.record is None:
        return "Only an import of invoices that is done can be undone."
    if file.record.changed_count:
        return (
            "This import changed invoices that were there before, so it cannot be undone. "
            "Import the earlier file again to set them back."
        )
    if not file.record.new_count:
        return "This import brought nothing new, so there is nothing to undo."
    later = Import.objects.filter(merchant=file.merchant_id, id__gt=file.record_id)
    if later.exclude(file__state=ImportState.UNDONE).exists():
        return "Another file was imported after this one; only the last import can be undone."
    return ""


def undo_import(*, file: ImportFile, now: datetime) -> list[tuple[str, Money]]:
    """Remove the invoices that the import brought, all or none, and post what reverses it. A second press does nothing.

    Returns their numbers and what was owed. Raises CannotUndo.
    """
    with transaction.atomic():
        lock_numbers_for_import(file.merchant_id)
        locked = ImportFile.objects.select_for_update(of=("self",)).select_related("record").get(id=file.id)
        if locked.state == ImportState.UNDONE:
            return []
        if obstacle := why_not_undo(locked):
            raise CannotUndo(obstacle)
        removed = _remove_invoices(locked, now)
        locked.state = ImportState.UNDONE
        locked.save(update_fields=["state"])
    return removed


def _remove_invoices(file: ImportFile, now: datetime) -> list[tuple[str, Money]]:
    assert file.record
    # An import writes its invoices and its record with the same moment, in one transaction.
    given: dict[str, Any] = {"merchant": file.merchant_id, "at": file.record.finished_at, "import": file.record_id}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, given)
        cursor.execute(_COUNT_UNTOUCHED.format(has_event=_HAS_EVENT, is_mentioned=is_mentioned("i.id")), given)
        (untouched_count,) = cursor.fetchone()
        touched_count = file.record.new_count - untouched_count
        if touched_count:
            invoices = "1 of its invoices was" if touched_count == 1 else f"{touched_count} of its invoices were"
            says = f"Nothing was undone: {invoices} reminded, asked for, paid, voided or changed since."
            first = _in_the_way(given)
            raise CannotUndo(says, first, touched_count - len(first))
        _post_reversal(file, now)
        cursor.execute(_DELETE_EVENTS)
        cursor.execute(_DELETE_INVOICES)
        cursor.execute("SELECT number, balance, currency FROM undone_invoice ORDER BY number")
        return [(number, Money(balance, currency)) for number, balance, currency in cursor.fetchall()]


def _in_the_way(given: dict[str, Any]) -> list[InTheWay]:
    """Return the first invoices that something was done with; of several things, what bears most on money."""
    named = mentions("i.id")
    cases = {
        "i.in_flight > 0": "A payment is under way",
        named.pop("payments.Allocation.invoice"): "A payment was made or tried",
        "i.status NOT IN ('open', 'paid')": "Void, or written off",
        named.pop("payments.ConfirmationLine.invoice"): "Its payment waits to be confirmed, or did",
        "i.last_reminded_at IS NOT NULL": "Reminded",
        named.pop("payments.PaymentRequestLine.invoice"): "Asked for: a link to pay it was made",
        _HAS_EVENT: "Changed, or a note was written",
        named.pop("reminders.Hold.invoice"): "Is or was on hold",
        named.pop("invoices.InvoiceFile.invoice"): "A file is attached",
        named.pop("invoices.InvoiceDocument.invoice"): "A PDF is attached",
        " OR ".join(named.values()) or "false": "Something else refers to it",
    }
    whens = " ".join(f"WHEN {condition} THEN '{words}'" for condition, words in cases.items())
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHED.format(whens=whens), given | {"most": MOST_SHOWN})
        return [InTheWay(*row) for row in cursor.fetchall()]


_LOCK = """
DROP TABLE IF EXISTS pg_temp.undone_invoice;
CREATE TEMPORARY TABLE undone_invoice ON COMMIT DROP AS
SELECT id, customer_id, number, currency, total, balance FROM invoices_invoice
 WHERE merchant_id = %(merchant)s AND created_at = %(at)s ORDER BY id FOR UPDATE
"""
_HAS_EVENT = """EXISTS (SELECT FROM invoices_invoiceevent e
                    WHERE e.invoice_id = i.id AND e.source_id IS DISTINCT FROM %(import)s)"""
_COUNT_UNTOUCHED = """
SELECT count(*) FROM undone_invoice u JOIN invoices_invoice i ON i.id = u.id
 WHERE i.last_reminded_at IS NULL AND i.in_flight = 0 AND i.status IN ('open', 'paid')
   AND NOT {has_event} AND NOT ({is_mentioned})
"""
_TOUCHED = """
SELECT id, number, why FROM (
  SELECT i.id, i.number, CASE {whens} END AS why FROM undone_invoice u JOIN invoices_invoice i ON i.id = u.id
) AS touched WHERE why IS NOT NULL ORDER BY number LIMIT %(most)s
"""
_DELETE_EVENTS = "DELETE FROM invoices_invoiceevent e USING undone_invoice u WHERE e.invoice_id = u.id"
_DELETE_INVOICES = "DELETE FROM invoices_invoice i USING undone_invoice u WHERE i.id = u.id"


def _post_reversal(file: ImportFile, now: datetime) -> None:
    assert file.record_id
    source = Source("import_undone", file.record_id)
    for kind, against, amounts in (
        (EntryKind.INVOICES_CHANGED, Account.INVOICED, _UNISSUED),
        (EntryKind.SETTLED_ELSEWHERE, Account.SETTLED_ELSEWHERE, _UNSETTLED),
    ):
        post_batch(merchant_id=file.merchant_id, kind=kind, against=against, amounts=amounts, source=source, now=now)


_UNISSUED = "SELECT customer_id, currency, -total AS amount FROM undone_invoice"
_UNSETTLED = "SELECT customer_id, currency, total - balance AS amount FROM undone_invoice"
