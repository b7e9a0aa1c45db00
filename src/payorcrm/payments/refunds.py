"""Tables of money that goes back, and of how payments were applied otherwise; `models.py` hands them on."""

from django.db import models
from django.db.models import Q

from payorcrm.core.ids import uuid7
from payorcrm.core.models import User
from payorcrm.core.money import Money
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import Merchant
from payorcrm.payments.asking import Asked
from payorcrm.payments.states import OPEN_REFUND_STATES, REFUND_TRANSITIONS, RefundState


class Refund(Asked):
    """Money of one payment that is given back; `invoice` says of which invoice, none: see `payments/give_back.py`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+", db_index=False)
    payment = models.ForeignKey("payments.Payment", on_delete=models.PROTECT, related_name="refunds")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    is_owed_again = models.BooleanField()
    reference = models.CharField(max_length=24, unique=True)
    idempotency_key = models.CharField(max_length=80, unique=True)
    gateway_reference = models.CharField(max_length=100, blank=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=16, choices=RefundState.choices, default=RefundState.SUBMITTING)
    reason = models.CharField(max_length=300)
    message = models.CharField(max_length=300, blank=True)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    submitted_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="refund_of_something", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="refund_state", condition=Q(state__in=RefundState.values)),
        ]
        indexes = [
            models.Index(fields=["submitted_at"], name="refund_open", condition=Q(state__in=["submitting", "pending"]))
        ]

    def __str__(self) -> str:
        return self.reference

    def amount_money(self) -> Money:
        return Money(self.amount, self.currency)

    def is_open(self) -> bool:
        return self.state in OPEN_REFUND_STATES

    def can_become(self, state: RefundState) -> bool:
        return state in REFUND_TRANSITIONS[self.state]


class RefundPart(models.Model):
    """What a refund takes from one invoice, set aside when it is made; the rest of it is of what was unapplied.

    So it does not matter which of two refunds under way arrives first.
    """

    id = models.BigAutoField(primary_key=True)
    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="parts", db_index=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+", db_index=False)
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["refund", "invoice"], name="refund_part_once"),
            models.CheckConstraint(name="refund_part_of_something", condition=Q(amount__gt=0)),
        ]


class AllocationChange(models.Model):
    """How much more (or less) of a payment went to an invoice at a moment; the rest was or became unapplied.

    Those of one `batch` were made together and are one ledger entry. `refund` says that money was given back.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+", db_index=False)
    payment = models.ForeignKey("payments.Payment", on_delete=models.PROTECT, related_name="allocation_changes")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocation_changes")
    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, null=True, related_name="changes", db_index=False)
    batch = models.UUIDField()
    change = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(name="allocation_change_of_something", condition=~Q(change=0))]

    def change_money(self) -> Money:
        return Money(abs(self.change), self.currency)
