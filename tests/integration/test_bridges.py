"""Three families on the real stack: one agreed, one did not, one lives where a statute is registered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from shutil import copytree
from typing import Any
from uuid import UUID

import pytest
from support import REPOSITORY, World, activated, as_worker, house, person, second, today, wait_for

from bereik.bundle import BridgeRule

pytestmark = pytest.mark.stack

CONSENT_PLACE, STATUTE_PLACE = "9901", "9902"
Family = Mapping[str, UUID]
_PUPILS = count()


@pytest.fixture
def rule(world: World) -> BridgeRule:
    """The one bridge that is declared."""
    return world.bundle.bridges[0]


def born(age: int) -> str:
    """The birth date of somebody who turned `age` a while ago, and of nobody else here."""
    birthday = date(today().year - age, today().month, min(today().day, 28))
    return (birthday - timedelta(days=30 + 7 * next(_PUPILS) % 300)).isoformat()


def family(world: World, municipality: str, pupil_age: int = 17) -> Family:
    """A debt and a pupil's absence at one address: purpose → case, after all has settled."""
    home = house(world.bundle, municipality)
    sent = {}
    for purpose in world.bundle.bridges[0].purposes:
        kind = next(one for one in world.bundle.signal_types.values() if one.purpose == purpose)
        pupil = world.bundle.purposes[purpose].subject == "person"
        who = {**person(), **home, **({"birth_date": born(pupil_age)} if pupil else {})}
        sent[purpose] = (world.partner_of(kind, municipality), world.report(kind, municipality, who))
    world.drain()
    return {purpose: world.cases_of(*where)[0][1] for purpose, where in sent.items()}


def roles(rule: BridgeRule, age: int = 17) -> dict[str, str]:
    """Who may agree, per purpose, for a pupil of this age."""
    return {
        purpose: next(
            one.role
            for one in rule.agrees[purpose]
            if (one.from_age is None or age >= one.from_age)
            and (one.below_age is None or age < one.below_age)
        )
        for purpose in rule.purposes
    }


def agree(world: World, rule: BridgeRule, cases: Family, purpose: str, **changes: Any) -> None:
    """A worker takes down consent for one side."""
    detail = {"toward": rule.other(purpose), "who": roles(rule)[purpose], "form": rule.forms[0], **changes}
    world.state(purpose, cases[purpose], "consent", **detail)
    world.drain()


def accept(world: World, cases: Family, purpose: str) -> None:
    """The worker of one side accepts the request."""
    world.state(purpose, cases[purpose], "bridge_accepted")
    world.drain()


def sides(world: World, cases: Family) -> dict[str, tuple[str, dict[str, Any]]]:
    """purpose → (state, what is shown) of the bridge that these cases have."""
    found = world.rows(
        "SELECT s.purpose, b.state, s.shown FROM bridge.side s JOIN bridge.bridge b USING (bridge_id)"
        " WHERE s.case_id = ANY(%s)",
        (list(cases.values()),),
    )
    assert len(found) in (0, 2)
    return {purpose: (state, shown) for purpose, state, shown in found}


def traces(world: World, cases: Family) -> set[str]:
    """The purposes whose case has left a hash in the bridge."""
    sql = "SELECT purpose FROM bridge.trace WHERE case_id = ANY(%s)"
    return {row[0] for row in world.rows(sql, (list(cases.values()),))}


def told(world: World, cases: Family) -> dict[str, list[str]]:
    """What each team heard of a bridge."""
    return {
        purpose: [reason for reason in world.alerts(case_id) if reason.startswith("bridge_")]
        for purpose, case_id in cases.items()
    }


def everything_shown(world: World, rule: BridgeRule, cases: Family) -> None:
    """Each side is shown what the declaration says, and nothing else."""
    for purpose, (state, shown) in sides(world, cases).items():
        assert state == "open"
        assert set(shown) == set(rule.fields[purpose])
        team = world.bundle.team(world.case(cases[rule.other(purpose)])["team"])
        assert team is not None and shown["contact"] == team.name
        text = str(shown)
        assert "400" not in text and "€" not in text and str(cases[rule.other(purpose)]) not in text


# ---------------------------------------------------------------- family C: a statute


def test_where_a_statute_is_registered_the_bridge_arises_by_itself(world: World, rule: BridgeRule) -> None:
    cases = family(world, STATUTE_PLACE)
    everything_shown(world, rule, cases)
    assert told(world, cases) == {purpose: ["bridge_open"] for purpose in cases}
    ground = world.rows(
        "SELECT ground, basis FROM bridge.bridge JOIN bridge.side USING (bridge_id) WHERE case_id = %s",
        (cases[rule.purposes[0]],),
    )
    statute = world.bundle.municipalities[STATUTE_PLACE].statutes[0]
    assert ground == [("statute", f"{statute.article}; {statute.dpia}")]


