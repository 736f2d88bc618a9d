"""Consent in an event: what the bridge may read of signals, and what a partner announced until a worker confirms it."""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    # The driver's own execute: the file has several statements and no parameters.
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))
