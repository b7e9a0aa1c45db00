"""The ways to pay a request, in the order of the buttons of a mail: saved methods first, then new ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payorcrm.core.money import Money
from payorcrm.gateways.base import MethodKind
from payorcrm.payment_methods.models import DEBIT_CURRENCY, PaymentMethod, Verification
from payorcrm.payments.links import BANK, CARD, payment_link, payment_token
from payorcrm.payments.models import PaymentRequest

_WITH_NEW = {
    CARD: gettext_lazy("Pay %(amount)s with new card"),
    BANK: gettext_lazy("Pay %(amount)s with new bank account"),
}
_WITH_SAVED = {
    MethodKind.CARD: gettext_lazy("Pay %(amount)s with card %(digits)s"),
    MethodKind.BANK_ACCOUNT: gettext_lazy("Pay %(amount)s with bank account %(digits)s"),
}


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
    """One way to pay a request: a saved method, or a new one of a kind; where its page is, or why it cannot pay."""

    choice: str
    method: PaymentMethod | None
    url: str
    why_not: str = ""


def ways_to_pay(request: PaymentRequest, *, today: date, made_at: datetime, without: str = "") -> list[Way]:
    """Return every way to pay a request but one, with links that are as old as the one that led here.

    A link that anyone may have forwarded cannot renew itself this way; a fresh one goes to the address on file.
    """
    return [
        Way(choice, method, f"/pay/{payment_token(request.id, choice, made_at)}/")
        for choice, method in _ways(request, _usable(request, today))
        if choice != without
    ]


def ways_in_portal(request: PaymentRequest, *, today: date) -> list[Way]:
    """Return the ways that a signed-in user has to pay a request: saved methods, then new ones."""
    ways = _ways(request, _usable(request, today))
    return [Way(choice, method, f"/portal/pay/{request.id}/?with={choice}") for choice, method in ways]


def ways_not_open(request: PaymentRequest, ways: list[Way], *, today: date) -> list[Way]:
    """Return the saved methods that are not among the ways, with the reason."""
    offered = [way.method.id for way in ways if way.method]
    others = PaymentMethod.objects.saved().filter(customer=request.customer_id).exclude(id__in=offered)
    if request.currency != DEBIT_CURRENCY:
        others = others.filter(kind=MethodKind.CARD.value)
    return [Way(str(method.id), method, "", _why_not(method, today)) for method in others.order_by("id")]


def _usable(request: PaymentRequest, today: date) -> list[PaymentMethod]:
    methods = PaymentMethod.objects.filter(customer=request.customer_id)
    return list(methods.usable(currency=request.currency, today=today))


def _ways(request: PaymentRequest, usable: list[PaymentMethod]) -> list[tuple[str, PaymentMethod | None]]:
    saved: list[tuple[str, PaymentMethod | None]] = [(str(method.id), method) for method in usable]
    return saved + [(choice, None) for choice in new_method_choices(request.currency)]


def _why_not(method: PaymentMethod, today: date) -> str:
    if method.has_expired(today=today):
        return _("This card has expired.")
    if method.verification == Verification.PENDING:
        return _("This account is being verified.")
    return _("This account could not be verified.")


def payment_buttons(
    *, request_id: UUID, amount: Money, methods: Iterable[PaymentMethod], now: datetime
) -> list[Button]:
    """Return the buttons for a customer's usable methods, and for new ones."""
    saved = [
        Button(
            payment_link(request_id, str(method.id), now), label_of_saved(str(amount), method.kind, method.last4), False
        )
        for method in methods
    ]
    new = [
        Button(payment_link(request_id, choice, now), label_of_new(str(amount), choice), True)
        for choice in new_method_choices(amount.currency)
    ]
    return saved + new


def label_of_saved(amount: str, kind: str, last4: str) -> str:
    """Return what the button of a saved method says."""
    return str(_WITH_SAVED[MethodKind(kind)]) % {"amount": amount, "digits": f"••••\N{NO-BREAK SPACE}{last4}"}


def label_of_new(amount: str, choice: str) -> str:
    """Return what the button of a new method says."""
    return str(_WITH_NEW[choice]) % {"amount": amount}
