"""The corrections of a signal are found by it, as its report is."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute(
        "CREATE INDEX correction_of_signal ON intake.receipt (signal_id)"
        " WHERE fate = 'accepted' AND action = 'correct'"
    )
