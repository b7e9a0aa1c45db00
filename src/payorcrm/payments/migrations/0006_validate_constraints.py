"""Look whether earlier rows keep the new constraints, while rows are written."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    # Each by itself, so that the locks of one are not held while the other looks.
    atomic = False
    dependencies = [("payments", "0005_portal")]

    operations = [
        ValidateConstraint(model_name="paymentrequest", name="request_origin"),
        ValidateConstraint(model_name="paymentrequestline", name="request_line_amount"),
    ]
