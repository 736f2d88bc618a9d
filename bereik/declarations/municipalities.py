"""Municipalities: their places, teams, policies and routes, over `defaults.yaml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bereik.declarations.draft import FOREVER, Draft
from bereik.declarations.reading import Document, Key


def check(draft: Draft, documents: Sequence[Document], defaults: Document) -> None:
    """Whether every municipality is whole over the defaults, and each address lies in one place on one day."""
    teams: dict[str, str] = {}
    ranges: list[tuple[Document, Key, Mapping[str, Any]]] = []
    policies = _default(defaults, "policies")
    _policies(draft, defaults, policies)
    for document in documents:
        if not document.sound:
            continue
        value = document.value
        if not document.name.startswith(f"municipalities/{value['code']}-"):
            draft.report(
                document, ("code",), "the file name begins otherwise", f"{value['code']}-<name>.yaml"
            )
        for index, row in enumerate(value["postcodes"]):
            key: Key = ("postcodes", index)
            ranges.append((document, key, row))
            if row["first"] > row["last"]:
                draft.report(document, key, "first lies after last", "first <= last")
            if row["area"] not in value["areas"]:
                draft.report(document, (*key, "area"), "unknown area", value["areas"])
            draft.period(document, key, row)
        for index, team in enumerate(value["teams"]):
            key = ("teams", index)
            if team["id"] in teams:
                draft.report(document, (*key, "id"), f"also in {teams[team['id']]}", "an id of its own")
            teams.setdefault(team["id"], document.name)
            if not team["id"].startswith(f"{value['code']}-"):
                draft.report(document, (*key, "id"), "begins with another code", f"{value['code']}-...")
            draft.known_purpose(document, (*key, "purpose"), team["purpose"])
            for at, outlet in enumerate(team["outlets"]):
                if (outlet["kind"] == "board") == ("target" in outlet):
                    draft.report(
                        document,
                        (*key, "outlets", at),
                        "target fits no board, and is needed elsewhere",
                        "",
                    )
        _policies(draft, document, value.get("policies", {}), value["areas"])
        _routes(draft, document, value)
        merged = _merged(policies, value.get("policies", {}))
        for name in draft.purposes:
            _reach(draft, document, name, merged.get(name, {}).get("contact", {}), value)
        reach = value.get("bereik")
        if reach is not None and reach["review"] <= reach["adoptedOn"]:
            draft.report(document, ("bereik", "review"), "not after adoptedOn", "a later day")
        for index, statute in enumerate(value.get("statutes", ())):
            _statute(draft, document, ("statutes", index), statute)
        if document.sound:
            draft.towns[value["code"]] = {
                **value,
                "policies": merged,
                "alerting": {**_default(defaults, "alerting"), **value.get("alerting", {})},
            }
    _overlaps(draft, ranges)


def _default(defaults: Document, name: str) -> Mapping[str, Any]:
    """What defaults.yaml says under a key; nothing when the file itself is broken."""
    found: Mapping[str, Any] = defaults.value.get(name, {}) if defaults.sound else {}
    return found


def _policies(
    draft: Draft, document: Document, policies: Mapping[str, Any], areas: Mapping[str, Any] | None = None
) -> None:
    for name, policy in policies.items():
        key: Key = ("policies", name)
        draft.known_purpose(document, key, name)
        if policy.get("thresholdEur", 0) and "thresholdCitation" not in policy:
            draft.report(
                document,
                (*key, "thresholdEur"),
                "a threshold without a citation",
                "0, or thresholdCitation",
            )
        if "contact" in policy and name in draft.purposes:
            _contact(draft, document, (*key, "contact"), name, policy["contact"], areas or {})
        if policy.get("windows") and "windowsCitation" not in policy:
            draft.report(document, (*key, "windows"), "windows without a citation", "windowsCitation")
        for name_of, window in policy.get("windows", {}).items():
            at = (*key, "windows", name_of)
            own = [kind["id"] for kind in draft.types.values() if kind["purpose"] == name]
            if name_of not in draft.type_names or (name_of in draft.types and name_of not in own):
                draft.report(document, at, "no signal type of this purpose", own)
            if window.get("minDays", 0) > window.get("maxDays", window.get("minDays", 0)):
                draft.report(document, at, "minDays above maxDays", "minDays <= maxDays")
        moment = policy.get("matching", {"when": "continuous"})
        if (moment["when"] == "continuous") == ("day" in moment):
            message = "a day, unless it is continuous"
            draft.report(document, (*key, "matching"), message, "when: day | delivered, with day: 1-28")


def _contact(
    draft: Draft,
    document: Document,
    key: Key,
    purpose: str,
    contact: Mapping[str, Any],
    areas: Mapping[str, Any],
) -> None:
    """Plans in the purpose's own words, each with a minimum that its own steps can reach."""
    kinds = [word["id"] for word in draft.purposes[purpose]["contacts"]]
    dayparts = [word["id"] for word in draft.purposes[purpose]["dayparts"]]
    words = [((*key, "counts", at), one) for at, one in enumerate(contact.get("counts", ()))]
    letters = contact.get("letters", {}).get("contacts", ())
    words += [((*key, "letters", "contacts", at), one) for at, one in enumerate(letters)]
    for index, plan in enumerate(contact.get("plans", ())):
        here: Key = (*key, "plans", index)
        draft.match(document, (*here, "match"), plan["match"], areas, purpose)
        if plan["id"] in [other["id"] for other in contact["plans"][:index]]:
            draft.report(document, (*here, "id"), "an earlier plan has this id", "an id of its own")
        for at, step in enumerate(plan["steps"]):
            place: Key = (*here, "steps", at)
            words.append(((*place, "contact"), step["contact"]))
            if step["from"] > step["to"]:
                draft.report(document, place, "ends before it starts", "from <= to")
            if step.get("daypart", dayparts[0]) not in dayparts:
                draft.report(document, (*place, "daypart"), "unknown part of the day", dayparts)
            if step["contact"] not in contact.get("counts", kinds):
                draft.report(document, (*place, "contact"), "does not count as an attempt", contact["counts"])
        for part, most in _most(plan["steps"], len(dayparts)).items():
            if plan["minimum"][part] > most:
                message = "more than the steps of this plan can reach"
                draft.report(document, (*here, "minimum", part), message, f"at most {most}")
    for place, word in words:
        if word not in kinds:
            draft.report(document, place, "unknown kind of contact", kinds)
    for index, rule in enumerate(contact.get("floor", ())):
        here = (*key, "floor", index)
        draft.match(document, (*here, "match"), rule.get("match", {}), areas, purpose)
        if not {"match", "sinceMonths", "promised"} & set(rule):
            draft.report(document, here, "holds for everybody", "match, sinceMonths or promised")


