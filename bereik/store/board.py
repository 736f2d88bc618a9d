"""All SQL of the board. Every query runs as the web role with one user named, so PostgreSQL itself hides what is not theirs.

`as_user` is the only way in. Queries name the user's teams as well, but only to use an index: a query without
that condition returns the same rows, because row security is what decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from bereik.cases import Signal
from bereik.lifecycle import Fact
from bereik.reasons import spoken
from bereik.residency import REPAIRED, RESIDENT, TRAY
from bereik.store import Store, Tx
from bereik.store.accounts import Account, Membership, Remit


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case as its own team may see it."""

    case_id: str
    purpose: str
    subject: str
    municipality: str
    area: str | None
    status: str
    result: str | None
    kind: str
    crisis: bool
    priority: int
    team: str
    month: str
    first_signal: date
    received_at: datetime
    offer_by: date
    signals: int
    stands: bool
    decision: Mapping[str, Any]
    decided_at: datetime
    version: int
    bundle_id: int


@dataclass(frozen=True, slots=True)
class SignalRow:
    """One signal of a case: no identity in it, only the facts its purpose may know.

    `in_doubt`: it is possibly about somebody whom another signal is about; `resembles` is that signal's case, for those
    who may see it. For others a neutral reviewer decides, and nothing tells whose case it is.
    """

    signal_id: str
    signal_type: str
    partner: str
    signal_date: date
    received_at: datetime
    status: str
    reason: str | None
    facts: Mapping[str, Any]
    in_doubt: bool
    resembles: str | None
    person_id: str


@dataclass(frozen=True, slots=True)
class AlertRow:
    """That the team was told, why and when."""

    reason: str
    outlet: str
    ordered_at: datetime
    told_at: datetime


@dataclass(frozen=True, slots=True)
class BridgeRow:
    """One side of a bridge: its ground and what crosses to this case. Never the other case."""

    bridge_id: str
    case_id: str
    municipality: str
    team: str
    ground: str
    basis: str
    state: str
    opened_at: datetime | None
    ended_at: datetime | None
    shown: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TrayCase:
    """One open case of which a register said something."""

    case_id: str
    purpose: str
    municipality: str
    offer_by: date


@dataclass(frozen=True, slots=True)
class GateCount:
    """How many events of one kind the gate answered in one way."""

    partner: str
    event_type: str | None
    action: str
    municipality: str | None
    purpose: str | None
    gate: str
    fate: str
    reason: str
    article: str
    events: int


@dataclass(frozen=True, slots=True)
class FlowCount:
    """How many active signals of one type are in cases of one kind with one team."""

    purpose: str
    signal_type: str
    municipality: str
    team: str
    kind: str
    signals: int
    cases: int


@dataclass(frozen=True, slots=True)
class Filters:
    """What a worker asked to see. None means all."""

    month: str | None = None
    status: str | None = None
    kind: str | None = None
    signal_type: str | None = None
    purpose: str | None = None
    municipality: str | None = None
    team: str | None = None
    crisis: bool = False
    due_by: date | None = None
    # True: only what a team must still act on. `standing` says which (purpose, status) those are; the bundle declares them.
    to_do: bool = True
    standing: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Totals:
    """The head of the board, over the same filters as its list."""

    cases: int = 0
    crisis: int = 0
    due_soon: int = 0
    overdue: int = 0


@dataclass(frozen=True, slots=True)
class Choices:
    """Months with their number of cases (newest first), and the statuses and kinds that occur."""

    months: tuple[tuple[str, int], ...] = ()
    statuses: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


# The matching month; a purpose that matches what is open, not what is of one month, counts by its first signal.
_MONTH = (
    "CASE WHEN c.period ~ '^[0-9]{4}-[0-9]{2}$' THEN c.period ELSE to_char(c.first_signal, 'YYYY-MM') END"
)
_COLUMNS = (
    f"c.case_id, c.purpose, c.subject, c.municipality, c.area, c.status, c.result, c.kind, c.crisis, c.priority, c.team, {_MONTH},"
    " c.first_signal, c.received_at, c.offer_by, c.signals, c.stands, c.decision, c.decided_at, c.version, c.bundle_id"
)
# Whether a team must still act on a case.
_STANDING = "(c.result IS NULL AND (c.purpose, c.status) IN (SELECT * FROM unnest(%(purposes)s::text[], %(states)s::text[])))"
# Names the user's teams so that the index case_of_team is used; row security decides by itself.
_MINE = (
    "(c.municipality, c.team) IN (SELECT m.municipality, m.team FROM ops.member m"
    " WHERE m.username = current_setting('bereik.user', true))"
)


