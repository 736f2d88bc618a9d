"""`bereik route test`: where cases go under the active rules and under proposed ones. Nothing is written."""

from __future__ import annotations

import argparse
import calendar
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bereik.app import App
from bereik.bundle import Bundle
from bereik.cases import Kind, labels_of
from bereik.cli import show
from bereik.cli.explain import known_case
from bereik.declared.municipalities import Municipality
from bereik.errors import LastingError
from bereik.routing import Route, route
from bereik.trial import Trial, loads


class WrongTest(LastingError):
    """Name a --month (yyyy-mm), a --case, or --municipality and --purpose with labels such as crisis=yes."""


class UnknownLabel(LastingError):
    """A label or value that no case can have: with it every case would go to the root."""


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser("route", help="try the routes of a municipality")
    todo = command.add_subparsers(dest="todo", required=True, metavar="test")
    test = todo.add_parser("test", help="which team gets what, now and under proposed declarations")
    test.add_argument("labels", nargs="*", metavar="label=value", help="labels of a case that is not there")
    test.add_argument("--municipality", help="code, for labels")
    test.add_argument("--purpose", help="for labels")
    test.add_argument("--case", help="a case that is there (8 characters of its id will do)")
    test.add_argument("--month", help="every case of a month, as yyyy-mm")
    test.add_argument(
        "--schemas", type=Path, help="folder of the proposed declarations; default the active ones"
    )
    test.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when it was compared; proposed declarations that do not fit together are refused."""
    proposed = Bundle.compile(arguments.schemas) if arguments.schemas else None
    if arguments.labels or arguments.municipality:
        # Labels ask the declarations only: no stack needs to run.
        return _by_labels(arguments, proposed)
    app = App.from_env()
    proposed = proposed or app.bundle()
    if arguments.month:
        if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", arguments.month):
            raise WrongTest()
        return _tell(arguments, app.trials.month(arguments.month, proposed), app.bundle(), proposed)
    if not arguments.case:
        raise WrongTest()
    case = known_case(app, arguments.case)
    purpose, case_id = case["purpose"], case["case_id"]
    return _tell(arguments, {purpose: app.trials.case(purpose, case_id, proposed)}, app.bundle(), proposed)


def _by_labels(arguments: argparse.Namespace, proposed: Bundle | None) -> int:
    bundle = proposed or App.from_env().bundle()
    town = bundle.municipalities.get(arguments.municipality or "")
    root = town.routes.get(arguments.purpose or "") if town is not None else None
    pairs = [text.partition("=") for text in arguments.labels]
    if town is None or root is None or any(not value for _, _, value in pairs):
        raise WrongTest()
    labels = {name: frozenset(value.split("|")) for name, _, value in pairs}
    known = _known(bundle, town, arguments.purpose)
    if strangers := sorted(labels.keys() - known.keys()):
        raise UnknownLabel(
            f"No case has a label {', '.join(strangers)}; known are {', '.join(sorted(known))}."
        )
    for name, values in labels.items():
        if not values <= known[name]:
            raise UnknownLabel(f"No such {name} here; known are {', '.join(sorted(known[name]))}.")
    way: Route = route(labels, root)
    if arguments.json:
        show(asdict(way))
    else:
        print(f"{way.team}: {' → '.join(way.path) or 'no rule fits; people decide (root)'}")
    return 0


def _known(bundle: Bundle, town: Municipality, purpose_id: str) -> dict[str, frozenset[str]]:
    """Every label of a case of this purpose here, and the values it can have."""
    types = [kind for kind in bundle.signal_types.values() if kind.purpose == purpose_id]
    languages = bundle.purposes[purpose_id].words["languages"]
    every = labels_of(
        areas=tuple(town.areas),
        types=[kind.id for kind in types],
        kind="",
        crisis=False,
        warm=False,
        repeat=False,
        sorts=[sort for kind in types for sort in kind.sorts],
    )
    few = {"kind": frozenset(Kind), "language": frozenset(word.id for word in languages)}
    few |= dict.fromkeys(("crisis", "warm", "repeat"), frozenset({"yes", "no"}))
    return {name: few.get(name, frozenset(values)) for name, values in every.items()}


def _tell(arguments: argparse.Namespace, found: Mapping[str, Trial], active: Bundle, proposed: Bundle) -> int:
    # The room of a team is asked for a whole month; one case says nothing about it.
    year, month = map(int, (arguments.month or "1-1").split("-"))
    days = calendar.monthrange(year, month)[1]
    teams = {purpose: loads(one, active, proposed, days) for purpose, one in found.items()}
    if arguments.json:
        shown = {
            purpose: {**asdict(one), "teams": [asdict(load) for load in teams[purpose]]}
            for purpose, one in found.items()
        }
        show(shown)
        return 0
    for purpose, one in found.items():
        print(
            f"{purpose}: {sum(one.before.values())} cases now, {sum(one.after.values())} under the other rules"
        )
        for load in teams[purpose]:
            room = f"   room for {load.room} a month" if arguments.month and load.room is not None else ""
            full = f"   OVER by {load.after - load.room}" if load.over and load.room is not None else ""
            print(
                f"  {load.team:24} {load.before:6} → {load.after:6}  {load.after - load.before:+d}{room}{full}"
            )
        for moved in one.moved:
            print(f"  case {moved.case_id[:8]}: {moved.before or 'nobody'} → {moved.after or 'nobody'}")
    return 0
