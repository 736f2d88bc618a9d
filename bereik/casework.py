"""Casework: fold the assignments of a subject into cases, and order the alerts. It knows no names.

Withdraw, correct, move and erase are all the same event with a higher version; only the highest per signal counts.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Any, Protocol
from uuid import UUID

import orjson

from bereik import cases
from bereik.bundle import Bundle, Purpose
from bereik.intake import subject_of
from bereik.ports import (
    NEVER,
    Assignment,
    Box,
    CaseRow,
    CaseworkTables,
    FactRow,
    Keys,
    Letter,
    Outbox,
    Record,
    SignalRow,
)
from bereik.signal import unpack

SIGNALS = "signals."

# The order of a uuid in PostgreSQL is that of its bytes, which is that of its number; comparing numbers is quicker.
_AS_NUMBER = attrgetter("int")
CLOSED = "closed"


class CaseworkTx(Outbox, Protocol):
    """The transaction as casework sees it: one purpose at a time, and never the vault."""

    def casework(self, purpose_id: str) -> AbstractContextManager[CaseworkTables]: ...
    def park_position(self, letter: Letter, error: str) -> None: ...


class Casework:
    """The step of the casework consumer under one bundle."""

    def __init__(self, bundle: Bundle, bundle_id: int, keys: Keys) -> None:
        self._bundle, self._bundle_id = bundle, bundle_id
        self._boxes: dict[str, Box] = {name: keys.box(f"purpose|{name}") for name in bundle.purposes}

    def prepare(self, records: Sequence[Record]) -> dict[str, list[Assignment]]:
        """The assignments in the batch, per purpose, in order."""
        found: dict[str, list[Assignment]] = defaultdict(list)
        for record in records:
            assignments = found[record.topic.removeprefix(SIGNALS)]
            assignments += [read_assignment(event) for event in unpack(record.value)]
        return found

    def write(self, prepared: Mapping[str, list[Assignment]], tx: CaseworkTx) -> None:
        """Fold each purpose's assignments into its cases."""
        for purpose_id in sorted(prepared):
            purpose = self._bundle.purposes[purpose_id]
            subjects = {
                subject_of(a.person_id, a.household_id, purpose.subject) for a in prepared[purpose_id]
            }
            subjects |= {a.previous_subject for a in prepared[purpose_id] if a.previous_subject is not None}
            with tx.casework(purpose_id) as tables:
                outcome = self.fold(purpose, prepared[purpose_id], subjects, tables)
            self._tell(purpose_id, outcome, tx)

    def refold(self, purpose_id: str, subjects: Iterable[UUID], tx: CaseworkTx) -> None:
        """Decide these subjects again, because people stated something or the rules changed."""
        with tx.casework(purpose_id) as tables:
            outcome = self.fold(self._bundle.purposes[purpose_id], [], set(subjects), tables)
        self._tell(purpose_id, outcome, tx)

    def park(self, letter: Letter, error: str, tx: CaseworkTx) -> None:
        """Set a message of ours aside by its coordinates."""
        tx.park_position(letter, error)

    # ------------------------------------------------------------ the fold around the pure rules

    def fold(
        self, purpose: Purpose, assignments: Sequence[Assignment], subjects: set[UUID], tables: CaseworkTables
    ) -> list[tuple[CaseRow, cases.Notify | None]]:
        """Lock the subjects in id order, bring their signals up to date, decide, and save what changed."""
        ordered = sorted(subjects, key=_AS_NUMBER)
        tables.lock_subjects(ordered)
        known = {row.signal_id: row for row in tables.signals_of(ordered, [a.signal_id for a in assignments])}
        members: dict[UUID, set[UUID]] = defaultdict(set)
        for stored_row in known.values():
            if stored_row.case_id is not None and stored_row.status == "active":
                members[stored_row.case_id].add(stored_row.signal_id)
        changed: dict[UUID, SignalRow] = {}
        since: dict[UUID, date] = {}
        for assignment in assignments:
            before = known.get(assignment.signal_id)
            row = self._newer(assignment, before, purpose)
            if row is not None:
                for one in (before or row, row):
                    since[one.subject] = min(one.signal_date, since.get(one.subject, date.max))
                known[row.signal_id] = changed[row.signal_id] = row
        touched = (
            subjects
            if not assignments
            else {row.subject for row in changed.values()}
            | {
                a.previous_subject
                for a in assignments
                if a.previous_subject is not None and a.signal_id in changed
            }
        )
        stored: dict[UUID, dict[UUID, CaseRow]] = defaultdict(dict)
        for case in tables.cases_of(list(touched)):
            stored[case.subject][case.case_id] = case
        facts: dict[UUID, list[FactRow]] = defaultdict(list)
        for fact in tables.facts_of([case_id for found in stored.values() for case_id in found]):
            facts[fact.case_id].append(fact)
        signals: dict[UUID, list[SignalRow]] = defaultdict(list)
        for row in known.values():
            signals[row.subject].append(row)
        now = datetime.now(UTC)
        outcome: list[tuple[CaseRow, cases.Notify | None]] = []
        for subject in sorted(touched, key=_AS_NUMBER):
            outcome += self._decide(
                subject,
                signals[subject],
                stored[subject],
                facts,
                members,
                since.get(subject),
                purpose,
                tables,
                changed,
                now,
            )
        tables.save(list(changed.values()), [row for row, _ in outcome])
        return outcome

    def _newer(self, assignment: Assignment, row: SignalRow | None, purpose: Purpose) -> SignalRow | None:
        """The row after this assignment, or None when it brings nothing new."""
        if row is not None and assignment.version <= row.version:
            return None
        subject = subject_of(assignment.person_id, assignment.household_id, purpose.subject)
        if assignment.status == "withdrawn":
            if row is None:
                # Its first version is still on the way, on this same partition; it will find a higher version here.
                return SignalRow(
                    assignment.signal_id, assignment.version, "withdrawn", subject, assignment.household_id, assignment.person_id,
                    "", None, "", "", date.min, NEVER, {}, assignment.reason, None,
                )  # fmt: skip
            row.version, row.status, row.reason = assignment.version, "withdrawn", assignment.reason
            return row
        return SignalRow(
            assignment.signal_id, assignment.version, "active", subject, assignment.household_id, assignment.person_id,
            assignment.municipality, assignment.area, assignment.signal_type, assignment.partner, assignment.signal_date,
            assignment.received_at, assignment.facts, None, row.case_id if row is not None else None,
        )  # fmt: skip

    def _decide(
        self,
        subject: UUID,
        rows: Sequence[SignalRow],
        stored: Mapping[UUID, CaseRow],
        facts: Mapping[UUID, Sequence[FactRow]],
        members: Mapping[UUID, set[UUID]],
        since: date | None,
        purpose: Purpose,
        tables: CaseworkTables,
        changed: dict[UUID, SignalRow],
        now: datetime,
    ) -> list[tuple[CaseRow, cases.Notify | None]]:
        active = [row for row in rows if row.status == "active"]
        closings = [
            cases.Closing(f.case_id, f.stated_at)
            for case_id in stored
            for f in facts[case_id]
            if f.kind == CLOSED
        ]
        decisions = cases.decide([_signal(row) for row in active], closings, purpose, self._bundle, since)
        by_id = {row.signal_id: row for row in rows}
        outcome: list[tuple[CaseRow, cases.Notify | None]] = []
        for decision in decisions:
            case_id = decision.case_id or self._boxes[purpose.id].id(f"case|{decision.anchor}")
            for signal_id in decision.signals:
                if by_id[signal_id].case_id != case_id:
                    by_id[signal_id].case_id = case_id
                    changed[signal_id] = by_id[signal_id]
            before = stored.get(case_id)
            document = _document(decision)
            digest = hashlib.blake2b(orjson.dumps(document), digest_size=16).digest()
            if before is not None and before.digest == digest:
                continue
            reason = cases.notify(_before(before, members), decision)
            outcome.append(
                (
                    self._case_row(case_id, subject, by_id, decision, document, digest, before, reason, now),
                    reason,
                )
            )
        held = {row.case_id for row in active}
        for case_id, before in stored.items():
            if case_id not in held and before.signals:
                outcome.append(self._emptied(before, purpose, tables, now))
        return outcome

    def _case_row(
        self,
        case_id: UUID,
        subject: UUID,
        rows: Mapping[UUID, SignalRow],
        decision: cases.Case,
        document: dict[str, Any],
        digest: bytes,
        before: CaseRow | None,
        reason: cases.Notify | None,
        now: datetime,
    ) -> CaseRow:
        return CaseRow(
            case_id=case_id,
            subject=subject,
            household_id=rows[decision.signals[-1]].household_id,
            municipality=decision.municipality,
            area=decision.area,
            version=before.version + 1 if before is not None else 1,
            status=decision.status,
            result=decision.result,
            kind=decision.kind.value,
            crisis=decision.crisis,
            priority=decision.priority,
            team=decision.route.team,
            period=decision.period,
            first_signal=decision.first_signal,
            newest_signal=decision.signals[-1],
            received_at=decision.received_at,
            offer_by=decision.offer_by,
            signals=len(decision.signals),
            stands=decision.stands,
            digest=digest,
            decision=document,
            alerted=(before.alerted if before is not None else 0) + (reason is not None),
            bundle_id=self._bundle_id,
            decided_at=now,
        )

    def _emptied(
        self, before: CaseRow, purpose: Purpose, tables: CaseworkTables, now: datetime
    ) -> tuple[CaseRow, cases.Notify | None]:
        """A case whose signals are all gone: withdrawn. Its team is told when it was told before."""
        word = purpose.state("withdrawn") or purpose.states[-1]
        text = cases.reason_text(cases.Reason.WITHDRAWN)
        reason = cases.Notify.WITHDRAWN if before.stands else None
        before.decision = {
            **tables.decision(before.case_id),
            "standing": False,
            "stands": False,
            "status": word.id,
            "reasons": [text],
            "signals": [],
        }
        before.version, before.status, before.result = before.version + 1, word.id, None
        before.stands, before.digest = False, b""
        before.newest_signal = None
        before.signals, before.alerted = 0, before.alerted + (reason is not None)
        before.bundle_id, before.decided_at = self._bundle_id, now
        return before, reason

    # ------------------------------------------------------------ telling

    def _tell(
        self, purpose_id: str, outcome: Sequence[tuple[CaseRow, cases.Notify | None]], tx: CaseworkTx
    ) -> None:
        box = self._boxes[purpose_id]
        tx.send(f"cases.{purpose_id}", [case_message(row, purpose_id) for row, _ in outcome])
        tx.send(
            f"alerts.{purpose_id}",
            [
                alert_message(
                    box,
                    purpose_id,
                    row.case_id,
                    row.version,
                    row.municipality,
                    row.team,
                    reason.value,
                    row.decided_at,
                )
                for row, reason in outcome
                if reason is not None
            ],
        )


