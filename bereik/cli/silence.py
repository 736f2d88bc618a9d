"""`bereik silence add|list|end`: tell a team nothing by mail or webhook for a while. A crisis is always told."""

from __future__ import annotations

import argparse
import getpass
from dataclasses import asdict
from typing import Any

from bereik.app import App
from bereik.cli import show
from bereik.errors import LastingError

# Words, no sentence: a reason must not be able to hold anything about a person.
REASONS = ("vakantie", "storing", "oefening", "verhuizing")


class NoSilence(LastingError):
    """No silence with this number holds. `bereik silence list` names those that do."""


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser("silence", help="tell a team nothing by mail or webhook for a while")
    todo = command.add_subparsers(dest="todo", required=True, metavar="add|list|end")
    begin = todo.add_parser("add", help="begin one now")
    begin.add_argument("team", help="id of the team")
    begin.add_argument("--hours", type=float, required=True, help="for how long; a week at most")
    begin.add_argument("--reason", choices=REASONS, required=True)
    begin.add_argument("--by", default=None, help="who decided; default the login name")
    todo.add_parser("list", help="those that hold")
    end = todo.add_parser("end", help="end one now")
    end.add_argument("number", type=int)
    for one in (begin, todo.choices["list"], end):
        one.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when done."""
    app = App.from_env()
    match arguments.todo:
        case "add":
            number = app.silences.begin(
                arguments.team, arguments.reason, arguments.by or getpass.getuser(), arguments.hours
            )
            _tell(
                arguments, {"silence": number}, f"Silence {number} holds; the board still shows everything."
            )
        case "end":
            if not app.silences.end(arguments.number):
                raise NoSilence()
            _tell(arguments, {"ended": arguments.number}, f"Silence {arguments.number} has ended.")
        case _:
            found = app.silences.standing()
            lines = [
                f"{one.silence_id:4} {one.team:24} until {one.ends_at:%Y-%m-%d %H:%M} UTC  {one.reason}, {one.stated_by}"
                for one in found
            ]
            _tell(arguments, [asdict(one) for one in found], "\n".join(lines) or "No silence holds.")
    return 0


def _tell(arguments: argparse.Namespace, value: Any, line: str) -> None:
    if arguments.json:
        show(value)
    else:
        print(line)
