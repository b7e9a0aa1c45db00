"""Answers a registration: an invitation for whoever names an invoice and its customer's address on file."""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db import transaction

from payorcrm.customers.answer_ask import take_ask
from payorcrm.customers.invite import AccessWasRemoved, invite_customer
from payorcrm.customers.models import AccessAsk, Customer
from payorcrm.customers.queries import NoAddressOnFile, contact_on_file
from payorcrm.invoices.models import Invoice, InvoiceStatus


def answer_registration_ask(ask_id: UUID, *, now: datetime) -> None:
    """Invite the customer if invoice and address belong together; else nothing happens, and nobody learns why."""
    with transaction.atomic():
        ask = take_ask(ask_id, now=now)
        customer = _customer_of(ask) if ask else None
        if customer:
            # Within a savepoint: a refusal must not take back that the question was answered.
            with suppress(AccessWasRemoved), transaction.atomic():
                invite_customer(customer=customer, invited_by=None, now=now)


def _customer_of(ask: AccessAsk) -> Customer | None:
    typed = ask.invoice_number
    invoices = Invoice.objects.filter(merchant=ask.merchant).exclude(status=InvoiceStatus.DRAFT)
    # By the unique index, so that nobody makes the database read all invoices by asking.
    spellings = {typed, typed.upper(), typed.lower(), typed.removeprefix("#").strip()}
    for invoice in invoices.filter(number__in=spellings).select_related("customer").order_by("id"):
        if _is_on_file(invoice.customer, ask.email):
            return invoice.customer
    return None


def _is_on_file(customer: Customer, email: str) -> bool:
    with suppress(NoAddressOnFile):
        return contact_on_file(customer.id).email.lower() == email.lower()
    return False
