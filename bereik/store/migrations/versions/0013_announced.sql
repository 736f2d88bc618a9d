-- A column of its own, because a right can be given on a column and not on one word of `facts`: the bridge reads that somebody
-- agreed, and never an amount.
ALTER TABLE casework.signal ADD COLUMN consent jsonb GENERATED ALWAYS AS (facts -> 'consent') STORED;
CREATE INDEX signal_with_consent ON casework.signal (case_id) WHERE consent IS NOT NULL;

-- What a partner reports of consent, on the side of its own signal only, until a worker of that side confirms it or it is
-- withdrawn. Nothing is looked up for it and no hash is made.
CREATE TABLE bridge.announced (
    case_id      uuid NOT NULL,
    purpose      text NOT NULL,
    toward       text NOT NULL,
    municipality text NOT NULL,
    person_id    uuid NOT NULL,
    form         text NOT NULL,
    who          text NOT NULL,
    announced_at timestamptz NOT NULL,
    PRIMARY KEY (case_id, toward, person_id)
);
ALTER TABLE bridge.announced ENABLE ROW LEVEL SECURITY;
ALTER TABLE bridge.announced FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON bridge.announced TO bereik_bridge;
CREATE POLICY bridge_only ON bridge.announced TO bereik_bridge USING (true) WITH CHECK (true);
-- Who sees the case sees what was announced about it.
GRANT SELECT ON bridge.announced TO bereik_web, bereik_auditor;
CREATE POLICY own_team ON bridge.announced FOR SELECT TO bereik_web
    USING (EXISTS (SELECT 1 FROM casework.case c WHERE c.case_id = announced.case_id));
CREATE POLICY auditor ON bridge.announced FOR SELECT TO bereik_auditor USING (true);
