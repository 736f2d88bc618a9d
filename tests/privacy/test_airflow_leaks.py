"""People whose names begin with ZZCANARY go through the file door, Airflow and Great Expectations; none may be seen there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from clock_world import Told, a_day_at_the_file_door
from psycopg import sql
from support import CANARY

from bereik import quality
from bereik.app import App
from bereik.runtime import Stack
from bereik.runtime.database import url
from bereik.settings import Settings

pytestmark = pytest.mark.airflow


@pytest.fixture
def told(airflow_stack: Stack) -> Told:
    """A day at the file door."""
    return a_day_at_the_file_door(airflow_stack)


@pytest.fixture
def airflow_tables(airflow_stack: Stack) -> Iterator[psycopg.Connection[Any]]:
    """Airflow's own database."""
    password = airflow_stack.settings.passwords.get("database:airflow")
    with psycopg.connect(url("airflow", password, airflow_stack.ports.database, "airflow")) as connection:
        yield connection


def tables_with(connection: psycopg.Connection[Any], word: str) -> set[str]:
    """Tables in which any column of any row holds a word, as text or as bytes."""
    names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    found = set()
    for (name,) in names:
        query = sql.SQL("SELECT EXISTS (SELECT 1 FROM {} t WHERE t::text ILIKE %s OR t::text ILIKE %s)")
        row = connection.execute(
            query.format(sql.Identifier(name)), (f"%{word}%", f"%{word.encode().hex()}%")
        ).fetchone()
        if row and row[0]:
            found.add(name)
    return found


def test_airflows_tables_hold_nobody(told: Told, airflow_tables: psycopg.Connection[Any]) -> None:
    """XCom, run parameters, rendered fields, task instances, events: every table there is."""
    assert "xcom" in tables_with(airflow_tables, told.partner.id), "the search itself works"
    assert tables_with(airflow_tables, CANARY) == set()
    assert tables_with(airflow_tables, told.good) == set(), "nor a partner's reference"


def test_xcom_holds_counts_and_ids_only(told: Told, airflow_tables: psycopg.Connection[Any]) -> None:
    rows = airflow_tables.execute("SELECT dag_id, task_id, key, value FROM xcom").fetchall()
    assert rows
    for dag, task, key, value in rows:
        ids = isinstance(value, list) and all(isinstance(one, str) and len(one) < 80 for one in value)
        known = key in ("return_value", "skipmixin_key")
        assert known and (isinstance(value, int) or ids or key == "skipmixin_key"), (dag, task, key)


def files_with(folder: Path, word: str) -> list[str]:
    """Files under a folder that hold a word."""
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and word.encode() in path.read_bytes()
    ]


def test_no_log_names_anybody(told: Told, airflow_stack: Stack) -> None:
    """Airflow's task and parse logs, and the logs of every process of the stack."""
    logs = airflow_stack.home / "airflow" / "logs"
    assert list(logs.rglob("*.log")) and list((airflow_stack.home / "log").glob("*.log"))
    for folder in (airflow_stack.home / "airflow", airflow_stack.home / "log"):
        assert files_with(folder, CANARY) == []
        assert files_with(folder, told.good) == []


def test_what_great_expectations_says_names_nobody(
    told: Told, airflow_stack: Stack, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    app = App(Settings.from_env(airflow_stack.environment("dags")))
    columns = {
        name: [0] * 30 for name in ("refused", "reference", "household", "person", "birth_date", "postcode")
    }
    said = [repr(quality.judge_batch(columns, quality.Suites(app.settings.expectations).batch("any")))]
    said.append(repr(app.judge_tables()))
    out, err = capfd.readouterr()
    assert all(CANARY not in text for text in (*said, out, err, caplog.text))
    app.store.close()
