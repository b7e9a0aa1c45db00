"""Rehearsals that were worked out and are kept for a while."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import payorcrm.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0004_suppressed"),
        ("merchants", "0005_second_factor"),
        ("reminders", "0013_holds_end_by_themselves"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptRehearsal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=payorcrm.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("fingerprint", models.CharField(max_length=64)),
                ("asked_at", models.DateTimeField()),
                ("worked_out_at", models.DateTimeField(null=True)),
                ("rule_count", models.PositiveIntegerField(default=0)),
                ("invoice_count", models.PositiveIntegerField(default=0)),
                (
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="merchants.merchant",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RehearsedDay",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("mail_count", models.PositiveIntegerField()),
                ("invoice_count", models.PositiveIntegerField()),
                ("totals", models.JSONField(default=list)),
                ("held_because", models.TextField(blank=True)),
                (
                    "rehearsal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="days",
                        to="reminders.keptrehearsal",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RehearsedMail",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.BigIntegerField()),
                ("invoice_ids", django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None)),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                (
                    "rehearsal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mails",
                        to="reminders.keptrehearsal",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="reminders.rule",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="keptrehearsal",
            constraint=models.UniqueConstraint(fields=("merchant", "fingerprint"), name="rehearsal_kept_once"),
        ),
        migrations.AddConstraint(
            model_name="rehearsedday",
            constraint=models.UniqueConstraint(fields=("rehearsal", "day"), name="rehearsed_day_once"),
        ),
        migrations.AddIndex(
            model_name="rehearsedmail",
            index=models.Index(fields=["rehearsal", "day", "id"], name="rehearsed_mail_by_day"),
        ),
    ]
