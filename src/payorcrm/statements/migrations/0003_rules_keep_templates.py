"""Rules of statements keep their templates as rules of reminders do: neither is taken from under the other."""

from django.db import migrations

TRIGGERS = """
CREATE FUNCTION refuse_deletion_of_statement_template() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT FROM statements_statementrule WHERE template_id = NEW.id) THEN
        RAISE 'rule_needs_its_template: template % is in use', NEW.id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'rule_needs_its_template';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER statement_rule_needs_its_template BEFORE INSERT OR UPDATE OF template_id ON statements_statementrule
    FOR EACH ROW EXECUTE FUNCTION refuse_deleted_template();
CREATE TRIGGER statement_rules_need_this_template BEFORE UPDATE OF deleted_at ON reminders_remindertemplate
    FOR EACH ROW WHEN (NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL)
    EXECUTE FUNCTION refuse_deletion_of_statement_template();
"""
NO_TRIGGERS = """
DROP TRIGGER statement_rule_needs_its_template ON statements_statementrule;
DROP TRIGGER statement_rules_need_this_template ON reminders_remindertemplate;
DROP FUNCTION refuse_deletion_of_statement_template();
"""


class Migration(migrations.Migration):
    dependencies = [("reminders", "0012_rules_keep_templates"), ("statements", "0002_suppressed")]

    operations = [migrations.RunSQL(TRIGGERS, NO_TRIGGERS)]
