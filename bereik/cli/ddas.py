"""`bereik ddas export`: the national delivery of one municipality over one period, as a file."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from bereik import ddas
from bereik.app import App
from bereik.cli import show
from bereik.errors import LastingError


class NoSchema(LastingError):
    """The schema cannot be read as JSON. Give the file that belongs to this version of the exchange model."""


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser("ddas", help="the national delivery (DDAS)")
    todo = command.add_subparsers(dest="todo", required=True, metavar="export")
    export = todo.add_parser("export", help="write the delivery of one municipality over one period")
    export.add_argument("--municipality", required=True, help="code of four digits")
    export.add_argument(
        "--from", dest="first", required=True, type=_day, help="first day of the period, yyyy-mm-dd"
    )
    export.add_argument(
        "--to", dest="last", required=True, type=_day, help="last day of the period, yyyy-mm-dd"
    )
    export.add_argument("--out", type=Path, help="the file to write; default in the home folder, under ddas/")
    export.add_argument(
        "--schema", type=Path, help="the official JSON Schema, to hold the delivery against too"
    )
    export.add_argument("--json", action="store_true", help="print what was written where as JSON")
    export.set_defaults(run=run, command=export)


def _day(text: str) -> date:
    try:
        if len(text) != 10:
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a day as yyyy-mm-dd") from None


def run(arguments: argparse.Namespace) -> int:
    """0 when the file is written; what does not fit the exchange model is not written, and 1."""
    if arguments.first > arguments.last:
        arguments.command.error("--from is after --to")
    schema = _schema(arguments.schema) if arguments.schema else None
    app = App.from_env(process="delivery")
    path, delivery = app.deliveries.export(
        app.bundle(), arguments.municipality, arguments.first, arguments.last, arguments.out, schema
    )
    if arguments.json:
        show(
            {
                "file": str(path),
                "version": ddas.VERSION,
                "municipality": arguments.municipality,
                "from": arguments.first,
                "to": arguments.last,
                "signals": delivery.signals,
                "cases": delivery.cases,
                "held_against": str(arguments.schema) if arguments.schema else None,
            }
        )
    else:
        print(f"{path}: {delivery.signals} signals, {delivery.cases} cases (DDAS {ddas.VERSION}).")
    return 0


def _schema(path: Path) -> dict[str, Any]:
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        raise NoSchema() from None
    if not isinstance(found, dict):
        raise NoSchema()
    return found
