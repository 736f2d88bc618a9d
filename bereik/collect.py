"""The file door: files that partners put in a drop folder are published on their topics, and put away with what was wrong.

Sending again is always safe: the same file gives the same ids, and intake calls them duplicates. So a file leaves
`incoming/` only after Kafka acknowledged every row.
"""

from __future__ import annotations

import csv
import fcntl
import io
import logging
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from bereik.batch import RowError, delivery_id, frame, read_delivery
from bereik.bundle import Bundle
from bereik.declared.partners import Partner
from bereik.ports import Box
from bereik.sheets import FILE_TEXTS, MAX_BYTES, FileRefused
from bereik.signal import write

log = logging.getLogger(__name__)

SUFFIXES: Final = (".csv", ".xlsx", ".xls", ".xlsm")
ATTESTATION_SUFFIXES: Final = (".verklaring.yaml", ".verklaring.yml", ".verklaring.json")
# An upload is still growing until its time of change stands still this long; rename into place to be taken sooner.
SETTLE: Final = timedelta(seconds=5)
# A collected file repeats what landed, so it goes with the landed records; a refused or held one leaves its partner
# a working week to look. The errors files hold nobody's values.
KEPT: Final[Mapping[str, timedelta]] = {
    "done": timedelta(hours=24),
    "rejected": timedelta(days=7),
    "held": timedelta(days=7),
    "errors": timedelta(days=35),
}
FOLDERS: Final = ("incoming", "released", *KEPT)

FILE_TEXTS["file_our_fault"] = (
    "niets: dit is een fout van Bereik; wij kijken ernaar",
    "nothing: this is a fault in Bereik; we are looking into it",
)


