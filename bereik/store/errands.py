"""What people ask for by a form of the board, until a process that may do it has done it. Row security says who may ask what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from bereik.store import Tx

# The outcome of one that was done as it was asked.
DONE = "done"


@dataclass(frozen=True, slots=True)
class Errand:
    """Something to be done in somebody's name. `about` is a case, or an offer."""

    errand_id: int
    kind: str
    about: str
    detail: Mapping[str, Any]
    asked_by: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of an errand: no outcome while it waits, `DONE`, or the name of what refused it."""

    about: str
    detail: Mapping[str, Any]
    asked_at: datetime
    outcome: str | None


def ask(tx: Tx, purpose: str, kind: str, about: str, detail: Mapping[str, Any], by: str) -> None:
    """Ask for something in the name of the user of this transaction."""
    tx.execute(
        "INSERT INTO casework.errand (purpose, kind, about, detail, asked_by) VALUES (%s, %s, %s, %s, %s)",
        (purpose, kind, about, Jsonb(dict(detail)), by),
    )


def asked(tx: Tx, kind: str, about: str | None = None) -> list[Asked]:
    """What the user of this transaction asked for of one kind, newest first; at most 50, of one case or offer or of all."""
    rows = tx.rows(
        "SELECT about, detail, asked_at, outcome FROM casework.errand WHERE kind = %s AND (%s::uuid IS NULL OR about = %s)"
        " ORDER BY errand_id DESC LIMIT 50",
        (kind, about, about),
    )
    return [Asked(*row) for row in rows]


def take(tx: Tx) -> Errand | None:
    """The oldest that waits, held until the transaction ends. Under the role `checking` of a purpose."""
    rows = tx.rows(
        "SELECT errand_id, kind, about, detail, asked_by FROM casework.errand WHERE done_at IS NULL"
        " ORDER BY errand_id LIMIT 1 FOR UPDATE SKIP LOCKED"
    )
    return Errand(*rows[0]) if rows else None


def settle(tx: Tx, errand_id: int, outcome: str) -> None:
    """Write down what became of one. Under the role `checking`."""
    tx.execute(
        "UPDATE casework.errand SET done_at = now(), outcome = %s WHERE errand_id = %s", (outcome, errand_id)
    )


def expire(tx: Tx, days: int) -> int:
    """Remove what was done so long ago; returns how many. What it did stands elsewhere. Under the role `keeping`."""
    return tx.execute(
        "DELETE FROM casework.errand WHERE done_at < now() - make_interval(days => %s)", (days,)
    ).rowcount
