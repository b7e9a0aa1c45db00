"""Look whether earlier rows keep the new constraints, while rows are written."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    # Each by itself, so that the locks of one are not held while the other looks.
    atomic = False
    dependencies = [("ledger", "0004_money")]

    operations = [
        ValidateConstraint(model_name="entry", name="entry_kind"),
        ValidateConstraint(model_name="posting", name="posting_account"),
    ]
