"""Casework's rules: what the active signals of one subject mean. Pure: values in, decisions out.

`decide` is a fold. It looks at a set of signals and at what people stated, never at the order in which they came, so
a late, replayed or redriven signal gives the case it would have given in time.

Ids are the texts of uuids, here and everywhere: a `UUID` hashes and compares in Python, ten times as slow, and a fold
looks some forty of them up per signal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from bereik import lifecycle, residency
from bereik.bundle import Bundle
from bereik.days import add_working_days, local_day
from bereik.declared.municipalities import Policy
from bereik.declared.purposes import PriorityRule, Purpose
from bereik.declared.signals import SignalKind
from bereik.lifecycle import Fact, Standing
from bereik.reasons import BY_REGISTER, Reason, reason
from bereik.routing import Labels, Route, matches, route

# The fact under which intake hands over a keyed hash of the partner's contract number: enough to see that two signals
# are about the same contract, and nothing else.
CONTRACT = "contract"
# The fact under which intake hands over that somebody agreed to a bridge, on which form. Only the bridge reads it.
CONSENT = "consent"


class Kind(StrEnum):
    """DDAS: two or more in the matching period; one that follows on an earlier one; one alone."""

    MULTIPLE = "multiple"
    CONSECUTIVE = "consecutive"
    SINGLE = "single"


class Notify(StrEnum):
    """Why a team is told. A decision that changed nothing gives no reason at all."""

    NEW_CASE = "new_case"
    CRISIS = "crisis"
    NOW_MULTIPLE = "now_multiple"
    NEW_SIGNAL = "new_signal"
    NEW_TEAM = "new_team"
    WITHDRAWN = "withdrawn"
    REGISTER = "register"
    PAID = "paid"
    PLAN_AGREED = "plan_agreed"
    WRONG_PERSON = "wrong_person"
    CORRECTED = "corrected"


def people_of(decision: Mapping[str, Any]) -> list[str]:
    """The ids of those whom a stored decision is about; none in one of the time before it named them."""
    return [person for part in decision.get("people", ()) for person in part]


# Not frozen: a fold makes one of each per signal, and freezing costs as much again as making.
@dataclass(slots=True)
class Signal:
    """An active signal, as casework knows it: no name, no address."""

    signal_id: str
    type: str
    partner: str
    municipality: str
    area: str | None
    signal_date: date
    received_at: datetime
    facts: Mapping[str, Any]
    case_id: str | None = None
    person_id: str = ""

    @property
    def order(self) -> tuple[date, datetime, str]:
        """The order of meaning, which is not the order of arrival."""
        return (self.signal_date, self.received_at, self.signal_id)


@dataclass(slots=True)
class Case:
    """One decision. `anchor` is the oldest signal; `stands` whether a team has to reach out.

    `when` is the rule outcome behind `status`; `taken_up_at` when somebody first took it up; `holder` who has it now.
    `waits_until`: nobody is told before that day, on which the month is matched. `matched_on` (DDAS: matchingsdatum): the day
    on which these signals were looked at together: that day, or an earlier one on which somebody could not wait, or that of
    the receipt when it came later. `passed`: signals that are
    not counted, with the state that they have by themselves. `upgraded`: it became multiple or a crisis after the first
    attempt, so the next step is heavier. `last_letter`: to this address or person, for any case. `people`: whom it is
    about, those with a confirmed relation together.
    """

    anchor: str
    case_id: str | None
    signals: tuple[str, ...]
    period: str
    when: str
    status: str
    result: str | None
    taken_up_at: datetime | None
    holder: str | None
    kind: Kind
    crisis: bool
    stands: bool
    waits_until: date | None
    matched_on: date
    passed: Mapping[str, str]
    upgraded: bool
    last_letter: date | None
    people: tuple[tuple[str, ...], ...]
    priority: int
    priority_reason: Mapping[str, str]
    municipality: str
    area: str | None
    route: Route
    labels: Mapping[str, tuple[str, ...]]
    reasons: tuple[Mapping[str, Any], ...]
    first_signal: date
    received_at: datetime
    offer_by: date
    offer_in: Mapping[str, int]


_NO_POLICY = Policy()

# ---------------------------------------------------------------- whose case it is

# Statuses of an assignment: everything is told, or only where a known signal stands now, or that it is gone.
ACTIVE, MOVED, WITHDRAWN = "active", "moved", "withdrawn"


def subject_of(person_id: str, household_id: str | None, crowded: bool, subject: str) -> str:
    """Whose case it is: the address unit or the person, as the purpose says.

    Without an address, or where many unrelated people live, it is the person.
    """
    if subject == "address" and household_id is not None and not crowded:
        return household_id
    return person_id


# ---------------------------------------------------------------- the fold


def decide(
    signals: Sequence[Signal],
    facts: Sequence[Fact],
    purpose: Purpose,
    bundle: Bundle,
    now: datetime,
    since: date | None = None,
    matched: Mapping[tuple[str, str], date] = MappingProxyType({}),
) -> tuple[Case, ...]:
    """Every case of one subject, oldest first, as of `now`. The same signals and facts give the same cases, in any order.

    `facts` are those of all cases that the signals are in. `matched`: (municipality, period) → the day on which a month
    was matched because every expected partner had delivered. With `since`, the day of the oldest signal that changed,
    cases of earlier periods are left out: what comes later never changes them.
    """
    ordered = sorted(signals, key=lambda signal: signal.order)
    stated: dict[str, list[Fact]] = {}
    for fact in facts:
        stated.setdefault(fact.case_id, []).append(fact)
    monthly = purpose.matching.period == "month"
    groups = _by_month(ordered) if monthly else _by_closing(ordered, _ended(stated, purpose))
    if since is not None and monthly:
        groups = [(period, group) for period, group in groups if period >= _month(since)]
    fold = _Fold(ordered, facts, stated, purpose, bundle, local_day(now), matched)
    cases = tuple(_decide_group(period, group, fold) for period, group in groups)
    return _give_ids(cases, {signal.signal_id: signal for signal in ordered})


@lru_cache(maxsize=4096)
def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _by_month(ordered: Sequence[Signal]) -> list[tuple[str, list[Signal]]]:
    groups: dict[str, list[Signal]] = {}
    for signal in ordered:
        groups.setdefault(_month(signal.signal_date), []).append(signal)
    return list(groups.items())


def _ended(stated: Mapping[str, Sequence[Fact]], purpose: Purpose) -> dict[str, datetime]:
    """When somebody ended each case that is ended."""
    standings = ((case_id, lifecycle.stand(held, purpose, lifecycle.NEW)) for case_id, held in stated.items())
    return {
        case_id: standing.since
        for case_id, standing in standings
        if standing.since is not None and standing.when not in lifecycle.OPEN
    }


def _by_closing(ordered: Sequence[Signal], closed: Mapping[str, datetime]) -> list[tuple[str, list[Signal]]]:
    """One group until a person closes it; what is received later begins the next one."""
    groups: list[list[Signal]] = []
    for signal in sorted(ordered, key=lambda signal: (signal.received_at, signal.order)):
        held = {member.case_id for member in groups[-1] if member.case_id is not None} if groups else set()
        ends = [closed[case_id] for case_id in held if case_id in closed]
        # A signal stays in a case that it was in when that was closed; one that has a case of its own since keeps that.
        if not groups or (ends and signal.received_at > max(ends) and signal.case_id not in held):
            groups.append([])
        groups[-1].append(signal)
    return [
        (f"{group[0].received_at:%Y-%m-%d}", sorted(group, key=lambda signal: signal.order))
        for group in groups
    ]


# As a signal, made for each subject.
@dataclass(slots=True)
class _Fold:
    """What all cases of one subject are decided from. `stated` are its facts by case."""

    everything: Sequence[Signal]
    facts: Sequence[Fact]
    stated: Mapping[str, Sequence[Fact]]
    purpose: Purpose
    bundle: Bundle
    today: date
    matched: Mapping[tuple[str, str], date]


@dataclass(frozen=True, slots=True)
class _Passed:
    """A signal that is not counted: the state it has by itself, and why."""

    when: str
    why: Mapping[str, Any]


def _decide_group(period: str, group: Sequence[Signal], fold: _Fold) -> Case:
    purpose, bundle, types = fold.purpose, fold.bundle, fold.bundle.kinds
    municipality = bundle.municipalities[group[-1].municipality]
    policy = municipality.policies.get(purpose.id, _NO_POLICY)
    passed = {one.signal_id: over for one in group if (over := _passed_over(one, policy, fold)) is not None}
    counted = [signal for signal in group if signal.signal_id not in passed]
    told = counted or group
    urgent = [signal for signal in told if flagged(signal, types[signal.type].crisis_field)]
    crisis = bool(urgent)
    warm = any(flagged(signal, types[signal.type].warm_field) for signal in told)
    before = _consecutive(group, fold.everything, purpose)
    kind = Kind.MULTIPLE if len(counted) > 1 else Kind.CONSECUTIVE if before else Kind.SINGLE
    reasons: list[Mapping[str, Any]] = []
    if crisis:
        reasons.append(reason(Reason.CRISIS))
    if warm:
        reasons.append(reason(Reason.WARM))
    if kind is Kind.MULTIPLE:
        reasons.append(reason(Reason.MULTIPLE, n=len(counted)))
    if before:
        months = purpose.matching.lookback_months
        reasons.append(reason(Reason.CONSECUTIVE, months=months, date=before.signal_date.isoformat()))
    if kind is Kind.SINGLE:
        reasons.append(reason(Reason.SINGLE))
    sorts: tuple[str, ...] = ()
    if any(types[signal.type].sort_field is not None for signal in group):
        sorts = tuple(
            sorted({sort for signal in group if (sort := types[signal.type].sort_of(signal.facts))})
        )
        reasons += [late for signal in group if (late := _late(signal, types[signal.type]))]

    case_id = next((signal.case_id for signal in group if signal.case_id is not None), None)
    held = fold.stated.get(case_id, ()) if case_id is not None else ()
    received = min([signal.received_at for signal in told])
    start = local_day(received)
    planned = _planned(period, municipality.code, policy, fold)
    matched_on, waits_until = start, None
    if planned is not None:
        released = _released(told, held, types)
        matched_on = max(start, min([planned, *released]))
        waits_until = planned if planned > fold.today and not released else None
    if waits_until is None:
        outcome, why_so = _outcome(counted, passed, policy, crisis or warm, types)
    else:
        outcome, why_so = lifecycle.NEW, [reason(Reason.WAITS, date=waits_until.isoformat())]
    reasons += why_so
    standing = Standing(outcome)
    if held:
        standing = lifecycle.stand(held, purpose, outcome, [signal.received_at for signal in told])
        gone = (
            residency.outcome(held, {signal.person_id for signal in told})
            if standing.when in lifecycle.OPEN
            else None
        )
        # Somebody who opens a case again after the register spoke has judged that; and a crisis, or who was told to expect a
        # call, is somebody's work also when debt aid knows them.
        if (
            gone is not None
            and (standing.since is None or standing.since < gone.since)
            and not (gone.when == residency.KNOWN and (crisis or warm))
        ):
            standing = replace(standing, when=gone.when, holder=None)
            reasons.append(reason(Reason(gone.when)))
    language = lifecycle.language_of(held) if held else None
    labels, level, why, way = _place(
        bundle,
        purpose.id,
        municipality.code,
        tuple(sorted({signal.area or "" for signal in group})),
        tuple(sorted({signal.type for signal in group})),
        sorts,
        kind,
        crisis,
        warm,
        outcome == "repeat",
        language,
    )
    status, result = _words(bundle, purpose.id, standing.when)
    if standing.team is not None:
        way = replace(way, team=standing.team)
    offer_by = start + timedelta(days=policy.offer_days)
    if crisis:
        crisis_from = min([signal.received_at for signal in urgent])
        offer_by = min(offer_by, add_working_days(local_day(crisis_from), policy.crisis_working_days))
    return Case(
        anchor=group[0].signal_id,
        case_id=case_id,
        signals=tuple(signal.signal_id for signal in group),
        period=period,
        when=standing.when,
        status=status,
        result=standing.result or result,
        taken_up_at=standing.taken_up_at,
        holder=standing.holder,
        kind=kind,
        crisis=crisis,
        stands=standing.when in lifecycle.OPEN and waits_until is None,
        waits_until=waits_until,
        matched_on=matched_on,
        passed={signal_id: one.when for signal_id, one in passed.items()},
        upgraded=bool(held) and _upgraded(counted, urgent, held),
        last_letter=_last_letter(fold.facts, policy) if fold.facts else None,
        people=_people(group, held),
        priority=level,
        priority_reason=why,
        municipality=municipality.code,
        area=group[-1].area,
        route=way,
        labels=labels,
        reasons=tuple(reasons),
        first_signal=group[0].signal_date,
        received_at=received,
        offer_by=offer_by,
        offer_in={"working_days": policy.crisis_working_days} if crisis else {"days": policy.offer_days},
    )


def _planned(period: str, municipality: str, policy: Policy, fold: _Fold) -> date | None:
    """The day on which the signals of a month are judged together; None where each is judged on arrival."""
    if policy.matching is None or fold.purpose.matching.period != "month":
        return None
    day = date(int(period[:4]), int(period[5:]), policy.matching.day)
    return min(day, fold.matched.get((municipality, period), day))


def _released(told: Sequence[Signal], held: Sequence[Fact], types: Mapping[str, SignalKind]) -> list[date]:
    """The days on which waiting ended early: nobody waits in a crisis, who expects a call, or whom somebody took up or over."""
    moments = [
        signal.received_at
        for signal in told
        if flagged(signal, types[signal.type].crisis_field) or flagged(signal, types[signal.type].warm_field)
    ]
    moments += [fact.stated_at for fact in held if fact.kind in (lifecycle.TAKEN_UP, residency.TAKEN_OVER)]
    return [local_day(moment) for moment in moments]


def _outcome(
    counted: Sequence[Signal],
    passed: Mapping[str, _Passed],
    policy: Policy,
    always: bool,
    types: Mapping[str, SignalKind],
) -> tuple[str, list[Mapping[str, Any]]]:
    """What the signals of one matching period come to, and why. `always`: crisis or a warm hand-over."""
    repeats = [one.why for one in passed.values() if one.when == "repeat"]
    reasons = [one.why for one in passed.values() if one.when != "repeat"]
    if not counted:
        if reasons:
            return "below_threshold", reasons
        return "repeat", [max(repeats, key=lambda why: str(why["date"]))]
    threshold = policy.threshold_eur if policy.threshold_citation else 0
    amounts = [amount for signal in counted if (amount := _amount(signal, types)) is not None]
    total = sum(amounts)
    if amounts and len(amounts) == len(counted) and not always and total < threshold:
        below = reason(
            Reason.BELOW_THRESHOLD,
            total=total,
            threshold=threshold,
            citation=policy.threshold_citation,
            missing=threshold - total,
        )
        return "below_threshold", [*reasons, below]
    if amounts and threshold:
        reasons.append(reason(Reason.ABOVE_THRESHOLD, total=total, threshold=threshold))
    return lifecycle.NEW, reasons


def _passed_over(signal: Signal, policy: Policy, fold: _Fold) -> _Passed | None:
    """Why this signal is not counted, if it is not: a mere repeat, or outside the window of the municipality's plan."""
    kind = fold.bundle.kinds[signal.type]
    if flagged(signal, kind.crisis_field):
        return None
    day = _repeated(signal, fold.everything, fold.purpose, fold.bundle.kinds)
    if day is not None:
        return _Passed("repeat", reason(Reason.REPEAT, date=day.isoformat()))
    window = policy.windows.get(signal.type) if policy.windows_citation else None
    since = signal.facts.get(kind.since_field) if window is not None and kind.since_field else None
    if window is None or not isinstance(since, str) or flagged(signal, kind.warm_field):
        return None
    days = (signal.signal_date - date.fromisoformat(since)).days
    values = {"days": days, "citation": policy.windows_citation}
    if window.min_days is not None and days < window.min_days:
        return _Passed("below_threshold", reason(Reason.TOO_SOON, least=window.min_days, **values))
    if window.max_days is not None and days > window.max_days:
        return _Passed("below_threshold", reason(Reason.TOO_OLD, most=window.max_days, **values))
    return None


