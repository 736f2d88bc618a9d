"""Rows of the schema `casework`, always under the role of one purpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from bereik.ports import AlertRow, CaseRow, FactRow, SignalRow
from bereik.store import Tx

_SIGNAL = (
    "signal_id", "version", "status", "subject", "household_id", "person_id", "municipality", "area", "signal_type", "partner",
    "signal_date", "received_at", "facts", "reason", "case_id",
)  # fmt: skip
_SIGNAL_TYPES = (
    "uuid", "int4", "text", "uuid", "uuid", "uuid", "text", "text", "text", "text", "date", "timestamptz", "jsonb", "text", "uuid",
)  # fmt: skip
_CASE = (
    "case_id", "subject", "household_id", "municipality", "area", "version", "status", "result", "kind", "crisis", "priority",
    "team", "period", "first_signal", "newest_signal", "received_at", "offer_by", "signals", "stands", "digest", "decision",
    "alerted", "bundle_id", "decided_at",
)  # fmt: skip
_CASE_TYPES = (
    "uuid", "uuid", "uuid", "text", "text", "int4", "text", "text", "text", "bool", "int4",
    "text", "text", "date", "uuid", "timestamptz", "date", "int4", "bool", "bytea", "jsonb", "int4", "int4",
    "timestamptz",
)  # fmt: skip
# A fold compares by digest, so it need not read and parse a kilobyte of decision for every stored case.
_LOADED = ", ".join("'{}'::jsonb" if name == "decision" else name for name in _CASE)


class CaseworkRows:
    """Subjects, signals, cases and facts of one purpose."""

    def __init__(self, tx: Tx, purpose: str) -> None:
        self._tx, self._purpose = tx, purpose

    def lock_subjects(self, subjects: Sequence[UUID]) -> None:
        """Make the subjects known and lock their rows in id order."""
        self._tx.execute(
            "INSERT INTO casework.subject (subject, purpose)"
            " SELECT s, %s FROM unnest(%s::uuid[]) s ORDER BY s ON CONFLICT DO NOTHING",
            (self._purpose, list(subjects)),
        )
        self._tx.execute(
            "SELECT 1 FROM casework.subject WHERE subject = ANY(%s) ORDER BY subject FOR UPDATE",
            (list(subjects),),
        )

    def signals_of(self, subjects: Sequence[UUID], signal_ids: Sequence[UUID]) -> list[SignalRow]:
        """Every signal of these subjects, and these signals wherever they are."""
        columns = ", ".join(_SIGNAL)
        found = self._tx.rows(
            f"SELECT {columns} FROM casework.signal WHERE subject = ANY(%s)"
            f" UNION ALL SELECT {columns} FROM casework.signal WHERE signal_id = ANY(%s) AND subject <> ALL(%s)",
            (list(subjects), list(signal_ids), list(subjects)),
        )
        return [SignalRow(*row) for row in found]

    def cases_of(self, subjects: Sequence[UUID]) -> list[CaseRow]:
        """Every case of these subjects."""
        found = self._tx.rows(
            f"SELECT {_LOADED} FROM casework.case WHERE subject = ANY(%s)", (list(subjects),)
        )
        return [CaseRow(*row) for row in found]

    def facts_of(self, case_ids: Sequence[UUID]) -> list[FactRow]:
        """What people stated about these cases."""
        if not case_ids:
            return []
        found = self._tx.rows(
            "SELECT case_id, kind, detail, stated_by, stated_at FROM casework.fact WHERE case_id = ANY(%s) ORDER BY stated_at",
            (list(case_ids),),
        )
        return [FactRow(*row) for row in found]

    def save(self, signals: Sequence[SignalRow], cases: Sequence[CaseRow]) -> None:
        """Write what changed: one row per signal and per case."""
        self._upsert(
            "signal",
            _SIGNAL,
            _SIGNAL_TYPES,
            [
                (
                    s.signal_id, s.version, s.status, s.subject, s.household_id, s.person_id, s.municipality, s.area, s.signal_type,
                    s.partner, s.signal_date, s.received_at, Jsonb(s.facts), s.reason, s.case_id,
                )
                for s in signals
            ],
        )  # fmt: skip
        self._upsert(
            "case",
            _CASE,
            _CASE_TYPES,
            [
                (
                    c.case_id, c.subject, c.household_id, c.municipality, c.area, c.version, c.status, c.result, c.kind, c.crisis,
                    c.priority, c.team, c.period, c.first_signal, c.newest_signal, c.received_at, c.offer_by, c.signals,
                    c.stands, c.digest, Jsonb(c.decision), c.alerted, c.bundle_id, c.decided_at,
                )
                for c in cases
            ],
        )  # fmt: skip

    def case(self, case_id: UUID) -> CaseRow | None:
        """One case."""
        found = self._tx.rows(f"SELECT {', '.join(_CASE)} FROM casework.case WHERE case_id = %s", (case_id,))
        return CaseRow(*found[0]) if found else None

    def decision(self, case_id: UUID) -> dict[str, Any]:
        """The whole stored decision of one case."""
        found: dict[str, Any] = self._tx.rows(
            "SELECT decision FROM casework.case WHERE case_id = %s", (case_id,)
        )[0][0]
        return found

    def add_fact(self, fact_id: UUID, fact: FactRow) -> None:
        """Take down what a person stated."""
        self._tx.execute(
            "INSERT INTO casework.fact (fact_id, purpose, case_id, kind, detail, stated_by, stated_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (
                fact_id,
                self._purpose,
                fact.case_id,
                fact.kind,
                Jsonb(dict(fact.detail)),
                fact.stated_by,
                fact.stated_at,
            ),
        )

    def _upsert(
        self, table: str, columns: Sequence[str], types: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> None:
        if not rows:
            return
        stage = f"stage_{table}_{self._purpose}"
        shape = ", ".join(f"{name} {kind}" for name, kind in zip(columns, types, strict=True))
        self._tx.execute(f"CREATE TEMP TABLE IF NOT EXISTS {stage} ({shape}) ON COMMIT DELETE ROWS")
        self._tx.copy(stage, columns, types, iter(rows))
        names = ", ".join(columns)
        changes = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
        self._tx.execute(
            f"INSERT INTO casework.{table} ({names}, purpose) SELECT {names}, %s FROM {stage}"
            f" ON CONFLICT ({columns[0]}) DO UPDATE SET {changes}",
            (self._purpose,),
        )


class OutreachRows:
    """Alerts and stated facts of one purpose."""

    def __init__(self, tx: Tx, purpose: str) -> None:
        self._tx, self._purpose = tx, purpose

    def tell(self, rows: Sequence[AlertRow]) -> None:
        """Put alerts on the board; one that is there already stays as it is."""
        self._tx.execute(
            "INSERT INTO casework.alert (alert_id, purpose, case_id, case_version, municipality, team, reason, outlet, ordered_at)"
            " SELECT * FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::int[], %s::text[], %s::text[], %s::text[], %s::text[],"
            " %s::timestamptz[])"
            " ON CONFLICT (case_id, alert_id) DO NOTHING",
            self._columns(rows),
        )

    def _columns(self, rows: Sequence[AlertRow]) -> tuple[list[object], ...]:
        return (
            [row.alert_id for row in rows],
            [self._purpose] * len(rows),
            [row.case_id for row in rows],
            [row.case_version for row in rows],
            [row.municipality for row in rows],
            [row.team for row in rows],
            [row.reason for row in rows],
            [row.outlet for row in rows],
            [row.ordered_at for row in rows],
        )
