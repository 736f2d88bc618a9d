"""The file door: a delivered CSV or Excel file becomes events on its partner's own topic, and a list of row errors.

Every data row becomes one event, also a broken one: intake refuses it with the same contract and writes its receipt,
so that what came through this door adds up in the database. The errors file is made here, by the same check, so the
partner need not wait for it. Only a file that cannot be read as a whole is refused as a whole and publishes nothing.

Sending again is always safe: the same file gives the same ids, and intake calls them duplicates. So a file leaves
`incoming/` only after Kafka acknowledged every row.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import io
import logging
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import orjson
import yaml

from bereik.bundle import Bundle
from bereik.cases import local_day
from bereik.contract import Field
from bereik.declared.partners import Partner
from bereik.declared.signals import SignalType
from bereik.errors import LastingError
from bereik.ports import Box
from bereik.sheets import FILE_TEXTS, MAX_BYTES, MAX_TEXT, Cell, Damaged, FileRefused, Line, read
from bereik.signal import Event, is_bsn, write

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
FILE_TEXTS["attestation_unreadable"] = (
    "een verklaring met per stap ja of nee; stappen: {steps}",
    "an attestation with yes or no per step; steps: {steps}",
)

ROW_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "cell_count": ("evenveel cellen als de kopregel", "as many cells as the header row"),
    "date_format": ("een datum als {form}", "a date as {form}"),
    "excel_date_serial": (
        "een datum als {form}; Excel maakte er een volgnummer van",
        "a date as {form}; Excel turned it into a serial number",
    ),
    "excel_date_damage": (
        "de tekst zelf; Excel maakte er een datum van. Maak de kolom op als Tekst voordat u plakt",
        "the text itself; Excel turned it into a date. Format the column as Text before you paste",
    ),
    "excel_leading_zeros": (
        "alle cijfers, ook de nullen vooraan. Maak de kolom op als Tekst voordat u plakt",
        "all digits, leading zeros too. Format the column as Text before you paste",
    ),
    "excel_scientific": (
        "alle cijfers; Excel maakte er een getal met een E van. Maak de kolom op als Tekst",
        "all digits; Excel turned it into a number with an E. Format the column as Text",
    ),
    "excel_number": (
        "tekst; Excel bewaart van een lang of gebroken getal niet alle cijfers. Maak de kolom op als Tekst",
        "text; Excel does not keep all digits of a long or fractional number. Format the column as Text",
    ),
    "excel_formula": ("een waarde, geen formule", "a value, not a formula"),
    "excel_error": (
        "een waarde; de cel toont een fout van Excel",
        "a value; the cell shows an error of Excel",
    ),
    "text_too_long": (f"ten hoogste {MAX_TEXT} tekens", f"at most {MAX_TEXT} characters"),
    "encoding_damage": (
        "leesbare letters; accenten zijn stukgegaan doordat tekst in de verkeerde codering is geopend",
        "readable letters; accents broke because text was opened in the wrong encoding",
    ),
    "number_ambiguous": (
        "een getal zonder punten of komma's als scheiding van duizendtallen",
        "a number without points or commas between thousands",
    ),
    "reference_is_bsn": (
        "een eigen kenmerk; dit is een geldig burgerservicenummer",
        "a reference of your own; this is a valid citizen service number",
    ),
}


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong in a file: row as in the file (None: the file), column, rule, what would be right. No value."""

    row: int | None
    column: str
    rule: str
    expected_nl: str
    expected_en: str


