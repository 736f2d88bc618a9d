"""The national delivery: the golden document of version 1.2, what it never holds, and what is held against the model."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from bereik import ddas
from bereik.bundle import Bundle
from bereik.ddas import CaseLine, Sender, SignalLine
from bereik.lifecycle import Fact
from bereik.linkage import Identity

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
GOLDEN = Path(__file__).parent / "golden" / "ddas-v1.2.json"
DEBTS = next(purpose for purpose in BUNDLE.purposes.values() if purpose.ddas)
RENT = next(kind for kind in BUNDLE.signal_types.values() if kind.partner_type == "Huur")
POWER = next(kind for kind in BUNDLE.signal_types.values() if kind.crisis_field)

MADE_AT = datetime(2026, 11, 3, 4, 30, 12, 345_678, tzinfo=UTC)
SENDER = Sender("9901", "Gemeente Waterwoude", "90009901", "gegevens@waterwoude.example")
WHO = Identity(
    {
        "surname": "Fictief",
        "initials": "F.",
        "birth_date": "1985-02-03",
        "postcode": "1234 ab",
        "house_number": "12",
        "house_letter": "a",
        "house_number_addition": "2 hoog",
        "phone": "0612345678",
        "email": "f@voorbeeld.example",
    }
)
BSN = "999990019"


def signal(name: str, kind: Any = RENT, **changes: Any) -> SignalLine:
    facts = {
        kind.amount_field: 275,
        kind.since_field: "2026-08-01",
        kind.warm_field: True,
        kind.crisis_field: True,
    }
    line = SignalLine(name, kind, date(2026, 10, 5), {k: v for k, v in facts.items() if k}, False, None, WHO)
    return replace(line, **changes)


def fact(act: str, on: int, hour: int = 9, **detail: Any) -> Fact:
    return Fact("case", act, detail, "", datetime(2026, 10, on, hour, tzinfo=UTC))


def attempt(day: int, kind: str, reached: bool, daypart: str) -> Fact:
    return fact("attempt", day, kind=kind, reached=reached, day=f"2026-10-{day:02}", daypart=daypart)


def case(*signals: SignalLine, when: str = "new", facts: tuple[Fact, ...] = (), **changes: Any) -> CaseLine:
    line = CaseLine(DEBTS, when, None, "2026-10", date(2026, 10, 6), signals, facts)
    return replace(line, **changes)


def delivered(*lines: CaseLine) -> dict[str, Any]:
    return ddas.deliver(SENDER, lines, date(2026, 10, 1), date(2026, 10, 31), MADE_AT, "Bereik 1.0").document


def only(document: dict[str, Any], part: str) -> dict[str, Any]:
    (found,) = document["leveringen"][0][part]
    return dict(found)


CLOSED = case(
    signal("s-1"),
    signal("s-2", POWER, bsn=BSN),
    when="closed",
    result="Vervolghulp en/of verwijzing financieel",
    facts=(
        fact("taken_up", 7),
        attempt(9, "Huisbezoek", True, "Avond"),
        attempt(8, "Telefoon", False, "Middag"),
        attempt(8, "Brief", False, "Ochtend"),
        fact("closed", 20, result="Vervolghulp en/of verwijzing financieel"),
    ),
)
MONTH = (
    CLOSED,
    case(signal("s-3"), when="new"),
    case(signal("s-4"), when="repeat", result="Niet opgepakt: herhaalde melding"),
    case(signal("s-5", bsn=BSN), when="moved", result="Persoon is geen inwoner (meer) in de gemeente"),
    case(signal("s-6", withdrawn=True), when="withdrawn", result="Ingetrokken"),
)


def test_the_golden_delivery_of_version_1_2() -> None:
    """Another document under the same version of the model is a mistake, or needs a reason in DECISIONS.md."""
    assert delivered(*MONTH) == json.loads(GOLDEN.read_text("utf-8"))
    assert ddas.VERSION == "1.2"


def test_the_order_in_which_cases_are_read_changes_nothing() -> None:
    assert delivered(*reversed(MONTH)) == delivered(*MONTH)


def test_a_period_in_which_nothing_happened_is_a_sound_delivery() -> None:
    document = delivered()
    assert document["leveringen"][0]["vroegsignalen"] == []
    assert ddas.problems(document) == []


def test_every_state_of_a_purpose_that_delivers_has_a_status_and_fits_the_model() -> None:
    for state in DEBTS.states:
        assert state.when in ddas.STATUSES
        assert (
            ddas.problems(delivered(case(signal("s"), when=state.when, facts=(fact("taken_up", 7),)))) == []
        )
    assert {word.id for word in DEBTS.words["contacts"]} <= set(ddas.CONTACTS)
    assert {word.id for word in DEBTS.words["dayparts"]} == set(ddas.DAYPARTS)
    assert {word.id for word in DEBTS.results} - set(ddas.RESULTS) == {"Ingetrokken"}
    for purpose in BUNDLE.delivered:
        assert set(BUNDLE.purposes[purpose].partner_types) <= set(ddas.PARTNER_TYPES)


# ---------------------------------------------------------------- who it is about


def test_a_citizen_service_number_stands_alone() -> None:
    assert ddas.client(WHO, BSN, date(2026, 10, 5)) == {"burgerservicenummer": BSN}


@pytest.mark.parametrize("number", [None, "", "999990018", "99999001", "12345678901"])
def test_without_a_sound_number_it_is_the_door_and_never_a_name(number: str | None) -> None:
    found = ddas.client(WHO, number, date(2026, 10, 5))
    assert found == {
        "postcode": "1234AB",
        "huisnummer": "12",
        "huisnummertoevoeging": "A2",
        "geboortedatum": "1985-02-03",
    }


def test_a_birth_date_that_is_known_in_part_is_left_out() -> None:
    part = Identity({**WHO.fields, "birth_date": "1985-00-00"})
    assert "geboortedatum" not in ddas.client(part, None, date(2026, 10, 5))


def test_names_telephone_numbers_and_addresses_never_appear() -> None:
    text = json.dumps(delivered(*MONTH))
    for value in ("Fictief", "0612345678", "f@voorbeeld.example", "worker"):
        assert value not in text
    assert "Fictief" not in repr(CLOSED) and BSN not in repr(CLOSED)


# ---------------------------------------------------------------- what counts as work


def test_a_case_that_nobody_took_up_is_no_dossier_and_its_signal_waits() -> None:
    document = delivered(case(signal("s"), when="new"))
    assert only(document, "vroegsignalen")["status"] == "Nog niet opgepakt"
    assert document["leveringen"][0]["vroegsignaalzaken"] == []


def test_what_its_partner_took_back_before_anybody_took_it_up_is_left_out() -> None:
    taken_back = signal("s", withdrawn=True)
    assert delivered(case(taken_back, when="withdrawn")) == delivered()
    document = delivered(case(taken_back, when="withdrawn", facts=(fact("taken_up", 7),)))
    assert only(document, "vroegsignalen")["status"] == "Opgepakt"
    assert "resultaat" not in only(document, "vroegsignaalzaken")


def test_the_day_on_which_a_case_was_taken_up_is_the_first_and_dutch() -> None:
    late = fact("taken_up", 7, 23)
    document = delivered(case(signal("s"), when="taken_up", facts=(late, fact("reopened", 20))))
    assert only(document, "vroegsignaalzaken")["datumOpgepakt"] == "2026-10-08"


# ---------------------------------------------------------------- held against the model


def broken(change: Any) -> list[str]:
    document = deepcopy(delivered(*MONTH))
    change(document["leveringen"][0])
    return ddas.problems(document)


def at(*path: str | int, **values: Any) -> Any:
    """A change of some values at a place in a delivery."""

    def change(part: Any) -> None:
        for step in path:
            part = part[step]
        part.update(values)

    return change


DOOR = ddas.client(WHO, None, date(2026, 10, 5))
ONE, TIE = ("vroegsignalen", 0), ("vroegsignaalzaken", 0)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda one: one.pop("gemeentecode"), ": required"),
        (at(extra=1), ": additionalProperties"),
        (at(*ONE, status="Iets anders"), "/vroegsignalen/0/status: enum"),
        (at(*ONE, bedrag=1.5), "/vroegsignalen/0/bedrag: type"),
        (at(*ONE, signaaldatum="05-10-2026"), "/vroegsignalen/0/signaaldatum: format"),
        (at(*TIE, vroegsignalen=[]), "/vroegsignaalzaken/0/vroegsignalen: minItems"),
        (
            at("aanleverendeOrganisatie", "contactpersonen", 0, email="x"),
            "/aanleverendeOrganisatie/contactpersonen/0/email: format",
        ),
        # A number and a door.
        (at(*ONE, client={**DOOR, "burgerservicenummer": BSN}), "/vroegsignalen/0/client: oneOf"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_by_place_and_rule_only(change: Any, rule: str) -> None:
    assert broken(change) == [f"leveringen/0{rule}"]


def test_somebody_elses_schema_is_asked_too() -> None:
    schema = {"type": "object", "required": ["handtekening"]}
    assert ddas.problems(delivered(*MONTH), schema) == ["the whole: required"]
