"""A debit that the bank sends back, before or after it had cleared."""

from datetime import datetime

from payorcrm.ledger.models import EntryKind
from payorcrm.payments import mails
from payorcrm.payments.allocate import release, reopen
from payorcrm.payments.models import Payment, PaymentState


def take_return(*, payment: Payment, return_code: str, now: datetime) -> None:
    """Make the payment's invoices owed again and tell both sides, in the caller's transaction.

    The caller writes the new state down; whether money had arrived is read from the old one.
    """
    if payment.state in (PaymentState.SUCCEEDED, PaymentState.REFUNDED):
        reopen(payment=payment, kind=EntryKind.PAYMENT_RETURNED, now=now)
    else:
        release(payment=payment)
    payment.returned_at, payment.return_code, payment.action_url = now, return_code, ""
    mails.queue_returned(payment, now=now)
