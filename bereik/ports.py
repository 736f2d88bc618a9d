"""What the capabilities (intake, vault, casework, …) ask of the edges, and the rows they hand over.

Edges implement these; capabilities never import an edge. No logic lives here.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Protocol

from bereik.errors import LastingError, TransientError
from bereik.lifecycle import Fact
from bereik.linkage import Traits

# Stands where a withdrawal has nothing to say about a moment.
NEVER = datetime.min.replace(tzinfo=UTC)


class Record(Protocol):
    """One Kafka record as polled."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...
    @property
    def value(self) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Letter:
    """One event set apart from its record: a record of our own topics holds many, `number` tells which one this is."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    headers: Sequence[tuple[str, bytes]]
    value: bytes | None
    number: int = 0


class Box(Protocol):
    """A key that makes ids and seals values."""

    def digest(self, text: str) -> bytes: ...
    def id(self, text: str) -> str: ...
    def seal(self, value: bytes, context: bytes) -> bytes: ...
    def open(self, sealed: bytes, context: bytes) -> bytes: ...


class Keys(Protocol):
    """The keyring, as far as capabilities need it."""

    def box(self, label: str) -> Box: ...


@dataclass(frozen=True, slots=True)
class Register:
    """The people of one purpose in one municipality, with the box under its own data key."""

    register_id: int
    purpose: str
    municipality: str
    box: Box


class Outbox(Protocol):
    """Messages that leave with the transaction."""

    def send(self, topic: str, messages: Sequence[tuple[bytes, bytes]]) -> None: ...


# ---------------------------------------------------------------- intake


@dataclass(slots=True)
class ReceiptRow:
    """The fate of one landed event."""

    receipt_id: str
    partner: str
    door: str
    topic: str
    partition: int
    offset: int
    received_at: datetime
    fate: str
    gate: str
    reasons: list[dict[str, str]]
    event_id: str | None = None
    event_type: str | None = None
    action: str | None = None
    municipality: str | None = None
    purpose: str | None = None
    signal_id: str | None = None
    content: bytes | None = None
    sealed: bytes = b""


class IntakeTables(Protocol):
    """Rows of the schema `intake`."""

    def land(self, rows: Iterable[tuple[str, int, int, int, str, str, int]]) -> None: ...
    def stage(self, rows: Sequence[ReceiptRow]) -> None: ...
    def claim(self) -> set[str]: ...
    def claimed(
        self, ids: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[bytes, str | None, str | None, str | None]]: ...
    def finish(self, changed: Sequence[ReceiptRow]) -> None: ...
    def kept(self, signal_ids: Sequence[str]) -> set[str]: ...
    def sources(self, signal_ids: Sequence[str]) -> list[SourceRow]: ...


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One accepted event about a signal: the report, or a correction of it, as it was received."""

    signal_id: str
    action: str
    receipt_id: str
    received_at: datetime
    municipality: str | None
    sealed: bytes = field(repr=False)


# ---------------------------------------------------------------- vault


@dataclass(slots=True)
class RecordRow:
    """One signal's record in a register: sealed identity, the keyed hashes beside it, and what identify decided.

    `traits` are in the clear and only here; they are never written. `keys` are the hashes it can be found by.
    """

    signal_id: str
    register: Register
    received_at: datetime
    sealed: bytes = b""
    traits: Traits = field(default=Traits(), repr=False)
    keys: tuple[int, ...] = ()
    unit_key: int | None = None
    household_id: str | None = None
    person_id: str | None = None
    version: int = 1
    outcome: str = "new"
    reason: str = ""
    against: str | None = None
    weight: float | None = None
    keyed: bool = True
    crowded: bool = False


