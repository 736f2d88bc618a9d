"""What Bereik publishes itself is what schemas/events says, and has the envelope that we ask of others."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest

from bereik import casework, feedback, receipts, signal, vault
from bereik.keys import Box
from bereik.ports import Assignment, CaseRow

EVENTS = Path(__file__).parents[2] / "schemas" / "events"
NOW = datetime(2026, 11, 4, 12, 30, tzinfo=UTC)
ONE, TWO = str(UUID(int=1)), str(UUID(int=2))


def check(name: str, message: tuple[bytes, bytes]) -> dict[str, Any]:
    schema = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))
    event = signal.read([("content-type", signal.CONTENT_TYPE)], message[1])
    errors = [
        error.message
        for error in jsonschema_rs.Draft202012Validator(schema, validate_formats=True).iter_errors(event.data)
    ]
    assert errors == []
    assert event.type == schema["x-type"]
    return dict(event.data)


@pytest.mark.parametrize("household", [TWO, None])
def test_an_assignment(household: str | None) -> None:
    assignment = Assignment(
        ONE, 1, "active", TWO, household, "9901", None, "x", "y", date(2026, 11, 1), NOW, {"bedrag": 5}
    )
    message = vault.assignment_message(assignment, "purpose", "address")
    (event,) = signal.unpack(message[1])
    row = casework.read_assignment(event, "address")
    assert row.subject == str(household or TWO)
    for name in set(Assignment.__slots__) - {"crowded"}:
        said, read = getattr(assignment, name), getattr(row, name)
        assert read == (str(said) if isinstance(said, UUID) else said), name
    check("signal", message)


def test_a_case_tells_what_it_is_and_nothing_of_whom() -> None:
    day = date(2026, 11, 1)
    row = CaseRow(
        *(str(ONE), str(TWO), "9901", None, 1, "Opgepakt", None, "single", False, 3, "9901-x", "2026-11"),
        *(day, str(ONE), NOW, day, 2, True, b"", {}, 0, 1, NOW),
    )
    told = check("case", casework.case_message(row, "purpose"))
    assert str(TWO) not in told.values()


def test_an_alert_has_neither_name_nor_amount() -> None:
    message = casework.alert_message(
        Box(bytes(32)), "purpose", str(ONE), 1, "9901", "9901-x", "new_case", NOW
    )
    assert set(check("alert", message)) == {
        *("alert_id", "case_id", "case_version", "municipality", "team", "reason", "ordered_at"),
    }


@pytest.mark.parametrize("fate", list(receipts.Fate))
def test_a_receipt(fate: receipts.Fate) -> None:
    reasons = [receipts.reason("id_reuse")]
    check("receipt", receipts.message(str(ONE), fate, None, None, ("in.x", 0, 7), NOW, reasons))


def test_a_rate_is_counts_only() -> None:
    row = {
        "purpose": "schuldhulp",
        "partner": "x",
        "month": "2026-10",
        "asked": 20,
        "unique": 17,
        "deviating": 2,
        "not_found": 1,
        "share": 0.15,
    }
    assert all(
        not isinstance(value, list | dict) for value in check("rate", receipts.rate_message(row)).values()
    )


def test_a_word_and_what_its_partner_gets_of_it() -> None:
    told = feedback.word_message(str(ONE), "nietOpgepakt/herhaaldeMelding", NOW)
    assert check("word", told)["code"] == "herhaaldeMelding"
    version = receipts.told_message(str(TWO), 2, "nietOpgepakt", "herhaaldeMelding", NOW.date())
    assert set(check("told", version)) == {"ontvangstbewijs", "versie", "woord", "code", "datum"}
    assert set(check("told", receipts.told_message(str(TWO), 3, "afgesloten", None, NOW.date()))) == set(
        check("told", version)
    )


def test_every_schema_is_valid_json_schema() -> None:
    for path in sorted(EVENTS.glob("*.json")):
        jsonschema_rs.meta.validate(json.loads(path.read_text("utf-8")))
