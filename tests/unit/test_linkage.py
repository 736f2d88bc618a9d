"""Who a record is about: how two records compare, what that weighs, and when nobody may be guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bereik import linkage
from bereik.bundle import Bundle
from bereik.linkage import Decision, Identity, Look, Outcome, Reason, Traits

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
RULES = BUNDLE.linkage
TODAY = date(2026, 3, 1)
ONE, TWO, THREE = (str(UUID(int=number)) for number in (1, 2, 3))

WHO = {
    "surname": "Testman",
    "initials": "J.P.",
    "birth_date": "1980-02-03",
    "postcode": "1234AB",
    "house_number": "12",
    "house_number_addition": "A",
    "phone": "0699000123",
    "email": "j.testman@post.example",
}


def traits(**changes: Any) -> Traits:
    fields = {key: value for key, value in {**WHO, **changes}.items() if value is not None}
    return linkage.traits(Identity(fields), TODAY)


def level(comparison: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    return linkage.level(comparison, traits(**one), traits(**other), RULES)


@pytest.mark.parametrize(
    ("comparison", "one", "other", "found"),
    [
        ("surname", {}, {"surname": "TESTMAN", "prefix": "van der"}, "same"),
        ("surname", {"surname": "Testman-Bakker"}, {"surname": "Bakker-Testman"}, "same"),
        ("surname", {"surname": "Testman-Bakker"}, {}, "shared"),
        ("surname", {}, {"surname": "Testmann"}, "alike"),
        ("surname", {"surname": "Kaya"}, {"surname": "Kaaya"}, "alike"),
        ("surname", {"surname": "Vos"}, {"surname": "Bos"}, "different"),
        ("surname", {}, {"surname": "Bakker"}, "different"),
        ("surname", {}, {"surname": None}, None),
        ("given", {"first_names": "Johannes"}, {"first_names": "Jan", "initials": None}, "name"),
        ("given", {}, {"initials": "JP"}, "initials"),
        ("given", {"first_names": "Fatima"}, {"first_names": "Fatyma"}, "spelt"),
        (
            "given",
            {"first_names": "Dirk", "initials": "D"},
            {"first_names": "Dagmar", "initials": "D"},
            "other",
        ),
        ("given", {"initials": "J."}, {"initials": "J"}, "single"),
        ("given", {}, {"initials": "J"}, "begin"),
        ("given", {"first_names": "Johannes", "initials": None}, {"initials": "H."}, "called"),
        ("given", {}, {"initials": "P.J."}, "some"),
        ("given", {}, {"initials": "T.", "email": "jan.testman7@post.example"}, "mailed"),
        ("given", {"email": None}, {"initials": "H.", "email": None}, "nick"),
        ("given", {}, {"initials": "Q.", "email": None}, "letter"),
        ("given", {"first_names": "Dagmar", "initials": None}, {"initials": "K."}, "different"),
        ("given", {}, {"initials": None}, None),
        ("birth", {}, {"birth_date": "03-02-1980"}, "same"),
        ("birth", {}, {"birth_date": "1980-03-02"}, "swapped"),
        ("birth", {}, {"birth_date": "1981-02-03"}, "two_parts"),
        ("birth", {}, {"birth_date": "1980-00-00"}, "partly"),
        ("birth", {}, {"birth_date": "1975-11-30"}, "different"),
        ("birth", {"birth_date": "1976-01-01"}, {"birth_date": "2003-01-01"}, "different"),
        ("birth", {}, {"birth_date": None}, None),
        ("address", {}, {"house_number": "12a", "house_number_addition": None}, "unit"),
        ("address", {}, {"house_number_addition": None}, "blank"),
        ("address", {}, {"house_number_addition": "B"}, "flat"),
        ("address", {}, {"house_number": "21"}, "slip"),
        ("address", {}, {"house_number": "14"}, "postcode"),
        ("address", {}, {"postcode": "1234ZZ"}, "district"),
        ("address", {}, {"postcode": "9999ZZ"}, "different"),
        ("address", {}, {"postcode": None}, None),
        ("contact", {}, {"phone": "+31 6 99 00 01 23", "email": "J.Testman@Post.Example "}, "both"),
        ("contact", {}, {"phone": None}, "email"),
        ("contact", {}, {"email": "ander@post.example"}, "phone"),
        ("contact", {}, {"phone": "0699000999", "email": None}, "different"),
        ("contact", {"phone": None}, {"email": None}, None),
        ("birth", {"birth_date": "1980-01-01"}, {"birth_date": "1980-07-19"}, "new_year"),
    ],
)
def test_the_level_of_a_comparison(
    comparison: str, one: dict[str, Any], other: dict[str, Any], found: str | None
) -> None:
    assert level(comparison, one, other) == found
    assert level(comparison, other, one) == found, "a comparison has no direction"


def test_a_birth_date_in_the_future_says_nothing() -> None:
    assert traits(birth_date="2031-01-01").birth == (0, 0, 0)


def test_who_shares_a_door_is_weighed_by_another_model_than_strangers() -> None:
    assert linkage.model_of(traits(), traits()) == linkage.SAME_ADDRESS
    assert linkage.model_of(traits(), traits(house_number_addition=None)) == linkage.SAME_ADDRESS
    assert linkage.model_of(traits(), traits(house_number_addition="B")) == linkage.NEARBY
    assert linkage.model_of(traits(), traits(house_number="14")) == linkage.NEARBY
    assert linkage.model_of(traits(), traits(postcode=None)) == linkage.ELSEWHERE


def test_relatives_behind_another_door_of_a_flat_are_not_linked_and_a_wrong_digit_is() -> None:
    """One surname and one initial in one postcode: the number says which of the two it is."""
    known = {"birth_date": None, "phone": None, "email": None, "initials": "J."}
    one = traits(**known)
    assert linkage.zone(linkage.weigh(one, traits(**known, house_number="21"), RULES), RULES) is Outcome.LINK
    next_door = linkage.weigh(one, traits(**known, house_number_addition="B"), RULES)
    assert linkage.zone(next_door, RULES) is not Outcome.LINK


def test_who_moved_is_found_by_a_surname_and_two_initials() -> None:
    moved = traits(birth_date=None, phone=None, email=None, postcode="9999ZZ")
    assert set(linkage.keys(traits(), RULES)) & set(linkage.keys(moved, RULES))


def test_the_weight_is_the_prior_and_the_sum_of_the_parts() -> None:
    weight = linkage.weigh(traits(), traits(phone=None, email=None), RULES)
    assert weight.total == pytest.approx(RULES.models[weight.model].prior + sum(weight.parts.values()))
    assert "contact" not in weight.parts and weight.levels["contact"] is None


def test_a_common_name_weighs_less_than_a_rare_one() -> None:
    model = RULES.models[linkage.ELSEWHERE]
    rules = replace(
        RULES,
        models={
            **RULES.models,
            linkage.ELSEWHERE: replace(
                model, frequencies={"surname": {"testman": 0.5}}, bases={"surname": 0.01}
            ),
        },
    )
    common = [traits(postcode="1234AB"), traits(postcode="4321BA")]
    rare = [traits(postcode=one.postcode, surname="Zeldenrust") for one in common]
    assert linkage.weigh(*common, rules).total < linkage.weigh(*rare, rules).total


# ---------------------------------------------------------------- deciding


def decide(
    one: Traits, *persons: list[Traits], apart: set[str] | None = None, crowded: bool = False
) -> Decision:
    known = {
        str(UUID(int=place)): [Look(str(UUID(int=100 * place + n)), look) for n, look in enumerate(looks)]
        for place, looks in enumerate(persons, 1)
    }
    return linkage.decide(one, known, RULES, lambda person, other: person in (apart or set()), crowded)


def test_the_same_person_is_linked_and_says_against_whom() -> None:
    found = decide(traits(initials="J", phone=None), [traits()])
    assert (found.outcome, found.person, found.against) == (Outcome.LINK, ONE, str(UUID(int=100)))
    assert found.weight is not None and found.weight >= RULES.link


def test_nobody_known_is_new() -> None:
    assert decide(traits()).reason is Reason.UNSEEN


def test_a_stranger_at_the_same_door_is_new() -> None:
    stranger = traits(surname="Bakker", initials="K.", birth_date="1999-09-09", phone=None, email=None)
    assert decide(stranger, [traits()]).outcome is Outcome.NEW


def test_another_birth_date_is_never_linked_by_itself() -> None:
    """Father and son: the same name, the same door, the same telephone."""
    found = decide(traits(birth_date="2004-06-07"), [traits()])
    assert found.outcome is not Outcome.LINK


def test_one_look_that_contradicts_keeps_a_record_from_a_person() -> None:
    without = traits(birth_date=None)
    found = decide(traits(birth_date="2004-06-07"), [traits(), without])
    assert found.outcome is not Outcome.LINK


def test_another_first_name_of_the_same_person_contradicts_nothing() -> None:
    """Known as "J." and as "J.P.", and by the second name here: each look alone would be two people, together they are one."""
    by_second_name = traits(initials="P.", phone=None, email=None)
    first_only = traits(initials="J.", phone=None, email=None)
    assert decide(by_second_name, [first_only]).reason is Reason.CONTRADICTED
    assert decide(by_second_name, [first_only, traits()]).outcome is Outcome.LINK


def test_a_surname_that_resembles_says_which_household_and_not_who() -> None:
    hers = traits(surname="Testman-Bakker", initials=None, birth_date=None, phone=None, email=None)
    slip = traits(surname="Tesstman", initials="J.", phone=None, email=None)
    for one in (hers, traits(surname="Testmann", initials=None, birth_date=None, phone=None, email=None)):
        assert decide(one, [slip]).outcome is not Outcome.LINK


def test_a_call_name_is_no_contradiction_where_the_birth_date_and_more_agree() -> None:
    """Johannes is J. in his passport and Hans to everybody; a twin has a telephone and a mail address of his own."""
    known = traits(initials="J.", email=None)

    def outcome(**changes: Any) -> Outcome:
        return decide(traits(**({"initials": "H.", "email": None} | changes)), [known]).outcome

    assert outcome() is Outcome.LINK
    assert outcome(phone=None, email="jan.testman7@post.example") is Outcome.LINK
    assert outcome(phone=None) is Outcome.REVIEW
    assert outcome(birth_date=None) is Outcome.REVIEW
    assert outcome(initials="Q.") is Outcome.REVIEW


def test_what_a_couple_shares_links_nobody_at_one_door() -> None:
    only = {"birth_date": None, "email": None}
    pairs = [
        (traits(initials="J.", surname="Bakker", **only), traits(initials="J.", **only)),
        (
            traits(initials="J.", surname="Testman-Bakker", phone=None, **only),
            traits(phone=None, **only),
        ),
        (
            traits(initials="D.", first_names="Dirk", phone=None, **only),
            traits(initials="D.", first_names="Dagmar", phone=None, **only),
        ),
    ]
    for one, other in pairs:
        assert linkage.zone(linkage.weigh(one, other, RULES), RULES) is not Outcome.LINK


def test_a_birth_date_and_a_surname_that_resembles_link_nobody_at_two_doors() -> None:
    moved = traits(postcode="9999ZZ", phone=None, email=None, initials=None, surname="Testmann")
    assert linkage.zone(linkage.weigh(traits(), moved, RULES), RULES) is not Outcome.LINK


def test_a_name_alone_links_nobody_at_two_doors() -> None:
    here = traits(surname="Zeldenrust", birth_date=None, phone=None, email=None)
    there = here._replace(postcode="4321BA", number=3)
    assert decide(here, [there]).outcome is not Outcome.LINK
    assert (
        decide(here._replace(birth=(1980, 2, 3)), [there._replace(birth=(1980, 2, 3))]).outcome
        is Outcome.LINK
    )


def test_a_letter_and_nearly_a_birth_date_link_nobody_at_two_doors() -> None:
    """Two children with one surname and initial, one born on 8 July and one on 7 August, in towns apart."""
    ours = {"phone": None, "email": None, "birth_date": "2018-07-08", "surname": "Zeldenrust"}
    theirs = ours | {"birth_date": "2018-08-07", "postcode": "9999ZZ", "house_number": "85"}
    assert (
        decide(traits(**ours, initials="J."), [traits(**theirs, initials="J.")]).outcome is not Outcome.LINK
    )
    assert (
        decide(traits(**ours, initials="J.B."), [traits(**theirs, initials="J.B.")]).outcome is Outcome.LINK
    )
    same_day = theirs | {"birth_date": ours["birth_date"]}
    assert decide(traits(**ours, initials="J."), [traits(**same_day, initials="J.")]).outcome is Outcome.LINK


def test_behind_a_crowded_door_the_surname_tells_people_apart() -> None:
    """Lodgers share the door and the telephone; one of them who is written in another way is still found."""
    known = traits(birth_date=None, email=None, phone=None)
    again = traits(birth_date="1980-02-03", email=None, initials="J.", phone=None)
    lodger = traits(surname="Bakker", birth_date=None, email=None)
    other = traits(birth_date=None, email=None)
    assert decide(again, [known], crowded=True).outcome is Outcome.LINK
    assert decide(lodger, [other]).outcome is Outcome.LINK
    assert decide(lodger, [other], crowded=True).outcome is not Outcome.LINK


def test_between_two_people_who_fit_nobody_is_guessed() -> None:
    father, son = traits(), traits(birth_date="2004-06-07")
    found = decide(traits(birth_date=None), [father], [son])
    assert found.outcome is not Outcome.LINK
    assert found.reason in (Reason.SEVERAL, Reason.DOUBT)


def test_a_record_that_was_written_exactly_so_before_goes_where_it_was() -> None:
    father, son = traits(), traits(birth_date="2004-06-07")
    found = decide(traits(birth_date=None), [father, traits(birth_date=None)], [son])
    assert (found.outcome, found.person) == (Outcome.LINK, ONE)


def test_two_persons_who_turn_out_to_be_one_are_merged() -> None:
    """She moved: one partner knows her old address, another her new one, and this record holds what ties them."""
    old = traits(birth_date=None, initials="J.P.")
    new = traits(postcode="4321BA", house_number="3", phone=None)
    found = decide(traits(), [old], [new])
    assert found.outcome is Outcome.LINK and {found.person, *found.merge} == {ONE, TWO}


def test_persons_are_merged_only_when_all_of_them_may_be_one() -> None:
    """What a telephone alone ties fits both; neither of these two is the other, whoever stands first."""
    vague = traits(birth_date=None, initials=None)
    persons = {
        ONE: [Look(ONE, traits(birth_date=None))],
        TWO: [Look(TWO, traits())],
        THREE: [Look(THREE, traits(birth_date="1961-11-30"))],
    }
    for order in permutations(persons):
        found = linkage.decide(
            vague, {name: persons[name] for name in order}, RULES, lambda one, other: False
        )
        assert not {TWO, THREE} <= {found.person, *found.merge}


def test_what_a_person_decided_stands() -> None:
    assert decide(traits(), [traits()], apart={ONE}).outcome is not Outcome.LINK


@pytest.mark.parametrize(
    "fields",
    [
        {"phone": "0699000123"},
        {"surname": "x" * 300},
        {"surname": "Testman"},
        {"birth_date": "2099-01-01"},
        {"house_number": "twaalf"},
        {},
    ],
)
def test_too_little_is_never_a_guess(fields: dict[str, str]) -> None:
    one = linkage.traits(Identity(fields), TODAY)
    assert decide(one, [traits()], [one]).outcome in (Outcome.NEW, Outcome.REVIEW)


def test_nothing_prints_a_value() -> None:
    assert "estman" not in f"{traits()!r} {Identity(WHO)!r} {linkage.weigh(traits(), traits(), RULES)!r}"
    assert "estman" not in repr(Look(ONE, traits()))
