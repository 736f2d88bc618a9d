"""Reading one event: every bad input ends in a typed reason, and no reason repeats the value."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bereik import signal
from bereik.signal import READ_TEXTS, Event, ReadReason, Unreadable

HEADERS = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
BSN = "999990342"


def envelope(**changes: Any) -> dict[str, Any]:
    base = {
        "specversion": "1.0",
        "id": "a-1",
        "source": "urn:nld:kvknr:90000101:systeem:signalen",
        "type": "nl.vroegsignalen.voorbeeld-gemeld.v1",
        "time": "2026-11-03T10:15:00+01:00",
        "datacontenttype": "application/json",
        "data": {"bedrag": 100},
    }
    return {name: value for name, value in {**base, **changes}.items() if value is not ...}


def structured(**changes: Any) -> bytes:
    return json.dumps(envelope(**changes)).encode()


def reason(value: bytes | None, headers: Any = HEADERS) -> ReadReason:
    with pytest.raises(Unreadable) as caught:
        signal.read(headers, value)
    return caught.value.reason


def test_reads_a_structured_event() -> None:
    event = signal.read(HEADERS, structured(subject="dossier", traceparent="00-ab-cd-01"))
    assert event == Event(
        "a-1",
        "urn:nld:kvknr:90000101:systeem:signalen",
        "nl.vroegsignalen.voorbeeld-gemeld.v1",
        datetime(2026, 11, 3, 9, 15, tzinfo=UTC),
        {"subject": "dossier", "traceparent": "00-ab-cd-01"},
        {"bedrag": 100},
    )


def test_binary_and_structured_mode_give_the_same_event() -> None:
    attributes = envelope(subject="dossier")
    data = json.dumps(attributes.pop("data")).encode()
    media = attributes.pop("datacontenttype").encode()
    headers = [
        ("content-type", media),
        *((f"ce_{name}", str(text).encode()) for name, text in attributes.items()),
    ]
    assert signal.read(headers, data) == signal.read(HEADERS, structured(subject="dossier"))


def test_structured_wins_over_ce_headers_that_come_along() -> None:
    assert signal.read([*HEADERS, ("ce_id", b"other")], structured()).id == "a-1"


def test_null_attributes_are_absent() -> None:
    event = signal.read(HEADERS, structured(time=None, subject=None))
    assert event.time is None
    assert event.extensions == {}


def test_numbers_and_booleans_in_attributes_become_text() -> None:
    assert signal.read(HEADERS, structured(sequence=7, test=True)).extensions == {
        "sequence": "7",
        "test": "true",
    }


def test_other_headers_are_no_matter() -> None:
    assert signal.read([("bereik-door", b"file"), ("Content-Type", HEADERS[0][1])], structured()).id == "a-1"


DEEP = b'{"specversion":"1.0","data":' + b"[" * 10_000 + b"]" * 10_000 + b"}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\xff\xfe{}", ReadReason.NOT_UTF8),
        (structured(data={"a": "x" * 10_000_000}), ReadReason.TOO_LARGE),
        (DEEP, ReadReason.TOO_DEEP),
        (structured(data={"a": [[[[[[[[[1]]]]]]]]]}), ReadReason.TOO_DEEP),
        (b'{"data":{"a":NaN}}', ReadReason.NOT_A_NUMBER),
        (b'{"data":{"a":-Infinity}}', ReadReason.NOT_A_NUMBER),
        (b'{"a":1,"a":2}', ReadReason.DUPLICATE_KEY),
        (b'{"a" : 1 , "a":2}', ReadReason.DUPLICATE_KEY),
        (b'{"a" :1,"a":2}', ReadReason.DUPLICATE_KEY),
        (b'{"\\u0061":1,"a":2}', ReadReason.DUPLICATE_KEY),
        (b'{"data":{"b":{"a":1,"a":1}}}', ReadReason.DUPLICATE_KEY),
        (b'{"data":[{"a":1,"a":1}]}', ReadReason.DUPLICATE_KEY),
        (structured(data={"a": "x\x00y"}), ReadReason.NUL),
        (structured(data={"a\x00": "x"}), ReadReason.NUL),
        (b'{"a":"\x00"}', ReadReason.NUL),
        (b'{"data":{"a":"\\ud800"}}', ReadReason.LONE_SURROGATE),
        (b"{", ReadReason.NOT_JSON),
        (b"", ReadReason.NOT_JSON),
        (b"\xef\xbb\xbf{}", ReadReason.NOT_JSON),
        (b"[]", ReadReason.NOT_AN_OBJECT),
        (b"7", ReadReason.NOT_AN_OBJECT),
        (None, ReadReason.NO_DATA),
        (structured(specversion="0.3"), ReadReason.SPECVERSION),
        (structured(specversion=1.0), ReadReason.SPECVERSION),
        (structured(id=...), ReadReason.NO_ID),
        (structured(id=""), ReadReason.NO_ID),
        (structured(id=12), ReadReason.NO_ID),
        (structured(id="a\nb"), ReadReason.NO_ID),
        (structured(id="x" * 201), ReadReason.NO_ID),
        (structured(id=BSN), ReadReason.BSN_IN_ATTRIBUTE),
        (structured(source=...), ReadReason.BAD_SOURCE),
        (structured(source="urn:nld:oin: 1"), ReadReason.BAD_SOURCE),
        (structured(source=f"urn:nld:bsn:{BSN}"), ReadReason.BSN_IN_ATTRIBUTE),
        (structured(type=...), ReadReason.BAD_TYPE),
        (structured(type="voorbeeld-gemeld"), ReadReason.BAD_TYPE),
        (structured(type="signalen.voorbeeld.nl"), ReadReason.BAD_TYPE),
        (structured(type="nl.v1.voorbeeld.v1"), ReadReason.BAD_TYPE),
        (structured(time="2026-11-03T10:15:00"), ReadReason.BAD_TIME),
        (structured(time="2026-11-31T10:15:00Z"), ReadReason.BAD_TIME),
        (structured(time="0001-01-01T00:00:00+14:00"), ReadReason.BAD_TIME),
        (structured(time=1), ReadReason.BAD_TIME),
        (structured(SubX="a"), ReadReason.ATTRIBUTE_NAME),
        (structured(extra={"a": 1}), ReadReason.ATTRIBUTE_VALUE),
        (structured(extra=2**31), ReadReason.ATTRIBUTE_VALUE),
        (structured(subject=""), ReadReason.ATTRIBUTE_VALUE),
        (structured(subject="a\u0085b"), ReadReason.ATTRIBUTE_VALUE),
        (structured(subject=BSN), ReadReason.BSN_IN_ATTRIBUTE),
        (structured(dataclassification="geheim"), ReadReason.CLASSIFICATION),
        (structured(datacontenttype="application/xml"), ReadReason.DATA_CONTENT_TYPE),
        (structured(data=..., data_base64="aGk="), ReadReason.DATA_CONTENT_TYPE),
        (structured(data=...), ReadReason.NO_DATA),
        (structured(data=[1]), ReadReason.DATA_NOT_OBJECT),
        (structured(data="tekst"), ReadReason.DATA_NOT_OBJECT),
    ],
)
def test_bad_input_has_a_typed_reason(value: bytes | None, expected: ReadReason) -> None:
    assert reason(value) is expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], ReadReason.NOT_A_CLOUDEVENT),
        ([("content-type", b"text/plain")], ReadReason.NOT_A_CLOUDEVENT),
        ([("content-type", b"application/cloudevents-batch+json")], ReadReason.BATCH),
        ([("content-type", b"application/cloudevents+avro")], ReadReason.UNSUPPORTED_FORMAT),
        ([("content-type", b"application/cloudevents+json; charset=latin-1")], ReadReason.UNSUPPORTED_FORMAT),
        ([*HEADERS, *HEADERS], ReadReason.DUPLICATE_HEADER),
        ([("ce_id", b"1"), ("ce_id", b"2")], ReadReason.DUPLICATE_HEADER),
        ([("ce_id", b"\xff")], ReadReason.BAD_HEADER),
        ([("ce_id", b"1"), ("content-type", b"text/csv")], ReadReason.DATA_CONTENT_TYPE),
        ([("ce_id", b"1"), ("ce_data", b"x")], ReadReason.ATTRIBUTE_NAME),
    ],
)
def test_bad_headers_have_a_typed_reason(headers: Any, expected: ReadReason) -> None:
    assert reason(b"{}", headers) is expected


def test_a_usable_id_is_kept_for_the_receipt() -> None:
    with pytest.raises(Unreadable) as caught:
        signal.read(HEADERS, structured(time="gisteren"))
    assert caught.value.event_id == "a-1"
    assert "gisteren" not in str(caught.value)


def test_every_reason_has_two_texts() -> None:
    assert set(READ_TEXTS) == set(ReadReason)
    assert all(nl and en and nl != en for nl, en in READ_TEXTS.values())


def test_spaces_and_colons_in_texts_are_no_duplicates() -> None:
    data = {"a": 'x":y', "b": "een : twee", "c": "é"}
    for value in (
        json.dumps(envelope(data=data), indent=2),
        json.dumps(envelope(data=data), ensure_ascii=False),
    ):
        assert signal.read(HEADERS, value.encode()).data == data


def test_same_content_ignores_id_time_and_order() -> None:
    one = signal.read(HEADERS, structured(id="a", data={"a": 1, "b": 2}))
    other = signal.read(HEADERS, structured(id="b", time=..., data={"b": 2, "a": 1}))
    assert signal.canonical(one) == signal.canonical(other)
    assert signal.canonical(one) != signal.canonical(signal.read(HEADERS, structured(data={"a": 1, "b": 3})))


def test_printing_an_event_shows_no_data() -> None:
    assert "ZZCANARY" not in repr(signal.read(HEADERS, structured(data={"geslachtsnaam": "ZZCANARY"})))


def test_write_gives_utc() -> None:
    moment = datetime(2026, 11, 3, 10, tzinfo=UTC) + timedelta(microseconds=5)
    event = Event("a", "urn:x:y", "nl.a.b.v1", moment, {}, {})
    headers, value = signal.write(event)
    assert json.loads(value)["time"] == "2026-11-03T10:00:00.000005Z"
    assert signal.read(headers, value) == event


@pytest.mark.parametrize(
    ("digits", "valid"),
    [
        ("999990342", True),
        ("999993653", True),
        ("111222333", True),
        ("123456782", True),
        ("123456789", False),
        ("000000000", False),
        ("12345672", False),
        ("١٢٣٤٥٦٧٨٩", False),
    ],
)
def test_eleven_test(digits: str, valid: bool) -> None:
    assert signal.is_bsn(digits) is valid
