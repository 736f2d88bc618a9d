"""The file door: what becomes of every kind of file and of every kind of row. Everything here runs in memory."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bereik import batch, collect, sheets
from bereik.batch import Delivery
from bereik.bundle import Bundle
from bereik.collect import Collected, Finding
from bereik.declared.partners import Partner
from bereik.keys import Box
from bereik.sheets import FileRefused
from bereik.signal import read

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BOX = Box(b"k" * 32)
SECRET = "ZZCANARY"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The declarations that ship with Bereik."""
    return Bundle.compile(ROOT / "schemas")


def door(bundle: Bundle, kind: str) -> Partner:
    """A partner that delivers files of this kind."""
    return next(partner for partner in bundle.partners.values() if partner.file_format == kind)


@pytest.fixture
def partner(bundle: Bundle) -> Partner:
    """The partner that delivers CSV, whatever its own habits: semicolons, UTF-8, day-month-year."""
    return replace(door(bundle, "csv"), delimiter=";", encoding="utf-8", date_format="%d-%m-%Y")


def good(partner: Partner, **changes: str) -> dict[str, str]:
    """A row without faults, by data field, as text in the partner's own forms."""
    day = NOW.strftime(partner.date_format)
    since = (NOW - timedelta(days=120)).strftime(partner.date_format)
    contract = "contractnummer" if "contractnummer" in partner.columns.values() else "klantnummer"
    return {
        "kenmerk": "K-0001",
        contract: "00123",
        "geslachtsnaam": SECRET,
        "voorletters": "J.",
        "geboortedatum": date(1980, 2, 1).strftime(partner.date_format),
        "postcode": "1234AB",
        "huisnummer": "12",
        "bedrag": "350",
        "ontstaansdatum": since,
        "signaaldatum": day,
        "warmeOverdracht": partner.yes_word,
    } | changes


def as_csv(partner: Partner, rows: Sequence[Mapping[str, str]], delimiter: str = ";") -> str:
    """The rows under the partner's own header."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(partner.columns)
    for row in rows:
        writer.writerow([row.get(path, "") for path in partner.columns.values()])
    return out.getvalue()


def deliver(
    partner: Partner, bundle: Bundle, content: bytes | str, kind: str = "csv", **rest: Any
) -> Delivery:
    """Read a file at the door."""
    raw = content.encode(partner.encoding) if isinstance(content, str) else content
    return batch.read_delivery(raw, kind, partner, bundle, BOX, NOW, **rest)


def rules(delivery: Delivery) -> list[tuple[int | None, str]]:
    """Row and rule of every error."""
    return [(error.row, error.rule) for error in delivery.errors]


def column(partner: Partner, path: str) -> str:
    """The partner's column of a data field."""
    return next(name for name, field in partner.columns.items() if field == path)


# ---------------------------------------------------------------- rows about an earlier one


def about(partner: Partner, word: str, reason: str = "", **cells: str) -> str:
    """A file of one report and one row about it, with the two columns that say so."""
    kinds = partner.row_kinds
    assert kinds is not None
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([*partner.columns, kinds.column, kinds.reason])
    for row, said in ((good(partner), ("", "")), ({"kenmerk": "K-0001", **cells}, (word, reason))):
        writer.writerow([*(row.get(path, "") for path in partner.columns.values()), *said])
    return out.getvalue()


def test_a_row_takes_an_earlier_one_back_by_its_reference(bundle: Bundle, partner: Partner) -> None:
    kind = bundle.signal_types[partner.file_signal_type or ""]
    delivery = deliver(partner, bundle, about(partner, "Intrekking", "betaald"))
    report, row = delivery.rows
    assert delivery.errors == ()
    assert (report.event.type, row.event.type) == (kind.event_type, kind.withdrawal_type)
    assert row.event.data == {"kenmerk": "K-0001", "reden": "betaald"} and row.event.id != "K-0001"
    again, other = (
        deliver(partner, bundle, about(partner, "intrekking", reason))
        for reason in ("betaald", "foutieveMelding")
    )
    assert again.rows[1].event.id != other.rows[1].event.id, "another row is another event"
    assert deliver(partner, bundle, about(partner, "Intrekking", "betaald")).rows[1].event.id == row.event.id


def test_a_row_corrects_what_it_names_and_the_rest_stays(bundle: Bundle, partner: Partner) -> None:
    kind = bundle.signal_types[partner.file_signal_type or ""]
    delivery = deliver(partner, bundle, about(partner, "correctie", bedrag="1.212,00"))
    row = delivery.rows[1]
    assert (row.event.type, row.errors) == (kind.correction_type, ())
    assert row.event.data == {"kenmerk": "K-0001", "bedrag": 1212}
    # The set is judged by its reports: one row about an earlier one is no report without a name.
    assert len(batch.frame(delivery, bundle)["refused"]) == 1


