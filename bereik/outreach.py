"""Outreach: tell teams by board, e-mail and webhook, and take down what people did and said as facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, Protocol

from bereik import cases, lifecycle, notices
from bereik.bundle import Bundle
from bereik.casework import Casework, CaseworkTx, case_message
from bereik.errors import LastingError
from bereik.lifecycle import Fact
from bereik.ports import (
    AlertRow,
    CaseRow,
    EndpointAway,
    Letter,
    NoticeRow,
    NotTaken,
    Outlet,
    OutreachTables,
    Record,
    Rest,
    SilenceRow,
)
from bereik.signal import unpack

ALERTS = "alerts."
# More than a team gets in a week, so that one turn empties what gathered; 2,000 rows are some 600 kB.
_AT_ONCE = 2_000
# How many messages are sent before the next look at what became due: a crisis waits for 50 mails at most.
_PER_TURN = 50


class UnknownCase(LastingError):
    """There is no such case in this purpose. Look the id up on the board or with `bereik explain`."""


class OutreachTx(Protocol):
    """The transaction as outreach sees it."""

    def outreach(self, purpose_id: str) -> AbstractContextManager[OutreachTables]: ...
    def park_position(self, letter: Letter, error: str) -> None: ...


class Outreach:
    """The step of the outreach consumer: every alert reaches the board once, however often its message comes."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def prepare(self, records: Sequence[Record]) -> dict[str, list[AlertRow]]:
        """The alerts in the batch, per purpose; one id once."""
        found: dict[str, dict[str, AlertRow]] = defaultdict(dict)
        for record in records:
            alerts = [self._read_alert(event) for event in unpack(record.value)]
            found[record.topic.removeprefix(ALERTS)] |= {alert.alert_id: alert for alert in alerts}
        return {purpose_id: list(alerts.values()) for purpose_id, alerts in found.items()}

    def write(self, prepared: Mapping[str, list[AlertRow]], tx: OutreachTx) -> None:
        """Put the alerts on the board."""
        for purpose_id in sorted(prepared):
            with tx.outreach(purpose_id) as tables:
                tables.tell(prepared[purpose_id])

    def park(self, letter: Letter, error: str, tx: OutreachTx) -> None:
        """Set a message of ours aside by its coordinates."""
        tx.park_position(letter, error)

    def _read_alert(self, event: Mapping[str, Any]) -> AlertRow:
        data = event["data"]
        ordered_at = datetime.fromisoformat(data["ordered_at"])
        wait = _first_wait(self._bundle, data["municipality"], data["team"], data["reason"])
        return AlertRow(
            alert_id=data["alert_id"],
            case_id=data["case_id"],
            case_version=data["case_version"],
            municipality=data["municipality"],
            team=data["team"],
            reason=data["reason"],
            outlet=notices.BOARD,
            ordered_at=ordered_at,
            people=data.get("people", 1),
            due_at=None if wait is None else ordered_at + wait,
        )


# Few answers, and every alert asks.
@lru_cache(maxsize=1024)
def _first_wait(bundle: Bundle, municipality: str, team_id: str, reason: str) -> timedelta | None:
    town, team = bundle.municipalities.get(municipality), bundle.team(team_id)
    return notices.first_wait(reason, town.alerting, team.outlets) if town and team else None


class CourierTx(OutreachTx, Protocol):
    """The transaction as the courier sees it: the endpoints and silences of the installation too."""

    def silences(self, now: datetime) -> list[SilenceRow]: ...
    def rests(self) -> dict[tuple[str, str], Rest]: ...
    def rest(self, one: Rest) -> None: ...
    def rested(self, outlet: str, target: str) -> None: ...