def _signal(row: SignalRow) -> cases.Signal:
    return cases.Signal(
        row.signal_id, row.signal_type, row.partner, row.municipality, row.area, row.signal_date, row.received_at, row.facts,
        row.case_id,
    )  # fmt: skip


def _before(row: CaseRow | None, members: Mapping[UUID, set[UUID]]) -> cases.Before | None:
    if row is None:
        return None
    return cases.Before(row.stands, row.team, row.kind, row.crisis, frozenset(members.get(row.case_id, ())))


def _document(decision: cases.Case) -> dict[str, Any]:
    """The decision as stored and compared: everything but the id and the time of deciding."""
    return {
        "signals": [str(signal_id) for signal_id in decision.signals],
        "period": decision.period,
        "status": decision.status,
        "result": decision.result,
        "kind": decision.kind.value,
        "crisis": decision.crisis,
        "standing": True,
        "stands": decision.stands,
        "priority": decision.priority,
        "priority_reason": dict(decision.priority_reason),
        "labels": {name: list(values) for name, values in decision.labels.items()},
        "route": {"team": decision.route.team, "path": list(decision.route.path)},
        "reasons": [dict(reason) for reason in decision.reasons],
        "first_signal": decision.first_signal.isoformat(),
        "received_at": decision.received_at.isoformat(),
        "offer_by": decision.offer_by.isoformat(),
        "offer_in": decision.offer_in,
    }


