"""What lies in a CSV or Excel file: a header and rows of cells, or one typed reason why the whole file is refused.

Nothing here knows fields or people. No message repeats a cell, nor a column name that was not declared: in a file
without a header, people stand in that place.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from bereik.errors import LastingError

# A month of signals of the largest partner is about 50,000 rows of 200 bytes, 10 MB; this leaves double.
MAX_BYTES: Final = 20 * 1024 * 1024
MAX_ROWS: Final = 100_000
# Excel packs a table of that size about six times smaller. openpyxl needs some ten times the unpacked size in
# memory, so 100 MiB also keeps a collector under about 1 GB.
MAX_UNPACKED_BYTES: Final = 100 * 1024 * 1024
MAX_PARTS: Final = 500

FILE_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "file_empty": (
        "een bestand met een kopregel en ten minste één rij",
        "a file with a header row and at least one row",
    ),
    "file_too_large": (
        f"ten hoogste {MAX_BYTES // 1024**2} MB en {MAX_ROWS} rijen; splits het bestand",
        f"at most {MAX_BYTES // 1024**2} MB and {MAX_ROWS} rows; split the file",
    ),
    "file_kind": ("een {kind}-bestand, zoals afgesproken", "a {kind} file, as agreed"),
    "file_broken": (
        "een bestand dat in Excel opent; sla het opnieuw op als .xlsx",
        "a file that Excel opens; save it again as .xlsx",
    ),
    "file_locked": (
        "een .xlsx zonder wachtwoord; een oud .xls-bestand wordt niet gelezen",
        "an .xlsx without a password; an old .xls file is not read",
    ),
    "file_unpacks_too_large": (
        "een gewoon werkblad; dit bestand wordt uitgepakt te groot",
        "a plain sheet; this file unpacks too large",
    ),
    "file_macro": ("een .xlsx zonder macro's", "an .xlsx without macros"),
    "file_sheets": (
        "precies één werkblad, ook geen verborgen blad",
        "exactly one sheet, and no hidden one either",
    ),
    "file_encoding": ("tekst in {encoding}", "text in {encoding}"),
    "file_quotes": (
        "aanhalingstekens die per cel openen en sluiten; vanaf deze rij is het bestand niet te lezen",
        "quotes that open and close in one cell; from this row on the file cannot be read",
    ),
    "separator": ("kolommen gescheiden door {delimiter}", "columns separated by {delimiter}"),
    "header_missing": (
        "een kopregel met deze kolommen: {columns}",
        "a header row with these columns: {columns}",
    ),
    "header_unknown": (
        "alleen de afgesproken kolommen; kolom nummer {positions} is dat niet",
        "agreed columns only; column number {positions} is none of them",
    ),
    "header_duplicate": ("elke kolom eenmaal", "each column once"),
}

# The longest text any contract takes has 200 characters; 25 cells of 500 keep an event below signal.MAX_BYTES, so that
# what arrives can be read and answered by its id.
MAX_TEXT: Final = 500
EXACT: Final = 10**15

ENCODINGS: Final = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "cp1252": "Windows-1252",
    "windows-1252": "Windows-1252",
}
_SEPARATORS: Final = {";": "puntkomma (;)", ",": "komma (,)", "\t": "tab", "|": "streep (|)"}
_SEPARATORS_EN: Final = {";": "semicolon (;)", ",": "comma (,)", "\t": "tab", "|": "bar (|)"}
_ZEROS = re.compile(r'"?0{2,}"?')


class FileRefused(LastingError):
    """A file is refused as a whole: nothing in it can be trusted to mean what its column says."""

    def __init__(self, rule: str, *, row: int | None = None, column: str = "", **details: str) -> None:
        """Name the rule; `details` fill its text and hold declared names and numbers only."""
        self.rule, self.row, self.column = rule, row, column
        dutch, english = FILE_TEXTS[rule]
        self.expected_nl = dutch.format(**details)
        self.expected_en = english.format(**{**details, **_english(details)})
        super().__init__(rule)


def _english(details: dict[str, str]) -> dict[str, str]:
    dutch = details.get("delimiter")
    return (
        {"delimiter": _SEPARATORS_EN[next(k for k, v in _SEPARATORS.items() if v == dutch)]} if dutch else {}
    )


@dataclass(frozen=True, slots=True)
class Damaged:
    """A cell that no longer holds what was typed, and the rule that says so."""

    rule: str


Cell = str | int | float | bool | date | Damaged | None


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its number as a spreadsheet shows it, and a cell per declared column; None when the count is off."""

    number: int
    cells: tuple[Cell, ...] | None
    raw: str


