-- A neutral reviewer decides about doubt in one purpose and municipality. Written by the operator, never by the web.
CREATE TABLE ops.reviewer (
    username     text NOT NULL REFERENCES ops.account ON DELETE CASCADE,
    purpose      text NOT NULL,
    municipality text NOT NULL,
    PRIMARY KEY (username, purpose, municipality)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON ops.reviewer TO bereik_operator;
GRANT SELECT ON ops.reviewer TO bereik_web, bereik_auditor;

-- Who looked and could not tell. The question stays open, for somebody else.
ALTER TABLE vault.review ADD COLUMN unsure text[] NOT NULL DEFAULT '{}';
CREATE INDEX review_against ON vault.review (against);

-- The user that the web process named for this transaction; null for every other process.
CREATE FUNCTION vault.reader() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('bereik.user', true), '')
$$;
-- Whether the user works there at all, as a reviewer or in a team.
CREATE FUNCTION vault.works_in(purpose_ text, municipality_ text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM ops.reviewer r WHERE r.username = vault.reader() AND r.purpose = purpose_
                   AND r.municipality = municipality_)
        OR EXISTS (SELECT 1 FROM ops.member m WHERE m.username = vault.reader() AND m.purpose = purpose_
                   AND m.municipality = municipality_)
$$;
-- Whether the user decides about these two signals: as the neutral reviewer there, or because both cases are of their teams.
CREATE FUNCTION vault.may_review(one uuid, other uuid, register integer) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM vault.register g JOIN ops.reviewer r USING (purpose, municipality)
                   WHERE g.register_id = register AND r.username = vault.reader())
        OR 2 = (SELECT count(DISTINCT s.signal_id) FROM casework.signal s JOIN casework.case c USING (case_id)
                JOIN ops.member m ON (m.purpose, m.municipality, m.team) = (c.purpose, c.municipality, c.team)
                WHERE s.signal_id IN (one, other) AND m.username = vault.reader())
$$;
-- Whether the user may open this signal's record: its person is one of the two of a question that is open to the user, or that
-- the user answered within a day (the page then shows what both looked like, and the weight). By signal and not by person,
-- because an answer gives signals to a person that is new.
CREATE FUNCTION vault.may_open(signal uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH asked AS (
        SELECT other.signal_id FROM vault.record mine JOIN vault.record other USING (person_id) WHERE mine.signal_id = signal
    ), question AS (
        SELECT v.* FROM vault.review v JOIN asked ON v.signal_id = asked.signal_id
        UNION ALL
        SELECT v.* FROM vault.review v JOIN asked ON v.against = asked.signal_id
    )
    SELECT EXISTS (SELECT 1 FROM question v WHERE vault.may_review(v.signal_id, v.against, v.register_id)
                   AND (v.closed_at IS NULL OR (v.closed_by = vault.reader() AND v.closed_at > now() - interval '1 day')))
$$;
-- What people's decisions say of the links made by themselves, in counts. The words are those of bereik.store.vault.Figures.
CREATE FUNCTION vault.figures(purpose_ text, municipality_ text, since timestamptz)
RETURNS TABLE (signals bigint, links bigint, reviews bigint, same bigint, different bigint, broken bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH here AS (SELECT register_id FROM vault.register WHERE purpose = purpose_ AND municipality = municipality_),
    first AS (SELECT l.outcome FROM vault.link l JOIN vault.record r USING (signal_id) JOIN here USING (register_id)
              WHERE l.version = 1 AND l.decided_at >= since),
    asked AS (SELECT v.* FROM vault.review v JOIN here USING (register_id))
    SELECT (SELECT count(*) FROM first), (SELECT count(*) FROM first WHERE outcome = 'link'),
           (SELECT count(*) FROM asked WHERE opened_at >= since),
           (SELECT count(*) FROM asked WHERE closed_at >= since AND asked.same),
           (SELECT count(*) FROM asked WHERE closed_at >= since AND NOT asked.same),
           (SELECT count(DISTINCT l.signal_id) FROM vault.link l JOIN vault.verdict v USING (act_id) JOIN here USING (register_id)
            WHERE NOT v.same AND v.ended_at IS NULL AND l.reason = 'parted' AND v.decided_at >= since)
$$;

-- They count and ask as the auditor, who reads no sealed value and no keyed hash.
GRANT bereik_auditor TO CURRENT_USER WITH INHERIT TRUE, SET TRUE;
GRANT CREATE ON SCHEMA vault TO bereik_auditor;
ALTER FUNCTION vault.works_in(text, text) OWNER TO bereik_auditor;
ALTER FUNCTION vault.may_review(uuid, uuid, integer) OWNER TO bereik_auditor;
ALTER FUNCTION vault.may_open(uuid) OWNER TO bereik_auditor;
ALTER FUNCTION vault.figures(text, text, timestamptz) OWNER TO bereik_auditor;
REVOKE CREATE ON SCHEMA vault FROM bereik_auditor;
GRANT bereik_auditor TO CURRENT_USER WITH INHERIT FALSE;

-- A decision reaches casework as any other: assignments in the outbox, in the transaction that decided.
GRANT INSERT ON ops.outbox TO bereik_web;
