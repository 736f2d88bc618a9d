"""Contact: which steps a case has, what was done, what is due, and what may be stated about it. Pure.

The plan of a case is never stored. It follows from the case's labels, the days on which its signals came, and the facts
that people stated, so a second signal before the first contact re-plans a case, and after it upgrades what is next.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

from bereik.cases import Signal, flagged, labels_of
from bereik.days import add_working_days, is_working_day, local_day
from bereik.declared.contact import Contact, ContactStep, Effort, Plan
from bereik.declared.purposes import Purpose
from bereik.declared.signals import SignalKind
from bereik.lifecycle import NEW, OPEN, Fact, IllegalMove
from bereik.routing import Labels, matches

# The facts that `check` has something to say of.
CHECKED: Final = frozenset({"attempt", "promise", "promise_kept", "promise_broken", "closed", "lightened"})
# Who states what a rule of the municipality decided on its own: a login that nobody can have.
BY_RULE: Final = "bereik"


# ---------------------------------------------------------------- what people stated


@dataclass(frozen=True, slots=True, order=True)
class Attempt:
    """One attempt to get in touch. `reason` is why it was another one than the plan asked for."""

    day: date
    daypart: str
    contact: str
    reached: bool
    reason: str = ""


def attempts_of(facts: Iterable[Fact]) -> tuple[Attempt, ...]:
    """The attempts among these facts, in the order of their days, whatever the order in which they were stated."""
    return tuple(
        sorted(
            Attempt(
                date.fromisoformat(fact.detail["day"]), fact.detail["daypart"], fact.detail["kind"],
                fact.detail["reached"], fact.detail.get("reason", ""),
            )
            for fact in facts
            if fact.kind == "attempt"
        )
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Promise:
    """What a resident was promised (a word of the purpose) and by when. `kept` is None until somebody says."""

    promise_id: str
    what: str
    by: date
    kept: bool | None

    def broken(self, today: date) -> bool:
        """Said to be broken, or its day has passed and nobody said that it was kept."""
        return self.kept is False or (self.kept is None and self.by < today)


def promises_of(facts: Sequence[Fact]) -> tuple[Promise, ...]:
    """The promises among these facts, the earliest day first. Of two answers at one instant "broken" counts."""
    answers: dict[str, bool] = {}
    for fact in sorted(facts, key=lambda fact: (fact.stated_at, fact.kind), reverse=True):
        if fact.kind in ("promise_kept", "promise_broken"):
            answers[fact.detail["promise_id"]] = fact.kind == "promise_kept"
    made = {
        fact.detail["promise_id"]: Promise(
            fact.detail["promise_id"], fact.detail["what"], date.fromisoformat(fact.detail["by"]),
            answers.get(fact.detail["promise_id"]),
        )
        for fact in facts
        if fact.kind == "promise"
    }  # fmt: skip
    return tuple(sorted(made.values(), key=lambda promise: (promise.by, promise.promise_id)))


# ---------------------------------------------------------------- the plan of a case


@dataclass(frozen=True, slots=True)
class Debt:
    """What a plan needs of one signal: its type, when it came, and since when the debt runs by the partner's word."""

    type: str
    received_on: date
    signal_date: date
    since: date | None
    crisis: bool


def floor_rule(labels: Labels, debts: Sequence[Debt], promised: bool, contact: Contact) -> str | None:
    """The first rule by which this case may never drop to a lighter way for lack of capacity; None when it may."""
    for rule in contact.floor:
        if not matches(rule.match, labels) or (rule.promised and not promised):
            continue
        if rule.since_months is None:
            return rule.id
        types = rule.match.get("type")
        if any(
            debt.since is not None and _months_after(debt.since, rule.since_months) <= debt.signal_date
            for debt in debts
            if types is None or debt.type in types
        ):
            return rule.id
    return None


