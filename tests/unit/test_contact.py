"""How a case is reached: plans and their days, effort, promises, capacity with its floor, and what the clock tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bereik import contact, workload
from bereik.bundle import Bundle
from bereik.contact import Debt, State, Subject
from bereik.declared.contact import Effort
from bereik.lifecycle import Fact, IllegalMove
from bereik.workload import Demand, Tell

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
DEBTS = BUNDLE.purposes["schuldhulp"]
TOWN = BUNDLE.municipalities["9901"]
RULES = TOWN.policies[DEBTS.id].contact
assert RULES is not None
ROOT = TOWN.routes[DEBTS.id]
NORTH, TRIAGE, LEAD = "9901-vroeg-noord", "9901-triage", RULES.manager
CAPACITY = {team.id: team.capacity_per_week or 0 for team in TOWN.teams}
RENT = next(rule for rule in RULES.floor if rule.since_months).match["type"][0]
ENERGY = next(
    name
    for name, kind in BUNDLE.signal_types.items()
    if kind.purpose == DEBTS.id and name != RENT and kind.crisis_field
)
MONDAY = date(2026, 11, 2)


def labels(
    kind: str = "single", crisis: str = "no", warm: str = "no", *types: str
) -> dict[str, frozenset[str]]:
    found = {"kind": kind, "crisis": crisis, "warm": warm, "repeat": "no", "area": "noord"}
    return {name: frozenset({value}) for name, value in found.items()} | {
        "type": frozenset(types or {ENERGY})
    }


def debt(day: date = MONDAY, kind: str = ENERGY, since: date | None = None, crisis: bool = False) -> Debt:
    return Debt(kind, day, day, since, crisis)


def at(day: date, hour: int = 10) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def fact(act: str, day: date = MONDAY, who: str = "worker", /, **detail: Any) -> Fact:
    return Fact("case", act, detail, who, at(day))


def tried(
    day: date, kind: str = "Telefoon", daypart: str = "Ochtend", reached: bool = False, **more: Any
) -> Fact:
    return fact("attempt", day, kind=kind, reached=reached, day=day.isoformat(), daypart=daypart, **more)


def subject(number: int = 1, *facts: Fact, day: date = MONDAY, **changes: Any) -> Subject:
    made = Subject(
        case_id=f"case-{number:03}", version=1, municipality="9901", team=NORTH, labels=labels(), debts=(debt(day),),
        facts=facts, priority=5, received_at=at(day), offer_by=day + timedelta(days=28), claimed=True, waits_since=at(day),
    )  # fmt: skip
    return replace(made, **changes)


def seen(case: Subject, today: date) -> contact.Progress:
    return contact.view(case, RULES, today).progress


# ---------------------------------------------------------------- which plan, and on which days


@pytest.mark.parametrize(
    ("wanted", "plan"),
    [
        (labels(), "licht"),
        (labels("multiple"), "zwaar"),
        (labels("consecutive"), "zwaar"),
        (labels("single", "no", "yes"), "warm"),
        (labels("multiple", "yes", "yes"), "crisis"),
    ],
)
def test_the_plan_follows_from_the_labels(wanted: dict[str, frozenset[str]], plan: str) -> None:
    assert contact.plan_for(wanted, RULES).id == plan


def test_a_heavy_case_asks_for_four_attempts_over_two_channels_and_two_parts_of_the_day() -> None:
    assert contact.plan_for(labels("multiple"), RULES).minimum == Effort(4, 2, 2)


@pytest.mark.parametrize(
    ("what", "plan", "start", "term", "expected"),
    [
        (
            "a crisis on Friday evening: the weekend does not count",
            "crisis", date(2026, 11, 6), date(2026, 11, 11),
            "06-09 06-09 09-10 09-11",
        ),
        (
            "Christmas Eve on a Thursday: holidays and weekend do not count",
            "crisis", date(2026, 12, 24), date(2026, 12, 30),
            "24-28 24-28 28-29 28-30",
        ),
        (
            "Christmas Day on a Friday: no day of that weekend works, so it begins on Monday",
            "crisis", date(2026, 12, 25), date(2026, 12, 30),
            "28-28 28-28 28-29 28-30",
        ),
        (
            "two days with Christmas and a weekend alone before the term: the term itself, never after it",
            "licht", date(2026, 12, 25), date(2026, 12, 27),
            "27-27 27-27 27-27",
        ),
        (
            "close to the term everything is pressed together",
            "licht", date(2026, 11, 26), date(2026, 11, 30),
            "26-30 30-30 30-30",
        ),
    ],
)  # fmt: skip
def test_days_are_working_days_and_never_after_the_term(
    what: str, plan: str, start: date, term: date, expected: str
) -> None:
    found = contact.lay_out(RULES.plan(plan), start, term)
    assert " ".join(f"{first:%d}-{last:%d}" for first, last in found) == expected, what


# ---------------------------------------------------------------- what was done, what is next


def test_a_plan_starts_with_its_first_step_next_and_nothing_met() -> None:
    now = seen(subject(), MONDAY)
    assert [one.state for one in now.steps] == [State.NEXT, State.LATER, State.LATER]
    assert now.next is not None and now.next.step.contact == "Brief"
    assert not now.met and now.missing == Effort(3, 3, 1)


def test_an_attempt_does_its_step_in_whatever_order_they_come() -> None:
    facts = [tried(MONDAY, "Brief"), tried(MONDAY, "SMS/Whatsapp"), tried(MONDAY, "Telefoon")]
    for given in (facts, facts[::-1]):
        now = seen(subject(1, *given), MONDAY)
        assert now.met and now.next is None and {one.state for one in now.steps} == {State.DONE}


def test_a_step_whose_last_day_has_passed_is_overdue_and_comes_first() -> None:
    now = seen(subject(1, tried(MONDAY, "SMS/Whatsapp")), MONDAY + timedelta(days=9))
    assert [one.step.contact for one in now.overdue] == ["Brief"]
    assert now.next is not None and now.next.step.contact == "Brief"


def test_who_was_reached_needs_no_more_attempts() -> None:
    now = seen(subject(1, tried(MONDAY, "Telefoon", reached=True)), MONDAY)
    assert now.met and now.next is None
    assert [one.state for one in now.steps] == [State.NOT_NEEDED, State.NOT_NEEDED, State.DONE]


def test_paperwork_is_no_attempt() -> None:
    assert seen(subject(1, tried(MONDAY, "Administratief")), MONDAY).missing == Effort(3, 3, 1)


def test_an_address_gets_one_letter_a_month_whichever_case_sent_it() -> None:
    near = subject(letters=(MONDAY - timedelta(days=10),))
    assert seen(near, MONDAY).steps[0].state is State.SPARED
    assert seen(subject(letters=(MONDAY - timedelta(days=31),)), MONDAY).steps[0].state is State.NEXT
    heavy = subject(2, tried(MONDAY, "Brief"), labels=labels("multiple"), debts=(debt(), debt()))
    assert [one.state for one in seen(heavy, MONDAY).steps][-1] is State.DONE


def test_a_case_that_turns_multiple_before_its_first_contact_is_planned_anew() -> None:
    later = MONDAY + timedelta(days=9)
    case = subject(labels=labels("multiple"), debts=(debt(), debt(later)))
    found = contact.view(case, RULES, later)
    assert found.started_on == later and found.progress.plan.id == "zwaar"
    assert not found.progress.overdue
    assert max(one.due for one in found.progress.steps) <= case.offer_by


def test_after_the_first_contact_its_next_step_is_that_of_the_heavier_plan() -> None:
    later = MONDAY + timedelta(days=9)
    case = subject(1, tried(MONDAY, "Brief"), labels=labels("multiple"), debts=(debt(), debt(later)))
    now = seen(case, later)
    assert now.next is not None and now.next.step.id == "ochtend-bellen"
    assert now.steps[-1].state is State.DONE, "the letter that went out counts and does not go again"


# ---------------------------------------------------------------- what may be stated


def check(kind: str, detail: dict[str, Any], *facts: Fact, case: Subject | None = None) -> None:
    given = case or subject(1, *facts)
    contact.check(kind, detail, given.facts, seen(given, MONDAY), DEBTS, MONDAY)


TRY = {"kind": "Huisbezoek", "reached": False, "day": "2026-11-02", "daypart": "Avond"}
PROMISE = {"promise_id": "0123456789ab", "what": "terugbellen", "by": "2026-11-05"}
MADE = fact("promise", **PROMISE)
NO_CONTACT = {"result": "Definitief geen contact kunnen krijgen"}


@pytest.mark.parametrize(
    ("kind", "detail", "facts", "says"),
    [
        ("attempt", TRY, (), "the plan still asks for: Brief, SMS/Whatsapp, Telefoon"),
        ("promise", {**PROMISE, "by": "2026-11-01"}, (), "in the past"),
        ("promise", PROMISE, (MADE,), "already"),
        ("promise_kept", {"promise_id": "ffffffffffff"}, (MADE,), "no promise"),
        ("promise_broken", {"promise_id": "0123456789ab"}, (MADE, fact("promise_kept", promise_id="0123456789ab")), "already"),
        ("closed", NO_CONTACT, (), "cause"),
        ("closed", {**NO_CONTACT, "cause": "onzichtbaar"}, (), "lacks 3 attempts, 3 other channels, 1 other parts of the day"),
        ("lightened", {}, (), "deviated"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_the_reason(
    kind: str, detail: dict[str, Any], facts: tuple[Fact, ...], says: str
) -> None:
    with pytest.raises(IllegalMove, match=says):
        check(kind, detail, *facts)


@pytest.mark.parametrize(
    ("kind", "detail", "facts"),
    [
        ("attempt", {**TRY, "reason": "op_verzoek"}, ()),
        ("attempt", {**TRY, "kind": "Telefoon"}, ()),
        ("attempt", {**TRY, "reached": True}, ()),
        ("promise", PROMISE, ()),
        ("promise_kept", {"promise_id": "0123456789ab"}, (MADE,)),
        ("closed", {**NO_CONTACT, "cause": "onzichtbaar", "reason": "geen_tijd"}, ()),
        ("closed", {"result": "(Budget)advies en/of quick fix"}, ()),
    ],
)
def test_with_a_reason_nothing_is_blocked(kind: str, detail: dict[str, Any], facts: tuple[Fact, ...]) -> None:
    check(kind, detail, *facts)


# ---------------------------------------------------------------- floor and capacity


@pytest.mark.parametrize(
    ("case", "floor"),
    [
        (subject(), None),
        (subject(labels=labels("single", "yes")), "crisis"),
        (subject(labels=labels("single", "no", "no", RENT), debts=(debt(MONDAY, RENT, date(2026, 9, 2)),)), "huur-twee-maanden"),
        (subject(labels=labels("single", "no", "no", RENT), debts=(debt(MONDAY, RENT, date(2026, 9, 3)),)), None),
        (subject(labels=labels("single", "no", "no", RENT), debts=(debt(MONDAY, RENT),)), None),
        (
            # An old debt of another kind does not make the rent older.
            subject(
                labels=labels("multiple", "no", "no", RENT, ENERGY),
                debts=(debt(MONDAY, RENT), debt(MONDAY, ENERGY, date(2025, 1, 1))),
            ),
            None,
        ),
        (subject(1, MADE), "belofte"),
        (subject(1, MADE, fact("promise_kept", promise_id="0123456789ab")), None),
    ],
)  # fmt: skip
def test_who_may_never_drop(case: Subject, floor: str | None) -> None:
    assert contact.view(case, RULES, MONDAY).floor == floor


def demand(number: int, floor: bool = False, begun: bool = False) -> Demand:
    return Demand(f"{number}", floor, begun, 5, MONDAY, at(MONDAY) + timedelta(minutes=number))


@pytest.mark.parametrize(
    ("demands", "capacity", "lighter", "short"),
    [
        ([demand(1), demand(2)], 2, (), ()),
        ([demand(1), demand(2), demand(3)], 2, ("3",), ()),
        ([demand(1), demand(2), demand(3, floor=True)], 2, ("2",), ()),
        ([demand(1, floor=True), demand(2, floor=True), demand(3)], 1, ("3",), ("2",)),
        ([demand(1, floor=True), demand(2, begun=True)], 1, (), ("1",)),
        ([demand(1, begun=True), demand(2, begun=True)], 1, (), ()),
        ([demand(1), demand(2, floor=True)], 0, ("1",), ("2",)),
    ],
)
def test_a_week_is_shared_out(
    demands: list[Demand], capacity: int, lighter: tuple[str, ...], short: tuple[str, ...]
) -> None:
    found = workload.allocate(demands, capacity)
    assert (found.lighter, found.short) == (lighter, short)


def test_a_dropped_case_gets_a_letter_only_and_is_back_once_it_is_on_the_floor() -> None:
    dropped = subject(1, fact("lightened", MONDAY, contact.BY_RULE))
    assert seen(dropped, MONDAY).plan.id == RULES.lighter
    crisis = replace(dropped, labels=labels("single", "yes"))
    assert seen(crisis, MONDAY).plan.id == "crisis"


# ---------------------------------------------------------------- what the clock tells


def told(*cases: Subject, today: date, capacity: dict[str, int] | None = None) -> list[tuple[str, str, int]]:
    found = workload.look(cases, RULES, ROOT, capacity or CAPACITY, today)
    return [(one.reason.value, one.team, one.people) for one in found.notices]


def test_nobody_claims_and_triage_gets_it_and_the_manager_hears_it() -> None:
    case = subject(claimed=False)
    assert told(case, today=date(2026, 11, 9)) == []
    found = workload.look([case], RULES, ROOT, CAPACITY, date(2026, 11, 10))
    assert [(one.reason, one.team) for one in found.notices] == [(Tell.UNCLAIMED, LEAD)]
    assert [(one.case_id, team) for one, team in found.handed_over] == [(case.case_id, TRIAGE)]


def test_what_triage_leaves_lying_is_not_handed_round() -> None:
    lying = subject(1, fact("handed_over", MONDAY, contact.BY_RULE, team=TRIAGE), claimed=False, team=TRIAGE)
    found = workload.look([lying], RULES, ROOT, CAPACITY, date(2026, 11, 30))
    assert not found.handed_over and Tell.UNCLAIMED in {one.reason for one in found.notices}


@pytest.mark.parametrize(
    ("by", "today", "reminded"),
    [
        (date(2026, 11, 5), date(2026, 11, 3), False),
        (date(2026, 11, 5), date(2026, 11, 4), True),
        (date(2026, 11, 9), date(2026, 11, 6), True),  # Monday: on Friday
        (date(2026, 11, 9), date(2026, 11, 5), False),
        (date(2026, 12, 28), date(2026, 12, 24), True),  # after Christmas: before it
        (date(2026, 11, 5), date(2026, 11, 6), False),  # after it nobody is reminded: it is broken
    ],
)
def test_a_promise_is_reminded_of_before_its_day(by: date, today: date, reminded: bool) -> None:
    case = subject(1, tried(MONDAY), fact("promise", **{**PROMISE, "by": by.isoformat()}))
    assert (("promise_due", NORTH, 1) in told(case, today=today)) is reminded
    assert contact.promises_of(case.facts)[0].broken(today) is (today > by)


def test_a_term_is_told_while_there_is_time_and_only_when_nobody_tried() -> None:
    warn = date(2026, 11, 23)  # five working days before 30 November
    assert told(subject(), today=warn - timedelta(days=1)) == []
    assert told(subject(), today=warn) == [("term_near", NORTH, 1)]
    assert told(subject(1, tried(MONDAY)), today=warn) == []


def test_a_full_team_is_reported_once_a_day_with_the_number_of_people() -> None:
    cases = [subject(number, claimed=False) for number in range(1, 6)]
    cases.append(subject(6, claimed=False, labels=labels("single", "yes"), priority=1))
    found = workload.look(cases, RULES, ROOT, {NORTH: 2}, MONDAY)
    assert [one.case_id for one in found.lightened] == ["case-002", "case-003", "case-004", "case-005"]
    assert [(one.reason, one.team, one.people) for one in found.notices if one.team == LEAD] == [
        (Tell.CAPACITY_OVERFLOW, LEAD, 4)
    ]


def test_when_the_floor_cannot_be_met_the_manager_hears_how_many_people_today() -> None:
    cases = [subject(number, claimed=False, labels=labels("single", "yes")) for number in range(1, 4)]
    found = workload.look(cases, RULES, ROOT, {NORTH: 1}, MONDAY)
    assert not found.lightened
    assert ("floor_not_met", LEAD, 2) in [(one.reason.value, one.team, one.people) for one in found.notices]


def test_the_parent_of_a_team_is_the_nearest_above_it() -> None:
    assert workload.parent_team(ROOT, NORTH) == TRIAGE
    assert workload.parent_team(ROOT, TRIAGE) == TRIAGE
    assert workload.parent_team(ROOT, "a team that no route names") == TRIAGE


# ---------------------------------------------------------------- figures


def test_figures_hide_what_is_about_fewer_than_five_people() -> None:
    facts = (
        tried(MONDAY, "Telefoon", reached=True), tried(MONDAY, "Brief", reason="op_verzoek"), MADE,
        fact("closed", **NO_CONTACT, cause="te_laat", helped=False),
    )  # fmt: skip
    many = workload.figures([workload.Worked(facts, False)] * 5, date(2026, 11, 20))
    assert many["attempts"] == {"Brief, Ochtend": 5, "Telefoon, Ochtend": 5}
    assert many["reached"] == {"Brief, Ochtend": 0, "Telefoon, Ochtend": 5}
    assert many["minimum"] == {"not_met": 5} and many["promises"] == {"broken": 5}
    assert many["causes"] == {"te_laat": 5} and many["helped"] == {"no": 5}
    assert many["deviations"] == {"attempt: op_verzoek": 5}
    few = workload.figures([workload.Worked(facts, False)] * 4, date(2026, 11, 20))
    assert few["causes"] == {"te_laat": None} and few["cases"] == {"closed": None}
