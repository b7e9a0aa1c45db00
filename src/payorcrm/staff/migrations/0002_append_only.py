"""The database itself keeps the audit log append-only."""

from django.db import migrations

REFUSE_CHANGES = """
CREATE FUNCTION staff_refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The audit log is append-only: no % on %.', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER staff_auditentry_append_only BEFORE UPDATE OR DELETE ON staff_auditentry
  FOR EACH ROW EXECUTE FUNCTION staff_refuse_audit_change();
"""

ALLOW_CHANGES = """
DROP TRIGGER staff_auditentry_append_only ON staff_auditentry;
DROP FUNCTION staff_refuse_audit_change();
"""


class Migration(migrations.Migration):
    dependencies = [("staff", "0001_audit")]

    operations = [migrations.RunSQL(REFUSE_CHANGES, ALLOW_CHANGES)]
