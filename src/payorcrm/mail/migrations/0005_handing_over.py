import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mail", "0004_portal"),
    ]

    operations = [
        migrations.AddField(
            model_name="mail",
            name="also_to",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.EmailField(max_length=254), blank=True, db_default=[], default=list, size=None
            ),
        ),
        migrations.CreateModel(
            name="Handover",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "mail_id", "claimed_at", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("mail_id", models.UUIDField()),
                ("claimed_at", models.DateTimeField()),
                ("line", models.UUIDField(null=True)),
                ("place", models.IntegerField(db_default=0, default=0)),
                ("subject", models.CharField(blank=True, db_default="", default="", max_length=300)),
                ("begun_at", models.DateTimeField()),
                ("was_taken", models.BooleanField(null=True)),
            ],
        ),
    ]
