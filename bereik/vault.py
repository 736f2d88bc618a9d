"""The vault: from identity fields to ids. The only capability that sees who a signal is about.

What leaves it is an assignment: a signal, a person and a household as keyed ids, and facts without identity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from itertools import groupby
from struct import Struct
from typing import Any

import orjson

from bereik import cases, linkage
from bereik.days import local_day
from bereik.declared.linkage import Linkage
from bereik.declared.signals import SignalType
from bereik.linkage import Identity, Traits
from bereik.matching import Entry, Matcher
from bereik.ports import Assignment, Box, Placed, RecordRow, Register, Sealed, VaultTables

_UNIT = ("unit",)
_FIRST = Struct(">q")
# So many records are placed while PostgreSQL looks up the keys of the next.
_PART = 250


def seal_record(
    signal_type: SignalType, data: Mapping[str, Any], rules: Linkage, row: RecordRow
) -> RecordRow:
    """Fill a row from an event's data: the record sealed under its register's key, and the keyed hashes beside it."""
    return seal(linkage.identity(signal_type, data), rules, row)


def seal(who: Identity, rules: Linkage, row: RecordRow) -> RecordRow:
    """Fill a row from identity fields. What was written is sealed together with what it was made comparable as."""
    box = row.register.box
    one = linkage.traits(who, local_day(row.received_at))
    row.traits = one
    row.sealed = box.seal(
        orjson.dumps([linkage.NORMALISED, [*one], who.fields]), context(row.register, row.signal_id)
    )
    row.keys, row.unit_key = keys_of(row.register, one, rules)
    row.household_id = household(row.register, one)
    return row


def household(register: Register, one: Traits) -> str | None:
    """The household of an address unit; None without an address."""
    unit = one.unit
    return register.box.id(f"household|{unit}") if unit else None


def keys_of(register: Register, one: Traits, rules: Linkage) -> tuple[tuple[int, ...], int | None]:
    """The keyed hashes that a record is found by, in the order of `linkage.keys`, and the one of its address unit."""
    texts, digest = linkage.keys(one, rules), register.box.digest
    found = tuple([_key(digest(f"key|{text}")) for text in texts])
    if _UNIT not in rules.keys:
        return found, None
    place = f"{rules.keys.index(_UNIT)}|"
    for key, text in zip(found, texts, strict=True):
        if text.startswith(place):
            return found, key
    return found, None


def _key(digest: bytes) -> int:
    # 8 of 16 bytes: among 10 million keys two meet by chance once in 370,000 registers, and then only cost a comparison.
    key: int = _FIRST.unpack_from(digest)[0]
    return key


def context(register: Register, signal_id: str) -> bytes:
    """What a sealed record is bound to: it opens only as this signal's record in this register."""
    return f"{register.register_id}|{signal_id}".encode()


def open_record(register: Register, signal_id: str, sealed: bytes) -> Identity:
    """The identity fields of one record as written, for the one who may know them."""
    fields: dict[str, str] = orjson.loads(register.box.open(sealed, context(register, signal_id)))[2]
    return Identity(fields)


def seal_number(box: Box, case_id: str, person_id: str, bsn: str) -> bytes:
    """A citizen service number, sealed for this person of this case: in another row it does not open."""
    return box.seal(bsn.encode(), f"bsn|{case_id}|{person_id}".encode())


def open_number(box: Box, case_id: str, person_id: str, sealed: bytes) -> str:
    """The number that `seal_number` sealed, for the one who may know it."""
    return box.open(sealed, f"bsn|{case_id}|{person_id}".encode()).decode()


def open_traits(register: Register, row: Sealed) -> Traits:
    """The traits of a stored record; made anew when the normalisers have changed since it was sealed."""
    number, packed, fields = orjson.loads(register.box.open(row.sealed, context(register, row.signal_id)))
    if number != linkage.NORMALISED:
        return linkage.traits(Identity(fields), local_day(row.received_at))
    surnames, initials, given, letters, birth, *rest = packed
    year, month, day = birth
    return Traits(tuple(surnames), initials, tuple(given), letters, (year, month, day), *rest)


def identify(rows: Sequence[RecordRow], tables: VaultTables, rules: Linkage, bundle_id: int) -> list[Placed]:
    """Decide for each row which person it is about, save the rows, and return the older signals that moved with it.

    One lock per register, taken in ascending order, so that consumers never wait for each other in a circle. Rows are
    decided one after the other: a batch of n gives exactly what n batches of one give.
    """
    ordered = sorted(rows, key=lambda row: row.register.register_id)
    tables.lock({row.register.register_id for row in ordered})
    became: dict[str, str] = {}
    crowding: dict[str, Sequence[str]] = {}
    for _, members in groupby(ordered, key=lambda row: row.register.register_id):
        crowding |= _place(list(members), tables, rules, became)
    # Saved first, so that a merge or a crowd moves the rows of this batch as it moves those of batches before.
    crowded = tables.save(ordered, bundle_id)
    new: dict[str, Sequence[str]] = {}
    for row in ordered:
        row.crowded = row.household_id in crowded
        if row.signal_id in crowding and not row.crowded and row.household_id is not None:
            new[row.household_id] = crowding[row.signal_id]
            crowded.add(row.household_id)
    moved = tables.merge(became, bundle_id) if became else []
    if new:
        moved += tables.crowd(new)
    return _apart_from_batch(moved, {row.signal_id: row for row in ordered})