def _reach(
    draft: Draft, document: Document, purpose: str, contact: Mapping[str, Any], town: Mapping[str, Any]
) -> None:
    """Whether a municipality's contact is whole: its plans, its manager, and a capacity for every team that is routed to."""
    key: Key = ("policies", purpose, "contact")
    for part in ("plans", "lighter", "floor", "manager", "counts", "letters"):
        if part not in contact:
            draft.report(document, key, f"key is missing: {part}", "here or in defaults.yaml")
            return
    ids = [plan["id"] for plan in contact["plans"]]
    if contact["lighter"] not in ids:
        draft.report(document, (*key, "lighter"), "no plan has this id", ids)
    if not any(not plan["match"] and plan["id"] != contact["lighter"] for plan in contact["plans"]):
        draft.report(document, (*key, "plans"), "some cases get no plan", "a last plan with match: {}")
    own = [team["id"] for team in town["teams"] if team["purpose"] == purpose]
    if contact["manager"] not in own:
        draft.report(document, (*key, "manager"), f"no team of {purpose} here", own)
    routed = {node["team"] for _, node in _nodes(town["routes"].get(purpose, {}), ()) if "team" in node}
    for index, team in enumerate(town["teams"]):
        if team["id"] in routed and not team.get("capacityPerWeek"):
            message = "cases are routed to a team without capacity"
            draft.report(
                document, ("teams", index), message, "capacityPerWeek: cases it can take up in a week"
            )


def _routes(draft: Draft, document: Document, value: Mapping[str, Any]) -> None:
    teams = {team["id"]: team["purpose"] for team in value["teams"]}
    for name in draft.purposes:
        if name not in value["routes"]:
            draft.report(document, ("routes",), f"no route for {name}", draft.purposes)
    for name, root in value["routes"].items():
        draft.known_purpose(document, ("routes", name), name)
        own = [team for team, purpose in teams.items() if purpose == name]
        for key, node in _nodes(root, ("routes", name)):
            if "team" in node and node["team"] not in own:
                draft.report(document, (*key, "team"), f"no team of {name} here", own)
            draft.match(document, (*key, "match"), node.get("match", {}), value["areas"], name)


def _statute(draft: Draft, document: Document, key: Key, statute: Mapping[str, Any]) -> None:
    draft.period(document, key, statute)
    for at, name in enumerate(statute["purposes"]):
        draft.known_purpose(document, (*key, "purposes", at), name)
    if draft.purposes_file.sound:
        pairs = [set(bridge["purposes"]) for bridge in draft.bridges]
        if not any(pair <= set(statute["purposes"]) for pair in pairs):
            valid = [" + ".join(sorted(pair)) for pair in pairs]
            draft.report(document, (*key, "purposes"), "no bridge exists between these", valid)


def _overlaps(draft: Draft, ranges: list[tuple[Document, Key, Mapping[str, Any]]]) -> None:
    """One address lies in one place on one day."""
    ordered = sorted(ranges, key=lambda row: (row[2]["first"], row[2]["last"]))
    for index, (document, key, row) in enumerate(ordered):
        for other_document, _, other in ordered[index + 1 :]:
            if other["first"] > row["last"]:
                break
            apart = (
                other["start"] > row.get("end", FOREVER)
                or row["start"] > other.get("end", FOREVER)
                or other.get("numberFrom", 1) > row.get("numberTo", 99_999)
                or row.get("numberFrom", 1) > other.get("numberTo", 99_999)
            )
            if not apart:
                message = f"overlaps {other['first']}-{other['last']} in {other_document.name}"
                draft.report(document, key, message, "ranges apart in postcode, number or time")


def _nodes(node: Mapping[str, Any], key: Key) -> Iterator[tuple[Key, Mapping[str, Any]]]:
    yield key, node
    for index, child in enumerate(node.get("children", ())):
        yield from _nodes(child, (*key, "children", index))


def _most(steps: Sequence[Mapping[str, Any]], dayparts: int) -> dict[str, int]:
    """The most effort that these steps can come to; a step without a part of the day fits any."""
    named = {step["daypart"] for step in steps if "daypart" in step}
    free = sum("daypart" not in step for step in steps)
    return {
        "attempts": len(steps),
        "channels": len({step["contact"] for step in steps}),
        "dayparts": min(dayparts, len(named) + free),
    }


def _merged(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A municipality's own policies over the defaults, key by key, also inside `contact`."""
    found = {}
    for name in sorted({*defaults, *own}):
        first, second = defaults.get(name, {}), own.get(name, {})
        found[name] = {**first, **second}
        if "contact" in found[name]:
            found[name]["contact"] = {**first.get("contact", {}), **second.get("contact", {})}
    return found
