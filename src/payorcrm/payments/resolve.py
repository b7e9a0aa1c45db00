"""Finding out what became of payments and refunds whose answer was lost: a time-out, a crash, a killed process."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from payorcrm.core.errors import Unavailable
from payorcrm.gateways.base import Outcome, RefundResult
from payorcrm.merchants.queries import gateway_account_of, gateway_of
from payorcrm.payments.models import Payment, Refund, RefundState
from payorcrm.payments.settle import settle
from payorcrm.payments.settle_refund import settle_refund


class StillUnknown(Unavailable):
    """The processor cannot say yet what became of a payment."""

    code = "still_unknown"
    message = "The processor cannot say yet what became of this payment."


def resolve(*, payment_id: UUID, now: datetime) -> Payment:
    """Ask the processor about a payment and settle it accordingly. Raises StillUnknown."""
    payment = Payment.objects.get(id=payment_id)
    if not payment.is_in_flight():
        return payment
    line = gateway_of(gateway_account_of(payment.merchant_id, payment.gateway))
    result = line.look_up(payment.idempotency_key)
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
    line = gateway_of(gateway_account_of(refund.merchant_id, refund.payment.gateway))
    result = line.look_up_refund(refund.idempotency_key)
    is_too_early = result.outcome == Outcome.NOT_SENT and now - refund.submitted_at < grace()
    if is_too_early or result.outcome == Outcome.UNKNOWN:
        raise StillUnknown
    return settle_refund(refund=refund, result=result, now=now)


def unanswered_refunds(*, now: datetime) -> list[UUID]:
    """Return the refunds whose page has given up waiting for the processor's answer."""
    before = now - timedelta(seconds=settings.GATEWAY_TIMEOUT_SECONDS)
    late = Refund.objects.filter(state=RefundState.SUBMITTING, submitted_at__lt=before)
    return list(late.order_by("submitted_at").values_list("id", flat=True)[:500])


def grace() -> timedelta:
    """Return how long a request that was sent may still arrive, so that "no such charge" proves nothing yet."""
    return timedelta(seconds=settings.RESOLVE_GRACE_SECONDS)


def unanswered_payments(*, now: datetime) -> list[UUID]:
    """Return the payments whose page has given up waiting for the processor's answer."""
    patience = timedelta(seconds=settings.GATEWAY_TIMEOUT_SECONDS)
    late = Payment.objects.unresolved(before=now - patience)
    return list(late.order_by("submitted_at").values_list("id", flat=True)[:500])
