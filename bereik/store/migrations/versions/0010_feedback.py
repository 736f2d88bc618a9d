"""Partner feedback: the word that each signal has, and what was told on its receipt."""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    # The driver's own execute: the file has several statements and no parameters.
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))
