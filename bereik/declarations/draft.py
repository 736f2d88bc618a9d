"""The document in the making: what was found sound so far, and what the files refer to in each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bereik.declarations.reading import Document, Key, Reading

# Date that ends no period; sorts after every ISO date.
FOREVER: Final = "9999-12-31"
_LABEL_VALUES: Final[Mapping[str, frozenset[str]]] = {
    "kind": frozenset({"single", "multiple", "consecutive"}),
    "crisis": frozenset({"yes", "no"}),
    "warm": frozenset({"yes", "no"}),
    "repeat": frozenset({"yes", "no"}),
}


@dataclass(slots=True)
class Draft:
    """What each file adds to the document, in the order in which files refer to each other.

    `type_names` and `codes` are what all files would declare, broken ones too, so that one fault is not told twice.
    """

    reading: Reading
    purposes_file: Document
    type_names: frozenset[str]
    codes: frozenset[str]
    linkage: dict[str, Any] = field(default_factory=dict)
    topics: list[Any] = field(default_factory=list)
    purposes: dict[str, Any] = field(default_factory=dict)
    bridges: list[Any] = field(default_factory=list)
    types: dict[str, Any] = field(default_factory=dict)
    towns: dict[str, Any] = field(default_factory=dict)
    partners: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """All of it, as plain JSON."""
        return {
            "format": 1,
            "linkage": self.linkage,
            "topics": self.topics,
            "purposes": self.purposes,
            "bridges": self.bridges,
            "signal_types": self.types,
            "municipalities": self.towns,
            "partners": self.partners,
        }

    def report(self, document: Document, key: Key, message: str, valid: str | Iterable[str] = "") -> None:
        """Note a problem at a key of a document."""
        self.reading.report(document, key, message, valid)

    def match(
        self,
        document: Document,
        key: Key,
        match: Mapping[str, list[str]],
        areas: Mapping[str, Any],
        purpose: str,
    ) -> None:
        """Labels in a match must be able to occur in this purpose; an area among `areas`."""
        for label, values in match.items():
            known: Iterable[str]
            if label == "area":
                known = areas
            elif label == "type":
                known = self.type_names
            elif label == "sort":
                known = {
                    row["id"]
                    for kind in self.types.values()
                    if kind["purpose"] == purpose
                    for row in kind["sorts"]
                }
            elif label == "language":
                # Of a purpose that cannot be read nothing more is said.
                found = self.purposes.get(purpose)
                known = [word["id"] for word in found["languages"]] if found is not None else values
            else:
                known = _LABEL_VALUES[label]
            for index, value in enumerate(values):
                if value not in set(known):
                    self.report(document, (*key, label, index), f"no such {label}", known)
                elif label == "type" and value in self.types and self.types[value]["purpose"] != purpose:
                    self.report(document, (*key, label, index), "a type of another purpose", purpose)

    def known_purpose(self, document: Document, key: Key, name: str) -> None:
        """A purpose that is named must exist; of those in a broken file that cannot be said."""
        if name not in self.purposes and self.purposes_file.sound:
            self.report(document, key, "unknown purpose", self.purposes)

    def period(self, document: Document, key: Key, row: Mapping[str, Any]) -> None:
        """What has a start and an end must begin before it ends."""
        if row["start"] > row.get("end", FOREVER):
            self.report(document, (*key, "end"), "ends before it starts", "a day from start on")
