"""The outbox, what became of its mails, whose server sends them, and the demo's mailbox."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.migrations.operations import CreateModel
from django.db.models.functions import Lower

from payorcrm.core.crypto import EncryptedTextField
from payorcrm.core.ids import uuid7
from payorcrm.core.schema import CreateModels


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("customers", "0001_schema"),
        ("merchants", "0001_schema"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    replaces = [
        ("mail", "0001_initial"),
        ("mail", "0002_single_mails_overtake_runs"),
        ("mail", "0003_mail_mail_troubled"),
        ("mail", "0004_portal"),
        ("mail", "0005_handing_over"),
        ("mail", "0006_dashboard"),
        ("mail", "0007_sender"),
        ("mail", "0008_due_of_merchant"),
        ("mail", "0009_provider_events"),
    ]

    operations = [
        CreateModels(
            CreateModel(
                name="Mail",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            null=True,
                            on_delete=models.CASCADE,
                            related_name="+",
                            to="merchants.merchant",
                        ),
                    ),
                    (
                        "customer",
                        models.ForeignKey(
                            db_constraint=False,
                            db_index=False,
                            null=True,
                            on_delete=models.CASCADE,
                            related_name="mails",
                            to="customers.customer",
                        ),
                    ),
                    ("kind", models.CharField(max_length=40)),
                    ("about_id", models.UUIDField(null=True)),
                    ("to_address", models.EmailField(max_length=254)),
                    ("to_name", models.CharField(blank=True, max_length=200)),
                    (
                        "also_to",
                        ArrayField(
                            base_field=models.EmailField(max_length=254),
                            blank=True,
                            db_default=[],
                            default=list,
                            size=None,
                        ),
                    ),
                    (
                        "cc",
                        ArrayField(
                            base_field=models.EmailField(max_length=254),
                            blank=True,
                            db_default=[],
                            default=list,
                            size=None,
                        ),
                    ),
                    ("is_bulk", models.BooleanField(db_default=False, default=False)),
                    ("subject", models.CharField(blank=True, max_length=300)),
                    ("sealed_message", models.BinaryField(null=True)),
                    (
                        "state",
                        models.CharField(
                            choices=[
                                ("queued", "Queued"),
                                ("sending", "Sending"),
                                ("sent", "Sent"),
                                ("deferred", "Will try again"),
                                ("withdrawn", "Not needed any more"),
                                ("failed", "Could not be sent"),
                                ("bounced", "Bounced"),
                            ],
                            default="queued",
                            max_length=16,
                        ),
                    ),
                    ("attempt_count", models.PositiveSmallIntegerField(default=0)),
                    ("send_after", models.DateTimeField()),
                    ("claimed_at", models.DateTimeField(blank=True, null=True)),
                    ("queued_at", models.DateTimeField()),
                    ("sent_at", models.DateTimeField(blank=True, null=True)),
                    ("last_error", models.TextField(blank=True)),
                    ("delivered_at", models.DateTimeField(blank=True, null=True)),
                    ("opened_at", models.DateTimeField(blank=True, null=True)),
                    ("clicked_at", models.DateTimeField(blank=True, null=True)),
                    ("complained_at", models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    "indexes": [
                        models.Index(
                            condition=models.Q(("state__in", ["queued", "deferred"])),
                            fields=["is_bulk", "send_after", "id"],
                            name="mail_due",
                        ),
                        models.Index(
                            condition=models.Q(("state__in", ["queued", "deferred"])),
                            fields=["merchant", "is_bulk", "send_after", "id"],
                            name="mail_due_of_merchant",
                        ),
                        models.Index(
                            condition=models.Q(("state", "sending")), fields=["claimed_at"], name="mail_claimed"
                        ),
                        models.Index(fields=["merchant", "-id"], name="mail_by_merchant"),
                        models.Index(
                            condition=models.Q(("state__in", ["failed", "bounced"])),
                            fields=["merchant"],
                            name="mail_troubled",
                        ),
                        models.Index(
                            condition=models.Q(("sent_at__isnull", False)),
                            fields=["merchant", "sent_at"],
                            name="mail_sent",
                        ),
                        models.Index(fields=["customer", "-id"], name="mail_by_customer"),
                        models.Index(fields=["kind", "about_id"], name="mail_by_subject"),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                (
                                    "state__in",
                                    ["queued", "sending", "sent", "deferred", "withdrawn", "failed", "bounced"],
                                )
                            ),
                            name="mail_state",
                        )
                    ],
                },
            ),
            CreateModel(
                name="MailSender",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.OneToOneField(
                            on_delete=models.CASCADE, related_name="mail_sender", to="merchants.merchant"
                        ),
                    ),
                    ("from_name", models.CharField(blank=True, max_length=120)),
                    ("uses_own_server", models.BooleanField(db_default=False, default=False)),
                    ("from_address", models.EmailField(blank=True, max_length=254)),
                    ("host", models.CharField(blank=True, max_length=253)),
                    ("port", models.PositiveIntegerField(default=587)),
                    ("user", models.CharField(blank=True, max_length=254)),
                    ("password", EncryptedTextField(blank=True, null=True)),
                    (
                        "security",
                        models.CharField(
                            choices=[("always", "Always"), ("opportunistic", "When the server offers it")],
                            default="always",
                            max_length=16,
                        ),
                    ),
                    ("checked_at", models.DateTimeField(blank=True, null=True)),
                    ("failing_since", models.DateTimeField(blank=True, null=True)),
                    ("failure", models.TextField(blank=True)),
                    ("failure_count", models.PositiveIntegerField(default=0)),
                    ("rests_until", models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                ("uses_own_server", False),
                                models.Q(("host", ""), ("from_address", ""), _connector="OR", _negated=True),
                                _connector="OR",
                            ),
                            name="own_server_is_complete",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("security__in", ["always", "opportunistic"])), name="sender_security"
                        ),
                        models.CheckConstraint(condition=models.Q(("port__range", (1, 65535))), name="sender_port"),
                    ]
                },
            ),
            CreateModel(
                name="Handover",
                fields=[
                    (
                        "pk",
                        models.CompositePrimaryKey(
                            "mail_id", "claimed_at", blank=True, editable=False, primary_key=True, serialize=False
                        ),
                    ),
                    ("mail_id", models.UUIDField()),
                    ("claimed_at", models.DateTimeField()),
                    ("line", models.UUIDField(null=True)),
                    ("place", models.IntegerField(db_default=0, default=0)),
                    ("subject", models.CharField(blank=True, db_default="", default="", max_length=300)),
                    ("begun_at", models.DateTimeField()),
                    ("was_taken", models.BooleanField(null=True)),
                ],
            ),
            CreateModel(
                name="MailEvent",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    ("provider", models.CharField(max_length=20)),
                    ("event_id", models.CharField(max_length=100)),
                    (
                        "kind",
                        models.CharField(
                            choices=[
                                ("delivered", "Delivered"),
                                ("bounced", "Bounced for good"),
                                ("soft_bounced", "Bounced, perhaps not for good"),
                                ("complained", "Reported as spam"),
                                ("opened", "Opened"),
                                ("clicked", "Clicked"),
                                ("unsubscribed", "Unsubscribed at the provider"),
                                ("other", "Something else"),
                            ],
                            max_length=16,
                        ),
                    ),
                    ("mail_id", models.UUIDField(null=True)),
                    ("recipient", models.CharField(blank=True, max_length=320)),
                    ("reason", models.TextField(blank=True)),
                    ("occurred_at", models.DateTimeField()),
                    ("received_at", models.DateTimeField(db_index=True)),
                    ("applied_at", models.DateTimeField(blank=True, null=True)),
                    ("body", models.TextField()),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(fields=("provider", "event_id"), name="mail_event_once"),
                        models.CheckConstraint(
                            condition=models.Q(
                                (
                                    "kind__in",
                                    [
                                        "delivered",
                                        "bounced",
                                        "soft_bounced",
                                        "complained",
                                        "opened",
                                        "clicked",
                                        "unsubscribed",
                                        "other",
                                    ],
                                )
                            ),
                            name="mail_event_kind",
                        ),
                    ]
                },
            ),
            CreateModel(
                name="Suppression",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            db_index=False, on_delete=models.CASCADE, related_name="+", to="merchants.merchant"
                        ),
                    ),
                    ("address", models.CharField(max_length=320)),
                    (
                        "reason",
                        models.CharField(
                            choices=[
                                ("bounced", "Mail to this address came back"),
                                ("complained", "Somebody there reported a mail as spam"),
                            ],
                            max_length=16,
                        ),
                    ),
                    ("note", models.TextField(blank=True)),
                    ("mail_id", models.UUIDField(null=True)),
                    ("suppressed_at", models.DateTimeField()),
                    ("lifted_at", models.DateTimeField(blank=True, null=True)),
                    (
                        "lifted_by",
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
                    "indexes": [models.Index(fields=["merchant", "address"], name="suppression_by_address")],
                    "constraints": [
                        models.UniqueConstraint(
                            condition=models.Q(("lifted_at__isnull", True)),
                            fields=("merchant", "address"),
                            name="suppressed_once",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("reason__in", ["bounced", "complained"])), name="suppression_reason"
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("address", Lower("address"))), name="suppression_small_letters"
                        ),
                    ],
                },
            ),
            CreateModel(
                name="MailboxMessage",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    ("to_address", models.EmailField(max_length=254)),
                    ("subject", models.CharField(max_length=300)),
                    ("received_at", models.DateTimeField()),
                    ("raw", models.BinaryField()),
                ],
            ),
        ),
    ]
