"""Payments, what they pay, and the requests and confirmations that lead to them."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q

from payorcrm.core.ids import uuid7
from payorcrm.core.models import User
from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.gateways.base import DeclineCode
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import Merchant
from payorcrm.payment_methods.models import Mandate, PaymentMethod
from payorcrm.payments.asking import Asked
from payorcrm.payments.refunds import AllocationChange, Refund, RefundPart
from payorcrm.payments.states import (
    IN_FLIGHT_STATES,
    NOT_CHARGED_STATES,
    OPEN_REFUND_STATES,
    PAYMENT_TRANSITIONS,
    REFUND_TRANSITIONS,
    OfflineKind,
    PaymentStanding,
    PaymentState,
    RefundState,
)

# What other packages take from here although it stands in `states.py` and `refunds.py`.
__all__ = [
    "IN_FLIGHT_STATES",
    "NOT_CHARGED_STATES",
    "OPEN_REFUND_STATES",
    "PAYMENT_TRANSITIONS",
    "REFUND_TRANSITIONS",
    "AllocationChange",
    "OfflineKind",
    "PaymentStanding",
    "PaymentState",
    "Refund",
    "RefundPart",
    "RefundState",
]


class RequestOrigin(models.TextChoices):
    """Where a request came from."""

    MAIL = "mail", "A mail"
    PORTAL = "portal", "The portal"


class PaymentRequest(models.Model):
    """The invoices that one mail asks a customer to pay together, or that a user of the portal chose to.

    Payment links name those of mails. One of the portal is paid once at most, whichever tab or user pays it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    origin = models.CharField(
        max_length=8, choices=RequestOrigin.choices, default=RequestOrigin.MAIL, db_default=RequestOrigin.MAIL.value
    )
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["id", "customer"], name="request_of_customer"),
            models.CheckConstraint(name="request_origin", condition=Q(origin__in=RequestOrigin.values)),
        ]


class PaymentRequestLine(models.Model):
    """One invoice of a request. Composite foreign keys make the database refuse another customer's invoice."""

    id = models.BigAutoField(primary_key=True)
    request = models.ForeignKey(
        PaymentRequest, on_delete=models.CASCADE, related_name="lines", db_constraint=False, db_index=False
    )
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    customer_id = models.UUIDField()
    amount = models.BigIntegerField(null=True)  # a part that the payer chose; null: all that is payable

    class Meta:
        constraints = [models.CheckConstraint(name="request_line_amount", condition=Q(amount__gt=0))]
        # Both columns: from whichever side PostgreSQL begins to join ten thousand lines and invoices, before it has
        # statistics of them, each row finds its partner at once.
        indexes = [models.Index(fields=["request", "invoice"], name="request_line_of_invoice")]


