"""A case in words: a row of the board, and everything on its own page. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from bereik import notices
from bereik.bundle import Bundle
from bereik.declared.purposes import Purpose
from bereik.declared.signals import SignalKind
from bereik.lifecycle import OPEN
from bereik.reasons import Reason
from bereik.store.board import AlertRow, BridgeRow, CaseRow, ManagerRow, SignalRow
from bereik.web.filters import SOON_DAYS
from bereik.web.texts import euros, known, label, local, long_date, plain, short_date
from bereik.web.words import Words, moment, reference, spaced


@dataclass(frozen=True, slots=True)
class Due:
    """The day something must have happened, and how near that is: tone late, soon, calm or done."""

    day: str
    left: str
    tone: str


def due(row: CaseRow, words: Words, today: date) -> Due:
    """When this case is due, in words."""
    day, days = long_date(row.offer_by, words.language), (row.offer_by - today).days
    if not _stands(row, words.bundle):
        return Due(day, words.t("due.done"), "done")
    if days < 0:
        return Due(day, words.t("due.late.one") if days == -1 else words.t("due.late", days=-days), "late")
    if days < 2:
        return Due(day, words.t("due.tomorrow" if days else "due.today"), "soon")
    return Due(day, words.t("due.in", days=days), "soon" if days <= SOON_DAYS else "calm")


def _stands(row: CaseRow, bundle: Bundle) -> bool:
    if not row.stands:
        return False
    purpose = bundle.purposes.get(row.purpose)
    word = next((each for each in purpose.states if each.id == row.status), None) if purpose else None
    return row.result is None and (word is None or word.when in OPEN)


def card(
    row: CaseRow, types: Sequence[tuple[str, int]], bridges: Sequence[BridgeRow], words: Words, today: date
) -> dict[str, Any]:
    """One row of the board."""
    return {
        **_head(row, bridges, words, today),
        "chips": [(words.sector(kind), words.signal_type(kind), number) for kind, number in types],
        "why": words.reasons(row)[:2],
    }


def _head(row: CaseRow, bridges: Sequence[BridgeRow], words: Words, today: date) -> dict[str, Any]:
    stands = _stands(row, words.bundle)
    return {
        "reference": reference(row.case_id),
        "href": f"/cases/{row.case_id}",
        "kind": words.kind(row.kind),
        "kind_hint": known(f"kind.{row.kind}.hint", words.language) or "",
        "crisis": row.crisis,
        "warm": any(reason["code"] == Reason.WARM for reason in row.decision["reasons"]),
        "family": any(
            each.case_id == row.case_id and each.state == "open" for each in _shown(bridges, words)
        ),
        "stands": stands,
        "status": words.status(row.purpose, row.status),
        "priority": row.priority,
        "priority_why": words.priority(row),
        "team": words.team_name(row.municipality, row.team),
        "municipality": words.municipality(row.municipality),
        "area": words.area(row.municipality, row.area),
        "received": long_date(local(row.received_at).date(), words.language),
        "received_short": short_date(local(row.received_at).date(), words.language),
        "due": due(row, words, today),
        "due_short": short_date(row.offer_by, words.language),
    }


def _shown(bridges: Sequence[BridgeRow], words: Words) -> list[BridgeRow]:
    """The bridges that may be shown: never to a team that enforces, nor to one the active bundle does not know."""
    teams = [(row, words.team(row.municipality, row.team)) for row in bridges]
    return [row for row, team in teams if team is not None and team.role == "help"]


def case(
    row: CaseRow,
    signals: Sequence[SignalRow],
    alerts: Sequence[AlertRow],
    bridges: Sequence[BridgeRow],
    sha256: str | None,
    words: Words,
    today: date,
) -> dict[str, Any]:
    """Everything on the page of one case."""
    language, purpose = words.language, words.bundle.purposes.get(row.purpose)
    rows = [_signal(signal, words) for signal in signals]
    amounts = [each["amount"] for each in rows if each["amount"] is not None and not each["withdrawn"]]
    shown = _shown(bridges, words)
    team = words.team(row.municipality, row.team)
    helps = team is not None and team.role == "help"
    ended = (
        [each for each in shown if each.state == "ended"] if not any(b.state == "open" for b in shown) else []
    )
    return {
        **_head(row, bridges, words, today),
        "case_id": row.case_id,
        "purpose": words.purpose(row.purpose),
        "article": purpose.article if purpose else "",
        "first_signal": long_date(row.first_signal, language),
        "reasons": words.reasons(row),
        "signals": [
            {**each, "amount": None if each["amount"] is None else euros(each["amount"], language)}
            for each in rows
        ],
        "has_amounts": any(each["amount"] is not None for each in rows),
        "has_since": any(each["since"] for each in rows),
        "total": euros(sum(amounts), language) if len(amounts) > 1 else None,
        "path": _path(row, words),
        "term": _term(row, purpose, words),
        "alerts": [
            _alert(alert, words) for alert in alerts if helps or not alert.reason.startswith("bridge_")
        ],
        "bridges": [_bridge(each, row, words) for each in shown if each.state == "open"],
        "ended": [long_date(local(each.ended_at).date(), language) for each in ended if each.ended_at],
        "sha256": sha256,
        "version": row.version,
        "decided": moment(row.decided_at, language),
    }


def _signal(signal: SignalRow, words: Words) -> dict[str, Any]:
    kind = words.bundle.kinds[signal.signal_type]
    amount = _fact(signal, kind.amount_field)
    since = _fact(signal, kind.since_field)
    flags = [
        words.t(key)
        for key, name in (("fact.crisis", kind.crisis_field), ("fact.warm", kind.warm_field))
        if _fact(signal, name) is True
    ]
    return {
        "type": words.signal_type(signal.signal_type),
        "partner": words.partner(signal.partner),
        "date": long_date(signal.signal_date, words.language),
        "since": words.value(since) if isinstance(since, str) else "",
        "amount": amount if isinstance(amount, int | float) and not isinstance(amount, bool) else None,
        "flags": flags,
        "facts": _facts(signal, kind, words),
        "withdrawn": signal.status == "withdrawn",
        "in_doubt": signal.in_doubt,
        "resembles": str(signal.resembles) if signal.resembles else None,
        "review": f"/reviews/{signal.signal_id}",
    }


def _fact(signal: SignalRow, name: str | None) -> object:
    return signal.facts.get(name) if name else None


def _facts(signal: SignalRow, kind: SignalKind, words: Words) -> list[str]:
    """The other facts casework may know, `name value`; not the partner's own key, which says nothing to a worker."""
    told = {
        kind.amount_field,
        kind.since_field,
        kind.crisis_field,
        kind.warm_field,
        kind.reference_field,
        kind.date_field,
    }
    spoken = [(name, words.value(signal.facts.get(name))) for name in kind.fact_fields if name not in told]
    return [f"{spaced(name)} {value}" for name, value in spoken if value]


