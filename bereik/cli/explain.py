"""`bereik explain case|signal ID`: why a case is what it is, and what became of an event, from stored rows only."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from bereik.app import App
from bereik.bundle import Bundle
from bereik.cases import people_of
from bereik.cli import show
from bereik.errors import LastingError
from bereik.store import explain

# Texts of this command: key → Dutch, English.
_TEXTS: Mapping[str, tuple[str, str]] = {
    "case": ("Zaak", "Case"),
    "why": ("Waarom deze zaak", "Why this case"),
    "why_us": ("Waarom dit team", "Why this team"),
    "root": ("geen regel paste: triage door mensen", "no rule fitted: triage by people"),
    "why_now": ("Waarom nu", "Why now"),
    "term": (
        "uiterlijk {day} een aanbod ({within} na ontvangst op {received})",
        "an offer by {day} ({within} after receipt on {received})",
    ),
    "single": ("enkelvoudig", "single"),
    "multiple": ("meervoudig", "multiple"),
    "consecutive": ("opeenvolgend", "consecutive"),
    "priority": ("volgorde {level}: {label}", "order {level}: {label}"),
    "signals": ("Signalen", "Signals"),
    "withdrawn": ("ingetrokken: {reason}", "withdrawn: {reason}"),
    "facts": ("Wat mensen vastlegden", "What people stated"),
    "alerts": ("Wie is gewaarschuwd", "Who was told"),
    "bridges": ("Verbinding met een andere zaak", "Tie with another case"),
    "decided": ("Besloten op {at} onder bundel {bundle}", "Decided at {at} under bundle {bundle}"),
    "otherwise": ("Was één ding anders geweest", "Had one thing been different"),
    "event": ("Bericht", "Event"),
    "gate": ("Poort", "Gate"),
    "fate": ("Lot", "Fate"),
    "reasons": ("Redenen", "Reasons"),
    "linked": ("Herkenning: {outcome} ({reason})", "Recognition: {outcome} ({reason})"),
    "told": ("Wat de partner daarna hoorde", "What the partner heard since"),
    "compared": ("; zie: bereik linkage why {one} {other}", "; see: bereik linkage why {one} {other}"),
    "to": ("Zaak {case} bij {team}; zie: bereik explain case {case}", "Case {case} at {team}; see: bereik explain case {case}"),
}  # fmt: skip


class NotFound(LastingError):
    """Nothing with this id. Give at least the first 8 characters of a case or signal id, or a partner's event id."""


class Ambiguous(LastingError):
    """More than one case begins with this. Give more characters of the id."""


def known_case(app: App, beginning: str) -> dict[str, Any]:
    """The case whose id begins so, as `explain.cases` gives it. Raises `NotFound` (also below 8 characters), `Ambiguous`."""
    with app.store.transaction() as tx:
        found = explain.cases(tx, beginning) if len(beginning) >= 8 else []
    if not found:
        raise NotFound()
    if len(found) > 1:
        raise Ambiguous()
    return found[0]


