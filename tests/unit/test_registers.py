"""Signals to judge recognition by: the same arguments give the same bytes, and nobody in them can be real."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from bereik.bundle import Bundle
from bereik.cli import main
from bereik.evaluation import Truth
from bereik.fiction import registers
from bereik.fiction.registers import Row, Signal, Split

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
COLUMNS = (
    "signal_id, received_at, partner, voorletters, voornamen, voorvoegsel, geslachtsnaam, geboortedatum, postcode, huisnummer,"
    " huisletter, huisnummertoevoeging, telefoonnummer, email"
)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.compile(SCHEMAS)


@pytest.fixture(scope="module")
def rows(bundle: Bundle) -> list[Row]:
    return registers.signals(bundle, Split.TUNE, seed=1, count=8_000)


def test_files_have_the_agreed_columns(rows: list[Row], tmp_path: Path) -> None:
    signals, truth = registers.write(rows, tmp_path / "new" / "folder")
    assert signals.read_text("utf-8").splitlines()[0] == COLUMNS.replace(" ", "")
    assert truth.read_text("utf-8").splitlines()[0] == "signal_id,person,household,group"
    assert len(signals.read_bytes().splitlines()) == len(truth.read_bytes().splitlines()) == 8_001


def test_the_same_arguments_give_the_same_bytes(bundle: Bundle, tmp_path: Path) -> None:
    def made(split: Split, seed: int) -> list[bytes]:
        folder = tmp_path / "again"
        return [
            path.read_bytes() for path in registers.write(registers.signals(bundle, split, seed, 500), folder)
        ]

    first = made(Split.TRAIN, 4)
    assert made(Split.TRAIN, 4) == first
    assert made(Split.TRAIN, 5) != first
    assert made(Split.TUNE, 4) != first


def test_splits_share_no_partner_and_nobody(bundle: Bundle) -> None:
    found = {split: registers.signals(bundle, split, 1, 2_000) for split in Split}
    partners = [{row.signal.partner for row in rows} for rows in found.values()]
    mails = [{row.signal.email for row in rows} - {""} for rows in found.values()]
    for one in range(3):
        for other in range(one):
            assert not partners[one] & partners[other]
            assert len(mails[one] & mails[other]) <= 3


def test_nobody_can_be_real(bundle: Bundle, rows: list[Row]) -> None:
    for row in rows:
        phones = re.sub(r"[ -]", "", row.signal.telefoonnummer)
        for phone in filter(None, phones.split("/")):
            assert re.fullmatch(r"(0|\+31|0031)(699|999)\d{6}", phone)
        assert not row.signal.email or row.signal.email.endswith("@post.example")
        assert not any(
            re.fullmatch(r"\d{9}", value) for value in (row.signal.geslachtsnaam, row.signal.huisnummer)
        )


def test_postcodes_are_the_declared_ones(bundle: Bundle, rows: list[Row]) -> None:
    ranges = [one for town in bundle.municipalities.values() for one in town.ranges]
    outside = 0
    for row in rows:
        code = row.signal.postcode.replace(" ", "").upper()
        assert re.fullmatch(r"[1-9]\d{3}[A-Z]{2}", code)
        outside += not any(one.first <= code <= one.last for one in ranges)
    # What lies outside is a typing error.
    assert outside / len(rows) < 0.02


def test_rows_come_in_the_order_of_receipt_with_ids_of_their_own(rows: list[Row]) -> None:
    times = [row.signal.received_at for row in rows]
    assert times == sorted(times)
    assert len({row.signal.signal_id for row in rows}) == len(rows)
    assert all(row.signal.signal_id == row.truth.signal_id for row in rows)


def test_the_rates_are_those_of_practice(rows: list[Row]) -> None:
    people = Counter(row.truth.person for row in rows)
    assert 2.1 < len(rows) / len(people) < 2.9
    assert 0.30 < sum(count == 1 for count in people.values()) / len(people) < 0.48
    partners = defaultdict(set)
    for row in rows:
        partners[row.truth.person].add(row.signal.partner)
    assert 0.30 < sum(len(one) > 1 for one in partners.values()) / len(people) < 0.60
    addresses = defaultdict(set)
    for row in rows:
        addresses[row.truth.household].add(row.truth.person)
    assert max(len(one) for one in addresses.values()) >= 20
    assert 0.08 < sum(len(one) > 1 for one in addresses.values()) / len(addresses) < 0.35
    groups = Counter(row.truth.group for row in rows)
    assert groups["nl"] > max(count for name, count in groups.items() if name != "nl")
    assert min(groups.values()) / len(rows) > 0.03


def test_a_million_people_can_be_made_one_at_a_time(bundle: Bundle) -> None:
    found = registers.people(bundle, Split.TRAIN, 1, 1_000_000)
    some = [next(found) for _ in range(3_000)]
    assert len({row.truth.person for row in some}) == 3_000
    assert isinstance(some[0].signal, Signal) and isinstance(some[0].truth, Truth)


def test_the_command_writes_both_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "tune"
    arguments = [
        "linkage",
        "generate",
        "--split",
        "tune",
        "--signals",
        "300",
        "--into",
        str(folder),
        "--json",
    ]
    assert main(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["signals"] == 300 and told["files"] == [
        str(folder / "signals.csv"),
        str(folder / "truth.csv"),
    ]
    assert len((folder / "signals.csv").read_text("utf-8").splitlines()) == 301
    taken = tmp_path / "file"
    taken.write_text("")
    assert main([*arguments[:-2], str(taken)]) == 1
    assert "cannot be written" in capsys.readouterr().err
