"""Laws of the pure parts, whatever the values: order does not count, late is in time, and nothing raises."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import TopicPartition

from bereik import addresses, cases
from bereik.bundle import Bundle
from bereik.bus import BYTES_PER_RECORD, EVENTS_PER_RECORD, Part, halves, letters, packed
from bereik.cases import CONTRACT, Case, Signal
from bereik.days import local_day
from bereik.declared.purposes import Purpose
from bereik.keys import Box, SealBroken
from bereik.ports import Letter
from bereik.signal import unpack

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
PURPOSES = sorted(BUNDLE.purposes.values(), key=lambda purpose: purpose.id)


@st.composite
def signal_sets(draw: Any, purpose: Purpose, largest: int = 7) -> list[Signal]:
    """Signals of one subject over half a year: few partners, contracts and amounts, so that they often touch."""
    kinds = [kind for kind in BUNDLE.signal_types.values() if kind.purpose == purpose.id]
    made = []
    for number in range(draw(st.integers(1, largest))):
        kind = draw(st.sampled_from(kinds))
        day = date(2026, 7, 1) + timedelta(days=draw(st.integers(0, 180)))
        facts: dict[str, Any] = {CONTRACT: draw(st.sampled_from(["c1", "c2"]))}
        if kind.amount_field:
            facts[kind.amount_field] = draw(st.sampled_from([20, 40, 80, 400]))
        for name in (kind.crisis_field, kind.warm_field):
            if name and draw(st.integers(0, 5)) == 0:
                facts[name] = True
        received = datetime(day.year, day.month, day.day, 10, tzinfo=UTC) + timedelta(
            days=draw(st.integers(0, 30))
        )
        area = draw(st.sampled_from(["noord", "zuid"]))
        partner = draw(st.sampled_from(["p1", "p2"]))
        made.append(Signal(str(UUID(int=number + 1)), kind.id, partner, "9901", area, day, received, facts))
    return made


def decided(signals: list[Signal], purpose: Purpose) -> tuple[Case, ...]:
    return cases.decide(signals, (), purpose, BUNDLE, datetime(2027, 2, 1, tzinfo=UTC))


def content(found: tuple[Case, ...]) -> list[Case]:
    return [replace(case, case_id=None) for case in found]


@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: purpose.id)
@given(data=st.data())
def test_the_order_in_which_signals_are_given_does_not_count(purpose: Purpose, data: st.DataObject) -> None:
    signals = data.draw(signal_sets(purpose))
    shuffled = data.draw(st.permutations(signals))
    assert decided(signals, purpose) == decided(shuffled, purpose)


@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: purpose.id)
@given(data=st.data())
def test_every_signal_is_in_exactly_one_case(purpose: Purpose, data: st.DataObject) -> None:
    signals = data.draw(signal_sets(purpose))
    found = decided(signals, purpose)
    members = [member for case in found for member in case.signals]
    assert sorted(members) == sorted(signal.signal_id for signal in signals)
    assert all(case.anchor == case.signals[0] for case in found)


@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: purpose.id)
@given(data=st.data())
def test_taking_a_signal_back_gives_what_was_before(purpose: Purpose, data: st.DataObject) -> None:
    """With the ids that were given in between: a withdrawal leaves no mark on what remains."""
    signals = data.draw(signal_sets(purpose))
    extra = data.draw(st.sampled_from(signals))
    without = [signal for signal in signals if signal is not extra]
    held = {
        member: str(UUID(int=900 + n))
        for n, case in enumerate(decided(signals, purpose))
        for member in case.signals
    }
    remaining = [replace(signal, case_id=held[signal.signal_id]) for signal in without]
    assert content(decided(remaining, purpose)) == content(decided(without, purpose))


@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: purpose.id)
@given(data=st.data())
def test_no_two_cases_get_the_same_id_and_a_case_keeps_an_id_that_it_holds(
    purpose: Purpose, data: st.DataObject
) -> None:
    signals = data.draw(signal_sets(purpose))
    ids = st.sampled_from([None, str(UUID(int=901)), str(UUID(int=902))])
    marked = [replace(signal, case_id=data.draw(ids)) for signal in signals]
    found = decided(marked, purpose)
    given_ids = [case.case_id for case in found if case.case_id is not None]
    assert len(set(given_ids)) == len(given_ids)
    by_id = {signal.signal_id: signal.case_id for signal in marked}
    for case in found:
        assert case.case_id is None or case.case_id in {by_id[member] for member in case.signals}


@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: purpose.id)
@given(data=st.data())
def test_crisis_always_stands_and_always_has_the_shorter_term(purpose: Purpose, data: st.DataObject) -> None:
    for case in decided(data.draw(signal_sets(purpose)), purpose):
        if case.crisis:
            assert case.stands and case.priority == 1
        assert case.offer_by <= local_day(case.received_at) + timedelta(days=28)
        assert case.reasons, "every case says why"


# ---------------------------------------------------------------- addresses


@given(st.text(), st.text(), st.text(), st.text())
def test_addresses_never_raise(code: str, number: str, letter: str, addition: str) -> None:
    assert addresses.postcode(addresses.postcode(code)) == addresses.postcode(code)
    addresses.unit(code, number, letter, addition)


@given(
    st.from_regex(r"[1-9][0-9]{3} ?[A-Za-z]{2}", fullmatch=True),
    st.integers(1, 99_999),
    st.text("AbZ09 -/", max_size=4),
    st.text("AbZ09 -/", max_size=6),
)
def test_an_address_unit_read_again_is_itself(code: str, number: int, letter: str, addition: str) -> None:
    unit = addresses.unit(code, str(number), letter, addition)
    assert unit.count("|") == 2
    assert addresses.unit(*unit.split("|")) == unit


# ---------------------------------------------------------------- halves


class Landed:
    """A record, as far as halving knows it."""

    def __init__(self, offset: int) -> None:
        self.offset = offset


@st.composite
def batches(draw: Any) -> list[Part]:
    """A polled batch: per partition a position and records behind it, with gaps as retention and markers leave them."""
    parts = []
    for number in range(draw(st.integers(1, 4))):
        at = before = draw(st.integers(0, 1_000))
        records = []
        for _ in range(draw(st.integers(1, 6))):
            at += draw(st.integers(0, 3))
            records.append(Landed(at))
            at += 1
        parts.append(Part(TopicPartition("t", number), before, at, tuple(records)))  # type: ignore[arg-type]
    return parts


def stands_after(parts: list[Part], stands: dict[TopicPartition, int]) -> list[int]:
    """Move the positions as the database would, by compare-and-set; the offsets that were taken."""
    taken = []
    for part in parts:
        assert stands[part.partition] == part.before, "positions follow each other"
        assert all(part.before <= record.offset < part.after for record in part.records)
        stands[part.partition] = part.after
        taken += [record.offset for record in part.records]
    return taken


@given(batches())
def test_halving_a_batch_down_to_its_records_takes_each_once_and_in_order(parts: list[Part]) -> None:
    stands = {part.partition: part.before for part in parts}
    taken: dict[TopicPartition, list[int]] = {part.partition: [] for part in parts}

    def take(some: list[Part]) -> None:
        size = sum(len(part.records) for part in some)
        if size == 1:
            (part,) = some
            taken[part.partition] += stands_after(some, stands)
            return
        first, second = halves(some)
        sizes = [sum(len(part.records) for part in half) for half in (first, second)]
        assert sum(sizes) == size and abs(sizes[0] - sizes[1]) <= 1 and min(sizes) >= 1
        take(first)
        take(second)

    take(parts)
    for part in parts:
        assert stands[part.partition] == part.after
        assert taken[part.partition] == [record.offset for record in part.records]


@given(st.lists(st.integers(1, 400) | st.integers(BYTES_PER_RECORD // 3, BYTES_PER_RECORD), max_size=300))
def test_events_are_packed_in_order_into_records_that_the_broker_takes(sizes: list[int]) -> None:
    events = [b'{"id":%d,"data":"%s"}' % (number, b"x" * size) for number, size in enumerate(sizes)]
    values = list(packed(events))
    assert [event["id"] for value in values for event in unpack(value)] == list(range(len(events)))
    assert all(len(unpack(value)) <= EVENTS_PER_RECORD for value in values)
    assert all(len(value) < 1_000_000 for value in values), "Kafka's own default bound"
    for offset, value in enumerate(values):
        apart = letters(Letter("signals.x", 0, offset, 0, (), value), batched=True)
        assert [letter.number for letter in apart] == list(range(len(unpack(value))))
        assert [one for letter in apart for one in unpack(letter.value)] == unpack(value)


# ---------------------------------------------------------------- keys


@given(st.binary(min_size=32, max_size=32), st.binary(), st.binary(), st.binary())
def test_what_is_sealed_opens_in_its_own_context_only(
    key: bytes, value: bytes, place: bytes, other: bytes
) -> None:
    box = Box(key)
    sealed = box.seal(value, place)
    assert box.open(sealed, place) == value
    if other != place:
        with pytest.raises(SealBroken):
            box.open(sealed, other)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.data())
def test_a_changed_byte_is_noticed(key: bytes, value: bytes, data: st.DataObject) -> None:
    box = Box(key)
    sealed = bytearray(box.seal(value, b"place"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealBroken):
        box.open(bytes(sealed), b"place")
