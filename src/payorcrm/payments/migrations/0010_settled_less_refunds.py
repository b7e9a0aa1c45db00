"""The index for sums of what settled counts what was given back; built while payments are made."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("payments", "0009_money_valid")]

    operations = [
        RemoveIndexConcurrently(model_name="payment", name="payment_settled"),
        # A build that was broken off leaves an index that nothing uses and that stands in the way of the next one.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS payment_settled", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("state", "succeeded")),
                fields=["merchant", "currency", "settled_at"],
                include=("amount", "refunded", "id"),
                name="payment_settled",
            ),
        ),
    ]
