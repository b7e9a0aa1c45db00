"""Holds: stopping reminders to a customer or about an invoice, and letting them go on."""

from datetime import date
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from payorcrm.backoffice.access import customer_of, for_collectors, for_staff, hold_of, invoice_of
from payorcrm.backoffice.audit import note_changes, nothing_new
from payorcrm.backoffice.rule_forms import HoldFilter, HoldForm
from payorcrm.backoffice.views.customers import customer_page
from payorcrm.backoffice.views.invoices import invoice_page
from payorcrm.core import clock
from payorcrm.core.errors import Refused
from payorcrm.core.write_dates import write_day
from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.merchants.models import Staff
from payorcrm.reminders.hold import end_hold, prolong_hold, put_several_on_hold
from payorcrm.reminders.models import REVIEW_AFTER, REVIEW_BEFORE, Hold, HoldReason
from payorcrm.reminders.write_down import changes_of_ended, changes_of_held
from payorcrm.staff.record_change import Change
from payorcrm.ui.paging import page_of


@require_safe
@for_staff
def holds(request: HttpRequest, staff: Staff) -> HttpResponse:
    """List what stops reminders, the latest first; and say what needs no hold."""
    filters = HoldFilter(request.GET)
    today = clock.day_in(staff.merchant.time_zone, clock.now())
    rows = Hold.objects.filter(merchant=staff.merchant).select_related("customer", "invoice", "held_by", "ended_by")
    page = page_of(filters.narrow(rows, today=today), by=("-id",), query=request.GET)
    processing = Invoice.objects.filter(merchant=staff.merchant, status=InvoiceStatus.OPEN, in_flight__gt=0)
    context = {
        "section": "reminders",
        "filters": filters,
        "page": page,
        "rows": [(hold, _standing(hold, today), _may_prolong(hold, today)) for hold in page.rows],
        "processing_count": processing.count(),
    }
    return render(request, "backoffice/hold_list.html", context)


def _standing(hold: Hold, today: date) -> str:
    if hold.ended_at:
        return "ended"
    return "passed" if hold.has_passed(today) else "active"


def _may_prolong(hold: Hold, today: date) -> bool:
    """Say whether its day is near enough that somebody should look at it."""
    if hold.ended_at or not hold.is_reviewed or hold.until is None:
        return False
    return today - REVIEW_AFTER <= hold.until <= today + REVIEW_BEFORE


@require_POST
@for_collectors
def hold_customer(request: HttpRequest, staff: Staff, customer_id: UUID) -> HttpResponse:
    """Stop reminders to a customer."""
    customer = customer_of(staff, customer_id)
    form = HoldForm(request.POST)
    if not _hold(request, staff, form, customer_ids=[customer.id]):
        return customer_page(request, staff, customer, status=422, hold_form=form)
    return redirect("backoffice:customer", merchant_slug=staff.merchant.slug, customer_id=customer.id)


@require_POST
@for_collectors
def hold_invoice(request: HttpRequest, staff: Staff, invoice_id: UUID) -> HttpResponse:
    """Stop reminders about one invoice."""
    invoice = invoice_of(staff, invoice_id)
    form = HoldForm(request.POST)
    if not _hold(request, staff, form, invoice_ids=[invoice.id]):
        return invoice_page(request, staff, invoice, status=422, hold_form=form)
    return redirect("backoffice:invoice", merchant_slug=staff.merchant.slug, invoice_id=invoice.id)


def _hold(request: HttpRequest, staff: Staff, form: HoldForm, **held: list[UUID]) -> bool:
    """Say whether it is on hold; if not, the form says why, and is where the reader goes on."""
    if not form.is_valid():
        form.fields["reason"].widget.attrs["autofocus"] = True
        return False
    try:
        (now_held,) = put_several_on_hold(
            merchant=staff.merchant,
            reason=HoldReason(form.cleaned_data["reason"]),
            until=form.cleaned_data["until"],
            note=form.cleaned_data["note"],
            held_by=staff.user,
            now=clock.now(),
            **held,
        )
    except Refused as refusal:
        form.add_error("until", str(refusal))
        form.fields["until"].widget.attrs["autofocus"] = True
        return False
    _write_down(request, changes_of_held([now_held]))
    until = f" until {write_day(now_held.hold.until)}" if now_held.hold.until else ""
    messages.success(request, f"On hold{until}: no reminder goes out, not even one that is on its way.")
    return True


def _write_down(request: HttpRequest, changes: list[Change]) -> None:
    """Let the entry say what was before and after; where nothing is otherwise, there is none."""
    if changes:
        note_changes(request, changes)
    else:
        nothing_new(request)


@require_POST
@for_collectors
def end(request: HttpRequest, staff: Staff, hold_id: UUID) -> HttpResponse:
    """End a hold."""
    hold = hold_of(staff, hold_id)
    is_ended = end_hold(hold, ended_by=staff.user, now=clock.now())
    _write_down(request, changes_of_ended([hold]) if is_ended else [])
    messages.success(request, "The hold has ended; reminders go on.")
    return _back(request, staff, hold)


@require_POST
@for_collectors
def prolong(request: HttpRequest, staff: Staff, hold_id: UUID) -> HttpResponse:
    """Let a hold last longer."""
    hold = hold_of(staff, hold_id)
    until = prolong_hold(hold, now=clock.now())
    if until == hold.until:
        nothing_new(request)
    messages.success(request, f"On hold until {write_day(until)}: no reminder goes out until then.")
    return _back(request, staff, hold)


def _back(request: HttpRequest, staff: Staff, hold: Hold) -> HttpResponse:
    slug = staff.merchant.slug
    if request.POST.get("back") == "holds":
        return redirect("backoffice:holds", merchant_slug=slug)
    if hold.invoice_id:
        return redirect("backoffice:invoice", merchant_slug=slug, invoice_id=hold.invoice_id)
    return redirect("backoffice:customer", merchant_slug=slug, customer_id=hold.customer_id)
