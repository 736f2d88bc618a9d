"""Receipts tell a partner what became of its event, in its words, and nothing of what was in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from bereik import receipts
from bereik.receipts import TEXTS, WORDS, Fate

ID = str(UUID(int=7))
NOW = datetime(2026, 11, 4, 12, 30, tzinfo=UTC)


def test_every_fate_has_its_word() -> None:
    assert set(WORDS) == set(Fate)
    assert len(set(WORDS.values())) == len(Fate), "no two fates read the same"


def test_every_reason_reads_in_both_languages() -> None:
    for code, (nl, en) in TEXTS.items():
        assert nl and en and nl != en, code
        assert nl.endswith(".") and en.endswith("."), f"{code}: a whole sentence"


def test_a_reason_with_its_own_texts_keeps_them() -> None:
    assert receipts.reason("pattern", "zo", "so", field="postcode", article="") == {
        "code": "pattern",
        "nl": "zo",
        "en": "so",
        "field": "postcode",
    }


def test_a_reason_that_nobody_wrote_a_text_for_is_a_fault_of_ours() -> None:
    with pytest.raises(KeyError):
        receipts.reason("unheard_of")


def test_message() -> None:
    why = [receipts.reason("unknown_type")]
    key, value = receipts.message(str(ID), Fate.REFUSED, "e-1", "nl.x.y.v1", ("in.p", 3, 14), NOW, why)
    made = json.loads(value)
    assert key == str(ID).encode()
    assert (
        made["specversion"] == "1.0" and made["type"] == receipts.TYPE and made["source"] == receipts.SOURCE
    )
    assert made["id"] == f"{ID}:1", (
        "the same receipt sent twice has one id, so its reader can drop the second"
    )
    assert made["time"] == "2026-11-04T12:30:00Z"
    data = made["data"]
    assert (data["eventId"], data["lot"], data["redenen"]) == ("e-1", "afgekeurd", why)
    assert (data["topic"], data["partitie"], data["volgnummer"]) == ("in.p", 3, 14), (
        "where the partner put it"
    )


def test_a_message_without_a_usable_id_is_found_by_its_place() -> None:
    _, value = receipts.message(str(ID), Fate.PARKED, None, None, ("in.p", 0, 0), NOW, [])
    data = json.loads(value)["data"]
    assert data["eventId"] is None and data["volgnummer"] == 0 and data["lot"] == "terzijdeGelegd"
