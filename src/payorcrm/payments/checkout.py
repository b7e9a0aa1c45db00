"""Paying a request with a card or bank account that was entered just now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from payorcrm.core.errors import Refused
from payorcrm.core.money import Money
from payorcrm.payment_methods.mandate import Acceptance
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payments.authorize import Authorization, text_for_request
from payorcrm.payments.collect import collect
from payorcrm.payments.models import Payment, PaymentRequest, PaymentState
from payorcrm.payments.queries import payable_invoices_of
from payorcrm.payments.reserve import NothingLeftToPay, Order, payment_by_key

MOST_DECLINES_AN_HOUR = 10


class TooManyDeclines(Refused):
    """A customer's page has had many cards declined lately; somebody may be trying stolen ones out."""

    code = "too_many_declines"
    status: ClassVar[int] = 429
    message = "Nothing was charged. Too many payments were declined here within an hour. Please try again later."


@dataclass(frozen=True, slots=True)
class Checkout:
    """One filled-in payment page. Its id was made when the page was shown, so pressing twice is one checkout."""

    id: UUID
    request: PaymentRequest
    agreed: Money

    def key(self) -> str:
        return f"checkout:{self.id}"


def payment_of_checkout(checkout: Checkout) -> Payment | None:
    """Return the payment that a checkout of this request has led to, if any."""
    payment = payment_by_key(checkout.key())
    return payment if payment and payment.request_id == checkout.request.id else None


def pay_checkout(*, checkout: Checkout, method: PaymentMethod, acceptance: Acceptance) -> Payment:
    """Pay what is payable of the request with a method of its customer, once.

    Raises NothingLeftToPay, AmountChanged, TooManyDeclines.
    """
    request = checkout.request
    amounts = {invoice.id: invoice.payable_money().minor for invoice in payable_invoices_of(request)}
    earlier = payment_of_checkout(checkout)
    if earlier:
        return earlier
    if not amounts:
        raise NothingLeftToPay
    _refuse_card_testing(request, acceptance.at)
    order = Order(
        key=checkout.key(),
        customer_id=request.customer_id,
        merchant=request.merchant,
        method=method,
        amounts=amounts,
        agreed=checkout.agreed,
        authorization=_authorization(checkout, method, acceptance),
        request_id=request.id,
    )
    return collect(order=order, now=acceptance.at)


def _refuse_card_testing(request: PaymentRequest, now: datetime) -> None:
    lately = Payment.objects.filter(customer=request.customer, submitted_at__gt=now - timedelta(hours=1))
    if lately.filter(state=PaymentState.DECLINED).count() >= MOST_DECLINES_AN_HOUR:
        raise TooManyDeclines


def _authorization(checkout: Checkout, method: PaymentMethod, acceptance: Acceptance) -> Authorization | None:
    if method.is_card():
        return None
    return Authorization(text_for_request(checkout.request, method, checkout.agreed, acceptance.at), acceptance)
