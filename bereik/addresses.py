"""Dutch addresses, made comparable. Pure; no input raises."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

# No field of an address is longer; what stands behind is not read.
_LONGEST: Final = 300
_POSTCODE = re.compile(r"^([1-9][0-9]{3})([A-Z]{2})$")
# The usual case: digits, and perhaps the one ".0" that Excel adds.
_PLAIN_NUMBER = re.compile(r"\s*([0-9]{1,9})(?:\.0)?\s*", re.ASCII)
_PART = re.compile(r"[0-9]+|[A-Z]+")
_EXCEL_ZERO = re.compile(r"(?<=[0-9])\.0\s*$")
# What may stand in front of a number: a street whose name begins with a count ("1e Dorpsstraat"), any other street, or
# a mark that belongs to the door: opposite of or near it (BRP, "aanduiding bij huisnummer"), or its letter.
_NUMBER = re.compile(
    r"(?:\s*[0-9]{1,2} ?(?:E|STE|DE) +(?!HOOG|ETAGE|VERD)[A-Z]{3,}[^0-9]*"
    r"|\s*(?P<mark>T/?O|TEGENOVER|B/?Y|BIJ|[A-Z])[\s.:]*"
    r"|[^0-9]*)"
    r"(?P<digits>[0-9]+)(?P<rest>.*)",
    re.DOTALL,
)

# One way of writing for each door. The BAG has no list: cities write floors and sides as they like.
_SAME: Final = {
    written: door
    for door, ways in {
        "": "GEEN NVT ONBEKEND 0",
        "HS": "H HUIS BG BGG BEGANEGROND BEGGR PARTERRE PART PT GELIJKVLOERS",
        "BEL": "BELETAGE BELET",
        "SOUS": "SOUT SOUTERRAIN SOUTERR SOUSTERRAIN",
        "BIS": "BS",
        "RD": "ROOD",
        "ZW": "ZWART",
        "TO": "TEGENOVER",
        "1": "I EERSTE",
        "2": "II TWEEDE",
        "3": "III DERDE",
        "4": "IIII IV VIERDE",
        "BY": "BIJ",
    }.items()
    for written in ways.split()
}
# "1e", "2de", "1h", "1 hoog", "1e etage", "3 verd." are floors; "APP 3", "NR 3" and "UNIT 3" are 3.
_FLOOR = re.compile(
    r"(?<=[0-9])(?:(?:E|STE|DE|H)(?=[^A-Z0-9]|$|LINKS|RECHTS)|(?:E|STE|DE)?(?:HOOG|HG|ETAGE|ETG|VERDIEPING|VERD|VRD))"
)
_COUNTED = re.compile(r"^(?:APPARTEMENT|APPT|APP|APT|UNIT|NUMMER|NR|NO)(?=[0-9])")
_ROOM = re.compile(r"(?:KAMER|KMR)(?=[0-9])")
_SIDE = re.compile(r"(?<=[0-9])(?:(L)(?:INKS|I)|(R)(?:ECHTS|E))$")
_HOUSE = re.compile(r"(?<=[A-Z0-9])HUIS$")


@dataclass(frozen=True, slots=True)
class Address:
    """One front door. `""` and 0 are unknown; an addition of `""` is a door without one, or one that nobody wrote."""

    postcode: str
    number: int
    addition: str

    @property
    def building(self) -> str:
        """`1234AB|12`: every door with this number; an empty text when postcode or number is unknown."""
        return f"{self.postcode}|{self.number}" if self.postcode and self.number else ""

    @property
    def unit(self) -> str:
        """`1234AB|12|A2`: one door; an empty text when postcode or number is unknown."""
        return f"{self.postcode}|{self.number}|{self.addition}" if self.postcode and self.number else ""


def postcode(text: str) -> str:
    """`1234 ab` → `1234AB`; an empty text when it is no Dutch postcode."""
    compact = "".join(text[:_LONGEST].split()).upper()
    return compact if _POSTCODE.match(compact) else ""


def parse(code: str, number: str, letter: str = "", addition: str = "") -> Address:
    """Read an address, however it is spread over the fields: `12-2`, `12 bis`, `Dorpsstraat 12 a`, `12` and `hs`.

    Letter and addition become one text in capitals without separators, in which one door has one way of writing:
    ground floor `HS`, floors `1` to `4` (also `I` to `IV`, `1e`, `2 hoog`), sides `3L`, `RD` and `ZW`. Only between
    digits a dash remains, because 12-2-3 and 12-23 are two doors. Unknown are foreign postcodes, a number 0, and a
    number of more than five digits, which the BAG does not have. A PO box is read like any number: it has a postcode
    of its own, so it never meets a home.
    """
    compact = postcode(code)
    if plain := _PLAIN_NUMBER.fullmatch(number):
        digits, rest = plain[1], ""
    else:
        digits, rest = _split(number[:_LONGEST].upper())
    digits = digits.lstrip("0")
    if not digits or len(digits) > 5:
        return Address(compact, 0, "")
    if not (rest or letter or addition):
        return Address(compact, int(digits), "")
    return Address(compact, int(digits), _addition(rest, letter[:_LONGEST], addition[:_LONGEST]))


def unit(code: str, number: str, letter: str = "", addition: str = "") -> str:
    """One address unit as `1234AB|12|A2`; an empty text without a postcode and a number."""
    return parse(code, number, letter, addition).unit


def _split(text: str) -> tuple[str, str]:
    """Number and what belongs to the door, out of one field. A street in front is dropped."""
    if "POSTBUS" in text:
        return "", ""
    text = _EXCEL_ZERO.sub("", text)
    found = _NUMBER.match(text)
    return (found["digits"], f"{found['mark'] or ''} {found['rest']}") if found else ("", "")


@lru_cache(maxsize=16_384)
def _addition(*fields: str) -> str:
    """One canonical addition of the number field's rest, the letter and the addition."""
    rest, letter, addition = (_canonical(field) if field else "" for field in fields)
    # Some systems send the letter, or all of it, twice.
    if rest in (letter, addition, f"{letter}{addition}"):
        rest = ""
    parts = [part for part in (rest, letter, addition) if part]
    return _canonical(" ".join(parts)) if len(parts) > 1 else "".join(parts)


def _canonical(field: str) -> str:
    text = _EXCEL_ZERO.sub("", field.strip(" -./").upper())
    if len(text) == 1 and "A" <= text <= "Z":
        return _SAME.get(text, text)
    while True:
        parts = [part.lstrip("0") or "0" if part.isdigit() else part for part in _PART.findall(text)]
        joined = "".join(
            f"-{part}" if index and part.isdigit() and parts[index - 1].isdigit() else part
            for index, part in enumerate(parts)
        )
        joined = _COUNTED.sub("", _FLOOR.sub("", joined))
        joined = _SIDE.sub(lambda side: side[1] or side[2], _HOUSE.sub("HS", _ROOM.sub("K", joined)))
        joined = _SAME.get(joined, joined)
        # Each rule shortens the text or gives a way of writing that no rule changes, so this ends.
        if joined == text:
            return joined
        text = joined
