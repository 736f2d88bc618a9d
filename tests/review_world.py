"""Questions for reviewers, in the board's database: twins whom no rule tells apart, sealed as intake seals them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from board_world import World

from bereik import vault
from bereik.keys import Keyring
from bereik.linkage import Identity
from bereik.ports import RecordRow
from bereik.store import Store
from bereik.store.vault import Registers, VaultRows

CANARY = "zzcanary"
PURPOSE = "schuldhulp"


def keyring(folder: Path) -> Keyring:
    """A keyring for this world's registers."""
    path = folder / "keyring.json"
    Keyring.create(path)
    return Keyring.load(path)


class Questions:
    """Makes questions of one register."""

    def __init__(self, made: World, keys: Keyring, municipality: str = "9901") -> None:
        self._made, self.municipality = made, municipality
        self._store = Store(made.url("bereik_intake"))
        self._register = Registers(self._store, keys)(PURPOSE, municipality)
        self._number = 0

    def close(self) -> None:
        self._store.close()

    def ask(self) -> tuple[str, str]:
        """(known signal, signal in doubt): a brother and a sister of one day, at one door, with one telephone.

        No name has both initials.
        """
        self._number += 1
        # Far from every other pair, or the question would be about a stranger.
        home = {
            "surname": f"{'BDFGHJKLMN'[self._number % 10]}o{'prstvwxzbd'[self._number // 10]}{CANARY}",
            "birth_date": f"{1950 + self._number}-{1 + self._number % 12:02}-17",
            "postcode": f"12{10 + self._number}AB", "house_number": str(self._number), "phone": f"06990{self._number:05}",
        }  # fmt: skip
        found = (str(uuid4()), str(uuid4()))
        for minute, initials in enumerate(("A.", "Q.")):
            row = vault.seal(
                Identity({**home, "initials": initials}),
                self._made.bundle.linkage,
                RecordRow(found[minute], self._register, datetime(2026, 11, 12, 9, minute, tzinfo=UTC)),
            )
            with self._store.transaction() as tx, tx.role(f"vault_{PURPOSE}"):
                vault.identify([row], VaultRows(tx, PURPOSE), self._made.bundle.linkage, 1)
        return found

    def rows(self, sql: str, *params: Any) -> list[Any]:
        """What the vault holds, as intake sees it."""
        with self._store.transaction() as tx, tx.role(f"vault_{PURPOSE}"):
            return tx.rows(sql, params)

    def person(self, signal_id: str) -> str:
        """Who a signal is about now."""
        found: str = self.rows("SELECT person_id FROM vault.record WHERE signal_id = %s", signal_id)[0][0]
        return found

    def into_case(self, signal_id: str, case_id: str) -> None:
        """Give a case this signal, so that who sees the case may see the signal."""
        with psycopg.connect(self._made.url("bereik_casework")) as connection:
            connection.execute(f"SET ROLE casework_{PURPOSE}")
            connection.execute(
                "INSERT INTO casework.signal (signal_id, purpose, version, status, subject, person_id, municipality,"
                " signal_type, partner, signal_date, received_at, facts, case_id)"
                " SELECT %s, purpose, 1, 'active', subject, %s, municipality, signal_type, partner, signal_date, received_at,"
                " '{}', case_id FROM casework.signal WHERE case_id = %s LIMIT 1",
                (signal_id, str(uuid4()), case_id),
            )
