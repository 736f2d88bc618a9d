"""Three families on the real stack: one agreed, one did not, one lives where a statute is registered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from board_visitor import at_the_board
from support import REPOSITORY, World, activated, as_worker, house, person, second, stands_in, today, wait_for

from bereik import ddas
from bereik.app import App
from bereik.declared.purposes import BridgeRule
from bereik.declared.signals import SignalType
from bereik.lifecycle import IllegalMove
from bereik.settings import Settings

pytestmark = pytest.mark.stack

CONSENT_PLACE, STATUTE_PLACE = "9901", "9902"
Family = Mapping[str, str]
_PUPILS = count()


@pytest.fixture
def rule(world: World) -> BridgeRule:
    """The one bridge that is declared."""
    return world.bundle.bridges[0]


def born(age: int) -> str:
    """The birth date of somebody who turned `age` a while ago, and of nobody else here."""
    birthday = date(today().year - age, today().month, min(today().day, 28))
    return (birthday - timedelta(days=30 + 7 * next(_PUPILS) % 300)).isoformat()


def kind_of(world: World, purpose: str) -> SignalType:
    """A type of signal of a purpose."""
    return next(one for one in world.bundle.signal_types.values() if one.purpose == purpose)


def reported(world: World, rule: BridgeRule, purpose: str, age: int = 17, **changes: Any) -> dict[str, Any]:
    """The fields by which a partner reports consent."""
    kind = kind_of(world, purpose)
    said = {"form": rule.forms[0], "by": roles(rule, age)[purpose], **changes}
    assert kind.consent_form_field and kind.consent_by_field
    return {kind.consent_form_field: said["form"], kind.consent_by_field: said["by"]}


def family(
    world: World,
    municipality: str,
    pupil_age: int = 17,
    home: Mapping[str, Any] | None = None,
    more: Mapping[str, Mapping[str, Any]] | None = None,
) -> Family:
    """A debt and a pupil's absence at one address: purpose → case, after all has settled. `more`: fields per purpose."""
    home = home or house(world.bundle, municipality)
    sent = {}
    for purpose in world.bundle.bridges[0].purposes:
        kind = kind_of(world, purpose)
        pupil = world.bundle.purposes[purpose].subject == "person"
        who = {**person(), **home, **({"birth_date": born(pupil_age)} if pupil else {})}
        event = world.report(kind, municipality, who, **(more or {}).get(purpose, {}))
        sent[purpose] = (world.partner_of(kind, municipality), event)
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
        assert not stands_in("400", text) and "€" not in text and str(cases[rule.other(purpose)]) not in text


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


# ---------------------------------------------------------------- consent in an event


def announced(world: World, cases: Family) -> dict[str, list[tuple[str, str]]]:
    """purpose → (form, who) of what partners announced about these cases."""
    sql = "SELECT form, who FROM bridge.announced WHERE case_id = %s"
    return {purpose: [tuple(row) for row in world.rows(sql, (one,))] for purpose, one in cases.items()}  # type: ignore[misc]


@pytest.mark.parametrize("first", [0, 1])
def test_consent_in_an_event_is_announced_to_its_own_side_until_a_worker_confirms_it(
    world: World, rule: BridgeRule, first: int
) -> None:
    asker, answerer = rule.purposes[first], rule.purposes[1 - first]
    cases = family(world, CONSENT_PLACE, more={asker: reported(world, rule, asker)})
    agree(world, rule, cases, answerer)

    assert announced(world, cases) == {asker: [(rule.forms[0], roles(rule)[asker])], answerer: []}
    assert sides(world, cases) == {} and traces(world, cases) == {answerer}, "nothing is looked up for it"
    assert told(world, cases) == {asker: ["bridge_announced"], answerer: []}, "nobody else hears of it"
    for purpose, case_id in cases.items():
        with as_worker(world, world.case(case_id)["team"]) as ask:
            seen = ask(
                "SELECT case_id FROM bridge.announced WHERE case_id = ANY(%s)", (list(cases.values()),)
            )
            assert seen == ([(case_id,)] if purpose == asker else [])

    agree(world, rule, cases, asker)
    assert announced(world, cases) == {asker: [], answerer: []}
    assert {str(side) for side in sides(world, cases).values()} == {str(("requested", {}))}
    # Whose consent stood first asked; what a partner announced before is no request.
    accept(world, cases, asker)
    everything_shown(world, rule, cases)
    heard = ["bridge_requested", "bridge_open"]
    assert told(world, cases) == {asker: ["bridge_announced", *heard], answerer: heard}


