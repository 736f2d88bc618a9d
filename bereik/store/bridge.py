"""Rows of the schema `bridge`. Its login sees one case at a time through `bridging_<purpose>`, one sealed record through
`tracing_<purpose>`, and never two purposes in one query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID
from zlib import crc32

from psycopg.types.json import Jsonb

from bereik.ports import CaseView, FactRow, SideRow, TraceRow
from bereik.store import Tx

# Without it, two processes that look at the two sides of one family at the same moment would each find that the other
# side has left no trace yet, and the bridge would never arise.
_BRIDGE_LOCK = 7302


class BridgeRows:
    """Traces, bridges and sides."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def lock(self, municipalities: Iterable[str]) -> None:
        """Be the only process that looks at bridges in these municipalities, until the transaction ends."""
        self._tx.locks(_BRIDGE_LOCK, [crc32(code.encode()) & 0x7FFFFFFF for code in municipalities])

    def cases(self, wanted: Iterable[tuple[str, UUID]]) -> dict[UUID, CaseView]:
        """These cases, each read under the role of its own purpose."""
        views: dict[UUID, CaseView] = {}
        for purpose, case_ids in sorted(_by_purpose(wanted).items()):
            with self._tx.role(f"bridging_{purpose}"):
                facts: dict[UUID, list[FactRow]] = defaultdict(list)
                for row in self._tx.rows(
                    "SELECT case_id, kind, detail, stated_by, stated_at FROM casework.fact WHERE case_id = ANY(%s)",
                    (case_ids,),
                ):
                    facts[row[0]].append(FactRow(*row))
                for row in self._tx.rows(
                    "SELECT case_id, municipality, team, stands, first_signal, newest_signal"
                    " FROM casework.case WHERE case_id = ANY(%s)",
                    (case_ids,),
                ):
                    views[row[0]] = CaseView(
                        row[0], purpose, row[1], row[2], row[3], row[4], row[5], tuple(facts[row[0]])
                    )
        return views

    def sealed_records(self, wanted: Iterable[tuple[str, UUID]]) -> dict[UUID, bytes]:
        """The sealed records of these (purpose, signal): signal → value."""
        found: dict[UUID, bytes] = {}
        for purpose, signal_ids in sorted(_by_purpose(wanted).items()):
            with self._tx.role(f"tracing_{purpose}"):
                for signal_id, sealed in self._tx.rows(
                    "SELECT signal_id, sealed FROM vault.record WHERE signal_id = ANY(%s)", (signal_ids,)
                ):
                    found[signal_id] = bytes(sealed)
        return found

    def keep_traces(self, rows: Sequence[TraceRow]) -> None:
        """Keep the keyed hashes while there is a ground for them."""
        if rows:
            self._tx.execute(
                "INSERT INTO bridge.trace (case_id, purpose, toward, municipality, hash, ground) SELECT *"
                " FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::bytea[], %s::text[])"
                " ON CONFLICT (case_id, toward) DO UPDATE SET hash = excluded.hash, ground = excluded.ground",
                (
                    [row.case_id for row in rows],
                    [row.purpose for row in rows],
                    [row.toward for row in rows],
                    [row.municipality for row in rows],
                    [row.digest for row in rows],
                    [row.ground for row in rows],
                ),
            )

    def drop_traces(self, wanted: Sequence[tuple[UUID, str]]) -> set[UUID]:
        """Forget these hashes; the cases that had one."""
        if not wanted:
            return set()
        gone = self._tx.rows(
            "DELETE FROM bridge.trace t USING unnest(%s::uuid[], %s::text[]) AS w(case_id, toward)"
            " WHERE t.case_id = w.case_id AND t.toward = w.toward RETURNING t.case_id",
            ([case_id for case_id, _ in wanted], [toward for _, toward in wanted]),
        )
        return {row[0] for row in gone}

    def counterparts(self, wanted: Sequence[tuple[UUID, str]]) -> list[tuple[UUID, str, UUID]]:
        """(case, other purpose, other case) with the same hash; the other has one only if it has its own ground."""
        if not wanted:
            return []
        found = self._tx.rows(
            "SELECT m.case_id, o.purpose, o.case_id FROM bridge.trace m"
            " JOIN unnest(%s::uuid[], %s::text[]) AS w(case_id, toward) ON m.case_id = w.case_id AND m.toward = w.toward"
            " JOIN bridge.trace o ON o.municipality = m.municipality AND o.hash = m.hash"
            " AND o.purpose = m.toward AND o.toward = m.purpose ORDER BY 1, 3",
            ([case_id for case_id, _ in wanted], [toward for _, toward in wanted]),
        )
        return [(row[0], row[1], row[2]) for row in found]

    def save(
        self, bridge_id: UUID, ground: str, basis: str, state: str, sides: Sequence[SideRow], now: datetime
    ) -> bool:
        """Write the bridge and its two sides; True when its state changed."""
        opened = now if state == "open" else None
        changed = self._tx.rows(
            "INSERT INTO bridge.bridge (bridge_id, ground, basis, state, requested_at, opened_at) VALUES (%s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (bridge_id) DO UPDATE SET state = excluded.state, ground = excluded.ground, basis = excluded.basis,"
            " opened_at = excluded.opened_at, ended_at = NULL, end_reason = NULL WHERE bridge.state <> excluded.state"
            " RETURNING bridge_id",
            (bridge_id, ground, basis, state, now, opened),
        )
        for side in sides:
            self._tx.execute(
                "INSERT INTO bridge.side (bridge_id, purpose, case_id, municipality, team, shown) VALUES (%s, %s, %s, %s, %s, %s)"
                " ON CONFLICT (bridge_id, purpose) DO UPDATE SET team = excluded.team, shown = excluded.shown",
                (
                    bridge_id,
                    side.purpose,
                    side.case_id,
                    side.municipality,
                    side.team,
                    Jsonb(dict(side.shown)),
                ),
            )
        return bool(changed)

    def end_bridges(self, case_ids: Iterable[UUID], reason: str, now: datetime) -> dict[UUID, list[SideRow]]:
        """End every bridge of these cases; what was shown goes. Returns the sides to be told."""
        wanted = list(case_ids)
        if not wanted:
            return {}
        ended = self._tx.rows(
            "UPDATE bridge.bridge b SET state = 'ended', ended_at = %s, end_reason = %s FROM bridge.side s"
            " WHERE s.bridge_id = b.bridge_id AND s.case_id = ANY(%s) AND b.state <> 'ended' RETURNING b.bridge_id",
            (now, reason, wanted),
        )
        sides: dict[UUID, list[SideRow]] = defaultdict(list)
        for row in self._tx.rows(
            "UPDATE bridge.side SET shown = '{}' WHERE bridge_id = ANY(%s)"
            " RETURNING bridge_id, purpose, case_id, municipality, team",
            ([row[0] for row in ended],),
        ):
            sides[row[0]].append(SideRow(row[1], row[2], row[3], row[4], {}))
        return sides


def _by_purpose(wanted: Iterable[tuple[str, UUID]]) -> dict[str, list[UUID]]:
    found: dict[str, list[UUID]] = defaultdict(list)
    for purpose, case_id in wanted:
        found[purpose].append(case_id)
    return found
