"""`bereik check`: do all declarations fit together? Every problem at once, with file, line, key and what is valid."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bereik.bundle import Bundle
from bereik.cli import show
from bereik.days import local_day
from bereik.errors import InvalidDeclarations

# The folder of declarations unless --schemas says otherwise: the setting, else the repository's own.
SCHEMAS = Path(os.environ.get("BEREIK_SCHEMAS") or Path(__file__).resolve().parents[2] / "schemas")


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser("check", help="check every declaration at once")
    command.add_argument("--schemas", type=Path, default=SCHEMAS, help="the folder of declarations")
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when all is well, 1 with the problems. What only wants attention is a warning."""
    try:
        bundle = Bundle.compile(arguments.schemas)
    except InvalidDeclarations as found:
        if arguments.json:
            rows = [
                {
                    "file": one.file,
                    "line": one.line,
                    "key": one.key,
                    "message": one.message,
                    "valid": one.valid,
                }
                for one in found.problems
            ]
            show({"ok": False, "problems": rows})
        else:
            for problem in found.problems:
                print(f"{arguments.schemas}/{problem}")
            print(f"{len(found.problems)} problem(s)")
        return 1
    today = local_day(datetime.now(UTC))
    warnings = [
        f"{town.name} ({town.code}): the reach policy should have been reviewed by {town.reach.review}"
        for town in bundle.municipalities.values()
        if town.reach is not None and town.reach.overdue(today)
    ]
    counts = {
        "signal_types": len(bundle.signal_types),
        "partners": len(bundle.partners),
        "purposes": len(bundle.purposes),
        "municipalities": len(bundle.municipalities),
    }
    if arguments.json:
        show({"ok": True, "sha256": bundle.sha256, "warnings": warnings, **counts})
    else:
        told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
        print(f"All declarations fit together: {told}.")
        print(f"Bundle {bundle.sha256}")
        for warning in warnings:
            print(f"warning: {warning}")
    return 0
