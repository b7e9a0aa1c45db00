"""An index for the invoices behind days sales outstanding, the latest first, built while invoices are written."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("invoices", "0010_manual")]

    operations = [
        # A build that was broken off leaves an index that nothing uses and that stands in the way of the next one.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS invoice_latest_of_currency", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="invoice",
            index=models.Index(fields=["merchant", "currency", "-issued_on", "-id"], name="invoice_latest_of_currency"),
        ),
    ]
