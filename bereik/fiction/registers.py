"""Registers of fictional people, and what partners write about them: to train, to tune and to judge recognition.

`signals` makes rows and the truth about them. Shares and rates are those of `registers.yaml`, names those of `names.yaml`.
A split has people and partners of its own, and some ways of writing occur in `held-out` only, so that what was tuned on one
split is judged on another.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice
from math import log
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from bereik.bundle import Bundle
from bereik.evaluation import Truth
from bereik.fiction import slips
from bereik.fiction.clerks import Card, Clerk, Home, partners
from bereik.fiction.people import Person, Wheel, names, postcodes
from bereik.fiction.towns import Household, Resident, Town, rules

# Some 100,000 signals take ten seconds.
_PROGRESS: Final = 100_000


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


class Report(NamedTuple):
    """What one partner reports in one month, and the truth about it. `order` is drawn, so that rows can be shuffled."""

    month: int
    clerk: Clerk
    card: Card
    order: float
    who: Person
    home: Home


class Row(NamedTuple):
    """A signal and the truth about it; its household is the address unit that the partner meant."""

    signal: Signal
    truth: Truth


def signals(
    bundle: Bundle, split: Split, seed: int, count: int, progress: Callable[[int], None] = lambda made: None
) -> list[Row]:
    """So many signals in the order of their receipt, about two in five people. The same arguments give the same rows.

    `progress` hears now and then how many were made.
    """
    register = Register(bundle, split, seed)
    made: list[Report] = []
    told = 0
    while len(made) < count:
        for household in register.town.building():
            made.extend(register.reports(household))
        if len(made) - told >= _PROGRESS:
            told = len(made)
            progress(told)
    del made[count:]
    return list(register.delivered(made))


def people(bundle: Bundle, split: Split, seed: int, count: int) -> Iterator[Row]:
    """One signal about each of so many people, household by household; nothing is kept, so that a million fits."""
    register = Register(bundle, split, seed)
    found = 0
    while True:
        for household in register.town.building():
            seen = set()
            for report in register.reports(household, first_only=True):
                if report.who.number in seen:
                    continue
                seen.add(report.who.number)
                found += 1
                yield register.row(f"s{found:07d}", register.moment(report.month, report.clerk), report)
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


class Register:
    """A town and the partners that report about it. The same arguments make the same reports."""

    def __init__(self, bundle: Bundle, split: Split, seed: int) -> None:
        self.rules, self.names = rules(), names()
        self._key = f"{split}|{seed}"
        self._first = date.fromisoformat(str(self.rules["first_day"]))
        self._months = int(self.rules["months"])
        codes = [
            code
            for _, one in sorted(bundle.municipalities.items())
            for code in postcodes([r for r in one.ranges if r.end is None or r.end >= self._first])
        ]
        self.town = Town(codes, Random(f"{self._key}|people"))
        self._chance = Random(f"{self._key}|reports")
        chance = Random(f"{self._key}|partners")
        # Numbers of their own per split, so that nothing learnt about a partner fits another split.
        first = 100 * (1 + list(Split).index(split)) + 1
        self.clerks = partners(self.rules, split is Split.HELD_OUT, first, self.names, chance)
        self._delivery = {
            clerk.partner: (int(chance.random() * 24), 5 + int(chance.random() * 12))
            for clerks in self.clerks.values()
            for clerk in clerks
        }
        sectors = self.rules["sectors"]
        self._sectors = Wheel({name: float(one["share"]) for name, one in sectors.items()})
        self._of_home = frozenset(name for name, one in sectors.items() if one["of"] == "home")
        self._contracts = Wheel(dict(enumerate(self.rules["contracts"], 1)))
        self._more_contracts = Wheel(dict(enumerate(self.rules["more_contracts"], 1)))

    def reports(self, household: Household, first_only: bool = False) -> Iterator[Report]:
        """What partners report about a household, contract by contract; of each contract only the first, if so asked."""
        if household.members:
            taken: set[str] = set()
            for place, one in enumerate(household.members):
                if place and household.joint:
                    continue
                wheel = self._more_contracts if place else self._contracts
                joint = household.members[1] if household.joint else None
                yield from self._contracts_of(one, joint, wheel, taken, first_only)
        for one in household.others:
            # A room may have a lease and a meter of its own, so that a sector of the home can come twice at one address.
            yield from self._contracts_of(one, None, self._more_contracts, set(), first_only)

    def _contracts_of(
        self, one: Resident, joint: Resident | None, wheel: Wheel[int], taken: set[str], first_only: bool
    ) -> Iterator[Report]:
        chance = self._chance
        mine: set[str] = set()
        for _ in range(wheel.spin(chance)):
            drawn = (self._sectors.spin(chance) for _ in range(20))
            sector = next((name for name in drawn if name not in mine and name not in taken), None)
            if sector is None:
                return
            mine.add(sector)
            if sector in self._of_home:
                taken.add(sector)
            clerks = self.clerks[sector]
            clerk = clerks[int(chance.random() * len(clerks))]
            found = self._reported(one, joint if sector in self._of_home else None, clerk)
            yield from islice(found, 1) if first_only else found

    def _reported(self, one: Resident, joint: Resident | None, clerk: Clerk) -> Iterator[Report]:
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
            on = day - timedelta(days=int(late))
            if chance.random() < rules["signal_errors"]["mended"]:
                version += 1
            known = holder.known(on, at_office)
            second = other.known(on, at_office) if other is not None else None
            pen = Random(f"{self._key}|{clerk.partner}|{holder.who.number}|{version}")
            card = _worn(clerk.card(known, second, pen), rules["signal_errors"], chance)
            yield Report(month, clerk, card, chance.random(), holder.who, known.home)
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

    def delivered(self, made: Sequence[Report]) -> Iterator[Row]:
        """The rows in the order of their receipt; within one delivery in no order that tells anything."""
        batches: dict[datetime, list[Report]] = defaultdict(list)
        for report in made:
            batches[self.moment(report.month, report.clerk)].append(report)
        number = 0
        for moment, batch in sorted(batches.items()):
            for place, report in enumerate(sorted(batch, key=lambda one: one.order)):
                number += 1
                yield self.row(f"s{number:07d}", moment + timedelta(seconds=place), report)

    def row(self, signal_id: str, at: datetime, report: Report) -> Row:
        """A report as a row under that id, received at that instant."""
        who, group = report.who, self.names.group(report.who.origin)
        return Row(
            Signal(signal_id, at.strftime("%Y-%m-%dT%H:%M:%SZ"), report.clerk.partner, *report.card),
            Truth(signal_id, f"p{who.number:07d}", f"h{report.home.number:07d}", group),
        )


def _worn(card: Card, errors: Mapping[str, float], chance: Random) -> Card:
    """The card as one signal has it: what slips in or falls out on the way."""
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
