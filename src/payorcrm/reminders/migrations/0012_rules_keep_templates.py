"""No rule takes a template that is deleted, not even one that is being deleted in this instant, nor the other way round."""

from django.db import migrations

TRIGGERS = """
CREATE FUNCTION refuse_deleted_template() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    -- Waits for a deletion that is under way, and lets one that comes later wait.
    PERFORM FROM reminders_remindertemplate WHERE id = NEW.template_id AND deleted_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE 'rule_needs_its_template: template % is deleted', NEW.template_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'rule_needs_its_template';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION refuse_deletion_of_used_template() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT FROM reminders_rule WHERE template_id = NEW.id AND removed_at IS NULL) THEN
        RAISE 'rule_needs_its_template: template % is in use', NEW.id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'rule_needs_its_template';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rule_needs_its_template BEFORE INSERT OR UPDATE OF template_id, removed_at ON reminders_rule
    FOR EACH ROW WHEN (NEW.removed_at IS NULL) EXECUTE FUNCTION refuse_deleted_template();
CREATE TRIGGER rules_need_this_template BEFORE UPDATE OF deleted_at ON reminders_remindertemplate
    FOR EACH ROW WHEN (NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL)
    EXECUTE FUNCTION refuse_deletion_of_used_template();
"""
NO_TRIGGERS = """
DROP TRIGGER rule_needs_its_template ON reminders_rule;
DROP TRIGGER rules_need_this_template ON reminders_remindertemplate;
DROP FUNCTION refuse_deleted_template();
DROP FUNCTION refuse_deletion_of_used_template();
"""


class Migration(migrations.Migration):
    dependencies = [("reminders", "0011_notes_go_along")]

    operations = [migrations.RunSQL(TRIGGERS, NO_TRIGGERS)]
