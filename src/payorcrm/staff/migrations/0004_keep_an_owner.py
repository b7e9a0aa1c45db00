"""The database itself keeps an owner for every merchant that had one."""

from django.db import migrations

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
    dependencies = [("staff", "0003_invitations"), ("merchants", "0003_logo_facts")]

    operations = [migrations.RunSQL(KEEP_AN_OWNER, ALLOW_NONE)]