class Courier:
    """Brings alerts to teams by e-mail and webhook: gather what is due, write it down, send it, note what became of it.

    What is written down is sent at least once, under one id; between sending and noting it a crash sends it again.
    """

    def __init__(
        self,
        bundle: Callable[[], Bundle],
        transaction: Callable[[], AbstractContextManager[CourierTx]],
        outlets: Outlet,
        board: str,
        clock: Callable[[], datetime],
        chance: Callable[[], float],
        failpoint: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._bundle, self._transaction, self._outlets = bundle, transaction, outlets
        self._board, self._clock, self._chance, self._failpoint = board, clock, chance, failpoint

    def turn(self) -> int:
        """Gather and send once; returns how many messages were sent. Raises what the database raises."""
        bundle = self._bundle()
        self._gather(bundle)
        return sum(self._send(purpose_id) for purpose_id in sorted(bundle.purposes))

    def _gather(self, bundle: Bundle) -> None:
        now = self._clock()
        for purpose_id, purpose in sorted(bundle.purposes.items()):
            open_word = (purpose.state("new") or purpose.states[0]).id
            with self._transaction() as tx:
                silences = tx.silences(now)
                with tx.outreach(purpose_id) as tables:
                    pending = tables.due(open_word, now, _AT_ONCE)
                    if not pending:
                        continue
                    teams = notices.leaving(pending, bundle.municipalities, silences, now)
                    pending += tables.fresh(open_word, now, teams, _AT_ONCE)
                    case_of = {one.alert_id: one.case_id for one in pending}
                    plan = notices.plan(pending, bundle.municipalities, silences, now)
                    tables.make_notices([self._row(draft, purpose_id, bundle, now) for draft in plan.drafts])
                    tables.settle({(case_of[one], one): None for one in plan.dropped}, told=False)
                    again: dict[tuple[str, str], datetime | None] = {}
                    for draft in plan.drafts:
                        alerting = bundle.municipalities[draft.told[0].municipality].alerting
                        again |= {(case_of[one], one): None for one in draft.settled}
                        again |= {
                            (one.case_id, one.alert_id): notices.repeat_due(one, alerting, now)
                            for one in draft.told
                        }
                    tables.settle(again, told=True)

    def _row(self, draft: notices.Draft, purpose_id: str, bundle: Bundle, now: datetime) -> NoticeRow:
        municipality = draft.told[0].municipality
        town = bundle.municipalities[municipality]
        team = bundle.team(draft.team)
        name, language = team.name if team else draft.team, town.alerting.language
        alerts = notices.lines(draft.told, self._board, language)
        return NoticeRow(
            notice_id=draft.notice_id,
            purpose=purpose_id,
            municipality=municipality,
            team=draft.team,
            outlet=draft.outlet.kind,
            target=draft.outlet.target,
            urgent=draft.urgent,
            message={
                "subject": notices.subject(alerts, draft.urgent, name, language),
                "text": notices.body(alerts, language),
                "alerts": alerts,
            },
            made_at=now,
        )

    def _send(self, purpose_id: str) -> int:
        with self._transaction() as tx:
            resting = tx.rests()
            with tx.outreach(purpose_id) as tables:
                waiting = tables.notices(_AT_ONCE)
        now = self._clock()
        free = (one for one in waiting if not _rests(resting, one, now))
        return sum(self._try(one, resting) for one in islice(free, _PER_TURN))

    def _try(self, one: NoticeRow, resting: dict[tuple[str, str], Rest]) -> bool:
        place = (one.outlet, one.target)
        if _rests(resting, one, self._clock()):
            # An earlier message of this turn found its endpoint away.
            return False
        state, outcome = "sent", "taken"
        try:
            self._outlets.send(one)
        except EndpointAway as error:
            state, outcome = "waiting", str(error)
        except NotTaken as error:
            state, outcome = "parked", str(error)
        self._failpoint("outreach:after_notice")
        now = self._clock()
        with self._transaction() as tx:
            if state == "waiting":
                failures = resting[place].failures + 1 if place in resting else 1
                until = now + notices.wait_after(failures, self._chance())
                resting[place] = Rest(*place, failures, until, outcome)
                tx.rest(resting[place])
            elif resting.pop(place, None) is not None:
                tx.rested(*place)
            with tx.outreach(one.purpose) as tables:
                tables.tried(one.notice_id, one.tries + 1, outcome, state, now)
        return state == "sent"


def _rests(resting: Mapping[tuple[str, str], Rest], one: NoticeRow, now: datetime) -> bool:
    found = resting.get((one.outlet, one.target))
    return found is not None and now < found.until


def state_fact(
    casework: Casework,
    tx: CaseworkTx,
    purpose_id: str,
    case_id: str,
    fact_id: str,
    kind: str,
    detail: Mapping[str, Any],
    by: str,
    at: datetime,
) -> CaseRow:
    """Write what was stated about a case, decide the case again, and let the bridge look; returns the case as it then is.

    Only one may state something about a subject at a time: of two who claim a case at once the second finds it taken up.
    Raises `UnknownCase`, `IllegalMove`.
    """
    with tx.casework(purpose_id) as tables:
        locked: set[str] = set()
        while True:
            row = tables.case(case_id)
            if row is None:
                raise UnknownCase()
            if row.subject in locked:
                break
            # Between the look and the lock the case may have gone to another subject, or been decided anew.
            tables.lock_subjects([row.subject])
            locked.add(row.subject)
        casework.check(purpose_id, row, kind, detail, by, at, tables)
        full = lifecycle.completed(kind, detail, cases.people_of(row.decision))
        tables.add_fact(fact_id, Fact(case_id, kind, full, by, at))
    casework.refold(purpose_id, [row.subject], tx)
    with tx.casework(purpose_id) as tables:
        # As it is now: an older version behind a newer one would be the last word for who reads that topic.
        row = tables.case(case_id) or row
    tx.send(f"cases.{purpose_id}", [case_message(row, purpose_id)])
    return row
