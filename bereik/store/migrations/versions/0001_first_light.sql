-- First light: six schemas. Every table that holds anything about people has row security, forced,
-- so that even its owner sees nothing without a policy. Policies per purpose are added by
-- bereik.store.roles, because which purposes exist is a declaration, not a migration.

CREATE SCHEMA ops;
CREATE SCHEMA intake;
CREATE SCHEMA vault;
CREATE SCHEMA casework;
CREATE SCHEMA bridge;
CREATE SCHEMA audit;

-- ---------------------------------------------------------------- ops: how the machinery stands

CREATE TABLE ops.bundle (
    bundle_id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256       text NOT NULL UNIQUE CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    document     jsonb NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE ops.activation (
    activation_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bundle_id     integer NOT NULL REFERENCES ops.bundle,
    activated_at  timestamptz NOT NULL DEFAULT now(),
    activated_by  text NOT NULL
);

-- Where each consumer group stands; advanced by compare-and-set inside the transaction that holds
-- the effects, so it can never run ahead of them or be moved by a process that lost its partition.
CREATE TABLE ops.position (
    group_name text NOT NULL,
    topic      text NOT NULL,
    partition  integer NOT NULL,
    topic_id   uuid NOT NULL,
    next       bigint NOT NULL,
    moved_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (group_name, topic, partition)
);

-- Messages to be sent, many per row: one row of 500 messages costs PostgreSQL about what one row of
-- one message does, and the relay sends and deletes whole rows in id order.
CREATE TABLE ops.outbox (
    outbox_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic      text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    messages   bytea NOT NULL
);
ALTER TABLE ops.outbox ALTER COLUMN messages SET STORAGE EXTERNAL;

-- A message of ours that a consumer could not take: coordinates and the kind of error, no content.
CREATE TABLE ops.parked (
    group_name text NOT NULL,
    topic      text NOT NULL,
    partition  integer NOT NULL,
    "offset"   bigint NOT NULL,
    error      text NOT NULL,
    parked_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (group_name, topic, partition, "offset")
);

CREATE TABLE ops.account (
    username      text PRIMARY KEY,
    display_name  text NOT NULL,
    password_hash text NOT NULL,
    language      text NOT NULL DEFAULT 'nl' CHECK (language IN ('nl', 'en')),
    sees_flows    boolean NOT NULL DEFAULT false
);

CREATE TABLE ops.member (
    username     text NOT NULL REFERENCES ops.account ON DELETE CASCADE,
    purpose      text NOT NULL,
    municipality text NOT NULL,
    team         text NOT NULL,
    PRIMARY KEY (username, purpose, municipality, team)
);

-- ---------------------------------------------------------------- intake: what came in, and its fate

-- What was taken from a topic, batch by batch. Counted apart from the receipts, so that
-- received = accepted + duplicate + refused + parked is a check and not a tautology.
CREATE TABLE intake.landed (
    topic        text NOT NULL,
    partition    integer NOT NULL,
    first_offset bigint NOT NULL,
    next_offset  bigint NOT NULL CHECK (next_offset > first_offset),
    partner      text NOT NULL,
    door         text NOT NULL,
    received     integer NOT NULL CHECK (received >= 0),
    landed_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, first_offset, door)
);

CREATE TABLE intake.receipt (
    receipt_id   uuid PRIMARY KEY,
    partner      text NOT NULL,
    door         text NOT NULL,
    event_id     text,
    event_type   text,
    action       text,
    municipality text,
    topic        text NOT NULL,
    partition    integer NOT NULL,
    "offset"     bigint NOT NULL,
    received_at  timestamptz NOT NULL,
    fate         text NOT NULL CHECK (fate IN ('accepted', 'duplicate', 'refused', 'parked')),
    gate         text NOT NULL CHECK (gate IN ('allowed', 'refused', 'unconfigured', 'unread')),
    reasons      jsonb NOT NULL,
    purpose      text,
    signal_id    uuid,
    content      bytea,
    bundle_id    integer NOT NULL,
    decided_at   timestamptz NOT NULL DEFAULT now()
);
-- Only an accepted event claims its id: after a refusal the same id may come again, mended.
CREATE UNIQUE INDEX claim ON intake.receipt (partner, event_id) WHERE fate = 'accepted';
CREATE INDEX receipt_of_signal ON intake.receipt (signal_id) WHERE signal_id IS NOT NULL;

CREATE TABLE intake.original (
    receipt_id uuid PRIMARY KEY,
    sealed     bytea NOT NULL
);
ALTER TABLE intake.original ALTER COLUMN sealed SET STORAGE EXTERNAL;

-- ---------------------------------------------------------------- vault: who it is about

CREATE TABLE vault.register (
    register_id  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purpose      text NOT NULL,
    municipality text NOT NULL,
    sealed_key   bytea NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (purpose, municipality)
);

