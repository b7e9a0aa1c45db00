"""What each of some customers owes, for lists and files, in one query."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db.models import F, Max, Min, Q, Sum

from payorcrm.core.money import Money
from payorcrm.invoices.models import Invoice, InvoiceStatus


@dataclass(frozen=True, slots=True)
class Debt:
    """What a customer owes, one amount a currency, since when at the earliest, and when the last reminder went out."""

    owed: list[Money] = field(default_factory=list)
    overdue: list[Money] = field(default_factory=list)
    processing: list[Money] = field(default_factory=list)
    oldest: list[date] = field(default_factory=list)
    reminded: list[datetime] = field(default_factory=list)

    @property
    def oldest_due_on(self) -> date | None:
        """The earliest due date of an open invoice."""
        return min(self.oldest, default=None)

    @property
    def last_reminded_at(self) -> datetime | None:
        """When the customer was last reminded of any invoice."""
        return max(self.reminded, default=None)

    def in_currency(self, name: str, currency: str) -> Money:
        """Return one kind of sum in one currency."""
        return next((each for each in getattr(self, name) if each.currency == currency), Money.zero(currency))


def debts_of(customer_ids: Sequence[UUID], *, today: date) -> dict[UUID, Debt]:
    """Add up what each of the customers owes; `today` is the merchant's."""
    debts = {customer_id: Debt() for customer_id in customer_ids}
    is_open = Q(status=InvoiceStatus.OPEN)
    sums = (
        Invoice.objects.filter(customer__in=customer_ids)
        .values("customer_id", "currency")
        .annotate(
            owed=Sum("balance", filter=is_open),
            overdue=Sum(F("balance") - F("in_flight"), filter=is_open & Q(due_on__lt=today)),
            processing=Sum("in_flight", filter=is_open),
            oldest=Min("due_on", filter=is_open),
            reminded=Max("last_reminded_at"),
        )
        .order_by("currency")
    )
    for row in sums:
        debt = debts[row["customer_id"]]
        for name in ("owed", "overdue", "processing"):
            if row[name]:
                getattr(debt, name).append(Money(row[name], row["currency"]))
        for name in ("oldest", "reminded"):
            if row[name]:
                getattr(debt, name).append(row[name])
    return debts
