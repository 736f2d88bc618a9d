"""`bereik account`: who may log in to the board, and which teams' cases they see."""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import Any

from bereik.app import App
from bereik.bundle import Bundle
from bereik.cli import show
from bereik.errors import LastingError
from bereik.store import accounts

# NIST SP 800-63B asks for 15 where a password stands alone; there is no second factor here.
_SHORTEST = 15


class NotAnAccount(LastingError):
    """This account cannot be made as asked."""


def add(subparsers: Any) -> None:
    """Add the verb and what it can do."""
    command = subparsers.add_parser("account", help="who may log in to the board")
    todo = command.add_subparsers(dest="todo", required=True, metavar="put|remove")
    put = todo.add_parser(
        "put", help="make an account, or replace it; a password is read from standard input"
    )
    put.add_argument("username")
    put.add_argument("--name", required=True, help="how the board greets them")
    put.add_argument(
        "--team", action="append", default=[], help="id of a team whose cases they see; may be repeated"
    )
    put.add_argument(
        "--reviews", action="append", default=[], metavar="PURPOSE/MUNICIPALITY",
        help="they decide there, as a neutral reviewer, who is one person; may be repeated",
    )  # fmt: skip
    put.add_argument("--flows", action="store_true", help="they also see who may meet whom, in counts")
    put.add_argument("--language", choices=("nl", "en"), default="nl")
    put.add_argument(
        "--oidc",
        action="store_true",
        help="no password: the OIDC provider says who it is, and `username` is what BEREIK_OIDC_CLAIM says there",
    )
    put.set_defaults(run=run_put)
    remove = todo.add_parser("remove", help="take an account away; its sessions end at once")
    remove.add_argument("username")
    remove.set_defaults(run=run_remove)
    for one in (put, remove):
        one.add_argument("--json", action="store_true", help="print as JSON")


def run_put(arguments: argparse.Namespace) -> int:
    """Raises `NotAnAccount` for a team or a place nobody declared, none at all, or a short password."""
    app = App.from_env()
    bundle = app.bundle()
    members = []
    for name in arguments.team:
        team = bundle.team(name)
        if team is None:
            known = ", ".join(
                sorted(one.id for place in bundle.municipalities.values() for one in place.teams)
            )
            raise NotAnAccount(f"There is no team {name}; the active declarations have {known}.")
        members.append(accounts.Membership(team.purpose, team.municipality, team.id))
    reviews = [_remit(one, bundle) for one in arguments.reviews]
    if not members and not reviews:
        raise NotAnAccount("Name at least one --team or --reviews; without one the board shows nothing.")
    stored = accounts.no_password() if arguments.oidc else accounts.hash_password(_password())
    account = accounts.Account(
        arguments.username,
        arguments.name,
        arguments.language,
        arguments.flows,
        tuple(members),
        tuple(reviews),
    )
    with app.store.transaction() as tx:
        accounts.put_accounts(tx, [(account, stored)])
    _say(arguments, f"{arguments.username} may log in.")
    return 0


def _password() -> str:
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(password) < _SHORTEST:
        raise NotAnAccount(f"The password needs at least {_SHORTEST} characters. Nothing was changed.")
    return password


def _remit(text: str, bundle: Bundle) -> accounts.Remit:
    purpose, _, municipality = text.partition("/")
    if purpose not in bundle.purposes or municipality not in bundle.municipalities:
        raise NotAnAccount(
            f"--reviews {text} names no purpose and municipality; write {min(bundle.purposes)}/{min(bundle.municipalities)}."
        )
    return accounts.Remit(purpose, municipality)


def run_remove(arguments: argparse.Namespace) -> int:
    """0 also when there was none."""
    with App.from_env().store.transaction() as tx:
        accounts.remove_account(tx, arguments.username)
    _say(arguments, f"{arguments.username} may not log in any more.")
    return 0


def _say(arguments: argparse.Namespace, text: str) -> None:
    if arguments.json:
        show({"username": arguments.username, "done": arguments.todo})
    else:
        print(text)
