"""The vault: from identity fields to ids. The only capability that sees who a signal is about.

What leaves it is an assignment: a signal, a person and a household as keyed ids, and facts without identity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import orjson

from bereik import linkage
from bereik.bundle import Linkage, SignalType
from bereik.ports import RecordRow, Register, VaultTables


def seal_record(
    signal_type: SignalType, data: Mapping[str, Any], rules: Linkage, row: RecordRow
) -> RecordRow:
    """Fill a row from an event's data: the record sealed under its register's key, and the keyed hashes beside it."""
    who = linkage.identity(signal_type, data)
    box = row.register.box
    row.sealed = box.seal(orjson.dumps(who.fields), context(row.register, row.signal_id))
    key = linkage.person_key(who, rules)
    unit = linkage.address_unit(who)
    row.match_key = box.digest(f"person|{key}") if key else None
    row.household_id = box.id(f"household|{unit}") if unit else None
    return row


def context(register: Register, signal_id: UUID) -> bytes:
    """What a sealed record is bound to: it opens only as this signal's record in this register."""
    return f"{register.register_id}|{signal_id}".encode()


def identify(rows: Sequence[RecordRow], tables: VaultTables, bundle_id: int) -> None:
    """Decide for each row which person it is about, and save the rows.

    One lock per register, taken in ascending order, so that consumers never wait for each other in a circle. Rows are
    decided one after the other: a batch of n gives exactly what n batches of one give.
    """
    ordered = sorted(rows, key=lambda row: row.register.register_id)
    tables.lock({row.register.register_id for row in ordered})
    for register_id, members in groupby(ordered, key=lambda row: row.register.register_id):
        group = list(members)
        keys = [row.match_key for row in group if row.match_key is not None]
        known = tables.candidates(register_id, keys)
        for row in group:
            found = known.get(row.match_key) if row.match_key is not None else None
            decision = linkage.decide("" if row.match_key is not None else None, [found] if found else [])
            row.outcome, row.evidence = decision.outcome.value, decision.evidence
            row.person_id = decision.person or row.register.box.id(f"new-person|{row.signal_id}")
            if row.match_key is not None:
                known[row.match_key] = row.person_id
    tables.save(ordered, bundle_id)


def open_record(register: Register, signal_id: UUID, sealed: bytes) -> linkage.Identity:
    """The identity fields of one record, for the one who may know them."""
    fields: dict[str, str] = orjson.loads(register.box.open(sealed, context(register, signal_id)))
    return linkage.Identity(fields)
