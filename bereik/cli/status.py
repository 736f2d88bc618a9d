"""`bereik status`: which processes run. `--check` adds whether every message has met exactly one fate."""

from __future__ import annotations

import argparse
from typing import Any

from bereik.cli import show
from bereik.cli.up import links_of
from bereik.runtime import Stack
from bereik.runtime.stack import home_from_env


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser("status", help="what runs, and whether the sums are right (--check)")
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when the stack is up and every started process runs, else 1."""
    stack = Stack(home_from_env())
    states = [state for state in stack.status() if state.state != "STOPPED"]
    links = links_of(stack)
    fine = bool(states) and all(state.running for state in states)
    if arguments.json:
        processes = [
            {"name": one.name, "state": one.state, "pid": one.pid, "log": str(one.log)} for one in states
        ]
        show({"home": str(stack.home), "up": fine, "processes": processes, "links": links})
        return 0 if fine else 1
    if not states:
        print(f"Nothing runs (folder {stack.home}). Start it with: bereik up")
        return 1
    for one in states:
        note = "" if one.running else f"  see {one.log}"
        print(f"  {one.name:22} {one.state.lower():9} {one.pid or '':>8}{note}")
    for name, link in links.items():
        print(f"  {name:22} {link}")
    return 0 if fine else 1
