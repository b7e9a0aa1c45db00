"""The first page: what is owed, what came in, and what needs a person."""

from datetime import datetime, timedelta

from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from payorcrm.backoffice.access import for_staff, memberships_of
from payorcrm.core import clock
from payorcrm.core.money import Money
from payorcrm.invoices.aging import Aging, aging_of, other_currencies_of
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant, Staff
from payorcrm.payments.models import Payment, PaymentState
from payorcrm.payments.queries import payments_for

COLLECTED_DAYS = 30
_LATEST = 8


@require_safe
@for_staff
def dashboard(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Show where the merchant stands."""
    merchant, now = staff.merchant, clock.now()
    today = clock.day_in(merchant.time_zone, now)
    aging = aging_of(merchant, today=today)
    troubled = Mail.objects.filter(merchant=merchant).troubled().select_related("customer")
    context = {
        "section": "dashboard",
        "memberships": memberships_of(staff),
        "aging": aging,
        "others": other_currencies_of(merchant, today=today),
        "bars": bars_of(aging),
        "collected": collected_in(merchant, since=now - timedelta(days=COLLECTED_DAYS)),
        "payments": payments_for(merchant)[:_LATEST],
        "in_flight_count": Payment.objects.filter(merchant=merchant).in_flight().count(),
        "troubled_mails": list(troubled.order_by("-id")[:4]),
    }
    return render(request, "backoffice/dashboard.html", context)


def collected_in(merchant: Merchant, *, since: datetime) -> dict[str, object]:
    """Return how much and how many payments were collected, in the merchant's currency."""
    paid = Payment.objects.filter(
        merchant=merchant, currency=merchant.currency, state=PaymentState.SUCCEEDED, settled_at__gte=since
    )
    sums = paid.aggregate(minor=Sum("amount"), count=Count("id"))
    return {"amount": Money(sums["minor"] or 0, merchant.currency), "count": sums["count"]}


def bars_of(aging: Aging) -> list[dict[str, object]]:
    """Return each bucket with where its part of a bar of 1,000 begins and how long it is."""
    bars: list[dict[str, object]] = []
    start = 0
    for bucket in aging.buckets:
        length = bucket.amount.minor * 1000 // aging.owed.minor if aging.owed else 0
        bars.append({"bucket": bucket, "start": start, "length": length})
        start += length
    return bars