def test_consent_that_was_announced_is_confirmed_by_a_form_on_the_case_page(
    world: World, rule: BridgeRule
) -> None:
    asker, answerer = rule.purposes
    cases = family(world, CONSENT_PLACE, more={asker: reported(world, rule, asker)})
    agree(world, rule, cases, answerer)
    path = f"/cases/{cases[asker]}"
    ((person_id,),) = world.rows(
        "SELECT person_id::text FROM bridge.announced WHERE case_id = %s", (cases[asker],)
    )
    with at_the_board(world, asker, CONSENT_PLACE, world.case(cases[asker])["team"]) as visitor:
        assert "Ja, dit is in een gesprek bevestigd" in visitor.get(path)
        # What nobody reported cannot be confirmed.
        visitor.post(f"{path}/consent", 404, person=person_id, toward=asker)
        visitor.post(f"{path}/consent", person=person_id, toward=answerer)
        wait_for(lambda: announced(world, cases)[asker] == [], what="the bridge looked")
        assert "Ja, dit is in een gesprek bevestigd" not in visitor.get(path)
        sql = "SELECT stated_by, detail FROM casework.fact WHERE case_id = %s AND kind = 'consent'"
        ((by, detail),) = world.rows(sql, (cases[asker],))
        assert by == visitor.username and detail == {
            "toward": answerer, "who": roles(rule)[asker], "form": rule.forms[0], "person_id": person_id,
        }  # fmt: skip
    world.drain()
    assert {str(side) for side in sides(world, cases).values()} == {str(("requested", {}))}
    with at_the_board(world, answerer, CONSENT_PLACE, world.case(cases[answerer])["team"]) as other:
        other.post(f"{path}/consent", 404, person=person_id, toward=answerer)


@pytest.mark.parametrize("first", [0, 1])
def test_an_announcement_answers_the_same_whether_or_not_there_is_a_counterpart(
    world: World, rule: BridgeRule, first: int
) -> None:
    purpose, kind = rule.purposes[first], kind_of(world, rule.purposes[first])
    sent = family(world, CONSENT_PLACE, more={purpose: reported(world, rule, purpose)})
    pupil = world.bundle.purposes[purpose].subject == "person"
    who = {**person(), **house(world.bundle, CONSENT_PLACE), **({"birth_date": born(17)} if pupil else {})}
    alone = world.report(kind, CONSENT_PLACE, who, **reported(world, rule, purpose))
    world.drain()
    partner = world.partner_of(kind, CONSENT_PLACE)
    by_itself = {purpose: world.cases_of(partner, alone)[0][1]}
    assert told(world, by_itself)[purpose] == told(world, sent)[purpose] == ["bridge_announced"]
    assert announced(world, by_itself)[purpose] == announced(world, sent)[purpose]
    assert traces(world, sent) == traces(world, by_itself) == set()


