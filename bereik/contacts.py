"""Phone numbers and e-mail addresses, made comparable. Pure; no input raises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher, PhoneNumberType

# Several numbers with a remark fit in; what stands behind is not read.
_LONGEST: Final = 300
# Digits with the country's; the library takes an area code without a number for possible.
_SHORTEST: Final = 7
# One plain Dutch number and nothing else. The library takes 60 to 200 microseconds, this takes one or two.
_PLAIN_DUTCH = re.compile(
    r"\s*(?:(?:\+|00) ?31[ .-]?(?:\(0\)|0)?|\(?0)?[ .-]?([1-9](?:\)?[ .-]?[0-9]){8})(?:\.0)?\s*", re.ASCII
)
_NOT_DIGITS = re.compile(r"[^0-9]+")
_FILLER = re.compile(r"[0-9](?:([0-9])\1{7}|12345678|23456789|87654321|98765432)")
# Free and paid services have no person behind them.
_SERVICE = ("800", "900", "906", "909")
_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})

_EMAIL = re.compile(
    r"(?<![\w@.+-])([\w.!#$%&'*+=?^`{|}~-]{1,64})@((?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_][\w-]{0,61}[^\W_])(?![\w@-])"
)
# Letters of a local part, or first label of a domain, that say there is no address; "" is what is left of "xx".
_NO_ADDRESS: Final = frozenset({
    "", "anoniem", "anonymous", "donotreply", "geen", "geenadres", "geenemail", "geenemailadres", "geenmail",
    "geenmailadres", "heeftgeenemail", "heeftgeenmail", "leeg", "na", "nietbekend", "noemail", "nomail", "none",
    "noreply", "nvt", "onbekend", "unknown",
})  # fmt: skip
_NOT_LETTERS = re.compile(r"[\W\d_]+")
# Mailboxes that are nobody's own.
_OF_MANY: Final = frozenset({
    "admin", "administratie", "bewind", "bewindvoering", "contact", "fam", "familie", "gezin", "info", "kantoor", "mail",
    "office", "post", "secretariaat", "thuis", "werk",
})  # fmt: skip
_PREFIXES: Final = frozenset({"al", "ben", "de", "den", "der", "el", "te", "ten", "ter", "van", "vd", "von"})


def phone(text: str) -> str:
    """A phone number as E.164 (`+31699000123`), read as a Dutch one when no country is named; else an empty text.

    Of several numbers in one field the first mobile one counts, else the first. A Dutch number has nine digits behind
    the country, also when a sheet dropped the zero (`699000123`); whether it was ever given out is not asked, because
    number plans change. Empty are also fillers (`0600000000`, `0612345678`) and service numbers (0800, 0900), which many
    people share.
    """
    if plain := _PLAIN_DUTCH.fullmatch(text):
        return _dutch(_NOT_DIGITS.sub("", plain[1]))
    if len(text) < _SHORTEST:
        return ""
    first = ""
    for number, mobile in _found(text[:_LONGEST]):
        if mobile:
            return number
        first = first or number
    return first


def _found(text: str) -> Iterator[tuple[str, bool]]:
    """Every number the library finds in a text, and whether it is a mobile one."""
    for found in PhoneNumberMatcher(text, "NL", leniency=Leniency.POSSIBLE):
        number = phonenumbers.format_number(found.number, PhoneNumberFormat.E164)
        if found.number.country_code == 31:
            number = _dutch(number[3:])
            mobile = number.startswith("+316")
        else:
            mobile = phonenumbers.number_type(found.number) in _MOBILE
        if len(number) > _SHORTEST:
            yield number, mobile


def _dutch(national: str) -> str:
    if len(national) != 9 or national.startswith(_SERVICE) or _FILLER.fullmatch(national):
        return ""
    return f"+31{national}"


def email(text: str) -> str:
    """The first e-mail address in a field, in small letters; an empty text when there is none, or a filler.

    Fillers are addresses that say there is none (`geen@…`, `…@onbekend.…`, `noreply@…`). `info@…` is kept: it may be a
    sole trader's own, and an address that many people share is suppressed where links are decided.
    """
    if "@" not in text:
        return ""
    for found in _EMAIL.finditer(text[:_LONGEST].strip().lower()):
        local, domain = found[1].strip(".'"), found[2]
        name = _NOT_LETTERS.sub("", local)
        if local and name.strip("x") not in _NO_ADDRESS and domain.partition(".")[0] not in _NO_ADDRESS:
            return f"{local}@{domain}"
    return ""


@lru_cache(maxsize=65_536)
def called(email: str, surnames: tuple[str, ...]) -> str:
    """The first letters of what a mail address, as `email` gives it, calls somebody of these surnames, sorted.

    `hans.jansen7@`, `jansen.hans@`, `hjansen@` and `hans@` are all an h to a Jansen. An address of a house or an office
    has none.
    """
    words = [word for word in _NOT_LETTERS.split(email.partition("@")[0]) if word]
    if not _OF_MANY.isdisjoint(words):
        return ""
    own = {"".join(surname.split()) for surname in surnames} | {
        part for one in surnames for part in one.split()
    }
    return "".join(sorted({word[0] for word in words if word not in own | _PREFIXES}))
