"""What the database itself does: write versions, keep templates for their rules, end holds, take what hangs on invoices."""

from django.db import migrations

# A version whenever a template's text changes, and each as it was written.
# A run remembers the text of the moment in which it was decided, whoever decides it.
KEEP_VERSIONS = """
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
"""
DROP_VERSIONS = """
DROP TRIGGER run_names_version ON reminders_reminderrun;
DROP TRIGGER template_version_stays ON reminders_templateversion;
DROP TRIGGER template_next_version ON reminders_remindertemplate;
DROP TRIGGER template_first_version ON reminders_remindertemplate;
DROP FUNCTION reminders_name_version(), reminders_refuse_version_change(), reminders_write_version();
"""

# No rule takes a template that is deleted, not even one that is being deleted in this instant, nor the other way round.
KEEP_TEMPLATES = """
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
LET_TEMPLATES_GO = """
DROP TRIGGER rule_needs_its_template ON reminders_rule;
DROP TRIGGER rules_need_this_template ON reminders_remindertemplate;
DROP FUNCTION refuse_deleted_template();
DROP FUNCTION refuse_deletion_of_used_template();
"""

# A hold for a bounced address ends, whoever corrects the address, as soon as mails go somewhere else.
# No address is named where reminders went nowhere, so that any that they go to now is another one.
BOUNCES = """
CREATE FUNCTION end_holds_of_bounces() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE reminders_hold AS hold SET ended_at = now()
    FROM (
        SELECT customer.id, coalesce(directed."to"[1], contact.email, '') AS address,
            coalesce(directed.is_wanted, true) AS is_wanted
        FROM customers_customer AS customer
        LEFT JOIN customers_notification AS directed
            ON directed.customer_id = customer.id AND directed.topic = 'reminders'
        LEFT JOIN customers_contact AS contact ON contact.customer_id = customer.id AND contact.is_primary
        WHERE customer.id = coalesce(NEW.customer_id, OLD.customer_id)
    ) AS used
    WHERE hold.customer_id = used.id AND hold.reason = 'bounced' AND hold.ended_at IS NULL
        AND CASE hold.address
            WHEN '' THEN used.is_wanted AND used.address <> '' ELSE lower(hold.address) <> lower(used.address)
        END;
    RETURN NULL;
END $$;
CREATE TRIGGER contact_ends_bounces AFTER UPDATE OF email, is_primary ON customers_contact
    FOR EACH ROW WHEN (OLD.email IS DISTINCT FROM NEW.email OR OLD.is_primary <> NEW.is_primary)
    EXECUTE FUNCTION end_holds_of_bounces();
CREATE TRIGGER notification_ends_bounces AFTER INSERT OR UPDATE OR DELETE ON customers_notification
    FOR EACH ROW EXECUTE FUNCTION end_holds_of_bounces();
"""
NO_BOUNCES = """
DROP TRIGGER contact_ends_bounces ON customers_contact;
DROP TRIGGER notification_ends_bounces ON customers_notification;
DROP FUNCTION end_holds_of_bounces();
"""

# Imports add many contacts in one statement; those of new customers end nothing.
FIRST_CONTACTS = """
CREATE FUNCTION end_holds_of_first_contacts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE reminders_hold AS hold SET ended_at = now() FROM added
    WHERE added.is_primary AND added.email <> '' AND hold.customer_id = added.customer_id
        AND hold.reason = 'bounced' AND hold.ended_at IS NULL AND hold.address = ''
        AND NOT EXISTS (
            SELECT FROM customers_notification AS directed
            WHERE directed.customer_id = hold.customer_id AND directed.topic = 'reminders' AND NOT directed.is_wanted
        );
    RETURN NULL;
END $$;
CREATE TRIGGER first_contact_ends_bounces AFTER INSERT ON customers_contact
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION end_holds_of_first_contacts();
"""
NO_FIRST_CONTACTS = """
DROP TRIGGER first_contact_ends_bounces ON customers_contact;
DROP FUNCTION end_holds_of_first_contacts();
"""

SETTLED = """
CREATE FUNCTION end_holds_of_settled() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE reminders_hold AS hold SET ended_at = now()
    WHERE hold.customer_id = NEW.customer_id AND hold.ended_at IS NULL
        AND hold.reason IN ('promise', 'dispute', 'reply')
        AND (hold.invoice_id = NEW.id OR hold.invoice_id IS NULL AND NOT EXISTS (
            SELECT FROM invoices_invoice AS other WHERE other.customer_id = NEW.customer_id AND other.status = 'open'
        ));
    RETURN NULL;
END $$;
CREATE TRIGGER invoice_ends_holds AFTER UPDATE OF status ON invoices_invoice
    FOR EACH ROW WHEN (OLD.status = 'open' AND NEW.status <> 'open') EXECUTE FUNCTION end_holds_of_settled();
"""
NOT_SETTLED = """
DROP TRIGGER invoice_ends_holds ON invoices_invoice;
DROP FUNCTION end_holds_of_settled();
"""

# Steps and omissions go with their invoice, so that an import that nothing was sent from can be undone.
CASCADE = """
DO $$ DECLARE found record; BEGIN
    FOR found IN
        SELECT con.conname, con.conrelid::regclass AS named
        FROM pg_constraint AS con
        WHERE con.contype = 'f' AND con.confrelid = 'invoices_invoice'::regclass
            AND con.conrelid IN ('reminders_step'::regclass, 'reminders_omission'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.named, found.conname);
        EXECUTE format(
            'ALTER TABLE %s ADD CONSTRAINT %I FOREIGN KEY (invoice_id) REFERENCES invoices_invoice (id) '
            'ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED', found.named, found.conname
        );
    END LOOP;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_schema"), ("invoices", "0001_schema"), ("reminders", "0001_schema")]
    replaces = [
        ("reminders", "0006_keep_versions"),
        ("reminders", "0011_notes_go_along"),
        ("reminders", "0012_rules_keep_templates"),
        ("reminders", "0015_bounces_without_address"),
    ]

    operations = [
        migrations.RunSQL(KEEP_VERSIONS, DROP_VERSIONS),
        migrations.RunSQL(KEEP_TEMPLATES, LET_TEMPLATES_GO),
        migrations.RunSQL(BOUNCES, NO_BOUNCES),
        migrations.RunSQL(FIRST_CONTACTS, NO_FIRST_CONTACTS),
        migrations.RunSQL(SETTLED, NOT_SETTLED),
        migrations.RunSQL(CASCADE, migrations.RunSQL.noop),
    ]
