"""Rows of the schema `intake`, and the doorway to the vault of one purpose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson

from bereik.ports import ReceiptRow, SourceRow
from bereik.store import Tx

_COLUMNS = {
    "receipt_id": "uuid", "partner": "text", "door": "text", "event_id": "text", "event_type": "text", "action": "text",
    "municipality": "text", "topic": "text", "partition": "int4", '"offset"': "int8", "received_at": "timestamptz", "fate": "text",
    "gate": "text", "reasons": "jsonb", "purpose": "text", "signal_id": "uuid", "content": "bytea",
}  # fmt: skip
_KEPT = ", ".join(_COLUMNS)
_VALUES = ", ".join(f"{name}::{kind}" for name, kind in _COLUMNS.items())
# Ids travel as text, and so do reasons, which most receipts do not have.
_STAGE = {**_COLUMNS, "receipt_id": "text", "signal_id": "text", "reasons": "text", "sealed": "bytea"}


class IntakeRows:
    """Receipts, claims and originals, through one TEMP table per connection."""

    def __init__(self, tx: Tx, bundle_id: int) -> None:
        self._tx, self._bundle_id = tx, bundle_id

    def land(self, rows: Iterable[tuple[str, int, int, int, str, str, int]]) -> None:
        """Count what was taken from each partition, apart from the receipts."""
        self._tx.execute(
            "INSERT INTO intake.landed (topic, partition, first_offset, next_offset, partner, door, received) SELECT * FROM"
            " unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::int[])",
            [list(column) for column in zip(*rows, strict=True)],
        )

    def stage(self, rows: Sequence[ReceiptRow]) -> None:
        """Bring all receipts of the batch to the database."""
        self._tx.stage(
            "stage_receipt",
            _STAGE,
            (
                (
                    row.receipt_id, row.partner, row.door, row.event_id, row.event_type, row.action, row.municipality,
                    row.topic, row.partition, row.offset, row.received_at, row.fate, row.gate,
                    orjson.dumps(row.reasons).decode() if row.reasons else "[]", row.purpose, row.signal_id, row.content,
                    row.sealed,
                )
                for row in rows
            ),
        )  # fmt: skip

    def claim(self) -> set[str]:
        """Insert the accepted receipts; the ids of those that got their event id. Ordered, so that two never deadlock."""
        won = self._tx.rows(
            f"INSERT INTO intake.receipt ({_KEPT}, bundle_id) SELECT {_VALUES}, %s FROM stage_receipt"
            " WHERE fate = 'accepted' ORDER BY partner, event_id, \"offset\""
            " ON CONFLICT (partner, event_id) WHERE fate = 'accepted' DO NOTHING RETURNING receipt_id",
            (self._bundle_id,),
        )
        return {row[0] for row in won}

    def claimed(
        self, ids: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[bytes, str | None, str | None, str | None]]:
        """Who holds these (partner, event id): content hash, signal, purpose, action."""
        if not ids:
            return {}
        # LATERAL: on a table without statistics, a join read every accepted receipt for each batch.
        found = self._tx.rows(
            "SELECT asked.partner, asked.event_id, r.* FROM unnest(%s::text[], %s::text[]) AS asked(partner, event_id),"
            " LATERAL (SELECT content, signal_id, purpose, action FROM intake.receipt c"
            " WHERE c.partner = asked.partner AND c.event_id = asked.event_id AND c.fate = 'accepted' LIMIT 1) AS r",
            ([partner for partner, _ in ids], [event for _, event in ids]),
        )
        return {(row[0], row[1]): (row[2], row[3], row[4], row[5]) for row in found}

    def finish(self, changed: Sequence[ReceiptRow]) -> None:
        """Write the fates that the claims changed, the other receipts, and the sealed originals of all but duplicates."""
        if changed:
            self._tx.execute(
                "UPDATE stage_receipt s SET fate = c.fate, reasons = c.reasons, purpose = NULL, signal_id = NULL"
                " FROM unnest(%s::text[], %s::text[], %s::text[]) AS c(receipt_id, fate, reasons)"
                " WHERE s.receipt_id = c.receipt_id",
                (
                    [r.receipt_id for r in changed],
                    [r.fate for r in changed],
                    [orjson.dumps(r.reasons).decode() for r in changed],
                ),
            )
        self._tx.execute(
            f"INSERT INTO intake.receipt ({_KEPT}, bundle_id) SELECT {_VALUES}, %s FROM stage_receipt WHERE fate <> 'accepted'",
            (self._bundle_id,),
        )
        self._tx.execute(
            'INSERT INTO intake.original (topic, partition, "offset", sealed)'
            " SELECT topic, partition, \"offset\", sealed FROM stage_receipt WHERE fate <> 'duplicate'"
        )

    def kept(self, signal_ids: Sequence[str]) -> set[str]:
        """Of which of these signals the report is still kept as it was received."""
        rows = self._tx.rows(
            "SELECT r.signal_id FROM unnest(%s::uuid[]) AS s(signal_id)"
            ' CROSS JOIN LATERAL (SELECT signal_id, topic, partition, "offset" FROM intake.receipt c'
            " WHERE c.signal_id = s.signal_id AND c.fate = 'accepted' AND c.action = 'report' OFFSET 0) r"
            ' JOIN intake.original o USING (topic, partition, "offset")',
            (list(signal_ids),),
        )
        return {signal_id for (signal_id,) in rows}

    def sources(self, signal_ids: Sequence[str]) -> list[SourceRow]:
        """The report of each of these signals and its corrections, in the order in which they were received."""
        rows = self._tx.rows(
            "SELECT r.signal_id, r.action, r.receipt_id, r.received_at, r.municipality, o.sealed"
            " FROM unnest(%s::uuid[]) AS s(signal_id)"
            # Two indexes, one for each: reports are many and corrections few.
            " CROSS JOIN LATERAL (SELECT * FROM intake.receipt c WHERE c.signal_id = s.signal_id AND c.fate = 'accepted'"
            "   AND c.action = 'report' UNION ALL SELECT * FROM intake.receipt c WHERE c.signal_id = s.signal_id"
            "   AND c.fate = 'accepted' AND c.action = 'correct' OFFSET 0) r"
            ' JOIN intake.original o USING (topic, partition, "offset") ORDER BY r.action = \'correct\', r.received_at, r."offset"',
            (list(signal_ids),),
        )
        return [
            SourceRow(signal_id, action, receipt_id, received_at, municipality, bytes(sealed))
            for signal_id, action, receipt_id, received_at, municipality, sealed in rows
        ]
