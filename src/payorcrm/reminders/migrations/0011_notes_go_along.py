"""Steps and omissions go with their invoice, so that an import that nothing was sent from can be undone."""

from django.db import migrations

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
    dependencies = [("reminders", "0010_subdivisions")]

    operations = [migrations.RunSQL(CASCADE, migrations.RunSQL.noop)]
