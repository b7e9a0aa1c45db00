from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payment_methods", "0003_portal"),
    ]

    operations = [
        migrations.AddField(
            model_name="paymentmethod",
            name="account_id",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
    ]
