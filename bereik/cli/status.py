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
    command.add_argument("--check", action="store_true", help="count every message and check every invariant")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when the stack is up and every started process runs (--check: and every sum is right), else 1."""
    if arguments.check:
        return _check(arguments)
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


def _check(arguments: argparse.Namespace) -> int:
    """The sums per partner and door, the backlog and every invariant, from the database."""
    from bereik.app import App
    from bereik.store import invariants

    app = App.from_env()
    waiting, findings = app.check()
    with app.store.transaction() as tx:
        counts = invariants.counts(tx)
    broken = [finding for finding in findings if finding.violations]
    files = app.files()
    if arguments.json:
        names = ("partner", "door", "received", "accepted", "duplicate", "refused", "parked")
        show(
            {
                "fine": not broken,
                "backlog": waiting,
                "files": files,
                "counts": [dict(zip(names, row, strict=True)) for row in counts],
                "invariants": {finding.name: finding.violations for finding in findings},
            }
        )
        return 1 if broken else 0
    print(
        f"  {'partner':28} {'door':6} {'received':>9} = {'accepted':>9} + {'duplicate':>9} + {'refused':>8} + {'parked':>7}"
    )
    for partner, door, received, accepted, duplicate, refused, parked in counts:
        print(
            f"  {partner:28} {door:6} {received:9} = {accepted:9} + {duplicate:9} + {refused:8} + {parked:7}"
        )
    for partner, folders in files.items():
        # Waiting for somebody: not read yet, refused as a whole, or held by a suite.
        waits = {name: count for name, count in folders.items() if count and name != "done"}
        if waits:
            print(f"  files of {partner}: " + ", ".join(f"{count} {name}" for name, count in waits.items()))
    print("  under way: " + ", ".join(f"{name} {count}" for name, count in waiting.items()))
    for finding in findings:
        print(
            f"  {'ok    ' if not finding.violations else 'BROKEN'} {finding.name}"
            + (f": {finding.violations}" if finding.violations else "")
        )
    return 1 if broken else 0
