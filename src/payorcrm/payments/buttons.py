"""The ways to pay a request, in the order of the buttons of a mail: saved methods first, then new ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from payorcrm.core.money import Money
from payorcrm.payment_methods.models import DEBIT_CURRENCY, PaymentMethod
from payorcrm.payments.links import BANK, CARD, payment_link

NEW_METHODS = {CARD: "new card", BANK: "new bank account"}


@dataclass(frozen=True, slots=True)
class Button:
    """One payment button: where it leads and what it says."""

    url: str
    label: str
    is_new: bool


def new_method_choices(currency: str) -> list[str]:
    """Return which new methods can pay in a currency: a card always, a bank account where debits can."""
    return [CARD, BANK] if currency == DEBIT_CURRENCY else [CARD]


def payment_buttons(
    *, request_id: UUID, amount: Money, methods: Iterable[PaymentMethod], now: datetime
) -> list[Button]:
    """Return the buttons for a customer's usable methods, and for new ones."""
    saved = [
        Button(payment_link(request_id, str(method.id), now), f"Pay {amount} with {method.noun_with_digits()}", False)
        for method in methods
    ]
    new = [
        Button(payment_link(request_id, choice, now), f"Pay {amount} with {NEW_METHODS[choice]}", True)
        for choice in new_method_choices(amount.currency)
    ]
    return saved + new
