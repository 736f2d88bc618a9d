"""Intake without a database: by which door something came is not for the sender to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from bereik.bundle import Bundle
from bereik.intake import Intake
from bereik.keys import Keyring
from bereik.ports import Record

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
INTAKE = Intake(BUNDLE, 1, Keyring("k1", {"k1": bytes(32)}), MagicMock())
BY_FILE = next(one.id for one in BUNDLE.partners.values() if one.door == "file")
BY_KAFKA = next(one.id for one in BUNDLE.partners.values() if one.door == "kafka")


@dataclass(frozen=True)
class Landed:
    """A record as the broker hands it over."""

    topic: str
    headers: Sequence[tuple[str, bytes]]
    partition: int = 0
    offset: int = 0
    timestamp: int = 1_790_000_000_000
    value: bytes | None = b"{}"


@pytest.mark.parametrize(
    ("partner", "header", "door"),
    [
        (BY_FILE, b"file", "file"),
        (BY_FILE, b"kafka", "kafka"),
        (BY_FILE, b"https", "kafka"),
        (BY_FILE, None, "kafka"),
        (BY_KAFKA, b"file", "kafka"),
        ("nobody-we-know", b"file", "kafka"),
    ],
)
def test_a_door_is_believed_only_of_a_partner_that_has_it(
    partner: str, header: bytes | None, door: str
) -> None:
    record: Record = Landed(f"in.{partner}", [("bereik-door", header)])  # type: ignore[list-item]
    (item,) = INTAKE.prepare([record])
    assert item.receipt.door == door
    tx = MagicMock()
    INTAKE.park(record, "a fault of ours", tx)
    ((row,),) = tx.intake().stage.call_args.args
    assert row.door == door