@contextmanager
def as_user(store: Store, username: str) -> Iterator[Tx]:
    """One transaction in which row security shows what `username` may see. The name ends with the transaction."""
    with store.transaction() as tx:
        tx.execute("SELECT set_config('bereik.user', %s, true)", (username,))
        yield tx


def account(tx: Tx, username: str) -> tuple[Account, str] | None:
    """An account with its memberships, and its password hash; None when there is none."""
    found = tx.rows(
        "SELECT display_name, password_hash, language, sees_flows FROM ops.account WHERE username = %s",
        (username,),
    )
    if not found:
        return None
    display_name, password_hash, language, sees_flows = found[0]
    members = tuple(
        Membership(*row)
        for row in tx.rows(
            "SELECT purpose, municipality, team FROM ops.member WHERE username = %s ORDER BY 1, 2, 3",
            (username,),
        )
    )
    reviews = tuple(
        Remit(*row)
        for row in tx.rows(
            "SELECT purpose, municipality FROM ops.reviewer WHERE username = %s ORDER BY 1, 2", (username,)
        )
    )
    return Account(username, display_name, language, sees_flows, members, reviews), password_hash


def choices(tx: Tx, filters: Filters) -> Choices:
    """What there is to choose from among the user's own cases; months count what the filters but the month let through."""
    where, params = _where(replace(filters, month=None))
    months = tx.rows(
        f"SELECT {_MONTH} AS month, count(*) FROM casework.case c WHERE {where} GROUP BY 1 ORDER BY 1 DESC",
        params,
    )
    rest = tx.rows(f"SELECT DISTINCT c.status, c.kind FROM casework.case c WHERE {_MINE}")
    return Choices(
        months=tuple((month, count) for month, count in months),
        statuses=tuple(sorted({status for status, _ in rest})),
        kinds=tuple(sorted({kind for _, kind in rest})),
    )


def totals(tx: Tx, filters: Filters, today: date, soon: date) -> Totals:
    """Counts over the filtered cases. Only what a team must still act on can be due or late."""
    where, params = _where(filters)
    row = tx.rows(
        "SELECT count(*), count(*) FILTER (WHERE c.crisis),"
        f" count(*) FILTER (WHERE c.offer_by BETWEEN %(today)s AND %(soon)s AND {_STANDING}),"
        f" count(*) FILTER (WHERE c.offer_by < %(today)s AND {_STANDING})"
        f" FROM casework.case c WHERE {where}",
        {**params, "today": today, "soon": soon},
    )[0]
    return Totals(*row)


def cases(tx: Tx, filters: Filters, limit: int, offset: int = 0) -> list[CaseRow]:
    """The user's cases, most urgent first: by priority, then by the day they are due, then the longest waiting."""
    where, params = _where(filters)
    found = tx.rows(
        f"SELECT {_COLUMNS} FROM casework.case c WHERE {where}"
        f" ORDER BY {_STANDING} DESC, c.priority, c.offer_by, c.received_at, c.case_id LIMIT %(limit)s OFFSET %(offset)s",
        {**params, "limit": limit, "offset": offset},
    )
    return [_case(row) for row in found]


def case(tx: Tx, case_id: str) -> CaseRow | None:
    """One case, or None: the same answer for a case of another team as for one that does not exist."""
    found = tx.rows(f"SELECT {_COLUMNS} FROM casework.case c WHERE c.case_id = %s", (case_id,))
    return _case(found[0]) if found else None


def _case(row: Sequence[Any]) -> CaseRow:
    found = CaseRow(*row)
    return replace(found, decision=spoken(found.decision))


def types_of(tx: Tx, rows: Sequence[CaseRow]) -> dict[str, tuple[tuple[str, int], ...]]:
    """For each case its active signal types with their number, in the order they came."""
    found = tx.rows(
        "SELECT s.case_id, s.signal_type, count(*) FROM casework.signal s"
        # By subject, because that has the index.
        " WHERE s.subject = ANY(%s) AND s.case_id = ANY(%s) AND s.status = 'active'"
        " GROUP BY 1, 2 ORDER BY 1, min(s.signal_date), 2",
        ([row.subject for row in rows], [row.case_id for row in rows]),
    )
    out: dict[str, tuple[tuple[str, int], ...]] = {}
    for case_id, signal_type, count in found:
        out[case_id] = (*out.get(case_id, ()), (signal_type, count))
    return out


def signals(tx: Tx, row: CaseRow) -> list[SignalRow]:
    """All signals of a case, withdrawn ones too, oldest first."""
    found = tx.rows(
        "SELECT s.signal_id, s.signal_type, s.partner, s.signal_date, s.received_at, s.status, s.reason, s.facts,"
        " s.hint IS NOT NULL, (SELECT o.case_id FROM casework.signal o WHERE o.signal_id = s.hint),"
        " s.person_id"
        " FROM casework.signal s WHERE s.subject = %s AND s.case_id = %s ORDER BY s.signal_date, s.received_at, s.signal_id",
        (row.subject, row.case_id),
    )
    return [SignalRow(*each) for each in found]


