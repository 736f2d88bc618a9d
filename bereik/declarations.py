"""Reads `schemas/`: YAML with line numbers, checked against `schemas/meta/`, cross-checked, made into one document.

All problems come back at once, each with file, line, key and what would be valid. The document is plain JSON; what
it means is `bereik.bundle`'s business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import yaml

from bereik.contract import Contract, compile_entry, custom
from bereik.errors import Problem
from bereik.lifecycle import BY_SIGNALS, CLOSED, FACTS, OPEN

Key = tuple[str | int, ...]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Date that ends no period; sorts after every ISO date.
_FOREVER: Final = "9999-12-31"
_LABEL_VALUES: Final[Mapping[str, frozenset[str]]] = {
    "kind": frozenset({"single", "multiple", "consecutive"}),
    "crisis": frozenset({"yes", "no"}),
    "warm": frozenset({"yes", "no"}),
    "repeat": frozenset({"yes", "no"}),
}
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
# The kinds of partner that the national delivery knows (DDAS v1.2, signaalpartner.type). A purpose with any other cannot deliver.
DELIVERED_PARTNER_TYPES: Final = (
    "Belastingdienst", "CAK Eigen bijdrage", "CAK Zorgverzekeringen", "Dienst Toeslagen", "DUO", "Energie", "Huur",
    "Hypotheek", "Overige", "Water", "Zorg",
)  # fmt: skip
# The lists of words of a purpose that facts choose from, beside its results.
WORD_LISTS: Final = ("contacts", "dayparts", "causes", "reasons", "rules", "promises", "languages")
# Roles whose fields casework decides on, so they have to be facts.
_FACT_ROLES: Final = ("amount", "crisis", "warm", "sort")


@dataclass(slots=True)
class Document:
    """One YAML file: its value, and the line of every key in it."""

    name: str
    value: Any = None
    lines: dict[Key, int] = field(default_factory=dict)
    sound: bool = True

    def line(self, key: Key) -> int:
        """The line of a key, or of the nearest thing around it."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)


@dataclass(slots=True)
class Reading:
    """A reading under way: the folder, and the problems so far."""

    schemas: Path
    problems: list[Problem] = field(default_factory=list)
    _meta: dict[str, tuple[Any, dict[str, Any]]] = field(default_factory=dict)

    def report(self, document: Document, key: Key, message: str, valid: str | Iterable[str] = "") -> None:
        """Note a problem at a key of a document."""
        choices = valid if isinstance(valid, str) else ", ".join(sorted(map(str, valid)))
        self.problems.append(Problem(document.name, document.line(key), _dotted(key), message, choices))
        document.sound = False

    def open(self, path: Path) -> Document:
        """Read one YAML file. A broken one is reported and has no value."""
        document = Document(path.relative_to(self.schemas).as_posix())
        try:
            root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_LOADER)
        except FileNotFoundError:
            self.report(document, (), "the file is missing", document.name)
            return document
        except UnicodeDecodeError:
            self.report(document, (), "the file is not UTF-8")
            return document
        except yaml.YAMLError as fault:
            mark = getattr(fault, "problem_mark", None)
            document.lines[()] = mark.line + 1 if mark else 1
            self.report(document, (), f"not YAML: {getattr(fault, 'problem', None) or 'unreadable'}")
            return document
        if root is None:
            self.report(document, (), "the file is empty")
            return document
        document.lines[()] = root.start_mark.line + 1
        document.value = self._value(document, root, (), set())
        return document

    def _value(self, document: Document, node: yaml.Node, key: Key, seen: set[int]) -> Any:
        if id(node) in seen:
            self.report(document, key, "aliases are not read", "the value itself, written out")
            return None
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            found: dict[str, Any] = {}
            for name_node, child in node.value:
                name = str(name_node.value) if isinstance(name_node, yaml.ScalarNode) else "?"
                here = (*key, name)
                line = name_node.start_mark.line + 1
                if name in found:
                    document.lines[here] = line
                    self.report(document, here, "the key occurs twice", "every key once")
                document.lines[here] = line
                found[name] = self._value(document, child, here, seen)
            return found
        if isinstance(node, yaml.SequenceNode):
            items = []
            for index, child in enumerate(node.value):
                document.lines[(*key, index)] = child.start_mark.line + 1
                items.append(self._value(document, child, (*key, index), seen))
            return items
        return _scalar(node)

    def shape(self, document: Document, meta: str, value: Any, where: Mapping[str, Key] | Key = ()) -> bool:
        """Check a value against schemas/meta/<meta>.json; `where` says at which key of the document it stands."""
        validator, schema = self._load_meta(meta)
        good = True
        for fault in validator.iter_errors(value):
            path: Key = tuple(fault.instance_path)
            if isinstance(where, tuple):
                key: Key = (*where, *path)
            else:
                key = (*where[str(path[0])], *path[1:]) if path else where.get("", ())
            self.report(document, key, *_explain(fault, schema))
            good = False
        return good

    def _load_meta(self, meta: str) -> tuple[Any, dict[str, Any]]:
        if meta not in self._meta:
            schema = json.loads((self.schemas / "meta" / f"{meta}.json").read_text(encoding="utf-8"))
            self._meta[meta] = (jsonschema_rs.Draft202012Validator(schema, validate_formats=True), schema)
        return self._meta[meta]


def _scalar(node: yaml.Node) -> Any:
    """YAML 1.2's core rules: `no`, `0518` and dates stay text, as their writer meant."""
    text: str = node.value
    if getattr(node, "style", None) in ("'", '"', "|", ">"):
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _dotted(key: Key) -> str:
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "(file)"


