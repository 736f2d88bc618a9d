"""Partners: who they are, what they agreed, and the layout of their files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from bereik.declarations.draft import FOREVER, Draft
from bereik.declarations.reading import Document, Key


def check(draft: Draft, documents: Sequence[Document]) -> None:
    """Whether every partner is who it says, and agreed on what exists."""
    sources: dict[str, str] = {}
    for document in documents:
        if not document.sound:
            continue
        value = document.value
        if document.name != f"partners/{value['id']}.yaml":
            draft.report(document, ("id",), "the file has another name", f"{value['id']}.yaml")
        kind, number = ("oin", value.get("oin")) if "oin" in value else ("kvknr", value.get("kvk"))
        if number is None:
            draft.report(document, (), "neither oin nor kvk", "one of them")
        elif not value["source"].startswith(f"urn:nld:{kind}:{number}:"):
            draft.report(
                document, ("source",), "not this partner's number", f"urn:nld:{kind}:{number}:systeem:..."
            )
        if value["source"] in sources:
            draft.report(document, ("source",), f"also in {sources[value['source']]}", "a source of its own")
        sources.setdefault(value["source"], document.name)
        for index, agreement in enumerate(value["agreements"]):
            _agreement(draft, document, index, value, agreement)
        if "file" in value:
            _file(draft, document, value)
        if document.sound:
            draft.partners[value["id"]] = value


def _agreement(
    draft: Draft, document: Document, index: int, partner: Mapping[str, Any], agreement: Mapping[str, Any]
) -> None:
    here: Key = ("agreements", index)
    draft.period(document, here, agreement)
    if agreement["municipality"] not in draft.codes:
        draft.report(document, (*here, "municipality"), "unknown municipality", draft.codes)
    steps: set[str] = set()
    words: set[str] = set()
    for at, name in enumerate(agreement["signalTypes"]):
        key = (*here, "signalTypes", at)
        if name not in draft.type_names:
            draft.report(document, key, "unknown signal type", draft.type_names)
        kind = draft.types.get(name)
        if kind is None:
            return
        if kind["partner_type"] != partner["sector"]:
            draft.report(
                document,
                key,
                f"for sector {kind['partner_type']}, not {partner['sector']}",
                _for(draft, partner),
            )
        if agreement["attestation"] != "agreement" and kind["attestation_field"] is None and kind["steps"]:
            draft.report(document, (*here, "attestation"), f"{name} has no field to attest in", "agreement")
        steps |= {step["id"] for step in kind["steps"]}
        words |= (
            set(draft.purposes[kind["purpose"]]["feedback"]) if kind["purpose"] in draft.purposes else set()
        )
    for at, name in enumerate(agreement["attested"]):
        if name not in steps:
            draft.report(document, (*here, "attested", at), "no step of these types", steps)
    for at, name in enumerate(agreement["feedback"]):
        if name not in words:
            draft.report(document, (*here, "feedback", at), "unknown feedback word", words)
    purposes = {draft.types[name]["purpose"] for name in agreement["signalTypes"]}
    forms = {
        form for bridge in draft.bridges if purposes & set(bridge["purposes"]) for form in bridge["forms"]
    }
    for at, name in enumerate(agreement.get("consentForms", ())):
        if name not in forms:
            draft.report(document, (*here, "consentForms", at), "no form of a bridge of these types", forms)
    for other in partner["agreements"][:index]:
        same = other["municipality"] == agreement["municipality"]
        types = set(other["signalTypes"]) & set(agreement["signalTypes"])
        apart = other["start"] > agreement.get("end", FOREVER) or agreement["start"] > other.get(
            "end", FOREVER
        )
        if same and types and not apart:
            draft.report(document, here, "overlaps an earlier agreement", "one agreement at a time")


def _for(draft: Draft, partner: Mapping[str, Any]) -> list[str]:
    return [name for name, kind in draft.types.items() if kind["partner_type"] == partner["sector"]]


def _file(draft: Draft, document: Document, partner: Mapping[str, Any]) -> None:
    layout = partner["file"]
    if partner["door"] != "file":
        draft.report(document, ("file",), "only the door named file takes files", "door: file")
    name = layout["signalType"]
    if name not in draft.type_names:
        draft.report(document, ("file", "signalType"), "unknown signal type", draft.type_names)
    agreed = {kind for agreement in partner["agreements"] for kind in agreement["signalTypes"]}
    if name in draft.type_names and name not in agreed:
        draft.report(document, ("file", "signalType"), "no agreement for this type", agreed)
    if layout["format"] == "csv" and not {"delimiter", "encoding"} <= set(layout):
        draft.report(document, ("file",), "csv needs delimiter and encoding", "delimiter, encoding")
    try:
        probe = date(2026, 2, 3).strftime(layout.get("dateFormat", "%Y-%m-%d"))
    except ValueError:
        probe = ""
    if not {"2026", "02", "03"} <= set(re.split(r"[^0-9]+", probe)) and probe != "20260203":
        draft.report(document, ("file", "dateFormat"), "no full date", "such as %d-%m-%Y")
    kind = draft.types.get(name)
    if kind is None:
        return
    fields = {row["name"]: row for row in kind["contract"]["fields"]}
    plain = [field_name for field_name, row in fields.items() if row["kind"] not in ("object", "array")]
    targets: list[str] = []
    for column, target in layout["columns"].items():
        key = ("file", "columns", column)
        if target not in plain:
            draft.report(document, key, "unknown field", plain)
        if target in targets:
            draft.report(document, key, f"a second column for {target}", "every field once")
        targets.append(target)
    missing = [
        field_name
        for field_name, row in fields.items()
        if row["required"] and "." not in field_name and field_name not in targets
    ]
    if missing:
        draft.report(document, ("file", "columns"), f"no column for {', '.join(missing)}", missing)
    if "rows" in layout:
        _row_kinds(draft, document, layout, kind, targets)


def _row_kinds(
    draft: Draft, document: Document, layout: Mapping[str, Any], kind: Mapping[str, Any], targets: list[str]
) -> None:
    """Rows that take back or correct name the earlier one by its reference, in words and columns of their own."""
    rows, here = layout["rows"], ("file", "rows")
    if kind["reference_field"] not in targets:
        message = f"no column for {kind['reference_field']}: rows cannot name an earlier one"
        draft.report(document, here, message, "a column for it")
    for part in ("column", "reason"):
        if rows[part] in layout["columns"] or (part == "reason" and rows[part] == rows["column"]):
            draft.report(document, (*here, part), "a column that is something else already", "another name")
    if rows.get("withdraw", "").casefold() == rows.get("correct", "").casefold():
        draft.report(document, (*here, "correct"), "the same word for both", "two words")
    for action, contract in (("withdraw", "withdrawal_contract"), ("correct", "correction_contract")):
        if action in rows and kind[contract] is None:
            draft.report(document, (*here, action), "this type has no such event", "an entry in its contract")
