"""A simulated half year on the pure rules alone: signals come, workers work, the clock looks, and every case ends.

Run: python tests/simulation.py [--signals 20000] [--seed 1]. No database, no broker: `cases.decide`, `lifecycle.check` and
`contact` decide, exactly as casework, the command line and the clock ask them. Deliveries can be shuffled and doubled, which must
change nothing. It raises at the first law that breaks, and names the case.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from bereik import cases, contact, lifecycle, workload
from bereik.bundle import Bundle
from bereik.cases import CONTRACT, Case, Signal
from bereik.contact import BY_RULE, Subject
from bereik.days import add_working_days, is_working_day, local_day
from bereik.declared.contact import Contact
from bereik.declared.municipalities import Municipality
from bereik.declared.purposes import Purpose
from bereik.declared.signals import SignalType
from bereik.lifecycle import OPEN, Fact

FIRST, LAST = date(2026, 1, 5), date(2026, 7, 5)
# After the last signal the teams have this long to end what is open; longer would be a case that nobody ends.
PATIENCE = timedelta(days=200)
# The share of messages that come once more, in a shuffled run.
DOUBLED = 0.1
# Of a hundred: taken back, corrected in amount, and found by the register to have moved or died.
WITHDRAWN, CORRECTED, GONE = 4, 3, 5


class Broken(AssertionError):
    """A law of the house did not hold in the simulation."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One message of the vault: a signal in a version. `active` is false when its partner took it back."""

    signal: Signal
    subject: str
    version: int
    active: bool = True


@dataclass(slots=True)
class Held:
    """A case as the simulation keeps it: the last decision, what people stated, and what it was told about."""

    case: Case
    subject: str
    facts: list[Fact] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    reported: bool = False
    version: int = 1


class _Row:
    """A case as its row in the database shows it to contact."""

    def __init__(self, held: Held) -> None:
        case = held.case
        self.version, self.municipality, self.team = held.version, case.municipality, case.route.team
        self.status, self.kind, self.crisis = case.status, case.kind.value, case.crisis
        self.priority, self.received_at, self.offer_by = case.priority, case.received_at, case.offer_by


# ---------------------------------------------------------------- what comes in


def deliveries(
    bundle: Bundle, purpose: Purpose, town: Municipality, number: int, seed: int
) -> dict[date, list[Assignment]]:
    """So many fictional signals of one purpose in one municipality, with what became of them, by the day they arrive."""
    chance = Random(f"{seed}|{purpose.id}|{town.code}")
    kinds = [kind for _, kind in sorted(bundle.signal_types.items()) if kind.purpose == purpose.id]
    areas = ("noord", "oost", "west", "zuid")
    found: dict[date, list[Assignment]] = defaultdict(list)
    span = (LAST - FIRST).days
    for index in range(number):
        # A third of the addresses bring two thirds of the signals.
        subject = f"s{int(chance.random() ** 2 * number * 0.6):06d}"
        kind = kinds[int(chance.random() * len(kinds))]
        day = FIRST + timedelta(days=int(chance.random() * (span + 1)))
        received = datetime(day.year, day.month, day.day, 7, tzinfo=UTC) + timedelta(
            days=min(30, int(chance.expovariate(0.5))), seconds=index % 3_600
        )
        signal = Signal(
            f"{index:08x}", kind.id, f"p{index % 3}", town.code, areas[int(subject[1:]) % len(areas)], day, received,
            _facts(kind, chance, day), None, f"{int(subject[1:]) * 3 + index % 2:08x}",
        )  # fmt: skip
        found[local_day(received)].append(Assignment(signal, subject, 1))
        fate = chance.random() * 100
        later = local_day(received) + timedelta(days=1 + int(chance.random() * 40))
        if fate < WITHDRAWN:
            found[later].append(Assignment(signal, subject, 2, active=False))
        elif fate < WITHDRAWN + CORRECTED and kind.amount_field:
            amount = signal.facts[kind.amount_field] // 2
            mended = _like(signal, {**signal.facts, kind.amount_field: amount})
            found[later].append(Assignment(mended, subject, 2))
    return found