def _explain(fault: jsonschema_rs.ValidationError, schema: dict[str, Any]) -> tuple[str, str]:
    """A meta-schema error in our words: what is wrong, and what would be valid."""
    steps = list(fault.schema_path)
    keyword = str(steps[-1])
    holder = _resolve(schema, steps[:-1])
    rule = holder.get(keyword)
    if keyword == "additionalProperties":
        strangers = ", ".join(getattr(fault.kind, "unexpected", ()))
        return f"unknown key: {strangers}", ", ".join(sorted(holder.get("properties", {}))) or holder.get(
            "description", ""
        )
    if keyword == "required":
        return f"key is missing: {getattr(fault.kind, 'property', '')}", ", ".join(holder.get("required", ()))
    if keyword in ("enum", "const"):
        choices = rule if isinstance(rule, list) else [rule]
        return "not one of the known words", ", ".join(str(choice) for choice in choices)
    if keyword == "type":
        return "wrong type", str(rule)
    if keyword in ("pattern", "format"):
        return "wrong form", str(holder.get("description", rule))
    if keyword in ("minimum", "maximum", "minItems", "maxItems", "minLength", "minProperties"):
        return "out of bounds", f"{keyword} {rule}"
    if keyword == "uniqueItems":
        return "an item occurs twice", "every item once"
    return f"breaks {keyword}", str(holder.get("description", ""))


def _resolve(schema: dict[str, Any], steps: Sequence[str | int]) -> dict[str, Any]:
    """The part of a schema that a path leads to, through $ref."""
    node: Any = schema
    for step in steps:
        node = _deref(schema, node)
        if step == "$ref":
            continue
        node = node[int(step)] if isinstance(node, list) else node.get(str(step), {})
    found = _deref(schema, node)
    return found if isinstance(found, dict) else {}