def test_neighbours_are_not_tied_by_a_statute(world: World, rule: BridgeRule) -> None:
    one, two = family(world, STATUTE_PLACE), family(world, STATUTE_PLACE)
    mixed = world.rows(
        "SELECT bridge_id FROM bridge.side WHERE case_id = ANY(%s) GROUP BY 1 HAVING count(*) = 2",
        ([one[rule.purposes[0]], two[rule.purposes[1]]],),
    )
    assert mixed == []


def test_when_a_case_ends_its_bridge_ends_and_shows_nothing(world: World, rule: BridgeRule) -> None:
    home = house(world.bundle, STATUTE_PLACE)
    kinds = [
        next(one for one in world.bundle.signal_types.values() if one.purpose == purpose)
        for purpose in rule.purposes
    ]
    sent = [world.report(kind, STATUTE_PLACE, {**person(), **home}) for kind in kinds]
    world.drain()
    partners = [world.partner_of(kind, STATUTE_PLACE) for kind in kinds]
    cases = {
        kind.purpose: world.cases_of(partner, one)[0][1]
        for kind, partner, one in zip(kinds, partners, sent, strict=True)
    }
    assert {state for state, _ in sides(world, cases).values()} == {"open"}
    world.send(partners[0], world.withdrawal(kinds[0], partners[0], sent[0]))
    world.drain()
    assert set(map(str, sides(world, cases).values())) == {str(("ended", {}))}
    assert traces(world, cases) == {rule.purposes[1]}, "the hash of the case that ended is forgotten"
    assert all(heard[-1] == "bridge_ended" for heard in told(world, cases).values())


def test_two_processes_that_look_at_the_two_sides_miss_no_family(world: World, rule: BridgeRule) -> None:
    kinds = [
        next(one for one in world.bundle.signal_types.values() if one.purpose == purpose)
        for purpose in rule.purposes
    ]
    with second(world, "bridge"):
        sent = []
        for _ in range(25):
            home = house(world.bundle, STATUTE_PLACE)
            sent.append([world.report(kind, STATUTE_PLACE, {**person(), **home}) for kind in kinds])
        world.drain()
    for events in sent:
        found = [
            world.cases_of(world.partner_of(kind, STATUTE_PLACE), one)[0]
            for kind, one in zip(kinds, events, strict=True)
        ]
        assert {state for state, _ in sides(world, dict(found)).values()} == {"open"}


# ---------------------------------------------------------------- family A: consent


@pytest.mark.parametrize("first", [0, 1])
def test_consent_of_both_and_the_other_team_open_it_and_anyone_ends_it(
    world: World, rule: BridgeRule, first: int
) -> None:
    asker, answerer = rule.purposes[first], rule.purposes[1 - first]
    cases = family(world, CONSENT_PLACE)
    assert sides(world, cases) == {} and traces(world, cases) == set()

    agree(world, rule, cases, asker)
    assert sides(world, cases) == {}, "partial agreement opens nothing"
    assert traces(world, cases) == {asker}, "a hash is made only for the case whose bridge is being opened"
    assert told(world, cases) == {purpose: [] for purpose in cases}, (
        "and nobody hears whether there is a counterpart"
    )

    agree(world, rule, cases, answerer)
    assert {str(side) for side in sides(world, cases).values()} == {str(("requested", {}))}

    accept(world, cases, asker)
    assert {state for state, _ in sides(world, cases).values()} == {"requested"}, (
        "the asker cannot accept for the other"
    )
    accept(world, cases, answerer)
    everything_shown(world, rule, cases)

    world.state(answerer, cases[answerer], "consent_withdrawn", toward=asker)
    wait_for(lambda: {s for s, _ in sides(world, cases).values()} == {"ended"}, 60, "the end of the bridge")
    world.drain()
    assert {str(shown) for _, shown in sides(world, cases).values()} == {"{}"}
    assert traces(world, cases) == {asker}
    heard = ["bridge_requested", "bridge_open", "bridge_ended"]
    assert told(world, cases) == dict.fromkeys(cases, heard), "both workers are told"

    agree(world, rule, cases, answerer)
    states = {state for state, _ in sides(world, cases).values()}
    assert states == {"requested"}, "after a withdrawal the old acceptance does not count"


def test_the_priority_and_the_decision_do_not_know_of_a_bridge(world: World, rule: BridgeRule) -> None:
    cases = family(world, CONSENT_PLACE)
    before = {purpose: world.case(case_id) for purpose, case_id in cases.items()}
    for purpose in rule.purposes:
        agree(world, rule, cases, purpose)
    for purpose in rule.purposes:
        accept(world, cases, purpose)
    assert {state for state, _ in sides(world, cases).values()} == {"open"}
    assert {purpose: world.case(case_id) for purpose, case_id in cases.items()} == before


