"""Who asked for a payment and who made it; the next migration looks whether earlier rows keep the constraints."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0002_portal"),
        ("invoices", "0003_portal"),
        ("merchants", "0002_portal"),
        ("payments", "0004_alter_paymentrequestline_invoice"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="made_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="paymentrequest",
            name="made_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="paymentrequest",
            name="origin",
            field=models.CharField(
                choices=[("mail", "A mail"), ("portal", "The portal")], db_default="mail", default="mail", max_length=8
            ),
        ),
        migrations.AddField(
            model_name="paymentrequestline",
            name="amount",
            field=models.BigIntegerField(null=True),
        ),
        AddConstraintNotValid(
            model_name="paymentrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("origin__in", ["mail", "portal"])), name="request_origin"
            ),
        ),
        AddConstraintNotValid(
            model_name="paymentrequestline",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="request_line_amount"),
        ),
    ]