def _months_after(day: date, months: int) -> date:
    """The same day so many months later; the last of the month where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def plan_for(labels: Labels, contact: Contact) -> Plan:
    """The first plan that matches; the last one matches everything, `bereik check` sees to that."""
    return next(plan for plan in contact.plans if matches(plan.match, labels))


def started_on(labels: Labels, debts: Sequence[Debt], contact: Contact) -> date:
    """The day from which the case's plan counts: that of the signal which gave it this plan, not of the first one."""
    wanted = plan_for(labels, contact)
    ordered = sorted(debts, key=lambda debt: (debt.received_on, debt.signal_date, debt.type))
    for number in range(1, len(ordered)):
        seen = ordered[:number]
        earlier = dict(labels)
        earlier["type"] = frozenset(debt.type for debt in seen)
        if number == 1 and "multiple" in labels.get("kind", ()):
            earlier["kind"] = frozenset({"single"})
        if not any(debt.crisis for debt in seen):
            earlier["crisis"] = frozenset({"no"})
        if plan_for(earlier, contact) == wanted:
            return ordered[number - 1].received_on
    return ordered[-1].received_on


def lay_out(plan: Plan, start: date, term: date) -> tuple[tuple[date, date], ...]:
    """For every step its earliest and its latest day: working days, from `start` on and never after the term.

    A plan that begins close to its term is pressed together. Only where no working day is left before the term does a
    day fall on one that is none: then the term itself, so that it is seen and not silently moved.
    """
    days = []
    for step in plan.steps:
        earliest = _next_working(_shift(start, step.earliest, plan.working_days))
        latest = last_working(min(_shift(start, step.latest, plan.working_days), term))
        if latest < start:
            latest = max(start, term)
        elif latest < earliest <= term:
            latest = earliest
        days.append((min(earliest, latest), latest))
    return tuple(days)


def _shift(start: date, days: int, working: bool) -> date:
    return add_working_days(start, days) if working else start + timedelta(days=days)


def _next_working(day: date) -> date:
    while not is_working_day(day):
        day += timedelta(days=1)
    return day


def last_working(day: date) -> date:
    """The day itself, or the last working day before it."""
    while not is_working_day(day):
        day -= timedelta(days=1)
    return day


class State(StrEnum):
    """How a step of a plan stands."""

    DONE = "done"
    NEXT = "next"
    OVERDUE = "overdue"
    LATER = "later"
    # A letter went to this address less than a month ago.
    SPARED = "spared"
    # The resident was reached, so nobody has to try again.
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True)
class Planned:
    """One step with its days, both included."""

    step: ContactStep
    earliest: date
    due: date
    state: State
    done_on: date | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """A plan held against what was done. `missing` is what the minimum effort still asks; all zero once it is met."""

    plan: Plan
    steps: tuple[Planned, ...]
    reached: bool
    missing: Effort

    @property
    def next(self) -> Planned | None:
        """The step to take: the first one overdue, else the first one to come; None when the plan is through."""
        waiting = [one for one in self.steps if one.state in (State.OVERDUE, State.NEXT)]
        return min(waiting, key=lambda one: (one.due, one.earliest), default=None)

    @property
    def overdue(self) -> tuple[Planned, ...]:
        """The steps whose last day has passed."""
        return tuple(one for one in self.steps if one.state is State.OVERDUE)

    @property
    def met(self) -> bool:
        """Whether the minimum effort was made. Who was reached needs no more attempts."""
        return self.reached or self.missing == Effort(0, 0, 0)


def progress(
    plan: Plan,
    contact: Contact,
    start: date,
    term: date,
    attempts: Sequence[Attempt],
    today: date,
    letters: Sequence[date] = (),
) -> Progress:
    """How far a plan is on this day. `letters` are the days on which other cases of this address got one.

    An attempt does one step: the first of its kind that asks for its part of the day, else the first that asks for none.
    """
    counted = [one for one in attempts if one.contact in contact.counts]
    done = _done(plan, sorted(counted))
    reached = any(one.reached for one in counted)
    steps: list[Planned] = []
    first = True
    for index, (step, (earliest, due)) in enumerate(zip(plan.steps, lay_out(plan, start, term), strict=True)):
        if index in done:
            steps.append(Planned(step, earliest, due, State.DONE, done[index].day))
        elif reached:
            steps.append(Planned(step, earliest, due, State.NOT_NEEDED))
        elif _spared(step, contact, max(earliest, today), [*letters, *_letters(counted, contact)]):
            steps.append(Planned(step, earliest, due, State.SPARED))
        elif today > due:
            steps.append(Planned(step, earliest, due, State.OVERDUE))
        else:
            steps.append(Planned(step, earliest, due, State.NEXT if first else State.LATER))
            first = False
    return Progress(plan, tuple(steps), reached, _missing(plan.minimum, counted))


