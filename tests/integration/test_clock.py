"""What the clock asks of the app, on the real stack under the clock's own login: windows, sweeps, a file door round."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from clock_world import as_csv, deliver
from support import World, data_for, event, house, person, wait_for, world_of

from bereik.app import App
from bereik.runtime import Stack
from bereik.settings import Settings
from bereik.store import windows

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def world(stack: Stack) -> Iterator[World]:
    """The stack from all sides."""
    with world_of(stack) as made:
        yield made


@pytest.fixture
def app(stack: Stack) -> Iterator[App]:
    """The app as a DAG's task has it."""
    made = App(Settings.from_env(stack.environment("dags")))
    yield made
    made.store.close()


def test_a_window_counts_what_landed_per_door(world: World, app: App) -> None:
    kind = world.type_of("schuldhulp", amount=True)
    partner = world.partner_of(kind, "9901")
    start, end = datetime.now(UTC) - timedelta(hours=20), datetime.now(UTC) + timedelta(hours=4)

    def kafka() -> dict[str, int]:
        with app.store.transaction() as tx:
            rows = {row["door"]: row for row in windows.landed(tx, partner, start, end)}
        return rows.get(
            "kafka", dict.fromkeys(("received", "accepted", "duplicate", "refused", "placeless"), 0)
        )

    before = kafka()
    source = world.bundle.partners[partner].source
    sound = event(source, kind.event_type, data_for(kind, person() | house(world.bundle, "9901")))
    nowhere = event(source, kind.event_type, data_for(kind, person(), **{kind.identity["house_number"]: "x"}))
    world.send(partner, sound, sound, nowhere)
    wait_for(lambda: kafka()["received"] == before["received"] + 3)
    after = kafka()
    grown = {name: after[name] - before[name] for name in ("accepted", "duplicate", "refused", "placeless")}
    assert grown == {"accepted": 1, "duplicate": 1, "refused": 1, "placeless": 1}
    assert after["refused_share"] == after["refused"] / after["received"]
    assert partner in app.landed_partners(start, end)
    verdict = app.judge_landed(partner, start, end)
    assert verdict.size >= 3 and not verdict.broken


def test_a_window_without_anything_is_told(world: World, app: App) -> None:
    partner = sorted(world.bundle.partners)[0]
    long_ago = datetime(2001, 1, 1, tzinfo=UTC)
    verdict = app.judge_landed(partner, long_ago, long_ago + timedelta(days=1))
    assert [found.rule for found in verdict.failed] == ["window_empty"]
    assert verdict.report(partner) == 1, "a warning is counted and fails nothing"


def test_a_file_becomes_receipts_and_the_same_file_again_only_duplicates(
    stack: Stack, world: World, app: App
) -> None:
    partner = next(one for one in world.bundle.partners.values() if one.file_format == "csv")
    kind = world.bundle.signal_types[partner.file_signal_type or ""]
    reference = f"K-{uuid4().hex[:10]}"
    row = data_for(kind, person() | house(world.bundle, "9901"), **{kind.reference_field: reference})
    content = as_csv(partner, [row])
    for _ in range(2):
        deliver(stack, partner, f"{reference}.csv", content)
        assert partner.id in app.waiting()
        done = app.collect(partner.id)
        assert done.published >= 1 and done.held == 0
    sql = "SELECT fate FROM intake.receipt WHERE partner = %s AND event_id = %s ORDER BY fate"
    wait_for(lambda: len(world.rows(sql, (partner.id, reference))) == 2)
    fates = world.rows(sql, (partner.id, reference))
    assert fates == [("accepted",), ("duplicate",)]
    assert app.files()[partner.id]["incoming"] == 0


def test_a_file_takes_back_and_corrects_what_an_earlier_one_reported(
    stack: Stack, world: World, app: App
) -> None:
    partner = next(one for one in world.bundle.partners.values() if one.file_format == "csv")
    kind, said = world.bundle.signal_types[partner.file_signal_type or ""], partner.row_kinds
    assert said is not None and kind.amount_field
    kept, gone = (f"K-{uuid4().hex[:10]}" for _ in range(2))
    rows = [
        data_for(kind, person() | house(world.bundle, "9901"), **{kind.reference_field: reference})
        for reference in (kept, gone)
    ]
    deliver(stack, partner, f"{kept}.csv", as_csv(partner, rows))
    app.collect(partner.id)
    world.drain()
    cases = [world.cases_of(partner.id, reference)[0][1] for reference in (kept, gone)]

    wider = replace(partner, columns={**partner.columns, said.column: "_kind", said.reason: "_why"})
    words = {action: word for word, action in said.actions.items()}
    later = [
        {kind.reference_field: kept, kind.amount_field: 777, "_kind": words["correct"]},
        {kind.reference_field: gone, "_kind": words["withdraw"], "_why": "betaald"},
    ]
    deliver(stack, partner, f"{gone}.csv", as_csv(wider, later))
    done = app.collect(partner.id)
    assert (done.published, done.row_errors, done.held) == (2, 0, 0)
    world.drain()
    assert [world.case(case_id)["stands"] for case_id in cases] == [True, False]
    assert world.alerts(cases[0])[-1] == "corrected" and world.alerts(cases[1])[-1] == "paid"
    sql = "SELECT facts FROM casework.signal WHERE case_id = %s"
    assert world.rows(sql, (cases[0],))[0][0][kind.amount_field] == 777
    assert world.violations() == {}


def test_the_sweep_removes_what_landed_and_nothing_that_did_not(world: World, app: App) -> None:
    kind = world.type_of("schuldhulp", amount=True)
    partner = world.partner_of(kind, "9901")
    world.fate(partner, world.report(kind, "9901", person() | house(world.bundle, "9901")))
    topic = f"in.{partner}"
    active, bundle = app.active()
    hasty = replace(
        bundle,
        topics=tuple(replace(one, landed_hours=0) if one.landed_hours else one for one in bundle.topics),
    )
    # Under these rules landed records may go at once.
    app._bundle, app._asked_at = (active, hasty), time.monotonic() + 600
    assert app.sweep() >= 1
    admin = app.admin()
    try:
        ends = admin.ends([topic])
    finally:
        admin.close()
    sql = "SELECT partition, next FROM ops.position WHERE group_name = 'intake' AND topic = %s"
    for partition, reached in world.rows(sql, (topic,)):
        assert ends[(topic, partition)][0] <= reached
    after = world.report(kind, "9901", person() | house(world.bundle, "9901"))
    assert world.fate(partner, after)[0] == "accepted", "intake goes on behind what was removed"
