"""Rows of the schema `bridge`. Its login sees one case at a time through `bridging_<purpose>`, one sealed record through
`tracing_<purpose>`, and never two purposes in one query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from zlib import crc32

import orjson

from bereik.bridge import ANNOUNCED
from bereik.lifecycle import Fact
from bereik.ports import AnnouncedRow, CaseView, SideRow, TraceRow
from bereik.store import ACTIVE, Ids, Tx, by_index, members, uuids

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

    def noted(self, wanted: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of these (purpose, case) about which anybody stated or reported anything, or that have left a trace."""
        found: set[tuple[str, str]] = set()
        for purpose, case_ids in sorted(_by_purpose(wanted).items()):
            ids = uuids(case_ids)
            with self._tx.role(f"bridging_{purpose}"):
                rows = self._tx.rows(by_index("case_id", "casework.fact", "case_id"), (ids,))
                rows += self._tx.rows(
                    by_index("case_id", "casework.signal", "case_id", only="consent IS NOT NULL"),
                    (ids,),
                )
            rows += self._tx.rows(by_index("case_id", "bridge.trace", "case_id"), (ids,))
            rows += self._tx.rows(by_index("case_id", "bridge.announced", "case_id"), (ids,))
            found |= {(purpose, row[0]) for row in rows}
        return found

    def cases(self, wanted: Iterable[tuple[str, str]]) -> dict[str, CaseView]:
        """These cases, each read under the role of its own purpose."""
        views: dict[str, CaseView] = {}
        for purpose, case_ids in sorted(_by_purpose(wanted).items()):
            ids = uuids(case_ids)
            with self._tx.role(f"bridging_{purpose}"):
                facts: dict[str, list[Fact]] = defaultdict(list)
                for row in self._tx.rows(
                    by_index("case_id, kind, detail, stated_by, stated_at", "casework.fact", "case_id"),
                    (ids,),
                ):
                    facts[row[0]].append(Fact(*row))
                views |= self._views(purpose, ids, facts)
        return views

    def _views(self, purpose: str, ids: Ids, facts: Mapping[str, Sequence[Fact]]) -> dict[str, CaseView]:
        columns: dict[str, tuple[str, str, bool, date, str | None]] = {}
        people: dict[str, dict[str, str]] = defaultdict(dict)
        announced: dict[str, list[Fact]] = defaultdict(list)
        case = by_index(
            "case_id, subject, municipality, team, stands, first_signal, newest_signal",
            *("casework.case", "case_id"),
        )
        signals = members("g.person_id, g.signal_id, g.signal_date, g.received_at, g.consent", ACTIVE)
        for (
            case_id,
            place,
            team,
            stands,
            first,
            newest,
            person_id,
            signal_id,
            received_at,
            consent,
        ) in self._tx.rows(
            "SELECT c.case_id, c.municipality, c.team, c.stands, c.first_signal, c.newest_signal::text,"
            f" s.person_id, s.signal_id, s.received_at, s.consent FROM ({case}) AS c"
            f" LEFT JOIN {signals} ON true ORDER BY s.signal_date, s.received_at, s.signal_id",
            (ids,),
        ):
            columns[case_id] = (place, team, stands, first, newest)
            if person_id is not None:
                people[case_id][person_id] = signal_id
            if consent is not None:
                detail = {**consent, "person_id": person_id}
                announced[case_id].append(Fact(case_id, ANNOUNCED, detail, "partner", received_at))
        return {
            case_id: CaseView(
                case_id, purpose, place, team, stands, first, newest, tuple(facts.get(case_id, ())), people[case_id],
                tuple(announced.get(case_id, ())),
            )
            for case_id, (place, team, stands, first, newest) in columns.items()
        }  # fmt: skip

    def sealed_records(self, wanted: Iterable[tuple[str, str]]) -> dict[str, bytes]:
        """The sealed records of these (purpose, signal): signal → value."""
        found: dict[str, bytes] = {}
        for purpose, signal_ids in sorted(_by_purpose(wanted).items()):
            with self._tx.role(f"tracing_{purpose}"):
                for signal_id, sealed in self._tx.raw.execute(
                    by_index("signal_id::text, sealed", "vault.record", "signal_id"),
                    (uuids(signal_ids),),
                    prepare=True,
                    binary=True,
                ):
                    found[signal_id] = bytes(sealed)
        return found

    def announce(self, concerned: Iterable[tuple[str, str]], rows: Sequence[AnnouncedRow]) -> set[str]:
        """Of these (other purpose, case) these rows are announced, and nothing else any more; the cases with a new one."""
        for toward, case_ids in sorted(_by_purpose(concerned).items()):
            kept = [row for row in rows if row.toward == toward]
            self._tx.execute(
                "DELETE FROM bridge.announced WHERE case_id = ANY(%s::uuid[]) AND toward = %s"
                " AND (case_id, person_id) NOT IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))",
                (
                    uuids(case_ids),
                    toward,
                    uuids([one.case_id for one in kept]),
                    uuids([one.person_id for one in kept]),
                ),
            )
        fresh: set[str] = set()
        for row in rows:
            found = self._tx.rows(
                "INSERT INTO bridge.announced (case_id, purpose, toward, municipality, person_id, form, who, announced_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (case_id, toward, person_id) DO UPDATE"
                # A partner may correct on which form it was, or who signed.
                " SET form = excluded.form, who = excluded.who, announced_at = excluded.announced_at"
                " WHERE (announced.form, announced.who) <> (excluded.form, excluded.who) RETURNING case_id",
                (
                    row.case_id, row.purpose, row.toward, row.municipality, row.person_id, row.form, row.who,
                    row.announced_at,
                ),
            )  # fmt: skip
            fresh |= {case_id for (case_id,) in found}
        return fresh

    def keep_traces(self, rows: Sequence[TraceRow]) -> None:
        """Keep the keyed hashes while there is a ground for them."""
        if rows:
            source, given = self._tx.source(
                "stage_trace",
                dict.fromkeys(("case_id", "purpose", "toward", "municipality", "ground"), "text")
                | {"hash": "bytea"},
                [
                    (row.case_id, row.purpose, row.toward, row.municipality, row.ground, row.digest)
                    for row in rows
                ],
            )
            self._tx.execute(
                "INSERT INTO bridge.trace (case_id, purpose, toward, municipality, ground, hash)"
                f" SELECT case_id::uuid, purpose, toward, municipality, ground, hash FROM {source}"
                " ON CONFLICT (case_id, toward) DO UPDATE SET hash = excluded.hash, ground = excluded.ground"
                " WHERE (trace.hash, trace.ground) <> (excluded.hash, excluded.ground)",
                given,
            )

    def drop_traces(self, wanted: Iterable[tuple[str, str]]) -> set[str]:
        """Forget the hashes of these (other purpose, case); the cases that had one."""
        gone: set[str] = set()
        for toward, case_ids in sorted(_by_purpose(wanted).items()):
            rows = self._tx.rows(
                "DELETE FROM bridge.trace WHERE case_id = ANY(%s::uuid[]) AND toward = %s RETURNING case_id",
                (uuids(case_ids), toward),
            )
            gone |= {row[0] for row in rows}
        return gone

    def counterparts(self, wanted: Iterable[tuple[str, str]]) -> list[tuple[str, str, str]]:
        """For these (other purpose, case): (case, other purpose, other case) with the same hash.

        The other has one only if it has its own ground.
        """
        found: list[tuple[str, str, str]] = []
        for toward, case_ids in sorted(_by_purpose(wanted).items()):
            rows = self._tx.rows(
                "SELECT m.case_id, met.purpose, met.case_id FROM bridge.trace m,"
                # OFFSET 0: looked up for each, also while the table has no statistics.
                " LATERAL (SELECT o.purpose, o.case_id FROM bridge.trace o WHERE o.municipality = m.municipality"
                " AND o.hash = m.hash AND o.purpose = m.toward AND o.toward = m.purpose OFFSET 0) AS met"
                " WHERE m.case_id = ANY(%s::uuid[]) AND m.toward = %s ORDER BY 1, 3",
                (uuids(case_ids), toward),
            )
            found += [(row[0], row[1], row[2]) for row in rows]
        return found

    def save(
        self, bridge_id: str, ground: str, basis: str, state: str, sides: Sequence[SideRow], now: datetime
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
        columns = [
            (side.purpose, side.case_id, side.municipality, side.team, orjson.dumps(side.shown).decode())
            for side in sides
        ]
        self._tx.execute(
            "INSERT INTO bridge.side (bridge_id, purpose, case_id, municipality, team, shown)"
            " SELECT %s, * FROM unnest(%s::text[], %s::uuid[], %s::text[], %s::text[], %s::jsonb[])"
            " ON CONFLICT (bridge_id, purpose) DO UPDATE SET team = excluded.team, shown = excluded.shown",
            (bridge_id, *(list(column) for column in zip(*columns, strict=True))),
        )
        return bool(changed)

    def end_bridges(self, case_ids: Iterable[str], reason: str, now: datetime) -> dict[str, list[SideRow]]:
        """End every bridge of these cases; what was shown goes. Returns the sides to be told."""
        wanted = list(case_ids)
        if not wanted:
            return {}
        ended = self._tx.rows(
            "UPDATE bridge.bridge b SET state = 'ended', ended_at = %s, end_reason = %s FROM bridge.side s"
            " WHERE s.bridge_id = b.bridge_id AND s.case_id = ANY(%s::uuid[]) AND b.state <> 'ended' RETURNING b.bridge_id",
            (now, reason, uuids(wanted)),
        )
        sides: dict[str, list[SideRow]] = defaultdict(list)
        for row in self._tx.rows(
            "UPDATE bridge.side SET shown = '{}' WHERE bridge_id = ANY(%s)"
            " RETURNING bridge_id, purpose, case_id, municipality, team",
            ([row[0] for row in ended],),
        ):
            sides[row[0]].append(SideRow(row[1], row[2], row[3], row[4], {}))
        return sides


def _by_purpose(wanted: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for purpose, found_id in wanted:
        found[purpose].append(found_id)
    return found
