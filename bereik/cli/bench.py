"""`bereik bench pipeline`: the speed of the whole path on this machine, on a stack of its own."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from bereik.cli import show


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser("bench", help="measure")
    command.add_argument("what", choices=("pipeline",))
    command.add_argument("--signals", type=int, default=200_000, help="how many (default 200000)")
    command.add_argument("--seed", type=int, default=1, help="chooses the fiction")
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when the state was right; raises `WrongState` otherwise."""
    from bereik.bench import pipeline

    result = pipeline.run(
        arguments.signals, arguments.seed, lambda text: print(f"  {text}", file=sys.stderr, flush=True)
    )
    document = result.document()
    if arguments.json:
        show(document)
        return 0
    print(f"{document['signals']} signals in {document['seconds']} s on {document['cores']} cores")
    print(f"  signals_per_second       {document['signals_per_second']}")
    print(f"  CPU-seconds per million  {document['cpu_seconds_per_million']}")
    for name, used in document["cpu_seconds"].items():
        print(f"  {name:10} {used:7.1f} CPU-s  peak {document['peak_memory_mb'].get(name, 0):5} MB")
    return 0
