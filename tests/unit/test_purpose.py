"""The law at the door: designated, agreed, in force, with its steps; what nobody registered is never allowed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bereik import purpose
from bereik.bundle import Bundle
from bereik.declared.partners import Agreement
from bereik.purpose import Admission, LawReason, Outcome

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
RENT = BUNDLE.types_by_event["nl.vroegsignalen.huurachterstand-gemeld.v1"][0]
ENERGY = BUNDLE.types_by_event["nl.vroegsignalen.energieschuld-gemeld.v1"][0]
ABSENCE = BUNDLE.types_by_event["nl.schoolverzuim.verzuim-gemeld.v1"][0]
TODAY = date(2026, 11, 4)
LANDLORD = BUNDLE.partners["woonstichting-de-linde"]
SCHOOL = BUNDLE.partners["scholengroep-de-zwaluw"]
ROWS = BUNDLE.partners["dubbelstroom"]


def rent(data: dict[str, Any] | None = None, **changes: Any) -> Admission:
    given: dict[str, Any] = {
        "signal_type": RENT,
        "action": "report",
        "partner": LANDLORD,
        "municipality_code": "9901",
        "received_on": TODAY,
        **changes,
    }
    return purpose.admit(**given, data=data or {"bedrag": 100}, bundle=BUNDLE)


def codes(admission: Admission) -> set[LawReason]:
    return {reason.code for reason in admission.reasons}


def test_an_agreed_report_is_admitted_to_its_purpose() -> None:
    admission = rent()
    assert (admission.outcome, admission.purpose, admission.reasons) == (Outcome.ALLOWED, "schuldhulp", ())
    assert admission.agreement in LANDLORD.agreements


def test_a_school_without_a_ground_is_unconfigured() -> None:
    admission = rent(signal_type=ABSENCE, partner=SCHOOL)
    assert admission.outcome is Outcome.UNCONFIGURED
    assert admission.purpose is None
    assert codes(admission) == {LawReason.NO_AGREEMENT}


def test_a_type_outside_the_agreements_is_unconfigured() -> None:
    assert rent(signal_type=ENERGY).outcome is Outcome.UNCONFIGURED


def test_a_municipality_without_agreement_is_unconfigured() -> None:
    only_one = replace(LANDLORD, agreements=LANDLORD.agreements[:1])
    admission = rent(partner=only_one, municipality_code="9902")
    assert (admission.outcome, codes(admission)) == (Outcome.UNCONFIGURED, {LawReason.NO_AGREEMENT_HERE})


def test_an_address_nobody_serves_is_refused() -> None:
    for code in (None, "9999"):
        admission = rent(municipality_code=code)
        assert (admission.outcome, codes(admission)) == (Outcome.REFUSED, {LawReason.OUTSIDE_MUNICIPALITIES})


def test_a_partner_of_another_kind_is_refused_whatever_was_agreed() -> None:
    assert codes(rent(partner=replace(LANDLORD, sector="Telecom"))) == {LawReason.NOT_DESIGNATED}


@pytest.mark.parametrize(
    ("day", "outcome"),
    [
        (date(2024, 12, 31), Outcome.REFUSED),
        (date(2025, 1, 1), Outcome.ALLOWED),
        (date(2027, 12, 31), Outcome.ALLOWED),
        (date(2028, 1, 1), Outcome.REFUSED),
    ],
)
def test_agreements_hold_from_start_to_end(day: date, outcome: Outcome) -> None:
    assert rent(received_on=day).outcome is outcome


def test_a_withdrawal_is_welcome_after_the_agreement_ended() -> None:
    assert (
        rent({}, action="withdraw", received_on=date(2030, 1, 1), municipality_code=None).outcome
        is Outcome.ALLOWED
    )


def test_a_withdrawal_needs_a_ground_too() -> None:
    assert rent({}, action="withdraw", signal_type=ABSENCE, partner=SCHOOL).outcome is Outcome.UNCONFIGURED


def test_a_code_that_disagrees_with_the_address_is_refused() -> None:
    assert codes(rent({"gemeentecode": "9902"})) == {LawReason.MUNICIPALITY_DISAGREES}
    assert rent({"gemeentecode": "9901"}).outcome is Outcome.ALLOWED


def test_a_step_the_agreement_does_not_vouch_for_is_refused_with_its_article() -> None:
    admission = rent(partner=BUNDLE.partners["wonen-aan-het-veen"], municipality_code="9902")
    (reason,) = admission.reasons
    assert admission.outcome is Outcome.REFUSED
    assert reason.code is LawReason.STEP_NOT_ATTESTED
    assert "art. 2 onder d" in reason.article


def agreement(mode: str, *attested: str) -> Agreement:
    return replace(ROWS.agreements[0], attestation=mode, attested=frozenset(attested))


@pytest.mark.parametrize(
    ("mode", "attested", "said", "missing"),
    [
        ("agreement", ENERGY.steps, {}, 0),
        ("agreement", ENERGY.steps[:2], dict.fromkeys(ENERGY.steps, True), 1),
        ("row", (), dict.fromkeys(ENERGY.steps, True), 0),
        ("row", (), {}, 3),
        ("row", ENERGY.steps[:2], {ENERGY.steps[2]: True}, 0),
        ("delivery", ENERGY.steps[:2], {ENERGY.steps[2]: True}, 0),
        ("row", ENERGY.steps, {ENERGY.steps[0]: False}, 1),
        ("agreement", ENERGY.steps, {ENERGY.steps[0]: False}, 1),
        ("row", (), {ENERGY.steps[0]: "ja"}, 3),
    ],
)
def test_who_vouches_for_the_steps(
    mode: str, attested: tuple[str, ...], said: dict[str, Any], missing: int
) -> None:
    found = purpose.missing_steps(ENERGY, agreement(mode, *attested), {"zorgvuldigheid": said})
    assert len(found) == missing


def test_a_denied_step_says_so() -> None:
    said = {"zorgvuldigheid": {RENT.steps[0]: False}}
    assert codes(rent(said)) == {LawReason.STEP_DENIED}


def test_nonsense_where_the_steps_should_be_attests_nothing() -> None:
    for said in (True, "ja", 7, ["x"], None):
        assert len(purpose.missing_steps(ENERGY, agreement("row"), {"zorgvuldigheid": said})) == 3


def test_a_forbidden_field_is_refused_with_its_article_and_without_its_value() -> None:
    admission = rent({"burgerservicenummer": "999990342"})
    (reason,) = admission.reasons
    assert reason.code is LawReason.FORBIDDEN_FIELD
    assert "46" in reason.article
    assert "999990342" not in str(admission)


def test_a_minimum_counts_only_where_a_regulation_sets_one() -> None:
    set_by_rule = replace(RENT, minimum_eur=600, minimum_article="Regeling, art. 2.5")
    assert rent({"bedrag": 1}).outcome is Outcome.ALLOWED
    admission = rent({"bedrag": 599}, signal_type=set_by_rule)
    assert [(reason.code, reason.article) for reason in admission.reasons] == [
        (LawReason.BELOW_MINIMUM, "Regeling, art. 2.5")
    ]
    assert rent({"bedrag": 600}, signal_type=set_by_rule).outcome is Outcome.ALLOWED


def test_all_reasons_come_at_once() -> None:
    admission = rent({"gemeentecode": "9902", "bsn": "x"}, received_on=date(2030, 1, 1))
    assert codes(admission) == {
        LawReason.MUNICIPALITY_DISAGREES,
        LawReason.NOT_IN_FORCE,
        LawReason.FORBIDDEN_FIELD,
    }


def test_every_reason_has_an_article_and_two_texts() -> None:
    for admission in (rent(received_on=date(2030, 1, 1)), rent(signal_type=ABSENCE, partner=SCHOOL)):
        for reason in admission.reasons:
            assert reason.article
            assert reason.text_nl != reason.text_en
            assert "{" not in reason.text_nl + reason.text_en