def _place(
    rows: list[RecordRow], tables: VaultTables, rules: Linkage, became: dict[str, str]
) -> dict[str, Sequence[str]]:
    """Fill the rows of one register. Of each whose own door has too many unrelated people by now, who lives there."""
    register = rows[0].register
    matcher = Matcher(rules, new_person(register))
    parts = [rows[at : at + _PART] for at in range(0, len(rows), _PART)]
    known: set[str] = set()
    crowding: list[bool] = []
    with closing(tables.candidates(register.register_id, _wanted(parts), rules.cap)) as found:
        for part, candidates in zip(parts, found, strict=True):
            for key, persons, looks in candidates.keys:
                matcher.know_key(key, persons, looks)
            for look in candidates.looks:
                if look.person_id not in known:
                    one = open_traits(register, look)
                    matcher.know(look.person_id, look.signal_id, look.received_at, one)
                    for other in look.apart or ():
                        matcher.know_apart(look.signal_id, other)
            known.update(look.person_id for look in candidates.looks)
            crowding += [_place_one(row, matcher, became) for row in part]
    return {
        row.signal_id: matcher.residents(row.unit_key)
        for row, crowds in zip(rows, crowding, strict=True)
        if crowds and row.unit_key is not None
    }


def _place_one(row: RecordRow, matcher: Matcher, became: dict[str, str]) -> bool:
    """Fill a row with where it came to stand; whether its own door has too many unrelated people by now."""
    placed = matcher.place(Entry(row.signal_id, row.received_at, row.traits, row.keys, row.unit_key))
    row.person_id, row.outcome, row.reason = placed.person, placed.outcome.value, placed.reason.value
    row.against, row.weight = placed.against, placed.weight
    row.keyed = placed.keyed and bool(row.keys)
    became.update(dict.fromkeys(placed.merged, placed.person))
    door = matcher.door(placed.person, row.traits)
    if door == row.traits.addition:
        return placed.crowded
    row.household_id = household(row.register, row.traits._replace(addition=door))
    return False


def _wanted(parts: Sequence[Sequence[RecordRow]]) -> list[set[int]]:
    """The keys of each part that no earlier part has: what is under a key is counted once."""
    asked: set[int] = set()
    wanted = []
    for part in parts:
        wanted.append({key for row in part for key in row.keys} - asked)
        asked |= wanted[-1]
    return wanted


def _apart_from_batch(moved: Sequence[Placed], rows: Mapping[str, RecordRow]) -> list[Placed]:
    """Where each signal stands at last. A row of this batch takes its move over: it leaves as one assignment."""
    last: dict[str, Placed] = {}
    for placed in moved:
        row = rows.get(placed.signal_id)
        if row is None:
            last[placed.signal_id] = placed
        else:
            row.version, row.person_id, row.crowded = placed.version, placed.person_id, placed.crowded
    return list(last.values())


def new_person(register: Register) -> Callable[[str], str]:
    """How a register names the person that begins with a signal."""
    return lambda signal_id: register.box.id(f"new-person|{signal_id}")


# ---------------------------------------------------------------- what leaves the vault


def placed_assignment(placed: Placed, reason: str | None = None) -> Assignment:
    """What casework hears of a signal that it knows already: where it stands now, or that it is gone."""
    return Assignment(
        placed.signal_id,
        placed.version,
        cases.MOVED if placed.status == cases.ACTIVE else placed.status,
        placed.person_id,
        placed.household_id,
        crowded=placed.crowded,
        reason=reason,
    )


def moved_messages(moved: Sequence[Placed], purpose_id: str, subject: str) -> list[tuple[bytes, bytes]]:
    """What is told to casework of signals that moved."""
    return [assignment_message(placed_assignment(one), purpose_id, subject) for one in moved]


def assignment_message(assignment: Assignment, purpose_id: str, subject: str) -> tuple[bytes, bytes]:
    """An assignment as a message for `signals.<purpose>`, keyed by subject. No identity in it."""
    key = str(
        cases.subject_of(assignment.person_id, assignment.household_id, assignment.crowded, subject)
    ).encode()
    body = {
        "specversion": "1.0",
        "id": f"{assignment.signal_id}:{assignment.version}",
        "source": f"urn:bereik:{purpose_id}",
        "type": "nl.bereik.signaal-toegewezen.v1",
        "datacontenttype": "application/json",
        "data": assignment,
    }
    return key, orjson.dumps(body, option=orjson.OPT_UTC_Z)
