from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("merchants", "0005_second_factor"),
    ]

    operations = [
        migrations.AddField(
            model_name="merchant",
            name="is_trusted",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddIndex(
            model_name="merchant",
            index=models.Index(condition=models.Q(("is_trusted", False)), fields=["id"], name="merchant_not_trusted"),
        ),
    ]
