"""A word finds the receipt of its signal: without an index each batch of words read every receipt there is."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute(
        "CREATE INDEX receipt_of_signal ON intake.receipt (signal_id) WHERE fate = 'accepted' AND action = 'report'"
    )
