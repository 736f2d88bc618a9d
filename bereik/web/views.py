"""What the pages show, in words: rows of the store and declarations of the bundle made into plain values. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from bereik import notices
from bereik.bundle import Bundle
from bereik.cases import Reason
from bereik.declared.municipalities import Team
from bereik.declared.purposes import BridgeRule, Purpose
from bereik.declared.signals import SignalKind, SignalType
from bereik.store.accounts import Account
from bereik.store.board import (
    AlertRow,
    AnnouncedRow,
    BridgeRow,
    CaseRow,
    Choices,
    Filters,
    FlowCount,
    GateCount,
    ManagerRow,
    SignalRow,
)
from bereik.web import flow
from bereik.web.texts import (
    AMSTERDAM,
    count,
    euros,
    known,
    label,
    local,
    long_date,
    month_name,
    plain,
    short_date,
    text,
)

_SOON_DAYS = 7
# The rule outcomes that leave a case with its team (bereik/cases.py); every other word ends the work.
_STANDING = ("new", "taken_up")
_LONGEST_PARAMETER = 100
_ISO_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")


def reference(case_id: UUID) -> str:
    """What people call a case on the phone: the first eight digits of its id."""
    digits = case_id.hex[:8].upper()
    return f"{digits[:4]}-{digits[4:]}"


# ---------------------------------------------------------------- words


class Words:
    """Names out of the bundle in one language. What the active bundle no longer knows is called by its id."""

    def __init__(self, bundle: Bundle, language: str) -> None:
        self.bundle = bundle
        self.language = language

    def t(self, key: str, **values: object) -> str:
        """The board's own words for a key."""
        return text(key, self.language, **values)

    def count(self, number: int) -> str:
        """A count, with thousands marked."""
        return count(number, self.language)

    def purpose(self, purpose: str) -> str:
        """The name of a purpose."""
        found = self.bundle.purposes.get(purpose)
        return label(found.name, self.language) if found else plain(purpose)

    def municipality(self, code: str) -> str:
        """The name of a municipality."""
        found = self.bundle.municipalities.get(code)
        return found.name if found else code

    def area(self, municipality: str, area: str | None) -> str:
        """The name of an area; '' for none."""
        found = self.bundle.municipalities.get(municipality)
        return "" if area is None else (found.areas.get(area, plain(area)) if found else plain(area))

    def team(self, municipality: str, team: str) -> Team | None:
        """A team of a municipality as declared, or None."""
        found = self.bundle.municipalities.get(municipality)
        return next((each for each in found.teams if each.id == team), None) if found else None

    def team_name(self, municipality: str, team: str) -> str:
        """The name of a team."""
        found = self.team(municipality, team)
        return found.name if found else plain(team)

    def team_names(self, account: Account) -> list[str]:
        """The teams of an account that exist."""
        found = [self.team(member.municipality, member.team) for member in account.members]
        return [team.name for team in found if team]

    def partner(self, partner: str) -> str:
        """The name of a partner."""
        found = self.bundle.partners.get(partner)
        return found.name if found else plain(partner)

    def signal_type(self, signal_type: str) -> str:
        """The name of a signal type."""
        found = self.bundle.kinds.get(signal_type)
        return label(found.label, self.language) if found else plain(signal_type)

    def sector(self, signal_type: str) -> str:
        """The short name on a chip: in Dutch the national word for the source where that is used, else the type's name."""
        found = self.bundle.signal_types.get(signal_type)
        purpose = self.bundle.purposes.get(found.purpose) if found else None
        return (
            found.partner_type
            if found and purpose and purpose.ddas and self.language == "nl"
            else self.signal_type(signal_type)
        )

    def status(self, purpose: str, status: str) -> str:
        """The name of a state."""
        found = self.bundle.purposes.get(purpose)
        word = next((each for each in found.states if each.id == status), None) if found else None
        return label(word.label, self.language) if word else plain(status)

    def kind(self, kind: str) -> str:
        """The name of a kind of case."""
        return known(f"kind.{kind}", self.language) or plain(kind)

    def priority(self, row: CaseRow) -> str:
        """Why a case has its priority: as decided, else by the published rule of that level."""
        decided = label(row.decision.get("priority_reason"), self.language)
        found = self.bundle.purposes.get(row.purpose)
        rules = [rule for rule in found.priorities if rule.level == row.priority] if found else []
        return decided or (label(rules[0].label, self.language) if len(rules) == 1 else "")

    def reasons(self, row: CaseRow) -> list[str]:
        """Why a case is what it is, as stored with the decision."""
        stored = row.decision.get("reasons")
        found = [label(reason, self.language) for reason in stored] if isinstance(stored, list) else []
        return [_ISO_DATE.sub(lambda m: self._day(m[0]), words) for words in found if words]

    def _day(self, iso: str) -> str:
        """An ISO date as people write it; what only looks like one is left alone."""
        try:
            return long_date(date.fromisoformat(iso), self.language)
        except ValueError:
            return iso

    def step(self, step: object, municipality: str) -> str:
        """One step of a route in plain words: `area=noord|zuid` as 'gebied: Noord of Zuid'."""
        if isinstance(step, Mapping):
            return label(step, self.language) or ", ".join(
                self._matcher(str(name), _texts(values), municipality) for name, values in step.items()
            )
        parts = [part.partition("=") for part in str(step).split(", ")]
        return ", ".join(
            self._matcher(name, values.split("|"), municipality) if values else plain(name)
            for name, _, values in parts
        )

    def _matcher(self, name: str, values: Iterable[str], municipality: str) -> str:
        spoken = [self._value(name, value, municipality) for value in values]
        name_of_it = known(f"label.{name}", self.language) or plain(name)
        return f"{name_of_it}: " + f" {self.t('or')} ".join(spoken)

    def _value(self, name: str, value: str, municipality: str) -> str:
        if name == "area":
            return self.area(municipality, value)
        if name == "type":
            return self.signal_type(value)
        if name == "kind":
            return self.kind(value)
        if name == "language":
            words = (word for purpose in self.bundle.purposes.values() for word in purpose.words["languages"])
            return next((label(word.label, self.language) for word in words if word.id == value), value)
        return known(value, self.language) or value if value in ("yes", "no") else plain(value)

    def field(self, name: str, other: str) -> str:
        """A field that crosses a bridge, in words."""
        key = f"bridge.field.{name}"
        return self.t(key, other=other) if known(key, self.language) else plain(name)

    def value(self, value: object) -> str:
        """A value that crosses a bridge, in words; '' for nothing."""
        if value is True:
            return self.t("bridge.any")
        if isinstance(value, str) and _ISO_DATE.fullmatch(value):
            return self._day(value)
        if isinstance(value, Mapping):
            return label(value, self.language) or ", ".join(
                filter(None, (self.value(each) for each in value.values()))
            )
        if isinstance(value, list | tuple):
            return ", ".join(filter(None, (self.value(each) for each in value)))
        return "" if value is None or value is False else str(value)


