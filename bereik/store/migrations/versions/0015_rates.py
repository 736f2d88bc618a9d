"""What each partner was told of how often its people did not fit: one row per month, so that a month is told once."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    for statement in (
        "CREATE TABLE vault.rate (purpose text NOT NULL, partner text NOT NULL, month text NOT NULL, asked integer NOT NULL,"
        " told_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (purpose, partner, month))",
        "ALTER TABLE vault.rate ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE vault.rate FORCE ROW LEVEL SECURITY",
        "CREATE POLICY auditor ON vault.rate FOR SELECT TO bereik_auditor USING (true)",
        "GRANT SELECT ON vault.rate TO bereik_auditor",
    ):
        op.execute(statement)
