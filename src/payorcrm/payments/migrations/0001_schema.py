"""Payments from the first question to the last refund, and what processors told of them."""

from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations import CreateModel
from django.db.models.expressions import CombinedExpression

from payorcrm.core.ids import uuid7
from payorcrm.core.schema import CreateModels


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("customers", "0001_schema"),
        ("invoices", "0001_schema"),
        ("merchants", "0001_schema"),
        ("payment_methods", "0001_schema"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    replaces = [
        ("payments", "0001_initial"),
        ("payments", "0003_payment_mandate"),
        ("payments", "0004_alter_paymentrequestline_invoice"),
        ("payments", "0005_portal"),
        ("payments", "0006_validate_constraints"),
        ("payments", "0007_dashboard"),
        ("payments", "0008_money"),
        ("payments", "0009_money_valid"),
        ("payments", "0010_settled_less_refunds"),
        ("payments", "0011_refund_parts"),
        ("payments", "0012_request_lines"),
    ]

    operations = [
        CreateModels(
            CreateModel(
                name="PaymentRequest",
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
                        "customer",
                        models.ForeignKey(on_delete=models.PROTECT, related_name="+", to="customers.customer"),
                    ),
                    ("currency", models.CharField(max_length=3)),
                    (
                        "origin",
                        models.CharField(
                            choices=[("mail", "A mail"), ("portal", "The portal")],
                            db_default="mail",
                            default="mail",
                            max_length=8,
                        ),
                    ),
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
                    ("created_at", models.DateTimeField()),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(fields=("id", "customer"), name="request_of_customer"),
                        models.CheckConstraint(
                            condition=models.Q(("origin__in", ["mail", "portal"])), name="request_origin"
                        ),
                    ]
                },
            ),
            CreateModel(
                name="PaymentRequestLine",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "request",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            on_delete=models.CASCADE,
                            related_name="lines",
                            to="payments.paymentrequest",
                        ),
                    ),
                    (
                        "invoice",
                        models.ForeignKey(
                            db_constraint=False, on_delete=models.PROTECT, related_name="+", to="invoices.invoice"
                        ),
                    ),
                    ("customer_id", models.UUIDField()),
                    ("amount", models.BigIntegerField(null=True)),
                ],
                options={
                    "indexes": [models.Index(fields=["request", "invoice"], name="request_line_of_invoice")],
                    "constraints": [
                        models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="request_line_amount")
                    ],
                },
            ),
            CreateModel(
                name="Confirmation",
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
                        "customer",
                        models.ForeignKey(on_delete=models.PROTECT, related_name="+", to="customers.customer"),
                    ),
                    (
                        "request",
                        models.ForeignKey(
                            on_delete=models.PROTECT, related_name="confirmations", to="payments.paymentrequest"
                        ),
                    ),
                    (
                        "method",
                        models.ForeignKey(
                            on_delete=models.PROTECT, related_name="+", to="payment_methods.paymentmethod"
                        ),
                    ),
                    ("amount", models.BigIntegerField()),
                    ("currency", models.CharField(max_length=3)),
                    ("token_digest", models.BinaryField(unique=True)),
                    ("code_attempt_count", models.PositiveSmallIntegerField(default=0)),
                    ("created_at", models.DateTimeField()),
                    ("expires_at", models.DateTimeField()),
                    ("last_sent_at", models.DateTimeField()),
                    ("closed_at", models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(
                            condition=models.Q(("closed_at__isnull", True)),
                            fields=("request", "method"),
                            name="one_open_confirmation",
                        ),
                        models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="confirmation_of_something"),
                        models.CheckConstraint(
                            condition=models.Q(("code_attempt_count__lte", 5)), name="confirmation_five_tries"
                        ),
                    ]
                },
            ),
            CreateModel(
                name="ConfirmationLine",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "confirmation",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="lines", to="payments.confirmation"),
                    ),
                    ("invoice", models.ForeignKey(on_delete=models.PROTECT, related_name="+", to="invoices.invoice")),
                    ("amount", models.BigIntegerField()),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(fields=("confirmation", "invoice"), name="confirmation_line_once"),
                        models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="confirmation_line_amount"),
                    ]
                },
            ),
            CreateModel(
                name="Payment",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            on_delete=models.PROTECT,
                            related_name="payments",
                            to="merchants.merchant",
                        ),
                    ),
                    (
                        "customer",
                        models.ForeignKey(
                            db_index=False, on_delete=models.PROTECT, related_name="payments", to="customers.customer"
                        ),
                    ),
                    (
                        "request",
                        models.ForeignKey(
                            null=True, on_delete=models.PROTECT, related_name="payments", to="payments.paymentrequest"
                        ),
                    ),
                    (
                        "method",
                        models.ForeignKey(
                            null=True,
                            on_delete=models.PROTECT,
                            related_name="payments",
                            to="payment_methods.paymentmethod",
                        ),
                    ),
                    (
                        "mandate",
                        models.ForeignKey(
                            db_index=False,
                            null=True,
                            on_delete=models.PROTECT,
                            related_name="+",
                            to="payment_methods.mandate",
                        ),
                    ),
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
                    ("gateway", models.CharField(blank=True, max_length=40)),
                    (
                        "offline_kind",
                        models.CharField(
                            blank=True,
                            choices=[
                                ("cheque", "Cheque"),
                                ("wire", "Bank transfer"),
                                ("cash", "Cash"),
                                ("other", "Another way"),
                            ],
                            db_default="",
                            default="",
                            max_length=8,
                        ),
                    ),
                    ("offline_reference", models.CharField(blank=True, db_default="", default="", max_length=100)),
                    ("received_on", models.DateField(null=True)),
                    (
                        "recorded_by",
                        models.ForeignKey(
                            db_index=False,
                            null=True,
                            on_delete=models.SET_NULL,
                            related_name="+",
                            to=settings.AUTH_USER_MODEL,
                        ),
                    ),
                    ("reference", models.CharField(max_length=24, unique=True)),
                    ("idempotency_key", models.CharField(max_length=80, unique=True)),
                    ("gateway_reference", models.CharField(blank=True, max_length=100)),
                    ("amount", models.BigIntegerField()),
                    ("refunded", models.BigIntegerField(db_default=0, default=0)),
                    ("refunding", models.BigIntegerField(db_default=0, default=0)),
                    ("currency", models.CharField(max_length=3)),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("submitting", "Checking"),
                                ("pending", "Processing"),
                                ("succeeded", "Paid"),
                                ("declined", "Declined"),
                                ("failed", "Not charged"),
                                ("returned", "Returned"),
                                ("refunded", "Refunded"),
                                ("disputed", "Disputed"),
                                ("canceled", "Canceled"),
                                ("reversed", "Reversed"),
                            ],
                            default="submitting",
                            max_length=16,
                        ),
                    ),
                    ("submitted_at", models.DateTimeField()),
                    ("settled_at", models.DateTimeField(blank=True, null=True)),
                    ("expected_on", models.DateField(blank=True, null=True)),
                    ("returned_at", models.DateTimeField(blank=True, null=True)),
                    ("return_code", models.CharField(blank=True, max_length=10)),
                    ("decline_code", models.CharField(blank=True, max_length=32)),
                    ("decline_message", models.CharField(blank=True, max_length=300)),
                    ("action_url", models.URLField(blank=True, max_length=500)),
                ],
                options={
                    "indexes": [
                        models.Index(fields=["merchant", "-submitted_at", "-id"], name="payment_by_merchant"),
                        models.Index(fields=["customer", "-submitted_at", "-id"], name="payment_by_customer"),
                        models.Index(
                            condition=models.Q(("state", "succeeded")),
                            fields=["merchant", "currency", "settled_at"],
                            include=("amount", "refunded", "id"),
                            name="payment_settled",
                        ),
                        models.Index(
                            condition=models.Q(("state", "returned")),
                            fields=["merchant", "currency", "returned_at"],
                            name="payment_returned",
                        ),
                        models.Index(
                            condition=models.Q(("state__in", ["submitting", "pending"])),
                            fields=["submitted_at"],
                            name="payment_in_flight",
                        ),
                    ],
                    "constraints": [
                        models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="payment_of_something"),
                        models.CheckConstraint(
                            condition=models.Q(
                                (
                                    "state__in",
                                    [
                                        "submitting",
                                        "pending",
                                        "succeeded",
                                        "declined",
                                        "failed",
                                        "returned",
                                        "refunded",
                                        "disputed",
                                        "canceled",
                                        "reversed",
                                    ],
                                )
                            ),
                            name="payment_state",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(("state", "returned"), _negated=True),
                                models.Q(("return_code", ""), _negated=True),
                                _connector="OR",
                            ),
                            name="payment_returned_with_code",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                (
                                    "decline_code__in",
                                    [
                                        "",
                                        "declined",
                                        "insufficient_funds",
                                        "expired_card",
                                        "wrong_cvc",
                                        "account_closed",
                                        "no_account",
                                        "method_unusable",
                                        "action_failed",
                                        "limit_exceeded",
                                    ],
                                )
                            ),
                            name="payment_decline_code",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                models.Q(
                                    ("method__isnull", False), ("offline_kind", ""), ("received_on__isnull", True)
                                ),
                                models.Q(
                                    ("gateway", ""),
                                    ("method__isnull", True),
                                    ("offline_kind__in", ["cheque", "wire", "cash", "other"]),
                                    ("received_on__isnull", False),
                                ),
                                _connector="OR",
                            ),
                            name="payment_through_a_gateway_or_offline",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("amount__gte", CombinedExpression(models.F("refunded"), "+", models.F("refunding"))),
                                ("refunded__gte", 0),
                                ("refunding__gte", 0),
                            ),
                            name="payment_refunds_within_amount",
                        ),
                        models.UniqueConstraint(
                            condition=models.Q(("gateway_reference", ""), _negated=True),
                            fields=("gateway", "merchant", "gateway_reference"),
                            name="payment_gateway_reference_once",
                        ),
                        models.UniqueConstraint(fields=("id", "customer"), name="payment_of_customer"),
                    ],
                },
            ),
            CreateModel(
                name="Refund",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            db_index=False, on_delete=models.PROTECT, related_name="+", to="merchants.merchant"
                        ),
                    ),
                    (
                        "payment",
                        models.ForeignKey(on_delete=models.PROTECT, related_name="refunds", to="payments.payment"),
                    ),
                    (
                        "invoice",
                        models.ForeignKey(
                            db_index=False, null=True, on_delete=models.PROTECT, related_name="+", to="invoices.invoice"
                        ),
                    ),
                    ("is_owed_again", models.BooleanField()),
                    ("reference", models.CharField(max_length=24, unique=True)),
                    ("idempotency_key", models.CharField(max_length=80, unique=True)),
                    ("gateway_reference", models.CharField(blank=True, max_length=100)),
                    ("amount", models.BigIntegerField()),
                    ("currency", models.CharField(max_length=3)),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("submitting", "Checking"),
                                ("pending", "On its way"),
                                ("succeeded", "Given back"),
                                ("declined", "Refused"),
                                ("failed", "Not made"),
                            ],
                            default="submitting",
                            max_length=16,
                        ),
                    ),
                    ("reason", models.CharField(max_length=300)),
                    ("message", models.CharField(blank=True, max_length=300)),
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
                    ("submitted_at", models.DateTimeField()),
                    ("settled_at", models.DateTimeField(blank=True, null=True)),
                    ("asked_count", models.PositiveSmallIntegerField(db_default=0, default=0)),
                    ("asked_at", models.DateTimeField(blank=True, null=True)),
                    ("ask_after", models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    "indexes": [
                        models.Index(
                            condition=models.Q(("state__in", ["submitting", "pending"])),
                            fields=["submitted_at"],
                            name="refund_open",
                        )
                    ],
                    "constraints": [
                        models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="refund_of_something"),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("state__in", ["submitting", "pending", "succeeded", "declined", "failed"])
                            ),
                            name="refund_state",
                        ),
                    ],
                },
            ),
            CreateModel(
                name="RefundPart",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    (
                        "refund",
                        models.ForeignKey(
                            db_index=False, on_delete=models.PROTECT, related_name="parts", to="payments.refund"
                        ),
                    ),
                    (
                        "invoice",
                        models.ForeignKey(
                            db_index=False, on_delete=models.PROTECT, related_name="+", to="invoices.invoice"
                        ),
                    ),
                    ("amount", models.BigIntegerField()),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(fields=("refund", "invoice"), name="refund_part_once"),
                        models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="refund_part_of_something"),
                    ]
                },
            ),
            CreateModel(
                name="AllocationChange",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            db_index=False, on_delete=models.PROTECT, related_name="+", to="merchants.merchant"
                        ),
                    ),
                    (
                        "payment",
                        models.ForeignKey(
                            on_delete=models.PROTECT, related_name="allocation_changes", to="payments.payment"
                        ),
                    ),
                    (
                        "invoice",
                        models.ForeignKey(
                            on_delete=models.PROTECT, related_name="allocation_changes", to="invoices.invoice"
                        ),
                    ),
                    (
                        "refund",
                        models.ForeignKey(
                            db_index=False,
                            null=True,
                            on_delete=models.PROTECT,
                            related_name="changes",
                            to="payments.refund",
                        ),
                    ),
                    ("batch", models.UUIDField()),
                    ("change", models.BigIntegerField()),
                    ("currency", models.CharField(max_length=3)),
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
                    ("at", models.DateTimeField()),
                ],
                options={
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("change", 0), _negated=True), name="allocation_change_of_something"
                        )
                    ]
                },
            ),
            CreateModel(
                name="Allocation",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
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
                        "payment",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            on_delete=models.PROTECT,
                            related_name="allocations",
                            to="payments.payment",
                        ),
                    ),
                    (
                        "invoice",
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=models.PROTECT,
                            related_name="allocations",
                            to="invoices.invoice",
                        ),
                    ),
                    ("customer_id", models.UUIDField()),
                    ("amount", models.BigIntegerField()),
                    ("currency", models.CharField(max_length=3)),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(fields=("payment", "invoice"), name="allocation_once"),
                        models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="allocation_of_something"),
                    ]
                },
            ),
            CreateModel(
                name="PaymentEvent",
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
                        "payment",
                        models.ForeignKey(on_delete=models.PROTECT, related_name="events", to="payments.payment"),
                    ),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("submitting", "Checking"),
                                ("pending", "Processing"),
                                ("succeeded", "Paid"),
                                ("declined", "Declined"),
                                ("failed", "Not charged"),
                                ("returned", "Returned"),
                                ("refunded", "Refunded"),
                                ("disputed", "Disputed"),
                                ("canceled", "Canceled"),
                                ("reversed", "Reversed"),
                            ],
                            max_length=16,
                        ),
                    ),
                    ("at", models.DateTimeField()),
                    ("note", models.CharField(blank=True, max_length=300)),
                ],
            ),
            CreateModel(
                name="ReceivedEvent",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            db_index=False, on_delete=models.PROTECT, related_name="+", to="merchants.merchant"
                        ),
                    ),
                    ("gateway", models.CharField(max_length=40)),
                    ("event_id", models.CharField(max_length=100)),
                    ("kind", models.CharField(max_length=60)),
                    ("charge_reference", models.CharField(blank=True, max_length=100)),
                    ("occurred_at", models.DateTimeField()),
                    ("received_at", models.DateTimeField()),
                    ("body", models.TextField()),
                    ("applied_at", models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    "indexes": [
                        models.Index(
                            models.F("received_at"),
                            condition=models.Q(("applied_at__isnull", True)),
                            name="received_event_waiting",
                        )
                    ],
                    "constraints": [
                        models.UniqueConstraint(fields=("gateway", "merchant", "event_id"), name="received_event_once")
                    ],
                },
            ),
        ),
    ]
