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
from bereik.bundle import Bundle, Purpose
from bereik.cases import Case, Signal
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
    known = [
        one
        for one in subject.signals
        if one.type in bundle.signal_types and one.municipality in bundle.municipalities
    ]
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
    "without_newest": ("Zonder het nieuwste signaal ({date})", "Without the newest signal ({date})"),
    "one_more": ("Met nog een signaal van een andere partner", "With one more signal, from another partner"),
    "more_money": ("Met € {amount} meer", "With € {amount} more"),
    "area": ("In het gebied {area}", "In the area {area}"),
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
    # The case is found again by its oldest signal, whatever the change does to ids and periods.
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
    inside = {one.signal_id for one in subject.signals} & set(found.signals)
    told = []
    for change, values, signals in _changes(subject.signals, inside, found, bundle):
        then = next(
            (
                case
                for case in cases.decide(signals, subject.facts, purpose, bundle, now)
                if found.anchor in case.signals
            ),
            None,
        )
        if then is not None and (other := _difference(change, values, found, then, bundle)) is not None:
            told.append(other)
    return tuple(told)


def _changes(
    signals: Sequence[Signal], inside: set[str], case: Case, bundle: Bundle
) -> Iterable[tuple[str, dict[str, str], list[Signal]]]:
    types = bundle.signal_types
    members = sorted((one for one in signals if one.signal_id in inside), key=lambda one: one.order)
    if case.crisis:
        yield "without_crisis", {}, _with_flag(signals, inside, "crisis_field", False, bundle)
    elif any(types[one.type].crisis_field for one in members):
        yield "with_crisis", {}, _with_flag(signals, inside, "crisis_field", True, bundle)
    if any(cases.flagged(one, types[one.type].warm_field) for one in members):
        yield "without_warm", {}, _with_flag(signals, inside, "warm_field", False, bundle)
    if len(members) > 1:
        newest = members[-1]
        yield (
            "without_newest",
            {"date": newest.signal_date.isoformat()},
            [one for one in signals if one.signal_id != newest.signal_id],
        )
    else:
        newest = members[-1]
        # A later moment on the same day: the oldest signal stays the oldest.
        more = replace(
            newest, signal_id="~", partner="~", received_at=newest.received_at + timedelta(seconds=1)
        )
        yield "one_more", {}, [*signals, more]
    short = next((reason["missing"] for reason in case.reasons if reason["code"] == "below_threshold"), None)
    if short is not None:
        field = types[members[-1].type].amount_field or ""
        richer = replace(members[-1], facts={**members[-1].facts, field: members[-1].facts[field] + short})
        yield (
            "more_money",
            {"amount": str(short)},
            [richer if one.signal_id == richer.signal_id else one for one in signals],
        )
    for area, name in bundle.municipalities[case.municipality].areas.items():
        if area != case.area:
            yield (
                "area",
                {"area": name},
                [replace(one, area=area) if one.signal_id in inside else one for one in signals],
            )


def _with_flag(
    signals: Sequence[Signal], inside: set[str], attribute: str, value: bool, bundle: Bundle
) -> list[Signal]:
    def changed(one: Signal) -> Signal:
        name = getattr(bundle.signal_types[one.type], attribute)
        if one.signal_id not in inside or name is None:
            return one
        return replace(one, facts={**one.facts, name: value})

    return [changed(one) for one in signals]


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
