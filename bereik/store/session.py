"""One transaction as a capability sees it: the schemas it may touch, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from bereik.ports import Letter, Rest, SilenceRow
from bereik.store import Tx, notices
from bereik.store.bridge import BridgeRows
from bereik.store.casework import CaseworkRows, OutreachRows
from bereik.store.checks import CheckRows, persons_of
from bereik.store.delivery import DeliveryRows
from bereik.store.intake import IntakeRows
from bereik.store.telling import TellingRows
from bereik.store.vault import VaultRows, VerdictRows


class Session:
    """A transaction of one consumer group under one bundle. What it may do is decided by its login role."""

    def __init__(self, tx: Tx, group: str, bundle_id: int) -> None:
        self._tx, self._group, self._bundle_id = tx, group, bundle_id

    def intake(self) -> IntakeRows:
        """Receipts, claims and originals."""
        return IntakeRows(self._tx, self._bundle_id)

    @contextmanager
    def vault(self, purpose_id: str) -> Iterator[VaultRows]:
        """The vault of one purpose, under its own role."""
        with self._tx.role(f"vault_{purpose_id}"):
            yield VaultRows(self._tx, purpose_id)

    @contextmanager
    def linking(self, purpose_id: str) -> Iterator[VerdictRows]:
        """The vault of one purpose for whoever decides about links, under a role of its own."""
        with self._tx.role(f"linking_{purpose_id}"):
            yield VerdictRows(self._tx, purpose_id)

    @contextmanager
    def delivering(self, purpose_id: str) -> Iterator[DeliveryRows]:
        """What the national delivery may read of one purpose, under a role of its own."""
        with self._tx.role(f"delivering_{purpose_id}"):
            yield DeliveryRows(self._tx)

    @contextmanager
    def casework(self, purpose_id: str) -> Iterator[CaseworkRows]:
        """The cases of one purpose, under its own role."""
        with self._tx.role(f"casework_{purpose_id}"):
            yield CaseworkRows(self._tx, purpose_id)

    @contextmanager
    def outreach(self, purpose_id: str) -> Iterator[OutreachRows]:
        """The alerts of one purpose, under its own role."""
        with self._tx.role(f"casework_{purpose_id}"):
            yield OutreachRows(self._tx, purpose_id)

    def silences(self, now: datetime) -> list[SilenceRow]:
        """The silences that hold now or will."""
        return notices.silences(self._tx, now)

    def rests(self) -> dict[tuple[str, str], Rest]:
        """Every endpoint that failed the last time it was asked."""
        return notices.rests(self._tx)

    def rest(self, one: Rest) -> None:
        """Leave an endpoint alone for a while."""
        notices.rest(self._tx, one)

    def rested(self, outlet: str, target: str) -> None:
        """An endpoint answers again."""
        notices.rested(self._tx, outlet, target)

    @contextmanager
    def checking(self, purpose_id: str) -> Iterator[CheckRows]:
        """What the registers said of the people of one purpose, under the role of who asks them."""
        with self._tx.role(f"checking_{purpose_id}"):
            yield CheckRows(self._tx, purpose_id)

    def persons_of(
        self, purpose_id: str, case_ids: Sequence[str], since: datetime
    ) -> list[tuple[str, str, str]]:
        """(case, person, newest signal) of everybody in these cases, as far as those were received since then."""
        with self._tx.role(f"casework_{purpose_id}"):
            return persons_of(self._tx, case_ids, since)

    @contextmanager
    def telling(self, purpose_id: str) -> Iterator[TellingRows]:
        """What the partners of one purpose were told, under a role of its own."""
        with self._tx.role(f"telling_{purpose_id}"):
            yield TellingRows(self._tx, purpose_id)

    @contextmanager
    def bridge(self) -> Iterator[BridgeRows]:
        """Bridges, under the bridge's own login."""
        yield BridgeRows(self._tx)

    def note(self, actor: str, act: str, purpose: str, case_id: str) -> None:
        """Write in the audit that somebody looked at or decided about a person of a case."""
        self._tx.execute(
            'INSERT INTO audit.act (actor, act, purpose, about, detail) VALUES (%s, %s, %s, %s, \'{"by": "tray"}\')',
            (actor, act, purpose, case_id),
        )

    def send(self, topic: str, messages: Sequence[tuple[bytes, bytes]]) -> None:
        """Put messages in the outbox."""
        self._tx.send(topic, messages)

    def park_position(self, letter: Letter, error: str) -> None:
        """Set a message of ours aside by its coordinates."""
        self._tx.park(self._group, letter, error)
