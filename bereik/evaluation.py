"""Evaluation: how well people and households were recognised, judged by the truth. Pure.

A pair is two signals. Pairwise precision is the share of the linked pairs that are truly one person, recall the share of
the pairs of one person that were linked. B-cubed is the same seen from each signal, averaged over the signals (Bagga and
Baldwin 1998), so that one large person weighs no more than its signals. Both come from one table of how often each
decided id meets each true one, never from the pairs themselves.

Recall per group is over the pairs of the people of that group. Its interval is a bootstrap over *people*: the signals of
one person succeed or fail together, so that a bootstrap over pairs would be too sure.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from random import Random
from typing import Final, NamedTuple

from bereik.errors import LastingError

DECISIONS: Final = ("link", "review", "new")
_MAY_BE_EMPTY: Final = frozenset({"household_id", "household", "group"})
# Two sums travel in one integer, so that a resample is one pass of `sum`; no register has 2**40 pairs of one kind.
_SHIFT: Final = 40
_MASK: Final = (1 << _SHIFT) - 1


class WrongTable(LastingError):
    """A file cannot be evaluated; the message says which line, what is wrong with it and how to mend it."""


class Decided(NamedTuple):
    """A row of the file that `bereik linkage resolve` writes. An empty `household_id` is a household of its own."""

    signal_id: str
    person_id: str
    household_id: str
    decision: str


class Truth(NamedTuple):
    """A row of the truth: who a signal is about, which household, and the group under which recall is reported.

    An empty `household` is one of its own.
    """

    signal_id: str
    person: str
    household: str
    group: str


@dataclass(frozen=True, slots=True)
class Score:
    """Precision and recall from 0 to 1. Where there is nothing to be wrong about, or nothing to find, it is 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Their harmonic mean; 0 when both are."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


