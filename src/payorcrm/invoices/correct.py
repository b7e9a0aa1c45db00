"""Corrects what may be corrected of an invoice that is issued: when it is due. Notes stand in its history."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.invoices.models import Invoice, InvoiceEvent, InvoiceEventKind, InvoiceStatus

MOST_NOTE = 1000


class CannotCorrect(Refused):
    """An invoice is closed, or its new due date makes no sense."""

    code: ClassVar[str] = "cannot_correct"


def change_due_date(
    *, invoice_id: UUID, due_on: date, note: str = "", changed_by: User | None, now: datetime
) -> Invoice:
    """Move the due date of an open invoice and write down the old one; the same date again changes nothing.

    Raises CannotCorrect.
    """
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update().get(id=invoice_id)
        if invoice.status not in (InvoiceStatus.OPEN, InvoiceStatus.DRAFT):
            raise CannotCorrect(f"This invoice is {invoice.get_status_display().lower()}, so it is not due any more.")
        if due_on < invoice.issued_on:
            raise CannotCorrect(f"An invoice cannot be due before it was issued, on {invoice.issued_on:%b %-d, %Y}.")
        if due_on != invoice.due_on:
            words = f"From {invoice.due_on:%b %-d, %Y} to {due_on:%b %-d, %Y}."
            _tell(invoice, InvoiceEventKind.DUE_CHANGED, f"{words} {note}".strip(), changed_by, now)
            invoice.due_on = due_on
            invoice.save(update_fields=["due_on"])
    return invoice


def note_on(invoice: Invoice, *, text: str, noted_by: User | None, now: datetime) -> None:
    """Add a note of staff to the history of an invoice, whatever its status; customers never see it."""
    _tell(invoice, InvoiceEventKind.NOTED, text, noted_by, now)


def _tell(invoice: Invoice, kind: InvoiceEventKind, note: str, made_by: User | None, now: datetime) -> None:
    InvoiceEvent.objects.create(
        merchant_id=invoice.merchant_id, invoice=invoice, kind=kind, at=now, note=note, made_by=made_by
    )
