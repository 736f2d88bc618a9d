"""Fictional people at fictional addresses: names of several origins, drawn apart, in the declared postcode ranges."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any, Generic, TypeVar

import yaml

from bereik.bundle import Bundle
from bereik.declared.municipalities import PostcodeRange

T = TypeVar("T")

# Postcode letters that are not given out: SA, SD and SS.
_NO_LETTERS = frozenset({"SA", "SD", "SS"})
_PLAIN = str.maketrans(
    {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ß": "ss", "ı": "i", "đ": "d", "Đ": "D", "æ": "ae", "œ": "oe"}
)


def mix() -> dict[str, Any]:
    """Shares and rates, as `mix.yaml` holds them."""
    found: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "mix.yaml").read_text(encoding="utf-8"))
    return found


class Wheel(Generic[T]):
    """A wheel of fortune: `spin` gives a value with a chance by its share."""

    __slots__ = ("_bounds", "_values")

    def __init__(self, shares: Mapping[T, float]) -> None:
        self._values = list(shares)
        total = float(sum(shares.values()))
        self._bounds = [bound / total for bound in accumulate(shares.values())]

    def spin(self, chance: Random) -> T:
        """One value."""
        return self.at(chance.random())

    def at(self, place: float) -> T:
        """The value at that part of the wheel, from 0 to 1."""
        return self._values[min(bisect_right(self._bounds, place), len(self._values) - 1)]


@lru_cache(maxsize=16_384)
def plain(text: str) -> str:
    """Letters without their marks, as an old system keeps them: `Şule` → `Sule`, `Łukasz` → `Lukasz`."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


