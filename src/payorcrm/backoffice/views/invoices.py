"""Invoices: the list, and one invoice with its history."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from payorcrm.backoffice.access import for_staff, invoice_of
from payorcrm.backoffice.chosen import carried, count_of
from payorcrm.backoffice.invoice_filter import InvoiceFilter
from payorcrm.backoffice.invoice_forms import DueDateForm, InvoiceNoteForm, VoidForm
from payorcrm.backoffice.invoice_history import history_of
from payorcrm.backoffice.rule_forms import HoldForm
from payorcrm.backoffice.views.documents import DocumentForm
from payorcrm.backoffice.views.invoice_files import FileForm
from payorcrm.core import clock
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice, InvoiceDocument, InvoiceFile, Standing
from payorcrm.invoices.void import why_not_void
from payorcrm.merchants.models import Merchant, Staff
from payorcrm.reminders.hold import holds_on
from payorcrm.reminders.models import Hold
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
    is_held: bool = False


@require_safe
@for_staff
def invoices(request: HttpRequest, staff: Staff) -> HttpResponse:
    """List the invoices, the latest due first."""
    today = clock.day_in(staff.merchant.time_zone, clock.now())
    filters = InvoiceFilter(request.GET, merchant=staff.merchant)
    found = _found(staff.merchant, filters, today)
    page = page_of(found, by=filters.by(), query=request.GET)
    context = {
        "section": "invoices",
        "filters": filters,
        "page": page,
        "has_customers": bool(page.rows) or Customer.objects.filter(merchant=staff.merchant).exists(),
        "rows": rows_of(page.rows, today=today, held=held_among(page.rows, today=today)),
        "match_count": count_of(found) if staff.can_change() else 0,
        "carried": carried(filters),
    }
    return render(request, "backoffice/invoice_list.html", context)


@require_safe
@for_staff
def export(request: HttpRequest, staff: Staff) -> HttpResponseBase:
    """Send the invoices that the filters of the list show, as CSV or, if asked for, as a workbook."""
    today = clock.day_in(staff.merchant.time_zone, clock.now())
    filters = InvoiceFilter(request.GET, merchant=staff.merchant)
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
    return invoice_page(request, staff, invoice_of(staff, invoice_id))


def invoice_page(
    request: HttpRequest, staff: Staff, subject: Invoice, *, status: int = 200, **filled_in: forms.Form
) -> HttpResponse:
    """Render the page of an invoice, with the forms that were filled in wrongly."""
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
        "due_form": DueDateForm(initial={"due_on": subject.due_on}),
        "note_form": InvoiceNoteForm(),
        "void_form": VoidForm(),
        "why_not_void": why_not_void(subject),
        "files": InvoiceFile.objects.defer("content").filter(invoice=subject).order_by("id"),
        "file_form": FileForm(),
        "lines": subject.lines.select_related("invoice").order_by("position"),
        **filled_in,
    }
    return render(request, "backoffice/invoice_page.html", context, status=status)


def rows_of(found: Iterable[Invoice], *, today: date, held: Collection[UUID] = ()) -> list[Row]:
    """Add to each invoice what its status means today; `held` are those on hold."""
    return [Row(each, each.standing(today=today), each.days_overdue(today=today), each.id in held) for each in found]


def held_among(found: Sequence[Invoice], *, today: date) -> set[UUID]:
    """Return which of some invoices nobody is reminded of today: they or their customers are on hold."""
    holds = Hold.objects.active(today=today).filter(customer__in={each.customer_id for each in found})
    targets = {invoice_id or customer_id for customer_id, invoice_id in holds.values_list("customer_id", "invoice_id")}
    return {each.id for each in found if each.id in targets or each.customer_id in targets}
