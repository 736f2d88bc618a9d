"""Contracts: one ODCS `schema[]` entry compiled to JSON Schema 2020-12. The only row checker there is.

`compile_entry` turns the declaration into a JSON document; `Contract` is that document with a validator. API, file
door, intake and the offline partner kit all call `check` or `check_data`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import jsonschema_rs

from bereik.signal import Event

# A partner may tell us of the past month and be late by some days; a clock may run ahead, but not by two days.
DAYS_BEFORE: Final = 35
DAYS_AFTER: Final = 1

# A text may not begin with white space nor hold control characters: no blank names, no broken lines in exports.
_PLAIN_TEXT: Final = r"^([^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*)?$"
_DEFAULT_MAX_LENGTH: Final = 200
_FORMATS: Final[Mapping[str, tuple[str, str]]] = {
    "date": ("een bestaande datum als jjjj-mm-dd", "an existing date as yyyy-mm-dd"),
    "date-time": ("een tijdstip met tijdzone (RFC 3339)", "an instant with an offset (RFC 3339)"),
    "email": ("een e-mailadres als naam@voorbeeld.nl", "an e-mail address as name@example.nl"),
    "uuid": ("een UUID", "a UUID"),
    "uri": ("een URI", "a URI"),
}
_TYPES: Final[Mapping[str, tuple[str, str]]] = {
    "integer": ("een geheel getal", "an integer"),
    "number": ("een getal", "a number"),
    "boolean": ("waar of onwaar (true of false)", "true or false"),
    "string": ("tekst", "text"),
    "object": ("een object met de afgesproken velden", "an object with the agreed fields"),
    "array": ("een lijst", "a list"),
}
# JSON Schema keyword -> the rule we name. Anything not here is named "condition".
_RULES: Final[Mapping[str, str]] = {
    "required": "required",
    "additionalProperties": "unknown_field",
    "type": "type",
    "pattern": "pattern",
    "format": "format",
    "enum": "enum",
    "minLength": "length",
    "maxLength": "length",
    "minimum": "range",
    "maximum": "range",
    "exclusiveMinimum": "range",
    "exclusiveMaximum": "range",
    "minItems": "length",
    "maxItems": "length",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field, and what would be right; never the value, nor a name we did not declare."""

    field: str
    rule: str
    expected_nl: str
    expected_en: str


@dataclass(frozen=True, slots=True)
class Field:
    """One declared field. `name` has a dot for a field inside an object; `kind` is the ODCS logical type."""

    name: str
    label_nl: str
    label_en: str
    kind: str
    required: bool
    classification: str
    expected_nl: str
    expected_en: str