def _late(signal: Signal, kind: SignalKind) -> Mapping[str, Any] | None:
    """That a report came later than its sort of absence allows; it is told and never refused."""
    sort = kind.sorts.get(kind.sort_of(signal.facts) or "")
    ended = signal.facts.get(sort.after) if sort is not None and sort.after else None
    if sort is None or not isinstance(ended, str):
        return None
    if local_day(signal.received_at) <= add_working_days(date.fromisoformat(ended), sort.within_working_days):
        return None
    return reason(Reason.LATE, days=sort.within_working_days, date=ended)


def _upgraded(counted: Sequence[Signal], urgent: Sequence[Signal], held: Sequence[Fact]) -> bool:
    """Whether a case became multiple, or a crisis, only after the first attempt at contact: its next step is a heavier one.

    Before any attempt the whole plan follows what the case is by then, so nothing has to be said.
    """
    tried = min((fact.stated_at for fact in held if fact.kind == "attempt"), default=None)
    if tried is None:
        return False
    second = sorted([signal.received_at for signal in counted])[1:2]
    alarm = [min([signal.received_at for signal in urgent])] if urgent else []
    return any(tried < rose for rose in second + alarm)


def _last_letter(facts: Sequence[Fact], policy: Policy) -> date | None:
    """The day of the last letter to this subject, whichever case it was for."""
    letters = policy.contact.letters if policy.contact is not None else frozenset()
    days = [
        fact.detail["day"] for fact in facts if fact.kind == "attempt" and fact.detail.get("kind") in letters
    ]
    return date.fromisoformat(max(days)) if days else None


