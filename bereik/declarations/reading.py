"""YAML with the line of every key, checked against `schemas/meta/`. A fault is a `Problem`, in our words, at its line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import yaml

from bereik.errors import Problem

Key = tuple[str | int, ...]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Document:
    """One YAML file: its value, and the line of every key in it."""

    name: str
    value: Any = None
    lines: dict[Key, int] = field(default_factory=dict)
    sound: bool = True

    @property
    def stem(self) -> str:
        """The file's own name without its endings."""
        return Path(self.name).name.removesuffix(".yaml").removesuffix(".odcs")

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
