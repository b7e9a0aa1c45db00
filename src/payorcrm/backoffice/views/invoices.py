"""Invoices: the list, and one invoice with its history."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from payorcrm.backoffice.access import for_staff, invoice_of
from payorcrm.backoffice.invoice_filter import InvoiceFilter
from payorcrm.backoffice.rule_forms import HoldForm
from payorcrm.backoffice.views.documents import DocumentForm
from payorcrm.core import clock
from payorcrm.core.money import Money
from payorcrm.invoices.models import Invoice, InvoiceDocument, InvoiceEvent, Standing
from payorcrm.merchants.models import Merchant, Staff
from payorcrm.payments.models import Allocation, Payment
from payorcrm.reminders.hold import holds_on
from payorcrm.reminders.models import Reminder
from payorcrm.ui.exports import table_response
from payorcrm.ui.paging import page_of

EXPORT_HEAD = [
    "Invoice",
    "Customer number",
    "Customer",
    "Issued",
    "Due",
    "Status",
    "Currency",
    "Total",
    "Still owed",
    "Being paid",
]


@dataclass(frozen=True, slots=True)
class Row:
    """An invoice as a list shows it."""

    invoice: Invoice
    standing: Standing
    days_overdue: int


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of an invoice's history, whatever table it comes from."""

    at: datetime
    state: str
    words: str
    amount: Money | None = None
    payment: Payment | None = None
    note: str = ""


@require_safe
@for_staff
def invoices(request: HttpRequest, staff: Staff) -> HttpResponse:
    """List the invoices, the latest due first."""
    today = clock.day_in(staff.merchant.time_zone, clock.now())
    filters = InvoiceFilter(request.GET)
    page = page_of(_found(staff.merchant, filters, today), by=filters.by(), query=request.GET)
    context = {"section": "invoices", "filters": filters, "page": page, "rows": rows_of(page.rows, today=today)}
    return render(request, "backoffice/invoice_list.html", context)


@require_safe
@for_staff
def export(request: HttpRequest, staff: Staff) -> HttpResponseBase:
    """Send the invoices that the filters of the list show, as CSV or, if asked for, as a workbook."""
    today = clock.day_in(staff.merchant.time_zone, clock.now())
    filters = InvoiceFilter(request.GET)
    lines = _export_lines(_found(staff.merchant, filters, today).order_by(*filters.by()), today)
    return table_response(f"invoices-{staff.merchant.slug}-{today}", EXPORT_HEAD, lines, query=request.GET)


def _found(merchant: Merchant, filters: InvoiceFilter, today: date) -> QuerySet[Invoice]:
    invoices = Invoice.objects.filter(merchant=merchant).select_related("customer")
    return filters.narrow(invoices, today=today, currency=merchant.currency)


def _export_lines(found: QuerySet[Invoice], today: date) -> Iterator[list[object]]:
    for row in found.iterator(chunk_size=2000):
        yield [
            row.number,
            row.customer.number,
            row.customer.company_name,
            row.issued_on,
            row.due_on,
            str(row.standing(today=today).label),
            row.currency,
            row.total_money().to_decimal(),
            row.balance_money().to_decimal(),
            row.in_flight_money().to_decimal(),
        ]


@require_safe
@for_staff
def invoice(request: HttpRequest, staff: Staff, invoice_id: UUID) -> HttpResponse:
    """Show one invoice and all that happened to it."""
    subject = invoice_of(staff, invoice_id)
    today = clock.day_in(staff.merchant.time_zone, clock.now())
    context = {
        "section": "invoices",
        "invoice": subject,
        "row": rows_of([subject], today=today)[0],
        "history": history_of(subject),
        "document": InvoiceDocument.objects.defer("pdf").filter(invoice=subject).first(),
        "form": DocumentForm(),
        "holds": holds_on(subject, today=today),
        "hold_form": HoldForm(),
    }
    return render(request, "backoffice/invoice_page.html", context)


def rows_of(found: Iterable[Invoice], *, today: date) -> list[Row]:
    """Add to each invoice what its status means today."""
    return [Row(each, each.standing(today=today), each.days_overdue(today=today)) for each in found]


def history_of(subject: Invoice) -> list[Happening]:
    """Return reminders, payments and changes of an invoice, the latest first."""
    happenings = [*_payments(subject), *_changes(subject), *_reminders(subject)]
    return sorted(happenings, key=lambda happening: happening.at, reverse=True)


def _payments(subject: Invoice) -> Iterable[Happening]:
    allocations = Allocation.objects.filter(invoice=subject).select_related("payment", "payment__method")
    for allocation in allocations:
        payment = allocation.payment
        words = f"{payment.get_state_display()} with {payment.way()}"
        at = payment.returned_at or payment.settled_at or payment.submitted_at
        yield Happening(at, payment.state, words, allocation.amount_money(), payment)


def _changes(subject: Invoice) -> Iterable[Happening]:
    for event in InvoiceEvent.objects.filter(invoice=subject):
        amount = Money(event.amount, subject.currency) if event.amount else None
        yield Happening(event.at, event.kind, event.get_kind_display(), amount, note=event.note)


def _reminders(subject: Invoice) -> Iterable[Happening]:
    reminders = Reminder.objects.filter(request__lines__invoice=subject).select_related("mail")
    for reminder in reminders:
        mail = reminder.mail
        yield Happening(
            mail.sent_at or mail.queued_at, mail.state, f"Reminder to {mail.to_address}", note=mail.get_state_display()
        )
