"""Rules that send statements by themselves, runs that sent them, and one row for each statement."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Count, Q

from payorcrm.core.ids import uuid7
from payorcrm.core.models import User
from payorcrm.customers.models import Customer
from payorcrm.mail.models import Mail, MailState
from payorcrm.merchants.models import Merchant
from payorcrm.payments.models import PaymentRequest
from payorcrm.reminders.models import ReminderTemplate, TemplateVersion

WEEKDAYS = list(enumerate(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]))


class StatementRule(models.Model):
    """On which days which customers get a statement. Off until somebody switches it on."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="statement_rules")
    name = models.CharField(max_length=100)
    template = models.ForeignKey(ReminderTemplate, on_delete=models.PROTECT, related_name="+")
    weekday = models.PositiveSmallIntegerField(null=True, choices=WEEKDAYS)
    # 31 is the last day of every month.
    month_day = models.PositiveSmallIntegerField(null=True, validators=[MinValueValidator(1), MaxValueValidator(31)])
    # A tree of conditions about customers; empty: all of them.
    conditions = models.JSONField(default=dict, blank=True)
    # Also to those who owe nothing, so that they have it in writing.
    includes_settled = models.BooleanField(default=False)
    is_active = models.BooleanField(default=False, db_default=False)
    active_since = models.DateField(null=True)  # no statement of an earlier day is ever due
    # How many would have got one when it was switched on: what its first run is compared with.
    expected_count = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "name"], name="statement_rule_name_unique"),
            models.CheckConstraint(
                name="statement_rule_one_kind_of_day",
                condition=Q(weekday__range=(0, 6), month_day__isnull=True)
                | Q(weekday__isnull=True, month_day__range=(1, 31)),
            ),
            models.CheckConstraint(
                name="statement_rule_active_since_a_day",
                condition=Q(is_active=False) | Q(active_since__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def falls_on(self, day: date) -> bool:
        """Say whether a statement is due on a day."""
        if self.month_day is None:
            return day.weekday() == self.weekday
        return day.day == min(self.month_day, monthrange(day.year, day.month)[1])

    def when(self) -> str:
        """Say in words on which days it is due."""
        if self.month_day is None:
            return f"Every {dict(WEEKDAYS)[self.weekday or 0]}"
        return "On the last day of every month" if self.month_day == 31 else f"On day {self.month_day} of every month"


class RunState(models.TextChoices):
    """What became of a run."""

    SENT = "sent", "Sent"
    HELD = "held", "Waits for you"
    RELEASED = "released", "Released"
    DROPPED = "dropped", "Not sent"


class NoStatement(models.TextChoices):
    """Why a customer whom a rule fits gets no statement."""

    NO_ADDRESS = "no_address", "No e-mail address"
    SUPPRESSED = "suppressed", "Mails do not reach the address"
    UNSUBSCRIBED = "unsubscribed", "Unsubscribed from reminders"
    NOT_REMINDED = "not_reminded", "Reminders are switched off"
    ON_HOLD = "on_hold", "On hold"


class StatementRun(models.Model):
    """One decision to send statements: a rule's on its day, once, or a person's to one customer."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="statement_runs")
    rule = models.ForeignKey(StatementRule, on_delete=models.SET_NULL, null=True, related_name="runs")
    # What the rule was called and said, which may change or be deleted before the mails are out.
    rule_name = models.CharField(max_length=100, blank=True)
    template = models.ForeignKey(ReminderTemplate, on_delete=models.PROTECT, related_name="+")
    # Its text of that moment.
    version = models.ForeignKey(TemplateVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    includes_settled = models.BooleanField(default=False)
    day = models.DateField()
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.SENT)
    held_because = models.TextField(blank=True)
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    mail_count = models.PositiveIntegerField(default=0)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "day"], name="one_statement_run_a_day"),
            models.CheckConstraint(name="statement_run_state", condition=Q(state__in=RunState.values)),
        ]
        indexes = [models.Index(fields=["merchant", "-id"], name="statement_run_by_merchant")]

    def counts_of_mails(self) -> "MailCounts":
        """Count what became of the mails, in one query."""
        under_way = [MailState.QUEUED, MailState.SENDING, MailState.DEFERRED]
        counts = self.statements.aggregate(
            sent=Count("id", filter=Q(mail__state=MailState.SENT)),
            under_way=Count("id", filter=Q(mail__state__in=under_way)),
            withdrawn=Count("id", filter=Q(mail__state=MailState.WITHDRAWN)),
            troubled=Count("id", filter=Q(mail__state__in=[MailState.FAILED, MailState.BOUNCED])),
        )
        return MailCounts(**counts)


@dataclass(frozen=True, slots=True)
class MailCounts:
    """What became of the mails of a run."""

    sent: int
    under_way: int
    withdrawn: int
    troubled: int


class Statement(models.Model):
    """One mail to one customer about all that is owed, in whatever currencies."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="statements", db_constraint=False)
    run = models.ForeignKey(StatementRun, on_delete=models.CASCADE, related_name="statements", db_index=False)
    mail = models.OneToOneField(Mail, on_delete=models.CASCADE, related_name="statement")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "customer"], name="statement_once_a_run"),
            models.UniqueConstraint(fields=["id", "customer"], name="statement_of_customer"),
        ]


class StatementRequest(models.Model):
    """What a statement's buttons pay in one currency. Composite foreign keys keep other customers' requests away."""

    id = models.BigAutoField(primary_key=True)
    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="requests", db_constraint=False)
    request = models.OneToOneField(
        PaymentRequest, on_delete=models.PROTECT, related_name="statement_request", db_constraint=False
    )
    customer_id = models.UUIDField()


class StatementOmission(models.Model):
    """A customer who owes and fits a rule, and got no statement of a run, and why."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(StatementRun, on_delete=models.CASCADE, related_name="omissions", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="statement_omissions")
    reason = models.CharField(max_length=16, choices=NoStatement.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "customer"], name="statement_omission_once"),
            models.CheckConstraint(name="statement_omission_reason", condition=Q(reason__in=NoStatement.values)),
        ]
