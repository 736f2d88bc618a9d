"""`bereik airflow`: become one part of Airflow, with the settings of this installation."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

from bereik import settings
from bereik.errors import LastingError
from bereik.runtime import clock
from bereik.settings import NotConfigured, Settings
from bereik.store import Store

# Airflow writes its configuration, and what it keeps for itself, here; nothing in it must survive.
_FOLDER = Path(tempfile.gettempdir()) / "airflow"


class NotInstalled(LastingError):
    """Airflow is not installed here. Install requirements/service.txt."""


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser("airflow", help="become one part of Airflow")
    command.add_argument("part", choices=tuple(clock.PARTS), help="which part")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Does not return: this process becomes the part. Raises what keeps it from working, before it starts."""
    env = settings.read(os.environ)
    settings.require(env, "BEREIK_AIRFLOW_DATABASE_URL", "BEREIK_AIRFLOW_SECRET")
    if len(env["BEREIK_AIRFLOW_SECRET"]) < 32:
        raise NotConfigured("BEREIK_AIRFLOW_SECRET is too short: it needs 32 characters of chance.")
    url = settings.database(env, "BEREIK_AIRFLOW_DATABASE_URL", "BEREIK_AIRFLOW_DATABASE_PASSWORD", "airflow")
    _answers(url)
    if arguments.part == "scheduler":
        # Tasks run under it, with our own settings; they would each fail, one by one.
        own = Store(Settings.from_env(env).database_url)
        own.check_schema()
        own.close()
    if arguments.part == "api-server":
        settings.require(env, "BEREIK_AIRFLOW_PASSWORD")
        clock.prepare(_FOLDER, env["BEREIK_AIRFLOW_PASSWORD"])
    place = clock.Place(
        _FOLDER,
        Path(env.get("BEREIK_AIRFLOW_LOGS") or settings.home(env) / "airflow" / "logs"),
        settings.REPOSITORY / "dags",
        env.get("BEREIK_AIRFLOW_HOST") or "127.0.0.1",
        int(env.get("BEREIK_AIRFLOW_PORT") or 18088),
        settings.airflow_url(env),
        settings.airflow_api(env),
    )
    told = clock.settings(place, url, clock.Secrets.derive(env["BEREIK_AIRFLOW_SECRET"]))
    command = clock.command(arguments.part)
    try:
        os.execve(command[0], command, {**os.environ, **told})
    except FileNotFoundError:
        raise NotInstalled() from None


def _answers(url: str) -> None:
    """Raises `StoreUnavailable` when Airflow's database cannot be used."""
    store = Store(url)
    with store.transaction() as tx:
        tx.rows("SELECT 1")
    store.close()