def _done(plan: Plan, attempts: Sequence[Attempt]) -> dict[int, Attempt]:
    """Which step each attempt did. The steps that ask for a part of the day choose first, because they can take less."""
    done: dict[int, Attempt] = {}
    left = list(attempts)
    for index in sorted(range(len(plan.steps)), key=lambda at: (plan.steps[at].daypart is None, at)):
        step = plan.steps[index]
        found = next((one for one in left if _does(one, step)), None)
        if found is not None:
            done[index] = found
            left.remove(found)
    return done


def _does(attempt: Attempt, step: ContactStep) -> bool:
    return attempt.contact == step.contact and step.daypart in (None, attempt.daypart)


def _letters(attempts: Iterable[Attempt], contact: Contact) -> list[date]:
    return [one.day for one in attempts if one.contact in contact.letters]


def _spared(step: ContactStep, contact: Contact, day: date, letters: Sequence[date]) -> bool:
    gap = timedelta(days=contact.letter_days)
    return step.contact in contact.letters and any(abs(day - one) < gap for one in letters)


def _missing(minimum: Effort, attempts: Sequence[Attempt]) -> Effort:
    return Effort(
        max(0, minimum.attempts - len(attempts)),
        max(0, minimum.channels - len({one.contact for one in attempts})),
        max(0, minimum.dayparts - len({one.daypart for one in attempts})),
    )


# ---------------------------------------------------------------- before a fact is written


def check(
    kind: str, detail: Mapping[str, Any], facts: Sequence[Fact], now: Progress, purpose: Purpose, today: date
) -> None:
    """What contact asks of a fact, beyond its form and the case's state. Raises `IllegalMove` with the reason.

    Less than the plan asks is never refused, only asked a reason for: the figures count it.
    """
    match kind:
        case "attempt":
            _check_attempt(detail, now)
        case "promise":
            if date.fromisoformat(detail["by"]) < today:
                raise IllegalMove("promise: by lies in the past; a promise is about a day to come.")
            if any(one.promise_id == detail["promise_id"] for one in promises_of(facts)):
                raise IllegalMove("promise: there is a promise with this promise_id already; give another.")
        case "promise_kept" | "promise_broken":
            known = {one.promise_id: one for one in promises_of(facts)}
            if detail["promise_id"] not in known:
                raise IllegalMove(f"{kind}: no promise of this case has this promise_id.")
            if known[detail["promise_id"]].kept is not None:
                raise IllegalMove(f"{kind}: somebody said already whether this promise was kept.")
        case "closed":
            _check_closing(detail, now, purpose)
        case "lightened":
            raise IllegalMove(
                "lightened: only the rule of capacity states this; a worker states deviated, with a reason."
            )


def _check_attempt(detail: Mapping[str, Any], now: Progress) -> None:
    if detail["reached"]:
        # Whoever was reached, in whatever way, is what the plan is for.
        return
    open_steps = [one.step for one in now.steps if one.state in (State.NEXT, State.OVERDUE, State.LATER)]
    made = Attempt(date.fromisoformat(detail["day"]), detail["daypart"], detail["kind"], detail["reached"])
    if open_steps and "reason" not in detail and not any(_does(made, step) for step in open_steps):
        wanted = ", ".join(
            dict.fromkeys(
                step.contact + (f" ({step.daypart})" if step.daypart else "") for step in open_steps
            )
        )
        raise IllegalMove(
            f"attempt: the plan still asks for: {wanted}. Another way is allowed when you say why: give reason."
        )


