"""The bundle: all declarations of `schemas/` as one immutable value with a SHA-256 that every decision cites.

`Bundle.compile(folder)` reads YAML; `Bundle.load(document)` rebuilds the same bundle from its JSON document, which
is what running consumers use. Both end in the same code, so they cannot differ.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from bereik.contract import Contract
from bereik.errors import InvalidDeclarations, Problem

__all__ = ["Bundle", "InvalidDeclarations", "Problem"]

# Labels a route or a priority rule may match on; casework fills them (see bereik/cases.py).
LABELS = ("area", "type", "kind", "crisis", "warm", "repeat")


@dataclass(frozen=True, slots=True)
class Step:
    """What a partner must have done before it may signal: id, the article that says so, its wording."""

    id: str
    article: str
    label: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A field this type may never carry, and the article that forbids it."""

    field: str
    article: str


@dataclass(frozen=True, slots=True)
class SignalType:
    """One kind of signal. Field names in it (`*_field`, values of `identity`) are names in the event's `data`.

    `identity` maps a linkage field (surname, birth_date, postcode, ...) to a data field. `fact_fields` is all that
    casework may know. `steps` are ids; `step_details` has their article and wording.
    """

    id: str
    purpose: str
    label: Mapping[str, str]
    partner_type: str
    article: str
    event_type: str
    withdrawal_type: str | None
    contract: Contract = field(repr=False)
    withdrawal_contract: Contract | None = field(repr=False)
    fact_fields: tuple[str, ...]
    identity: Mapping[str, str]
    reference_field: str
    date_field: str | None = None
    since_field: str | None = None
    amount_field: str | None = None
    crisis_field: str | None = None
    warm_field: str | None = None
    municipality_field: str | None = None
    attestation_field: str | None = None
    withdrawal_reference_field: str | None = None
    withdrawal_reason_field: str | None = None
    steps: tuple[str, ...] = ()
    step_details: Mapping[str, Step] = field(default_factory=dict)
    forbidden: tuple[Forbidden, ...] = ()
    minimum_eur: int | None = None
    minimum_article: str | None = None
    processing_activity_id: str = ""

    def signal_date(self, data: Mapping[str, Any], received_at: datetime) -> date:
        """The day that matching uses: the partner's signal date, else the day of receipt."""
        value = data.get(self.date_field) if self.date_field else None
        return date.fromisoformat(value) if isinstance(value, str) else received_at.date()


@dataclass(frozen=True, slots=True)
class Agreement:
    """What one partner agreed with one municipality. `attested` are the steps the agreement itself vouches for."""

    municipality: str
    signal_types: frozenset[str]
    start: date
    end: date | None
    attestation: str  # "agreement" | "delivery" | "row": where the steps outside `attested` are vouched for
    attested: frozenset[str]
    feedback: tuple[str, ...]

    def in_force(self, on: date) -> bool:
        """Whether the agreement holds on that day; both ends count."""
        return self.start <= on and (self.end is None or on <= self.end)


@dataclass(frozen=True, slots=True)
class Partner:
    """An organisation that may send. `columns` maps a column of its file to a data field (a dot goes one deeper)."""

    id: str
    name: str
    sector: str
    source: str
    oin: str | None
    kvk: str | None
    door: str  # "kafka" | "file"
    contact_language: str  # "nl" | "en"
    agreements: tuple[Agreement, ...]
    columns: Mapping[str, str] = field(default_factory=dict)
    file_signal_type: str | None = None
    file_format: str | None = None  # "csv" | "xlsx"
    delimiter: str = ";"
    encoding: str = "utf-8"
    date_format: str = "%Y-%m-%d"
    yes_word: str = "ja"
    no_word: str = "nee"

    @property
    def signal_types(self) -> frozenset[str]:
        """Every type this partner has, or had, an agreement for."""
        return frozenset(kind for agreement in self.agreements for kind in agreement.signal_types)


@dataclass(frozen=True, slots=True)
class PostcodeRange:
    """Postcodes first..last (both count, as 1234AB) lie in `area` from `start` to `end`; numbers may be bounded."""

    first: str
    last: str
    area: str
    start: date
    end: date | None
    number_from: int | None = None
    number_to: int | None = None


