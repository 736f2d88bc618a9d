"""Keys: the keyring file, keyed ids and sealed values. Nothing here is stored in the database in the clear.

Two levels: a key of the keyring (key-encryption key) makes a key per purpose or register, and only those touch data.
Ids are keyed BLAKE2b (RFC 7693, section 2.9: a MAC in one pass): 0.8 µs against 2.6 µs for HMAC-SHA-256.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from struct import iter_unpack

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from bereik.errors import LastingError


class KeyringMissing(LastingError):
    """There is no keyring at BEREIK_KEYS. `bereik up` makes one for the embedded stack; elsewhere, mount yours there."""


class KeyringUnreadable(LastingError):
    """The keyring at BEREIK_KEYS is not one: it needs {"active": "<id>", "keys": {"<id>": "<32 bytes, base64>"}}."""


class SealBroken(LastingError):
    """A sealed value does not open with its key: another keyring, or the row was changed. Restore the right keyring."""


class _Nonces:
    """Random nonces of 12 bytes from the system, fetched 1,024 at a time.

    A system call for each took up to 110 µs on a busy machine, more than sealing the value; the bytes are the same.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Fetch new bytes before the next nonce: a child process must not give its parent's."""
        self._left: Iterator[tuple[bytes]] = iter(())

    def next(self) -> bytes:
        """Twelve bytes that were never given before, also when threads ask at once: taking one is one step of an iterator."""
        for (nonce,) in self._left:
            return nonce
        self._left = iter_unpack("12s", os.urandom(12 * 1024))
        return self.next()


_NONCES = _Nonces()
os.register_at_fork(after_in_child=_NONCES.forget)


class Box:
    """One key: makes ids and seals values. `context` binds a sealed value to its place, so it cannot be moved."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._mac = hashlib.blake2b(key=self.derive_bytes("id"), digest_size=16)
        self._aead = AESGCMSIV(self.derive_bytes("seal"))

    def derive_bytes(self, label: str) -> bytes:
        """A key of 32 bytes for one use, from this key and a label."""
        return hashlib.blake2b(
            label.encode(), key=self._key, digest_size=32, person=b"bereik-derive"
        ).digest()

    def derive(self, label: str) -> Box:
        """A box of its own for one use."""
        return Box(self.derive_bytes(label))

    def digest(self, text: str) -> bytes:
        """16 bytes that only the holder of this key can make; the same text gives the same bytes."""
        mac = self._mac.copy()
        mac.update(text.encode())
        return mac.digest()

    def id(self, text: str) -> str:
        """A stable id that tells nothing without the key: the text of a uuid."""
        digits = self.digest(text).hex()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def seal(self, value: bytes, context: bytes) -> bytes:
        """Encrypt with AES-GCM-SIV (RFC 8452) under a random nonce, bound to `context`."""
        nonce = _NONCES.next()
        return nonce + self._aead.encrypt(nonce, value, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt; raises `SealBroken`."""
        try:
            return self._aead.decrypt(sealed[:12], sealed[12:], context)
        except (InvalidTag, ValueError):
            raise SealBroken() from None


class Keyring:
    """The key-encryption keys of this installation, newest under `active`."""

    def __init__(self, active: str, keys: dict[str, bytes]) -> None:
        self.active = active
        self._keys = keys

    @classmethod
    def load(cls, path: Path) -> Keyring:
        """Read the keyring file. Raises `KeyringMissing` or `KeyringUnreadable`."""
        try:
            document = json.loads(path.read_text("utf-8"))
            keys = {name: base64.b64decode(value, validate=True) for name, value in document["keys"].items()}
            active = str(document["active"])
        except FileNotFoundError:
            raise KeyringMissing() from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise KeyringUnreadable() from None
        if active not in keys or any(len(key) != 32 for key in keys.values()):
            raise KeyringUnreadable()
        return cls(active, keys)

    @staticmethod
    def create(path: Path) -> None:
        """Write a new keyring with one random key, readable by its owner only; leaves an existing one alone."""
        document = {"active": "k1", "keys": {"k1": base64.b64encode(os.urandom(32)).decode()}}
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(document, out)

    def box(self, label: str) -> Box:
        """The box for one use (`intake`, `purpose|…`, `bridge|…`) under the active key."""
        return Box(self._keys[self.active]).derive(label)

    def new_register_key(self, label: str) -> bytes:
        """A random data key for a register, wrapped by the active key: key id, then the sealed key."""
        return f"{self.active}|".encode() + self.box(f"register|{label}").seal(os.urandom(32), label.encode())

    def register_box(self, label: str, wrapped: bytes) -> Box:
        """The box of a register from its wrapped data key. Raises `SealBroken` when the key id is gone."""
        key_id, _, sealed = wrapped.partition(b"|")
        name = key_id.decode("utf-8", "replace")
        if name not in self._keys:
            raise SealBroken()
        return Box(Box(self._keys[name]).derive(f"register|{label}").open(sealed, label.encode()))
