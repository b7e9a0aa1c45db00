from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("merchants", "0007_new_methods"),
    ]

    operations = [
        migrations.AddField(
            model_name="gatewayaccount",
            name="account_id",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
    ]
