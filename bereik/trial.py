"""Trial: what the same signals would have come to under other rules, or had one thing been different. Pure; nothing is written.

`compare` decides a whole past month, or one case, under two bundles. `counterfactuals` changes one thing of a case at a time
and decides again, so that "why" can be answered with "because without it …".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bereik import cases
from bereik.bundle import Bundle
from bereik.cases import Case, Signal
from bereik.declared.purposes import Purpose
from bereik.declared.signals import SignalKind
from bereik.lifecycle import CLOSED, OPEN, Fact

# A team works on these, or did: most cases of a past month are closed by now. In the other states nobody had to.
_WORK = frozenset({*OPEN, CLOSED})


@dataclass(frozen=True, slots=True)
class Subject:
    """The signals of one subject, and what was stated about its cases."""

    signals: tuple[Signal, ...]
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """A case that another bundle would treat differently; None where it would not be a team's work."""

    case_id: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Trial:
    """Cases per team that somebody has to work on, under the one bundle and the other, and which of them move."""

    before: Mapping[str, int]
    after: Mapping[str, int]
    moved: tuple[Moved, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """Cases of one team under the one bundle and the other, and its room for as many days; None: nothing is said about it.

    `over`: under the other bundle it has more than it has room for.
    """

    team: str
    before: int
    after: int
    room: int | None
    over: bool


def loads(tried: Trial, active: Bundle, proposed: Bundle, days: int) -> tuple[Load, ...]:
    """Every team of a trial beside its declared capacity, that of the proposed bundle first; by id."""
    found = []
    for team_id in sorted({*tried.before, *tried.after}):
        team = proposed.team(team_id) or active.team(team_id)
        room = round(team.capacity_per_week * days / 7) if team and team.capacity_per_week else None
        before, after = tried.before.get(team_id, 0), tried.after.get(team_id, 0)
        found.append(Load(team_id, before, after, room, room is not None and after > room))
    return tuple(found)


def compare(
    subjects: Iterable[Subject],
    purpose_id: str,
    active: Bundle,
    proposed: Bundle,
    now: datetime,
    period: str | None = None,
) -> Trial:
    """Decide the same subjects under both. `period` (yyyy-mm) counts only the cases whose first signal is of that month.

    A case is told by its id, or by its oldest signal while it has none. Facts count as they were stated.
    """
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    moved = []
    for subject in subjects:
        one = _teams(subject, active.purposes[purpose_id], active, now, period)
        purpose = proposed.purposes.get(purpose_id)
        other = _teams(subject, purpose, proposed, now, period) if purpose is not None else {}
        before.update(team for team in one.values() if team)
        after.update(team for team in other.values() if team)
        for case_id in sorted({*one, *other}):
            if one.get(case_id) != other.get(case_id):
                moved.append(Moved(case_id, one.get(case_id), other.get(case_id)))
    return Trial(dict(before), dict(after), tuple(moved))


def _teams(
    subject: Subject, purpose: Purpose, bundle: Bundle, now: datetime, period: str | None
) -> dict[str, str | None]:
    known = [one for one in subject.signals if one.municipality in bundle.municipalities]
    if not known:
        return {}
    decided = cases.decide(known, subject.facts, purpose, bundle, now)
    return {
        case.case_id or case.anchor: case.route.team if case.when in _WORK else None
        for case in decided
        if period is None or f"{case.first_signal:%Y-%m}" == period
    }


# ---------------------------------------------------------------- had one thing been different


@dataclass(frozen=True, slots=True)
class Otherwise:
    """One thing changed (`change`, with its `values`), and what would then have been: only what differs is set."""

    change: str
    values: Mapping[str, str]
    team: str | None = None
    priority: int | None = None
    kind: str | None = None
    status: str | None = None
    offer_by: str | None = None

    def spoken(self, language: str) -> str:
        """In one sentence, in Dutch or English."""
        english = language == "en"
        start = _CHANGES[self.change][english].format(**self.values)
        parts = [
            _EFFECTS[name][english].format(value=_word(value, language))
            for name in ("status", "kind", "team", "priority", "offer_by")
            if (value := getattr(self, name)) is not None
        ]
        return f"{start}: {'; '.join(parts)}."


_CHANGES: Mapping[str, tuple[str, str]] = {
    "without_crisis": ("Zonder het crisissignaal", "Without the crisis signal"),
    "with_crisis": ("Met een crisissignaal", "With a crisis signal"),
    "without_warm": ("Zonder warme overdracht", "Without the warm hand-over"),
    "with_warm": ("Met een warme overdracht", "With a warm hand-over"),
    "without_signal": ("Zonder het signaal van {date} ({nl})", "Without the signal of {date} ({en})"),
    "one_more": ("Met nog een signaal van een andere partner", "With one more signal, from another partner"),
    "more_money": ("Met € {amount} meer", "With € {amount} more"),
    "less_money": ("Met € {amount} minder", "With € {amount} less"),
    "area": ("In het gebied {area}", "In the area {area}"),
    "language": ("Als de inwoner om {nl} had gevraagd", "Had the resident asked for {en}"),
    "no_language": ("Als de inwoner om geen taal had gevraagd", "Had the resident asked for no language"),
}
_EFFECTS: Mapping[str, tuple[str, str]] = {
    "team": ("het team was dan {value}", "the team would have been {value}"),
    "priority": ("de volgorde was dan {value}", "the order would have been {value}"),
    "kind": ("de zaak was dan {value}", "the case would have been {value}"),
    "status": ("de status was dan “{value}”", "the status would have been “{value}”"),
    "offer_by": ("het aanbod moest dan uiterlijk {value}", "the offer would have been due by {value}"),
}
_WORDS: Mapping[str, tuple[str, str]] = {
    "single": ("enkelvoudig", "single"),
    "multiple": ("meervoudig", "multiple"),
    "consecutive": ("opeenvolgend", "consecutive"),
}


def _word(value: object, language: str) -> str:
    return _WORDS[value][language == "en"] if isinstance(value, str) and value in _WORDS else str(value)


def counterfactuals(
    subject: Subject, case_id: str, purpose_id: str, bundle: Bundle, now: datetime
) -> tuple[Otherwise, ...]:
    """What one change at a time would have made of a case, in a fixed order; changes that make no difference are left out.

    Empty when no case of the subject has this id.
    """
    purpose = bundle.purposes[purpose_id]
    found = next(
        (
            case
            for case in cases.decide(subject.signals, subject.facts, purpose, bundle, now)
            if case.case_id == case_id
        ),
        None,
    )
    if found is None:
        return ()
    told = []
    for change, values, other in _changes(subject, found, purpose, bundle):
        # The case is the one with the oldest signal that is still in it.
        left = next(one for one in found.signals if any(one == signal.signal_id for signal in other.signals))
        decided = cases.decide(other.signals, other.facts, purpose, bundle, now)
        then = next((case for case in decided if left in case.signals), None)
        if then is not None and (differs := _difference(change, values, found, then, bundle)) is not None:
            told.append(differs)
    return tuple(told)


def _changes(
    subject: Subject, case: Case, purpose: Purpose, bundle: Bundle
) -> Iterable[tuple[str, dict[str, str], Subject]]:
    """Every single change, its values, and the subject as it would then have been."""
    types, town = bundle.kinds, bundle.municipalities[case.municipality]
    inside = set(case.signals)
    members = sorted((one for one in subject.signals if one.signal_id in inside), key=lambda one: one.order)

    def told(*changed: Signal) -> Subject:
        by_id = {one.signal_id: one for one in changed}
        return replace(subject, signals=tuple(by_id.get(one.signal_id, one) for one in subject.signals))

    for change in ("crisis", "warm"):
        fields = {one.signal_id: getattr(types[one.type], f"{change}_field") for one in members}
        if any(cases.flagged(one, fields[one.signal_id]) for one in members):
            yield (
                f"without_{change}",
                {},
                told(*(_flagged(one, fields[one.signal_id], False) for one in members)),
            )
        elif any(fields.values()):
            yield f"with_{change}", {}, told(*(_flagged(one, fields[one.signal_id], True) for one in members))
    if len(members) > 1:
        for member in members:
            values = {"date": member.signal_date.isoformat(), **types[member.type].label}
            left = tuple(one for one in subject.signals if one.signal_id != member.signal_id)
            yield "without_signal", values, replace(subject, signals=left)
    else:
        newest = members[-1]
        # A later moment on the same day: the oldest signal stays the oldest.
        more = replace(
            newest, signal_id="~", partner="~", received_at=newest.received_at + timedelta(seconds=1)
        )
        yield "one_more", {}, replace(subject, signals=(*subject.signals, more))
    counted = [one for one in members if one.signal_id not in case.passed]
    for reason in case.reasons:
        if reason["code"] == "below_threshold":
            amount = int(reason["missing"])
            yield "more_money", {"amount": str(amount)}, told(*_richer(counted, amount, types))
        elif reason["code"] == "above_threshold":
            amount = int(reason["total"]) - int(reason["threshold"]) + 1
            yield "less_money", {"amount": str(amount)}, told(*_richer(counted, -amount, types))
    for area, name in town.areas.items():
        if area != case.area:
            yield "area", {"area": name}, told(*(replace(one, area=area) for one in members))
    yield from _languages(subject, case, purpose)


def _flagged(signal: Signal, field: str | None, value: bool) -> Signal:
    return signal if field is None else replace(signal, facts={**signal.facts, field: value})


def _richer(members: Sequence[Signal], amount: int, types: Mapping[str, SignalKind]) -> Iterable[Signal]:
    """The newest signals with so much more, or less, in all; none below zero."""
    for one in reversed(members):
        field = types[one.type].amount_field
        held = one.facts.get(field) if field else None
        if isinstance(held, int) and amount:
            then = max(0, held + amount)
            amount -= then - held
            yield replace(one, facts={**one.facts, str(field): then})


def _languages(
    subject: Subject, case: Case, purpose: Purpose
) -> Iterable[tuple[str, dict[str, str], Subject]]:
    """Had the resident asked for another language, or for none. A case without an id has no facts."""
    case_id = case.case_id
    if case_id is None:
        return
    others = tuple(fact for fact in subject.facts if (fact.case_id, fact.kind) != (case_id, "language"))
    (*said,) = case.labels["language"]
    if said:
        yield "no_language", {}, replace(subject, facts=others)
    for word in purpose.words["languages"]:
        if word.id not in said:
            asked = Fact(case_id, "language", {"language": word.id}, "", case.received_at)
            yield "language", dict(word.label), replace(subject, facts=(*others, asked))


def _difference(
    change: str, values: Mapping[str, str], now: Case, then: Case, bundle: Bundle
) -> Otherwise | None:
    team = bundle.team(then.route.team)
    other = Otherwise(
        change,
        values,
        team=(team.name if team else then.route.team) if then.route.team != now.route.team else None,
        priority=then.priority if then.priority != now.priority else None,
        kind=then.kind.value if then.kind is not now.kind else None,
        status=then.status if then.status != now.status else None,
        offer_by=then.offer_by.isoformat() if then.offer_by != now.offer_by else None,
    )
    same = other == Otherwise(change, values)
    return None if same else other
