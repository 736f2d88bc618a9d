"""Days in the Netherlands: which one a moment falls on, and which are working days. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@lru_cache(maxsize=64)
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("NL", years=year))


def is_working_day(day: date) -> bool:
    """Monday to Friday, and not a Dutch public holiday."""
    return day.weekday() < 5 and day not in _holidays(day.year)


# Every decision about a crisis asks, and days are few.
@lru_cache(maxsize=4096)
def add_working_days(start: date, days: int) -> date:
    """The day that lies `days` working days after `start`."""
    day = start
    while days > 0:
        day += timedelta(days=1)
        days -= is_working_day(day)
    return day


@lru_cache(maxsize=16_384)
def _day_of_hour(hour: int) -> date:
    return datetime.fromtimestamp(hour * 3600, AMSTERDAM).date()


def local_day(moment: datetime) -> date:
    """The day in the Netherlands. Days begin on whole hours of UTC there, so one answer serves an hour."""
    return _day_of_hour(int(moment.timestamp() // 3600))
