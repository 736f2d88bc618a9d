"""Airflow as the stack runs it: three small processes, its tables in the embedded PostgreSQL."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bereik.runtime.files import write_secret

PROCESSES = ("airflow-dag-processor", "airflow-scheduler", "airflow-api")

# Part → what `airflow` is told. The scheduler and the triggerer would serve task logs on a fixed port, to every network;
# the API reads the files itself.
PARTS: Mapping[str, tuple[str, ...]] = {
    "migrate": ("db", "migrate"),
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
USER = "bereik"


@dataclass(frozen=True, slots=True)
class Place:
    """Where Airflow lives: its folder and its logs, where its API listens, what people open, where its parts call it."""

    folder: Path
    logs: Path
    dags: Path
    host: str
    port: int
    url: str
    api: str


@dataclass(frozen=True, slots=True)
class Secrets:
    """What Airflow seals its own values, signs its sessions and signs its parts' tokens with."""

    fernet: str
    session: str
    token: str

    @classmethod
    def derive(cls, secret: str) -> Self:
        """All three from one secret."""

        def key(use: str) -> bytes:
            return hashlib.blake2b(
                use.encode(), key=secret.encode()[:64], digest_size=64, person=b"bereik-airflow"
            ).digest()

        return cls(
            base64.urlsafe_b64encode(key("fernet")[:32]).decode("ascii"),
            key("session").hex(),
            key("token").hex(),
        )


def settings(place: Place, database_url: str, secrets: Secrets) -> dict[str, str]:
    """Airflow's settings as environment variables.

    The intervals are chosen for a laptop: on 2 cores the defaults (a parse of every file each 30 s, 32 workers,
    a heartbeat each second from each part) take a third of a core while nothing happens.
    """
    # psycopg 3 serves both kinds of engine, so Airflow needs no driver of its own.
    connection = database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    return {
        "AIRFLOW_HOME": str(place.folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(place.dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "2",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__FERNET_KEY": secrets.fernet,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(place.folder / "passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{place.api}/execution/",
        "AIRFLOW__API__HOST": place.host,
        "AIRFLOW__API__PORT": str(place.port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__BASE_URL": place.url,
        "AIRFLOW__API__SECRET_KEY": secrets.session,
        "AIRFLOW__API__EXPOSE_CONFIG": "False",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token,
        # 5 s is the default; on a busy laptop the first answer took 20 s, and the task failed before it began.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": connection,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": connection,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE": "3",
        "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "120",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "60",
        "AIRFLOW__DAG_PROCESSOR__PRINT_STATS_INTERVAL": "600",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "5",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "1",
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "True",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(place.logs),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__METRICS__STATSD_ON": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def prepare(folder: Path, password: str) -> None:
    """Make Airflow's folder with the one login of its pages."""
    folder.mkdir(exist_ok=True)
    write_secret(folder / "passwords.json", json.dumps({USER: password}))


def command(part: str) -> list[str]:
    """What serves one of `PARTS`."""
    return [str(Path(sys.executable).parent / "airflow"), *PARTS[part]]


def commands() -> dict[str, list[str]]:
    """Process name of the embedded stack → command. No DAG of ours defers, so the embedded stack has no triggerer."""
    return {
        "airflow-dag-processor": command("dag-processor"),
        "airflow-scheduler": command("scheduler"),
        "airflow-api": command("api-server"),
    }


def health(url: str) -> dict[str, str]:
    """Part → `healthy` or another word, as Airflow itself tells; empty when it does not answer yet."""
    try:
        # Without proxies: the address is our own machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{url}/api/v2/monitor/health", timeout=5) as answer:
            parts = json.load(answer)
    except (OSError, ValueError):
        return {}
    return {name: str(part.get("status")) for name, part in parts.items() if part and part.get("status")}


def ready(url: str) -> bool:
    """Whether its API, scheduler and DAG processor are all healthy."""
    parts = health(url)
    return all(parts.get(name) == "healthy" for name in ("metadatabase", "scheduler", "dag_processor"))
