"""The promises that the database must keep, as named queries (`invariants.sql`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bereik.store import Tx

AUDITOR = "bereik_auditor"
DRAINED = "drained."


@dataclass(frozen=True, slots=True)
class Finding:
    """One invariant and how often it is broken."""

    name: str
    violations: int


@lru_cache(maxsize=1)
def queries() -> dict[str, str]:
    """Name → query."""
    text = Path(__file__).with_suffix(".sql").read_text("utf-8")
    parts = re.split(r"^-- name: (\S+)$", text, flags=re.MULTILINE)[1:]
    return {name: query.strip().rstrip(";") for name, query in zip(parts[::2], parts[1::2], strict=True)}


def check(tx: Tx, drained: bool) -> list[Finding]:
    """Count the violations of every invariant; those that need a drained pipeline only when it is."""
    with tx.role(AUDITOR):
        return [
            Finding(
                name, int(tx.rows(f"SELECT count(*) FROM ({_without_comments(query)}) AS violations")[0][0])
            )
            for name, query in queries().items()
            if drained or not name.startswith(DRAINED)
        ]


def counts(tx: Tx) -> list[tuple[str, str, int, int, int, int, int]]:
    """(partner, door, received, accepted, duplicate, refused, parked), from the database."""
    with tx.role(AUDITOR):
        found = tx.rows(
            "SELECT partner, door, sum(received), sum(a), sum(d), sum(r), sum(p) FROM ("
            " SELECT partner, door, received, 0 AS a, 0 AS d, 0 AS r, 0 AS p FROM intake.landed UNION ALL"
            " SELECT partner, door, 0, (fate = 'accepted')::int, (fate = 'duplicate')::int, (fate = 'refused')::int,"
            " (fate = 'parked')::int FROM intake.receipt) AS c GROUP BY partner, door ORDER BY partner, door"
        )
    return [(row[0], row[1], *(int(value) for value in row[2:])) for row in found]


def _without_comments(query: str) -> str:
    return re.sub(r"^--.*$", "", query, flags=re.MULTILINE).strip().rstrip(";")
