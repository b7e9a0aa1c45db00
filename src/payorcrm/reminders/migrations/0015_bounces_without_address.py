"""A hold for a bounce that names no address ends once there is one that reminders go to, and not before."""

from django.db import migrations

# Their customers have an address: it is the one that does not work.
NAME_ADDRESSES = """
UPDATE reminders_hold AS hold SET address = coalesce(directed."to"[1], contact.email)
FROM customers_customer AS customer
LEFT JOIN customers_notification AS directed ON directed.customer_id = customer.id AND directed.topic = 'reminders'
LEFT JOIN customers_contact AS contact ON contact.customer_id = customer.id AND contact.is_primary
WHERE hold.customer_id = customer.id AND hold.reason = 'bounced' AND hold.ended_at IS NULL AND hold.address = ''
    AND coalesce(directed.is_wanted, true) AND coalesce(directed."to"[1], contact.email, '') <> ''
"""
# No address is named where reminders went nowhere, so that any that they go to now is another one.
BOUNCES = """
CREATE OR REPLACE FUNCTION end_holds_of_bounces() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
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


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_suppressed"), ("reminders", "0014_kept_rehearsals")]

    operations = [
        migrations.RunSQL(NAME_ADDRESSES, migrations.RunSQL.noop),
        migrations.RunSQL(BOUNCES, migrations.RunSQL.noop),
        migrations.RunSQL(FIRST_CONTACTS, NO_FIRST_CONTACTS),
    ]
