"""`bereik up`: start the embedded stack and wait until it is ready."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from bereik.cli import show
from bereik.runtime import Stack
from bereik.runtime.stack import home_from_env


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser(
        "up", help="start broker, database, consumers, board, fictional registers and Airflow"
    )
    command.add_argument(
        "--no-airflow", action="store_true", help="leave Airflow out (ready in about 10 seconds)"
    )
    command.add_argument("--no-consumers", action="store_true", help="leave consumers and board out")
    command.add_argument("--json", action="store_true", help="print the links as JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Start what is not running."""
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"  {time.monotonic() - began:5.1f} s  {text}", file=sys.stderr, flush=True)

    stack = Stack(home_from_env(), say=say)
    stack.up(airflow=not arguments.no_airflow, consumers=not arguments.no_consumers)
    links = links_of(stack)
    if arguments.json:
        show({"home": str(stack.home), "seconds": round(time.monotonic() - began, 1), "links": links})
        return 0
    print(f"Ready after {time.monotonic() - began:.0f} s. Data, logs and settings are in {stack.home}")
    for name, link in links.items():
        print(f"  {name:8} {link}")
    if "airflow" in links:
        user, password = stack.airflow_login
        print(f"           log in as {user} with {password}")
    return 0


def links_of(stack: Stack) -> dict[str, str]:
    """Links of the parts that run now."""
    running = {state.name for state in stack.status() if state.running}
    part = {"board": "web", "airflow": "airflow-api"}
    return {name: link for name, link in stack.links.items() if part[name] in running}
