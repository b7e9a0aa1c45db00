"""A hold for a bounced address ends, whoever corrects the address, as soon as mails go somewhere else."""

from django.conf import settings
from django.db import migrations, models

TRIGGERS = """
CREATE FUNCTION end_holds_of_bounces() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE reminders_hold AS hold SET ended_at = now()
    WHERE hold.customer_id = coalesce(NEW.customer_id, OLD.customer_id) AND hold.reason = 'bounced'
        AND hold.ended_at IS NULL AND hold.address <> ''
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
CREATE TRIGGER contact_ends_bounces AFTER UPDATE OF email, is_primary ON customers_contact
    FOR EACH ROW WHEN (OLD.email IS DISTINCT FROM NEW.email OR OLD.is_primary <> NEW.is_primary)
    EXECUTE FUNCTION end_holds_of_bounces();
CREATE TRIGGER notification_ends_bounces AFTER INSERT OR UPDATE OR DELETE ON customers_notification
    FOR EACH ROW EXECUTE FUNCTION end_holds_of_bounces();
"""
NO_TRIGGERS = """
DROP TRIGGER contact_ends_bounces ON customers_contact;
DROP TRIGGER notification_ends_bounces ON customers_notification;
DROP FUNCTION end_holds_of_bounces();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0003_notes"),
        ("reminders", "0003_rules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="hold",
            name="address",
            field=models.EmailField(blank=True, db_default="", default="", max_length=254),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(fields=["merchant", "-id"], name="hold_by_merchant"),
        ),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
