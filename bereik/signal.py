"""One event as it travels: CloudEvents 1.0 under the NL GOV profile, read strictly and written one way.

`read` raises nothing but `Unreadable`, whatever the bytes. A reason is a code with a text; the value that was wrong
is in neither.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import orjson

from bereik.errors import LastingError

# CloudEvents asks every consumer to accept 64 KiB; nothing we take is near it, so more is refused unread.
MAX_BYTES: Final = 65_536
# Our contracts nest two deep; eight leaves room and keeps recursion far from Python's limit.
MAX_DEPTH: Final = 8
CONTENT_TYPE: Final = b"application/cloudevents+json; charset=UTF-8"
# The batch format of CloudEvents (JSON event format, section 4), on our own topics only.
BATCH_CONTENT_TYPE: Final = b"application/cloudevents-batch+json; charset=UTF-8"


class ReadReason(StrEnum):
    """Why bytes are not an event we can read."""

    NOT_A_CLOUDEVENT = "not_a_cloudevent"
    UNSUPPORTED_FORMAT = "unsupported_format"
    BATCH = "batch_not_supported"
    DUPLICATE_HEADER = "duplicate_header"
    BAD_HEADER = "bad_header"
    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_A_NUMBER = "not_a_number"
    LONE_SURROGATE = "lone_surrogate"
    TOO_DEEP = "too_deep"
    DUPLICATE_KEY = "duplicate_key"
    NUL = "nul_character"
    NOT_AN_OBJECT = "not_an_object"
    SPECVERSION = "specversion"
    NO_ID = "no_usable_id"
    BAD_SOURCE = "bad_source"
    BAD_TYPE = "bad_type"
    BAD_TIME = "bad_time"
    ATTRIBUTE_NAME = "attribute_name"
    ATTRIBUTE_VALUE = "attribute_value"
    BSN_IN_ATTRIBUTE = "bsn_in_attribute"
    CLASSIFICATION = "unknown_classification"
    DATA_CONTENT_TYPE = "data_not_json"
    NO_DATA = "no_data"
    DATA_NOT_OBJECT = "data_not_object"


# What is told about each reason: Dutch, English.
READ_TEXTS: Final[Mapping[ReadReason, tuple[str, str]]] = {
    ReadReason.NOT_A_CLOUDEVENT: (
        "Geen CloudEvent: de header content-type is niet application/cloudevents+json en er zijn geen ce_-headers.",
        "Not a CloudEvent: header content-type is not application/cloudevents+json and there are no ce_ headers.",
    ),
    ReadReason.UNSUPPORTED_FORMAT: (
        "Alleen application/cloudevents+json in UTF-8 wordt gelezen.",
        "Only application/cloudevents+json in UTF-8 is read.",
    ),
    ReadReason.BATCH: ("Eén bericht bevat één event; geen batch.", "One message holds one event; no batch."),
    ReadReason.DUPLICATE_HEADER: (
        "Een header komt meer dan eens voor.",
        "A header occurs more than once.",
    ),
    ReadReason.BAD_HEADER: ("Een ce_-header is geen leesbare UTF-8.", "A ce_ header is not readable UTF-8."),
    ReadReason.TOO_LARGE: ("Het bericht is groter dan 64 KiB.", "The message is larger than 64 KiB."),
    ReadReason.NOT_UTF8: ("Het bericht is geen geldige UTF-8.", "The message is not valid UTF-8."),
    ReadReason.NOT_JSON: ("Het bericht is geen geldige JSON.", "The message is not valid JSON."),
    ReadReason.NOT_A_NUMBER: (
        "NaN en Infinity zijn geen JSON-getallen.",
        "NaN and Infinity are not JSON numbers.",
    ),
    ReadReason.LONE_SURROGATE: (
        "De tekst bevat een half teken (los surrogaat).",
        "The text holds half a character (a lone surrogate).",
    ),
    ReadReason.TOO_DEEP: (
        f"Het bericht is dieper genest dan {MAX_DEPTH} niveaus.",
        f"The message nests deeper than {MAX_DEPTH} levels.",
    ),
    ReadReason.DUPLICATE_KEY: (
        "Een veld komt in hetzelfde object twee keer voor.",
        "A field occurs twice in the same object.",
    ),
    ReadReason.NUL: ("De tekst bevat een NUL-teken.", "The text holds a NUL character."),
    ReadReason.NOT_AN_OBJECT: ("Het event is geen JSON-object.", "The event is not a JSON object."),
    ReadReason.SPECVERSION: ('specversion moet "1.0" zijn.', 'specversion must be "1.0".'),
    ReadReason.NO_ID: (
        "id ontbreekt of is onbruikbaar: geef een tekst van 1 tot 200 tekens zonder stuurtekens.",
        "id is missing or unusable: give a text of 1 to 200 characters without control characters.",
    ),
    ReadReason.BAD_SOURCE: (
        "source moet een URI zijn zonder spaties, bij voorkeur urn:nld:oin:... of urn:nld:kvknr:...",
        "source must be a URI without spaces, preferably urn:nld:oin:... or urn:nld:kvknr:...",
    ),
    ReadReason.BAD_TYPE: (
        "type moet een omgekeerde domeinnaam zijn met hooguit één versie, zoals nl.voorbeelden.iets-gemeld.v1.",
        "type must be a reversed domain name with at most one version, like nl.voorbeelden.iets-gemeld.v1.",
    ),
    ReadReason.BAD_TIME: (
        "time moet een RFC 3339-tijdstip met tijdzone zijn, zoals 2026-11-03T09:15:00Z.",
        "time must be an RFC 3339 instant with an offset, like 2026-11-03T09:15:00Z.",
    ),
    ReadReason.ATTRIBUTE_NAME: (
        "Een attribuutnaam mag alleen 1 tot 20 kleine letters en cijfers hebben.",
        "An attribute's name may only have 1 to 20 lower-case letters and digits.",
    ),
    ReadReason.ATTRIBUTE_VALUE: (
        "Een attribuut moet een tekst zonder stuurtekens, een geheel getal of waar/onwaar zijn.",
        "An attribute must be a text without control characters, an integer or a boolean.",
    ),
    ReadReason.BSN_IN_ATTRIBUTE: (
        "Een attribuut lijkt een BSN te bevatten; attributen worden gelogd en mogen geen persoonsnummer dragen.",
        "An attribute looks like a BSN; attributes are logged and may not carry a citizen's number.",
    ),
    ReadReason.CLASSIFICATION: (
        "dataclassification moet public, internal, confidential of restricted zijn.",
        "dataclassification must be public, internal, confidential or restricted.",
    ),
    ReadReason.DATA_CONTENT_TYPE: (
        "De data moet JSON zijn (datacontenttype application/json, geen data_base64).",
        "The data must be JSON (datacontenttype application/json, no data_base64).",
    ),
    ReadReason.NO_DATA: ("data ontbreekt.", "data is missing."),
    ReadReason.DATA_NOT_OBJECT: ("data moet een JSON-object zijn.", "data must be a JSON object."),
}


class Unreadable(LastingError):
    """These bytes are not an event we can read."""

    def __init__(self, reason: ReadReason, event_id: str | None = None) -> None:
        """Carry the reason, and the event's id where that much could be read."""
        self.reason: ReadReason = reason
        self.event_id = event_id
        super().__init__(reason.value)


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `time` is aware, in UTC; `extensions` are all other attributes, as text; `data` is a JSON object."""

    id: str
    source: str
    type: str
    time: datetime | None
    extensions: Mapping[str, str]
    data: Mapping[str, Any]

    def __repr__(self) -> str:
        """Show what may be logged: never the data."""
        return f"Event(id={self.id!r}, source={self.source!r}, type={self.type!r}, data=***)"


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NAME = re.compile(r"[a-z0-9]{1,20}")
# RFC 3986 characters only; a percent must start an escape.
_URI = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2}){1,255}")
_TYPE = re.compile(r"[a-z]{2,}(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+", re.IGNORECASE)
_VERSION = re.compile(r"v[0-9]+", re.IGNORECASE)
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_NINE_DIGITS = re.compile(r"(?<![0-9A-Za-z])[0-9]{9}(?![0-9A-Za-z])")
_DIGITS = re.compile(r"[0-9]{9}")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NOT_NUMBER = re.compile(rb"\b(?:NaN|Infinity)\b")
_CLASSIFICATIONS = frozenset({"public", "internal", "confidential", "restricted"})


def read(headers: Sequence[tuple[str, bytes]], value: bytes | None) -> Event:
    """Read one Kafka or HTTP message in structured or binary mode. Raises `Unreadable`, and nothing else."""
    content_type: bytes | None = None
    for name, raw in headers:
        if name == "content-type" or name.lower() == "content-type":
            if content_type is not None:
                raise Unreadable(ReadReason.DUPLICATE_HEADER)
            content_type = raw if raw is not None else b""
    if content_type is None:
        return _read_binary(headers, value, None)
    mode = _mode(content_type)
    if mode == "structured":
        if value is None:
            raise Unreadable(ReadReason.NO_DATA)
        return _event(_object(value))
    if mode == "binary":
        return _read_binary(headers, value, content_type)
    raise Unreadable(ReadReason(mode))


def write(event: Event) -> tuple[list[tuple[str, bytes]], bytes]:
    """The structured form of an event: headers and value. `read(*write(event)) == event` for every event read."""
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "datacontenttype": "application/json",
    }
    if event.time is not None:
        envelope["time"] = event.time.astimezone(UTC).isoformat().replace("+00:00", "Z")
    envelope.update(event.extensions)
    envelope["data"] = event.data
    return [("content-type", CONTENT_TYPE)], orjson.dumps(envelope)


def canonical(event: Event) -> bytes:
    """What "the same content" means: source, type and data as JSON with sorted keys. The id and time do not count."""
    return orjson.dumps(
        {"data": event.data, "source": event.source, "type": event.type}, option=orjson.OPT_SORT_KEYS
    )


def is_bsn(digits: str) -> bool:
    """Whether nine digits pass the eleven test of a citizen service number."""
    if len(digits) != 9 or not digits.isascii() or not digits.isdigit() or digits == "000000000":
        return False
    weighted = sum((9 - place) * int(digit) for place, digit in enumerate(digits[:8]))
    return (weighted - int(digits[8])) % 11 == 0


@lru_cache(maxsize=256)
def _mode(content_type: bytes) -> str:
    """ "structured", "binary", or the reason why neither."""
    text = content_type.decode("latin-1").lower()
    media, *parameters = [part.strip() for part in text.split(";")]
    for parameter in parameters:
        key, _, setting = parameter.partition("=")
        if key.strip() == "charset" and setting.strip().strip('"') not in ("utf-8", "utf8", "us-ascii"):
            return ReadReason.UNSUPPORTED_FORMAT
    if media.startswith("application/cloudevents-batch"):
        return ReadReason.BATCH
    if media.startswith("application/cloudevents"):
        json_form = media in ("application/cloudevents+json", "application/cloudevents")
        return "structured" if json_form else ReadReason.UNSUPPORTED_FORMAT
    return "binary"


@lru_cache(maxsize=256)
def _is_json(media: str) -> bool:
    kind = media.split(";", 1)[0].strip().lower()
    return kind in ("application/json", "text/json") or (
        kind.startswith("application/") and kind.endswith("+json")
    )


@lru_cache(maxsize=4096)
def _source_fault(source: str) -> ReadReason | None:
    if not _URI.fullmatch(source):
        return ReadReason.BAD_SOURCE
    return ReadReason.BSN_IN_ATTRIBUTE if _holds_bsn(source) else None


@lru_cache(maxsize=4096)
def _type_fault(kind: str) -> ReadReason | None:
    if len(kind) > 200 or not _TYPE.fullmatch(kind):
        return ReadReason.BAD_TYPE
    parts = kind.split(".")
    if sum(_VERSION.fullmatch(part) is not None for part in parts) > 1:
        return ReadReason.BAD_TYPE
    # Reversed: the top-level domain comes first, so a name that ends in one and does not begin with one is forward.
    return ReadReason.BAD_TYPE if parts[0].lower() not in _TOP_LEVEL else None


# The top-level domains that Dutch partners, and examples in the specification, put in front.
_TOP_LEVEL = frozenset(
    {"nl", "eu", "com", "org", "net", "io", "be", "de", "frl", "amsterdam", "aero", "info"}
)


def _holds_bsn(text: str) -> bool:
    return _DIGITS.search(text) is not None and any(is_bsn(match) for match in _NINE_DIGITS.findall(text))


def _object(value: bytes) -> dict[str, Any]:
    """Strict JSON to one object: no duplicate keys, NaN, NUL or deep nesting."""
    if len(value) > MAX_BYTES:
        raise Unreadable(ReadReason.TOO_LARGE)
    try:
        top = orjson.loads(value)
    except ValueError:
        raise Unreadable(_why_not_json(value)) from None
    if type(top) is not dict:
        raise Unreadable(ReadReason.NOT_AN_OBJECT)
    # A compact writer's bytes come back exactly, and then no key can have been lost to a duplicate. With no more
    # brackets than MAX_DEPTH it cannot nest deeper either. Both hold for nearly all events and cost 1.5 us, not 9.
    if orjson.dumps(top) != value:
        # Every key ends in `":` unless white space stands between; strings can only add to the count. So an equal
        # count without such white space proves the same; anything else is read again, exactly.
        keys = _keys(top, 1)
        if (
            value.count(b'":') != keys
            or b" :" in value
            or b"\n:" in value
            or b"\t:" in value
            or b"\r:" in value
        ):
            _refuse_duplicates(value)
    elif value.count(b"{") + value.count(b"[") > MAX_DEPTH:
        _keys(top, 1)
    if b"\\u0000" in value:
        _refuse_nul(top)
    return top


def _keys(node: dict[str, Any], depth: int) -> int:
    """Count keys in the tree. Raises when it nests deeper than MAX_DEPTH."""
    if depth > MAX_DEPTH:
        raise Unreadable(ReadReason.TOO_DEEP)
    count = len(node)
    for child in node.values():
        kind = type(child)
        if kind is dict:
            count += _keys(child, depth + 1)
        elif kind is list:
            count += _keys_in_list(child, depth + 1)
    return count


def _keys_in_list(items: list[Any], depth: int) -> int:
    if depth > MAX_DEPTH:
        raise Unreadable(ReadReason.TOO_DEEP)
    count = 0
    for child in items:
        kind = type(child)
        if kind is dict:
            count += _keys(child, depth + 1)
        elif kind is list:
            count += _keys_in_list(child, depth + 1)
    return count


def _refuse_duplicates(value: bytes) -> None:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise Unreadable(ReadReason.DUPLICATE_KEY)
        return found

    try:
        # Numbers are not needed here, and Python refuses to convert integers of more than 4300 digits.
        json.loads(value, object_pairs_hook=unique, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        raise Unreadable(ReadReason.NOT_JSON) from None


def _refuse_nul(node: Any) -> None:
    if isinstance(node, str):
        if "\x00" in node:
            raise Unreadable(ReadReason.NUL)
    elif isinstance(node, dict):
        for key, child in node.items():
            _refuse_nul(key)
            _refuse_nul(child)
    elif isinstance(node, list):
        for child in node:
            _refuse_nul(child)


def _why_not_json(value: bytes) -> ReadReason:
    """Name why bytes are no JSON. Only runs for bytes already refused."""
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return ReadReason.NOT_UTF8
    if b"\x00" in value:
        return ReadReason.NUL
    bare = _STRING.sub(b'""', value)
    depth = deepest = 0
    for byte in bare:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    if deepest > MAX_DEPTH:
        return ReadReason.TOO_DEEP
    if _NOT_NUMBER.search(bare):
        return ReadReason.NOT_A_NUMBER
    try:
        json.loads(value.decode("utf-8"), parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return ReadReason.NOT_JSON
    # Python's reader takes what orjson refused: half a character, or a number too large to hold.
    return ReadReason.LONE_SURROGATE if b"\\u" in value else ReadReason.NOT_A_NUMBER


def _read_binary(
    headers: Sequence[tuple[str, bytes]], value: bytes | None, content_type: bytes | None
) -> Event:
    attributes: dict[str, Any] = {}
    size = 0
    for name, raw in headers:
        if name[:3].lower() != "ce_":
            continue
        key = name[3:]
        if key in attributes:
            raise Unreadable(ReadReason.DUPLICATE_HEADER)
        try:
            attributes[key] = raw.decode("utf-8")
        except (UnicodeDecodeError, AttributeError):
            raise Unreadable(ReadReason.BAD_HEADER) from None
        size += len(name) + len(raw)
    if not attributes:
        raise Unreadable(ReadReason.NOT_A_CLOUDEVENT)
    if "data" in attributes or "datacontenttype" in attributes:
        raise Unreadable(ReadReason.ATTRIBUTE_NAME)
    event_id = _usable_id(attributes.get("id"))
    if content_type is not None and not _is_json(content_type.decode("latin-1")):
        raise Unreadable(ReadReason.DATA_CONTENT_TYPE, event_id)
    if value is None:
        raise Unreadable(ReadReason.NO_DATA, event_id)
    if size + len(value) > MAX_BYTES:
        raise Unreadable(ReadReason.TOO_LARGE, event_id)
    try:
        attributes["data"] = _object(value)
    except Unreadable as fault:
        not_object = fault.reason is ReadReason.NOT_AN_OBJECT
        raise Unreadable(ReadReason.DATA_NOT_OBJECT if not_object else fault.reason, event_id) from None
    return _event(attributes)


def _clean(text: str) -> bool:
    """No control characters or half characters. The first test is the quick one, and stricter."""
    return text.isprintable() or not _CONTROL.search(text)


def _usable_id(event_id: Any) -> str | None:
    if type(event_id) is str and 0 < len(event_id) <= 200 and _clean(event_id):
        return event_id
    return None


def _event(top: dict[str, Any]) -> Event:
    """Judge the envelope and make the event."""
    take = top.pop
    event_id = _usable_id(take("id", None))
    if event_id is None:
        raise Unreadable(ReadReason.NO_ID)
    if take("specversion", None) != "1.0":
        raise Unreadable(ReadReason.SPECVERSION, event_id)
    if len(event_id) == 9 and is_bsn(event_id):
        raise Unreadable(ReadReason.BSN_IN_ATTRIBUTE)
    source = take("source", None)
    fault = _source_fault(source) if type(source) is str else ReadReason.BAD_SOURCE
    if fault is not None:
        raise Unreadable(fault, event_id)
    kind = take("type", None)
    fault = _type_fault(kind) if type(kind) is str else ReadReason.BAD_TYPE
    if fault is not None:
        raise Unreadable(fault, event_id)
    text = take("time", None)
    time = None if text is None else _time(text, event_id)
    media = take("datacontenttype", None)
    if media is not None and (type(media) is not str or not _is_json(media)):
        raise Unreadable(ReadReason.DATA_CONTENT_TYPE, event_id)
    if take("data_base64", None) is not None:
        raise Unreadable(ReadReason.DATA_CONTENT_TYPE, event_id)
    data = take("data", None)
    if data is None:
        raise Unreadable(ReadReason.NO_DATA, event_id)
    if type(data) is not dict:
        raise Unreadable(ReadReason.DATA_NOT_OBJECT, event_id)
    extensions = {
        name: _attribute(name, attribute, event_id)
        for name, attribute in top.items()
        if attribute is not None
    }
    if "dataclassification" in extensions and extensions["dataclassification"] not in _CLASSIFICATIONS:
        raise Unreadable(ReadReason.CLASSIFICATION, event_id)
    return Event(event_id, source, kind, time, extensions, data)


def _time(text: Any, event_id: str) -> datetime:
    if type(text) is not str or not _TIME.fullmatch(text):
        raise Unreadable(ReadReason.BAD_TIME, event_id)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable(ReadReason.BAD_TIME, event_id) from None


def _attribute(name: str, attribute: Any, event_id: str) -> str:
    if not _NAME.fullmatch(name):
        raise Unreadable(ReadReason.ATTRIBUTE_NAME, event_id)
    kind = type(attribute)
    if kind is bool:
        return "true" if attribute else "false"
    if kind is int and -(2**31) <= attribute < 2**31:
        attribute = str(attribute)
    elif kind is not str or not attribute or not _clean(attribute):
        raise Unreadable(ReadReason.ATTRIBUTE_VALUE, event_id)
    if _holds_bsn(attribute):
        raise Unreadable(ReadReason.BSN_IN_ATTRIBUTE, event_id)
    text: str = attribute
    return text


# ---------------------------------------------------------------- our own topics: many events in one record


def pack(events: Sequence[bytes]) -> bytes:
    """Events, each as JSON, as one JSON batch."""
    return b"[" + b",".join(events) + b"]"


def unpack(value: bytes | None) -> list[dict[str, Any]]:
    """The events of one record of ours, in order: a batch, or one event alone. They were checked when they were made."""
    found = orjson.loads(value or b"")
    return found if isinstance(found, list) else [found]
