"""Casework: fold the assignments of a subject into cases, and order the alerts. It knows no names.

Withdraw, correct, move and erase are all the same event with a higher version; only the highest per signal counts.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Protocol

import orjson

from bereik import cases, contact, feedback, lifecycle, reasons
from bereik.bundle import Bundle
from bereik.days import local_day
from bereik.declared.purposes import Purpose
from bereik.lifecycle import Fact
from bereik.ports import (
    Box,
    CaseRow,
    CaseworkTables,
    Keys,
    KnownCase,
    Letter,
    Outbox,
    Record,
    SignalRow,
)
from bereik.signal import unpack

SIGNALS = "signals."


class CaseworkTx(Outbox, Protocol):
    """The transaction as casework sees it: one purpose at a time, and never the vault."""

    def casework(self, purpose_id: str) -> AbstractContextManager[CaseworkTables]: ...
    def park_position(self, letter: Letter, error: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _Turn:
    """What all subjects of one fold share.

    `members`: which signals each stored case held; `changed` is added to; `mark` is part of the name of a new case;
    `gone`: case → why signals of it were taken back;
    `told` are the signals whose partner may hear another word; `corrected` those that their partner mended.
    """

    purpose: Purpose
    tables: CaseworkTables
    facts: Mapping[str, Sequence[Fact]]
    members: Mapping[str, set[str]]
    changed: dict[str, SignalRow]
    mark: str
    now: datetime
    matched: Mapping[tuple[str, str], date]
    gone: Mapping[str, cases.Notify]
    words: feedback.Words
    told: list[tuple[str, str]]
    corrected: set[str]


@dataclass(slots=True)
class Holding:
    """What is stored of one subject: its active signals, and what was stated about each of its cases."""

    signals: list[cases.Signal] = field(default_factory=list)
    facts: dict[str, list[Fact]] = field(default_factory=dict)


def holdings(subjects: Sequence[str], tables: CaseworkTables) -> dict[str, Holding]:
    """These subjects with what they hold, in three statements however many there are. Nothing is locked."""
    found = {subject: Holding() for subject in subjects}
    for row in tables.signals_of(subjects, []):
        if row.status == cases.ACTIVE:
            found[row.subject].signals.append(signal_of(row))
    owners = {case.case_id: case.subject for case in tables.cases_of(subjects)}
    for fact in tables.facts_of(sorted(owners)):
        found[owners[fact.case_id]].facts.setdefault(fact.case_id, []).append(fact)
    return found


def utc_now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


class Casework:
    """The step of the casework consumer under one bundle."""

    def __init__(
        self, bundle: Bundle, bundle_id: int, keys: Keys, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._bundle, self._bundle_id, self._clock = bundle, bundle_id, clock
        # Only where some municipality does not match continuously is there anything to look up.
        self._delivered = {
            name
            for town in bundle.municipalities.values()
            for name, policy in town.policies.items()
            if policy.matching is not None
        }
        self._boxes: dict[str, Box] = {name: keys.box(f"purpose|{name}") for name in bundle.purposes}

    def prepare(self, records: Sequence[Record]) -> dict[str, list[SignalRow]]:
        """The assignments in the batch, per purpose, in order."""
        found: dict[str, list[SignalRow]] = defaultdict(list)
        for record in records:
            purpose_id = record.topic.removeprefix(SIGNALS)
            subject = self._bundle.purposes[purpose_id].subject
            found[purpose_id] += [read_assignment(event, subject) for event in unpack(record.value)]
        return found

    def write(self, prepared: Mapping[str, list[SignalRow]], tx: CaseworkTx) -> None:
        """Fold each purpose's assignments into its cases."""
        for purpose_id in sorted(prepared):
            arrived = prepared[purpose_id]
            subjects = {row.subject for row in arrived}
            with tx.casework(purpose_id) as tables:
                told: list[tuple[str, str]] = []
                outcome = self.fold(self._bundle.purposes[purpose_id], arrived, subjects, tables, told)
            self._tell(purpose_id, outcome, told, tx)

    def refold(self, purpose_id: str, subjects: Iterable[str], tx: CaseworkTx) -> None:
        """Decide these subjects again, because people stated something or the rules changed."""
        with tx.casework(purpose_id) as tables:
            told: list[tuple[str, str]] = []
            outcome = self.fold(self._bundle.purposes[purpose_id], [], set(subjects), tables, told)
        self._tell(purpose_id, outcome, told, tx)

    def check(
        self,
        purpose_id: str,
        case: CaseRow,
        kind: str,
        detail: Mapping[str, Any],
        by: str,
        now: datetime,
        tables: CaseworkTables,
    ) -> None:
        """Whether this may be stated about a case as it stands. Raises `IllegalMove` with the reason."""
        purpose = self._bundle.purposes[purpose_id]
        teams = [
            team.id
            for team in self._bundle.municipalities[case.municipality].teams
            if team.purpose == purpose_id
        ]
        today = local_day(now)
        lifecycle.check(
            kind, detail, purpose, purpose.when(case.status), teams, today, cases.people_of(case.decision)
        )
        rules = self._bundle.municipalities[case.municipality].policies[purpose_id].contact
        if rules is not None and kind in contact.CHECKED and by != contact.BY_RULE:
            for known in self.known(purpose_id, [case], tables):
                seen = contact.view(known, rules, today)
                contact.check(kind, detail, known.facts, seen.progress, purpose, today)

    def known(
        self, purpose_id: str, rows: Sequence[CaseRow], tables: CaseworkTables
    ) -> list[contact.Subject]:
        """These cases as contact looks at them: with their active signals, their facts, and their address's other letters."""
        purpose = self._bundle.purposes[purpose_id]
        found = holdings(sorted({row.subject for row in rows}), tables)
        known = []
        for row in rows:
            held = found[row.subject]
            signals = [signal for signal in held.signals if signal.case_id == row.case_id]
            rules = self._bundle.municipalities[row.municipality].policies[purpose_id].contact
            letters = [
                attempt.day
                for case_id, facts in held.facts.items()
                if rules is not None and case_id != row.case_id
                for attempt in contact.attempts_of(facts)
                if attempt.contact in rules.letters
            ]
            if signals:
                facts = held.facts.get(row.case_id, [])
                known.append(
                    contact.read(row.case_id, row, signals, facts, purpose, self._bundle.kinds, letters)
                )
        return known

    def park(self, letter: Letter, error: str, tx: CaseworkTx) -> None:
        """Set a message of ours aside by its coordinates."""
        tx.park_position(letter, error)

    # ------------------------------------------------------------ the fold around the pure rules

    def fold(
        self,
        purpose: Purpose,
        arrived: Sequence[SignalRow],
        subjects: set[str],
        tables: CaseworkTables,
        told: list[tuple[str, str]] | None = None,
    ) -> list[tuple[CaseRow, cases.Notify | None]]:
        """Lock the subjects, bring their signals up to date, decide, and save what changed.

        `told` is filled with the signals whose partner may hear another word than before, and that word.
        """
        # A version after the first may find its signal elsewhere than it says: moved, taken back or corrected.
        known_before = [row.signal_id for row in arrived if row.status != cases.ACTIVE or row.version > 1]
        if known_before:
            subjects = subjects | tables.subjects_of(known_before)
        ordered = sorted(subjects)
        tables.lock_subjects(ordered)
        known = {row.signal_id: row for row in tables.signals_of(ordered, [row.signal_id for row in arrived])}
        elsewhere = {
            row.subject
            for one in arrived
            if (row := known.get(one.signal_id)) and (one.version > row.version or row.status == cases.MOVED)
        } - subjects
        if elsewhere:
            # Its move was here before it, or another consumer moved it between the look and the lock.
            return self.fold(purpose, arrived, subjects | elsewhere, tables, told)
        members: dict[str, set[str]] = defaultdict(set)
        for row in known.values():
            if row.case_id is not None and row.status == cases.ACTIVE:
                members[row.case_id].add(row.signal_id)
        changed: dict[str, SignalRow] = {}
        corrected: set[str] = set()
        since: dict[str, date] = {}
        for one in arrived:
            before = known.get(one.signal_id)
            newer = _newer(one, before)
            if newer is None:
                continue
            for each in (before or newer, newer):
                since[each.subject] = min(each.signal_date, since.get(each.subject, date.max))
            known[newer.signal_id] = changed[newer.signal_id] = newer
            if before is not None and before.status == one.status == cases.ACTIVE:
                corrected.add(newer.signal_id)
        touched = set(since) if arrived else subjects
        facing = sorted(touched)
        stored: dict[str, dict[str, KnownCase]] = defaultdict(dict)
        for case in tables.cases_of(facing):
            stored[case.subject][case.case_id] = case
        mark = ""
        if known_before:
            _follow(stored, known.values(), changed)
            # A signal that lost its case to an older one may have begun that case: each move names the cases it makes.
            mark = next(
                (f"|{one.signal_id}:{one.version}" for one in arrived if one.signal_id in changed), ""
            )
        facts: dict[str, list[Fact]] = defaultdict(list)
        for fact in tables.facts_of([case_id for found in stored.values() for case_id in found]):
            facts[fact.case_id].append(fact)
        signals: dict[str, list[SignalRow]] = defaultdict(list)
        for row in known.values():
            signals[row.subject].append(row)
        turn = _Turn(
            purpose, tables, facts, members, changed, mark, self._clock(),
            tables.matched() if purpose.id in self._delivered else {}, self._gone(known.values()),
            feedback.words(self._bundle, purpose.id), told if told is not None else [], corrected,
        )  # fmt: skip
        outcome: list[tuple[CaseRow, cases.Notify | None]] = []
        for subject in facing:
            outcome += self._decide(subject, signals[subject], stored[subject], since.get(subject), turn)
        tables.save(list(changed.values()), [row for row, _ in outcome])
        return outcome

    def _decide(
        self,
        subject: str,
        rows: Sequence[SignalRow],
        stored: Mapping[str, KnownCase],
        since: date | None,
        turn: _Turn,
    ) -> list[tuple[CaseRow, cases.Notify | None]]:
        active = {row.signal_id: row for row in rows if row.status == cases.ACTIVE}
        facts = [fact for case_id in stored for fact in turn.facts.get(case_id, ())]
        signals = [signal_of(row) for row in active.values()]
        decisions = cases.decide(signals, facts, turn.purpose, self._bundle, turn.now, since, turn.matched)
        outcome: list[tuple[CaseRow, cases.Notify | None]] = []
        for decision in decisions:
            case_id = decision.case_id or self._boxes[turn.purpose.id].id(
                f"case|{decision.anchor}{turn.mark}"
            )
            for signal_id in decision.signals:
                row = active[signal_id]
                if row.case_id != case_id:
                    row.case_id = case_id
                    turn.changed[signal_id] = row
                _hear(row, decision.when, decision.result, turn)
            before = stored.get(case_id)
            document = _document(decision)
            digest = _digest(decision, document)
            mended = not turn.corrected.isdisjoint(decision.signals)
            same = before is not None and before.digest == digest and before.subject == subject
            if same and not mended:
                continue
            gone = turn.gone.get(case_id, cases.Notify.WITHDRAWN)
            reason = cases.notify(_before(before, turn.members), decision, gone, mended)
            row_now = self._case_row(case_id, subject, decision, document, digest, before, reason, turn.now)
            outcome.append((row_now, reason))
        for row in rows:
            if row.status == cases.WITHDRAWN and row.signal_id in turn.changed:
                _hear(row, cases.WITHDRAWN, None, turn)
        held = {row.case_id for row in active.values()}
        for case_id, case in stored.items():
            if case_id not in held and case.signals:
                outcome.append(self._emptied(case, turn))
        return outcome

    def _case_row(
        self,
        case_id: str,
        subject: str,
        decision: cases.Case,
        document: Mapping[str, Any],
        digest: bytes,
        before: KnownCase | None,
        reason: cases.Notify | None,
        now: datetime,
    ) -> CaseRow:
        return CaseRow(
            case_id=case_id,
            subject=subject,
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
            waits_until=decision.waits_until,
        )

    def _emptied(self, before: KnownCase, turn: _Turn) -> tuple[CaseRow, cases.Notify | None]:
        """A case whose signals are all gone: withdrawn. Its team is told when it was told before."""
        row = turn.tables.case(before.case_id)
        assert row is not None
        gone = turn.gone.get(before.case_id, cases.Notify.WITHDRAWN)
        reason = gone if row.stands else None
        row.decision = {**row.decision, "reasons": [reasons.reason(reasons.Reason(gone.value))]}
        row.version += 1
        if row.stands or not any(fact.kind == lifecycle.CLOSED for fact in turn.facts.get(row.case_id, ())):
            # What a worker closed keeps the outcome it was closed with.
            word = turn.purpose.state("withdrawn") or turn.purpose.states[-1]
            row.status, row.result = word.id, turn.purpose.withdrawn(gone.value)
        row.stands, row.digest, row.newest_signal, row.waits_until = False, b"", None, None
        row.signals, row.alerted = 0, row.alerted + (reason is not None)
        row.bundle_id, row.decided_at = self._bundle_id, turn.now
        return row, reason

    def _gone(self, rows: Iterable[SignalRow]) -> dict[str, cases.Notify]:
        """Case → why its partners took signals back."""
        words: dict[str, list[str | None]] = defaultdict(list)
        for row in rows:
            if row.status == cases.WITHDRAWN and row.case_id is not None:
                words[row.case_id].append(self._bundle.kinds[row.signal_type].because.get(row.reason or ""))
        return {case_id: cases.withdrawn_because(found) for case_id, found in words.items()}

    # ------------------------------------------------------------ a mover's case

    def take_over(
        self, purpose_id: str, case_id: str, person_id: str, toward: str, mark: str, tx: CaseworkTx
    ) -> str | None:
        """Begin a case in another municipality that goes on from this one for one person; its id.

        What crosses is the moment of the first receipt and whether the short term of a crisis runs: no id of the person, no
        fact, no partner. None where nothing can go on: this purpose has no such case, or the signals were all taken back.
        """
        purpose, box = self._bundle.purposes[purpose_id], self._boxes[purpose_id]
        with tx.casework(purpose_id) as tables:
            row = tables.case(case_id)
            held = [
                one
                for one in (tables.signals_of([row.subject], []) if row is not None else ())
                if (one.case_id, one.person_id, one.status) == (case_id, person_id, cases.ACTIVE)
            ]
            if purpose.taken_over is None or row is None or not held:
                return None
            received = min(one.received_at for one in held)
            crisis = any(
                cases.flagged(signal_of(one), self._bundle.kinds[one.signal_type].crisis_field)
                for one in held
            )
            person = box.id(f"taken-over-person|{mark}")
            arrived = SignalRow(
                box.id(f"taken-over|{mark}"), 1, cases.ACTIVE, person, None, person, toward, None,
                purpose.taken_over.id, f"gemeente-{row.municipality}", local_day(received), received,
                {name: True for name in purpose.taken_over.fact_fields if crisis}, None,
            )  # fmt: skip
            told: list[tuple[str, str]] = []
            outcome = self.fold(purpose, [arrived], {person}, tables, told)
        self._tell(purpose_id, outcome, told, tx)
        return outcome[0][0].case_id

    def tell_team(
        self, purpose_id: str, case_id: str, reason: str, mark: str, now: datetime, tx: CaseworkTx
    ) -> None:
        """Tell the team of a case something that did not change the case."""
        with tx.casework(purpose_id) as tables:
            row = tables.case(case_id)
        if row is not None:
            box, place = self._boxes[purpose_id], (row.municipality, row.team)
            message = alert_message(box, purpose_id, case_id, 0, *place, reason, now, mark)
            tx.send(f"alerts.{purpose_id}", [message])

    # ------------------------------------------------------------ when a month is matched

    def match(self, purpose_id: str, tx: CaseworkTx, ready: bool = False) -> int:
        """Decide again what waits for a month that can be matched by now; returns how many cases did.

        A month can be matched on the day that the municipality's policy names, or once every partner that is expected to
        deliver has done so, where the policy says that. `ready`: match whatever waits, as in a month that is over.
        """
        now = self._clock()
        today, done = local_day(now), 0
        purpose = self._bundle.purposes[purpose_id]
        with tx.casework(purpose_id) as tables:
            due = [
                (municipality, period, number)
                for municipality, period, until, number in tables.waiting()
                if ready or until <= today or self._complete(purpose, municipality, period, today, tables)
            ]
            for municipality, period, _ in due:
                tables.match(municipality, period, today)
        for municipality, period, number in due:
            with tx.casework(purpose_id) as tables:
                subjects = tables.subjects_waiting(municipality, period)
            self.refold(purpose_id, subjects, tx)
            done += number
        return done

    def _complete(
        self, purpose: Purpose, municipality: str, period: str, today: date, tables: CaseworkTables
    ) -> bool:
        """Whether every partner with an agreement in force there has reported something with a date in that month."""
        policy = self._bundle.municipalities[municipality].policies.get(purpose.id)
        if policy is None or policy.matching is None or not policy.matching.delivered:
            return False
        types = {kind.id for kind in self._bundle.signal_types.values() if kind.purpose == purpose.id}
        expected = {
            partner.id
            for partner in self._bundle.partners.values()
            for agreement in partner.agreements
            if agreement.municipality == municipality
            and agreement.in_force(today)
            and agreement.signal_types & types
        }
        return bool(expected) and expected <= tables.delivered(municipality, period)

    # ------------------------------------------------------------ telling

    def _tell(
        self,
        purpose_id: str,
        outcome: Sequence[tuple[CaseRow, cases.Notify | None]],
        told: Sequence[tuple[str, str]],
        tx: CaseworkTx,
    ) -> None:
        box, now = self._boxes[purpose_id], self._clock()
        if told:
            words = [feedback.word_message(signal_id, word, now) for signal_id, word in told]
            tx.send(f"words.{purpose_id}", words)
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