def read(
    content: bytes,
    columns: Sequence[str],
    kind: str,
    delimiter: str,
    encoding: str,
    optional: Sequence[str] = (),
) -> list[Line]:
    """All rows, with cells in the order of `columns`, then of `optional` ones that the header may leave out.

    Raises `FileRefused`.
    """
    if not content.strip():
        raise FileRefused("file_empty")
    if len(content) > MAX_BYTES:
        raise FileRefused("file_too_large")
    if kind == "xlsx":
        rows = _xlsx(content, len(columns) + len(optional))
    else:
        rows = _csv(content, columns, delimiter, encoding)
    first = next(rows, None)
    if first is None:
        raise FileRefused("file_empty")
    order = _order(first[1], columns, optional)
    lines = [_line(number, cells, order, len(first[1])) for number, cells in rows]
    if not lines:
        raise FileRefused("file_empty")
    return lines


def _order(header: Sequence[Cell], columns: Sequence[str], optional: Sequence[str]) -> list[int | None]:
    """Where each declared column stands. The header must name all but the optional ones, once, and nothing else."""
    names = [cell.strip() if isinstance(cell, str) else "" for cell in header]
    missing = [column for column in columns if column not in names]
    if missing:
        raise FileRefused("header_missing", row=1, column=missing[0], columns=", ".join(missing))
    known = (*columns, *optional)
    for column in known:
        if names.count(column) > 1:
            raise FileRefused("header_duplicate", row=1, column=column)
    strangers = [str(place) for place, name in enumerate(names, 1) if name not in known]
    if strangers:
        raise FileRefused("header_unknown", row=1, positions=", ".join(strangers))
    return [names.index(column) if column in names else None for column in known]


def _line(number: int, cells: Sequence[Cell], order: Sequence[int | None], width: int) -> Line:
    raw = "\x1f".join("" if cell is None else f"{type(cell).__name__}:{cell}" for cell in cells)
    if len(cells) != width:
        return Line(number, None, raw)
    return Line(number, tuple(None if place is None else cells[place] for place in order), raw)


def _text(cell: str) -> Cell:
    text = cell.strip()
    return Damaged("text_too_long") if len(text) > MAX_TEXT else text or None


# ---------------------------------------------------------------- CSV


def _csv(
    content: bytes, columns: Sequence[str], delimiter: str, encoding: str
) -> Iterator[tuple[int, list[Cell]]]:
    if content[:4] == b"PK\x03\x04" or content[:8] == _OLE:
        raise FileRefused("file_kind", kind="CSV")
    text = _decode(content, encoding)
    _refuse_other_separator(text, columns, delimiter)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise FileRefused("file_quotes", row=number) from None
        if number > MAX_ROWS + 1:
            raise FileRefused("file_too_large")
        if any(cell.strip() for cell in cells):
            yield number, [_text(cell) for cell in cells]


def _decode(content: bytes, encoding: str) -> str:
    """Decode as declared. A byte order mark of UTF-8 is taken for what it says; every doubt refuses the file."""
    declared = encoding.lower()
    refused = FileRefused("file_encoding", encoding=ENCODINGS.get(declared, encoding))
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in content:
        raise refused
    marked = content.startswith(codecs.BOM_UTF8)
    if declared in ("utf-8", "utf-8-sig"):
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise refused from None
    if marked or _is_multibyte_utf8(content):
        raise refused
    try:
        return content.decode(declared)
    except UnicodeDecodeError:
        raise refused from None


def _is_multibyte_utf8(content: bytes) -> bool:
    """Bytes above 127 that form valid UTF-8: in any one-byte encoding that does not happen to real words."""
    if content.isascii():
        return False
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _refuse_other_separator(text: str, columns: Sequence[str], delimiter: str) -> None:
    head = text.split("\n", 1)[0].rstrip("\r")
    wanted = set(columns)
    if len(wanted) < 2 or wanted & {name.strip(' "') for name in head.split(delimiter)}:
        return
    for other in _SEPARATORS:
        if other != delimiter and len(wanted & {name.strip(' "') for name in head.split(other)}) > 1:
            raise FileRefused("separator", row=1, delimiter=_SEPARATORS.get(delimiter, delimiter))


