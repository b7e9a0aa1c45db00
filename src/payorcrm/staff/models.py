"""What the merchant's people did in the back office: rows that nobody changes any more."""

from django.db import models

from payorcrm.core.ids import uuid7
from payorcrm.merchants.models import Merchant


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
    # Triples of words: what, before, after.
    changes = models.JSONField(default=list)

    class Meta:
        constraints = [models.CheckConstraint(name="audit_kind", condition=models.Q(kind__in=AuditKind.values))]
        indexes = [
            models.Index(fields=["merchant", "-happened_at", "-id"], name="audit_by_time"),
            models.Index(fields=["merchant", "actor_id", "-happened_at", "-id"], name="audit_by_actor"),
        ]