@pytest.mark.parametrize(
    ("word", "reason", "cells", "expected"),
    [
        ("intrekking", "", {}, [("Reden", "required")]),
        ("intrekking", "te laat", {}, [("Reden", "enum")]),
        ("intrekking", "betaald", {"kenmerk": ""}, [("Kenmerk", "required")]),
        ("intrekking", "betaald", {"geslachtsnaam": SECRET}, [("Achternaam", "row_extra")]),
        ("correctie", "", {"bedrag": "1.350"}, [("Achterstand", "number_ambiguous")]),
        ("correctie", "", {"geboortedatum": "01-02-1980"}, [("Geboortedatum", "row_extra")]),
        ("wijziging", "", {}, [("Soort bericht", "row_kind")]),
    ],
)
def test_what_such_a_row_may_not_say_is_told_by_its_column(
    bundle: Bundle,
    partner: Partner,
    word: str,
    reason: str,
    cells: dict[str, str],
    expected: list[tuple[str, str]],
) -> None:
    delivery = deliver(partner, bundle, about(partner, word, reason, **cells))
    assert [(error.column, error.rule) for error in delivery.errors] == expected
    assert SECRET not in collect.errors_file(delivery.errors).decode()


# ---------------------------------------------------------------- good rows


def test_a_good_row_becomes_the_event_its_contract_wants(bundle: Bundle, partner: Partner) -> None:
    delivery = deliver(partner, bundle, as_csv(partner, [good(partner)]))
    (row,) = delivery.rows
    kind = bundle.signal_types[partner.file_signal_type or ""]
    assert row.errors == ()
    assert (row.event.id, row.event.source, row.event.type) == ("K-0001", partner.source, kind.event_type)
    assert row.event.data["huisnummer"] == 12 and row.event.data["bedrag"] == 350
    assert row.event.data["geboortedatum"] == "1980-02-01" and row.event.data["warmeOverdracht"] is True
    assert "voorvoegsel" not in row.event.data, "an empty cell is an absent field"
    assert row.municipality == "9901"


def test_columns_may_stand_in_any_order(bundle: Bundle, partner: Partner) -> None:
    turned = replace(partner, columns=dict(reversed(partner.columns.items())))
    text = as_csv(turned, [good(partner)])
    assert (
        deliver(partner, bundle, text).rows == deliver(partner, bundle, as_csv(partner, [good(partner)])).rows
    )


def test_a_byte_order_mark_in_front_of_utf8_is_no_fault(bundle: Bundle, partner: Partner) -> None:
    delivery = deliver(partner, bundle, as_csv(partner, [good(partner)]).encode("utf-8-sig"))
    assert delivery.errors == ()


@pytest.mark.parametrize(
    ("path", "typed", "meant"),
    [
        ("postcode", "1234 ab", "1234AB"),
        ("bedrag", "350,00", 350),
        ("bedrag", "€ 1.350,00", 1350),
        ("signaaldatum", "2026-11-20", "2026-11-20"),
        ("signaaldatum", "20-11-2026 00:00:00", "2026-11-20"),
        ("warmeOverdracht", "JA", True),
        ("huisnummer", "012", 12),
        ("huisnummertoevoeging", "3h", "3h"),
    ],
)
def test_what_can_be_read_in_one_way_only_is_read(
    bundle: Bundle, partner: Partner, path: str, typed: str, meant: object
) -> None:
    (row,) = deliver(partner, bundle, as_csv(partner, [good(partner, **{path: typed})])).rows
    assert row.errors == () and row.event.data[path] == meant


# ---------------------------------------------------------------- ids


def test_without_a_reference_the_id_is_a_keyed_hash_of_the_primary_key(
    bundle: Bundle, partner: Partner
) -> None:
    first = deliver(partner, bundle, as_csv(partner, [good(partner, kenmerk="")])).rows[0]
    mended = deliver(partner, bundle, as_csv(partner, [good(partner, kenmerk="", bedrag="360")])).rows[0]
    assert first.errors == () and first.event.id == mended.event.id, (
        "the same fact, so intake sees other content"
    )
    other = batch.read_delivery(
        as_csv(partner, [good(partner, kenmerk="")]).encode(), "csv", partner, bundle, Box(b"o" * 32), NOW
    ).rows[0]
    assert other.event.id != first.event.id, "another key gives another id"


