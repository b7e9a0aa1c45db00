"""The database itself keeps the audit log append-only, and an owner for every merchant that had one."""

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

KEEP_AN_OWNER = """
CREATE FUNCTION staff_keep_an_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM merchants_merchant WHERE id = OLD.merchant_id FOR NO KEY UPDATE;
  IF FOUND AND NOT EXISTS (SELECT 1 FROM merchants_staff WHERE merchant_id = OLD.merchant_id AND role = 'owner') THEN
    RAISE EXCEPTION 'A merchant keeps an owner.' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER merchants_staff_keep_an_owner AFTER UPDATE OR DELETE ON merchants_staff
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.role = 'owner') EXECUTE FUNCTION staff_keep_an_owner();
"""
ALLOW_NONE = """
DROP TRIGGER merchants_staff_keep_an_owner ON merchants_staff;
DROP FUNCTION staff_keep_an_owner();
"""


class Migration(migrations.Migration):
    dependencies = [("merchants", "0001_schema"), ("staff", "0001_schema")]
    replaces = [("staff", "0002_append_only"), ("staff", "0004_keep_an_owner")]

    operations = [migrations.RunSQL(REFUSE_CHANGES, ALLOW_CHANGES), migrations.RunSQL(KEEP_AN_OWNER, ALLOW_NONE)]
