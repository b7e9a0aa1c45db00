"""Every hold ends by itself: on its last day, with its address, or when what it is about is settled."""

from django.db import migrations, models

# Holds in force that had no end get the one that is usual now.
GIVE_AN_END = """
UPDATE reminders_hold SET until = CURRENT_DATE + CASE reason
    WHEN 'dispute' THEN 14 WHEN 'reply' THEN 7 WHEN 'autopay' THEN 90 ELSE 14 END
WHERE until IS NULL AND ended_at IS NULL AND reason <> 'bounced'
"""
# Nothing to compare with was a hold that no correction could end; now any address that a customer gets ends it.
BOUNCES = """
CREATE OR REPLACE FUNCTION end_holds_of_bounces() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE reminders_hold AS hold SET ended_at = now()
    WHERE hold.customer_id = coalesce(NEW.customer_id, OLD.customer_id) AND hold.reason = 'bounced'
        AND hold.ended_at IS NULL
        AND lower(hold.address) NOT IN (
            SELECT lower(used.address) FROM (
                SELECT directed."to"[1] FROM customers_notification AS directed
                WHERE directed.customer_id = hold.customer_id AND directed.topic = 'reminders'
                UNION ALL
                SELECT contact.email FROM customers_contact AS contact
                WHERE contact.customer_id = hold.customer_id AND contact.is_primary AND NOT EXISTS (
                    SELECT FROM customers_notification AS directed
                    WHERE directed.customer_id = hold.customer_id AND directed.topic = 'reminders'
                        AND cardinality(directed."to") > 0
                )
            ) AS used (address)
            WHERE used.address IS NOT NULL
        );
    RETURN NULL;
END $$;
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


class Migration(migrations.Migration):
    dependencies = [("invoices", "0006_days"), ("reminders", "0012_rules_keep_templates")]

    operations = [
        migrations.RunSQL(GIVE_AN_END, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("until__isnull", False), ("reason", "bounced"), ("ended_at__isnull", False), _connector="OR"
                ),
                name="hold_ends_by_itself",
            ),
        ),
        migrations.RunSQL(BOUNCES, migrations.RunSQL.noop),
        migrations.RunSQL(SETTLED, NOT_SETTLED),
    ]
