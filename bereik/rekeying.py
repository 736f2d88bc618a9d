"""Other kinds of keys for a register that is in use: when `keys:` of linkage.yaml, or what they are made of, has changed.

A key's text carries its place in linkage.yaml, so under other kinds of keys a record is found by none of its old ones. First
each record is given the keys of today, in the order of ids; then what is no key of today is removed, in the order of the
index. So everybody can be found all the while, and each batch is a transaction of its own under the register's lock: intake
waits for one at most, and what was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import orjson

from bereik import linkage, vault
from bereik.bundle import Bundle
from bereik.declared.linkage import Linkage
from bereik.ports import Register
from bereik.store import Store
from bereik.store.rekeying import KeyRows, Record, Stand
from bereik.store.vault import Registers

# Opening a record and making its keys took 20 µs: 0.04 s of ours for a batch, and the writing of 10,000 keys, while intake of this
# register waits.
BATCH = 2_000
# Ids are keyed hashes, so the first so many by id are a sample: of a register with one record in fifty under old keys it misses
# none in 56 of 57 looks.
_SAMPLE = 200
_ADDING, _REMOVING, _DONE = "adding", "removing", "done"


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """Where a register stands: the step ("adding", "removing", "done"), and how many keys were added and removed so far."""

    step: str
    added: int
    removed: int


class Rekeying:
    """The keys of all registers. Needs the login of the process `linkage`."""

    def __init__(self, store: Store, registers: Registers, bundle: Callable[[], Bundle]) -> None:
        self._store, self._registers, self._bundle = store, registers, bundle

    def needed(self, purpose: str, municipality: str) -> bool:
        """Whether records of a register lack keys of today, by a sample; no, once it was done under these rules."""
        rules = self._bundle().linkage
        register = self._registers(purpose, municipality)
        with self._store.transaction() as tx, tx.role(f"linking_{purpose}"):
            rows = KeyRows(tx, purpose, register.register_id)
            stand = rows.stand()
            if stand is not None and stand.rules == _digest(rules):
                return stand.step != _DONE
            return bool(rows.lacking(_keys(register, rows.records(None, _SAMPLE), rules)))

    def run(
        self,
        purpose: str,
        municipality: str,
        by: str,
        tell: Callable[[Rekeyed], None] = lambda _: None,
        batch: int = BATCH,
    ) -> Rekeyed:
        """Give a register the keys of today; `tell` hears where it stands after each batch of so many. Run again: no change."""
        register = self._registers(purpose, municipality)
        done = Rekeyed(_ADDING, 0, 0)
        while done.step != _DONE:
            done = self._batch(register, self._bundle().linkage, by, batch)
            tell(done)
        return done

    def _batch(self, register: Register, rules: Linkage, by: str, size: int) -> Rekeyed:
        with self._store.transaction() as tx:
            rows = KeyRows(tx, register.purpose, register.register_id)
            with tx.role(f"linking_{register.purpose}"):
                rows.lock()
                stand = rows.stand()
                if stand is None or stand.rules != _digest(rules):
                    stand = Stand(_digest(rules), _ADDING, None, None, 0, 0)
                before = stand.step
                if stand.step == _ADDING:
                    stand = _add(register, rules, rows, stand, size)
                elif stand.step == _REMOVING:
                    stand = _remove(register, rules, rows, stand, size)
                rows.keep(stand)
            if stand.step == _DONE != before:
                # As the login itself: the role of a purpose writes no audit.
                rows.note(by, stand)
        return Rekeyed(stand.step, stand.added, stand.removed)


def _digest(rules: Linkage) -> str:
    """What keys are made by: their kinds in order, and the normalisers behind them."""
    return hashlib.blake2b(orjson.dumps([linkage.NORMALISED, rules.keys]), digest_size=8).hexdigest()


def _keys_of(register: Register, row: Record, rules: Linkage) -> tuple[int, ...]:
    return vault.keys_of(register, vault.open_traits(register, row), rules)[0]


def _keys(register: Register, rows: Sequence[Record], rules: Linkage) -> list[tuple[int, str]]:
    return [(key, row.signal_id) for row in rows for key in _keys_of(register, row, rules)]


def _add(register: Register, rules: Linkage, rows: KeyRows, stand: Stand, size: int) -> Stand:
    found = rows.records(stand.after_signal, size)
    if not found:
        return replace(stand, step=_REMOVING, after_signal=None)
    lacking = rows.lacking(_keys(register, found, rules))
    rows.add(lacking)
    return replace(stand, after_signal=found[-1].signal_id, added=stand.added + len(lacking))


def _remove(register: Register, rules: Linkage, rows: KeyRows, stand: Stand, size: int) -> Stand:
    after = None
    if stand.after_key is not None and stand.after_signal is not None:
        after = (stand.after_key, stand.after_signal)
    found = rows.keyed(after, size)
    if not found:
        return replace(stand, step=_DONE, after_key=None, after_signal=None)
    # A key that has lost its record finds nobody.
    old = [
        (key, signal_id)
        for key, signal_id, row in found
        if row is None or key not in _keys_of(register, row, rules)
    ]
    rows.remove(old)
    key, signal_id, _ = found[-1]
    return replace(stand, after_key=key, after_signal=signal_id, removed=stand.removed + len(old))
