"""The bridge's decisions: whose consent counts, when both agreed, what a statute does, and what each side is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bereik import bridge
from bereik.bridge import ANNOUNCED, Consent, State
from bereik.bundle import Bundle
from bereik.declared.municipalities import Statute
from bereik.declared.purposes import Agrees, BridgeRule
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


ANNA, BART = str(UUID(int=11)), str(UUID(int=12))


def case(
    purpose: str,
    *facts: Fact,
    open_: bool = True,
    people: tuple[str, ...] = (ANNA,),
    announced: tuple[Fact, ...] = (),
) -> CaseView:
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
        dict.fromkeys(people, str(UUID(int=9))),
        announced,
    )


def agreed(one: CaseView, age: int | None = None) -> dict[str, Fact]:
    return bridge.agreements(one, RULE, dict.fromkeys(one.people, age))


def given(one: CaseView, age: int | None = None) -> Consent | None:
    return bridge.consent_of(one, agreed(one, age))


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
    assert (given(case(purpose, *facts), age) is not None) is counts, why


def test_the_declared_rule_lets_a_pupil_decide_from_16_and_a_parent_before() -> None:
    (rule,) = BUNDLE.bridges
    pupil = next(p for p in rule.purposes if BUNDLE.purposes[p].subject == "person")
    bounds = sorted((one.from_age or 0, one.below_age or 999) for one in rule.agrees[pupil])
    assert bounds == [(0, 16), (16, 999)]
    assert set(rule.fields) == set(rule.agrees) == set(rule.purposes)


# ---------------------------------------------------------------- several people at one address


def of(person: str, minute: int = 0, **changes: Any) -> Fact:
    return consent("holder", minute, person_id=person, **changes)


def gone(minute: int, **detail: Any) -> Fact:
    return fact("consent_withdrawn", minute, toward="school", **detail)


@pytest.mark.parametrize(
    ("facts", "since", "why"),
    [
        ([of(ANNA)], None, "one of the two contract holders keeps it shut"),
        ([of(ANNA), of(BART, 7)], 7, "both: since the last of them"),
        ([of(BART), of(ANNA, 7)], 7, "in whichever order"),
        ([of(ANNA), of(BART, 7), of(ANNA, 9)], 7, "signing again renews nothing"),
        ([of(ANNA), of(BART, 7), gone(8, person_id=BART)], None, "either may withdraw"),
        ([of(ANNA), of(BART, 7), gone(8, person_id=ANNA), of(ANNA, 9)], 9, "and come back on it"),
        ([of(ANNA), of(BART, 7), gone(8)], None, "a withdrawal that names nobody is everybody's"),
        ([of(ANNA), of(BART, 7), gone(8), of(BART, 9)], None, "after which each agrees again"),
        ([of(ANNA), consent("holder", 7)], None, "a consent that names nobody is of no one in particular"),
        ([of(ANNA), of(str(UUID(int=13)), 7)], None, "somebody else's consent is not theirs"),
    ],
)
def test_each_contract_holder_of_an_address_agrees(facts: list[Fact], since: int | None, why: str) -> None:
    found = given(case("help", *facts, people=(ANNA, BART)))
    assert (found and found.since) == (None if since is None else START + timedelta(minutes=since)), why


def test_consent_names_every_form_that_was_signed() -> None:
    two = replace(RULE, forms=("form-1", "form-2"))
    one = case("help", of(ANNA), of(BART, form="form-2"), people=(ANNA, BART))
    found = bridge.consent_of(one, bridge.agreements(one, two, {ANNA: None, BART: None}))
    assert found is not None and found.forms == ("form-1", "form-2")


def test_a_new_contract_holder_at_the_address_closes_what_was_open() -> None:
    before = case("help", of(ANNA))
    assert given(before) is not None
    assert given(replace(before, people={ANNA: "s1", BART: "s2"})) is None


# ---------------------------------------------------------------- consent in an event


def told(minute: int = 0, person: str = ANNA, **changes: Any) -> Fact:
    """What a partner reports: a form and who signed it. Toward what, it does not say."""
    return fact(ANNOUNCED, minute, **{"form": "form-1", "who": "holder", "person_id": person, **changes})


@pytest.mark.parametrize(
    ("announced", "facts", "kind", "why"),
    [
        ([told()], [], ANNOUNCED, "reported, and nobody confirmed it"),
        ([told()], [of(ANNA, 5)], "consent", "a worker confirmed it"),
        ([told(5)], [of(ANNA)], "consent", "a report takes nothing from what was taken down"),
        ([told()], [gone(5)], None, "withdrawn before anybody confirmed it"),
        ([told()], [gone(5, person_id=ANNA)], None, "withdrawn by the person"),
        ([told(9)], [gone(5)], ANNOUNCED, "reported again after a withdrawal: asked again"),
        ([told(form="form-0")], [], None, "a form that is not known"),
        ([told(who="neighbour")], [], None, "somebody who has no say"),
        ([told(person=BART)], [], None, "about somebody whom the case is not about any more"),
    ],
)
def test_consent_in_an_event_is_announced_until_a_worker_confirms_it(
    announced: list[Fact], facts: list[Fact], kind: str | None, why: str
) -> None:
    one = case("help", *facts, announced=tuple(announced))
    found = agreed(one).get(ANNA)
    assert (found and found.kind) == kind, why
    assert (given(one) is not None) is (kind == "consent"), "only what is confirmed opens anything"


def test_a_pupil_who_is_too_young_announces_nothing() -> None:
    one = case("school", announced=(told(who="pupil"),))
    assert agreed(one, 15) == {} and set(agreed(one, 16)) == {ANNA}


def test_a_confirmed_and_an_announced_holder_open_nothing_together() -> None:
    one = case("help", of(ANNA), people=(ANNA, BART), announced=(told(person=BART),))
    assert {person: fact.kind for person, fact in agreed(one).items()} == {ANNA: "consent", BART: ANNOUNCED}
    assert given(one) is None


# ---------------------------------------------------------------- deciding

HELP, SCHOOL = case("help"), case("school")
EARLY, LATE = Consent(("form-1",), START), Consent(("form-1",), START + timedelta(minutes=5))
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
    consents: tuple[Consent | None, Consent | None],
    state: State,
    why: str,
) -> None:
    assert bridge.decide(first, second, RULE, None, consents).state is state, why
    turned = bridge.decide(second, first, RULE, None, consents[::-1])  # type: ignore[arg-type]
    assert turned.state is state, "whichever case changed last"


def test_signing_again_does_not_close_an_open_bridge() -> None:
    mine = case("help", consent("holder"), consent("holder", 20))
    theirs = case("school", consent("pupil", 5), fact("bridge_accepted", 9))
    consents = (given(mine), given(theirs, 17))
    assert bridge.decide(mine, theirs, RULE, None, consents).state is State.OPEN


def test_after_a_withdrawal_the_other_team_is_asked_again() -> None:
    again = [
        consent("pupil", 5),
        fact("bridge_accepted", 9),
        fact("consent_withdrawn", 10, toward="help"),
        consent("pupil", 20),
    ]
    mine, theirs = case("help", consent("holder")), case("school", *again)
    consents = (given(mine), given(theirs, 17))
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
