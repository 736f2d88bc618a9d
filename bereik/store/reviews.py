"""All SQL of the review page: what the user who is named in the transaction may decide about, and nothing beside it.

Under the role `reviewing_<purpose>` row security shows the two people of a question, and their register's key (migration
`reviews`); which questions those are follows from ops.reviewer and ops.member, which the web process cannot write.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bereik.keys import Keyring
from bereik.ports import Register
from bereik.store.vault import VerdictRows


@dataclass(frozen=True, slots=True)
class Question:
    """Whether two signals are about one person. `same` is the answer; None while nobody gave one.

    `unsure` are those who looked and could not tell; they have seen the weight, and are not asked again.
    """

    signal_id: str
    against: str
    municipality: str
    since: datetime
    same: bool | None
    closed_by: str | None
    unsure: tuple[str, ...]


_QUESTION = (
    "SELECT v.signal_id, v.against, g.municipality, v.opened_at, v.same, v.closed_by, v.unsure"
    " FROM vault.review v JOIN vault.register g USING (register_id)"
)


class ReviewRows(VerdictRows):
    """The questions of one purpose, for the user that the transaction names."""

    def waiting(self, limit: int) -> list[Question]:
        """What is open, oldest first; what somebody could not tell comes last."""
        rows = self._tx.rows(
            f"{_QUESTION} WHERE v.closed_at IS NULL ORDER BY cardinality(v.unsure), v.opened_at, v.signal_id LIMIT %s",
            (limit,),
        )
        return [_question(row) for row in rows]

    def question(self, signal_id: str) -> Question | None:
        """The question about a signal; None also when it is not for this user."""
        rows = self._tx.rows(f"{_QUESTION} WHERE v.signal_id = %s", (signal_id,))
        return _question(rows[0]) if rows else None

    def register(self, municipality: str, keyring: Keyring) -> Register:
        """The register of a question, opened for this transaction only."""
        ((register_id, sealed_key),) = self._tx.rows(
            "SELECT register_id, sealed_key FROM vault.register WHERE municipality = %s", (municipality,)
        )
        box = keyring.register_box(f"{self._purpose}|{municipality}", bytes(sealed_key))
        return Register(register_id, self._purpose, municipality, box)

    def not_told(self, signal_id: str, by: str) -> None:
        """Somebody looked and cannot tell: the question stays open, for somebody else."""
        self._tx.execute(
            "UPDATE vault.review SET unsure = array_append(unsure, %s) WHERE signal_id = %s AND closed_at IS NULL"
            " AND NOT %s = ANY(unsure)",
            (by, signal_id, by),
        )


def _question(row: tuple[Any, ...]) -> Question:
    signal_id, against, municipality, since, same, closed_by, unsure = row
    return Question(signal_id, against, municipality, since, same, closed_by, tuple(unsure))
