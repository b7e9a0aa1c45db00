from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0002_portal"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="signed_out_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