def _hear(row: SignalRow, when: str, result: str | None, turn: _Turn) -> None:
    """Remember the word that the partner of a signal may hear now, when it is another than before.

    Never back to the first one: that would tell a partner that something else came in about the same address.
    """
    word = turn.words.of(when, result, row)
    if word not in (turn.words.first, row.told):
        row.told = word
        turn.changed[row.signal_id] = row
        turn.told.append((row.signal_id, word))


def signal_of(row: SignalRow) -> cases.Signal:
    return cases.Signal(
        row.signal_id, row.signal_type, row.partner, row.municipality, row.area, row.signal_date, row.received_at, row.facts,
        row.case_id, row.person_id,
    )  # fmt: skip


def _newer(arrived: SignalRow, before: SignalRow | None) -> SignalRow | None:
    """The row after an assignment, or None when it brings nothing new."""
    active = arrived.status == cases.ACTIVE
    if before is None:
        # When it only moves or withdraws, its first version is still on the way and will find a higher version here.
        return arrived
    if arrived.version <= before.version:
        if not active or before.status != cases.MOVED:
            return None
        # Its move was here before it: now the facts come, and it stays where it was moved to.
        return replace(
            arrived, version=before.version, subject=before.subject, household_id=before.household_id,
            person_id=before.person_id, case_id=before.case_id, told=before.told,
        )  # fmt: skip
    if active:
        return replace(arrived, case_id=before.case_id, told=before.told, hint=arrived.hint or before.hint)
    return replace(
        before, version=arrived.version, status=before.status if arrived.status == cases.MOVED else arrived.status,
        subject=arrived.subject, household_id=arrived.household_id, person_id=arrived.person_id,
        reason=arrived.reason or before.reason,
    )  # fmt: skip