def test_an_announcement_ends_with_a_withdrawal_and_with_its_signal(world: World, rule: BridgeRule) -> None:
    purpose = rule.purposes[0]
    cases = family(world, CONSENT_PLACE, more={purpose: reported(world, rule, purpose)})
    world.state(purpose, cases[purpose], "consent_withdrawn", toward=rule.other(purpose))
    world.drain()
    assert announced(world, cases)[purpose] == []

    kind, home = kind_of(world, purpose), {**person(), **house(world.bundle, CONSENT_PLACE)}
    partner = world.partner_of(kind, CONSENT_PLACE)
    plain = world.report(kind, CONSENT_PLACE, home)
    signed = world.report(kind, CONSENT_PLACE, home, **reported(world, rule, purpose))
    world.drain()
    one = {purpose: world.cases_of(partner, plain)[0][1]}
    assert len(announced(world, one)[purpose]) == 1
    world.send(partner, world.withdrawal(kind, partner, signed))
    world.drain()
    assert announced(world, one)[purpose] == [], (
        "it goes with the signal, and the case of the other one stays"
    )


@pytest.mark.parametrize("first", [0, 1])
def test_a_correction_of_the_consent_alone_is_announced(world: World, rule: BridgeRule, first: int) -> None:
    """Nothing else of the case changes, and who gave it may be mended too: what the team reads is the last word."""
    purpose = rule.purposes[first]
    kind, pupil = kind_of(world, purpose), world.bundle.purposes[purpose].subject == "person"
    wrong = roles(rule, 12 if pupil else 17)[purpose]
    who = {**person(), **house(world.bundle, CONSENT_PLACE), **({"birth_date": born(17)} if pupil else {})}
    partner, sent = world.partner_of(kind, CONSENT_PLACE), world.report(kind, CONSENT_PLACE, who)
    world.drain()
    cases = {purpose: world.cases_of(partner, sent)[0][1]}
    before = world.case(cases[purpose])

    mended = world.correction(kind, partner, sent, **reported(world, rule, purpose, by=wrong))
    world.send(partner, mended, key=CONSENT_PLACE)
    world.drain()
    assert world.fate(partner, mended["id"]) == ("accepted", "allowed", [])
    assert announced(world, cases)[purpose] == ([] if pupil else [(rule.forms[0], wrong)]), (
        "at 17 a pupil agrees"
    )
    world.send(
        partner, world.correction(kind, partner, sent, **reported(world, rule, purpose)), key=CONSENT_PLACE
    )
    world.drain()
    assert announced(world, cases)[purpose] == [(rule.forms[0], roles(rule)[purpose])]
    assert told(world, cases)[purpose] == ["bridge_announced"]
    after = world.case(cases[purpose])
    assert (after["status"], after["team"], after["signals"]) == (
        before["status"],
        before["team"],
        before["signals"],
    )

    strange = world.correction(kind, partner, sent, **reported(world, rule, purpose, form="another-v1"))
    world.send(partner, strange, key=CONSENT_PLACE)
    world.drain()
    assert world.fate(partner, strange["id"]) == ("accepted", "allowed", ["consent_not_counted"])
    assert announced(world, cases)[purpose] == [], (
        "what was signed on no registered form is nobody's to confirm"
    )
    assert world.violations() == {}


@pytest.mark.parametrize(
    ("changes", "reasons", "why"),
    [
        ({"form": "another-v1"}, ["consent_not_counted"], "a form that is not registered for this partner"),
        ({"by": ...}, ["consent_not_counted"], "nobody signed it"),
        ({}, [], "registered, and told to nobody else"),
    ],
)
def test_consent_that_does_not_count_says_so_and_its_signal_is_received(
    world: World, rule: BridgeRule, changes: dict[str, Any], reasons: list[str], why: str
) -> None:
    purpose = rule.purposes[0]
    kind, who = kind_of(world, purpose), {**person(), **house(world.bundle, CONSENT_PLACE)}
    event = world.report(kind, CONSENT_PLACE, who, **reported(world, rule, purpose, **changes))
    partner = world.partner_of(kind, CONSENT_PLACE)
    assert world.fate(partner, event) == ("accepted", "allowed", reasons), why
    world.drain()
    cases = {purpose: world.cases_of(partner, event)[0][1]}
    assert len(announced(world, cases)[purpose]) == (0 if reasons else 1)