@pytest.mark.parametrize(
    ("age", "wrong", "why"),
    [
        (17, {"form": "another-v1"}, "a form that is not registered"),
        (17, {"who": "buurman"}, "somebody who has no say"),
        (17, {"who": "ouderMetGezag"}, "a parent, of a pupil who decides alone from 16"),
        (15, {"who": "leerling"}, "a pupil who is too young to decide alone"),
        (17, {"toward": "elsewhere"}, "consent to be tied to something else"),
    ],
)
def test_consent_that_does_not_count(
    world: World, rule: BridgeRule, age: int, wrong: dict[str, Any], why: str
) -> None:
    cases = family(world, CONSENT_PLACE, age)
    pupil = next(p for p in rule.purposes if world.bundle.purposes[p].subject == "person")
    agree(world, rule, cases, rule.other(pupil))
    agree(world, rule, cases, pupil, **wrong)
    accept(world, cases, pupil)
    accept(world, cases, rule.other(pupil))
    assert sides(world, cases) == {}, why
    assert pupil not in traces(world, cases)


def test_for_a_younger_pupil_a_parent_agrees(world: World, rule: BridgeRule) -> None:
    cases = family(world, CONSENT_PLACE, 12)
    for purpose in rule.purposes:
        agree(world, rule, cases, purpose, who=roles(rule, 12)[purpose])
    assert {state for state, _ in sides(world, cases).values()} == {"requested"}


# ---------------------------------------------------------------- family B: the same facts, and nobody agreed


def test_without_agreement_neither_team_can_tell_that_the_other_case_exists(
    world: World, rule: BridgeRule
) -> None:
    cases = family(world, CONSENT_PLACE)
    assert sides(world, cases) == {} and traces(world, cases) == set()
    ids = world.rows(
        "SELECT DISTINCT case_id, subject, household_id FROM casework.signal WHERE case_id = ANY(%s)",
        (list(cases.values()),),
    )
    assert len({value for row in ids for value in row if value is not None}) >= 4
    households = [row[2] for row in ids if row[2] is not None]
    assert len(set(households)) == len(households), "one address has another id in each purpose"
    signals = world.rows(
        "SELECT purpose, signal_id, person_id, household_id FROM casework.signal WHERE case_id = ANY(%s)",
        (list(cases.values()),),
    )
    flat = [value for row in signals for value in row[1:] if value is not None]
    assert len(set(flat)) == len(flat), "nor do they share a person or a signal"

    for purpose, case_id in cases.items():
        with as_worker(world, world.case(case_id)["team"]) as ask:
            mine = "SELECT case_id FROM casework.case WHERE case_id = ANY(%s)"
            assert ask(mine, (list(cases.values()),)) == [(case_id,)]
            assert {row[0] for row in ask("SELECT DISTINCT purpose FROM casework.case")} == {purpose}
            assert ask("SELECT 1 FROM bridge.side WHERE case_id = ANY(%s)", (list(cases.values()),)) == []


def test_a_worker_sees_its_own_side_of_a_bridge_only(world: World, rule: BridgeRule) -> None:
    cases = family(world, STATUTE_PLACE)
    for purpose, case_id in cases.items():
        with as_worker(world, world.case(case_id)["team"]) as ask:
            both = list(cases.values())
            assert ask("SELECT purpose, case_id FROM bridge.side WHERE case_id = ANY(%s)", (both,)) == [
                (purpose, case_id)
            ]


# ---------------------------------------------------------------- a team that enforces


def test_a_team_that_enforces_is_never_a_member(world: World, rule: BridgeRule, tmp_path: Path) -> None:
    schemas = copytree(REPOSITORY / "schemas", tmp_path / "schemas")
    pupil = next(p for p in rule.purposes if world.bundle.purposes[p].subject == "person")
    place = world.bundle.municipalities[STATUTE_PLACE]
    enforcer = next(team.id for team in place.teams if team.role == "enforce" and team.purpose == pupil)
    usual = place.routes[pupil].team or ""
    (file,) = schemas.glob(f"municipalities/{STATUTE_PLACE}-*.yaml")
    text = file.read_text("utf-8")
    routed = f"  {pupil}:\n    team: {usual}\n"
    assert routed in text
    file.write_text(text.replace(routed, routed.replace(usual, enforcer)), "utf-8")
    with activated(world, schemas):

        def enforced() -> Family | None:
            cases = family(world, STATUTE_PLACE)
            return cases if world.case(cases[pupil])["team"] == enforcer else None

        cases = wait_for(enforced, what="casework decides by the new declarations")
        assert sides(world, cases) == {}
        assert traces(world, cases) == {rule.other(pupil)}
        assert told(world, cases) == {purpose: [] for purpose in cases}


def test_everything_so_far_adds_up(world: World) -> None:
    world.drain()
    assert world.violations() == {}
