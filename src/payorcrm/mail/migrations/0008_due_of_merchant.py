"""An index for what waits for a merchant's own mail server, built while mails are sent."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mail", "0007_sender")]

    operations = [
        # A build that was broken off leaves an index that nothing uses and that stands in the way of the next one.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS mail_due_of_merchant", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="mail",
            index=models.Index(
                condition=models.Q(state__in=["queued", "deferred"]),
                fields=["merchant", "is_bulk", "send_after", "id"],
                name="mail_due_of_merchant",
            ),
        ),
    ]
