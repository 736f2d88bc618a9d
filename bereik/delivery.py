"""The national delivery, done: read under a role of its own, held against the exchange model, written as a private file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

from bereik import __version__, ddas, vault
from bereik.bundle import Bundle
from bereik.cases import WITHDRAWN
from bereik.declared.purposes import Purpose
from bereik.errors import LastingError
from bereik.keys import Keyring
from bereik.store import Store, Tx
from bereik.store.delivery import note
from bereik.store.session import Session
from bereik.store.vault import Registers

# How long a delivery stays in the home: until the next one is made and answered. It holds citizen service numbers.
_KEPT = timedelta(days=62)


class UnknownMunicipality(LastingError):
    """No municipality has this code. `schemas/municipalities/` has those that there are."""


class NotDelivered(LastingError):
    """The delivery was not written."""

    def __init__(self, broken: Sequence[str]) -> None:
        """`broken` says what does not fit: places and rules, never a value."""
        super().__init__(f"The delivery was not written: {'; '.join(broken[:10])}.")


class Deliveries:
    """The deliveries of an installation, in one folder unless another file is named."""

    def __init__(self, store: Store, keyring: Keyring, folder: Path) -> None:
        self._store, self._keyring, self._folder = store, keyring, folder
        self._registers = Registers(store, keyring, found_by="delivering")

    def export(
        self,
        bundle: Bundle,
        municipality: str,
        first: date,
        last: date,
        into: Path | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> tuple[Path, ddas.Delivery]:
        """Write the delivery of one municipality over one period; only purposes that deliver are read.

        Only its owner may read the file. It is held against the exchange model, and against `schema` when given. Raises
        `UnknownMunicipality`, `NotDelivered`.
        """
        town = bundle.municipalities.get(municipality)
        if town is None:
            raise UnknownMunicipality()
        sender = ddas.Sender(municipality, f"Gemeente {town.name}", town.kvk, town.delivery_email)
        lines: list[ddas.CaseLine] = []
        path = into or self._file(municipality, first, last)
        with self._store.transaction() as tx:
            for name in sorted(bundle.delivered):
                found = self._lines(tx, bundle, bundle.purposes[name], municipality, first, last)
                note(tx, name, municipality, first, last, sum(len(line.signals) for line in found))
                lines += found
            delivery = ddas.deliver(sender, lines, first, last, datetime.now(UTC), f"Bereik {__version__}")
            broken = ddas.problems(delivery.document)
            if schema is not None:
                broken += ddas.problems(delivery.document, schema)
            if broken:
                raise NotDelivered(broken)
            try:
                _write(path, orjson.dumps(delivery.document, option=orjson.OPT_INDENT_2))
            except OSError as error:
                raise NotDelivered([f"the file cannot be written ({error.strerror})"]) from None
        return path, delivery

    def make_due(self, bundle: Bundle, today: date) -> int:
        """Make the deliveries of last month that are not there yet, and remove old ones; how many were made."""
        last = today.replace(day=1) - timedelta(days=1)
        first = last.replace(day=1)
        for old in self._folder.glob("ddas-*.json"):
            if datetime.now(UTC) - datetime.fromtimestamp(old.stat().st_mtime, UTC) > _KEPT:
                old.unlink()
        due = [code for code in sorted(bundle.municipalities) if not self._file(code, first, last).exists()]
        for code in due:
            self.export(bundle, code, first, last)
        return len(due)

    def _file(self, municipality: str, first: date, last: date) -> Path:
        return self._folder / f"ddas-v{ddas.VERSION}-{municipality}-{first}-{last}.json"

    def _lines(
        self, tx: Tx, bundle: Bundle, purpose: Purpose, municipality: str, first: date, last: date
    ) -> list[ddas.CaseLine]:
        with Session(tx, "delivery", 0).delivering(purpose.id) as rows:
            stored = rows.cases(municipality, first, last)
            ids = [one.case_id for one in stored]
            signals, facts = rows.signals(ids), rows.facts(ids)
        if not stored:
            return []
        # An id of its own: what leaves here can be laid beside nothing that stays here.
        box, register = self._keyring.box("ddas"), self._registers(purpose.id, municipality)
        return [
            ddas.CaseLine(
                purpose=purpose,
                when=purpose.when(one.status),
                result=one.result,
                period=one.period,
                matched_on=one.matched_on,
                signals=tuple(
                    ddas.SignalLine(
                        box.id(f"signal|{row.signal_id}"),
                        bundle.signal_types[row.signal_type],
                        row.signal_date,
                        row.facts,
                        row.status == WITHDRAWN,
                        one.passed.get(row.signal_id),
                        vault.open_record(register, row.signal_id, row.sealed),
                        vault.open_number(register.box, row.case_id, row.person_id, row.bsn)
                        if row.bsn
                        else None,
                    )
                    for row in told
                ),
                facts=tuple(facts[one.case_id]),
            )
            for one in stored
            # Of a type that is declared no more the kind of partner is not known, without which nothing can be delivered.
            if (told := [row for row in signals[one.case_id] if row.signal_type in bundle.signal_types])
        ]


def _write(path: Path, content: bytes) -> None:
    """Put a whole file in place, readable by its owner only from its first byte on."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{uuid4().hex}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
