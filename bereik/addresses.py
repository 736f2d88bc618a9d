"""Dutch addresses, made comparable. Pure; no input raises."""

from __future__ import annotations

import re
from functools import lru_cache

_POSTCODE = re.compile(r"^([1-9][0-9]{3})([A-Z]{2})$")
_PARTS = re.compile(r"^\s*0*([0-9]{1,5})(.*)$", re.DOTALL)
_REST = re.compile(r"[^0-9A-Z]+")


def postcode(text: str) -> str:
    """`1234 ab` → `1234AB`; an empty text when it is no postcode."""
    compact = "".join(text.split()).upper()
    return compact if _POSTCODE.match(compact) else ""


@lru_cache(maxsize=65_536)
def unit(code: str, number: str, letter: str = "", addition: str = "") -> str:
    """One address unit as `1234AB|12|A2`; an empty text without a postcode and a number.

    Partners put letter and addition in one field or two, with and without separators, so they are compared joined.
    """
    compact, parts = postcode(code), _PARTS.match(str(number))
    if not compact or parts is None:
        return ""
    rest = _REST.sub("", f"{parts[2]}{letter}{addition}".upper())
    return f"{compact}|{int(parts[1])}|{rest}"
