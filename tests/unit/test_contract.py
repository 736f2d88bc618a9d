"""The row checker: what is right passes, what is wrong is named with what would be right and never with the value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bereik.bundle import Bundle
from bereik.declared.signals import SignalType
from bereik.signal import Event

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
NOW = datetime(2026, 11, 4, 12, tzinfo=UTC)
RENT = BUNDLE.types_by_event["nl.vroegsignalen.huurachterstand-gemeld.v1"][0]
ABSENCE = BUNDLE.types_by_event["nl.schoolverzuim.verzuim-gemeld.v1"][0]

RENT_DATA: dict[str, Any] = {
    "contractnummer": "H-1",
    "geslachtsnaam": "ZZCANARY",
    "voorvoegsel": "van der",
    "voorletters": "A.",
    "geboortedatum": "1980-05-17",
    "postcode": "1234AB",
    "huisnummer": 12,
    "huisnummertoevoeging": "3h",
    "telefoonnummer": "06-12345678 / 0201234567",
    "bedrag": 412,
    "ontstaansdatum": "2026-08-01",
    "signaaldatum": "2026-11-03",
    "zorgvuldigheid": {"gewezenOpHulp": True},
}
ABSENCE_DATA: dict[str, Any] = {
    "meldingId": "M-1",
    "grondslag": "leerplicht",
    "verzuimsoort": "V3",
    "begindatum": "2026-10-01",
    "omvang": 16,
    "brin": "00AP00",
    "geslachtsnaam": "ZZCANARY",
    "geboortedatum": "2012-05-17",
    "postcode": "1234AB",
    "huisnummer": 12,
}


def errors(kind: SignalType, data: dict[str, Any], **changes: Any) -> set[tuple[str, str]]:
    changed = {name: value for name, value in {**data, **changes}.items() if value is not ...}
    found = kind.contract.check_data(changed, NOW)
    told = " ".join(f"{one.field} {one.expected_nl} {one.expected_en}" for one in found)
    assert "ZZCANARY" not in told
    assert all(one.expected_nl and one.expected_en for one in found)
    return {(one.field, one.rule) for one in found}


def test_a_sound_row_has_no_errors() -> None:
    assert errors(RENT, RENT_DATA) == set()
    assert errors(ABSENCE, ABSENCE_DATA) == set()


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("geslachtsnaam", ..., "required"),
        ("geslachtsnaam", "", "length"),
        ("geslachtsnaam", " ZZCANARY", "pattern"),
        ("geslachtsnaam", "ZZCANARY\n", "pattern"),
        ("geslachtsnaam", "ZZCANARY" * 50, "length"),
        ("geslachtsnaam", None, "type"),
        ("geslachtsnaam", ["ZZCANARY"], "type"),
        ("geboortedatum", "17-05-1980", "format"),
        ("geboortedatum", "1980-02-30", "format"),
        ("geboortedatum", "29358", "format"),
        ("geboortedatum", "2027-01-01", "out_of_bounds"),
        ("postcode", "1234 AB", "pattern"),
        ("postcode", "1234ab", "pattern"),
        ("postcode", "0999AB", "pattern"),
        ("postcode", "1234SA", "pattern"),
        ("postcode", "1234SD", "pattern"),
        ("postcode", 1234, "type"),
        ("huisnummer", 0, "range"),
        ("huisnummer", 100_000, "range"),
        ("huisnummer", "12", "type"),
        ("huisnummer", True, "type"),
        ("bedrag", 0, "range"),
        ("bedrag", -5, "range"),
        ("bedrag", 412.5, "type"),
        ("bedrag", 412.0, "type"),
        ("bedrag", 10**30, "range"),
        ("bedrag", "412", "type"),
        ("signaaldatum", "2026-09-01", "out_of_bounds"),
        ("signaaldatum", "2026-11-06", "out_of_bounds"),
        ("warmeOverdracht", "ja", "type"),
        ("email", "ZZCANARY", "format"),
        ("gemeentecode", 9901, "type"),
        ("zorgvuldigheid", True, "type"),
    ],
)
def test_one_wrong_field_is_named_with_its_rule(field: str, value: Any, rule: str) -> None:
    assert errors(RENT, RENT_DATA, **{field: value}) == {(field, rule)}


def test_bounds_count_their_own_day() -> None:
    assert errors(RENT, RENT_DATA, signaaldatum="2026-09-30") == set()
    assert errors(RENT, RENT_DATA, signaaldatum="2026-09-29") == {("signaaldatum", "out_of_bounds")}
    assert errors(RENT, RENT_DATA, signaaldatum="2026-11-05") == set()


def test_unknown_fields_are_refused_and_not_repeated() -> None:
    changed = {**RENT_DATA, "ZZCANARY": 1}
    assert errors(RENT, changed) == {("*", "unknown_field")}
    nested = {**RENT_DATA, "zorgvuldigheid": {"ZZCANARY": True}}
    assert errors(RENT, nested) == {("zorgvuldigheid", "unknown_field")}


def test_all_errors_come_at_once() -> None:
    changes = {"geslachtsnaam": ..., "postcode": "x", "bedrag": 1.0, "signaaldatum": "2020-01-01", "y": 1}
    assert {field for field, _ in errors(RENT, RENT_DATA, **changes)} == {
        "geslachtsnaam",
        "postcode",
        "bedrag",
        "signaaldatum",
        "*",
    }


def test_a_conditional_rule_has_its_own_words() -> None:
    assert errors(ABSENCE, ABSENCE_DATA, omvang=...) == {("omvang", "omvang_bij_soort")}
    assert errors(ABSENCE, ABSENCE_DATA, omvang=..., verzuimsoort="L") == set()


def test_an_enumeration_tells_its_words() -> None:
    (error,) = ABSENCE.contract.check_data({**ABSENCE_DATA, "verzuimsoort": "ZZ"}, NOW)
    assert error.rule == "enum"
    assert "V1, V2, V3" in error.expected_nl


@pytest.mark.parametrize("word", ["reden", "ziekte", "strafbaarFeit", "burgerservicenummer", "ziekteverlof"])
def test_absence_has_no_room_for_reasons_illness_or_offences(word: str) -> None:
    assert errors(ABSENCE, {**ABSENCE_DATA, word: "x"}) == {("*", "unknown_field")}


def test_absence_knows_only_what_the_law_lets_it_know() -> None:
    assert set(ABSENCE.contract.fields) == {
        *("meldingId", "grondslag", "verzuimsoort", "begindatum", "einddatum", "omvang", "brin"),
        *("geslachtsnaam", "voorvoegsel", "voorletters", "voornamen", "geboortedatum"),
        *("postcode", "huisnummer", "huisletter", "huisnummertoevoeging", "gemeentecode"),
        # Nobody has to send these, and casework is not told of them.
        *("toestemmingFormulier", "toestemmingDoor"),
    }


def test_no_contract_takes_a_citizens_number() -> None:
    for kind in BUNDLE.signal_types.values():
        assert not {"bsn", "burgerservicenummer"} & set(kind.contract.fields)


@pytest.mark.parametrize(("days", "good"), [(0, True), (35, True), (36, False), (-1, True), (-2, False)])
def test_the_time_of_an_event_is_bounded(days: int, good: bool) -> None:
    event = Event("a", "urn:x:y", RENT.event_type, NOW - timedelta(days=days), {}, RENT_DATA)
    assert [error.field for error in RENT.contract.check(event, NOW)] == ([] if good else ["time"])


def test_bounds_at_the_ends_of_time_do_not_break() -> None:
    for moment in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        assert RENT.contract.check_data(RENT_DATA, moment)


def test_a_withdrawal_names_the_event_and_a_known_reason() -> None:
    contract = RENT.withdrawal_contract
    assert contract is not None
    assert contract.check_data({"kenmerk": "C-1", "reden": "betaald"}, NOW) == ()
    (error,) = contract.check_data({"kenmerk": "C-1", "reden": "geen zin"}, NOW)
    assert (error.field, error.rule) == ("reden", "enum")


def test_fields_tell_the_file_door_what_they_are() -> None:
    fields = RENT.contract.fields
    assert (fields["bedrag"].kind, fields["bedrag"].required) == ("integer", True)
    assert fields["zorgvuldigheid.gewezenOpHulp"].kind == "boolean"
    assert RENT.contract.primary_key == ("contractnummer", "signaaldatum")
