"""What keeps a process from working stops it before it begins, with one line that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg
import pytest
from support import World

from bereik.runtime import broker, database
from bereik.settings import REPOSITORY

pytestmark = pytest.mark.stack


def refused(world: World, process: str, module: str = "", **changes: str) -> str:
    """Start a process with other settings; the one line with which it ends."""
    env = {**os.environ, **world.stack.environment(process), **changes}
    command = [sys.executable, "-m", module or f"consumers.{process}"]
    done = subprocess.run(
        command, env=env, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, done.stderr[-500:]
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"bereik {process}: ")
    return line


@pytest.mark.parametrize(("process", "module"), [("intake", ""), ("relay", ""), ("web", "bereik.web")])
def test_a_wrong_database_password(world: World, process: str, module: str) -> None:
    url = world.stack.settings.database_url(f"bereik_{process}")
    password = world.stack.settings.passwords.get(f"database:bereik_{process}")
    line = refused(world, process, module, BEREIK_DATABASE_URL=url.replace(password, "wrong"))
    assert "refuses our password" in line and "wrong" not in line


@pytest.mark.parametrize("version", [None, "0000", "9999"])
def test_a_schema_that_is_absent_or_another(world: World, version: str | None) -> None:
    settings = world.stack.settings
    superuser = settings.passwords.get("database:postgres")
    name = f"bereik_schema_{version or 'none'}"
    ports = world.stack.ports

    def connect(place: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(database.url("postgres", superuser, ports.database, place), autocommit=True)

    with connect("postgres") as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    try:
        if version:
            with connect(name) as connection:
                connection.execute(
                    "CREATE TABLE public.alembic_version AS SELECT %s::text AS version_num", (version,)
                )
                connection.execute("GRANT SELECT ON public.alembic_version TO bereik_casework")
        password = settings.passwords.get("database:bereik_casework")
        url = database.url("bereik_casework", password, ports.database, name)
        assert "bereik provision" in refused(world, "casework", BEREIK_DATABASE_URL=url)
    finally:
        with connect("postgres") as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


def test_a_broker_that_lets_everybody_see_everything(world: World) -> None:
    # Its super user sees what everybody would see on a broker without an authorizer.
    password = world.stack.settings.kafka_password(broker.ADMIN)
    line = refused(world, "outreach", BEREIK_KAFKA_USERNAME=broker.ADMIN, BEREIK_KAFKA_PASSWORD=password)
    assert "keeps no rights" in line


def test_a_missing_keyring(world: World) -> None:
    assert "keyring" in refused(world, "intake", BEREIK_KEYS="/none/keyring.json")