def read_assignment(event: Mapping[str, Any]) -> Assignment:
    """An assignment from its event."""
    data = event["data"]
    previous = data["previous_subject"]
    household = data["household_id"]
    return Assignment(
        signal_id=UUID(data["signal_id"]),
        version=data["version"],
        status=data["status"],
        person_id=UUID(data["person_id"]),
        household_id=UUID(household) if household else None,
        municipality=data["municipality"],
        area=data["area"],
        signal_type=data["signal_type"],
        partner=data["partner"],
        signal_date=date.fromisoformat(data["signal_date"]),
        received_at=datetime.fromisoformat(data["received_at"]),
        facts=data["facts"],
        reason=data["reason"],
        previous_subject=UUID(previous) if previous else None,
    )


def case_message(row: CaseRow, purpose_id: str) -> tuple[bytes, bytes]:
    """A case as a message for `cases.<purpose>`, keyed by subject: what it is, and nothing about whom."""
    body = {
        "specversion": "1.0",
        "id": f"{row.case_id}:{row.version}",
        "source": f"urn:bereik:{purpose_id}",
        "type": "nl.bereik.zaak-besloten.v1",
        "datacontenttype": "application/json",
        "data": {
            "case_id": row.case_id,
            "version": row.version,
            "municipality": row.municipality,
            "team": row.team,
            "status": row.status,
            "kind": row.kind,
            "crisis": row.crisis,
            "stands": row.stands,
        },
    }
    return str(row.subject).encode(), orjson.dumps(body)


def alert_message(
    box: Box,
    purpose_id: str,
    case_id: UUID,
    version: int,
    municipality: str,
    team: str,
    reason: str,
    at: datetime,
    mark: str = "",
) -> tuple[bytes, bytes]:
    """An alert as a message for `alerts.<purpose>`: a reference and a reason, never a name or an amount."""
    alert_id = box.id(f"alert|{case_id}|{version}|{reason}|{mark}")
    body = {
        "specversion": "1.0",
        "id": str(alert_id),
        "source": f"urn:bereik:{purpose_id}",
        "type": "nl.bereik.team-gewaarschuwd.v1",
        "datacontenttype": "application/json",
        "data": {
            "alert_id": alert_id,
            "case_id": case_id,
            "case_version": version,
            "municipality": municipality,
            "team": team,
            "reason": reason,
            "ordered_at": at,
        },
    }
    return str(case_id).encode(), orjson.dumps(body, option=orjson.OPT_UTC_Z)