def _texts(values: object) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list | tuple) else [str(values)]


# ---------------------------------------------------------------- what was chosen


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address asked for, cleaned: unknown values count as not asked."""

    filters: Filters
    today: date
    soon: date
    page: int
    asked: Mapping[str, str]

    @classmethod
    def read(cls, params: Mapping[str, str], bundle: Bundle, now: datetime) -> Chosen:
        """Read the query. `status` is '' for what is to do, 'all', or a declared state."""
        today = now.astimezone(AMSTERDAM).date()
        asked = {
            name: value
            for name in (
                "month",
                "status",
                "kind",
                "type",
                "purpose",
                "municipality",
                "team",
                "crisis",
                "due",
            )
            if (value := params.get(name, "")) and len(value) <= _LONGEST_PARAMETER and value.isprintable()
        }
        month = asked.get("month", "")
        if month and month != "all" and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
            del asked["month"]
        standing = tuple(
            (purpose.id, word.id)
            for purpose in bundle.purposes.values()
            for word in purpose.states
            if word.when in _STANDING
        )
        status = asked.get("status")
        number = params.get("page", "1")
        filters = Filters(
            month=None if asked.get("month") in (None, "all") else asked["month"],
            status=None if status in (None, "all") else status,
            kind=asked.get("kind"),
            signal_type=asked.get("type"),
            purpose=asked.get("purpose"),
            municipality=asked.get("municipality"),
            team=asked.get("team"),
            crisis=asked.get("crisis") == "1",
            due_by=today + timedelta(days=_SOON_DAYS) if asked.get("due") == "1" else None,
            to_do=status is None,
            standing=standing,
        )
        page = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1
        return cls(filters, today, today + timedelta(days=_SOON_DAYS), max(1, page), asked)

    def with_default_month(self, choices: Choices) -> Chosen:
        """Without a month asked for, the newest that has cases."""
        if "month" in self.asked or not choices.months:
            return self
        return replace(self, filters=replace(self.filters, month=choices.months[0][0]))

    @property
    def narrowed(self) -> bool:
        """Whether more than a month was asked for."""
        return bool(set(self.asked) - {"month"})

    def link(self, **changes: object) -> str:
        """The address of the same page with some choices changed; None or '' takes one away."""
        asked = {
            **self.asked,
            **{name: "" if value is None else str(value) for name, value in changes.items()},
        }
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"/?{query}" if query else "/"


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose: value, words, whether it is the present one; `href` and `count` where it is a link."""

    value: str
    words: str
    current: bool
    href: str = ""
    count: str = ""


