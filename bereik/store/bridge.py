"""Rows of the schema `bridge`. Its login sees one case at a time through `bridging_<purpose>`, one sealed record through
`vault_<purpose>`, and never two purposes in one query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from bereik.ports import CaseView, FactRow, SideRow
from bereik.store import Tx


class BridgeRows:
    """Traces, bridges and sides."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def cases(self, wanted: Sequence[tuple[str, UUID]]) -> dict[UUID, CaseView]:
        """These cases, each read under the role of its own purpose."""
        by_purpose: dict[str, list[UUID]] = defaultdict(list)
        for purpose, case_id in wanted:
            by_purpose[purpose].append(case_id)
        views: dict[UUID, CaseView] = {}
        for purpose, case_ids in sorted(by_purpose.items()):
            with self._tx.role(f"bridging_{purpose}"):
                facts: dict[UUID, list[FactRow]] = defaultdict(list)
                for row in self._tx.rows(
                    "SELECT case_id, kind, detail, stated_by, stated_at FROM casework.fact WHERE case_id = ANY(%s)",
                    (case_ids,),
                ):
                    facts[row[0]].append(FactRow(*row))
                for row in self._tx.rows(
                    "SELECT case_id, municipality, team, (decision ->> 'stands')::boolean, first_signal"
                    " FROM casework.case WHERE case_id = ANY(%s)",
                    (case_ids,),
                ):
                    views[row[0]] = CaseView(
                        row[0], purpose, row[1], row[2], row[3], row[4], tuple(facts[row[0]])
                    )
        return views

    def sealed_record(self, purpose: str, case_id: UUID) -> tuple[UUID, bytes] | None:
        """The newest record behind a case, sealed."""
        with self._tx.role(f"bridging_{purpose}"):
            signals = self._tx.rows(
                "SELECT signal_id FROM casework.signal WHERE case_id = %s AND status = 'active'"
                " ORDER BY signal_date DESC, signal_id LIMIT 1",
                (case_id,),
            )
        if not signals:
            return None
        with self._tx.role(f"vault_{purpose}"):
            found = self._tx.rows(
                "SELECT signal_id, sealed FROM vault.record WHERE signal_id = %s", (signals[0][0],)
            )
        return (found[0][0], bytes(found[0][1])) if found else None

    def keep_trace(
        self, case_id: UUID, purpose: str, toward: str, municipality: str, digest: bytes, ground: str
    ) -> None:
        """Keep the keyed hash while there is a ground for it."""
        self._tx.execute(
            "INSERT INTO bridge.trace (case_id, purpose, toward, municipality, hash, ground) VALUES (%s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (case_id, toward) DO UPDATE SET hash = excluded.hash, ground = excluded.ground",
            (case_id, purpose, toward, municipality, digest, ground),
        )

    def drop_trace(self, case_id: UUID, toward: str) -> bool:
        """Forget the hash; True when there was one."""
        return (
            self._tx.execute(
                "DELETE FROM bridge.trace WHERE case_id = %s AND toward = %s", (case_id, toward)
            ).rowcount
            > 0
        )

    def counterparts(self, case_id: UUID, purpose: str, toward: str) -> list[UUID]:
        """Cases of the other purpose with the same hash, which are there only if they have a ground of their own."""
        found = self._tx.rows(
            "SELECT o.case_id FROM bridge.trace m JOIN bridge.trace o ON o.municipality = m.municipality AND o.hash = m.hash"
            " AND o.purpose = m.toward AND o.toward = m.purpose"
            " WHERE m.case_id = %s AND m.purpose = %s AND m.toward = %s ORDER BY o.case_id",
            (case_id, purpose, toward),
        )
        return [row[0] for row in found]

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

    def end_bridges(self, case_id: UUID, reason: str, now: datetime) -> dict[UUID, list[SideRow]]:
        """End every bridge of a case; what was shown goes. Returns the sides to be told."""
        ended = self._tx.rows(
            "UPDATE bridge.bridge b SET state = 'ended', ended_at = %s, end_reason = %s FROM bridge.side s"
            " WHERE s.bridge_id = b.bridge_id AND s.case_id = %s AND b.state <> 'ended' RETURNING b.bridge_id",
            (now, reason, case_id),
        )
        sides: dict[UUID, list[SideRow]] = defaultdict(list)
        for row in self._tx.rows(
            "UPDATE bridge.side SET shown = '{}' WHERE bridge_id = ANY(%s)"
            " RETURNING bridge_id, purpose, case_id, municipality, team",
            ([row[0] for row in ended],),
        ):
            sides[row[0]].append(SideRow(row[1], row[2], row[3], row[4], {}))
        return sides
