"""An index by request and invoice in place of the one by request alone; it keeps no writer out."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("payments", "0011_refund_parts")]

    operations = [
        # What a build that was broken off leaves behind.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS request_line_of_invoice", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="paymentrequestline",
            index=models.Index(fields=["request", "invoice"], name="request_line_of_invoice"),
        ),
        migrations.AlterField(
            model_name="paymentrequestline",
            name="request",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="lines",
                to="payments.paymentrequest",
            ),
        ),
    ]
