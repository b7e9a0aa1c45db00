"""The time line of a payment in the payer's words: what happened to the money, and what is expected next."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from payorcrm.core.write_dates import write_long_day
from payorcrm.payments.models import Payment, PaymentEvent, PaymentState, Refund, RefundState
from payorcrm.payments.wording import decline_in_words, return_in_words


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a payment; `note` says what it means."""

    state: str
    at: datetime
    words: str
    note: str = ""


def story_of(payment: Payment, events: Iterable[PaymentEvent], refunds: Iterable[Refund] = ()) -> list[Step]:
    """Return the steps of a payment, the latest first; `events` come in the order in which they happened."""
    steps: list[Step] = []
    for event in events:
        # What staff asked for meanwhile is not the payer's business.
        if event.state == PaymentState.PENDING and any(step.state == PaymentState.PENDING for step in steps):
            continue
        is_first = not steps
        words, note = (
            _of_submission(is_first=is_first) if event.state == PaymentState.SUBMITTING else _of(payment, event)
        )
        steps.append(Step(event.state, event.at, words, note))
    steps += [_of_refund(refund) for refund in refunds if refund.state in _TOLD]
    return sorted(steps, key=lambda step: step.at)[::-1]


# A refund that was never promised to the payer is not told of.
_TOLD = (RefundState.PENDING, RefundState.SUCCEEDED)


def _of_refund(refund: Refund) -> Step:
    shown = {"amount": refund.amount_money()}
    if refund.state == RefundState.PENDING:
        return Step(refund.state, refund.submitted_at, _("Refund on its way: %(amount)s") % shown, refund.reason)
    at = refund.settled_at or refund.submitted_at
    return Step(PaymentState.REFUNDED, at, _("Given back: %(amount)s") % shown, refund.reason)


def _of_submission(*, is_first: bool) -> tuple[str, str]:
    if is_first:
        return _("Submitted"), ""
    return _("Your bank asked for one more step"), _("Nothing is charged until it is completed.")


def _of(payment: Payment, event: PaymentEvent) -> tuple[str, str]:
    is_debit = payment.method is not None and not payment.method.is_card()
    stories = {
        PaymentState.PENDING: (_("Processing"), _expectation(payment)),
        PaymentState.SUCCEEDED: (_("Cleared") if is_debit else _("Paid"), _("The business has the money.")),
        PaymentState.DECLINED: (_("Declined"), _("Nothing was charged. %(why)s") % {"why": decline_in_words(payment)}),
        PaymentState.FAILED: (_("Not charged"), _("The payment did not reach the bank.")),
        PaymentState.RETURNED: (_("Returned by the bank"), _return(payment)),
        PaymentState.REFUNDED: (_("Refunded"), _("The money was given back.")),
        PaymentState.DISPUTED: (_("Disputed"), _("The bank is looking into this payment.")),
        PaymentState.CANCELED: (_("Canceled"), _("Nothing was taken. The invoices are owed as before.")),
        PaymentState.REVERSED: (_("Reversed"), _("The money did not arrive. The invoices are owed again.")),
    }
    return stories[PaymentState(event.state)]


def _expectation(payment: Payment) -> str:
    if payment.state != PaymentState.PENDING:
        return _("The bank took the payment in.")
    if payment.expected_on is None:
        return _("The money clears within a few business days.")
    return _("The money is expected to clear by %(day)s.") % {"day": write_long_day(payment.expected_on)}


def _return(payment: Payment) -> str:
    return _("It came back because %(why)s (%(code)s). The invoices are owed again.") % {
        "why": return_in_words(payment),
        "code": payment.return_code,
    }
