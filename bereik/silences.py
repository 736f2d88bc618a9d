"""Who is told, from the operator's side: teams that are told nothing for a while, and what was sent, waits and is parked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from bereik.bundle import Bundle
from bereik.errors import LastingError
from bereik.ports import Rest, SilenceRow
from bereik.store import Store, invariants, notices

# A week: who is away longer hands over.
_LONGEST_SILENCE_H = 168


class NoTeam(LastingError):
    """No team has this id. `schemas/municipalities/` has them."""


class NoEnd(LastingError):
    """A silence lasts more than 0 hours and at most a week (168). A team that is away longer hands its routes over."""


class Silences:
    """The silences of an installation; for the process `operator`."""

    def __init__(self, store: Store, bundle: Callable[[], Bundle]) -> None:
        """`bundle` gives the active one."""
        self._store, self._bundle = store, bundle

    def begin(self, team_id: str, reason: str, by: str, hours: float) -> int:
        """Tell a team nothing by mail or webhook for some hours, except a crisis. Raises `NoTeam`, `NoEnd`."""
        team = self._bundle().team(team_id)
        if team is None:
            raise NoTeam()
        if not 0 < hours <= _LONGEST_SILENCE_H:
            raise NoEnd()
        now = datetime.now(UTC)
        with self._store.transaction() as tx:
            return notices.silence(
                tx, team.municipality, team_id, reason, by, now, now + timedelta(hours=hours)
            )

    def end(self, silence_id: int) -> bool:
        """End a silence now; False when there is none that holds."""
        with self._store.transaction() as tx:
            return notices.end_silence(tx, silence_id, datetime.now(UTC))

    def standing(self) -> list[SilenceRow]:
        """The silences that hold now or will."""
        with self._store.transaction() as tx:
            return notices.silences(tx, datetime.now(UTC))

    def counts(self) -> tuple[list[notices.Count], list[Rest], Mapping[str, int]]:
        """What was sent, waits and is parked; the endpoints that rest; alerts whose group has not left yet, per team."""
        with self._store.transaction() as tx, tx.role(invariants.AUDITOR):
            return notices.counts(tx), list(notices.rests(tx).values()), notices.gathering(tx)
