"""The rounds of the clock and the acts of workers about contact, on the real database and broker."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from support import REPOSITORY, World, activated, as_worker, followed, house, person, wait_for

from bereik.app import App
from bereik.contact import BY_RULE
from bereik.days import add_working_days, local_day
from bereik.declared.contact import Contact
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


def new_case(world: World) -> str:
    """A case about somebody new: one light signal."""
    kind = world.type_of(PURPOSE, amount=True, crisis=False)
    event_id = world.report(kind, HERE, {**person(), **house(world.bundle, HERE)})
    world.drain()
    ((_, case_id),) = world.cases_of(world.partner_of(kind, HERE), event_id)
    return case_id


def told(world: World, case_id: str, reason: str) -> list[tuple[str, int]]:
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


# ---------------------------------------------------------------- a team with too little room

NEW_TEAM = "9902-vroeg-nieuw"


@pytest.fixture(scope="module")
def small(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Declarations with one more area in 9902, whose own team takes everything and has room for three a week."""
    schemas = shutil.copytree(REPOSITORY / "schemas", tmp_path_factory.mktemp("small") / "schemas")
    town = next((schemas / "municipalities").glob(f"{HERE}-*.yaml"))
    text = town.read_text("utf-8")
    for old, new in (
        ("areas:\n", "areas:\n  nieuw: Nieuw\n"),
        (
            "teams:\n",
            "  - {first: 1239AA, last: 1239ZZ, area: nieuw, start: 2020-01-01}\n"
            f"teams:\n  - id: {NEW_TEAM}\n    name: Vroeg Erop Af Nieuw\n    purpose: {PURPOSE}\n    role: help\n"
            "    capacityPerWeek: 3\n    outlets:\n      - {kind: board}\n",
        ),
        ("    children:\n", f"    children:\n      - {{match: {{area: [nieuw]}}, team: {NEW_TEAM}}}\n"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    # On the first days of a month nobody would be told before the eighth.
    text, found = re.subn(r"matching: \{when: delivered, day: \d+\}", "matching: {when: continuous}", text)
    assert found == 1
    town.write_text(text, "utf-8")
    return schemas


def in_the_new_area(world: World, crisis: bool = False, since: date | None = None, **changes: Any) -> str:
    """A case there: an ordinary small debt, a crisis, or rent that is owed since a day."""
    if since is not None:
        rule = next(one for one in _contact(world).floor if one.since_months)
        kind = world.bundle.signal_types[rule.match["type"][0]]
        changes = {str(kind.since_field): since.isoformat()}
    else:
        floor = {name for one in _contact(world).floor for name in one.match.get("type", ())}
        kind = next(
            one
            for one in world.bundle.signal_types.values()
            if one.purpose == PURPOSE and one.id not in floor and bool(one.crisis_field) is crisis
        )
        changes = {str(kind.crisis_field): True} if crisis else {}
    event_id = world.report(kind, HERE, {**person(), **house(world.bundle, HERE, "nieuw")}, **changes)
    world.drain()
    ((_, case_id),) = world.cases_of(world.partner_of(kind, HERE), event_id)
    return case_id


def _contact(world: World) -> Contact:
    rules = world.bundle.municipalities[HERE].policies[PURPOSE].contact
    assert rules is not None
    return rules


def stated(world: World, case_id: str) -> list[str]:
    return [
        kind
        for (kind,) in world.rows(
            "SELECT kind FROM casework.fact WHERE case_id = %s AND stated_by = %s", (case_id, BY_RULE)
        )
    ]


def test_a_full_team_drops_to_the_lighter_way_but_never_who_goes_first_and_the_manager_hears_the_number(
    world: World, app: App, small: Path
) -> None:
    today = local_day(datetime.now(UTC))
    with activated(world, small):
        followed(world, world.type_of(PURPOSE, amount=True, crisis=False), HERE)
        manager = _contact(world).manager
        plain = [in_the_new_area(world) for _ in range(6)]
        assert all(world.case(one)["team"] == NEW_TEAM for one in plain)
        promised = in_the_new_area(world)
        world.state(PURPOSE, promised, "taken_up")
        by = add_working_days(today, 3).isoformat()
        world.state(PURPOSE, promised, "promise", promise_id=uuid4().hex, what="langskomen", by=by)
        urgent = in_the_new_area(world, crisis=True)
        rent = [in_the_new_area(world, since=today - timedelta(days=100)) for _ in range(3)]
        floor = [promised, urgent, *rent]

        before = world.app.contact_figures(HERE, today, today)[PURPOSE]["lightened"].get("cases", 0) or 0
        counts = app.make_rounds()
        world.drain()
        # Room for three: whom something was promised, the crisis, and one of the rents; nobody of the six.
        assert counts["lightened"] >= 6
        assert all(stated(world, one) == ["lightened"] for one in plain)
        assert all("lightened" not in stated(world, one) for one in floor)

        def heard(reason: str) -> list[int]:
            ours = [str(one) for one in (*plain, *floor)]
            return [
                people
                for team, people in world.rows(
                    "SELECT team, people FROM casework.alert WHERE reason = %s AND case_id = ANY(%s::uuid[]) AND outlet = 'board'"
                    " AND (ordered_at AT TIME ZONE 'Europe/Amsterdam')::date >= %s",
                    (reason, ours, today),
                )
                if team == manager
            ]

        assert heard("capacity_overflow") == [6], "who dropped, told once for all of them, today"
        assert heard("floor_not_met") == [2], "two of the rents, for whom nobody has room"
        assert app.make_rounds()["lightened"] == 0
        world.drain()
        assert heard("capacity_overflow") == [6] and heard("floor_not_met") == [2], "and not told again today"

        # By mail at once, and not with the next group: whoever has an e-mail address is told today, and of how many.
        def mailed() -> list[tuple[Any, ...]]:
            return world.rows(
                "SELECT message ->> 'subject' FROM casework.notice WHERE team = %s AND urgent"
                " AND message ->> 'text' LIKE '%%geen plaats voor wie voorgaat (2 mensen)%%'",
                (manager,),
            )

        assert wait_for(mailed, what="the manager's mail")[0][0].startswith("Bereik: dringend voor ")

        figures = world.app.contact_figures(HERE, today, today)[PURPOSE]
        assert (figures["lightened"]["cases"] or 0) >= before + 6
        assert (figures["capacity"]["capacity_overflow, people at most"] or 0) >= 6
        assert "floor_not_met, days" in figures["capacity"], "few people are told as few"

        with as_worker(world, manager) as ask:
            assert ask("SELECT 1 FROM casework.case WHERE case_id = %s", (plain[0],)) == []
            assert (2,) in ask("SELECT people FROM casework.alert WHERE reason = 'floor_not_met'")
        for one in (*plain, *floor):
            with suppress(IllegalMove):
                world.state(PURPOSE, one, "taken_up")
            world.state(
                PURPOSE,
                one,
                "closed",
                result="Inwoner regelt het zelf/hoeft geen hulp vanuit vroegsignalering",
                reason="geen_tijd",
            )
