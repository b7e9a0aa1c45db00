-- A debit is voided until the bank has it; a refund to a bank account is under way for a while, and may fail.

ALTER TABLE sandbox.charges DROP CONSTRAINT charges_status_check;
ALTER TABLE sandbox.charges ADD CONSTRAINT charges_status_check
    CHECK (status IN ('succeeded', 'pending', 'requires_action', 'declined', 'returned', 'canceled'));
ALTER TABLE sandbox.charges ADD COLUMN sent_at timestamptz;

ALTER TABLE sandbox.refunds DROP CONSTRAINT refunds_status_check;
ALTER TABLE sandbox.refunds ADD CONSTRAINT refunds_status_check CHECK (status IN ('succeeded', 'pending', 'declined'));
ALTER TABLE sandbox.refunds ADD COLUMN next_step_at timestamptz;
CREATE INDEX refunds_by_next_step ON sandbox.refunds (next_step_at) WHERE next_step_at IS NOT NULL;

CREATE TRIGGER refund_moved AFTER UPDATE OF status ON sandbox.refunds
    FOR EACH ROW WHEN (old.status IS DISTINCT FROM new.status) EXECUTE FUNCTION sandbox.refund_made();
