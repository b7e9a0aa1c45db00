-- Every change of a status leaves an event behind: a trigger sees to it, whichever statement made the change.

CREATE TABLE sandbox.accounts (
    id text PRIMARY KEY,
    name text NOT NULL UNIQUE,
    public_key text NOT NULL UNIQUE,
    secret_hash bytea NOT NULL UNIQUE,
    webhook_url text NOT NULL DEFAULT '',
    origins text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sandbox.methods (
    id text PRIMARY KEY,
    account_id text NOT NULL REFERENCES sandbox.accounts (id),
    browser_token text UNIQUE,
    state text NOT NULL CHECK (state IN ('offered', 'single_use', 'reusable', 'removed')),
    kind text NOT NULL CHECK (kind IN ('card', 'bank_account')),
    brand text NOT NULL,
    bank_name text NOT NULL,
    last4 text NOT NULL CHECK (last4 ~ '^\d{4}$'),
    expiry_month smallint CHECK (expiry_month BETWEEN 1 AND 12),
    expiry_year smallint,
    holder_name text NOT NULL,
    account_type text NOT NULL,
    holder_type text NOT NULL,
    fingerprint text NOT NULL,
    behaviour text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sandbox.charges (
    id text PRIMARY KEY,
    account_id text NOT NULL REFERENCES sandbox.accounts (id),
    idempotency_key text NOT NULL,
    request_hash bytea NOT NULL,
    method_id text REFERENCES sandbox.methods (id),
    is_single_use boolean NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    description text NOT NULL,
    entry_class text NOT NULL,
    return_url text NOT NULL,
    status text NOT NULL CHECK (status IN ('succeeded', 'pending', 'requires_action', 'declined', 'returned')),
    decline_code text NOT NULL DEFAULT '' CHECK ((decline_code <> '') = (status = 'declined')),
    return_code text NOT NULL DEFAULT '' CHECK ((return_code <> '') = (status = 'returned')),
    refunded bigint NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND amount),
    expected_on date,
    planned_return text NOT NULL DEFAULT '',
    returns_late boolean NOT NULL DEFAULT false,
    next_step_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT charges_once_per_key UNIQUE (account_id, idempotency_key)
);

CREATE UNIQUE INDEX charges_once_per_single_use_method ON sandbox.charges (method_id)
    WHERE is_single_use AND status <> 'declined';
CREATE INDEX charges_by_next_step ON sandbox.charges (next_step_at) WHERE next_step_at IS NOT NULL;

CREATE TABLE sandbox.refunds (
    id text PRIMARY KEY,
    account_id text NOT NULL REFERENCES sandbox.accounts (id),
    idempotency_key text NOT NULL,
    request_hash bytea NOT NULL,
    charge_id text NOT NULL REFERENCES sandbox.charges (id),
    amount bigint NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    status text NOT NULL CHECK (status IN ('succeeded', 'declined')),
    message text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT refunds_once_per_key UNIQUE (account_id, idempotency_key)
);
CREATE INDEX refunds_by_charge ON sandbox.refunds (charge_id);

CREATE TABLE sandbox.events (
    id text PRIMARY KEY,
    account_id text NOT NULL REFERENCES sandbox.accounts (id),
    kind text NOT NULL,
    charge_id text NOT NULL REFERENCES sandbox.charges (id),
    occurred_at timestamptz NOT NULL,
    body text NOT NULL,
    attempts smallint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    delivered_at timestamptz,
    last_error text NOT NULL DEFAULT ''
);
CREATE INDEX events_by_moment ON sandbox.events (account_id, occurred_at, id);
CREATE INDEX events_to_deliver ON sandbox.events (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

CREATE FUNCTION sandbox.add_event(the_account text, the_kind text, the_charge text, the_key text) RETURNS void
LANGUAGE sql AS $$
    WITH event AS (
        SELECT 'evt_' || replace(gen_random_uuid()::text, '-', '') AS id, clock_timestamp() AS moment
    )
    INSERT INTO sandbox.events (id, account_id, kind, charge_id, occurred_at, body, next_attempt_at)
    SELECT event.id, the_account, the_kind, the_charge, event.moment,
           json_build_object('id', event.id, 'type', the_kind, 'occurred_at', event.moment,
                             'charge', the_charge, 'idempotency_key', the_key)::text,
           CASE WHEN accounts.webhook_url <> '' THEN event.moment END
    FROM event, sandbox.accounts WHERE accounts.id = the_account
$$;

CREATE FUNCTION sandbox.charge_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sandbox.add_event(new.account_id, 'charge.' || new.status, new.id, new.idempotency_key);
    RETURN NULL;
END $$;

CREATE FUNCTION sandbox.refund_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sandbox.add_event(new.account_id, 'refund.' || new.status, new.charge_id, new.idempotency_key);
    RETURN NULL;
END $$;

CREATE TRIGGER charge_made AFTER INSERT ON sandbox.charges
    FOR EACH ROW EXECUTE FUNCTION sandbox.charge_changed();
CREATE TRIGGER charge_moved AFTER UPDATE OF status ON sandbox.charges
    FOR EACH ROW WHEN (old.status IS DISTINCT FROM new.status) EXECUTE FUNCTION sandbox.charge_changed();
CREATE TRIGGER refund_made AFTER INSERT ON sandbox.refunds
    FOR EACH ROW EXECUTE FUNCTION sandbox.refund_made();
