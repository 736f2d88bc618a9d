"""Laws of the life cycle, for every declared purpose: whatever is stated lawfully, a case can end, and ends in its own words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bereik import lifecycle
from bereik.bundle import Bundle
from bereik.declared.purposes import Purpose
from bereik.lifecycle import Fact, Field, IllegalMove

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
PURPOSES = sorted(BUNDLE.purposes.values(), key=lambda purpose: purpose.id)
TEAMS, TODAY = ("9901-a", "9901-b"), date(2026, 11, 25)
PEOPLE = ("0000000a", "0000000b")
START = datetime(2026, 11, 1, tzinfo=UTC)

each_purpose = pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: purpose.id)


def values(field: Field, purpose: Purpose) -> st.SearchStrategy[Any]:
    words = field.words or tuple(word.id for word in purpose.words.get(field.words_of or "", ()))
    return {
        "word": st.sampled_from(words or ("-",)),
        "words": st.lists(st.sampled_from(words or ("-",)), unique=True),
        "yesno": st.booleans(),
        "day": st.just("2026-11-02"),
        "team": st.sampled_from(TEAMS),
        "id": st.sampled_from(["0000000a", "0000000b"]),
        "slug": st.just("a-word"),
        "holder": st.sampled_from(PEOPLE),
    }[field.kind]


@st.composite
def statements(draw: Any, purpose: Purpose) -> tuple[str, dict[str, Any]]:
    kind = draw(st.sampled_from(sorted(lifecycle.FACTS)))
    fields = lifecycle.FACTS[kind]
    return kind, {name: draw(values(field, purpose)) for name, field in fields.items()}


def state_all(purpose: Purpose, start: str, tried: list[tuple[str, dict[str, Any]]]) -> list[Fact]:
    """Those of the statements that are lawful when their turn comes."""
    facts: list[Fact] = []
    for hour, (kind, detail) in enumerate(tried):
        when = lifecycle.stand(facts, purpose, start).when
        try:
            lifecycle.check(kind, detail, purpose, when, TEAMS, TODAY, PEOPLE)
        except IllegalMove:
            continue
        facts.append(Fact("c", kind, detail, "w", START + timedelta(hours=hour)))
    return facts


def starts(purpose: Purpose) -> list[str]:
    """Where signals alone may bring a case."""
    known = {word.when for word in purpose.states}
    return [when for when in ("new", "repeat", "below_threshold") if when in known]


@each_purpose
@given(data=st.data())
def test_from_every_state_that_can_be_reached_a_case_can_end_lawfully(
    purpose: Purpose, data: st.DataObject
) -> None:
    start = data.draw(st.sampled_from(starts(purpose)))
    facts = state_all(purpose, start, data.draw(st.lists(statements(purpose), max_size=12)))
    if lifecycle.stand(facts, purpose, start).when not in lifecycle.OPEN:
        return
    # By one act, or by taking it up first; with at least one of the results.
    ways = [[("closed", {"result": word.id})] for word in purpose.results]
    ways += [[("taken_up", {}), *way] for way in ways]
    later = START + timedelta(days=1)
    ends = set()
    for way in ways:
        found = list(facts)
        for hour, (kind, detail) in enumerate(way):
            when = lifecycle.stand(found, purpose, start).when
            try:
                lifecycle.check(kind, detail, purpose, when, TEAMS, TODAY, PEOPLE)
            except IllegalMove:
                break
            found.append(Fact("c", kind, detail, "w", later + timedelta(hours=hour)))
        else:
            ends.add(lifecycle.stand(found, purpose, start).when)
    assert ends - set(lifecycle.OPEN)


@each_purpose
@given(data=st.data())
def test_every_state_reached_has_a_word_and_an_ended_case_a_result(
    purpose: Purpose, data: st.DataObject
) -> None:
    start = data.draw(st.sampled_from(starts(purpose)))
    facts = state_all(purpose, start, data.draw(st.lists(statements(purpose), max_size=12)))
    stands = lifecycle.stand(facts, purpose, start)
    assert purpose.state(stands.when) is not None
    if stands.when not in lifecycle.OPEN and facts and stands.since is not None:
        assert purpose.result(stands.result) is not None


@each_purpose
@given(data=st.data())
def test_facts_may_be_read_in_any_order(purpose: Purpose, data: st.DataObject) -> None:
    facts = state_all(purpose, "new", data.draw(st.lists(statements(purpose), max_size=8)))
    shuffled = data.draw(st.permutations(facts))
    assert lifecycle.stand(facts, purpose, "new") == lifecycle.stand(shuffled, purpose, "new")
