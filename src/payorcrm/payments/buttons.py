"""The ways to pay a request, in the order of the buttons of a mail: saved methods first, then new ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from payorcrm.core.money import Money
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payments.links import BANK, CARD, payment_link


@dataclass(frozen=True, slots=True)
class Button:
    """One payment button: where it leads and what it says."""

    url: str
    label: str
    is_new: bool


def payment_buttons(
    *, request_id: UUID, amount: Money, methods: Iterable[PaymentMethod], today: date, now: datetime
) -> list[Button]:
    """Return the buttons for a customer's saved methods that have not expired, and for new ones."""
    saved = [
        Button(payment_link(request_id, str(method.id), now), f"Pay {amount} with {method.noun_with_digits()}", False)
        for method in methods
        if not method.has_expired(today=today)
    ]
    return [
        *saved,
        Button(payment_link(request_id, CARD, now), f"Pay {amount} with new card", True),
        Button(payment_link(request_id, BANK, now), f"Pay {amount} with new bank account", True),
    ]
