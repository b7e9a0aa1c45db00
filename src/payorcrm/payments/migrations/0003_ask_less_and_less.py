"""When the processor is asked again about a payment, as for refunds."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_invoices_of_the_same_customer")]

    operations = [
        migrations.AddField("payment", "asked_count", models.PositiveSmallIntegerField(db_default=0, default=0)),
        migrations.AddField("payment", "asked_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("payment", "ask_after", models.DateTimeField(blank=True, null=True)),
    ]
