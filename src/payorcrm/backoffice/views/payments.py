"""Payments: every attempt to collect, as a list, as a file, and each with its time line."""

from collections.abc import Iterator
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from payorcrm.backoffice.access import for_staff, payment_of
from payorcrm.backoffice.forms import PaymentFilter
from payorcrm.core import clock
from payorcrm.merchants.models import Merchant, Staff
from payorcrm.payments.models import Payment, PaymentEvent
from payorcrm.payments.queries import allocations_of, payments_for
from payorcrm.payments.wording import decline_in_words, return_in_words
from payorcrm.ui.exports import csv_response
from payorcrm.ui.paging import page_of

EXPORT_HEAD = [
    "Reference",
    "Submitted",
    "Settled",
    "Customer number",
    "Customer",
    "Method",
    "Amount",
    "Currency",
    "Status",
    "Return code",
    "Decline reason",
    "Processor reference",
]


@require_safe
@for_staff
def payments(request: HttpRequest, staff: Staff) -> HttpResponse:
    """List the payments, the latest first."""
    filters = PaymentFilter(request.GET)
    page = page_of(_found(staff.merchant, filters), by=("-submitted_at", "-id"), query=request.GET)
    context = {"section": "payments", "filters": filters, "page": page}
    return render(request, "backoffice/payment_list.html", context)


@require_safe
@for_staff
def export(request: HttpRequest, staff: Staff) -> StreamingHttpResponse:
    """Stream the payments that the filters of the list show."""
    found = _found(staff.merchant, PaymentFilter(request.GET))
    day = clock.day_in(staff.merchant.time_zone, clock.now())
    lines = _export_lines(found, ZoneInfo(staff.merchant.time_zone))
    return csv_response(f"payments-{staff.merchant.slug}-{day}.csv", EXPORT_HEAD, lines)


@require_safe
@for_staff
def payment(request: HttpRequest, staff: Staff, payment_id: UUID) -> HttpResponse:
    """Show one payment: what it paid, with what, and what happened to it."""
    subject = payment_of(staff, payment_id)
    context = {
        "section": "payments",
        "payment": subject,
        "allocations": allocations_of(subject.id),
        "events": PaymentEvent.objects.filter(payment=subject).order_by("-at", "-id"),
        "decline": decline_in_words(subject),
        "return": return_in_words(subject),
    }
    return render(request, "backoffice/payment_page.html", context)


def _found(merchant: Merchant, filters: PaymentFilter) -> QuerySet[Payment]:
    return filters.narrow(payments_for(merchant), time_zone=merchant.time_zone)


def _export_lines(found: QuerySet[Payment], zone: ZoneInfo) -> Iterator[list[object]]:
    for row in found.iterator(chunk_size=2000):
        yield [
            row.reference,
            row.submitted_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
            row.settled_at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if row.settled_at else "",
            row.customer.number,
            row.customer.company_name,
            row.way(),
            row.amount_money().to_decimal(),
            row.currency,
            row.get_state_display(),
            row.return_code,
            row.decline_message or row.decline_code,
            row.gateway_reference,
        ]
