"""Birth dates as partners write them. Pure; no input raises."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

# No birth date is longer; what stands behind is not read.
_LONGEST: Final = 300
_OLDEST_YEARS: Final = 120
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(r"[T ]+[0-9]{1,2}:.*", re.DOTALL)
_EXCEL = re.compile(r"\s*([0-9]{5})(?:\.0*)?\s*")
_TOKENS = re.compile(r"[0-9]+|[a-z]+")
# Digits that a clerk did not know: "??-05-1985", "xx-xx-1985".
_UNKNOWN_DIGITS = str.maketrans("?xX*_", "00000")
# Serial 60 is a 29 February 1900 that never was; from there on day 0 is 30 December 1899.
_EXCEL_DAY_0: Final = date(1899, 12, 30)
_MONTHS: Final = {
    name: month
    for month, names in enumerate(
        (
            "jan januari january", "feb febr februari february", "mrt maa maart mar march", "apr april", "mei may",
            "jun juni june", "jul juli july", "aug augustus august", "sep sept september", "okt oct oktober october",
            "nov november", "dec december",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip


class Birth(NamedTuple):
    """A birth date; 0 is an unknown part. The population register (BRP) knows births without day, month or year."""

    year: int
    month: int
    day: int

    @property
    def text(self) -> str:
        """`1985-05-00`; reading this text again gives the same birth date."""
        return f"{self.year:04}-{self.month:02}-{self.day:02}"


UNKNOWN: Final = Birth(0, 0, 0)


@lru_cache(maxsize=65_536)
def birth(text: str, today: date) -> Birth:
    """Read a birth date; a part that is missing or cannot be true is 0.

    Read are: ISO with or without a time, day-month-year with any separator, eight digits in both orders, six or seven
    digits when only one reading is possible, a year with or without a month, Dutch and English names of months, and
    Excel's day numbers (five digits). Day and month change places when that is the only possible reading (`1985-13-05`).
    A year of two digits is the latest that is not in the future. 31 February leaves the year, 32 May year and month.
    What lies in the future or more than 120 years back is a filler (1900-01-01, 9999-12-31) and wholly unknown.
    """
    if iso := _ISO.fullmatch(text):
        return _true(int(iso[1]), int(iso[2]), int(iso[3]), today)
    text = text[:_LONGEST]
    if excel := _EXCEL.fullmatch(text):
        return _true(*(_EXCEL_DAY_0 + timedelta(days=int(excel[1]))).timetuple()[:3], today)
    tokens = _TOKENS.findall(_TIME.sub("", text).translate(_UNKNOWN_DIGITS).lower())
    numbers = [token for token in tokens if token.isdigit()]
    month = next((_MONTHS[token] for token in tokens if token in _MONTHS), 0)
    if month:
        if len(numbers) == 1 and len(numbers[0]) == 4:
            return _true(int(numbers[0]), month, 0, today)
        if len(numbers) == 2:
            return _read(numbers[0], str(month), numbers[1], today)
        return UNKNOWN
    match numbers:
        case [one]:
            return _compact(one, today)
        case [one, two] if len(one) == 4 or len(two) == 4:
            year, month_ = (one, two) if len(one) == 4 else (two, one)
            return _true(int(year), int(month_), 0, today)
        case [one, two, three]:
            return _read(one, two, three, today)
        case _:
            return UNKNOWN


def _read(one: str, two: str, three: str, today: date) -> Birth:
    """Three parts in the order in which they stand: the year is where four digits are, else last, as the Dutch write."""
    if len(one) >= 3:
        return _true(int(one), int(two), int(three), today)
    if len(three) >= 3:
        return _true(int(three), int(two), int(one), today)
    if int(one) > 31:
        return _true(_century(int(one), today), int(two), int(three), today)
    if int(one) == int(two) == int(three) == 0:
        return UNKNOWN
    return _true(_century(int(three), today), int(two), int(one), today)


def _compact(digits: str, today: date) -> Birth:
    """Digits without separators. Six digits have three orders, so they count only when one of these is possible."""
    match len(digits):
        case 4:
            return _true(int(digits), 0, 0, today)
        case 8 | 7:
            digits = digits.zfill(8)
            # No month is 19 or 20, and every year of a living person begins with one of them.
            if digits[4:6] in ("19", "20"):
                return _true(int(digits[4:]), int(digits[2:4]), int(digits[:2]), today)
            return _true(int(digits[:4]), int(digits[4:6]), int(digits[6:]), today)
        case 6:
            one, two, three = int(digits[:2]), int(digits[2:4]), int(digits[4:])
            readings = [
                Birth(_century(three, today), two, one),
                Birth(_century(one, today), two, three),
                Birth(int(digits[:4]), three, 1),
            ]
            possible = {read for read in readings if _true(*read, today) == read and 0 not in read}
            if len(possible) == 1:
                (only,) = possible
                return only._replace(day=0) if only == readings[2] else only
    return UNKNOWN


def _century(two_digits: int, today: date) -> int:
    year = today.year - today.year % 100 + two_digits
    return year if year <= today.year else year - 100


def _true(year: int, month: int, day: int, today: date) -> Birth:
    """What can be true of a date: parts that exist, and a day that is neither to come nor too long ago."""
    if month > 12 and 1 <= day <= 12 and month <= 31:
        month, day = day, month
    if month > 12:
        month = 0
    if day > 31:
        day = 0
    # A leap year stands in for an unknown year; 30 February may be another day or another month.
    if month and day and day > monthrange(year if 1 <= year <= 9999 else 2000, month)[1]:
        month = day = 0
    if year and not today.year - _OLDEST_YEARS <= year <= today.year:
        return UNKNOWN
    if year == today.year and (month, day) > (today.month, today.day if month == today.month else 31):
        return UNKNOWN
    return Birth(year, month, day)
