"""Finding out what became of payments and refunds whose answer was lost: a time-out, a crash, a killed process."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from payorcrm.core.errors import Unavailable
from payorcrm.gateways.base import Gateway, Outcome, RefundResult
from payorcrm.merchants.queries import CannotTakePayments, gateway_account_of, gateway_of
from payorcrm.payments.asking import is_to_ask
from payorcrm.payments.models import OPEN_REFUND_STATES, Payment, PaymentState, Refund, RefundState
from payorcrm.payments.settle import settle
from payorcrm.payments.settle_refund import FIRST_PAUSE_AT_THE_BANK, settle_refund

# After this long is the processor asked again about what it did not answer.
_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (10, 20, 40, 60, 300, 900, 3600))
# The bank takes days, and the processor tells when it has arrived; asking finds out where that telling was lost.
_PAUSES_AT_THE_BANK = (FIRST_PAUSE_AT_THE_BANK, timedelta(hours=6))
AT_ONCE = 500


class StillUnknown(Unavailable):
    """The processor cannot say yet what became of a payment."""

    code = "still_unknown"
    message = "The processor cannot say yet what became of this payment."


def resolve(*, payment_id: UUID, now: datetime) -> Payment:
    """Ask the processor about a payment and settle it accordingly. Raises StillUnknown."""
    payment = Payment.objects.get(id=payment_id)
    if not payment.is_in_flight():
        return payment
    payment.note_asking(_PAUSES, now)
    result = _line_of(payment).look_up(payment.idempotency_key)
    is_too_early = result.outcome == Outcome.NOT_SENT and now - payment.submitted_at < grace()
    if is_too_early or result.outcome == Outcome.UNKNOWN:
        raise StillUnknown
    return settle(payment=payment, result=result, now=now)


def resolve_refund(*, refund_id: UUID, now: datetime) -> Refund:
    """Ask the processor about a refund and settle it accordingly. Raises StillUnknown."""
    refund = Refund.objects.select_related("payment").get(id=refund_id)
    if not refund.is_open():
        return refund
    if refund.payment.is_offline():  # staff gave the money themselves; only the writing down was cut short
        return settle_refund(refund=refund, result=RefundResult(Outcome.SUCCEEDED), now=now)
    refund.note_asking(_PAUSES_AT_THE_BANK if refund.state == RefundState.PENDING else _PAUSES, now)
    result = _line_of(refund.payment).look_up_refund(refund.idempotency_key)
    if result.outcome == Outcome.UNKNOWN or (result.outcome == Outcome.NOT_SENT and not _is_lost(refund, now)):
        raise StillUnknown
    return settle_refund(refund=refund, result=result, now=now)


def _line_of(payment: Payment) -> Gateway:
    """Return the line to the payment's processor; without one, nothing can be known until it is connected again."""
    try:
        return gateway_of(gateway_account_of(payment.merchant_id, payment.gateway))
    except CannotTakePayments as error:
        raise StillUnknown from error


def _is_lost(refund: Refund, now: datetime) -> bool:
    """Say whether a refund that the processor does not know was never made. One that it had accepted was."""
    return refund.state == RefundState.SUBMITTING and now - refund.submitted_at >= grace()


def unanswered_refunds(*, now: datetime) -> list[UUID]:
    """Return the refunds to ask about: without an answer, or on their way to a bank."""
    late = Refund.objects.filter(is_to_ask(now=now), state__in=OPEN_REFUND_STATES)
    return list(late.order_by("submitted_at").values_list("id", flat=True)[:AT_ONCE])


def unanswered_payments(*, now: datetime) -> list[UUID]:
    """Return the payments to ask about: those without an answer."""
    late = Payment.objects.filter(is_to_ask(now=now), state=PaymentState.SUBMITTING)
    return list(late.order_by("submitted_at").values_list("id", flat=True)[:AT_ONCE])


def grace() -> timedelta:
    """Return how long a request that was sent may still arrive, so that "no such charge" proves nothing yet."""
    return timedelta(seconds=settings.RESOLVE_GRACE_SECONDS)
