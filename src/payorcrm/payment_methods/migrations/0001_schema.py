"""Saved cards and bank accounts, and the mandates for them."""

from django.db import migrations, models
from django.db.migrations.operations import CreateModel

from payorcrm.core.crypto import EncryptedTextField
from payorcrm.core.ids import uuid7
from payorcrm.core.schema import CreateModels


class Migration(migrations.Migration):
    initial = True

    dependencies = [("customers", "0001_schema"), ("merchants", "0001_schema")]
    replaces = [
        ("payment_methods", "0001_initial"),
        ("payment_methods", "0002_paymentmethod_consented_at"),
        ("payment_methods", "0003_portal"),
        ("payment_methods", "0004_processor_account"),
    ]

    operations = [
        CreateModels(
            CreateModel(
                name="PaymentMethod",
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
                        models.ForeignKey(
                            on_delete=models.PROTECT, related_name="payment_methods", to="customers.customer"
                        ),
                    ),
                    ("gateway", models.CharField(max_length=40)),
                    ("account_id", models.CharField(blank=True, db_default="", default="", max_length=100)),
                    ("token", EncryptedTextField()),
                    (
                        "kind",
                        models.CharField(choices=[("card", "Card"), ("bank_account", "Bank account")], max_length=16),
                    ),
                    ("brand", models.CharField(blank=True, max_length=20)),
                    ("bank_name", models.CharField(blank=True, max_length=100)),
                    ("last4", models.CharField(max_length=4)),
                    ("expiry_month", models.PositiveSmallIntegerField(blank=True, null=True)),
                    ("expiry_year", models.PositiveSmallIntegerField(blank=True, null=True)),
                    ("holder_name", models.CharField(blank=True, max_length=120)),
                    ("account_type", models.CharField(blank=True, max_length=10)),
                    ("holder_type", models.CharField(blank=True, max_length=10)),
                    ("fingerprint", models.CharField(blank=True, max_length=100)),
                    ("created_at", models.DateTimeField()),
                    ("saved_at", models.DateTimeField(blank=True, null=True)),
                    ("consent_text", models.TextField(blank=True)),
                    ("consented_at", models.DateTimeField(blank=True, null=True)),
                    ("consent_address", models.GenericIPAddressField(blank=True, null=True)),
                    ("removed_at", models.DateTimeField(blank=True, null=True)),
                    ("name", models.CharField(blank=True, max_length=60)),
                    ("is_default", models.BooleanField(db_default=False, default=False)),
                    ("last_used_at", models.DateTimeField(blank=True, null=True)),
                    (
                        "verification",
                        models.CharField(
                            choices=[
                                ("not_needed", "Not needed"),
                                ("pending", "Being verified"),
                                ("verified", "Verified"),
                                ("failed", "Not verified"),
                            ],
                            db_default="not_needed",
                            default="not_needed",
                            max_length=12,
                        ),
                    ),
                    ("verification_try_count", models.PositiveSmallIntegerField(db_default=0, default=0)),
                    ("deposits_expected_on", models.DateField(blank=True, null=True)),
                    ("verification_reminded_at", models.DateTimeField(blank=True, null=True)),
                    ("expiry_mailed_at", models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    "indexes": [
                        models.Index(
                            condition=models.Q(("removed_at__isnull", True), ("saved_at__isnull", False)),
                            fields=["customer"],
                            name="method_saved",
                        )
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("kind__in", ["card", "bank_account"])), name="method_kind"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("verification__in", ["not_needed", "pending", "verified", "failed"])),
                            name="method_verification",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("verification_try_count__lte", 3)), name="method_three_tries"
                        ),
                        models.UniqueConstraint(
                            condition=models.Q(("is_default", True), ("removed_at__isnull", True)),
                            fields=("customer",),
                            name="method_default_once",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(
                                ("saved_at__isnull", True),
                                models.Q(("consent_text", ""), _negated=True),
                                _connector="OR",
                            ),
                            name="method_saved_with_consent",
                        ),
                        models.UniqueConstraint(
                            condition=models.Q(
                                ("removed_at__isnull", True),
                                ("saved_at__isnull", False),
                                models.Q(("fingerprint", ""), _negated=True),
                            ),
                            fields=("customer", "gateway", "fingerprint"),
                            name="method_saved_once",
                        ),
                    ],
                },
            ),
            CreateModel(
                name="Mandate",
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
                        models.ForeignKey(on_delete=models.PROTECT, related_name="mandates", to="customers.customer"),
                    ),
                    (
                        "method",
                        models.ForeignKey(
                            on_delete=models.PROTECT, related_name="mandates", to="payment_methods.paymentmethod"
                        ),
                    ),
                    ("reference", models.CharField(max_length=24, unique=True)),
                    ("text", models.TextField()),
                    ("version", models.CharField(max_length=20)),
                    ("amount", models.BigIntegerField()),
                    ("currency", models.CharField(max_length=3)),
                    ("accepted_at", models.DateTimeField()),
                    ("address", models.GenericIPAddressField(blank=True, null=True)),
                    ("user_agent", models.CharField(blank=True, max_length=300)),
                    ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ],
            ),
        ),
    ]
