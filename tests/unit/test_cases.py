"""What the signals of one address or person mean: grouping, threshold, repeats, crisis, terms, and when a team is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bereik import cases, reasons
from bereik.bundle import Bundle
from bereik.cases import CONTRACT, Before, Case, Kind, Notify, Signal
from bereik.days import local_day
from bereik.declared.municipalities import Moment, Policy
from bereik.declared.purposes import Purpose
from bereik.declared.signals import SignalType
from bereik.lifecycle import Fact

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
RENT = BUNDLE.types_by_event["nl.vroegsignalen.huurachterstand-gemeld.v1"][0]
ENERGY = BUNDLE.types_by_event["nl.vroegsignalen.energieschuld-gemeld.v1"][0]
ABSENCE = BUNDLE.types_by_event["nl.schoolverzuim.verzuim-gemeld.v1"][0]
DEBTS = BUNDLE.purposes[RENT.purpose]
SCHOOL = BUNDLE.purposes[ABSENCE.purpose]
NOW = datetime(2026, 12, 31, tzinfo=UTC)
THRESHOLD = BUNDLE.municipalities["9901"].policies[DEBTS.id].threshold_eur


def sig(
    number: int,
    day: str = "2026-11-03",
    amount: int | None = 400,
    kind: SignalType = RENT,
    *,
    partner: str = "p1",
    contract: str | None = None,
    crisis: bool = False,
    warm: bool = False,
    received: str | None = None,
    case: str | None = None,
    municipality: str = "9901",
    area: str | None = "noord",
) -> Signal:
    facts: dict[str, Any] = {CONTRACT: contract or f"contract {number}"}
    if kind.amount_field and amount is not None:
        facts[kind.amount_field] = amount
    if crisis:
        facts[kind.crisis_field or ""] = True
    if warm:
        facts[kind.warm_field or ""] = True
    at = datetime.fromisoformat(f"{received or day}T10:00:00+00:00")
    return Signal(
        str(UUID(int=number)), kind.id, partner, municipality, area, date.fromisoformat(day), at, facts, case
    )


def closing(purpose: Purpose, at: datetime, case_id: str | None = None) -> Fact:
    """A worker closes a case (99 unless told) with a result that is not of another state."""
    result = next(word.id for word in purpose.results if word.when is None)
    return Fact(case_id or str(UUID(int=99)), "closed", {"result": result}, "worker", at)


def debts(*signals: Signal, facts: tuple[Fact, ...] = ()) -> tuple[Case, ...]:
    return cases.decide(signals, facts, DEBTS, BUNDLE, NOW)


def one(*signals: Signal, facts: tuple[Fact, ...] = ()) -> Case:
    found = debts(*signals, facts=facts)
    assert len(found) == 1
    return found[0]


def codes(case: Case) -> list[str]:
    return [reason["code"] for reason in case.reasons]


def said(case: Case) -> dict[str, Any]:
    return reasons.spoken({"reasons": case.reasons, "offer_in": case.offer_in})


def when(case: Case) -> str | None:
    return next(word.when for word in DEBTS.states if word.id == case.status)


# ---------------------------------------------------------------- one, several, one after the other


def test_no_signals_are_no_case() -> None:
    assert debts() == ()


def test_one_signal_is_a_case_for_the_team_of_its_area() -> None:
    case = one(sig(1))
    assert (case.kind, case.crisis, case.stands, when(case)) == (Kind.SINGLE, False, True, "new")
    assert case.route.team == "9901-vroeg-noord" and case.route.path == ("area=noord",)
    assert codes(case) == ["single", "above_threshold"]


def test_two_signals_in_one_month_are_one_multiple_case() -> None:
    case = one(sig(1), sig(2, "2026-11-20", kind=ENERGY, partner="p2"))
    assert (case.kind, len(case.signals)) == (Kind.MULTIPLE, 2)
    assert case.anchor == str(UUID(int=1)), "the oldest signal carries the case"


def test_two_signals_around_the_turn_of_a_month_are_two_cases_and_the_later_one_is_consecutive() -> None:
    first, second = debts(sig(1, "2026-10-31"), sig(2, "2026-11-01", kind=ENERGY, partner="p2"))
    assert (first.kind, second.kind) == (Kind.SINGLE, Kind.CONSECUTIVE)
    assert "consecutive" in codes(second)


@pytest.mark.parametrize(
    ("earlier", "kind", "why"),
    [
        ("2026-05-01", Kind.CONSECUTIVE, "the first day of the sixth month back still counts"),
        ("2026-04-30", Kind.SINGLE, "the day before it does not"),
        ("2025-11-03", Kind.SINGLE, "last year is long gone"),
    ],
)
def test_how_far_back_an_earlier_signal_counts(earlier: str, kind: Kind, why: str) -> None:
    assert debts(sig(1, earlier), sig(2, amount=900))[-1].kind is kind, why


def test_a_multiple_case_also_says_that_there_was_an_earlier_signal() -> None:
    case = debts(sig(1, "2026-10-03"), sig(2), sig(3, kind=ENERGY, partner="p2"))[-1]
    assert case.kind is Kind.MULTIPLE and "consecutive" in codes(case)


# ---------------------------------------------------------------- threshold


@pytest.mark.parametrize(
    ("amounts", "stands", "why"),
    [
        ((THRESHOLD,), True, "at the threshold"),
        ((THRESHOLD - 1,), False, "one euro below it"),
        ((20, 20, 20, THRESHOLD - 60), True, "four small debts that only together reach it"),
        ((20, 20), False, "two that together do not"),
    ],
)
def test_the_threshold_is_judged_per_address_after_linking(
    amounts: tuple[int, ...], stands: bool, why: str
) -> None:
    case = one(*(sig(n, amount=amount, partner=f"p{n}") for n, amount in enumerate(amounts, 1)))
    assert case.stands is stands, why
    assert when(case) == ("new" if stands else "below_threshold")


def test_a_case_below_the_threshold_says_what_would_have_been_enough_and_who_decided_it() -> None:
    text = said(one(sig(1, amount=THRESHOLD - 20)))["reasons"][-1]
    assert f"€ {THRESHOLD - 20}" in text["nl"] and "€ 20 " in text["nl"] and "Beleidsplan" in text["nl"]


def test_a_small_signal_still_makes_another_one_multiple() -> None:
    assert one(sig(1), sig(2, amount=5, partner="p2")).kind is Kind.MULTIPLE


def test_crisis_and_a_warm_hand_over_ignore_the_threshold() -> None:
    assert one(sig(1, amount=5, kind=ENERGY, crisis=True)).stands
    assert one(sig(1, amount=5, warm=True)).stands


def test_a_threshold_that_no_decision_cites_does_not_hold() -> None:
    place = BUNDLE.municipalities["9901"]
    uncited = replace(place.policies[DEBTS.id], threshold_citation=None)
    changed = replace(
        BUNDLE,
        municipalities={
            **BUNDLE.municipalities,
            "9901": replace(place, policies={**place.policies, DEBTS.id: uncited}),
        },
    )
    assert cases.decide([sig(1, amount=1)], (), DEBTS, changed, NOW)[0].stands


# ---------------------------------------------------------------- repeats


@pytest.mark.parametrize(
    ("second", "repeated", "why"),
    [
        ({"amount": 400}, True, "the same debt again, not higher"),
        ({"amount": 399}, True, "and certainly when it is lower"),
        ({"amount": 401}, False, "a debt that grew is news"),
        ({"contract": "another"}, False, "another contract is another debt"),
        ({"partner": "p2"}, False, "another partner is another debt"),
        ({"day": "2026-12-03"}, True, "also within the look-back"),
    ],
)
def test_a_repeat_of_the_same_partner_is_not_taken_up(
    second: dict[str, Any], repeated: bool, why: str
) -> None:
    case = debts(
        sig(1, "2026-10-03", contract="same"), sig(2, **{"day": "2026-11-03", "contract": "same", **second})
    )[-1]
    assert (when(case) == "repeat") is repeated, why
    assert case.stands is not repeated
    assert case.labels["repeat"] == (("yes",) if repeated else ("no",))


def test_how_far_back_a_report_can_be_repeated() -> None:
    for day, kind in (("2026-05-01", "repeat"), ("2026-04-30", "new")):
        assert debts(sig(1, day, contract="c"), sig(2, amount=400, contract="c"))[-1].when == kind, day
    assert (
        debts(sig(1, "2026-10-03", None, contract="c"), sig(2, amount=1, contract="c"))[-1].when
        == "below_threshold"
    )


def test_a_crisis_is_never_only_a_repeat() -> None:
    earlier = sig(1, "2026-10-03", kind=ENERGY, contract="same")
    assert debts(earlier, sig(2, kind=ENERGY, contract="same", crisis=True))[-1].stands


def test_two_contracts_reported_on_one_day_are_two_debts() -> None:
    assert one(sig(1, contract="same"), sig(2, contract="same")).kind is Kind.MULTIPLE


def test_a_repeat_within_the_month_does_not_count_twice() -> None:
    case = one(sig(1, "2026-11-03", 60, contract="same"), sig(2, "2026-11-20", 60, contract="same"))
    assert (case.kind, when(case)) == (Kind.SINGLE, "below_threshold"), "60 and the same 60 is 60"


# ---------------------------------------------------------------- crisis, priority, terms


def test_a_crisis_goes_first_and_to_its_own_team() -> None:
    case = one(sig(1), sig(2, kind=ENERGY, partner="p2", crisis=True))
    assert (case.crisis, case.priority, case.route.team) == (True, 1, "9901-crisis")
    assert codes(case)[0] == "crisis"


def test_priority_follows_the_published_order() -> None:
    levels = [
        one(sig(1, kind=ENERGY, crisis=True)).priority,
        one(sig(1, warm=True)).priority,
        one(sig(1), sig(2, kind=ENERGY, partner="p2")).priority,
        debts(sig(1, "2026-10-03"), sig(2, amount=900))[-1].priority,
        one(sig(1)).priority,
    ]
    assert levels == sorted(set(levels))


@pytest.mark.parametrize(
    ("received", "offer_by", "why"),
    [
        ("2026-11-03", "2026-11-06", "three working days after a Tuesday"),
        ("2026-11-06", "2026-11-11", "over a weekend"),
        ("2026-12-24", "2026-12-30", "over Christmas and a weekend"),
        ("2026-04-24", "2026-04-30", "over King's Day, which is no working day"),
    ],
)
def test_a_crisis_counts_dutch_working_days(received: str, offer_by: str, why: str) -> None:
    assert one(sig(1, received, kind=ENERGY, crisis=True)).offer_by == date.fromisoformat(offer_by), why


def test_other_cases_have_four_weeks_from_the_first_receipt() -> None:
    case = one(sig(1, "2026-11-01", received="2026-11-03"), sig(2, "2026-11-20", kind=ENERGY, partner="p2"))
    assert case.offer_by == date(2026, 12, 1)
    assert case.first_signal == date(2026, 11, 1)


def test_a_late_crisis_never_lengthens_the_term_that_was_running() -> None:
    quiet = one(sig(1, "2026-11-01"))
    late = one(sig(1, "2026-11-01"), sig(2, "2026-11-30", kind=ENERGY, partner="p2", crisis=True))
    assert late.offer_by <= quiet.offer_by


# ---------------------------------------------------------------- what a case says


@pytest.mark.parametrize(
    ("signals", "code", "nl"),
    [
        ([sig(1, warm=True)], "warm", "De partner sprak al met deze persoon."),
        ([sig(1), sig(2, kind=ENERGY, partner="p2")], "multiple", "2 signalen in dezelfde periode."),
        (
            [sig(1, "2026-10-03"), sig(2, amount=900)],
            "consecutive",
            "Er was in de 6 maanden hiervoor al een signaal (2026-10-03).",
        ),
        ([sig(1, amount=900)], "above_threshold", f"Samen € 900, drempel € {THRESHOLD}."),
        ([sig(1, amount=1130)], "above_threshold", "Samen € 1.130, drempel"),
        (
            [sig(1, amount=THRESHOLD - 10)],
            "below_threshold",
            f"onder de drempel van € {THRESHOLD}",
        ),
        ([sig(1, amount=THRESHOLD - 10)], "below_threshold", "Met € 10 meer was er contact gezocht."),
        (
            [sig(1, "2026-10-03", contract="c"), sig(2, amount=300, contract="c")],
            "repeat",
            "Herhaalde melding van dezelfde partner; het bedrag is niet hoger dan op 2026-10-03.",
        ),
    ],
)
def test_the_reasons_name_the_numbers_and_days_they_rest_on(
    signals: list[Signal], code: str, nl: str
) -> None:
    texts = {reason["code"]: reason["nl"] for reason in said(debts(*signals)[-1])["reasons"]}
    assert nl in texts[code]


def test_of_several_repeats_the_newest_earlier_report_is_named() -> None:
    earlier = [sig(1, "2026-09-03", contract="a"), sig(2, "2026-10-04", contract="b")]
    case = debts(*earlier, sig(3, amount=300, contract="b"), sig(4, amount=300, contract="a"))[-1]
    assert codes(case)[-1] == "repeat" and case.reasons[-1]["date"] == "2026-10-04"


def test_a_case_says_where_it_is_since_when_and_in_which_order() -> None:
    case = one(sig(1, received="2026-11-04"), sig(2, "2026-11-20", kind=ENERGY, partner="p2", area="zuid"))
    assert (case.municipality, case.area, case.period) == ("9901", "zuid", "2026-11")
    assert case.received_at == datetime(2026, 11, 4, 10, tzinfo=UTC)
    rule = next(rule for rule in DEBTS.priorities if rule.match.get("kind") == ("multiple",))
    assert (case.priority, case.priority_reason) == (rule.level, rule.label)


def test_every_label_that_rules_can_ask_for() -> None:
    case = one(sig(1, warm=True), sig(2, kind=ENERGY, partner="p2", area="zuid"))
    assert case.labels == {
        "area": ("noord", "zuid"), "type": (ENERGY.id, RENT.id), "sort": (), "kind": ("multiple",),
        "crisis": ("no",), "warm": ("yes",), "repeat": ("no",), "language": (),
    }  # fmt: skip
    nowhere = one(sig(1, area=None, amount=900))
    assert nowhere.labels["area"] == () and nowhere.route.path == (), (
        "without an area a person looks where it goes"
    )
    repeated = debts(sig(1, "2026-10-03", contract="c"), sig(2, amount=300, contract="c"))[-1]
    assert repeated.labels["repeat"] == ("yes",)


def test_without_a_rule_that_fits_a_case_comes_after_all_that_have_one() -> None:
    crisis_only = replace(
        DEBTS, priorities=tuple(rule for rule in DEBTS.priorities if "crisis" in rule.match)
    )
    bundle = replace(BUNDLE, purposes={**BUNDLE.purposes, DEBTS.id: crisis_only}, sha256="crisis only")
    plain, urgent = (
        cases.decide([sig(1, kind=ENERGY, crisis=crisis)], (), crisis_only, bundle, NOW)[0]
        for crisis in (False, True)
    )
    assert (urgent.priority, plain.priority) == (1, 2)
    assert plain.priority_reason == {"nl": "Gewone volgorde.", "en": "Ordinary order."}
    none = replace(
        bundle, purposes={**BUNDLE.purposes, DEBTS.id: replace(DEBTS, priorities=())}, sha256="none"
    )
    assert cases.decide([sig(1)], (), none.purposes[DEBTS.id], none, NOW)[0].priority == 1


def test_a_municipality_without_a_policy_has_the_terms_of_the_law_and_no_threshold() -> None:
    town = replace(BUNDLE.municipalities["9901"], policies={})
    bundle = replace(BUNDLE, municipalities={**BUNDLE.municipalities, "9901": town}, sha256="no policy")
    (case,) = cases.decide([sig(1, amount=1)], (), DEBTS, bundle, NOW)
    assert case.stands and (case.offer_by, codes(case)) == (date(2026, 12, 1), ["single"])


# ---------------------------------------------------------------- only what changed


def test_what_comes_later_never_changes_an_earlier_month_so_that_is_not_decided_again() -> None:
    signals = [sig(1, "2026-09-03"), sig(2, "2026-10-03", amount=900), sig(3, amount=900)]
    everything = debts(*signals)
    for day, left in (("2026-10-03", 1), ("2026-10-31", 1), ("2026-09-03", 0), ("2026-11-01", 2)):
        since_then = cases.decide(signals, (), DEBTS, BUNDLE, NOW, date.fromisoformat(day))
        assert since_then == everything[left:], day


# ---------------------------------------------------------------- ids


def test_a_late_older_signal_joins_the_case_without_a_new_id() -> None:
    known = str(UUID(int=99))
    case = one(sig(1, "2026-11-20", case=known), sig(2, "2026-11-02", kind=ENERGY, partner="p2"))
    assert case.case_id == known


def test_when_two_cases_claim_one_id_the_oldest_signal_keeps_it() -> None:
    known = str(UUID(int=99))
    first, second = debts(sig(1, "2026-10-20", case=known), sig(2, "2026-11-02", amount=900, case=known))
    assert (first.case_id, second.case_id) == (known, None)


@pytest.mark.parametrize(
    ("policy", "crisis", "nl", "en"),
    [
        (Policy(), False, "28 dagen", "28 days"),
        (Policy(), True, "3 werkdagen", "3 working days"),
        (Policy(offer_days=1), False, "1 dag", "1 day"),
        (Policy(crisis_working_days=1), True, "1 werkdag", "1 working day"),
    ],
)
def test_a_term_is_said_in_both_languages(policy: Policy, crisis: bool, nl: str, en: str) -> None:
    town = replace(BUNDLE.municipalities["9901"], policies={DEBTS.id: policy})
    bundle = replace(BUNDLE, municipalities={**BUNDLE.municipalities, "9901": town})
    (case,) = cases.decide([sig(1, kind=ENERGY, crisis=crisis)], [], DEBTS, bundle, NOW)
    assert said(case)["offer_in"] == {"nl": nl, "en": en}


def test_a_case_that_takes_up_another_one_keeps_the_id_of_the_oldest_signal() -> None:
    older, newer = str(UUID(int=98)), str(UUID(int=99))
    case = one(sig(1, "2026-11-02", case=newer), sig(2, kind=ENERGY, partner="p2", case=older))
    assert case.case_id == newer, "the id of whoever was first, not the first of the ids"


def test_a_case_that_comes_apart_keeps_its_id_where_its_oldest_signal_is() -> None:
    old, other = str(UUID(int=99)), str(UUID(int=1))
    found = debts(
        sig(1, "2026-09-03", case=old),
        sig(2, "2026-10-03", amount=900, case=other),
        sig(3, amount=900, case=old),
    )
    assert [case.case_id for case in found] == [old, other, None]


# ---------------------------------------------------------------- closed by a person

CLOSED_ON_THE_10TH = (closing(DEBTS, datetime(2026, 11, 10, 12, tzinfo=UTC)),)


@pytest.mark.parametrize(
    ("later", "stands", "why"),
    [
        ([], False, "closed is closed"),
        (
            [sig(2, "2026-11-09", kind=ENERGY, partner="p2")],
            False,
            "what was there at the closing was judged",
        ),
        (
            [sig(2, "2026-11-05", kind=ENERGY, partner="p2", received="2026-11-12")],
            True,
            "what came in later was not",
        ),
        ([sig(2, "2026-11-20", kind=ENERGY, partner="p2", crisis=True)], True, "and least of all a crisis"),
        ([sig(2, "2026-11-20", 300, contract="contract 1")], False, "a mere repeat opens nothing"),
    ],
)
def test_a_debt_reported_after_the_case_was_closed_is_somebodys_work_again(
    later: list[Signal], stands: bool, why: str
) -> None:
    case = one(sig(1, case=str(UUID(int=99))), *later, facts=CLOSED_ON_THE_10TH)
    assert (case.stands, when(case) == "closed") == (stands, not stands), why
    assert case.case_id == str(UUID(int=99))


# ---------------------------------------------------------------- absence: about the pupil, open until closed


def absent(number: int, received: str, case: str | None = None) -> Signal:
    return sig(number, received, None, ABSENCE, received=received, case=case, partner="register")


def school(*signals: Signal, facts: tuple[Fact, ...] = ()) -> tuple[Case, ...]:
    return cases.decide(signals, facts, SCHOOL, BUNDLE, NOW)


def test_absence_is_one_case_until_a_person_closes_it() -> None:
    assert len(school(absent(1, "2026-09-03"), absent(2, "2026-11-03"))) == 1


def test_what_comes_after_a_closing_begins_a_new_case() -> None:
    known = str(UUID(int=99))
    facts = (closing(SCHOOL, datetime(2026, 10, 1, tzinfo=UTC)),)
    first, second = school(absent(1, "2026-09-03", known), absent(2, "2026-11-03"), facts=facts)
    assert (first.case_id, first.stands) == (known, False)
    assert (second.case_id, second.stands, second.kind) == (None, True, Kind.CONSECUTIVE)


def test_what_was_received_before_the_closing_stays_in_the_closed_case() -> None:
    known = str(UUID(int=99))
    facts = (closing(SCHOOL, datetime(2026, 12, 1, tzinfo=UTC)),)
    found = school(absent(1, "2026-09-03", known), absent(2, "2026-11-03", known), facts=facts)
    assert [case.stands for case in found] == [False]


def test_two_closed_cases_stay_two() -> None:
    """Found by the simulated half year: the second case went back into the first one once it was closed too."""
    first, second = str(UUID(int=98)), str(UUID(int=99))
    facts = (
        closing(SCHOOL, datetime(2026, 10, 1, tzinfo=UTC), first),
        closing(SCHOOL, datetime(2026, 11, 10, tzinfo=UTC), second),
    )
    found = school(absent(1, "2026-09-03", first), absent(2, "2026-11-03", second), facts=facts)
    assert [(case.case_id, case.stands) for case in found] == [(first, False), (second, False)]


def test_what_is_received_at_the_moment_of_closing_was_judged() -> None:
    known = str(UUID(int=99))
    at_ten = closing(SCHOOL, datetime(2026, 11, 3, 10, tzinfo=UTC))
    found = school(absent(1, "2026-09-03", known), absent(2, "2026-11-03"), facts=(at_ten,))
    assert [case.stands for case in found] == [False]


def test_a_signal_of_a_closed_case_stays_in_it_also_when_that_was_closed_before_it_came() -> None:
    """A worker opened the case again, the signal joined it, and the opening was found to be older."""
    known = str(UUID(int=99))
    facts = (closing(SCHOOL, datetime(2026, 10, 1, tzinfo=UTC)),)
    found = school(
        absent(1, "2026-09-03", known), absent(2, "2026-11-03", known), absent(3, "2026-11-04"), facts=facts
    )
    assert [(case.case_id, len(case.signals)) for case in found] == [(known, 2), (None, 1)]


def test_a_case_that_was_only_taken_up_is_not_closed() -> None:
    known = str(UUID(int=99))
    taken = Fact(known, "taken_up", {}, "w", datetime(2026, 9, 4, tzinfo=UTC))
    (case,) = school(absent(1, "2026-09-03", known), absent(2, "2026-11-03"), facts=(taken,))
    assert case.case_id == known and len(case.signals) == 2


def test_absence_has_no_amount_and_no_threshold() -> None:
    case = school(absent(1, "2026-11-03"))[0]
    assert case.stands and codes(case) == ["single"]
    assert "€" not in "".join(reason["nl"] for reason in said(case)["reasons"])


# ---------------------------------------------------------------- when a team is told

BEFORE = Before(True, "9901-vroeg-noord", Kind.SINGLE.value, False, frozenset({str(UUID(int=1))}))


@pytest.mark.parametrize(
    ("before", "now", "told", "why"),
    [
        (None, one(sig(1)), Notify.NEW_CASE, "a case that was not there"),
        (None, one(sig(1, kind=ENERGY, crisis=True)), Notify.CRISIS, "a case that begins as a crisis"),
        (None, one(sig(1, amount=1)), None, "a case below the threshold is nobody's work"),
        (BEFORE, one(sig(1)), None, "nothing changed"),
        (BEFORE, one(sig(1), sig(2, kind=ENERGY, partner="p2")), Notify.NOW_MULTIPLE, "a second signal"),
        (
            BEFORE,
            one(sig(1), sig(2, "2026-11-09", 300, contract="contract 1")),
            Notify.NEW_SIGNAL,
            "a repeat",
        ),
        (
            BEFORE,
            one(sig(1, amount=1)),
            None,
            "it fell below the threshold, and no partner took anything back",
        ),
        (
            replace(BEFORE, signals=frozenset({str(UUID(int=1)), str(UUID(int=2))})),
            one(sig(1, amount=1)),
            Notify.WITHDRAWN,
            "what was withdrawn takes it below the threshold",
        ),
        (BEFORE, one(sig(1, case=str(UUID(int=99))), facts=CLOSED_ON_THE_10TH), None, "a worker closed it"),
        (BEFORE, one(sig(1, kind=ENERGY, crisis=True)), Notify.CRISIS, "it became a crisis"),
        (BEFORE, one(sig(1, area="zuid")), Notify.NEW_TEAM, "another team has it now"),
        (
            replace(BEFORE, signals=frozenset({str(UUID(int=1)), str(UUID(int=2))})),
            one(sig(1)),
            Notify.WITHDRAWN,
            "one of its signals was withdrawn",
        ),
        (replace(BEFORE, stands=False), one(sig(1)), Notify.NEW_CASE, "it rose above the threshold"),
    ],
)
def test_notify(before: Before | None, now: Case, told: Notify | None, why: str) -> None:
    assert cases.notify(before, now) is told, why


def test_reasons_never_name_a_partner_or_a_contract() -> None:
    case = one(sig(1, partner="ZZCANARY"), sig(2, partner="ZZCANARY2", contract="ZZCANARY3", kind=ENERGY))
    assert "ZZCANARY" not in str(said(case)) + str(case.labels) + str(case.priority_reason)


def test_a_term_begins_on_the_day_of_receipt_in_the_netherlands() -> None:
    late = replace(sig(1), received_at=datetime(2026, 11, 3, 23, 30, tzinfo=UTC))
    assert one(late).offer_by == date(2026, 11, 4) + timedelta(days=28)


# ---------------------------------------------------------------- what the registers say


def registered(kind: str, at: str, **detail: Any) -> Fact:
    """What a register said about the person of case 99."""
    return Fact(
        str(UUID(int=99)),
        kind,
        {"person_id": "", **detail},
        "brp",
        datetime.fromisoformat(f"{at}T12:00:00+00:00"),
    )


@pytest.mark.parametrize(
    ("fact", "when"),
    [
        (registered("resident", "2026-11-04", answer="deceased"), "deceased"),
        (registered("resident", "2026-11-04", answer="moved"), "moved"),
        (registered("known", "2026-11-04", yes=True), "known"),
    ],
)
def test_a_register_ends_a_case_also_one_that_was_taken_up(fact: Fact, when: str) -> None:
    taken = Fact(str(UUID(int=99)), "taken_up", {}, "worker", datetime(2026, 11, 3, 15, tzinfo=UTC))
    for facts in ((fact,), (taken, fact)):
        found = one(sig(1, case=str(UUID(int=99))), facts=facts)
        assert (found.when, found.stands) == (when, False)
        assert found.reasons[-1]["code"] == when
        before = cases.Before(True, found.route.team, found.kind.value, False, frozenset(found.signals))
        assert cases.notify(before, found) is cases.Notify.REGISTER


@pytest.mark.parametrize("answer", ["unique", "deviating", "not_found", "in_onderzoek"])
def test_any_other_answer_leaves_the_case_and_its_terms(answer: str) -> None:
    plain = one(sig(1, case=str(UUID(int=99))))
    found = one(sig(1, case=str(UUID(int=99))), facts=(registered("resident", "2026-11-04", answer=answer),))
    assert (found.when, found.stands, found.offer_by) == (plain.when, True, plain.offer_by)


def test_who_opens_a_case_again_has_judged_what_the_register_said() -> None:
    moved = registered("resident", "2026-11-04", answer="moved")
    again = Fact(str(UUID(int=99)), "reopened", {}, "worker", datetime(2026, 11, 5, tzinfo=UTC))
    assert one(sig(1, case=str(UUID(int=99))), facts=(moved, again)).stands
    later = registered("resident", "2026-11-06", answer="deceased")
    assert one(sig(1, case=str(UUID(int=99))), facts=(moved, again, later)).when == "deceased"


def test_what_a_register_ended_is_nobodys_and_keeps_what_was_done() -> None:
    taken = Fact(str(UUID(int=99)), "taken_up", {}, "worker", datetime(2026, 11, 3, 15, tzinfo=UTC))
    held = one(sig(1, case=str(UUID(int=99))), facts=(taken,))
    assert (held.holder, held.taken_up_at) == ("worker", taken.stated_at)
    ended = one(
        sig(1, case=str(UUID(int=99))), facts=(taken, registered("resident", "2026-11-04", answer="deceased"))
    )
    assert (ended.holder, ended.taken_up_at) == (None, taken.stated_at)


def test_what_a_worker_closed_is_not_ended_by_a_register_once_more() -> None:
    facts = (
        closing(DEBTS, datetime(2026, 11, 5, tzinfo=UTC)),
        registered("resident", "2026-11-06", answer="moved"),
    )
    case = one(sig(1, case=str(UUID(int=99))), facts=facts)
    assert case.when == "closed" and "moved" not in codes(case)


def test_a_register_that_spoke_at_the_moment_of_reopening_was_judged() -> None:
    moved = registered("resident", "2026-11-04", answer="moved")
    again = Fact(str(UUID(int=99)), "reopened", {}, "worker", moved.stated_at)
    assert one(sig(1, case=str(UUID(int=99))), facts=(moved, again)).stands


# ---------------------------------------------------------------- handed over


def test_a_case_that_was_handed_over_is_with_that_team_whatever_the_rules_say() -> None:
    handed = Fact(
        str(UUID(int=99)), "handed_over", {"team": "9901-crisis"}, "w", datetime(2026, 11, 5, tzinfo=UTC)
    )
    before = one(sig(1, case=str(UUID(int=99))))
    case = one(sig(1, case=str(UUID(int=99))), facts=(handed,))
    assert case.route == replace(before.route, team="9901-crisis") and case.stands
    was = Before(True, before.route.team, before.kind.value, False, frozenset(before.signals))
    assert cases.notify(was, case) is Notify.NEW_TEAM


# ---------------------------------------------------------------- what people know: already in debt aid


TAKEN = Fact(str(UUID(int=99)), "taken_up", {}, "w", datetime(2026, 11, 4, tzinfo=UTC))


def known(person: str, yes: bool, hour: int = 0) -> Fact:
    at = datetime(2026, 11, 5, hour, tzinfo=UTC)
    return Fact(str(UUID(int=99)), "known", {"person_id": person, "yes": yes}, "register", at)


def of(person: str, signal: Signal) -> Signal:
    return replace(signal, person_id=person, case_id=str(UUID(int=99)))


@pytest.mark.parametrize(
    ("facts", "when_now", "why"),
    [
        ((), "new", "nobody was asked"),
        ((known("a", True),), "new", "one of two is known: the other one is not helped yet"),
        ((known("a", True), known("b", True)), "known", "both are known"),
        ((known("a", True), known("b", True), known("b", False, 1)), "new", "the last answer about each counts"),
        ((known("a", True), known("b", True), TAKEN), "known", "its worker hears that the counsellor has it"),
    ],
)  # fmt: skip
def test_whoever_debt_aid_knows_is_not_approached_again(
    facts: tuple[Fact, ...], when_now: str, why: str
) -> None:
    signals = (of("a", sig(1)), of("b", sig(2, kind=ENERGY, partner="p2")))
    for given in (facts, facts[::-1]):
        case = one(*signals, facts=given)
        assert case.when == when_now, why
        assert (case.stands, "known" in codes(case)) == (when_now != "known", when_now == "known")
    if when_now == "known":
        assert case.result == case.status == "Inwoner al bekend bij schuldhulpverlening"


def test_a_crisis_of_somebody_known_is_still_taken_up() -> None:
    assert one(of("a", sig(1, kind=ENERGY, crisis=True)), facts=(known("a", True),)).stands
    assert one(of("a", sig(1, warm=True)), facts=(known("a", True),)).stands


# ---------------------------------------------------------------- the window of days


def since(days: int, signal: Signal, kind: SignalType) -> Signal:
    day = (signal.signal_date - timedelta(days=days)).isoformat()
    return replace(signal, facts={**signal.facts, kind.since_field or "": day})


CARE = BUNDLE.types_by_event["nl.vroegsignalen.zorgpremieachterstand-gemeld.v1"][0]


@pytest.mark.parametrize(
    ("days", "municipality", "code", "why"),
    [
        (29, "9901", "too_soon", "a day too few"),
        (30, "9901", None, "both ends count"),
        (100, "9901", None, "both ends count"),
        (101, "9901", "too_old", "a day too many"),
        (101, "9902", None, "there is no window without a council's plan that has one"),
    ],
)
def test_arrears_outside_the_window_are_not_taken_up(
    days: int, municipality: str, code: str | None, why: str
) -> None:
    case = one(since(days, sig(1, kind=CARE, municipality=municipality), CARE))
    assert (case.when == "below_threshold", case.stands) == (code is not None, code is None), why
    if code is not None:
        assert code in codes(case) and case.passed == {str(UUID(int=1)): "below_threshold"}
        text = said(case)["reasons"][-1]
        assert f"{days} dagen" in text["nl"] and "Beleidsplan" in text["en"]
        assert ("minder dan 30" if code == "too_soon" else "meer dan 100") in text["nl"]
        assert case.result == "Niet opgepakt: onterecht signaal"


def test_a_warm_hand_over_and_a_crisis_have_no_window() -> None:
    assert one(since(200, sig(1, kind=CARE, warm=True), CARE)).stands
    assert one(since(1, sig(1, kind=ENERGY, crisis=True), ENERGY)).stands


def test_a_window_that_no_decision_cites_does_not_hold() -> None:
    policy = replace(BUNDLE.municipalities["9901"].policies[DEBTS.id], windows_citation=None)
    case = cases.decide([since(1, sig(1, kind=CARE), CARE)], (), DEBTS, under(policy), NOW)[0]
    assert case.stands and case.passed == {}


def under(policy: Policy) -> Bundle:
    """The declarations with another policy in 9901."""
    town = replace(BUNDLE.municipalities["9901"], policies={DEBTS.id: policy})
    return replace(BUNDLE, municipalities={**BUNDLE.municipalities, "9901": town}, sha256=repr(policy))


def test_what_is_outside_the_window_does_not_make_another_signal_multiple() -> None:
    case = one(sig(1), since(101, sig(2, kind=CARE, partner="p2"), CARE))
    assert (case.kind, case.stands) == (Kind.SINGLE, True) and "too_old" in codes(case)
    assert case.passed == {str(UUID(int=2)): "below_threshold"}


# ---------------------------------------------------------------- the matching moment


ON_THE_8TH = under(replace(Policy(), matching=Moment(8, delivered=False)))


def at(
    day: str,
    *signals: Signal,
    facts: tuple[Fact, ...] = (),
    matched: dict[tuple[str, str], date] | None = None,
) -> Case:
    moment = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    (case,) = cases.decide(signals, facts, DEBTS, ON_THE_8TH, moment, matched=matched or {})
    return case


def test_before_its_matching_moment_a_case_waits_and_nobody_is_told() -> None:
    case = at("2026-11-07", sig(1, amount=1))
    assert (case.when, case.stands, case.waits_until) == ("new", False, date(2026, 11, 8))
    assert codes(case)[-1] == "waits" and "08" in said(case)["reasons"][-1]["nl"]
    assert cases.notify(None, case) is None
    assert case.offer_by == date(2026, 12, 1), "the statutory term counts from receipt all the same"


def test_on_its_matching_moment_the_team_is_told() -> None:
    before, now = at("2026-11-07", sig(1)), at("2026-11-08", sig(1))
    assert (now.stands, now.waits_until, now.matched_on) == (True, None, date(2026, 11, 8))
    was = Before(
        before.stands, before.route.team, before.kind.value, before.crisis, frozenset(before.signals)
    )
    assert cases.notify(was, now) is Notify.NEW_CASE
    assert at("2026-11-20", sig(1, "2026-11-15")).matched_on == date(2026, 11, 15), (
        "what comes later is judged on arrival"
    )


def test_once_every_partner_delivered_nobody_waits_any_longer() -> None:
    done = {("9901", "2026-11"): date(2026, 11, 5)}
    assert at("2026-11-05", sig(1), matched=done).matched_on == date(2026, 11, 5)
    assert at("2026-11-05", sig(1), matched=done).stands
    assert not at("2026-11-05", sig(1), matched={("9902", "2026-11"): date(2026, 11, 5)}).stands


@pytest.mark.parametrize("urgent", [sig(1, kind=ENERGY, crisis=True), sig(1, warm=True)])
def test_a_crisis_and_a_warm_hand_over_never_wait(urgent: Signal) -> None:
    assert at("2026-11-03", urgent).stands and at("2026-11-03", urgent).waits_until is None
    assert at("2026-11-20", urgent).matched_on == local_day(urgent.received_at), "nor are they matched later"


def test_a_case_that_somebody_took_up_does_not_wait() -> None:
    case = at("2026-11-04", sig(1, case=str(UUID(int=99))), facts=(TAKEN,))
    assert (case.stands, case.waits_until, "waits" in codes(case)) == (True, None, False)
    later = at("2026-11-20", sig(1, case=str(UUID(int=99))), facts=(TAKEN,))
    assert case.matched_on == later.matched_on == local_day(TAKEN.stated_at), "it was looked at that day"


def test_signals_that_wait_are_matched_when_one_of_them_cannot() -> None:
    both = (sig(1, "2026-11-02"), sig(2, "2026-11-05", warm=True))
    assert at("2026-11-20", *both).matched_on == date(2026, 11, 5)
    late = (sig(1, "2026-11-02"), sig(2, "2026-11-12", warm=True))
    assert at("2026-11-20", *late).matched_on == date(2026, 11, 8), "the month was matched before"


# ---------------------------------------------------------------- the language that a resident asked for


def asked(language: str, day: int, case: int = 99) -> Fact:
    return Fact(
        str(UUID(int=case)), "language", {"language": language}, "w", datetime(2026, 11, day, tzinfo=UTC)
    )


def test_nobody_has_a_language_until_a_resident_asked_for_one() -> None:
    assert one(sig(1, area="zuid")).labels["language"] == ()


def test_what_the_resident_asked_for_last_decides_who_speaks_with_them_and_nothing_else() -> None:
    def folded(*facts: Fact) -> Case:
        (case,) = cases.decide([sig(1, area="zuid", case=str(UUID(int=99)))], facts, DEBTS, BUNDLE, NOW)
        return case

    plain, polish = folded(), folded(asked("pl", 5), asked("en", 4))
    assert polish.labels["language"] == ("pl",)
    assert (plain.route.team, polish.route.team) == ("9901-vroeg-zuid", "9901-vroeg-noord")
    assert polish.route.path == ("language=pl|ar",)
    assert (polish.priority, polish.offer_by, polish.when, polish.kind) == (
        plain.priority,
        plain.offer_by,
        plain.when,
        plain.kind,
    )
    assert folded(asked("pl", 4), asked("nl", 5)).route == plain.route
    assert folded(asked("pl", 5, case=98)).route == plain.route, "what was said in another case stays there"


def test_a_crisis_goes_to_who_is_there_for_it_in_whatever_language() -> None:
    urgent = sig(1, kind=ENERGY, crisis=True, area="zuid", case=str(UUID(int=99)))
    (case,) = cases.decide([urgent], [asked("pl", 5)], DEBTS, BUNDLE, NOW)
    assert case.route.team == "9901-crisis"


# ---------------------------------------------------------------- what changes on the way


def attempt(day: str, kind: str = "Telefoon") -> Fact:
    detail = {"kind": kind, "reached": False, "day": day, "daypart": "Avond"}
    return Fact(str(UUID(int=99)), "attempt", detail, "w", datetime.fromisoformat(f"{day}T18:00:00+00:00"))


@pytest.mark.parametrize(
    ("facts", "upgraded", "why"),
    [
        ((), False, "planned anew, because nobody was approached"),
        ((attempt("2026-11-12"),), False, "the attempt came when it was multiple already"),
        ((attempt("2026-11-05"),), True, "it became multiple after the first attempt"),
        ((attempt("2026-11-05"), attempt("2026-11-12")), True, "the first attempt counts"),
    ],
)
def test_a_case_that_turns_multiple_is_planned_anew_or_upgraded(
    facts: tuple[Fact, ...], upgraded: bool, why: str
) -> None:
    signals = (
        sig(1, case=str(UUID(int=99))),
        sig(2, "2026-11-10", kind=ENERGY, partner="p2", case=str(UUID(int=99))),
    )
    assert one(*signals, facts=facts).upgraded is upgraded, why
    assert not one(signals[0], facts=facts).upgraded
    alarm = sig(1, "2026-11-10", kind=ENERGY, crisis=True, case=str(UUID(int=99)))
    assert one(alarm, facts=facts).upgraded is upgraded


def test_without_an_attempt_nothing_is_upgraded_and_at_the_same_moment_neither() -> None:
    both = (
        sig(1, case=str(UUID(int=99))),
        sig(2, "2026-11-10", kind=ENERGY, partner="p2", case=str(UUID(int=99))),
    )
    assert not one(*both, facts=(TAKEN,)).upgraded
    tried = replace(attempt("2026-11-10"), stated_at=both[1].received_at)
    assert not one(*both, facts=(tried,)).upgraded


def test_a_third_signal_after_the_attempt_upgrades_nothing_that_was_multiple() -> None:
    three = [
        sig(n, day, kind=kind, partner=f"p{n}", case=str(UUID(int=99)))
        for n, day, kind in ((1, "2026-11-03", RENT), (2, "2026-11-04", ENERGY), (3, "2026-11-20", CARE))
    ]
    assert not one(*three, facts=(attempt("2026-11-10"),)).upgraded


def test_the_last_letter_counts_for_the_address_whichever_case_it_was_for() -> None:
    october = replace(attempt("2026-10-28", "Brief"), case_id=str(UUID(int=98)))
    signals = (sig(1, "2026-10-03", case=str(UUID(int=98))), sig(2, case=str(UUID(int=99))))
    facts = (
        october,
        attempt("2026-10-30"),
        replace(attempt("2026-10-20", "Brief"), case_id=str(UUID(int=98))),
    )
    assert [case.last_letter for case in debts(*signals, facts=facts)] == [date(2026, 10, 28)] * 2
    assert one(sig(2)).last_letter is None


# ---------------------------------------------------------------- one address is not one family


def test_multiple_counts_the_address_and_each_contract_holder_stands_apart() -> None:
    case = one(
        of("a", sig(1)), of("b", sig(2, kind=ENERGY, partner="p2")), of("a", sig(3, kind=CARE, partner="p3"))
    )
    assert (case.kind, case.people) == (Kind.MULTIPLE, (("a",), ("b",)))


def test_a_relation_that_a_worker_confirmed_puts_people_together() -> None:
    signals = [of(name, sig(n, partner=f"p{n}")) for n, name in enumerate("abcd", 1)]
    tie = [
        Fact(
            str(UUID(int=99)),
            "related",
            {"person_id": x, "other_id": y},
            "w",
            datetime(2026, 11, 5, tzinfo=UTC),
        )
        for x, y in (("c", "a"), ("a", "c"), ("d", "elsewhere"), ("c", "d"))
    ]
    for facts in (tuple(tie), tuple(tie[::-1])):
        assert one(*signals, facts=facts).people == (("a", "c", "d"), ("b",))


def test_people_stand_in_the_order_in_which_they_were_signalled() -> None:
    signals = [of(name, sig(n, partner=f"p{n}")) for n, name in enumerate("ba", 1)]
    assert one(*signals).people == (("b",), ("a",))
    tie = Fact(
        str(UUID(int=99)),
        "related",
        {"person_id": "a", "other_id": "b"},
        "w",
        datetime(2026, 11, 5, tzinfo=UTC),
    )
    assert one(*signals, facts=(tie,)).people == (("b", "a"),)


# ---------------------------------------------------------------- the status of one signal, for DDAS


@pytest.mark.parametrize(
    ("when", "passed", "taken_up", "withdrawn", "state"),
    [
        ("new", None, False, False, "new"),
        ("new", "repeat", False, False, "repeat"),
        ("taken_up", "repeat", True, False, "repeat"),
        ("closed", None, True, False, "taken_up"),
        ("deceased", None, True, False, "taken_up"),
        ("deceased", None, False, False, "deceased"),
        ("new", None, False, True, "other"),
        ("withdrawn", None, False, False, "other"),
        ("withdrawn", None, True, True, "taken_up"),
    ],
)
def test_a_signal_has_a_status_of_its_own(
    when: str, passed: str | None, taken_up: bool, withdrawn: bool, state: str
) -> None:
    assert cases.signal_when(when, passed, taken_up, withdrawn) == state


# ---------------------------------------------------------------- absence: sorts, and reports that come late


def absence(number: int, received: str, **facts: str) -> Signal:
    return replace(absent(number, received), facts=facts)


@pytest.mark.parametrize(
    ("facts", "received", "late", "why"),
    [
        ({"verzuimsoort": "V3", "einddatum": "2026-11-06"}, "2026-11-13", False, "five working days after a Friday"),
        ({"verzuimsoort": "V3", "einddatum": "2026-11-06"}, "2026-11-16", True, "the sixth"),
        ({"verzuimsoort": "V3", "begindatum": "2026-10-01"}, "2026-11-16", False, "it has not ended"),
        ({"verzuimsoort": "V3", "einddatum": "2026-12-24"}, "2027-01-04", False, "over Christmas and New Year"),
        ({"verzuimsoort": "V3", "einddatum": "2026-12-24"}, "2027-01-05", True, "and a day more"),
        ({"verzuimsoort": "L", "begindatum": "2026-11-02"}, "2026-11-16", True, "a holiday counts from its first day"),
        ({"verzuimsoort": "O", "einddatum": "2026-01-01"}, "2026-11-16", False, "what nobody must report is never late"),
        ({}, "2026-11-16", False, "nothing is known"),
    ],
)  # fmt: skip
def test_a_late_report_is_told_and_never_refused(
    facts: dict[str, str], received: str, late: bool, why: str
) -> None:
    case = school(absence(1, received, **facts))[0]
    assert case.stands and ("late" in codes(case)) is late, why
    if late:
        ended = facts.get("einddatum") or facts["begindatum"]
        assert (
            said(case)["reasons"][-1]["nl"]
            == f"Te laat gemeld: meer dan 5 werkdagen na het verzuim ({ended})."
        )


def test_sorts_of_absence_are_labels_that_a_route_can_ask_for() -> None:
    case = school(absence(1, "2026-11-03", verzuimsoort="V3"), absence(2, "2026-11-05", verzuimsoort="LRV"))[
        0
    ]
    assert case.labels["sort"] == ("langdurig", "zestien_uur")
    assert one(sig(1)).labels["sort"] == ()


def test_absence_is_routed_by_where_the_pupil_lives_and_no_school_is_a_label() -> None:
    """The municipality and the area come from the pupil's address; which school it is, is a fact no rule can ask for."""
    for town in ("9901", "9902"):
        found = {
            school(replace(absence(1, "2026-11-03", brin=brin), municipality=town))[0].route
            for brin in ("00AP00", "01XY")
        }
        (way,) = found
        team = BUNDLE.team(way.team)
        assert team is not None and (team.municipality, team.purpose) == (town, SCHOOL.id)
    (case,) = school(absence(1, "2026-11-03", brin="00AP00"), absence(2, "2026-11-05", brin="01XY"))
    assert "00AP00" not in str(case.labels), "and a pupil who changes school is one case"


