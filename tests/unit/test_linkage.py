"""Who a record is about: which fields make one person, one household, and when nobody may be guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bereik import linkage
from bereik.bundle import Bundle
from bereik.linkage import Identity, Outcome

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
RULES = BUNDLE.linkage
KIND = next(iter(BUNDLE.signal_types.values()))

WHO = {"surname": "Testman", "initials": "J.P.", "birth_date": "1980-02-03"}
HOME = {"postcode": "1234AB", "house_number": "12"}


def key(**changes: Any) -> str | None:
    return linkage.person_key(Identity({k: v for k, v in {**WHO, **changes}.items() if v is not ...}), RULES)


def unit(**changes: Any) -> str | None:
    return linkage.address_unit(Identity({k: v for k, v in {**HOME, **changes}.items() if v is not ...}))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"surname": "TESTMAN"}, "capitals do not make another person"),
        ({"surname": "Testman", "prefix": "van der"}, "a prefix in its own field is not part of the name"),
        ({"surname": "van der Testman"}, "nor is one that stands before the name"),
        ({"surname": "Testman, van der"}, "nor one behind it"),
        ({"initials": "J."}, "only the first initial is compared: one partner has more of them"),
        (
            {"initials": ..., "first_names": "Jacoba Petra"},
            "first names give the initial where there are none",
        ),
        ({"first_names": "Jo"}, "a call name beside the initials changes nothing"),
        ({"phone": "0612345678", "postcode": "1234AB"}, "where somebody lives is not who somebody is"),
    ],
)
def test_the_same_person(changes: dict[str, Any], why: str) -> None:
    assert key(**changes) == key(), why


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"surname": "Testvrouw"}, "another surname"),
        ({"initials": "K."}, "another initial: a brother or a twin"),
        ({"initials": ..., "first_names": "Karel"}, "another first name"),
        ({"birth_date": "1980-03-02"}, "day and month swapped: a guess is not made"),
    ],
)
def test_not_the_same_person(changes: dict[str, Any], why: str) -> None:
    assert key(**changes) not in (key(), None), why


@pytest.mark.parametrize("missing", ["surname", "initials", "birth_date"])
def test_a_missing_part_links_to_nobody(missing: str) -> None:
    assert key(**{missing: ...}) is None
    assert key(**{missing: ""}) is None
    assert key(surname="Ωμέγα") is None, "a name we cannot compare is missing too"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"postcode": "1234 ab"}, "a postcode with a space in small letters"),
        ({"house_number": "012"}, "a number with a leading zero"),
    ],
)
def test_the_same_address(changes: dict[str, Any], why: str) -> None:
    assert unit(**changes) == unit(), why


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"house_letter": "A"}, "12A is another front door than 12"),
        ({"house_number_addition": "2"}, "12-2 is another front door than 12"),
        ({"house_number_addition": "bis"}, "and so is 12bis"),
        ({"house_number": "122"}, "122 is not 12-2"),
        ({"postcode": "1234AC"}, "another street"),
    ],
)
def test_not_the_same_address(changes: dict[str, Any], why: str) -> None:
    assert unit(**changes) not in (unit(), None), why


def test_upstairs_and_downstairs_neighbours_are_two_households() -> None:
    assert unit(house_number_addition="1") != unit(house_number_addition="2")
    assert unit(house_number_addition="2") != unit(house_number="122")


def test_letter_and_addition_are_compared_joined() -> None:
    assert unit(house_letter="A", house_number_addition="2") == unit(house_number_addition="A-2")


@pytest.mark.parametrize("missing", ["postcode", "house_number"])
def test_without_an_address_there_is_no_household(missing: str) -> None:
    assert unit(**{missing: ...}) is None


def test_identity_takes_what_is_declared_and_leaves_out_what_is_empty() -> None:
    data = dict.fromkeys(KIND.identity.values(), "x") | {"bedrag": 12, KIND.identity["prefix"]: ""}
    found = linkage.identity(KIND, data)
    assert set(found.fields) == set(KIND.identity) - {"prefix"}
    assert linkage.identity(KIND, {KIND.identity["house_number"]: 12}).fields == {"house_number": "12"}


def test_every_linkage_field_that_a_type_declares_reaches_a_key() -> None:
    """A field that is declared and never read would be a silent hole: people or front doors would be thrown together."""
    for kind in BUNDLE.signal_types.values():
        address = [name for name in RULES.household if name in kind.identity]
        whole = dict(WHO, **HOME, house_letter="A", house_number_addition="B")
        for name in address:
            other = linkage.address_unit(Identity(whole | {name: "1234AC" if name == "postcode" else "9"}))
            assert other != linkage.address_unit(Identity(whole)), name


def test_printing_an_identity_shows_nothing() -> None:
    assert f"{Identity(WHO)} {Identity(WHO)!r}" == "Identity(***) Identity(***)"


def test_decide() -> None:
    unseen = linkage.decide("key", [])
    assert (unseen.outcome, unseen.person, unseen.evidence) == (Outcome.NEW, None, "unseen")
    known = linkage.decide("key", ["p1"])
    assert (known.outcome, known.person, known.evidence) == (Outcome.LINK, "p1", "exact")
    incomplete = linkage.decide(None, ["p1"])
    assert (incomplete.outcome, incomplete.person) == (Outcome.NEW, None), (
        "no key never links, whoever is near"
    )
