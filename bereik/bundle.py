"""The bundle: all declarations of `schemas/` as one immutable value with a SHA-256 that every decision cites.

`Bundle.compile(folder)` reads YAML; `Bundle.load(document)` rebuilds the same bundle from its JSON document, which
is what running consumers use. Both end in the same code, so they cannot differ. What is declared are values of `declared/`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from bereik import declarations
from bereik.declared.linkage import Linkage
from bereik.declared.municipalities import Municipality, Places, Team
from bereik.declared.partners import Partner
from bereik.declared.purposes import BridgeRule, Purpose
from bereik.declared.signals import Kinds, SignalKind, SignalType
from bereik.errors import InvalidDeclarations


@dataclass(frozen=True, slots=True)
class Topic:
    """How topics of one pattern (in.{partner}, signals.{purpose}, ...) are made."""

    pattern: str
    key: str
    partitions: int
    retention_ms: int
    segment_ms: int
    landed_hours: int | None = None  # after this many hours landed records are removed with delete_records

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Topic:
        """The topics in a row of the document."""
        hour = 3_600_000
        return cls(
            pattern=row["pattern"],
            key=row["key"],
            partitions=row["partitions"],
            retention_ms=row["retentionHours"] * hour,
            segment_ms=row["segmentHours"] * hour,
            landed_hours=row.get("landedHours"),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """All declarations, compiled. Two bundles are equal when their documents are."""

    document: dict[str, Any] = field(repr=False)
    sha256: str
    signal_types: Mapping[str, SignalType]
    kinds: Mapping[str, SignalKind]  # the signal types, and what no partner can send: a case taken over
    types_by_event: Mapping[str, tuple[SignalType, str]]  # -> (type, "report" | "withdraw" | "correct")
    partners: Mapping[str, Partner]
    purposes: Mapping[str, Purpose]
    bridges: tuple[BridgeRule, ...]
    municipalities: Mapping[str, Municipality]
    topics: tuple[Topic, ...]
    linkage: Linkage
    _places: Places = field(repr=False)

    @classmethod
    def compile(cls, schemas: Path, untrained: bool = False) -> Bundle:
        """Read the declarations. Raises `InvalidDeclarations` with every problem at once.

        `untrained` accepts levels of recognition without weights; such a bundle is for training them.
        """
        document, problems = declarations.read(schemas, untrained)
        if problems:
            raise InvalidDeclarations(tuple(problems))
        return cls.load(document)

    @classmethod
    def load(cls, document: Mapping[str, Any]) -> Bundle:
        """The bundle of a document that `compile` made, now or in the past."""
        canonical = _canonical(document)
        plain: dict[str, Any] = json.loads(canonical)
        bridges = tuple(BridgeRule.of(row) for row in plain["bridges"])
        types = {name: SignalType.of(row) for name, row in plain["signal_types"].items()}
        events: dict[str, tuple[SignalType, str]] = {}
        for kind in types.values():
            events[kind.event_type] = (kind, "report")
            if kind.withdrawal_type is not None:
                events[kind.withdrawal_type] = (kind, "withdraw")
            if kind.correction_type is not None:
                events[kind.correction_type] = (kind, "correct")
        municipalities = {code: Municipality.of(row) for code, row in plain["municipalities"].items()}
        purposes = {name: Purpose.of(name, row, bridges) for name, row in plain["purposes"].items()}
        taken_over = {
            one.taken_over.id: one.taken_over for one in purposes.values() if one.taken_over is not None
        }
        return cls(
            document=plain,
            sha256=hashlib.sha256(canonical).hexdigest(),
            signal_types=types,
            kinds=Kinds({**types, **taken_over}),
            types_by_event=events,
            partners={name: Partner.of(row) for name, row in plain["partners"].items()},
            purposes=purposes,
            bridges=bridges,
            municipalities=municipalities,
            topics=tuple(Topic.of(row) for row in plain["topics"]),
            linkage=Linkage.of(plain["linkage"]),
            _places=Places.of(municipalities.values()),
        )

    def __eq__(self, other: object) -> bool:
        """Compare documents by their hash."""
        return isinstance(other, Bundle) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        """Agree with `__eq__`."""
        return hash(self.sha256)

    def locate(self, postcode: str, house_number: int, on: date) -> tuple[str, str] | None:
        """The municipality's code and the area of an address on a day; None where nobody is served. O(log n)."""
        return self._places.find(postcode, house_number, on)

    def topic_names(self) -> dict[str, Topic]:
        """Every topic there must be, by its full name."""
        names: dict[str, Topic] = {}
        for topic in self.topics:
            for partner in self.partners if "{partner}" in topic.pattern else ():
                names[topic.pattern.format(partner=partner)] = topic
            for purpose in self.purposes if "{purpose}" in topic.pattern else ():
                names[topic.pattern.format(purpose=purpose)] = topic
            if "{" not in topic.pattern:
                names[topic.pattern] = topic
        return names

    def why_unknown(self, event_type: str) -> str:
        """ "unknown_version" when only the version of an event type is not declared, else "unknown_type"."""
        stem, _, version = event_type.rpartition(".")
        known = {name.rpartition(".")[0] for name in self.types_by_event}
        return "unknown_version" if stem in known and version[:1] == "v" else "unknown_type"

    @property
    def delivered(self) -> frozenset[str]:
        """The purposes of which the national delivery tells."""
        return frozenset(name for name, purpose in self.purposes.items() if purpose.ddas)

    def team(self, team_id: str) -> Team | None:
        """A team by its id, whose first four characters are its municipality."""
        municipality = self.municipalities.get(team_id[:4])
        teams = municipality.teams if municipality else ()
        return next((team for team in teams if team.id == team_id), None)


def _canonical(document: Mapping[str, Any]) -> bytes:
    """One byte form per document: sorted keys, no white space, UTF-8."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
