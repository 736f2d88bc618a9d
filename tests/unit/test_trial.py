"""What would have been: a month under other routes, and one case with one thing changed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from bereik import trial
from bereik.bundle import Bundle
from bereik.cases import CONTRACT, Signal
from bereik.cli import main
from bereik.lifecycle import Fact
from bereik.settings import REPOSITORY
from bereik.trial import Moved, Otherwise, Subject

BUNDLE = Bundle.compile(REPOSITORY / "schemas")
NOW = datetime(2026, 12, 31, tzinfo=UTC)
CRISIS = next(kind for kind in BUNDLE.signal_types.values() if kind.crisis_field and kind.amount_field)
PLAIN = next(
    kind
    for kind in BUNDLE.signal_types.values()
    if kind.purpose == CRISIS.purpose and kind.amount_field and not kind.crisis_field
)
PURPOSE = CRISIS.purpose
TOWN = BUNDLE.municipalities["9901"]
THRESHOLD = TOWN.policies[PURPOSE].threshold_eur


def signal(number: int, amount: int = 400, kind: Any = PLAIN, area: str = "noord", **facts: Any) -> Signal:
    return Signal(
        f"{number:032x}", kind.id, f"partner {number}", "9901", area, date(2026, 10, 5),
        datetime(2026, 10, 5, 9, number, tzinfo=UTC),
        {CONTRACT: f"contract {number}", kind.amount_field: amount, **facts}, "c" * 32,
    )  # fmt: skip


def otherwise(*signals: Signal) -> dict[str, Otherwise]:
    found = trial.counterfactuals(Subject(signals), "c" * 32, PURPOSE, BUNDLE, NOW)
    return {f"{one.change} {one.values.get('area', '')}".strip(): one for one in found}


def test_without_its_crisis_signal_a_case_would_have_gone_to_its_own_area() -> None:
    urgent = replace(
        signal(1, kind=CRISIS), facts=signal(1, kind=CRISIS).facts | {str(CRISIS.crisis_field): True}
    )
    found = otherwise(urgent)["without_crisis"]
    team = next(team.name for team in TOWN.teams if team.id.endswith("noord"))
    assert found.team == team and found.priority is not None and found.offer_by is not None
    assert team in found.spoken("nl") and found.spoken("en").startswith("Without the crisis signal: ")


def test_one_more_signal_or_one_less_changes_the_kind() -> None:
    assert otherwise(signal(1))["one_more"].kind == "multiple"
    assert otherwise(signal(1), signal(2))["without_newest"].kind == "single"


def test_below_the_threshold_it_says_how_much_more_it_would_have_taken() -> None:
    found = otherwise(signal(1, amount=THRESHOLD - 12))["more_money"]
    assert found.values == {"amount": "12"} and found.status == BUNDLE.purposes[PURPOSE].state("new").id  # type: ignore[union-attr]
    assert "more_money" not in otherwise(signal(1, amount=THRESHOLD))


def test_another_area_would_have_been_another_team_and_nothing_else() -> None:
    found = otherwise(signal(1))[f"area {TOWN.areas['zuid']}"]
    assert found == Otherwise("area", {"area": TOWN.areas["zuid"]}, team=found.team) and found.team


def test_a_case_that_is_not_there_has_no_other_way_to_be() -> None:
    assert trial.counterfactuals(Subject((signal(1),)), "d" * 32, PURPOSE, BUNDLE, NOW) == ()


def proposed(tmp_path: Path) -> Bundle:
    """The same declarations, in which the north goes to the team of the south."""
    document = json.loads(json.dumps(BUNDLE.document))
    for child in document["municipalities"]["9901"]["routes"][PURPOSE]["children"]:
        if child["team"].endswith("noord"):
            child["team"] = child["team"].replace("noord", "zuid")
    return Bundle.load(document)


def test_a_month_under_proposed_routes_tells_which_cases_move(tmp_path: Path) -> None:
    north, south = (
        Subject((replace(signal(n, area=area), case_id=None),)) for n, area in ((1, "noord"), (2, "zuid"))
    )
    found = trial.compare([north, south], PURPOSE, BUNDLE, proposed(tmp_path), NOW, "2026-10")
    ids = {team.id.rpartition("-")[2]: team.id for team in TOWN.teams}
    assert found.before == {ids["noord"]: 1, ids["zuid"]: 1}
    assert found.after == {ids["zuid"]: 2}
    assert found.moved == (Moved(north.signals[0].signal_id, ids["noord"], ids["zuid"]),)


def test_a_case_that_its_team_closed_still_counts_for_that_month(tmp_path: Path) -> None:
    result = next(word.id for word in BUNDLE.purposes[PURPOSE].results if word.when is None)
    closed = Fact("c" * 32, "closed", {"result": result}, "worker", datetime(2026, 10, 20, tzinfo=UTC))
    found = trial.compare(
        [Subject((signal(1),), (closed,))], PURPOSE, BUNDLE, proposed(tmp_path), NOW, "2026-10"
    )
    assert (sum(found.before.values()), sum(found.after.values()), len(found.moved)) == (1, 1, 1)


def test_the_same_rules_move_nothing_and_another_month_counts_nothing() -> None:
    subjects = [Subject((signal(1),))]
    same = trial.compare(subjects, PURPOSE, BUNDLE, BUNDLE, NOW)
    assert same.before == same.after and same.moved == ()
    assert trial.compare(subjects, PURPOSE, BUNDLE, BUNDLE, NOW, "2026-09") == trial.Trial({}, {}, ())


@pytest.mark.parametrize(
    ("labels", "team"),
    [(["crisis=yes", "area=noord"], "crisis"), (["area=zuid"], "zuid"), (["kind=single"], "triage")],
)
def test_labels_can_be_tried_without_a_running_stack(
    labels: list[str], team: str, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--municipality", "9901", "--purpose", PURPOSE, "--schemas", str(REPOSITORY / "schemas")]
    assert main(["route", "test", *labels, *where, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["team"].endswith(team)


def test_a_municipality_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--municipality", "0000", "--purpose", PURPOSE, "--schemas", str(REPOSITORY / "schemas")]
    assert main(["route", "test", "crisis=yes", *where]) == 1
    assert "--month" in capsys.readouterr().err


@pytest.mark.parametrize("label", ["colour=blue", "area=elders"])
def test_a_label_that_no_case_can_have_is_said(label: str, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--municipality", "9901", "--purpose", PURPOSE, "--schemas", str(REPOSITORY / "schemas")]
    assert main(["route", "test", label, *where]) == 1
    assert "known are" in capsys.readouterr().err
