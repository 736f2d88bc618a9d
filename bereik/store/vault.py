"""Rows of the schema `vault`, always under the role of one purpose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from bereik.errors import LastingError
from bereik.keys import Keyring
from bereik.ports import Placed, RecordRow, Register
from bereik.store import Store, Tx

_REGISTER_LOCK = 7301

_COLUMNS = (
    "signal_id",
    "register_id",
    "sealed",
    "match_key",
    "household_id",
    "person_id",
    "received_at",
    "outcome",
    "evidence",
)
_TYPES = ("uuid", "int4", "bytea", "bytea", "uuid", "uuid", "timestamptz", "text", "text")


class VaultRows:
    """Records, persons and links of one purpose."""

    def __init__(self, tx: Tx, purpose: str) -> None:
        self._tx, self._purpose = tx, purpose

    def lock(self, registers: Iterable[int]) -> None:
        """One advisory lock per register, ascending."""
        self._tx.locks(_REGISTER_LOCK, list(registers))

    def candidates(self, register_id: int, keys: Sequence[bytes]) -> dict[bytes, UUID]:
        """The person behind each match key that the register already knows."""
        if not keys:
            return {}
        found = self._tx.rows(
            "SELECT DISTINCT ON (match_key) match_key, person_id FROM vault.record"
            " WHERE register_id = %s AND match_key = ANY(%s) ORDER BY match_key, received_at",
            (register_id, list(set(keys))),
        )
        return {bytes(key): person for key, person in found}

    def save(self, rows: Sequence[RecordRow], bundle_id: int) -> None:
        """Insert records, the persons that are new, and the links between them."""
        if not rows:
            return
        columns = ", ".join(f"{name} {kind}" for name, kind in zip(_COLUMNS, _TYPES, strict=True))
        self._tx.execute(
            f"CREATE TEMP TABLE IF NOT EXISTS stage_vault_{self._purpose} ({columns}) ON COMMIT DELETE ROWS"
        )
        self._tx.copy(
            f"stage_vault_{self._purpose}",
            _COLUMNS,
            _TYPES,
            (
                (
                    row.signal_id, row.register.register_id, row.sealed, row.match_key, row.household_id, row.person_id,
                    row.received_at, row.outcome, row.evidence,
                )
                for row in rows
            ),
        )  # fmt: skip
        source = f"FROM stage_vault_{self._purpose}"
        self._tx.execute(
            "INSERT INTO vault.person (person_id, purpose, register_id)"
            f" SELECT person_id, %s, register_id {source} WHERE outcome <> 'link'",
            (self._purpose,),
        )
        self._tx.execute(
            "INSERT INTO vault.record (signal_id, purpose, register_id, version, status, sealed, match_key, household_id,"
            f" person_id, received_at) SELECT signal_id, %s, register_id, 1, 'active', sealed, match_key, household_id,"
            f" person_id, received_at {source}",
            (self._purpose,),
        )
        self._tx.execute(
            "INSERT INTO vault.link (signal_id, person_id, purpose, outcome, evidence, decided_by, bundle_id)"
            f" SELECT signal_id, person_id, %s, outcome, evidence, 'bereik', %s {source}",
            (self._purpose, bundle_id),
        )

    def withdraw(self, signal_ids: Sequence[UUID]) -> list[Placed]:
        """Mark signals withdrawn under a higher version; one that was withdrawn before stays as it is."""
        changed = self._tx.rows(
            "UPDATE vault.record SET status = 'withdrawn', version = version + 1 WHERE signal_id = ANY(%s) AND status = 'active'"
            " RETURNING signal_id, version, status, person_id, household_id",
            (list(signal_ids),),
        )
        return [Placed(*row) for row in changed]


class RegisterMissing(LastingError):
    """This purpose has no register in this municipality. Intake makes it with the first signal; check ops.parked."""


class Registers:
    """The registers of all purposes, opened once and kept.

    For intake, a new one is made when its first signal comes; with `found_only`, for the bridge, they are only read.
    """

    def __init__(self, store: Store, keyring: Keyring, *, found_only: bool = False) -> None:
        self._store, self._keyring, self._found_only = store, keyring, found_only
        self._known: dict[tuple[str, str], Register] = {}

    def __call__(self, purpose: str, municipality: str) -> Register:
        """The register of a purpose in a municipality. Raises `StoreUnavailable`, `SealBroken`, `RegisterMissing`."""
        known = self._known.get((purpose, municipality))
        return known or self._open(purpose, municipality)

    def _open(self, purpose: str, municipality: str) -> Register:
        label = f"{purpose}|{municipality}"
        prefix = "tracing" if self._found_only else "vault"
        with self._store.transaction() as tx, tx.role(f"{prefix}_{purpose}"):
            if not self._found_only:
                tx.execute(
                    "INSERT INTO vault.register (purpose, municipality, sealed_key) VALUES (%s, %s, %s)"
                    " ON CONFLICT (purpose, municipality) DO NOTHING",
                    (purpose, municipality, self._keyring.new_register_key(label)),
                )
            rows = tx.rows(
                "SELECT register_id, sealed_key FROM vault.register WHERE purpose = %s AND municipality = %s",
                (purpose, municipality),
            )
        if not rows:
            raise RegisterMissing()
        register_id, sealed_key = rows[0]
        box = self._keyring.register_box(label, bytes(sealed_key))
        opened = Register(register_id, purpose, municipality, box)
        self._known[(purpose, municipality)] = opened
        return opened
