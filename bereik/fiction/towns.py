"""Towns of fictional people: who lives where with whom, and what of that changes. Every rate is in `registers.yaml`.

The hard cases of recognition are made here: twins, a father and a son with one initial, relatives next door, flats, lodgers,
students, shelters, an administrator's office as everybody's address, people who move, marry and part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any, Final

import yaml

from bereik.fiction.clerks import Home, Known
from bereik.fiction.people import Person, Wheel, mailbox, names

_NOBODY: Final = ("", "")


@lru_cache(maxsize=1)
def rules() -> Mapping[str, Any]:
    """Shares and rates, as `registers.yaml` holds them."""
    found: Mapping[str, Any] = yaml.safe_load(
        (Path(__file__).parent / "registers.yaml").read_text(encoding="utf-8")
    )
    return found


@dataclass(slots=True, eq=False)
class Resident:
    """Somebody through the months: each list holds what was so from a day on, the oldest first."""

    who: Person
    homes: list[tuple[date, Home]]
    namings: list[tuple[date, str]]
    phones: list[tuple[date, tuple[str, ...]]]
    partner_name: tuple[str, str] = _NOBODY
    email: str = ""
    business: str = ""
    known_birth: int = 3
    administrator: Administrator | None = None

    def known(self, on: date, at_office: bool) -> Known:
        """What was so on that day; the address and telephone of an administrator for those who write there."""
        office = self.administrator
        return Known(
            self.who,
            office.home if office and at_office else _on(self.homes, on),
            _on(self.namings, on),
            self.partner_name,
            (office.phone,) if office else _on(self.phones, on),
            office.email if office else self.email,
            self.business,
            self.known_birth,
        )


@dataclass(frozen=True, slots=True)
class Administrator:
    """An office that takes care of the money of some fifty households, and of their post."""

    home: Home
    phone: str
    email: str


@dataclass(slots=True)
class Household:
    """The people of a home who are reported: `members` share contracts, each of the `others` has its own."""

    members: list[Resident]
    joint: bool = False
    others: list[Resident] = field(default_factory=list)


def _on(states: Sequence[tuple[date, Any]], on: date) -> Any:
    found = states[0][1]
    for since, state in states[1:]:
        if since <= on:
            found = state
    return found


class Town:
    """Builds houses and fills them, for ever. The same postcodes and chance build the same town."""

    def __init__(self, postcodes: Sequence[str], chance: Random) -> None:
        self.rules, self.names = rules(), names()
        self._chance, self._postcodes = chance, postcodes
        self._first = date.fromisoformat(str(self.rules["first_day"]))
        self._days = int(self.rules["months"]) * 365 // 12
        self._next_number: dict[str, int] = {}
        self._buildings = Wheel({name: float(one["share"]) for name, one in self.rules["buildings"].items()})
        self._compositions = Wheel({name: float(s) for name, s in self.rules["households"].items()})
        self._naming = Wheel(self.rules["people"]["naming"])
        self._people = self._homes = self._phones = self._administered = 0
        self._offices: list[Administrator] = []

    # ------------------------------------------------------------ homes

    def building(self) -> list[Household]:
        """The reported households of the next building."""
        chance = self._chance
        kind = self._buildings.spin(chance)
        rule = self.rules["buildings"][kind]
        wanted = self._between(rule["homes"])
        homes = self._building_homes(kind, max(1, wanted))
        found: list[Household] = []
        for home in homes[:wanted]:
            family = None
            if found and chance.random() < rule.get("surname", 0):
                before = found[0].members[0].who
                family = (before.origin, before.prefix, before.surname)
            found.append(self._household(home, family))
        if "others" in rule:
            household = found[0] if found else Household([])
            for _ in range(self._between(rule["others"])):
                household.others.append(self._resident(self._person(self.names.origin(chance)), homes[0]))
            if kind == "students":
                for one in household.others:
                    one.who.birth_date = self._birth_date(18, 27, 21)
            if not found:
                found.append(household)
        return found

    def _between(self, bounds: Sequence[int]) -> int:
        low, high = bounds
        return int(low) + int(self._chance.random() * (high - low + 1))

    def _building_homes(self, kind: str, wanted: int) -> list[Home]:
        chance, rules = self._chance, self.rules
        postcode = self._postcodes[int(chance.random() * len(self._postcodes))]
        number = self._next_number.get(postcode, 1 + int(chance.random() * 40))
        self._next_number[postcode] = number + 1 + int(chance.random() * 5) + (kind == "neighbours") * 2
        if kind == "flat":
            if chance.random() < rules["flat_letters"]:
                doors = [(letter, "") for letter in "ABCDEFGH"]
            else:
                styles = rules["flat_additions"]
                doors = [("", addition) for addition in styles[int(chance.random() * len(styles))]]
            return [
                self._home(postcode, number, *door) for door in chance.sample(doors, min(wanted, len(doors)))
            ]
        if kind == "neighbours":
            if chance.random() < 0.5:
                return [self._home(postcode, number), self._home(postcode, number + 2)]
            return [self._home(postcode, number, "", "1"), self._home(postcode, number, "", "2")]
        letter = "ABCDE"[int(chance.random() * 5)] if chance.random() < rules["house_letter"] else ""
        addition = ""
        if chance.random() < rules["house_addition"]:
            addition = rules["additions"][int(chance.random() * len(rules["additions"]))]
        return [self._home(postcode, number, letter, addition)]

    def _home(self, postcode: str, number: int, letter: str = "", addition: str = "") -> Home:
        self._homes += 1
        return Home(self._homes, postcode, number, letter, addition)

    # ------------------------------------------------------------ people

    def _birth_date(self, youngest: float, oldest: float, common: float) -> date:
        age = self._chance.triangular(youngest, oldest, common)
        return self._first - timedelta(days=int(age * 365.25))

    def _person(self, origin: str, sex: str | None = None, born: date | None = None) -> Person:
        chance = self._chance
        sex = sex or "mf"[int(chance.random() * 2)]
        born = born or self._birth_date(*self.rules["people"]["ages"])
        prefix, surname = self.names.surname(origin, chance)
        given, called = self.names.given(origin, sex, born.year, chance)
        self._people += 1
        return Person(
            self._people, self.names.feminine(origin, surname) if sex == "f" else surname, prefix, given, born,
            sex=sex, origin=origin, called=called,
        )  # fmt: skip

    def _resident(self, who: Person, home: Home, family: Resident | None = None) -> Resident:
        """Somebody at home there; with telephone and mail, which may be those of the family."""
        chance, rates, origin = self._chance, self.rules["people"], self.names.origins[who.origin]
        found = Resident(who, [(self._first, home)], [(self._first, "own")], [(self._first, ())])
        if chance.random() < origin["first_of_january"]:
            who.birth_date = who.birth_date.replace(month=1, day=1)
        elif chance.random() < origin["unknown_day"]:
            who.birth_date, found.known_birth = who.birth_date.replace(month=1, day=1), 1
        phones: tuple[str, ...] = ()
        if chance.random() < rates["phone"]:
            phones = (self._phone("0999" if chance.random() < rates["landline"] else "0699"),)
            if chance.random() < rates["second_phone"]:
                phones = (*phones, self._phone("0699"))
        if family and family.phones[0][1] and chance.random() < rates["family_phone"]:
            phones = family.phones[0][1]
        found.phones = [(self._first, phones)]
        if phones and chance.random() < rates["new_phone"]:
            found.phones.append((self._some_day(), (self._phone("0699"),)))
        if chance.random() < rates["email"]:
            found.email = self._email(who)
        if family and family.email and chance.random() < rates["family_email"]:
            found.email = family.email
        if chance.random() < rates["sole_trader"]:
            found.business = self._business(who)
        return found

    def _some_day(self) -> date:
        return self._first + timedelta(days=int(self._chance.random() * self._days))

    def _phone(self, area: str) -> str:
        """A number that nobody has: 06-99 and 0999 are not given out. A step without a divisor in common gives each once."""
        self._phones += 1
        return f"{area}{self._phones * 611_953 % 800_000:06d}"

    def _email(self, who: Person) -> str:
        number = who.number * 7_919 % 1_000_003
        called, surname = mailbox(who.called), mailbox(who.surname)
        box = (
            f"{called}.{surname}{number}", f"{called}{number}", f"{called[:1]}{surname}{number}", f"{surname}.{called}.{number}",
        )[int(self._chance.random() * 4)]  # fmt: skip
        return f"{box}@post.example"

    def _business(self, who: Person) -> str:
        surname = f"{who.prefix} {who.surname}".strip()
        trades = self.rules["trades"]
        trade = trades[int(self._chance.random() * len(trades))]
        return str(trade).format(surname=surname, called=who.called, initial=who.given[0][0])

    # ------------------------------------------------------------ households

    def _household(self, home: Home, family: tuple[str, str, str] | None) -> Household:
        chance, rates = self._chance, self.rules["households_rates"]
        kind = self._compositions.spin(chance)
        first = self._person(family[0] if family else self.names.origin(chance))
        if family:
            first.prefix, first.surname = family[1:]
        if kind == "couple":
            found = self._couple(first, home)
        elif kind == "alone":
            found = Household([self._resident(first, home)])
            if first.sex == "f" and chance.random() < rates["partner_name_kept"]:
                self._marry(found.members[0], self._person(first.origin, "m"))
        else:
            found = self._relatives(kind, first, home)
        if chance.random() < rates["moved"]:
            day, new = self._some_day(), self._building_homes("house", 1)[0]
            for one in found.members:
                one.homes.append((day, new))
        if chance.random() < rates["administrator"]:
            office = self._office()
            for one in found.members:
                one.administrator = office
        return found

    def _couple(self, first: Person, home: Home) -> Household:
        chance, rates = self._chance, self.rules["households_rates"]
        age = (self._first - first.birth_date).days / 365.25
        second = self._person(
            first.origin if chance.random() < rates["same_origin"] else self.names.origin(chance),
            "f" if first.sex == "m" else "m",
            self._birth_date(max(18.0, age - 8), age + 6, age),
        )
        one = self._resident(first, home)
        two = self._resident(second, home, one)
        self._marry(*((one, second) if first.sex == "f" else (two, first)))
        if chance.random() < self.rules["people"]["men_use_partner_name"]:
            self._marry(*((two, first) if first.sex == "f" else (one, second)), always=True)
        if chance.random() < rates["parted"]:
            day = self._some_day()
            two.homes.append((day, self._building_homes("house", 1)[0]))
            for resident in (one, two):
                resident.namings = [resident.namings[0], (day, "own")]
        members = [one, two] if chance.random() < rates["second_reported"] else [one]
        joint = chance.random() < rates["joint"]
        return Household([one, two] if joint else members, joint)

    def _marry(self, one: Resident, other: Person, always: bool = False) -> None:
        """Somebody bears or may bear the name of a partner."""
        chance, origin = self._chance, self.names.origins[one.who.origin]
        # A wife's name is never made feminine twice: a Polish husband's name becomes hers.
        surname = self.names.feminine(other.origin, other.surname) if one.who.sex == "f" else other.surname
        one.partner_name = other.prefix, surname
        if always or chance.random() < origin["partner_name"]:
            naming = self._naming.spin(chance)
            one.namings = [(self._first, naming)]
            if chance.random() < self.rules["households_rates"]["married"]:
                one.namings = [(self._first, "own"), (self._some_day(), naming)]

    def _relatives(self, kind: str, first: Person, home: Home) -> Household:
        """A parent and a grown-up child, siblings, or twins: one surname, and often one initial."""
        chance, rates = self._chance, self.rules["households_rates"]
        if kind == "parent_and_child":
            first.birth_date = self._birth_date(40, 80, 52)
            first.given, first.called = self.names.given(
                first.origin, first.sex, first.birth_date.year, chance
            )
            age = (self._first - first.birth_date).days / 365.25
            same_sex, same_initial = rates["child_same_sex"], rates["child_same_initial"]
            born = self._birth_date(18, max(19.0, age - 20), 21)
        elif kind == "twins":
            same_sex, same_initial = rates["twin_same_sex"], rates["twin_same_initial"]
            first.birth_date = born = self._birth_date(18, 60, 24)
        else:
            same_sex, same_initial = 0.5, rates["sibling_same_initial"]
            first.birth_date = self._birth_date(19, 45, 26)
            born = first.birth_date + timedelta(
                days=int((0.8 + 6 * chance.random()) * 365) * chance.choice((1, -1))
            )
        if kind != "parent_and_child":
            first.given, first.called = self.names.given(
                first.origin, first.sex, first.birth_date.year, chance
            )
        sex = first.sex if chance.random() < same_sex else ("f" if first.sex == "m" else "m")
        second = self._person(first.origin, sex, born)
        second.prefix, second.surname = first.prefix, first.surname
        if self.names.origins[first.origin].get("patronymic") and kind == "parent_and_child":
            second.prefix, second.surname = "", first.given[0]
        if sex == first.sex and chance.random() < same_initial:
            self._same_initial(first, second, kind)
        one = self._resident(first, home)
        two = self._resident(second, home, one)
        if kind == "twins":
            second.birth_date, two.known_birth = first.birth_date, one.known_birth
        return Household([one], others=[two])

    def _same_initial(self, first: Person, second: Person, kind: str) -> None:
        chance = self._chance
        named_after = self.rules["households_rates"]["child_named_after"]
        if kind == "parent_and_child" and chance.random() < named_after:
            second.given, second.called = first.given, first.called
            return
        for _ in range(200):
            given, called = self.names.given(second.origin, second.sex, second.birth_date.year, chance)
            if given[0][0] == first.given[0][0] and given[0] != first.given[0]:
                second.given, second.called = given, called
                return

    def _office(self) -> Administrator:
        """The office that takes the next household; a new one when the last is full."""
        if self._administered % int(self.rules["administrator_homes"]) == 0:
            home = self._building_homes("house", 1)[0]
            self._offices.append(
                Administrator(home, self._phone("0999"), f"kantoor{len(self._offices) + 1}@post.example")
            )
        self._administered += 1
        return self._offices[-1]
