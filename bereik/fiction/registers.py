"""Registers of fictional people, and what partners write about them: to train, to tune and to judge recognition.

`signals` makes rows and the truth about them. Shares and rates are those of `registers.yaml`, names those of `names.yaml`.
A split has people and partners of its own, and some ways of writing occur in `held-out` only, so that what was tuned on one
split is judged on another.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from math import log
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

import yaml

from bereik.bundle import Bundle
from bereik.evaluation import Truth
from bereik.fiction.clerks import Card, Clerk, Home, Known, partners
from bereik.fiction.people import Names, Person, Wheel, mailbox, names, postcodes

_NOBODY: Final = ("", "")


class Split(StrEnum):
    """What the rows are for. Report on `HELD_OUT` only, and tune on the others only."""

    TRAIN = "train"
    TUNE = "tune"
    HELD_OUT = "held-out"


class Signal(NamedTuple):
    """A row of signals.csv. Empty is unknown."""

    signal_id: str
    received_at: str
    partner: str
    voorletters: str
    voornamen: str
    voorvoegsel: str
    geslachtsnaam: str
    geboortedatum: str
    postcode: str
    huisnummer: str
    huisletter: str
    huisnummertoevoeging: str
    telefoonnummer: str
    email: str


class Row(NamedTuple):
    """A signal and the truth about it; its household is the address unit that the partner meant."""

    signal: Signal
    truth: Truth


@lru_cache(maxsize=1)
def rules() -> Mapping[str, Any]:
    """Shares and rates, as `registers.yaml` holds them."""
    found: Mapping[str, Any] = yaml.safe_load(
        (Path(__file__).parent / "registers.yaml").read_text(encoding="utf-8")
    )
    return found


def signals(bundle: Bundle, split: Split, seed: int, count: int) -> list[Row]:
    """So many signals in the order of their receipt, about two in five people. The same arguments give the same rows."""
    town = Town(bundle, split, seed)
    made: list[tuple[int, Clerk, Card, str, Person, Home]] = []
    while len(made) < count:
        for household in town.building():
            made.extend(town.reports(household))
    del made[count:]
    return list(town.delivered(made))


def people(bundle: Bundle, split: Split, seed: int, count: int) -> Iterator[Row]:
    """One signal about each of so many people, household by household; nothing is kept, so that a million fits."""
    town = Town(bundle, split, seed)
    found = 0
    while True:
        for household in town.building():
            seen = set()
            for month, clerk, card, _, who, home in town.reports(household):
                if who.number in seen:
                    continue
                seen.add(who.number)
                found += 1
                yield _row(f"p{found:08d}", town.moment(month, clerk), clerk, card, who, home, town.names)
                if found == count:
                    return


def write(rows: Sequence[Row], folder: Path) -> tuple[Path, Path]:
    """`signals.csv` and `truth.csv` in that folder, which is made. UTF-8, commas, a line feed at each end."""
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / "signals.csv", folder / "truth.csv"
    for path, fields, lines in (
        (written[0], Signal._fields, [row.signal for row in rows]),
        (written[1], Truth._fields, [row.truth for row in rows]),
    ):
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(fields)
            writer.writerows(lines)
    return written


# ---------------------------------------------------------------- who lives where


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
    """Builds houses, fills them, and lets partners report. The same arguments build the same town."""

    def __init__(self, bundle: Bundle, split: Split, seed: int) -> None:
        self.rules, self.names = rules(), names()
        self._seed = f"{split}|{seed}"
        self._chance = Random(f"{self._seed}|people")
        chance = Random(f"{self._seed}|partners")
        # Numbers of their own per split, so that nothing learnt about a partner fits another split.
        first = 100 * (1 + list(Split).index(split)) + 1
        self._clerks = partners(self.rules, split is Split.HELD_OUT, first, self.names, chance)
        sectors = self.rules["sectors"]
        self._sectors = Wheel({name: float(one["share"]) for name, one in sectors.items()})
        self._of_home = frozenset(name for name, one in sectors.items() if one["of"] == "home")
        self._first = date.fromisoformat(str(self.rules["first_day"]))
        self._months = int(self.rules["months"])
        self._days = self._months * 365 // 12
        self._delivery = {
            clerk.partner: (int(chance.random() * 24), 5 + int(chance.random() * 12))
            for clerks in self._clerks.values()
            for clerk in clerks
        }
        today = self._first
        self._postcodes = [
            code
            for _, one in sorted(bundle.municipalities.items())
            for code in postcodes([r for r in one.ranges if r.end is None or r.end >= today])
        ]
        self._next_number: dict[str, int] = {}
        self._buildings = Wheel({name: float(one["share"]) for name, one in self.rules["buildings"].items()})
        self._compositions = Wheel({name: float(s) for name, s in self.rules["households"].items()})
        self._contracts = Wheel(dict(enumerate(self.rules["contracts"], 1)))
        self._more_contracts = Wheel(dict(enumerate(self.rules["more_contracts"], 1)))
        self._naming = Wheel(self.rules["people"]["naming"])
        self._people = self._homes = self._phones = 0
        self._offices: list[Administrator] = []
        self._administered = 0

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
        who.initials = "".join(name[0] for name in who.given)
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

    # ------------------------------------------------------------ reports

    def reports(self, household: Household) -> Iterator[tuple[int, Clerk, Card, str, Person, Home]]:
        """What partners report about a household: month, clerk, card, a key that shuffles, and the truth."""
        if household.members:
            taken: set[str] = set()
            for place, one in enumerate(household.members):
                if place and household.joint:
                    continue
                wheel = self._more_contracts if place else self._contracts
                joint = household.members[1] if household.joint else None
                yield from self._contracts_of(one, joint, wheel, taken)
        for one in household.others:
            # Others at the address have contracts of their own; those of the home are not theirs, but what a partner takes
            # for the home, such as a room or an electricity meter, may be.
            yield from self._contracts_of(one, None, self._more_contracts, set())

    def _contracts_of(
        self, one: Resident, joint: Resident | None, wheel: Wheel[int], taken: set[str]
    ) -> Iterator[tuple[int, Clerk, Card, str, Person, Home]]:
        chance = self._chance
        mine: set[str] = set()
        for _ in range(wheel.spin(chance)):
            sector = next(
                (found for _ in range(20) if (found := self._sectors.spin(chance)) not in mine | taken), None
            )
            if sector is None:
                return
            mine.add(sector)
            if sector in self._of_home:
                taken.add(sector)
            clerks = self._clerks[sector]
            clerk = clerks[int(chance.random() * len(clerks))]
            yield from self._reported(one, joint if sector in self._of_home else None, clerk)

    def _reported(
        self, one: Resident, joint: Resident | None, clerk: Clerk
    ) -> Iterator[tuple[int, Clerk, Card, str, Person, Home]]:
        """The months in which one partner reports one contract."""
        chance, rules = self._chance, self.rules
        late = -log(1 - chance.random()) * rules["late_days"][clerk.habits.old_address]
        at_office = chance.random() < rules["office_address"]
        version, month = 0, int(chance.random() * self._months)
        while month < self._months:
            day = self.moment(month, clerk).date()
            holder, other = one, joint
            if joint is not None and clerk.habits.joint == "alternate" and chance.random() < 0.4:
                holder, other = joint, one
            if clerk.habits.joint != "both" and other is not None and holder is one:
                other = joint
            on = day - timedelta(days=int(late))
            if chance.random() < rules["signal_errors"]["mended"]:
                version += 1
            known = holder.known(on, at_office)
            second = other.known(on, at_office) if other is not None else None
            pen = Random(f"{self._seed}|{clerk.partner}|{holder.who.number}|{version}")
            card = _worn(clerk.card(known, second, pen), rules["signal_errors"], chance)
            yield month, clerk, card, f"{chance.random():.12f}", holder.who, known.home
            if chance.random() < rules["goes_on"]:
                month += 1
            elif chance.random() < rules["comes_back"]:
                month += 2 + int(chance.random() * 5)
            else:
                return

    # ------------------------------------------------------------ delivery

    def moment(self, month: int, clerk: Clerk) -> datetime:
        """When that partner delivers in that month: once a month, in the morning or the afternoon."""
        day, hour = self._delivery[clerk.partner]
        year, number = divmod(self._first.year * 12 + self._first.month - 1 + month, 12)
        return datetime.combine(date(year, number + 1, 1 + day), time(hour), UTC)

    def delivered(self, made: Sequence[tuple[int, Clerk, Card, str, Person, Home]]) -> Iterator[Row]:
        """The rows in the order of their receipt; within one delivery in no order that tells anything."""
        batches: dict[datetime, list[tuple[str, Clerk, Card, Person, Home]]] = defaultdict(list)
        for month, clerk, card, key, who, home in made:
            batches[self.moment(month, clerk)].append((key, clerk, card, who, home))
        number = 0
        for moment, batch in sorted(batches.items()):
            for place, (_, clerk, card, who, home) in enumerate(sorted(batch, key=lambda one: one[0])):
                number += 1
                at = moment + timedelta(seconds=place)
                yield _row(f"s{number:07d}", at, clerk, card, who, home, self.names)


def _worn(card: Card, errors: Mapping[str, float], chance: Random) -> Card:
    """The card as one signal has it: what slips in or falls out on the way."""
    from bereik.fiction import slips

    if chance.random() < errors["surname_typed"]:
        card = card._replace(geslachtsnaam=slips.typed(card.geslachtsnaam, chance))
    if chance.random() < errors["initials_first"]:
        card = card._replace(voorletters=card.voorletters[:1])
    if chance.random() < errors["birth_missing"]:
        card = card._replace(geboortedatum="")
    if chance.random() < errors["addition_missing"]:
        card = card._replace(huisnummertoevoeging="")
    if chance.random() < errors["phone_missing"]:
        card = card._replace(telefoonnummer="")
    if chance.random() < errors["email_missing"]:
        card = card._replace(email="")
    return card


def _row(
    signal_id: str, at: datetime, clerk: Clerk, card: Card, who: Person, home: Home, known: Names
) -> Row:
    return Row(
        Signal(signal_id, at.strftime("%Y-%m-%dT%H:%M:%SZ"), clerk.partner, *card),
        Truth(signal_id, f"p{who.number:07d}", f"h{home.number:07d}", known.group(who.origin)),
    )
