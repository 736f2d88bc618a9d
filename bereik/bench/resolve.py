"""Resolve a file of signals: who is the same person, by the same code as the stream, in one register, in order of receipt."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import TextIO
from uuid import UUID, uuid5

from bereik.bench.register import trial
from bereik.bundle import Bundle
from bereik.errors import LastingError
from bereik.linkage import Identity

SIGNAL, RECEIVED = "signal_id", "received_at"
OUT = ("signal_id", "person_id", "household_id", "decision")
# A batch of n gives what n batches of one give, so this only chooses the speed.
BATCH = 500
_SPACE = UUID(int=0)


class UnusableFile(LastingError):
    """The file cannot be resolved."""


def id_of(name: str) -> str:
    """The id that stands for a name in a file; names are no ids."""
    return str(uuid5(_SPACE, name))


def columns(bundle: Bundle) -> dict[str, str]:
    """The column of a file for each field of identity: the national names, as the signal types declare them."""
    return {path: name for kind in bundle.signal_types.values() for name, path in kind.identity.items()}


def lines(path: Path) -> list[str]:
    """The lines of a file with their ends, as the csv module wants them. Raises `UnusableFile`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(file)
    except OSError as error:
        raise UnusableFile(
            f"{path.name} cannot be read: {error.strerror or 'unknown'}. Name a file."
        ) from None
    except UnicodeDecodeError as error:
        raise UnusableFile(f"{path.name} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from None


def read(path: Path, bundle: Bundle) -> list[tuple[str, datetime, Identity]]:
    """The records of a file in order of receipt. Raises `UnusableFile` naming line and column, never a value."""
    fields = columns(bundle)
    try:
        reader = csv.DictReader(lines(path))
        missing = [name for name in (SIGNAL, RECEIVED) if name not in (reader.fieldnames or ())]
        known = [name for name in reader.fieldnames or () if name in fields]
        if missing or not known:
            lacking = ", ".join(missing) or "a field of identity"
            raise UnusableFile(
                f"The file has no column {lacking}. Add it to the first line; fields are {', '.join(fields)}."
            )
        found = list(_records(reader, known, fields))
    except csv.Error as error:
        raise UnusableFile(f"{path.name} is not CSV: {error}.") from None
    if not found:
        raise UnusableFile(f"{path.name} has no signals. Add a line for each.")
    return sorted(found, key=lambda row: row[1])


def _records(
    reader: csv.DictReader[str], known: Sequence[str], fields: Mapping[str, str]
) -> Iterator[tuple[str, datetime, Identity]]:
    seen: dict[str, int] = {}
    for row in reader:
        line, name = reader.line_num, (row[SIGNAL] or "").strip()
        if not name:
            raise UnusableFile(f"Line {line} has no {SIGNAL}. Give every signal one of its own.")
        if name in seen:
            raise UnusableFile(
                f"Line {line} repeats the {SIGNAL} of line {seen[name]}. Give every signal one of its own."
            )
        seen[name] = line
        try:
            at = datetime.fromisoformat((row[RECEIVED] or "").strip())
        except ValueError:
            raise UnusableFile(
                f"Line {line}: {RECEIVED} is no date and time. Write 2026-01-31T09:30:00Z."
            ) from None
        who = {fields[column]: value for column in known if (value := (row[column] or "").strip())}
        yield name, at if at.tzinfo else at.replace(tzinfo=UTC), Identity(who)


def resolve(source: Path, target: Path, bundle: Bundle, say: Callable[[str], None]) -> dict[str, int]:
    """Write who is the same person as `OUT`, and return how many were linked, put to review, and new."""
    records = read(source, bundle)
    names = {id_of(name): name for name, _, _ in records}
    # Before the work and not after it.
    _writable(target).close()
    say("starting a database")
    with trial(bundle) as register_trial:
        rows = [(id_of(name), at, who) for name, at, who in records]
        parts = (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))
        done = accumulate(register_trial.stream(parts, register_trial.register()))
        for number, count in enumerate(done, start=1):
            if number % 10 == 0:
                say(f"{count} of {len(records)}")
        standing = register_trial.standing()
    counts = {"link": 0, "review": 0, "new": 0}
    with _writable(target) as out:
        writer = csv.writer(out)
        writer.writerow(OUT)
        for signal_id, name in names.items():
            person, household, outcome = standing[signal_id]
            counts[outcome] += 1
            writer.writerow((name, person, household or "", outcome))
    return counts


def _writable(target: Path) -> TextIO:
    try:
        return target.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise UnusableFile(
            f"{target.name} cannot be written: {error.strerror or 'unknown'}. Name a file in a folder that exists."
        ) from None