def _people(group: Sequence[Signal], held: Sequence[Fact]) -> tuple[tuple[str, ...], ...]:
    """Whom the signals are about, in their order; those between whom a worker confirmed a relation stand together."""
    order = list(dict.fromkeys([signal.person_id for signal in group]))
    parts: list[tuple[str, ...]] = [(person,) for person in order]
    for fact in [fact for fact in held if fact.kind == "related"]:
        tied = [part for part in parts if {fact.detail["person_id"], fact.detail["other_id"]} & set(part)]
        if len(tied) == 2:
            parts[parts.index(tied[0])] = tuple(sorted(tied[0] + tied[1], key=order.index))
            parts.remove(tied[1])
    return tuple(parts)


def signal_when(when: str, passed: str | None, taken_up: bool, withdrawn: bool = False) -> str:
    """The state (a `when` of purposes.yaml) of one signal by itself, which DDAS keeps apart from that of its case.

    `when` is that of the case's status (`purpose.when(row.status)`), `passed` what the case's decision says of this signal
    if it is not counted; `taken_up` whether anybody ever took the case up, `withdrawn` whether the signal's own row says
    so. A repeat or one outside the window keeps that word also in a case that was taken up; any other signal of such a
    case counts as taken up (DDAS v1.2: "Opgepakt"), whatever became of it later; one that its partner took back before
    that is "other". The word itself is `purpose.state(...)`.
    """
    if passed is not None:
        return passed
    if taken_up:
        return lifecycle.TAKEN_UP
    return "other" if withdrawn or when == "withdrawn" else when