def active_signals(tx: Tx, rows: Sequence[CaseRow]) -> dict[str, list[Signal]]:
    """The active signals of these cases as the rules know them, oldest first."""
    found = tx.rows(
        "SELECT s.case_id, s.signal_id, s.signal_type, s.partner, s.municipality, s.area, s.signal_date, s.received_at,"
        " s.facts FROM casework.signal s WHERE s.subject = ANY(%s) AND s.case_id = ANY(%s) AND s.status = 'active'"
        " ORDER BY s.signal_date, s.received_at, s.signal_id",
        ([row.subject for row in rows], [row.case_id for row in rows]),
    )
    out: dict[str, list[Signal]] = {}
    for case_id, *columns in found:
        out.setdefault(case_id, []).append(Signal(*columns))
    return out


def facts(tx: Tx, rows: Sequence[CaseRow]) -> dict[str, dict[str, list[Fact]]]:
    """What was stated about all cases of the subjects of these cases that the user may see: by subject, then by case."""
    found = tx.rows(
        "SELECT c.subject, f.case_id, f.kind, f.detail, f.stated_by, f.stated_at FROM casework.fact f"
        " JOIN casework.case c USING (case_id) WHERE c.subject = ANY(%s) ORDER BY f.stated_at, f.fact_id",
        ([row.subject for row in rows],),
    )
    out: dict[str, dict[str, list[Fact]]] = {}
    for subject, case_id, *columns in found:
        out.setdefault(subject, {}).setdefault(case_id, []).append(Fact(case_id, *columns))
    return out


def register_facts(tx: Tx) -> list[tuple[TrayCase, Fact]]:
    """What the register of persons said, and what was repaired, in the order it was stated: of the user's own open cases of
    which it ever said something that a person has to look at."""
    found = tx.rows(
        "SELECT c.case_id, c.purpose, c.municipality, c.offer_by, f.kind, f.detail, f.stated_by, f.stated_at FROM casework.case c"
        f" JOIN casework.fact f USING (case_id) WHERE {_MINE} AND c.stands AND f.kind = ANY(%s)"
        " AND EXISTS (SELECT 1 FROM casework.fact d WHERE d.case_id = c.case_id AND d.kind = %s AND d.detail->>'answer' = ANY(%s))"
        " ORDER BY f.stated_at, f.fact_id",
        ([RESIDENT, REPAIRED], RESIDENT, sorted(TRAY)),
    )
    return [(TrayCase(*row[:4]), Fact(str(row[0]), *row[4:])) for row in found]


def alerts(tx: Tx, case_id: str) -> list[AlertRow]:
    """When and why the team was told, newest first. One row for all outlets of one case version."""
    found = tx.rows(
        "SELECT reason, string_agg(DISTINCT outlet, ', ' ORDER BY outlet), min(ordered_at), min(told_at) FROM casework.alert"
        " WHERE case_id = %s GROUP BY case_version, reason, ordered_at ORDER BY ordered_at DESC, 1",
        (case_id,),
    )
    return [AlertRow(*row) for row in found]


@dataclass(frozen=True, slots=True)
class ManagerRow:
    """What the user's team was told about cases of other teams, and of how many people. The case is the first of them."""

    purpose: str
    municipality: str
    reason: str
    people: int
    case_id: str
    told_at: datetime


def told_managers(tx: Tx, reasons: Sequence[str], since: datetime) -> list[ManagerRow]:
    """Alerts to the user's own teams for these reasons, the newest first; at most 20. Row security shows no others."""
    found = tx.rows(
        "SELECT purpose, municipality, reason, people, case_id, ordered_at FROM casework.alert"
        " WHERE reason = ANY(%s) AND ordered_at >= %s GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY ordered_at DESC, reason LIMIT 20",
        (list(reasons), since),
    )
    return [ManagerRow(*row) for row in found]


@dataclass(frozen=True, slots=True)
class AnnouncedRow:
    """Consent that a partner reported about one person of a case, and that nobody has confirmed yet."""

    person_id: str
    toward: str
    form: str
    who: str
    announced_at: datetime


def announced(tx: Tx, case_id: str) -> list[AnnouncedRow]:
    """What partners announced about a case of the user's own team."""
    found = tx.rows(
        "SELECT person_id, toward, form, who, announced_at FROM bridge.announced WHERE case_id = %s"
        " ORDER BY announced_at, person_id",
        (case_id,),
    )
    return [AnnouncedRow(*row) for row in found]