def test_the_same_file_gives_the_same_delivery_and_events(bundle: Bundle, partner: Partner) -> None:
    text = as_csv(partner, [good(partner), good(partner, kenmerk=""), good(partner, postcode="?")])
    assert deliver(partner, bundle, text) == deliver(partner, bundle, text)


def test_a_reference_that_is_a_citizen_number_is_refused_and_not_used_as_id(
    bundle: Bundle, partner: Partner
) -> None:
    (row,) = deliver(partner, bundle, as_csv(partner, [good(partner, kenmerk="999990019")])).rows
    assert [error.rule for error in row.errors] == ["reference_is_bsn"]
    assert "999990019" not in row.event.id and "999990019" not in str(row.event.data)


# ---------------------------------------------------------------- row errors


@pytest.mark.parametrize(
    ("path", "typed", "rule"),
    [
        ("signaaldatum", "46346", "excel_date_serial"),
        ("signaaldatum", "46346,0", "excel_date_serial"),
        ("signaaldatum", "11/20/2026", "date_format"),
        ("signaaldatum", "20 november 2026", "date_format"),
        ("signaaldatum", "31-02-2026", "date_format"),
        ("signaaldatum", "20-01-2026", "out_of_bounds"),
        ("geboortedatum", "1-2-80", "date_format"),
        ("huisnummertoevoeging", "5-dec", "excel_date_damage"),
        ("huisnummertoevoeging", "mei-12", "excel_date_damage"),
        ("huisnummer", "5-12-2026", "excel_date_damage"),
        ("huisnummer", "05-dec", "excel_date_damage"),
        ("huisnummer", "", "required"),
        ("huisnummer", "12a", "type"),
        ("telefoonnummer", "612345678", "excel_leading_zeros"),
        ("telefoonnummer", "3,16123E+10", "excel_scientific"),
        ("contractnummer", "1,23E+11", "excel_scientific"),
        ("kenmerk", "1.23457E+14", "excel_scientific"),
        ("geslachtsnaam", "#N/B", "excel_error"),
        ("geslachtsnaam", "########", "excel_error"),
        ("geslachtsnaam", "ZoÃ«", "encoding_damage"),
        ("geslachtsnaam", "Zo\ufffd", "encoding_damage"),
        ("geslachtsnaam", "x" * 501, "text_too_long"),
        ("huisnummer", "9" * 5_000, "text_too_long"),
        ("bedrag", "9" * 30, "type"),
        ("bedrag", "1.350", "number_ambiguous"),
        ("bedrag", "350,49", "type"),
        ("bedrag", "-5", "range"),
        ("postcode", "1234", "pattern"),
        ("postcode", "1234SA", "pattern"),
        ("warmeOverdracht", "misschien", "type"),
    ],
)
def test_a_damaged_cell_is_named_by_row_column_and_rule(
    bundle: Bundle, partner: Partner, path: str, typed: str, rule: str
) -> None:
    if path not in partner.columns.values():
        pytest.skip("this partner has no such column")
    row = good(partner) | {path: typed}
    delivery = deliver(partner, bundle, as_csv(partner, [good(partner, kenmerk="K-1"), row]))
    assert rules(delivery) == [(3, rule)]
    error = delivery.errors[0]
    assert error.column == column(partner, path) and error.expected_nl and error.expected_en
    assert len(typed) < 5 or typed not in str(delivery.errors), "an error never repeats a value"


def test_what_the_door_finds_wrong_intake_refuses_too(bundle: Bundle, partner: Partner) -> None:
    """A row error without a refusal would break `received = accepted + duplicate + refused + parked` in meaning."""
    kind = bundle.signal_types[partner.file_signal_type or ""]
    bad = {
        "signaaldatum": "46346",
        "telefoonnummer": "612345678",
        "geslachtsnaam": "ZoÃ«",
        "huisnummertoevoeging": "5-dec",
        "kenmerk": "1,2E+14",
    }
    for path, typed in bad.items():
        (row,) = deliver(partner, bundle, as_csv(partner, [good(partner) | {path: typed}])).rows
        assert row.errors and kind.contract.check(row.event, NOW), path


def test_lost_leading_zeros_where_the_contract_wants_so_many_digits(bundle: Bundle, partner: Partner) -> None:
    wider = replace(partner, columns={**partner.columns, "Gemeente": "gemeentecode"})
    delivery = deliver(wider, bundle, as_csv(wider, [good(wider, gemeentecode="518")]))
    assert rules(delivery) == [(2, "excel_leading_zeros")]


