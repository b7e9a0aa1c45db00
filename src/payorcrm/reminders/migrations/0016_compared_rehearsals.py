"""What a change of a rule would make of the mails to come, kept like rehearsals are."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0004_suppressed"),
        ("reminders", "0015_bounces_without_address"),
    ]

    operations = [
        migrations.CreateModel(
            name="RehearsedChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("added", "Added"),
                            ("gone", "Gone"),
                            ("moved", "Moved"),
                            ("written", "Written differently"),
                        ],
                        max_length=7,
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="keptrehearsal",
            name="compared_with",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="reminders.keptrehearsal"
            ),
        ),
        migrations.AddField(
            model_name="keptrehearsal",
            name="counts",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="keptrehearsal",
            name="draft",
            field=models.JSONField(null=True),
        ),
        migrations.AddConstraint(
            model_name="keptrehearsal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("compared_with__isnull", True), ("draft__isnull", True)),
                    models.Q(("compared_with__isnull", False), ("draft__isnull", False)),
                    _connector="OR",
                ),
                name="rehearsal_of_draft_is_compared",
            ),
        ),
        migrations.AddField(
            model_name="rehearsedchange",
            name="after",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="reminders.rehearsedmail",
            ),
        ),
        migrations.AddField(
            model_name="rehearsedchange",
            name="before",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="reminders.rehearsedmail",
            ),
        ),
        migrations.AddField(
            model_name="rehearsedchange",
            name="customer",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="customers.customer",
            ),
        ),
        migrations.AddField(
            model_name="rehearsedchange",
            name="rehearsal",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="changes",
                to="reminders.keptrehearsal",
            ),
        ),
        migrations.AddIndex(
            model_name="rehearsedchange",
            index=models.Index(fields=["rehearsal", "id"], name="rehearsed_change_in_order"),
        ),
    ]
