"""The bundle: all declarations of `schemas/` as one immutable value with a SHA-256 that every decision cites.

`Bundle.compile(folder)` reads YAML; `Bundle.load(document)` rebuilds the same bundle from its JSON document, which
is what running consumers use. Both end in the same code, so they cannot differ.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from math import log2
from pathlib import Path
from typing import Any

from bereik import declarations
from bereik.contract import Contract
from bereik.errors import InvalidDeclarations, Problem

__all__ = ["Bundle", "InvalidDeclarations", "Problem"]


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
class Sort:
    """A sort of one type's signals, and until how many working days after the day in field `after` a report is in time."""

    id: str
    label: Mapping[str, str]
    values: frozenset[str]
    after: str | None = None
    within_working_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalKind:
    """What casework knows of a kind of signal; `*_field` are names of facts. `sorts` are kinds within it, by id."""

    id: str
    purpose: str
    label: Mapping[str, str]
    fact_fields: tuple[str, ...] = ()
    reference_field: str = ""
    date_field: str | None = None
    since_field: str | None = None
    amount_field: str | None = None
    crisis_field: str | None = None
    warm_field: str | None = None
    sort_field: str | None = None
    sorts: Mapping[str, Sort] = field(default_factory=dict)
    because: Mapping[str, str] = field(default_factory=dict)

    def sort_of(self, facts: Mapping[str, Any]) -> str | None:
        """The id of the sort that a signal with these facts is of, where the type has sorts."""
        value = facts.get(self.sort_field) if self.sort_field else None
        return (
            next((sort.id for sort in self.sorts.values() if value in sort.values), None) if value else None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalType(SignalKind):
    """One kind of signal that partners send. `*_field` and the values of `identity` are names of fields in the event's `data`.

    `identity` maps a linkage field (surname, birth_date, postcode, ...) to a data field. `fact_fields` is all
    that casework may know. `reference_field` names one signal, `contract_field` what it is about month after
    month. `steps` are ids; `step_details` has their article and wording.
    `because` maps the partner's word for taking a signal back on ours (paid, plan_agreed, wrong_person).
    """

    partner_type: str
    article: str
    event_type: str
    withdrawal_type: str | None
    contract: Contract = field(repr=False)
    withdrawal_contract: Contract | None = field(repr=False)
    identity: Mapping[str, str]
    contract_field: str | None = None
    municipality_field: str | None = None
    attestation_field: str | None = None
    consent_form_field: str | None = None
    consent_by_field: str | None = None
    withdrawal_reference_field: str | None = None
    withdrawal_reason_field: str | None = None
    correction_type: str | None = None
    correction_contract: Contract | None = field(default=None, repr=False)
    correction_reference_field: str | None = None
    correction_reason_field: str | None = None
    steps: tuple[str, ...] = ()
    step_details: Mapping[str, Step] = field(default_factory=dict)
    forbidden: tuple[Forbidden, ...] = ()
    minimum_eur: int | None = None
    minimum_article: str | None = None
    processing_activity_id: str = ""

    def signal_date(self, data: Mapping[str, Any], received_on: date) -> date:
        """The day that matching uses: the partner's signal date, else the day of receipt in the Netherlands."""
        value = data.get(self.date_field) if self.date_field else None
        return date.fromisoformat(value) if isinstance(value, str) else received_on


class _Kinds(dict[str, SignalKind]):
    """Kinds of signal by id. Of one that was taken out of the declarations while signals of it exist nothing is known: such a
    signal stands in its case without an amount, a crisis or a window, and stops nobody."""

    def __missing__(self, name: str) -> SignalKind:
        return SignalKind(id=name, purpose="", label={"nl": name, "en": name})


@dataclass(frozen=True, slots=True)
class Agreement:
    """What one partner agreed with one municipality. `attested` are the steps the agreement itself vouches for.

    `consent_forms` are the versions of forms on which it may report that somebody agreed to a bridge.
    """

    municipality: str
    signal_types: frozenset[str]
    start: date
    end: date | None
    attestation: str  # "agreement" | "delivery" | "row": where the steps outside `attested` are vouched for
    attested: frozenset[str]
    feedback: tuple[str, ...]
    consent_forms: frozenset[str] = frozenset()

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
class ContactStep:
    """One step of a plan: the kind of contact, its first and last day after the start, and the part of the day if it matters."""

    id: str
    contact: str
    earliest: int
    latest: int
    daypart: str | None = None


@dataclass(frozen=True, slots=True)
class Effort:
    """How much was tried: attempts, different channels among them, different parts of the day."""

    attempts: int
    channels: int
    dayparts: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done to reach the cases whose labels match. Days are working days, or calendar days.

    `minimum` is the least that counts as having tried; a team has `claim_working_days` to take a case up, and hears of a
    term `warn_working_days` before it ends when nobody tried yet.
    """

    id: str
    label: Mapping[str, str]
    match: Mapping[str, tuple[str, ...]]
    working_days: bool
    claim_working_days: int
    warn_working_days: int
    steps: tuple[ContactStep, ...]
    minimum: Effort


@dataclass(frozen=True, slots=True)
class FloorRule:
    """Cases that never drop to a lighter way: by labels, by how long the debt runs, or because something was promised."""

    id: str
    label: Mapping[str, str]
    match: Mapping[str, tuple[str, ...]]
    since_months: int | None = None
    promised: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """How a municipality reaches out for one purpose.

    `plans`: the first that matches counts; `lighter` is the one of them that a full team falls back to. `manager` is the team
    that hears what cannot be met. `counts` are the kinds of contact that are attempts, `letters` those of which an address
    gets one in `letter_days` days at most.
    """

    plans: tuple[Plan, ...]
    lighter: str
    floor: tuple[FloorRule, ...]
    manager: str
    counts: frozenset[str]
    letters: frozenset[str]
    letter_days: int

    def plan(self, plan_id: str) -> Plan:
        """The plan with this id."""
        return next(plan for plan in self.plans if plan.id == plan_id)


@dataclass(frozen=True, slots=True)
class Window:
    """Days between the beginning of arrears and the signal's date; both ends count, None is no end."""

    min_days: int | None = None
    max_days: int | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """The day of the month on which its signals are judged together; or sooner, once all partners `delivered`."""

    day: int
    delivered: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """What a municipality decided for one purpose. Without its citation the threshold is 0 and there is no window.

    `windows` are by signal type; `matching` None means continuously.
    """

    threshold_eur: int = 0
    threshold_citation: str | None = None
    windows: Mapping[str, Window] = field(default_factory=dict)
    windows_citation: str | None = None
    matching: Moment | None = None
    first_contact_days: int = 14
    offer_days: int = 28
    crisis_working_days: int = 3
    contact: Contact | None = None


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
class ReachedGroup:
    """People in one situation: who they are, how they are reached, and how often at least; each in Dutch and English."""

    who: Mapping[str, str]
    ways: Mapping[str, str]
    minimum: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reach:
    """What a municipality promises its residents about reaching them, who adopted it, and when it is looked at again."""

    whom: Mapping[str, str]
    groups: tuple[ReachedGroup, ...]
    stop: tuple[Mapping[str, str], ...]
    adopted_by: str
    adopted_on: date
    review: date
    phone: str

    def overdue(self, today: date) -> bool:
        """Whether it should have been looked at again."""
        return self.review < today


@dataclass(frozen=True, slots=True)
class RouteNode:
    """A node of a route tree: depth first, the first match wins. The root matches everything."""

    match: Mapping[str, tuple[str, ...]]
    team: str | None
    children: tuple[RouteNode, ...] = ()


@dataclass(frozen=True, slots=True)
class Alerting:
    """How teams are told by e-mail and webhook: minutes in which alerts gather, hours until what nobody acts on is told
    again (0: never), the reasons that leave at once, the language."""

    group_minutes: int = 30
    repeat_hours: int = 48
    urgent: frozenset[str] = frozenset({"crisis"})
    language: str = "nl"


@dataclass(frozen=True, slots=True)
class Municipality:
    """One municipality: where it is, its teams, its policy and routes per purpose, its registered statutes.

    `kvk` and `delivery_email` are for the national delivery: who delivers, and where questions about it go.
    """

    code: str
    name: str
    ranges: tuple[PostcodeRange, ...]
    areas: Mapping[str, str]
    teams: tuple[Team, ...]
    policies: Mapping[str, Policy]
    routes: Mapping[str, RouteNode]
    statutes: tuple[Statute, ...] = ()
    kvk: str | None = None
    delivery_email: str | None = None
    alerting: Alerting = Alerting()
    reach: Reach | None = None


@dataclass(frozen=True, slots=True)
class Matching:
    """Which signals of a subject belong together: those of one "month", or all that are "open"."""

    period: str
    lookback_months: int


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a purpose's life cycle. `when` is the rule that leads to it; `feedback` what a partner may hear of it,
    `code` how that is explained to it.

    A result may be that of a withdrawal `because` of something.
    """

    id: str
    label: Mapping[str, str]
    when: str | None = None
    feedback: str | None = None
    unreached: bool = False
    because: tuple[str, ...] = ()
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """What may be stated in the states `starts`, and the states it may lead to; none when it changes no state."""

    act: str
    starts: frozenset[str]
    leads: tuple[str, ...] = ()


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

    def other(self, purpose: str) -> str:
        """The purpose on the other side."""
        first, second = self.purposes
        return second if purpose == first else first


@dataclass(frozen=True, slots=True)
class Lookup:
    """When the register of persons is asked.

    About nobody whose case came in longer than `within_days` ago; again after `again_days` about whom it was looking into.
    """

    within_days: int
    again_days: int


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why data may be used: legal basis, subject, life cycle, retention.

    `words` are its lists of words by name: results, contacts, dayparts, causes, reasons, rules,
    promises, languages.
    """

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
    feedback: Mapping[str, Mapping[str, str]]
    retention_days: Mapping[str, int]
    bridges: tuple[BridgeRule, ...]
    moves: tuple[Move, ...]
    words: Mapping[str, tuple[Word, ...]]
    ddas: bool = False
    # The kind of signal that a case from another municipality is here; None where none can be taken over.
    taken_over: SignalKind | None = None
    # Where people are looked up in the national register, and their number kept, sealed.
    bsn: Lookup | None = None

    def state(self, when: str) -> Word | None:
        """The state that this purpose declares for a rule outcome, if it has one."""
        return next((word for word in self.states if word.when == when), None)

    def when(self, state: str) -> str:
        """The rule outcome behind a state's own word; the word itself when this bundle does not know it."""
        return next((word.when for word in self.states if word.id == state and word.when), state)

    def result(self, name: str | None) -> Word | None:
        """The result with this name, if there is one."""
        return next((word for word in self.results if word.id == name), None)

    def withdrawn(self, because: str) -> str | None:
        """The result of a case whose signals were all taken back for this reason."""
        found = [word.id for word in self.results if because in word.because]
        found += [word.id for word in self.results if word.when == "withdrawn"]
        return found[0] if found else None


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
class LinkModel:
    """Trained figures for pairs of one kind, in log2: `prior` odds and a weight per comparison and level.

    `frequencies` are shares of common values per comparison, `bases` the average that they are held against.
    """

    prior: float
    weights: Mapping[str, Mapping[str, float]]
    frequencies: Mapping[str, Mapping[str, float]]
    bases: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Linkage:
    """How people are recognised: `schemas/linkage.yaml` with the trained weights.

    `comparisons` are levels in order; `keys` the parts that candidates are found by; `link`, `review` and `margin` log2
    odds; from `crowd_persons` with `crowd_surnames` on, an address is marked. `person` and `household` are only for the
    quality of a delivered file: what makes two of its rows look alike.
    """

    fields: Mapping[str, str]  # name -> "person" | "address" | "contact"
    person: tuple[str, ...]
    household: tuple[str, ...]
    comparisons: Mapping[str, tuple[str, ...]]
    alike: float
    veto: Mapping[str, tuple[str, ...]]
    keys: tuple[tuple[str, ...], ...]
    cap: int
    link: float
    review: float
    margin: float
    crowd_persons: int
    crowd_surnames: int
    models: Mapping[str, LinkModel] = field(repr=False)


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
    _places: _Places = field(repr=False)

    @classmethod
    def compile(cls, schemas: Path) -> Bundle:
        """Read the declarations. Raises `InvalidDeclarations` with every problem at once."""
        document, problems = declarations.read(schemas)
        if problems:
            raise InvalidDeclarations(tuple(problems))
        return cls.load(document)

    @classmethod
    def load(cls, document: Mapping[str, Any]) -> Bundle:
        """The bundle of a document that `compile` made, now or in the past."""
        canonical = _canonical(document)
        plain: dict[str, Any] = json.loads(canonical)
        bridges = tuple(_bridge(row) for row in plain["bridges"])
        types = {name: _signal_type(row) for name, row in plain["signal_types"].items()}
        events: dict[str, tuple[SignalType, str]] = {}
        for kind in types.values():
            events[kind.event_type] = (kind, "report")
            if kind.withdrawal_type is not None:
                events[kind.withdrawal_type] = (kind, "withdraw")
            if kind.correction_type is not None:
                events[kind.correction_type] = (kind, "correct")
        municipalities = {code: _municipality(row) for code, row in plain["municipalities"].items()}
        purposes = {name: _purpose(name, row, bridges) for name, row in plain["purposes"].items()}
        taken_over = {
            one.taken_over.id: one.taken_over for one in purposes.values() if one.taken_over is not None
        }
        return cls(
            document=plain,
            sha256=hashlib.sha256(canonical).hexdigest(),
            signal_types=types,
            kinds=_Kinds({**types, **taken_over}),
            types_by_event=events,
            partners={name: _partner(row) for name, row in plain["partners"].items()},
            purposes=purposes,
            bridges=bridges,
            municipalities=municipalities,
            topics=tuple(_topic(row) for row in plain["topics"]),
            linkage=_linkage(plain["linkage"]),
            _places=_Places.of(municipalities.values()),
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


@dataclass(frozen=True, slots=True)
class _Places:
    """Postcode ranges cut at every border, so that one binary search finds the few that hold at a postcode."""

    borders: tuple[str, ...]
    rows: tuple[tuple[tuple[PostcodeRange, str], ...], ...]

    @classmethod
    def of(cls, municipalities: Iterable[Municipality]) -> _Places:
        ranges = sorted(
            ((row, town.code) for town in municipalities for row in town.ranges),
            key=lambda pair: pair[0].first,
        )
        # A border lies where a range begins and just after where one ends: "1234AB" + "!" sorts after it.
        borders = tuple(sorted({edge for row, _ in ranges for edge in (row.first, row.last + "!")}))
        held: list[list[tuple[PostcodeRange, str]]] = [[] for _ in borders]
        for row, code in ranges:
            for index in range(bisect_left(borders, row.first), bisect_left(borders, row.last + "!")):
                held[index].append((row, code))
        return cls(borders, tuple(tuple(rows) for rows in held))

    def find(self, postcode: str, house_number: int, on: date) -> tuple[str, str] | None:
        index = bisect_right(self.borders, postcode) - 1
        if index < 0:
            return None
        for row, code in self.rows[index]:
            if (
                row.start <= on
                and (row.end is None or on <= row.end)
                and (row.number_from is None or row.number_from <= house_number)
                and (row.number_to is None or house_number <= row.number_to)
            ):
                return code, row.area
        return None


def _canonical(document: Mapping[str, Any]) -> bytes:
    """One byte form per document: sorted keys, no white space, UTF-8."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _match(row: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {label: tuple(values) for label, values in row.items()}


def _signal_type(row: Mapping[str, Any]) -> SignalType:
    steps = [Step(step["id"], step["article"], step["label"]) for step in row["steps"]]
    # A bundle of the time before corrections has none.
    withdrawal, correction = row["withdrawal_contract"], row.get("correction_contract")
    return SignalType(
        **{
            **row,
            "contract": Contract(row["contract"]),
            "withdrawal_contract": Contract(withdrawal) if withdrawal else None,
            "correction_contract": Contract(correction) if correction else None,
            "fact_fields": tuple(row["fact_fields"]),
            "steps": tuple(step.id for step in steps),
            "step_details": {step.id: step for step in steps},
            "forbidden": tuple(Forbidden(item["field"], item["article"]) for item in row["forbidden"]),
            "sorts": {item["id"]: _sort(item) for item in row["sorts"]},
        }
    )


def _sort(row: Mapping[str, Any]) -> Sort:
    limit = row.get("reportWithin", {})
    return Sort(
        row["id"], row["label"], frozenset(row["values"]), limit.get("after"), limit.get("workingDays", 0)
    )


def _partner(row: Mapping[str, Any]) -> Partner:
    layout = row.get("file", {})
    return Partner(
        id=row["id"],
        name=row["name"],
        sector=row["sector"],
        source=row["source"],
        oin=row.get("oin"),
        kvk=row.get("kvk"),
        door=row["door"],
        contact_language=row["contactLanguage"],
        agreements=tuple(
            Agreement(
                municipality=item["municipality"],
                signal_types=frozenset(item["signalTypes"]),
                start=date.fromisoformat(item["start"]),
                end=_day(item.get("end")),
                attestation=item["attestation"],
                attested=frozenset(item["attested"]),
                feedback=tuple(item["feedback"]),
                consent_forms=frozenset(item.get("consentForms", ())),
            )
            for item in row["agreements"]
        ),
        columns=layout.get("columns", {}),
        file_signal_type=layout.get("signalType"),
        file_format=layout.get("format"),
        delimiter=layout.get("delimiter", ";"),
        encoding=layout.get("encoding", "utf-8"),
        date_format=layout.get("dateFormat", "%Y-%m-%d"),
        yes_word=layout.get("yes", "ja"),
        no_word=layout.get("no", "nee"),
    )


def _municipality(row: Mapping[str, Any]) -> Municipality:
    return Municipality(
        code=row["code"],
        name=row["name"],
        areas=row["areas"],
        ranges=tuple(
            PostcodeRange(
                first=item["first"],
                last=item["last"],
                area=item["area"],
                start=date.fromisoformat(item["start"]),
                end=_day(item.get("end")),
                number_from=item.get("numberFrom"),
                number_to=item.get("numberTo"),
            )
            for item in row["postcodes"]
        ),
        teams=tuple(
            Team(
                id=item["id"],
                name=item["name"],
                purpose=item["purpose"],
                municipality=row["code"],
                role=item["role"],
                outlets=tuple(Outlet(outlet["kind"], outlet.get("target", "")) for outlet in item["outlets"]),
                capacity_per_week=item.get("capacityPerWeek"),
            )
            for item in row["teams"]
        ),
        policies={name: _policy(item) for name, item in row["policies"].items()},
        routes={name: _route(item) for name, item in row["routes"].items()},
        statutes=tuple(
            Statute(
                id=item["id"],
                article=item["article"],
                dpia=item["dpia"],
                signatory=item["signatory"],
                start=date.fromisoformat(item["start"]),
                end=_day(item.get("end")),
                purposes=frozenset(item["purposes"]),
            )
            for item in row.get("statutes", ())
        ),
        kvk=row.get("delivery", {}).get("kvk"),
        delivery_email=row.get("delivery", {}).get("email"),
        alerting=_alerting(row.get("alerting", {})),
        reach=_reach(row["bereik"]) if "bereik" in row else None,
    )


def _alerting(row: Mapping[str, Any]) -> Alerting:
    plain = Alerting()
    return Alerting(
        group_minutes=row.get("groupMinutes", plain.group_minutes),
        repeat_hours=row.get("repeatHours", plain.repeat_hours),
        urgent=frozenset(row.get("urgent", plain.urgent)),
        language=row.get("language", plain.language),
    )


def _reach(row: Mapping[str, Any]) -> Reach:
    return Reach(
        whom=row["whom"],
        groups=tuple(ReachedGroup(item["who"], item["ways"], item["minimum"]) for item in row["groups"]),
        stop=tuple(row["stop"]),
        adopted_by=row["adoptedBy"],
        adopted_on=date.fromisoformat(row["adoptedOn"]),
        review=date.fromisoformat(row["review"]),
        phone=row["phone"],
    )


def _policy(row: Mapping[str, Any]) -> Policy:
    moment = row.get("matching", {"when": "continuous"})
    return Policy(
        threshold_eur=row.get("thresholdEur", 0),
        threshold_citation=row.get("thresholdCitation"),
        windows={
            name: Window(item.get("minDays"), item.get("maxDays"))
            for name, item in row.get("windows", {}).items()
        },
        windows_citation=row.get("windowsCitation"),
        matching=(
            Moment(moment["day"], moment["when"] == "delivered") if moment["when"] != "continuous" else None
        ),
        first_contact_days=row.get("firstContactDays", 14),
        offer_days=row.get("offerDays", 28),
        crisis_working_days=row.get("crisisWorkingDays", 3),
        contact=_contact(row["contact"]) if "contact" in row else None,
    )


def _contact(row: Mapping[str, Any]) -> Contact:
    return Contact(
        plans=tuple(
            Plan(
                id=plan["id"],
                label=plan["label"],
                match=_match(plan.get("match", {})),
                working_days=plan["days"] == "working",
                claim_working_days=plan["claimWorkingDays"],
                warn_working_days=plan["warnWorkingDays"],
                steps=tuple(
                    ContactStep(step["id"], step["contact"], step["from"], step["to"], step.get("daypart"))
                    for step in plan["steps"]
                ),
                minimum=Effort(**plan["minimum"]),
            )
            for plan in row["plans"]
        ),
        lighter=row["lighter"],
        floor=tuple(
            FloorRule(
                rule["id"], rule["label"], _match(rule.get("match", {})), rule.get("sinceMonths"),
                rule.get("promised", False),
            )
            for rule in row["floor"]
        ),
        manager=row["manager"],
        counts=frozenset(row["counts"]),
        letters=frozenset(row["letters"]["contacts"]),
        letter_days=row["letters"]["everyDays"],
    )  # fmt: skip


def _route(row: Mapping[str, Any]) -> RouteNode:
    return RouteNode(
        match=_match(row.get("match", {})),
        team=row.get("team"),
        children=tuple(_route(child) for child in row.get("children", ())),
    )


def _bridge(row: Mapping[str, Any]) -> BridgeRule:
    first, second = row["purposes"]
    return BridgeRule(
        id=row["id"],
        purposes=(first, second),
        fields={name: tuple(shown) for name, shown in row["shown"].items()},
        agrees={
            name: tuple(Agrees(item["role"], item.get("fromAge"), item.get("belowAge")) for item in items)
            for name, items in row["agrees"].items()
        },
        forms=tuple(row["forms"]),
    )


def _purpose(name: str, row: Mapping[str, Any], bridges: tuple[BridgeRule, ...]) -> Purpose:
    def words(rows: list[dict[str, Any]]) -> tuple[Word, ...]:
        return tuple(
            Word(
                item["id"],
                item["label"],
                item.get("when"),
                item.get("feedback"),
                item.get("unreached", False),
                tuple(item.get("because", ())),
                item.get("code"),
            )
            for item in rows
        )

    results = words(row["results"])
    every = frozenset(word["when"] for word in row["states"])
    return Purpose(
        id=name,
        name=row["name"],
        legal_basis=row["legalBasis"],
        article=row["article"],
        subject=row["subject"],
        partner_types=tuple(row["partnerTypes"]),
        matching=Matching(row["matching"]["period"], row["matching"]["lookbackMonths"]),
        repeat=row["repeat"],
        states=words(row["states"]),
        results=results,
        priorities=tuple(
            PriorityRule(item["id"], item["level"], _match(item["match"]), item["label"])
            for item in row["priorities"]
        ),
        feedback=row["feedback"],
        retention_days=row["retentionDays"],
        bridges=tuple(bridge for bridge in bridges if name in bridge.purposes),
        moves=tuple(
            Move(item["act"], frozenset(item["from"]) if "from" in item else every, tuple(item.get("to", ())))
            for item in row["moves"]
        ),
        words={"results": results} | {kind: words(row[kind]) for kind in declarations.WORD_LISTS},
        ddas=row.get("ddas", False),
        taken_over=_taken_over(name, row["takenOver"]) if "takenOver" in row else None,
        bsn=Lookup(row["bsn"]["askWithinDays"], row["bsn"]["askAgainDays"]) if "bsn" in row else None,
    )


def _taken_over(purpose: str, row: Mapping[str, Any]) -> SignalKind:
    """Its only fact is whether the short term of a crisis runs."""
    return SignalKind(
        id=row["id"], purpose=purpose, label=row["label"], fact_fields=("crisis",), crisis_field="crisis"
    )


def _topic(row: Mapping[str, Any]) -> Topic:
    hour = 3_600_000
    return Topic(
        pattern=row["pattern"],
        key=row["key"],
        partitions=row["partitions"],
        retention_ms=row["retentionHours"] * hour,
        segment_ms=row["segmentHours"] * hour,
        landed_hours=row.get("landedHours"),
    )


def _linkage(row: Mapping[str, Any]) -> Linkage:
    trained = row["weights"]
    return Linkage(
        fields={name: item["kind"] for name, item in row["fields"].items()},
        person=tuple(row["person"]),
        household=tuple(row["household"]),
        comparisons={name: tuple(levels) for name, levels in row["comparisons"].items()},
        alike=row["alike"],
        veto={name: tuple(levels) for name, levels in row["veto"].items()},
        keys=tuple(tuple(parts) for parts in row["keys"]),
        cap=row["cap"],
        link=row["link"],
        review=row["review"],
        margin=row["margin"],
        crowd_persons=row["crowd"]["persons"],
        crowd_surnames=row["crowd"]["surnames"],
        models={
            # How common a name is says nothing about two people at one address, who share it as relatives.
            name: _link_model(model, trained["frequencies"] if name == "elsewhere" else {})
            for name, model in trained["models"].items()
        },
    )


def _link_model(row: Mapping[str, Any], frequencies: Mapping[str, Mapping[str, float]]) -> LinkModel:
    chances = row["comparisons"]
    return LinkModel(
        prior=row["prior"],
        weights={
            comparison: {level: log2(both["m"] / both["u"]) for level, both in levels.items()}
            for comparison, levels in chances.items()
        },
        frequencies=frequencies,
        bases={comparison: chances[comparison]["same"]["u"] for comparison in frequencies},
    )
