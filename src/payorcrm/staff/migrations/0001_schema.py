"""What staff did, and invitations to become staff."""

from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations import CreateModel
from django.db.models.functions import Lower

from payorcrm.core.ids import uuid7
from payorcrm.core.schema import CreateModels


class Migration(migrations.Migration):
    initial = True

    dependencies = [("merchants", "0001_schema"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    replaces = [("staff", "0001_audit"), ("staff", "0003_invitations")]

    operations = [
        CreateModels(
            CreateModel(
                name="StaffInvitation",
                fields=[
                    ("id", models.UUIDField(default=uuid7, editable=False, primary_key=True, serialize=False)),
                    (
                        "merchant",
                        models.ForeignKey(
                            on_delete=models.CASCADE, related_name="staff_invitations", to="merchants.merchant"
                        ),
                    ),
                    ("email", models.EmailField(max_length=254)),
                    (
                        "role",
                        models.CharField(
                            choices=[("owner", "Owner"), ("collector", "Collector"), ("viewer", "Viewer")],
                            max_length=20,
                        ),
                    ),
                    (
                        "invited_by",
                        models.ForeignKey(
                            null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                        ),
                    ),
                    ("mail_count", models.PositiveIntegerField(default=1)),
                    ("mailed_at", models.DateTimeField()),
                    ("expires_at", models.DateTimeField()),
                    ("accepted_at", models.DateTimeField(blank=True, null=True)),
                    ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    "constraints": [
                        models.UniqueConstraint(
                            models.F("merchant"),
                            Lower("email"),
                            condition=models.Q(("accepted_at", None), ("withdrawn_at", None)),
                            name="one_waiting_staff_invitation",
                        ),
                        models.CheckConstraint(
                            condition=models.Q(("role__in", ["owner", "collector", "viewer"])),
                            name="staff_invitation_role",
                        ),
                    ]
                },
            ),
            CreateModel(
                name="AuditEntry",
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
                        models.CharField(
                            choices=[
                                ("settings", "Settings"),
                                ("team", "Team"),
                                ("customers", "Customers"),
                                ("invoices", "Invoices"),
                                ("payments", "Payments"),
                                ("reminders", "Reminders"),
                                ("mails", "Mails"),
                                ("sign_in", "Sign-in and security"),
                            ],
                            max_length=20,
                        ),
                    ),
                    ("happened_at", models.DateTimeField()),
                    ("actor_id", models.UUIDField()),
                    ("actor_name", models.CharField(max_length=200)),
                    ("actor_email", models.EmailField(max_length=254)),
                    ("address", models.GenericIPAddressField(null=True)),
                    ("says", models.CharField(max_length=200)),
                    ("about", models.CharField(blank=True, max_length=300)),
                    ("changes", models.JSONField(default=list)),
                ],
                options={
                    "indexes": [
                        models.Index(fields=["merchant", "-happened_at", "-id"], name="audit_by_time"),
                        models.Index(fields=["merchant", "actor_id", "-happened_at", "-id"], name="audit_by_actor"),
                    ],
                    "constraints": [
                        models.CheckConstraint(
                            condition=models.Q(
                                (
                                    "kind__in",
                                    [
                                        "settings",
                                        "team",
                                        "customers",
                                        "invoices",
                                        "payments",
                                        "reminders",
                                        "mails",
                                        "sign_in",
                                    ],
                                )
                            ),
                            name="audit_kind",
                        )
                    ],
                },
            ),
        ),
    ]
