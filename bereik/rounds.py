"""Rounds: on a clock, look at the open cases, tell whom it concerns, and do what the municipality's rules decided.

A round keeps nothing of its own. What it told is found back by the ids of the alerts, what it did by the facts it stated, so
a round that was missed is caught up by the next one and two in a row tell nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Protocol

from bereik import contact, workload
from bereik.bundle import Bundle
from bereik.casework import Casework, alert_id_of, alert_message
from bereik.contact import Subject
from bereik.days import local_day
from bereik.ports import Box, CaseworkTables, Outbox, OutreachTables
from bereik.workload import Notice, Round


class RoundsTx(Outbox, Protocol):
    """The transaction as a round sees it."""

    def casework(self, purpose_id: str) -> AbstractContextManager[CaseworkTables]: ...
    def outreach(self, purpose_id: str) -> AbstractContextManager[OutreachTables]: ...


def places(bundle: Bundle) -> Iterator[tuple[str, str]]:
    """(purpose, municipality) of every place that declares how it reaches out."""
    for code, town in sorted(bundle.municipalities.items()):
        for purpose_id, policy in sorted(town.policies.items()):
            if policy.contact is not None:
                yield purpose_id, code


def look(
    casework: Casework, bundle: Bundle, purpose_id: str, municipality: str, tx: RoundsTx, now: datetime
) -> Round:
    """What the open cases of one purpose in one municipality ask for now. Writes nothing."""
    town = bundle.municipalities[municipality]
    rules = town.policies[purpose_id].contact
    assert rules is not None
    today = local_day(now)
    with tx.casework(purpose_id) as tables:
        rows = tables.recent_cases(municipality, workload.week_start(today))
        known = casework.known(purpose_id, rows, tables) if rows else []
    capacity = {team.id: team.capacity_per_week or 0 for team in town.teams}
    return workload.look(known, rules, town.routes[purpose_id], capacity, today)


def figures(
    casework: Casework,
    bundle: Bundle,
    purpose_id: str,
    municipality: str,
    days: tuple[date, date],
    tx: RoundsTx,
    now: datetime,
) -> dict[str, dict[str, int | None]]:
    """Counts over the cases that came in on these days and that people worked on, or still have to."""
    rules = bundle.municipalities[municipality].policies[purpose_id].contact
    assert rules is not None
    today = local_day(now)
    with tx.casework(purpose_id) as tables:
        rows = tables.cases_received(municipality, *days)
        known = casework.known(purpose_id, rows, tables) if rows else []
        no_room = tables.told_people(municipality, workload.NO_ROOM, *days)
    return workload.figures(
        [
            workload.Worked(one.facts, None if one.open else contact.view(one, rules, today).progress.met)
            for one in known
            if one.open or any(fact.kind == "closed" for fact in one.facts)
        ],
        today,
        no_room,
    )


def tell(notices: Sequence[Notice], purpose_id: str, box: Box, tx: RoundsTx, now: datetime) -> int:
    """Order the alerts that were not told before; returns how many."""
    ids = {alert_id_of(box, one.case.case_id, 0, one.reason.value, one.mark): one for one in notices}
    with tx.outreach(purpose_id) as tables:
        told = tables.told([one.case.case_id for one in notices], list(ids))
    fresh = [one for alert_id, one in ids.items() if alert_id not in told]
    tx.send(
        f"alerts.{purpose_id}",
        [
            # Version 0: what a clock finds belongs to no version of the case.
            alert_message(
                box, purpose_id, one.case.case_id, 0, one.case.municipality, one.team, one.reason.value, now, one.mark, one.people
            )
            for one in fresh
        ],
    )  # fmt: skip
    return len(fresh)


def acts(found: Round) -> Iterator[tuple[Subject, str, dict[str, str]]]:
    """What the rules decided, as facts to state: case, kind and detail."""
    for case, team in found.handed_over:
        yield case, "handed_over", {"team": team}
    for case in found.lightened:
        yield case, "lightened", {}