def flagged(signal: Signal, name: str | None) -> bool:
    """Whether a signal says yes in this field; a type without the field never does."""
    return name is not None and signal.facts.get(name) is True


def _amount(signal: Signal, types: Mapping[str, SignalKind]) -> int | None:
    name = types[signal.type].amount_field
    value = signal.facts.get(name) if name else None
    return value if isinstance(value, int) else None


@lru_cache(maxsize=4096)
def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, 1)


def _consecutive(group: Sequence[Signal], everything: Sequence[Signal], purpose: Purpose) -> Signal | None:
    """The newest signal of an earlier period within the look-back, if there is one."""
    if not purpose.matching.lookback_months or len(everything) == len(group):
        return None
    first = group[0].signal_date
    start = _months_before(first, purpose.matching.lookback_months)
    # The group's own signals are not earlier than its first one, so they need not be left out by name.
    earlier = None
    for signal in everything:
        if signal.signal_date >= first:
            break
        if signal.signal_date >= start:
            earlier = signal
    return earlier


def _repeated(
    signal: Signal, everything: Sequence[Signal], purpose: Purpose, types: Mapping[str, SignalKind]
) -> date | None:
    """The day of an earlier signal that this one only repeats: same partner, type and reference, amount not higher.

    A signal on the same day repeats nothing: a partner that reports two contracts reports two debts.
    """
    amount = _amount(signal, types)
    if not purpose.repeat or amount is None:
        return None
    start = _months_before(signal.signal_date, purpose.matching.lookback_months)
    contract = signal.facts.get(CONTRACT)
    for other in everything:
        if (
            start <= other.signal_date < signal.signal_date
            and other.partner == signal.partner
            and other.type == signal.type
            and other.facts.get(CONTRACT) == contract
            and (_amount(other, types) or 0) >= amount
        ):
            return other.signal_date
    return None


