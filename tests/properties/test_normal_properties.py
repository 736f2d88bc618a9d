"""Laws of what makes records comparable: normalising twice is once, nothing raises, and the way of writing does not count."""

from __future__ import annotations

from datetime import date, timedelta

import phonenumbers
from hypothesis import example, given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from bereik import addresses, births, contacts

TODAY = date(2026, 11, 22)
# Any text, surrogates and NUL included.
ANYTHING = st.text(st.characters(exclude_categories=())) | st.text("0123456789-/. ()+xA\x00", max_size=30)
LONG = 100_000


# ---------------------------------------------------------------- addresses

DOOR_WORDS = [
    "1", "2", "02", "0", "e", "ste", "de", "hoog", "etage", "hs", "huis", "h", "bis", "rood", "zw", "links", "rechts",
    "L", "kamer", "app", "t/o", "bij", "I", "III", "A", "-", "/",
]  # fmt: skip
DOORS = st.text("AaBbEeHhIiLlRrTtOoSsZz0123 -/.", max_size=8) | st.lists(
    st.sampled_from(DOOR_WORDS),
    max_size=4,
).map(" ".join)


@given(ANYTHING, ANYTHING, ANYTHING, ANYTHING)
@example("1" * LONG, "1" * LONG, "A" * LONG, "1E" * LONG)
@example("", "1e aaa" * LONG, "", "")
def test_no_address_raises(code: str, number: str, letter: str, addition: str) -> None:
    assert addresses.postcode(addresses.postcode(code)) == addresses.postcode(code)
    found = addresses.parse(code, number, letter, addition)
    assert found.number < 100_000
    assert found.addition.isascii()


@given(st.integers(1, 99_999), DOORS, DOORS, DOORS)
def test_an_address_read_again_is_itself(number: int, rest: str, letter: str, addition: str) -> None:
    found = addresses.parse("1234 ab", f"{number} {rest}", letter, addition)
    assert found.unit.startswith("1234AB|")
    assert addresses.parse(found.postcode, str(found.number), "", found.addition) == found
    assert addresses.parse(found.postcode, str(found.number), found.addition) == found
    assert addresses.parse(found.postcode, f"{found.number} {found.addition}") == found


@given(
    st.integers(1, 99_999),
    st.sampled_from("ABCDEFGJKMNPQV"),
    st.integers(1, 99),
    st.sampled_from(["", " ", "-", "/", ". "]),
)
def test_the_fields_of_an_address_do_not_count(
    number: int, letter: str, addition: int, separator: str
) -> None:
    forms = {
        addresses.unit("1234AB", str(number), letter, str(addition)),
        addresses.unit("1234AB", str(number), "", f"{letter}{separator}{addition}"),
        addresses.unit("1234AB", f"{number}{letter}", "", str(addition)),
        addresses.unit("1234ab", f"{number}{separator}{letter.lower()}{separator}{addition}"),
        addresses.unit("1234 AB", f"Dorpsstraat {number}{letter}{separator}{addition}"),
    }
    assert len(forms) == 1


# ---------------------------------------------------------------- birth dates


@given(ANYTHING | st.from_regex(r"[0-9x?]{0,9}([-/. ][0-9]{0,5}){0,3}", fullmatch=True))
@example("9" * LONG)
@example(" 1:" * LONG)
def test_no_birth_date_raises_and_read_again_is_itself(written: str) -> None:
    found = births.birth(written, TODAY)
    assert births.birth(found.text, TODAY) == found
    assert found.year == 0 or 1906 <= found.year <= 2026
    assert 0 <= found.month <= 12
    assert 0 <= found.day <= 31


@given(st.dates(date(1906, 1, 1), TODAY))
def test_the_way_a_birth_date_is_written_does_not_count(day: date) -> None:
    ways = [
        "%Y-%m-%d",
        "%Y%m%d",
        "%d-%m-%Y",
        "%d/%m/%Y",
        "%d.%m.%Y",
        "%d%m%Y",
        "%Y-%m-%dT00:00:00Z",
        "%d %B %Y",
    ]
    found = {births.birth(day.strftime(way), TODAY) for way in ways}
    if day >= date(1927, 5, 18):  # five digits, as Excel counts days
        found.add(births.birth(str((day - date(1899, 12, 30)).days), TODAY))
    assert found == {births.Birth(day.year, day.month, day.day)}


@given(st.dates(TODAY + timedelta(days=1)))
def test_nobody_was_born_tomorrow(day: date) -> None:
    assert births.birth(day.isoformat(), TODAY) == births.UNKNOWN


# ---------------------------------------------------------------- phone numbers and e-mail addresses


@given(ANYTHING)
@example("06" * LONG)
@example("(" * LONG)
@example("0" + " 1" * LONG)
@example("a@" * LONG)
@example("a@" + "a." * LONG)
def test_no_phone_number_or_email_address_raises_and_read_again_is_itself(written: str) -> None:
    number, address = contacts.phone(written), contacts.email(written)
    assert contacts.phone(number) == number
    assert contacts.email(address) == address


@given(
    st.sampled_from(["0", "+31", "0031", "+31(0)", "+31 (0)", "+31 0", "(0", "00 31 ", ""]),
    st.from_regex(r"[1-9][0-9]{8}", fullmatch=True),
    st.lists(st.sampled_from(["", "", "", " ", "-", "."]), min_size=8, max_size=8),
)
def test_the_short_way_for_plain_dutch_numbers_agrees_with_the_library(
    front: str, digits: str, separators: list[str]
) -> None:
    written = (
        front
        + digits[0]
        + "".join(part for pair in zip(separators, digits[1:], strict=True) for part in pair)
    )
    found = contacts.phone(written)
    if found:
        parsed = phonenumbers.parse(written, "NL")
        assert found == phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
        assert phonenumbers.is_possible_number(parsed)


@given(st.sampled_from(["DE", "BE", "TR", "PL", "MA", "SR", "SY", "BG", "IT", "GB", "ES"]))
def test_a_number_abroad_is_itself(region: str) -> None:
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
        number = phonenumbers.example_number_for_type(region, kind)
        written = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
        assert contacts.phone(written) == phonenumbers.format_number(number, PhoneNumberFormat.E164)


@given(st.emails())
def test_an_email_address_is_kept(address: str) -> None:
    found = contacts.email(f" {address.upper()} ")
    assert found in ("", found.lower())