def picker(chosen: Chosen, choices: Choices, words: Words) -> dict[str, Any]:
    """Everything the board's filter row offers."""
    asked, t = chosen.asked, words.t
    months = [
        Option(
            month,
            month_name(month, words.language, chosen.today.year),
            month == chosen.filters.month,
            chosen.link(month=month),
            words.count(number),
        )
        for month, number in choices.months[:12]
    ]
    every = words.count(sum(number for _, number in choices.months))
    months.append(
        Option("all", t("board.months.all"), chosen.filters.month is None, chosen.link(month="all"), every)
    )
    spoken = {status: _state_name(status, words) for status in choices.statuses}
    statuses = [
        Option("", t("board.filter.todo"), "status" not in asked),
        Option("all", t("board.filter.all"), asked.get("status") == "all"),
        *(Option(status, name, asked.get("status") == status) for status, name in spoken.items()),
    ]
    kinds = [Option("", t("board.filter.all"), "kind" not in asked)]
    kinds += [Option(kind, words.kind(kind), asked.get("kind") == kind) for kind in choices.kinds]
    team = asked.get("team", "")
    home = asked.get("municipality") or _municipality_of(words.bundle, team)
    active = [
        (words.signal_type(asked["type"]) if "type" in asked else "", "type"),
        (words.purpose(asked["purpose"]) if "purpose" in asked else "", "purpose"),
        (words.municipality(home) if "municipality" in asked and not team else "", "municipality"),
        (words.team_name(home, team) if team else "", "team"),
        (t("board.filter.crisis") if "crisis" in asked else "", "crisis"),
        (t("board.filter.due") if "due" in asked else "", "due"),
    ]
    return {
        "months": months,
        "statuses": statuses,
        "kinds": kinds,
        "active": [
            Option(name, spoken, True, chosen.link(**{name: None})) for spoken, name in active if spoken
        ],
        "kept": [(name, value) for name, value in asked.items() if name not in ("status", "kind")],
        "crisis": chosen.link(crisis=1),
        "due": chosen.link(due=1),
        "clear": chosen.link(**dict.fromkeys((name for name in asked if name != "month"), None)),
    }


def _state_name(status: str, words: Words) -> str:
    purpose = next(
        (each for each in words.bundle.purposes.values() if any(w.id == status for w in each.states)), None
    )
    return words.status(purpose.id, status) if purpose else plain(status)


def _municipality_of(bundle: Bundle, team: str) -> str:
    return next(
        (code for code, each in bundle.municipalities.items() if any(t.id == team for t in each.teams)), ""
    )


# ---------------------------------------------------------------- a case on the board


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
    return Due(day, words.t("due.in", days=days), "soon" if days <= _SOON_DAYS else "calm")


def _stands(row: CaseRow, bundle: Bundle) -> bool:
    if not row.stands:
        return False
    purpose = bundle.purposes.get(row.purpose)
    word = next((each for each in purpose.states if each.id == row.status), None) if purpose else None
    return row.result is None and (word is None or word.when in _STANDING)


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


# ---------------------------------------------------------------- the case page


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
        "case_id": str(row.case_id),
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
        "decided": _moment(row.decided_at, language),
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
    return [f"{_spaced(name)} {value}" for name, value in spoken if value]


def _spaced(name: str) -> str:
    """The name of a field or a word as people write it: `ouderMetGezag` as `ouder met gezag`."""
    return re.sub("([A-Z])", lambda found: " " + found[1].lower(), name)


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
        "when": _moment(alert.ordered_at, words.language),
    }


