"""Slips: what goes wrong when a clerk types a name or a number. Pure; chance is an argument."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    key: "".join(
        row[place]
        for row in _ROWS[max(0, at - 1) : at + 2]
        for place in range(max(0, here - 1), min(len(row), here + 2))
        if row[place] != key and row[place].isalpha() == key.isalpha()
    )
    for at, letters in enumerate(_ROWS)
    for here, key in enumerate(letters)
}


def typed(text: str, chance: Random) -> str:
    """One slip of the keyboard after the first letter: a neighbouring key, two letters swapped, one doubled or one lost.

    A text of less than three letters stays as it is.
    """
    places = [at for at, letter in enumerate(text) if letter.isalnum() and at > 0]
    if len(places) < 2:
        return text
    at = places[int(chance.random() * len(places))]
    kind = chance.random()
    letter = text[at]
    if kind < 0.35:
        keys = _NEIGHBOURS.get(letter.lower(), "")
        if keys:
            other = keys[int(chance.random() * len(keys))]
            return text[:at] + (other.upper() if letter.isupper() else other) + text[at + 1 :]
    if kind < 0.6 and at + 1 < len(text) and text[at + 1] != letter and text[at + 1].isalnum():
        return text[:at] + text[at + 1] + letter + text[at + 2 :]
    if kind < 0.78:
        return text[: at + 1] + letter.lower() + text[at + 1 :]
    return text[:at] + text[at + 1 :]


def heard(text: str, sounds: Sequence[Sequence[str]], chance: Random) -> str:
    """The name as somebody writes it who heard it: one of the pairs of `sounds` is swapped where it occurs.

    A pair with an empty text drops the letters. The first letter stays, so that the initial does.
    """
    head, tail = text[:1], text[1:]
    possible = [
        (mine, other)
        for one, two in sounds
        for mine, other in ((one, two), (two, one))
        if mine and mine in tail
    ]
    if not possible:
        return typed(text, chance)
    mine, other = possible[int(chance.random() * len(possible))]
    return head + tail.replace(mine, other, 1)


def digit(number: str, chance: Random) -> str:
    """One digit of the number wrong, or two swapped; never a leading zero made."""
    places = [at for at, one in enumerate(number) if one.isdigit()]
    if not places:
        return number
    at = places[int(chance.random() * len(places))]
    after = number[at + 1 : at + 2]
    if after.isdigit() and after != number[at] and after != "0" and chance.random() < 0.5:
        return number[:at] + after + number[at] + number[at + 2 :]
    other = str(1 + (int(number[at]) + int(chance.random() * 8)) % 9)
    return number[:at] + other + number[at + 1 :]
