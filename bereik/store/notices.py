"""Endpoints that rest, teams that are silenced, and what was sent: the parts of telling that belong to no purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bereik.ports import Rest, SilenceRow
from bereik.store import Tx


@dataclass(frozen=True, slots=True)
class Count:
    """Deliveries of one team by one outlet in one state, and what the last of them met."""

    municipality: str
    team: str
    outlet: str
    state: str
    notices: int
    since: datetime
    outcome: str | None


def rests(tx: Tx) -> dict[tuple[str, str], Rest]:
    """Every endpoint that failed the last time it was asked."""
    rows = tx.rows("SELECT outlet, target, failures, rests_until, outcome FROM ops.endpoint")
    return {(row[0], row[1]): Rest(*row) for row in rows}


def rest(tx: Tx, one: Rest) -> None:
    """Leave an endpoint alone for a while."""
    tx.execute(
        "INSERT INTO ops.endpoint (outlet, target, failures, rests_until, outcome) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT (outlet, target) DO UPDATE SET failures = excluded.failures, rests_until = excluded.rests_until,"
        " outcome = excluded.outcome",
        (one.outlet, one.target, one.failures, one.until, one.outcome),
    )


def rested(tx: Tx, outlet: str, target: str) -> None:
    """An endpoint answers again."""
    tx.execute("DELETE FROM ops.endpoint WHERE outlet = %s AND target = %s", (outlet, target))


def silences(tx: Tx, now: datetime) -> list[SilenceRow]:
    """The silences that hold now or will."""
    rows = tx.rows(
        "SELECT silence_id, municipality, team, reason, stated_by, starts_at, ends_at FROM ops.silence WHERE ends_at > %s"
        " ORDER BY starts_at, silence_id",
        (now,),
    )
    return [SilenceRow(*row) for row in rows]


def silence(
    tx: Tx, municipality: str, team: str, reason: str, by: str, start: datetime, end: datetime
) -> int:
    """Begin a silence; returns its number."""
    row = tx.rows(
        "INSERT INTO ops.silence (municipality, team, reason, stated_by, starts_at, ends_at) VALUES (%s, %s, %s, %s, %s, %s)"
        " RETURNING silence_id",
        (municipality, team, reason, by, start, end),
    )
    return int(row[0][0])


def end_silence(tx: Tx, silence_id: int, now: datetime) -> bool:
    """End a silence now; False when there is none that holds. One that has not begun ends where it begins."""
    return bool(
        tx.rows(
            "UPDATE ops.silence SET ends_at = greatest(%s, starts_at + interval '1 microsecond')"
            " WHERE silence_id = %s AND ends_at > %s RETURNING 1",
            (now, silence_id, now),
        )
    )


def counts(tx: Tx) -> list[Count]:
    """What was sent, waits and is parked, per team and outlet; counts and kinds of errors only."""
    rows = tx.rows(
        "SELECT municipality, team, outlet, state, count(*), min(made_at), (array_agg(outcome ORDER BY made_at DESC))[1]"
        " FROM casework.notice GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    )
    return [Count(*row) for row in rows]


def gathering(tx: Tx) -> Mapping[str, int]:
    """How many alerts of each team wait for their group to leave."""
    rows = tx.rows(
        "SELECT team, count(*) FROM casework.alert WHERE due_at IS NOT NULL AND times = 0 GROUP BY team ORDER BY team"
    )
    return dict(rows)