def _bridge(bridge: BridgeRow, row: CaseRow, words: Words) -> dict[str, Any]:
    rule = next((each for each in words.bundle.bridges if row.purpose in each.purposes), None)
    other = words.purpose(_other(rule, row.purpose)) if rule else ""
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


def announced(
    rows: Sequence[AnnouncedRow], row: CaseRow, username: str, words: Words
) -> list[dict[str, str]]:
    """What partners reported of consent, each with the command that takes down what the resident says of it."""
    team = words.team(row.municipality, row.team)
    if team is None or team.role != "help":
        return []
    return [
        {
            "text": words.t(
                "announced.told",
                who=_spaced(each.who),
                date=long_date(local(each.announced_at).date(), words.language),
                form=each.form,
            ),
            "command": shlex.join(
                f"bereik bridge consent {row.case_id.hex[:8]} --person {each.person_id[:8]} --toward {each.toward}"
                f" --who {each.who} --form {each.form} --by {username}".split(" ")
            ),
        }
        for each in rows
    ]


def _other(rule: BridgeRule, purpose: str) -> str:
    return rule.purposes[1] if rule.purposes[0] == purpose else rule.purposes[0]


def told_manager(row: ManagerRow, words: Words) -> dict[str, str]:
    """What a manager was told about cases that are not the manager's own, in words."""
    return {
        "when": _moment(row.told_at, words.language),
        "what": notices.told(row.reason, words.language),
        "people": words.t("board.told.person" if row.people == 1 else "board.told.people", people=row.people),
        "reference": reference(row.case_id),
    }


def _moment(moment: datetime, language: str) -> str:
    at = local(moment)
    return f"{long_date(at.date(), language)}, {at:%H:%M}"


# ---------------------------------------------------------------- who may meet whom

# What an event does to an earlier signal.
_ABOUT = {"withdraw": "flows.table.withdrawn", "correct": "flows.table.corrected"}
_ANSWERS = ("allowed", "duplicate", "refused", "unconfigured", "unread")


def flows(
    gates: Sequence[GateCount],
    counts: Sequence[FlowCount],
    municipalities: Sequence[str],
    words: Words,
    today: date,
) -> dict[str, Any]:
    """The picture and the tables under it, from counts alone."""
    bundle = words.bundle
    reports = [(each, _type_of(each, bundle)) for each in gates if each.action == "report"]
    here = municipalities[0] if len(municipalities) == 1 else None
    # The busiest purpose first.
    busy = {
        purpose: sum(row.signals for row in counts if row.purpose == purpose) for purpose in bundle.purposes
    }
    compartments = [
        compartment
        for purpose in sorted(bundle.purposes.values(), key=lambda each: (-busy[each.id], each.id))
        if (
            compartment := _compartment(
                purpose, reports, [each for each in counts if each.purpose == purpose.id], here, words
            )
        )
    ]
    unknown = _outside(reports, words)
    ties = [_tie(rule, municipalities, words, today) for rule in bundle.bridges]
    headings = [words.t(f"flows.col.{name}") for name in ("type", "gate", "case", "team")]
    drawn = [*compartments, *([unknown] if unknown else [])]
    names = (words.t("flows.apart"), words.t("flows.title"), words.t("flows.description"))
    return {
        "svg": flow.draw(drawn, ties, headings, *names) if drawn else "",
        "gates": _gate_table(gates, here, words),
        "cases": _case_table(counts, here, words),
        "bridges": [_bridge_table(rule, tie, words) for rule, tie in zip(bundle.bridges, ties, strict=True)],
    }


def _bridge_table(rule: BridgeRule, tie: flow.Tie, words: Words) -> dict[str, Any]:
    return {
        "between": " ↔ ".join(words.purpose(each) for each in rule.purposes),
        "grounds": tie.grounds,
        "crosses": [
            (
                words.purpose(each),
                [words.field(name, words.purpose(_other(rule, each))) for name in rule.fields.get(each, ())],
            )
            for each in rule.purposes
        ],
    }


def _type_of(gate: GateCount, bundle: Bundle) -> SignalType | None:
    found = bundle.types_by_event.get(gate.event_type) if gate.event_type else None
    return found[0] if found else None


def _answer(gate: GateCount) -> str:
    """What the gate's answer is called: an event that was let in but had come before is no new signal."""
    if gate.gate == "allowed":
        return {"accepted": "allowed", "duplicate": "duplicate"}.get(gate.fate, "unread")
    return gate.gate if gate.gate in _ANSWERS else "unread"


