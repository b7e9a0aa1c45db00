"""Invitations to the back office, and what the staff did there: rows that nobody changes any more."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models.functions import Lower

from payorcrm.core.ids import uuid7
from payorcrm.core.models import User
from payorcrm.merchants.models import Merchant, Role


class StaffInvitationQuerySet(models.QuerySet["StaffInvitation"]):
    """Filters that read like the business."""

    def waiting(self) -> Self:
        """Those that nobody has accepted or withdrawn, whether or not their link has ended."""
        return self.filter(accepted_at=None, withdrawn_at=None)


class StaffInvitation(models.Model):
    """One address that is invited to a merchant's staff; each mail makes the link of the mail before worthless."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="staff_invitations")
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=20, choices=Role.choices)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    mail_count = models.PositiveIntegerField(default=1)
    mailed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = StaffInvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "merchant",
                Lower("email"),
                name="one_waiting_staff_invitation",
                condition=models.Q(accepted_at=None, withdrawn_at=None),
            ),
            models.CheckConstraint(name="staff_invitation_role", condition=models.Q(role__in=Role.values)),
        ]

    def __str__(self) -> str:
        return self.email

    def is_open(self, *, now: datetime) -> bool:
        """Say whether the link of the latest mail still works."""
        return self.accepted_at is None and self.withdrawn_at is None and now < self.expires_at


class AuditKind(models.TextChoices):
    """What an entry is about, as people look for it."""

    SETTINGS = "settings", "Settings"
    TEAM = "team", "Team"
    CUSTOMERS = "customers", "Customers"
    INVOICES = "invoices", "Invoices"
    PAYMENTS = "payments", "Payments"
    REMINDERS = "reminders", "Reminders"
    MAILS = "mails", "Mails"
    SIGN_IN = "sign_in", "Sign-in and security"


class AuditEntry(models.Model):
    """One thing that somebody did, with what was before and after; the database refuses to change or delete it.

    Names are copied, so that they stay when the person or the row goes.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=20, choices=AuditKind.choices)
    happened_at = models.DateTimeField()
    actor_id = models.UUIDField()
    actor_name = models.CharField(max_length=200)
    actor_email = models.EmailField()
    address = models.GenericIPAddressField(null=True)
    says = models.CharField(max_length=200)
    about = models.CharField(max_length=300, blank=True)
    # Whom it was about; whatever number and name they have by now.
    customer_id = models.UUIDField(null=True)
    # Triples of words: what, before, after; of many, the first ones.
    changes = models.JSONField(default=list)
    # How many more there are; then all of them are lines.
    more_count = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [models.CheckConstraint(name="audit_kind", condition=models.Q(kind__in=AuditKind.values))]
        indexes = [
            models.Index(fields=["merchant", "-happened_at", "-id"], name="audit_by_time"),
            models.Index(fields=["merchant", "actor_id", "-happened_at", "-id"], name="audit_by_actor"),
            models.Index(
                fields=["customer_id", "-happened_at"],
                name="audit_of_customer",
                condition=models.Q(customer_id__isnull=False),
            ),
        ]


class AuditLine(models.Model):
    """What one of many rows said before and after, where an action was about many; as unchangeable as its entry."""

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(AuditEntry, on_delete=models.CASCADE, related_name="lines", db_index=False)
    what = models.TextField()
    before = models.TextField()
    after = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["entry", "id"], name="audit_lines_of_entry")]