@dataclass(frozen=True, slots=True)
class GroupRecall:
    """Recall over the pairs of the people of one group, with a 95 % interval. All None when nobody there has a pair."""

    group: str
    people: int
    pairs: int
    recall: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The whole report. `gap` is the best group's recall less the worst group's; None with less than two groups.

    `gap_by_chance` is the gap to expect when groups make no difference: the mean over people dealt at random into groups of
    these sizes. Small groups differ by chance, so a gap of about this size says nothing against a group.
    """

    signals: int
    people: int
    pairs: int
    person: Score
    b_cubed: Score
    household: Score
    household_b_cubed: Score
    groups: tuple[GroupRecall, ...]
    gap: float | None
    gap_by_chance: float | None
    decisions: Mapping[str, int]

    @property
    def reviews_per_1000(self) -> float:
        """Of 1,000 signals so many asked for a person to decide."""
        return 1000 * self.decisions["review"] / self.signals

    def document(self) -> dict[str, object]:
        """The report for a machine; shares from 0 to 1, not rounded."""
        scores = {
            name: {"precision": score.precision, "recall": score.recall, "f1": score.f1}
            for name, score in (
                ("person", self.person),
                ("person_b_cubed", self.b_cubed),
                ("household", self.household),
                ("household_b_cubed", self.household_b_cubed),
            )
        }
        return {
            "signals": self.signals,
            "people": self.people,
            "pairs": self.pairs,
            **scores,
            "groups": [asdict(one) for one in self.groups],
            "gap": self.gap,
            "gap_by_chance": self.gap_by_chance,
            "decisions": dict(self.decisions),
            "reviews_per_1000": self.reviews_per_1000,
        }


def evaluate(
    decided: Sequence[Decided], truth: Sequence[Truth], seed: int, resamples: int = 1000
) -> Evaluation:
    """Judge what was decided by the truth. The rows may stand in any order; each file has every signal once.

    The same rows and seed give the same report; `resamples` is at least 1. Raises nothing for rows that `read_decided`,
    `read_truth` and `together` passed.
    """
    known = {row.signal_id: row for row in truth}
    persons: Counter[tuple[str, str]] = Counter()
    households: Counter[tuple[str, str]] = Counter()
    for row in decided:
        true = known[row.signal_id]
        persons[row.person_id, true.person] += 1
        households[row.household_id or f"own {row.signal_id}", true.household or f"own {row.signal_id}"] += 1
    pairs = _found_pairs(persons)
    members: dict[str, list[int]] = defaultdict(list)
    for person, group in sorted({row.person: row.group for row in truth}.items()):
        members[group].append(pairs[person][0] | pairs[person][1] << _SHIFT)
    counted = Counter(row.decision for row in decided)
    return Evaluation(
        signals=len(decided),
        people=len(pairs),
        pairs=sum(total for _, total in pairs.values()),
        person=_pairwise(persons),
        b_cubed=_b_cubed(persons),
        household=_pairwise(households),
        household_b_cubed=_b_cubed(households),
        groups=tuple(_recall(group, members[group], seed, resamples) for group in sorted(members)),
        gap=_gap(list(members.values())),
        gap_by_chance=_gap_by_chance(members, seed, max(1, resamples // 10)),
        decisions={name: counted[name] for name in DECISIONS},
    )


# ---------------------------------------------------------------- counting


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


def _margins(table: Mapping[tuple[str, str], int]) -> tuple[Counter[str], Counter[str]]:
    """How many signals each decided and each true id has."""
    ours: Counter[str] = Counter()
    theirs: Counter[str] = Counter()
    for (mine, true), count in table.items():
        ours[mine] += count
        theirs[true] += count
    return ours, theirs


def _pairwise(table: Mapping[tuple[str, str], int]) -> Score:
    ours, theirs = _margins(table)
    right = sum(map(_pairs, table.values()))
    linked, there = sum(map(_pairs, ours.values())), sum(map(_pairs, theirs.values()))
    return Score(right / linked if linked else 1.0, right / there if there else 1.0)


def _b_cubed(table: Mapping[tuple[str, str], int]) -> Score:
    ours, theirs = _margins(table)
    signals = sum(table.values())
    return Score(
        sum(count * count / ours[mine] for (mine, _), count in table.items()) / signals,
        sum(count * count / theirs[true] for (_, true), count in table.items()) / signals,
    )


def _found_pairs(table: Mapping[tuple[str, str], int]) -> dict[str, tuple[int, int]]:
    """Per true person: how many of its pairs were linked, and how many it has."""
    found: dict[str, int] = defaultdict(int)
    _, theirs = _margins(table)
    for (_, true), count in table.items():
        found[true] += _pairs(count)
    return {person: (found[person], _pairs(count)) for person, count in theirs.items()}


def _recall(group: str, packed: Sequence[int], seed: int, resamples: int) -> GroupRecall:
    # Somebody with one signal has no pair, and changes no sum.
    some = [one for one in packed if one]
    total = sum(some)
    if not total:
        return GroupRecall(group, len(packed), 0, None, None, None)
    # A chance of its own per group: a group more or less changes no other group's interval.
    chance = Random(f"{seed}|{group}")
    drawn = sorted(_ratio(sum(chance.choices(some, k=len(some)))) for _ in range(resamples))
    tail = int(0.025 * len(drawn))
    return GroupRecall(group, len(packed), total >> _SHIFT, _ratio(total), drawn[tail], drawn[-1 - tail])


def _gap(groups: Iterable[Sequence[int]]) -> float | None:
    recalls = [_ratio(total) for packed in groups if (total := sum(packed))]
    return max(recalls) - min(recalls) if len(recalls) > 1 else None


def _gap_by_chance(members: Mapping[str, Sequence[int]], seed: int, deals: int) -> float | None:
    """The mean gap over so many deals. People without a pair are left where they are: they change no recall."""
    groups = [some for group in sorted(members) if (some := [one for one in members[group] if one])]
    if len(groups) < 2:
        return None
    everybody = [one for some in groups for one in some]
    chance, gaps = Random(f"{seed}|deals"), 0.0
    for _ in range(deals):
        chance.shuffle(everybody)
        left = iter(everybody)
        gaps += _gap([list(islice(left, len(some))) for some in groups]) or 0.0
    return gaps / deals


def _ratio(packed: int) -> float:
    return (packed & _MASK) / (packed >> _SHIFT)


# ---------------------------------------------------------------- reading


def read_decided(name: str, lines: Iterable[str]) -> list[Decided]:
    """The rows of a file of decisions. Raises `WrongTable`; `name` is what its message calls the file."""
    rows = [Decided(*row) for row in _table(name, lines, Decided._fields)]
    for number, row in enumerate(rows, 2):
        if row.decision not in DECISIONS:
            raise WrongTable(f"{name}, row {number}: decision is none of {', '.join(DECISIONS)}.")
    return rows


def read_truth(name: str, lines: Iterable[str]) -> list[Truth]:
    """The rows of a file of truth. Raises `WrongTable`; `name` is what its message calls the file."""
    rows = [Truth(*row) for row in _table(name, lines, Truth._fields)]
    groups: dict[str, tuple[str, int]] = {}
    for number, row in enumerate(rows, 2):
        group, before = groups.setdefault(row.person, (row.group, number))
        if group != row.group:
            raise WrongTable(
                f"{name}, row {number}: the person of row {before} is in another group here; a person has one."
            )
    return rows


def together(decided_name: str, decided: Sequence[Decided], truth_name: str, truth: Sequence[Truth]) -> None:
    """Raise `WrongTable` unless both files are about the same signals."""
    ours, theirs = [row.signal_id for row in decided], [row.signal_id for row in truth]
    for name, ids, other_name, others in (
        (decided_name, ours, truth_name, theirs),
        (truth_name, theirs, decided_name, ours),
    ):
        known = set(others)
        strange = [number for number, one in enumerate(ids, 2) if one not in known]
        if strange:
            raise WrongTable(
                f"{name}, row {strange[0]}: its signal_id is not in {other_name}, as with {len(strange)} of {len(ids)}"
                " rows. Both files must be about the same signals: were they made from the same SIGNALS.csv?"
            )


def _table(name: str, lines: Iterable[str], columns: Sequence[str]) -> list[list[str]]:
    """The named columns of every row; the first names the row and stands there once. Rows count from 1, the header."""
    reader = csv.reader(lines, strict=True)
    try:
        header = next(reader, None)
        if not header:
            raise WrongTable(f"{name} is empty; it needs a header with {', '.join(columns)}.")
        names = [one.strip().removeprefix("\ufeff") for one in header]
        missing = [one for one in columns if one not in names]
        if missing:
            raise WrongTable(
                f"{name}, row 1: no column {', '.join(missing)}. The header must name {', '.join(columns)},"
                " separated by commas."
            )
        places = [names.index(one) for one in columns]
        rows: list[list[str]] = []
        first: dict[str, int] = {}
        blank = 0
        for number, row in enumerate(reader, 2):
            # Empty lines are fine at the end only: inside, the numbers of the rows would no longer be those of the file.
            blank = blank or (number if not row else 0)
            if blank:
                if row:
                    raise WrongTable(f"{name}, row {blank} is empty; remove it.")
                continue
            if len(row) != len(names):
                raise WrongTable(f"{name}, row {number}: {len(row)} cells under {len(names)} columns.")
            cells = [row[place] for place in places]
            for column, cell in zip(columns, cells, strict=True):
                if not cell and column not in _MAY_BE_EMPTY:
                    raise WrongTable(f"{name}, row {number}: {column} is empty; every row needs one.")
            before = first.setdefault(cells[0], number)
            if before != number:
                raise WrongTable(
                    f"{name}, row {number}: the {columns[0]} of row {before} again; each may stand there once."
                )
            rows.append(cells)
    except csv.Error as error:
        raise WrongTable(f"{name}, row {reader.line_num}: no CSV ({error}).") from None
    if not rows:
        raise WrongTable(f"{name} has a header and no rows; there is nothing to evaluate.")
    return rows
