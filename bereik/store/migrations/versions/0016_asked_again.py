"""Who is asked about again, and events of the register that wait until somebody decided whom they are about."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    for statement in (
        # Whether the case still stands: nobody is asked about, or waits in the tray, for one that has ended.
        "ALTER TABLE vault.residency ADD COLUMN stands boolean NOT NULL DEFAULT true,"
        " ADD COLUMN events jsonb NOT NULL DEFAULT '[]'",
        "DROP INDEX vault.residency_due",
        "CREATE INDEX residency_due ON vault.residency (due_at)"
        " WHERE stands AND choice IS NULL AND (answer IS NULL OR answer = 'in_onderzoek')",
        "GRANT SELECT (stands) ON vault.residency TO bereik_auditor",
    ):
        op.execute(statement)
