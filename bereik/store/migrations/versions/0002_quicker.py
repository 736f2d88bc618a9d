"""What a signal costs: no row per subject, no index that nothing asks, receipts and originals in the order they come.

A record of our own topics holds many events, so a parked one is named by its number too.
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for statement in (
        "ALTER TABLE ops.parked ADD COLUMN number integer NOT NULL DEFAULT 0",
        "ALTER TABLE ops.parked DROP CONSTRAINT parked_pkey",
        'ALTER TABLE ops.parked ADD PRIMARY KEY (group_name, topic, partition, "offset", number)',
        # Nobody reads a case's household; subjects are locked without rows of their own.
        "ALTER TABLE casework.case DROP COLUMN household_id",
        "DROP TABLE casework.subject",
        # By place: one receipt per landed record, and an index that grows at its ends instead of everywhere.
        "DROP INDEX intake.receipt_of_signal",
        "ALTER TABLE intake.receipt NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE intake.original NO FORCE ROW LEVEL SECURITY",
        'ALTER TABLE intake.original ADD COLUMN topic text, ADD COLUMN partition integer, ADD COLUMN "offset" bigint',
        'UPDATE intake.original o SET topic = r.topic, partition = r.partition, "offset" = r."offset"'
        " FROM intake.receipt r WHERE r.receipt_id = o.receipt_id",
        "ALTER TABLE intake.receipt DROP CONSTRAINT receipt_pkey",
        'ALTER TABLE intake.receipt ADD PRIMARY KEY (topic, partition, "offset")',
        "ALTER TABLE intake.original DROP COLUMN receipt_id",
        'ALTER TABLE intake.original ADD PRIMARY KEY (topic, partition, "offset")',
        "ALTER TABLE intake.receipt FORCE ROW LEVEL SECURITY",
        "ALTER TABLE intake.original FORCE ROW LEVEL SECURITY",
        'GRANT SELECT (topic, partition, "offset") ON intake.original TO bereik_auditor',
    ):
        op.execute(statement)
