"""A record of our own topics holds many events, so a parked one is named by its number too. Nobody reads a case's household."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE ops.parked ADD COLUMN number integer NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE ops.parked DROP CONSTRAINT parked_pkey")
    op.execute('ALTER TABLE ops.parked ADD PRIMARY KEY (group_name, topic, partition, "offset", number)')
    op.execute("ALTER TABLE casework.case DROP COLUMN household_id")
