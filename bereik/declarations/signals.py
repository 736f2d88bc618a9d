"""Signal types: whether the fields, roles and conditions of a contract fit together, and what it makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import jsonschema_rs

from bereik.contract import Contract, compile_entry, custom
from bereik.declarations.draft import Draft
from bereik.declarations.reading import Document, Key, Reading

# The logical type that each role's field must have.
_ROLE_KINDS: Final[Mapping[str, str]] = {
    "reference": "string",
    "contract": "string",
    "date": "date",
    "since": "date",
    "amount": "integer",
    "crisis": "boolean",
    "warm": "boolean",
    "sort": "string",
    "municipality": "string",
    "attestation": "object",
    "reason": "string",
    "consent_form": "string",
    "consent_by": "string",
}
# Roles whose fields casework decides on, so they have to be facts.
_FACT_ROLES: Final = ("amount", "crisis", "warm", "sort")
_CONSENT_ROLES: Final = ("consent_form", "consent_by")


def shape(reading: Reading, document: Document) -> None:
    """Check a contract against `meta/signal.json`, and its custom properties as the mappings they stand for."""
    if not reading.shape(document, "signal", document.value):
        return
    value = document.value
    _shape_custom(reading, document, "signal-type", value, ())
    for index, entry in enumerate(value["schema"]):
        here: Key = ("schema", index)
        _shape_custom(reading, document, "signal-entry", entry, here)
        for key, row, _ in _walk(entry["properties"], (*here, "properties")):
            _shape_custom(reading, document, "signal-field", row, key)


def _shape_custom(reading: Reading, document: Document, meta: str, node: Mapping[str, Any], key: Key) -> None:
    """Check `customProperties` as the mapping it stands for."""
    where: dict[str, Key] = {"": (*key, "customProperties") if "customProperties" in node else key}
    for index, row in enumerate(node.get("customProperties", ())):
        name = row["property"]
        if name in where:
            reading.report(document, (*key, "customProperties", index), "the property occurs twice", "once")
        where[name] = (*key, "customProperties", index, "value")
    reading.shape(document, meta, custom(node), where)


def check(draft: Draft, documents: Sequence[Document]) -> None:
    """Whether each type fits together, and with purposes and linkage; and what every event is, is said once."""
    for document in documents:
        if document.sound:
            _signal(draft, document)
    _unique_events(draft, documents)


def _unique_events(draft: Draft, documents: Sequence[Document]) -> None:
    seen: dict[str, str] = {}
    for document in documents:
        if not document.sound:
            continue
        for index, entry in enumerate(document.value["schema"]):
            event = custom(entry)["cloudEventType"]
            if event in seen:
                key = _custom_key(entry, ("schema", index), "cloudEventType")
                draft.report(document, key, f"also declared in {seen[event]}", "an event type of its own")
            seen.setdefault(event, document.name)


def _signal(draft: Draft, document: Document) -> None:
    value = document.value
    ours = custom(value)
    at = {
        row["property"]: ("customProperties", index, "value")
        for index, row in enumerate(value["customProperties"])
    }
    if document.name != f"signals/{value['name']}.odcs.yaml":
        draft.report(document, ("name",), "the file has another name", f"{value['name']}.odcs.yaml")
    purpose = draft.purposes.get(ours["purpose"])
    if purpose is None:
        if draft.purposes_file.sound:
            draft.report(document, at["purpose"], "unknown purpose", draft.purposes)
    elif ours["partnerType"] not in purpose["partnerTypes"]:
        draft.report(document, at["partnerType"], "not designated for this purpose", purpose["partnerTypes"])
    entries: dict[str, tuple[int, Mapping[str, Any]]] = {}
    for index, entry in enumerate(value["schema"]):
        action = custom(entry)["action"]
        if action in entries:
            draft.report(
                document,
                ("schema", index),
                f"a second {action}",
                "one report, and one withdrawal and one correction at most",
            )
        entries[action] = (index, entry)
        _fields(draft, document, ("schema", index), entry)
    if "report" not in entries:
        draft.report(document, ("schema",), "no report", "one entry with action: report")
        return
    forbidden = {row["field"] for row in ours.get("forbidden", ())}
    for action, (index, entry) in entries.items():
        for key, _, name in _walk(entry["properties"], ("schema", index, "properties")):
            if name in forbidden and action == "report":
                draft.report(
                    document, key, "the field is forbidden in this file", "a field that is not forbidden"
                )
    report = entries["report"]
    _report_entry(draft, document, report[0], report[1], ours)
    if "withdraw" in entries:
        _withdraw_entry(draft, document, *entries["withdraw"])
    if "correct" in entries:
        _withdraw_entry(draft, document, *entries["correct"])
        _correct_entry(draft, document, *entries["correct"], report[1])
    if not document.sound:
        return
    contracts = {}
    for action, (index, entry) in entries.items():
        contracts[action] = compile_entry(entry, value["version"])
        try:
            Contract(contracts[action])
        except (ValueError, jsonschema_rs.ValidationError) as fault:
            # Such as a look-around, which the linear-time engine does not have.
            message = str(getattr(fault, "message", fault)).splitlines()[0]
            draft.report(
                document,
                ("schema", index),
                f"does not compile: {message}",
                "a valid pattern or condition",
            )
    if document.sound:
        draft.types[value["name"]] = _type_document(value, ours, entries, contracts)


def _fields(draft: Draft, document: Document, here: Key, entry: Mapping[str, Any]) -> None:
    seen: set[str] = set()
    for key, row, name in _walk(entry["properties"], (*here, "properties")):
        if name in seen:
            draft.report(document, (*key, "name"), "the field occurs twice", "every field once")
        seen.add(name)
        ours = custom(row)
        if "within" in ours and (row["logicalType"] != "date" or "." in name):
            draft.report(document, key, "within is for dates outside objects", "logicalType: date")
        if "pattern" in row.get("logicalTypeOptions", {}) and "expects" not in ours:
            draft.report(document, key, "a pattern without words", "a custom property expects with nl and en")
        if "enum" in row and row["logicalType"] != "string":
            draft.report(document, (*key, "enum"), "only texts can be enumerated", "logicalType: string")
    for index, condition in enumerate(custom(entry).get("conditions", ())):
        if condition["field"] not in seen:
            key = _custom_key(entry, here, "conditions")
            draft.report(document, (*key, index, "field"), "unknown field", seen)


def _report_entry(
    draft: Draft,
    document: Document,
    index: int,
    entry: Mapping[str, Any],
    type_keys: Mapping[str, Any],
) -> None:
    here: Key = ("schema", index)
    ours = custom(entry)
    rows = {name: row for _, row, name in _walk(entry["properties"], here)}
    identity, roles, facts = ours["identity"], ours["roles"], ours["facts"]
    _roles(draft, document, here, entry, rows)
    for at, name in enumerate(facts):
        key = (*_custom_key(entry, here, "facts"), at)
        if name not in rows:
            draft.report(document, key, "unknown field", rows)
        elif name in identity.values():
            draft.report(document, key, "identity is not for casework", set(rows) - set(identity.values()))
    for role in _FACT_ROLES:
        if role in roles and roles[role] not in facts:
            key = (*_custom_key(entry, here, "roles"), role)
            draft.report(document, key, "casework decides on this field, so it must be a fact", facts)
    where = _custom_key(entry, here, "identity")
    for name, target in identity.items():
        if draft.linkage and name not in draft.linkage["fields"]:
            draft.report(document, (*where, name), "unknown field of linkage.yaml", draft.linkage["fields"])
        if target not in rows:
            draft.report(document, (*where, name), "unknown field", rows)
    for name in ("postcode", "house_number"):
        if name not in identity:
            draft.report(
                document,
                where,
                f"no {name}: the municipality cannot be found",
                "postcode and house_number",
            )
        elif identity[name] in rows and not rows[identity[name]].get("required"):
            draft.report(document, (*where, name), "this field must be required", "required: true")
    steps = {step["id"] for step in type_keys.get("steps", ())}
    attestation = roles.get("attestation")
    if attestation in rows and rows[attestation]["logicalType"] == "object":
        asked = {row["name"] for row in rows[attestation].get("properties", ())}
        if asked != steps:
            key = (*_custom_key(entry, here, "roles"), "attestation")
            draft.report(document, key, "its fields are not the steps", steps)
    if 0 < sum(role in roles for role in _CONSENT_ROLES) < len(_CONSENT_ROLES):
        key = _custom_key(entry, here, "roles")
        draft.report(document, key, "consent needs both its form and who gave it", "consent_form, consent_by")
    _sorts(draft, document, here, entry, rows)
    if not any(row.get("primaryKey") for row in rows.values()):
        draft.report(document, (*here, "properties"), "no primary key", "primaryKey: true on a field")
    if "minimum" in type_keys and "amount" not in roles:
        draft.report(document, here, "a minimum without an amount", "a role amount")


def _sorts(
    draft: Draft, document: Document, here: Key, entry: Mapping[str, Any], rows: Mapping[str, Any]
) -> None:
    """Every word of the field is of exactly one sort, and what a report is late after is a date casework knows."""
    ours = custom(entry)
    where = _custom_key(entry, here, "sorts")
    sorts = ours.get("sorts", [])
    name = ours["roles"].get("sort")
    if bool(sorts) != (name in rows):
        draft.report(document, where, "sorts and a role sort belong together", "both, or neither")
        return
    words = {word["value"] for word in rows[name].get("enum", ())} if name in rows else set()
    seen: set[str] = set()
    for index, sort in enumerate(sorts):
        for at, value in enumerate(sort["values"]):
            if value not in words or value in seen:
                draft.report(
                    document, (*where, index, "values", at), "not one of the field's words, once", words
                )
            seen.add(value)
        after = sort.get("reportWithin", {}).get("after")
        dates = {fact for fact in ours["facts"] if rows.get(fact, {}).get("logicalType") == "date"}
        if after is not None and after not in dates:
            draft.report(document, (*where, index, "reportWithin", "after"), "no date among the facts", dates)
    if words - seen:
        draft.report(document, where, "without a sort: " + ", ".join(sorted(words - seen)), "every word")


def _withdraw_entry(draft: Draft, document: Document, index: int, entry: Mapping[str, Any]) -> None:
    here: Key = ("schema", index)
    rows = {name: row for _, row, name in _walk(entry["properties"], here)}
    _roles(draft, document, here, entry, rows)
    reference = custom(entry)["roles"]["reference"]
    if reference in rows and not rows[reference].get("required"):
        key = (*_custom_key(entry, here, "roles"), "reference")
        draft.report(document, key, "this field must be required", "required: true")
    reason = rows.get(custom(entry)["roles"].get("reason", ""), {})
    known = {word["value"] for word in reason.get("enum", ())}
    for word in custom(entry).get("because", {}):
        if word not in known:
            key = (*_custom_key(entry, here, "because"), word)
            draft.report(document, key, "not a word of the reason", known)


def _correct_entry(
    draft: Draft, document: Document, index: int, entry: Mapping[str, Any], report: Mapping[str, Any]
) -> None:
    """What can be corrected are facts and consent, as the report has them: whom a signal is about is neither."""
    rows = {name: row for _, row, name in _walk(report["properties"], ())}
    roles, said = custom(entry)["roles"], custom(report)["roles"]
    facts = [*custom(report)["facts"], *(said[role] for role in _CONSENT_ROLES if role in said)]
    for at, row in enumerate(entry["properties"]):
        if row["name"] in (roles["reference"], roles.get("reason")):
            continue
        key: Key = ("schema", index, "properties", at)
        if row["name"] not in facts:
            draft.report(document, (*key, "name"), "no fact of the report, and no consent", facts)
        elif row["logicalType"] != rows[row["name"]]["logicalType"]:
            draft.report(
                document,
                (*key, "logicalType"),
                "of another type in the report",
                rows[row["name"]]["logicalType"],
            )


def _roles(
    draft: Draft, document: Document, here: Key, entry: Mapping[str, Any], rows: Mapping[str, Any]
) -> None:
    where = _custom_key(entry, here, "roles")
    for role, name in custom(entry)["roles"].items():
        if name not in rows:
            draft.report(document, (*where, role), "unknown field", rows)
        elif rows[name]["logicalType"] != _ROLE_KINDS[role]:
            draft.report(document, (*where, role), "wrong type of field", f"logicalType: {_ROLE_KINDS[role]}")


def _custom_key(node: Mapping[str, Any], here: Key, name: str) -> Key:
    """Where the value of a custom property stands."""
    for index, row in enumerate(node.get("customProperties", ())):
        if row["property"] == name:
            return (*here, "customProperties", index, "value")
    return here


def _type_document(
    value: Mapping[str, Any],
    ours: Mapping[str, Any],
    entries: Mapping[str, tuple[int, Mapping[str, Any]]],
    contracts: Mapping[str, dict[str, Any]],
) -> dict[str, Any]:
    entry = entries["report"][1]
    report = custom(entry)
    roles = report["roles"]
    withdrawal = custom(entries["withdraw"][1]) if "withdraw" in entries else None
    correction = custom(entries["correct"][1]) if "correct" in entries else None
    return {
        "id": value["name"],
        "purpose": ours["purpose"],
        "label": ours["label"],
        "partner_type": ours["partnerType"],
        "article": ours["article"],
        "processing_activity_id": ours["processingActivityId"],
        "steps": ours.get("steps", []),
        "forbidden": ours.get("forbidden", []),
        "minimum_eur": ours["minimum"]["amountEur"] if "minimum" in ours else None,
        "minimum_article": ours["minimum"]["article"] if "minimum" in ours else None,
        "event_type": report["cloudEventType"],
        "withdrawal_type": withdrawal["cloudEventType"] if withdrawal else None,
        "contract": contracts["report"],
        "withdrawal_contract": contracts.get("withdraw"),
        "fact_fields": report["facts"],
        "identity": report["identity"],
        "sorts": report.get("sorts", []),
        "because": {
            word: ours
            for one in (correction, withdrawal)
            if one
            for word, ours in one.get("because", {}).items()
        },
        **{f"{role}_field": roles.get(role) for role in _ROLE_KINDS if role != "reason"},
        "withdrawal_reference_field": withdrawal["roles"]["reference"] if withdrawal else None,
        "withdrawal_reason_field": withdrawal["roles"].get("reason") if withdrawal else None,
        "correction_type": correction["cloudEventType"] if correction else None,
        "correction_contract": contracts.get("correct"),
        "correction_reference_field": correction["roles"]["reference"] if correction else None,
        "correction_reason_field": correction["roles"].get("reason") if correction else None,
    }


def _walk(
    properties: Sequence[Mapping[str, Any]], key: Key, prefix: str = ""
) -> Iterator[tuple[Key, Mapping[str, Any], str]]:
    """Every property, also those inside objects: where it stands, itself, its dotted name."""
    for index, row in enumerate(properties):
        name = prefix + row["name"]
        yield (*key, index), row, name
        yield from _walk(row.get("properties", ()), (*key, index, "properties"), f"{name}.")
