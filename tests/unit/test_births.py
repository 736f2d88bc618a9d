"""Birth dates: one day is one date however a partner writes it, and what cannot be true is unknown."""

from __future__ import annotations

from datetime import date

import pytest

from bereik import births
from bereik.births import UNKNOWN, Birth

TODAY = date(2026, 11, 22)
MAY_5 = Birth(1985, 5, 5)


@pytest.mark.parametrize(
    "written",
    [
        "1985-05-05",
        "1985/5/5",
        "1985.05.05",
        " 1985-05-05 ",
        "1985-05-05T00:00:00Z",
        "1985-05-05 00:00:00",
        "5-5-1985 0:00:00",
        "05-05-1985",
        "05/05/1985",
        "5.5.1985",
        "5-5-85",
        "5/5/'85",
        "85-05-05",
        "19850505",
        "05051985",
        "5051985",
        "850505",
        "050585",
        "31172",
        "31172.0",
        "5 mei 1985",
        "5-mei-85",
        "5 MEI 1985",
        "5 May 1985",
        "May 5, 1985",
        "geb. 5 mei 1985",
    ],
)
def test_one_day(written: str) -> None:
    assert births.birth(written, TODAY) == MAY_5


@pytest.mark.parametrize(
    ("written", "found", "why"),
    [
        ("1985-00-00", Birth(1985, 0, 0), "only the year"),
        ("00-00-1985", Birth(1985, 0, 0), "the same behind zeros"),
        ("1985", Birth(1985, 0, 0), "and alone"),
        ("1985-05-00", Birth(1985, 5, 0), "no day"),
        ("1985-05", Birth(1985, 5, 0), "left out"),
        ("05-1985", Birth(1985, 5, 0), "month first"),
        ("mei 1985", Birth(1985, 5, 0), "in words"),
        ("198505", Birth(1985, 5, 0), "six digits that can only be year and month"),
        ("??-05-1985", Birth(1985, 5, 0), "question marks"),
        ("xx-xx-1985", Birth(1985, 0, 0), "crosses"),
        ("0000-05-12", Birth(0, 5, 12), "no year"),
        ("1985-13-05", Birth(1985, 5, 13), "day and month can only have changed places"),
        ("05-13-1985", Birth(1985, 5, 13), "as an American writes"),
        ("1985-05-32", Birth(1985, 5, 0), "no month has 32 days, but May may be true"),
        ("31-02-1985", Birth(1985, 0, 0), "another day or another month: only the year is left"),
        ("29-02-1985", Birth(1985, 0, 0), "no leap year"),
        ("29-02-2000", Birth(2000, 2, 29), "a leap year"),
        ("29-02-0000", Birth(0, 2, 29), "perhaps a leap year"),
        ("5-5-26", Birth(2026, 5, 5), "two digits are the latest year that is not to come"),
        ("5-5-27", Birth(1927, 5, 5), "so this is a hundred years earlier"),
        ("2026-11-22", Birth(2026, 11, 22), "born today"),
        ("1906-01-01", Birth(1906, 1, 1), "in the 120th year"),
        ("050512", UNKNOWN, "six digits with more than one reading"),
        ("2026-11-23", UNKNOWN, "to come"),
        ("2026-12", UNKNOWN, "a month to come"),
        ("1905-12-31", UNKNOWN, "too long ago"),
        ("01-01-1900", UNKNOWN, "a filler"),
        ("1900-01-01", UNKNOWN, "the same filler"),
        ("9999-12-31", UNKNOWN, "the other filler"),
        ("0001-01-01", UNKNOWN, "a filler of databases"),
        ("00-00-0000", UNKNOWN, "nothing known"),
        ("00-00-00", UNKNOWN, "nothing known, in short"),
        ("onbekend", UNKNOWN, "in words"),
        ("", UNKNOWN, "nothing"),
        ("5 mei", UNKNOWN, "too little"),
        ("1 2 3 4", UNKNOWN, "too much"),
        ("9" * 500, UNKNOWN, "rubbish"),
    ],
)
def test_what_is_left(written: str, found: Birth, why: str) -> None:
    assert births.birth(written, TODAY) == found, why


def test_a_birth_date_as_text() -> None:
    assert Birth(1985, 5, 0).text == "1985-05-00"
