"""Dutch names, made comparable. Pure; no input raises."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Letters that Unicode does not decompose, as partners' systems write them without their mark.
_PLAIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ĳ": "ij"}
)
_NOT_LETTERS = re.compile(r"[^a-z]+")
_PREFIXES = frozenset(
    [
        "van",
        "de",
        "der",
        "den",
        "het",
        "'t",
        "ten",
        "ter",
        "te",
        "in",
        "op",
        "aan",
        "bij",
        "onder",
        "over",
        "uit",
        "voor",
        "von",
        "zu",
        "d'",
        "l'",
        "la",
        "le",
        "du",
        "da",
        "dos",
        "el",
        "al",
        "ben",
        "bin",
    ]
)


@lru_cache(maxsize=65_536)
def fold(name: str) -> str:
    """Lower-case ASCII letters, words separated by one space: `Çelik-Özdemir` → `celik ozdemir`, `IJssel` → `yssel`."""
    decomposed = unicodedata.normalize("NFKD", name.casefold().translate(_PLAIN))
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter)).translate(_PLAIN)
    return _NOT_LETTERS.sub(" ", plain).replace("ij", "y").strip()


@lru_cache(maxsize=65_536)
def surname(family_name: str, prefix: str = "") -> str:
    """The surname without its prefix, wherever the partner wrote it: `van der Berg` and `Berg, van der` → `berg`."""
    words = [
        word for word in fold(f"{family_name} {prefix}").split() if word not in _PREFIXES and len(word) > 1
    ]
    return " ".join(words)


def initial(initials: str, first_names: str = "") -> str:
    """The first initial, or an empty text: `J.P.` → `j`; `` with `Ömer` → `o`."""
    folded = fold(initials) or fold(first_names)
    return folded[:1]
