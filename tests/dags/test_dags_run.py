"""The DAGs on a real Airflow, Kafka and PostgreSQL: what each of them is for, has happened."""

from __future__ import annotations

import csv
import json
from datetime import timedelta

import pytest
from clock_world import Told, a_day_at_the_file_door
from support import CANARY, today, world_of

from bereik import ddas
from bereik.runtime import Stack

pytestmark = pytest.mark.airflow


@pytest.fixture
def told(airflow_stack: Stack) -> Told:
    """A day at the file door."""
    return a_day_at_the_file_door(airflow_stack)


def test_every_task_of_every_dag_ends_well(told: Told) -> None:
    assert set(told.states["collect"]) == {"waiting", "publish"}
    assert set(told.states["quality"]) == {"partners", "landed", "tables"}
    assert set(told.states["clock"]) == {"landed", "files", "checks", "matched", "rates"}
    assert set(told.states["rounds"]) == {"look"} and set(told.states["delivery"]) == {"deliver"}
    assert set(told.states["relink"]) == {"registers", "place"} and set(told.states["train"]) == {"propose"}
    # The run that is due every five minutes may have taken the files a moment earlier.
    assert set(told.states["collect"]["publish"]) <= {"success", "skipped"}
    # Other tests on this stack may have broken a promise on purpose; then the DAG has to say so.
    assert told.states["quality"]["tables"] == ["failed" if told.violations else "success"]
    states = {
        state
        for tasks in told.states.values()
        for task, found in tasks.items()
        for state in found
        if task not in ("publish", "tables")
    }
    assert states == {"success"}, told.states
    assert len(told.states["quality"]["landed"]) > 1, "one task per partner"
    assert told.states["relink"]["place"], "one task per register"


def test_the_rounds_reminded_of_a_promise_for_tomorrow(told: Told, airflow_stack: Stack) -> None:
    with world_of(airflow_stack) as world:
        assert world.alerts(told.promised).count("promise_due") == 1
        assert not any(world.app.backlog().values()), "and a relink left nothing under way"


def test_every_municipality_has_its_delivery_of_last_month(told: Told, airflow_stack: Stack) -> None:
    with world_of(airflow_stack) as world:
        last = today().replace(day=1) - timedelta(days=1)
        made = airflow_stack.home / "ddas"
        names = {
            f"ddas-v1.2-{code}-{last.replace(day=1)}-{last}.json" for code in world.bundle.municipalities
        }
        assert names <= {path.name for path in made.iterdir()}
        for name in names:
            document = json.loads((made / name).read_bytes())
            assert ddas.problems(document) == []
            assert CANARY not in str(document), "no name, of anybody"


def test_every_row_of_the_file_has_its_receipt(told: Told, airflow_stack: Stack) -> None:
    with world_of(airflow_stack) as world:
        sql = (
            "SELECT event_id, fate, door, gate FROM intake.receipt WHERE partner = %s AND event_id = ANY(%s)"
        )
        found = sorted(world.rows(sql, (told.partner.id, [told.good, told.bad])))
        assert [row[:3] for row in found] == [
            (told.good, "accepted", "file"),
            (told.good, "duplicate", "file"),
            (told.bad, "refused", "file"),
        ]
        assert len(world.cases_of(told.partner.id, told.good)) == 1


def test_the_files_are_put_away_with_their_errors(told: Told, airflow_stack: Stack) -> None:
    assert told.name in told.folders["done"] and f"headless-{told.name}" in told.folders["rejected"]
    assert not [name for name in told.folders["incoming"] if told.name in name]
    folder = airflow_stack.settings.drop / told.partner.id / "errors"
    with (folder / f"{told.name}.errors.csv").open(encoding="utf-8-sig", newline="") as report:
        rows = list(csv.DictReader(report, delimiter=";"))
    assert [(row["row"], row["rule"]) for row in rows] == [("3", "type")]
    assert rows[0]["expected_nl"] and CANARY not in str(rows)
    whole = (folder / f"headless-{told.name}.errors.csv").read_text("utf-8-sig")
    assert "header_missing" in whole and CANARY not in whole
