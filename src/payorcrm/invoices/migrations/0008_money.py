"""An invoice can be credited with what was given back; the next migration looks at earlier rows."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("invoices", "0007_import_files"),
        ("merchants", "0003_logo_facts"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="invoiceevent",
            name="invoice_event_kind",
        ),
        migrations.AlterField(
            model_name="invoiceevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("changed", "Changed by an import"),
                    ("settled_elsewhere", "Settled elsewhere"),
                    ("voided", "Voided"),
                    ("written_off", "Written off"),
                    ("credited", "Credited"),
                ],
                max_length=24,
            ),
        ),
        AddConstraintNotValid(
            model_name="invoiceevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["changed", "settled_elsewhere", "voided", "written_off", "credited"])),
                name="invoice_event_kind",
            ),
        ),
    ]