def labels_of(
    areas: Sequence[str],
    types: Sequence[str],
    kind: str,
    crisis: bool,
    warm: bool,
    repeat: bool,
    sorts: Sequence[str] = (),
    language: str | None = None,
) -> dict[str, tuple[str, ...]]:
    """The labels that routes, priorities and contact plans are matched against; `language` by routes only."""

    def yes(value: bool) -> tuple[str, ...]:
        return ("yes" if value else "no",)

    return {
        "area": tuple(area for area in areas if area),
        "type": tuple(types),
        "sort": tuple(sorts),
        "kind": (kind,),
        "crisis": yes(crisis),
        "warm": yes(warm),
        "repeat": yes(repeat),
        "language": () if language is None else (language,),
    }


@lru_cache(maxsize=256)
def _words(bundle: Bundle, purpose_id: str, when: str) -> tuple[str, str | None]:
    """The purpose's own words for a state: its status, and the result that goes with it."""
    purpose = bundle.purposes[purpose_id]
    word = purpose.state(when) or purpose.states[0]
    return word.id, next((result.id for result in purpose.results if result.when == when), None)


# Labels have few combinations, and every decision asks.
@lru_cache(maxsize=4096)
def _place(
    bundle: Bundle,
    purpose_id: str,
    municipality: str,
    areas: tuple[str, ...],
    types: tuple[str, ...],
    sorts: tuple[str, ...],
    kind: Kind,
    crisis: bool,
    warm: bool,
    repeat: bool,
    language: str | None,
) -> tuple[Mapping[str, tuple[str, ...]], int, Mapping[str, str], Route]:
    """The labels; the level and reason of the priority that they have; the route."""
    labels = labels_of(areas, types, kind.value, crisis, warm, repeat, sorts, language)
    sets = {name: frozenset(values) for name, values in labels.items()}
    level, why = _priority(bundle.purposes[purpose_id].priorities, sets)
    return labels, level, why, route(sets, bundle.municipalities[municipality].routes[purpose_id])


