"""The customer's payment history: the same payments as the merchant sees, as a list, as files, and each by itself."""

from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from payorcrm.core.clock import day_in, now
from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.payments.models import NOT_CHARGED_STATES, Payment, PaymentState, RefundState
from payorcrm.payments.queries import allocations_of, unapplied_of
from payorcrm.payments.wording import decline_in_words, return_in_words
from payorcrm.portal.access import Visit, for_customers, payment_of_customer
from payorcrm.portal.payment_list import (
    NUMBERS_IN_A_ROW,
    PaymentFilter,
    export_head,
    export_lines,
    more_invoices_of,
    with_invoices,
)
from payorcrm.portal.payment_story import story_of
from payorcrm.ui.exports import csv_response, xlsx_response
from payorcrm.ui.paging import page_of

# The receipt and the exports have all of them.
MOST_INVOICES = 100
_EXPORTS = {"csv": csv_response, "xlsx": xlsx_response}


@require_safe
@for_customers
def payments(request: HttpRequest, visit: Visit) -> HttpResponse:
    """List the payments of the customer that the user works for, newest first."""
    filters = PaymentFilter(request.GET)
    found = with_invoices(filters.payments_of(visit.customer), most=NUMBERS_IN_A_ROW)
    page = page_of(found, by=("-submitted_at", "-id"), query=request.GET)
    shown = {
        "section": "payments",
        "filters": filters,
        "page": page,
        "rows": [(each, more_invoices_of(each)) for each in page.rows],
    }
    return render(request, "portal/payment_list.html", shown)


@require_safe
@for_customers
def export(request: HttpRequest, visit: Visit, kind: str) -> HttpResponseBase:
    """Send the payments that the filters of the list show as a file."""
    if kind not in _EXPORTS:
        raise Http404
    zone = ZoneInfo(visit.merchant.time_zone)
    name = f"payments-{visit.merchant.slug}-{day_in(visit.merchant.time_zone, now())}.{kind}"
    lines = export_lines(PaymentFilter(request.GET).payments_of(visit.customer), zone)
    return _EXPORTS[kind](name, export_head(), lines)


@require_safe
@for_customers
def payment(request: HttpRequest, visit: Visit, payment_id: UUID) -> HttpResponse:
    """Show one payment with its invoices, what happened to it and what to do next."""
    found = payment_of_customer(visit, payment_id)
    allocations = allocations_of(found.id)
    listed = allocations[:MOST_INVOICES]
    refunds = list(found.refunds.order_by("submitted_at"))
    shown = {
        "section": "payments",
        "payment": found,
        "allocations": listed,
        "invoice_count": len(allocations),
        "hidden_count": len(allocations) - len(listed),
        "to_pay_again": _to_pay_again(found, [row.invoice for row in listed]),
        "steps": story_of(found, found.events.order_by("at", "id"), refunds),
        "refunds": [each for each in refunds if each.state in (RefundState.PENDING, RefundState.SUCCEEDED)],
        "unapplied": unapplied_of(found, allocations),
        "decline": decline_in_words(found),
        "return_reason": return_in_words(found),
    }
    return render(request, "portal/payment_detail.html", shown)


def _to_pay_again(found: Payment, invoices: list[Invoice]) -> list[Invoice]:
    if found.state not in (*NOT_CHARGED_STATES, PaymentState.RETURNED):
        return []
    return [invoice for invoice in invoices if invoice.status == InvoiceStatus.OPEN and invoice.payable_money()]