def _deref(schema: dict[str, Any], node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return node


def read(schemas: Path) -> tuple[dict[str, Any], list[Problem]]:
    """Read all declarations: the document (incomplete when there are problems), and every problem."""
    reading = Reading(schemas)
    single = {name: reading.open(schemas / f"{name}.yaml") for name in ("purposes", "topics", "linkage")}
    for name, document in single.items():
        if document.value is not None:
            reading.shape(document, name, document.value)
    weights = reading.open(schemas / "linkage.weights.json")
    if weights.value is not None:
        reading.shape(weights, "weights", weights.value)
    single["weights"] = weights
    signals = [reading.open(path) for path in sorted((schemas / "signals").glob("*.yaml"))]
    partners = [reading.open(path) for path in sorted((schemas / "partners").glob("*.yaml"))]
    towns = sorted((schemas / "municipalities").glob("*.yaml"))
    defaults = reading.open(schemas / "municipalities" / "defaults.yaml")
    municipalities = [reading.open(path) for path in towns if path.name != "defaults.yaml"]
    for meta, documents in (
        ("defaults", [defaults]),
        ("partner", partners),
        ("municipality", municipalities),
    ):
        for document in documents:
            if document.value is not None:
                reading.shape(document, meta, document.value)
    for document in signals:
        if document.value is not None:
            _shape_signal(reading, document)
    checks = _Checks(reading, single, signals, partners, municipalities, defaults)
    return checks.run(), reading.problems


def _shape_signal(reading: Reading, document: Document) -> None:
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


def _walk(
    properties: Sequence[Mapping[str, Any]], key: Key, prefix: str = ""
) -> Iterator[tuple[Key, Mapping[str, Any], str]]:
    """Every property, also those inside objects: where it stands, itself, its dotted name."""
    for index, row in enumerate(properties):
        name = prefix + row["name"]
        yield (*key, index), row, name
        yield from _walk(row.get("properties", ()), (*key, index, "properties"), f"{name}.")


class _Checks:
    """Whether the declarations fit together, and the document that they make."""

    def __init__(
        self,
        reading: Reading,
        single: Mapping[str, Document],
        signals: list[Document],
        partners: list[Document],
        municipalities: list[Document],
        defaults: Document,
    ) -> None:
        self.reading = reading
        self.report = reading.report
        self.single = single
        self.signals = signals
        self.partners = partners
        self.municipalities = municipalities
        self.defaults = defaults
        # What a broken file would have declared is known by its name, so that one fault is not told twice.
        self.type_names = {_stem(document) for document in signals}
        self.codes = {_stem(document)[:4] for document in municipalities}
        self.purposes: dict[str, Any] = {}
        self.types: dict[str, Any] = {}
        self.towns: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Check everything, in the order in which things refer to each other."""
        linkage = self._linkage()
        self.bridges = self._purposes()
        for document in self.signals:
            if document.sound:
                self._signal(document, linkage)
        self._unique_events()
        self._towns()
        partners = self._partners()
        return {
            "format": 1,
            "linkage": linkage,
            "topics": self._topics(),
            "purposes": self.purposes,
            "bridges": self.bridges,
            "signal_types": self.types,
            "municipalities": self.towns,
            "partners": partners,
        }

    # ------------------------------------------------------------ linkage, topics, purposes

    def _linkage(self) -> dict[str, Any]:
        document = self.single["linkage"]
        if not document.sound:
            return {}
        value: dict[str, Any] = document.value
        for part, kind in (("person", "person"), ("household", "address")):
            known = {name for name, row in value["fields"].items() if row["kind"] == kind}
            for index, name in enumerate(value[part]):
                if name not in known:
                    self.report(document, (part, index), f"no field of kind {kind}", known)
        if value["review"] > value["link"]:
            self.report(document, ("review",), "above link", f"at most {value['link']}")
        for name, levels in value["veto"].items():
            known = {*value["comparisons"].get(name, ()), "different"}
            if name not in value["comparisons"]:
                self.report(document, ("veto", name), "is not compared", value["comparisons"])
            elif unknown := set(levels) - known:
                self.report(document, ("veto", name), f"no level {', '.join(sorted(unknown))}", known)
        trained = self.single["weights"]
        if trained.sound:
            self._weights(trained, value["comparisons"])
        return {**value, "weights": trained.value}

    def _weights(self, document: Document, comparisons: Mapping[str, Sequence[str]]) -> None:
        """Every level that can be found has been trained, in every model, and no other."""
        for model, row in document.value["models"].items():
            for comparison, levels in comparisons.items():
                key: Key = ("models", model, "comparisons", comparison)
                trained = set(row["comparisons"].get(comparison, ()))
                if missing := {*levels, "different"} - trained:
                    self.report(
                        document, key, f"not trained: {', '.join(sorted(missing))}", "bereik linkage train"
                    )

    def _topics(self) -> list[Any]:
        document = self.single["topics"]
        if not document.sound:
            return []
        rows: list[dict[str, Any]] = document.value["topics"]
        wanted = {
            "in.{partner}",
            "signals.{purpose}",
            "cases.{purpose}",
            "alerts.{purpose}",
            "words.{purpose}",
            "receipts.{partner}",
            "register.brp",
        }
        patterns = [row["pattern"] for row in rows]
        for missing in wanted - set(patterns):
            self.report(document, ("topics",), f"no topic {missing}", wanted)
        for index, row in enumerate(rows):
            here: Key = ("topics", index)
            if row["pattern"] in patterns[:index]:
                self.report(document, here, "the pattern occurs twice", "once")
            if row["segmentHours"] >= row["retentionHours"]:
                self.report(document, (*here, "segmentHours"), "not below retentionHours", "a smaller number")
            if row["pattern"] == "in.{partner}" and "landedHours" not in row:
                self.report(
                    document, here, "key is missing: landedHours", "hours after which landed records go"
                )
        return rows

    def _purposes(self) -> list[Any]:
        document = self.single["purposes"]
        if not document.sound:
            return []
        for name, purpose in document.value["purposes"].items():
            self._purpose(document, name, purpose)
            self.purposes[name] = purpose
        bridges: list[dict[str, Any]] = document.value.get("bridges", [])
        pairs: set[frozenset[str]] = set()
        for index, bridge in enumerate(bridges):
            here: Key = ("bridges", index)
            for at, name in enumerate(bridge["purposes"]):
                if name not in self.purposes:
                    self.report(document, (*here, "purposes", at), "unknown purpose", self.purposes)
            for part in ("shown", "agrees"):
                if set(bridge[part]) != set(bridge["purposes"]):
                    self.report(document, (*here, part), "not for each side", bridge["purposes"])
            if frozenset(bridge["purposes"]) in pairs:
                self.report(document, here, "these purposes have a bridge already", "one bridge for a pair")
            pairs.add(frozenset(bridge["purposes"]))
        return bridges

    def _purpose(self, document: Document, name: str, purpose: Mapping[str, Any]) -> None:
        here: Key = ("purposes", name)
        for part in ("states", "results", "priorities", *WORD_LISTS):
            seen: set[str] = set()
            for index, word in enumerate(purpose[part]):
                if word["id"] in seen:
                    self.report(document, (*here, part, index, "id"), "the id occurs twice", "every id once")
                seen.add(word["id"])
                if "code" in word and "feedback" not in word:
                    self.report(
                        document, (*here, part, index, "code"), "a code without a word", "feedback too"
                    )
                if "feedback" in word and word["feedback"] not in purpose["feedback"]:
                    key = (*here, part, index, "feedback")
                    self.report(document, key, "unknown feedback word", purpose["feedback"])
                if part == "priorities":
                    self._match(document, (*here, part, index, "match"), word["match"], {}, name)
        for index, kind in enumerate(purpose["partnerTypes"] if purpose.get("ddas") else ()):
            if kind not in DELIVERED_PARTNER_TYPES:
                key = (*here, "partnerTypes", index)
                message = "not in the national delivery: this purpose cannot deliver"
                self.report(document, key, message, DELIVERED_PARTNER_TYPES)
        for term in ("residency", "transfer") if "bsn" in purpose else ():
            if term not in purpose["retentionDays"]:
                key = (*here, "retentionDays")
                self.report(document, key, f"key is missing: {term}", "a term for what the register says")
        outcomes = {word["when"] for word in purpose["states"] if "when" in word}
        for index, word in enumerate(purpose["states"]):
            if "when" not in word:
                self.report(document, (*here, "states", index), "key is missing: when", "what leads to it")
        for index, word in enumerate(purpose["results"]):
            if (when := word.get("when", CLOSED)) not in outcomes:
                key = (*here, "results", index, "when")
                self.report(document, key, f"no state with when: {when}", outcomes)
        self._moves(document, here, purpose, outcomes)
        for needed in ("new", "withdrawn"):
            if needed not in outcomes:
                self.report(
                    document, (*here, "states"), f"no state with when: {needed}", "new and withdrawn at least"
                )
        if purpose["priorities"][-1]["match"]:
            key = (*here, "priorities", len(purpose["priorities"]) - 1, "match")
            self.report(document, key, "the last rule must match everything", "{}")

    def _moves(self, document: Document, here: Key, purpose: Mapping[str, Any], states: set[str]) -> None:
        """One table of moves: every act and state in it is known, each act means one thing, and every case can end."""
        results = {word.get("when", CLOSED) for word in purpose["results"]}
        seen: set[tuple[str, str]] = set()
        onward: dict[str, set[str]] = {}
        for index, move in enumerate(purpose["moves"]):
            key: Key = (*here, "moves", index)
            if move["act"] not in FACTS:
                self.report(document, (*key, "act"), "nothing that can be stated", FACTS)
                continue
            starts = move.get("from", sorted(states))
            leads = move.get("to", [])
            for part in ("from", "to"):
                for at, state in enumerate(move.get(part, ())):
                    if state not in states:
                        self.report(document, (*key, part, at), "no state with this when", states)
                    elif part == "to" and state in BY_SIGNALS:
                        self.report(document, (*key, part, at), "only signals lead there", states)
            if "result" in FACTS[move["act"]]:
                for at, state in enumerate(leads):
                    if state not in results:
                        self.report(document, (*key, "to", at), "no result leads there", results)
            elif len(leads) > 1:
                self.report(document, (*key, "to"), "leads to more than one state", "one, or none")
            for start in starts:
                if (move["act"], start) in seen:
                    self.report(document, key, f"a second {move['act']} from {start}", "one")
                seen.add((move["act"], start))
                onward.setdefault(start, set()).update(leads)
        for start in sorted(states):
            reached, found = {start}, {start}
            while found:
                found = {state for one in found for state in onward.get(one, ())} - reached
                reached |= found
            if not reached - set(OPEN):
                self.report(document, (*here, "moves"), f"a case that is {start} can never end", "a closed")

    def _match(
        self,
        document: Document,
        key: Key,
        match: Mapping[str, list[str]],
        areas: Mapping[str, Any],
        purpose: str,
    ) -> None:
        """Labels in a match must be able to occur."""
        for label, values in match.items():
            known: Iterable[str]
            if label == "area":
                known = areas
            elif label == "type":
                known = self.type_names
            elif label == "sort":
                known = {
                    row["id"]
                    for kind in self.types.values()
                    if kind["purpose"] == purpose
                    for row in kind["sorts"]
                }
            elif label == "language":
                # Of a purpose that cannot be read nothing more is said.
                found = self.purposes.get(purpose)
                known = [word["id"] for word in found["languages"]] if found is not None else values
            else:
                known = _LABEL_VALUES[label]
            for index, value in enumerate(values):
                if value not in set(known):
                    self.report(document, (*key, label, index), f"no such {label}", known)
                elif label == "type" and value in self.types and self.types[value]["purpose"] != purpose:
                    self.report(document, (*key, label, index), "a type of another purpose", purpose)

    # ------------------------------------------------------------ signal types

    def _signal(self, document: Document, linkage: Mapping[str, Any]) -> None:
        value = document.value
        ours = custom(value)
        at = {
            row["property"]: ("customProperties", index, "value")
            for index, row in enumerate(value["customProperties"])
        }
        if document.name != f"signals/{value['name']}.odcs.yaml":
            self.report(document, ("name",), "the file has another name", f"{value['name']}.odcs.yaml")
        purpose = self.purposes.get(ours["purpose"])
        if purpose is None:
            if self.single["purposes"].sound:
                self.report(document, at["purpose"], "unknown purpose", self.purposes)
        elif ours["partnerType"] not in purpose["partnerTypes"]:
            self.report(
                document, at["partnerType"], "not designated for this purpose", purpose["partnerTypes"]
            )
        entries: dict[str, tuple[int, Mapping[str, Any]]] = {}
        for index, entry in enumerate(value["schema"]):
            action = custom(entry)["action"]
            if action in entries:
                self.report(
                    document,
                    ("schema", index),
                    f"a second {action}",
                    "one report, and one withdrawal and one correction at most",
                )
            entries[action] = (index, entry)
            self._fields(document, ("schema", index), entry)
        if "report" not in entries:
            self.report(document, ("schema",), "no report", "one entry with action: report")
            return
        forbidden = {row["field"] for row in ours.get("forbidden", ())}
        for action, (index, entry) in entries.items():
            for key, _, name in _walk(entry["properties"], ("schema", index, "properties")):
                if name in forbidden and action == "report":
                    self.report(
                        document, key, "the field is forbidden in this file", "a field that is not forbidden"
                    )
        report = entries["report"]
        self._report_entry(document, report[0], report[1], ours, linkage)
        if "withdraw" in entries:
            self._withdraw_entry(document, *entries["withdraw"])
        if "correct" in entries:
            self._withdraw_entry(document, *entries["correct"])
            self._correct_entry(document, *entries["correct"], report[1])
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
                self.report(
                    document,
                    ("schema", index),
                    f"does not compile: {message}",
                    "a valid pattern or condition",
                )
        if document.sound:
            self.types[value["name"]] = _type_document(value, ours, entries, contracts)

    def _fields(self, document: Document, here: Key, entry: Mapping[str, Any]) -> None:
        seen: set[str] = set()
        for key, row, name in _walk(entry["properties"], (*here, "properties")):
            if name in seen:
                self.report(document, (*key, "name"), "the field occurs twice", "every field once")
            seen.add(name)
            ours = custom(row)
            if "within" in ours and (row["logicalType"] != "date" or "." in name):
                self.report(document, key, "within is for dates outside objects", "logicalType: date")
            if "pattern" in row.get("logicalTypeOptions", {}) and "expects" not in ours:
                self.report(
                    document, key, "a pattern without words", "a custom property expects with nl and en"
                )
            if "enum" in row and row["logicalType"] != "string":
                self.report(document, (*key, "enum"), "only texts can be enumerated", "logicalType: string")
        for index, condition in enumerate(custom(entry).get("conditions", ())):
            if condition["field"] not in seen:
                key = _custom_key(entry, here, "conditions")
                self.report(document, (*key, index, "field"), "unknown field", seen)

    def _report_entry(
        self,
        document: Document,
        index: int,
        entry: Mapping[str, Any],
        type_keys: Mapping[str, Any],
        linkage: Mapping[str, Any],
    ) -> None:
        here: Key = ("schema", index)
        ours = custom(entry)
        rows = {name: row for _, row, name in _walk(entry["properties"], here)}
        identity, roles, facts = ours["identity"], ours["roles"], ours["facts"]
        self._roles(document, here, entry, rows)
        for at, name in enumerate(facts):
            key = (*_custom_key(entry, here, "facts"), at)
            if name not in rows:
                self.report(document, key, "unknown field", rows)
            elif name in identity.values():
                self.report(document, key, "identity is not for casework", set(rows) - set(identity.values()))
        for role in _FACT_ROLES:
            if role in roles and roles[role] not in facts:
                key = (*_custom_key(entry, here, "roles"), role)
                self.report(document, key, "casework decides on this field, so it must be a fact", facts)
        where = _custom_key(entry, here, "identity")
        for name, target in identity.items():
            if linkage and name not in linkage["fields"]:
                self.report(document, (*where, name), "unknown field of linkage.yaml", linkage["fields"])
            if target not in rows:
                self.report(document, (*where, name), "unknown field", rows)
        for name in ("postcode", "house_number"):
            if name not in identity:
                self.report(
                    document,
                    where,
                    f"no {name}: the municipality cannot be found",
                    "postcode and house_number",
                )
            elif identity[name] in rows and not rows[identity[name]].get("required"):
                self.report(document, (*where, name), "this field must be required", "required: true")
        steps = {step["id"] for step in type_keys.get("steps", ())}
        attestation = roles.get("attestation")
        if attestation in rows and rows[attestation]["logicalType"] == "object":
            asked = {row["name"] for row in rows[attestation].get("properties", ())}
            if asked != steps:
                key = (*_custom_key(entry, here, "roles"), "attestation")
                self.report(document, key, "its fields are not the steps", steps)
        if ("consent_form" in roles) != ("consent_by" in roles):
            key = _custom_key(entry, here, "roles")
            self.report(
                document, key, "consent needs both its form and who gave it", "consent_form, consent_by"
            )
        self._sorts(document, here, entry, rows)
        if not any(row.get("primaryKey") for row in rows.values()):
            self.report(document, (*here, "properties"), "no primary key", "primaryKey: true on a field")
        if "minimum" in type_keys and "amount" not in roles:
            self.report(document, here, "a minimum without an amount", "a role amount")

    def _sorts(
        self, document: Document, here: Key, entry: Mapping[str, Any], rows: Mapping[str, Any]
    ) -> None:
        """Every word of the field is of exactly one sort, and what a report is late after is a date casework knows."""
        ours = custom(entry)
        where = _custom_key(entry, here, "sorts")
        sorts = ours.get("sorts", [])
        name = ours["roles"].get("sort")
        if bool(sorts) != (name in rows):
            self.report(document, where, "sorts and a role sort belong together", "both, or neither")
            return
        words = {word["value"] for word in rows[name].get("enum", ())} if name in rows else set()
        seen: set[str] = set()
        for index, sort in enumerate(sorts):
            for at, value in enumerate(sort["values"]):
                if value not in words or value in seen:
                    self.report(
                        document, (*where, index, "values", at), "not one of the field's words, once", words
                    )
                seen.add(value)
            after = sort.get("reportWithin", {}).get("after")
            dates = {fact for fact in ours["facts"] if rows.get(fact, {}).get("logicalType") == "date"}
            if after is not None and after not in dates:
                self.report(
                    document, (*where, index, "reportWithin", "after"), "no date among the facts", dates
                )
        if words - seen:
            self.report(document, where, "without a sort: " + ", ".join(sorted(words - seen)), "every word")

    def _withdraw_entry(self, document: Document, index: int, entry: Mapping[str, Any]) -> None:
        here: Key = ("schema", index)
        rows = {name: row for _, row, name in _walk(entry["properties"], here)}
        self._roles(document, here, entry, rows)
        reference = custom(entry)["roles"]["reference"]
        if reference in rows and not rows[reference].get("required"):
            key = (*_custom_key(entry, here, "roles"), "reference")
            self.report(document, key, "this field must be required", "required: true")
        reason = rows.get(custom(entry)["roles"].get("reason", ""), {})
        known = {word["value"] for word in reason.get("enum", ())}
        for word in custom(entry).get("because", {}):
            if word not in known:
                key = (*_custom_key(entry, here, "because"), word)
                self.report(document, key, "not a word of the reason", known)

    def _correct_entry(
        self, document: Document, index: int, entry: Mapping[str, Any], report: Mapping[str, Any]
    ) -> None:
        """What can be corrected are facts, as the report has them: whom a signal is about is no fact."""
        rows = {name: row for _, row, name in _walk(report["properties"], ())}
        facts, roles = custom(report)["facts"], custom(entry)["roles"]
        for at, row in enumerate(entry["properties"]):
            if row["name"] in (roles["reference"], roles.get("reason")):
                continue
            key: Key = ("schema", index, "properties", at)
            if row["name"] not in facts:
                self.report(document, (*key, "name"), "no fact of the report", facts)
            elif row["logicalType"] != rows[row["name"]]["logicalType"]:
                self.report(
                    document,
                    (*key, "logicalType"),
                    "of another type in the report",
                    rows[row["name"]]["logicalType"],
                )

    def _roles(
        self, document: Document, here: Key, entry: Mapping[str, Any], rows: Mapping[str, Any]
    ) -> None:
        where = _custom_key(entry, here, "roles")
        for role, name in custom(entry)["roles"].items():
            if name not in rows:
                self.report(document, (*where, role), "unknown field", rows)
            elif rows[name]["logicalType"] != _ROLE_KINDS[role]:
                self.report(
                    document, (*where, role), "wrong type of field", f"logicalType: {_ROLE_KINDS[role]}"
                )

    def _unique_events(self) -> None:
        seen: dict[str, str] = {}
        for document in self.signals:
            if not document.sound:
                continue
            for index, entry in enumerate(document.value["schema"]):
                event = custom(entry)["cloudEventType"]
                if event in seen:
                    key = _custom_key(entry, ("schema", index), "cloudEventType")
                    self.report(document, key, f"also declared in {seen[event]}", "an event type of its own")
                seen.setdefault(event, document.name)

    # ------------------------------------------------------------ municipalities

    def _towns(self) -> None:
        teams: dict[str, str] = {}
        ranges: list[tuple[Document, Key, Mapping[str, Any]]] = []
        defaults = self._default("policies")
        self._policies(self.defaults, defaults)
        for document in self.municipalities:
            if not document.sound:
                continue
            value = document.value
            if not document.name.startswith(f"municipalities/{value['code']}-"):
                self.report(
                    document, ("code",), "the file name begins otherwise", f"{value['code']}-<name>.yaml"
                )
            for index, row in enumerate(value["postcodes"]):
                key: Key = ("postcodes", index)
                ranges.append((document, key, row))
                if row["first"] > row["last"]:
                    self.report(document, key, "first lies after last", "first <= last")
                if row["area"] not in value["areas"]:
                    self.report(document, (*key, "area"), "unknown area", value["areas"])
                self._period(document, key, row)
            for index, team in enumerate(value["teams"]):
                key = ("teams", index)
                if team["id"] in teams:
                    self.report(document, (*key, "id"), f"also in {teams[team['id']]}", "an id of its own")
                teams.setdefault(team["id"], document.name)
                if not team["id"].startswith(f"{value['code']}-"):
                    self.report(document, (*key, "id"), "begins with another code", f"{value['code']}-...")
                self._known_purpose(document, (*key, "purpose"), team["purpose"])
                for at, outlet in enumerate(team["outlets"]):
                    if (outlet["kind"] == "board") == ("target" in outlet):
                        self.report(
                            document,
                            (*key, "outlets", at),
                            "target fits no board, and is needed elsewhere",
                            "",
                        )
            self._policies(document, value.get("policies", {}), value["areas"])
            self._routes(document, value)
            merged = _merged(defaults, value.get("policies", {}))
            for name in self.purposes:
                self._reach(document, name, merged.get(name, {}).get("contact", {}), value)
            reach = value.get("bereik")
            if reach is not None and reach["review"] <= reach["adoptedOn"]:
                self.report(document, ("bereik", "review"), "not after adoptedOn", "a later day")
            for index, statute in enumerate(value.get("statutes", ())):
                self._statute(document, ("statutes", index), statute)
            if document.sound:
                self.towns[value["code"]] = {
                    **value,
                    "policies": merged,
                    "alerting": {**self._default("alerting"), **value.get("alerting", {})},
                }
        self._overlaps(ranges)

    def _default(self, name: str) -> Mapping[str, Any]:
        """What defaults.yaml says under a key; nothing when the file itself is broken."""
        found: Mapping[str, Any] = self.defaults.value.get(name, {}) if self.defaults.sound else {}
        return found

    def _known_purpose(self, document: Document, key: Key, name: str) -> None:
        if name not in self.purposes and self.single["purposes"].sound:
            self.report(document, key, "unknown purpose", self.purposes)

    def _period(self, document: Document, key: Key, row: Mapping[str, Any]) -> None:
        if row["start"] > row.get("end", _FOREVER):
            self.report(document, (*key, "end"), "ends before it starts", "a day from start on")

    def _policies(
        self, document: Document, policies: Mapping[str, Any], areas: Mapping[str, Any] | None = None
    ) -> None:
        for name, policy in policies.items():
            key: Key = ("policies", name)
            self._known_purpose(document, key, name)
            if policy.get("thresholdEur", 0) and "thresholdCitation" not in policy:
                self.report(
                    document,
                    (*key, "thresholdEur"),
                    "a threshold without a citation",
                    "0, or thresholdCitation",
                )
            if "contact" in policy and name in self.purposes:
                self._contact(document, (*key, "contact"), name, policy["contact"], areas or {})
            if policy.get("windows") and "windowsCitation" not in policy:
                self.report(document, (*key, "windows"), "windows without a citation", "windowsCitation")
            for name_of, window in policy.get("windows", {}).items():
                at = (*key, "windows", name_of)
                own = [kind["id"] for kind in self.types.values() if kind["purpose"] == name]
                if name_of not in self.type_names or (name_of in self.types and name_of not in own):
                    self.report(document, at, "no signal type of this purpose", own)
                if window.get("minDays", 0) > window.get("maxDays", window.get("minDays", 0)):
                    self.report(document, at, "minDays above maxDays", "minDays <= maxDays")
            moment = policy.get("matching", {"when": "continuous"})
            if (moment["when"] == "continuous") == ("day" in moment):
                message = "a day, unless it is continuous"
                self.report(document, (*key, "matching"), message, "when: day | delivered, with day: 1-28")

    def _contact(
        self,
        document: Document,
        key: Key,
        purpose: str,
        contact: Mapping[str, Any],
        areas: Mapping[str, Any],
    ) -> None:
        """Plans in the purpose's own words, each with a minimum that its own steps can reach."""
        kinds = [word["id"] for word in self.purposes[purpose]["contacts"]]
        dayparts = [word["id"] for word in self.purposes[purpose]["dayparts"]]
        words = [((*key, "counts", at), one) for at, one in enumerate(contact.get("counts", ()))]
        letters = contact.get("letters", {}).get("contacts", ())
        words += [((*key, "letters", "contacts", at), one) for at, one in enumerate(letters)]
        for index, plan in enumerate(contact.get("plans", ())):
            here: Key = (*key, "plans", index)
            self._match(document, (*here, "match"), plan["match"], areas, purpose)
            if plan["id"] in [other["id"] for other in contact["plans"][:index]]:
                self.report(document, (*here, "id"), "an earlier plan has this id", "an id of its own")
            for at, step in enumerate(plan["steps"]):
                place: Key = (*here, "steps", at)
                words.append(((*place, "contact"), step["contact"]))
                if step["from"] > step["to"]:
                    self.report(document, place, "ends before it starts", "from <= to")
                if step.get("daypart", dayparts[0]) not in dayparts:
                    self.report(document, (*place, "daypart"), "unknown part of the day", dayparts)
                if step["contact"] not in contact.get("counts", kinds):
                    self.report(
                        document, (*place, "contact"), "does not count as an attempt", contact["counts"]
                    )
            for part, most in _most(plan["steps"], len(dayparts)).items():
                if plan["minimum"][part] > most:
                    message = "more than the steps of this plan can reach"
                    self.report(document, (*here, "minimum", part), message, f"at most {most}")
        for place, word in words:
            if word not in kinds:
                self.report(document, place, "unknown kind of contact", kinds)
        for index, rule in enumerate(contact.get("floor", ())):
            here = (*key, "floor", index)
            self._match(document, (*here, "match"), rule.get("match", {}), areas, purpose)
            if not {"match", "sinceMonths", "promised"} & set(rule):
                self.report(document, here, "holds for everybody", "match, sinceMonths or promised")

    def _reach(
        self, document: Document, purpose: str, contact: Mapping[str, Any], town: Mapping[str, Any]
    ) -> None:
        """Whether a municipality's contact is whole: its plans, its manager, and a capacity for every team that is routed to."""
        key: Key = ("policies", purpose, "contact")
        for part in ("plans", "lighter", "floor", "manager", "counts", "letters"):
            if part not in contact:
                self.report(document, key, f"key is missing: {part}", "here or in defaults.yaml")
                return
        ids = [plan["id"] for plan in contact["plans"]]
        if contact["lighter"] not in ids:
            self.report(document, (*key, "lighter"), "no plan has this id", ids)
        if not any(not plan["match"] and plan["id"] != contact["lighter"] for plan in contact["plans"]):
            self.report(document, (*key, "plans"), "some cases get no plan", "a last plan with match: {}")
        own = [team["id"] for team in town["teams"] if team["purpose"] == purpose]
        if contact["manager"] not in own:
            self.report(document, (*key, "manager"), f"no team of {purpose} here", own)
        routed = {node["team"] for _, node in _nodes(town["routes"].get(purpose, {}), ()) if "team" in node}
        for index, team in enumerate(town["teams"]):
            if team["id"] in routed and not team.get("capacityPerWeek"):
                message = "cases are routed to a team without capacity"
                self.report(
                    document, ("teams", index), message, "capacityPerWeek: cases it can take up in a week"
                )

    def _routes(self, document: Document, value: Mapping[str, Any]) -> None:
        teams = {team["id"]: team["purpose"] for team in value["teams"]}
        for name in self.purposes:
            if name not in value["routes"]:
                self.report(document, ("routes",), f"no route for {name}", self.purposes)
        for name, root in value["routes"].items():
            self._known_purpose(document, ("routes", name), name)
            own = [team for team, purpose in teams.items() if purpose == name]
            for key, node in _nodes(root, ("routes", name)):
                if "team" in node and node["team"] not in own:
                    self.report(document, (*key, "team"), f"no team of {name} here", own)
                self._match(document, (*key, "match"), node.get("match", {}), value["areas"], name)

    def _statute(self, document: Document, key: Key, statute: Mapping[str, Any]) -> None:
        self._period(document, key, statute)
        for at, name in enumerate(statute["purposes"]):
            self._known_purpose(document, (*key, "purposes", at), name)
        if self.single["purposes"].sound:
            pairs = [set(bridge["purposes"]) for bridge in self.single["purposes"].value.get("bridges", ())]
            if not any(pair <= set(statute["purposes"]) for pair in pairs):
                valid = [" + ".join(sorted(pair)) for pair in pairs]
                self.report(document, (*key, "purposes"), "no bridge exists between these", valid)

    def _overlaps(self, ranges: list[tuple[Document, Key, Mapping[str, Any]]]) -> None:
        """One address lies in one place on one day."""
        ordered = sorted(ranges, key=lambda row: (row[2]["first"], row[2]["last"]))
        for index, (document, key, row) in enumerate(ordered):
            for other_document, _, other in ordered[index + 1 :]:
                if other["first"] > row["last"]:
                    break
                apart = (
                    other["start"] > row.get("end", _FOREVER)
                    or row["start"] > other.get("end", _FOREVER)
                    or other.get("numberFrom", 1) > row.get("numberTo", 99_999)
                    or row.get("numberFrom", 1) > other.get("numberTo", 99_999)
                )
                if not apart:
                    message = f"overlaps {other['first']}-{other['last']} in {other_document.name}"
                    self.report(document, key, message, "ranges apart in postcode, number or time")

    # ------------------------------------------------------------ partners

    def _partners(self) -> dict[str, Any]:
        sources: dict[str, str] = {}
        found: dict[str, Any] = {}
        for document in self.partners:
            if not document.sound:
                continue
            value = document.value
            if document.name != f"partners/{value['id']}.yaml":
                self.report(document, ("id",), "the file has another name", f"{value['id']}.yaml")
            kind, number = ("oin", value.get("oin")) if "oin" in value else ("kvknr", value.get("kvk"))
            if number is None:
                self.report(document, (), "neither oin nor kvk", "one of them")
            elif not value["source"].startswith(f"urn:nld:{kind}:{number}:"):
                self.report(
                    document, ("source",), "not this partner's number", f"urn:nld:{kind}:{number}:systeem:..."
                )
            if value["source"] in sources:
                self.report(
                    document, ("source",), f"also in {sources[value['source']]}", "a source of its own"
                )
            sources.setdefault(value["source"], document.name)
            for index, agreement in enumerate(value["agreements"]):
                self._agreement(document, index, value, agreement)
            if "file" in value:
                self._file(document, value)
            if document.sound:
                found[value["id"]] = value
        return found

    def _agreement(
        self, document: Document, index: int, partner: Mapping[str, Any], agreement: Mapping[str, Any]
    ) -> None:
        here: Key = ("agreements", index)
        self._period(document, here, agreement)
        if agreement["municipality"] not in self.codes:
            self.report(document, (*here, "municipality"), "unknown municipality", self.codes)
        steps: set[str] = set()
        words: set[str] = set()
        for at, name in enumerate(agreement["signalTypes"]):
            key = (*here, "signalTypes", at)
            if name not in self.type_names:
                self.report(document, key, "unknown signal type", self.type_names)
            kind = self.types.get(name)
            if kind is None:
                return
            if kind["partner_type"] != partner["sector"]:
                self.report(
                    document,
                    key,
                    f"for sector {kind['partner_type']}, not {partner['sector']}",
                    self._for(partner),
                )
            if (
                agreement["attestation"] != "agreement"
                and kind["attestation_field"] is None
                and kind["steps"]
            ):
                self.report(
                    document, (*here, "attestation"), f"{name} has no field to attest in", "agreement"
                )
            steps |= {step["id"] for step in kind["steps"]}
            words |= (
                set(self.purposes[kind["purpose"]]["feedback"]) if kind["purpose"] in self.purposes else set()
            )
        for at, name in enumerate(agreement["attested"]):
            if name not in steps:
                self.report(document, (*here, "attested", at), "no step of these types", steps)
        for at, name in enumerate(agreement["feedback"]):
            if name not in words:
                self.report(document, (*here, "feedback", at), "unknown feedback word", words)
        purposes = {self.types[name]["purpose"] for name in agreement["signalTypes"]}
        forms = {
            form for bridge in self.bridges if purposes & set(bridge["purposes"]) for form in bridge["forms"]
        }
        for at, name in enumerate(agreement.get("consentForms", ())):
            if name not in forms:
                self.report(
                    document, (*here, "consentForms", at), "no form of a bridge of these types", forms
                )
        for other in partner["agreements"][:index]:
            same = other["municipality"] == agreement["municipality"]
            types = set(other["signalTypes"]) & set(agreement["signalTypes"])
            apart = other["start"] > agreement.get("end", _FOREVER) or agreement["start"] > other.get(
                "end", _FOREVER
            )
            if same and types and not apart:
                self.report(document, here, "overlaps an earlier agreement", "one agreement at a time")

    def _for(self, partner: Mapping[str, Any]) -> list[str]:
        return [name for name, kind in self.types.items() if kind["partner_type"] == partner["sector"]]

    def _file(self, document: Document, partner: Mapping[str, Any]) -> None:
        layout = partner["file"]
        if partner["door"] != "file":
            self.report(document, ("file",), "only the door named file takes files", "door: file")
        name = layout["signalType"]
        if name not in self.type_names:
            self.report(document, ("file", "signalType"), "unknown signal type", self.type_names)
        agreed = {kind for agreement in partner["agreements"] for kind in agreement["signalTypes"]}
        if name in self.type_names and name not in agreed:
            self.report(document, ("file", "signalType"), "no agreement for this type", agreed)
        if layout["format"] == "csv" and not {"delimiter", "encoding"} <= set(layout):
            self.report(document, ("file",), "csv needs delimiter and encoding", "delimiter, encoding")
        try:
            probe = date(2026, 2, 3).strftime(layout.get("dateFormat", "%Y-%m-%d"))
        except ValueError:
            probe = ""
        if not {"2026", "02", "03"} <= set(re.split(r"[^0-9]+", probe)) and probe != "20260203":
            self.report(document, ("file", "dateFormat"), "no full date", "such as %d-%m-%Y")
        kind = self.types.get(name)
        if kind is None:
            return
        fields = {row["name"]: row for row in kind["contract"]["fields"]}
        plain = [field_name for field_name, row in fields.items() if row["kind"] not in ("object", "array")]
        targets: list[str] = []
        for column, target in layout["columns"].items():
            key = ("file", "columns", column)
            if target not in plain:
                self.report(document, key, "unknown field", plain)
            if target in targets:
                self.report(document, key, f"a second column for {target}", "every field once")
            targets.append(target)
        missing = [
            field_name
            for field_name, row in fields.items()
            if row["required"] and "." not in field_name and field_name not in targets
        ]
        if missing:
            self.report(document, ("file", "columns"), f"no column for {', '.join(missing)}", missing)


def _stem(document: Document) -> str:
    return Path(document.name).name.removesuffix(".yaml").removesuffix(".odcs")


def _custom_key(node: Mapping[str, Any], here: Key, name: str) -> Key:
    """Where the value of a custom property stands."""
    for index, row in enumerate(node.get("customProperties", ())):
        if row["property"] == name:
            return (*here, "customProperties", index, "value")
    return here


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