def _check_closing(detail: Mapping[str, Any], now: Progress, purpose: Purpose) -> None:
    result = purpose.result(detail["result"])
    if result is None or not result.unreached:
        return
    if "cause" not in detail:
        raise IllegalMove("closed: nobody was helped, so say which cause fits best: give cause.")
    if not now.met and "reason" not in detail:
        lacks = (
            (now.missing.attempts, "attempts"),
            (now.missing.channels, "other channels"),
            (now.missing.dayparts, "other parts of the day"),
        )
        words = ", ".join(f"{number} {what}" for number, what in lacks if number)
        raise IllegalMove(
            f"closed: the plan's minimum still lacks {words}. Closing is allowed when you give reason."
        )


# ---------------------------------------------------------------- a case as contact sees it


class CaseLike(Protocol):
    """What contact reads of a stored case, whoever stored it."""

    @property
    def version(self) -> int: ...
    @property
    def municipality(self) -> str: ...
    @property
    def team(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def crisis(self) -> bool: ...
    @property
    def priority(self) -> int: ...
    @property
    def received_at(self) -> datetime: ...
    @property
    def offer_by(self) -> date: ...


def read(
    case_id: str,
    row: CaseLike,
    signals: Sequence[Signal],
    facts: Sequence[Fact],
    purpose: Purpose,
    types: Mapping[str, SignalKind],
    letters: Sequence[date] = (),
) -> Subject:
    """A stored case with its active signals and its facts, as contact looks at it."""
    warm = any(flagged(signal, types[signal.type].warm_field) for signal in signals)
    labels = labels_of(
        sorted({signal.area or "" for signal in signals}), sorted({signal.type for signal in signals}), row.kind, row.crisis, warm,
        False,
    )  # fmt: skip
    when = purpose.when(row.status)
    again = [fact.stated_at for fact in facts if fact.kind in ("handed_over", "reopened")]
    if any(fact.kind == "closed" for fact in facts):
        # Somebody ended it and a later signal opened it again.
        again += [signal.received_at for signal in signals]
    return Subject(
        case_id=case_id,
        version=row.version,
        municipality=row.municipality,
        team=row.team,
        labels={name: frozenset(values) for name, values in labels.items()},
        debts=tuple(_debt(signal, types[signal.type]) for signal in signals),
        facts=tuple(facts),
        priority=row.priority,
        received_at=row.received_at,
        offer_by=row.offer_by,
        claimed=when != NEW,
        waits_since=max([row.received_at, *again]),
        letters=tuple(letters),
        open=when in OPEN,
    )


def _debt(signal: Signal, kind: SignalKind) -> Debt:
    since = signal.facts.get(kind.since_field) if kind.since_field else None
    return Debt(
        signal.type,
        local_day(signal.received_at),
        signal.signal_date,
        date.fromisoformat(since) if isinstance(since, str) else None,
        flagged(signal, kind.crisis_field),
    )


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of a case before contact looks at it. One that has ended still used its team's place.

    `claimed` is whether somebody has it, `waits_since` when its team got it; `letters` are those of the address's other cases.
    """

    case_id: str
    version: int
    municipality: str
    team: str
    labels: Labels
    debts: tuple[Debt, ...]
    facts: tuple[Fact, ...]
    priority: int
    received_at: datetime
    offer_by: date
    claimed: bool
    waits_since: datetime
    letters: tuple[date, ...] = ()
    open: bool = True


@dataclass(frozen=True, slots=True)
class View:
    """A case as contact sees it on one day. `floor` is the rule that keeps it from the lighter way, if one does."""

    progress: Progress
    promises: tuple[Promise, ...]
    started_on: date
    floor: str | None
    lightened: bool


def view(case: Subject, contact: Contact, today: date) -> View:
    """Plan, steps and promises of a case on this day. One that dropped to the lighter way is back once on the floor."""
    promises = promises_of(case.facts)
    floor = floor_rule(case.labels, case.debts, any(one.kept is None for one in promises), contact)
    dropped = any(fact.kind == "lightened" for fact in case.facts)
    plan = plan_for(case.labels, contact)
    if dropped and floor is None:
        plan = contact.plan(contact.lighter)
    start = started_on(case.labels, case.debts, contact)
    seen = progress(plan, contact, start, case.offer_by, attempts_of(case.facts), today, case.letters)
    return View(seen, promises, start, floor, dropped and floor is None)
