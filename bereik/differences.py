"""Differences: two records side by side, with what differs between them marked to the character. Pure.

It is for the eyes of a reviewer who may see both, so these are values as they were written; nothing here is logged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import StrEnum

from bereik.linkage import Identity


class Likeness(StrEnum):
    """How one field compares."""

    SAME = "same"
    DIFFERENT = "different"
    ONE_SIDE = "one_side"


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a value: what the other side has too, or what only this side has."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One field of both records. An unknown value has no pieces."""

    name: str
    one: tuple[Piece, ...] = field(repr=False)
    other: tuple[Piece, ...] = field(repr=False)
    likeness: Likeness


def side_by_side(one: Identity, other: Identity, names: Iterable[str]) -> list[Line]:
    """The fields that at least one record has, in this order. Capitals and small letters count as the same."""
    lines = []
    for name in names:
        mine, theirs = one.fields.get(name, ""), other.fields.get(name, "")
        if mine and theirs:
            alike = _folded(mine) == _folded(theirs)
            pieces = ((Piece(mine, False),), (Piece(theirs, False),)) if alike else _marked(mine, theirs)
            lines.append(Line(name, *pieces, Likeness.SAME if alike else Likeness.DIFFERENT))
        elif mine or theirs:
            lines.append(Line(name, _whole(mine), _whole(theirs), Likeness.ONE_SIDE))
    return lines


def _whole(text: str) -> tuple[Piece, ...]:
    return (Piece(text, False),) if text else ()


def _folded(text: str) -> str:
    """Small letters, character for character: a letter that would become two stays as it is."""
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)


def _marked(one: str, other: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    steps = SequenceMatcher(None, _folded(one), _folded(other), autojunk=False).get_opcodes()
    return (
        tuple(_pieces(one, ((tag != "equal", start, end) for tag, start, end, _, _ in steps))),
        tuple(_pieces(other, ((tag != "equal", start, end) for tag, _, _, start, end in steps))),
    )


def _pieces(text: str, steps: Iterable[tuple[bool, int, int]]) -> Iterator[Piece]:
    return (Piece(text[start:end], marked) for marked, start, end in steps if end > start)
