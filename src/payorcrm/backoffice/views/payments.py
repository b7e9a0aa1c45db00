"""Payments: every attempt to collect, as a list, as a file, and each with its time line."""

from collections.abc import Iterator
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from payorcrm.backoffice.access import for_staff, payment_of
from payorcrm.backoffice.forms import PaymentFilter
from payorcrm.backoffice.payment_facts import facts_of
from payorcrm.core import clock
from payorcrm.core.money import Money
from payorcrm.core.write_dates import write_long_day
from payorcrm.merchants.models import Merchant, Staff
from payorcrm.payments.cancel import can_cancel
from payorcrm.payments.models import Payment
from payorcrm.payments.queries import payments_for, with_unapplied
from payorcrm.payments.reallocate import why_not_reallocatable
from payorcrm.payments.refund import why_not_refundable
from payorcrm.payments.reverse_offline import why_not_reversible
from payorcrm.payments.wording import decline_in_words, return_in_words
from payorcrm.ui.exports import table_response
from payorcrm.ui.paging import page_of

EXPORT_HEAD = [
    "Reference",
    "Submitted",
    "Settled",
    "Customer number",
    "Customer",
    "Method",
    "Amount",
    "Refunded",
    "Unapplied",
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
def export(request: HttpRequest, staff: Staff) -> HttpResponseBase:
    """Send the payments that the filters of the list show, as CSV or, if asked for, as a workbook."""
    found = _found(staff.merchant, PaymentFilter(request.GET))
    day = clock.day_in(staff.merchant.time_zone, clock.now())
    lines = _export_lines(found, ZoneInfo(staff.merchant.time_zone))
    return table_response(f"payments-{staff.merchant.slug}-{day}", EXPORT_HEAD, lines, query=request.GET)


@require_safe
@for_staff
def payment(request: HttpRequest, staff: Staff, payment_id: UUID) -> HttpResponse:
    """Show one payment: what it paid, with what, and what happened to it."""
    subject = payment_of(staff, payment_id)
    context = {
        "section": "payments",
        "payment": subject,
        "facts": facts_of(subject),
        "can_refund": not why_not_refundable(subject),
        "can_cancel": can_cancel(subject),
        "can_apply": not why_not_reallocatable(subject),
        "can_reverse": not why_not_reversible(subject),
        "pending_words": _pending_words(subject),
        "decline": decline_in_words(subject),
        "return": return_in_words(subject),
    }
    return render(request, "backoffice/payment_page.html", context)


def _pending_words(payment: Payment) -> str:
    instead = "It can be canceled instead, as long as the bank does not have it. " if can_cancel(payment) else ""
    if payment.expected_on is None:
        return f"{instead}It can be refunded once it has cleared, within a few business days."
    return f"{instead}It can be refunded once it has cleared, expected on {write_long_day(payment.expected_on)}."


def _found(merchant: Merchant, filters: PaymentFilter) -> QuerySet[Payment]:
    return filters.narrow(payments_for(merchant), time_zone=merchant.time_zone)


def _export_lines(found: QuerySet[Payment], zone: ZoneInfo) -> Iterator[list[object]]:
    for row in with_unapplied(found).iterator(chunk_size=2000):
        yield [
            row.reference,
            row.received_on or clock.wall_time(zone, row.submitted_at),
            clock.wall_time(zone, row.settled_at) if row.settled_at else None,
            row.customer.number,
            row.customer.company_name,
            row.way(),
            row.amount_money().to_decimal(),
            row.refunded_money().to_decimal(),
            Money(row.unapplied, row.currency).to_decimal(),  # type: ignore[attr-defined]
            row.currency,
            str(row.standing().label),
            row.return_code,
            row.decline_message or row.decline_code,
            row.gateway_reference,
        ]
