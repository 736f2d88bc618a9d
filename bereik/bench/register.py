"""One register on a database of its own: the online identity without doors, for evaluation and measurement."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bereik import interpreter, vault
from bereik.bundle import Bundle
from bereik.keys import Keyring
from bereik.linkage import Identity
from bereik.ports import Placed, RecordRow, Register
from bereik.runtime import Ports, database
from bereik.settings import LOGINS
from bereik.store import Store, bundles, migrate
from bereik.store.vault import Registers, VaultRows, VerdictRows
from bereik.verdicts import Desk

INTAKE, LINKAGE = "bereik_intake", "bereik_linkage"


# A signal's id, when it came, and its identity as written.
Record = tuple[str, datetime, Identity]
# Takes batches of them, and yields how many each held once it is committed.
Crew = Callable[[Iterable[Sequence[Record]]], Iterator[int]]


class Trial:
    """A register that is there for as long as a command runs. Encryption, keyed hashes and row security are on."""

    def __init__(self, bundle: Bundle, bundle_id: int, urls: Mapping[str, str], keyring: Path) -> None:
        """`urls`: the database as each login role sees it."""
        self.bundle, self._bundle_id, self._urls, self._keyring = bundle, bundle_id, urls, keyring
        self.store, self.linkers = Store(urls[INTAKE], pool_size=4), Store(urls[LINKAGE])
        self._registers = Registers(self.store, Keyring.load(keyring))
        # Any purpose and municipality will do: the register is the unit of identity, and its rules are the same in all.
        self.purpose = next(name for name, one in bundle.purposes.items() if one.subject == "address")

    def register(self, municipality: str | None = None) -> Register:
        """The register of a municipality; by default of the first."""
        return self._registers(self.purpose, municipality or min(self.bundle.municipalities))

    def prepare(self, records: Sequence[Record], register: Register) -> list[RecordRow]:
        """Rows with what each record is sealed as and found by."""
        rules = self.bundle.linkage
        return [
            vault.seal(who, rules, RecordRow(signal_id, register, received_at))
            for signal_id, received_at, who in records
        ]

    def identify(self, rows: Sequence[RecordRow]) -> list[Placed]:
        """One batch in one transaction, as intake does it."""
        with self.store.transaction() as tx, tx.role(f"vault_{self.purpose}"):
            return vault.identify(rows, VaultRows(tx, self.purpose), self.bundle.linkage, self._bundle_id)

    def stream(self, batches: Iterable[Sequence[Record]], register: Register) -> Iterator[int]:
        """Prepare and identify batch after batch; yields how many records each held, once it is committed.

        A batch is prepared while the one before is written, as a consumer does it.
        """
        with ThreadPoolExecutor(1, "writer") as writer:
            writing: Future[int] | None = None
            for batch in batches:
                rows = self.prepare(batch, register)
                if writing is not None:
                    yield writing.result()
                writing = writer.submit(self._write, rows)
            if writing is not None:
                yield writing.result()

    def _write(self, rows: Sequence[RecordRow]) -> int:
        self.identify(rows)
        return len(rows)

    def take(self, records: Sequence[Record]) -> int:
        """Prepare and identify one batch; how many records it held."""
        return self._write(self.prepare(records, self.register()))

    @contextmanager
    def crew(self, size: int) -> Iterator[Crew]:
        """So many processes that identify in this register at once, as consumers of one group do.

        One of them prepares and identifies a batch; in which order the batches come to stand is not fixed.
        """
        door = (self.bundle.document, self._bundle_id, self._urls, self._keyring)
        with ProcessPoolExecutor(size, get_context("spawn"), _join, door) as pool:

            def share(batches: Iterable[Sequence[Record]]) -> Iterator[int]:
                # One more than they are: whoever is done finds the next at hand.
                ahead: deque[Future[int]] = deque()
                for batch in batches:
                    ahead.append(pool.submit(_identify, batch))
                    if len(ahead) > size + 1:
                        yield ahead.popleft().result()
                yield from (one.result() for one in ahead)

            yield share

    @contextmanager
    def linking(self) -> Iterator[VerdictRows]:
        """The vault for whoever decides about links, in a transaction of its own."""
        with self.linkers.transaction() as tx, tx.role(f"linking_{self.purpose}"):
            yield VerdictRows(tx, self.purpose)

    @contextmanager
    def desk(self, register: Register) -> Iterator[Desk]:
        """Where links of a register are decided; what moves is told to nobody."""
        with self.linking() as tables:
            yield Desk(register, tables, self.bundle.linkage, self._bundle_id, lambda _: None)

    def close(self) -> None:
        """Give all connections back."""
        self.store.close()
        self.linkers.close()

    def standing(self) -> dict[str, tuple[str, str | None, str]]:
        """(person, household, first outcome) of every signal, after all merges."""
        with self.store.transaction() as tx, tx.role(f"vault_{self.purpose}"):
            rows = tx.rows(
                "SELECT r.signal_id, r.person_id, r.household_id, l.outcome FROM vault.record r"
                " JOIN vault.link l ON l.signal_id = r.signal_id AND l.version = 1"
            )
        return {signal_id: (person, household, outcome) for signal_id, person, household, outcome in rows}


# In a process of a crew: the register it works in.
_working: list[Trial] = []


def _join(document: Mapping[str, Any], bundle_id: int, urls: Mapping[str, str], keyring: Path) -> None:
    interpreter.steady()
    _working.append(Trial(Bundle.load(document), bundle_id, urls, keyring))


def _identify(batch: Sequence[Record]) -> int:
    (place,) = _working
    return place.take(batch)


@contextmanager
def trial(bundle: Bundle) -> Iterator[Trial]:
    """A register on a temporary database with a keyring of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="bereik-keys-") as folder,
        database.temporary(LOGINS, Ports.free().database) as url,
    ):
        migrate(url(database.OWNER), tuple(bundle.purposes), bundle.delivered)
        operator = Store(url("bereik_operator"))
        with operator.transaction() as tx:
            bundle_id = bundles.save(tx, bundle.sha256, bundle.document)
        operator.close()
        keyring = Path(folder) / "keyring.json"
        Keyring.create(keyring)
        interpreter.steady()
        place = Trial(bundle, bundle_id, {login: url(login) for login in (INTAKE, LINKAGE)}, keyring)
        try:
            yield place
        finally:
            place.close()
