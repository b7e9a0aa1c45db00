"""Templates of reminder mails, runs that send them, and one row for each reminder."""

from django.db import models

from payorcrm.core.ids import uuid7
from payorcrm.core.models import User
from payorcrm.customers.models import Customer
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant
from payorcrm.payments.models import PaymentRequest


class ReminderTemplate(models.Model):
    """Subject and HTML body with merge fields."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="reminder_templates")
    name = models.CharField(max_length=100)
    subject = models.CharField(max_length=300)
    body = models.TextField(max_length=50_000)
    is_default = models.BooleanField(default=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "name"], name="template_name_unique"),
            models.UniqueConstraint(
                fields=["merchant"], condition=models.Q(is_default=True), name="one_default_template"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ReminderRun(models.Model):
    """One decision to remind: by whom, with which template, of which customers."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="reminder_runs")
    template = models.ForeignKey(ReminderTemplate, on_delete=models.PROTECT, related_name="+")
    started_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField()
    min_days_overdue = models.PositiveIntegerField(default=1)
    # A rehearsal: all mails went to this address, and no customer counts as reminded.
    to_address = models.EmailField(blank=True, default="", db_default="")
    # Records contradicted each other; what was not sent by then is not sent.
    stopped_because = models.TextField(blank=True, default="", db_default="")
    reminder_count = models.PositiveIntegerField(default=0)
    invoice_count = models.PositiveIntegerField(default=0)


class Reminder(models.Model):
    """One mail to one customer about the overdue invoices of one currency."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="reminders", db_constraint=False)
    run = models.ForeignKey(ReminderRun, on_delete=models.CASCADE, related_name="reminders")
    request = models.OneToOneField(PaymentRequest, on_delete=models.PROTECT, related_name="reminder")
    mail = models.OneToOneField(Mail, on_delete=models.CASCADE, related_name="reminder")
