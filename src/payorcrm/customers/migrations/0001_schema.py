"""Customers: who they are, who sees their pages, and how they are invited, written to and noted."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.migrations.operations import CreateModel
from django.db.models.functions import Lower

from payorcrm.core.ids import uuid7
from payorcrm.core.schema import CreateModels, composite_foreign_key


def of_the_same_merchant(table: str) -> migrations.RunSQL:
    return composite_foreign_key(
        table=table,
        columns=("customer_id", "merchant_id"),
        target="customers_customer",
        target_columns=("id", "merchant_id"),
    )


class Migration(migrations.Migration):
    initial = True

    dependencies = [("merchants", "0001_schema"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    replaces = [
        ("customers", "0001_initial"),
        ("customers", "0002_portal"),
        ("customers", "0003_notes"),
        ("customers", "0004_suppressed"),
    ]

    operations = [
        CreateModels(
            CreateModel(
                name="Customer",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="customers", to="merchants.merchant"),
                    ),
                    ("number", models.CharField(max_length=64)),
                    ("company_name", models.CharField(max_length=200)),
                    ("category", models.CharField(blank=True, max_length=64)),
                    ("phone", models.CharField(blank=True, max_length=40)),
                    ("address", models.TextField(blank=True, max_length=500)),
                    ("language", models.CharField(blank=True, max_length=10)),
                    ("is_reminded", models.BooleanField(default=True)),
                    ("unsubscribed_at", models.DateTimeField(blank=True, null=True)),
                    ("created_at", models.DateTimeField(auto_now_add=True)),
                ],
                options={
                    "indexes": [
                        models.Index(models.F("merchant"), Lower("company_name"), name="customer_by_company_name")
                    ],
                    "constraints": [
                        models.UniqueConstraint(fields=("merchant", "number"), name="customer_number_unique"),
                        models.UniqueConstraint(fields=("id", "merchant"), name="customer_of_merchant"),
                    ],
                },
            ),
            CreateModel(
                name="Contact",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="+", to="merchants.merchant"),
                    ),
                    (
                        "customer",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="contacts", to="customers.customer"),
                    ),
                    ("first_name", models.CharField(blank=True, max_length=100)),
                    ("last_name", models.CharField(blank=True, max_length=100)),
                    ("email", models.EmailField(blank=True, max_length=254)),
                    ("phone", models.CharField(blank=True, max_length=40)),
                    ("is_primary", models.BooleanField(default=False)),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(
                            condition=models.Q(("is_primary", True)), fields=("customer",), name="one_primary_contact"
                        )
                    ]
                },
            ),
            CreateModel(
                name="PortalAccess",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="+", to="merchants.merchant"),
                    ),
                    (
                        "customer",
                        models.ForeignKey(
                            on_delete=models.CASCADE, related_name="portal_accesses", to="customers.customer"
                        ),
                    ),
                    (
                        "user",
                        models.ForeignKey(
                            on_delete=models.CASCADE, related_name="portal_accesses", to=settings.AUTH_USER_MODEL
                        ),
                    ),
                    ("created_at", models.DateTimeField(auto_now_add=True)),
                    ("last_used_at", models.DateTimeField(blank=True, null=True)),
                    ("removed_at", models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    "constraints": [models.UniqueConstraint(fields=("customer", "user"), name="portal_access_once")]
                },
            ),
            CreateModel(
                name="InvitationRun",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            on_delete=models.CASCADE, related_name="invitation_runs", to="merchants.merchant"
                        ),
                    ),
                    (
                        "started_by",
                        models.ForeignKey(
                            null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                        ),
                    ),
                    ("started_at", models.DateTimeField()),
                    ("finished_at", models.DateTimeField(blank=True, null=True)),
                ],
            ),
            CreateModel(
                name="InvitationLine",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            db_index=False, on_delete=models.CASCADE, related_name="+", to="merchants.merchant"
                        ),
                    ),
                    (
                        "run",
                        models.ForeignKey(
                            db_index=False, on_delete=models.CASCADE, related_name="lines", to="customers.invitationrun"
                        ),
                    ),
                    (
                        "customer",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="+", to="customers.customer"),
                    ),
                    (
                        "outcome",
                        models.CharField(
                            choices=[
                                ("waiting", "Waiting"),
                                ("invited", "Invited"),
                                ("no_address", "No e-mail address"),
                                ("suppressed", "Mail came back, or was reported as spam"),
                                ("signs_in", "Signs in already"),
                                ("removed", "Access was removed"),
                            ],
                            default="waiting",
                            max_length=16,
                        ),
                    ),
                ],
                options={
                    "indexes": [
                        models.Index(
                            condition=models.Q(("outcome", "waiting")),
                            fields=["run", "id"],
                            name="invitation_line_waiting",
                        )
                    ],
                    "constraints": [
                        models.UniqueConstraint(fields=("run", "customer"), name="invitation_line_once"),
                        models.CheckConstraint(
                            condition=models.Q(
                                (
                                    "outcome__in",
                                    ["waiting", "invited", "no_address", "suppressed", "signs_in", "removed"],
                                )
                            ),
                            name="invitation_line_outcome",
                        ),
                    ],
                },
            ),
            CreateModel(
                name="Invitation",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            db_index=False, on_delete=models.CASCADE, related_name="+", to="merchants.merchant"
                        ),
                    ),
                    (
                        "access",
                        models.OneToOneField(
                            on_delete=models.CASCADE, related_name="invitation", to="customers.portalaccess"
                        ),
                    ),
                    ("refresh_count", models.PositiveIntegerField(default=0)),
                    ("password_digest", models.BinaryField()),
                    ("invited_at", models.DateTimeField()),
                    ("expires_at", models.DateTimeField()),
                    ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ],
            ),
            CreateModel(
                name="AccessAsk",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="+", to="merchants.merchant"),
                    ),
                    (
                        "kind",
                        models.CharField(
                            choices=[("password", "Forgot password"), ("registration", "Registration")], max_length=16
                        ),
                    ),
                    ("email", models.EmailField(max_length=254)),
                    ("invoice_number", models.CharField(blank=True, max_length=64)),
                    ("asked_at", models.DateTimeField()),
                    ("answered_at", models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("kind__in", ["password", "registration"])), name="access_ask_kind"
                        )
                    ]
                },
            ),
            CreateModel(
                name="Viewing",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="+", to="merchants.merchant"),
                    ),
                    (
                        "customer",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="viewings", to="customers.customer"),
                    ),
                    (
                        "user",
                        models.ForeignKey(on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                    ),
                    ("started_at", models.DateTimeField()),
                    ("ended_at", models.DateTimeField(blank=True, null=True)),
                ],
            ),
            CreateModel(
                name="Note",
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
                        models.ForeignKey(
                            db_index=False, on_delete=models.CASCADE, related_name="notes", to="customers.customer"
                        ),
                    ),
                    (
                        "author",
                        models.ForeignKey(on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                    ),
                    ("text", models.TextField(max_length=4000)),
                    ("written_at", models.DateTimeField()),
                    ("edited_at", models.DateTimeField(blank=True, null=True)),
                ],
                options={"indexes": [models.Index(fields=["customer", "-written_at", "-id"], name="note_by_customer")]},
            ),
            CreateModel(
                name="Notification",
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
                        models.ForeignKey(
                            db_index=False,
                            on_delete=models.CASCADE,
                            related_name="notifications",
                            to="customers.customer",
                        ),
                    ),
                    (
                        "topic",
                        models.CharField(
                            choices=[
                                ("reminders", "Reminders of invoices"),
                                ("payments", "Receipts and news of payments"),
                                ("methods", "Saved cards and bank accounts"),
                            ],
                            max_length=16,
                        ),
                    ),
                    ("is_wanted", models.BooleanField(default=True)),
                    (
                        "to",
                        ArrayField(base_field=models.EmailField(max_length=254), blank=True, default=list, size=None),
                    ),
                    (
                        "cc",
                        ArrayField(base_field=models.EmailField(max_length=254), blank=True, default=list, size=None),
                    ),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(fields=("customer", "topic"), name="notification_once"),
                        models.CheckConstraint(
                            condition=models.Q(("topic__in", ["reminders", "payments", "methods"])),
                            name="notification_topic",
                        ),
                    ]
                },
            ),
            CreateModel(
                name="Import",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(on_delete=models.PROTECT, related_name="imports", to="merchants.merchant"),
                    ),
                    (
                        "kind",
                        models.CharField(choices=[("customers", "Customers"), ("invoices", "Invoices")], max_length=16),
                    ),
                    ("file_name", models.CharField(max_length=255)),
                    ("finished_at", models.DateTimeField()),
                    ("new_count", models.PositiveIntegerField()),
                    ("changed_count", models.PositiveIntegerField()),
                    ("unchanged_count", models.PositiveIntegerField()),
                    ("skipped_count", models.PositiveIntegerField()),
                ],
                options={
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("kind__in", ["customers", "invoices"])), name="import_kind"
                        )
                    ]
                },
            ),
        ),
        of_the_same_merchant("customers_invitationline"),
        of_the_same_merchant("customers_viewing"),
        of_the_same_merchant("customers_notification"),
        of_the_same_merchant("customers_portalaccess"),
    ]
