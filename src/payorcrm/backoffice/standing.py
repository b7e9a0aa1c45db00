"""The figures of the dashboard, in one currency, each with the address of the rows that it counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from payorcrm.backoffice.forms import start_of
from payorcrm.core.money import Money
from payorcrm.invoices.aging import Aging, Bucket, invoiced_between
from payorcrm.invoices.debtors import Debtor, top_debtors
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant
from payorcrm.payments.collected import Taken, returned_since, takings_of

RETURNED_DAYS = 30
SALES_DAYS = 90
TOP_COUNT = 5
# How wide a chart is drawn, in units of its own.
WIDTH = 1000


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart, in the chart's units, and the rows that it stands for."""

    label: str
    amount: Money
    count: int
    length: int
    address: str


@dataclass(frozen=True, slots=True)
class TopDebtor:
    """A customer with much overdue, and the invoices."""

    debtor: Debtor
    address: str


@dataclass(frozen=True, slots=True)
class DaysSales:
    """How many days of invoicing are owed; None where nothing was invoiced."""

    invoiced: Money
    days: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a merchant stands in one currency."""

    aging: Aging
    buckets: list[Bar]
    months: list[Bar]
    returned: Taken
    debtors: list[TopDebtor]
    sales: DaysSales
    addresses: dict[str, str]


def standing_of(merchant: Merchant, aging: Aging, *, now: datetime, today: date) -> Standing:
    """Add up what the dashboard shows."""
    currency = aging.currency
    returned_from = today - timedelta(days=RETURNED_DAYS)
    top = top_debtors(merchant.id, currency=currency, count=TOP_COUNT, now=now, today=today)
    overdue = {"status": "overdue", "currency": currency}
    return Standing(
        aging=aging,
        buckets=_bucket_bars(merchant, aging),
        months=_month_bars(merchant, currency, today),
        returned=returned_since(merchant.id, currency, since=start_of(returned_from, merchant.time_zone)),
        debtors=[
            TopDebtor(each, _address(merchant, "invoices", overdue | {"customer": each.customer_id})) for each in top
        ],
        sales=days_sales_of(merchant.id, aging, today=today),
        addresses={
            "owed": _address(merchant, "invoices", {"status": "open", "currency": currency}),
            "overdue": _address(merchant, "invoices", overdue),
            "processing": _address(merchant, "invoices", {"status": "processing", "currency": currency}),
            "sales": _address(merchant, "days_sales", {"currency": currency}),
            "returned": _address(
                merchant, "payments", {"state": "returned", "returned_since": returned_from, "currency": currency}
            ),
        },
    )


def _bucket_bars(merchant: Merchant, aging: Aging) -> list[Bar]:
    longest = max(bucket.amount.minor for bucket in aging.buckets)

    def bar(place: int, bucket: Bucket) -> Bar:
        asked = {"status": "open", "bucket": place, "currency": aging.currency}
        length = _length(bucket.amount.minor, longest)
        return Bar(bucket.label, bucket.amount, bucket.invoice_count, length, _address(merchant, "invoices", asked))

    return [bar(place, bucket) for place, bucket in enumerate(aging.buckets)]


def _month_bars(merchant: Merchant, currency: str, today: date) -> list[Bar]:
    """Compare this month until today with as many days of the last one."""
    periods = periods_of(today)
    begins_and_ends = [
        (start_of(first, merchant.time_zone), start_of(last + timedelta(days=1), merchant.time_zone))
        for first, last in periods
    ]
    takings = takings_of(merchant.id, currency, now=begins_and_ends[0], before=begins_and_ends[1])
    longest = max(taken.amount.minor for taken in takings)
    bars = []
    for label, taken, (first, last) in zip(("This month", "Last month"), takings, periods, strict=True):
        asked = {"state": "succeeded", "currency": currency, "settled_since": first, "settled_until": last}
        length = _length(taken.amount.minor, longest)
        bars.append(Bar(label, taken.amount, taken.count, length, _address(merchant, "payments", asked)))
    return bars


def periods_of(today: date) -> list[tuple[date, date]]:
    """Return the first and last day of this month until today, and of the last month until that day, if it has it."""
    first = today.replace(day=1)
    end_of_last = first - timedelta(days=1)
    same_day = end_of_last.replace(day=min(today.day, end_of_last.day))
    return [(first, today), (end_of_last.replace(day=1), same_day)]


def sales_days(today: date) -> tuple[date, date]:
    """Return the first and last day of those whose invoices count as sales."""
    return today - timedelta(days=SALES_DAYS - 1), today


def days_sales_of(merchant_id: UUID, aging: Aging, *, today: date) -> DaysSales:
    """Divide what is owed by what was invoiced lately."""
    first, last = sales_days(today)
    invoiced = invoiced_between(merchant_id, currency=aging.currency, first=first, last=last)
    return DaysSales(invoiced, round(aging.owed.minor * SALES_DAYS / invoiced.minor) if invoiced else None)


@dataclass(frozen=True, slots=True)
class MailsToday:
    """How many mails left today, how many of today's could not, and where they are."""

    sent: int
    failed: int
    sent_address: str
    failed_address: str


def mails_today(merchant: Merchant, *, today: date) -> MailsToday:
    """Count today's mails; `today` is the merchant's."""
    since = start_of(today, merchant.time_zone)
    mails = Mail.objects.filter(merchant=merchant)
    return MailsToday(
        sent=mails.filter(sent_at__gte=since).count(),
        failed=mails.troubled().filter(queued_at__gte=since).count(),
        sent_address=_address(merchant, "mails", {"sent_since": today}),
        failed_address=_address(merchant, "mails", {"state": "troubled", "queued_since": today}),
    )


def day_word(day: date, *, today: date) -> str:
    """Return a coming day as people say it: today, tomorrow, a weekday, else its date."""
    ahead = (day - today).days
    if ahead <= 1:
        return "Today" if ahead <= 0 else "Tomorrow"
    return f"{day:%A}" if ahead < 7 else f"{day:%b} {day.day}"


def _length(amount: int, longest: int) -> int:
    return amount * WIDTH // longest if longest > 0 else 0


def _address(merchant: Merchant, name: str, asked: Mapping[str, Any]) -> str:
    return f"{reverse(f'backoffice:{name}', args=[merchant.slug])}?{urlencode(asked)}"
