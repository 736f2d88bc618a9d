"""The rules of a bundle as one readable page, for a council member. Pure: a bundle in, Markdown out.

Only what is declared is told, in the order in which a case meets it, so whoever changes a declaration changes this page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bereik.bundle import Bundle
from bereik.declared.contact import Plan
from bereik.declared.municipalities import Municipality, Policy, RouteNode, Window
from bereik.declared.purposes import BridgeRule, Purpose

# What a declared label means, for who never saw one.
_LABELS: Mapping[tuple[str, str], str] = {
    ("crisis", "yes"): "supply or home is about to end (crisis)",
    ("crisis", "no"): "no crisis",
    ("warm", "yes"): "the resident expects us (warme overdracht)",
    ("warm", "no"): "no warm hand-over",
    ("repeat", "yes"): "a repeated report (herhaalde melding)",
    ("repeat", "no"): "no repeated report",
    ("kind", "multiple"): "several signals (meervoudig)",
    ("kind", "consecutive"): "a signal before it (opeenvolgend)",
    ("kind", "single"): "a single signal (enkelvoudig)",
}

_SHOWN: Mapping[str, str] = {
    "present": "that there is something",
    "help_involved": "that help is involved",
    "since": "since when",
    "contact": "which team to speak with",
}


def page(bundle: Bundle) -> str:
    """The whole page."""
    lines = [
        "# The rules",
        "",
        "This page is made from the declarations in `schemas/` (`make docs`); whoever changes a rule changes it there. Dutch terms",
        "stand behind the English ones. What a municipality does not say itself holds for all of them.",
        "",
    ]
    for purpose in bundle.purposes.values():
        lines += [*_purpose(purpose, bundle), ""]
    lines += [*_bridges(bundle), ""]
    for town in bundle.municipalities.values():
        lines += [*_town(town, bundle), ""]
    lines += _partners(bundle)
    return "\n".join(lines).rstrip() + "\n"


# ---------------------------------------------------------------- per purpose


def _purpose(purpose: Purpose, bundle: Bundle) -> Iterator[str]:
    name = f"{purpose.name['en']} ({purpose.name['nl']})"
    yield f"## {name}"
    yield ""
    yield f"Legal ground: {purpose.article}; {purpose.legal_basis}."
    yield ""
    about = "an address" if purpose.subject == "address" else "a person"
    matching = purpose.matching
    if matching.period == "month":
        yield f"- A case is about {about}. Signals of one calendar month belong together."
        months = matching.lookback_months
        yield f"- A signal follows on another (opeenvolgend) when there was one in the {months} months before."
    else:
        yield f"- A case is about {about}. Every new signal joins the open case."
    if purpose.repeat:
        yield (
            "- A repeated report (herhaalde melding) of the same partner, with an amount that is not higher, is not taken up."
            " A higher one is."
        )
    yield f"- In the national delivery (DDAS): {'yes' if purpose.ddas else 'never'}."
    yield ""
    yield "Signals that may come in:"
    yield ""
    yield "| signal | from | ground | before it the partner must have |"
    yield "|---|---|---|---|"
    for kind in bundle.signal_types.values():
        if kind.purpose == purpose.id:
            steps = "; ".join(
                f"{step.label['en'][:1].lower()}{step.label['en'][1:]}" for step in kind.step_details.values()
            )
            label = f"{kind.label['en']} ({kind.label['nl']})"
            yield _row(label, kind.partner_type, kind.article, steps or "nothing more")
    if purpose.taken_over is not None:
        yield ""
        yield (
            f"Beside these, a case that another municipality offered after a move and this one took over"
            f" ({purpose.taken_over.label['nl']}): its term runs from the first receipt there."
        )
    yield ""
    yield "Order of work, the first rule that fits counts:"
    yield ""
    for rule in purpose.priorities:
        yield f"{rule.level}. {rule.label['en']} ({rule.label['nl']}): {_match(rule.match)}."
    yield ""
    yield "What may become of a case, and what a partner hears of it (a word in brackets only where its agreement lists it):"
    yield ""
    yield "| state or result | in Dutch | the partner hears |"
    yield "|---|---|---|"
    for word in {one.id: one for one in (*purpose.states, *purpose.results)}.values():
        yield _row(word.label["en"], word.id, _heard(purpose, word.feedback, word.code))


def _heard(purpose: Purpose, word: str | None, code: str | None) -> str:
    if word is None:
        return "nothing"
    said = purpose.feedback[word]
    text = f"{said['en']} ({said['nl']})" + (f", {code}" if code else "")
    return f"[{text}], else {purpose.feedback[said['otherwise']]['en']}" if "otherwise" in said else text


def _bridges(bundle: Bundle) -> Iterator[str]:
    yield "## Bridges between purposes"
    yield ""
    yield (
        "Without one, cases of different purposes never meet. A bridge opens when everybody whose data crosses agreed and the other"
        " team accepted, or on a statute that the municipality registered. Any of them may withdraw; then it is gone."
    )
    for rule in bundle.bridges:
        yield ""
        yield from _bridge(rule, bundle)


def _bridge(rule: BridgeRule, bundle: Bundle) -> Iterator[str]:
    names = {one: bundle.purposes[one].name["en"] for one in rule.purposes}
    yield f"Bridge `{rule.id}`, between {' and '.join(names.values())}:"
    yield ""
    for one in rule.purposes:
        yield f"- {names[one]} is shown: {', '.join(_SHOWN.get(field, field) for field in rule.fields.get(one, ()))}; nothing else."
        who = "; ".join(
            agrees.role
            + (f" from {agrees.from_age} years" if agrees.from_age is not None else "")
            + (f" below {agrees.below_age} years" if agrees.below_age is not None else "")
            for agrees in rule.agrees.get(one, ())
        )
        yield f"- For what {names[one]} knows, these agree: {who}."
    yield f"- Forms that count: {', '.join(rule.forms)}."


# ---------------------------------------------------------------- per municipality


def _town(town: Municipality, bundle: Bundle) -> Iterator[str]:
    yield f"## {town.name} ({town.code})"
    for purpose in bundle.purposes.values():
        policy = town.policies.get(purpose.id, Policy())
        yield ""
        yield f"### {town.name}: {purpose.name['en']} ({purpose.name['nl']})"
        yield ""
        if policy.threshold_citation and policy.threshold_eur:
            about = "address" if purpose.subject == "address" else "person"
            yield (
                f"- Below € {policy.threshold_eur} together on one {about} nobody is approached (drempel):"
                f" {policy.threshold_citation}. In a crisis or with a warm hand-over somebody always is."
            )
        else:
            yield "- There is no threshold (drempel)."
        yield f"- Signals of a month are judged (matchingsmoment) {_moment(policy)}. Crisis and warm hand-over never wait."
        if policy.windows:
            yield f"- Arrears count from and until (venster), by {policy.windows_citation or 'no citation: none'}:"
            for kind, window in policy.windows.items():
                yield f"  - {bundle.signal_types[kind].label['en']}: {_window(window)}"
        yield (
            f"- An offer (aanbod) within {policy.offer_days} days after receipt; in a crisis within"
            f" {policy.crisis_working_days} working days. First contact within {policy.first_contact_days} days."
        )
        if policy.contact is not None:
            for plan in policy.contact.plans:
                whom = "cases of a full team" if plan.id == policy.contact.lighter else _match(plan.match)
                yield f"- {_plan(plan, whom, purpose)}"
            light = policy.contact.plan(policy.contact.lighter)
            floor = "; ".join(f"{rule.label['en']} ({rule.label['nl']})" for rule in policy.contact.floor)
            yield (
                f"- A full team falls back to “{light.label['en']}”. Never for: {floor or 'nobody'}. Who cannot be"
                f" reached for lack of people is reported to {_team(town, policy.contact.manager)}."
            )
            letters = ", ".join(_words(purpose, "contacts", sorted(policy.contact.letters)))
            yield f"- One address gets no second one within {policy.contact.letter_days} days of: {letters}."
        root = town.routes.get(purpose.id)
        if root is not None:
            yield "- Which team (route), the first that fits:"
            yield from _route(root, town, purpose, 1)
    yield ""
    yield f"### {town.name}: statutes registered for bridges"
    yield ""
    for statute in town.statutes:
        names = " and ".join(bundle.purposes[one].name["en"] for one in sorted(statute.purposes))
        until = f" until {statute.end}" if statute.end else ""
        yield f"- {statute.article}, between {names}, from {statute.start}{until}; {statute.dpia}; signed by {statute.signatory}."
    if not town.statutes:
        yield "- None: a bridge needs the consent of everybody concerned."
    if town.reach is not None:
        yield (
            f"- How residents are reached: adopted by {town.reach.adopted_by} on {town.reach.adopted_on}, to be reviewed by"
            f" {town.reach.review}; the text is on the board under `/zo-bereiken-wij-u/{town.code}`."
        )


def _moment(policy: Policy) -> str:
    if policy.matching is None:
        return "as they come in (doorlopend)"
    if policy.matching.delivered:
        return f"once every expected partner has delivered, and on day {policy.matching.day} of the month at the latest"
    return f"on day {policy.matching.day} of the month"


def _window(window: Window) -> str:
    parts = [f"at least {window.min_days} days old"] if window.min_days else []
    parts += [f"at most {window.max_days} days old"] if window.max_days else []
    return ", ".join(parts) or "of any age"


def _plan(plan: Plan, whom: str, purpose: Purpose) -> str:
    days = "working days" if plan.working_days else "days"
    steps = "; ".join(
        f"{_words(purpose, 'contacts', [step.contact])[0]} day {step.earliest}-{step.latest}"
        + (f", {_words(purpose, 'dayparts', [step.daypart])[0]}" if step.daypart else "")
        for step in plan.steps
    )
    least = plan.minimum
    return (
        f"Plan “{plan.label['en']}” ({plan.label['nl']}), for {whom}, in {days}: {steps}. At least: attempts"
        f" {least.attempts}, ways {least.channels}, parts of the day {least.dayparts}."
    )


def _words(purpose: Purpose, kind: str, ids: Iterable[str]) -> list[str]:
    known = {word.id: word.label["en"] for word in purpose.words.get(kind, ())}
    return [f"{known.get(one, one)} ({one})" if known.get(one, one) != one else one for one in ids]


def _route(node: RouteNode, town: Municipality, purpose: Purpose, depth: int) -> Iterator[str]:
    indent = "  " * depth
    for child in node.children:
        team = f": {_team(town, child.team)}" if child.team else ""
        yield f"{indent}- {_match(child.match, town.areas, purpose)}{team}"
        yield from _route(child, town, purpose, depth + 1)
    if node.team and depth == 1:
        yield f"{indent}- everything else: {_team(town, node.team)}"


def _team(town: Municipality, team_id: str) -> str:
    return next((f"{team.name} (`{team.id}`)" for team in town.teams if team.id == team_id), f"`{team_id}`")


def _match(
    match: Mapping[str, Sequence[str]], areas: Mapping[str, str] | None = None, purpose: Purpose | None = None
) -> str:
    parts = []
    for label, values in match.items():
        if label == "language" and purpose is not None:
            spoken = " or ".join(_words(purpose, "languages", values))
            parts.append(f"the resident asked to be spoken with in {spoken}")
            continue
        known = [
            (areas or {}).get(value, value) if label == "area" else _LABELS.get((label, value), value)
            for value in values
        ]
        parts.append(f"{label} {' or '.join(known)}" if label in ("area", "type") else " or ".join(known))
    return " and ".join(parts) or "every other case"


# ---------------------------------------------------------------- partners


def _partners(bundle: Bundle) -> Iterator[str]:
    yield "## Partners"
    yield ""
    yield "| partner | municipality | signals | from | until | words that its agreement lists |"
    yield "|---|---|---|---|---|---|"
    for partner in bundle.partners.values():
        if not partner.agreements:
            yield _row(partner.name, "none: nothing of it is taken", "", "", "", "")
        for one in partner.agreements:
            kinds = ", ".join(bundle.signal_types[kind].label["en"] for kind in sorted(one.signal_types))
            town = bundle.municipalities[one.municipality].name
            until = str(one.end) if one.end else "open"
            yield _row(partner.name, town, kinds, str(one.start), until, ", ".join(one.feedback))


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
