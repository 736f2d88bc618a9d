"""What the board's forms ask for, the team that an offer is made to, and which events of the register wait with a tray row."""

from pathlib import Path

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    # The driver's own execute: the file has several statements and no parameters.
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))
