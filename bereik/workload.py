"""Workload: what the clock finds in all open cases of a municipality, what a team can carry in a week, and figures of it. Pure.

The same cases on the same day give the same answer, so a look that was missed is caught up by the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from bereik.contact import BY_RULE, Subject, View, attempts_of, last_working, promises_of, view
from bereik.days import add_working_days, local_day
from bereik.declared.contact import Contact
from bereik.declared.municipalities import RouteNode
from bereik.lifecycle import Fact


class Tell(StrEnum):
    """Why somebody is told on the clock, beside what `cases.Notify` tells at once."""

    UNCLAIMED = "unclaimed"
    PROMISE_DUE = "promise_due"
    TERM_NEAR = "term_near"
    CAPACITY_OVERFLOW = "capacity_overflow"
    FLOOR_NOT_MET = "floor_not_met"


# What the manager hears because a team has no room, with the number of people; and everything that the manager hears.
NO_ROOM: Final = (Tell.CAPACITY_OVERFLOW, Tell.FLOOR_NOT_MET)
FOR_THE_MANAGER: Final = (*NO_ROOM, Tell.UNCLAIMED)


# ---------------------------------------------------------------- what a team can carry


@dataclass(frozen=True, slots=True)
class Demand:
    """One case that asks for a full plan in a week. `begun`: somebody took it up or tried, so its place is used."""

    case_id: str
    floor: bool
    begun: bool
    priority: int
    offer_by: date
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a week comes to: cases for the lighter way, and cases on the floor that nobody has room for."""

    lighter: tuple[str, ...]
    short: tuple[str, ...]


def allocate(demands: Iterable[Demand], capacity: int) -> Allocation:
    """Share out a team's places of one week: what has begun keeps its place, then the floor, then the published order.

    The order in which the cases are given does not matter. Nothing on the floor is ever in `lighter`.
    """
    ordered = sorted(
        demands,
        key=lambda one: (
            not one.begun,
            not one.floor,
            one.priority,
            one.offer_by,
            one.received_at,
            one.case_id,
        ),
    )
    over = [one for one in ordered[capacity:] if not one.begun]
    return Allocation(
        tuple(one.case_id for one in over if not one.floor),
        tuple(one.case_id for one in over if one.floor),
    )


def week_start(day: date) -> date:
    """The Monday of a week."""
    return day - timedelta(days=day.weekday())


def week_of(day: date) -> str:
    """The week a day is in, as ISO counts: 2026-W53 has the first days of January in it."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


# ---------------------------------------------------------------- what the clock finds


@dataclass(frozen=True, slots=True)
class Notice:
    """Somebody has to be told: one case and why. `mark` tells two occasions of one reason apart; `people` counts the cases
    that one notice to the manager stands for."""

    case: Subject
    team: str
    reason: Tell
    mark: str
    people: int = 1


@dataclass(frozen=True, slots=True)
class Round:
    """What one look at the clock asks for. `handed_over`: case and the team it goes to; `lightened`: to the lighter way."""

    notices: tuple[Notice, ...]
    handed_over: tuple[tuple[Subject, str], ...]
    lightened: tuple[Subject, ...]


def look(
    cases: Sequence[Subject], contact: Contact, root: RouteNode, capacity: Mapping[str, int], today: date
) -> Round:
    """What has to be told or done today about the open cases of one purpose in one municipality.

    The same cases on the same day give the same answer, so a look that was missed is caught up by the next one.
    """
    views = {case.case_id: view(case, contact, today) for case in cases}
    notices: list[Notice] = []
    handed_over: list[tuple[Subject, str]] = []
    for case in sorted((case for case in cases if case.open), key=lambda case: case.case_id):
        seen = views[case.case_id]
        notices += _reminders(case, seen, today)
        if not case.claimed and today > _claim_by(case, seen):
            since = local_day(case.waits_since).isoformat()
            notices.append(Notice(case, contact.manager, Tell.UNCLAIMED, f"{case.team}|{since}"))
            parent = parent_team(root, case.team)
            if parent != case.team and not any(
                fact.kind == "handed_over" and fact.stated_by == BY_RULE for fact in case.facts
            ):
                handed_over.append((case, parent))
    lightened = _overflow(cases, views, contact, capacity, today, notices)
    return Round(tuple(notices), tuple(handed_over), tuple(lightened))


def _claim_by(case: Subject, seen: View) -> date:
    return add_working_days(local_day(case.waits_since), seen.progress.plan.claim_working_days)


def _reminders(case: Subject, seen: View, today: date) -> list[Notice]:
    notices = [
        Notice(case, case.team, Tell.PROMISE_DUE, promise.promise_id)
        for promise in seen.promises
        if promise.kept is None and remind_on(promise.by) <= today <= promise.by
    ]
    tried = bool(attempts_of(case.facts))
    warn = case.offer_by
    for _ in range(seen.progress.plan.warn_working_days):
        warn = last_working(warn - timedelta(days=1))
    if not tried and today >= warn:
        notices.append(Notice(case, case.team, Tell.TERM_NEAR, case.offer_by.isoformat()))
    return notices


def remind_on(by: date) -> date:
    """The working day before a promised day."""
    return last_working(by - timedelta(days=1))


def _overflow(
    cases: Sequence[Subject],
    views: Mapping[str, View],
    contact: Contact,
    capacity: Mapping[str, int],
    today: date,
    notices: list[Notice],
) -> list[Subject]:
    """The cases that drop this week; adds what the manager has to know."""
    week = week_of(today)
    by_team: dict[str, list[Subject]] = {}
    for case in cases:
        if week_of(views[case.case_id].started_on) == week and not views[case.case_id].lightened:
            by_team.setdefault(case.team, []).append(case)
    dropped: list[Subject] = []
    for team, held in sorted(by_team.items()):
        known = {case.case_id: case for case in held}
        demands = [
            Demand(
                case.case_id, views[case.case_id].floor is not None, not case.open or case.claimed or bool(attempts_of(case.facts)),
                case.priority, case.offer_by, case.received_at,
            )
            for case in held
        ]  # fmt: skip
        shared = allocate(demands, capacity.get(team, 0))
        # One notice for all of them, and another one only when their number changes: the case that came first, and how many
        # people it is about.
        for reason, ids in ((Tell.CAPACITY_OVERFLOW, shared.lighter), (Tell.FLOOR_NOT_MET, shared.short)):
            if ids:
                first = min(
                    (known[case_id] for case_id in ids), key=lambda case: (case.received_at, case.case_id)
                )
                mark = f"{team}|{today.isoformat()}|{len(ids)}"
                notices.append(Notice(first, contact.manager, reason, mark, len(ids)))
        dropped += [known[case_id] for case_id in shared.lighter]
    return dropped


def parent_team(root: RouteNode, team: str) -> str:
    """Who takes what this team leaves lying: the team of the nearest node above it, in the end the root's: triage."""

    def walk(node: RouteNode, own: str, above: str) -> str | None:
        if own == team and above != team:
            return above
        for child in node.children:
            inherited = child.team or own
            found = walk(child, inherited, own if inherited != own else above)
            if found is not None:
                return found
        return None

    top = root.team or ""
    return walk(root, top, top) or top


