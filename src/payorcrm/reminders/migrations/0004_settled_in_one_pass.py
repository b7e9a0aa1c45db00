"""Asks first whether any invoice is closed at all, because comparing each row with each took minutes for an import."""

from django.db import migrations

# Whether a row exists is planned as if one were found soon; that none of thousands is settled must be found fast, too.
AT_ONCE = """
CREATE OR REPLACE FUNCTION end_holds_of_settled() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NOT EXISTS (SELECT FROM after WHERE status <> 'open') THEN
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
"""
EACH_WITH_EACH = """
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
"""


class Migration(migrations.Migration):
    dependencies = [("reminders", "0003_settled_together")]

    operations = [migrations.RunSQL(AT_ONCE, EACH_WITH_EACH)]
