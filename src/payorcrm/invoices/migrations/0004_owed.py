"""Notes of which customers' invoices changed, so that kept sums know when they are old."""

from django.db import migrations

_NOTES = """
CREATE TABLE invoices_change (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id uuid NOT NULL,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX invoice_change_by_customer ON invoices_change (customer_id, id) INCLUDE (xid);
CREATE INDEX invoice_change_by_time ON invoices_change USING brin (at);

CREATE FUNCTION note_invoice_inserts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO invoices_change (customer_id) SELECT DISTINCT customer_id FROM after;
  RETURN NULL;
END $$;
CREATE FUNCTION note_invoice_updates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO invoices_change (customer_id) SELECT customer_id FROM before UNION SELECT customer_id FROM after;
  RETURN NULL;
END $$;
CREATE FUNCTION note_invoice_deletes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO invoices_change (customer_id) SELECT DISTINCT customer_id FROM before;
  RETURN NULL;
END $$;
CREATE TRIGGER invoice_inserts_noted AFTER INSERT ON invoices_invoice
  REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION note_invoice_inserts();
CREATE TRIGGER invoice_updates_noted AFTER UPDATE ON invoices_invoice
  REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION note_invoice_updates();
CREATE TRIGGER invoice_deletes_noted AFTER DELETE ON invoices_invoice
  REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION note_invoice_deletes();
"""
_NO_NOTES = """
DROP TRIGGER invoice_inserts_noted ON invoices_invoice;
DROP TRIGGER invoice_updates_noted ON invoices_invoice;
DROP TRIGGER invoice_deletes_noted ON invoices_invoice;
DROP FUNCTION note_invoice_inserts(), note_invoice_updates(), note_invoice_deletes();
DROP TABLE invoices_change;
"""


class Migration(migrations.Migration):
    dependencies = [("invoices", "0003_portal")]

    operations = [migrations.RunSQL(_NOTES, _NO_NOTES)]
