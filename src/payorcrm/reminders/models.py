"""Templates of reminder mails, rules, holds, runs that send them, and one row for each reminder."""

from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Value

from payorcrm.core.ids import uuid7
from payorcrm.core.models import User
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant
from payorcrm.payments.models import PaymentRequest
from payorcrm.reminders import rehearsal_models  # noqa: F401 - through this file Django finds the package's tables


class TemplateManager(models.Manager["ReminderTemplate"]):
    """The templates that were not deleted."""

    def get_queryset(self) -> models.QuerySet["ReminderTemplate"]:
        """Leave out what somebody deleted; sent mails still name it."""
        return super().get_queryset().filter(deleted_at__isnull=True)


class Texts(models.Model):
    """Subject and HTML body with merge fields: one text for everybody, and others for some languages."""

    subject = models.CharField(max_length=300)
    body = models.TextField(max_length=50_000)
    # {"es": {"subject": …, "body": …}}
    variants = models.JSONField(default=dict, db_default=Value({}, output_field=models.JSONField()))

    class Meta:
        abstract = True

    def text_in(self, language: str) -> tuple[str, str]:
        """Return subject and body for a customer who speaks a language."""
        variant = self.variants.get(language)
        return (variant["subject"], variant["body"]) if variant else (self.subject, self.body)


