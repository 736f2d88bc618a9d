"""One address is not one family: what a case shows per contract holder, until a worker confirmed that people belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bereik.store.board import SignalRow


@dataclass(frozen=True, slots=True)
class Holder:
    """One tab: its number (1 is who was signalled first), how many people and signals it has, and whether it is the one shown."""

    number: int
    people: int
    signals: int
    shown: bool

    @property
    def related(self) -> bool:
        """Whether a worker confirmed that several people belong together here."""
        return self.people > 1


def split(
    people: Sequence[Sequence[str]], signals: Sequence[SignalRow], asked: str | None
) -> tuple[list[Holder], list[SignalRow]]:
    """The tabs of a case, and the signals of the one that is asked for (its number; anything else gives the first).

    `people` are those of the decision: each part is one person, or several between whom a relation was confirmed. No tabs
    where all signals are of one part. A signal of somebody whose signals were all taken back stands with the first.
    """
    if len(people) < 2:
        return [], list(signals)
    part_of = {person: number for number, part in enumerate(people, 1) for person in part}
    numbers = [part_of.get(signal.person_id, 1) for signal in signals]
    shown = int(asked) if asked is not None and asked in {str(n) for n in range(1, len(people) + 1)} else 1
    holders = [
        Holder(number, len(part), numbers.count(number), number == shown)
        for number, part in enumerate(people, 1)
    ]
    return holders, [signal for signal, number in zip(signals, numbers, strict=True) if number == shown]
