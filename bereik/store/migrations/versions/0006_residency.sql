-- Check before contact: what the national register said of each person of each case, and the number it gave, sealed.

CREATE TABLE vault.residency (
    case_id      uuid NOT NULL,
    person_id    uuid NOT NULL,
    purpose      text NOT NULL,
    municipality text NOT NULL,
    signal_id    uuid NOT NULL,
    due_at       timestamptz NOT NULL DEFAULT now(),
    tries        integer NOT NULL DEFAULT 0,
    answer       text,
    differences  text[] NOT NULL DEFAULT '{}',
    -- The number under the register's own key, and a keyed hash by which an event of the register finds it back.
    bsn          bytea,
    bsn_hash     bytea,
    -- What the register holds where it differs, sealed: for the one who repairs, and gone once that was done.
    found        bytea,
    known        boolean,
    answered_at  timestamptz,
    choice       text,
    repaired_by  text,
    repaired_at  timestamptz,
    PRIMARY KEY (case_id, person_id)
);
CREATE INDEX residency_due ON vault.residency (due_at) WHERE answer IS NULL AND choice IS NULL;
CREATE INDEX residency_of_number ON vault.residency (bsn_hash) WHERE bsn_hash IS NOT NULL;
CREATE INDEX residency_tray ON vault.residency (purpose, municipality) WHERE choice IS NULL;

-- A mover's case, offered to where somebody lives now: a count and a month, and no id that means anything there.
CREATE TABLE vault.transfer (
    transfer_id  uuid PRIMARY KEY,
    purpose      text NOT NULL,
    case_id      uuid NOT NULL,
    person_id    uuid NOT NULL,
    municipality text NOT NULL,
    toward       text NOT NULL,
    offered_at   timestamptz NOT NULL DEFAULT now(),
    decided_at   timestamptz,
    decided_by   text,
    accepted     boolean
);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['residency', 'transfer'] LOOP
        EXECUTE format('ALTER TABLE vault.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE vault.%I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY auditor ON vault.%I FOR SELECT TO bereik_auditor USING (true)', t);
    END LOOP;
END $$;
-- Counting needs neither number nor hash.
GRANT SELECT (case_id, person_id, purpose, municipality, due_at, tries, answer, differences, known, answered_at, choice,
    repaired_at) ON vault.residency TO bereik_auditor;
GRANT SELECT ON vault.transfer TO bereik_auditor;

-- A login of its own asks the registers; nobody else holds a number.
GRANT USAGE ON SCHEMA public, ops, vault, casework, audit TO bereik_checks;
GRANT SELECT ON public.alembic_version, ops.bundle, ops.activation TO bereik_checks;
GRANT SELECT, INSERT, UPDATE ON ops.position TO bereik_checks;
GRANT INSERT ON ops.parked, ops.outbox, audit.act TO bereik_checks;
CREATE POLICY written_by_checks ON audit.act FOR INSERT TO bereik_checks WITH CHECK (true);
