"""The clock looks at the open cases: what it finds leaves through the outbox, and one alert may stand for many people."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for statement in (
        "GRANT INSERT ON ops.outbox TO bereik_dags",
        "ALTER TABLE casework.alert ADD COLUMN people integer NOT NULL DEFAULT 1",
        # Only what is open is looked at, every quarter of an hour.
        "CREATE INDEX case_that_stands ON casework.case (municipality, received_at) WHERE stands",
    ):
        op.execute(statement)
