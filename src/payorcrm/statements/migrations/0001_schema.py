"""Rules of statements, the runs of each day, and what they sent and left out."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models
from django.db.migrations.operations import CreateModel

from payorcrm.core.ids import uuid7
from payorcrm.core.schema import CreateModels, composite_foreign_key

# Rules of statements keep their templates as rules of reminders do: neither is taken from under the other.
TRIGGERS = """
CREATE FUNCTION refuse_deletion_of_statement_template() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT FROM statements_statementrule WHERE template_id = NEW.id) THEN
        RAISE 'rule_needs_its_template: template % is in use', NEW.id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'rule_needs_its_template';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER statement_rule_needs_its_template BEFORE INSERT OR UPDATE OF template_id ON statements_statementrule
    FOR EACH ROW EXECUTE FUNCTION refuse_deleted_template();
CREATE TRIGGER statement_rules_need_this_template BEFORE UPDATE OF deleted_at ON reminders_remindertemplate
    FOR EACH ROW WHEN (NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL)
    EXECUTE FUNCTION refuse_deletion_of_statement_template();
"""
NO_TRIGGERS = """
DROP TRIGGER statement_rule_needs_its_template ON statements_statementrule;
DROP TRIGGER statement_rules_need_this_template ON reminders_remindertemplate;
DROP FUNCTION refuse_deletion_of_statement_template();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("customers", "0001_schema"),
        ("mail", "0001_schema"),
        ("merchants", "0001_schema"),
        ("payments", "0001_schema"),
        ("reminders", "0002_triggers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    replaces = [
        ("statements", "0001_initial"),
        ("statements", "0002_suppressed"),
        ("statements", "0003_rules_keep_templates"),
    ]

    operations = [
        CreateModels(
            CreateModel(
                name="StatementRule",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            on_delete=models.CASCADE, related_name="statement_rules", to="merchants.merchant"
                        ),
                    ),
                    ("name", models.CharField(max_length=100)),
                    (
                        "template",
                        models.ForeignKey(on_delete=models.PROTECT, related_name="+", to="reminders.remindertemplate"),
                    ),
                    (
                        "weekday",
                        models.PositiveSmallIntegerField(
                            choices=[
                                (0, "Monday"),
                                (1, "Tuesday"),
                                (2, "Wednesday"),
                                (3, "Thursday"),
                                (4, "Friday"),
                                (5, "Saturday"),
                                (6, "Sunday"),
                            ],
                            null=True,
                        ),
                    ),
                    (
                        "month_day",
                        models.PositiveSmallIntegerField(
                            null=True, validators=[MinValueValidator(1), MaxValueValidator(31)]
                        ),
                    ),
                    ("conditions", models.JSONField(blank=True, default=dict)),
                    ("includes_settled", models.BooleanField(default=False)),
                    ("is_active", models.BooleanField(db_default=False, default=False)),
                    ("active_since", models.DateField(null=True)),
                    ("expected_count", models.PositiveIntegerField(db_default=0, default=0)),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(fields=("merchant", "name"), name="statement_rule_name_unique"),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("month_day__isnull", True), ("weekday__range", (0, 6))),
                                models.Q(("month_day__range", (1, 31)), ("weekday__isnull", True)),
                                _connector="OR",
                            ),
                            name="statement_rule_one_kind_of_day",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("is_active", False), ("active_since__isnull", False), _connector="OR"),
                            name="statement_rule_active_since_a_day",
                        ),
                    ]
                },
            ),
            CreateModel(
                name="StatementRun",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            on_delete=models.CASCADE, related_name="statement_runs", to="merchants.merchant"
                        ),
                    ),
                    (
                        "rule",
                        models.ForeignKey(
                            null=True, on_delete=models.SET_NULL, related_name="runs", to="statements.statementrule"
                        ),
                    ),
                    ("rule_name", models.CharField(blank=True, max_length=100)),
                    (
                        "template",
                        models.ForeignKey(on_delete=models.PROTECT, related_name="+", to="reminders.remindertemplate"),
                    ),
                    (
                        "version",
                        models.ForeignKey(
                            db_index=False, on_delete=models.PROTECT, related_name="+", to="reminders.templateversion"
                        ),
                    ),
                    ("includes_settled", models.BooleanField(default=False)),
                    ("day", models.DateField()),
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
                    (
                        "started_by",
                        models.ForeignKey(
                            null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                        ),
                    ),
                    ("mail_count", models.PositiveIntegerField(default=0)),
                    (
                        "decided_by",
                        models.ForeignKey(
                            null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                        ),
                    ),
                    ("decided_at", models.DateTimeField(null=True)),
                ],
                options={
                    "indexes": [models.Index(fields=["merchant", "-id"], name="statement_run_by_merchant")],
                    "constraints": [
                        models.UniqueConstraint(fields=("rule", "day"), name="one_statement_run_a_day"),
                        models.CheckConstraint(
                            condition=models.Q(("state__in", ["sent", "held", "released", "dropped"])),
                            name="statement_run_state",
                        ),
                    ],
                },
            ),
            CreateModel(
                name="Statement",
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
                            related_name="statements",
                            to="customers.customer",
                        ),
                    ),
                    (
                        "run",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=models.CASCADE,
                            related_name="statements",
                            to="statements.statementrun",
                        ),
                    ),
                    ("mail", models.OneToOneField(on_delete=models.CASCADE, related_name="statement", to="mail.mail")),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(fields=("run", "customer"), name="statement_once_a_run"),
                        models.UniqueConstraint(fields=("id", "customer"), name="statement_of_customer"),
                    ]
                },
            ),
            CreateModel(
                name="StatementRequest",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "statement",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=models.CASCADE,
                            related_name="requests",
                            to="statements.statement",
                        ),
                    ),
                    (
                        "request",
                        models.OneToOneField(
                            db_constraint=False,
                            on_delete=models.PROTECT,
                            related_name="statement_request",
                            to="payments.paymentrequest",
                        ),
                    ),
                    ("customer_id", models.UUIDField()),
                ],
            ),
            CreateModel(
                name="StatementOmission",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "run",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=models.CASCADE,
                            related_name="omissions",
                            to="statements.statementrun",
                        ),
                    ),
                    (
                        "customer",
                        models.ForeignKey(
                            on_delete=models.CASCADE, related_name="statement_omissions", to="customers.customer"
                        ),
                    ),
                    (
                        "reason",
                        models.CharField(
                            choices=[
                                ("no_address", "No e-mail address"),
                                ("suppressed", "Mails do not reach the address"),
                                ("unsubscribed", "Unsubscribed from reminders"),
                                ("not_reminded", "Reminders are switched off"),
                                ("on_hold", "On hold"),
                            ],
                            max_length=16,
                        ),
                    ),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(fields=("run", "customer"), name="statement_omission_once"),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("reason__in", ["no_address", "suppressed", "unsubscribed", "not_reminded", "on_hold"])
                            ),
                            name="statement_omission_reason",
                        ),
                    ]
                },
            ),
        ),
        composite_foreign_key(
            table="statements_statement",
            columns=("customer_id", "merchant_id"),
            target="customers_customer",
            target_columns=("id", "merchant_id"),
        ),
        composite_foreign_key(
            table="statements_statementrequest",
            columns=("statement_id", "customer_id"),
            target="statements_statement",
            target_columns=("id", "customer_id"),
        ),
        composite_foreign_key(
            table="statements_statementrequest",
            columns=("request_id", "customer_id"),
            target="payments_paymentrequest",
            target_columns=("id", "customer_id"),
        ),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
