"""Rehearsals that were worked out and are kept for a while: days, mails, and what a change would make of them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from payorcrm.core.ids import uuid7
from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.merchants.models import Merchant


class ChangeKind(models.TextChoices):
    """How a mail of now differs from what a changed rule would make of it."""

    ADDED = "added", "Added"
    GONE = "gone", "Gone"
    MOVED = "moved", "Moved"
    WRITTEN = "written", "Written differently"  # by another rule or template, or about other invoices


class KeptRehearsal(models.Model):
    """What the active rules would send in the coming days, worked out once and thrown away by and by.

    One with a draft is about a rule as it might be. It keeps how its mails differ from those of the one without.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+", db_index=False)
    # Of all that it was worked out from: another one means that something has changed since.
    fingerprint = models.CharField(max_length=64)
    asked_at = models.DateTimeField()
    worked_out_at = models.DateTimeField(null=True)
    rule_count = models.PositiveIntegerField(default=0)
    invoice_count = models.PositiveIntegerField(default=0)  # open ones
    draft = models.JSONField(null=True)
    compared_with = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="+")
    counts = models.JSONField(default=dict)  # of its changes, by kind, and of the mails that stay as they are

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "fingerprint"], name="rehearsal_kept_once"),
            models.CheckConstraint(
                name="rehearsal_of_draft_is_compared",
                condition=models.Q(draft__isnull=True, compared_with__isnull=True)
                | models.Q(draft__isnull=False, compared_with__isnull=False),
            ),
        ]


class RehearsedDay(models.Model):
    """What one day of a kept rehearsal would send, and why its run would wait for a person."""

    id = models.BigAutoField(primary_key=True)
    rehearsal = models.ForeignKey(KeptRehearsal, on_delete=models.CASCADE, related_name="days", db_index=False)
    day = models.DateField()
    mail_count = models.PositiveIntegerField()
    invoice_count = models.PositiveIntegerField()
    totals = models.JSONField(default=list)  # minor units and currency of each
    held_because = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rehearsal", "day"], name="rehearsed_day_once")]

    def moneys(self) -> list[Money]:
        """Return what is owed on the day's invoices, by currency."""
        return [Money(minor, currency) for minor, currency in self.totals]


class RehearsedMail(models.Model):
    """One mail of a kept rehearsal. Ids are in the order in which mails are shown: by day, name and currency."""

    id = models.BigAutoField(primary_key=True)
    rehearsal = models.ForeignKey(KeptRehearsal, on_delete=models.CASCADE, related_name="mails", db_index=False)
    day = models.DateField()
    # Whoever is deleted meanwhile leaves it behind until it is thrown away; it is shown no more.
    customer = models.ForeignKey(
        Customer, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    rule = models.ForeignKey("Rule", on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    invoice_ids = ArrayField(models.UUIDField())

    class Meta:
        indexes = [models.Index(fields=["rehearsal", "day", "id"], name="rehearsed_mail_by_day")]

    def money(self) -> Money:
        """Return what is owed on its invoices."""
        return Money(self.amount, self.currency)


class RehearsedChange(models.Model):
    """A mail of now beside what a changed rule would make of it. Ids are in order of the first day and of names."""

    id = models.BigAutoField(primary_key=True)
    rehearsal = models.ForeignKey(KeptRehearsal, on_delete=models.CASCADE, related_name="changes", db_index=False)
    kind = models.CharField(max_length=7, choices=ChangeKind.choices)
    customer = models.ForeignKey(
        Customer, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    # Both go with their rehearsals, and this one with whichever goes first.
    before = models.ForeignKey(
        RehearsedMail, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    after = models.ForeignKey(
        RehearsedMail, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        indexes = [models.Index(fields=["rehearsal", "id"], name="rehearsed_change_in_order")]

    def mail(self) -> RehearsedMail:
        """Return what would be sent, or is no longer."""
        mail = self.after or self.before
        assert mail is not None
        return mail
