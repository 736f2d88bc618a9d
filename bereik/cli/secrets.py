"""`bereik secrets`: the passwords and keys of an installation, each a file of its own."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets as chance
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bereik import settings
from bereik.bundle import Bundle
from bereik.cli import show
from bereik.errors import LastingError
from bereik.keys import Keyring

# One per process, for its logins in PostgreSQL and Kafka; and those that only the platform and provisioning need.
NAMES = (
    "postgres",
    "bereik_owner",
    "airflow",
    "kafka_admin",
    *settings.LOGINS,
    "airflow_secret",
    "airflow_password",
    # Give these to the OIDC provider and the mail server, or put there what they gave.
    "oidc_client_secret",
    "smtp_password",
)


class NotWritten(LastingError):
    """The secrets could not be written. Choose a folder that this user may write, with a megabyte free."""


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser("secrets", help="make the passwords and keys of an installation")
    command.add_argument("folder", type=Path, help="where they go; what is there already stays")
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when every secret is there."""
    made = make(arguments.folder, Bundle.compile(settings.schemas(os.environ)))
    if arguments.json:
        show({"folder": str(arguments.folder), "made": made})
    else:
        print(
            f"{len(made)} secrets made in {arguments.folder}." if made else "Every secret was there already."
        )
    return 0


def make(folder: Path, bundle: Bundle) -> list[str]:
    """Write what is missing and give its names. Raises `NotWritten`.

    The folder is closed to all but its owner. The files in it are readable, because a container sees them under a user of its
    own; they belong to whom the folder belongs to, also when a container's root writes them.
    """
    made: list[str] = []
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.stat()
        folder.chmod(0o700)
        for name in NAMES:
            if not (folder / name).exists():
                _write(folder / name, chance.token_hex(32 if name == "airflow_secret" else 16), owner)
                made.append(name)
        if not (folder / "keyring.json").exists():
            with _fresh(folder / "keyring.json", owner) as fresh:
                Keyring.create(fresh)
            made.append("keyring.json")
        made += _passwords(folder, bundle, owner)
    except OSError as error:
        raise NotWritten(f"{NotWritten.__doc__} ({type(error).__name__}: {error.strerror})") from None
    return made


def _passwords(folder: Path, bundle: Bundle, owner: os.stat_result) -> list[str]:
    """Everybody's password in one file, for provisioning; partners have theirs nowhere else."""
    path = folder / "passwords.json"
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    wanted = {name: (folder / name).read_text(encoding="utf-8").strip() for name in NAMES}
    wanted |= {
        name: known.get(name) or chance.token_hex(16)
        for name in (*(f"partner_{partner}" for partner in sorted(bundle.partners)), settings.BRP_PRINCIPAL)
    }
    if wanted == {name: known.get(name) for name in wanted}:
        return []
    _write(path, json.dumps(known | wanted, indent=1), owner)
    return ["passwords.json"]


def _write(path: Path, text: str, owner: os.stat_result) -> None:
    with _fresh(path, owner) as fresh:
        fresh.write_text(text + "\n", encoding="utf-8")


@contextlib.contextmanager
def _fresh(path: Path, owner: os.stat_result) -> Iterator[Path]:
    """A file made aside, and put in place whole: a full disk leaves no half secret."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    try:
        yield fresh
        fresh.chmod(0o444)
        if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(fresh, owner.st_uid, owner.st_gid)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
