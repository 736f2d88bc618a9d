"""One register on a database of its own: the online identity without doors, for evaluation and measurement."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

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


class Trial:
    """A register that is there for as long as a command runs. Encryption, keyed hashes and row security are on."""

    def __init__(
        self, bundle: Bundle, bundle_id: int, store: Store, linkers: Store, keyring: Keyring
    ) -> None:
        self.bundle, self.store, self.linkers, self._bundle_id = bundle, store, linkers, bundle_id
        self._keyring, self._registers = keyring, Registers(store, keyring)
        # Any purpose and municipality will do: the register is the unit of identity, and its rules are the same in all.
        self.purpose = next(name for name, one in bundle.purposes.items() if one.subject == "address")

    def register(self, municipality: str | None = None) -> Register:
        """The register of a municipality; by default of the first."""
        return self._registers(self.purpose, municipality or min(self.bundle.municipalities))

    def prepare(
        self, records: Sequence[tuple[str, datetime, Identity]], register: Register
    ) -> list[RecordRow]:
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

    def stream(
        self, batches: Iterable[Sequence[tuple[str, datetime, Identity]]], register: Register
    ) -> Iterator[int]:
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

    def standing(self) -> dict[str, tuple[str, str | None, str]]:
        """(person, household, first outcome) of every signal, after all merges."""
        with self.store.transaction() as tx, tx.role(f"vault_{self.purpose}"):
            rows = tx.rows(
                "SELECT r.signal_id, r.person_id, r.household_id, l.outcome FROM vault.record r"
                " JOIN vault.link l ON l.signal_id = r.signal_id AND l.version = 1"
            )
        return {signal_id: (person, household, outcome) for signal_id, person, household, outcome in rows}


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
        path = Path(folder) / "keyring.json"
        Keyring.create(path)
        interpreter.steady()
        store, linkers = Store(url(INTAKE), pool_size=4), Store(url(LINKAGE))
        try:
            yield Trial(bundle, bundle_id, store, linkers, Keyring.load(path))
        finally:
            store.close()
            linkers.close()
