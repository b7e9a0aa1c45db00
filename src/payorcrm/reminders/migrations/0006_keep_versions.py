"""The database itself writes a version whenever a template's text changes, and keeps each as it was written."""

from django.db import migrations

# A run remembers the text of the moment in which it was decided, whoever decides it.
KEEP = """
CREATE FUNCTION reminders_write_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO reminders_templateversion (template_id, number, subject, body, variants, saved_by_id, saved_at)
  SELECT NEW.id, coalesce(max(number), 0) + 1, NEW.subject, NEW.body, NEW.variants, NEW.saved_by_id, NEW.updated_at
  FROM reminders_templateversion WHERE template_id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER template_first_version AFTER INSERT ON reminders_remindertemplate
  FOR EACH ROW EXECUTE FUNCTION reminders_write_version();
CREATE TRIGGER template_next_version AFTER UPDATE ON reminders_remindertemplate
  FOR EACH ROW WHEN ((OLD.subject, OLD.body, OLD.variants) IS DISTINCT FROM (NEW.subject, NEW.body, NEW.variants))
  EXECUTE FUNCTION reminders_write_version();

CREATE FUNCTION reminders_refuse_version_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'A version of a template stays as it is: save a new one.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER template_version_stays BEFORE UPDATE ON reminders_templateversion
  FOR EACH ROW WHEN ((OLD.template_id, OLD.number, OLD.subject, OLD.body, OLD.variants, OLD.saved_at)
    IS DISTINCT FROM (NEW.template_id, NEW.number, NEW.subject, NEW.body, NEW.variants, NEW.saved_at))
  EXECUTE FUNCTION reminders_refuse_version_change();

CREATE FUNCTION reminders_name_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT id INTO NEW.version_id FROM reminders_templateversion
    WHERE template_id = NEW.template_id ORDER BY number DESC LIMIT 1;
  RETURN NEW;
END $$;
CREATE TRIGGER run_names_version BEFORE INSERT ON reminders_reminderrun
  FOR EACH ROW WHEN (NEW.version_id IS NULL) EXECUTE FUNCTION reminders_name_version();

INSERT INTO reminders_templateversion (template_id, number, subject, body, variants, saved_at)
  SELECT id, 1, subject, body, variants, updated_at FROM reminders_remindertemplate;
"""

DROP = """
DROP TRIGGER run_names_version ON reminders_reminderrun;
DROP TRIGGER template_version_stays ON reminders_templateversion;
DROP TRIGGER template_next_version ON reminders_remindertemplate;
DROP TRIGGER template_first_version ON reminders_remindertemplate;
DROP FUNCTION reminders_name_version(), reminders_refuse_version_change(), reminders_write_version();
DELETE FROM reminders_templateversion;
"""


class Migration(migrations.Migration):
    dependencies = [("reminders", "0005_template_versions")]

    operations = [migrations.RunSQL(KEEP, DROP)]
