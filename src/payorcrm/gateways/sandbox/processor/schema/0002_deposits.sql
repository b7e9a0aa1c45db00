-- An account that needs it gets two deposits of less than a dollar; three wrong tries to name them end it for good.

ALTER TABLE sandbox.methods
    ADD COLUMN verification text NOT NULL DEFAULT 'not_needed'
        CHECK (verification IN ('not_needed', 'pending', 'verified', 'failed')),
    ADD COLUMN deposits smallint[] NOT NULL DEFAULT '{}'
        CHECK (cardinality(deposits) = CASE verification WHEN 'not_needed' THEN 0 ELSE 2 END),
    ADD COLUMN deposits_expected_on date,
    ADD COLUMN wrong_tries smallint NOT NULL DEFAULT 0 CHECK (wrong_tries BETWEEN 0 AND 3);
