"""The ways to pay a request, in the order of the buttons of a mail: saved methods first, then new ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from payorcrm.core.money import Money
from payorcrm.payment_methods.models import DEBIT_CURRENCY, PaymentMethod
from payorcrm.payments.links import BANK, CARD, payment_link, payment_token
from payorcrm.payments.models import PaymentRequest

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


@dataclass(frozen=True, slots=True)
class Way:
    """One way to pay a request: a saved method, or a new one of a kind."""

    choice: str
    method: PaymentMethod | None
    token: str


def ways_to_pay(request: PaymentRequest, *, today: date, made_at: datetime, without: str = "") -> list[Way]:
    """Return every way to pay a request but one, with links that are as old as the one that led here.

    A link that anyone may have forwarded cannot renew itself this way; a fresh one goes to the address on file.
    """
    usable = PaymentMethod.objects.filter(customer=request.customer).usable(currency=request.currency, today=today)
    ways: list[tuple[str, PaymentMethod | None]] = [(str(method.id), method) for method in usable]
    ways += [(choice, None) for choice in new_method_choices(request.currency)]
    return [
        Way(choice, method, payment_token(request.id, choice, made_at)) for choice, method in ways if choice != without
    ]


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
