"""The check before contact, running: who is asked about, what people decide in the tray, what partners hear of their rates."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from bereik import receipts
from bereik.brp import Brp, Credentials, DebtHelp, Line, QuestionRefused, RegisterRefused
from bereik.bundle import Bundle
from bereik.casework import Casework
from bereik.checks import Checks
from bereik.days import local_day
from bereik.errors import LastingError, TransientError
from bereik.keys import Keyring
from bereik.settings import Register, Settings
from bereik.store import Store, invariants
from bereik.store import checks as rows
from bereik.store.session import Session
from bereik.store.vault import Registers

log = logging.getLogger(__name__)

# A register that is away is asked again after this, and after twice as long each time up to five minutes.
_AWAY_S, _LONGEST_AWAY_S = 2.0, 300.0


def _line(register: Register) -> Line:
    way = Credentials(register.key, register.token_url, register.client, register.secret)
    return Line(register.url, way, register.ca)


class Inquiries:
    """The registers of an installation, and the questions to them. Needs the login of the process `checks` to ask."""

    def __init__(
        self, settings: Settings, store: Store, keyring: Keyring, active: Callable[[], tuple[int, Bundle]]
    ) -> None:
        """`active` gives the active bundle and its id."""
        self._settings, self._store, self._keyring, self._active = settings, store, keyring, active
        self._away_until, self._away = 0.0, _AWAY_S
        self._asker: tuple[int, Checks] | None = None

    def turn(self) -> None:
        """Ask about a few people, unless the registers were away a moment ago. Raises nothing when they are."""
        if time.monotonic() >= self._away_until:
            try:
                self.ask()
                self._away = _AWAY_S
            except (TransientError, RegisterRefused) as error:
                log.warning("checks wait %.0f s: %s", self._away, error)
                self._away_until = time.monotonic() + self._away
                self._away = min(self._away * 2, _LONGEST_AWAY_S)

    def checks(self, bundle_id: int, bundle: Bundle) -> Checks:
        """The capability under a bundle, with the registers that the settings name."""
        brp, known = self._settings.brp, self._settings.known
        return Checks(
            bundle,
            Casework(bundle, bundle_id, self._keyring),
            self._keyring,
            self._looked_up,
            Brp(_line(brp)) if brp is not None else None,
            DebtHelp(_line(known)) if known is not None else None,
            (QuestionRefused,),
        )

    @cached_property
    def _looked_up(self) -> Registers:
        return Registers(self._store, self._keyring, found_by="checking")

    @contextmanager
    def tray(self) -> Iterator[tuple[Checks, Session]]:
        """The checks in one transaction, for the tray. Needs the login of the process `checks`."""
        bundle_id, bundle = self._active()
        with self._store.transaction() as tx:
            yield self.checks(bundle_id, bundle), Session(tx, "checks", bundle_id)

    def ask(self) -> int:
        """Ask the registers about a few people who wait for it; returns how many were answered.

        Raises `RegisterAway` and `RegisterRefused`; whom it was not asked about waits on.
        """
        if self._settings.brp is None:
            return 0
        bundle_id, bundle = self._active()
        checks = self._asking(bundle_id, bundle)
        with self._store.transaction() as tx:
            due = checks.due(Session(tx, "checks", bundle_id))
        for purpose, one in due:
            try:
                checked = checks.ask(purpose, one)
            except RegisterRefused:
                raise
            except LastingError as error:
                # A record that does not open stops itself and nobody else.
                log.error("a check is put off an hour: %s", type(error).__name__)
                with (
                    self._store.transaction() as tx,
                    Session(tx, "checks", bundle_id).checking(purpose) as tables,
                ):
                    tables.postpone(one, 3600)
                continue
            with self._store.transaction() as tx:
                checks.take_down(purpose, one, checked, Session(tx, "checks", bundle_id))
        return len(due)

    def _asking(self, bundle_id: int, bundle: Bundle) -> Checks:
        """Made once per bundle, so that a token of the register outlives a round."""
        if self._asker is None or self._asker[0] != bundle_id:
            self._asker = (bundle_id, self.checks(bundle_id, bundle))
        return self._asker[1]

    def rates(self) -> list[Mapping[str, Any]]:
        """Per partner and month: how many of its people were asked about, and how many did not fit. Counts only."""
        with self._store.transaction() as tx, tx.role(invariants.AUDITOR):
            return rows.rates(tx)

    def expire(self) -> int:
        """Remove what the registers said of people, and movers' offers, whose term has passed; returns how many. For the clock."""
        removed = 0
        for purpose in self._active()[1].purposes.values():
            if purpose.bsn is not None:
                terms = purpose.retention_days
                with self._store.transaction() as tx, tx.role(f"keeping_{purpose.id}"):
                    removed += rows.expire(tx, terms["residency"], terms["transfer"])
        return removed

    def tell_rates(self, today: date | None = None) -> int:
        """Tell each partner the months that are over, once, on its receipts topic; returns how many.

        For the clock. A month with fewer than `receipts.FEWEST` people is not told.
        """
        over = f"{today or local_day(datetime.now(UTC)):%Y-%m}"
        partners, told = self._active()[1].partners, 0
        by_purpose: dict[str, list[Mapping[str, Any]]] = {}
        for row in self.rates():
            if row["month"] < over and row["asked"] >= receipts.FEWEST and row["partner"] in partners:
                by_purpose.setdefault(row["purpose"], []).append(row)
        for purpose, found in sorted(by_purpose.items()):
            with self._store.transaction() as tx:
                with tx.role(f"keeping_{purpose}"):
                    news = rows.untold(tx, purpose, found)
                for row in found:
                    if (row["partner"], row["month"]) in news:
                        tx.send(f"receipts.{row['partner']}", [receipts.rate_message(row)])
                        told += 1
        return told
