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
    assert otherwise(signal(1), signal(2))["without_signal"].kind == "single"


def test_below_the_threshold_it_says_how_much_more_it_would_have_taken() -> None:
    found = otherwise(signal(1, amount=THRESHOLD - 12))["more_money"]
    assert found.values == {"amount": "12"} and found.status == BUNDLE.purposes[PURPOSE].state("new").id  # type: ignore[union-attr]
    assert "more_money" not in otherwise(signal(1, amount=THRESHOLD))


def test_above_the_threshold_it_says_how_much_less_would_have_been_too_little() -> None:
    found = otherwise(signal(1, amount=THRESHOLD - 5), signal(2, amount=30))["less_money"]
    assert found.values == {"amount": "26"} and "onterecht" in str(found.status)
    assert found.spoken("en").startswith("With € 26 less: the status would have been ")
    assert "less_money" not in otherwise(signal(1, amount=THRESHOLD - 1)), "it is below already"
    warm = {str(PLAIN.warm_field): True}
    assert "less_money" not in otherwise(signal(1, **warm)), "whoever expects a call is called for any amount"


def test_the_amount_that_is_told_is_the_least_that_makes_the_difference() -> None:
    below = signal(1, amount=THRESHOLD - 12)
    assert otherwise(replace(below, facts={**below.facts, str(PLAIN.amount_field): THRESHOLD - 1}))[
        "more_money"
    ].values == {"amount": "1"}
    assert otherwise(signal(1, amount=THRESHOLD))["less_money"].values == {"amount": "1"}


def test_a_warm_hand_over_is_told_of_whether_it_is_there_or_not() -> None:
    small = signal(1, amount=THRESHOLD - 12)
    with_it = otherwise(small)["with_warm"]
    assert (
        with_it.status and with_it.priority and with_it.spoken("nl").startswith("Met een warme overdracht: ")
    )
    warm = replace(small, facts={**small.facts, str(PLAIN.warm_field): True})
    without = otherwise(warm)["without_warm"]
    assert "onterecht" in str(without.status) and "with_warm" not in otherwise(warm)


def test_each_signal_is_left_out_in_turn_and_only_what_mattered_is_told() -> None:
    urgent = signal(1, kind=CRISIS, **{str(CRISIS.crisis_field): True})
    three = Subject((urgent, signal(2), signal(3)))
    found = [
        one
        for one in trial.counterfactuals(three, "c" * 32, PURPOSE, BUNDLE, NOW)
        if one.change == "without_signal"
    ]
    # Without one of the other two it is as multiple and as urgent as before; the oldest one is the crisis.
    assert [one.values["en"] for one in found] == [CRISIS.label["en"]]
    assert found[0].team and found[0].offer_by and found[0].kind is None
    assert CRISIS.label["nl"] in found[0].spoken("nl") and "2026-10-05" in found[0].spoken("nl")


def test_a_language_that_the_resident_asks_for_would_have_brought_it_to_who_speaks_it() -> None:
    south = signal(1, area="zuid")
    found = [
        one
        for one in trial.counterfactuals(Subject((south,)), "c" * 32, PURPOSE, BUNDLE, NOW)
        if one.change == "language"
    ]
    assert [one.values["en"] for one in found] == ["Polish", "Arabic"], "no other language makes a difference"
    assert found[0].team == next(team.name for team in TOWN.teams if team.id.endswith("noord"))
    assert found[0].spoken("nl").startswith("Als de inwoner om Pools had gevraagd: het team was dan ")
    asked = Fact("c" * 32, "language", {"language": "pl"}, "worker", NOW)
    told = trial.counterfactuals(Subject((south,), (asked,)), "c" * 32, PURPOSE, BUNDLE, NOW)
    none = next(one for one in told if one.change == "no_language")
    assert none.team == next(team.name for team in TOWN.teams if team.id.endswith("zuid"))


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


def test_a_team_that_gets_more_than_it_has_room_for_is_marked(tmp_path: Path) -> None:
    """A team of 40 a week has room for 177 in the 31 days of October."""
    subjects = [
        Subject((replace(signal(1, area=area), signal_id=f"{n}", case_id=None),))
        for n in range(100)
        for area in TOWN.areas
    ]
    found = trial.compare(subjects, PURPOSE, BUNDLE, proposed(tmp_path), NOW, "2026-10")
    ids = {team.id.rpartition("-")[2]: team.id for team in TOWN.teams}
    assert trial.loads(found, BUNDLE, proposed(tmp_path), 31) == (
        trial.Load(ids["noord"], 100, 0, 177, False),
        trial.Load(ids["zuid"], 100, 200, 177, True),
    )
    assert not any(one.over for one in trial.loads(found, BUNDLE, proposed(tmp_path), 35)), (
        "200 in five weeks"
    )


def test_the_same_rules_move_nothing_and_another_month_counts_nothing() -> None:
    subjects = [Subject((signal(1),))]
    same = trial.compare(subjects, PURPOSE, BUNDLE, BUNDLE, NOW)
    assert same.before == same.after and same.moved == ()
    assert trial.compare(subjects, PURPOSE, BUNDLE, BUNDLE, NOW, "2026-09") == trial.Trial({}, {}, ())


@pytest.mark.parametrize(
    ("labels", "team"),
    [
        (["crisis=yes", "area=noord"], "crisis"),
        (["area=zuid"], "zuid"),
        (["area=zuid", "language=pl"], "noord"),
        (["kind=single"], "triage"),
    ],
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


@pytest.mark.parametrize("label", ["colour=blue", "area=elders", "language=klingon", "crisis=perhaps"])
def test_a_label_that_no_case_can_have_is_said(label: str, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--municipality", "9901", "--purpose", PURPOSE, "--schemas", str(REPOSITORY / "schemas")]
    assert main(["route", "test", label, *where]) == 1
    assert "known are" in capsys.readouterr().err
