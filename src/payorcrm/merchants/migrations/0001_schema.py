"""Merchants, their accounts with processors, their staff, and how far their setting up is."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import migrations, models
from django.db.migrations.operations import CreateModel

from payorcrm.core.crypto import EncryptedTextField
from payorcrm.core.ids import uuid7
from payorcrm.core.schema import CreateModels


class Migration(migrations.Migration):
    initial = True

    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    replaces = [
        ("merchants", "0001_initial"),
        ("merchants", "0002_portal"),
        ("merchants", "0003_logo_facts"),
        ("merchants", "0004_first_run"),
        ("merchants", "0005_second_factor"),
        ("merchants", "0006_trusted"),
        ("merchants", "0007_new_methods"),
        ("merchants", "0008_processor_account"),
    ]

    operations = [
        CreateModels(
            CreateModel(
                name="Merchant",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    ("name", models.CharField(max_length=120)),
                    ("slug", models.SlugField(max_length=60, unique=True)),
                    ("time_zone", models.CharField(default="America/New_York", max_length=64)),
                    ("currency", models.CharField(default="USD", max_length=3)),
                    ("address", models.TextField(blank=True, max_length=500)),
                    ("phone", models.CharField(blank=True, max_length=40)),
                    ("logo", models.BinaryField(blank=True, null=True)),
                    ("logo_type", models.CharField(blank=True, max_length=20)),
                    (
                        "logo_digest",
                        models.GeneratedField(
                            db_persist=True,
                            expression=models.Func(
                                "logo",
                                template="CASE WHEN length(%(expressions)s) > 0 THEN left(encode(sha256(%(expressions)s), 'hex'), 12) ELSE '' END",
                            ),
                            output_field=models.CharField(max_length=12),
                        ),
                    ),
                    (
                        "logo_says_name",
                        models.GeneratedField(
                            db_persist=True,
                            expression=models.Func(
                                "logo",
                                template="CASE WHEN substring(%(expressions)s, 1, 8) = '\\x89504e470d0a1a0a' AND length(%(expressions)s) >= 24 THEN ('x' || encode(substring(%(expressions)s, 17, 4), 'hex'))::bit(32)::bigint * 10 >= ('x' || encode(substring(%(expressions)s, 21, 4), 'hex'))::bit(32)::bigint * 22 ELSE false END",
                            ),
                            output_field=models.BooleanField(),
                        ),
                    ),
                    (
                        "accent_color",
                        models.CharField(
                            default="#0f62a8",
                            max_length=7,
                            validators=[
                                RegexValidator(
                                    "\\A#[0-9a-fA-F]{6}\\Z", "Write the colour as # and six digits, such as #0f62a8."
                                )
                            ],
                        ),
                    ),
                    ("reply_to", models.EmailField(blank=True, max_length=254)),
                    (
                        "confirmation_hours",
                        models.PositiveSmallIntegerField(
                            default=24, validators=[MinValueValidator(1), MaxValueValidator(168)]
                        ),
                    ),
                    ("language", models.CharField(default="en", max_length=10)),
                    ("invites_new_customers", models.BooleanField(db_default=True, default=True)),
                    ("requires_second_factor", models.BooleanField(db_default=False, default=False)),
                    ("allows_part_payments", models.BooleanField(db_default=False, default=False)),
                    ("is_trusted", models.BooleanField(db_default=True, default=True)),
                    ("created_at", models.DateTimeField(auto_now_add=True)),
                ],
                options={
                    "indexes": [
                        models.Index(
                            condition=models.Q(("is_trusted", False)), fields=["id"], name="merchant_not_trusted"
                        )
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(("confirmation_hours__range", (1, 168))),
                            name="merchant_confirmation_hours",
                        )
                    ],
                },
            ),
            CreateModel(
                name="Setup",
                fields=[
                    (
                        "merchant",
                        models.OneToOneField(
                            on_delete=models.CASCADE,
                            primary_key=True,
                            related_name="setup",
                            serialize=False,
                            to="merchants.merchant",
                        ),
                    ),
                    (
                        "skipped",
                        ArrayField(
                            base_field=models.CharField(max_length=40),
                            blank=True,
                            db_default=[],
                            default=list,
                            size=None,
                        ),
                    ),
                    ("closed_at", models.DateTimeField(blank=True, null=True)),
                ],
            ),
            CreateModel(
                name="Staff",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(on_delete=models.CASCADE, related_name="staff", to="merchants.merchant"),
                    ),
                    (
                        "user",
                        models.ForeignKey(
                            on_delete=models.CASCADE, related_name="memberships", to=settings.AUTH_USER_MODEL
                        ),
                    ),
                    (
                        "role",
                        models.CharField(
                            choices=[("owner", "Owner"), ("collector", "Collector"), ("viewer", "Viewer")],
                            max_length=20,
                        ),
                    ),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(fields=("merchant", "user"), name="staff_once_per_merchant"),
                        models.CheckConstraint(
                            condition=models.Q(("role__in", ["owner", "collector", "viewer"])), name="staff_role"
                        ),
                    ]
                },
            ),
            CreateModel(
                name="GatewayAccount",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            on_delete=models.CASCADE, related_name="gateway_accounts", to="merchants.merchant"
                        ),
                    ),
                    ("gateway", models.CharField(max_length=40)),
                    ("account_id", models.CharField(blank=True, db_default="", default="", max_length=100)),
                    ("public_key", models.CharField(max_length=200)),
                    ("secret_key", EncryptedTextField()),
                    ("webhook_secret", EncryptedTextField()),
                    ("events_seen_at", models.DateTimeField(blank=True, null=True)),
                    ("takes_new_cards", models.BooleanField(db_default=False, default=False)),
                    ("takes_new_accounts", models.BooleanField(db_default=False, default=False)),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(fields=("merchant", "gateway"), name="gateway_once_per_merchant"),
                        models.UniqueConstraint(
                            condition=models.Q(("takes_new_cards", True)),
                            fields=("merchant",),
                            name="one_gateway_for_new_cards",
                        ),
                        models.UniqueConstraint(
                            condition=models.Q(("takes_new_accounts", True)),
                            fields=("merchant",),
                            name="one_gateway_for_new_accounts",
                        ),
                    ]
                },
            ),
        ),
    ]
