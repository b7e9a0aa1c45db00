"""An index for counting the mails of a day, built while mails are sent."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mail", "0005_handing_over")]

    operations = [
        # A build that was broken off leaves an index that nothing uses and that stands in the way of the next one.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS mail_sent", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="mail",
            index=models.Index(
                condition=models.Q(sent_at__isnull=False), fields=["merchant", "sent_at"], name="mail_sent"
            ),
        ),
    ]