class Names:
    """The names of `names.yaml`, each drawn with the chance that it is borne. Make it once; it holds no chance."""

    def __init__(self) -> None:
        text = (Path(__file__).parent / "names.yaml").read_text(encoding="utf-8")
        found: Mapping[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self.origins: Mapping[str, Mapping[str, Any]] = found["origins"]
        power, start = found["zipf"]["power"], found["zipf"]["start"]

        def borne(names: Collection[T]) -> Wheel[T]:
            return Wheel({name: (place + start) ** -power for place, name in enumerate(names)})

        self._origin: Wheel[str] = Wheel({name: float(one["share"]) for name, one in self.origins.items()})
        self._surnames = {
            name: borne([_divided(text, one["prefixes"]) for text in one["surnames"]])
            for name, one in self.origins.items()
        }
        self._given = {
            name: [
                (part["until"], {sex: borne([_called(*pair) for pair in part[sex].items()]) for sex in "mf"})
                for part in one["given"]
            ]
            for name, one in self.origins.items()
        }

    def origin(self, chance: Random) -> str:
        """One of the origins, by its share."""
        return self._origin.spin(chance)

    def group(self, origin: str) -> str:
        """The group under which what becomes of people of this origin is reported."""
        return str(self.origins[origin]["group"])

    def surname(self, origin: str, chance: Random) -> tuple[str, str]:
        """A voorvoegsel, which may be empty, and a surname, as a man bears it."""
        one = self.origins[origin]
        tail = one["tail"]
        if chance.random() < tail["share"]:
            heads, tails = tail["heads"], tail["tails"]
            made = f"{heads[int(chance.random() * len(heads))]}{tails[int(chance.random() * len(tails))]}"
            return _divided(made, one["prefixes"])
        return self._surnames[origin].spin(chance)

    def feminine(self, origin: str, surname: str) -> str:
        """The surname as a woman of that origin bears it."""
        for ending, hers in self.origins[origin].get("feminine", {}).items():
            if surname.endswith(ending):
                return surname.removesuffix(ending) + str(hers)
        return surname

    def given(self, origin: str, sex: str, born: int, chance: Random) -> tuple[tuple[str, ...], str]:
        """The given names in the passport, and the name the bearer goes by."""
        wheel = next(wheels[sex] for until, wheels in self._given[origin] if born <= until)
        first, names = wheel.spin(chance)
        found = [first]
        for more in self.origins[origin]["second"]:
            if chance.random() >= more:
                break
            found.append(wheel.spin(chance)[0])
        # Who has a daily name beside the first name mostly goes by it.
        called = names[int(chance.random() * len(names))] if names and chance.random() < 0.85 else first
        return tuple(found), called


def _divided(name: str, prefixes: Sequence[str]) -> tuple[str, str]:
    """Voorvoegsel and the rest; the longest voorvoegsel that is followed by a name."""
    for prefix in sorted(prefixes, key=len, reverse=True):
        if name.startswith(f"{prefix} "):
            return prefix, name.removeprefix(f"{prefix} ")
    return "", name


def _called(first: str, names: str | None) -> tuple[str, tuple[str, ...]]:
    return first, tuple((names or "").split())


@lru_cache(maxsize=1)
def names() -> Names:
    """The names, read once."""
    return Names()


def mailbox(name: str) -> str:
    """What of a name may stand in a mail address: small letters and digits without marks."""
    return "".join(letter for letter in plain(name).lower() if letter.isascii() and letter.isalnum())


@dataclass(slots=True, eq=False)
class Person:
    """Somebody who does not exist. `number` is the truth that linkage has to find back."""

    number: int
    surname: str
    prefix: str
    given: tuple[str, ...]
    birth_date: date
    phone: str | None = None
    email: str | None = None
    initials: str = ""
    sex: str = "f"
    origin: str = ""
    called: str = ""
    # What each partner calls this person's contract.
    contracts: dict[str, str] = field(default_factory=dict)

    def age(self, on: date) -> int:
        """Years completed on that day."""
        return (
            on.year
            - self.birth_date.year
            - ((on.month, on.day) < (self.birth_date.month, self.birth_date.day))
        )


@dataclass(slots=True, eq=False)
class Household:
    """The people of one address unit. `number` is the truth that matching has to find back."""

    number: int
    municipality: str
    postcode: str
    house_number: int
    letter: str
    addition: str
    adults: tuple[Person, ...]
    children: tuple[Person, ...]


class Population:
    """Makes households, each at an address of its own. Give it the chance; it holds no clock."""

    def __init__(self, bundle: Bundle, today: date, chance: Random) -> None:
        self._chance, self._today = chance, today
        self._mix = mix()
        self._homes: Mapping[str, Any] = self._mix["households"]
        self._names = names()
        self._adults = Wheel(dict(enumerate(self._homes["adults"], 1)))
        self._children = Wheel(dict(enumerate(self._homes["children"])))
        self._codes = {
            code: tuple(postcodes(ranges))
            for code, one in sorted(bundle.municipalities.items())
            if (ranges := [r for r in one.ranges if r.end is None or r.end >= today])
        }
        self._taken: set[tuple[str, int, str, str]] = set()
        self._pupils: set[tuple[str, str, date]] = set()
        self._people = self._households = 0

    @property
    def municipalities(self) -> tuple[str, ...]:
        """The municipalities that have postcodes today."""
        return tuple(self._codes)

    def household(
        self, municipality: str, adults: int | None = None, children: int | None = None
    ) -> Household:
        """A new household at an address where nobody of this population lives yet."""
        chance = self._chance
        postcode, number, letter, addition = self._address(municipality)
        origin = self._names.origin(chance)
        grown = adults if adults is not None else self._adults.spin(chance)
        young = children if children is not None else self._children.spin(chance)
        first = self._person(origin, 21, 78)
        others = [
            self._person(origin if chance.random() < 0.8 else self._names.origin(chance), 20, 78)
            for _ in range(grown - 1)
        ]
        offspring = [self._child(municipality, origin, first) for _ in range(young)]
        self._households += 1
        return Household(
            self._households, municipality, postcode, number, letter, addition, (first, *others), tuple(offspring)
        )  # fmt: skip

    def _address(self, municipality: str) -> tuple[str, int, str, str]:
        chance, homes = self._chance, self._homes
        codes = self._codes[municipality]
        span = 98
        while True:
            code = codes[int(chance.random() * len(codes))]
            number = 1 + int(chance.random() * span)
            letter = "ABCDE"[int(chance.random() * 5)] if chance.random() < homes["letter"] else ""
            addition = ""
            if not letter and chance.random() < homes["addition"]:
                addition = homes["additions"][int(chance.random() * len(homes["additions"]))]
            place = (code, number, letter, addition)
            if place not in self._taken:
                self._taken.add(place)
                return place
            # A crowded street grows longer rather than trying for ever.
            span = min(span + 50, 90_000)

    def _person(self, origin: str, youngest: int, oldest: int) -> Person:
        chance, homes = self._chance, self._homes
        sex = "mf"[int(chance.random() * 2)]
        days = youngest * 365.25 + chance.random() * (oldest - youngest) * 365.25
        born = self._today - timedelta(days=int(days))
        given, called = self._names.given(origin, sex, born.year, chance)
        prefix, surname = self._names.surname(origin, chance)
        self._people += 1
        number = self._people
        return Person(
            number,
            self._names.feminine(origin, surname) if sex == "f" else surname,
            prefix,
            given,
            born,
            # 06-99 is not given out to anybody.
            f"0699{number % 1_000_000:06d}" if chance.random() < homes["phone"] else None,
            f"{mailbox(given[0])}.{number}@post.example" if chance.random() < homes["email"] else None,
            "".join([name[0] for name in given]),
            sex,
            origin,
            called,
        )

    def _child(self, municipality: str, origin: str, parent: Person) -> Person:
        """A child with its parent's name; no two share name, initial and day of birth, so that truth can be checked."""
        child = self._person(origin, 5, 18)
        child.surname, child.prefix, child.phone, child.email = parent.surname, parent.prefix, None, None
        name, first = f"{municipality}|{plain(child.surname).lower()}", plain(child.initials[:1]).lower()
        while (key := (name, first, child.birth_date)) in self._pupils:
            child.birth_date -= timedelta(days=1)
        self._pupils.add(key)
        return child


def postcodes(ranges: Sequence[PostcodeRange]) -> Iterator[str]:
    """The postcodes of these ranges that can exist; of a large range every one of the first 4,000."""
    for one in ranges:
        digits, letters = int(one.first[:4]), one.first[4:]
        place = (ord(letters[0]) - 65) * 26 + ord(letters[1]) - 65
        made = 0
        while made < 4_000:
            code = f"{digits}{chr(65 + place // 26)}{chr(65 + place % 26)}"
            if code > one.last:
                break
            if code[4:] not in _NO_LETTERS:
                yield code
                made += 1
            place += 1
            if place == 676:
                digits, place = digits + 1, 0