class ReminderTemplate(Texts):
    """What a reminder says. The database keeps every text that it ever had, as a `TemplateVersion`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="reminder_templates")
    name = models.CharField(max_length=100)
    is_default = models.BooleanField(default=False)
    saved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)

    objects = TemplateManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "name"],
                condition=models.Q(deleted_at__isnull=True),
                name="template_name_unique",
            ),
            models.UniqueConstraint(
                fields=["merchant"], condition=models.Q(is_default=True), name="one_default_template"
            ),
            models.CheckConstraint(
                name="default_template_is_not_deleted",
                condition=models.Q(is_default=False) | models.Q(deleted_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TemplateVersion(Texts):
    """A text that a template had. A trigger writes it whenever the text changes, and another one keeps it as it is."""

    id = models.BigAutoField(primary_key=True)
    template = models.ForeignKey(ReminderTemplate, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    saved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="template_version_once")]

    def __str__(self) -> str:
        return f"version {self.number}"


class Rule(models.Model):
    """Which invoices are due for a reminder on a day, and with which template. Off until somebody switches it on."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="rules")
    name = models.CharField(max_length=100)
    template = models.ForeignKey(ReminderTemplate, on_delete=models.PROTECT, related_name="+")
    # A tree that `conditions.check_tree` accepts.
    conditions = models.JSONField()
    # Where several rules match one customer, the one of the highest position writes the mail.
    position = models.PositiveSmallIntegerField()
    is_active = models.BooleanField(default=False, db_default=False)
    active_since = models.DateField(null=True)  # no step of an earlier day is ever due
    # A removed rule stays, so that what it sent keeps its reason.
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "name"], condition=models.Q(removed_at__isnull=True), name="rule_name_unique"
            ),
            models.UniqueConstraint(fields=["merchant", "position"], name="rule_position_unique"),
            models.CheckConstraint(
                name="rule_active_since_a_day",
                condition=models.Q(is_active=False) | models.Q(active_since__isnull=False),
            ),
            models.CheckConstraint(
                name="rule_removed_is_off", condition=models.Q(is_active=False) | models.Q(removed_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Schedule(models.Model):
    """When a merchant's rules send, how often one customer may hear of them, and when a run waits for a person."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.OneToOneField(Merchant, on_delete=models.CASCADE, related_name="schedule")
    send_at = models.TimeField(default=time(9))
    weekdays = ArrayField(models.PositiveSmallIntegerField(), default=list)  # Monday is 0
    country = models.CharField(max_length=2, blank=True)  # whose public holidays are no days to send
    subdivision = models.CharField(max_length=40, blank=True, default="", db_default="")  # its state or province
    min_days_between = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    brake_factor = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )


class DayRunState(models.TextChoices):
    """What became of a day's run."""

    SENT = "sent", "Sent"
    HELD = "held", "Waits for you"
    RELEASED = "released", "Released"
    DROPPED = "dropped", "Not sent"


@dataclass(frozen=True, slots=True)
class Found:
    """How much a run would send, and the due date of its oldest invoice."""

    mail_count: int
    invoice_count: int
    oldest_due_on: date | None


class DayRun(models.Model):
    """One run of a merchant's rules. The database allows one a day, whatever number of schedulers there is."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="day_runs")
    day = models.DateField()
    step_days = ArrayField(models.DateField(), default=list)  # whose steps the run sends
    # What the rules said then: id, name, since when, conditions.
    rules = models.JSONField(default=list, db_default=[])
    state = models.CharField(max_length=10, choices=DayRunState.choices, default=DayRunState.SENT)
    held_because = models.TextField(blank=True)
    started_at = models.DateTimeField()
    mail_count = models.PositiveIntegerField(default=0)
    invoice_count = models.PositiveIntegerField(default=0)
    oldest_due_on = models.DateField(null=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "day"], name="one_run_a_day"),
            models.CheckConstraint(name="day_run_state", condition=models.Q(state__in=DayRunState.values)),
        ]

    def count(self, found: Found) -> None:
        """Take over how much was found; it is not saved yet."""
        self.mail_count, self.invoice_count = found.mail_count, found.invoice_count
        self.oldest_due_on = found.oldest_due_on


class ReminderRun(models.Model):
    """One decision to remind: by whom, with which template, of which customers."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="reminder_runs")
    template = models.ForeignKey(ReminderTemplate, on_delete=models.PROTECT, related_name="+")
    # The text of that moment, which a trigger fills in; runs from before versions were kept have none.
    version = models.ForeignKey(TemplateVersion, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    started_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField()
    min_days_overdue = models.PositiveIntegerField(default=1)
    # Of a run by rules: its mails may speak of invoices that are not due yet.
    rule = models.ForeignKey(Rule, on_delete=models.SET_NULL, null=True, related_name="+")
    day_run = models.ForeignKey(DayRun, on_delete=models.CASCADE, null=True, related_name="reminder_runs")
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
    # Why an invoice that was chosen does not stand in the mail: id to `LeftOut`, noted when the mail is written.
    left_out = models.JSONField(default=dict, db_default={})


class StepState(models.TextChoices):
    """What became of a step."""

    SENT = "sent", "Mailed"
    HELD = "held", "Waits with its run"
    DROPPED = "dropped", "Dropped by a person"
    LAPSED = "lapsed", "Not due any more when its run was released"


class TemplateTest(models.Model):
    """A text that a member of the staff mailed to themselves, as one customer would get it; it reminds nobody."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, null=True, related_name="+")
    subject = models.CharField(max_length=300)
    body = models.TextField(max_length=50_000)
    language = models.CharField(max_length=16)
    asked_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    asked_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["asked_by", "-asked_at"], name="template_tests_of_person")]


class Step(models.Model):
    """A rule that was due for an invoice on a day, and a run that took it. Never twice."""

    # A step that was mailed has a request, which keeps the invoice; the others keep nobody from undoing an import.
    goes_with_its_invoice = True

    id = models.BigAutoField(primary_key=True)
    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="+", db_index=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="steps", db_index=False)
    day = models.DateField()
    day_run = models.ForeignKey(DayRun, on_delete=models.CASCADE, related_name="steps")
    state = models.CharField(max_length=8, choices=StepState.choices, default=StepState.SENT)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["invoice", "rule", "day"], name="step_done_once"),
            models.CheckConstraint(name="step_state", condition=models.Q(state__in=StepState.values)),
        ]


class LeftOut(models.TextChoices):
    """Why a customer gets no mail, or a mail says nothing of an invoice."""

    NO_ADDRESS = "no_address", "No e-mail address"
    SUPPRESSED = "suppressed", "Mail came back, or was reported as spam"
    UNSUBSCRIBED = "unsubscribed", "Unsubscribed from reminders"
    NOT_REMINDED = "not_reminded", "Reminders are switched off"
    ON_HOLD = "on_hold", "On hold"
    PROCESSING = "processing", "A payment is under way"
    UNDER_WAY = "under_way", "A reminder is already under way"
    TOO_SOON = "too_soon", "Reminded too short a time ago"
    SETTLED = "settled", "Paid or void by then"
    NOT_DUE = "not_due", "Not overdue any more"


class Omission(models.Model):
    """A step that a run did not send, and why. A later run may send it."""

    goes_with_its_invoice = True

    id = models.BigAutoField(primary_key=True)
    day_run = models.ForeignKey(DayRun, on_delete=models.CASCADE, related_name="omissions", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="omissions")
    currency = models.CharField(max_length=3)
    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="+", db_index=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="omissions")
    day = models.DateField()
    reason = models.CharField(max_length=16, choices=LeftOut.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day_run", "invoice", "rule", "day"], name="omission_once"),
            models.CheckConstraint(name="omission_reason", condition=models.Q(reason__in=LeftOut.values)),
        ]


class HoldReason(models.TextChoices):
    """Why nobody is reminded for a while."""

    PROMISE = "promise", "Promised to pay"
    DISPUTE = "dispute", "Disputed"
    REPLY = "reply", "Replied to a reminder"
    AUTOPAY = "autopay", "Pays automatically"
    BOUNCED = "bounced", "Address does not work"
    PAUSE = "pause", "Paused"


# What nobody can guess the last day of.
REASONS_WITH_A_DAY = (HoldReason.PROMISE, HoldReason.PAUSE)
# After how many days the others end if nobody says a last day; the staff look at them around that day.
REVIEWED_AFTER = {HoldReason.DISPUTE: 14, HoldReason.REPLY: 7, HoldReason.AUTOPAY: 90}
# What is over as soon as what it is about is paid, void or written off; the database ends it.
ENDS_WHEN_SETTLED = (HoldReason.PROMISE, HoldReason.DISPUTE, HoldReason.REPLY)
# From so many days before its last day until so many after it, a hold is to be looked at.
REVIEW_BEFORE, REVIEW_AFTER = timedelta(days=2), timedelta(days=7)


class HoldQuerySet(models.QuerySet["Hold"]):
    """Filters that read like the business."""

    def active(self, *, today: date) -> Self:
        """Those that stop mails today; `today` is the merchant's."""
        return self.filter(ended_at__isnull=True).filter(models.Q(until__isnull=True) | models.Q(until__gte=today))

    def to_review(self, *, today: date) -> Self:
        """Those whose last day comes or has just passed, so that somebody prolongs them or lets reminders go on."""
        days = (today - REVIEW_AFTER, today + REVIEW_BEFORE)
        return self.filter(ended_at__isnull=True, reason__in=REVIEWED_AFTER, until__range=days)


class Hold(models.Model):
    """Stops reminders to a customer, or about one invoice, and ends by itself, or earlier by a person."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="holds")
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, null=True, related_name="holds")
    reason = models.CharField(max_length=10, choices=HoldReason.choices)
    note = models.CharField(max_length=300, blank=True)
    # Of a bounce: the database ends the hold when the customer's mails go somewhere else.
    address = models.EmailField(blank=True, default="", db_default="")
    until = models.DateField(null=True)  # the last day
    held_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    held_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = HoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="hold_reason", condition=models.Q(reason__in=HoldReason.values)),
            # A bounce ends with the address.
            models.CheckConstraint(
                name="hold_ends_by_itself",
                condition=models.Q(until__isnull=False)
                | models.Q(reason=HoldReason.BOUNCED)
                | models.Q(ended_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["merchant", "-id"], name="hold_by_merchant")]

    @property
    def is_reviewed(self) -> bool:
        """Whether it ends on a day that is a guess, and may be prolonged by a press."""
        return self.reason in REVIEWED_AFTER

    @property
    def ends_when_settled(self) -> bool:
        """Whether it ends before its last day if what it is about is settled."""
        return self.reason in ENDS_WHEN_SETTLED

    def has_passed(self, today: date) -> bool:
        """Say whether its last day is over."""
        return self.until is not None and self.until < today
