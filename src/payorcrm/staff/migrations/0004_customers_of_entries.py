"""Which customer an entry is about, so that it is found whatever number and name the customer has by now."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("staff", "0003_lines_of_entries")]

    operations = [
        migrations.AddField("auditentry", "customer_id", models.UUIDField(null=True)),
        migrations.AddIndex(
            "auditentry",
            models.Index(
                fields=["customer_id", "-happened_at"],
                name="audit_of_customer",
                condition=models.Q(customer_id__isnull=False),
            ),
        ),
    ]
