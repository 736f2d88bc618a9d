"""Whatever the bytes, `read` gives an event or a typed reason; what it gave, `write` gives back."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from bereik import signal
from bereik.signal import Event, Unreadable

CONTENT_TYPES = st.sampled_from(
    [
        b"application/cloudevents+json",
        b"application/json",
        b"text/plain",
        b"application/cloudevents-batch+json",
    ]
)
NAMES = st.sampled_from(
    ["content-type", "Content-Type", "ce_id", "ce_type", "ce_source", "ce_specversion", "ce_x", "y"]
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)
ATTRIBUTES = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_categories=["Nd"]), min_size=1, max_size=30
)
# Hypothesis wants naive bounds and adds the zone itself.
EARLIEST, LATEST = datetime(1970, 1, 1), datetime(2999, 1, 1)  # noqa: DTZ001
EVENTS = st.builds(
    Event,
    id=ATTRIBUTES,
    source=st.from_regex(r"urn:[a-z]{2,10}:[a-z0-9]{1,8}", fullmatch=True),
    type=st.from_regex(r"nl\.[a-z]{1,9}\.[a-z]{1,9}-gemeld\.v[1-9]", fullmatch=True),
    time=st.none() | st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC)),
    extensions=st.dictionaries(st.from_regex(r"x[a-z]{1,10}", fullmatch=True), ATTRIBUTES, max_size=3),
    data=st.dictionaries(TEXTS, JSON, max_size=5),
)


@given(EVENTS)
def test_what_is_written_reads_back(event: Event) -> None:
    headers, value = signal.write(event)
    try:
        assert signal.read(headers, value) == event
    except Unreadable as fault:
        # Deeply nested data is the one thing a writer may hold and a reader refuses.
        assert fault.reason in (signal.ReadReason.TOO_DEEP, signal.ReadReason.BSN_IN_ATTRIBUTE)


@given(
    st.lists(st.tuples(NAMES, st.binary(max_size=20) | CONTENT_TYPES), max_size=5),
    st.none() | st.binary(max_size=300),
)
def test_no_bytes_raise_anything_else(headers: list[tuple[str, bytes]], value: bytes | None) -> None:
    with suppress(Unreadable):
        signal.read(headers, value)


@given(JSON)
def test_no_json_raises_anything_else(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        with suppress(Unreadable):
            signal.read([("content-type", signal.CONTENT_TYPE)], text.encode())


@given(
    st.dictionaries(
        st.sampled_from(["id", "source", "type", "specversion", "time", "data", "x", "datacontenttype"]), JSON
    )
)
def test_no_envelope_raises_anything_else(envelope: dict[str, Any]) -> None:
    with suppress(Unreadable):
        signal.read([("content-type", signal.CONTENT_TYPE)], json.dumps(envelope).encode())


PAIRS = st.recursive(
    st.sampled_from(["1", '"a"', '"x\\":y"', "null", '" :"']),
    lambda inner: st.lists(st.tuples(st.sampled_from(["a", "b", "c", "\\u0061"]), inner), max_size=3).map(
        lambda pairs: (
            "{" + ",".join(f'"{key}"{" " if value == "1" else ""}:{value}' for key, value in pairs) + "}"
        )
    ),
    max_leaves=8,
)


@given(PAIRS.filter(lambda text: text.startswith("{")))
@example('{"a" :1,"a":"a"}')
def test_duplicate_keys_are_found_exactly(text: str) -> None:
    def pairs_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        doubled.append(len(dict(pairs)) != len(pairs))
        return dict(pairs)

    doubled: list[bool] = []
    json.loads(text, object_pairs_hook=pairs_of)
    try:
        signal.read([("content-type", signal.CONTENT_TYPE)], text.encode())
    except Unreadable as fault:
        assert (fault.reason is signal.ReadReason.DUPLICATE_KEY) == any(doubled)
