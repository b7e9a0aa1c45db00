"""The authorization of a bank debit: what the payer reads, and that they accepted it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from payorcrm.core.clock import day_in
from payorcrm.core.money import Money
from payorcrm.payment_methods.mandate import Acceptance, authorization_text
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payments.models import Confirmation, PaymentRequest
from payorcrm.payments.queries import payable_numbers_of


@dataclass(frozen=True, slots=True)
class Authorization:
    """The text that the payer of a bank debit accepted, and how."""

    text: str
    acceptance: Acceptance


def text_for_confirmation(confirmation: Confirmation, amount: Money, now: datetime) -> str:
    """Return what the payer of a saved account authorizes by confirming."""
    numbers = confirmation.lines.order_by("invoice__due_on", "invoice__number").values_list(
        "invoice__number", flat=True
    )
    return _text(confirmation.request, confirmation.method, amount, list(numbers), now)


def text_for_request(request: PaymentRequest, method: PaymentMethod, amount: Money, now: datetime) -> str:
    """Return what the payer of a request authorizes: of a new account, or of a saved one after signing in."""
    return _text(request, method, amount, payable_numbers_of(request), now)


def _text(request: PaymentRequest, method: PaymentMethod, amount: Money, numbers: Sequence[str], now: datetime) -> str:
    return authorization_text(
        merchant=request.merchant,
        method=method,
        amount=amount,
        invoice_numbers=numbers,
        today=day_in(request.merchant.time_zone, now),
    )
