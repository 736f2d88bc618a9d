"""`bereik case ACT CASE_ID --by USER [--field value]`: what a worker does with a case, from the table of `lifecycle`."""

from __future__ import annotations

import argparse
from typing import Any

from bereik import lifecycle
from bereik.app import App
from bereik.cli import show
from bereik.cli.explain import known_case, person_of
from bereik.contact import BY_RULE

_YES, _NO = ("yes", "ja", "true"), ("no", "nee", "false")


def add(subparsers: Any) -> None:
    """Add the verb, with every act and its fields."""
    command = subparsers.add_parser("case", help="what a worker does with a case")
    acts = command.add_subparsers(dest="act", required=True, metavar="ACT")
    for act, fields in lifecycle.FACTS.items():
        part = acts.add_parser(act, help=", ".join(fields) or "no fields")
        part.add_argument("case", help="id of the case; 8 characters will do")
        part.add_argument("--by", required=True, type=_somebody, help="who states it")
        part.add_argument("--json", action="store_true", help="print as JSON")
        for name, field in fields.items():
            part.add_argument(
                # `--by` says who states it, so a day by which something is due is `--until`.
                "--until" if name == "by" else f"--{name}",
                dest=f"field_{name}",
                type=_yes_or_no if field.kind == "yesno" else str,
                nargs="+" if field.kind == "words" else None,
                help=_help(field),
            )
        part.set_defaults(run=run)


def _help(field: lifecycle.Field) -> str:
    words = ", ".join(field.words) or (
        f"a word of `{field.words_of}` in purposes.yaml" if field.words_of else ""
    )
    kinds = {
        "yesno": "yes or no",
        "day": "yyyy-mm-dd",
        "team": "id of a team",
        "id": "an id",
        "slug": "a word",
        "holder": "id of one of the people of the case, where it has several",
    }
    # argparse reads a percent sign as a place for a value; no word has one.
    return (words or kinds[field.kind]) + ("" if field.required else " (may be left out)")


def _somebody(text: str) -> str:
    # Under this name only the rules of a municipality state something, and nobody asks those for a reason.
    if text == BY_RULE:
        raise argparse.ArgumentTypeError("the name of a person")
    return text


def _yes_or_no(text: str) -> bool:
    if text.lower() in _YES + _NO:
        return text.lower() in _YES
    raise argparse.ArgumentTypeError("yes or no")


def run(arguments: argparse.Namespace) -> int:
    """0 when it was taken down; what may not be stated is refused with the reason, and 1."""
    app = App.from_env()
    case = known_case(app, arguments.case)
    detail = {
        name: person_of(case, value) if field.kind == "holder" else value
        for name, field in lifecycle.FACTS[arguments.act].items()
        if (value := getattr(arguments, f"field_{name}")) is not None
    }
    row = app.state_fact(case["purpose"], case["case_id"], arguments.act, detail, arguments.by)
    if arguments.json:
        show(
            {
                "case_id": row.case_id,
                "act": arguments.act,
                "status": row.status,
                "result": row.result,
                "team": row.team,
            }
        )
    else:
        print(
            f"Case {row.case_id[:8]}: {row.status}"
            + (f", {row.result}" if row.result else "")
            + f" ({row.team})."
        )
    return 0
