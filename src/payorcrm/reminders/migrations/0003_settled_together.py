"""Ends the holds of all invoices that one statement settles at once: an import settles thousands."""

from django.db import migrations

# Planned anew each time, because one payment settles one invoice and an import settles thousands.
TOGETHER = """
DROP TRIGGER invoice_ends_holds ON invoices_invoice;
CREATE OR REPLACE FUNCTION end_holds_of_settled() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NOT EXISTS (SELECT FROM before JOIN after USING (id) WHERE before.status = 'open' AND after.status <> 'open') THEN
        RETURN NULL;
    END IF;
    EXECUTE $end$
        WITH settled AS MATERIALIZED (
            SELECT after.id, after.customer_id FROM before JOIN after USING (id)
            WHERE before.status = 'open' AND after.status <> 'open'
        ), running AS MATERIALIZED (
            SELECT hold.id, hold.customer_id, hold.invoice_id
            FROM (SELECT DISTINCT customer_id FROM settled) AS customer JOIN reminders_hold AS hold USING (customer_id)
            WHERE hold.ended_at IS NULL AND hold.reason IN ('promise', 'dispute', 'reply')
        ), ended AS (
            SELECT running.id FROM running JOIN settled ON settled.id = running.invoice_id
            UNION ALL
            SELECT running.id FROM running WHERE running.invoice_id IS NULL AND NOT EXISTS (
                SELECT FROM invoices_invoice AS other
                WHERE other.customer_id = running.customer_id AND other.status = 'open'
            )
        )
        UPDATE reminders_hold AS hold SET ended_at = now() FROM ended WHERE hold.id = ended.id
    $end$;
    RETURN NULL;
END $$;
CREATE TRIGGER invoice_ends_holds AFTER UPDATE ON invoices_invoice
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION end_holds_of_settled();
"""
ONE_BY_ONE = """
DROP TRIGGER invoice_ends_holds ON invoices_invoice;
CREATE OR REPLACE FUNCTION end_holds_of_settled() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
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


class Migration(migrations.Migration):
    dependencies = [("reminders", "0002_triggers")]

    operations = [migrations.RunSQL(TOGETHER, ONE_BY_ONE)]
