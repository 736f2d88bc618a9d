"""`bereik figures contact --municipality CODE`: how people were tried to be reached, in counts."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bereik.app import App
from bereik.cli import show
from bereik.days import local_day
from bereik.workload import FEWEST

# Without a first day: a quarter of a year, so that a small town has counts that may be shown.
_DAYS = 92


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser("figures", help="counts for the coordinator")
    command.add_argument("what", choices=("contact",))
    command.add_argument("--municipality", required=True, help="code of the municipality")
    command.add_argument("--purpose", default=None, help="one purpose; default all")
    command.add_argument(
        "--from", dest="first", type=date.fromisoformat, default=None, help="first day of receipt, yyyy-mm-dd"
    )
    command.add_argument(
        "--to", dest="last", type=date.fromisoformat, default=None, help="last day of receipt; default today"
    )
    command.add_argument("--json", action="store_true", help="print as JSON; null stands for fewer than five")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 with the counts per purpose; 2 when the days are in the wrong order."""
    last = arguments.last or local_day(datetime.now(UTC))
    first = arguments.first or last - timedelta(days=_DAYS)
    if first > last:
        print("bereik figures: --from lies after --to.")
        return 2
    found = App.from_env().contact_figures(arguments.municipality, first, last, arguments.purpose)
    if arguments.json:
        show(
            {
                "municipality": arguments.municipality,
                "from": first.isoformat(),
                "to": last.isoformat(),
                "fewest": FEWEST,
                "purposes": found,
            }
        )
        return 0
    print(
        f"Cases received from {first} to {last} in {arguments.municipality}; “<{FEWEST}” stands for 1 to {FEWEST - 1}."
    )
    for purpose, groups in found.items():
        print(purpose)
        for group, counts in groups.items():
            shown = ", ".join(
                f"{name} {f'<{FEWEST}' if number is None else number}" for name, number in counts.items()
            )
            print(f"  {group:14} {shown or '-'}")
    return 0
