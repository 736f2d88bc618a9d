ALTER TABLE casework.case ADD COLUMN waits_until date;
-- Few cases wait at any time; the clock looks them up every quarter of an hour.
CREATE INDEX case_that_waits ON casework.case (municipality, period) WHERE waits_until IS NOT NULL;

-- A month that was matched before the day that the municipality's policy names, because every partner had delivered.
CREATE TABLE casework.matching (
    purpose      text NOT NULL,
    municipality text NOT NULL,
    period       text NOT NULL,
    matched_on   date NOT NULL,
    PRIMARY KEY (purpose, municipality, period)
);
ALTER TABLE casework.matching ENABLE ROW LEVEL SECURITY;
ALTER TABLE casework.matching FORCE ROW LEVEL SECURITY;
GRANT SELECT ON casework.matching TO bereik_auditor;
CREATE POLICY auditor ON casework.matching FOR SELECT TO bereik_auditor USING (true);
