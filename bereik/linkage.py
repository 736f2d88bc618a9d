"""Linkage: who a record is about. Pure.

First light links exactly: the same surname, first initial and birth date within one register. The functions and
their outcomes are the seam behind which weights and review follow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from bereik import addresses, names
from bereik.bundle import Linkage, SignalType

Id = TypeVar("Id")


class Outcome(StrEnum):
    """What was decided about a record."""

    LINK = "link"
    REVIEW = "review"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity fields of one signal, as written. Printing it shows nothing."""

    fields: Mapping[str, str]

    def __repr__(self) -> str:
        """Never a value."""
        return "Identity(***)"


def identity(signal_type: SignalType, data: Mapping[str, Any]) -> Identity:
    """Take the fields that the declaration names for linkage out of an event's data; empty and unknown are left out."""
    found = {}
    for name, path in signal_type.identity.items():
        value = data.get(path) if "." not in path else _deep(data, path)
        if value is not None and value != "":
            found[name] = value if isinstance(value, str) else str(value)
    return Identity(found)


def _deep(data: Mapping[str, Any], path: str) -> Any:
    value: Any = data
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _normal(who: Identity, linkage: Linkage, name: str) -> str:
    """One field, normalised as linkage.yaml says."""
    fields = who.fields
    match linkage.fields[name].normaliser:
        case "surname":
            return names.surname(fields.get(name, ""), fields.get("prefix", ""))
        case "initial":
            return names.initial(fields.get(name, ""), fields.get("first_names", ""))
        case "postcode":
            return addresses.postcode(fields.get(name, ""))
        case _:
            return fields.get(name, "").strip()


def person_key(who: Identity, linkage: Linkage) -> str | None:
    """What two records must share to be one person; None when a part is missing, because a guess is worse."""
    parts = [_normal(who, linkage, name) for name in linkage.person]
    return "|".join(parts) if all(parts) else None


def address_unit(who: Identity) -> str | None:
    """The address unit of a record; None without a postcode and a number."""
    fields = who.fields
    found = addresses.unit(
        fields.get("postcode", ""),
        fields.get("house_number", ""),
        fields.get("house_letter", ""),
        fields.get("house_number_addition", ""),
    )
    return found or None


@dataclass(frozen=True, slots=True)
class LinkDecision(Generic[Id]):
    """LINK to an existing person, or NEW, with the evidence in one word."""

    outcome: Outcome
    person: Id | None
    evidence: str


def decide(key: str | None, candidates: Sequence[Id]) -> LinkDecision[Id]:
    """Decide on the candidates that share the key. Two candidates never happen with exact keys; then the first is kept."""
    if key is None:
        return LinkDecision(Outcome.NEW, None, "incomplete")
    if not candidates:
        return LinkDecision(Outcome.NEW, None, "unseen")
    return LinkDecision(Outcome.LINK, candidates[0], "exact")
