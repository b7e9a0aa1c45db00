"""Holidays of a state or province, beside those of the country."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0009_suppressed")]

    operations = [
        migrations.AddField(
            model_name="schedule",
            name="subdivision",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.AlterField(
            model_name="omission",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="omissions", to="invoices.invoice"
            ),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="min_days_between",
            field=models.PositiveSmallIntegerField(
                default=3,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(60),
                ],
            ),
        ),
    ]
