"""A delivered file as events: every row one of its partner's own topic, and what is wrong in it. Pure.

Every data row becomes one event, also a broken one: intake refuses it with the same contract and writes its receipt,
so that what came through this door adds up in the database. The errors are told here too, by the same check, so the
partner need not wait for them. Only a file that cannot be read as a whole is refused as a whole.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import orjson
import yaml

from bereik.bundle import Bundle
from bereik.contract import Contract, Field
from bereik.days import local_day
from bereik.declared.partners import Partner, RowKinds
from bereik.declared.signals import SignalType
from bereik.errors import LastingError
from bereik.ports import Box
from bereik.sheets import FILE_TEXTS, MAX_TEXT, Cell, Damaged, FileRefused, Line, read
from bereik.signal import Event, is_bsn

FILE_TEXTS["attestation_unreadable"] = (
    "een verklaring met per stap ja of nee; stappen: {steps}",
    "an attestation with yes or no per step; steps: {steps}",
)

# In place of an event's version, where a row says of what kind it is by no agreed word.
_NO_KIND: Final = "onbekend"

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
    "row_extra": (
        "niets: in een regel van deze soort blijft deze kolom leeg",
        "nothing: in a row of this kind this column stays empty",
    ),
    "row_kind": ("leeg, of een van: {words}", "empty, or one of: {words}"),
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
    said = partner.row_kinds
    optional = [said.column, said.reason] if said is not None else []
    lines = read(content, list(partner.columns), kind, partner.delimiter, partner.encoding, optional)
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
        cells: Sequence[Cell] = line.cells or ()
        if self.partner.row_kinds is not None and line.cells is not None:
            *cells, word, why = line.cells
            if word is not None:
                return self._about(self.partner.row_kinds, line, cells, word, why)
        data, faults = self._data(cells, {})
        municipality = self._municipality(data)
        if vouched and self._vouched_by_delivery(municipality):
            held = data.setdefault(self.kind.attestation_field or "", {})
            for step, taken in vouched.items():
                held.setdefault(step, taken)
        event = Event(self._id(data, faults, line), self.partner.source, self.kind.event_type, None, {}, data)
        errors = self._errors(line, event, faults, self.kind.contract, self.columns)
        return Row(line.number, event, municipality, tuple(errors))

    def _about(self, said: RowKinds, line: Line, cells: Sequence[Cell], word: Cell, why: Cell) -> Row:
        """A row that takes back or corrects the one with the same reference: the event holds what else it names.

        What its contract does not take (a name, on a withdrawal) is refused there, as in an event of the partner's own.
        """
        action = said.actions.get(word.casefold()) if isinstance(word, str) else None
        about = self.kind.about(action) if action is not None else None
        # The same line again is the same event; another line about the same report is another.
        own_id = str(self.box.id(f"line|{self.partner.id}|{action}|{line.raw}"))
        if about is None:
            # No agreed word: not the report that it might be, but an event of no known type, which is counted and refused.
            event = Event(own_id, self.partner.source, f"{self.kind.event_type}.{_NO_KIND}", None, {}, {})
            dutch, english = (text.format(words=", ".join(said.actions)) for text in ROW_TEXTS["row_kind"])
            return Row(
                line.number, event, None, (RowError(line.number, said.column, "row_kind", dutch, english),)
            )
        names = {self.kind.reference_field: about.reference_field}
        data, faults = self._data(cells, names)
        columns = {names.get(path, path): column for path, column in self.columns.items()}
        # Intake says of all of these together that a field is unknown; here the columns can be named.
        filled = [
            names.get(path, path) for path, cell in zip(self.paths, cells, strict=True) if cell is not None
        ]
        faults += [_Fault(name, "row_extra") for name in filled if name not in about.contract.fields]
        if about.reason_field is not None:
            columns[about.reason_field] = said.reason
            if why is not None:
                data[about.reason_field] = why if isinstance(why, str) else {"damaged": "excel_number"}
        event = Event(own_id, self.partner.source, about.event_type, None, {}, data)
        errors = self._errors(line, event, faults, about.contract, columns)
        return Row(line.number, event, None, tuple(errors))

    def _data(self, cells: Sequence[Cell], names: Mapping[str, str]) -> tuple[dict[str, Any], list[_Fault]]:
        """The fields of a row, some under another name, and what is wrong with them; an empty cell is an absent field."""
        data: dict[str, Any] = {}
        faults: list[_Fault] = []
        for path, known, cell in zip(self.paths, self.fields, cells, strict=bool(cells)):
            if cell is None:
                continue
            value, rule = self._convert(path, known, cell)
            name = names.get(path, path)
            if rule is not None:
                faults.append(_Fault(name, rule))
            _put(data, name, value)
        return data, faults

    def _errors(
        self,
        line: Line,
        event: Event,
        faults: Sequence[_Fault],
        contract: Contract,
        columns: Mapping[str, str],
    ) -> Iterator[RowError]:
        if line.cells is None:
            yield RowError(line.number, "", "cell_count", *ROW_TEXTS["cell_count"])
            return
        for fault in faults:
            dutch, english = ROW_TEXTS[fault.rule]
            yield RowError(
                line.number,
                columns[fault.path],
                fault.rule,
                dutch.format(form=self.forms[0]),
                english.format(form=self.forms[1]),
            )
        found = {"*" if fault.rule == "row_extra" else fault.path for fault in faults}
        for error in contract.check(event, self.received_at):
            if error.field not in found:
                column = columns.get(error.field, error.field)
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
    """The reports of a delivery as columns that Great Expectations may see: equal values have equal numbers, and nothing else.

    Columns: `refused` (1 or 0), `reference`, `person`, `household`, and each linkage field of the type. An empty
    field is None. A number means nothing outside its column, so no result can hold anybody's value.
    """
    kind = bundle.signal_types[delivery.signal_type]
    # Rows about an earlier one name hardly anything, which says nothing of the file's quality.
    reports = [row for row in delivery.rows if row.event.type == kind.event_type]
    data = [row.event.data for row in reports]
    columns: dict[str, list[int | None]] = {"refused": [1 if row.errors else 0 for row in reports]}
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