def _priority(rules: Sequence[PriorityRule], labels: Labels) -> tuple[int, Mapping[str, str]]:
    """The level and reason of the first published rule that matches; without one, a level after all of them."""
    for rule in rules:
        if matches(rule.match, labels):
            return rule.level, rule.label
    last = max((rule.level for rule in rules), default=0) + 1
    return last, {"nl": "Gewone volgorde.", "en": "Ordinary order."}


def _give_ids(cases: tuple[Case, ...], signals: Mapping[str, Signal]) -> tuple[Case, ...]:
    """Keep stored ids: of the cases that claim one, the one holding its oldest signal keeps it; the rest are new."""
    if not any(case.case_id for case in cases):
        return cases
    oldest: dict[str, tuple[Any, int]] = {}
    for index, case in enumerate(cases):
        for member in case.signals:
            signal = signals[member]
            if signal.case_id is not None:
                claim = (signal.order, index)
                oldest[signal.case_id] = min(oldest.get(signal.case_id, claim), claim)
    given: dict[int, str] = {}
    for case_id, (_, index) in sorted(oldest.items(), key=lambda item: item[1]):
        given.setdefault(index, case_id)
    return tuple(
        case if case.case_id == given.get(index) else replace(case, case_id=given.get(index))
        for index, case in enumerate(cases)
    )


# ---------------------------------------------------------------- telling


@dataclass(frozen=True, slots=True)
class Before:
    """What was stored about a case before this decision."""

    stands: bool
    team: str
    kind: str
    crisis: bool
    signals: frozenset[str]


# Why a partner takes signals back, in our words; the first that fits is told. A signal type maps its own words on these.
BECAUSE = (Notify.WRONG_PERSON, Notify.PAID, Notify.PLAN_AGREED)


def withdrawn_because(words: Iterable[str | None]) -> Notify:
    """What is told of signals that were taken back for these reasons (`SignalKind.because` of each)."""
    given = set(words)
    return next((one for one in BECAUSE if one.value in given), Notify.WITHDRAWN)


def notify(
    before: Before | None, now: Case, gone: Notify = Notify.WITHDRAWN, corrected: bool = False
) -> Notify | None:
    """Why the team has to be told of this decision; None when there is nothing it must act on.

    `gone` is why signals were taken back, when any were; `corrected` says that a partner mended one of its signals.
    """
    mended = Notify.CORRECTED if corrected else None
    if before is None or not before.stands:
        if not now.stands:
            return None
        return Notify.CRISIS if now.crisis else Notify.NEW_CASE
    if not now.stands:
        # Whoever closes a case knows that it is closed; what a partner takes back or a register says is news.
        if any(one["code"] in BY_REGISTER for one in now.reasons):
            return Notify.REGISTER
        return gone if before.signals - set(now.signals) else mended
    if now.crisis and not before.crisis:
        return Notify.CRISIS
    if now.route.team != before.team:
        return Notify.NEW_TEAM
    if now.kind is Kind.MULTIPLE and before.kind != Kind.MULTIPLE.value:
        return Notify.NOW_MULTIPLE
    if set(now.signals) - before.signals:
        return Notify.NEW_SIGNAL
    if before.signals - set(now.signals):
        return gone
    return mended