def _follow(
    stored: dict[str, dict[str, KnownCase]], rows: Iterable[SignalRow], changed: dict[str, SignalRow]
) -> None:
    """A case, with all that people did in it, goes with its oldest active signal when that one moves."""
    touched = {row.case_id for row in changed.values()}
    members: dict[str, list[SignalRow]] = defaultdict(list)
    for row in rows:
        if row.case_id is not None and row.case_id in touched and row.status == cases.ACTIVE:
            members[row.case_id].append(row)
    for case_id, held in members.items():
        subject = min(held, key=lambda row: signal_of(row).order).subject
        for found in list(stored.values()):
            if case_id in found and found[case_id].subject != subject:
                stored[subject][case_id] = found.pop(case_id)
                break
        for row in held:
            if row.subject != subject:
                row.case_id = None
                changed[row.signal_id] = row


def _before(case: KnownCase | None, members: Mapping[str, set[str]]) -> cases.Before | None:
    if case is None:
        return None
    return cases.Before(
        case.stands, case.team, case.kind, case.crisis, frozenset(members.get(case.case_id, ()))
    )


def _document(decision: cases.Case) -> dict[str, Any]:
    """What no column of the case says, as codes and values: `reasons.spoken` puts it in words."""
    return {
        "reasons": decision.reasons,
        "priority_reason": decision.priority_reason,
        "route": {"path": decision.route.path},
        "offer_in": decision.offer_in,
        "taken_up_at": decision.taken_up_at,
        "holder": decision.holder,
        "matched_on": decision.matched_on,
        "passed": decision.passed,
        "upgraded": decision.upgraded,
        "last_letter": decision.last_letter,
        "people": decision.people,
    }


