"""Refunds, payments that came offline, and what was applied otherwise; the next migration looks at earlier rows."""

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import payorcrm.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0003_notes"),
        ("invoices", "0008_money"),
        ("merchants", "0003_logo_facts"),
        ("payment_methods", "0003_portal"),
        ("payments", "0007_dashboard"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AllocationChange",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=payorcrm.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("batch", models.UUIDField()),
                ("change", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=payorcrm.core.ids.uuid7, editable=False, primary_key=True, serialize=False
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
                ("submitted_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="payment",
            name="payment_state",
        ),
        migrations.AddField(
            model_name="payment",
            name="offline_kind",
            field=models.CharField(
                blank=True,
                choices=[("cheque", "Cheque"), ("wire", "Bank transfer"), ("cash", "Cash"), ("other", "Another way")],
                db_default="",
                default="",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="offline_reference",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddField(
            model_name="payment",
            name="received_on",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="payment",
            name="recorded_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="refunded",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="payment",
            name="refunding",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="payment",
            name="gateway",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AlterField(
            model_name="payment",
            name="method",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payments",
                to="payment_methods.paymentmethod",
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="state",
            field=models.CharField(
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
        migrations.AlterField(
            model_name="paymentevent",
            name="state",
            field=models.CharField(
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
        AddConstraintNotValid(
            model_name="payment",
            constraint=models.CheckConstraint(
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
        ),
        AddConstraintNotValid(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("method__isnull", False), ("offline_kind", ""), ("received_on__isnull", True)),
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
        ),
        AddConstraintNotValid(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "amount__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("refunded"), "+", models.F("refunding")
                        ),
                    ),
                    ("refunded__gte", 0),
                    ("refunding__gte", 0),
                ),
                name="payment_refunds_within_amount",
            ),
        ),
        migrations.AddField(
            model_name="allocationchange",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="allocation_changes", to="invoices.invoice"
            ),
        ),
        migrations.AddField(
            model_name="allocationchange",
            name="made_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="allocationchange",
            name="merchant",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="merchants.merchant"
            ),
        ),
        migrations.AddField(
            model_name="allocationchange",
            name="payment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="allocation_changes", to="payments.payment"
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="invoice",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="invoices.invoice",
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="made_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="merchant",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="merchants.merchant"
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="payment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="payments.payment"
            ),
        ),
        migrations.AddField(
            model_name="allocationchange",
            name="refund",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="changes",
                to="payments.refund",
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("state__in", ["submitting", "pending"])),
                fields=["submitted_at"],
                name="refund_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="refund_of_something"),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["submitting", "pending", "succeeded", "declined", "failed"])),
                name="refund_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="allocationchange",
            constraint=models.CheckConstraint(
                condition=models.Q(("change", 0), _negated=True), name="allocation_change_of_something"
            ),
        ),
    ]
