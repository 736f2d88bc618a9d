"""Sessions of the board: a signed cookie, a token for every form, and a brake on guessing passwords.

Nothing of a session is stored but the ids of those that were ended by hand, until they would have ended anyway.
Both the brake and that list live in this process: more than one web process needs one entry point that keeps a
user with the same process, or a brake in front of them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from itsdangerous import BadSignature, URLSafeTimedSerializer

# A working day. After it one logs in again.
MAX_AGE_SECONDS = 10 * 3600
# Five wrong guesses in five minutes, then wait: slow for a program, hardly noticed by a person.
_GUESSES, _WINDOW_SECONDS = 5, 300.0
# Names remembered by the brake. When it is full the oldest go first, so that made-up names cannot fill the memory.
_MOST_NAMES = 10_000


@dataclass(frozen=True, slots=True)
class Session:
    """Who is at the other end: a random id, a language, and after logging in a user with the seal of their password."""

    sid: str
    language: str
    username: str | None = None
    seal: str = ""

    def speaking(self, language: str) -> Session:
        """The same session in another language."""
        return replace(self, language=language)


class Sessions:
    """Signs, reads and ends sessions. Whoever holds `secret` can be anyone; it never leaves this object."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError("the web secret needs at least 16 bytes")
        self._secret = secret
        self._serializer = URLSafeTimedSerializer(
            secret,
            salt="bereik.session",
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )
        self._ended: dict[str, float] = {}
        self._lock = threading.Lock()

    def new(self, language: str) -> Session:
        """A session of nobody yet."""
        return Session(secrets.token_urlsafe(16), language)

    def login(self, username: str, password_hash: str, language: str) -> Session:
        """A new session, with a new id, of a user who has just shown their password."""
        return Session(secrets.token_urlsafe(16), language, username, self.seal(password_hash))

    def seal(self, password_hash: str) -> str:
        """A short keyed hash of a password hash: a session ends when the password changes."""
        return hmac.new(self._secret, b"seal:" + password_hash.encode(), hashlib.sha256).hexdigest()[:24]

    def token(self, session: Session) -> str:
        """What every form of this session must send along."""
        return hmac.new(self._secret, b"form:" + session.sid.encode(), hashlib.sha256).hexdigest()

    def write(self, session: Session) -> str:
        """The session as a cookie value."""
        return str(self._serializer.dumps([session.sid, session.language, session.username, session.seal]))

    def read(self, cookie: str | None) -> Session | None:
        """The session of a cookie, or None when it is absent, forged, too old or ended."""
        if not cookie:
            return None
        try:
            sid, language, username, seal = self._serializer.loads(cookie, max_age=MAX_AGE_SECONDS)
        except (BadSignature, ValueError, TypeError):
            return None
        with self._lock:
            if sid in self._ended:
                return None
        return Session(sid, language, username, seal)

    def end(self, session: Session) -> None:
        """From now on this session's cookie is worth nothing, wherever a copy of it is."""
        now = time.time()
        with self._lock:
            self._ended = {sid: until for sid, until in self._ended.items() if until > now}
            self._ended[session.sid] = now + MAX_AGE_SECONDS


class Brake:
    """Counts wrong passwords per name; after five in five minutes that name must wait."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def attempt(self, name: str) -> int:
        """0 when a guess may be made now, and counts it as wrong until `right` says otherwise; else seconds to wait."""
        with self._lock:
            now = self._clock()
            recent = [at for at in self._tries.pop(name, ()) if now - at < _WINDOW_SECONDS]
            wait = 0 if len(recent) < _GUESSES else int(_WINDOW_SECONDS - (now - recent[0])) + 1
            while len(self._tries) >= _MOST_NAMES:
                self._tries.pop(next(iter(self._tries)))
            self._tries[name] = recent if wait else [*recent, now]
            return wait

    def right(self, name: str) -> None:
        """Forget what went before."""
        with self._lock:
            self._tries.pop(name, None)
