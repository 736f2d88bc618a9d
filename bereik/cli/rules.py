"""`bereik rules`: make declarations the active ones, list what was active when, show what a bundle says."""

from __future__ import annotations

import argparse
import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bereik import rulebook
from bereik.bundle import Bundle
from bereik.cli import show
from bereik.cli.check import SCHEMAS
from bereik.errors import BereikError, LastingError

if TYPE_CHECKING:
    from bereik.provision import Owner


class NothingRuns(LastingError):
    """Start it with `bereik up`, or set the variables in docs/deploy.md."""


def add(subparsers: Any) -> None:
    """Add the verb and what it can do."""
    command = subparsers.add_parser("rules", help="activate or list the rules")
    todo = command.add_subparsers(dest="todo", required=True, metavar="activate|list|show|book")
    activate = todo.add_parser("activate", help="make the declarations of a folder the active ones")
    activate.add_argument("--by", default=None, help="who does this; default the login name")
    activate.set_defaults(run=run_activate)
    listing = todo.add_parser("list", help="every activation, newest first")
    listing.set_defaults(run=run_list)
    showing = todo.add_parser("show", help="what the declarations of a folder say, in short")
    showing.set_defaults(run=run_show)
    book = todo.add_parser("book", help="all the rules of a folder as one readable page (docs/rules.md)")
    book.add_argument("--into", type=Path, help="the file to write; without it the page is printed")
    book.set_defaults(run=run_book)
    for one in (activate, showing, book):
        one.add_argument("--schemas", type=Path, default=SCHEMAS, help="the folder of declarations")
    for one in (activate, listing, showing, book):
        one.add_argument("--json", action="store_true", help="print as JSON")


def run_book(arguments: argparse.Namespace) -> int:
    """0; the page is for whoever has to agree with the rules."""
    text = rulebook.page(Bundle.compile(arguments.schemas))
    if arguments.into:
        arguments.into.write_text(text, encoding="utf-8")
    if arguments.json:
        show({"file": str(arguments.into) if arguments.into else None, "page": text})
    elif not arguments.into:
        print(text, end="")
    return 0


def run_activate(arguments: argparse.Namespace) -> int:
    """Compile, make what is missing (topics, users, rights), activate. Running consumers follow within a second."""
    from bereik import provision

    rekey = _keys_change(arguments.schemas)
    sha256 = provision.provision(_owner(), arguments.schemas, arguments.by or getpass.getuser())
    if arguments.json:
        show({"sha256": sha256, "rekey": rekey})
    else:
        print(f"Active: {sha256}")
        if rekey:
            print(
                "The keys that people are found by changed: run `bereik linkage rekey`, then `bereik linkage relink`."
            )
    return 0


def _keys_change(schemas: Path) -> bool:
    """Whether these declarations find people by other keys than the active ones; False where nothing is active yet."""
    from bereik.app import App

    try:
        active = App.from_env().bundle()
    except BereikError:
        return False
    return active.linkage.keys != Bundle.compile(schemas).linkage.keys


def _owner() -> Owner:
    """Whose broker and database: those of the settings when they name an owner, else of the embedded stack."""
    from bereik import settings
    from bereik.cli.provision import External
    from bereik.runtime import Stack
    from bereik.runtime.stack import home_from_env

    if settings.read(os.environ).get("BEREIK_OWNER_URL"):
        return External(os.environ)
    home = home_from_env()
    if not (home / "env" / "operator.env").exists():
        raise NothingRuns(f"No stack in {home}. {NothingRuns.__doc__}")
    return Stack(home).settings


def run_list(arguments: argparse.Namespace) -> int:
    """Every activation, newest first."""
    from bereik.app import App
    from bereik.store import bundles

    with App.from_env().store.transaction() as tx:
        rows = bundles.history(tx)
    if arguments.json:
        show([{"sha256": sha256, "at": at, "by": by} for sha256, at, by in rows])
    else:
        for sha256, at, by in rows:
            print(f"{sha256}  {at}  {by}")
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    """What a partner may signal to whom, in a few lines; the whole document with --json."""
    bundle = Bundle.compile(arguments.schemas)
    if arguments.json:
        show({"sha256": bundle.sha256, "document": bundle.document})
        return 0
    print(f"Bundle {bundle.sha256}")
    for kind in bundle.signal_types.values():
        print(f"\n{kind.label['nl']} ({kind.id}) → {kind.purpose}; {kind.article}")
        senders = [
            (partner.name, agreement)
            for partner in bundle.partners.values()
            for agreement in partner.agreements
            if kind.id in agreement.signal_types
        ]
        for name, agreement in senders:
            end = agreement.end.isoformat() if agreement.end else "…"
            print(f"  {name} → {agreement.municipality}, {agreement.start} - {end}")
    idle = [partner.name for partner in bundle.partners.values() if not partner.agreements]
    if idle:
        print(f"\nWithout any agreement (unconfigured): {', '.join(idle)}")
    return 0
