"""Rules, templates, the runs of each day with what they sent and left out, holds, and kept rehearsals."""

import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models
from django.db.migrations.operations import CreateModel

from payorcrm.core.ids import uuid7
from payorcrm.core.schema import CreateModels


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("customers", "0001_schema"),
        ("invoices", "0001_schema"),
        ("mail", "0001_schema"),
        ("merchants", "0001_schema"),
        ("payments", "0001_schema"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    replaces = [
        ("reminders", "0001_initial"),
        ("reminders", "0002_rehearsals_and_stopped_runs"),
        ("reminders", "0003_rules"),
        ("reminders", "0004_holds_end"),
        ("reminders", "0005_template_versions"),
        ("reminders", "0007_removed_rules"),
        ("reminders", "0008_steps_and_omissions"),
        ("reminders", "0009_suppressed"),
        ("reminders", "0010_subdivisions"),
        ("reminders", "0013_holds_end_by_themselves"),
        ("reminders", "0014_kept_rehearsals"),
        ("reminders", "0016_compared_rehearsals"),
    ]

    operations = [
        CreateModels(
            CreateModel(
                name="ReminderTemplate",
                fields=[
                    ("subject", models.CharField(max_length=300)),
                    ("body", models.TextField(max_length=50000)),
                    (
                        "variants",
                        models.JSONField(db_default=models.Value({}, output_field=models.JSONField()), default=dict),
                    ),
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            on_delete=models.CASCADE, related_name="reminder_templates", to="merchants.merchant"
                        ),
                    ),
                    ("name", models.CharField(max_length=100)),
                    ("is_default", models.BooleanField(default=False)),
                    (
                        "saved_by",
                        models.ForeignKey(
                            null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                        ),
                    ),
                    ("updated_at", models.DateTimeField(auto_now=True)),
                    ("deleted_at", models.DateTimeField(null=True)),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(
                            condition=models.Q(("deleted_at__isnull", True)),
                            fields=("merchant", "name"),
                            name="template_name_unique",
                        ),
                        models.UniqueConstraint(
                            condition=models.Q(("is_default", True)), fields=("merchant",), name="one_default_template"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("is_default", False), ("deleted_at__isnull", True), _connector="OR"),
                            name="default_template_is_not_deleted",
                        ),
                    ]
                },
            ),
            CreateModel(
                name="TemplateVersion",
                fields=[
                    ("subject", models.CharField(max_length=300)),
                    ("body", models.TextField(max_length=50000)),
                    (
                        "variants",
                        models.JSONField(db_default=models.Value({}, output_field=models.JSONField()), default=dict),
                    ),
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "template",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=models.CASCADE,
                            related_name="versions",
                            to="reminders.remindertemplate",
                        ),
                    ),
                    ("number", models.PositiveIntegerField()),
                    (
                        "saved_by",
                        models.ForeignKey(
                            null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                        ),
                    ),
                    ("saved_at", models.DateTimeField()),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(fields=("template", "number"), name="template_version_once")
                    ]
                },
            ),
            CreateModel(
                name="Rule",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="rules", to="merchants.merchant"),
                    ),
                    ("name", models.CharField(max_length=100)),
                    (
                        "template",
                        models.ForeignKey(on_delete=models.PROTECT, related_name="+", to="reminders.remindertemplate"),
                    ),
                    ("conditions", models.JSONField()),
                    ("position", models.PositiveSmallIntegerField()),
                    ("is_active", models.BooleanField(db_default=False, default=False)),
                    ("active_since", models.DateField(null=True)),
                    ("removed_at", models.DateTimeField(null=True)),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(
                            condition=models.Q(("removed_at__isnull", True)),
                            fields=("merchant", "name"),
                            name="rule_name_unique",
                        ),
                        models.UniqueConstraint(fields=("merchant", "position"), name="rule_position_unique"),
                        models.CheckConstraint(
                            condition=models.Q(("is_active", False), ("active_since__isnull", False), _connector="OR"),
                            name="rule_active_since_a_day",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("is_active", False), ("removed_at__isnull", True), _connector="OR"),
                            name="rule_removed_is_off",
                        ),
                    ]
                },
            ),
            CreateModel(
                name="Schedule",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.OneToOneField(
                            on_delete=models.CASCADE, related_name="schedule", to="merchants.merchant"
                        ),
                    ),
                    ("send_at", models.TimeField(default=datetime.time(9, 0))),
                    ("weekdays", ArrayField(base_field=models.PositiveSmallIntegerField(), default=list, size=None)),
                    ("country", models.CharField(blank=True, max_length=2)),
                    ("subdivision", models.CharField(blank=True, db_default="", default="", max_length=40)),
                    (
                        "min_days_between",
                        models.PositiveSmallIntegerField(
                            default=3, validators=[MinValueValidator(1), MaxValueValidator(60)]
                        ),
                    ),
                    (
                        "brake_factor",
                        models.PositiveSmallIntegerField(
                            default=3, validators=[MinValueValidator(1), MaxValueValidator(100)]
                        ),
                    ),
                ],
            ),
            CreateModel(
                name="DayRun",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="day_runs", to="merchants.merchant"),
                    ),
                    ("day", models.DateField()),
                    ("step_days", ArrayField(base_field=models.DateField(), default=list, size=None)),
                    ("rules", models.JSONField(db_default=[], default=list)),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("sent", "Sent"),
                                ("held", "Waits for you"),
                                ("released", "Released"),
                                ("dropped", "Not sent"),
                            ],
                            default="sent",
                            max_length=10,
                        ),
                    ),
                    ("held_because", models.TextField(blank=True)),
                    ("started_at", models.DateTimeField()),
                    ("mail_count", models.PositiveIntegerField(default=0)),
                    ("invoice_count", models.PositiveIntegerField(default=0)),
                    ("oldest_due_on", models.DateField(null=True)),
                    (
                        "decided_by",
                        models.ForeignKey(
                            null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                        ),
                    ),
                    ("decided_at", models.DateTimeField(null=True)),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(fields=("merchant", "day"), name="one_run_a_day"),
                        models.CheckConstraint(
                            condition=models.Q(("state__in", ["sent", "held", "released", "dropped"])),
                            name="day_run_state",
                        ),
                    ]
                },
            ),
            CreateModel(
                name="ReminderRun",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            on_delete=models.CASCADE, related_name="reminder_runs", to="merchants.merchant"
                        ),
                    ),
                    (
                        "template",
                        models.ForeignKey(on_delete=models.PROTECT, related_name="+", to="reminders.remindertemplate"),
                    ),
                    (
                        "version",
                        models.ForeignKey(
                            db_index=False,
                            null=True,
                            on_delete=models.PROTECT,
                            related_name="+",
                            to="reminders.templateversion",
                        ),
                    ),
                    (
                        "started_by",
                        models.ForeignKey(
                            null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                        ),
                    ),
                    ("started_at", models.DateTimeField()),
                    ("min_days_overdue", models.PositiveIntegerField(default=1)),
                    (
                        "rule",
                        models.ForeignKey(null=True, on_delete=models.SET_NULL, related_name="+", to="reminders.rule"),
                    ),
                    (
                        "day_run",
                        models.ForeignKey(
                            null=True, on_delete=models.CASCADE, related_name="reminder_runs", to="reminders.dayrun"
                        ),
                    ),
                    ("to_address", models.EmailField(blank=True, db_default="", default="", max_length=254)),
                    ("stopped_because", models.TextField(blank=True, db_default="", default="")),
                    ("reminder_count", models.PositiveIntegerField(default=0)),
                    ("invoice_count", models.PositiveIntegerField(default=0)),
                ],
            ),
            CreateModel(
                name="Reminder",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            on_delete=models.CASCADE,
                            related_name="+",
                            to="merchants.merchant",
                        ),
                    ),
                    (
                        "customer",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=models.CASCADE,
                            related_name="reminders",
                            to="customers.customer",
                        ),
                    ),
                    (
                        "run",
                        models.ForeignKey(
                            on_delete=models.CASCADE, related_name="reminders", to="reminders.reminderrun"
                        ),
                    ),
                    (
                        "request",
                        models.OneToOneField(
                            on_delete=models.PROTECT, related_name="reminder", to="payments.paymentrequest"
                        ),
                    ),
                    ("mail", models.OneToOneField(on_delete=models.CASCADE, related_name="reminder", to="mail.mail")),
                    ("left_out", models.JSONField(db_default={}, default=dict)),
                ],
            ),
            CreateModel(
                name="TemplateTest",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="+", to="merchants.merchant"),
                    ),
                    (
                        "customer",
                        models.ForeignKey(
                            null=True, on_delete=models.CASCADE, related_name="+", to="customers.customer"
                        ),
                    ),
                    ("subject", models.CharField(max_length=300)),
                    ("body", models.TextField(max_length=50000)),
                    ("language", models.CharField(max_length=16)),
                    (
                        "asked_by",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL),
                    ),
                    ("asked_at", models.DateTimeField()),
                ],
                options={"indexes": [models.Index(fields=["asked_by", "-asked_at"], name="template_tests_of_person")]},
            ),
            CreateModel(
                name="Step",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "rule",
                        models.ForeignKey(
                            db_index=False, on_delete=models.CASCADE, related_name="+", to="reminders.rule"
                        ),
                    ),
                    (
                        "invoice",
                        models.ForeignKey(
                            db_index=False, on_delete=models.CASCADE, related_name="steps", to="invoices.invoice"
                        ),
                    ),
                    ("day", models.DateField()),
                    (
                        "day_run",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="steps", to="reminders.dayrun"),
                    ),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("sent", "Mailed"),
                                ("held", "Waits with its run"),
                                ("dropped", "Dropped by a person"),
                                ("lapsed", "Not due any more when its run was released"),
                            ],
                            default="sent",
                            max_length=8,
                        ),
                    ),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(fields=("invoice", "rule", "day"), name="step_done_once"),
                        models.CheckConstraint(
                            condition=models.Q(("state__in", ["sent", "held", "dropped", "lapsed"])), name="step_state"
                        ),
                    ]
                },
            ),
            CreateModel(
                name="Omission",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "day_run",
                        models.ForeignKey(
                            db_index=False, on_delete=models.CASCADE, related_name="omissions", to="reminders.dayrun"
                        ),
                    ),
                    (
                        "customer",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="omissions", to="customers.customer"),
                    ),
                    ("currency", models.CharField(max_length=3)),
                    (
                        "rule",
                        models.ForeignKey(
                            db_index=False, on_delete=models.CASCADE, related_name="+", to="reminders.rule"
                        ),
                    ),
                    (
                        "invoice",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="omissions", to="invoices.invoice"),
                    ),
                    ("day", models.DateField()),
                    (
                        "reason",
                        models.CharField(
                            choices=[
                                ("no_address", "No e-mail address"),
                                ("suppressed", "Mail came back, or was reported as spam"),
                                ("unsubscribed", "Unsubscribed from reminders"),
                                ("not_reminded", "Reminders are switched off"),
                                ("on_hold", "On hold"),
                                ("processing", "A payment is under way"),
                                ("under_way", "A reminder is already under way"),
                                ("too_soon", "Reminded too short a time ago"),
                                ("settled", "Paid or void by then"),
                                ("not_due", "Not overdue any more"),
                            ],
                            max_length=16,
                        ),
                    ),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(fields=("day_run", "invoice", "rule", "day"), name="omission_once"),
                        models.CheckConstraint(
                            condition=models.Q(
                                (
                                    "reason__in",
                                    [
                                        "no_address",
                                        "suppressed",
                                        "unsubscribed",
                                        "not_reminded",
                                        "on_hold",
                                        "processing",
                                        "under_way",
                                        "too_soon",
                                        "settled",
                                        "not_due",
                                    ],
                                )
                            ),
                            name="omission_reason",
                        ),
                    ]
                },
            ),
            CreateModel(
                name="Hold",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            db_index=False, on_delete=models.CASCADE, related_name="+", to="merchants.merchant"
                        ),
                    ),
                    (
                        "customer",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="holds", to="customers.customer"),
                    ),
                    (
                        "invoice",
                        models.ForeignKey(
                            null=True, on_delete=models.CASCADE, related_name="holds", to="invoices.invoice"
                        ),
                    ),
                    (
                        "reason",
                        models.CharField(
                            choices=[
                                ("promise", "Promised to pay"),
                                ("dispute", "Disputed"),
                                ("reply", "Replied to a reminder"),
                                ("autopay", "Pays automatically"),
                                ("bounced", "Address does not work"),
                                ("pause", "Paused"),
                            ],
                            max_length=10,
                        ),
                    ),
                    ("note", models.CharField(blank=True, max_length=300)),
                    ("address", models.EmailField(blank=True, db_default="", default="", max_length=254)),
                    ("until", models.DateField(null=True)),
                    (
                        "held_by",
                        models.ForeignKey(
                            null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                        ),
                    ),
                    ("held_at", models.DateTimeField()),
                    ("ended_at", models.DateTimeField(null=True)),
                    (
                        "ended_by",
                        models.ForeignKey(
                            null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                        ),
                    ),
                ],
                options={
                    "indexes": [models.Index(fields=["merchant", "-id"], name="hold_by_merchant")],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("reason__in", ["promise", "dispute", "reply", "autopay", "bounced", "pause"])
                            ),
                            name="hold_reason",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("until__isnull", False),
                                ("reason", "bounced"),
                                ("ended_at__isnull", False),
                                _connector="OR",
                            ),
                            name="hold_ends_by_itself",
                        ),
                    ],
                },
            ),
            CreateModel(
                name="KeptRehearsal",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            db_index=False, on_delete=models.CASCADE, related_name="+", to="merchants.merchant"
                        ),
                    ),
                    ("fingerprint", models.CharField(max_length=64)),
                    ("asked_at", models.DateTimeField()),
                    ("worked_out_at", models.DateTimeField(null=True)),
                    ("rule_count", models.PositiveIntegerField(default=0)),
                    ("invoice_count", models.PositiveIntegerField(default=0)),
                    ("draft", models.JSONField(null=True)),
                    (
                        "compared_with",
                        models.ForeignKey(
                            null=True, on_delete=models.CASCADE, related_name="+", to="reminders.keptrehearsal"
                        ),
                    ),
                    ("counts", models.JSONField(default=dict)),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(fields=("merchant", "fingerprint"), name="rehearsal_kept_once"),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("compared_with__isnull", True), ("draft__isnull", True)),
                                models.Q(("compared_with__isnull", False), ("draft__isnull", False)),
                                _connector="OR",
                            ),
                            name="rehearsal_of_draft_is_compared",
                        ),
                    ]
                },
            ),
            CreateModel(
                name="RehearsedDay",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "rehearsal",
                        models.ForeignKey(
                            db_index=False, on_delete=models.CASCADE, related_name="days", to="reminders.keptrehearsal"
                        ),
                    ),
                    ("day", models.DateField()),
                    ("mail_count", models.PositiveIntegerField()),
                    ("invoice_count", models.PositiveIntegerField()),
                    ("totals", models.JSONField(default=list)),
                    ("held_because", models.TextField(blank=True)),
                ],
                options={
                    "constraints": [models.UniqueConstraint(fields=("rehearsal", "day"), name="rehearsed_day_once")]
                },
            ),
            CreateModel(
                name="RehearsedMail",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "rehearsal",
                        models.ForeignKey(
                            db_index=False, on_delete=models.CASCADE, related_name="mails", to="reminders.keptrehearsal"
                        ),
                    ),
                    ("day", models.DateField()),
                    (
                        "customer",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            on_delete=models.DO_NOTHING,
                            related_name="+",
                            to="customers.customer",
                        ),
                    ),
                    (
                        "rule",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            on_delete=models.DO_NOTHING,
                            related_name="+",
                            to="reminders.rule",
                        ),
                    ),
                    ("currency", models.CharField(max_length=3)),
                    ("amount", models.BigIntegerField()),
                    ("invoice_ids", ArrayField(base_field=models.UUIDField(), size=None)),
                ],
                options={"indexes": [models.Index(fields=["rehearsal", "day", "id"], name="rehearsed_mail_by_day")]},
            ),
            CreateModel(
                name="RehearsedChange",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "rehearsal",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=models.CASCADE,
                            related_name="changes",
                            to="reminders.keptrehearsal",
                        ),
                    ),
                    (
                        "kind",
                        models.CharField(
                            choices=[
                                ("added", "Added"),
                                ("gone", "Gone"),
                                ("moved", "Moved"),
                                ("written", "Written differently"),
                            ],
                            max_length=7,
                        ),
                    ),
                    (
                        "customer",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            on_delete=models.DO_NOTHING,
                            related_name="+",
                            to="customers.customer",
                        ),
                    ),
                    (
                        "before",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            null=True,
                            on_delete=models.DO_NOTHING,
                            related_name="+",
                            to="reminders.rehearsedmail",
                        ),
                    ),
                    (
                        "after",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            null=True,
                            on_delete=models.DO_NOTHING,
                            related_name="+",
                            to="reminders.rehearsedmail",
                        ),
                    ),
                ],
                options={"indexes": [models.Index(fields=["rehearsal", "id"], name="rehearsed_change_in_order")]},
            ),
        ),
    ]
