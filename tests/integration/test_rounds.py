"""The rounds of the clock and the acts of workers about contact, on the real database and broker."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from support import World, house, person, wait_for

from bereik.app import App
from bereik.cases import add_working_days, local_day
from bereik.contact import BY_RULE
from bereik.lifecycle import IllegalMove
from bereik.runtime import Stack
from bereik.settings import NotConfigured, Settings

pytestmark = pytest.mark.stack

HERE = "9902"
PURPOSE = "schuldhulp"


@pytest.fixture
def app(stack: Stack) -> Iterator[App]:
    """The app as a DAG's task has it."""
    made = App(Settings.from_env(stack.environment("dags")))
    yield made
    made.store.close()


def new_case(world: World) -> UUID:
    """A case about somebody new: one light signal."""
    kind = world.type_of(PURPOSE, amount=True, crisis=False)
    event_id = world.report(kind, HERE, {**person(), **house(world.bundle, HERE)})
    world.drain()
    ((_, case_id),) = world.cases_of(world.partner_of(kind, HERE), event_id)
    return case_id


def told(world: World, case_id: UUID, reason: str) -> list[tuple[str, int]]:
    """To which team, and for how many people."""
    return [
        (team, people)
        for team, people in world.rows(
            "SELECT team, people FROM casework.alert WHERE case_id = %s AND reason = %s", (case_id, reason)
        )
    ]


def test_of_two_workers_who_claim_at_once_one_has_the_case(world: World) -> None:
    case_id = new_case(world)

    def claim(who: str) -> bool:
        try:
            world.app.state_fact(PURPOSE, case_id, "taken_up", {}, who)
        except IllegalMove:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, (f"worker-{number}" for number in range(8)))) == 1
    facts = world.rows("SELECT kind FROM casework.fact WHERE case_id = %s", (case_id,))
    assert facts == [("taken_up",)]


def test_what_a_worker_states_is_held_against_the_plan(world: World) -> None:
    case_id, today = new_case(world), local_day(datetime.now(UTC))
    world.state(PURPOSE, case_id, "taken_up")
    visit = {"kind": "Huisbezoek", "reached": False, "day": today.isoformat(), "daypart": "Middag"}
    with pytest.raises(IllegalMove, match="plan still asks for: Brief"):
        world.state(PURPOSE, case_id, "attempt", **visit)
    world.state(PURPOSE, case_id, "attempt", **visit, reason="beter_zo")
    tomorrow = (today + timedelta(days=1)).isoformat()
    with pytest.raises(IllegalMove, match="future"):
        world.state(PURPOSE, case_id, "attempt", kind="Brief", reached=False, day=tomorrow, daypart="Middag")
    with pytest.raises(IllegalMove, match="one of"):
        world.state(
            PURPOSE,
            case_id,
            "attempt",
            kind="Postduif",
            reached=False,
            day=today.isoformat(),
            daypart="Middag",
        )
    end = {"result": "Definitief geen contact kunnen krijgen", "cause": "onzichtbaar"}
    with pytest.raises(IllegalMove, match="still lacks"):
        world.state(PURPOSE, case_id, "closed", **end)
    world.state(PURPOSE, case_id, "closed", **end, reason="geen_tijd")
    assert not world.case(case_id)["stands"]


def test_a_promise_is_reminded_of_once_however_many_rounds_there_are(world: World, app: App) -> None:
    case_id, today = new_case(world), local_day(datetime.now(UTC))
    world.state(PURPOSE, case_id, "taken_up")
    by = add_working_days(today, 1).isoformat()
    with pytest.raises(IllegalMove, match="past"):
        world.state(
            PURPOSE, case_id, "promise", promise_id=uuid4().hex, what="terugbellen", by=(today - timedelta(days=1)).isoformat()
        )  # fmt: skip
    world.state(PURPOSE, case_id, "promise", promise_id=uuid4().hex, what="terugbellen", by=by)
    for _ in range(2):
        app.make_rounds()
    team = world.case(case_id)["team"]
    wait_for(lambda: told(world, case_id, "promise_due"), what="the reminder")
    world.drain()
    assert app.make_rounds()["alerts"] == 0, "everything was told"
    assert told(world, case_id, "promise_due") == [(team, 1)]


def test_a_case_that_nobody_claims_goes_to_triage_and_the_manager_hears_of_it(world: World, app: App) -> None:
    case_id = new_case(world)
    town = world.bundle.municipalities[HERE]
    rules = town.policies[PURPOSE].contact
    assert rules is not None
    later = datetime.now(UTC) + timedelta(days=20)
    assert app.make_rounds(later)["handed_over"] >= 1
    world.drain()
    assert world.case(case_id)["team"] == town.routes[PURPOSE].team
    assert told(world, case_id, "unclaimed") == [(rules.manager, 1)]
    assert "new_team" in world.alerts(case_id)
    assert world.rows("SELECT kind, stated_by FROM casework.fact WHERE case_id = %s", (case_id,)) == [
        ("handed_over", BY_RULE)
    ]
    assert app.make_rounds(later)["handed_over"] == 0


def test_figures_count_and_hide_what_is_about_few(world: World) -> None:
    case_id, today = new_case(world), local_day(datetime.now(UTC))
    before = world.app.contact_figures(HERE, today, today)[PURPOSE]
    world.state(PURPOSE, case_id, "taken_up")
    world.state(
        PURPOSE, case_id, "attempt", kind="Brief", reached=False, day=today.isoformat(), daypart="Avond"
    )
    after = world.app.contact_figures(HERE, today, today)[PURPOSE]
    assert "Brief, Avond" not in before["attempts"] and after["attempts"]["Brief, Avond"] is None
    assert set(world.app.contact_figures(HERE, today, today, "leerplicht")) == {"leerplicht"}
    with pytest.raises(NotConfigured):
        world.app.contact_figures("0000", today, today)
