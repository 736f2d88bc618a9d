"""`bereik bridge consent|withdraw|accept CASE`: what a worker takes down about a tie with another purpose."""

from __future__ import annotations

import argparse
import getpass
from typing import Any

from bereik import bridge
from bereik.app import App
from bereik.cli import show
from bereik.cli.explain import known_case, person_of

_KINDS = {"consent": bridge.CONSENT, "withdraw": bridge.CONSENT_WITHDRAWN, "accept": bridge.ACCEPTED}


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser("bridge", help="the ties between cases of two purposes")
    command.add_argument("todo", choices=tuple(_KINDS))
    command.add_argument("case", help="the case of the one who agrees, or of the team that accepts")
    command.add_argument("--toward", help="the other purpose (consent, withdraw)")
    command.add_argument("--who", help="who agrees, in the words of purposes.yaml (consent)")
    command.add_argument("--form", help="version of the form (consent)")
    command.add_argument(
        "--person", help="whose consent it is, where the case is about several: as the page shows it"
    )
    command.add_argument("--by", default=None, help="who takes it down; default the login name")
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when it was taken down. The answer is the same whether or not there is another case."""
    app = App.from_env()
    detail = {
        key: value for key in ("toward", "who", "form") if (value := getattr(arguments, key)) is not None
    }
    case = known_case(app, arguments.case)
    if arguments.person is not None:
        detail["person_id"] = person_of(case, arguments.person)
    app.state_fact(
        case["purpose"], case["case_id"], _KINDS[arguments.todo], detail, arguments.by or getpass.getuser()
    )
    if arguments.json:
        show({"case_id": case["case_id"], "taken_down": arguments.todo})
    else:
        print(f"Taken down for case {str(case['case_id'])[:8]}.")
    return 0