def _path(row: CaseRow, words: Words) -> list[str]:
    route = row.decision.get("route")
    path = route.get("path") if isinstance(route, Mapping) else None
    return (
        [spoken for step in path if (spoken := words.step(step, row.municipality))]
        if isinstance(path, list)
        else []
    )


def _term(row: CaseRow, purpose: Purpose | None, words: Words) -> str:
    # As it was decided, under the bundle of then.
    within = label(row.decision.get("offer_in"), words.language)
    if row.crisis:
        return words.t("case.now.crisis", within=within)
    return words.t("case.now.offer" if purpose and purpose.ddas else "case.now.plain", within=within)


def _alert(alert: AlertRow, words: Words) -> dict[str, str]:
    outlets = [known(f"outlet.{each}", words.language) or plain(each) for each in alert.outlet.split(", ")]
    return {
        "reason": known(f"told.{alert.reason}", words.language) or plain(alert.reason),
        "outlet": ", ".join(outlets),
        "when": moment(alert.ordered_at, words.language),
    }


def _bridge(bridge: BridgeRow, row: CaseRow, words: Words) -> dict[str, Any]:
    rule = next((each for each in words.bundle.bridges if row.purpose in each.purposes), None)
    other = words.purpose(rule.other(row.purpose)) if rule else ""
    # Only fields that the rule names for this purpose, even if more was stored: what is not declared does not cross.
    allowed = rule.fields.get(row.purpose, ()) if rule else ()
    return {
        "other": other,
        "ground": known(f"bridge.ground.{bridge.ground}", words.language) or plain(bridge.ground),
        "basis": bridge.basis,
        "since": long_date(local(bridge.opened_at).date(), words.language) if bridge.opened_at else "",
        "shown": [
            (words.field(name, other), value)
            for name in allowed
            if (value := words.value(bridge.shown.get(name)))
        ],
    }


def told_manager(row: ManagerRow, words: Words) -> dict[str, str]:
    """What a manager was told about cases that are not the manager's own, in words."""
    return {
        "when": moment(row.told_at, words.language),
        "what": notices.told(row.reason, words.language),
        "people": words.t("board.told.person" if row.people == 1 else "board.told.people", people=row.people),
        "reference": reference(row.case_id),
    }