def test_a_row_with_too_few_or_too_many_cells_is_still_an_event(bundle: Bundle, partner: Partner) -> None:
    lines = as_csv(partner, [good(partner), good(partner), good(partner)]).splitlines()
    lines[2] += ";one more"
    lines[3] = lines[3].rsplit(";", 2)[0]
    delivery = deliver(partner, bundle, "\r\n".join(lines))
    assert rules(delivery) == [(3, "cell_count"), (4, "cell_count")]
    assert len(delivery.rows) == 3 and delivery.rows[1].event.data == {}
    assert len({row.event.id for row in delivery.rows}) == 3


def test_rows_are_numbered_as_a_spreadsheet_shows_them(bundle: Bundle, partner: Partner) -> None:
    lines = as_csv(partner, [good(partner), good(partner, postcode="?")]).splitlines()
    lines.insert(2, ";" * (len(partner.columns) - 1))
    lines.insert(2, "")
    assert rules(deliver(partner, bundle, "\r\n".join(lines) + "\r\n\r\n")) == [(5, "pattern")]


# ---------------------------------------------------------------- files refused as a whole


def refusal(
    partner: Partner, bundle: Bundle, content: bytes | str, kind: str = "csv", **rest: Any
) -> FileRefused:
    """The refusal of a file."""
    with pytest.raises(FileRefused) as caught:
        deliver(partner, bundle, content, kind, **rest)
    assert caught.value.expected_nl and caught.value.expected_en and "{" not in caught.value.expected_nl
    assert SECRET not in f"{caught.value} {caught.value.expected_nl} {caught.value.expected_en}"
    return caught.value


def test_an_empty_file(bundle: Bundle, partner: Partner) -> None:
    for content in ("", "\r\n \r\n", as_csv(partner, [])):
        assert refusal(partner, bundle, content).rule == "file_empty"


@pytest.mark.parametrize("other", [",", "\t", "|"])
def test_another_separator(bundle: Bundle, partner: Partner, other: str) -> None:
    error = refusal(partner, bundle, as_csv(partner, [good(partner)], other))
    assert error.rule == "separator" and "(;)" in error.expected_nl and "semicolon" in error.expected_en


def test_another_encoding(bundle: Bundle, partner: Partner) -> None:
    text = as_csv(partner, [good(partner, geslachtsnaam="Zoë")])
    assert refusal(partner, bundle, text.encode("cp1252")).rule == "file_encoding"
    assert refusal(partner, bundle, text.encode("utf-16")).rule == "file_encoding"
    assert refusal(partner, bundle, text.encode("utf-16-le")).rule == "file_encoding"
    western = replace(partner, encoding="cp1252")
    assert deliver(western, bundle, text).errors == ()
    error = refusal(western, bundle, text.encode("utf-8"))
    assert error.rule == "file_encoding" and "Windows-1252" in error.expected_nl
    assert refusal(western, bundle, text.encode("utf-8-sig")).rule == "file_encoding"


def test_a_header_that_is_not_the_agreed_one(bundle: Bundle, partner: Partner) -> None:
    text = as_csv(partner, [good(partner)])
    name = column(partner, "postcode")
    assert refusal(partner, bundle, text.replace(name, "Pc", 1)).rule == "header_missing"
    twice = text.replace("\r\n", f";{name}\r\n", 1)
    error = refusal(partner, bundle, twice)
    assert (error.rule, error.column) == ("header_duplicate", name)
    error = refusal(partner, bundle, text.replace("\r\n", ";BSN\r\n", 1))
    assert error.rule == "header_unknown" and str(len(partner.columns) + 1) in error.expected_nl
    assert refusal(partner, bundle, text.split("\r\n", 1)[1]).rule == "header_missing", (
        "no header: people in its place"
    )


def test_quotes_that_do_not_close(bundle: Bundle, partner: Partner) -> None:
    text = as_csv(partner, [good(partner), good(partner)]).replace(SECRET, f'"{SECRET}', 1)
    assert refusal(partner, bundle, text).rule == "file_quotes"


def test_a_file_that_is_too_large(bundle: Bundle, partner: Partner) -> None:
    assert refusal(partner, bundle, b"x" * (sheets.MAX_BYTES + 1)).rule == "file_too_large"
    many = as_csv(partner, []) + "x\r\n" * (sheets.MAX_ROWS + 1)
    assert refusal(partner, bundle, many).rule == "file_too_large"


