"""What the national delivery may read of one purpose: its cases, what was done in them, and the sealed records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from psycopg.types.json import Jsonb

from bereik.lifecycle import Fact
from bereik.store import Tx, uuids

# What the delivery tells of: who took a case up and what was tried. Consents, checks and promises stay inside.
_TOLD = ["taken_up", "handed_over", "closed", "reopened", "attempt"]


@dataclass(frozen=True, slots=True)
class CaseToDeliver:
    """One case of the period, as stored. `passed`: signal id → the state of one that is not counted."""

    case_id: str
    status: str
    result: str | None
    period: str
    matched_on: date
    passed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SignalToDeliver:
    """One signal of such a case; who it is about is sealed, and so is the number of whoever is surely meant."""

    signal_id: str
    case_id: str
    signal_type: str
    signal_date: date
    facts: Mapping[str, Any]
    status: str
    person_id: str
    sealed: bytes = field(repr=False)
    bsn: bytes | None = field(repr=False)


def note(tx: Tx, purpose: str, municipality: str, first: date, last: date, signals: int) -> None:
    """Write in the log that a delivery was made, and of how many signals; never of whom."""
    tx.execute(
        "INSERT INTO audit.act (actor, act, purpose, detail) VALUES (session_user, 'ddas_delivered', %s, %s)",
        (
            purpose,
            Jsonb(
                {
                    "municipality": municipality,
                    "from": first.isoformat(),
                    "to": last.isoformat(),
                    "signals": signals,
                }
            ),
        ),
    )


class DeliveryRows:
    """Cases, signals and facts of one purpose, read only."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def cases(self, municipality: str, first: date, last: date) -> list[CaseToDeliver]:
        """The cases of a period, both days included: a signal is dated in it, or somebody did something in it."""
        found = self._tx.rows(
            "SELECT case_id, status, result, period, matched_on, passed FROM casework.case c WHERE municipality = %(town)s"
            " AND (EXISTS (SELECT 1 FROM casework.signal s WHERE s.case_id = c.case_id"
            "   AND s.signal_date BETWEEN %(first)s AND %(last)s)"
            " OR EXISTS (SELECT 1 FROM casework.fact f WHERE f.case_id = c.case_id AND f.kind = ANY(%(told)s)"
            "   AND (f.stated_at AT TIME ZONE 'Europe/Amsterdam')::date BETWEEN %(first)s AND %(last)s))"
            " ORDER BY case_id",
            {"town": municipality, "first": first, "last": last, "told": _TOLD},
        )
        return [CaseToDeliver(*row) for row in found]

    def signals(self, case_ids: Sequence[str]) -> dict[str, list[SignalToDeliver]]:
        """The signals of these cases that are known in full, by case."""
        by_case: dict[str, list[SignalToDeliver]] = defaultdict(list)
        for row in self._tx.rows(
            "SELECT s.signal_id, s.case_id, s.signal_type, s.signal_date, s.facts, s.status, s.person_id,"
            # A number counts when the register surely meant this person, or a person said that it did.
            " r.sealed, d.bsn FROM casework.signal s JOIN vault.record r USING (signal_id)"
            " LEFT JOIN vault.residency d ON d.case_id = s.case_id AND d.person_id = s.person_id"
            "   AND (d.choice = 'register' OR (d.choice IS NULL AND d.answer = 'unique'))"
            " WHERE s.case_id = ANY(%s::uuid[]) AND s.status <> 'moved' ORDER BY s.signal_id",
            (uuids(case_ids),),
        ):
            by_case[row[1]].append(SignalToDeliver(*row))
        return by_case

    def facts(self, case_ids: Sequence[str]) -> dict[str, list[Fact]]:
        """What was done in these cases, by case; not by whom."""
        by_case: dict[str, list[Fact]] = defaultdict(list)
        for case_id, kind, detail, stated_at in self._tx.rows(
            "SELECT case_id, kind, detail, stated_at FROM casework.fact WHERE case_id = ANY(%s::uuid[])"
            " AND kind = ANY(%s) ORDER BY stated_at, fact_id",
            (uuids(case_ids), _TOLD),
        ):
            by_case[case_id].append(Fact(case_id, kind, detail, "", stated_at))
        return by_case
