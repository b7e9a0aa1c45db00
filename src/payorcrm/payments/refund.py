"""Giving money back: reserve, call the processor, settle. The only place that refunds."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.core.ids import readable_reference
from payorcrm.core.money import Money
from payorcrm.gateways.base import Outcome, RefundRequest, RefundResult
from payorcrm.gateways.registry import gateway_class
from payorcrm.merchants.queries import CannotTakePayments, gateway_account_of, gateway_of, hold_gateway_account
from payorcrm.payments.change_allocations import lock_payment
from payorcrm.payments.give_back import set_aside
from payorcrm.payments.models import OPEN_REFUND_STATES, Allocation, Payment, PaymentState, Refund, RefundPart
from payorcrm.payments.settle_refund import settle_refund


class CannotRefund(Refused):
    """A payment that has not arrived, came back, or was given back already has nothing to refund."""

    code: ClassVar[str] = "cannot_refund"


class RefundTooLarge(Refused):
    """More was to be given back than is left of the payment, or of the part that an invoice got."""

    code: ClassVar[str] = "refund_too_large"

    def __init__(self, left: Money) -> None:
        super().__init__(f"Nothing was given back: at most {left} can be refunded here.")
        self.left = left


class RefundedMeanwhile(Refused):
    """Somebody refunded a part of the payment after this refund's page was drawn."""

    code: ClassVar[str] = "refunded_meanwhile"
    message = "Nothing was given back just now: another refund of this payment was made meanwhile. Please look again."


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """What staff ask to give back.

    The same `key` never gives back twice. `seen` is what was refunded or being refunded when they looked, in minor
    units. `invoice_id` is the invoice to take it from; none: what is unapplied, then the invoices due last.
    """

    key: UUID
    amount: Money
    seen: int
    reason: str
    is_owed_again: bool
    invoice_id: UUID | None = None
    made_by_id: UUID | None = None


def refund(*, payment: Payment, order: RefundOrder, also: Callable[[], None] | None = None, now: datetime) -> Refund:
    """Give a payment back, or a part of it, once, and record what happened.

    A second call with the same key returns the first refund as it is. `also` is called in the transaction that
    reserves. Of an offline payment staff give the money back themselves.
    Raises CannotRefund, RefundTooLarge, RefundedMeanwhile.
    """
    if payment.is_offline():
        return _write_down_by_hand(payment.id, order, now, also)
    made, is_new = reserve_refund(payment.id, order, now, also)
    if not is_new:
        return made
    # Read once the refund is there, which keeps the account connected.
    line = gateway_of(gateway_account_of(payment.merchant_id, payment.gateway))
    result = line.refund(RefundRequest(made.idempotency_key, payment.gateway_reference, made.amount_money()))
    return settle_refund(refund=made, result=result, now=now)


def _write_down_by_hand(payment_id: UUID, order: RefundOrder, now: datetime, also: Callable[[], None] | None) -> Refund:
    """Record a refund for which nobody has to be asked, whole or not at all."""
    with transaction.atomic(durable=True):
        made, is_new = _reserve(payment_id, order, now, also)
        return settle_refund(refund=made, result=RefundResult(Outcome.SUCCEEDED), now=now) if is_new else made


def _hold_the_processor_of(payment: Payment) -> None:
    """Keep the account that took the payment connected until the refund is there, which keeps it from then on."""
    try:
        account = hold_gateway_account(payment.merchant_id, payment.gateway)
    except CannotTakePayments as error:
        raise CannotRefund(
            "Nothing was given back: the processor that took this payment is not connected any more. "
            "Connect it again under Settings, or use its own pages."
        ) from error
    if payment.method and not account.is_account_of(payment.method.account_id):
        raise CannotRefund(
            "Nothing was given back: this payment was taken by another account of the processor than the one that is "
            "connected now. Use the processor's own pages."
        )


def refunded_before(payment: Payment, key: str) -> Refund | None:
    """Return the refund that a form with this key made, if any: its button was pressed before."""
    try:
        return Refund.objects.filter(idempotency_key=_key(payment, UUID(key))).first()
    except ValueError:
        return None


def _key(payment: Payment, key: UUID) -> str:
    return f"refund:{payment.id.hex}:{key.hex}"


def reserve_refund(
    payment_id: UUID, order: RefundOrder, now: datetime, also: Callable[[], None] | None = None
) -> tuple[Refund, bool]:
    """Write the refund as submitting and reserve its amount, in one durable transaction; say whether this call did."""
    with transaction.atomic(durable=True):
        return _reserve(payment_id, order, now, also)


def _reserve(
    payment_id: UUID, order: RefundOrder, now: datetime, also: Callable[[], None] | None
) -> tuple[Refund, bool]:
    payment = lock_payment(payment_id)
    # Looked for behind the lock: whoever held it may have been another click on the same button.
    key = _key(payment, order.key)
    earlier = Refund.objects.filter(idempotency_key=key).first()
    if earlier is not None:
        return earlier, False
    _check(payment, order)
    if not payment.is_offline():
        _hold_the_processor_of(payment)
    payment.refunding += order.amount.minor
    payment.save(update_fields=["refunding"])
    made = _write(payment, order, key, now)
    set_aside(payment, made)
    if also:
        also()
    return made, True


def _write(payment: Payment, order: RefundOrder, key: str, now: datetime) -> Refund:
    return Refund.objects.create(
        merchant_id=payment.merchant_id,
        payment=payment,
        invoice_id=order.invoice_id,
        is_owed_again=order.is_owed_again,
        reference=readable_reference("REF"),
        idempotency_key=key,
        amount=order.amount.minor,
        currency=payment.currency,
        reason=order.reason,
        made_by_id=order.made_by_id,
        submitted_at=now,
    )


def _check(payment: Payment, order: RefundOrder) -> None:
    if why_not := why_not_refundable(payment):
        raise CannotRefund(why_not)
    if order.seen != payment.refunded + payment.refunding:
        raise RefundedMeanwhile
    left = payment.refundable_money()
    if order.invoice_id:
        left = min(left, _left_of_invoice(payment, order.invoice_id))
    if not Money.zero(left.currency) < order.amount <= left:
        raise RefundTooLarge(left)


def _left_of_invoice(payment: Payment, invoice_id: UUID) -> Money:
    """Return what the invoice got of the payment and no refund under way takes from it already."""
    allocated = Allocation.objects.filter(payment=payment, invoice_id=invoice_id)
    held = RefundPart.objects.filter(
        refund__payment=payment, refund__state__in=OPEN_REFUND_STATES, invoice_id=invoice_id
    )
    minor = sum(allocated.values_list("amount", flat=True)) - sum(held.values_list("amount", flat=True))
    return Money(max(0, minor), payment.currency)


def why_not_refundable(payment: Payment) -> str:
    """Say why nothing of a payment can be given back now; empty if something can."""
    if payment.is_in_flight():
        return "This payment has not cleared yet, so there is nothing to give back. It can be refunded once it has."
    if payment.state == PaymentState.REFUNDED:
        return "All of this payment was given back already."
    if payment.state != PaymentState.SUCCEEDED:
        return f"This payment is {payment.get_state_display().lower()}, so there is nothing to give back."
    if not payment.refundable_money():
        return "A refund of all that is left is under way."
    if not payment.is_offline() and not gateway_class(payment.gateway).supports_refund:
        return "The processor of this payment makes no refunds from here. Use its own pages."
    return ""
