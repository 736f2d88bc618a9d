"""`bereik linkage`: look into how people are recognised, one function per command.

`generate` makes fictional signals and the truth about them; `evaluate` judges what was decided about signals.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from bereik.cli import show
from bereik.cli.check import SCHEMAS
from bereik.errors import LastingError


class CannotRead(LastingError):
    """A file is not there, cannot be read, or is no UTF-8 text."""


class CannotWrite(LastingError):
    """A folder cannot be made or written."""


def add(subparsers: Any) -> None:
    """Add the verb with its commands."""
    command = subparsers.add_parser("linkage", help="look into how people are recognised")
    parts = command.add_subparsers(dest="what", required=True, metavar="command")
    _add_generate(parts)
    _add_evaluate(parts)


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
        Bundle.compile(arguments.schemas), registers.Split(arguments.split), arguments.seed, arguments.signals,
        lambda made: print(f"  {made} signals made", file=sys.stderr, flush=True),
    )  # fmt: skip
    try:
        files = registers.write(rows, arguments.into)
    except OSError as error:
        raise CannotWrite(f"{arguments.into} cannot be written: {error.strerror or 'unknown'}.") from None
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


def _add_evaluate(parts: Any) -> None:
    part = parts.add_parser("evaluate", help="judge decisions by the truth")
    part.add_argument(
        "out", type=Path, metavar="OUT.csv", help="signal_id, person_id, household_id, decision"
    )
    part.add_argument("truth", type=Path, metavar="TRUTH.csv", help="signal_id, person, household, group")
    part.add_argument(
        "--seed", type=int, default=1, help="chooses the resamples of the intervals (default 1)"
    )
    part.add_argument("--json", action="store_true", help="print as JSON")
    part.set_defaults(run=evaluate)


def evaluate(arguments: argparse.Namespace) -> int:
    """0 with the report; 1 when a file is not what it should be."""
    from bereik import evaluation

    out, truth = str(arguments.out), str(arguments.truth)
    decided = evaluation.read_decided(out, _lines(arguments.out))
    true = evaluation.read_truth(truth, _lines(arguments.truth))
    evaluation.together(out, decided, truth, true)
    report = evaluation.evaluate(decided, true, arguments.seed)
    if arguments.json:
        show(report.document())
        return 0
    print(f"{report.signals} signals, {report.people} people, {report.pairs} pairs of one person")
    print(f"{'':24}{'precision':>10}{'recall':>10}{'F1':>10}")
    for name, score in (
        ("person, pairs", report.person),
        ("person, B-cubed", report.b_cubed),
        ("household, pairs", report.household),
        ("household, B-cubed", report.household_b_cubed),
    ):
        print(f"{name:24}{score.precision:10.4f}{score.recall:10.4f}{score.f1:10.4f}")
    print(f"recall by group{'':9}{'people':>10}{'pairs':>10}{'recall':>10}   95 % interval, by person")
    for one in report.groups:
        if one.recall is None:
            print(f"  {one.group:22}{one.people:10}{one.pairs:10}{'-':>10}")
        else:
            print(
                f"  {one.group:22}{one.people:10}{one.pairs:10}{one.recall:10.4f}   {one.low:.4f} - {one.high:.4f}"
            )
    if report.gap is not None and report.gap_by_chance is not None:
        by_chance = f"{100 * report.gap_by_chance:.1f} is to be expected by chance"
        print(f"gap between groups: {100 * report.gap:.1f} points; {by_chance}")
    told = ", ".join(f"{count} {name}" for name, count in report.decisions.items())
    print(f"{told}; {report.reviews_per_1000:.1f} reviews per 1,000 signals")
    return 0


def _lines(path: Path) -> list[str]:
    """The lines of a file with their ends, as the csv module wants them."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(file)
    except OSError as error:
        raise CannotRead(f"{path} cannot be read: {error.strerror or 'unknown'}.") from None
    except UnicodeDecodeError as error:
        raise CannotRead(f"{path} is no UTF-8 text (byte {error.start}); save it as UTF-8.") from None
