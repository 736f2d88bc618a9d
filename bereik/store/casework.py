"""Rows of the schema `casework`, always under the role of one purpose."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zlib import crc32

import orjson
from psycopg.types.json import Jsonb

from bereik.lifecycle import Fact
from bereik.ports import AlertRow, CaseRow, KnownCase, NoticeRow, PendingAlert, SignalRow
from bereik.store import Tx, by_index, uuids

_SIGNAL = {
    "signal_id": "uuid", "version": "int4", "status": "text", "subject": "uuid", "household_id": "uuid", "person_id": "uuid",
    "municipality": "text", "area": "text", "signal_type": "text", "partner": "text", "signal_date": "date",
    "received_at": "timestamptz", "facts": "jsonb", "reason": "text", "case_id": "uuid", "hint": "uuid",
    "told": "text",
}  # fmt: skip
_CASE = {
    "case_id": "uuid", "subject": "uuid", "municipality": "text", "area": "text", "version": "int4", "status": "text",
    "result": "text", "kind": "text", "crisis": "bool", "priority": "int4", "team": "text", "period": "text",
    "first_signal": "date", "newest_signal": "uuid", "received_at": "timestamptz", "offer_by": "date", "signals": "int4",
    "stands": "bool", "digest": "bytea", "decision": "jsonb", "alerted": "int4", "bundle_id": "int4", "decided_at": "timestamptz",
    "waits_until": "date",
}  # fmt: skip
_KNOWN = ("case_id", "subject", "version", "kind", "crisis", "team", "signals", "stands", "digest", "alerted")
_ALERT = {
    "case_id": "uuid", "alert_id": "uuid", "case_version": "int4", "municipality": "text", "team": "text", "reason": "text",
    "outlet": "text", "ordered_at": "timestamptz", "people": "int4", "due_at": "timestamptz",
}  # fmt: skip


# One lock per subject would fill PostgreSQL's lock table at some 10,000; a row per subject costs a write per signal.
_SUBJECT_LOCK, _PARTS = 7303, 60


def _read(columns: Iterable[str], types: Mapping[str, str]) -> str:
    """A select list that gives ids as text."""
    return ", ".join(f"{name}::text" if types[name] == "uuid" else name for name in columns)


def _travelling(types: Mapping[str, str]) -> dict[str, str]:
    """The same columns as they travel to a TEMP table: ids as text, and JSON as text that was written already."""
    return {name: "text" if kind in ("uuid", "jsonb") else kind for name, kind in types.items()}


class CaseworkRows:
    """Signals, cases and facts of one purpose."""

    def __init__(self, tx: Tx, purpose: str) -> None:
        self._tx, self._purpose = tx, purpose

    def subjects_of(self, signal_ids: Sequence[str]) -> set[str]:
        """Whose these signals are now."""
        rows = self._tx.rows(
            "SELECT DISTINCT subject::text FROM casework.signal WHERE signal_id = ANY(%s::uuid[])",
            (uuids(signal_ids),),
        )
        return {subject for (subject,) in rows}

    def lock_subjects(self, subjects: Sequence[str]) -> None:
        """Be the only one at work on these subjects until the transaction ends.

        Each stands for the sixtieth part of its purpose that it is in. The parts follow the hash by which messages are
        partitioned, so consumers of different partitions share no part as long as their number divides sixty.
        """
        parts = {crc32(subject.encode()) % _PARTS for subject in subjects}
        self._tx.locks(
            _SUBJECT_LOCK, [crc32(f"{self._purpose}|{part}".encode()) & 0x7FFFFFFF for part in parts]
        )

    def signals_of(self, subjects: Sequence[str], signal_ids: Sequence[str]) -> list[SignalRow]:
        """Every signal of these subjects, and these signals wherever they are."""
        columns = _read(_SIGNAL, _SIGNAL)
        found = self._tx.rows(by_index(columns, "casework.signal", "subject"), (uuids(subjects),))
        found += self._tx.rows(by_index(columns, "casework.signal", "signal_id"), (uuids(signal_ids),))
        return list({row[0]: SignalRow(*row) for row in found}.values())

    def subjects_of_month(self, month: str) -> list[str]:
        """Subjects with an active signal of a month (yyyy-mm)."""
        rows = self._tx.rows(
            "SELECT DISTINCT subject::text FROM casework.signal WHERE status = 'active'"
            " AND signal_date >= %s::date AND signal_date < %s::date + interval '1 month' ORDER BY 1",
            (f"{month}-01", f"{month}-01"),
        )
        return [subject for (subject,) in rows]

    def cases_of(self, subjects: Sequence[str]) -> list[KnownCase]:
        """Every case of these subjects, as far as a fold compares with it."""
        found = self._tx.rows(by_index(_read(_KNOWN, _CASE), "casework.case", "subject"), (uuids(subjects),))
        return [KnownCase(*row) for row in found]

    def facts_of(self, case_ids: Sequence[str]) -> list[Fact]:
        """What people stated about these cases."""
        if not case_ids:
            return []
        found = self._tx.rows(
            by_index("case_id, kind, detail, stated_by, stated_at, fact_id", "casework.fact", "case_id")
            + " ORDER BY stated_at, fact_id",
            (uuids(case_ids),),
        )
        return [Fact(*row[:5]) for row in found]

    def save(self, signals: Sequence[SignalRow], cases: Sequence[CaseRow]) -> None:
        """Write what changed: one row per signal and per case."""
        self._upsert(
            "signal",
            _SIGNAL,
            [
                (
                    s.signal_id, s.version, s.status, s.subject, s.household_id, s.person_id, s.municipality, s.area, s.signal_type,
                    s.partner, s.signal_date, s.received_at, orjson.dumps(s.facts).decode(), s.reason, s.case_id, s.hint, s.told,
                )
                for s in signals
            ],
        )  # fmt: skip
        self._upsert(
            "case",
            _CASE,
            [
                (
                    c.case_id, c.subject, c.municipality, c.area, c.version, c.status, c.result, c.kind, c.crisis, c.priority,
                    c.team, c.period, c.first_signal, c.newest_signal, c.received_at, c.offer_by, c.signals, c.stands, c.digest,
                    orjson.dumps(c.decision).decode(), c.alerted, c.bundle_id, c.decided_at, c.waits_until,
                )
                for c in cases
            ],
        )  # fmt: skip

    def case(self, case_id: str) -> CaseRow | None:
        """One case."""
        found = self._tx.rows(
            f"SELECT {_read(_CASE, _CASE)} FROM casework.case WHERE case_id = %s", (case_id,)
        )
        return CaseRow(*found[0]) if found else None

    def recent_cases(self, municipality: str, since: date) -> list[CaseRow]:
        """The cases of a municipality that somebody must act on, and those that came since a day and have ended by now."""
        found = self._tx.rows(
            f"SELECT {_read(_CASE, _CASE)} FROM casework.case WHERE municipality = %s AND purpose = %s"
            " AND (stands OR received_at >= %s) AND signals > 0",
            (municipality, self._purpose, since),
        )
        return [CaseRow(*row) for row in found]

    def cases_received(self, municipality: str, first: date, last: date) -> list[CaseRow]:
        """The cases of a municipality that came in on these days (in the Netherlands; both count)."""
        found = self._tx.rows(
            f"SELECT {_read(_CASE, _CASE)} FROM casework.case WHERE municipality = %s AND purpose = %s"
            " AND (received_at AT TIME ZONE 'Europe/Amsterdam')::date BETWEEN %s AND %s",
            (municipality, self._purpose, first, last),
        )
        return [CaseRow(*row) for row in found]

    def told_people(
        self, municipality: str, reasons: Sequence[str], first: date, last: date
    ) -> dict[tuple[str, date], int]:
        """(reason, day) → of how many people alerts for these reasons told on that day (in the Netherlands; both days count).

        Of one case, which stands for all people of one team, the most that was told on a day counts.
        """
        rows = self._tx.rows(
            "SELECT reason, day, sum(people) FROM ("
            "  SELECT reason, (ordered_at AT TIME ZONE 'Europe/Amsterdam')::date AS day, case_id, max(people) AS people"
            "  FROM casework.alert WHERE purpose = %s AND municipality = %s AND reason = ANY(%s) GROUP BY 1, 2, 3"
            ") told WHERE day BETWEEN %s AND %s GROUP BY 1, 2",
            (self._purpose, municipality, list(reasons), first, last),
        )
        return {(reason, day): people for reason, day, people in rows}

    def matched(self) -> dict[tuple[str, str], date]:
        """(municipality, period) → the day on which a month was matched before the day its policy names."""
        rows = self._tx.rows(
            "SELECT municipality, period, matched_on FROM casework.matching WHERE purpose = %s",
            (self._purpose,),
        )
        return {(municipality, period): on for municipality, period, on in rows}

    def waiting(self) -> list[tuple[str, str, date, int]]:
        """(municipality, period, until, cases) of every month in which cases wait to be matched."""
        return [
            (municipality, period, until, number)
            for municipality, period, until, number in self._tx.rows(
                "SELECT municipality, period, max(waits_until), count(*) FROM casework.case"
                " WHERE purpose = %s AND waits_until IS NOT NULL AND signals > 0 GROUP BY 1, 2 ORDER BY 1, 2",
                (self._purpose,),
            )
        ]

    def delivered(self, municipality: str, period: str) -> set[str]:
        """The partners that reported anything in a municipality with a date in that month."""
        rows = self._tx.rows(
            "SELECT DISTINCT partner FROM casework.signal WHERE purpose = %s AND municipality = %s"
            " AND signal_date >= to_date(%s, 'YYYY-MM') AND signal_date < to_date(%s, 'YYYY-MM') + interval '1 month'",
            (self._purpose, municipality, period, period),
        )
        return {partner for (partner,) in rows}

    def match(self, municipality: str, period: str, on: date) -> None:
        """Take down that a month is matched; the first day stays."""
        self._tx.execute(
            "INSERT INTO casework.matching (purpose, municipality, period, matched_on) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            (self._purpose, municipality, period, on),
        )

    def subjects_waiting(self, municipality: str, period: str) -> list[str]:
        """Whose cases wait for a month to be matched."""
        rows = self._tx.rows(
            "SELECT DISTINCT subject::text FROM casework.case WHERE purpose = %s AND municipality = %s AND period = %s"
            " AND waits_until IS NOT NULL ORDER BY 1",
            (self._purpose, municipality, period),
        )
        return [subject for (subject,) in rows]

    def add_fact(self, fact_id: str, fact: Fact) -> None:
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

    def _upsert(self, table: str, types: Mapping[str, str], rows: Sequence[Sequence[object]]) -> None:
        if not rows:
            return
        source, given = self._tx.source(f"stage_{table}_{self._purpose}", _travelling(types), rows)
        key, *others = types
        values = ", ".join(f"{name}::{kind}" for name, kind in types.items())
        changes = ", ".join(f"{name} = excluded.{name}" for name in others)
        self._tx.execute(
            f"INSERT INTO casework.{table} ({', '.join(types)}, purpose) SELECT {values}, %(purpose)s FROM {source}"
            f" ON CONFLICT ({key}) DO UPDATE SET {changes}",
            {**given, "purpose": self._purpose},
        )


class OutreachRows:
    """Alerts of one purpose."""

    def __init__(self, tx: Tx, purpose: str) -> None:
        self._tx, self._purpose = tx, purpose

    def tell(self, rows: Sequence[AlertRow]) -> None:
        """Put alerts on the board; one that is there already stays as it is."""
        source, given = self._tx.source(
            f"stage_alert_{self._purpose}",
            _travelling(_ALERT),
            [
                (
                    a.case_id,
                    a.alert_id,
                    a.case_version,
                    a.municipality,
                    a.team,
                    a.reason,
                    a.outlet,
                    a.ordered_at,
                    a.people,
                    a.due_at,
                )
                for a in rows
            ],
        )
        values = ", ".join(f"{name}::{kind}" for name, kind in _ALERT.items())
        self._tx.execute(
            f"INSERT INTO casework.alert ({', '.join(_ALERT)}, purpose) SELECT {values}, %(purpose)s FROM {source}"
            " ON CONFLICT (case_id, alert_id) DO NOTHING",
            {**given, "purpose": self._purpose},
        )

    def told(self, case_ids: Sequence[str], alert_ids: Sequence[str]) -> set[str]:
        """Which of these alerts somebody was told already."""
        found = self._tx.rows(
            "SELECT alert_id FROM casework.alert WHERE case_id = ANY(%s::uuid[]) AND alert_id = ANY(%s::uuid[])",
            (uuids(case_ids), uuids(alert_ids)),
        )
        return {alert_id for (alert_id,) in found}

    def due(self, open_word: str, now: datetime, limit: int) -> list[PendingAlert]:
        """Alerts that are due, with what their case is now; of each team and reason the oldest so many, so that none waits for
        another. `open_word` is the state in which nobody acted.
        """
        return self._pending(
            open_word,
            "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY municipality, team, reason ORDER BY due_at, alert_id)"
            " AS place FROM casework.alert WHERE due_at <= %s) AS d WHERE place <= %s",
            (now, limit),
        )

    def fresh(
        self, open_word: str, now: datetime, teams: Collection[tuple[str, str]], limit: int
    ) -> list[PendingAlert]:
        """Alerts of these (municipality, team) that nobody was told yet and that are not due yet, oldest first."""
        if not teams:
            return []
        return self._pending(
            open_word,
            "SELECT a.* FROM casework.alert a JOIN unnest(%s::text[], %s::text[]) AS t (municipality, team)"
            " USING (municipality, team) WHERE a.due_at > %s AND a.times = 0 ORDER BY a.due_at, a.alert_id LIMIT %s",
            ([code for code, _ in teams], [team for _, team in teams], now, limit),
        )

    def _pending(self, open_word: str, alerts: str, values: Sequence[Any]) -> list[PendingAlert]:
        rows = self._tx.rows(
            # The alerts first and then the case of each: in one join every alert that waits met its case.
            f"WITH a AS MATERIALIZED ({alerts})"
            " SELECT a.alert_id, a.case_id, a.municipality, a.team, a.reason, a.ordered_at, a.due_at, a.times,"
            " c.priority, c.offer_by, c.stands, c.stands AND c.status = %s, coalesce(c.decision->'route'->'path', '[]'),"
            " a.people FROM a CROSS JOIN LATERAL (SELECT * FROM casework.case WHERE case_id = a.case_id OFFSET 0) AS c"
            " ORDER BY a.due_at, a.alert_id",
            (*values, open_word),
        )
        return [PendingAlert(*row) for row in rows]

    def settle(self, due: Mapping[tuple[str, str], datetime | None], told: bool) -> None:
        """When each of these (case, alert) is due again, or None for never; counts a telling when they were told."""
        if not due:
            return
        self._tx.execute(
            "UPDATE casework.alert a SET due_at = d.due_at, times = a.times + %s"
            " FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[]) AS d (case_id, alert_id, due_at)"
            " WHERE a.case_id = d.case_id AND a.alert_id = d.alert_id",
            (
                int(told),
                [case_id for case_id, _ in due],
                [alert_id for _, alert_id in due],
                list(due.values()),
            ),
        )

    def make_notices(self, rows: Sequence[NoticeRow]) -> None:
        """Write down what will be sent; the same message once."""
        for row in rows:
            self._tx.execute(
                "INSERT INTO casework.notice (notice_id, purpose, municipality, team, outlet, target, urgent, message,"
                " made_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (
                    row.notice_id, self._purpose, row.municipality, row.team, row.outlet, row.target, row.urgent,
                    Jsonb(dict(row.message)), row.made_at,
                ),
            )  # fmt: skip

    def notices(self, limit: int) -> list[NoticeRow]:
        """What waits to be sent: urgent ones first, then the oldest."""
        rows = self._tx.rows(
            "SELECT notice_id, purpose, municipality, team, outlet, target, urgent, message, made_at, tries"
            " FROM casework.notice WHERE state = 'waiting' ORDER BY urgent DESC, made_at, notice_id LIMIT %s",
            (limit,),
        )
        return [NoticeRow(*row) for row in rows]

    def tried(self, notice_id: str, number: int, outcome: str, state: str, at: datetime) -> None:
        """Write down one try and where the notice stands after it."""
        self._tx.execute(
            "INSERT INTO casework.notice_try (notice_id, number, purpose, outcome, tried_at) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            (notice_id, number, self._purpose, outcome, at),
        )
        self._tx.execute(
            "UPDATE casework.notice SET state = %s, tries = %s, outcome = %s,"
            " done_at = CASE WHEN %s = 'waiting' THEN NULL ELSE %s::timestamptz END WHERE notice_id = %s",
            (state, number, outcome, state, at, notice_id),
        )
