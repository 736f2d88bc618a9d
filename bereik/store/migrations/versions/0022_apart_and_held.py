"""What people said is never one person is found by its signal, and a group can leave one partition alone.

Intake read every verdict of a register with each batch; a topic that was made anew stopped the reading of all others.
"""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute("CREATE INDEX verdict_apart ON vault.verdict (one) WHERE ended_at IS NULL AND NOT same")
    op.execute("ALTER TABLE ops.position ADD COLUMN held text")
