"""Fictional people and months: what the demo shows and the bench measures. Chance and dates are arguments.

`months` gives a history with planted stories, `load` a stream of any length. Both know how each event should end and
which cases should arise (`Oracle`), and whom each event is truly about.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from bereik.bundle import Bundle
from bereik.fiction.months import Delivery, File, FileRow, NobodyMaySend, World
from bereik.fiction.oracle import Expected, Oracle
from bereik.fiction.people import Household, Person
from bereik.fiction.senders import CannotImagine
from bereik.fiction.stories import Ending, Planted, Story, plant

__all__ = [
    "CannotImagine", "Delivery", "Ending", "Expected", "File", "FileRow", "History", "Load", "NobodyMaySend", "Oracle",
    "Planted", "Story", "load", "months",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class History:
    """Months of records in the order of their time, the last month's files, and the stories hidden in them.

    `afterwards` holds records that are to be sent once all others were decided. `reported` are the people whom a register may
    be asked about, the last reported first, and whether a story is about them.
    """

    deliveries: tuple[Delivery, ...]
    afterwards: tuple[Delivery, ...]
    files: tuple[File, ...]
    stories: tuple[Story, ...]
    oracle: Oracle
    first: date
    last_month: date
    seed: int = 0
    reported: tuple[tuple[Person, Household, bool], ...] = ()


def months(bundle: Bundle, today: date, seed: int, signals: int = 3_000, months: int = 7) -> History:
    """The months that end with today's (a day in UTC), with every story that the declarations make possible.

    Partners with a file door deliver the last month as files; their earlier months are records as the file door would
    have sent them then. The same arguments give the same bytes. Raises `NobodyMaySend` and `CannotImagine`.
    """
    world = World(bundle, today, seed, months, with_files=True)
    stories = plant(world)
    told = frozenset(world.reported)
    deliveries = [record for month in world.live(signals) for record in month]
    files = tuple(world.files())
    first, last = world.spans[0].first, world.spans[-1].first
    newest = sorted(world.reported.items(), key=lambda item: (-item[1][0], item[0]))
    reported = tuple((who, home, number in told) for number, (_, who, home) in newest)
    return History(
        tuple(deliveries), tuple(world.afterwards), files, stories, world.oracle, first, last, seed, reported
    )


@dataclass(slots=True)
class Load:
    """A stream of records in the order of their time, without files or stories. Iterate once; then ask the oracle."""

    _world: World
    _signals: int
    oracle: Oracle = field(init=False)

    def __post_init__(self) -> None:
        """Share the world's oracle."""
        self.oracle = self._world.oracle

    def __iter__(self) -> Iterator[Delivery]:
        """Every record; one month at a time is held in memory."""
        for month in self._world.live(self._signals):
            yield from month


def load(bundle: Bundle, today: date, seed: int, signals: int = 200_000, months: int = 7) -> Load:
    """About so many signals in the realistic mix, all as records (rows of file partners carry the door's header)."""
    return Load(World(bundle, today, seed, months, with_files=False), signals)
