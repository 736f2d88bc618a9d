"""Airflow as the stack runs it: three small processes, its tables in the embedded PostgreSQL."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from bereik.runtime.files import write_secret
from bereik.runtime.ports import HOST, Ports

PROCESSES = ("airflow-dag-processor", "airflow-scheduler", "airflow-api")
USER = "bereik"


def settings(
    home: Path, repository: Path, ports: Ports, database_url: str, secrets: Mapping[str, str]
) -> dict[str, str]:
    """Airflow's settings as environment variables.

    The intervals are chosen for a laptop: on 2 cores the defaults (a parse of every file each 30 s, 32 workers,
    a heartbeat each second from each part) take a third of a core while nothing happens.
    """
    # psycopg 3 serves both kinds of engine, so Airflow needs no driver of its own.
    connection = database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    return {
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(repository / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "2",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__FERNET_KEY": secrets["airflow_fernet"],
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "airflow" / "passwords.json"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{HOST}:{ports.airflow}/execution/",
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(ports.airflow),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__BASE_URL": f"http://{HOST}:{ports.airflow}",
        "AIRFLOW__API__SECRET_KEY": secrets["airflow_api"],
        "AIRFLOW__API__EXPOSE_CONFIG": "False",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets["airflow_jwt"],
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
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "airflow" / "logs"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__METRICS__STATSD_ON": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def prepare(home: Path, password: str) -> None:
    """Make Airflow's folder with the one login of the local stack."""
    folder = home / "airflow"
    folder.mkdir(exist_ok=True)
    write_secret(folder / "passwords.json", json.dumps({USER: password}))


def commands() -> dict[str, list[str]]:
    """Process name → command."""
    airflow = str(Path(sys.executable).parent / "airflow")
    return {
        "airflow-dag-processor": [airflow, "dag-processor"],
        # It would serve task logs on a fixed port, to every network; the API reads the files itself.
        "airflow-scheduler": [airflow, "scheduler", "--skip-serve-logs"],
        "airflow-api": [airflow, "api-server"],
    }


def migrate_command() -> list[str]:
    """What makes or renews Airflow's own tables."""
    return [str(Path(sys.executable).parent / "airflow"), "db", "migrate"]


def health(port: int) -> dict[str, str]:
    """Part → `healthy` or another word, as Airflow itself tells; empty when it does not answer yet."""
    try:
        # Without proxies: the address is our own machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{HOST}:{port}/api/v2/monitor/health", timeout=5) as answer:
            parts = json.load(answer)
    except (OSError, ValueError):
        return {}
    return {name: str(part.get("status")) for name, part in parts.items() if part and part.get("status")}


def ready(port: int) -> bool:
    """Whether its API, scheduler and DAG processor are all healthy."""
    parts = health(port)
    return all(parts.get(name) == "healthy" for name in ("metadatabase", "scheduler", "dag_processor"))
