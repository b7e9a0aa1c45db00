"""A removed rule stays, switched off, so that what it sent keeps its reason; its name is free again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reminders", "0006_keep_versions")]

    operations = [
        migrations.AddField(model_name="rule", name="removed_at", field=models.DateTimeField(null=True)),
        migrations.RemoveConstraint(model_name="rule", name="rule_name_unique"),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.UniqueConstraint(
                fields=["merchant", "name"],
                condition=models.Q(("removed_at__isnull", True)),
                name="rule_name_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.CheckConstraint(
                name="rule_removed_is_off",
                condition=models.Q(("is_active", False), ("removed_at__isnull", True), _connector="OR"),
            ),
        ),
    ]