def test_a_workbook_named_csv_and_the_other_way_round(bundle: Bundle, partner: Partner) -> None:
    anything = replace(partner, file_format=None)
    assert refusal(anything, bundle, b"PK\x03\x04" + b"x" * 100).rule == "file_kind"
    assert refusal(anything, bundle, as_csv(partner, [good(partner)]), "xlsx").rule == "file_kind"
    assert refusal(partner, bundle, b"PK\x03\x04", "xlsx").rule == "file_kind", "not the agreed kind"


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=400))
def test_no_bytes_end_in_anything_but_a_delivery_or_a_typed_refusal(content: bytes) -> None:
    bundle = Bundle.compile(ROOT / "schemas") if not _cached else _cached[0]
    _cached[:] = [bundle]
    for kind in ("csv", "xlsx"):
        one = replace(door(bundle, kind), encoding="cp1252")
        for head in (b"", ";".join(one.columns).encode() + b"\n", b"PK\x03\x04"):
            try:
                deliver(one, bundle, head + content, kind)
            except FileRefused as refused:
                assert refused.rule in sheets.FILE_TEXTS


_cached: list[Bundle] = []


# ---------------------------------------------------------------- Excel


@pytest.fixture
def excel(bundle: Bundle) -> Partner:
    """The partner that delivers workbooks."""
    return door(bundle, "xlsx")


def native(partner: Partner) -> dict[str, Any]:
    """A good row as Excel keeps it: numbers and dates as such."""
    row: dict[str, Any] = dict(good(partner))
    for path in ("geboortedatum", "ontstaansdatum", "signaaldatum"):
        # A cell of Excel has no zone.
        row[path] = datetime.strptime(row[path], partner.date_format)  # noqa: DTZ007
    row["huisnummer"], row["bedrag"] = 12, 350.0
    return row


def as_xlsx(
    partner: Partner, rows: Sequence[Mapping[str, Any]], change: Callable[[Any], None] = lambda book: None
) -> bytes:
    """A workbook with one sheet; `change` spoils it."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(list(partner.columns))
    for row in rows:
        sheet.append([row.get(path) for path in partner.columns.values()])
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def cell(partner: Partner, book: Any, path: str, row: int = 2) -> Any:
    """The cell of a data field."""
    return book.worksheets[0].cell(row, list(partner.columns.values()).index(path) + 1)


def test_a_good_workbook(bundle: Bundle, excel: Partner) -> None:
    (row,) = deliver(excel, bundle, as_xlsx(excel, [native(excel)]), "xlsx").rows
    assert row.errors == () and row.event.id == "K-0001"
    assert row.event.data["signaaldatum"] == "2026-11-20" and row.event.data["bedrag"] == 350


def test_leading_zeros_kept_by_the_format_of_a_cell_are_read(bundle: Bundle, excel: Partner) -> None:
    def zeros(book: Any) -> None:
        target = cell(excel, book, "klantnummer")
        target.value, target.number_format = 123, "00000"

    (row,) = deliver(excel, bundle, as_xlsx(excel, [native(excel)], zeros), "xlsx").rows
    assert row.errors == () and row.event.data["klantnummer"] == "00123"


@pytest.mark.parametrize(
    ("path", "kept", "rule"),
    [
        ("signaaldatum", 46346, "excel_date_serial"),
        ("signaaldatum", datetime.fromisoformat("2026-11-20T13:05"), "excel_date_damage"),
        ("huisnummertoevoeging", datetime.fromisoformat("2026-12-05"), "excel_date_damage"),
        ("huisnummer", datetime.fromisoformat("2026-12-05"), "excel_date_damage"),
        ("telefoonnummer", 612345678, "excel_leading_zeros"),
        ("klantnummer", 1.2345e18, "excel_number"),
        ("kenmerk", 12.5, "excel_number"),
        ("huisnummer", 10**30, "excel_number"),
        ("signaaldatum", 10**30, "excel_number"),
        ("warmeOverdracht", 10**30, "excel_number"),
        ("geslachtsnaam", "=A1", "excel_formula"),
        ("geslachtsnaam", "#REF!", "excel_error"),
        ("bedrag", 350.49, "type"),
    ],
)
def test_a_damaged_cell_of_a_workbook(
    bundle: Bundle, excel: Partner, path: str, kept: object, rule: str
) -> None:
    delivery = deliver(excel, bundle, as_xlsx(excel, [native(excel), native(excel) | {path: kept}]), "xlsx")
    assert rules(delivery) == [(3, rule)]
    assert delivery.errors[0].column == column(excel, path)


def test_a_cell_outside_the_table_makes_its_row_an_error(bundle: Bundle, excel: Partner) -> None:
    def beside(book: Any) -> None:
        book.worksheets[0].cell(2, len(excel.columns) + 1).value = "note"

    assert rules(deliver(excel, bundle, as_xlsx(excel, [native(excel)], beside), "xlsx")) == [
        (2, "cell_count")
    ]


def test_empty_rows_of_a_workbook_are_no_rows(bundle: Bundle, excel: Partner) -> None:
    rows: list[Mapping[str, Any]] = [native(excel), {}, {}, native(excel) | {"postcode": "?"}, {}]
    delivery = deliver(excel, bundle, as_xlsx(excel, rows), "xlsx")
    assert len(delivery.rows) == 2 and rules(delivery) == [(5, "pattern")]


def pack(parts: Mapping[str, bytes]) -> bytes:
    """A zip of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return out.getvalue()