# ---------------------------------------------------------------- several contract holders at one address


def test_every_contract_holder_of_an_address_agrees_and_each_can_end_it(
    world: World, rule: BridgeRule
) -> None:
    pupil = next(p for p in rule.purposes if world.bundle.purposes[p].subject == "person")
    debts, home = rule.other(pupil), house(world.bundle, CONSENT_PLACE)
    cases = family(world, CONSENT_PLACE, home=home)
    kind = kind_of(world, debts)
    world.report(kind, CONSENT_PLACE, {**person(), **home})
    world.drain()
    holders = sorted(
        str(one)
        for (one,) in world.rows("SELECT person_id FROM casework.signal WHERE case_id = %s", (cases[debts],))
    )
    assert len(holders) == 2, "one case of the address, two contract holders"
    agree(world, rule, cases, pupil)

    with pytest.raises(IllegalMove, match="one of the people of this case"):
        agree(world, rule, cases, debts)
    agree(world, rule, cases, debts, person_id=holders[0])
    assert sides(world, cases) == {} and traces(world, cases) == {pupil}, "one of two opens nothing"
    agree(world, rule, cases, debts, person_id=holders[1])
    accept(world, cases, debts)
    everything_shown(world, rule, cases)

    withdrawn = {"toward": pupil, "person_id": holders[0]}
    world.state(debts, cases[debts], "consent_withdrawn", **withdrawn)
    wait_for(lambda: {s for s, _ in sides(world, cases).values()} == {"ended"}, 60, "the end of the bridge")
    agree(world, rule, cases, debts, person_id=holders[0])
    accept(world, cases, debts)
    everything_shown(world, rule, cases)

    world.report(kind, CONSENT_PLACE, {**person(), **home})
    world.drain()
    assert {str(side) for side in sides(world, cases).values()} == {str(("ended", {}))}, (
        "a third contract holder did not agree"
    )
    assert all(heard[-1] == "bridge_ended" for heard in told(world, cases).values())


# ---------------------------------------------------------------- what a bridge never reaches


def test_nothing_of_a_bridge_is_in_the_national_delivery_or_on_a_receipt(
    world: World, rule: BridgeRule, tmp_path: Path
) -> None:
    more = {purpose: reported(world, rule, purpose) for purpose in rule.purposes}
    cases = family(world, CONSENT_PLACE, more=more)
    for purpose in rule.purposes:
        agree(world, rule, cases, purpose)
    accept(world, cases, rule.purposes[0])
    accept(world, cases, rule.purposes[1])
    everything_shown(world, rule, cases)
    words = {*rule.forms, rule.id, *(f"{word}" for purpose in rule.purposes for word in roles(rule).values())}
    words |= {"brug", "bridge", "consent", "toestemming", *map(str, cases.values())}

    delivery = App(Settings.from_env(world.stack.environment("delivery")))
    first = today().replace(day=1)
    path, made = delivery.deliveries.export(
        delivery.bundle(), CONSENT_PLACE, first, today(), tmp_path / "ddas.json"
    )
    assert made.signals > 0 and ddas.problems(made.document) == []
    text = path.read_text("utf-8").casefold()
    assert [word for word in words if word.casefold() in text] == []
    for purpose, case_id in cases.items():
        other = world.bundle.team(world.case(cases[rule.other(purpose)])["team"])
        (partner,) = {
            row[0] for row in world.rows("SELECT partner FROM casework.signal WHERE case_id = %s", (case_id,))
        }
        heard = str(world.receipts_topic(partner)).casefold()
        assert other is not None and other.name.casefold() not in heard
        # The remark about a form that is not registered is about the event, and sent whatever cases there are.
        heard = heard.replace("consent_not_counted", "").replace("de toestemming telt niet mee", "")
        heard = heard.replace("the consent does not count", "")
        assert [word for word in words if word.casefold() in heard] == []


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
