"""Accounts of the board: who may log in, and which teams' cases they may see. Written by the operator, never by the web.

An account has a password of ours, or somebody else's provider vouches for its name; never both, so that a provider which
calls someone by the name of an account with a password opens nothing. A password is kept as scrypt with its own salt and its
parameters beside it, so the cost can be raised later.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from threading import BoundedSemaphore

from bereik.bundle import Bundle
from bereik.store import Tx

# OWASP's second setting for scrypt: 32 MiB and about 0.2 s per guess on one core.
_N, _R, _P = 2**15, 8, 3
# Two guesses at a time: a flood of log-ins can hold 64 MiB and two cores for a while, not the whole machine.
_GUESSES = BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Membership:
    """One team whose cases an account may see. A team that no case has (such as "-") gives counts and no case."""

    purpose: str
    municipality: str
    team: str


@dataclass(frozen=True, slots=True)
class Remit:
    """Where somebody is the neutral reviewer: they decide who is one person there, and see no case for it."""

    purpose: str
    municipality: str


@dataclass(frozen=True, slots=True)
class Account:
    """Someone who may log in. `sees_flows` opens the page of counts for the municipalities of its memberships."""

    username: str
    display_name: str
    language: str = "nl"
    sees_flows: bool = False
    members: tuple[Membership, ...] = ()
    reviews: tuple[Remit, ...] = ()


def hash_password(password: str, work: int = _N) -> str:
    """The password as `scrypt$n$r$p$salt$hash`, with a new salt each time. `work` is scrypt's n; less is for tests."""
    salt = secrets.token_bytes(16)
    return "$".join(
        ("scrypt", str(work), str(_R), str(_P), _text(salt), _text(_scrypt(password, salt, work, _R, _P)))
    )


def verify_password(password: str, stored: str) -> bool:
    """Whether the password is the one stored. False, not an error, for a stored value of another kind."""
    try:
        kind, n, r, p, salt, expected = stored.split("$")
        if kind != "scrypt":
            return False
        found = _scrypt(password, base64.b64decode(salt), int(n), int(r), int(p))
        return hmac.compare_digest(found, base64.b64decode(expected))
    except ValueError:
        return False


def no_password() -> str:
    """What stands in the place of a password for an account that an OIDC provider vouches for.

    It is new each time, so that sessions end when the account is put again, as they do with a new password.
    """
    return f"oidc${secrets.token_hex(16)}"


def has_password(stored: str) -> bool:
    """Whether this account logs in by a password of ours, and not through a provider."""
    return stored.startswith("scrypt$")


def put_accounts(tx: Tx, accounts: Sequence[tuple[Account, str]]) -> int:
    """Create or replace accounts (with their password hash) and exactly their memberships and remits. Returns how many."""
    for account, password_hash in accounts:
        tx.execute(
            "INSERT INTO ops.account (username, display_name, password_hash, language, sees_flows)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (username) DO UPDATE SET"
            " display_name = excluded.display_name, password_hash = excluded.password_hash,"
            " language = excluded.language, sees_flows = excluded.sees_flows",
            (account.username, account.display_name, password_hash, account.language, account.sees_flows),
        )
        tx.execute("DELETE FROM ops.member WHERE username = %s", (account.username,))
        for member in sorted(set(account.members), key=lambda m: (m.purpose, m.municipality, m.team)):
            tx.execute(
                "INSERT INTO ops.member (username, purpose, municipality, team) VALUES (%s, %s, %s, %s)",
                (account.username, member.purpose, member.municipality, member.team),
            )
        tx.execute("DELETE FROM ops.reviewer WHERE username = %s", (account.username,))
        for remit in sorted(set(account.reviews), key=lambda one: (one.purpose, one.municipality)):
            tx.execute(
                "INSERT INTO ops.reviewer (username, purpose, municipality) VALUES (%s, %s, %s)",
                (account.username, remit.purpose, remit.municipality),
            )
    return len(accounts)


def remove_account(tx: Tx, username: str) -> bool:
    """End an account and its memberships; its sessions end with its next click. False when there was none."""
    return tx.execute("DELETE FROM ops.account WHERE username = %s", (username,)).rowcount == 1


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    with _GUESSES:
        return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=32)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


# First names for the fictional workers, one after the other.
_FIRST_NAMES = (
    *("Samira", "Joost", "Fatma", "Marieke", "Rachid", "Anouk", "Pieter", "Chantal", "Emre", "Lotte"),
    *("Winston", "Saskia", "Hamid", "Tineke", "Bram", "Priya", "Sjoerd", "Naomi", "Kees", "Yara"),
)


def demo_accounts(bundle: Bundle) -> tuple[Account, ...]:
    """Fictional accounts for every declared team, a coordinator per purpose, and a privacy officer per municipality.

    A coordinator sees the cases of one purpose only: whoever sees two purposes at once could join what no bridge does; for
    the same reason a reviewer decides in one purpose. The privacy officer sees counts and no case.
    """
    accounts: list[Account] = []

    def add(
        username: str, sees_flows: bool, members: tuple[Membership, ...], reviews: tuple[Remit, ...] = ()
    ) -> None:
        name = _FIRST_NAMES[len(accounts) % len(_FIRST_NAMES)]
        accounts.append(Account(username, name, sees_flows=sees_flows, members=members, reviews=reviews))

    for code, municipality in bundle.municipalities.items():
        for team in municipality.teams:
            add(team.id, False, (Membership(team.purpose, code, team.id),))
        for purpose in bundle.purposes:
            helping = tuple(
                Membership(purpose, code, team.id)
                for team in municipality.teams
                if team.purpose == purpose and team.role == "help"
            )
            if helping:
                add(f"{code}-coordinator-{purpose}", True, helping)
        add(f"{code}-privacy", True, tuple(Membership(purpose, code, "-") for purpose in bundle.purposes))
    for code in bundle.municipalities:
        for purpose in bundle.purposes:
            add(f"{code}-reviewer-{purpose}", False, (), (Remit(purpose, code),))
    return tuple(accounts)
