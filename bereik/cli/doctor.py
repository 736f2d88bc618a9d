"""`bereik doctor`: can this machine run Bereik, and if not, what mends it."""

from __future__ import annotations

import argparse
from typing import Any

from bereik.cli import show
from bereik.runtime import doctor


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser("doctor", help="look whether this machine can run Bereik")
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when nothing is wrong."""
    findings = doctor.examine()
    if arguments.json:
        show([{"what": one.what, "ok": one.ok, "found": one.found, "mend": one.mend} for one in findings])
    else:
        for one in findings:
            print(f"  {'ok     ' if one.ok else 'problem'}  {one.what:10} {one.found}")
            if not one.ok:
                print(f"           → {one.mend}")
    return 0 if all(one.ok for one in findings) else 1
