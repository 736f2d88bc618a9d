"""How far a register is in being given other keys: which kinds, which of the two passes, and behind which row."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    for statement in (
        "CREATE TABLE vault.rekeying (register_id integer PRIMARY KEY, purpose text NOT NULL, rules text NOT NULL,"
        " step text NOT NULL CHECK (step IN ('adding', 'removing', 'done')), after_key bigint, after_signal uuid,"
        " added bigint NOT NULL DEFAULT 0, removed bigint NOT NULL DEFAULT 0, at timestamptz NOT NULL DEFAULT now())",
        "ALTER TABLE vault.rekeying ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE vault.rekeying FORCE ROW LEVEL SECURITY",
        "CREATE POLICY auditor ON vault.rekeying FOR SELECT TO bereik_auditor USING (true)",
        "GRANT SELECT ON vault.rekeying TO bereik_auditor",
    ):
        op.execute(statement)
