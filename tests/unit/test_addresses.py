"""Dutch addresses: one front door is one unit however a partner writes it, and two doors are never one."""

from __future__ import annotations

import pytest

from bereik import addresses


@pytest.mark.parametrize(
    ("written", "postcode", "why"),
    [
        ("1234AB", "1234AB", "as it should be"),
        ("1234 ab", "1234AB", "with a space and small letters"),
        (" 12 34\tA B ", "1234AB", "with spaces anywhere"),
        ("0123AB", "", "no postcode begins with a zero"),
        ("1234A", "", "too short"),
        ("1234ABC", "", "too long"),
        ("1234Å B", "", "another alphabet"),
        ("१२३४AB", "", "digits of another script"),
        ("1234AB\n", "1234AB", "a line end is white space"),
        ("", "", "nothing"),
    ],
)
def test_postcode(written: str, postcode: str, why: str) -> None:
    assert addresses.postcode(written) == postcode, why


@pytest.mark.parametrize(
    ("parts", "unit", "why"),
    [
        (("1234AB", "12"), "1234AB|12|", "without anything more"),
        (("1234AB", "0012"), "1234AB|12|", "leading zeros, as Excel and old systems have them"),
        (("1234AB", " 12 "), "1234AB|12|", "spaces around"),
        (("1234AB", "12", "a"), "1234AB|12|A", "a letter"),
        (("1234AB", "12a"), "1234AB|12|A", "the letter in the number's field"),
        (("1234AB", "12", "A", "2"), "1234AB|12|A2", "letter and addition"),
        (("1234AB", "12", "", "A-2"), "1234AB|12|A2", "both in the addition's field"),
        (("1234AB", "12-A 2"), "1234AB|12|A2", "all in one field"),
        (("1234AB", "12", "", "bis"), "1234AB|12|BIS", "bis"),
        (("1234AB", "12", "", " - "), "1234AB|12|", "a dash alone is no addition"),
        (("1234AB", ""), "", "no number"),
        (("1234AB", "bis"), "", "a number that is none"),
        (("", "12"), "", "no postcode"),
        (("9999", "12"), "", "half a postcode"),
    ],
)
def test_unit(parts: tuple[str, ...], unit: str, why: str) -> None:
    assert addresses.unit(*parts) == unit, why


def test_doors_that_look_alike_stay_apart() -> None:
    doors = [
        ("1234AB", "12"),
        ("1234AB", "1", "", "2"),
        ("1234AB", "12", "", "1"),
        ("1234AB", "121"),
        ("1234AB", "12", "A"),
        ("1234AC", "12"),
    ]
    assert len({addresses.unit(*door) for door in doors}) == len(doors)