class Confirmation(models.Model):
    """A frozen set of invoices, amounts and a method that the payer confirms from a second mail.

    Its token and code are derived from the link key and the id; the row keeps only a digest of the token.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    request = models.ForeignKey(PaymentRequest, on_delete=models.PROTECT, related_name="confirmations")
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="+")
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    token_digest = models.BinaryField(unique=True)
    code_attempt_count = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_sent_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "method"], condition=Q(closed_at__isnull=True), name="one_open_confirmation"
            ),
            models.CheckConstraint(name="confirmation_of_something", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="confirmation_five_tries", condition=Q(code_attempt_count__lte=5)),
        ]

    def amount_money(self) -> Money:
        return Money(self.amount, self.currency)

    def has_expired(self, *, now: datetime) -> bool:
        return now >= self.expires_at


class ConfirmationLine(models.Model):
    """One invoice of a confirmation, with the amount that was frozen."""

    id = models.BigAutoField(primary_key=True)
    confirmation = models.ForeignKey(Confirmation, on_delete=models.CASCADE, related_name="lines")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+")
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["confirmation", "invoice"], name="confirmation_line_once"),
            models.CheckConstraint(name="confirmation_line_amount", condition=Q(amount__gt=0)),
        ]

    def amount_money(self) -> Money:
        return Money(self.amount, self.confirmation.currency)


class PaymentQuerySet(models.QuerySet["Payment"]):
    """Filters that read like the business."""

    def in_flight(self) -> Self:
        return self.filter(state__in=IN_FLIGHT_STATES)


class Payment(Asked):
    """One attempt to collect through a gateway with a method, or money that came offline and that staff recorded.

    `refunded` was given back; `refunding` is being given back by refunds whose end is not known yet.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="payments", db_constraint=False, db_index=False
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="payments", db_index=False)
    request = models.ForeignKey(PaymentRequest, on_delete=models.PROTECT, null=True, related_name="payments")
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, null=True, related_name="payments")
    mandate = models.ForeignKey(Mandate, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    gateway = models.CharField(max_length=40, blank=True)
    offline_kind = models.CharField(max_length=8, choices=OfflineKind.choices, blank=True, default="", db_default="")
    offline_reference = models.CharField(max_length=100, blank=True, default="", db_default="")
    received_on = models.DateField(null=True)
    recorded_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    reference = models.CharField(max_length=24, unique=True)
    idempotency_key = models.CharField(max_length=80, unique=True)
    gateway_reference = models.CharField(max_length=100, blank=True)
    amount = models.BigIntegerField()
    refunded = models.BigIntegerField(default=0, db_default=0)
    refunding = models.BigIntegerField(default=0, db_default=0)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=16, choices=PaymentState.choices, default=PaymentState.SUBMITTING)
    submitted_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    expected_on = models.DateField(null=True, blank=True)
    returned_at = models.DateTimeField(null=True, blank=True)
    return_code = models.CharField(max_length=10, blank=True)
    decline_code = models.CharField(max_length=32, blank=True)
    decline_message = models.CharField(max_length=300, blank=True)
    action_url = models.URLField(max_length=500, blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="payment_of_something", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="payment_state", condition=Q(state__in=PaymentState.values)),
            models.CheckConstraint(
                name="payment_returned_with_code", condition=~Q(state=PaymentState.RETURNED) | ~Q(return_code="")
            ),
            models.CheckConstraint(
                name="payment_decline_code", condition=Q(decline_code__in=["", *[code.value for code in DeclineCode]])
            ),
            models.CheckConstraint(
                name="payment_through_a_gateway_or_offline",
                condition=Q(method__isnull=False, offline_kind="", received_on__isnull=True)
                | Q(method__isnull=True, offline_kind__in=OfflineKind.values, received_on__isnull=False, gateway=""),
            ),
            models.CheckConstraint(
                name="payment_refunds_within_amount",
                condition=Q(refunded__gte=0, refunding__gte=0, amount__gte=F("refunded") + F("refunding")),
            ),
            models.UniqueConstraint(
                fields=["gateway", "merchant", "gateway_reference"],
                condition=~Q(gateway_reference=""),
                name="payment_gateway_reference_once",
            ),
            models.UniqueConstraint(fields=["id", "customer"], name="payment_of_customer"),
        ]
        indexes = [
            models.Index(fields=["merchant", "-submitted_at", "-id"], name="payment_by_merchant"),
            models.Index(fields=["customer", "-submitted_at", "-id"], name="payment_by_customer"),
            models.Index(
                fields=["merchant", "currency", "settled_at"],
                name="payment_settled",
                condition=Q(state="succeeded"),
                include=["amount", "refunded", "id"],
            ),
            models.Index(
                fields=["merchant", "currency", "returned_at"], name="payment_returned", condition=Q(state="returned")
            ),
            models.Index(
                fields=["submitted_at"], name="payment_in_flight", condition=Q(state__in=["submitting", "pending"])
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def amount_money(self) -> Money:
        return Money(self.amount, self.currency)

    def refunded_money(self) -> Money:
        return Money(self.refunded, self.currency)

    def refunding_money(self) -> Money:
        return Money(self.refunding, self.currency)

    def refundable_money(self) -> Money:
        """What was paid and is neither given back nor on its way back."""
        left = self.amount - self.refunded - self.refunding if self.state == PaymentState.SUCCEEDED else 0
        return Money(left, self.currency)

    def standing(self) -> PaymentStanding:
        """Return what to show: a payment of which a part was given back is not simply paid."""
        if self.state == PaymentState.SUCCEEDED and self.refunded:
            return PaymentStanding.PART_REFUNDED
        return PaymentStanding(self.state)

    def is_offline(self) -> bool:
        return bool(self.offline_kind)

    def way(self) -> str:
        """Say how it was paid: "Visa •••• 0027", or "Cheque 1042"."""
        if self.method:
            return self.method.masked()
        return f"{self.get_offline_kind_display()} {self.offline_reference}".strip()

    def is_in_flight(self) -> bool:
        return self.state in IN_FLIGHT_STATES

    def needs_action(self) -> bool:
        """Say whether the payer must take a second step before the processor decides."""
        return self.state == PaymentState.SUBMITTING and bool(self.action_url)

    def can_become(self, state: PaymentState) -> bool:
        return state in PAYMENT_TRANSITIONS[self.state]


class Allocation(models.Model):
    """The part of a payment that goes to one invoice; it counts as reserved while the payment is in flight."""

    id = models.BigAutoField(primary_key=True)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, related_name="allocations", db_constraint=False, db_index=False
    )
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations", db_constraint=False)
    customer_id = models.UUIDField()
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment", "invoice"], name="allocation_once"),
            models.CheckConstraint(name="allocation_of_something", condition=Q(amount__gt=0)),
        ]

    def amount_money(self) -> Money:
        return Money(self.amount, self.currency)


class PaymentEvent(models.Model):
    """One line of a payment's time line."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="events")
    state = models.CharField(max_length=16, choices=PaymentState.choices)
    at = models.DateTimeField()
    note = models.CharField(max_length=300, blank=True)


class ReceivedEvent(models.Model):
    """What a processor told us, raw, once per its id; a job applies it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+", db_index=False)
    gateway = models.CharField(max_length=40)
    event_id = models.CharField(max_length=100)
    kind = models.CharField(max_length=60)
    charge_reference = models.CharField(max_length=100, blank=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    body = models.TextField()
    applied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["gateway", "merchant", "event_id"], name="received_event_once")]
        indexes = [models.Index(F("received_at"), name="received_event_waiting", condition=Q(applied_at__isnull=True))]
