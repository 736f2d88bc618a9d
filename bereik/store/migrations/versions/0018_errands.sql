-- The team that an offer of a mover's case is told to, and that may answer it on the board. NULL: offered before there was one.
ALTER TABLE vault.transfer ADD COLUMN team text;
-- Not whom it is about: that the two teams tell each other, on the reference of the case.
GRANT USAGE ON SCHEMA vault TO bereik_web;
GRANT SELECT (transfer_id, purpose, case_id, municipality, toward, team, offered_at, decided_at, accepted) ON vault.transfer
    TO bereik_web;
CREATE POLICY offered_to_team ON vault.transfer FOR SELECT TO bereik_web USING (ops.is_member(purpose, toward, team));

-- The kinds of the events that wait until somebody decided whom they are about: a column, because a right can be given on a
-- column and not on one key of `events`.
ALTER TABLE vault.residency ADD COLUMN held jsonb GENERATED ALWAYS AS (jsonb_path_query_array(events, '$[*].kind')) STORED;
GRANT SELECT (case_id, person_id, held) ON vault.residency TO bereik_web;
GRANT SELECT (held) ON vault.residency TO bereik_auditor;
CREATE POLICY own_team ON vault.residency FOR SELECT TO bereik_web
    USING (EXISTS (SELECT 1 FROM casework.case c WHERE c.case_id = residency.case_id));

-- What somebody asked for by a form of the board. The board may state nothing about a case: it writes down who asks for what, and
-- a process that may do it does so and says what became of it.
CREATE TABLE casework.errand (
    errand_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purpose   text NOT NULL,
    kind      text NOT NULL,
    -- The case, or the offer.
    about     uuid NOT NULL,
    detail    jsonb NOT NULL,
    asked_by  text NOT NULL,
    asked_at  timestamptz NOT NULL DEFAULT now(),
    done_at   timestamptz,
    outcome   text
);
CREATE INDEX errand_waiting ON casework.errand (errand_id) WHERE done_at IS NULL;
CREATE INDEX errand_about ON casework.errand (about);
ALTER TABLE casework.errand ENABLE ROW LEVEL SECURITY;
ALTER TABLE casework.errand FORCE ROW LEVEL SECURITY;
GRANT SELECT ON casework.errand TO bereik_web, bereik_auditor;
GRANT INSERT (purpose, kind, about, detail, asked_by) ON casework.errand TO bereik_web;
CREATE POLICY auditor ON casework.errand FOR SELECT TO bereik_auditor USING (true);
-- Everybody sees what they asked for themselves.
CREATE POLICY own_errands ON casework.errand FOR SELECT TO bereik_web
    USING (asked_by = nullif(current_setting('bereik.user', true), ''));
-- In one's own name only, and about what one may see: an offer to one's team that waits, consent announced about a case of it.
CREATE POLICY own_name ON casework.errand FOR INSERT TO bereik_web WITH CHECK (
    asked_by = nullif(current_setting('bereik.user', true), '')
    AND CASE kind
        WHEN 'offer_answered' THEN EXISTS (SELECT 1 FROM vault.transfer t
            WHERE t.transfer_id = errand.about AND t.purpose = errand.purpose AND t.decided_at IS NULL)
        WHEN 'consent' THEN EXISTS (SELECT 1 FROM bridge.announced a
            WHERE a.case_id = errand.about AND a.purpose = errand.purpose AND a.person_id::text = errand.detail->>'person_id'
              AND a.toward = errand.detail->>'toward' AND a.form = errand.detail->>'form' AND a.who = errand.detail->>'who')
        ELSE false END
);
