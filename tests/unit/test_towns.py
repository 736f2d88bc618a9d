"""The hard cases of recognition are in the towns, about as often as `registers.yaml` says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from random import Random

import pytest

from bereik.fiction.people import names
from bereik.fiction.towns import Household, Resident, Town, rules

FIRST = date(2025, 1, 1)


@pytest.fixture(scope="module")
def buildings() -> list[list[Household]]:
    town = Town([f"1234{one}{two}" for one in "ABCDEFGH" for two in "ABCDEFGH"], Random("a town"))
    return [town.building() for _ in range(9_000)]


@pytest.fixture(scope="module")
def households(buildings: list[list[Household]]) -> list[Household]:
    return [household for building in buildings for household in building]


def everybody(households: Iterable[Household]) -> list[Resident]:
    return [one for household in households for one in (*household.members, *household.others)]


def initial(one: Resident) -> str:
    return one.who.given[0][0]


def at(one: Resident) -> tuple[str, int]:
    home = one.homes[0][1]
    return home.postcode, home.house_number


def test_relatives_at_one_address(households: list[Household]) -> None:
    """Twins share a birth date; a parent and a child often an initial, and some children all the given names."""
    pairs = [
        (h.members[0], h.others[0]) for h in households if len(h.members) == len(h.others) == 1 and not h.joint
    ]  # fmt: skip
    kin = [(a, b) for a, b in pairs if a.who.surname == b.who.surname or a.who.given[0] == b.who.surname]
    twins = [(a, b) for a, b in kin if a.who.birth_date == b.who.birth_date]
    assert 0.001 < len(twins) / len(households) < 0.006
    parents = [
        (a, b) for a, b in kin if abs((a.who.birth_date - b.who.birth_date).days) > 17 * 365
    ]  # fmt: skip
    assert 0.008 < len(parents) / len(households) < 0.03
    assert any(initial(a) == initial(b) and a.who.sex == b.who.sex for a, b in parents)
    assert any(a.who.given == b.who.given for a, b in parents)
    assert any(initial(a) == initial(b) for a, b in twins)


def test_a_patronymic_is_the_name_of_the_father(households: list[Household]) -> None:
    families = [
        (h.members[0].who, h.others[0].who)
        for h in households
        if h.others and len(h.members) == 1 and h.members[0].who.origin == h.others[0].who.origin == "er"
    ]
    assert any(child.surname == parent.given[0] for parent, child in families)


def test_relatives_and_strangers_in_one_flat(buildings: list[list[Household]]) -> None:
    neighbours = flats = 0
    for building in buildings:
        if len(building) < 2:
            continue
        homes = [household.members[0].homes[0][1] for household in building]
        assert len({(home.letter, home.addition, home.house_number) for home in homes}) == len(homes)
        same_number = len({home.house_number for home in homes}) == 1
        flats += same_number and len(homes) > 2
        surnames = [household.members[0].who.surname for household in building]
        neighbours += len(set(surnames)) < len(surnames)
    assert flats / len(buildings) > 0.05
    assert 0.01 < neighbours / len(buildings) < 0.08


def test_many_unrelated_people_at_one_address(households: list[Household]) -> None:
    crowds = [household for household in households if not household.members]
    sizes = sorted(len(household.others) for household in crowds)
    assert sizes[0] >= 3 and sizes[-1] >= 50
    for household in crowds:
        assert len({at(one) for one in household.others}) == 1
        assert len({one.who.surname for one in household.others}) > len(household.others) / 2


def test_an_office_is_the_address_of_some_fifty_households(households: list[Household]) -> None:
    cared_for = [h for h in households if h.members and h.members[0].administrator]
    offices = Counter(id(h.members[0].administrator) for h in cared_for)
    assert 0.010 < len(cared_for) / len(households) < 0.028
    assert max(offices.values()) == rules()["administrator_homes"]
    known = cared_for[0].members[0].known(FIRST, at_office=True)
    assert known.home == cared_for[0].members[0].administrator.home  # type: ignore[union-attr]
    assert cared_for[0].members[0].known(FIRST, at_office=False).home == cared_for[0].members[0].homes[0][1]


def test_people_move_marry_and_part(households: list[Household]) -> None:
    people = everybody(households)
    moved = [one for one in people if len(one.homes) > 1]
    assert 0.7 < len(moved) / len(people) / rules()["households_rates"]["moved"] < 1.2
    one = moved[0]
    day, new = one.homes[1]
    assert one.known(day, False).home == new != one.known(FIRST, False).home
    assert any([naming for _, naming in one.namings][-1] == "own" and len(one.namings) == 2 for one in people)
    assert any(one.namings[0][1] == "own" and len(one.namings) == 2 for one in people)
    women = [one for one in people if one.who.sex == "f" and one.partner_name[1]]
    used = Counter(one.namings[0][1] for one in women)
    assert set(used) == {"own", "partner", "own-partner", "partner-own"}


def test_the_first_of_january_is_for_some_origins(households: list[Household]) -> None:
    born: Counter[tuple[str, bool]] = Counter()
    for one in everybody(households):
        born[one.who.origin, (one.who.birth_date.month, one.who.birth_date.day) == (1, 1)] += 1

    def share(origin: str) -> float:
        return born[origin, True] / (born[origin, True] + born[origin, False])

    for origin in ("sy", "er"):
        expected = names().origins[origin]["first_of_january"]
        assert 0.6 * expected < share(origin) < 1.5 * expected
    assert share("nl") < 0.015


def test_telephones_and_mail_are_shared_in_families_only(households: list[Household]) -> None:
    holders: dict[str, set[int]] = {}
    for number, household in enumerate(households):
        for one in (*household.members, *household.others):
            for phone in (phone for _, phones in one.phones for phone in phones):
                holders.setdefault(phone, set()).add(number)
                assert phone[:4] in ("0699", "0999") and len(phone) == 10
            assert not one.email or one.email.endswith("@post.example")
    assert max(len(numbers) for numbers in holders.values()) == 1
    shared = [
        h for h in households
        if len(h.members) == 2 and h.members[0].phones[0][1] and h.members[0].phones == h.members[1].phones
    ]  # fmt: skip
    assert shared


def test_names_have_few_that_many_bear_and_many_that_few_bear() -> None:
    known, chance = names(), Random("names")
    found = Counter(known.surname("nl", chance) for _ in range(20_000))
    assert len(found) > 3_000
    assert 0.01 < found["de", "Jong"] / 20_000 < 0.05
    assert found["de", "Jong"] > 3 * found["van", "Zoelen"]
    for origin in known.origins:
        given = Counter(
            known.given(origin, sex, year, chance)[0][0]
            for sex in "mf"
            for year in (1950, 1995)
            for _ in range(900)
        )
        assert len(given) >= 60, origin
        assert sum(one["share"] for one in known.origins.values()) == 100


def test_a_polish_woman_has_her_own_form() -> None:
    assert names().feminine("pl", "Kowalski") == "Kowalska"
    assert names().feminine("pl", "Nowak") == "Nowak"
