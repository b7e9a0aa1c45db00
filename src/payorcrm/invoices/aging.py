"""How much is owed and for how long: by a whole merchant's customers, or by one customer in each currency."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, Sum

from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is owed on the invoices overdue by a number of days between two bounds; the first bucket is not due yet."""

    label: str
    amount: Money
    invoice_count: int


@dataclass(frozen=True, slots=True)
class Aging:
    """A merchant's open invoices in one currency. `overdue` leaves out what is being processed."""

    currency: str
    buckets: list[Bucket]
    owed: Money
    overdue: Money
    processing: Money
    open_count: int
    overdue_count: int


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
    ("Current", None, 0),
    ("1–30 days", 1, 30),
    ("31–60 days", 31, 60),
    ("61–90 days", 61, 90),
    ("Over 90 days", 91, None),
]
BUCKET_LABELS = [label for label, _, _ in _BOUNDS]


def agings_of(merchant_id: UUID, *, today: date) -> list[Aging]:
    """Return what a merchant is owed in each currency with an open invoice; `today` is the merchant's.

    Reads sums by due date, which every change of invoices adds to in its own transaction, and no invoice.
    """
    bounds = [today - timedelta(days=at_most) for _, _, at_most in _BOUNDS if at_most is not None]
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, {"merchant": merchant_id, "today": today, "bounds": bounds[::-1]})
        rows = cursor.fetchall()
    currencies = sorted({row[0] for row in rows})
    found = [_aging(currency, {row[1]: row[2:] for row in rows if row[0] == currency}) for currency in currencies]
    return [aging for aging in found if aging.open_count]


def no_aging(currency: str) -> Aging:
    """Return what it looks like when nothing is owed in a currency."""
    return _aging(currency, {})


def bounds_of(place: int, *, today: date) -> tuple[date | None, date | None]:
    """Return the first and the last due date of a bucket, where it has them."""
    _, at_least, at_most = _BOUNDS[place]
    first = today - timedelta(days=at_most) if at_most is not None else None
    return first, today - timedelta(days=at_least) if at_least is not None else None


def invoiced_between(merchant_id: UUID, *, currency: str, first: date, last: date) -> Money:
    """Return the total of the invoices issued on the days from `first` to `last`; neither drafts nor void ones."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(amount), 0) FROM invoices_day "
            "WHERE merchant_id = %s AND kind = 'issued' AND currency = %s AND day BETWEEN %s AND %s",
            [merchant_id, currency, first, last],
        )
        return Money(int(cursor.fetchone()[0]), currency)


def fold_days() -> None:
    """Make one row of what many changes added to one day, so that reading stays quick.

    A row is only ever deleted together with the writing of a sum that contains it, whoever else folds meanwhile.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FOLD)


def _aging(currency: str, sums: dict[int, tuple[int, ...]]) -> Aging:
    # PostgreSQL's buckets run from the oldest to the newest.
    ordered = [sums.get(place, (0, 0, 0, 0)) for place in reversed(range(len(_BOUNDS)))]
    return Aging(
        currency=currency,
        buckets=[
            Bucket(label, Money(int(amount), currency), int(count))
            for (label, _, _), (amount, _, count, _) in zip(_BOUNDS, ordered, strict=True)
        ],
        owed=Money(int(sum(each[0] for each in ordered)), currency),
        overdue=Money(int(sum(each[0] - each[1] for each in ordered[1:])), currency),
        processing=Money(int(sum(each[1] for each in ordered)), currency),
        open_count=int(sum(each[2] for each in ordered)),
        overdue_count=int(sum(each[3] for each in ordered[1:])),
    )


_SUMS = """
SELECT currency, width_bucket(day, %(bounds)s::date[]), sum(amount), sum(in_flight), sum(open_count), sum(payable_count)
  FROM invoices_day WHERE merchant_id = %(merchant)s AND kind = 'due' GROUP BY 1, 2
"""
_FOLD = """
WITH gone AS (
  DELETE FROM invoices_day WHERE (merchant_id, kind, currency, day) IN (
    SELECT merchant_id, kind, currency, day FROM invoices_day GROUP BY 1, 2, 3, 4 HAVING count(*) > 1
  ) RETURNING *
)
INSERT INTO invoices_day (merchant_id, kind, currency, day, amount, in_flight, open_count, payable_count)
SELECT merchant_id, kind, currency, day, sum(amount), sum(in_flight), sum(open_count), sum(payable_count)
  FROM gone GROUP BY 1, 2, 3, 4
HAVING sum(amount) <> 0 OR sum(in_flight) <> 0 OR sum(open_count) <> 0 OR sum(payable_count) <> 0
"""


def accounts_of(customer: Customer, *, today: date) -> list[Account]:
    """Add up a customer's open invoices in one query, by currency; `today` is the merchant's."""
    return accounts_of_all([customer.id], today=today)[customer.id]


def accounts_of_all(customer_ids: Collection[UUID], *, today: date) -> dict[UUID, list[Account]]:
    """Do what `accounts_of` does for many customers, in one query, too."""
    in_buckets = {
        f"amount_{place}": Sum("balance", filter=_due_between(today, at_least, at_most))
        for place, (_, at_least, at_most) in enumerate(_BOUNDS)
    }
    sums = (
        Invoice.objects.open()
        .filter(customer__in=customer_ids)
        .values("customer_id", "currency")
        .annotate(owed=Sum("balance"), processing=Sum("in_flight"), invoice_count=Count("id"), **in_buckets)
    )
    accounts: dict[UUID, list[Account]] = {customer_id: [] for customer_id in customer_ids}
    for each in sums.order_by("currency"):
        account = Account(
            currency=each["currency"],
            amounts=[Money(each[name] or 0, each["currency"]) for name in in_buckets],
            owed=Money(each["owed"], each["currency"]),
            processing=Money(each["processing"], each["currency"]),
            invoice_count=each["invoice_count"],
        )
        accounts[each["customer_id"]].append(account)
    return accounts


def _due_between(today: date, at_least: int | None, at_most: int | None) -> Q:
    condition = Q()
    if at_least is not None:
        condition &= Q(due_on__lte=today - timedelta(days=at_least))
    if at_most is not None:
        condition &= Q(due_on__gte=today - timedelta(days=at_most))
    return condition
