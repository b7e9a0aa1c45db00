"""Indexes for sums of what settled and what was returned, built while payments are made."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("payments", "0006_validate_constraints")]

    operations = [
        # A build that was broken off leaves an index that nothing uses and that stands in the way of the next one.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS payment_settled", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="payment",
            index=models.Index(
                condition=models.Q(state="succeeded"),
                fields=["merchant", "currency", "settled_at"],
                include=["amount", "id"],
                name="payment_settled",
            ),
        ),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS payment_returned", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="payment",
            index=models.Index(
                condition=models.Q(state="returned"),
                fields=["merchant", "currency", "returned_at"],
                name="payment_returned",
            ),
        ),
    ]
