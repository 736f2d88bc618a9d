"""Casework is a fold: any order, any batches and any repeats of the same assignments end in the same cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bereik import cases, reasons
from bereik.bundle import Bundle
from bereik.casework import Casework, read_assignment
from bereik.declared.purposes import Purpose
from bereik.keys import Keyring
from bereik.lifecycle import Fact
from bereik.ports import Assignment, CaseRow, KnownCase, SignalRow
from bereik.signal import unpack
from bereik.vault import assignment_message

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
PURPOSES = sorted(BUNDLE.purposes.values(), key=lambda purpose: purpose.id)
KEYS = Keyring("k", {"k": bytes(32)})


class Tables:
    """The rows of one purpose in memory, with copies in and out as a database gives them."""

    def __init__(self) -> None:
        self.signals: dict[str, SignalRow] = {}
        self.cases: dict[str, CaseRow] = {}
        self.facts: list[Fact] = []
        self.months: dict[tuple[str, str], date] = {}

    def lock_subjects(self, subjects: Sequence[str]) -> None:
        """Nobody else is here."""

    def subjects_of(self, signal_ids: Sequence[str]) -> set[str]:
        return {self.signals[one].subject for one in signal_ids if one in self.signals}

    def signals_of(self, subjects: Sequence[str], signal_ids: Sequence[str]) -> list[SignalRow]:
        return [
            deepcopy(row)
            for row in self.signals.values()
            if row.subject in set(subjects) or row.signal_id in set(signal_ids)
        ]

    def cases_of(self, subjects: Sequence[str]) -> list[KnownCase]:
        return [
            KnownCase(*(getattr(row, name) for name in KnownCase.__slots__))
            for row in self.cases.values()
            if row.subject in set(subjects)
        ]

    def facts_of(self, case_ids: Sequence[str]) -> list[Fact]:
        return [fact for fact in self.facts if fact.case_id in set(case_ids)]

    def save(self, signals: Sequence[SignalRow], cases: Sequence[CaseRow]) -> None:
        for signal in signals:
            self.signals[signal.signal_id] = deepcopy(signal)
        for case in cases:
            known = self.cases.get(case.case_id)
            assert known is None or case.version == known.version + 1
            self.cases[case.case_id] = deepcopy(case)

    def case(self, case_id: str) -> CaseRow | None:
        return deepcopy(self.cases.get(case_id))

    def matched(self) -> dict[tuple[str, str], date]:
        return dict(self.months)

    def match(self, municipality: str, period: str, on: date) -> None:
        self.months.setdefault((municipality, period), on)

    def waiting(self) -> list[tuple[str, str, date, int]]:
        found: dict[tuple[str, str], list[date]] = {}
        for row in self.cases.values():
            if row.waits_until is not None:
                found.setdefault((row.municipality, row.period), []).append(row.waits_until)
        return [(*month, max(days), len(days)) for month, days in found.items()]

    def delivered(self, municipality: str, period: str) -> set[str]:
        rows = self.signals.values()
        return {
            r.partner for r in rows if r.municipality == municipality and f"{r.signal_date:%Y-%m}" == period
        }

    def subjects_waiting(self, municipality: str, period: str) -> list[str]:
        rows = self.cases.values()
        return [
            r.subject for r in rows if r.waits_until and (r.municipality, r.period) == (municipality, period)
        ]

    def add_fact(self, fact_id: str, fact: Fact) -> None:
        self.facts.append(fact)


def _told(row: CaseRow) -> dict[str, Any]:
    """All that a case says, but for its id, its versions and the moment."""
    aside = {"case_id", "version", "alerted", "decided_at", "bundle_id", "decision"}
    columns = {name: getattr(row, name) for name in CaseRow.__slots__ if name not in aside}
    return columns | reasons.spoken(row.decision)


class Fold:
    """Casework on tables in memory, and every alert that it ordered."""

    def __init__(self, purpose: Purpose) -> None:
        self.purpose, self.tables = purpose, Tables()
        self.alerts: list[tuple[str, int, str]] = []
        self._casework = Casework(BUNDLE, 1, KEYS, clock=lambda: datetime(2027, 1, 1, tzinfo=UTC))

    def take(self, *batch: Assignment) -> None:
        arrived = [
            read_assignment(event, self.purpose.subject)
            for one in batch
            for event in unpack(assignment_message(one, self.purpose.id, self.purpose.subject)[1])
        ]
        outcome = self._casework.fold(self.purpose, arrived, {row.subject for row in arrived}, self.tables)
        self.alerts += [(row.case_id, row.version, why.value) for row, why in outcome if why is not None]

    def standing(self) -> dict[frozenset[str], dict[str, Any]]:
        """What is decided, by the signals it is about. Case ids do not count: they come from the first to arrive."""
        live = [row for row in self.tables.cases.values() if row.signals]
        found = {self.inside(row.case_id): _told(row) for row in live}
        assert len(found) == len(live)
        return found

    def inside(self, case_id: str) -> frozenset[str]:
        """The active signals of a case."""
        rows = self.tables.signals.values()
        return frozenset(row.signal_id for row in rows if row.status == "active" and row.case_id == case_id)

    def holds(self) -> None:
        """What must be true after each batch."""
        active = [row for row in self.tables.signals.values() if row.status == "active"]
        inside = Counter(row.case_id for row in active)
        assert None not in inside
        for row in self.tables.cases.values():
            assert row.signals == inside.get(row.case_id, 0)
            assert row.alerted == sum(1 for case_id, _, _ in self.alerts if case_id == row.case_id)
        versions = Counter((case_id, version) for case_id, version, _ in self.alerts)
        assert max(versions.values(), default=1) == 1, "one alert per case version"


@st.composite
def streams(draw: Any, purpose: Purpose) -> list[Assignment]:
    """Assignments about two subjects; some signals are also moved or withdrawn, under a higher version.

    A move brings ids only: to the other person, or to a case of its own person when an address is marked as crowded.
    """
    kinds = [kind for kind in BUNDLE.signal_types.values() if kind.purpose == purpose.id]
    stream = []
    for number in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(kinds))
        day = date(2026, 8, 1) + timedelta(days=draw(st.integers(0, 120)))
        facts: dict[str, Any] = {cases.CONTRACT: draw(st.sampled_from(["c1", "c2"]))}
        if kind.amount_field:
            facts[kind.amount_field] = draw(st.sampled_from([20, 40, 80, 400]))
        if kind.crisis_field and draw(st.integers(0, 4)) == 0:
            facts[kind.crisis_field] = True
        who = draw(st.integers(1, 2))
        made = Assignment(
            str(UUID(int=number + 1)), 1, "active", str(UUID(int=100 + who)), str(UUID(int=200 + who)), "9901",
            draw(st.sampled_from(["noord", "zuid"])), kind.id, draw(st.sampled_from(["p1", "p2"])), day,
            datetime(day.year, day.month, day.day, 9, tzinfo=UTC), facts,
        )  # fmt: skip
        stream.append(made)
        last, gone = made, False
        for version in range(2, 2 + draw(st.integers(0, 2))):
            gone = gone or draw(st.integers(0, 2)) == 0
            there = draw(st.integers(1, 2))
            last = Assignment(
                made.signal_id, version, cases.WITHDRAWN if gone else cases.MOVED,
                last.person_id if gone else str(UUID(int=100 + there)), made.household_id,
                reason="betaald" if gone else None, crowded=last.crowded or draw(st.booleans()),
            )  # fmt: skip
            stream.append(last)
    return stream


def folded(purpose: Purpose, *batches: Sequence[Assignment]) -> Fold:
    fold = Fold(purpose)
    for batch in batches:
        if batch:
            fold.take(*batch)
            fold.holds()
    return fold


each_purpose = pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: purpose.id)


@each_purpose
@given(data=st.data())
@settings(deadline=None)
def test_any_order_gives_the_same_cases(purpose: Purpose, data: st.DataObject) -> None:
    """Also a withdrawal that overtakes its signal."""
    stream = data.draw(streams(purpose))
    shuffled = data.draw(st.permutations(stream))
    one_by_one = [[one] for one in shuffled]
    assert folded(purpose, *one_by_one).standing() == folded(purpose, *([one] for one in stream)).standing()


@each_purpose
@given(data=st.data())
@settings(deadline=None)
def test_a_batch_of_many_gives_what_many_batches_give(purpose: Purpose, data: st.DataObject) -> None:
    stream = data.draw(streams(purpose))
    cut = data.draw(st.integers(0, len(stream)))
    whole = folded(purpose, stream).standing()
    assert whole == folded(purpose, stream[:cut], stream[cut:]).standing()
    assert whole == folded(purpose, *([one] for one in stream)).standing()


@each_purpose
@given(data=st.data())
@settings(deadline=None)
def test_a_replay_changes_nothing_and_tells_nobody(purpose: Purpose, data: st.DataObject) -> None:
    stream = data.draw(streams(purpose))
    fold = folded(purpose, *([one] for one in stream))
    before, told = deepcopy(fold.tables.cases), list(fold.alerts)
    for one in data.draw(st.permutations(stream)):
        fold.take(one)
    fold.take(*stream)
    assert fold.tables.cases == before and fold.alerts == told


@each_purpose
@given(data=st.data())
@settings(deadline=None)
def test_what_was_withdrawn_is_as_if_it_never_came(purpose: Purpose, data: st.DataObject) -> None:
    stream = data.draw(streams(purpose))
    gone = {one.signal_id for one in stream if one.status == "withdrawn"}
    never = [one for one in stream if one.signal_id not in gone]
    assert folded(purpose, *([one] for one in stream)).standing() == folded(purpose, never).standing()


@each_purpose
@given(data=st.data())
@settings(deadline=None)
def test_a_redriven_signal_is_folded_in_as_if_it_had_come_in_time(
    purpose: Purpose, data: st.DataObject
) -> None:
    stream = data.draw(streams(purpose))
    late = data.draw(st.sampled_from(stream))
    others = [one for one in stream if one.signal_id != late.signal_id]
    own = [one for one in stream if one.signal_id == late.signal_id]
    assert folded(purpose, others, own).standing() == folded(purpose, stream).standing()


@each_purpose
@given(data=st.data())
@settings(deadline=None)
def test_a_team_that_must_act_has_been_told(purpose: Purpose, data: st.DataObject) -> None:
    stream = data.draw(streams(purpose))
    fold = folded(purpose, *([one] for one in data.draw(st.permutations(stream))))
    told = {case_id for case_id, _, _ in fold.alerts}
    for row in fold.tables.cases.values():
        assert not row.stands or row.case_id in told


@each_purpose
def test_a_case_goes_with_its_oldest_signal_and_keeps_what_people_did(purpose: Purpose) -> None:
    kind = next(kind for kind in BUNDLE.signal_types.values() if kind.purpose == purpose.id)
    fold = Fold(purpose)
    first, second = (
        Assignment(
            str(UUID(int=number)), 1, "active", str(UUID(int=11)), str(UUID(int=21)), "9901", "noord", kind.id, "p1",
            date(2026, 11, number), datetime(2026, 11, number, 9, tzinfo=UTC), {cases.CONTRACT: f"c{number}"},
        )
        for number in (1, 2)
    )  # fmt: skip
    fold.take(first, second)
    ((case_id, before),) = fold.tables.cases.items()
    attempt = Fact(case_id, "attempt", {}, "a worker", datetime(2026, 11, 3, tzinfo=UTC))
    fold.tables.add_fact("77", attempt)
    # The older of the two turns out to be somebody else's, at an address where each person has a case of its own.
    for one, person in ((first, 12), (second, 11)):
        fold.take(
            Assignment(one.signal_id, 2, cases.MOVED, str(UUID(int=person)), one.household_id, crowded=True)
        )
        fold.holds()
    kept = fold.tables.cases[case_id]
    assert kept.subject == str(UUID(int=12)) and kept.version > before.version
    assert fold.inside(case_id) == {str(first.signal_id)}
    (other,) = (row for row in fold.tables.cases.values() if row.case_id != case_id and row.signals)
    assert other.subject == str(UUID(int=11))
    assert fold.tables.facts_of([case_id]) and not fold.tables.facts_of([other.case_id])


def test_one_subject_does_not_touch_another() -> None:
    purpose = PURPOSES[0]
    fold = Fold(purpose)
    made = Assignment(
        str(UUID(int=1)), 1, "active", str(UUID(int=11)), str(UUID(int=21)), "9901", "noord",
        next(kind.id for kind in BUNDLE.signal_types.values() if kind.purpose == purpose.id), "p1", date(2026, 11, 3),
        datetime(2026, 11, 3, tzinfo=UTC), {},
    )  # fmt: skip
    fold.take(made)
    before = deepcopy(fold.tables.cases)
    fold.take(
        replace(made, signal_id=str(UUID(int=2)), person_id=str(UUID(int=12)), household_id=str(UUID(int=22)))
    )
    assert {case_id: fold.tables.cases[case_id] for case_id in before} == before


# ---------------------------------------------------------------- the moment on which a month is matched


def _town() -> str:
    """A municipality that waits until every partner delivered."""
    return next(
        code
        for code, town in BUNDLE.municipalities.items()
        if any(policy.matching and policy.matching.delivered for policy in town.policies.values())
    )


class Waiting(Fold):
    """A fold on a clock of its own, in the municipality that waits."""

    def __init__(self, today: datetime) -> None:
        super().__init__(BUNDLE.purposes["schuldhulp"])
        self.today = today
        self._casework = Casework(BUNDLE, 1, KEYS, clock=lambda: self.today)
        self.sent: list[tuple[str, int]] = []

    @contextmanager
    def casework(self, purpose_id: str) -> Iterator[Tables]:
        assert purpose_id == self.purpose.id
        yield self.tables

    def send(self, topic: str, messages: Sequence[tuple[bytes, bytes]]) -> None:
        self.sent.append((topic, len(messages)))

    def match(self) -> int:
        return self._casework.match(self.purpose.id, self)  # type: ignore[arg-type]

    def report(self, number: int, partner: str, day: int, **facts: Any) -> None:
        kind = next(
            k for k in BUNDLE.signal_types.values() if k.purpose == self.purpose.id and k.crisis_field
        )
        self.take(
            Assignment(
                str(UUID(int=number)), 1, "active", str(UUID(int=100 + number)), str(UUID(int=200)), _town(), None,
                kind.id, partner,
                date(2026, 11, day), datetime(2026, 11, day, 9, tzinfo=UTC),
                {cases.CONTRACT: "c", kind.amount_field or "": 400, **facts},
            )
        )  # fmt: skip

    def expected(self) -> list[str]:
        types = {kind.id for kind in BUNDLE.signal_types.values() if kind.purpose == self.purpose.id}
        return [
            partner.id
            for partner in BUNDLE.partners.values()
            if any(a.municipality == _town() and a.signal_types & types for a in partner.agreements)
        ]

    def only(self) -> CaseRow:
        (row,) = self.tables.cases.values()
        return row


def test_a_month_is_matched_on_its_day_and_the_team_told_once() -> None:
    fold = Waiting(datetime(2026, 11, 3, 12, tzinfo=UTC))
    fold.report(1, "p1", 2)
    assert (fold.only().stands, fold.only().waits_until, fold.alerts) == (False, date(2026, 11, 8), [])
    assert fold.match() == 0 and fold.sent == []
    fold.today = datetime(2026, 11, 8, 12, tzinfo=UTC)
    assert fold.match() == 1 and fold.match() == 0
    assert fold.only().stands and fold.only().waits_until is None
    assert fold.sent == [("cases.schuldhulp", 1), ("alerts.schuldhulp", 1)]


def test_a_month_is_matched_once_every_expected_partner_delivered() -> None:
    fold = Waiting(datetime(2026, 11, 3, 12, tzinfo=UTC))
    *first, last = fold.expected()
    for number, partner in enumerate(first, 1):
        fold.report(number, partner, 2)
    assert fold.match() == 0 and not fold.only().stands
    fold.report(99, last, 3)
    assert fold.match() == 1
    assert (fold.only().stands, fold.only().kind) == (True, "multiple")
    fold.report(100, last, 4)
    assert fold.only().stands and fold.only().waits_until is None, "what comes after it is judged on arrival"


def test_a_crisis_is_told_before_the_month_is_matched() -> None:
    fold = Waiting(datetime(2026, 11, 3, 12, tzinfo=UTC))
    fold.report(1, "p1", 2)
    kind = next(k for k in BUNDLE.signal_types.values() if k.purpose == fold.purpose.id and k.crisis_field)
    fold.report(2, "p1", 3, **{kind.crisis_field or "": True})
    assert fold.only().stands and [why for _, _, why in fold.alerts] == ["crisis"]