class Sender(Protocol):
    """What the door needs of Kafka."""

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> None: ...
    def flush(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What a suite says of a delivery as a set. `holds` keeps it from being published."""

    rule: str
    holds: bool
    expected_nl: str
    expected_en: str


Judge = Callable[[Mapping[str, Sequence[int | None]], str], Sequence[Finding]]


@dataclass(slots=True)
class Collected:
    """What one round did, in counts."""

    files: int = 0
    published: int = 0
    row_errors: int = 0
    rejected: int = 0
    held: int = 0
    deliveries: list[str] = field(default_factory=list)


def waiting(drop: Path, bundle: Bundle, now: datetime) -> list[str]:
    """Ids of the partners that have a file to collect."""
    return sorted(partner for partner in bundle.partners if any(_files(drop / partner, now)))


def standing(drop: Path, bundle: Bundle) -> dict[str, dict[str, int]]:
    """How many files lie where, per partner that has a folder; errors files are not counted."""
    return {
        partner: {
            name: sum(1 for _ in _deliverables(drop / partner / name)) for name in FOLDERS if name != "errors"
        }
        for partner in sorted(bundle.partners)
        if (drop / partner).is_dir()
    }


def prepare(drop: Path, bundle: Bundle) -> None:
    """Make the folders of every partner with a file door."""
    for partner in bundle.partners.values():
        if partner.columns:
            for name in FOLDERS:
                (drop / partner.id / name).mkdir(parents=True, exist_ok=True, mode=0o770)


def collect(
    drop: Path, partner: Partner, bundle: Bundle, box: Box, sender: Sender, judge: Judge, now: datetime
) -> Collected:
    """Publish every file of one partner that is ready. Files in `released/` are published although a suite held them."""
    done = Collected()
    home = drop / partner.id
    with _alone(home) as ours:
        for path in _files(home, now) if ours else ():
            _collect_file(path, home, partner, bundle, box, sender, judge, now, done)
    return done


def _collect_file(
    path: Path,
    home: Path,
    partner: Partner,
    bundle: Bundle,
    box: Box,
    sender: Sender,
    judge: Judge,
    now: datetime,
    done: Collected,
) -> None:
    done.files += 1
    content = _content(path)
    identity = delivery_id(content, partner, box)
    companion = next((found for found in _companions(path) if _is_plain(found)), None)
    kind = "xlsx" if path.suffix.lower() != ".csv" else "csv"
    try:
        vouched = None if companion is None else _content(companion)
        delivery = read_delivery(content, kind, partner, bundle, box, now, vouched)
        columns = frame(delivery, bundle)
        messages = [(row.municipality, *write(row.event)) for row in delivery.rows]
    except FileRefused as refused:
        log.info("delivery %s of %s rejected: %s", identity, partner.id, refused.rule)
        error = RowError(refused.row, refused.column, refused.rule, refused.expected_nl, refused.expected_en)
        done.rejected += 1
        _put_away(path, companion, home, "rejected", identity, [error])
        return
    except OSError:
        raise
    except Exception as unexpected:
        # Only the kind: the message of an unexpected error may hold somebody's values. The other files go on.
        log.error("delivery %s of %s held: %s in Bereik", identity, partner.id, type(unexpected).__name__)
        done.held += 1
        error = RowError(None, "", "file_our_fault", *FILE_TEXTS["file_our_fault"])
        _put_away(path, companion, home, "held", identity, [error])
        return
    findings = judge(columns, delivery.signal_type) if columns["refused"] else []
    errors = [RowError(None, "", found.rule, found.expected_nl, found.expected_en) for found in findings]
    errors += delivery.errors
    rules = ", ".join(found.rule for found in findings) or "none"
    if path.parent.name != "released" and any(found.holds for found in findings):
        log.warning("delivery %s of %s held: %s", identity, partner.id, rules)
        done.held += 1
        _put_away(path, companion, home, "held", identity, errors)
        return
    topic = f"in.{partner.id}"
    door = [("bereik-door", b"file"), ("bereik-delivery", identity.encode())]
    for municipality, headers, value in messages:
        sender.send(topic, municipality.encode() if municipality else None, value, [*headers, *door])
    sender.flush()
    done.published += len(delivery.rows)
    done.row_errors += len(delivery.errors)
    done.deliveries.append(identity)
    log.info("delivery %s of %s: %d rows, findings: %s", identity, partner.id, len(delivery.rows), rules)
    _put_away(path, companion, home, "done", identity, errors)


def expire(drop: Path, bundle: Bundle, now: datetime) -> int:
    """Remove what lay longer than its folder keeps it; returns how many files went."""
    gone = 0
    for partner in bundle.partners:
        for name, kept in KEPT.items():
            folder = drop / partner / name
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                seen = path.lstat()
                if stat.S_ISREG(seen.st_mode) and seen.st_mtime < (now - kept).timestamp():
                    path.unlink(missing_ok=True)
                    gone += 1
    return gone


def errors_file(errors: Sequence[RowError]) -> bytes:
    """Row errors as CSV that a Dutch Excel opens: byte order mark, semicolons. Holds declared names and our texts only."""
    out = io.StringIO(newline="")
    rows = csv.writer(out, delimiter=";", lineterminator="\r\n")
    rows.writerow(["row", "column", "rule", "expected_nl", "expected_en"])
    for error in errors:
        rows.writerow(
            [
                "" if error.row is None else error.row,
                error.column,
                error.rule,
                error.expected_nl,
                error.expected_en,
            ]
        )
    return out.getvalue().encode("utf-8-sig")


def _deliverables(folder: Path) -> Iterator[Path]:
    """Files that could be deliveries: regular, by suffix, not hidden. A link is never followed."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith((".", "~")) and _is_plain(path):
            yield path


def _is_plain(path: Path) -> bool:
    """A regular file, not a link; False also for a name that no file can have."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _files(home: Path, now: datetime) -> Iterator[Path]:
    """Files ready to be collected, those whose upload has ended, oldest first."""
    found = [path for name in ("incoming", "released") for path in _deliverables(home / name)]
    settled = [(path.lstat().st_mtime, path) for path in found]
    return iter([path for at, path in sorted(settled) if at <= (now - SETTLE).timestamp()])


def _companions(path: Path) -> list[Path]:
    return [path.with_name(path.stem + suffix) for suffix in ATTESTATION_SUFFIXES]


def _content(path: Path) -> bytes:
    """The bytes of a regular file, up to one more than is taken, so that a larger one is refused unread."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _put_away(
    path: Path, companion: Path | None, home: Path, folder: str, identity: str, errors: Sequence[RowError]
) -> None:
    """Write the errors file, then move the companion, and the delivery last: until that move it is collected again."""
    target = home / folder
    target.mkdir(parents=True, exist_ok=True)
    (home / "errors").mkdir(parents=True, exist_ok=True)
    # 255 bytes is the longest name a file may have; our additions take 30.
    name = path.name if len(os.fsencode(path.name)) <= 220 else f"{path.stem[:50]}.{identity[:8]}"
    report = home / "errors" / f"{name}.errors.csv"
    if errors:
        part = report.with_name(f".{report.name}.part")
        part.write_bytes(errors_file(errors))
        part.replace(report)
    else:
        report.unlink(missing_ok=True)
    for source in (companion, path):
        if source is not None:
            place = target / source.name
            if place.exists():
                place = target / f"{source.stem[:50]}.{identity[:8]}{source.suffix}"
            # Its age in the new folder counts from now.
            os.utime(source)
            source.replace(place)


@contextmanager
def _alone(home: Path) -> Iterator[bool]:
    """Whether this process has the folder to itself; two at once would only publish duplicates and trip over moves."""
    if not home.is_dir():
        yield False
        return
    handle = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(handle)
