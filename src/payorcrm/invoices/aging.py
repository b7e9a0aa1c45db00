"""How much is owed and for how long: by a whole merchant's customers, or by one customer in each currency."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, F, Q, Sum

from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import Merchant


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is owed on the invoices overdue by a number of days between two bounds; the first bucket is not due yet."""

    label: str
    amount: Money
    invoice_count: int


@dataclass(frozen=True, slots=True)
class Aging:
    """A merchant's open invoices in one currency. `overdue` leaves out what is being processed."""

    buckets: list[Bucket]
    owed: Money
    overdue: Money
    processing: Money
    open_count: int
    overdue_count: int
    overdue_customer_count: int


@dataclass(frozen=True, slots=True)
class OtherCurrencies:
    """What is owed and overdue in every currency but the merchant's own; a currency without any is left out."""

    owed: list[Money]
    overdue: list[Money]


@dataclass(frozen=True, slots=True)
class Account:
    """What one customer owes in one currency; `amounts` are those of the buckets, the first is not due yet."""

    currency: str
    amounts: list[Money]
    owed: Money
    processing: Money
    invoice_count: int


# Days overdue, both bounds included; None is without bound.
_BOUNDS: list[tuple[str, int | None, int | None]] = [
    ("Not due yet", None, 0),
    ("1–30 days", 1, 30),
    ("31–60 days", 31, 60),
    ("61–90 days", 61, 90),
    ("Over 90 days", 91, None),
]


def aging_of(merchant: Merchant, *, today: date, currency: str = "") -> Aging:
    """Add up a merchant's open invoices by how long they are overdue; `today` is the merchant's."""
    currency = currency or merchant.currency
    sums = Invoice.objects.open().filter(merchant=merchant, currency=currency).aggregate(**_sums(today))
    buckets = [
        Bucket(label, Money(sums[f"amount_{place}"] or 0, currency), sums[f"count_{place}"])
        for place, (label, _, _) in enumerate(_BOUNDS)
    ]
    owed = sum(bucket.amount.minor for bucket in buckets)
    return Aging(
        buckets=buckets,
        owed=Money(owed, currency),
        overdue=Money(sums["overdue"] or 0, currency),
        processing=Money(sums["processing"] or 0, currency),
        open_count=sum(bucket.invoice_count for bucket in buckets),
        overdue_count=sums["overdue_count"],
        overdue_customer_count=sums["overdue_customers"],
    )


def other_currencies_of(merchant: Merchant, *, today: date) -> OtherCurrencies:
    """Add up a merchant's open invoices in other currencies than its own, by currency."""
    invoices = Invoice.objects.open().filter(merchant=merchant).exclude(currency=merchant.currency)
    overdue = Sum(F("balance") - F("in_flight"), filter=_overdue(today))
    rows = list(invoices.values_list("currency").annotate(Sum("balance"), overdue=overdue).order_by("currency"))
    return OtherCurrencies(
        owed=[Money(owed, currency) for currency, owed, _ in rows],
        overdue=[Money(overdue, currency) for currency, _, overdue in rows if overdue],
    )


def accounts_of(customer: Customer, *, today: date) -> list[Account]:
    """Add up a customer's open invoices in one query, by currency; `today` is the merchant's."""
    in_buckets = {
        f"amount_{place}": Sum("balance", filter=_due_between(today, at_least, at_most))
        for place, (_, at_least, at_most) in enumerate(_BOUNDS)
    }
    invoices = Invoice.objects.open().filter(customer=customer)
    sums = invoices.values("currency").annotate(
        owed=Sum("balance"), processing=Sum("in_flight"), invoice_count=Count("id"), **in_buckets
    )
    return [
        Account(
            currency=each["currency"],
            amounts=[Money(each[name] or 0, each["currency"]) for name in in_buckets],
            owed=Money(each["owed"], each["currency"]),
            processing=Money(each["processing"], each["currency"]),
            invoice_count=each["invoice_count"],
        )
        for each in sums.order_by("currency")
    ]


def _overdue(today: date) -> Q:
    return Q(due_on__lt=today, in_flight__lt=F("balance"))


def _sums(today: date) -> dict[str, Sum | Count]:
    overdue = _overdue(today)
    sums: dict[str, Sum | Count] = {
        "processing": Sum("in_flight"),
        "overdue": Sum(F("balance") - F("in_flight"), filter=overdue),
        "overdue_count": Count("id", filter=overdue),
        "overdue_customers": Count("customer", filter=overdue, distinct=True),
    }
    for place, (_, at_least, at_most) in enumerate(_BOUNDS):
        inside = _due_between(today, at_least, at_most)
        sums[f"amount_{place}"] = Sum("balance", filter=inside)
        sums[f"count_{place}"] = Count("id", filter=inside)
    return sums


def _due_between(today: date, at_least: int | None, at_most: int | None) -> Q:
    condition = Q()
    if at_least is not None:
        condition &= Q(due_on__lte=today - timedelta(days=at_least))
    if at_most is not None:
        condition &= Q(due_on__gte=today - timedelta(days=at_most))
    return condition