# ---------------------------------------------------------------- figures

# Below this many people a number could point at somebody.
FEWEST: Final = 5


@dataclass(frozen=True, slots=True)
class Worked:
    """One case for the figures: its facts, and whether its plan's minimum was met when it was closed (None: still open)."""

    facts: tuple[Fact, ...]
    met: bool | None


def figures(
    cases: Iterable[Worked], today: date, no_room: Mapping[tuple[str, date], int] = MappingProxyType({})
) -> dict[str, dict[str, int | None]]:
    """Counts by group and word; None where it is between 1 and 4, because so few could be recognised.

    `attempts` and `reached` are by channel and part of day, the others by the words that workers chose from. `no_room`:
    (reason, day) → how many people the manager was told there was no room for; they are counted as days, and as the most
    people of one day, because who waits on two days is one person.
    """
    counts: dict[str, Counter[str]] = {
        name: Counter()
        for name in (
            "cases", "attempts", "reached", "minimum", "deviations", "lightened", "capacity", "promises", "causes", "helped",
            "promised_done",
        )
    }  # fmt: skip
    for (reason, _), people in no_room.items():
        counts["capacity"][f"{reason}, days"] += 1
        most = f"{reason}, people at most"
        counts["capacity"][most] = max(counts["capacity"][most], people)
    for case in cases:
        counts["cases"]["closed" if case.met is not None else "open"] += 1
        if case.met is not None:
            counts["minimum"]["met" if case.met else "not_met"] += 1
        for attempt in attempts_of(case.facts):
            place = f"{attempt.contact}, {attempt.daypart}"
            counts["attempts"][place] += 1
            counts["reached"][place] += attempt.reached
            if attempt.reason:
                counts["deviations"][f"attempt: {attempt.reason}"] += 1
        for promise in promises_of(case.facts):
            broken = promise.broken(today)
            counts["promises"]["broken" if broken else "kept" if promise.kept else "open"] += 1
        for fact in case.facts:
            if fact.kind == "deviated":
                counts["deviations"][f"{fact.detail['rule']}: {fact.detail['reason']}"] += 1
            elif fact.kind == "lightened":
                counts["lightened"]["cases"] += 1
            elif fact.kind == "closed":
                _count_closing(fact.detail, counts)
    return {
        group: {name: None if 0 < number < FEWEST else number for name, number in sorted(found.items())}
        for group, found in counts.items()
    }


def _count_closing(detail: Mapping[str, Any], counts: Mapping[str, Counter[str]]) -> None:
    if "reason" in detail:
        counts["deviations"][f"closed: {detail['reason']}"] += 1
    if "cause" in detail:
        counts["causes"][detail["cause"]] += 1
    for question in ("helped", "promised_done"):
        if question in detail:
            counts[question]["yes" if detail[question] else "no"] += 1
