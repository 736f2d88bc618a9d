"""`bereik provision`: tables, topics, principals and rights on an external Kafka and PostgreSQL."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bereik import provision, settings
from bereik.bus import Broker
from bereik.cli import show
from bereik.errors import LastingError
from bereik.runtime import database
from bereik.store import refusals


class PasswordMissing(LastingError):
    """A login has no password in this file. `bereik secrets` adds what the declarations need."""


class External:
    """An owner of a database and a broker that somebody else runs, from settings."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Take the variables. Raises `NotConfigured` naming all that are absent."""
        env = settings.read(env)
        settings.require(
            env,
            "BEREIK_OWNER_URL",
            "BEREIK_DATABASE_URL",
            "BEREIK_KAFKA_BOOTSTRAP",
            "BEREIK_KAFKA_ADMIN_USERNAME",
            "BEREIK_KAFKA_ADMIN_PASSWORD",
            "BEREIK_KAFKA_PASSWORDS",
        )
        self._env = env
        self._passwords = self._read("BEREIK_KAFKA_PASSWORDS")

    @property
    def owner_url(self) -> str:
        """The database as its owner."""
        return settings.database(self._env, "BEREIK_OWNER_URL", "BEREIK_OWNER_PASSWORD", database.OWNER)

    @property
    def kafka_admin(self) -> Broker:
        """The broker as a super user, reached in the same way as every process reaches it."""
        return Broker.from_env(
            self._env, self._env["BEREIK_KAFKA_ADMIN_USERNAME"], self._env["BEREIK_KAFKA_ADMIN_PASSWORD"]
        )

    def kafka_password(self, principal: str) -> str:
        """The password that this principal must get. Raises `PasswordMissing`."""
        return self._password(self._passwords, principal, "BEREIK_KAFKA_PASSWORDS")

    def database_url(self, role: str) -> str:
        """The database as the operator; provisioning needs no other login."""
        return settings.database(
            self._env, "BEREIK_DATABASE_URL", "BEREIK_DATABASE_PASSWORD", "bereik_operator"
        )

    def make_logins(self) -> bool:
        """Make databases and login roles, or set their passwords again, when the settings name a superuser; else False."""
        if not self._env.get("BEREIK_DATABASE_ADMIN_URL"):
            return False
        settings.require(self._env, "BEREIK_DATABASE_PASSWORDS")
        known = self._read("BEREIK_DATABASE_PASSWORDS")
        passwords = {
            role: self._password(known, role, "BEREIK_DATABASE_PASSWORDS")
            for role in (database.OWNER, "airflow", *settings.LOGINS)
        }
        url = settings.database(
            self._env, "BEREIK_DATABASE_ADMIN_URL", "BEREIK_DATABASE_ADMIN_PASSWORD", "postgres"
        )
        with refusals():
            database.create_roles(lambda name: settings.with_database(url, name), passwords, settings.LOGINS)
        return True

    def _read(self, name: str) -> dict[str, str]:
        try:
            found = json.loads(Path(self._env[name]).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise settings.NotConfigured(
                f"{name} must name a JSON file of passwords; it cannot be read ({type(error).__name__})."
                " Make it with `bereik secrets`."
            ) from None
        if not isinstance(found, dict):
            raise settings.NotConfigured(f'{name} must name a JSON file {{"<login>": "<password>"}}.')
        return {str(login): str(password) for login, password in found.items()}

    def _password(self, known: Mapping[str, str], login: str, name: str) -> str:
        if login not in known:
            raise PasswordMissing(f"{login} ({name}): {PasswordMissing.__doc__}")
        return known[login]


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser("provision", help="set up an external Kafka and PostgreSQL")
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when everything is as the declarations need it."""
    owner = External(os.environ)
    made = owner.make_logins()
    active = provision.provision(owner, settings.schemas(os.environ), by="bereik provision")
    if arguments.json:
        show({"bundle": active, "logins": made})
    else:
        what = "Logins, tables" if made else "Tables"
        print(f"{what}, topics, principals and rights are in place; bundle {active} is active.")
    return 0
