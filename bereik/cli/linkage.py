"""`bereik linkage`: look into how people are recognised. `generate` makes fictional signals and the truth about them."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from bereik.cli import show
from bereik.cli.check import SCHEMAS


def add(subparsers: Any) -> None:
    """Add the verb with its commands."""
    command = subparsers.add_parser("linkage", help="look into how people are recognised")
    parts = command.add_subparsers(dest="what", required=True, metavar="command")
    _add_generate(parts)


def _add_generate(parts: Any) -> None:
    part = parts.add_parser("generate", help="make fictional signals and the truth about them")
    part.add_argument(
        "--split",
        choices=("train", "tune", "held-out"),
        required=True,
        help="other people and partners in each",
    )
    part.add_argument("--seed", type=int, default=1, help="chooses the fiction within the split (default 1)")
    part.add_argument("--signals", type=int, default=20_000, help="how many (default 20000)")
    part.add_argument("--into", type=Path, required=True, help="the folder for signals.csv and truth.csv")
    part.add_argument("--schemas", type=Path, default=SCHEMAS, help="the folder of declarations")
    part.add_argument("--json", action="store_true", help="print as JSON")
    part.set_defaults(run=generate)


def generate(arguments: argparse.Namespace) -> int:
    """0 when the files were written; the same arguments write the same bytes."""
    from bereik.bundle import Bundle
    from bereik.fiction import registers

    rows = registers.signals(
        Bundle.compile(arguments.schemas), registers.Split(arguments.split), arguments.seed, arguments.signals
    )
    files = registers.write(rows, arguments.into)
    people = Counter(row.truth.person for row in rows)
    document = {
        "split": arguments.split,
        "seed": arguments.seed,
        "signals": len(rows),
        "people": len(people),
        "households": len({row.truth.household for row in rows}),
        "partners": len({row.signal.partner for row in rows}),
        "people_with_one_signal": sum(count == 1 for count in people.values()),
        "files": [str(file) for file in files],
    }
    if arguments.json:
        show(document)
        return 0
    print(
        f"{document['signals']} signals of {document['partners']} partners about {document['people']} people"
        f" ({document['people_with_one_signal']} with one signal) at {document['households']} addresses:"
    )
    for file in files:
        print(f"  {file}")
    return 0