class Contract:
    """A compiled contract. Immutable; equal when the documents are."""

    __slots__ = ("_conditions", "_dates", "_integers", "_limits", "_validator", "document", "fields")

    def __init__(self, document: dict[str, Any]) -> None:
        """Compile the document that `compile_entry` made. Raises ValueError when it is no valid JSON Schema."""
        self.document = document
        self.fields: Mapping[str, Field] = {row["name"]: Field(**row) for row in document["fields"]}
        self._validator = jsonschema_rs.Draft202012Validator(
            document["schema"],
            validate_formats=True,
            # The linear-time engine: no pattern of a declaration can be made to hang by a value.
            pattern_options=jsonschema_rs.RegexOptions(),
        )
        self._conditions: list[dict[str, str]] = document["conditions"]
        self._dates: dict[str, list[int]] = document["dates"]
        self._integers = tuple(
            name for name, field in self.fields.items() if field.kind == "integer" and "." not in name
        )
        self._limits: tuple[date | None, tuple[tuple[str, str, str], ...]] = (None, ())

    def __eq__(self, other: object) -> bool:
        """Compare documents."""
        return isinstance(other, Contract) and self.document == other.document

    def __hash__(self) -> int:
        """Agree with `__eq__`."""
        return hash((self.event_type, self.version))

    def __repr__(self) -> str:
        """Name the event type and version."""
        return f"Contract({self.event_type!r}, {self.version!r})"

    @property
    def name(self) -> str:
        """The name of the ODCS entry."""
        return str(self.document["name"])

    @property
    def version(self) -> str:
        """The contract's version."""
        return str(self.document["version"])

    @property
    def event_type(self) -> str:
        """The CloudEvents type this contract is for."""
        return str(self.document["event_type"])

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The fields that tell one fact from another, in declared order; the file door makes ids of them."""
        return tuple(self.document["primary_key"])

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of `data`."""
        schema: dict[str, Any] = self.document["schema"]
        return schema

    def check(self, event: Event, received_at: datetime) -> tuple[FieldError, ...]:
        """All errors in an event; none means that it may go on to the law. `received_at` is aware."""
        errors = self.check_data(event.data, received_at)
        if event.time is not None:
            age = received_at - event.time
            if age > _TIME_BEFORE or age < _TIME_AFTER:
                return (*errors, FieldError("time", "out_of_bounds", *_window(DAYS_BEFORE, DAYS_AFTER)))
        return errors

    def check_data(self, data: Mapping[str, Any], received_at: datetime) -> tuple[FieldError, ...]:
        """All errors in the data alone."""
        rows = data if type(data) is dict else dict(data)
        if self._validator.is_valid(rows):
            get = rows.get
            for name in self._integers:
                if type(get(name)) is float:
                    return tuple(self._errors(rows, received_at))
            for name, low, high in self._limits_on(received_at.date()):
                day = get(name)
                if day is not None and not low <= day <= high:
                    return tuple(self._errors(rows, received_at))
            return ()
        return tuple(self._errors(rows, received_at))

    def _limits_on(self, today: date) -> tuple[tuple[str, str, str], ...]:
        """Bounds as ISO dates, which order as text. Made once a day."""
        made_on, limits = self._limits
        if made_on != today:
            limits = tuple(
                (name, _shift(today, -before), _shift(today, after))
                for name, (before, after) in self._dates.items()
            )
            self._limits = (today, limits)
        return limits

    def _errors(self, data: dict[str, Any], received_at: datetime) -> Iterator[FieldError]:
        """Name every fault once. Only runs for data already known to be wrong."""
        seen: set[tuple[str, str]] = set()
        for error in self._all_errors(data, received_at):
            if (error.field, error.rule) not in seen:
                seen.add((error.field, error.rule))
                yield error

    def _all_errors(self, data: dict[str, Any], received_at: datetime) -> Iterator[FieldError]:
        for fault in self._validator.iter_errors(data):
            steps = list(fault.schema_path)
            if steps[:1] == ["allOf"]:
                condition = self._conditions[int(steps[1])]
                yield FieldError(condition["field"], condition["rule"], condition["nl"], condition["en"])
                continue
            rule = _RULES.get(str(steps[-1]), "condition")
            path = ".".join(str(part) for part in fault.instance_path if isinstance(part, str))
            if rule == "unknown_field":
                # The stranger's name is not repeated: a file without a header has people in that place.
                known = ", ".join(name for name in self.fields if _parent(name) == path)
                yield FieldError(
                    path or "*",
                    rule,
                    f"alleen deze velden: {known}",
                    f"only these fields: {known}",
                )
                continue
            if rule == "required":
                missing = str(getattr(fault.kind, "property", ""))
                path = f"{path}.{missing}" if path else missing
            field = self.fields.get(path)
            if field is None:
                yield FieldError(path or "*", rule, *_TYPES["object"])
            else:
                yield FieldError(path, rule, field.expected_nl, field.expected_en)
        for name in self._integers:
            if type(data.get(name)) is float:
                field = self.fields[name]
                yield FieldError(name, "type", field.expected_nl, field.expected_en)
        for name, low, high in self._limits_on(received_at.date()):
            day = data.get(name)
            if isinstance(day, str) and _is_day(day) and not low <= day <= high:
                before, after = self._dates[name]
                yield FieldError(name, "out_of_bounds", *_window(before, after))


_TIME_BEFORE: Final = timedelta(days=DAYS_BEFORE)
_TIME_AFTER: Final = -timedelta(days=DAYS_AFTER)


def _parent(name: str) -> str:
    return name.rpartition(".")[0]


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _shift(day: date, days: int) -> str:
    """An ISO date so many days away, or the first or last day there is."""
    try:
        return (day + timedelta(days=days)).isoformat()
    except OverflowError:
        return date.min.isoformat() if days < 0 else date.max.isoformat()


def _window(before: int, after: int) -> tuple[str, str]:
    return (
        f"een moment van ten hoogste {before} dagen voor en {after} dag(en) na ontvangst",
        f"a moment at most {before} days before and {after} day(s) after receipt",
    )


