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
        (("1234AB", "12.0"), "1234AB|12|", "Excel made a number of it"),
        (("1234AB", "12", "", "2.0"), "1234AB|12|2", "also of the addition"),
        (("1234AB", "12 2"), "1234AB|12|2", "a space"),
        (("1234AB", "12/2"), "1234AB|12|2", "a stroke"),
        (("1234AB", "12", "A", "02"), "1234AB|12|A2", "a zero in front"),
        (("1234AB", "12bis"), "1234AB|12|BIS", "glued"),
        (("1234AB", "12", "", "bs"), "1234AB|12|BIS", "bis, short"),
        (("1234AB", "12-hs"), "1234AB|12|HS", "ground floor"),
        (("1234AB", "12 huis"), "1234AB|12|HS", "in full"),
        (("1234AB", "12-H"), "1234AB|12|HS", "with one letter"),
        (("1234AB", "12", "", "begane grond"), "1234AB|12|HS", "by its other name"),
        (("1234AB", "12 bel-etage"), "1234AB|12|BEL", "half a floor up"),
        (("1234AB", "12-I"), "1234AB|12|1", "a Roman floor"),
        (("1234AB", "12", "", "III"), "1234AB|12|3", "another one"),
        (("1234AB", "12 1e"), "1234AB|12|1", "first"),
        (("1234AB", "12-1 hoog"), "1234AB|12|1", "one up"),
        (("1234AB", "12", "", "2e etage"), "1234AB|12|2", "second floor"),
        (("1234AB", "12 3L"), "1234AB|12|3L", "a floor and a side"),
        (("1234AB", "12-3-L"), "1234AB|12|3L", "with dashes"),
        (("1234AB", "12", "", "3e links"), "1234AB|12|3L", "in words"),
        (("1234AB", "12 rood"), "1234AB|12|RD", "red numbers, as in Haarlem"),
        (("1234AB", "12", "", "zwart"), "1234AB|12|ZW", "black numbers"),
        (("1234AB", "12", "", "App. 3"), "1234AB|12|3", "a word that adds nothing"),
        (("1234AB", "12 kamer 3"), "1234AB|12|K3", "a room is no floor"),
        (("1234AB", "t/o 12"), "1234AB|12|TO", "a houseboat opposite of it"),
        (("1234AB", "12 t/o 3"), "1234AB|12|TO3", "the same behind the number"),
        (("1234AB", "A 12"), "1234AB|12|A", "the letter in front"),
        (("1234AB", "nr. 12"), "1234AB|12|", "the word number"),
        (("1234AB", "Dorpsstraat 12 a"), "1234AB|12|A", "the street in front"),
        (("1234AB", "1e Dorpsstraat 12"), "1234AB|12|", "a street with a number in its name"),
        (("1234AB", "12a", "A"), "1234AB|12|A", "the letter sent twice"),
        (("1234AB", "12 A 2", "A", "2"), "1234AB|12|A2", "all of it sent twice"),
        (("1234AB", "12", "", "nvt"), "1234AB|12|", "an addition that says there is none"),
        (("1234AB", "12", "", "0"), "1234AB|12|", "zero is none"),
        (("1234AB", "0"), "", "no house has number zero"),
        (("1234AB", "123456"), "", "no house has six digits"),
        (("1234AB", "Postbus 12"), "", "nobody lives in a PO box"),
        (("10115", "12"), "", "abroad"),
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
        ("1234AB", "12", "", "2-3"),
        ("1234AB", "12", "", "23"),
        ("1234AB", "12", "", "bis"),
        ("1234AB", "12", "", "hs"),
        ("1234AB", "12", "A", "bis"),
        ("1234AB", "12", "", "3L"),
        ("1234AB", "12", "", "3R"),
    ]
    assert len({addresses.unit(*door) for door in doors}) == len(doors)


def test_the_parts_of_an_address() -> None:
    door = addresses.parse("1234 ab", "12", "a", "2")
    assert door == addresses.Address("1234AB", 12, "A2")
    assert (door.building, door.unit) == ("1234AB|12", "1234AB|12|A2")


def test_what_is_known_of_half_an_address() -> None:
    assert addresses.parse("1234AB", "?") == addresses.Address("1234AB", 0, "")
    assert addresses.parse("", "12-2") == addresses.Address("", 12, "2")
    assert addresses.parse("", "12").building == addresses.parse("1234AB", "").unit == ""
