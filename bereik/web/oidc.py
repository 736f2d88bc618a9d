"""Log in through an OpenID Connect provider: the authorization code flow with PKCE (S256), state and nonce.

After OpenID Connect Core 1.0 section 3.1, RFC 7636 (PKCE), RFC 9207 (issuer in the answer), OpenID Connect RP-Initiated Logout
1.0, and NL GOV Assurance profile for OpenID Connect 1.0 where it asks more: an exact redirect URI, chance of 128 bits and more,
signatures by the provider's published keys only. PyJWT judges the token; what is looked at beyond that stands in `_claims`.

The provider says who somebody is. What they may see is in our own tables, which the board cannot write.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import jwt
from itsdangerous import BadSignature, URLSafeTimedSerializer

from bereik.errors import LastingError, TransientError
from bereik.settings import Oidc, is_safe

# Time to log in at the provider, second factor included.
FLOW_SECONDS = 600
# What it signs with. HS256 would make the client secret a key that others may hold; "none" is no signature.
ALGORITHMS = ("PS256", "RS256", "ES256")
# Clocks of the provider and ours may differ this much.
_LEEWAY_SECONDS = 30
# A provider that takes longer than this counts as away. The board's threads must not wait for it in numbers.
_TIMEOUT_SECONDS = 8.0
# The provider's description and keys are asked again after an hour; a key that we do not know at once, but not in a row.
_FRESH_SECONDS, _AGAIN_SECONDS = 3_600.0, 10.0
# What a provider may say that our request was wrong with (RFC 6749, 5.2). Nothing else of its answer is repeated.
_KNOWN_ERRORS = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"}
)


class ProviderAway(TransientError):
    """The OIDC provider does not answer, or not as one. Look at BEREIK_OIDC_ISSUER and the way to it."""


class LoginFailed(LastingError):
    """This log in cannot be believed. `code` says by which check: state, denied, code, token or strength."""

    def __init__(self, code: str, why: str) -> None:
        """`why` is for the log: what did not hold, never anybody's value."""
        super().__init__(f"a log in was refused ({code}): {why}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody whom the provider vouches for. `name` is the claim that names an account; `id_token` is kept for logging out."""

    name: str
    id_token: str
    onward: str


@dataclass(frozen=True, slots=True)
class _Flow:
    """What one browser remembers between leaving for the provider and coming back."""

    state: str
    nonce: str
    verifier: str
    onward: str


class Provider:
    """One OIDC provider, as its discovery document describes it. Asked when somebody logs in, never before."""

    def __init__(self, settings: Oidc, board: str, secret: bytes) -> None:
        """`board` is the address that people open; `secret` signs what a browser keeps under way."""
        self._settings = settings
        self._redirect_uri = f"{board}/login/callback"
        self._home = f"{board}/login"
        self._flows = URLSafeTimedSerializer(
            secret,
            salt="bereik.login",
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )
        # The machine's own authorities (SSL_CERT_FILE when set), as for everything else that leaves it.
        self._authorities = ssl.create_default_context()
        self._lock = threading.Lock()
        self._described: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, tuple[jwt.PyJWK, ...]] | None = None
        self._asked_again_at = float("-inf")

    # ------------------------------------------------------------ there and back

    def leave(self, onward: str) -> tuple[str, str]:
        """Where the browser goes to log in, and the cookie it keeps until it is back. Raises `ProviderAway`."""
        flow = _Flow(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), onward)
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": self._settings.scope,
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": _challenge(flow.verifier),
            "code_challenge_method": "S256",
        }
        claim, values = self._settings.strength or ("", ())
        if claim == "acr":
            asked["acr_values"] = " ".join(values)
        cookie = self._flows.dumps([flow.state, flow.nonce, flow.verifier, onward])
        return _with_query(self._described_at("authorization_endpoint"), asked), str(cookie)

    def come_back(self, cookie: str | None, answer: Mapping[str, str]) -> Known:
        """Who came back. Raises `LoginFailed`, and `ProviderAway` when the provider cannot be asked."""
        flow = self._flow(cookie)
        if flow is None:
            raise LoginFailed("state", "this browser asked nothing, or too long ago")
        if not _same(answer.get("state"), flow.state):
            raise LoginFailed("state", "the answer is to another question")
        # RFC 9207: an answer of another provider is not one. A provider that says this about itself must do it.
        said = answer.get("iss")
        must = self._description().get("authorization_response_iss_parameter_supported") is True
        if said != self._settings.issuer and (said is not None or must):
            raise LoginFailed("state", "the answer names another issuer")
        if "error" in answer or not answer.get("code"):
            raise LoginFailed("denied", "the provider let nobody in")
        token = self._redeem(answer["code"], flow.verifier)
        claims = self._claims(token, flow.nonce)
        return Known(claims[self._settings.claim], token, flow.onward)

    def farewell(self, id_token: str) -> str | None:
        """Where the browser goes to log out at the provider too; None when the provider has no such place or is away."""
        try:
            place = self._description().get("end_session_endpoint")
        except ProviderAway:
            return None
        if not isinstance(place, str) or not is_safe(place):
            return None
        asked = {"client_id": self._settings.client_id, "post_logout_redirect_uri": self._home}
        return _with_query(place, asked | ({"id_token_hint": id_token} if id_token else {}))

    def _flow(self, cookie: str | None) -> _Flow | None:
        try:
            return _Flow(*self._flows.loads(cookie, max_age=FLOW_SECONDS)) if cookie else None
        except (BadSignature, TypeError):
            return None

    # ------------------------------------------------------------ the token

    def _redeem(self, code: str, verifier: str) -> str:
        """The ID token for a code. The client shows its secret in the header where the provider takes that (OIDC Core, 9)."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        client, secret = self._settings.client_id, self._settings.client_secret
        ways = self._description().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        headers = {"accept": "application/json"}
        if "client_secret_basic" in ways:
            pair = f"{quote(client, safe='')}:{quote(secret, safe='')}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": client, "client_secret": secret}
        status, said = self._ask("POST", self._described_at("token_endpoint"), data=form, headers=headers)
        if status >= 500:
            raise ProviderAway()
        token = said.get("id_token")
        if status != 200 or not isinstance(token, str):
            error = said.get("error")
            raise LoginFailed(
                "code",
                f"the provider gave no token ({error if error in _KNOWN_ERRORS else 'no known reason'})",
            )
        return token

    def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token in which everything holds (OIDC Core, 3.1.3.7)."""
        client = self._settings.client_id
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key(token),
                algorithms=ALGORITHMS,
                audience=client,
                issuer=self._settings.issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except jwt.PyJWTError as error:
            # The kind of the error is the check that failed; its text may quote the token.
            raise LoginFailed("token", type(error).__name__) from None
        if not _same(claims.get("nonce"), nonce):
            raise LoginFailed("token", "nonce")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else client) != client:
            raise LoginFailed("token", "azp")
        if self._settings.strength:
            claim, values = self._settings.strength
            found = claims.get(claim)
            if not {one for one in (found if isinstance(found, list) else [found]) if one in values}:
                raise LoginFailed("strength", claim)
        name = claims.get(self._settings.claim)
        if not isinstance(name, str) or not name or len(name) > 255 or not name.isprintable():
            raise LoginFailed("token", "the claim that names the account is absent or no name")
        if self._settings.claim == "email" and claims.get("email_verified") is not True:
            raise LoginFailed("token", "email_verified")
        return claims

    def _key(self, token: str) -> jwt.PyJWK:
        kid = jwt.get_unverified_header(token).get("kid")
        for again in (False, True):
            keys = [key for key in self._published(again) if kid is None or key.key_id == kid]
            if len(keys) == 1:
                return keys[0]
        raise LoginFailed("token", "it is signed with a key that the provider does not publish")

    def _published(self, again: bool) -> tuple[jwt.PyJWK, ...]:
        """The provider's keys for signatures; with `again` asked anew, when that was not just done."""
        with self._lock:
            now = time.monotonic()
            asked_at, keys = self._keys or (float("-inf"), ())
            if now - (self._asked_again_at if again else asked_at) < (
                _AGAIN_SECONDS if again else _FRESH_SECONDS
            ):
                return keys
            if again:
                self._asked_again_at = now
        status, said = self._ask("GET", self._described_at("jwks_uri"))
        found = said.get("keys")
        if status != 200 or not isinstance(found, list):
            raise ProviderAway()
        keys = tuple(key for one in found if isinstance(one, dict) and (key := _signing_key(one)) is not None)
        with self._lock:
            self._keys = (time.monotonic(), keys)
        return keys

    # ------------------------------------------------------------ what the provider says of itself

    def _described_at(self, name: str) -> str:
        place = self._description().get(name)
        if not isinstance(place, str) or not is_safe(place):
            raise ProviderAway(f"The OIDC provider gives no {name} with https.")
        return place

    def _description(self) -> dict[str, Any]:
        with self._lock:
            asked_at, described = self._described or (float("-inf"), {})
            if time.monotonic() - asked_at < _FRESH_SECONDS:
                return described
        status, said = self._ask(
            "GET", f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        )
        if status != 200:
            raise ProviderAway()
        # OIDC Discovery 1.0, 4.3: to the letter, so that nobody describes himself as another.
        if said.get("issuer") != self._settings.issuer:
            raise ProviderAway("BEREIK_OIDC_ISSUER is not, to the letter, what the provider calls itself.")
        with self._lock:
            self._described = (time.monotonic(), said)
        return said

    def _ask(self, method: str, url: str, **more: Any) -> tuple[int, dict[str, Any]]:
        try:
            # A connection each time: a log in is rare, and an old one may be dead.
            answer = httpx.request(
                method,
                url,
                timeout=_TIMEOUT_SECONDS,
                verify=self._authorities,
                follow_redirects=False,
                **more,
            )
            said = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            raise ProviderAway() from None
        return answer.status_code, said if isinstance(said, dict) else {}


def _same(said: object, expected: str) -> bool:
    return isinstance(said, str) and hmac.compare_digest(said.encode(), expected.encode())


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _with_query(url: str, asked: Mapping[str, str]) -> str:
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(asked)}"


def _signing_key(described: dict[str, Any]) -> jwt.PyJWK | None:
    """One key of the provider's set; None for what cannot check a signature of ours."""
    if described.get("kty") not in ("RSA", "EC") or described.get("use", "sig") != "sig":
        return None
    try:
        return jwt.PyJWK(described)
    except jwt.PyJWTError:
        return None
