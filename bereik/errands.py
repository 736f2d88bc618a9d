"""What people ask for by the board's forms, done by the process that may do it, under the rules of the commands.

The board's login may state nothing about a case and answers no offer; it writes down who asks for what (`store.errands`), and
row security lets it ask only about what that user may see. The process `checks` does it within a second or so, in one
transaction with what became of it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from bereik import bridge, outreach, residency
from bereik.bundle import Bundle
from bereik.casework import Casework
from bereik.checks import Checks, NothingHeld
from bereik.errors import LastingError, TransientError
from bereik.keys import Keyring
from bereik.store import Store, Tx
from bereik.store import errands as rows
from bereik.store.errands import DONE, Errand
from bereik.store.session import Session

log = logging.getLogger(__name__)

# Somebody looks at the page until it is done; a look costs two statements for each purpose.
_EVERY_S: Final = 1.0
# What somebody asked for is of use to nobody but the page, which shows a week; what it did stands in facts and in the audit.
KEPT_DAYS: Final = 7


class Errands:
    """The forms of an installation. Needs the login of the process `checks`."""

    def __init__(
        self,
        store: Store,
        keyring: Keyring,
        active: Callable[[], tuple[int, Bundle]],
        checks: Callable[[int, Bundle], Checks],
    ) -> None:
        """`active` gives the active bundle and its id, `checks` the capability under one."""
        self._store, self._keyring, self._active, self._checks = store, keyring, active, checks
        self._next = 0.0

    def turn(self) -> None:
        """Do what was asked for, at most once a second. Raises what the database raises."""
        if time.monotonic() >= self._next:
            self.do()
            self._next = time.monotonic() + _EVERY_S

    def do(self) -> int:
        """Do everything that waits; returns how many. One that is refused or meets a fault of ours stops no other."""
        bundle_id, bundle = self._active()
        done = 0
        for purpose_id in sorted(bundle.purposes):
            while self._one(purpose_id, bundle_id, bundle):
                done += 1
        return done

    def _one(self, purpose_id: str, bundle_id: int, bundle: Bundle) -> bool:
        role = f"checking_{purpose_id}"
        with self._store.transaction() as tx:
            with tx.role(role):
                errand = rows.take(tx)
            if errand is None:
                return False
            try:
                with tx.savepoint():
                    self._do(purpose_id, errand, tx, bundle_id, bundle)
                outcome = DONE
            except TransientError:
                raise
            except LastingError as error:
                outcome = type(error).__name__
            except Exception as error:
                # Only the kind: a message may quote a value. Whoever asked is told that it is our fault.
                log.error("what the board asks for met a fault of ours: %s", type(error).__name__)
                outcome = "Fault"
            with tx.role(role):
                rows.settle(tx, errand.errand_id, outcome)
        return True

    def _do(self, purpose_id: str, errand: Errand, tx: Tx, bundle_id: int, bundle: Bundle) -> None:
        session = Session(tx, "checks", bundle_id)
        if errand.kind == residency.OFFER_ANSWERED:
            checks = self._checks(bundle_id, bundle)
            transfer = str(errand.about)
            offer = next(
                (one for name, one in checks.offers(session) if (name, one.transfer_id) == (purpose_id, transfer)), None
            )  # fmt: skip
            if offer is None:
                raise NothingHeld()
            checks.answer_offer(
                purpose_id, offer, errand.detail["accepted"] is True, errand.asked_by, session
            )
            session.note(errand.asked_by, residency.OFFER_ANSWERED, purpose_id, offer.case_id)
        elif errand.kind == residency.REPAIRED:
            choice = residency.Choice(errand.detail["choice"])
            self._checks(bundle_id, bundle).repair(
                purpose_id, errand.about, errand.detail["person_id"], choice, errand.asked_by, session
            )
            session.note(errand.asked_by, "tray_repaired", purpose_id, errand.about)
        elif errand.kind == bridge.CONSENT:
            casework = Casework(bundle, bundle_id, self._keyring)
            outreach.state_fact(
                casework,
                session,
                purpose_id,
                errand.about,
                str(uuid4()),
                bridge.CONSENT,
                errand.detail,
                errand.asked_by,
                datetime.now(UTC),
            )
        else:
            raise outreach.UnknownCase()

    def expire(self) -> int:
        """Remove what was done a week ago; returns how many. For the clock."""
        removed = 0
        for purpose_id in self._active()[1].purposes:
            with self._store.transaction() as tx, tx.role(f"keeping_{purpose_id}"):
                removed += rows.expire(tx, KEPT_DAYS)
        return removed
