"""A small OpenID Connect provider over real HTTP, with keys of its own, for fictional people; and it can lie.

It is strict where a provider must be: the redirect URI to the letter, PKCE with S256, the client's secret in the header, a code
that counts once. `lie` makes the next ID tokens wrong in one way.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jwt.algorithms import RSAAlgorithm

CLIENT, SECRET = "bereik-board", "a client secret: with / signs & spaces"


@contextmanager
def serving(make: Callable[[int], Any]) -> Iterator[int]:
    """Serve an ASGI application on a free port of this machine. `make` gets the port, because addresses hold it."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(make(port), access_log=False, log_level="warning"))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join(10)


class FictionalProvider:
    """Lets anybody in who types a name. The name is the token's `sub`; with "+" after it they used a second factor."""

    def __init__(self, port: int) -> None:
        # Not the board's host name: for a browser it is another site.
        self.issuer = f"http://localhost:{port}"
        self.lie = ""
        self.asked: list[dict[str, str]] = []
        self._redirect_uri = self._after_logout = ""
        self._codes: dict[str, dict[str, str]] = {}
        self._sessions: dict[str, str] = {}
        self.renew_keys()
        self._stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.app = FastAPI()
        self._add_description()
        self._add_people()
        self._add_token()

    def register(self, board: str) -> None:
        """Know the board at this address, and where people go back to."""
        self._redirect_uri, self._after_logout = f"{board}/login/callback", f"{board}/login"

    def renew_keys(self) -> None:
        """Sign with a new key from now on, and publish it."""
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._kid = secrets.token_hex(4)

    def _add_description(self) -> None:
        @self.app.get("/.well-known/openid-configuration")
        def description() -> Any:
            return {
                "issuer": "https://somebody.else.example" if self.lie == "description" else self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "end_session_endpoint": f"{self.issuer}/logout",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
            }

        @self.app.get("/keys")
        def keys() -> Any:
            mine = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
            # A key for another use, which no signature may be checked with.
            other = json.loads(RSAAlgorithm.to_jwk(self._stranger.public_key()))
            return {
                "keys": [{**mine, "kid": self._kid, "use": "sig"}, {**other, "kid": "seals", "use": "enc"}]
            }

    def _add_people(self) -> None:
        @self.app.get("/authorize")
        def authorize(request: Request) -> Response:
            asked = dict(request.query_params)
            self.asked.append(asked)
            right = (
                asked.get("client_id") == CLIENT
                and asked.get("redirect_uri") == self._redirect_uri
                and asked.get("response_type") == "code"
                and asked.get("code_challenge_method") == "S256"
                and "openid" in asked.get("scope", "").split()
                and len(asked.get("state", "")) >= 22
                and len(asked.get("nonce", "")) >= 22
            )
            if not right:
                return HTMLResponse("wrong request", 400)
            if user := self._sessions.get(request.cookies.get("op", "")):
                return self._back(asked, user)
            hidden = escape(urlencode(asked), quote=True)
            return HTMLResponse(
                f'<form method="post" action="/authorize"><input type="hidden" name="asked" value="{hidden}">'
                '<input id="user" name="user"><button id="enter">enter</button></form>'
            )

        @self.app.post("/authorize")
        async def enter(request: Request) -> Response:
            form = dict(parse_qsl((await request.body()).decode()))
            answer = self._back(dict(parse_qsl(form["asked"])), form["user"])
            sid = secrets.token_hex(8)
            self._sessions[sid] = form["user"]
            answer.set_cookie("op", sid, httponly=True)
            return answer

        @self.app.get("/logout")
        def logout(request: Request) -> Response:
            asked = dict(request.query_params)
            hint = jwt.decode(
                asked["id_token_hint"],
                self._key.public_key(),
                algorithms=["RS256"],
                audience=CLIENT,
                options={"verify_exp": False},
            )
            if hint["aud"] != CLIENT or asked["post_logout_redirect_uri"] != self._after_logout:
                return HTMLResponse("wrong request", 400)
            self._sessions.clear()
            return RedirectResponse(self._after_logout, 303)

    def _back(self, asked: dict[str, str], user: str) -> Response:
        if user == "nobody":
            answer = {"error": "access_denied"}
        else:
            code = secrets.token_urlsafe(16)
            self._codes[code] = {**asked, "user": user}
            answer = {"code": code}
        answer |= {
            "state": asked["state"],
            "iss": "https://mix-up.example" if self.lie == "mix-up" else self.issuer,
        }
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 303)

    def _add_token(self) -> None:
        @self.app.post("/token")
        async def token(request: Request) -> Response:
            form = dict(parse_qsl((await request.body()).decode()))
            client, _, secret = (
                base64.b64decode(request.headers["authorization"].partition(" ")[2]).decode().partition(":")
            )
            quoted = dict(parse_qsl(f"id={client}&secret={secret}"))
            if quoted != {"id": CLIENT, "secret": SECRET} or self.lie == "client":
                return JSONResponse({"error": "invalid_client"}, 401)
            asked = self._codes.pop(form.get("code", ""), None)
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            right = (
                asked is not None
                and form.get("redirect_uri") == asked["redirect_uri"]
                and base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
            )
            if not right or asked is None:
                return JSONResponse({"error": "invalid_grant"}, 400)
            return JSONResponse(
                {"access_token": "unused", "token_type": "Bearer", "id_token": self._signed(asked)}
            )

    def _signed(self, asked: dict[str, str]) -> str:
        now, user = int(time.time()), asked["user"]
        claims: dict[str, Any] = {
            "iss": self.issuer, "sub": user.rstrip("+"), "aud": CLIENT, "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], "acr": "3" if user.endswith("+") else "1",
        }  # fmt: skip
        claims |= {
            "nonce": {"nonce": "another nonce"},
            "audience": {"aud": "another-client"},
            "azp": {"aud": [CLIENT, "another-client"], "azp": "another-client"},
            "issuer": {"iss": "https://somebody.else.example"},
            "expired": {"iat": now - 3_600, "exp": now - 3_300},
            "early": {"nbf": now + 3_600},
            "subject": {"sub": 7},
        }.get(self.lie, {})
        if self.lie == "no-expiry":
            del claims["exp"]
        header = {"kid": self._kid}
        if self.lie == "none":
            return jwt.encode(claims, None, "none", headers=header)
        if self.lie == "hs256":
            return jwt.encode(claims, SECRET, "HS256", headers=header)
        if self.lie == "stranger":
            return jwt.encode(claims, self._stranger, "RS256", headers=header)
        if self.lie == "seal":
            return jwt.encode(claims, self._stranger, "RS256", headers={"kid": "seals"})
        made = jwt.encode(claims, self._key, "RS256", headers=header)
        if self.lie == "torn":
            head, body, _ = made.split(".")
            return f"{head}.{body[:-2]}xx.{'A' * 20}"
        return made
