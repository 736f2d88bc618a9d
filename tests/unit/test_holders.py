"""One address is not one family: which signals a worker sees together."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from bereik.store.board import SignalRow
from bereik.web import holders

NOW = datetime(2026, 10, 5, tzinfo=UTC)
ONE, TWO, GONE = (str(UUID(int=number)) for number in (1, 2, 3))


def signal(number: int, person: str) -> SignalRow:
    return SignalRow(
        str(UUID(int=number)), "t", "p", date(2026, 10, 5), NOW, "active", None, {}, False, None, person
    )


SIGNALS = [signal(10, ONE), signal(11, TWO), signal(12, ONE)]
PEOPLE = [[str(ONE)], [str(TWO)]]


def test_one_person_needs_no_tabs() -> None:
    assert holders.split([[str(ONE)]], SIGNALS, None) == ([], SIGNALS)


@pytest.mark.parametrize(
    ("asked", "shown"), [(None, 1), ("1", 1), ("2", 2), ("3", 1), ("x", 1), ("²", 1), ("-1", 1)]
)
def test_each_tab_shows_one_persons_signals_and_counts_those_of_all(asked: str | None, shown: int) -> None:
    tabs, seen = holders.split(PEOPLE, SIGNALS, asked)
    assert [(one.number, one.signals, one.shown) for one in tabs] == [(1, 2, shown == 1), (2, 1, shown == 2)]
    assert {one.person_id for one in seen} == ({ONE} if shown == 1 else {TWO})


def test_people_between_whom_a_relation_was_confirmed_stand_together() -> None:
    assert holders.split([[str(ONE), str(TWO)]], SIGNALS, None) == ([], SIGNALS)
    tabs, seen = holders.split([[str(ONE), str(TWO)], [str(GONE)]], SIGNALS, None)
    assert [(one.related, one.people) for one in tabs] == [(True, 2), (False, 1)] and seen == SIGNALS


def test_no_signal_is_lost_from_every_tab() -> None:
    rows = [*SIGNALS, signal(13, GONE)]
    assert sum(one.signals for one in holders.split(PEOPLE, rows, None)[0]) == len(rows)
