"""Rows of the schema `intake`, and the doorway to the vault of one purpose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from psycopg.types.json import Jsonb

from bereik.ports import ReceiptRow
from bereik.store import Tx

_COLUMNS = (
    "receipt_id", "partner", "door", "event_id", "event_type", "action", "municipality", "topic", "partition",
    '"offset"', "received_at", "fate", "gate", "reasons", "purpose", "signal_id", "content", "sealed",
)  # fmt: skip
_TYPES = (
    "uuid", "text", "text", "text", "text", "text", "text", "text", "int4",
    "int8", "timestamptz", "text", "text", "jsonb", "text", "uuid", "bytea", "bytea",
)  # fmt: skip
_KEPT = ", ".join(_COLUMNS[:-1])


class IntakeRows:
    """Receipts, claims and originals, through one TEMP table per connection."""

    def __init__(self, tx: Tx, bundle_id: int) -> None:
        self._tx, self._bundle_id = tx, bundle_id

    def land(self, rows: Iterable[tuple[str, int, int, int, str, str, int]]) -> None:
        """Count what was taken from each partition, apart from the receipts."""
        self._tx.raw.cursor().executemany(
            "INSERT INTO intake.landed (topic, partition, first_offset, next_offset, partner, door, received)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            list(rows),
        )

    def stage(self, rows: Sequence[ReceiptRow]) -> None:
        """Bring all receipts of the batch to the database."""
        columns = ", ".join(f"{name} {kind}" for name, kind in zip(_COLUMNS, _TYPES, strict=True))
        self._tx.execute(f"CREATE TEMP TABLE IF NOT EXISTS stage_receipt ({columns}) ON COMMIT DELETE ROWS")
        self._tx.copy(
            "stage_receipt",
            _COLUMNS,
            _TYPES,
            (
                (
                    row.receipt_id, row.partner, row.door, row.event_id, row.event_type, row.action, row.municipality,
                    row.topic, row.partition, row.offset, row.received_at, row.fate, row.gate, Jsonb(row.reasons),
                    row.purpose, row.signal_id, row.content, row.sealed,
                )
                for row in rows
            ),
        )  # fmt: skip

    def claim(self) -> set[UUID]:
        """Insert the accepted receipts; the ids of those that got their event id. Ordered, so that two never deadlock."""
        won = self._tx.rows(
            f"INSERT INTO intake.receipt ({_KEPT}, bundle_id) SELECT {_KEPT}, %s FROM stage_receipt"
            " WHERE fate = 'accepted' ORDER BY partner, event_id, \"offset\""
            " ON CONFLICT (partner, event_id) WHERE fate = 'accepted' DO NOTHING RETURNING receipt_id",
            (self._bundle_id,),
        )
        return {row[0] for row in won}

    def claimed(
        self, ids: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[bytes, UUID | None, str | None, str | None]]:
        """Who holds these (partner, event id): content hash, signal, purpose, action."""
        if not ids:
            return {}
        found = self._tx.rows(
            "SELECT r.partner, r.event_id, r.content, r.signal_id, r.purpose, r.action FROM intake.receipt r"
            " JOIN unnest(%s::text[], %s::text[]) AS asked(partner, event_id)"
            " ON r.partner = asked.partner AND r.event_id = asked.event_id WHERE r.fate = 'accepted'",
            ([partner for partner, _ in ids], [event for _, event in ids]),
        )
        return {(row[0], row[1]): (row[2], row[3], row[4], row[5]) for row in found}

    def finish(self, changed: Sequence[ReceiptRow]) -> None:
        """Write the fates that the claims changed, the other receipts, and the sealed originals of all but duplicates."""
        if changed:
            self._tx.execute(
                "UPDATE stage_receipt s SET fate = c.fate, reasons = c.reasons, purpose = NULL, signal_id = NULL"
                " FROM unnest(%s::uuid[], %s::text[], %s::jsonb[]) AS c(receipt_id, fate, reasons)"
                " WHERE s.receipt_id = c.receipt_id",
                (
                    [r.receipt_id for r in changed],
                    [r.fate for r in changed],
                    [Jsonb(r.reasons) for r in changed],
                ),
            )
        self._tx.execute(
            f"INSERT INTO intake.receipt ({_KEPT}, bundle_id) SELECT {_KEPT}, %s FROM stage_receipt WHERE fate <> 'accepted'",
            (self._bundle_id,),
        )
        self._tx.execute(
            "INSERT INTO intake.original (receipt_id, sealed)"
            " SELECT receipt_id, sealed FROM stage_receipt WHERE fate <> 'duplicate'"
        )
