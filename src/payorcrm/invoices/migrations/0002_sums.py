"""Tables without models: notes of whose invoices changed, and the sums that are kept of what is owed and was invoiced."""

from django.db import migrations

# So that kept sums know when they are old.
_NOTES = """
CREATE TABLE invoices_change (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id uuid NOT NULL,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX invoice_change_by_customer ON invoices_change (customer_id, id) INCLUDE (xid);
CREATE INDEX invoice_change_by_transaction ON invoices_change (xid) INCLUDE (customer_id);
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

# What is owed and was invoiced, added up by day as invoices change.
_PARTS = """
  SELECT merchant_id, 'due' AS kind, currency, due_on AS day, {sign} balance AS amount, {sign} in_flight AS in_flight,
         {sign} 1 AS open_count, {sign} (in_flight < balance)::int AS payable_count
    FROM {source} WHERE status = 'open'
  UNION ALL
  SELECT merchant_id, 'issued', currency, issued_on, {sign} total, 0, 0, 0
    FROM {source} WHERE status NOT IN ('draft', 'void')
"""
_ADD = """
  INSERT INTO invoices_day (merchant_id, kind, currency, day, amount, in_flight, open_count, payable_count)
  SELECT merchant_id, kind, currency, day, sum(amount), sum(in_flight), sum(open_count), sum(payable_count)
    FROM ({parts}) AS parts GROUP BY merchant_id, kind, currency, day
  HAVING sum(amount) <> 0 OR sum(in_flight) <> 0 OR sum(open_count) <> 0 OR sum(payable_count) <> 0;
"""


def _adding(added: str = "", taken: str = "") -> str:
    parts = [_PARTS.format(sign="+", source=added)] if added else []
    parts += [_PARTS.format(sign="-", source=taken)] if taken else []
    return _ADD.format(parts=" UNION ALL ".join(parts))


_DAYS = f"""
CREATE TABLE invoices_day (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  merchant_id uuid NOT NULL,
  kind varchar(8) NOT NULL CHECK (kind IN ('due', 'issued')),
  currency varchar(3) NOT NULL,
  day date NOT NULL,
  amount bigint NOT NULL,
  in_flight bigint NOT NULL,
  open_count bigint NOT NULL,
  payable_count bigint NOT NULL
);
CREATE INDEX invoice_day_by_merchant ON invoices_day (merchant_id, kind, currency, day);

CREATE FUNCTION add_invoice_inserts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
{_adding(added="after")}
  RETURN NULL;
END $$;
CREATE FUNCTION add_invoice_updates() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
{_adding(added="after", taken="before")}
  RETURN NULL;
END $$;
CREATE FUNCTION add_invoice_deletes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
{_adding(taken="before")}
  RETURN NULL;
END $$;
CREATE TRIGGER invoice_inserts_added AFTER INSERT ON invoices_invoice
  REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION add_invoice_inserts();
CREATE TRIGGER invoice_updates_added AFTER UPDATE ON invoices_invoice
  REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION add_invoice_updates();
CREATE TRIGGER invoice_deletes_added AFTER DELETE ON invoices_invoice
  REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION add_invoice_deletes();
"""
_NO_DAYS = """
DROP TRIGGER invoice_inserts_added ON invoices_invoice;
DROP TRIGGER invoice_updates_added ON invoices_invoice;
DROP TRIGGER invoice_deletes_added ON invoices_invoice;
DROP FUNCTION add_invoice_inserts(), add_invoice_updates(), add_invoice_deletes();
DROP TABLE invoices_day;
"""

# Sums of each customer's overdue invoices.
_DEBTORS = """
CREATE TABLE invoices_debtor (
  merchant_id uuid NOT NULL,
  currency varchar(3) NOT NULL,
  customer_id uuid NOT NULL,
  overdue bigint NOT NULL,
  PRIMARY KEY (merchant_id, currency, customer_id)
);
CREATE INDEX invoice_debtor_by_amount ON invoices_debtor (merchant_id, currency, overdue DESC, customer_id);
CREATE TABLE invoices_debtorsum (
  merchant_id uuid PRIMARY KEY,
  day date NOT NULL,
  snapshot pg_snapshot NOT NULL,
  at timestamptz NOT NULL
);
"""
_NO_DEBTORS = "DROP TABLE invoices_debtor; DROP TABLE invoices_debtorsum;"


class Migration(migrations.Migration):
    dependencies = [("invoices", "0001_schema")]
    replaces = [("invoices", "0004_owed"), ("invoices", "0006_days")]

    operations = [
        migrations.RunSQL(_NOTES, _NO_NOTES),
        migrations.RunSQL(_DAYS, _NO_DAYS),
        migrations.RunSQL(_DEBTORS, _NO_DEBTORS),
    ]
