"""`bereik bench`: measure on this machine, on parts of its own: the whole path, or recognition."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bereik.cli import show
from bereik.cli.check import SCHEMAS


def add(subparsers: Any) -> None:
    """Add the verb with what can be measured."""
    command = subparsers.add_parser("bench", help="measure")
    parts = command.add_subparsers(dest="what", required=True, metavar="what")
    part = parts.add_parser("pipeline", help="the speed of the whole path")
    part.add_argument("--signals", type=int, default=200_000, help="how many (default 200000)")
    part.add_argument("--seed", type=int, default=1, help="chooses the fiction")
    part.add_argument("--json", action="store_true", help="print as JSON")
    part.set_defaults(run=pipeline)
    part = parts.add_parser("linkage", help="how well and how fast people are recognised, beside Splink")
    part.add_argument("--signals", type=int, default=20_000, help="how many for each seed (default 20000)")
    part.add_argument("--seeds", type=int, default=3, help="how many towns (default 3)")
    part.add_argument(
        "--people",
        type=int,
        default=1_000_000,
        help="in the register that speed is measured against; 0 leaves it out",
    )
    part.add_argument("--schemas", type=Path, default=SCHEMAS, help="the folder of declarations")
    part.add_argument("--pictures", type=Path, metavar="FOLDER", help="write the curve and an example as SVG")
    part.add_argument("--json", action="store_true", help="print as JSON")
    part.set_defaults(run=linkage)


def _progress(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


def pipeline(arguments: argparse.Namespace) -> int:
    """0 when the state was right; raises `WrongState` otherwise."""
    from bereik.bench import pipeline as measuring

    result = measuring.run(arguments.signals, arguments.seed, _progress)
    document = result.document()
    if arguments.json:
        show(document)
        return 0
    print(f"{document['signals']} signals in {document['seconds']} s on {document['cores']} cores")
    print(f"  signals_per_second       {document['signals_per_second']}")
    print(f"  CPU-seconds per million  {document['cpu_seconds_per_million']}")
    bare = document["bare"]
    print(
        f"  without a rule           {bare['cpu_seconds_per_million']} CPU-seconds per million, {bare['messages_per_second']}/s"
        f" in one process: ours is {document['times_bare']} times that"
    )
    for name, used in document["cpu_seconds"].items():
        print(f"  {name:10} {used:7.1f} CPU-s  peak {document['peak_memory_mb'].get(name, 0):5} MB")
    return 0


def linkage(arguments: argparse.Namespace) -> int:
    """0 with the figures, whatever they are."""
    from bereik.bench import linkage as measuring
    from bereik.bundle import Bundle

    bundle = Bundle.compile(arguments.schemas)
    result = measuring.run(bundle, arguments.signals, arguments.seeds, arguments.people, _progress)
    document = result.document()
    if arguments.json:
        show(document)
    else:
        _table(document)
    if arguments.pictures:
        arguments.pictures.mkdir(parents=True, exist_ok=True)
        for name, drawn in (("curve", measuring.curve(result)), ("weight", measuring.example(bundle))):
            (arguments.pictures / f"linkage-{name}.svg").write_text(drawn, encoding="utf-8")
    return 0


def _table(document: Mapping[str, Any]) -> None:
    speed = document["speed"]
    print(f"| {document['signals']} signals, mean of {document['seeds']} towns | Bereik | Splink 5, batch |")
    print("|---|---|---|")
    rows = [
        ("precision", document["precision"], document["splink_precision"]),
        ("recall", document["recall"], document["splink_recall"]),
        ("F1", document["f1"], document["splink_f1"]),
        (
            "recall at precision 0.995",
            document["recall_at_precision_0_995"],
            document["splink_recall_at_precision_0_995"],
        ),
        ("reviews per 1,000", document["reviews_per_1000"], "-"),
        ("recall gap between groups, points", document["recall_gap_points"], "-"),
        ("`resolve`, seconds", document["resolve_seconds"], "-"),
    ]
    if speed:
        rows += [
            (f"one against {speed['people']:,}: p50, ms", speed["p50_ms"], speed["splink_p50_ms"]),
            (f"one against {speed['people']:,}: p99, ms", speed["p99_ms"], "-"),
            ("batches of 1,000: per second", speed["per_second"], speed["splink_per_second"]),
        ]
    for name, ours, theirs in rows:
        print(f"| {name} | {ours} | {theirs} |")