def unpack(content: bytes) -> dict[str, bytes]:
    """The parts of a zip."""
    with zipfile.ZipFile(io.BytesIO(content)) as read_:
        return {name: read_.read(name) for name in read_.namelist()}


def test_workbooks_refused_as_a_whole(bundle: Bundle, excel: Partner) -> None:
    def hidden(book: Any) -> None:
        book.create_sheet("old").sheet_state = "hidden"

    fine = as_xlsx(excel, [native(excel)])
    parts = unpack(fine)
    sheet = "xl/worksheets/sheet1.xml"
    bomb = pack({**parts, "xl/media/a.bin": b"\0" * (sheets.MAX_UNPACKED_BYTES + 1)})
    assert len(bomb) < 1_000_000, "small on disk"
    entity = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>'
    spoiled = {
        "file_sheets": as_xlsx(excel, [native(excel)], hidden),
        "file_macro": pack({**parts, "xl/vbaProject.bin": b"x"}),
        "file_unpacks_too_large": bomb,
        "file_kind": pack({"word/document.xml": b"<x/>"}),
        "file_locked": bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 100,
        "file_empty": as_xlsx(excel, []),
    }
    for rule, content in spoiled.items():
        assert refusal(excel, bundle, content, "xlsx").rule == rule, rule
    broken = [
        fine[: len(fine) // 2],
        pack({**parts, sheet: parts[sheet][:-40]}),
        pack({**parts, sheet: entity + parts[sheet].split(b"?>", 1)[-1]}),
        pack({**parts, sheet: parts[sheet].decode().encode("utf-16")}),
    ]
    for content in broken:
        assert refusal(excel, bundle, content, "xlsx").rule == "file_broken"
    renamed = "[Content_Types].xml"
    macro = {**parts, renamed: parts[renamed].replace(b"sheet.main+xml", b"sheet.macroEnabled.main+xml")}
    assert refusal(excel, bundle, pack(macro), "xlsx").rule == "file_macro"


def test_a_cell_at_the_far_edge_costs_nothing(bundle: Bundle, excel: Partner) -> None:
    def far(book: Any) -> None:
        book.worksheets[0]["XFD2"] = "x"
        book.worksheets[0]["A1048576"] = "x"

    assert refusal(excel, bundle, as_xlsx(excel, [native(excel)], far), "xlsx").rule == "file_too_large"


# ---------------------------------------------------------------- attestation beside the file


def vouching(partner: Partner, mode: str) -> Partner:
    """The same partner, with agreements that say where steps are vouched for."""
    return replace(
        partner,
        agreements=tuple(
            replace(agreement, attestation=mode, attested=frozenset()) for agreement in partner.agreements
        ),
    )


def test_a_delivery_may_vouch_for_its_rows_where_that_was_agreed(bundle: Bundle, partner: Partner) -> None:
    kind = bundle.signal_types[partner.file_signal_type or ""]
    said = "\n".join(
        f"{step}: {word}" for step, word in zip(kind.steps, ["ja", "nee", "true", "ja"], strict=False)
    )
    text = as_csv(partner, [good(partner)])
    (row,) = deliver(vouching(partner, "delivery"), bundle, text, attestation=said.encode()).rows
    assert row.errors == ()
    assert (
        list(row.event.data[kind.attestation_field or ""].values())
        == [True, False, True, True][: len(kind.steps)]
    )
    (row,) = deliver(vouching(partner, "agreement"), bundle, text, attestation=said.encode()).rows
    assert kind.attestation_field not in row.event.data, "not where the agreement says otherwise"


@pytest.mark.parametrize(
    "said", [b"", b"[1]", b"nosuchstep: ja", b"\xff", b"a: &a [*a]", b"? [x]\n: ja", b"{", b"x" * 70_000]
)
def test_an_attestation_that_cannot_be_read_refuses_the_file(
    bundle: Bundle, partner: Partner, said: bytes
) -> None:
    text = as_csv(partner, [good(partner)])
    assert (
        refusal(vouching(partner, "delivery"), bundle, text, attestation=said).rule
        == "attestation_unreadable"
    )


# ---------------------------------------------------------------- the drop folder


class Wire:
    """What a partner's topic received; breaks when told to."""

    def __init__(self, breaks: bool = False) -> None:
        self.sent: list[tuple[str, bytes | None, bytes | None, Sequence[tuple[str, bytes]]]] = []
        self.breaks = breaks

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> None:
        """Keep one message."""
        self.sent.append((topic, key, value, headers))

    def flush(self) -> int:
        """Acknowledge, or not."""
        if self.breaks:
            raise ConnectionError
        return len(self.sent)


def put(
    drop: Path, partner: Partner, name: str, content: bytes, folder: str = "incoming", age: float = 60
) -> Path:
    """A file in the drop folder that has been there for so many seconds."""
    path = drop / partner.id / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (NOW.timestamp() - age,) * 2)
    return path