def custom(node: Mapping[str, Any]) -> dict[str, Any]:
    """The `customProperties` of an ODCS node as a mapping."""
    return {row["property"]: row["value"] for row in node.get("customProperties", ())}


def compile_entry(entry: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The contract document of one ODCS `schema[]` entry that has passed the meta-schema. Pure JSON."""
    ours = custom(entry)
    fields: list[dict[str, Any]] = []
    dates: dict[str, list[int]] = {}
    schema = _object_schema(entry["properties"], "", fields, dates)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = entry.get("businessName", entry["name"])
    keys = [row for row in entry["properties"] if row.get("primaryKey")]
    conditions = ours.get("conditions", [])
    if conditions:
        schema["allOf"] = [condition["schema"] for condition in conditions]
    return {
        "name": entry["name"],
        "version": version,
        "event_type": ours["cloudEventType"],
        "schema": schema,
        "fields": fields,
        "dates": dates,
        "primary_key": [
            row["name"] for row in sorted(keys, key=lambda row: row.get("primaryKeyPosition", 0))
        ],
        "conditions": [
            {key: condition[key] for key in ("field", "rule", "nl", "en")} for condition in conditions
        ],
    }


def _object_schema(
    properties: list[Mapping[str, Any]],
    prefix: str,
    fields: list[dict[str, Any]],
    dates: dict[str, list[int]],
) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "required": [row["name"] for row in properties if row.get("required")],
        "properties": {},
    }
    for row in properties:
        name = prefix + row["name"]
        ours = custom(row)
        kind = row["logicalType"]
        value = _value_schema(row)
        expected = ours.get("expects") or dict(zip(("nl", "en"), _expected(value), strict=True))
        fields.append(
            {
                "name": name,
                "label_nl": row.get("businessName", row["name"]),
                "label_en": row.get("description", row["name"]),
                "kind": kind,
                "required": bool(row.get("required")),
                "classification": row.get("classification", "internal"),
                "expected_nl": expected["nl"],
                "expected_en": expected["en"],
            }
        )
        if kind == "object":
            value = _object_schema(row["properties"], f"{name}.", fields, dates)
        if "within" in ours:
            dates[name] = [ours["within"]["daysBefore"], ours["within"]["daysAfter"]]
        schema["properties"][row["name"]] = value
    return schema


def _value_schema(row: Mapping[str, Any]) -> dict[str, Any]:
    kind = row["logicalType"]
    options = row.get("logicalTypeOptions", {})
    if kind == "date":
        return {"type": "string", "format": "date"}
    if kind == "timestamp":
        return {"type": "string", "format": "date-time"}
    if "enum" in row:
        return {"type": kind, "enum": [choice["value"] for choice in row["enum"]]}
    schema: dict[str, Any] = {"type": kind}
    for key in ("minLength", "maxLength", "pattern", "format", "minimum", "maximum", "minItems", "maxItems"):
        if key in options:
            schema[key] = options[key]
    if kind == "string":
        schema.setdefault("minLength", 1)
        schema.setdefault("maxLength", _DEFAULT_MAX_LENGTH)
        if "pattern" not in schema and "format" not in schema:
            schema["pattern"] = _PLAIN_TEXT
    if kind == "array":
        schema["items"] = _value_schema(row["items"])
        schema.setdefault("maxItems", 50)
    return schema


def _expected(schema: Mapping[str, Any]) -> tuple[str, str]:
    """What would be right, in Dutch and English, from the rules themselves."""
    if "enum" in schema:
        choices = ", ".join(str(choice) for choice in schema["enum"])
        return f"een van: {choices}", f"one of: {choices}"
    if "format" in schema:
        return _FORMATS[schema["format"]]
    dutch, english = _TYPES[schema["type"]]
    if schema["type"] == "string":
        low, high = schema["minLength"], schema["maxLength"]
        return f"{dutch} van {low} tot {high} tekens", f"{english} of {low} to {high} characters"
    if "minimum" in schema and "maximum" in schema:
        low, high = schema["minimum"], schema["maximum"]
        return f"{dutch} van {low} tot en met {high}", f"{english} from {low} to {high}"
    if "minimum" in schema:
        return f"{dutch} van ten minste {schema['minimum']}", f"{english} of at least {schema['minimum']}"
    if "maximum" in schema:
        return f"{dutch} van ten hoogste {schema['maximum']}", f"{english} of at most {schema['maximum']}"
    return dutch, english
