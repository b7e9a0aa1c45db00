"""Where payments and refunds stand, and how they move: forward only. `models.py` hands these on."""

from django.db import models
from django.utils.translation import pgettext_lazy


class PaymentState(models.TextChoices):
    """Where a payment stands."""

    SUBMITTING = "submitting", pgettext_lazy("payment", "Checking")
    PENDING = "pending", pgettext_lazy("payment", "Processing")
    SUCCEEDED = "succeeded", pgettext_lazy("payment", "Paid")
    DECLINED = "declined", pgettext_lazy("payment", "Declined")
    FAILED = "failed", pgettext_lazy("payment", "Not charged")
    RETURNED = "returned", pgettext_lazy("payment", "Returned")
    REFUNDED = "refunded", pgettext_lazy("payment", "Refunded")
    DISPUTED = "disputed", pgettext_lazy("payment", "Disputed")
    CANCELED = "canceled", pgettext_lazy("payment", "Canceled")
    REVERSED = "reversed", pgettext_lazy("payment", "Reversed")


class PaymentStanding(models.TextChoices):
    """What people are shown of a payment: its state, with what is derived beside "paid"."""

    SUBMITTING = "submitting", pgettext_lazy("payment", "Checking")
    PENDING = "pending", pgettext_lazy("payment", "Processing")
    SUCCEEDED = "succeeded", pgettext_lazy("payment", "Paid")
    PART_REFUNDED = "part_refunded", pgettext_lazy("payment", "Partly refunded")
    REFUNDED = "refunded", pgettext_lazy("payment", "Refunded")
    DECLINED = "declined", pgettext_lazy("payment", "Declined")
    FAILED = "failed", pgettext_lazy("payment", "Not charged")
    CANCELED = "canceled", pgettext_lazy("payment", "Canceled")
    RETURNED = "returned", pgettext_lazy("payment", "Returned")
    REVERSED = "reversed", pgettext_lazy("payment", "Reversed")
    DISPUTED = "disputed", pgettext_lazy("payment", "Disputed")


class OfflineKind(models.TextChoices):
    """How money came that no processor took."""

    CHEQUE = "cheque", pgettext_lazy("payment", "Cheque")
    WIRE = "wire", pgettext_lazy("payment", "Bank transfer")
    CASH = "cash", pgettext_lazy("payment", "Cash")
    OTHER = "other", pgettext_lazy("payment", "Another way")


# States change forward only; whatever else an event says arrives too late or too early and is ignored.
PAYMENT_TRANSITIONS: dict[str, frozenset[str]] = {
    PaymentState.SUBMITTING: frozenset(
        {
            PaymentState.PENDING,
            PaymentState.SUCCEEDED,
            PaymentState.DECLINED,
            PaymentState.FAILED,
            PaymentState.RETURNED,
            PaymentState.CANCELED,
        }
    ),
    PaymentState.PENDING: frozenset({PaymentState.SUCCEEDED, PaymentState.RETURNED, PaymentState.CANCELED}),
    PaymentState.SUCCEEDED: frozenset(
        {PaymentState.RETURNED, PaymentState.REFUNDED, PaymentState.DISPUTED, PaymentState.REVERSED}
    ),
    PaymentState.DECLINED: frozenset(),
    # The processor got a request after all that it had said it never saw: the money counts.
    PaymentState.FAILED: frozenset({PaymentState.PENDING, PaymentState.SUCCEEDED}),
    PaymentState.RETURNED: frozenset(),
    # A bank may send a debit back that was refunded already; then the money is gone twice, and the books must say so.
    PaymentState.REFUNDED: frozenset({PaymentState.RETURNED}),
    PaymentState.DISPUTED: frozenset({PaymentState.SUCCEEDED}),
    PaymentState.CANCELED: frozenset(),
    PaymentState.REVERSED: frozenset(),
}

IN_FLIGHT_STATES = frozenset({PaymentState.SUBMITTING, PaymentState.PENDING})
# Attempts that moved no money; another one may follow.
NOT_CHARGED_STATES = frozenset({PaymentState.DECLINED, PaymentState.FAILED, PaymentState.CANCELED})


class RefundState(models.TextChoices):
    """Where a refund stands. Nothing is called given back before the processor said so."""

    SUBMITTING = "submitting", pgettext_lazy("refund", "Checking")
    PENDING = "pending", pgettext_lazy("refund", "On its way")
    SUCCEEDED = "succeeded", pgettext_lazy("refund", "Given back")
    DECLINED = "declined", pgettext_lazy("refund", "Refused")
    FAILED = "failed", pgettext_lazy("refund", "Not made")


REFUND_TRANSITIONS: dict[str, frozenset[str]] = {
    RefundState.SUBMITTING: frozenset(
        {RefundState.PENDING, RefundState.SUCCEEDED, RefundState.DECLINED, RefundState.FAILED}
    ),
    # The customer's bank may refuse the money days later.
    RefundState.PENDING: frozenset({RefundState.SUCCEEDED, RefundState.FAILED}),
    RefundState.SUCCEEDED: frozenset(),
    RefundState.DECLINED: frozenset(),
    RefundState.FAILED: frozenset(),
}
OPEN_REFUND_STATES = frozenset({RefundState.SUBMITTING, RefundState.PENDING})
