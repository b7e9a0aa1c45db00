"""Customers, the people to write to, who may sign in for them, and the files that brought them and their invoices."""

from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from payorcrm.core.ids import uuid7
from payorcrm.core.models import User
from payorcrm.merchants.models import Merchant


class Customer(models.Model):
    """A business or person that owes money to one merchant."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="customers")
    number = models.CharField(max_length=64)
    company_name = models.CharField(max_length=200)
    category = models.CharField(max_length=64, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    address = models.TextField(max_length=500, blank=True)
    language = models.CharField(max_length=10, blank=True)  # of mails; empty: the merchant's
    is_reminded = models.BooleanField(default=True)
    unsubscribed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "number"], name="customer_number_unique"),
            # The target of composite foreign keys: a row's customer always belongs to the row's merchant.
            models.UniqueConstraint(fields=["id", "merchant"], name="customer_of_merchant"),
        ]
        indexes = [models.Index("merchant", Lower("company_name"), name="customer_by_company_name")]

    def __str__(self) -> str:
        return self.company_name


class Contact(models.Model):
    """A person at a customer. The primary contact's e-mail is the address on file."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="contacts")
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    is_primary = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=models.Q(is_primary=True), name="one_primary_contact"
            )
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.email


class PortalAccessQuerySet(models.QuerySet["PortalAccess"]):
    """Filters that read like the business."""

    def live(self) -> Self:
        """Those that have not been removed."""
        return self.filter(removed_at__isnull=True)


class PortalAccess(models.Model):
    """One user's right to act for one customer in the portal. A removed one stays, so that nothing revives it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="portal_accesses")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="portal_accesses")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = PortalAccessQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "user"], name="portal_access_once")]


class InvitationRun(models.Model):
    """The inviting of many customers at once: one line a customer, worked through by a job that can be interrupted."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="invitation_runs")
    started_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)


class LineOutcome(models.TextChoices):
    """What became of one customer of a run."""

    WAITING = "waiting", "Waiting"
    INVITED = "invited", "Invited"
    NO_ADDRESS = "no_address", "No e-mail address"
    SUPPRESSED = "suppressed", "Mail came back, or was reported as spam"
    SIGNS_IN = "signs_in", "Signs in already"
    REMOVED = "removed", "Access was removed"


class InvitationLine(models.Model):
    """One customer of a run."""

    id = models.BigAutoField(primary_key=True)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+", db_index=False)
    run = models.ForeignKey(InvitationRun, on_delete=models.CASCADE, related_name="lines", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    outcome = models.CharField(max_length=16, choices=LineOutcome.choices, default=LineOutcome.WAITING)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "customer"], name="invitation_line_once"),
            models.CheckConstraint(name="invitation_line_outcome", condition=Q(outcome__in=LineOutcome.values)),
        ]
        indexes = [models.Index(fields=["run", "id"], name="invitation_line_waiting", condition=Q(outcome="waiting"))]


class Invitation(models.Model):
    """The invitation of one user to one customer's portal. Inviting again refreshes it.

    Its password is derived from the link key, the id and `refresh_count`; the row keeps only a digest of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+", db_index=False)
    access = models.OneToOneField(PortalAccess, on_delete=models.CASCADE, related_name="invitation")
    refresh_count = models.PositiveIntegerField(default=0)
    password_digest = models.BinaryField()
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    def is_open(self, *, now: datetime) -> bool:
        """Say whether its password and its button still work."""
        return self.accepted_at is None and now < self.expires_at


class AccessAskKind(models.TextChoices):
    """What somebody at the sign-in asked for."""

    PASSWORD = "password", "Forgot password"
    REGISTRATION = "registration", "Registration"


class AccessAsk(models.Model):
    """What somebody who is not signed in asked for. A job answers by mail, so that the page tells nobody anything."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=AccessAskKind.choices)
    email = models.EmailField()
    invoice_number = models.CharField(max_length=64, blank=True)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(name="access_ask_kind", condition=Q(kind__in=AccessAskKind.values))]


class Viewing(models.Model):
    """A member of staff looked at the portal as a customer sees it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="viewings")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)


class Note(models.Model):
    """What a member of staff wrote down about a customer; only staff see it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="notes", db_index=False)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(max_length=4000)
    written_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["customer", "-written_at", "-id"], name="note_by_customer")]


class Topic(models.TextChoices):
    """The kinds of mail that a customer may direct."""

    REMINDERS = "reminders", "Reminders of invoices"
    PAYMENTS = "payments", "Receipts and news of payments"
    METHODS = "methods", "Saved cards and bank accounts"


class Notification(models.Model):
    """Where one kind of mail to a customer goes. Without a row, or without `to`, it goes to the address on file."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="notifications", db_index=False)
    topic = models.CharField(max_length=16, choices=Topic.choices)
    is_wanted = models.BooleanField(default=True)
    to = ArrayField(models.EmailField(), default=list, blank=True)
    cc = ArrayField(models.EmailField(), default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "topic"], name="notification_once"),
            models.CheckConstraint(name="notification_topic", condition=Q(topic__in=Topic.values)),
        ]


class ImportKind(models.TextChoices):
    """What a file brought."""

    CUSTOMERS = "customers", "Customers"
    INVOICES = "invoices", "Invoices"


class Import(models.Model):
    """One file that was read in, and how it went."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="imports")
    kind = models.CharField(max_length=16, choices=ImportKind.choices)
    file_name = models.CharField(max_length=255)
    finished_at = models.DateTimeField()
    new_count = models.PositiveIntegerField()
    changed_count = models.PositiveIntegerField()
    unchanged_count = models.PositiveIntegerField()
    skipped_count = models.PositiveIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(name="import_kind", condition=models.Q(kind__in=ImportKind.values))]


class CustomerChange(models.Model):
    """What a file changed of a customer that was known. What staff change by hand is in their audit log."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", db_index=False)
    source = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField()
    # Triples of words: what, before, after.
    changes = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["customer", "-at"], name="change_of_customer")]
