"""What files changed of customers that were known, so that their time lines say it."""

import django.db.models.deletion
from django.db import migrations, models

import payorcrm.core.ids
from payorcrm.core.schema import composite_foreign_key


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0001_schema"),
        ("merchants", "0001_schema"),
    ]

    operations = [
        migrations.CreateModel(
            name="CustomerChange",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=payorcrm.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                ("changes", models.JSONField()),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="merchants.merchant",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.import",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["customer", "-at"], name="change_of_customer")],
            },
        ),
        composite_foreign_key(
            table="customers_customerchange",
            columns=("customer_id", "merchant_id"),
            target="customers_customer",
            target_columns=("id", "merchant_id"),
        ),
    ]
