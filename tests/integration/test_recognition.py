"""Twins on the whole path: a review, a decision, and its taking back; and who may see what meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from support import World, as_worker, house, person, stands_in

from bereik.app import App
from bereik.settings import Settings

pytestmark = pytest.mark.stack

HERE = "9901"
Twins = list[tuple[str, str]]


@pytest.fixture
def desk_app(world: World) -> Iterator[App]:
    """The process that decides about links, under its own login."""
    app = App(Settings.from_env(world.stack.environment("linkage")))
    yield app
    app.store.close()


def twins(world: World) -> Twins:
    """(signal, case) of two signals about pupils of one surname, door and birthday, with other initials."""
    kind = next(
        one
        for one in world.bundle.signal_types.values()
        if world.bundle.purposes[one.purpose].subject == "person"
    )
    partner = world.partner_of(kind, HERE)
    who = {**person(), **house(world.bundle, HERE), "birth_date": "2010-05-17"}
    sent = [world.report(kind, HERE, {**who, "initials": initials}) for initials in ("A.", "B.")]
    world.drain()
    return [placed(world, partner, one) for one in sent]


def placed(world: World, partner: str, event_id: str) -> tuple[str, str]:
    ((signal_id, case_id),) = world.rows(
        "SELECT s.signal_id, s.case_id FROM intake.receipt r JOIN casework.signal s USING (signal_id)"
        " WHERE r.partner = %s AND r.event_id = %s AND r.fate = 'accepted'",
        (partner, event_id),
    )
    return signal_id, case_id


def case_now(world: World, signal_id: str) -> str:
    found: str = world.rows("SELECT case_id FROM casework.signal WHERE signal_id = %s", (signal_id,))[0][0]
    return found


def test_in_doubt_each_has_a_case_of_its_own_with_a_hint(world: World, desk_app: App) -> None:
    (first, one), (second, other) = twins(world)
    assert one != other, "undecided never means linked"
    assert world.rows("SELECT hint FROM casework.signal WHERE signal_id = %s", (second,)) == [(first,)]
    assert world.case(other)["team"], "its terms run, and a team was told"
    purpose, _, found = desk_app.find_signal(str(second)[:13])
    assert found == second
    with desk_app.links(purpose) as tables:
        assert tables.asked(second) == first


def test_a_decision_reaches_the_case_and_its_team_and_so_does_taking_it_back(
    world: World, desk_app: App
) -> None:
    (first, one), (second, other) = twins(world)
    purpose, municipality, _ = desk_app.find_signal(str(first))
    act = str(uuid4())
    with desk_app.desk(purpose, municipality) as desk:
        desk.join(first, second, "a reviewer", act)
    world.drain()
    assert case_now(world, first) == case_now(world, second) == one
    assert world.rows("SELECT signals, stands FROM casework.case WHERE case_id = %s", (other,)) == [
        (0, False)
    ]

    with desk_app.desk(purpose, municipality) as desk:
        desk.take_back(act, "a reviewer")
    world.drain()
    apart = case_now(world, second)
    assert case_now(world, first) == one != apart
    with as_worker(world, world.case(one)["team"]) as ask:
        seen = ask("SELECT signal_id FROM casework.signal WHERE case_id = %s", (one,))
        assert (second,) not in seen and (first,) in seen


def test_why_tells_levels_and_never_a_value(world: World, desk_app: App) -> None:
    (first, _), (second, _) = twins(world)
    purpose, municipality, _ = desk_app.find_signal(str(first))
    with desk_app.desk(purpose, municipality) as desk:
        for language, word in (("nl", "achternaam"), ("en", "surname")):
            text = "\n".join(desk.why(first, second, language).text(language))
            assert word in text and not stands_in("2010", text) and "anarie" not in text
            assert len(text.splitlines()) >= 7
