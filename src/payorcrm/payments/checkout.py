"""Paying a request with a card or bank account that was entered just now."""

from dataclasses import dataclass
from uuid import UUID

from payorcrm.core.money import Money
from payorcrm.payment_methods.mandate import Acceptance
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payments.authorize import Authorization, text_for_request
from payorcrm.payments.collect import collect
from payorcrm.payments.models import Payment, PaymentRequest
from payorcrm.payments.queries import payable_invoices_of
from payorcrm.payments.reserve import NothingLeftToPay, Order, payment_by_key


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

    Raises NothingLeftToPay, AmountChanged.
    """
    request = checkout.request
    amounts = {invoice.id: invoice.payable_money().minor for invoice in payable_invoices_of(request)}
    earlier = payment_of_checkout(checkout)
    if earlier:
        return earlier
    if not amounts:
        raise NothingLeftToPay
    order = Order(
        key=checkout.key(),
        customer_id=request.customer_id,
        merchant_id=request.merchant_id,
        method=method,
        amounts=amounts,
        agreed=checkout.agreed,
        authorization=_authorization(checkout, method, acceptance),
        request_id=request.id,
    )
    return collect(order=order, now=acceptance.at)


def _authorization(checkout: Checkout, method: PaymentMethod, acceptance: Acceptance) -> Authorization | None:
    if method.is_card():
        return None
    return Authorization(text_for_request(checkout.request, method, checkout.agreed, acceptance.at), acceptance)