@dataclass(frozen=True, slots=True)
class Row:
    """One data row as the event it becomes, and where it is sent."""

    number: int
    event: Event
    municipality: str | None
    errors: tuple[RowError, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivered file. `id` is the same for the same bytes of the same partner, and tells nothing else."""

    id: str
    partner: str
    signal_type: str
    rows: tuple[Row, ...]

    @property
    def errors(self) -> tuple[RowError, ...]:
        """All row errors, in the order of the file."""
        return tuple(error for row in self.rows for error in row.errors)


class NoFileDoor(LastingError):
    """This partner has no file door in its declaration (door: file, columns, signal type)."""


# ---------------------------------------------------------------- one file


def delivery_id(content: bytes, partner: Partner, box: Box) -> str:
    """The id of a delivery: keyed, because a plain hash would tell whether a guessed file is the one delivered."""
    return str(box.id(f"delivery|{partner.id}|{hashlib.sha256(content).hexdigest()}"))


def read_delivery(
    content: bytes,
    kind: str,
    partner: Partner,
    bundle: Bundle,
    box: Box,
    received_at: datetime,
    attestation: bytes | None = None,
) -> Delivery:
    """Read one file as its partner declared it. `kind` is "csv" or "xlsx"; `received_at` is aware.

    Raises `FileRefused` when the file as a whole cannot be read, `NoFileDoor` when none was agreed.
    """
    if partner.file_signal_type is None or not partner.columns:
        raise NoFileDoor()
    if partner.file_format is not None and partner.file_format != kind:
        raise FileRefused("file_kind", kind="Excel (.xlsx)" if partner.file_format == "xlsx" else "CSV")
    reader = _Reader(partner, bundle.signal_types[partner.file_signal_type], bundle, box, received_at)
    vouched = reader.attestation(attestation) if attestation is not None else {}
    columns = list(partner.columns)
    lines = read(content, columns, kind, partner.delimiter, partner.encoding)
    rows = tuple(reader.row(line, vouched) for line in lines)
    return Delivery(delivery_id(content, partner, box), partner.id, reader.kind.id, rows)


@dataclass(frozen=True, slots=True)
class _Fault:
    """What the door found wrong in one field, before the contract looks."""

    path: str
    rule: str


class _Reader:
    """Turns lines into events for one partner and one signal type."""

    def __init__(
        self, partner: Partner, kind: SignalType, bundle: Bundle, box: Box, received_at: datetime
    ) -> None:
        self.partner, self.kind, self.bundle, self.box, self.received_at = (
            partner,
            kind,
            bundle,
            box,
            received_at,
        )
        self.paths = list(partner.columns.values())
        self.columns = {path: column for column, path in partner.columns.items()}
        self.fields = [kind.contract.fields[path] for path in self.paths]
        self.patterns = {path: _pattern(kind.contract.schema, path) for path in self.paths}
        self.phone = kind.identity.get("phone")
        self.forms = tuple(_spelled(partner.date_format, year) for year in ("j", "y"))

    # ------------------------------------------------------------ a row

    def row(self, line: Line, vouched: Mapping[str, bool]) -> Row:
        """The event of one line. It is made whatever the line holds; what cannot be used is left to the contract."""
        data: dict[str, Any] = {}
        faults: list[_Fault] = []
        if line.cells is not None:
            for path, known, cell in zip(self.paths, self.fields, line.cells, strict=True):
                if cell is None:
                    continue
                value, rule = self._convert(path, known, cell)
                if rule is not None:
                    faults.append(_Fault(path, rule))
                _put(data, path, value)
        municipality = self._municipality(data)
        if vouched and self._vouched_by_delivery(municipality):
            held = data.setdefault(self.kind.attestation_field or "", {})
            for step, taken in vouched.items():
                held.setdefault(step, taken)
        event = Event(self._id(data, faults, line), self.partner.source, self.kind.event_type, None, {}, data)
        return Row(line.number, event, municipality, tuple(self._errors(line, event, faults)))

    def _errors(self, line: Line, event: Event, faults: Sequence[_Fault]) -> Iterator[RowError]:
        if line.cells is None:
            yield RowError(line.number, "", "cell_count", *ROW_TEXTS["cell_count"])
            return
        for fault in faults:
            dutch, english = ROW_TEXTS[fault.rule]
            yield RowError(
                line.number,
                self.columns[fault.path],
                fault.rule,
                dutch.format(form=self.forms[0]),
                english.format(form=self.forms[1]),
            )
        found = {fault.path for fault in faults}
        for error in self.kind.contract.check(event, self.received_at):
            if error.field not in found:
                column = self.columns.get(error.field, error.field)
                yield RowError(line.number, column, error.rule, error.expected_nl, error.expected_en)

    def _id(self, data: Mapping[str, Any], faults: list[_Fault], line: Line) -> str:
        """The partner's reference; else a keyed hash of the primary key; else of the line as it stands."""
        damaged = {fault.path for fault in faults}
        path = self.kind.reference_field
        reference = data.get(path)
        if (
            isinstance(reference, str)
            and path not in damaged
            and reference.isprintable()
            and len(reference) <= 200
        ):
            return reference
        key = self.kind.contract.primary_key
        if (
            key
            and not damaged.intersection(key)
            and all(isinstance(data.get(name), str | int) for name in key)
        ):
            parts = orjson.dumps(
                [self.partner.id, self.kind.event_type, *(data[name] for name in key)]
            ).decode()
            return str(self.box.id(f"row|{parts}"))
        return str(self.box.id(f"line|{self.partner.id}|{self.kind.event_type}|{line.raw}"))

    def _municipality(self, data: Mapping[str, Any]) -> str | None:
        """Where the row belongs, if its address is in a declared range. A wrong Kafka key would only cost speed."""
        names = self.kind.identity
        postcode, number = data.get(names.get("postcode", "")), data.get(names.get("house_number", ""))
        if not isinstance(postcode, str) or not isinstance(number, int):
            return None
        place = self.bundle.locate(postcode, number, local_day(self.received_at))
        return None if place is None else place[0]

    # ------------------------------------------------------------ attestation

    def attestation(self, content: bytes) -> dict[str, bool]:
        """Steps a partner vouches for in a companion file: a mapping of step to yes or no. Raises `FileRefused`."""
        refused = FileRefused("attestation_unreadable", steps=", ".join(self.kind.steps))
        if len(content) > 65_536:
            raise refused
        try:
            # Plain JSON is YAML too.
            document = yaml.safe_load(content.decode("utf-8-sig"))
        except (yaml.YAMLError, ValueError, RecursionError):
            raise refused from None
        if not isinstance(document, dict) or not document:
            raise refused
        words = {self.partner.yes_word.casefold(): True, self.partner.no_word.casefold(): False}
        taken: dict[str, bool] = {}
        for step, said in document.items():
            # Never str(said): a few aliases in YAML can stand for a text of terabytes.
            answer = words.get(said.casefold()) if isinstance(said, str) else said
            if step not in self.kind.steps or not isinstance(answer, bool):
                raise refused
            taken[step] = answer
        return taken

    def _vouched_by_delivery(self, municipality: str | None) -> bool:
        """Only where the agreement says that a delivery vouches for its rows."""
        return self.kind.attestation_field is not None and any(
            agreement.attestation == "delivery" and agreement.municipality == municipality
            for agreement in self.partner.agreements
        )

    # ------------------------------------------------------------ a cell

    def _convert(self, path: str, known: Field, cell: Cell) -> tuple[Any, str | None]:
        """The value as the contract names it, or the cell as it stands; and what is wrong with it.

        A value that the contract might take although it is damaged becomes an object, which no declared scalar
        takes, so that door and intake agree.
        """
        if isinstance(cell, Damaged):
            return {"damaged": cell.rule}, cell.rule
        if isinstance(cell, str):
            rule = _broken_text(cell)
            if rule is not None:
                return {"damaged": rule}, rule
        if known.kind == "date":
            return self._date(cell)
        if known.kind == "boolean":
            return self._boolean(cell), None
        if known.kind in ("integer", "number"):
            return _number(cell, known.kind)
        return self._text(path, cell)

    def _date(self, cell: Cell) -> tuple[Any, str | None]:
        if isinstance(cell, date):
            return cell.isoformat(), None
        if not isinstance(cell, str):
            return cell, "excel_date_serial"
        text = _MIDNIGHT.sub("", cell)
        if _ISO_DATE.fullmatch(text):
            return text, None
        try:
            return _strict_day(text, self.partner.date_format).isoformat(), None
        except ValueError:
            return text, "excel_date_serial" if _SERIAL.fullmatch(text) else "date_format"

    def _boolean(self, cell: Cell) -> Any:
        if isinstance(cell, str):
            words = {self.partner.yes_word.casefold(): True, self.partner.no_word.casefold(): False}
            return words.get(cell.casefold(), cell)
        return cell.isoformat() if isinstance(cell, date) else cell

    def _text(self, path: str, cell: Cell) -> tuple[Any, str | None]:
        if isinstance(cell, date):
            return {"damaged": "excel_date_damage"}, "excel_date_damage"
        if isinstance(cell, bool):
            return cell, None
        pattern = self.patterns[path]
        if isinstance(cell, int | float):
            if cell != int(cell):
                return {"damaged": "excel_number"}, "excel_number"
            cell = str(int(cell))
        assert isinstance(cell, str)
        if _SCIENTIFIC.fullmatch(cell):
            return {"damaged": "excel_scientific"}, "excel_scientific"
        if path == self.kind.reference_field:
            if len(cell) == 9 and is_bsn(cell):
                return {"damaged": "reference_is_bsn"}, "reference_is_bsn"
            return cell, None
        if _LOOKS_LIKE_DATE.fullmatch(cell):
            return {"damaged": "excel_date_damage"}, "excel_date_damage"
        if path == self.phone and _LOST_ZERO_OF_PHONE.fullmatch(cell):
            return {"damaged": "excel_leading_zeros"}, "excel_leading_zeros"
        if pattern is not None and not pattern.search(cell):
            digits = _DIGITS_ONLY.fullmatch(pattern.pattern)
            if digits and cell.isdigit() and len(cell) < int(digits[1]):
                return cell, "excel_leading_zeros"
            # "1234 ab" is 1234AB where only capitals without a space are allowed: one reading, so no guess.
            closed = cell.replace(" ", "").upper()
            if pattern.search(closed):
                return closed, None
        return cell, None


_MIDNIGHT = re.compile(r"[ T]0{1,2}:00(:00)?$")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
# Serial numbers of days between 1927 and 2119.
_SERIAL = re.compile(r"[1-7]\d{4}([.,]0+)?")
_SCIENTIFIC = re.compile(r"-?\d([.,]\d+)?[Ee]\+\d{1,3}")
_MONTH = r"(?:jan|feb|mrt|maa|mar|apr|mei|may|jun|jul|aug|sep|okt|oct|nov|dec)[a-z]{0,6}\.?"
_LOOKS_LIKE_DATE = re.compile(
    rf"\d{{1,2}}[-/ ]{_MONTH}([-/ ]\d{{2,4}})?|{_MONTH}[-/ ]\d{{2,4}}|\d{{1,2}}[-/]\d{{1,2}}[-/]\d{{4}}|\d{{4}}-\d{{2}}-\d{{2}}",
    re.IGNORECASE,
)
# Dutch numbers have ten digits and begin with one zero.
_LOST_ZERO_OF_PHONE = re.compile(r"[1-9]\d{8}")
_DIGITS_ONLY = re.compile(r"\^(?:\[0-9\]|\\d)\{(\d+)\}\$")
_WHOLE = re.compile(r"-?\d{1,15}")
_WHOLE_WITH_CENTS = re.compile(r"(-?\d{1,15})[.,]0{1,2}")
_THOUSANDS_WITH_CENTS = re.compile(r"-?\d{1,3}(?:\.\d{3})+,\d{2}")
_THOUSANDS = re.compile(r"-?\d{1,3}(?:[.,]\d{3})+")
_DECIMAL = re.compile(r"-?\d{1,13}[.,]\d{1,2}")
_EXCEL_ERROR = re.compile(
    r"#+|#(?:N/A|N/B|REF!|VERW!|VALUE!|WAARDE!|NAME\?|NAAM\?|DIV/0!|DEEL/0!|NUM!|GETAL!|NULL!|LEEG!)"
)


def _broken_text(text: str) -> str | None:
    """The rule a text breaks whatever field it is in: an error of Excel, or letters lost to a wrong encoding."""
    if _EXCEL_ERROR.fullmatch(text):
        return "excel_error"
    if text.isascii():
        return None
    if "\ufffd" in text:
        return "encoding_damage"
    try:
        again = text.encode("cp1252").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return None
    return "encoding_damage" if again != text else None


def _spelled(form: str, year: str) -> str:
    """A date format as people write it: dd-mm-jjjj or dd-mm-yyyy."""
    for code, word in (("%d", "dd"), ("%m", "mm"), ("%Y", year * 4), ("%y", year * 2)):
        form = form.replace(code, word)
    return form


def _strict_day(text: str, form: str) -> date:
    """A day in exactly one format. A year of two digits is only read where the format says so."""
    return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone


def _number(cell: Cell, kind: str) -> tuple[Any, str | None]:
    if isinstance(cell, date):
        return cell.isoformat(), "excel_date_damage"
    if isinstance(cell, bool | int):
        return cell, None
    if isinstance(cell, float):
        return (int(cell) if kind == "integer" and cell.is_integer() else cell), None
    assert isinstance(cell, str)
    text = cell.removeprefix("€").strip()
    if _WHOLE.fullmatch(text):
        return int(text), None
    if _THOUSANDS_WITH_CENTS.fullmatch(text):
        text = text.replace(".", "")
    whole = _WHOLE_WITH_CENTS.fullmatch(text)
    if whole:
        return int(whole[1]), None
    if kind == "number" and _DECIMAL.fullmatch(text):
        return float(text.replace(",", ".")), None
    if _THOUSANDS.fullmatch(text):
        return cell, "number_ambiguous"
    if _LOOKS_LIKE_DATE.fullmatch(text):
        return cell, "excel_date_damage"
    if _SCIENTIFIC.fullmatch(text):
        return cell, "excel_scientific"
    return cell, None


def _pattern(schema: Mapping[str, Any], path: str) -> re.Pattern[str] | None:
    """The declared pattern of a field, where Python reads it as the contract's engine does."""
    for name in path.split("."):
        schema = schema["properties"][name]
    try:
        return re.compile(schema["pattern"], re.ASCII) if "pattern" in schema else None
    except re.error:
        return None


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for name in parents:
        data = data.setdefault(name, {})
    data[last] = value


# ---------------------------------------------------------------- the delivery as a set


def frame(delivery: Delivery, bundle: Bundle) -> dict[str, list[int | None]]:
    """The delivery as columns that Great Expectations may see: equal values have equal numbers, and nothing else.

    Columns: `refused` (1 or 0), `reference`, `person`, `household`, and each linkage field of the type. An empty
    field is None. A number means nothing outside its column, so no result can hold anybody's value.
    """
    kind = bundle.signal_types[delivery.signal_type]
    data = [row.event.data for row in delivery.rows]
    columns: dict[str, list[int | None]] = {"refused": [1 if row.errors else 0 for row in delivery.rows]}
    keys: dict[str, tuple[str, ...]] = {"reference": (kind.reference_field,)}
    for name, parts in (("person", bundle.linkage.person), ("household", bundle.linkage.household)):
        keys[name] = tuple(kind.identity[part] for part in parts if part in kind.identity)
    for name, paths in keys.items():
        coded = _coded(
            tuple(repr(row.get(path)) for path in paths) if any(path in row for path in paths) else None
            for row in data
        )
        # Nothing to compare: a share of nothing says nothing.
        if any(code is not None for code in coded):
            columns[name] = coded
    agreed = set(bundle.partners[delivery.partner].columns.values())
    for name, path in kind.identity.items():
        if path in agreed:
            columns[name] = _coded(row.get(path) for row in data)
    return columns


def _coded(values: Iterator[Any]) -> list[int | None]:
    codes: dict[str, int] = {}
    return [None if value is None else codes.setdefault(repr(value), len(codes)) for value in values]


# ---------------------------------------------------------------- the drop folder


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
    findings = judge(columns, delivery.signal_type)
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