def _facts(kind: SignalType, chance: Random, day: date) -> dict[str, Any]:
    facts: dict[str, Any] = {CONTRACT: f"c{int(chance.random() * 3)}"}
    if kind.amount_field:
        facts[kind.amount_field] = int(20 + chance.expovariate(1 / 400))
    for name, share in ((kind.crisis_field, 0.03), (kind.warm_field, 0.05)):
        if name:
            facts[name] = chance.random() < share
    return facts


def _like(signal: Signal, facts: dict[str, Any]) -> Signal:
    return Signal(
        signal.signal_id, signal.type, signal.partner, signal.municipality, signal.area, signal.signal_date,
        signal.received_at, facts, None, signal.person_id,
    )  # fmt: skip


# ---------------------------------------------------------------- one purpose in one municipality


class HalfYear:
    """One purpose in one municipality for half a year, and as long after it as cases are open."""

    def __init__(
        self, bundle: Bundle, purpose: Purpose, town: Municipality, number: int, seed: int, shuffled: bool
    ) -> None:
        self.bundle, self.purpose, self.town, self.seed = bundle, purpose, town, seed
        rules = town.policies[purpose.id].contact
        assert rules is not None
        self.rules: Contact = rules
        self.shuffled = shuffled
        self.coming = deliveries(bundle, purpose, town, number, seed)
        self.inbox: dict[str, Assignment] = {}
        self.members: dict[str, set[str]] = defaultdict(set)
        self.cases: dict[str, Held] = {}
        self.of_subject: dict[str, set[str]] = defaultdict(set)
        self.counts: Counter[str] = Counter()
        self.teams = [team for team in town.teams if team.purpose == purpose.id]
        self._doubles = Random(f"{seed}|doubles")
        self._tick = 0

    def run(self) -> HalfYear:
        """Day by day. Raises `Broken`."""
        day = FIRST
        until = max(self.coming) + PATIENCE
        while day <= until:
            arrived = self.coming.pop(day, [])
            self._deliver(self._as_kafka_may(arrived), day)
            self._match(day)
            if is_working_day(day):
                for team in self.teams:
                    self._work(team.id, (team.capacity_per_week or 0), day)
            self._look(day)
            if not self.coming and not self._open() and not self._waiting():
                break
            day += timedelta(days=1)
        self.counts["days"] = (day - FIRST).days
        self._all_has_ended()
        self._order_changes_nothing()
        return self

    def outcome(self) -> bytes:
        """Everything that was decided and stated, as one digest; ids and versions apart."""
        lines = sorted(
            repr((held.subject, held.case.signals, held.case.status, held.case.result, held.case.route.team, held.case.offer_by,
                  [(fact.kind, sorted(fact.detail.items()), fact.stated_by) for fact in held.facts]))
            for held in self.cases.values()
        )  # fmt: skip
        return hashlib.sha256("\n".join(lines).encode()).digest()

    # ------------------------------------------------------------ deliveries

    def _as_kafka_may(self, arrived: list[Assignment]) -> list[Assignment]:
        """The day's messages; in a shuffled run in another order, with old ones among them once more."""
        if not self.shuffled:
            return arrived
        known, chance = list(self.inbox), self._doubles
        again = [
            chance.choice(arrived) if not known or chance.random() < 0.5 else self.inbox[chance.choice(known)]
            for _ in arrived
            if chance.random() < DOUBLED
        ]
        mixed = [*arrived, *again]
        self._doubles.shuffle(mixed)
        return mixed

    def _deliver(self, arrived: list[Assignment], day: date) -> None:
        touched: dict[str, None] = {}
        for one in arrived:
            before = self.inbox.get(one.signal.signal_id)
            touched[one.subject] = None
            if before is not None and before.version >= one.version:
                self.counts["duplicates"] += 1
                continue
            if before is not None:
                one.signal.case_id = before.signal.case_id
            else:
                self.counts["signals"] += 1
            self.inbox[one.signal.signal_id] = one
            self.members[one.subject].add(one.signal.signal_id)
        for subject in sorted(touched):
            self._fold(subject, _moment(day, 8))

    def _waiting(self) -> list[tuple[date, str]]:
        """(until when, whose) of the cases whose month has yet to be matched."""
        return [
            (held.case.waits_until, held.subject) for held in self.cases.values() if held.case.waits_until
        ]

    def _match(self, day: date) -> None:
        """The clock: decide again what waited for this day."""
        for subject in sorted({subject for until, subject in self._waiting() if until <= day}):
            self._fold(subject, _moment(day, 9))

    def _fold(self, subject: str, now: datetime) -> None:
        active = self._active(subject)
        facts = [fact for case_id in self.of_subject[subject] for fact in self.cases[case_id].facts]
        for decision in cases.decide(active, facts, self.purpose, self.bundle, now):
            case_id = (
                decision.case_id or hashlib.sha256(f"{subject}|{decision.anchor}".encode()).hexdigest()[:32]
            )
            for signal_id in decision.signals:
                self.inbox[signal_id].signal.case_id = case_id
            decision.case_id = case_id
            self._keep(case_id, subject, decision)
        held = {signal.case_id for signal in active}
        for case_id in self.of_subject[subject] - held:
            self.cases[case_id].case.stands = False
            self.cases[case_id].case.when = "withdrawn"
            self.cases[case_id].case.waits_until = None

    def _active(self, subject: str) -> list[Signal]:
        return [self.inbox[one].signal for one in sorted(self.members[subject]) if self.inbox[one].active]

    def _keep(self, case_id: str, subject: str, decision: Case) -> None:
        held = self.cases.get(case_id)
        if held is None:
            self.cases[case_id] = Held(decision, subject)
            self.of_subject[subject].add(case_id)
            return
        held.case, held.version = decision, held.version + 1

    # ------------------------------------------------------------ what workers do

    def _open(self) -> list[tuple[str, Held]]:
        return [(case_id, held) for case_id, held in self.cases.items() if held.case.stands]

    def _work(self, team: str, capacity: int, day: date) -> None:
        """A team's working day: the most urgent first, until its time is up. Its capacity is a week's cases, of some six acts."""
        acts = -(-capacity * 6 // 5) if day <= LAST else 10_000
        mine = [(case_id, held) for case_id, held in self._open() if held.case.route.team == team]
        mine.sort(
            key=lambda one: (one[1].case.priority, one[1].case.offer_by, one[1].case.received_at, one[0])
        )
        for case_id, held in mine:
            if acts <= 0:
                break
            if held.case.stands:
                acts -= self._care(case_id, held, day)

    def _care(self, case_id: str, held: Held, day: date) -> int:
        """What one worker does for one case today; how many acts it took."""
        chance = Random(f"{self.seed}|{case_id}|{day}")
        worker = f"worker-{held.case.route.team}"
        done = 0
        if held.case.when != lifecycle.TAKEN_UP:
            self._state(case_id, "taken_up", {}, worker, day)
            done += 1
            if chance.random() * 100 < GONE:
                self._register(case_id, "moved" if chance.random() < 0.7 else "deceased", day)
                return done + 1
        if not held.case.stands:
            return done
        seen = contact.view(self._subject(case_id, held), self.rules, day)
        for promise in seen.promises:
            if promise.kept is None and promise.by <= day:
                kept = "promise_kept" if chance.random() < 0.8 else "promise_broken"
                self._state(case_id, kept, {"promise_id": promise.promise_id}, worker, day)
                done += 1
        if any(promise.kept is None and promise.by > day for promise in seen.promises):
            return done
        step = seen.progress.next
        if not seen.progress.reached and step is not None:
            if step.earliest <= day:
                self._attempt(case_id, step.step.contact, step.step.daypart, chance, worker, day)
                done += 1
            return done
        self._close(case_id, seen, chance, worker, day)
        return done + 1

    def _attempt(
        self, case_id: str, kind: str, daypart: str | None, chance: Random, worker: str, day: date
    ) -> None:
        parts = [word.id for word in self.purpose.words["dayparts"]]
        reached = chance.random() < 0.22
        detail = {
            "kind": kind,
            "reached": reached,
            "day": day.isoformat(),
            "daypart": daypart or parts[int(chance.random() * len(parts))],
        }
        self._state(case_id, "attempt", detail, worker, day)
        if reached and chance.random() < 0.4:
            what = self.purpose.words["promises"][0].id
            by = add_working_days(day, 1 + int(chance.random() * 6))
            promise = {
                "promise_id": hashlib.sha256(f"{case_id}{day}".encode()).hexdigest()[:16],
                "what": what,
                "by": by.isoformat(),
            }
            self._state(case_id, "promise", promise, worker, day)

    def _close(self, case_id: str, seen: contact.View, chance: Random, worker: str, day: date) -> None:
        ends = [
            result
            for result in self.purpose.results
            if result.when is None and (result.unreached != seen.progress.reached)
        ] or [result for result in self.purpose.results if result.when is None]
        detail: dict[str, Any] = {"result": ends[int(chance.random() * len(ends))].id}
        result = self.purpose.result(detail["result"])
        if result is not None and result.unreached:
            detail["cause"] = self.purpose.words["causes"][0].id
            if not seen.progress.met:
                detail["reason"] = self.purpose.words["reasons"][0].id
                self.counts["closed with a reason"] += 1
        elif seen.progress.reached:
            detail |= {"helped": True, "promised_done": all(one.kept for one in seen.promises)}
        self._state(case_id, "closed", detail, worker, day)

    def _register(self, case_id: str, answer: str, day: date) -> None:
        """The register's answer about everybody of the case."""
        people = {self.inbox[one].signal.person_id for one in self.cases[case_id].case.signals}
        for person_id in sorted(people):
            if self.cases[case_id].case.stands:
                self._state(case_id, "resident", {"person_id": person_id, "answer": answer}, "brp", day)

    def _state(self, case_id: str, kind: str, detail: dict[str, Any], by: str, day: date) -> None:
        """Take a fact down as the command line does: checked by both pure rules, then folded in."""
        held = self.cases[case_id]
        lifecycle.check(kind, detail, self.purpose, held.case.when, [team.id for team in self.teams], day)
        if by != BY_RULE and held.case.stands:
            seen = contact.view(self._subject(case_id, held), self.rules, day)
            contact.check(kind, detail, held.facts, seen.progress, self.purpose, day)
        self._tick += 1
        at = _moment(day, 10) + timedelta(microseconds=self._tick)
        held.facts.append(Fact(case_id, kind, detail, by, at))
        self.counts[f"fact {kind}"] += 1
        self._fold(held.subject, at)

    # ------------------------------------------------------------ the clock

    def _subject(self, case_id: str, held: Held) -> Subject:
        """The case as contact reads it, from the decision, its signals and its facts."""
        signals = [self.inbox[one].signal for one in held.case.signals]
        return contact.read(case_id, _Row(held), signals, held.facts, self.purpose, self.bundle.signal_types)

    def _look(self, day: date) -> None:
        """One look at the clock, then the law it stands for: a term that passes has been met or told."""
        waiting = sorted(self._open())
        monday = workload.week_start(day)
        # A case that ended this week has used its team's place.
        ended = [
            (case_id, held)
            for case_id, held in sorted(self.cases.items())
            if not held.case.stands
            and held.case.when != "withdrawn"
            and local_day(held.case.received_at) >= monday
        ]
        found = workload.look(
            [self._subject(case_id, held) for case_id, held in (*waiting, *ended)],
            self.rules,
            self.town.routes[self.purpose.id],
            {team.id: team.capacity_per_week or 0 for team in self.teams},
            day,
        )
        for notice in found.notices:
            held, mark = self.cases[notice.case.case_id], f"{notice.reason}|{notice.mark}"
            if mark not in held.told:
                held.told.add(mark)
                self.counts[f"told {notice.reason}"] += 1
            held.reported = held.reported or notice.reason in (
                workload.Tell.TERM_NEAR,
                workload.Tell.UNCLAIMED,
            )
        for case_id, held in waiting:
            if day < held.case.offer_by or contact.attempts_of(held.facts):
                continue
            if not held.reported:
                raise Broken(
                    f"case {case_id}: its term {held.case.offer_by} passes untried and nobody was told"
                )
            self.counts["terms told and not met"] += day == held.case.offer_by
        for subject in found.lightened:
            self._state(subject.case_id, "lightened", {}, BY_RULE, day)
        for subject, team in found.handed_over:
            if self.cases[subject.case_id].case.stands:
                self._state(subject.case_id, "handed_over", {"team": team}, BY_RULE, day)

    # ------------------------------------------------------------ the laws at the end

    def _all_has_ended(self) -> None:
        for case_id, held in self.cases.items():
            if held.case.stands or held.case.when in OPEN:
                raise Broken(f"case {case_id} never ended: it is {held.case.status}")
            if held.case.when != "withdrawn" and any(fact.kind == "closed" for fact in held.facts):
                last = max(
                    (fact for fact in held.facts if fact.kind == "closed"), key=lambda fact: fact.stated_at
                )
                word = self.purpose.result(last.detail["result"])
                if word is None or (
                    held.case.when == lifecycle.CLOSED and held.case.result != last.detail["result"]
                ):
                    raise Broken(f"case {case_id} was closed with another result than it shows")
            self.counts[f"ended {held.case.when}"] += 1
        told = sum(len(held.case.signals) for held in self.cases.values() if held.case.when != "withdrawn")
        active = sum(one.active for one in self.inbox.values())
        if told != active:
            raise Broken(f"{active} signals are active and {told} are in a case")
        self.counts["cases"] = len(self.cases)

    def _order_changes_nothing(self) -> None:
        """Each subject folded once more from nothing but its signals and facts, in another order: the same cases."""
        chance = Random(f"{self.seed}|order")
        for subject in sorted(self.members):
            signals = self._active(subject)
            facts = [
                fact for case_id in sorted(self.of_subject[subject]) for fact in self.cases[case_id].facts
            ]
            chance.shuffle(signals)
            chance.shuffle(facts)
            again = cases.decide(signals, facts, self.purpose, self.bundle, _moment(LAST + PATIENCE, 12))
            for case in again:
                stored = self.cases[str(case.case_id)].case
                if case != stored:
                    raise Broken(f"case {case.case_id} depends on the order of its signals or facts")


def _moment(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


# ---------------------------------------------------------------- all of them


def halves(bundle: Bundle, signals: int, seed: int, shuffled: bool) -> Iterator[HalfYear]:
    """Every purpose in every municipality. Debts bring nine of ten signals."""
    places = [
        (purpose, town)
        for _, purpose in sorted(bundle.purposes.items())
        for _, town in sorted(bundle.municipalities.items())
        if purpose.id in town.policies
    ]
    weights = [9 if purpose.ddas else 1 for purpose, _ in places]
    for (purpose, town), weight in zip(places, weights, strict=True):
        number = -(-signals * weight // sum(weights))
        yield HalfYear(bundle, purpose, town, number, seed, shuffled)


def simulate(bundle: Bundle, signals: int, seed: int) -> tuple[Counter[str], bytes]:
    """The whole half year, twice: as it came, and shuffled with doubles. Raises `Broken`. Returns what happened, and its digest."""
    counts: Counter[str] = Counter()
    digest = hashlib.sha256()
    for plain, mixed in zip(
        halves(bundle, signals, seed, False), halves(bundle, signals, seed, True), strict=True
    ):
        first = plain.run()
        second = mixed.run()
        if first.outcome() != second.outcome():
            raise Broken(
                f"{first.purpose.id} in {first.town.code}: order or duplicates changed what became of it"
            )
        digest.update(first.outcome())
        counts["duplicates"] += second.counts["duplicates"]
        for name, number in first.counts.items():
            counts[name] = max(counts[name], number) if name == "days" else counts[name] + number
    return counts, digest.digest()


def main() -> int:
    """0 when every law held."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--signals", type=int, default=20_000)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    began = time.monotonic()
    bundle = Bundle.compile(Path(__file__).parents[1] / "schemas")
    try:
        counts, digest = simulate(bundle, given.signals, given.seed)
    except Broken as broken:
        print(f"simulation FAILED: {broken}")
        return 1
    for name, number in sorted(counts.items()):
        print(f"  {number:>8,} {name}")
    print(
        f"simulation passed: {counts['signals']:,} signals, {counts['cases']:,} cases, all ended; every term met or told; order and"
        f" duplicates changed nothing ({digest.hex()[:12]}, {time.monotonic() - began:.0f} s)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
