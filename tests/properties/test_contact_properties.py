"""Laws of contact, whatever the case: a minimum can be reached, days lie within the term, and the floor never drops."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bereik import contact, workload
from bereik.bundle import Bundle
from bereik.contact import Attempt, Debt, State, Subject
from bereik.days import add_working_days
from bereik.declared.contact import Contact
from bereik.declared.purposes import Purpose
from bereik.lifecycle import Fact
from bereik.workload import Demand

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
TOWN = BUNDLE.municipalities["9901"]
PURPOSES = sorted(BUNDLE.purposes.values(), key=lambda purpose: purpose.id)
PLANS = [
    (purpose, plan)
    for purpose in PURPOSES
    for plan in (TOWN.policies[purpose.id].contact or pytest.fail()).plans
]

days = st.dates(date(2025, 1, 1), date(2027, 12, 31))


def rules(purpose: Purpose) -> Contact:
    found = TOWN.policies[purpose.id].contact
    assert found is not None
    return found


@pytest.mark.parametrize(("purpose", "plan"), PLANS, ids=lambda one: one.id)
@given(start=days)
def test_whoever_follows_a_plan_reaches_its_minimum_within_the_term(
    purpose: Purpose, plan: Any, start: date
) -> None:
    policy = TOWN.policies[purpose.id]
    term = (
        add_working_days(start, policy.crisis_working_days)
        if plan.working_days and "crisis" in plan.match
        else start + timedelta(days=policy.offer_days)
    )
    dayparts = [word.id for word in purpose.words["dayparts"]]
    attempts = []
    for number, (step, (_, due)) in enumerate(
        zip(plan.steps, contact.lay_out(plan, start, term), strict=True)
    ):
        assert start <= due <= term
        attempts.append(Attempt(due, step.daypart or dayparts[number % len(dayparts)], step.contact, False))
    found = contact.progress(plan, rules(purpose), start, term, attempts, term)
    assert found.met and not found.overdue
    assert all(one.state is State.DONE for one in found.steps)


@pytest.mark.parametrize(("purpose", "plan"), PLANS, ids=lambda one: one.id)
@given(start=days, length=st.integers(0, 40))
def test_days_of_a_plan_lie_between_its_start_and_its_term(
    purpose: Purpose, plan: Any, start: date, length: int
) -> None:
    term = start + timedelta(days=length)
    for earliest, due in contact.lay_out(plan, start, term):
        assert start <= earliest <= due <= term


@st.composite
def facts(draw: Any, purpose: Purpose) -> list[Fact]:
    """Attempts and promises, many of them stated at one instant."""

    def word(kind: str) -> Any:
        return draw(st.sampled_from([one.id for one in purpose.words[kind]]))

    made = []
    for number in range(draw(st.integers(0, 6))):
        day = date(2026, 11, 2) + timedelta(days=draw(st.integers(0, 4)))
        stated_at = datetime(2026, 11, 2 + draw(st.integers(0, 1)), 10, tzinfo=UTC)
        detail: dict[str, Any]
        match draw(st.integers(0, 3)):
            case 0 | 1:
                kind = "attempt"
                reached = draw(st.integers(0, 5)) == 0
                detail = {
                    "kind": word("contacts"),
                    "reached": reached,
                    "day": day.isoformat(),
                    "daypart": word("dayparts"),
                }
            case 2:
                kind, detail = (
                    "promise",
                    {"promise_id": f"{number:08}", "what": word("promises"), "by": "2026-11-09"},
                )
            case _:
                kind = draw(st.sampled_from(["promise_kept", "promise_broken"]))
                detail = {"promise_id": f"{draw(st.integers(0, 5)):08}"}
        made.append(Fact("case", kind, detail, "worker", stated_at))
    return made


def subject(purpose: Purpose, held: list[Fact], debts: list[Debt]) -> Subject:
    kinds = {name for name, kind in BUNDLE.signal_types.items() if kind.purpose == purpose.id}
    labels = {
        "kind": frozenset({"multiple" if len(debts) > 1 else "single"}),
        "crisis": frozenset({"yes" if any(debt.crisis for debt in debts) else "no"}),
        "warm": frozenset({"no"}), "repeat": frozenset({"no"}), "area": frozenset({"noord"}), "type": frozenset(kinds),
    }  # fmt: skip
    start = datetime(2026, 11, 2, 10, tzinfo=UTC)
    return Subject(
        "case",
        1,
        "9901",
        "team",
        labels,
        tuple(debts),
        tuple(held),
        5,
        start,
        date(2026, 11, 30),
        False,
        start,
    )


def debt(number: int, crisis: bool) -> Debt:
    day = date(2026, 11, 2) + timedelta(days=number)
    return Debt("type", day, day, None, crisis)


@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: purpose.id)
@given(data=st.data())
def test_the_order_of_facts_and_signals_does_not_matter(purpose: Purpose, data: Any) -> None:
    held = data.draw(facts(purpose))
    debts = [debt(number, data.draw(st.booleans())) for number in range(data.draw(st.integers(1, 4)))]
    today = date(2026, 11, 2) + timedelta(days=data.draw(st.integers(0, 40)))
    shuffled = data.draw(st.permutations(held))
    one = contact.view(subject(purpose, held, debts), rules(purpose), today)
    other = contact.view(
        subject(purpose, list(shuffled), data.draw(st.permutations(debts))), rules(purpose), today
    )
    assert one == other


demands = st.lists(
    st.builds(
        Demand,
        case_id=st.uuids().map(str),
        floor=st.booleans(),
        begun=st.booleans(),
        priority=st.integers(1, 5),
        offer_by=st.dates(date(2026, 11, 1), date(2026, 11, 5)),
        received_at=st.just(datetime(2026, 11, 2, 10, tzinfo=UTC)),
    ),
    max_size=12,
    unique_by=lambda one: one.case_id,
)


@given(held=demands, capacity=st.integers(0, 8), data=st.data())
def test_a_full_team_never_drops_the_floor_nor_what_has_begun(
    held: list[Demand], capacity: int, data: Any
) -> None:
    found = workload.allocate(held, capacity)
    known = {one.case_id: one for one in held}
    assert not any(known[one].floor or known[one].begun for one in found.lighter)
    assert all(known[one].floor and not known[one].begun for one in found.short)
    # The floor is short only when it alone is more than the team can do beside what has begun.
    begun = sum(one.begun for one in held)
    floor = sum(one.floor and not one.begun for one in held)
    assert len(found.short) == max(0, floor - max(0, capacity - begun))
    assert workload.allocate(data.draw(st.permutations(held)), capacity) == found


@given(held=demands, capacity=st.integers(0, 8))
def test_more_capacity_never_drops_more(held: list[Demand], capacity: int) -> None:
    less, more = workload.allocate(held, capacity), workload.allocate(held, capacity + 1)
    assert set(more.lighter) <= set(less.lighter) and set(more.short) <= set(less.short)