@dataclass(frozen=True, slots=True)
class Outlet:
    """A way to tell a team: kind ("board" | "email" | "webhook") and target (empty for the board)."""

    kind: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Team:
    """Who reaches out. A team with role "enforce" is never part of a bridge."""

    id: str
    name: str
    purpose: str
    municipality: str
    role: str  # "help" | "enforce"
    outlets: tuple[Outlet, ...]
    capacity_per_week: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What a municipality decided for one purpose. Without a citation the threshold is 0."""

    threshold_eur: int = 0
    threshold_citation: str | None = None
    first_contact_days: int = 14
    offer_days: int = 28
    crisis_working_days: int = 3


@dataclass(frozen=True, slots=True)
class Statute:
    """A registered legal ground on which bridges between `purposes` arise by themselves in one municipality."""

    id: str
    article: str
    dpia: str
    signatory: str
    start: date
    end: date | None
    purposes: frozenset[str]

    def in_force(self, on: date) -> bool:
        """Whether the ground holds on that day; both ends count."""
        return self.start <= on and (self.end is None or on <= self.end)


@dataclass(frozen=True, slots=True)
class RouteNode:
    """A node of a route tree: depth first, the first match wins unless `continue_`. The root matches everything."""

    match: Mapping[str, tuple[str, ...]]
    team: str | None
    children: tuple[RouteNode, ...] = ()
    continue_: bool = False


@dataclass(frozen=True, slots=True)
class Municipality:
    """One municipality: where it is, its teams, its policy and routes per purpose, its registered statutes."""

    code: str
    name: str
    ranges: tuple[PostcodeRange, ...]
    areas: Mapping[str, str]
    teams: tuple[Team, ...]
    policies: Mapping[str, Policy]
    routes: Mapping[str, RouteNode]
    statutes: tuple[Statute, ...] = ()


@dataclass(frozen=True, slots=True)
class Matching:
    """Which signals of a subject belong together: those of one "month", or all that are "open"."""

    period: str
    lookback_months: int


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a purpose's life cycle. `when` is the rule that leads to it; `feedback` what a partner may hear of it."""

    id: str
    label: Mapping[str, str]
    when: str | None = None
    feedback: str | None = None


@dataclass(frozen=True, slots=True)
class PriorityRule:
    """A published rule: cases whose labels match get this level (1 goes first) and this reason."""

    id: str
    level: int
    match: Mapping[str, tuple[str, ...]]
    label: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Agrees:
    """Who must agree before data of a purpose crosses a bridge; the ages, in years, bound the data subject."""

    role: str
    from_age: int | None = None
    below_age: int | None = None


@dataclass(frozen=True, slots=True)
class BridgeRule:
    """A possible tie between two purposes: fields shown to each, who agrees for each, the forms that count."""

    id: str
    purposes: tuple[str, str]
    fields: Mapping[str, tuple[str, ...]]
    agrees: Mapping[str, tuple[Agrees, ...]]
    forms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why data may be used: legal basis, subject, life cycle, retention."""

    id: str
    name: Mapping[str, str]
    legal_basis: str
    article: str
    subject: str  # "address" | "person"
    partner_types: tuple[str, ...]
    matching: Matching
    repeat: bool
    states: tuple[Word, ...]
    results: tuple[Word, ...]
    priorities: tuple[PriorityRule, ...]
    retention_days: Mapping[str, int]
    bridges: tuple[BridgeRule, ...]
    ddas: bool = False

    def state(self, when: str) -> Word | None:
        """The state that this purpose declares for a rule outcome, if it has one."""
        return next((word for word in self.states if word.when == when), None)


@dataclass(frozen=True, slots=True)
class Topic:
    """How topics of one pattern (in.{partner}, signals.{purpose}, ...) are made."""

    pattern: str
    key: str
    partitions: int
    retention_ms: int
    segment_ms: int
    landed_hours: int | None = None  # after this many hours landed records are removed with delete_records


@dataclass(frozen=True, slots=True)
class LinkageField:
    """One field that identity may use: how it is normalised, and whether it tells a person, an address or a contact."""

    name: str
    kind: str  # "person" | "address" | "contact"
    normaliser: str


@dataclass(frozen=True, slots=True)
class Linkage:
    """Fields of identity. Exact identity: the same `person` key within a register; the same `household` key."""

    fields: Mapping[str, LinkageField]
    person: tuple[str, ...]
    household: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """All declarations, compiled. Two bundles are equal when their documents are."""

    document: dict[str, Any] = field(repr=False)
    sha256: str
    signal_types: Mapping[str, SignalType]
    types_by_event: Mapping[str, tuple[SignalType, str]]  # -> (type, "report" | "withdraw")
    partners: Mapping[str, Partner]
    purposes: Mapping[str, Purpose]
    bridges: tuple[BridgeRule, ...]
    municipalities: Mapping[str, Municipality]
    topics: tuple[Topic, ...]
    linkage: Linkage
