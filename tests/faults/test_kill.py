"""kill -9 at the worst moments, on the real broker and database: nothing is lost and nothing is doubled.

Each test publishes a few hundred events of which it knows what must come of them, kills, lets everything run out, and
then compares what was sent with what is there.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support import World, data_for, event, house, members, person, start, wait_for

from bereik.bus import CONTENT_TYPE

pytestmark = [pytest.mark.stack, pytest.mark.slow]

CONSUMERS = ("intake", "casework", "outreach", "bridge", "checks", "relay")


class Load:
    """Some hundred events, and what must come of them."""

    def __init__(self, world: World, people: int) -> None:
        """Per person: rent and energy at one address, the first one twice, and a broken one now and then."""
        self._world = world
        kinds = [world.type_of("schuldhulp", amount=True, crisis=has) for has in (False, True)]
        self.partners = [world.partner_of(kind, "9901") for kind in kinds]
        self.sent: Counter[str] = Counter()
        self.accepted: list[tuple[str, str]] = []
        self.events: list[tuple[str, str, dict[str, Any]]] = []
        self.broken = 0
        for number in range(people):
            municipality = ("9901", "9902")[number % 2]
            who = {**person(), **house(world.bundle, municipality)}
            for kind in kinds:
                partner = world.partner_of(kind, municipality)
                made = event(world.bundle.partners[partner].source, kind.event_type, data_for(kind, who))
                # Half of the keys are wrong: they may cost speed, never correctness.
                self._add(partner, f"{number % 7}", made)
                self.accepted.append((partner, made["id"]))
                if kind is kinds[0]:
                    self._add(partner, "other", made)
            if number % 10 == 0:
                self._add(partner, municipality, {**made, "id": made["id"] + "-broken", "type": "nl.x.y.v1"})
                self.broken += 1
        self.people = people

    def _add(self, partner: str, key: str, made: dict[str, Any]) -> None:
        self.events.append((partner, key, made))
        self.sent[partner] += 1

    def publish(self, pause: threading.Event | None = None, wave: int = 20) -> None:
        """Send all; with `pause`, in small waves, so that there is traffic for a while, or until the pause is set."""
        for first in range(0, len(self.events), wave):
            part = self.events[first : first + wave]
            for partner, key, made in part:
                value = json.dumps(made).encode()
                self._world.producer(partner).send(f"in.{partner}", key.encode(), value, CONTENT_TYPE)
            for partner in {partner for partner, _, _ in part}:
                self._world.producer(partner).flush()
            if pause is not None:
                pause.wait(0.1)


def counts(world: World) -> Counter[str]:
    """Received per partner."""
    return Counter(dict(world.rows("SELECT partner, count(*) FROM intake.receipt GROUP BY 1")))


def totals(world: World) -> dict[str, int]:
    """Signals, cases and alerts."""
    return {
        table: world.rows(f"SELECT count(*) FROM casework.{table}")[0][0]
        for table in ("signal", "case", "alert")
    }


@contextmanager
def judged(world: World, people: int = 40) -> Iterator[Load]:
    """Give a load to publish within the block, and judge afterwards that each event had its effect once."""
    wait_until_all_run(world)
    world.drain()
    load = Load(world, people)
    before, had = counts(world), totals(world)
    yield load
    wait_until_all_run(world)
    world.drain(120)
    assert world.violations() == {}
    assert counts(world) - before == load.sent, "every event has one receipt"
    now = totals(world)
    assert now["signal"] - had["signal"] == len(load.accepted)
    # Rent and energy of one month at one address are one case, whatever the order in which they were taken.
    assert now["case"] - had["case"] == load.people
    doubled = world.rows(
        "SELECT case_id, case_version, count(*) FROM casework.alert GROUP BY 1, 2 HAVING count(*) > 1"
    )
    assert doubled == []
    fates = Counter(
        row[0]
        for row in world.rows(
            "SELECT fate FROM intake.receipt WHERE event_id = ANY(%s)",
            ([made["id"] for _, _, made in load.events],),
        )
    )
    assert fates == {"accepted": len(load.accepted), "duplicate": load.people, "refused": load.broken}
    for partner in load.sent:
        stored = {
            str(row[0])
            for row in world.rows("SELECT receipt_id FROM intake.receipt WHERE partner = %s", (partner,))
        }
        told: dict[str, Any] = {}
        for message in world.receipts_topic(partner):
            known = told.setdefault(message["id"], message)
            assert known == message, "a receipt that is sent again says the same under the same id"
        assert {message["data"]["ontvangstbewijs"] for message in told.values()} == stored
        assert len(told) == len(stored), "one id per receipt"


def wait_until_all_run(world: World) -> None:
    """Every part of the stack runs."""
    wanted = {*CONSUMERS, "broker", "database"}
    wait_for(
        lambda: wanted <= {state.name for state in world.stack.status() if state.running},
        what="all parts running",
    )


@pytest.mark.parametrize(
    ("process", "point"),
    [
        ("intake", "after_poll"),
        ("intake", "before_commit"),
        ("intake", "after_commit"),
        ("casework", "before_commit"),
        ("casework", "after_commit"),
        ("outreach", "after_commit"),
        ("relay", "after_send"),
    ],
)
def test_kill_at(world: World, process: str, point: str) -> None:
    with judged(world) as load:
        world.stack.supervisor.halt([process])
        own = start(world, process, f"{process}:{point}")
        try:
            load.publish()
            assert own.wait(timeout=60) == -signal.SIGKILL
        finally:
            own.kill()
            world.stack.supervisor.run([process])


def test_kill_in_a_rebalance(world: World) -> None:
    with judged(world, people=80) as load:
        stop = threading.Event()
        sender = threading.Thread(target=load.publish, args=(stop, 2))
        own = start(world, "intake")
        try:
            sender.start()
            # It joins while messages flow, so partitions go from one to the other, and it dies holding its half.
            wait_for(lambda: members(world, "intake") == 2, what="two members")
            own.kill()
            assert own.wait(timeout=30) == -signal.SIGKILL
        finally:
            own.kill()
            stop.set()
            sender.join(60)


def test_a_process_that_froze_and_lost_its_partitions_wakes_without_effect(world: World) -> None:
    """A zombie: stopped for longer than the session, it comes back in the belief that its batch is still its own."""
    with judged(world) as load:
        world.stack.supervisor.halt(["intake"])
        own = start(world, "intake")
        try:
            wait_for(lambda: members(world, "intake") == 1, what="one member")
            load.publish()
            os.kill(own.pid, signal.SIGSTOP)
            world.stack.supervisor.run(["intake"])
            # The group gives its partitions to the other only after the session timed out.
            wait_for(lambda: counts(world) and intake_is_done(world), 60, "the other took everything")
            os.kill(own.pid, signal.SIGCONT)
            own.terminate()
            assert own.wait(timeout=30) == 0
        finally:
            own.kill()
            world.stack.supervisor.run(["intake"])


def intake_is_done(world: World) -> bool:
    """Nothing is left at the doors."""
    return world.app.backlog()["intake"] == 0


def killed(world: World, name: str) -> None:
    """kill -9 of one part, which the keeper starts again."""
    pid = next(state.pid for state in world.stack.status() if state.name == name)
    os.kill(pid, signal.SIGKILL)
    wait_for(
        lambda: any(s.name == name and s.running and s.pid != pid for s in world.stack.status()),
        what=f"{name} running again",
    )


def test_kill_the_database_midstream(world: World) -> None:
    with judged(world, people=80) as load:
        stop = threading.Event()
        sender = threading.Thread(target=load.publish, args=(stop, 5))
        sender.start()
        try:
            wait_for(lambda: counts(world)[load.partners[0]], what="the stream has begun")
            killed(world, "database")
        finally:
            sender.join(60)


def test_kill_the_broker_midstream(world: World) -> None:
    with judged(world, people=80) as load:
        stop = threading.Event()
        sender = threading.Thread(target=load.publish, args=(stop, 5))
        sender.start()
        try:
            wait_for(lambda: counts(world)[load.partners[0]], what="the stream has begun")
            killed(world, "broker")
        finally:
            sender.join(60)
