"""Rows of the vault while a register is given other keys: records in the order of their ids, keys in that of their index.

Under the role `linking` of one purpose. Both walks begin behind a row that was dealt with, so any batch may be the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bereik.store import Tx


@dataclass(frozen=True, slots=True)
class Stand:
    """How far a register is: under which rules, at which step ("adding", "removing", "done") and behind which row."""

    rules: str
    step: str
    after_key: int | None
    after_signal: str | None
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class Record:
    """A sealed record."""

    signal_id: str
    received_at: datetime
    sealed: bytes


class KeyRows:
    """The keys of one register."""

    def __init__(self, tx: Tx, purpose: str, register_id: int) -> None:
        self._tx, self._purpose, self._register_id = tx, purpose, register_id

    def lock(self) -> None:
        """Nobody places or moves a record of this register until the transaction ends."""
        # The lock that intake and people's decisions take (`VaultRows.lock`).
        self._tx.locks(7301, [self._register_id])

    def stand(self) -> Stand | None:
        """How far it is; None when this register was never given other keys."""
        rows = self._tx.rows(
            "SELECT rules, step, after_key, after_signal, added, removed FROM vault.rekeying WHERE register_id = %s",
            (self._register_id,),
        )
        return Stand(*rows[0]) if rows else None

    def keep(self, stand: Stand) -> None:
        """Write down how far it is."""
        self._tx.execute(
            "INSERT INTO vault.rekeying (register_id, purpose, rules, step, after_key, after_signal, added, removed)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (register_id) DO UPDATE SET rules = excluded.rules,"
            " step = excluded.step, after_key = excluded.after_key, after_signal = excluded.after_signal,"
            " added = excluded.added, removed = excluded.removed, at = now()",
            (
                self._register_id, self._purpose, stand.rules, stand.step, stand.after_key, stand.after_signal,
                stand.added, stand.removed,
            ),
        )  # fmt: skip

    def records(self, after: str | None, limit: int) -> list[Record]:
        """The next records that are found by keys, in the order of their ids, which say nothing of when they came."""
        rows = self._tx.rows(
            "SELECT signal_id, received_at, sealed FROM vault.record WHERE register_id = %s AND keyed"
            " AND (%s::uuid IS NULL OR signal_id > %s) ORDER BY signal_id LIMIT %s",
            (self._register_id, after, after, limit),
        )
        return [Record(*row) for row in rows]

    def keyed(self, after: tuple[int, str] | None, limit: int) -> list[tuple[int, str, Record | None]]:
        """The next keys, each with its signal and the record of that if there is one, in the order of the index."""
        rows = self._tx.rows(
            "SELECT k.key, k.signal_id, r.received_at, r.sealed FROM (SELECT key, signal_id FROM vault.key"
            " WHERE register_id = %s AND (%s::bigint IS NULL OR (key, signal_id) > (%s::bigint, %s::uuid))"
            " ORDER BY register_id, key, signal_id LIMIT %s) k LEFT JOIN vault.record r USING (signal_id) ORDER BY 1, 2",
            (self._register_id, after and after[0], after and after[0], after and after[1], limit),
        )
        return [
            (key, signal_id, None if sealed is None else Record(signal_id, received_at, sealed))
            for key, signal_id, received_at, sealed in rows
        ]

    def lacking(self, keys: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
        """Those of these (key, signal) that are not there."""
        rows = self._tx.rows(
            "SELECT k.key, k.signal_id FROM unnest(%s::int8[], %s::uuid[]) AS k (key, signal_id)"
            " WHERE NOT EXISTS (SELECT 1 FROM vault.key v WHERE v.register_id = %s AND v.key = k.key"
            " AND v.signal_id = k.signal_id)",
            ([key for key, _ in keys], [signal for _, signal in keys], self._register_id),
        )
        return [(key, signal_id) for key, signal_id in rows]

    def add(self, keys: Sequence[tuple[int, str]]) -> None:
        """Make records findable by these."""
        self._tx.execute(
            "INSERT INTO vault.key (register_id, key, signal_id, purpose)"
            " SELECT %s, k.key, k.signal_id, %s FROM unnest(%s::int8[], %s::uuid[]) AS k (key, signal_id)",
            (self._register_id, self._purpose, [key for key, _ in keys], [signal for _, signal in keys]),
        )

    def remove(self, keys: Sequence[tuple[int, str]]) -> None:
        """Records are found by these no longer."""
        self._tx.execute(
            "DELETE FROM vault.key v USING unnest(%s::int8[], %s::uuid[]) AS k (key, signal_id)"
            " WHERE v.register_id = %s AND v.key = k.key AND v.signal_id = k.signal_id",
            ([key for key, _ in keys], [signal for _, signal in keys], self._register_id),
        )

    def note(self, actor: str, stand: Stand) -> None:
        """Write in the audit that it was done, and by whom."""
        self._tx.execute(
            "INSERT INTO audit.act (actor, act, purpose, detail) VALUES (%s, 'register_rekeyed', %s,"
            " jsonb_build_object('register', %s::int, 'added', %s::bigint, 'removed', %s::bigint))",
            (actor, self._purpose, self._register_id, stand.added, stand.removed),
        )
