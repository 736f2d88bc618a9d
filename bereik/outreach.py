"""Outreach: tell the team's outlet, and take down what people did and said as facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from bereik.casework import Casework, CaseworkTx, case_message
from bereik.errors import LastingError
from bereik.lifecycle import Fact
from bereik.ports import AlertRow, CaseRow, Letter, OutreachTables, Record
from bereik.signal import unpack

ALERTS = "alerts."
BOARD = "board"


class UnknownCase(LastingError):
    """There is no such case in this purpose. Look the id up on the board or with `bereik explain`."""


class OutreachTx(Protocol):
    """The transaction as outreach sees it."""

    def outreach(self, purpose_id: str) -> AbstractContextManager[OutreachTables]: ...
    def park_position(self, letter: Letter, error: str) -> None: ...


class Outreach:
    """The step of the outreach consumer: every alert reaches the board once, however often its message comes."""

    def prepare(self, records: Sequence[Record]) -> dict[str, list[AlertRow]]:
        """The alerts in the batch, per purpose; one id once."""
        found: dict[str, dict[str, AlertRow]] = defaultdict(dict)
        for record in records:
            alerts = [_read_alert(event) for event in unpack(record.value)]
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


def _read_alert(event: Mapping[str, Any]) -> AlertRow:
    data = event["data"]
    return AlertRow(
        alert_id=data["alert_id"],
        case_id=data["case_id"],
        case_version=data["case_version"],
        municipality=data["municipality"],
        team=data["team"],
        reason=data["reason"],
        outlet=BOARD,
        ordered_at=datetime.fromisoformat(data["ordered_at"]),
        people=data.get("people", 1),
    )


def state_fact(
    casework: Casework,
    tx: CaseworkTx,
    purpose_id: str,
    case_id: UUID,
    fact_id: UUID,
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
            row = tables.case(str(case_id))
            if row is None:
                raise UnknownCase()
            if row.subject in locked:
                break
            # Between the look and the lock the case may have gone to another subject, or been decided anew.
            tables.lock_subjects([row.subject])
            locked.add(row.subject)
        casework.check(purpose_id, row, kind, detail, by, at, tables)
        tables.add_fact(fact_id, Fact(str(case_id), kind, detail, by, at))
    casework.refold(purpose_id, [row.subject], tx)
    with tx.casework(purpose_id) as tables:
        # As it is now: an older version behind a newer one would be the last word for who reads that topic.
        row = tables.case(str(case_id)) or row
    tx.send(f"cases.{purpose_id}", [case_message(row, purpose_id)])
    return row
