"""Voids an invoice that should not have been issued."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.invoices.models import Invoice, InvoiceEvent, InvoiceEventKind, InvoiceStatus
from payorcrm.ledger.models import Account, EntryKind
from payorcrm.ledger.post import Line, Source, post_entry


class CannotVoid(Refused):
    """The invoice is paid, in part or whole, or being paid, or was closed before."""

    code: ClassVar[str] = "cannot_void"


def void(*, invoice_id: UUID, note: str = "", voided_by: User | None = None, now: datetime) -> Invoice:
    """Take back what is owed on an open invoice of which nothing was paid, in history and ledger. Raises CannotVoid."""
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update().get(id=invoice_id)
        if obstacle := why_not_void(invoice):
            raise CannotVoid(obstacle)
        owed = invoice.balance_money()
        event = InvoiceEvent.objects.create(
            merchant_id=invoice.merchant_id,
            invoice=invoice,
            kind=InvoiceEventKind.VOIDED,
            at=now,
            amount=owed.minor,
            note=note,
            made_by=voided_by,
        )
        invoice.status, invoice.balance = InvoiceStatus.VOID, 0
        invoice.save(update_fields=["status", "balance"])
        post_entry(
            merchant_id=invoice.merchant_id,
            kind=EntryKind.INVOICE_VOIDED,
            postings=[
                Line(Account.VOIDED, owed, invoice.customer_id),
                Line(Account.RECEIVABLE, -owed, invoice.customer_id),
            ],
            source=Source("invoice_event", event.id),
            now=now,
        )
    return invoice


def why_not_void(invoice: Invoice) -> str:
    """Return what forbids to void an invoice; nothing when it may be voided."""
    if invoice.in_flight:
        return f"A payment of {invoice.in_flight_money()} is under way for this invoice. Wait until it is settled."
    if invoice.status != InvoiceStatus.OPEN:
        return f"This invoice is {invoice.get_status_display().lower()}, so it cannot be voided."
    if invoice.balance != invoice.total:
        return f"{invoice.total_money() - invoice.balance_money()} of this invoice is settled already."
    return ""
