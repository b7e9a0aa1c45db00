"""Collecting: reserve, call the processor, settle. The only place that charges."""

from datetime import datetime

from payorcrm.gateways.base import ChargeRequest, MethodKind
from payorcrm.merchants.queries import gateway_account_of, gateway_of
from payorcrm.payment_methods.mandate import entry_class_of
from payorcrm.payments.links import page_of_payment
from payorcrm.payments.models import Payment
from payorcrm.payments.reserve import Order, reserve
from payorcrm.payments.settle import settle


def collect(*, order: Order, now: datetime) -> Payment:
    """Charge an order once and record what happened.

    A second call with the same key returns the first payment as it is. Raises NothingLeftToPay, AmountChanged,
    MethodNotUsable, CannotTakePayments.
    """
    reservation = reserve(order=order, now=now)
    if not reservation.is_new:
        return reservation.payment
    # Read once the payment is there, which keeps the account connected: keys from before might be another account's.
    line = gateway_of(gateway_account_of(order.merchant.id, order.method.gateway))
    result = line.charge(charge_request(reservation.payment, now))
    return settle(payment=reservation.payment, result=result, now=now)


def charge_request(payment: Payment, now: datetime) -> ChargeRequest:
    """Return what the processor is asked for."""
    assert payment.method is not None
    return ChargeRequest(
        idempotency_key=payment.idempotency_key,
        amount=payment.amount_money(),
        kind=MethodKind(payment.method.kind),
        method_token=payment.method.token,
        description=payment.reference,
        return_url=page_of_payment(payment, now),
        entry_class=entry_class_of(payment.method),
    )
