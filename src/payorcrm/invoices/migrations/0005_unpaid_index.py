"""An index for lists of unpaid invoices, built while invoices are written."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("invoices", "0004_owed")]

    operations = [
        # A build that was broken off leaves an index that nothing uses and that stands in the way of the next one.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS invoice_open_by_customer", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="invoice",
            index=models.Index(
                fields=["customer", "due_on", "id"],
                name="invoice_open_by_customer",
                condition=models.Q(status="open"),
            ),
        ),
    ]
