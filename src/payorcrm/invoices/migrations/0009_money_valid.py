"""Look whether earlier rows keep the new constraints, while rows are written."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    # Each by itself, so that the locks of one are not held while the other looks.
    atomic = False
    dependencies = [("invoices", "0008_money")]

    operations = [
        ValidateConstraint(model_name="invoiceevent", name="invoice_event_kind"),
    ]
