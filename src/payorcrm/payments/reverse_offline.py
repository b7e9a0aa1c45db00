"""Taking back an offline payment that was recorded by mistake, or whose cheque bounced."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.ledger.models import EntryKind
from payorcrm.payments import mails
from payorcrm.payments.allocate import reopen
from payorcrm.payments.change_allocations import lock_payment
from payorcrm.payments.models import Payment, PaymentState
from payorcrm.payments.settle import record


class CannotReverse(Refused):
    """The payment did not come offline, or was refunded or reversed before."""

    code: ClassVar[str] = "cannot_reverse"


def reverse_offline(*, payment_id: UUID, reason: str, tells_customer: bool, now: datetime) -> Payment:
    """Make the payment's invoices owed again and post the reversing entry. Raises CannotReverse."""
    with transaction.atomic():
        payment = lock_payment(payment_id)
        if why_not := why_not_reversible(payment):
            raise CannotReverse(why_not)
        reopen(payment=payment, kind=EntryKind.PAYMENT_REVERSED, now=now)
        payment.returned_at = now
        record(payment, PaymentState.REVERSED, now=now, note=reason)
        payment.save(update_fields=["state", "returned_at"])
        if tells_customer:
            mails.queue_reversed(payment, now=now)
    return payment


def why_not_reversible(payment: Payment) -> str:
    """Say why a payment cannot be reversed; empty if it can."""
    if not payment.is_offline():
        return "Only a payment that was recorded by hand can be reversed. This one can be refunded."
    if payment.state != PaymentState.SUCCEEDED:
        return f"This payment is {payment.get_state_display().lower()} already."
    if payment.refunded or payment.refunding:
        return "A part of this payment was given back, so it cannot be reversed as a whole. Refund the rest instead."
    return ""
