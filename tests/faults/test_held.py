"""A topic that is not the one that was read before: it is left alone, seen, and gone on with, while all others are read."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from support import World, house, person, wait_for
from test_kill import wait_until_all_run

from bereik.declared.signals import SignalType

pytestmark = [pytest.mark.stack, pytest.mark.slow]

HERE = "9901"


def owner(world: World, sql: str, *params: Any) -> None:
    """What the engineer does by hand."""
    with psycopg.connect(world.stack.settings.owner_url, autocommit=True) as connection:
        connection.execute(sql, params)


def report(world: World, kind: SignalType) -> str:
    """One sound event about somebody new; its id."""
    return world.report(kind, HERE, {**person(), **house(world.bundle, HERE)})


def test_a_topic_that_was_made_anew_is_left_alone_and_stops_no_other(world: World) -> None:
    wait_until_all_run(world)
    world.drain()
    one, other = (world.type_of("schuldhulp", amount=True, crisis=crisis) for crisis in (False, True))
    partner, neighbour = (world.partner_of(kind, HERE) for kind in (one, other))
    topic = f"in.{partner}"
    report(world, one)
    world.drain()
    ((was,),) = world.rows("SELECT DISTINCT topic_id FROM ops.position WHERE topic = %s", (topic,))
    world.stack.supervisor.halt(["intake"])
    owner(world, "UPDATE ops.position SET topic_id = %s WHERE topic = %s", str(uuid4()), topic)
    try:
        waits = report(world, one)
        world.stack.supervisor.run(["intake"])
        assert world.fate(neighbour, report(world, other))[0] == "accepted"
        held = world.rows("SELECT DISTINCT topic, held FROM ops.position WHERE held IS NOT NULL")
        assert held == [(topic, "replaced")]
        assert world.rows("SELECT 1 FROM intake.receipt WHERE event_id = %s", (waits,)) == []
        broken = {one.name for one in world.app.check()[1] if one.violations}
        assert broken == {"every_partition_is_read"}
    finally:
        owner(world, "UPDATE ops.position SET topic_id = %s WHERE topic = %s", was, topic)
        world.stack.supervisor.run(["intake"])
    # Nobody starts anything again.
    assert world.fate(partner, waits)[0] == "accepted"
    wait_for(lambda: not world.rows("SELECT 1 FROM ops.position WHERE held IS NOT NULL"), what="all read")
    world.drain()
    assert world.violations() == {}
