"""Saved cards and bank accounts as the portal lists them."""

from dataclasses import dataclass
from datetime import date

from payorcrm.customers.models import Customer
from payorcrm.payment_methods.models import PaymentMethod, Verification


@dataclass(frozen=True, slots=True)
class MethodRow:
    """A saved method, and what is to be said of it today."""

    method: PaymentMethod
    today: date

    @property
    def expiry_state(self) -> str:
        """Return `expired`, `this_month` or `next_month` for a card of which that is true, else nothing."""
        last = self.method.last_day()
        if last is None:
            return ""
        if last < self.today:
            return "expired"
        months = (last.year - self.today.year) * 12 + last.month - self.today.month
        return {0: "this_month", 1: "next_month"}.get(months, "")

    @property
    def is_waiting(self) -> bool:
        """Say whether the amounts of its deposits are asked for."""
        return self.method.verification == Verification.PENDING

    @property
    def has_failed(self) -> bool:
        """Say whether its verification ended for good."""
        return self.method.verification == Verification.FAILED

    @property
    def can_become_default(self) -> bool:
        """Say whether it could be offered first, and is not yet."""
        return not self.method.is_default and self.method.can_pay(today=self.today)


def method_rows(customer: Customer, *, today: date) -> list[MethodRow]:
    """Return every saved method in the order in which it is offered; those that cannot pay stand among them."""
    saved = PaymentMethod.objects.saved().filter(customer=customer)
    return [MethodRow(method, today) for method in saved.in_order()]
