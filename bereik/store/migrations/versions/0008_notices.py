"""Alerts by e-mail and webhook: when each is due, what was sent to whom, which endpoints rest, who is not told for a while."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for statement in (
        # Null: told on the board only, or all that had to be told was told.
        "ALTER TABLE casework.alert ADD COLUMN due_at timestamptz, ADD COLUMN times integer NOT NULL DEFAULT 0",
        "CREATE INDEX alert_due ON casework.alert (due_at) WHERE due_at IS NOT NULL",
        "CREATE TABLE casework.notice (notice_id uuid PRIMARY KEY, purpose text NOT NULL, municipality text NOT NULL,"
        " team text NOT NULL, outlet text NOT NULL, target text NOT NULL, urgent boolean NOT NULL, message jsonb NOT NULL,"
        " made_at timestamptz NOT NULL, state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'parked')),"
        " tries integer NOT NULL DEFAULT 0, outcome text, done_at timestamptz)",
        "CREATE INDEX notice_waiting ON casework.notice (made_at) WHERE state = 'waiting'",
        # Every try is kept: when it was told, or why not.
        "CREATE TABLE casework.notice_try (notice_id uuid NOT NULL, number integer NOT NULL, purpose text NOT NULL,"
        " outcome text NOT NULL, tried_at timestamptz NOT NULL, PRIMARY KEY (notice_id, number))",
        "CREATE TABLE ops.endpoint (outlet text NOT NULL, target text NOT NULL, failures integer NOT NULL,"
        " rests_until timestamptz NOT NULL, outcome text NOT NULL, PRIMARY KEY (outlet, target))",
        "CREATE TABLE ops.silence (silence_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, municipality text NOT NULL,"
        " team text NOT NULL, reason text NOT NULL, stated_by text NOT NULL, starts_at timestamptz NOT NULL,"
        " ends_at timestamptz NOT NULL CHECK (ends_at > starts_at))",
        *(
            line
            for table in ("notice", "notice_try")
            for line in (
                f"ALTER TABLE casework.{table} ENABLE ROW LEVEL SECURITY",
                f"ALTER TABLE casework.{table} FORCE ROW LEVEL SECURITY",
                f"CREATE POLICY auditor ON casework.{table} FOR SELECT TO bereik_auditor USING (true)",
                f"GRANT SELECT ON casework.{table} TO bereik_auditor",
            )
        ),
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ops.endpoint TO bereik_outreach",
        "GRANT SELECT ON ops.silence TO bereik_outreach",
        "GRANT SELECT, INSERT, UPDATE ON ops.silence TO bereik_operator",
        "GRANT SELECT ON ops.endpoint, ops.silence TO bereik_auditor",
    ):
        op.execute(statement)