def run(
    drop: Path, partner: Partner, bundle: Bundle, wire: Wire, findings: Sequence[Finding] = ()
) -> Collected:
    """One round over one partner."""
    return collect.collect(drop, partner, bundle, BOX, wire, lambda frame, kind: findings, NOW)


def listing(drop: Path, partner: Partner) -> set[str]:
    """What lies where."""
    home = drop / partner.id
    return {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}


def test_every_row_is_published_broken_ones_too(tmp_path: Path, bundle: Bundle, partner: Partner) -> None:
    text = as_csv(partner, [good(partner), good(partner, kenmerk="K-2", postcode="?")])
    put(tmp_path, partner, "maart.csv", text.encode())
    wire = Wire()
    done = run(tmp_path, partner, bundle, wire)
    assert (done.files, done.published, done.row_errors, done.rejected, done.held) == (1, 2, 1, 0, 0)
    topic, key, value, headers = wire.sent[0]
    assert (topic, key) == (f"in.{partner.id}", b"9901")
    assert dict(headers)["bereik-door"] == b"file"
    assert dict(headers)["bereik-delivery"].decode() == done.deliveries[0]
    assert read(headers, value).id == "K-0001"
    assert wire.sent[1][1] is None, "no address, no key"
    assert listing(tmp_path, partner) == {"done/maart.csv", "errors/maart.csv.errors.csv"}
    report = (tmp_path / partner.id / "errors" / "maart.csv.errors.csv").read_text("utf-8-sig")
    assert report.splitlines()[0] == "row;column;rule;expected_nl;expected_en"
    assert report.splitlines()[1].startswith(f"3;{column(partner, 'postcode')};pattern;")
    assert SECRET not in report
    assert collect.waiting(tmp_path, bundle, NOW) == []


def test_a_file_stays_until_every_row_is_acknowledged(
    tmp_path: Path, bundle: Bundle, partner: Partner
) -> None:
    put(tmp_path, partner, "a.csv", as_csv(partner, [good(partner)]).encode())
    broken = Wire(breaks=True)
    with pytest.raises(ConnectionError):
        run(tmp_path, partner, bundle, broken)
    assert listing(tmp_path, partner) == {"incoming/a.csv"}
    wire = Wire()
    run(tmp_path, partner, bundle, wire)
    assert wire.sent == broken.sent, "the second time the same ids, so intake calls them duplicates"


def test_a_refused_file_publishes_nothing_and_says_why(
    tmp_path: Path, bundle: Bundle, partner: Partner
) -> None:
    put(tmp_path, partner, "b.csv", as_csv(partner, [good(partner)], ",").encode())
    wire = Wire()
    assert run(tmp_path, partner, bundle, wire).rejected == 1
    assert wire.sent == [] and listing(tmp_path, partner) == {"rejected/b.csv", "errors/b.csv.errors.csv"}
    report = (tmp_path / partner.id / "errors" / "b.csv.errors.csv").read_text("utf-8-sig")
    assert report.splitlines()[1].startswith("1;;separator;")
    assert collect.standing(tmp_path, bundle)[partner.id]["rejected"] == 1


def test_the_widest_row_is_still_an_event_that_can_be_read(
    tmp_path: Path, bundle: Bundle, partner: Partner
) -> None:
    row = dict.fromkeys(partner.columns.values(), "€" * 60000)
    longest = dict.fromkeys(partner.columns.values(), "€" * sheets.MAX_TEXT)
    put(tmp_path, partner, "w.csv", as_csv(partner, [row, longest]).encode())
    wire = Wire()
    assert run(tmp_path, partner, bundle, wire).published == 2
    for _, _, value, headers in wire.sent:
        assert read(headers, value).id


def test_a_fault_of_ours_holds_one_file_and_tells_nobodys_value(
    tmp_path: Path, bundle: Bundle, partner: Partner, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path, partner, "a.csv", as_csv(partner, [good(partner)]).encode(), age=90)
    put(tmp_path, partner, "b.csv", as_csv(partner, [good(partner)]).encode(), age=60)
    # Declarations that `bereik check` would refuse.
    spoiled = replace(partner, columns={**partner.columns, "Postcode": "nosuchfield"})
    done = run(tmp_path, spoiled, bundle, Wire())
    assert (done.files, done.held) == (2, 2)
    assert listing(tmp_path, partner) >= {"held/a.csv", "held/b.csv"}
    assert "KeyError" in caplog.text and SECRET not in caplog.text


