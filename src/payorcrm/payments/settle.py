"""Phase three of collecting: one transaction that writes down what the processor said and all that follows from it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from payorcrm.gateways.base import ChargeResult, Outcome
from payorcrm.payment_methods.save import keep_if_agreed
from payorcrm.payments import mails
from payorcrm.payments.allocate import allocate, release, reserve_again
from payorcrm.payments.models import Payment, PaymentEvent, PaymentState
from payorcrm.payments.take_return import take_return

_SETTLED_FIELDS = (
    "state",
    "gateway_reference",
    "settled_at",
    "expected_on",
    "returned_at",
    "return_code",
    "decline_code",
    "decline_message",
    "action_url",
    "refunded",
)


def settle(*, payment: Payment, result: ChargeResult, now: datetime) -> Payment:
    """Record what became of a payment. What comes too late or twice, or says nothing new, changes nothing."""
    with transaction.atomic():
        _lock(payment)
        _remember_reference(payment, result)
        step = _STEPS[result.outcome]
        if step.state is None or payment.can_become(step.state):
            step.take(payment, result, now)
        payment.save(update_fields=_SETTLED_FIELDS)
    return payment


def _lock(payment: Payment) -> None:
    """Lock the payment's row, and read again what another process may have settled meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, gateway_reference, settled_at, expected_on, returned_at, return_code, decline_code, "
            "decline_message, action_url, refunded FROM payments_payment WHERE id = %s FOR UPDATE",
            [payment.id],
        )
        for name, value in zip(_SETTLED_FIELDS, cursor.fetchone(), strict=True):
            setattr(payment, name, value)


def record(payment: Payment, state: PaymentState, *, now: datetime, note: str = "") -> None:
    """Move a payment to a state and write the line of its time line; `settle` saves the payment."""
    payment.state = state
    PaymentEvent.objects.create(merchant_id=payment.merchant_id, payment=payment, state=state, at=now, note=note[:300])


def _remember_reference(payment: Payment, result: ChargeResult) -> None:
    if result.reference and not payment.gateway_reference:
        payment.gateway_reference = result.reference


def _succeed(payment: Payment, result: ChargeResult, now: datetime) -> None:
    if payment.state == PaymentState.FAILED:
        reserve_again(payment=payment)
    payment.settled_at, payment.action_url = now, ""
    record(payment, PaymentState.SUCCEEDED, now=now, note="Paid")
    allocate(payment=payment, now=now)
    _keep_method(payment, now)
    mails.queue_receipt(payment, now=now)


def _wait(payment: Payment, result: ChargeResult, now: datetime) -> None:
    if payment.state == PaymentState.FAILED:
        reserve_again(payment=payment)
    payment.expected_on, payment.action_url = result.expected_on, ""
    record(payment, PaymentState.PENDING, now=now, note="Accepted by the bank, not cleared yet")
    _keep_method(payment, now)
    mails.queue_submitted(payment, now=now)


def _keep_method(payment: Payment, now: datetime) -> None:
    if payment.method is not None:
        keep_if_agreed(payment.method, now=now)


def _decline(payment: Payment, result: ChargeResult, now: datetime) -> None:
    payment.decline_code = str(result.decline_code or "declined")
    payment.decline_message = result.decline_message[:300]
    payment.settled_at, payment.action_url = now, ""
    record(payment, PaymentState.DECLINED, now=now, note=result.decline_message)
    release(payment=payment)
    _tell_if_nobody_waits(payment, now)


def _fail(payment: Payment, result: ChargeResult, now: datetime) -> None:
    payment.settled_at, payment.action_url = now, ""
    record(payment, PaymentState.FAILED, now=now, note="The processor never received it; nothing was charged")
    release(payment=payment)
    _tell_if_nobody_waits(payment, now)


def _ask_for_action(payment: Payment, result: ChargeResult, now: datetime) -> None:
    if payment.state == PaymentState.SUBMITTING and payment.action_url != result.action_url:
        payment.action_url = result.action_url
        record(payment, PaymentState.SUBMITTING, now=now, note="The bank asks the payer for one more step")


def _come_back(payment: Payment, result: ChargeResult, now: datetime) -> None:
    take_return(payment=payment, return_code=result.return_code or "R00", now=now)
    record(payment, PaymentState.RETURNED, now=now, note=f"Sent back by the bank: {payment.return_code}")


def _cancel(payment: Payment, result: ChargeResult, now: datetime) -> None:
    payment.settled_at, payment.action_url = now, ""
    record(payment, PaymentState.CANCELED, now=now, note="Canceled before the bank had it; nothing was taken")
    release(payment=payment)
    mails.queue_canceled(payment, now=now)


def _stay(payment: Payment, result: ChargeResult, now: datetime) -> None:
    """Silence changes nothing; `resolve` asks again."""


def _tell_if_nobody_waits(payment: Payment, now: datetime) -> None:
    # Within the time-out the payer's page shows the answer; what is found out later has to be mailed.
    if (now - payment.submitted_at).total_seconds() > settings.GATEWAY_TIMEOUT_SECONDS:
        mails.queue_not_made(payment, now=now)


@dataclass(frozen=True, slots=True)
class _Step:
    state: PaymentState | None
    take: Callable[[Payment, ChargeResult, datetime], None]


_STEPS = {
    Outcome.SUCCEEDED: _Step(PaymentState.SUCCEEDED, _succeed),
    Outcome.PENDING: _Step(PaymentState.PENDING, _wait),
    Outcome.ACTION_NEEDED: _Step(None, _ask_for_action),
    Outcome.DECLINED: _Step(PaymentState.DECLINED, _decline),
    Outcome.RETURNED: _Step(PaymentState.RETURNED, _come_back),
    Outcome.CANCELED: _Step(PaymentState.CANCELED, _cancel),
    Outcome.NOT_SENT: _Step(PaymentState.FAILED, _fail),
    Outcome.UNKNOWN: _Step(None, _stay),
}
