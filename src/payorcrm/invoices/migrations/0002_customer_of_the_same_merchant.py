"""An invoice's customer belongs to the invoice's merchant; one composite key says both."""

from django.db import migrations, models

from payorcrm.core.schema import composite_foreign_key


class Migration(migrations.Migration):
    dependencies = [("invoices", "0001_initial"), ("customers", "0001_initial")]

    operations = [
        composite_foreign_key(
            table="invoices_invoice",
            columns=("customer_id", "merchant_id"),
            target="customers_customer",
            target_columns=("id", "merchant_id"),
        ),
        migrations.AddConstraint(
            "invoice", models.UniqueConstraint(fields=["id", "customer"], name="invoice_of_customer")
        ),
    ]