@dataclass(frozen=True, slots=True)
class OfferRow:
    """A mover's case that waits for an answer of the user's team."""

    transfer_id: str
    purpose: str
    case_id: str
    municipality: str
    toward: str
    offered_at: datetime


def offers(tx: Tx) -> list[OfferRow]:
    """Offers to the teams of the user of this transaction that nobody answered, oldest first."""
    rows = tx.rows(
        "SELECT transfer_id, purpose, case_id, municipality, toward, offered_at FROM vault.transfer WHERE decided_at IS NULL"
        " ORDER BY offered_at, transfer_id"
    )
    return [OfferRow(*row) for row in rows]


def held_events(tx: Tx, case_ids: Sequence[str]) -> dict[tuple[str, str], tuple[str, ...]]:
    """By case and person the kinds of events of the register that wait until somebody decided whom they are about."""
    rows = tx.rows(
        "SELECT case_id, person_id, held FROM vault.residency WHERE case_id = ANY(%s) AND held <> '[]'",
        (list(case_ids),),
    )
    return {(case_id, person): tuple(kinds) for case_id, person, kinds in rows}


def bridges(tx: Tx, case_ids: Sequence[str]) -> list[BridgeRow]:
    """The user's own sides of bridges that are, or were, open. A request shows nothing: it must not tell who exists."""
    found = tx.rows(
        "SELECT s.bridge_id, s.case_id, s.municipality, s.team, b.ground, b.basis, b.state, b.opened_at, b.ended_at, s.shown"
        " FROM bridge.side s JOIN bridge.bridge b USING (bridge_id)"
        " WHERE s.case_id = ANY(%s) AND b.opened_at IS NOT NULL AND b.state IN ('open', 'ended')"
        " ORDER BY b.opened_at, s.bridge_id",
        (list(case_ids),),
    )
    return [BridgeRow(*row) for row in found]


def bundle_sha(tx: Tx, bundle_id: int) -> str | None:
    """The SHA-256 of the bundle that a case was decided by."""
    found = tx.rows("SELECT sha256 FROM ops.bundle WHERE bundle_id = %s", (bundle_id,))
    return str(found[0][0]) if found else None


def gate_counts(tx: Tx, municipalities: Sequence[str]) -> list[GateCount]:
    """What the gate answered, for these municipalities and for events that named none that exists."""
    found = tx.rows(
        "SELECT partner, event_type, action, municipality, purpose, gate, fate, reason, article, sum(events)::bigint"
        " FROM ops.gate_count"
        " WHERE municipality IS NULL OR municipality = ANY(%s) GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 2, 6, 8, 9, 1",
        (list(municipalities),),
    )
    return [GateCount(*row) for row in found]


def flow_counts(tx: Tx, municipalities: Sequence[str]) -> list[FlowCount]:
    """Which signals are in which cases of which team, for these municipalities, in counts."""
    found = tx.rows(
        "SELECT purpose, signal_type, municipality, team, kind, signals, cases FROM ops.flow_count"
        " WHERE municipality = ANY(%s) ORDER BY 1, 3, 4, 5, 2",
        (list(municipalities),),
    )
    return [FlowCount(*row) for row in found]


def note(tx: Tx, actor: str, act: str, purpose: str | None = None, about: str | None = None) -> None:
    """Write in the audit that someone did something, in the transaction that did it."""
    tx.execute(
        "INSERT INTO audit.act (actor, act, purpose, about, detail) VALUES (%s, %s, %s, %s, %s)",
        (actor, act, purpose, about, json.dumps({"by": "board"})),
    )


def _where(filters: Filters) -> tuple[str, dict[str, Any]]:
    parts = [_MINE]
    params: dict[str, Any] = {
        "purposes": [purpose for purpose, _ in filters.standing],
        "states": [status for _, status in filters.standing],
    }
    if filters.to_do:
        parts.append(_STANDING)
    for column, value in (
        (_MONTH, filters.month),
        ("c.status", filters.status),
        ("c.kind", filters.kind),
        ("c.purpose", filters.purpose),
        ("c.municipality", filters.municipality),
        ("c.team", filters.team),
    ):
        if value is not None:
            name = f"p{len(params)}"
            parts.append(f"{column} = %({name})s")
            params[name] = value
    if filters.signal_type is not None:
        parts.append(
            "EXISTS (SELECT 1 FROM casework.signal s WHERE s.subject = c.subject AND s.case_id = c.case_id"
            " AND s.status = 'active' AND s.signal_type = %(signal_type)s)"
        )
        params["signal_type"] = filters.signal_type
    if filters.crisis:
        parts.append("c.crisis")
    if filters.due_by is not None:
        parts.append(f"c.offer_by <= %(due_by)s AND {_STANDING}")
        params["due_by"] = filters.due_by
    return " AND ".join(parts), params
