"""The registers that are asked before contact: the national register of persons, and the municipality's own debt help.

An HTTP client and nothing else: it knows no rules, writes no log and puts no value into an error. What is asked is made by
`residency`; what the answers mean is decided there too.
"""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bereik.errors import LastingError, TransientError

# The path of the national API under the address that its supplier gives, and that of our question to the debt-help register.
PERSONEN, KNOWN = "/haalcentraal/api/brp/personen", "/schuldhulp/bekend"

# The register answers within a second; ten times that is a register in trouble, and the next try comes by itself.
TIMEOUT_S = 10.0
# A token is renewed this long before it ends, so that none ends while a question is under way.
_TOKEN_MARGIN_S = 30.0
# An answer with 30 persons is some 20 kB.
_LARGEST = 1_000_000


class RegisterAway(TransientError):
    """The register does not answer now. Checks wait and are done later; cases and their terms run on."""


class RegisterRefused(LastingError):
    """The register refuses the question. Check the address, the credentials and the authorisation (docs/engineer/brp.md)."""


class QuestionRefused(LastingError):
    """The register refuses this one question, such as a name in letters it does not take. A person looks it up."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """How we make ourselves known: an API key, or OAuth 2.0 client credentials; neither on an open test server."""

    key: str = ""
    token_url: str = ""
    client: str = ""
    secret: str = ""

    def __repr__(self) -> str:
        """Never a value."""
        return "Credentials(***)"


class Line:
    """One register behind one address."""

    def __init__(
        self, url: str, credentials: Credentials, ca: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url, self._credentials, self._clock = url, credentials, clock
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({}), _NoRedirects()]
        if ca:
            handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca)))
        self._opener = urllib.request.build_opener(*handlers)
        self._token, self._token_until = "", 0.0

    def post(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask once. Raises `RegisterAway`, `RegisterRefused` or `QuestionRefused`; no message holds what was asked."""
        body = json.dumps(question).encode()
        try:
            return self._send(self._url, body, "application/json", self._headers())
        except _Unauthorised:
            # A token can be withdrawn before its time; one new token is tried.
            self._token_until = 0.0
        try:
            return self._send(self._url, body, "application/json", self._headers())
        except _Unauthorised:
            raise RegisterRefused() from None

    def _headers(self) -> dict[str, str]:
        if self._credentials.token_url:
            return {"Authorization": f"Bearer {self._bearer()}"}
        return {"X-API-Key": self._credentials.key} if self._credentials.key else {}

    def _bearer(self) -> str:
        if self._clock() < self._token_until:
            return self._token
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client,
            "client_secret": self._credentials.secret,
        }
        try:
            answer = self._send(
                self._credentials.token_url,
                urllib.parse.urlencode(form).encode(),
                "application/x-www-form-urlencoded",
                {},
            )
        except _Unauthorised:
            raise RegisterRefused() from None
        token, seconds = answer.get("access_token"), answer.get("expires_in", 60)
        if not isinstance(token, str) or not token or not isinstance(seconds, int | float):
            raise RegisterRefused()
        self._token, self._token_until = token, self._clock() + seconds - _TOKEN_MARGIN_S
        return token

    def _send(self, url: str, body: bytes, kind: str, headers: Mapping[str, str]) -> Mapping[str, Any]:
        request = urllib.request.Request(
            url, body, {"Content-Type": kind, "Accept": "application/json", **headers}, method="POST"
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                found = json.loads(answer.read(_LARGEST))
        except urllib.error.HTTPError as error:
            if error.code == 401:
                raise _Unauthorised() from None
            if error.code in (408, 429) or error.code >= 500:
                raise RegisterAway() from None
            if error.code == 400:
                raise QuestionRefused() from None
            raise RegisterRefused(f"{RegisterRefused.__doc__} It answered {error.code}.") from None
        except OSError:
            raise RegisterAway() from None
        except ValueError:
            raise RegisterRefused("The register's answer is no JSON: is this the right address?") from None
        if not isinstance(found, dict):
            raise RegisterRefused("The register's answer is of another shape: is this the right address?")
        return found


class _Unauthorised(Exception):
    """The register does not know us; internal to a line."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A number that belongs to somebody is sent to the address in the settings and to no other."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow nothing; the answer then counts as a refusal."""
        return


class Brp:
    """The national register of persons (BRP Personen bevragen, v2)."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def ask(self, question: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """The persons that answer a question of `residency`. Raises what `Line.post` raises."""
        found = self._line.post(question).get("personen")
        if not isinstance(found, list):
            raise RegisterRefused("The register's answer holds no `personen`: is this the right address?")
        return [one for one in found if isinstance(one, dict)]


class DebtHelp:
    """The municipality's own register of debt help: known there, yes or no."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def knows(self, bsn: str) -> bool:
        """Whether this person is being helped. Raises `RegisterAway`, `RegisterRefused`."""
        found = self._line.post({"burgerservicenummer": bsn}).get("bekend")
        if not isinstance(found, bool):
            raise RegisterRefused(
                "The register's answer holds no `bekend` (true or false): is this the right address?"
            )
        return found
