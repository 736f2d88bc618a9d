"""Who may meet whom, from counts alone: what the gate answered, in which cases signals came, at which team. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from bereik.bundle import Bundle
from bereik.declared.purposes import BridgeRule, Purpose
from bereik.declared.signals import SignalType
from bereik.store.board import FlowCount, GateCount
from bereik.web import drawing
from bereik.web.texts import count, known, label, plain
from bereik.web.words import Words

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
        "svg": drawing.draw(drawn, ties, headings, *names) if drawn else "",
        "gates": _gate_table(gates, here, words),
        "cases": _case_table(counts, here, words),
        "bridges": [_bridge_table(rule, tie, words) for rule, tie in zip(bundle.bridges, ties, strict=True)],
    }


def _bridge_table(rule: BridgeRule, tie: drawing.Tie, words: Words) -> dict[str, Any]:
    return {
        "between": " ↔ ".join(words.purpose(each) for each in rule.purposes),
        "grounds": tie.grounds,
        "crosses": [
            (
                words.purpose(each),
                [words.field(name, words.purpose(rule.other(each))) for name in rule.fields.get(each, ())],
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
) -> drawing.Compartment | None:
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
        *(drawing.Node(f"type:{kind}", 0, words.signal_type(kind), _signals(per_type[kind], words)) for kind in types),
        *(
            drawing.Node(f"gate:{answer}", 1, words.t(f"flows.gate.{answer}"), _signals(per_answer[answer], words), answer)
            for answer in answers
        ),
        *(drawing.Node(f"kind:{kind}", 2, words.kind(kind), _signals(cases[kind], words)) for kind in _kinds(kinds)),
        *(
            drawing.Node(
                f"team:{municipality}:{team}", 3, words.team_name(municipality, team),
                f"{words.municipality(municipality)} · {words.count(number)}" if several else _signals(number, words),
            )
            for (municipality, team), number in sorted(cases_of_team.items())
        ),
    ]  # fmt: skip
    names = {node.id: node.label for node in nodes}

    def link(source: str, target: str, number: int, href: str, tone: str = "allowed") -> drawing.Link:
        words_of_it = words.t(
            "flows.link", source=names[source], target=names[target], count=_signals(number, words)
        )
        return drawing.Link(source, target, number, words_of_it, href, tone)

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
    return drawing.Compartment(
        purpose.id, label(purpose.name, words.language), purpose.article, tuple(nodes), tuple(links)
    )


def _kinds(found: Iterable[str]) -> list[str]:
    order = ("single", "consecutive", "multiple")
    return sorted(found, key=lambda kind: (order.index(kind) if kind in order else len(order), kind))


def _outside(
    reports: Sequence[tuple[GateCount, SignalType | None]], words: Words
) -> drawing.Compartment | None:
    """Messages of no known type: they met nothing and nobody."""
    found: dict[str, int] = {}
    for each, kind in reports:
        if kind is None:
            found[_answer(each)] = found.get(_answer(each), 0) + each.events
    if not found:
        return None
    name = words.t("flows.unknown")
    nodes = [drawing.Node("type:", 0, name, _signals(sum(found.values()), words))]
    nodes += [
        drawing.Node(f"gate:{a}", 1, words.t(f"flows.gate.{a}"), _signals(n, words), a)
        for a, n in found.items()
    ]
    links = [
        drawing.Link(
            "type:",
            f"gate:{a}",
            n,
            words.t("flows.link", source=name, target=words.t(f"flows.gate.{a}"), count=n),
            f"#{a}",
            a,
        )
        for a, n in found.items()
    ]
    return drawing.Compartment(
        "", words.t("flows.outside"), words.t("flows.outside.detail"), tuple(nodes), tuple(links)
    )


def _tie(rule: BridgeRule, municipalities: Sequence[str], words: Words, today: date) -> drawing.Tie:
    grounds = [words.t("flows.bridge.consent", forms=", ".join(rule.forms))] if rule.forms else []
    for found in (each for code, each in words.bundle.municipalities.items() if code in municipalities):
        grounds += [
            words.t("flows.bridge.statute", municipality=found.name, article=statute.article)
            for statute in found.statutes
            if statute.in_force(today) and set(rule.purposes) <= statute.purposes
        ]
    return drawing.Tie(rule.purposes[0], rule.purposes[1], words.t("flows.bridge"), tuple(grounds))


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
