"""The command line: `bereik <verb>`. Exit codes: 0 fine, 1 found something wrong, 2 wrong use.

Each verb is one module here with `add(subparsers)`, which sets `run` (a function of the parsed arguments that
returns the exit code). Only the module of the verb that was typed is imported, so that `bereik --help` is quick.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import sys
from collections.abc import Sequence
from typing import Any

from bereik import __version__
from bereik.errors import BereikError

# Verb → what `bereik --help` says of it. The order is that of the help.
VERBS: dict[str, str] = {
    "up": "start broker, database, consumers, board and Airflow",
    "status": "what runs, and whether the sums are right (--check)",
    "down": "stop everything",
    "demo": "run the fictional months; `demo load` publishes them onto a running stack",
    "explain": "why a case or a signal is what it is",
    "case": "take a case up, hand it over, close it: what a worker states",
    "tray": "people whom the register of persons did not find as they were reported",
    "figures": "counts for the coordinator: how people were tried to be reached",
    "check": "check every declaration at once",
    "rules": "activate or list the rules",
    "route": "try the routes of a municipality",
    "ddas": "write the national delivery of a period",
    "alerts": "what teams were told by mail and webhook, and what waits",
    "silence": "tell a team nothing by mail or webhook for a while; a crisis still is",
    "bridge": "the ties between cases of two purposes",
    "linkage": "look into how people are recognised",
    "bench": "measure",
    "provision": "set up an external Kafka and PostgreSQL",
    "secrets": "make the passwords and keys of an installation",
    "settings": "every setting, and which are set here",
    "account": "who may log in to the board",
    "airflow": "become one part of Airflow",
    "health": "whether one process does its work",
    "doctor": "look whether this machine can run Bereik",
}


def parser(verb: str | None) -> argparse.ArgumentParser:
    """The parser of the whole command line, in which only `verb` knows its own arguments."""
    top = argparse.ArgumentParser(prog="bereik", description="Partners publish signals; teams reach out.")
    top.add_argument("--version", action="version", version=f"bereik {__version__}")
    commands = top.add_subparsers(dest="verb", required=True, metavar="verb")
    for name, summary in VERBS.items():
        if importlib.util.find_spec(f"bereik.cli.{name}") is None:
            continue
        if name == verb:
            importlib.import_module(f"bereik.cli.{name}").add(commands)
        else:
            commands.add_parser(name, help=summary)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; an expected error is one line on standard error and exit code 1."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    verb = next((word for word in given if not word.startswith("-")), None)
    chosen = parser(verb).parse_args(given)
    try:
        return int(chosen.run(chosen) or 0)
    except BereikError as error:
        if getattr(chosen, "json", False):
            show({"error": type(error).__name__, "message": str(error)})
        else:
            print(f"bereik {chosen.verb}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # `bereik status | head`: the reader has seen enough.
        sys.stderr.close()
        return 0


def show(document: Any) -> None:
    """Print a document as JSON, for `--json`."""
    print(json.dumps(document, indent=2, ensure_ascii=False, default=str))
