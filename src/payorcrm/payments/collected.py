"""What came in between two moments, and what came back, in one currency."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, F, Q, Sum

from payorcrm.core.money import Money
from payorcrm.payments.models import Payment, PaymentState


@dataclass(frozen=True, slots=True)
class Taken:
    """An amount, and of how many payments."""

    amount: Money
    count: int


def takings_of(
    merchant_id: UUID, currency: str, *, now: tuple[datetime, datetime], before: tuple[datetime, datetime]
) -> tuple[Taken, Taken]:
    """Add up what settled in each of two periods, still stands and was not given back; ends are left out."""
    taken = Payment.objects.filter(merchant=merchant_id, currency=currency, state=PaymentState.SUCCEEDED)
    sums = taken.filter(settled_at__gte=before[0], settled_at__lt=now[1]).aggregate(
        **_sum_of("now", Q(settled_at__gte=now[0], settled_at__lt=now[1])),
        **_sum_of("before", Q(settled_at__gte=before[0], settled_at__lt=before[1])),
    )
    return _taken("now", sums, currency), _taken("before", sums, currency)


def returned_since(merchant_id: UUID, currency: str, *, since: datetime) -> Taken:
    """Add up the payments that were returned since a moment."""
    returned = Payment.objects.filter(merchant=merchant_id, currency=currency, state=PaymentState.RETURNED)
    return _taken("all", returned.filter(returned_at__gte=since).aggregate(**_sum_of("all", Q())), currency)


def _sum_of(name: str, which: Q) -> dict[str, Sum | Count]:
    condition = which or None
    return {
        f"{name}_minor": Sum(F("amount") - F("refunded"), filter=condition),
        f"{name}_count": Count("id", filter=condition),
    }


def _taken(name: str, sums: dict[str, int | None], currency: str) -> Taken:
    return Taken(Money(sums[f"{name}_minor"] or 0, currency), sums[f"{name}_count"] or 0)
