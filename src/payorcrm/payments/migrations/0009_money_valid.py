"""Look whether earlier rows keep the new constraints, while rows are written."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    # Each by itself, so that the locks of one are not held while the other looks.
    atomic = False
    dependencies = [("payments", "0008_money")]

    operations = [
        ValidateConstraint(model_name="payment", name="payment_state"),
        ValidateConstraint(model_name="payment", name="payment_through_a_gateway_or_offline"),
        ValidateConstraint(model_name="payment", name="payment_refunds_within_amount"),
    ]
