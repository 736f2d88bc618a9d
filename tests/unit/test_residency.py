"""Check before contact: what is asked, what an answer means, and what follows for a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bereik import residency
from bereik.fiction.brp import numbers, person
from bereik.linkage import Identity
from bereik.residency import Answer

TODAY = date(2026, 11, 25)
HERE = "9901"
WHO = Identity(
    {
        "surname": "Voorbeeld",
        "initials": "A.B.",
        "birth_date": "1980-02-03",
        "postcode": "9901AA",
        "house_number": "12",
    }
)


def register(**changes: Any) -> dict[str, Any]:
    """The record of that same person, with these changes."""
    fields: dict[str, Any] = {
        "surname": "Voorbeeld",
        "birth_date": "1980-02-03",
        "initials": "A.B.",
        "municipality": HERE,
        "postcode": "9901AA",
        "house_number": 12,
    }
    return person(next(numbers()), **{**fields, **changes})


def judge(found: dict[str, Any] | None, who: Identity = WHO) -> tuple[Answer, tuple[str, ...]]:
    """The answer about one record."""
    verdict = residency.judge(who, HERE, residency.read(found) if found else None, TODAY)
    return verdict.answer, verdict.differences


@pytest.mark.parametrize(
    ("changes", "answer", "differences"),
    [
        ({}, Answer.UNIQUE, ()),
        ({"initials": "A."}, Answer.UNIQUE, ()),
        ({"surname": "Voorbeeld-Ander"}, Answer.UNIQUE, ()),
        ({"letter": "B"}, Answer.UNIQUE, ()),  # the partner wrote no door: nothing that differs
        ({"surname": "Anders"}, Answer.DEVIATING, ("geslachtsnaam",)),
        ({"initials": "C."}, Answer.DEVIATING, ("voorletters",)),
        ({"house_number": 14}, Answer.DEVIATING, ("huisnummer",)),
        ({"postcode": "9901AB", "house_number": 1}, Answer.DEVIATING, ("postcode", "huisnummer")),
        ({"municipality": "9902"}, Answer.MOVED, ()),
        ({"suspended": "E"}, Answer.MOVED, ()),
        ({"suspended": "O"}, Answer.DECEASED, ()),
        ({"suspended": "O", "investigated": True}, Answer.DECEASED, ()),
        ({"investigated": True}, Answer.IN_ONDERZOEK, ()),
        ({"investigated": True, "house_number": 14}, Answer.IN_ONDERZOEK, ("huisnummer",)),
        # A case never ends on somebody who may be another person.
        ({"suspended": "O", "initials": "C."}, Answer.DEVIATING, ("voorletters", "verblijfplaats")),
        (
            {"municipality": "9902", "surname": "Anders"},
            Answer.DEVIATING,
            ("geslachtsnaam", "verblijfplaats"),
        ),
    ],
)
def test_what_a_record_means(changes: dict[str, Any], answer: Answer, differences: tuple[str, ...]) -> None:
    assert judge(register(**changes)) == (answer, differences)


def test_nobody_is_not_found() -> None:
    assert judge(None) == (Answer.NOT_FOUND, ())


def test_the_address_is_asked_first_and_then_the_name() -> None:
    asked = residency.questions(WHO, TODAY)
    assert [one["type"] for one in asked] == [
        "ZoekMetPostcodeEnHuisnummer",
        "ZoekMetGeslachtsnaamEnGeboortedatum",
    ]
    assert all(one["geboortedatum"] == "1980-02-03" and one["inclusiefOverledenPersonen"] for one in asked)


def test_without_a_full_birth_date_nothing_is_asked() -> None:
    assert (
        residency.questions(
            Identity({"surname": "Voorbeeld", "postcode": "9901AA", "house_number": "1"}), TODAY
        )
        == []
    )


def test_the_fields_asked_are_a_declared_minimum() -> None:
    asked = {
        field
        for one in [*residency.questions(WHO, TODAY), residency.record_of(next(numbers()))]
        for field in one["fields"]
    }
    assert asked == set(residency.SEARCH_FIELDS) | set(residency.RECORD_FIELDS)
    allowed = {"burgerservicenummer", "naam", "geboorte", "gemeenteVanInschrijving", "verblijfplaats"}
    assert {field.split(".")[0] for field in asked} <= allowed
    assert not any(
        word in field for field in asked for word in ("partner", "kind", "ouder", "gezag", "nationaliteit")
    )


def test_twins_are_told_apart_by_their_initials_and_otherwise_nobody_is_meant() -> None:
    one, other = list(zip(numbers(), range(2), strict=False))
    twins = residency.people([register(), {**register(initials="C."), "burgerservicenummer": other[0]}])
    assert len(twins) == 2
    found = residency.single(WHO, twins, TODAY)
    assert found is not None and found.bsn == one[0]
    assert residency.single(Identity({**WHO.fields, "initials": ""}), twins, TODAY) is None


def test_a_record_made_by_mistake_is_nobody() -> None:
    assert residency.people([register(suspended="F")]) == []


def test_nothing_that_holds_a_number_prints_it() -> None:
    bsn = next(numbers())
    verdict = residency.judge(WHO, HERE, residency.read(register()), TODAY)
    change = residency.read_event(event())
    assert bsn not in f"{verdict!r} {verdict.resident!r} {change!r}" and "Voorbeeld" not in repr(verdict)


# ---------------------------------------------------------------- what follows


@dataclass
class Fact:
    """A fact as the fold has it."""

    kind: str
    detail: dict[str, Any]
    stated_at: datetime


def facts(*stated: tuple[str, str, Any]) -> list[Fact]:
    """Facts in the order in which they were stated, from (kind, person, value)."""
    value = {"resident": "answer", "repaired": "choice", "known": "yes"}
    start = datetime(2026, 11, 1, tzinfo=UTC)
    return [
        Fact(kind, {"person_id": who, value[kind]: what}, start + timedelta(hours=turn))
        for turn, (kind, who, what) in enumerate(stated)
    ]


@pytest.mark.parametrize(
    ("stated", "persons", "outcome"),
    [
        ([], {"p"}, None),
        ([("resident", "p", "unique")], {"p"}, None),
        ([("resident", "p", "deviating")], {"p"}, None),
        ([("resident", "p", "not_found")], {"p"}, None),
        ([("resident", "p", "in_onderzoek")], {"p"}, None),
        ([("resident", "p", "deceased")], {"p"}, "deceased"),
        ([("resident", "p", "moved")], {"p"}, "moved"),
        ([("known", "p", True)], {"p"}, "known"),
        ([("known", "p", False)], {"p"}, None),
        # Somebody else of the case still lives here: the team goes on.
        ([("resident", "p", "deceased")], {"p", "q"}, None),
        ([("resident", "p", "deceased"), ("resident", "q", "moved")], {"p", "q"}, "moved"),
        ([("resident", "p", "deceased"), ("known", "q", True)], {"p", "q"}, "known"),
        ([("resident", "p", "deceased"), ("known", "p", True)], {"p"}, "deceased"),
        # What was stated last counts.
        ([("resident", "p", "moved"), ("repaired", "p", "partner")], {"p"}, None),
        ([("resident", "p", "deviating"), ("repaired", "p", "no_resident")], {"p"}, "moved"),
        ([("repaired", "p", "partner"), ("resident", "p", "deceased")], {"p"}, "deceased"),
        ([("resident", "p", "deceased")], set(), None),
    ],
)
def test_what_follows_for_a_case(stated: list[Any], persons: set[str], outcome: str | None) -> None:
    known = facts(*stated)
    for order in (known, known[::-1]):
        found = residency.outcome(order, persons)
        assert (found.when if found else None) == outcome


@pytest.mark.parametrize(
    ("stated", "waiting"),
    [
        ([], []),
        ([("resident", "p", "unique"), ("resident", "q", "moved")], []),
        ([("resident", "p", "deviating"), ("resident", "q", "not_found")], [("p", False), ("q", False)]),
        ([("resident", "p", "in_onderzoek"), ("repaired", "p", "asked")], [("p", True)]),
        ([("resident", "p", "deviating"), ("repaired", "p", "asked"), ("repaired", "p", "register")], []),
        ([("resident", "p", "deviating"), ("resident", "p", "unique")], []),
        # By hand: somebody decided without any answer of a register.
        ([("repaired", "p", "no_resident")], []),
        # A repair of one says nothing about the other.
        (
            [("resident", "p", "deviating"), ("resident", "q", "deviating"), ("repaired", "p", "partner")],
            [("q", False)],
        ),
    ],
)
def test_who_waits_for_a_decision(stated: list[Any], waiting: list[tuple[str, bool]]) -> None:
    known = facts(*stated)
    for order in (known, known[::-1]):
        assert [(one.person_id, one.asked) for one in residency.waiting(order)] == waiting


# ---------------------------------------------------------------- events


def event(**changes: Any) -> dict[str, Any]:
    """A move to another municipality."""
    return {
        "specversion": "1.0",
        "id": "e-1",
        "source": "urn:nld:oin:00000000000000000000:systeem:BRP",
        "type": residency.MOVED_OUT,
        "data": {"burgerservicenummer": next(numbers()), "gemeenteVanInschrijving": {"code": "9902"}},
        **changes,
    }


def test_a_move_says_where_to() -> None:
    change = residency.read_event(event())
    assert (change.answer, change.municipality) == (Answer.MOVED, "9902")


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        (residency.DIED, Answer.DECEASED),
        (residency.MOVED_ABROAD, Answer.MOVED),
        (residency.MOVED_WITHIN, None),
        (residency.RESTRICTED, None),
    ],
)
def test_each_kind_of_event(kind: str, answer: Answer | None) -> None:
    assert residency.read_event(event(type=kind)).answer is answer


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "nl.brp.iets-anders"},
        {"type": None},
        {"id": 7},
        {"data": None},
        {"data": {"burgerservicenummer": "999990001"}},
        {"data": {"burgerservicenummer": 7}},
        {"data": {"burgerservicenummer": "999990019"[:8]}},
    ],
)
def test_what_is_no_event_is_refused_without_a_value(changes: dict[str, Any]) -> None:
    with pytest.raises(residency.NotAnEvent) as refused:
        residency.read_event(event(**changes))
    assert "99999" not in str(refused.value)