def _signals(number: int, words: Words) -> str:
    return (
        words.t("flows.node.signal")
        if number == 1
        else words.t("flows.node.signals", count=words.count(number))
    )


def _cases(number: int, words: Words) -> str:
    return (
        words.t("flows.node.case") if number == 1 else words.t("flows.node.cases", count=words.count(number))
    )


def _list_of(**asked: str | None) -> str:
    return "/?" + urlencode(
        {"month": "all", "status": "all", **{name: value for name, value in asked.items() if value}}
    )


def _compartment(
    purpose: Purpose,
    reports: Sequence[tuple[GateCount, SignalType | None]],
    counts: Sequence[FlowCount],
    here: str | None,
    words: Words,
) -> flow.Compartment | None:
    gate: dict[tuple[str, str], int] = {}
    for each, kind in reports:
        if kind is not None and kind.purpose == purpose.id:
            gate[kind.id, _answer(each)] = gate.get((kind.id, _answer(each)), 0) + each.events
    if not gate and not counts:
        return None
    kinds, teams, cases = dict[str, int](), dict[tuple[str, str, str], int](), dict[str, int]()
    cases_of_team: dict[tuple[str, str], int] = {}
    for row in counts:
        kinds[row.kind] = kinds.get(row.kind, 0) + row.signals
        teams[row.kind, row.municipality, row.team] = (
            teams.get((row.kind, row.municipality, row.team), 0) + row.signals
        )
    for (kind_id, municipality, team), number in teams.items():
        cases[kind_id] = cases.get(kind_id, 0) + number
        cases_of_team[municipality, team] = cases_of_team.get((municipality, team), 0) + number
    types = [kind for kind in words.bundle.signal_types if any(key[0] == kind for key in gate)]
    answers = [answer for answer in _ANSWERS if any(key[1] == answer for key in gate)]
    per_type = {kind: sum(n for (k, _), n in gate.items() if k == kind) for kind in types}
    per_answer = {answer: sum(n for (_, a), n in gate.items() if a == answer) for answer in answers}
    several = here is None and len({municipality for municipality, _ in cases_of_team}) > 1
    nodes = [
        *(flow.Node(f"type:{kind}", 0, words.signal_type(kind), _signals(per_type[kind], words)) for kind in types),
        *(
            flow.Node(f"gate:{answer}", 1, words.t(f"flows.gate.{answer}"), _signals(per_answer[answer], words), answer)
            for answer in answers
        ),
        *(flow.Node(f"kind:{kind}", 2, words.kind(kind), _signals(cases[kind], words)) for kind in _kinds(kinds)),
        *(
            flow.Node(
                f"team:{municipality}:{team}", 3, words.team_name(municipality, team),
                f"{words.municipality(municipality)} · {words.count(number)}" if several else _signals(number, words),
            )
            for (municipality, team), number in sorted(cases_of_team.items())
        ),
    ]  # fmt: skip
    names = {node.id: node.label for node in nodes}

    def link(source: str, target: str, number: int, href: str, tone: str = "allowed") -> flow.Link:
        words_of_it = words.t(
            "flows.link", source=names[source], target=names[target], count=_signals(number, words)
        )
        return flow.Link(source, target, number, words_of_it, href, tone)

    links = [
        link(
            f"type:{kind}", f"gate:{answer}", number,
            _list_of(type=kind, municipality=here) if answer == "allowed" else f"#{answer}", answer,
        )
        for (kind, answer), number in gate.items()
    ]  # fmt: skip
    if "allowed" in answers:
        links += [
            link(
                "gate:allowed",
                f"kind:{kind}",
                number,
                _list_of(purpose=purpose.id, kind=kind, municipality=here),
            )
            for kind, number in kinds.items()
        ]
    links += [
        link(
            f"kind:{kind}", f"team:{municipality}:{team}", number,
            _list_of(purpose=purpose.id, kind=kind, municipality=municipality, team=team),
        )
        for (kind, municipality, team), number in teams.items()
    ]  # fmt: skip
    return flow.Compartment(
        purpose.id, label(purpose.name, words.language), purpose.article, tuple(nodes), tuple(links)
    )


def _kinds(found: Iterable[str]) -> list[str]:
    order = ("single", "consecutive", "multiple")
    return sorted(found, key=lambda kind: (order.index(kind) if kind in order else len(order), kind))