CREATE TABLE vault.person (
    person_id   uuid PRIMARY KEY,
    purpose     text NOT NULL,
    register_id integer NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE vault.record (
    signal_id    uuid PRIMARY KEY,
    purpose      text NOT NULL,
    register_id  integer NOT NULL,
    version      integer NOT NULL,
    status       text NOT NULL CHECK (status IN ('active', 'withdrawn')),
    sealed       bytea NOT NULL,
    match_key    bytea,
    household_id uuid,
    person_id    uuid NOT NULL,
    received_at  timestamptz NOT NULL
);
ALTER TABLE vault.record ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX record_candidates ON vault.record (register_id, match_key) WHERE match_key IS NOT NULL;

CREATE TABLE vault.link (
    signal_id  uuid NOT NULL,
    person_id  uuid NOT NULL,
    purpose    text NOT NULL,
    outcome    text NOT NULL CHECK (outcome IN ('link', 'review', 'new')),
    evidence   text NOT NULL,
    decided_by text NOT NULL,
    bundle_id  integer NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (signal_id, person_id)
);

-- ---------------------------------------------------------------- casework: what it means, without names

-- One row per subject that ever had a signal; its row lock is the order of work on that subject.
CREATE TABLE casework.subject (
    subject uuid PRIMARY KEY,
    purpose text NOT NULL
);

CREATE TABLE casework.signal (
    signal_id    uuid PRIMARY KEY,
    purpose      text NOT NULL,
    version      integer NOT NULL,
    status       text NOT NULL CHECK (status IN ('active', 'withdrawn')),
    subject      uuid NOT NULL,
    household_id uuid,
    person_id    uuid NOT NULL,
    municipality text NOT NULL,
    area         text,
    signal_type  text NOT NULL,
    partner      text NOT NULL,
    signal_date  date NOT NULL,
    received_at  timestamptz NOT NULL,
    facts        jsonb NOT NULL,
    reason       text,
    case_id      uuid
);
CREATE INDEX signal_of_subject ON casework.signal (subject);

CREATE TABLE casework.case (
    case_id      uuid PRIMARY KEY,
    purpose      text NOT NULL,
    subject      uuid NOT NULL,
    household_id uuid,
    municipality text NOT NULL,
    area         text,
    version      integer NOT NULL,
    status       text NOT NULL,
    result       text,
    kind         text NOT NULL,
    crisis       boolean NOT NULL,
    priority     integer NOT NULL,
    team         text NOT NULL,
    period       text NOT NULL,
    first_signal date NOT NULL,
    newest_signal uuid,
    received_at  timestamptz NOT NULL,
    offer_by     date NOT NULL,
    signals      integer NOT NULL,
    stands       boolean NOT NULL,
    digest       bytea NOT NULL,
    decision     jsonb NOT NULL,
    alerted      integer NOT NULL,
    bundle_id    integer NOT NULL,
    decided_at   timestamptz NOT NULL
);
CREATE INDEX case_of_subject ON casework.case (subject);
CREATE INDEX case_of_team ON casework.case (municipality, team, received_at);

-- What people did and said: attempts, promises, closings, deviations. Never overwritten.
CREATE TABLE casework.fact (
    fact_id    uuid PRIMARY KEY,
    purpose    text NOT NULL,
    case_id    uuid NOT NULL,
    kind       text NOT NULL,
    detail     jsonb NOT NULL,
    stated_by  text NOT NULL,
    stated_at  timestamptz NOT NULL
);
CREATE INDEX fact_of_case ON casework.fact (case_id);

CREATE TABLE casework.alert (
    alert_id     uuid NOT NULL,
    purpose      text NOT NULL,
    case_id      uuid NOT NULL,
    case_version integer NOT NULL,
    municipality text NOT NULL,
    team         text NOT NULL,
    reason       text NOT NULL,
    outlet       text NOT NULL,
    ordered_at   timestamptz NOT NULL,
    told_at      timestamptz NOT NULL DEFAULT now(),
    -- An alert's id is made from its case, so this one index keeps it unique and finds the alerts of a case.
    PRIMARY KEY (case_id, alert_id)
);

-- ---------------------------------------------------------------- bridge: a lawful tie between two cases

-- The keyed hash of an address unit under the bridge's own key; there only while a ground for it is.
CREATE TABLE bridge.trace (
    case_id      uuid NOT NULL,
    purpose      text NOT NULL,
    toward       text NOT NULL,
    municipality text NOT NULL,
    hash         bytea NOT NULL,
    ground       text NOT NULL CHECK (ground IN ('consent', 'statute')),
    PRIMARY KEY (case_id, toward)
);
CREATE INDEX trace_hash ON bridge.trace (municipality, hash);

CREATE TABLE bridge.bridge (
    bridge_id  uuid PRIMARY KEY,
    ground     text NOT NULL CHECK (ground IN ('consent', 'statute')),
    basis      text NOT NULL,
    state      text NOT NULL CHECK (state IN ('requested', 'open', 'ended')),
    requested_at timestamptz NOT NULL,
    opened_at  timestamptz,
    ended_at   timestamptz,
    end_reason text
);

-- Each team reads its own side only: what may be shown to it, never the other case's id.
CREATE TABLE bridge.side (
    bridge_id    uuid NOT NULL REFERENCES bridge.bridge,
    purpose      text NOT NULL,
    case_id      uuid NOT NULL,
    municipality text NOT NULL,
    team         text NOT NULL,
    shown        jsonb NOT NULL,
    PRIMARY KEY (bridge_id, purpose)
);
CREATE INDEX side_of_case ON bridge.side (case_id);

-- ---------------------------------------------------------------- audit: who looked and who changed

CREATE TABLE audit.act (
    act_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT now(),
    actor    text NOT NULL,
    act      text NOT NULL,
    purpose  text,
    about    uuid,
    detail   jsonb NOT NULL DEFAULT '{}'
);

-- ---------------------------------------------------------------- who may do what

DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT schemaname, tablename FROM pg_tables
             WHERE schemaname IN ('intake', 'vault', 'casework', 'bridge', 'audit') LOOP
        EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', t.schemaname, t.tablename);
        EXECUTE format('ALTER TABLE %I.%I FORCE ROW LEVEL SECURITY', t.schemaname, t.tablename);
    END LOOP;
END $$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO bereik_intake, bereik_casework, bereik_outreach, bereik_relay, bereik_bridge, bereik_web,
    bereik_dags, bereik_operator;
-- Each process refuses to start on another schema than its own.
GRANT SELECT ON public.alembic_version TO bereik_intake, bereik_casework, bereik_outreach, bereik_relay, bereik_bridge,
    bereik_web, bereik_dags, bereik_operator;

-- Every process may read the rules it decides by and keep its own position.
GRANT USAGE ON SCHEMA ops TO bereik_intake, bereik_casework, bereik_outreach, bereik_relay, bereik_bridge,
    bereik_web, bereik_dags, bereik_operator;
GRANT SELECT ON ops.bundle, ops.activation TO bereik_intake, bereik_casework, bereik_outreach, bereik_relay,
    bereik_bridge, bereik_web, bereik_dags, bereik_operator;
GRANT SELECT, INSERT, UPDATE ON ops.position TO bereik_intake, bereik_casework, bereik_outreach, bereik_bridge;
GRANT INSERT ON ops.parked TO bereik_casework, bereik_outreach, bereik_bridge;
GRANT INSERT ON ops.outbox TO bereik_intake, bereik_casework, bereik_outreach, bereik_bridge, bereik_operator;
GRANT SELECT, DELETE ON ops.outbox TO bereik_relay;
GRANT INSERT ON ops.bundle, ops.activation TO bereik_operator;
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.account, ops.member TO bereik_operator;
GRANT SELECT ON ops.position TO bereik_operator, bereik_dags;

GRANT USAGE ON SCHEMA intake TO bereik_intake;
GRANT SELECT, INSERT ON intake.landed, intake.receipt, intake.original TO bereik_intake;
CREATE POLICY intake_only ON intake.landed TO bereik_intake USING (true) WITH CHECK (true);
CREATE POLICY intake_only ON intake.receipt TO bereik_intake USING (true) WITH CHECK (true);
CREATE POLICY intake_only ON intake.original TO bereik_intake USING (true) WITH CHECK (true);

-- The bridge role alone may hold a hash that two purposes share.
GRANT USAGE ON SCHEMA bridge TO bereik_bridge, bereik_web, bereik_operator;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA bridge TO bereik_bridge;
CREATE POLICY bridge_only ON bridge.trace TO bereik_bridge USING (true) WITH CHECK (true);
CREATE POLICY bridge_only ON bridge.bridge TO bereik_bridge USING (true) WITH CHECK (true);
CREATE POLICY bridge_only ON bridge.side TO bereik_bridge USING (true) WITH CHECK (true);

-- A worker sees the cases of the teams that ops.member names; the web role can read that table, not write it.
GRANT USAGE ON SCHEMA casework, audit TO bereik_web;
GRANT SELECT ON ops.account, ops.member TO bereik_web;
GRANT SELECT ON casework.case, casework.signal, casework.fact, casework.alert TO bereik_web;
GRANT SELECT ON bridge.side, bridge.bridge TO bereik_web;
GRANT INSERT ON audit.act TO bereik_web, bereik_operator, bereik_bridge;
CREATE POLICY written_by_all ON audit.act FOR INSERT TO bereik_web, bereik_operator, bereik_bridge WITH CHECK (true);

CREATE FUNCTION ops.is_member(purpose_ text, municipality_ text, team_ text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT EXISTS (SELECT 1 FROM ops.member m
                   WHERE m.username = nullif(current_setting('bereik.user', true), '')
                     AND m.purpose = purpose_ AND m.municipality = municipality_ AND m.team = team_)
$$;
CREATE POLICY own_team ON casework.case FOR SELECT TO bereik_web USING (ops.is_member(purpose, municipality, team));
CREATE POLICY own_team ON casework.alert FOR SELECT TO bereik_web USING (ops.is_member(purpose, municipality, team));
CREATE POLICY own_team ON casework.signal FOR SELECT TO bereik_web
    USING (EXISTS (SELECT 1 FROM casework.case c WHERE c.case_id = signal.case_id));
CREATE POLICY own_team ON casework.fact FOR SELECT TO bereik_web
    USING (EXISTS (SELECT 1 FROM casework.case c WHERE c.case_id = fact.case_id));
CREATE POLICY own_team ON bridge.side FOR SELECT TO bereik_web USING (ops.is_member(purpose, municipality, team));
CREATE POLICY own_team ON bridge.bridge FOR SELECT TO bereik_web
    USING (EXISTS (SELECT 1 FROM bridge.side s WHERE s.bridge_id = bridge.bridge_id));

-- The auditor counts and checks; it reads no sealed value and no keyed hash.
GRANT USAGE ON SCHEMA intake, vault, casework, bridge, ops, audit TO bereik_auditor;
GRANT SELECT ON ALL TABLES IN SCHEMA casework, bridge, audit TO bereik_auditor;
REVOKE SELECT ON bridge.trace FROM bereik_auditor;
GRANT SELECT (case_id, purpose, toward, municipality, ground) ON bridge.trace TO bereik_auditor;
GRANT SELECT ON ops.bundle, ops.activation, ops.position, ops.parked, ops.member TO bereik_auditor;
GRANT SELECT (outbox_id, topic, written_at) ON ops.outbox TO bereik_auditor;
GRANT SELECT ON intake.landed TO bereik_auditor;
GRANT SELECT (receipt_id, partner, door, event_id, event_type, action, municipality, topic, partition, "offset", received_at, fate,
    gate, reasons, purpose, signal_id, bundle_id, decided_at) ON intake.receipt TO bereik_auditor;
GRANT SELECT (receipt_id) ON intake.original TO bereik_auditor;
GRANT SELECT (register_id, purpose, municipality, created_at) ON vault.register TO bereik_auditor;
GRANT SELECT ON vault.person, vault.link TO bereik_auditor;
GRANT SELECT (signal_id, purpose, register_id, version, status, household_id, person_id, received_at) ON vault.record
    TO bereik_auditor;
DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT schemaname, tablename FROM pg_tables
             WHERE schemaname IN ('intake', 'vault', 'casework', 'bridge', 'audit') LOOP
        EXECUTE format('CREATE POLICY auditor ON %I.%I FOR SELECT TO bereik_auditor USING (true)',
                       t.schemaname, t.tablename);
    END LOOP;
END $$;
GRANT bereik_auditor TO bereik_operator, bereik_dags WITH INHERIT FALSE, SET TRUE;

-- "Who may meet whom", in counts: what the gate said, and what became of it. No person, no case id.
CREATE VIEW ops.gate_count AS
    SELECT partner, door, event_type, coalesce(action, 'report') AS action, municipality, purpose, gate, fate,
           coalesce(reasons -> 0 ->> 'code', '') AS reason, coalesce(reasons -> 0 ->> 'article', '') AS article,
           count(*) AS events
    FROM intake.receipt GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10;
CREATE VIEW ops.flow_count AS
    SELECT s.purpose, s.signal_type, s.municipality, c.team, c.kind, count(*) AS signals,
           count(DISTINCT c.case_id) AS cases
    FROM casework.signal s JOIN casework.case c USING (case_id) WHERE s.status = 'active' GROUP BY 1, 2, 3, 4, 5;
GRANT bereik_auditor TO CURRENT_USER WITH INHERIT TRUE, SET TRUE;
GRANT CREATE ON SCHEMA ops TO bereik_auditor;
ALTER VIEW ops.gate_count OWNER TO bereik_auditor;
ALTER VIEW ops.flow_count OWNER TO bereik_auditor;
REVOKE CREATE ON SCHEMA ops FROM bereik_auditor;
GRANT SELECT ON ops.gate_count, ops.flow_count TO bereik_web, bereik_operator, bereik_dags;
-- The owner needed the auditor's rights only to hand the views over; with them it would see every row.
GRANT bereik_auditor TO CURRENT_USER WITH INHERIT FALSE;
