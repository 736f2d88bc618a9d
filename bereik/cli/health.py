"""`bereik health`: whether one process does its work. For the health checks of containers, so it loads next to nothing."""

from __future__ import annotations

import argparse
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bereik import settings
from bereik.cli import show

# A consumer turns at least every 5 s; one batch or one flush to a slow broker may take a minute.
_PATIENCE_S = 120.0

# Part of Airflow → what its own health page calls it.
_AIRFLOW = {
    "api-server": "metadatabase",
    "scheduler": "scheduler",
    "dag-processor": "dag_processor",
    "triggerer": "triggerer",
}


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser("health", help="whether one process does its work")
    command.add_argument(
        "part",
        nargs="?",
        choices=(*settings.CONSUMERS, "web", *_AIRFLOW),
        help="default: the process of BEREIK_PROCESS",
    )
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when it does, else 1."""
    env = settings.read(os.environ)
    part = arguments.part or env.get("BEREIK_PROCESS", "operator")
    fine, found = examine(part, env, time.time())
    if arguments.json:
        show({"part": part, "fine": fine, "found": found})
    else:
        print(f"{part}: {found}")
    return 0 if fine else 1


def examine(part: str, env: Mapping[str, str], now: float) -> tuple[bool, str]:
    """Whether a part works, and what was seen; never raises for what it finds."""
    if part == "web":
        code = _ask(f"http://127.0.0.1:{env.get('BEREIK_WEB_PORT') or 18080}/readyz")
        return code == 200, f"answers {code}" if code else "does not answer"
    if part in _AIRFLOW:
        from bereik.runtime import clock

        state = clock.health(settings.airflow_api(env)).get(_AIRFLOW[part], "not known")
        return state == "healthy", state
    heartbeat = env.get("BEREIK_HEARTBEAT")
    if part not in settings.CONSUMERS or not heartbeat:
        return False, "there is nothing to look at: set BEREIK_HEARTBEAT, or name a part"
    try:
        age = now - Path(heartbeat).stat().st_mtime
    except OSError:
        return False, "has not begun its work"
    return age < _PATIENCE_S, f"its last turn was {age:.0f} s ago"


def _ask(url: str) -> int:
    """The status of the answer, 0 when there is none."""
    # Without proxies: the address is our own machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
