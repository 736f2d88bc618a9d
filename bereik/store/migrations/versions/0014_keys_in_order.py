"""Keys in the order in which they are looked up: the first so many of a key come from the index, without sorting them."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("DROP INDEX vault.key_found")
    op.execute("CREATE INDEX key_found ON vault.key (register_id, key, signal_id)")
