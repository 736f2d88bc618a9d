"""The bridge's decisions: whose consent counts, when both agreed, what a statute does, and what each side is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bereik import bridge
from bereik.bridge import State
from bereik.bundle import Agrees, BridgeRule, Bundle, Statute
from bereik.lifecycle import Fact
from bereik.ports import CaseView

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")

RULE = BridgeRule(
    "r",
    ("help", "school"),
    {"help": ("present", "since", "contact"), "school": ("help_involved", "contact")},
    {"help": (Agrees("holder"),), "school": (Agrees("pupil", from_age=16), Agrees("parent", below_age=16))},
    ("form-1",),
)
START = datetime(2026, 11, 4, 9, tzinfo=UTC)


def fact(kind: str, minute: int = 0, **detail: Any) -> Fact:
    return Fact(str(UUID(int=1)), kind, detail, "worker", START + timedelta(minutes=minute))


def consent(who: str, minute: int = 0, **changes: Any) -> Fact:
    toward = "school" if who == "holder" else "help"
    return fact("consent", minute, **{"toward": toward, "who": who, "form": "form-1", **changes})


def case(purpose: str, *facts: Fact, open_: bool = True) -> CaseView:
    number = 1 if purpose == "help" else 2
    return CaseView(
        str(UUID(int=number)),
        purpose,
        "9901",
        f"team {purpose}",
        open_,
        date(2026, 11, 3),
        str(UUID(int=9)),
        facts,
    )


# ---------------------------------------------------------------- whose consent counts


@pytest.mark.parametrize(
    ("purpose", "age", "facts", "counts", "why"),
    [
        ("help", None, [], False, "nobody said anything"),
        ("help", None, [consent("holder")], True, "the contract holder, of whatever age"),
        ("school", 16, [consent("pupil")], True, "a pupil on the birthday"),
        ("school", 15, [consent("pupil")], False, "a pupil the day before"),
        ("school", 15, [consent("parent")], True, "a parent below 16"),
        ("school", 16, [consent("parent")], False, "not a parent from 16"),
        ("school", None, [consent("pupil")], False, "an age that is not known proves nothing"),
        ("school", None, [consent("parent")], False, "for neither"),
        ("school", 16, [consent("holder", toward="help")], False, "the holder has no say about the pupil"),
        ("help", None, [consent("holder", form="form-0")], False, "a form that is not registered"),
        ("help", None, [consent("holder", form=None)], False, "no form at all"),
        ("help", None, [consent("holder", toward="elsewhere")], False, "toward another purpose"),
        (
            "help",
            None,
            [consent("holder"), fact("consent_withdrawn", 1, toward="school")],
            False,
            "withdrawn",
        ),
        (
            "help",
            None,
            [fact("consent_withdrawn", 1, toward="school"), consent("holder")],
            False,
            "withdrawn, however the facts are ordered",
        ),
        (
            "help",
            None,
            [consent("holder"), fact("consent_withdrawn", 1, toward="elsewhere")],
            True,
            "another consent was withdrawn",
        ),
        (
            "help",
            None,
            [consent("holder"), fact("consent_withdrawn", 1, toward="school"), consent("holder", 2)],
            True,
            "given again after it was withdrawn",
        ),
        (
            "help",
            None,
            [consent("holder"), consent("holder", 1, form="form-0")],
            True,
            "a void paper takes nothing back",
        ),
    ],
)
def test_consent_of(purpose: str, age: int | None, facts: list[Fact], counts: bool, why: str) -> None:
    assert (bridge.consent_of(case(purpose, *facts), RULE, age) is not None) is counts, why


def test_the_declared_rule_lets_a_pupil_decide_from_16_and_a_parent_before() -> None:
    (rule,) = BUNDLE.bridges
    pupil = next(p for p in rule.purposes if BUNDLE.purposes[p].subject == "person")
    bounds = sorted((one.from_age or 0, one.below_age or 999) for one in rule.agrees[pupil])
    assert bounds == [(0, 16), (16, 999)]
    assert set(rule.fields) == set(rule.agrees) == set(rule.purposes)


# ---------------------------------------------------------------- deciding

HELP, SCHOOL = case("help"), case("school")
EARLY, LATE = consent("holder", 0), consent("pupil", 5)
STATUTE = Statute("s", "art. 4", "DPIA-1", "B&W", date(2025, 1, 1), None, frozenset({"help", "school"}))


@pytest.mark.parametrize(
    ("first", "second", "consents", "state", "why"),
    [
        (HELP, SCHOOL, (None, None), State.NONE, "nobody agreed"),
        (HELP, SCHOOL, (EARLY, None), State.NONE, "only one agreed"),
        (HELP, SCHOOL, (None, LATE), State.NONE, "only the other agreed"),
        (HELP, SCHOOL, (EARLY, LATE), State.REQUESTED, "both agreed, nobody accepted"),
        (
            case("help", fact("bridge_accepted", 9)),
            SCHOOL,
            (EARLY, LATE),
            State.REQUESTED,
            "the asker accepted itself",
        ),
        (
            HELP,
            case("school", fact("bridge_accepted", 9)),
            (EARLY, LATE),
            State.OPEN,
            "the asked one accepted",
        ),
        (
            HELP,
            case("school", fact("bridge_accepted", 3)),
            (EARLY, LATE),
            State.REQUESTED,
            "it accepted before there was anything to accept",
        ),
        (case("help", open_=False), SCHOOL, (EARLY, LATE), State.NONE, "one case is not open"),
        (
            HELP,
            case("school", fact("bridge_accepted", 9), open_=False),
            (EARLY, LATE),
            State.NONE,
            "nor the other",
        ),
    ],
)
def test_decide(
    first: CaseView,
    second: CaseView,
    consents: tuple[Fact | None, Fact | None],
    state: State,
    why: str,
) -> None:
    assert bridge.decide(first, second, RULE, None, consents).state is state, why
    turned = bridge.decide(second, first, RULE, None, consents[::-1])  # type: ignore[arg-type]
    assert turned.state is state, "whichever case changed last"


def test_signing_again_does_not_close_an_open_bridge() -> None:
    mine = case("help", EARLY, consent("holder", 20))
    theirs = case("school", LATE, fact("bridge_accepted", 9))
    consents = (bridge.consent_of(mine, RULE, None), bridge.consent_of(theirs, RULE, 17))
    assert bridge.decide(mine, theirs, RULE, None, consents).state is State.OPEN


def test_after_a_withdrawal_the_other_team_is_asked_again() -> None:
    again = [
        LATE,
        fact("bridge_accepted", 9),
        fact("consent_withdrawn", 10, toward="help"),
        consent("pupil", 20),
    ]
    mine, theirs = case("help", EARLY), case("school", *again)
    consents = (bridge.consent_of(mine, RULE, None), bridge.consent_of(theirs, RULE, 17))
    assert bridge.decide(mine, theirs, RULE, None, consents).state is State.REQUESTED


def test_a_statute_needs_no_consent_but_two_open_cases() -> None:
    tie = bridge.decide(HELP, SCHOOL, RULE, STATUTE, (None, None))
    assert (tie.state, tie.ground, tie.basis) == (State.OPEN, "statute", "art. 4; DPIA-1")
    closed = bridge.decide(case("help", open_=False), SCHOOL, RULE, STATUTE, (None, None))
    assert closed.state is State.NONE


def test_consent_names_its_form_as_ground() -> None:
    tie = bridge.decide(HELP, SCHOOL, RULE, None, (EARLY, LATE))
    assert (tie.ground, tie.basis) == ("consent", "form-1")


@pytest.mark.parametrize(
    ("statute", "holds", "why"),
    [
        (STATUTE, True, "in force"),
        (replace(STATUTE, start=date(2026, 11, 5)), False, "from tomorrow"),
        (replace(STATUTE, end=date(2026, 11, 4)), True, "its last day"),
        (replace(STATUTE, end=date(2026, 11, 3)), False, "ended yesterday"),
        (replace(STATUTE, purposes=frozenset({"help"})), False, "about one of the two only"),
        (replace(STATUTE, purposes=frozenset({"help", "school", "more"})), True, "about more than the two"),
    ],
)
def test_statute_for(statute: Statute, holds: bool, why: str) -> None:
    assert (bridge.statute_for([statute], RULE, date(2026, 11, 4)) is not None) is holds, why


# ---------------------------------------------------------------- what is shown


def test_each_side_is_shown_its_own_fields_and_no_others() -> None:
    to_help = bridge.shown(RULE.fields["help"], SCHOOL, "Team School")
    to_school = bridge.shown(RULE.fields["school"], HELP, "Team Help")
    assert to_help == {"present": True, "since": "2026-11-03", "contact": "Team School"}
    assert to_school == {"help_involved": True, "contact": "Team Help"}, "not even since when"
    assert bridge.shown((), HELP, "x") == {}
    assert bridge.shown(("amount", "notes", "case_id"), HELP, "x") == {}, (
        "what we do not know cannot be declared into view"
    )


@pytest.mark.parametrize(
    ("born", "age", "why"),
    [
        ("2010-11-04", 16, "on the birthday"),
        ("2010-11-05", 15, "the day before it"),
        ("2008-02-29", 18, "born on a leap day"),
        ("2010-00-00", None, "not known exactly"),
        ("2010", None, "a year alone"),
        ("", None, "empty"),
        (None, None, "missing"),
    ],
)
def test_age_on(born: str | None, age: int | None, why: str) -> None:
    assert bridge.age_on(born, date(2026, 11, 4)) == age, why