def test_a_held_file_waits_and_can_be_released(tmp_path: Path, bundle: Bundle, partner: Partner) -> None:
    finding = Finding("batch_volume", True, "minder", "less")
    path = put(tmp_path, partner, "c.csv", as_csv(partner, [good(partner)]).encode())
    wire = Wire()
    assert run(tmp_path, partner, bundle, wire, [finding]).held == 1
    assert wire.sent == [] and listing(tmp_path, partner) == {"held/c.csv", "errors/c.csv.errors.csv"}
    put(tmp_path, partner, "c.csv", (tmp_path / partner.id / "held" / path.name).read_bytes(), "released")
    assert run(tmp_path, partner, bundle, wire, [finding]).published == 1


def test_a_warning_lets_the_file_through_and_is_told(
    tmp_path: Path, bundle: Bundle, partner: Partner
) -> None:
    put(tmp_path, partner, "d.csv", as_csv(partner, [good(partner)]).encode())
    finding = Finding("batch_people_repeat", False, "een rij", "one row")
    assert run(tmp_path, partner, bundle, Wire(), [finding]).published == 1
    report = (tmp_path / partner.id / "errors" / "d.csv.errors.csv").read_text("utf-8-sig")
    assert ";;batch_people_repeat;een rij;one row" in report


def test_what_is_not_collected(tmp_path: Path, bundle: Bundle, partner: Partner) -> None:
    content = as_csv(partner, [good(partner)]).encode()
    put(tmp_path, partner, "growing.csv", content, age=1)
    put(tmp_path, partner, ".hidden.csv", content)
    put(tmp_path, partner, "note.txt", content)
    elsewhere = tmp_path / "elsewhere.csv"
    elsewhere.write_bytes(content)
    (tmp_path / partner.id / "incoming" / "link.csv").symlink_to(elsewhere)
    wire = Wire()
    assert run(tmp_path, partner, bundle, wire).files == 0 and wire.sent == []


def test_names_that_return_do_not_overwrite(tmp_path: Path, bundle: Bundle, partner: Partner) -> None:
    for number in (1, 2):
        content = as_csv(partner, [good(partner, kenmerk=f"K-{number}")]).encode()
        put(tmp_path, partner, "maand.csv", content)
        run(tmp_path, partner, bundle, Wire())
    assert len(list((tmp_path / partner.id / "done").iterdir())) == 2


def test_the_longest_name_there_can_be(tmp_path: Path, bundle: Bundle, partner: Partner) -> None:
    put(tmp_path, partner, "n" * 251 + ".csv", as_csv(partner, [good(partner, postcode="?")]).encode())
    assert run(tmp_path, partner, bundle, Wire()).published == 1


def test_leftovers_go_after_their_term(tmp_path: Path, bundle: Bundle, partner: Partner) -> None:
    hour = 3600
    put(tmp_path, partner, "old.csv", b"x", "done", 25 * hour)
    put(tmp_path, partner, "new.csv", b"x", "done", 23 * hour)
    put(tmp_path, partner, "held.csv", b"x", "held", 6 * 24 * hour)
    put(tmp_path, partner, "wait.csv", b"x", "incoming", 90 * 24 * hour)
    assert collect.expire(tmp_path, bundle, NOW) == 1
    assert listing(tmp_path, partner) == {"done/new.csv", "held/held.csv", "incoming/wait.csv"}


# ---------------------------------------------------------------- what a suite may see


def test_a_suite_sees_numbers_only(bundle: Bundle, partner: Partner) -> None:
    rows = [good(partner), good(partner, kenmerk="K-2", geslachtsnaam="Other"), good(partner, postcode="")]
    columns = batch.frame(deliver(partner, bundle, as_csv(partner, rows)), bundle)
    assert columns["refused"] == [0, 0, 1] and columns["reference"] == [0, 1, 0]
    assert columns["surname"] == [0, 1, 0] and columns["postcode"] == [0, 0, None]
    assert all(cell is None or isinstance(cell, int) for cells in columns.values() for cell in cells)


def test_every_rule_is_in_the_partners_guide() -> None:
    guide = (ROOT / "docs" / "partner" / "files.md").read_text("utf-8")
    for rule in (*sheets.FILE_TEXTS, *batch.ROW_TEXTS):
        assert f"`{rule}`" in guide, rule
