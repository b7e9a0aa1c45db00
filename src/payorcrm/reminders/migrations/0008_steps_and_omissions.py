"""A step says what became of it, an omission which step it was, a run which rules it ran.

Omissions of before named no invoice; they told of runs in the past and go.
"""

import django.db.models.deletion
from django.db import migrations, models

REASONS = [
    "no_address", "unsubscribed", "not_reminded", "on_hold", "processing", "under_way", "too_soon", "settled",
    "not_due",
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [
        ("invoices", "0007_import_files"),
        ("reminders", "0007_removed_rules"),
    ]

    operations = [
        migrations.AddField(model_name="dayrun", name="rules", field=models.JSONField(default=list, db_default=[])),
        migrations.AddField(
            model_name="reminder", name="left_out", field=models.JSONField(default=dict, db_default={})
        ),
        migrations.AddField(
            model_name="step",
            name="state",
            field=models.CharField(
                choices=[
                    ("sent", "Mailed"),
                    ("held", "Waits with its run"),
                    ("dropped", "Dropped by a person"),
                    ("lapsed", "Not due any more when its run was released"),
                ],
                default="sent",
                max_length=8,
            ),
        ),
        migrations.RunSQL(
            "UPDATE reminders_step SET state = 'dropped' WHERE is_dropped",
            "UPDATE reminders_step SET is_dropped = true WHERE state = 'dropped'",
        ),
        migrations.RemoveField(model_name="step", name="is_dropped"),
        migrations.AddConstraint(
            model_name="step",
            constraint=models.CheckConstraint(
                name="step_state", condition=models.Q(("state__in", ["sent", "held", "dropped", "lapsed"]))
            ),
        ),
        migrations.DeleteModel(name="Omission"),
        migrations.CreateModel(
            name="Omission",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("currency", models.CharField(max_length=3)),
                ("day", models.DateField()),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("no_address", "No e-mail address"),
                            ("unsubscribed", "Unsubscribed from reminders"),
                            ("not_reminded", "Reminders are switched off"),
                            ("on_hold", "On hold"),
                            ("processing", "A payment is under way"),
                            ("under_way", "A reminder is already under way"),
                            ("too_soon", "Reminded too short a time ago"),
                            ("settled", "Paid or void by then"),
                            ("not_due", "Not overdue any more"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="omissions", to="customers.customer"
                    ),
                ),
                (
                    "day_run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="omissions",
                        to="reminders.dayrun",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="invoices.invoice"
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="reminders.rule",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("day_run", "invoice", "rule", "day"), name="omission_once"),
                    models.CheckConstraint(name="omission_reason", condition=models.Q(("reason__in", REASONS))),
                ],
            },
        ),
    ]
