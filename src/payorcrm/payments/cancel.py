"""Calling off a debit that has not cleared: there is nothing to refund yet, but the bank may not have it yet either."""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.core.jobs import enqueue_named
from payorcrm.core.models import User
from payorcrm.gateways.base import ChargeResult, Outcome
from payorcrm.gateways.registry import gateway_class
from payorcrm.merchants.queries import gateway_account_of, gateway_of
from payorcrm.payments.models import Payment, PaymentEvent, PaymentState
from payorcrm.payments.settle import settle
from payorcrm.payments.write_down import write_down


class CannotCancel(Refused):
    """The payment is not waiting to clear, or its processor cannot call it off."""

    code: ClassVar[str] = "cannot_cancel"
    message = "Only a bank payment that has not cleared yet can be canceled."


class TooLateToCancel(Refused):
    """The bank has the debit already."""

    code: ClassVar[str] = "too_late_to_cancel"
    message = (
        "Nothing was changed: the bank has this payment already, so it cannot be canceled any more. "
        "It can be refunded once it has cleared."
    )


class CancelUnknown(Refused):
    """No answer came; the processor may have called the payment off, or not."""

    code: ClassVar[str] = "cancel_unknown"
    message = "The processor did not answer, so nobody knows yet whether the payment is canceled. We ask until we know."


def cancel(
    *, payment: Payment, reason: str, by: User | None, also: Callable[[], None] | None = None, now: datetime
) -> Payment:
    """Ask the processor to call a debit off and record what it says.

    `also` is called in the transaction that writes down who asks.

    Raises CannotCancel, TooLateToCancel, CancelUnknown.
    """
    if not can_cancel(payment):
        raise CannotCancel
    _note(payment, f"{by or 'Staff'} asked to cancel it: {reason}", now, also)
    line = gateway_of(gateway_account_of(payment.merchant_id, payment.gateway))
    result = line.cancel(payment.idempotency_key)
    if result.outcome in (Outcome.UNKNOWN, Outcome.NOT_SENT):
        enqueue_named("payorcrm.payments.jobs.resolve_payment", payment_id=str(payment.id))
        raise CancelUnknown
    payment = _settle_and_write_down(payment, result, by, now)
    if payment.state != PaymentState.CANCELED:
        raise TooLateToCancel
    return payment


def _settle_and_write_down(payment: Payment, result: ChargeResult, by: User | None, now: datetime) -> Payment:
    with transaction.atomic():
        before = payment.get_state_display()
        settled = settle(payment=payment, result=result, now=now)
        if settled.state == PaymentState.CANCELED:
            changes = [("State", before, settled.get_state_display())]
            write_down(settled, says="Canceled a payment", by=by, changes=changes, now=now)
    return settled


def can_cancel(payment: Payment) -> bool:
    """Say whether it makes sense to ask for it."""
    return payment.state == PaymentState.PENDING and gateway_class(payment.gateway).supports_cancel


def _note(payment: Payment, note: str, now: datetime, also: Callable[[], None] | None) -> None:
    with transaction.atomic(durable=True):
        PaymentEvent.objects.create(
            merchant_id=payment.merchant_id, payment=payment, state=payment.state, at=now, note=note[:300]
        )
        if also:
            also()
