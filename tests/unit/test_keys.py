"""Keys: what is sealed opens only where it belongs, ids tell nothing without the key, and a wrong keyring is said aloud."""

from __future__ import annotations

import json
import stat
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from bereik.keys import Box, Keyring, KeyringMissing, KeyringUnreadable, SealBroken

KEY = bytes(range(32))


def test_a_seal_opens_in_its_own_place_only() -> None:
    box = Box(KEY)
    sealed = box.seal(b"somebody", b"register 1|signal 1")
    assert box.open(sealed, b"register 1|signal 1") == b"somebody"
    assert b"somebody" not in sealed
    for wrong in (b"", b"register 1|signal 2", b"register 2|signal 1"):
        with pytest.raises(SealBroken):
            box.open(sealed, wrong)
    with pytest.raises(SealBroken):
        Box(KEY[::-1]).open(sealed, b"register 1|signal 1")


@pytest.mark.parametrize("damage", [b"", b"x", bytes(12), bytes(27), bytes(64)])
def test_damaged_values_say_so_and_nothing_else(damage: bytes) -> None:
    with pytest.raises(SealBroken) as caught:
        Box(KEY).open(damage, b"")
    assert caught.value.__cause__ is None and "keyring" in str(caught.value)


def test_the_same_value_is_never_sealed_the_same() -> None:
    box = Box(KEY)
    assert box.seal(b"x", b"") != box.seal(b"x", b""), "equal rows may not be recognised"


def test_ids_are_stable_and_differ_per_purpose() -> None:
    ring = Keyring("k1", {"k1": KEY})
    first, second = ring.box("purpose|a"), ring.box("purpose|b")
    assert first.id("signal|p|1") == ring.box("purpose|a").id("signal|p|1")
    assert first.id("signal|p|1") != second.id("signal|p|1"), "equal events in two purposes share no id"
    assert first.id("signal|p|1") != first.id("signal|p|2")
    assert first.id("signal|p|1") == str(first.id("signal|p|1"))
    assert Keyring("k1", {"k1": KEY[::-1]}).box("purpose|a").id("signal|p|1") != first.id("signal|p|1")


def test_a_register_key_opens_under_its_own_label_and_its_own_key_only() -> None:
    ring = Keyring("k1", {"k1": KEY})
    wrapped = ring.new_register_key("debts|9901")
    assert wrapped != ring.new_register_key("debts|9901"), "every register has a key of its own"
    sealed = ring.register_box("debts|9901", wrapped).seal(b"x", b"c")
    assert ring.register_box("debts|9901", wrapped).open(sealed, b"c") == b"x"
    with pytest.raises(SealBroken):
        ring.register_box("debts|9902", wrapped)
    with pytest.raises(SealBroken):
        Keyring("k1", {"k1": KEY[::-1]}).register_box("debts|9901", wrapped)
    with pytest.raises(SealBroken):
        Keyring("k2", {"k2": KEY}).register_box("debts|9901", wrapped)


@pytest.mark.parametrize("damage", [b"", b"k1", b"k1|", b"\xff\xfe|x"])
def test_a_damaged_register_key_is_a_broken_seal(damage: bytes) -> None:
    with pytest.raises(SealBroken):
        Keyring("k1", {"k1": KEY}).register_box("debts|9901", damage)


def test_registers_outlive_a_new_active_key() -> None:
    wrapped = Keyring("k1", {"k1": KEY}).new_register_key("debts|9901")
    later = Keyring("k2", {"k1": KEY, "k2": KEY[::-1]})
    sealed = Keyring("k1", {"k1": KEY}).register_box("debts|9901", wrapped).seal(b"x", b"c")
    assert later.register_box("debts|9901", wrapped).open(sealed, b"c") == b"x"


def test_a_keyring_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    Keyring.create(path)
    before = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    Keyring.create(path)
    assert path.read_bytes() == before, "making it again would lose every record"
    assert Keyring.load(path).active == "k1"


def test_no_keyring(tmp_path: Path) -> None:
    with pytest.raises(KeyringMissing):
        Keyring.load(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("", "an empty file"),
        ("[]", "a list"),
        ("{}", "nothing in it"),
        ({"active": "k1", "keys": {}}, "the active key is not there"),
        ({"active": "k1", "keys": {"k1": "kort"}}, "a key that is too short"),
        ({"active": "k1", "keys": {"k1": "!!!"}}, "a key that is no base64"),
        ({"active": "k1", "keys": ["k1"]}, "keys in a list"),
        ({"active": ["k1"], "keys": {"k1": b64encode(KEY).decode()}}, "an active key that is a list"),
        ({"active": "k1", "keys": {"k1": 7}}, "a key that is a number"),
    ],
)
def test_a_file_that_is_no_keyring(document: Any, why: str, tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    with pytest.raises(KeyringUnreadable):
        Keyring.load(path)
