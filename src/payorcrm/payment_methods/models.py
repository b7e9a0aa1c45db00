"""Saved cards and bank accounts, and the authorizations to debit them. Numbers are at the processor, not here."""

from calendar import monthrange
from datetime import date, timedelta
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from payorcrm.core.crypto import EncryptedTextField
from payorcrm.core.ids import uuid7
from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.gateways.base import MethodKind
from payorcrm.merchants.models import Merchant

KIND_LABELS = {MethodKind.CARD: _("Card"), MethodKind.BANK_ACCOUNT: _("Bank account")}
MOST_TRIES = 3
DEPOSITS_LIFE = timedelta(days=14)

# The ACH network moves US dollars only; another currency is paid by card.
DEBIT_CURRENCY = "USD"


class Verification(models.TextChoices):
    """Whether the owner of a bank account has shown that it is theirs."""

    NOT_NEEDED = "not_needed", _("Not needed")
    PENDING = "pending", _("Being verified")
    VERIFIED = "verified", _("Verified")
    FAILED = "failed", _("Not verified")


class PaymentMethodQuerySet(models.QuerySet["PaymentMethod"]):
    """Filters that read like the business."""

    def saved(self) -> Self:
        """Those the customer agreed to keep and has not removed."""
        return self.filter(saved_at__isnull=False, removed_at__isnull=True)

    def usable(self, *, currency: str, today: date) -> Self:
        """Saved ones that can pay in a currency today, in the order in which they are offered."""
        expired = Q(expiry_year__lt=today.year) | Q(expiry_year=today.year, expiry_month__lt=today.month)
        usable = self.saved().verified().exclude(expired)
        if currency != DEBIT_CURRENCY:
            usable = usable.filter(kind=MethodKind.CARD.value)
        return usable.in_order()

    def verified(self) -> Self:
        """Those whose owner is known as far as the processor asks for it."""
        return self.filter(verification__in=PAYABLE_WHEN)

    def in_order(self) -> Self:
        """The customer's default first, then the last used, then the newest."""
        return self.order_by("-is_default", F("last_used_at").desc(nulls_last=True), "-saved_at", "id")


PAYABLE_WHEN = (Verification.NOT_NEEDED, Verification.VERIFIED)


class PaymentMethod(models.Model):
    """A card or bank account at a processor. One that was not saved serves a single payment."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="payment_methods")
    gateway = models.CharField(max_length=40)
    # The processor's account that knows the token; empty where it was not asked for.
    account_id = models.CharField(max_length=100, blank=True, default="", db_default="")
    token = EncryptedTextField()
    kind = models.CharField(max_length=16, choices=[(kind.value, label) for kind, label in KIND_LABELS.items()])
    brand = models.CharField(max_length=20, blank=True)
    bank_name = models.CharField(max_length=100, blank=True)
    last4 = models.CharField(max_length=4)
    expiry_month = models.PositiveSmallIntegerField(null=True, blank=True)
    expiry_year = models.PositiveSmallIntegerField(null=True, blank=True)
    holder_name = models.CharField(max_length=120, blank=True)
    account_type = models.CharField(max_length=10, blank=True)
    holder_type = models.CharField(max_length=10, blank=True)
    fingerprint = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField()
    saved_at = models.DateTimeField(null=True, blank=True)
    consent_text = models.TextField(blank=True)
    consented_at = models.DateTimeField(null=True, blank=True)
    consent_address = models.GenericIPAddressField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    name = models.CharField(max_length=60, blank=True)  # the customer's own, such as "Fleet card"
    is_default = models.BooleanField(default=False, db_default=False)
    last_used_at = models.DateTimeField(null=True, blank=True)
    verification = models.CharField(
        max_length=12,
        choices=Verification.choices,
        default=Verification.NOT_NEEDED,
        db_default=Verification.NOT_NEEDED.value,
    )
    verification_try_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    deposits_expected_on = models.DateField(null=True, blank=True)
    verification_reminded_at = models.DateTimeField(null=True, blank=True)
    expiry_mailed_at = models.DateTimeField(null=True, blank=True)

    objects = PaymentMethodQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="method_kind", condition=Q(kind__in=[kind.value for kind in MethodKind])),
            models.CheckConstraint(
                name="method_verification", condition=Q(verification__in=[each.value for each in Verification])
            ),
            models.CheckConstraint(name="method_three_tries", condition=Q(verification_try_count__lte=3)),
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(is_default=True, removed_at__isnull=True),
                name="method_default_once",
            ),
            models.CheckConstraint(
                name="method_saved_with_consent", condition=Q(saved_at__isnull=True) | ~Q(consent_text="")
            ),
            models.UniqueConstraint(
                fields=["customer", "gateway", "fingerprint"],
                condition=Q(saved_at__isnull=False, removed_at__isnull=True) & ~Q(fingerprint=""),
                name="method_saved_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["customer"], name="method_saved", condition=Q(saved_at__isnull=False, removed_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return self.masked()

    def is_card(self) -> bool:
        return self.kind == MethodKind.CARD

    def is_saved(self) -> bool:
        return self.saved_at is not None and self.removed_at is None

    def may_be_of(self, account_id: str) -> bool:
        """Say whether a processor's account is the one that knows the token, as far as both are known."""
        return "" in (self.account_id, account_id) or self.account_id == account_id

    def masked(self) -> str:
        """Return how people recognise it: `Visa •••• 0027`, `First Harbor Bank •••• 5456`."""
        name = self.brand.title() if self.is_card() else self.bank_name
        return f"{name or KIND_LABELS[MethodKind(self.kind)]} •••• {self.last4}"

    def noun_with_digits(self) -> str:
        """Return what a button calls it: `card •••• 0027`, `bank account •••• 5456`."""
        return f"{KIND_LABELS[MethodKind(self.kind)].lower()} •••• {self.last4}"

    def can_pay(self, *, today: date) -> bool:
        """Say whether a payment can be made with it today."""
        return self.is_saved() and self.verification in PAYABLE_WHEN and not self.has_expired(today=today)

    def last_day(self) -> date | None:
        """Return the last day of a card's expiry month; bank accounts have none."""
        if self.expiry_year is None or self.expiry_month is None:
            return None
        return date(self.expiry_year, self.expiry_month, monthrange(self.expiry_year, self.expiry_month)[1])

    def tries_left(self) -> int:
        """Return how often the amounts of the deposits may still be tried."""
        return MOST_TRIES - self.verification_try_count

    def has_expired(self, *, today: date) -> bool:
        """Say whether a card's expiry month has passed; bank accounts never expire."""
        last = self.last_day()
        return last is not None and last < today


class Mandate(models.Model):
    """The payer's authorization to debit a bank account, word for word (Nacha Operating Rules, subsection 2.3.2)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="mandates")
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="mandates")
    reference = models.CharField(max_length=24, unique=True)
    text = models.TextField()
    version = models.CharField(max_length=20)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    accepted_at = models.DateTimeField()
    address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def amount_money(self) -> Money:
        return Money(self.amount, self.currency)
