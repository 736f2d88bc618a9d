"""The contact plan on the board, in words of both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bereik.bundle import Bundle
from bereik.cases import Signal
from bereik.cli import main
from bereik.lifecycle import Fact
from bereik.store.board import CaseRow
from bereik.web import plan

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
MONDAY = date(2026, 11, 2)
AT = datetime(2026, 11, 2, 10, tzinfo=UTC)
KIND = next(name for name, kind in BUNDLE.signal_types.items() if kind.purpose == "schuldhulp")
SIGNAL = Signal("signal", KIND, "partner", "9901", "noord", MONDAY, AT, {})
CASE = str(UUID(int=1))


def row(**changes: Any) -> CaseRow:
    values: dict[str, Any] = {
        "case_id": CASE, "purpose": "schuldhulp", "subject": str(UUID(int=2)), "municipality": "9901", "area": "noord",
        "status": "Opgepakt", "result": None, "kind": "single", "crisis": False, "priority": 5, "team": "9901-vroeg-noord",
        "month": "2026-11", "first_signal": MONDAY, "received_at": AT, "offer_by": MONDAY + timedelta(days=28), "signals": 1,
        "stands": True, "decision": {}, "decided_at": AT, "version": 1, "bundle_id": 1,
    }  # fmt: skip
    return CaseRow(**(values | changes))


def fact(act: str, /, **detail: Any) -> Fact:
    return Fact(str(CASE), act, detail, "anna", AT)


def test_a_case_shows_what_was_done_what_is_next_and_what_was_promised() -> None:
    stated = [
        fact("taken_up"),
        fact("attempt", kind="Brief", reached=False, day="2026-11-02", daypart="Middag"),
        fact("promise", promise_id="0123456789ab", what="terugbellen", by="2026-11-05"),
    ]
    today = date(2026, 11, 6)
    view = plan.seen(row(), [SIGNAL], {str(CASE): stated}, BUNDLE, today)
    assert view is not None
    shown = {language: plan.page(view, row(), stated, BUNDLE, language, today) for language in ("nl", "en")}
    assert shown["en"]["holder"] == "anna"
    assert [step["state"].split(" ")[0] for step in shown["en"]["steps"]] == ["done", "next,", "later,"]
    assert shown["nl"]["steps"][0] == {"what": "Brief", "state": "gedaan op 2 november 2026", "tone": "done"}
    assert shown["nl"]["promises"] == [
        {"what": "Terugbellen", "by": "5 november 2026", "state": "niet nagekomen", "tone": "late"}
    ]
    assert shown["en"]["missing"] == "attempts: 2, other ways: 2"
    step = plan.next_step(view, row(), BUNDLE, "en", today)
    assert step is not None and step["what"] == "Text message or WhatsApp"


def test_a_case_that_has_ended_has_no_plan() -> None:
    assert plan.seen(row(stands=False), [SIGNAL], {}, BUNDLE, MONDAY) is None
    assert plan.next_step(None, row(), BUNDLE, "nl", MONDAY) is None


def test_a_case_with_a_signal_of_a_type_that_is_declared_no_more_has_the_plan_that_rounds_make() -> None:
    """Rounds read kinds too (`bereik/casework.py`): what they warn a team about must be on its board."""
    gone = replace(SIGNAL, signal_id="gone", type="a_type_of_last_year")
    for signals in ([SIGNAL, gone], [gone]):
        view = plan.seen(row(), signals, {}, BUNDLE, MONDAY)
        step = plan.next_step(view, row(), BUNDLE, "en", MONDAY)
        assert step is not None and step["what"]


def test_nobody_states_something_in_the_name_of_the_rules() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["case", "lightened", "00000000", "--by", "bereik"])
    assert caught.value.code == 2
