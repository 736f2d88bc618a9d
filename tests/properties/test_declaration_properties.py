"""Over all inputs: the checker answers and tells no value, the law answers, and a place is where a plain search finds it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bereik.bundle import Bundle
from bereik.declared.municipalities import Municipality, Places, PostcodeRange
from bereik.purpose import Outcome, admit

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
NOW = datetime(2026, 11, 4, tzinfo=UTC)
KINDS = st.sampled_from(list(BUNDLE.signal_types.values()))
FIELDS = sorted(
    {name for kind in BUNDLE.signal_types.values() for name in kind.contract.fields if "." not in name}
)
# Every text holds the mark, so that a repeated value cannot hide.
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8).map(lambda text: f"ZZCANARY{text}"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=6,
)
ROWS = st.dictionaries(
    st.sampled_from(FIELDS) | st.text(max_size=5).map(lambda text: f"ZZCANARY{text}"), VALUES, max_size=8
)


@given(KINDS, ROWS)
def test_the_checker_answers_anything_and_repeats_nothing(kind: Any, row: dict[str, Any]) -> None:
    errors = kind.contract.check_data(row, NOW)
    assert errors
    assert "ZZCANARY" not in str(errors)


@given(
    KINDS,
    st.sampled_from(["report", "withdraw"]),
    st.sampled_from(list(BUNDLE.partners.values())),
    st.sampled_from([*BUNDLE.municipalities, "0000", None]),
    ROWS,
    st.dates(date(2024, 1, 1), date(2029, 1, 1)),
)
def test_only_a_designated_partner_with_an_agreement_is_ever_allowed(
    kind: Any, action: str, partner: Any, code: str | None, row: dict[str, Any], day: date
) -> None:
    admission = admit(kind, action, partner, code, row, day, BUNDLE)
    assert "ZZCANARY" not in str(admission)
    assert (
        (admission.outcome is Outcome.ALLOWED) == (not admission.reasons) == (admission.purpose is not None)
    )
    if admission.outcome is Outcome.ALLOWED:
        assert kind.id in partner.signal_types
        assert partner.sector == kind.partner_type
        assert admission.purpose == kind.purpose
        if action == "report":
            assert any(one.in_force(day) and one.municipality == code for one in partner.agreements)


POSTCODES = st.builds(
    lambda number, letter: f"{number}A{letter}", st.integers(1000, 1003), st.sampled_from("ABCD")
)
DAYS = st.dates(date(2024, 1, 1), date(2024, 1, 6))


@st.composite
def ranges(draw: st.DrawFn) -> PostcodeRange:
    first, last = sorted((draw(POSTCODES), draw(POSTCODES)))
    start = draw(DAYS)
    end = draw(st.none() | st.integers(0, 4).map(lambda days: start + timedelta(days=days)))
    low, high = sorted((draw(st.integers(1, 6)), draw(st.integers(1, 6))))
    return PostcodeRange(
        first, last, "a", start, end, draw(st.none() | st.just(low)), draw(st.none() | st.just(high))
    )


@settings(max_examples=300)
@given(
    st.lists(st.tuples(ranges(), st.sampled_from(["1", "2"])), max_size=8), POSTCODES, st.integers(1, 6), DAYS
)
def test_a_place_is_where_a_plain_search_finds_it(
    rows: list[tuple[PostcodeRange, str]], postcode: str, number: int, on: date
) -> None:
    towns = [
        Municipality(code, code, tuple(row for row, owner in rows if owner == code), {}, (), {}, {})
        for code in ("1", "2")
    ]
    expected = {
        code
        for row, code in rows
        if row.first <= postcode <= row.last
        and row.start <= on
        and (row.end is None or on <= row.end)
        and (row.number_from is None or row.number_from <= number)
        and (row.number_to is None or number <= row.number_to)
    }
    found = Places.of(towns).find(postcode, number, on)
    assert (found[0] in expected) if found else not expected