@dataclass(frozen=True, slots=True)
class LookRow:
    """One keyed record of a person, as stored."""

    person_id: str
    signal_id: str
    received_at: datetime
    sealed: bytes
    # The signals that a person said it is never one person with, as far as it was named first there.
    apart: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Candidates:
    """Who shares a key: (key, persons, looks) of each key that the register knows, and every keyed record of those persons.

    It stops counting beyond the cap, and the records of who shares only such keys are left out.
    """

    keys: Sequence[tuple[int, Sequence[str], int]]
    looks: Sequence[LookRow]


class Sealed(Protocol):
    """A stored record that can be opened."""

    @property
    def signal_id(self) -> str: ...
    @property
    def received_at(self) -> datetime: ...
    @property
    def sealed(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One record as stored, with where it stands now."""

    signal_id: str
    register_id: int
    person_id: str
    household_id: str | None
    version: int
    status: str
    received_at: datetime
    sealed: bytes
    keyed: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an existing signal stands in the vault; an address that is `crowded` has a case per person."""

    signal_id: str
    version: int
    status: str
    person_id: str
    household_id: str | None
    crowded: bool = False


class VaultTables(Protocol):
    """Rows of one purpose in the schema `vault`."""

    def lock(self, registers: Iterable[int]) -> None: ...
    def candidates(
        self, register_id: int, parts: Sequence[Collection[int]], cap: int
    ) -> Generator[Candidates, None, None]: ...
    def save(self, rows: Sequence[RecordRow], bundle_id: int) -> set[str]: ...
    def merge(self, became: Mapping[str, str], bundle_id: int) -> list[Placed]: ...
    def crowd(self, residents: Mapping[str, Sequence[str]]) -> list[Placed]: ...
    def withdraw(self, signal_ids: Sequence[str]) -> list[Placed]: ...
    def standing(self, signal_ids: Sequence[str]) -> set[str]: ...
    def correct(self, signal_ids: Sequence[str]) -> list[Placed]: ...


class VerdictTables(Protocol):
    """The vault of one purpose for whoever decides about links."""

    def lock(self, registers: Iterable[int]) -> None: ...
    def stored(self, signal_ids: Sequence[str]) -> list[StoredRow]: ...
    def records_of(self, persons: Sequence[str]) -> list[StoredRow]: ...
    def records(self, register_id: int) -> list[StoredRow]: ...
    def verdicts(self, register_id: int) -> list[tuple[str, str, bool]]: ...
    def add_verdict(self, act: str, one: str, other: str, register_id: int, same: bool, by: str) -> None: ...
    def end_verdicts(self, act: str, by: str) -> int: ...
    def before_act(self, act: str) -> list[tuple[str, str]]: ...
    def reassign(
        self, moves: Sequence[tuple[str, str]], reason: str, by: str, act: str, bundle_id: int
    ) -> list[Placed]: ...
    def rehouse(self, homes: Sequence[tuple[str, str | None]]) -> list[Placed]: ...
    def add_keys(self, register_id: int, keys: Mapping[str, Sequence[int]]) -> None: ...
    def add_review(self, signal_id: str, against: str, register_id: int, reason: str) -> None: ...
    def close_reviews(self, signal_ids: Sequence[str], same: bool, by: str) -> None: ...


# ---------------------------------------------------------------- casework


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the vault hands to casework: a signal, its version and status, whose it is, and the facts it may know.

    Status `active` brings everything; `withdrawn` and `moved` only ids. A `crowded` address has a case per person. `hint`
    is a signal that is possibly about the same person; nothing follows from it until somebody decides.
    """

    signal_id: str
    version: int
    status: str
    person_id: str
    household_id: str | None
    municipality: str = ""
    area: str | None = None
    signal_type: str = ""
    partner: str = ""
    signal_date: date = date.min
    received_at: datetime = NEVER
    facts: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    crowded: bool = False
    hint: str | None = None


# Casework, outreach and the bridge hold ids as the text of a uuid, as messages bring them: it hashes and compares ten
# times as fast as a str, and a fold does that some forty times per signal. Their rows of each signal are not frozen, which
# costs as much again as making them; nobody changes one but casework its own.


@dataclass(slots=True)
class SignalRow:
    """One signal as casework keeps it, and as it arrives. Until its facts came, a `moved` one has ids only.

    `told` is the word that its partner heard last; None for the one on its receipt.
    """

    signal_id: str
    version: int
    status: str
    subject: str
    household_id: str | None
    person_id: str
    municipality: str
    area: str | None
    signal_type: str
    partner: str
    signal_date: date
    received_at: datetime
    facts: Mapping[str, Any]
    reason: str | None
    case_id: str | None = None
    hint: str | None = None
    told: str | None = None


@dataclass(slots=True)
class CaseRow:
    """One case as stored. `decision` is what no column says: reasons and term as codes and values, see `reasons.spoken`.

    `digest` is what two decisions are compared by.
    """

    case_id: str
    subject: str
    municipality: str
    area: str | None
    version: int
    status: str
    result: str | None
    kind: str
    crisis: bool
    priority: int
    team: str
    period: str
    first_signal: date
    newest_signal: str | None
    received_at: datetime
    offer_by: date
    signals: int
    stands: bool
    digest: bytes
    decision: Mapping[str, Any]
    alerted: int
    bundle_id: int
    decided_at: datetime
    waits_until: date | None = None


@dataclass(slots=True)
class KnownCase:
    """As much of a stored case as a fold compares with."""

    case_id: str
    subject: str
    version: int
    kind: str
    crisis: bool
    team: str
    signals: int
    stands: bool
    digest: bytes
    alerted: int


class CaseworkTables(Protocol):
    """Rows of one purpose in the schema `casework`."""

    def subjects_of(self, signal_ids: Sequence[str]) -> set[str]: ...
    def lock_subjects(self, subjects: Sequence[str]) -> None: ...
    def signals_of(self, subjects: Sequence[str], signal_ids: Sequence[str]) -> list[SignalRow]: ...
    def cases_of(self, subjects: Sequence[str]) -> list[KnownCase]: ...
    def facts_of(self, case_ids: Sequence[str]) -> list[Fact]: ...
    def save(self, signals: Sequence[SignalRow], cases: Sequence[CaseRow]) -> None: ...
    def case(self, case_id: str) -> CaseRow | None: ...
    def recent_cases(self, municipality: str, since: date) -> list[CaseRow]: ...
    def cases_received(self, municipality: str, first: date, last: date) -> list[CaseRow]: ...
    def told_people(
        self, municipality: str, reasons: Sequence[str], first: date, last: date
    ) -> dict[tuple[str, date], int]: ...
    def add_fact(self, fact_id: str, fact: Fact) -> None: ...
    def matched(self) -> dict[tuple[str, str], date]: ...
    def waiting(self) -> list[tuple[str, str, date, int]]: ...
    def delivered(self, municipality: str, period: str) -> set[str]: ...
    def match(self, municipality: str, period: str, on: date) -> None: ...
    def subjects_waiting(self, municipality: str, period: str) -> list[str]: ...


@dataclass(slots=True)
class AlertRow:
    """A team was told, by one outlet. `people` is how many cases the alert stands for."""

    alert_id: str
    case_id: str
    case_version: int
    municipality: str
    team: str
    reason: str
    outlet: str
    ordered_at: datetime
    people: int = 1
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PendingAlert:
    """An alert that waits to leave by another way than the board, with what its case is now.

    `times` counts how often it was told; `waiting` says that nobody has acted on the case since, `stands` that somebody must.
    """

    alert_id: str
    case_id: str
    municipality: str
    team: str
    reason: str
    ordered_at: datetime
    due_at: datetime
    times: int
    priority: int
    offer_by: date
    stands: bool
    waiting: bool
    route: Sequence[str] = ()
    people: int = 1


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """A team is not told by mail or webhook for a while; a crisis still is."""

    silence_id: int
    municipality: str
    team: str
    reason: str
    stated_by: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Rest:
    """An endpoint that failed: how often in a row, until when it is left alone, and what it answered."""

    outlet: str
    target: str
    failures: int
    until: datetime
    outcome: str


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One message to one endpoint, under an id that stays the same however often it is tried."""

    notice_id: str
    purpose: str
    municipality: str
    team: str
    outlet: str
    target: str
    urgent: bool
    message: Mapping[str, Any]
    made_at: datetime
    tries: int = 0


class EndpointAway(TransientError):
    """The endpoint did not take the message now. Its messages wait, and it is asked again later."""


class NotTaken(LastingError):
    """The endpoint refuses this message for good. It is parked; `bereik alerts` shows which answer it gave."""


class Outlet(Protocol):
    """A way out of Bereik. Raises `EndpointAway` when it may work later, `NotTaken` when this message never will."""

    def send(self, notice: NoticeRow) -> None: ...


class OutreachTables(Protocol):
    """Alerts and notices of one purpose."""

    def tell(self, rows: Sequence[AlertRow]) -> None: ...
    def told(self, case_ids: Sequence[str], alert_ids: Sequence[str]) -> set[str]: ...
    def due(self, open_word: str, now: datetime, limit: int) -> list[PendingAlert]: ...
    def fresh(
        self, open_word: str, now: datetime, teams: Collection[tuple[str, str]], limit: int
    ) -> list[PendingAlert]: ...
    def settle(self, due: Mapping[tuple[str, str], datetime | None], told: bool) -> None: ...
    def make_notices(self, rows: Sequence[NoticeRow]) -> None: ...
    def notices(self, limit: int) -> list[NoticeRow]: ...
    def tried(self, notice_id: str, number: int, outcome: str, state: str, at: datetime) -> None: ...


# ---------------------------------------------------------------- feedback


@dataclass(frozen=True, slots=True)
class ToldRow:
    """The word that a signal has now, for its partner."""

    signal_id: str
    word: str
    code: str | None
    on: date


class TellingTables(Protocol):
    """The receipts of one purpose, and what was told on them."""

    def tell(
        self, rows: Sequence[ToldRow], first: str
    ) -> list[tuple[str, str, int, str, str | None, date]]: ...


# ---------------------------------------------------------------- bridge


@dataclass(slots=True)
class CaseView:
    """As much of a case as the bridge may know.

    `people` are those whom its signals are about, each with the newest signal about them; `announced` what partners
    reported of consent, as facts.
    """

    case_id: str
    purpose: str
    municipality: str
    team: str
    open: bool
    first_signal: date
    newest_signal: str | None
    facts: tuple[Fact, ...]
    people: Mapping[str, str]
    announced: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class AnnouncedRow:
    """Consent that a partner reported of one person of a case, which no worker has confirmed yet."""

    case_id: str
    purpose: str
    toward: str
    municipality: str
    person_id: str
    form: str
    who: str
    announced_at: datetime


@dataclass(frozen=True, slots=True)
class SideRow:
    """What one team is shown of a bridge."""

    purpose: str
    case_id: str
    municipality: str
    team: str
    shown: Mapping[str, Any]


@dataclass(slots=True)
class TraceRow:
    """The keyed hash of one case's address unit, kept while the case has a ground for it."""

    case_id: str
    purpose: str
    toward: str
    municipality: str
    digest: bytes
    ground: str


class BridgeTables(Protocol):
    """The schema `bridge`, and the two windows through which its role looks: an open case, one sealed record."""

    def lock(self, municipalities: Iterable[str]) -> None: ...
    def noted(self, wanted: Iterable[tuple[str, str]]) -> set[tuple[str, str]]: ...
    def cases(self, wanted: Iterable[tuple[str, str]]) -> dict[str, CaseView]: ...
    def sealed_records(self, wanted: Iterable[tuple[str, str]]) -> dict[str, bytes]: ...
    def announce(self, concerned: Iterable[tuple[str, str]], rows: Sequence[AnnouncedRow]) -> set[str]: ...
    def keep_traces(self, rows: Sequence[TraceRow]) -> None: ...
    def drop_traces(self, wanted: Iterable[tuple[str, str]]) -> set[str]: ...
    def counterparts(self, wanted: Iterable[tuple[str, str]]) -> list[tuple[str, str, str]]: ...
    def save(
        self, bridge_id: str, ground: str, basis: str, state: str, sides: Sequence[SideRow], now: datetime
    ) -> bool: ...
    def end_bridges(
        self, case_ids: Iterable[str], reason: str, now: datetime
    ) -> dict[str, list[SideRow]]: ...


# ---------------------------------------------------------------- checks


@dataclass(frozen=True, slots=True)
class Due:
    """One person of one case to be asked about, with one sealed record."""

    case_id: str
    person_id: str
    signal_id: str
    municipality: str
    sealed: bytes = field(repr=False)
    answer: str | None = None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer as it is kept: the number and what was found are sealed. `again`: when to ask once more."""

    answer: str
    differences: tuple[str, ...]
    bsn: bytes | None = field(default=None, repr=False)
    bsn_hash: bytes | None = field(default=None, repr=False)
    found: bytes | None = field(default=None, repr=False)
    known: bool | None = None
    again: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One person of one case under a number. `answer` and `choice`: what the register said, and what somebody made of it."""

    case_id: str
    person_id: str
    municipality: str
    answer: str | None
    choice: str | None


@dataclass(frozen=True, slots=True)
class TrayRow:
    """What waits for a person. `answer` is None where no register is asked; `events` are kinds of what the register told since."""

    case_id: str
    person_id: str
    municipality: str
    answer: str | None
    differences: tuple[str, ...]
    since: datetime
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """One row of the tray with what is sealed in it."""

    municipality: str
    signal_id: str
    answer: str | None
    differences: tuple[str, ...]
    found: bytes | None = field(repr=False)
    bsn: bytes | None = field(repr=False)
    sealed: bytes = field(repr=False)
    choice: str | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A mover's case that waits for the municipality where somebody lives now."""

    transfer_id: str
    case_id: str
    person_id: str
    municipality: str
    toward: str
    since: datetime


class CheckTables(Protocol):
    """Rows of one purpose about what the registers said."""

    def want(self, rows: Sequence[tuple[str, str, str, str]]) -> None: ...
    def rest(self, case_ids: Sequence[str]) -> None: ...
    def due(self, limit: int) -> list[Due]: ...
    def postpone(self, due: Due, seconds: int) -> None: ...
    def answered(self, due: Due, checked: Checked) -> bool: ...
    def of_number(self, digest: bytes) -> list[Found]: ...
    def hold(self, case_id: str, person_id: str, event: Mapping[str, Any]) -> None: ...
    def release(self, case_id: str, person_id: str) -> list[Mapping[str, Any]]: ...
    def change(self, case_id: str, person_id: str, answer: str) -> None: ...
    def tray(self, answers: Sequence[str], unasked: bool) -> list[TrayRow]: ...
    def held(self, case_id: str, person_id: str) -> Held | None: ...
    def repair(
        self, case_id: str, person_id: str, choice: str, by: str, *, keeps: bool, ends: bool
    ) -> None: ...
    def offer(
        self,
        transfer_id: str,
        case_id: str,
        person_id: str,
        municipality: str,
        toward: str,
        team: str | None,
    ) -> bool: ...
    def offers(self) -> list[Offer]: ...
    def decide_offer(self, transfer_id: str, accepted: bool, by: str) -> bool: ...


class Residents(Protocol):
    """The national register of persons."""

    def ask(self, question: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]: ...


class Helped(Protocol):
    """The municipality's own register of debt help."""

    def knows(self, bsn: str) -> bool: ...
