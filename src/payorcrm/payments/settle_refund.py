"""Phase three of refunding: one transaction that writes down what the processor said and all that follows from it."""

from datetime import datetime, timedelta

from django.db import transaction

from payorcrm.gateways.base import Outcome, RefundResult
from payorcrm.payments import refund_mails
from payorcrm.payments.change_allocations import lock_payment
from payorcrm.payments.give_back import give_back
from payorcrm.payments.models import Payment, PaymentState, Refund, RefundState
from payorcrm.payments.settle import record
from payorcrm.payments.write_down import changes_of_sums, sums_of, write_down

_SETTLED_FIELDS = ["state", "gateway_reference", "message", "settled_at", "asked_count", "ask_after"]
# Until then the processor's own word is waited for.
FIRST_PAUSE_AT_THE_BANK = timedelta(hours=1)
_SAYS = {
    RefundState.PENDING: "A refund is on its way",
    RefundState.SUCCEEDED: "A refund was made",
    RefundState.DECLINED: "A refund was not made",
    RefundState.FAILED: "A refund was not made",
}


def settle_refund(*, refund: Refund, result: RefundResult, now: datetime) -> Refund:
    """Record what became of a refund. What comes too late or twice, or says nothing new, changes nothing."""
    with transaction.atomic():
        payment = lock_payment(refund.payment_id)
        refund = Refund.objects.select_for_update().get(id=refund.id)
        refund.gateway_reference = refund.gateway_reference or result.reference
        state = _state_after(refund, result.outcome)
        if state and refund.can_become(state):
            _move_and_write_down(payment, refund, state, result, now)
        refund.save(update_fields=_SETTLED_FIELDS)
    return refund


def _state_after(refund: Refund, outcome: Outcome) -> RefundState | None:
    if outcome == Outcome.DECLINED:
        return RefundState.DECLINED if refund.state == RefundState.SUBMITTING else RefundState.FAILED
    return {
        Outcome.SUCCEEDED: RefundState.SUCCEEDED,
        Outcome.PENDING: RefundState.PENDING,
        Outcome.NOT_SENT: RefundState.FAILED,
    }.get(outcome)


def _move_and_write_down(
    payment: Payment, refund: Refund, state: RefundState, result: RefundResult, now: datetime
) -> None:
    state_before, sums_before = refund.get_state_display(), sums_of(payment.customer, payment)
    given_before = {"Given back": payment.refunded_money()}
    _move(payment, refund, state, result, now)
    changes = [
        (f"Refund {refund.reference}", state_before, refund.get_state_display()),
        *changes_of_sums(given_before, {"Given back": payment.refunded_money()}),
        *changes_of_sums(sums_before, sums_of(payment.customer, payment)),
    ]
    write_down(payment, says=_SAYS[state], by=refund.made_by, changes=changes, now=now)


def _move(payment: Payment, refund: Refund, state: RefundState, result: RefundResult, now: datetime) -> None:
    was, refund.state = refund.state, state
    if state == RefundState.PENDING:
        refund.asked_count, refund.ask_after = 0, now + FIRST_PAUSE_AT_THE_BANK
        refund_mails.queue_refund(refund, now=now)
        return
    refund.settled_at, refund.message = now, result.message[:300]
    payment.refunding -= refund.amount
    if state == RefundState.SUCCEEDED:
        _give_back(payment, refund, now)
        if was != RefundState.PENDING:
            refund_mails.queue_refund(refund, now=now)
    else:
        refund_mails.queue_not_made(refund, was_promised=was == RefundState.PENDING, now=now)
    payment.save(update_fields=["refunding", "refunded", "state"])


def _give_back(payment: Payment, refund: Refund, now: datetime) -> None:
    give_back(payment=payment, refund=refund, now=now)
    payment.refunded += refund.amount
    if payment.refunded == payment.amount and payment.can_become(PaymentState.REFUNDED):
        record(payment, PaymentState.REFUNDED, now=now, note="All of it was given back")
