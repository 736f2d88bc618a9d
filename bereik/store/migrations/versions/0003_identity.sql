-- Identity: records are found by keyed hashes, links are written down one after the other, humans decide about pairs.

ALTER TABLE vault.record ADD COLUMN keyed boolean NOT NULL DEFAULT true;
DROP INDEX vault.record_candidates;
ALTER TABLE vault.record DROP COLUMN match_key;
CREATE INDEX record_of_person ON vault.record (person_id);
-- A person is an id with edges to records, and nothing else; a table of ids alone said nothing more.
DROP TABLE vault.person;

-- Eight bytes of a keyed hash for each way in which a record can be found.
CREATE TABLE vault.key (
    register_id integer NOT NULL,
    key         bigint NOT NULL,
    signal_id   uuid NOT NULL,
    purpose     text NOT NULL
);
CREATE INDEX key_found ON vault.key (register_id, key) INCLUDE (signal_id);

-- Which person a signal has from this version on. Nothing is overwritten, so any past day can be asked for.
DROP TABLE vault.link;
CREATE TABLE vault.link (
    signal_id  uuid NOT NULL,
    version    integer NOT NULL,
    person_id  uuid NOT NULL,
    purpose    text NOT NULL,
    outcome    text NOT NULL CHECK (outcome IN ('link', 'review', 'new')),
    reason     text NOT NULL,
    against    uuid,
    weight     real,
    decided_by text NOT NULL,
    act_id     uuid,
    bundle_id  integer NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (signal_id, version)
);

-- A record that is possibly about somebody who is known. Until somebody decides it stands alone.
CREATE TABLE vault.review (
    signal_id   uuid PRIMARY KEY,
    against     uuid NOT NULL,
    register_id integer NOT NULL,
    purpose     text NOT NULL,
    weight      real,
    reason      text NOT NULL,
    opened_at   timestamptz NOT NULL DEFAULT now(),
    closed_at   timestamptz,
    closed_by   text,
    same        boolean
);
CREATE INDEX review_open ON vault.review (register_id, opened_at) WHERE closed_at IS NULL;

-- What a human decided about two signals: one person, or never one person. Taken back by ending it.
CREATE TABLE vault.verdict (
    act_id      uuid NOT NULL,
    one         uuid NOT NULL,
    other       uuid NOT NULL,
    register_id integer NOT NULL,
    purpose     text NOT NULL,
    same        boolean NOT NULL,
    decided_by  text NOT NULL,
    decided_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    ended_by    text,
    PRIMARY KEY (act_id, one, other)
);
CREATE INDEX verdict_in_force ON vault.verdict (register_id) WHERE ended_at IS NULL;

-- Addresses with many unrelated people: a shelter, a student house. Casework makes a case per person there.
CREATE TABLE vault.crowd (
    household_id uuid PRIMARY KEY,
    purpose      text NOT NULL,
    since        timestamptz NOT NULL DEFAULT now()
);

-- A signal of somebody who is possibly the same person; shown to those who may see both.
ALTER TABLE casework.signal ADD COLUMN hint uuid;
-- Moved: its move came before itself.
ALTER TABLE casework.signal DROP CONSTRAINT signal_status_check;
ALTER TABLE casework.signal ADD CONSTRAINT signal_status_check CHECK (status IN ('active', 'withdrawn', 'moved'));

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['key', 'link', 'review', 'verdict', 'crowd'] LOOP
        EXECUTE format('ALTER TABLE vault.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE vault.%I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY auditor ON vault.%I FOR SELECT TO bereik_auditor USING (true)', t);
    END LOOP;
END $$;
-- Counting needs no keyed hash.
GRANT SELECT ON vault.link, vault.review, vault.verdict, vault.crowd TO bereik_auditor;
GRANT SELECT (register_id, signal_id, purpose) ON vault.key TO bereik_auditor;
GRANT SELECT (keyed) ON vault.record TO bereik_auditor;

-- A login of its own for whoever decides about links: neither intake, which sees what came, nor the board.
GRANT USAGE ON SCHEMA public, ops, vault, casework, audit TO bereik_linkage;
GRANT SELECT ON public.alembic_version, ops.bundle, ops.activation TO bereik_linkage;
GRANT INSERT ON ops.outbox TO bereik_linkage;
GRANT INSERT ON audit.act TO bereik_linkage;
CREATE POLICY written_by_linkage ON audit.act FOR INSERT TO bereik_linkage WITH CHECK (true);
GRANT bereik_auditor TO bereik_linkage WITH INHERIT FALSE, SET TRUE;
