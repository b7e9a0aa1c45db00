"""The database itself keeps the journal append-only and every entry at zero in each currency."""

from django.db import migrations

REFUSE_CHANGES = """
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The ledger is append-only: post a reversing entry instead of a % on %.', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE ON ledger_entry
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_posting_append_only BEFORE UPDATE OR DELETE ON ledger_posting
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
"""

ALLOW_CHANGES = """
DROP TRIGGER ledger_entry_append_only ON ledger_entry;
DROP TRIGGER ledger_posting_append_only ON ledger_posting;
DROP FUNCTION ledger_refuse_change();
"""

# One check an entry, at commit, so that an import with one posting a customer stays linear. Postings may only join an
# entry of their own transaction; `transaction_id` remembers it, because `xmin` names a subtransaction inside savepoints.
CHECK_SUMS = """
CREATE FUNCTION ledger_check_entry(entry uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE wrong record;
BEGIN
  SELECT currency, sum(amount) AS amount INTO wrong
    FROM ledger_posting WHERE entry_id = entry GROUP BY currency HAVING sum(amount) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'Ledger entry % does not sum to zero: % % over.', entry, wrong.amount, wrong.currency
      USING ERRCODE = 'check_violation';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM ledger_posting WHERE entry_id = entry) THEN
    RAISE EXCEPTION 'Ledger entry % has no postings.', entry USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM ledger_posting p JOIN ledger_entry e ON e.id = p.entry_id
              WHERE p.entry_id = entry AND p.merchant_id <> e.merchant_id) THEN
    RAISE EXCEPTION 'Ledger entry % has a posting of another merchant.', entry USING ERRCODE = 'check_violation';
  END IF;
END $$;

CREATE FUNCTION ledger_check_new_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM ledger_check_entry(NEW.id);
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_entry_balanced AFTER INSERT ON ledger_entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_check_new_entry();

ALTER TABLE ledger_entry ADD COLUMN transaction_id bigint NOT NULL DEFAULT txid_current();
CREATE FUNCTION ledger_refuse_late_postings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM (SELECT DISTINCT entry_id FROM added) a JOIN ledger_entry e ON e.id = a.entry_id
              WHERE e.transaction_id <> txid_current()) THEN
    RAISE EXCEPTION 'A posting cannot be added to an entry that was posted before.' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER ledger_posting_with_its_entry AFTER INSERT ON ledger_posting REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_late_postings();
"""

NO_CHECKS = """
DROP TRIGGER ledger_posting_with_its_entry ON ledger_posting;
DROP FUNCTION ledger_refuse_late_postings();
ALTER TABLE ledger_entry DROP COLUMN transaction_id;
DROP TRIGGER ledger_entry_balanced ON ledger_entry;
DROP FUNCTION ledger_check_new_entry();
DROP FUNCTION ledger_check_entry(uuid);
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_schema")]

    operations = [migrations.RunSQL(REFUSE_CHANGES, ALLOW_CHANGES), migrations.RunSQL(CHECK_SUMS, NO_CHECKS)]
