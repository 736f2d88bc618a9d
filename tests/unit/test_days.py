"""Days in the Netherlands."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bereik.days import add_working_days, is_working_day, local_day


def test_the_day_is_the_one_in_the_netherlands() -> None:
    assert local_day(datetime(2026, 6, 30, 22, 30, tzinfo=UTC)) == date(2026, 7, 1)
    assert local_day(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == date(2027, 1, 1)


@pytest.mark.parametrize(
    ("start", "days", "then"),
    [
        (date(2026, 11, 6), 0, date(2026, 11, 6)),
        (date(2026, 11, 6), 1, date(2026, 11, 9)),
        # King's Day is a Monday, and it is no working day.
        (date(2026, 4, 24), 1, date(2026, 4, 28)),
    ],
)
def test_working_days_pass_over_weekends_and_holidays(start: date, days: int, then: date) -> None:
    assert add_working_days(start, days) == then
    assert is_working_day(then)