def person_of(case: Mapping[str, Any], beginning: str) -> str:
    """The id of the one of a case's people whose id begins so; what was given where nobody's does, which is then refused."""
    return next((one for one in people_of(case["decision"]) if one.startswith(beginning.lower())), beginning)


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser("explain", help="why a case or a signal is what it is")
    command.add_argument("what", choices=("case", "signal"))
    command.add_argument("id", help="a case or signal id (8 characters will do), or a partner's event id")
    command.add_argument("--lang", choices=("nl", "en"), default="en")
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when it was found."""
    app = App.from_env()
    say = _Sayer(arguments.lang, app.bundle())
    if arguments.what == "case":
        case = known_case(app, arguments.id)
        case["otherwise"] = app.trials.otherwise(case["purpose"], case["case_id"])
        if arguments.json:
            show(_shown(case))
        else:
            print("\n".join(say.case(case)))
        return 0
    with app.store.transaction() as tx:
        events = explain.events(tx, arguments.id)
    if not events:
        raise NotFound()
    if arguments.json:
        show(events)
    else:
        print("\n".join(line for one in events for line in say.event(one)))
    return 0


def _shown(case: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **case,
        "otherwise": [{"nl": one.spoken("nl"), "en": one.spoken("en")} for one in case["otherwise"]],
    }


class _Sayer:
    """Says stored rows in one language."""

    def __init__(self, language: str, bundle: Bundle) -> None:
        self._language, self._bundle = language, bundle

    def _text(self, key: str, **values: Any) -> str:
        return _TEXTS[key][self._language == "en"].format(**values)

    def _label(self, labels: Mapping[str, str]) -> str:
        return labels.get(self._language) or labels.get("nl", "")

    def _reasons(self, reasons: Sequence[Mapping[str, str]]) -> list[str]:
        found = []
        for reason in reasons:
            where = " ".join(reason[key] for key in ("field", "article", "error") if reason.get(key))
            found.append(f"    - {self._label(reason)}" + (f" [{where}]" if where else ""))
        return found

    def case(self, case: Mapping[str, Any]) -> list[str]:
        """A case in about twenty lines."""
        decision, purpose = case["decision"], self._bundle.purposes.get(case["purpose"])
        name = self._label(purpose.name) if purpose else case["purpose"]
        lines = [
            f"{self._text('case')} {case['case_id']}  {name}  {case['municipality']}  {case['status']}",
            "",
        ]
        lines += [f"  {self._text('why')}: {self._text(case['kind'])}", *self._reasons(decision["reasons"])]
        path = " → ".join(decision["route"]["path"]) or self._text("root")
        lines += [f"  {self._text('why_us')}: {self._team(case)}", f"    - {path}"]
        term = self._text(
            "term",
            day=case["offer_by"],
            within=self._label(decision["offer_in"]),
            received=f"{case['received_at']:%Y-%m-%d}",
        )
        order = self._text("priority", level=case["priority"], label=self._label(decision["priority_reason"]))
        lines += [f"  {self._text('why_now')}:", f"    - {term}", f"    - {order}"]
        if case.get("otherwise"):
            lines.append(f"  {self._text('otherwise')}:")
            lines += [f"    - {one.spoken(self._language)}" for one in case["otherwise"]]
        lines.append(f"  {self._text('signals')}:")
        lines += [f"    - {self._signal(signal)}" for signal in case["signals"]]
        if case["facts"]:
            lines.append(f"  {self._text('facts')}:")
            lines += [
                f"    - {f['stated_at']:%Y-%m-%d %H:%M} {f['kind']} ({f['stated_by']})" for f in case["facts"]
            ]
        if case["bridges"]:
            lines.append(f"  {self._text('bridges')}:")
            for tie in case["bridges"]:
                crossing = ", ".join(f"{key}: {value}" for key, value in tie["shown"].items())
                lines.append(f"    - {tie['state']}, {tie['ground']} ({tie['basis']}). {crossing}")
        if case["alerts"]:
            lines.append(f"  {self._text('alerts')}:")
            lines += [
                f"    - {a['ordered_at']:%Y-%m-%d %H:%M} {a['team']}: {a['reason']} ({a['outlet']})"
                for a in case["alerts"]
            ]
        lines += [
            "",
            "  "
            + self._text("decided", at=f"{case['decided_at']:%Y-%m-%d %H:%M}", bundle=case["bundle"][:12]),
        ]
        return lines

    def _team(self, case: Mapping[str, Any]) -> str:
        municipality = self._bundle.municipalities.get(case["municipality"])
        teams = municipality.teams if municipality else ()
        return next((team.name for team in teams if team.id == case["team"]), case["team"])

    def _signal(self, signal: Mapping[str, Any]) -> str:
        kind = self._bundle.kinds.get(signal["signal_type"])
        partner = self._bundle.partners.get(signal["partner"])
        amount = signal["facts"].get(kind.amount_field) if kind and kind.amount_field else None
        words = [
            f"{signal['signal_date']}",
            self._label(kind.label) if kind else signal["signal_type"],
            partner.name if partner else signal["partner"],
            f"€ {amount}" if amount is not None else "",
            self._text("withdrawn", reason=signal["reason"] or "-")
            if signal["status"] == "withdrawn"
            else "",
            str(signal["signal_id"])[:8],
        ]
        return "  ".join(word for word in words if word)

    def event(self, event: Mapping[str, Any]) -> list[str]:
        """A receipt in a few lines."""
        partner = self._bundle.partners.get(event["partner"])
        lines = [
            f"{self._text('event')} {event['event_id'] or event['receipt_id']}  {partner.name if partner else event['partner']}"
            f" ({event['door']})  {event['received_at']:%Y-%m-%d %H:%M}  {event['municipality'] or ''}",
            f"  {self._text('gate')}: {event['gate']}   {self._text('fate')}: {event['fate']}",
        ]
        if event["reasons"]:
            lines += [f"  {self._text('reasons')}:", *self._reasons(event["reasons"])]
        if event["outcome"]:
            line = self._text("linked", outcome=event["outcome"], reason=event["reason"])
            if event["against"]:
                pair = str(event["signal_id"])[:8], str(event["against"])[:8]
                line += self._text("compared", one=pair[0], other=pair[1])
            lines.append(f"  {line}")
        if event["told"]:
            lines.append(f"  {self._text('told')}:")
            lines += [
                f"    - {one['told_on']} {one['word']}" + (f" ({one['code']})" if one["code"] else "")
                for one in event["told"]
            ]
        if event["case_id"]:
            lines.append("  " + self._text("to", case=str(event["case_id"])[:8], team=event["team"]))
        return lines
