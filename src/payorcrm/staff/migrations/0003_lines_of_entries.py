"""What an action on many rows changed, row by row, append-only like its entry."""

from django.db import migrations, models

APPEND_ONLY = """
CREATE TRIGGER staff_auditline_append_only BEFORE UPDATE OR DELETE ON staff_auditline
  FOR EACH ROW EXECUTE FUNCTION staff_refuse_audit_change();
"""


class Migration(migrations.Migration):
    dependencies = [("staff", "0002_triggers")]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="more_count",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.CreateModel(
            name="AuditLine",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("what", models.TextField()),
                ("before", models.TextField()),
                ("after", models.TextField()),
                (
                    "entry",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.deletion.CASCADE,
                        related_name="lines",
                        to="staff.auditentry",
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["entry", "id"], name="audit_lines_of_entry")]},
        ),
        migrations.RunSQL(APPEND_ONLY, "DROP TRIGGER staff_auditline_append_only ON staff_auditline"),
    ]
