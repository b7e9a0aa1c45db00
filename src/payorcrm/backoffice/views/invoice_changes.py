"""What staff change of one invoice: when it is due, a note in its history, and that it is void."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from payorcrm.backoffice.access import for_collectors, invoice_of
from payorcrm.backoffice.invoice_forms import DueDateForm, InvoiceNoteForm, VoidForm
from payorcrm.backoffice.views.invoices import invoice_page
from payorcrm.core import clock
from payorcrm.invoices.correct import CannotCorrect, change_due_date, note_on
from payorcrm.invoices.models import Invoice
from payorcrm.invoices.void import CannotVoid, void
from payorcrm.merchants.models import Staff


@require_POST
@for_collectors
def due_date(request: HttpRequest, staff: Staff, invoice_id: UUID) -> HttpResponse:
    """Move the due date."""
    invoice = invoice_of(staff, invoice_id)
    form = DueDateForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            change_due_date(invoice_id=invoice.id, changed_by=staff.user, now=clock.now(), **given)
        except CannotCorrect as refusal:
            form.add_error("due_on", str(refusal))
    if form.errors:
        return invoice_page(request, staff, invoice, status=422, due_form=form)
    messages.success(request, "The new due date is kept. The next import brings what your accounting system says.")
    return _back(staff, invoice)


@require_POST
@for_collectors
def note(request: HttpRequest, staff: Staff, invoice_id: UUID) -> HttpResponse:
    """Add a note to the history."""
    invoice = invoice_of(staff, invoice_id)
    form = InvoiceNoteForm(request.POST)
    if not form.is_valid():
        return invoice_page(request, staff, invoice, status=422, note_form=form)
    note_on(invoice, text=form.cleaned_data["text"], noted_by=staff.user, now=clock.now())
    messages.success(request, "The note stands in the history.")
    return _back(staff, invoice)


@require_POST
@for_collectors
def void_one(request: HttpRequest, staff: Staff, invoice_id: UUID) -> HttpResponse:
    """Void the invoice, if nothing was paid of it."""
    invoice = invoice_of(staff, invoice_id)
    form = VoidForm(request.POST)
    if not form.is_valid():
        return invoice_page(request, staff, invoice, status=422, void_form=form)
    try:
        void(invoice_id=invoice.id, note=form.cleaned_data["note"], voided_by=staff.user, now=clock.now())
    except CannotVoid as refusal:
        messages.error(request, f"Not voided. {refusal}")
    else:
        messages.success(request, f"Invoice {invoice.number} is void: nothing is owed on it any more.")
    return _back(staff, invoice)


def _back(staff: Staff, invoice: Invoice) -> HttpResponse:
    return redirect("backoffice:invoice", merchant_slug=staff.merchant.slug, invoice_id=invoice.id)
