-- The word that the partner of a signal heard last; without one, that of its receipt.
ALTER TABLE casework.signal ADD COLUMN told text;

-- Later versions of a receipt: what became of its signal, in a word, a code and a day. Never overwritten.
CREATE TABLE intake.told (
    receipt_id uuid NOT NULL,
    purpose    text NOT NULL,
    version    integer NOT NULL CHECK (version > 1),
    word       text NOT NULL,
    code       text,
    told_on    date NOT NULL,
    PRIMARY KEY (receipt_id, version)
);
ALTER TABLE intake.told ENABLE ROW LEVEL SECURITY;
ALTER TABLE intake.told FORCE ROW LEVEL SECURITY;
CREATE POLICY auditor ON intake.told FOR SELECT TO bereik_auditor USING (true);
GRANT SELECT ON intake.told TO bereik_auditor;