def _outside(reports: Sequence[tuple[GateCount, SignalType | None]], words: Words) -> flow.Compartment | None:
    """Messages of no known type: they met nothing and nobody."""
    found: dict[str, int] = {}
    for each, kind in reports:
        if kind is None:
            found[_answer(each)] = found.get(_answer(each), 0) + each.events
    if not found:
        return None
    name = words.t("flows.unknown")
    nodes = [flow.Node("type:", 0, name, _signals(sum(found.values()), words))]
    nodes += [
        flow.Node(f"gate:{a}", 1, words.t(f"flows.gate.{a}"), _signals(n, words), a) for a, n in found.items()
    ]
    links = [
        flow.Link(
            "type:",
            f"gate:{a}",
            n,
            words.t("flows.link", source=name, target=words.t(f"flows.gate.{a}"), count=n),
            f"#{a}",
            a,
        )
        for a, n in found.items()
    ]
    return flow.Compartment(
        "", words.t("flows.outside"), words.t("flows.outside.detail"), tuple(nodes), tuple(links)
    )


def _tie(rule: BridgeRule, municipalities: Sequence[str], words: Words, today: date) -> flow.Tie:
    grounds = [words.t("flows.bridge.consent", forms=", ".join(rule.forms))] if rule.forms else []
    for found in (each for code, each in words.bundle.municipalities.items() if code in municipalities):
        grounds += [
            words.t("flows.bridge.statute", municipality=found.name, article=statute.article)
            for statute in found.statutes
            if statute.in_force(today) and set(rule.purposes) <= statute.purposes
        ]
    return flow.Tie(rule.purposes[0], rule.purposes[1], words.t("flows.bridge"), tuple(grounds))


def _gate_table(gates: Sequence[GateCount], here: str | None, words: Words) -> list[dict[str, Any]]:
    found: dict[tuple[str, str, str, str, str], int] = {}
    for each in gates:
        kind = _type_of(each, words.bundle)
        name = kind.id if kind else ""
        action = words.t(_ABOUT[each.action]) if each.action in _ABOUT else ""
        answer = _answer(each)
        why = (each.reason, each.article) if answer not in ("allowed", "duplicate") else ("", "")
        found[name, action, answer, *why] = found.get((name, action, answer, *why), 0) + each.events
    order = [*words.bundle.signal_types, ""]
    rows = []
    for (name, action, answer, code, article), number in sorted(
        found.items(),
        key=lambda item: (order.index(item[0][0]), item[0][1], _ANSWERS.index(item[0][2]), -item[1]),
    ):
        kind = words.bundle.signal_types.get(name)
        rows.append(
            {
                "type": words.signal_type(name) if name else words.t("flows.unknown"),
                "action": action,
                "answer": answer,
                "answer_words": words.t(f"flows.gate.{answer}"),
                "ground": _ground(kind, answer, code, article, words),
                "count": words.count(number),
                "href": _list_of(type=name, municipality=here) if answer == "allowed" and not action else "",
            }
        )
    return rows


def _ground(kind: SignalType | None, answer: str, code: str, article: str, words: Words) -> list[str]:
    """Why the gate answered so: the article it lets in by, or the reason with the article it refuses by."""
    if answer in ("allowed", "duplicate"):
        if kind is None:
            return []
        steps = [
            f"{words.t('flows.steps')}: {label(s.label, words.language)} ({s.article})"
            for s in kind.step_details.values()
        ]
        least = (
            [words.t("flows.minimum", amount=kind.minimum_eur, article=kind.minimum_article or "")]
            if kind.minimum_eur
            else []
        )
        return [kind.article, *least, *steps] if answer == "allowed" else []
    spoken = known(f"reason.{code}", words.language) or plain(code)
    return [f"{spoken} ({article})" if spoken and article else spoken or article] if spoken or article else []


def _case_table(counts: Sequence[FlowCount], here: str | None, words: Words) -> list[dict[str, str]]:
    return [
        {
            "purpose": words.purpose(row.purpose),
            "type": words.signal_type(row.signal_type),
            "kind": words.kind(row.kind),
            "team": words.team_name(row.municipality, row.team),
            "municipality": "" if here else words.municipality(row.municipality),
            "signals": count(row.signals, words.language),
            "cases": count(row.cases, words.language),
            "href": _list_of(
                purpose=row.purpose,
                type=row.signal_type,
                kind=row.kind,
                municipality=row.municipality,
                team=row.team,
            ),
        }
        for row in counts
    ]
