"""Issues one invoice."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.invoices.lines import BilledLine, check_lines, write_lines
from payorcrm.invoices.lock_numbers import lock_numbers_for_issue
from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.ledger.models import Account, EntryKind
from payorcrm.ledger.post import Line, Source, post_entry

# A second press within this time means the first.
JUST_NOW = timedelta(minutes=10)


class NotAnInvoice(Refused):
    """What should be issued lacks a number, an amount or a sensible date."""

    code: ClassVar[str] = "not_an_invoice"
    status: ClassVar[int] = 422


class NumberTaken(Refused):
    """The merchant has an invoice with this number already."""

    code: ClassVar[str] = "number_taken"
    message: ClassVar[str] = "There is already an invoice with this number."


def issue(
    *,
    customer: Customer,
    number: str,
    total: Money,
    issued_on: date,
    due_on: date,
    now: datetime,
    lines: Sequence[BilledLine] = (),
) -> Invoice:
    """Write an open invoice, its lines and its ledger entry. Raises NotAnInvoice, LinesDoNotFit, NumberTaken."""
    number = " ".join(number.split())
    _check(number, total, issued_on, due_on)
    check_lines(lines, total=total)
    with transaction.atomic():
        lock_numbers_for_issue(customer.merchant_id)
        invoice, is_new = Invoice.objects.get_or_create(
            merchant_id=customer.merchant_id,
            number=number,
            defaults={
                "customer": customer,
                "status": InvoiceStatus.OPEN,
                "issued_on": issued_on,
                "due_on": due_on,
                "currency": total.currency,
                "total": total.minor,
                "balance": total.minor,
                "created_at": now,
            },
        )
        if not is_new:
            raise NumberTaken
        write_lines([(invoice, lines)])
        post_entry(
            merchant_id=customer.merchant_id,
            kind=EntryKind.INVOICES_ISSUED,
            postings=[Line(Account.RECEIVABLE, total, customer.id), Line(Account.INVOICED, -total, customer.id)],
            source=Source("invoice", invoice.id),
            now=now,
        )
    return invoice


def issue_once(*, customer: Customer, number: str, total: Money, now: datetime, **facts: Any) -> Invoice:
    """Issue an invoice, or return it where a first press of the same button has just issued it. Raises as `issue`."""
    try:
        return issue(customer=customer, number=number, total=total, now=now, **facts)
    except NumberTaken:
        same = {"number": number, "total": total.minor, "currency": total.currency, "created_at__gt": now - JUST_NOW}
        days = {name: facts[name] for name in ("issued_on", "due_on")}
        if made := Invoice.objects.filter(customer=customer, **same, **days).first():
            return made
        raise


def _check(number: str, total: Money, issued_on: date, due_on: date) -> None:
    if not number or len(number) > 64 or not number.isprintable():
        raise NotAnInvoice("An invoice needs a number of 1 to 64 characters.")
    if total.minor <= 0:
        raise NotAnInvoice("An invoice needs an amount of more than nothing.")
    if due_on < issued_on:
        raise NotAnInvoice("An invoice cannot be due before it was issued.")