def test_each_new_report_joins_the_open_case() -> None:
    months = [
        absence(n, f"2026-{month:02d}-03", verzuimsoort="V3") for n, month in enumerate(range(3, 12), 1)
    ]
    (case,) = school(*months)
    assert len(case.signals) == 9 and case.kind is Kind.MULTIPLE


# ---------------------------------------------------------------- a type that is declared no more


def test_a_signal_of_a_type_that_is_declared_no_more_stands_in_its_case_and_nothing_is_known_of_it() -> None:
    document = {**BUNDLE.document, "signal_types": dict(BUNDLE.document["signal_types"])}
    del document["signal_types"][ENERGY.id]
    bundle = Bundle.load(document)
    gone = sig(2, "2026-11-10", THRESHOLD + 500, kind=ENERGY, partner="p2", crisis=True)
    (case,) = cases.decide([sig(1, amount=1), gone], (), DEBTS, bundle, NOW)
    assert (len(case.signals), case.kind, case.crisis, case.stands) == (2, Kind.MULTIPLE, False, True)
    (alone,) = cases.decide([gone], (), DEBTS, bundle, NOW)
    assert alone.stands and codes(alone) == ["single"], "somebody's work stays somebody's work"


# ---------------------------------------------------------------- why signals were taken back


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], Notify.WITHDRAWN),
        ([None], Notify.WITHDRAWN),
        (["paid", None], Notify.PAID),
        (["plan_agreed"], Notify.PLAN_AGREED),
        (["paid", "plan_agreed"], Notify.PAID),
        (["paid", "wrong_person"], Notify.WRONG_PERSON),
    ],
)
def test_why_signals_were_taken_back_is_told(words: list[str | None], told: Notify) -> None:
    assert cases.withdrawn_because(words) is told
    before = replace(BEFORE, signals=frozenset({str(UUID(int=1)), str(UUID(int=2))}))
    assert cases.notify(before, one(sig(1)), told) is told
    assert cases.notify(before, one(sig(1, amount=1)), told) is told