def _digest(decision: cases.Case, document: Mapping[str, Any]) -> bytes:
    """What two decisions are compared by: everything but the id and the time of deciding."""
    columns = (
        decision.signals, decision.period, decision.status, decision.result, decision.kind.value, decision.crisis,
        decision.stands, decision.priority, decision.municipality, decision.area, decision.route.team,
        decision.first_signal, decision.received_at, decision.offer_by, document,
    )  # fmt: skip
    return hashlib.blake2b(orjson.dumps(columns), digest_size=16).digest()


def read_assignment(event: Mapping[str, Any], subject: str) -> SignalRow:
    """An assignment from its event; whose signal it is depends on what the purpose's cases are about."""
    data = event["data"]
    person, household = data["person_id"], data["household_id"]
    return SignalRow(
        data["signal_id"], data["version"], data["status"], cases.subject_of(person, household, data["crowded"], subject),
        household, person,
        data["municipality"], data["area"], data["signal_type"], data["partner"], date.fromisoformat(data["signal_date"]),
        datetime.fromisoformat(data["received_at"]), data["facts"], data["reason"], None, data["hint"],
    )  # fmt: skip


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
    return row.subject.encode(), orjson.dumps(body)


def alert_id_of(box: Box, case_id: str, version: int, reason: str, mark: str = "") -> str:
    """The id of an alert: the same occasion has the same one, however often it is told."""
    return box.id(f"alert|{case_id}|{version}|{reason}|{mark}")


def alert_message(
    box: Box,
    purpose_id: str,
    case_id: str,
    version: int,
    municipality: str,
    team: str,
    reason: str,
    at: datetime,
    mark: str = "",
    people: int = 1,
) -> tuple[bytes, bytes]:
    """An alert as a message for `alerts.<purpose>`: a reference and a reason, never a name or an amount.

    `people` is how many cases it stands for, where it is about a full team.
    """
    alert_id = alert_id_of(box, case_id, version, reason, mark)
    body = {
        "specversion": "1.0",
        "id": alert_id,
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
            **({"people": people} if people > 1 else {}),
        },
    }
    return case_id.encode(), orjson.dumps(body, option=orjson.OPT_UTC_Z)
