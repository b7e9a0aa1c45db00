"""Invoices with their lines, documents, files and events, and the files that they are imported from."""

from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations import CreateModel

from payorcrm.core.ids import uuid7
from payorcrm.core.schema import CreateModels, composite_foreign_key


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("customers", "0001_schema"),
        ("merchants", "0001_schema"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    replaces = [
        ("invoices", "0001_initial"),
        ("invoices", "0002_customer_of_the_same_merchant"),
        ("invoices", "0003_portal"),
        ("invoices", "0005_unpaid_index"),
        ("invoices", "0007_import_files"),
        ("invoices", "0008_money"),
        ("invoices", "0009_money_valid"),
        ("invoices", "0010_manual"),
        ("invoices", "0011_days_sales_index"),
    ]

    operations = [
        CreateModels(
            CreateModel(
                name="Invoice",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            on_delete=models.PROTECT,
                            related_name="invoices",
                            to="merchants.merchant",
                        ),
                    ),
                    (
                        "customer",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            on_delete=models.PROTECT,
                            related_name="invoices",
                            to="customers.customer",
                        ),
                    ),
                    ("number", models.CharField(max_length=64)),
                    (
                        "status",
                        models.CharField(
                            choices=[
                                ("draft", "Draft"),
                                ("open", "Open"),
                                ("paid", "Paid"),
                                ("void", "Void"),
                                ("written_off", "Written off"),
                            ],
                            default="open",
                            max_length=16,
                        ),
                    ),
                    ("issued_on", models.DateField()),
                    ("due_on", models.DateField()),
                    ("currency", models.CharField(max_length=3)),
                    ("total", models.BigIntegerField()),
                    ("balance", models.BigIntegerField()),
                    ("in_flight", models.BigIntegerField(db_default=0, default=0)),
                    ("last_reminded_at", models.DateTimeField(blank=True, null=True)),
                    ("created_at", models.DateTimeField(auto_now_add=True)),
                ],
                options={
                    "indexes": [
                        models.Index(
                            condition=models.Q(("status", "open")),
                            fields=["merchant", "due_on"],
                            include=("customer",),
                            name="invoice_open_by_due_date",
                        ),
                        models.Index(fields=["customer", "due_on"], name="invoice_by_customer"),
                        models.Index(
                            condition=models.Q(("status", "open")),
                            fields=["customer", "due_on", "id"],
                            name="invoice_open_by_customer",
                        ),
                        models.Index(
                            fields=["merchant", "currency", "-issued_on", "-id"], name="invoice_latest_of_currency"
                        ),
                    ],
                    "constraints": [
                        models.UniqueConstraint(fields=("merchant", "number"), name="invoice_number_unique"),
                        models.UniqueConstraint(fields=("id", "customer"), name="invoice_of_customer"),
                        models.CheckConstraint(
                            condition=models.Q(("in_flight__gte", 0)), name="invoice_in_flight_not_negative"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("in_flight__lte", models.F("balance"))),
                            name="invoice_in_flight_within_balance",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("balance__lte", models.F("total"))), name="invoice_balance_within_total"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("balance", 0), ("status__in", ["paid", "void", "written_off"])),
                                models.Q(("balance__gt", 0), ("status__in", ["open", "draft"])),
                                _connector="OR",
                            ),
                            name="invoice_status_fits_balance",
                        ),
                    ],
                },
            ),
            CreateModel(
                name="InvoiceEvent",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            on_delete=models.PROTECT,
                            related_name="+",
                            to="merchants.merchant",
                        ),
                    ),
                    (
                        "invoice",
                        models.ForeignKey(on_delete=models.PROTECT, related_name="events", to="invoices.invoice"),
                    ),
                    (
                        "kind",
                        models.CharField(
                            choices=[
                                ("changed", "Changed by an import"),
                                ("settled_elsewhere", "Settled elsewhere"),
                                ("voided", "Voided"),
                                ("written_off", "Written off"),
                                ("credited", "Credited"),
                                ("due_changed", "Due date changed"),
                                ("noted", "Note"),
                            ],
                            max_length=24,
                        ),
                    ),
                    ("at", models.DateTimeField()),
                    ("amount", models.BigIntegerField(default=0)),
                    ("note", models.TextField(blank=True)),
                    ("source_id", models.UUIDField(null=True)),
                    (
                        "made_by",
                        models.ForeignKey(
                            db_index=False,
                            null=True,
                            on_delete=models.SET_NULL,
                            related_name="+",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                ],
                options={
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                (
                                    "kind__in",
                                    [
                                        "changed",
                                        "settled_elsewhere",
                                        "voided",
                                        "written_off",
                                        "credited",
                                        "due_changed",
                                        "noted",
                                    ],
                                )
                            ),
                            name="invoice_event_kind",
                        )
                    ]
                },
            ),
            CreateModel(
                name="InvoiceLine",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            db_index=False, on_delete=models.PROTECT, related_name="+", to="merchants.merchant"
                        ),
                    ),
                    (
                        "invoice",
                        models.ForeignKey(
                            db_index=False, on_delete=models.CASCADE, related_name="lines", to="invoices.invoice"
                        ),
                    ),
                    ("position", models.PositiveSmallIntegerField()),
                    ("description", models.CharField(max_length=500)),
                    ("quantity", models.DecimalField(blank=True, decimal_places=3, max_digits=12, null=True)),
                    ("unit_price", models.BigIntegerField(blank=True, null=True)),
                    ("amount", models.BigIntegerField()),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(fields=("invoice", "position"), name="invoice_line_position")
                    ]
                },
            ),
            CreateModel(
                name="InvoiceDocument",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            db_index=False, on_delete=models.PROTECT, related_name="+", to="merchants.merchant"
                        ),
                    ),
                    (
                        "invoice",
                        models.OneToOneField(on_delete=models.CASCADE, related_name="document", to="invoices.invoice"),
                    ),
                    ("file_name", models.CharField(max_length=255)),
                    ("pdf", models.BinaryField()),
                    ("uploaded_at", models.DateTimeField()),
                ],
            ),
            CreateModel(
                name="InvoiceFile",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            db_index=False, on_delete=models.PROTECT, related_name="+", to="merchants.merchant"
                        ),
                    ),
                    (
                        "invoice",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="files", to="invoices.invoice"),
                    ),
                    ("file_name", models.CharField(max_length=255)),
                    ("content_type", models.CharField(max_length=100)),
                    ("content", models.BinaryField()),
                    ("byte_count", models.PositiveIntegerField()),
                    ("is_for_customer", models.BooleanField(default=False)),
                    (
                        "uploaded_by",
                        models.ForeignKey(
                            db_index=False,
                            null=True,
                            on_delete=models.SET_NULL,
                            related_name="+",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    ("uploaded_at", models.DateTimeField()),
                ],
            ),
            CreateModel(
                name="ImportFile",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="+", to="merchants.merchant"),
                    ),
                    (
                        "kind",
                        models.CharField(choices=[("customers", "Customers"), ("invoices", "Invoices")], max_length=16),
                    ),
                    ("file_name", models.CharField(max_length=255)),
                    ("content", models.BinaryField(null=True)),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("waiting", "Waiting for you"),
                                ("running", "Being imported"),
                                ("done", "Imported"),
                                ("failed", "Not imported"),
                                ("undone", "Undone"),
                            ],
                            default="waiting",
                            max_length=16,
                        ),
                    ),
                    ("choices", models.JSONField(default=dict)),
                    ("dates", models.CharField(blank=True, max_length=3)),
                    ("version", models.PositiveIntegerField(default=0)),
                    ("skips_bad_rows", models.BooleanField(default=False)),
                    ("sends_invitations", models.BooleanField(default=False)),
                    (
                        "uploaded_by",
                        models.ForeignKey(
                            null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                        ),
                    ),
                    ("uploaded_at", models.DateTimeField()),
                    ("finished_at", models.DateTimeField(blank=True, null=True)),
                    ("read", models.PositiveBigIntegerField(default=0)),
                    ("to_read", models.PositiveBigIntegerField(default=0)),
                    ("problem", models.TextField(blank=True)),
                    (
                        "record",
                        models.OneToOneField(
                            null=True, on_delete=models.SET_NULL, related_name="file", to="customers.import"
                        ),
                    ),
                    (
                        "invitation_run",
                        models.ForeignKey(
                            null=True, on_delete=models.SET_NULL, related_name="+", to="customers.invitationrun"
                        ),
                    ),
                ],
                options={
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("kind__in", ["customers", "invoices"])), name="import_file_kind"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("state__in", ["waiting", "running", "done", "failed", "undone"])),
                            name="import_file_state",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("content__isnull", False), ("state__in", ["done", "failed", "undone"]), _connector="OR"
                            ),
                            name="import_file_has_content",
                        ),
                    ]
                },
            ),
            CreateModel(
                name="ColumnChoices",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            db_index=False, on_delete=models.CASCADE, related_name="+", to="merchants.merchant"
                        ),
                    ),
                    (
                        "kind",
                        models.CharField(choices=[("customers", "Customers"), ("invoices", "Invoices")], max_length=16),
                    ),
                    ("choices", models.JSONField(default=dict)),
                    ("dates", models.CharField(blank=True, max_length=3)),
                ],
                options={
                    "constraints": [models.UniqueConstraint(fields=("merchant", "kind"), name="column_choices_once")]
                },
            ),
        ),
        # An invoice's customer belongs to the invoice's merchant; one composite key says both.
        composite_foreign_key(
            table="invoices_invoice",
            columns=("customer_id", "merchant_id"),
            target="customers_customer",
            target_columns=("id", "merchant_id"),
        ),
    ]
