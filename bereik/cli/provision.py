"""`bereik provision`: tables, topics, principals and rights on an external Kafka and PostgreSQL."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bereik import provision
from bereik.bus import Broker
from bereik.cli import show
from bereik.errors import LastingError
from bereik.runtime.stack import REPOSITORY


class PasswordMissing(LastingError):
    """A principal has no password in the file named by BEREIK_KAFKA_PASSWORDS."""


class SettingsMissing(LastingError):
    """Settings are missing. docs/settings.md has them all, under "An external Kafka and PostgreSQL"."""


class External:
    """An owner of a database and a broker that somebody else runs, from settings."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Take the variables. Raises `SettingsMissing` naming all that are absent."""
        names: tuple[str, ...] = ("BEREIK_OWNER_URL", "BEREIK_DATABASE_URL", "BEREIK_KAFKA_BOOTSTRAP")
        names += ("BEREIK_KAFKA_ADMIN_USERNAME", "BEREIK_KAFKA_ADMIN_PASSWORD", "BEREIK_KAFKA_PASSWORDS")
        missing = [name for name in names if not env.get(name)]
        if missing:
            raise SettingsMissing(f"{', '.join(missing)}: {SettingsMissing.__doc__}")
        self._env = env
        self._passwords = json.loads(Path(env["BEREIK_KAFKA_PASSWORDS"]).read_text(encoding="utf-8"))

    @property
    def owner_url(self) -> str:
        """The database as its owner."""
        return self._env["BEREIK_OWNER_URL"]

    @property
    def kafka_admin(self) -> Broker:
        """The broker as a super user, reached in the same way as every process reaches it."""
        return Broker.from_env(
            self._env, self._env["BEREIK_KAFKA_ADMIN_USERNAME"], self._env["BEREIK_KAFKA_ADMIN_PASSWORD"]
        )

    def kafka_password(self, principal: str) -> str:
        """The password that this principal must get. Raises `PasswordMissing`."""
        if principal not in self._passwords:
            raise PasswordMissing(f"{principal}: {PasswordMissing.__doc__}")
        return str(self._passwords[principal])

    def database_url(self, role: str) -> str:
        """The database as the operator; provisioning needs no other login."""
        return self._env["BEREIK_DATABASE_URL"]


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser("provision", help="set up an external Kafka and PostgreSQL")
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when everything is as the declarations need it."""
    schemas = Path(os.environ.get("BEREIK_SCHEMAS") or REPOSITORY / "schemas")
    active = provision.provision(External(os.environ), schemas, by="bereik provision")
    if arguments.json:
        show({"bundle": active})
    else:
        print(f"Tables, topics, principals and rights are in place; bundle {active} is active.")
    return 0