# ---------------------------------------------------------------- Excel

_OLE: Final = bytes.fromhex("d0cf11e0a1b11ae1")


def _xlsx(content: bytes, width: int) -> Iterator[tuple[int, list[Cell]]]:
    """Rows of the only sheet. Formulas are not trusted: what they show depends on the program that last saved them."""
    _look_inside(content)
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
    except Exception:
        # openpyxl raises whatever its XML readers raise, with pieces of the file in the message.
        raise FileRefused("file_broken") from None
    try:
        if len(book.sheetnames) != 1 or len(book.worksheets) != 1:
            raise FileRefused("file_sheets")
        yield from _rows(book.worksheets[0], width)
    except FileRefused:
        raise
    except Exception:
        raise FileRefused("file_broken") from None
    finally:
        book.close()


def _rows(sheet: Any, width: int) -> Iterator[tuple[int, list[Cell]]]:
    # The sheet's own idea of its size is a claim; read cell by cell instead.
    sheet.reset_dimensions()
    header = 0
    # One column more than declared shows that a row is too wide, and keeps a cell at XFD from costing 16,384.
    for number, cells in enumerate(sheet.iter_rows(min_row=1, max_col=width + 1), 1):
        # A formatted but empty sheet has a million rows; these take a second together.
        if not any(cell.value is not None for cell in cells):
            continue
        row = [_cell(cell) for cell in cells]
        while row and row[-1] is None and len(row) > header:
            row.pop()
        if all(cell is None for cell in row):
            continue
        if number > MAX_ROWS + 1:
            raise FileRefused("file_too_large")
        if header == 0:
            header = len(row)
        yield number, row + [None] * (header - len(row))


def _cell(cell: Any) -> Cell:
    value = cell.value
    kind = cell.data_type
    if value is None:
        return None
    if kind == "f":
        return Damaged("excel_formula")
    if kind == "e":
        return Damaged("excel_error")
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        # Above 15 digits Excel has replaced the rest by zeros; this also catches infinity.
        if not abs(value) < EXACT:
            return Damaged("excel_number")
        form = cell.number_format or ""
        # "0000" shows 518 as 0518 and so keeps what was meant, which is unambiguous.
        if _ZEROS.fullmatch(form) and value == int(value) and value >= 0:
            return str(int(value)).zfill(form.count("0"))
        return value
    if isinstance(value, datetime):
        plain = value.hour == value.minute == value.second == value.microsecond == 0
        return value.date() if plain else Damaged("excel_date_damage")
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        return _text(value)
    return Damaged("excel_date_damage")


def _look_inside(content: bytes) -> None:
    """Refuse what is no plain workbook before a parser sees it."""
    if content[:8] == _OLE:
        raise FileRefused("file_locked")
    if content[:4] != b"PK\x03\x04":
        raise FileRefused("file_kind", kind="Excel (.xlsx)")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as pack:
            parts = pack.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
                raise FileRefused("file_unpacks_too_large")
            names = {part.filename.lower() for part in parts}
            if any(name.endswith("vbaproject.bin") or "/macrosheets/" in name for name in names):
                raise FileRefused("file_macro")
            if "[content_types].xml" not in names or "xl/workbook.xml" not in names:
                raise FileRefused("file_kind", kind="Excel (.xlsx)")
            _refuse_doctype(pack, parts)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        # In this order: not a zip, an exotic packing, a password, a file cut short, impossible positions.
        raise FileRefused("file_broken") from None
    except Exception as error:
        if type(error).__module__ in ("zlib", "_lzma"):
            raise FileRefused("file_broken") from None
        raise


def _refuse_doctype(pack: zipfile.ZipFile, parts: Iterable[zipfile.ZipInfo]) -> None:
    """A workbook has no DOCTYPE; one is there only to make an XML reader expand or fetch something."""
    for part in parts:
        if not part.filename.lower().endswith((".xml", ".rels", ".vml")):
            continue
        with pack.open(part) as stream:
            tail = b""
            while chunk := stream.read(1 << 20):
                if not tail and chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                    raise FileRefused("file_broken")
                if b"<!DOCTYPE" in tail + chunk or b"macroEnabled" in tail + chunk:
                    raise FileRefused("file_macro" if b"macroEnabled" in tail + chunk else "file_broken")
                tail = chunk[-16:]
