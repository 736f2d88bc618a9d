"""What all pages of the board share: sessions, templates, forms with a token, headers on every answer, and what goes wrong."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bereik.bundle import Bundle
from bereik.settings import Entrance
from bereik.store import SchemaIsOld, Store, StoreUnavailable, Tx, board
from bereik.store.accounts import Account, has_password
from bereik.web.oidc import Provider
from bereik.web.session import MAX_AGE_SECONDS, Brake, Session, Sessions
from bereik.web.texts import text

log = logging.getLogger(__name__)

COOKIE = "bereik_session"
# The longest form of the board is the login: two short fields, a token and a path.
_MOST_FORM_BYTES = 8_192
_STATIC = {"board.css": "text/css", "icon.svg": "image/svg+xml"}

# Nothing from elsewhere, no script, no inline style, in no frame, in no cache, and no address passed on.
_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)


def _static_file(name: str, kind: str) -> tuple[str, tuple[bytes, str]]:
    content = (Path(__file__).parent / "static" / name).read_bytes()
    stem, _, ending = name.partition(".")
    return f"{stem}-{hashlib.sha256(content).hexdigest()[:12]}.{ending}", (content, kind)


class NotLoggedIn(Exception):
    """Nobody is logged in, so the log-in page comes first."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks for a page, within the transaction in which they may see what is theirs."""

    session: Session
    account: Account
    tx: Tx


class Guard:
    """Puts the security headers on every answer, and turns what nobody foresaw into a page without a trace of data."""

    def __init__(self, app: ASGIApp, error_page: Callable[[Request, int], Response], https: bool) -> None:
        self._app = app
        self._error_page = error_page
        # A year, as the Dutch baseline for websites (Forum Standaardisatie) asks.
        self._headers = (
            *_HEADERS,
            *([(b"strict-transport-security", b"max-age=31536000")] if https else []),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = [*message.get("headers", ()), *self._headers]
                if not any(name.lower() == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message["headers"] = headers
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            # The kind only, and no trace: a database error may quote a value.
            log.error("board: %s while answering", type(error).__name__)
            if not started:
                await self._error_page(Request(scope), 500)(scope, receive, send_with_headers)


class Desk:
    """What all pages share: the store, the rules, sessions, templates and the clock."""

    def __init__(
        self,
        store: Store,
        bundle_source: Callable[[], Bundle],
        secret: bytes,
        entrance: Entrance,
        clock: Callable[[], datetime],
    ) -> None:
        self.store = store
        self.passwords = entrance.passwords
        self.provider = Provider(entrance.provider, entrance.url, secret) if entrance.provider else None
        self.https = entrance.url.startswith("https:")
        self.bundle = bundle_source
        self.sessions = Sessions(secret)
        self.brake = Brake()
        self.clock = clock
        self.files = dict(_static_file(name, kind) for name, kind in _STATIC.items())
        self.templates = Environment(
            loader=PackageLoader("bereik.web"), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip

    def _address(self, start: str, end: str) -> str:
        return "/static/" + next(name for name in self.files if name.startswith(start) and name.endswith(end))

    def session(self, request: Request) -> Session | None:
        """The session of the request's cookie."""
        return self.sessions.read(request.cookies.get(COOKIE))

    def checked(self, request: Request, form: Mapping[str, str]) -> Session:
        """The session whose form this is. Raises 403 for a form without that session's token."""
        session = self.session(request)
        if session is None or not _same(form.get("csrf", ""), self.sessions.token(session)):
            raise HTTPException(403)
        return session

    @contextmanager
    def visitor(self, request: Request) -> Iterator[Visitor]:
        """The logged-in user, in one transaction. Raises `NotLoggedIn`, also when their password has changed since."""
        session = self.session(request)
        if session is None or session.username is None:
            raise NotLoggedIn
        with board.as_user(self.store, session.username) as tx:
            found = board.account(tx, session.username)
            if found is None or not self.holds(session, found[1]):
                raise NotLoggedIn
            yield Visitor(session, found[0], tx)

    def holds(self, session: Session, stored: str) -> bool:
        """Whether a session is still of the account as it is now, and its way to log in still open."""
        way_is_open = self.passwords if has_password(stored) else self.provider is not None
        return way_is_open and self.sessions.seal(stored) == session.seal

    def login(
        self,
        request: Request,
        session: Session | None,
        status: int = 200,
        *,
        onward: str,
        username: str = "",
        problem: str = "",
    ) -> HTMLResponse:
        """The page to log in on, with what went wrong the last time."""
        return self.page(
            request, "login.html", session, None, status, onward=onward, username=username, problem=problem,
            passwords=self.passwords, provider=self.provider is not None and f"/login/provider?{urlencode({'next': onward})}",
        )  # fmt: skip

    def page(
        self,
        request: Request,
        name: str,
        session: Session | None,
        account: Account | None = None,
        status: int = 200,
        **values: Any,
    ) -> HTMLResponse:
        """Render a template. A visitor without a session gets one, because forms need its token."""
        fresh = session is None
        session = session or self.sessions.new(language_of(request))
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        # Of those pages there is nothing to come back to: a form's answer, and the way back from a provider.
        returns = request.method == "GET" and not here.startswith("/login/")
        html = self.templates.get_template(name).render(
            t=lambda key, **more: text(key, session.language, **more),
            language=session.language,
            csrf=self.sessions.token(session),
            account=account,
            css=self._address("board", ".css"),
            icon=self._address("icon", ".svg"),
            here=here if returns else "/",
            **values,
        )
        response = HTMLResponse(html, status)
        if fresh:
            self.give(request, response, session)
        return response

    def give(self, request: Request, response: Response, session: Session) -> None:
        """Set the session's cookie. Lax, so that a link in a mail and the way back from a provider find it; every form has
        a token of its own."""
        response.set_cookie(
            COOKIE, self.sessions.write(session), max_age=MAX_AGE_SECONDS, path="/", httponly=True, samesite="lax",
            secure=self.secure(request),
        )  # fmt: skip

    def secure(self, request: Request) -> bool:
        """Whether cookies may travel over https only: what people open decides, also where a proxy ended TLS."""
        return self.https or request.url.scheme == "https"

    def error(self, request: Request, status: int) -> HTMLResponse:
        """One page per kind of error, that tells nothing but its kind."""
        known = status if status in (400, 403, 404, 405, 503) else 500 if status >= 500 else 400
        session = self.session(request)
        return self.page(
            request,
            "error.html",
            session,
            None,
            status,
            kind=known,
            logged_in=bool(session and session.username),
        )


def _same(given: str, expected: str) -> bool:
    return hashlib.sha256(given.encode()).digest() == hashlib.sha256(expected.encode()).digest()


async def form(request: Request) -> dict[str, str]:
    """The posted form. Raises 400 for what is too long or not a form; a field given twice counts once, the last time."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST_FORM_BYTES:
            raise HTTPException(400)
    try:
        return dict(
            parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=20, errors="strict")
        )
    except ValueError:
        raise HTTPException(400) from None


Form = Annotated[dict[str, str], Depends(form)]


def language_of(request: Request) -> str:
    """Dutch, unless the browser prefers English."""
    first = request.headers.get("accept-language", "").split(",")[0].strip().lower()
    return "en" if first.startswith("en") else "nl"


def local_path(path: str | None) -> str:
    """A path of this site to go on to; "/" for anything else, so that nobody is sent elsewhere."""
    ours = (
        path
        and path.startswith("/")
        and not path.startswith("//")
        and "\\" not in path
        and path.isprintable()
    )
    return path if ours and path else "/"


def add_errors(app: FastAPI, desk: Desk) -> None:
    """Pages for what goes wrong; whoever is not logged in is led to the log-in page and back."""

    @app.exception_handler(NotLoggedIn)
    def to_login(request: Request, _: Exception) -> Response:
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        onward = "" if path == "/" or request.method != "GET" else "?" + urlencode({"next": path})
        return RedirectResponse(f"/login{onward}", 303)

    @app.exception_handler(HTTPException)
    def of_http(request: Request, error: Exception) -> Response:
        return desk.error(request, error.status_code if isinstance(error, HTTPException) else 500)

    @app.exception_handler(StoreUnavailable)
    def unavailable(request: Request, _: Exception) -> Response:
        response = desk.error(request, 503)
        response.headers["retry-after"] = "30"
        return response


def add_probes(app: FastAPI, desk: Desk) -> None:
    """Whether it lives and may serve, for who watches it; and the files that never change."""

    @app.get("/healthz")
    def healthz() -> JSONResponse:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    @app.get("/readyz")
    def readyz() -> JSONResponse:
        """The process can serve pages: database reachable, schema right, a bundle active."""
        checks = {"database": "ok", "schema": "ok", "bundle": "ok"}
        try:
            desk.store.check_schema()
        except SchemaIsOld:
            checks["schema"] = "other version"
        except StoreUnavailable:
            checks["database"] = "unreachable"
        except Exception as error:
            checks["schema"] = f"not readable ({type(error).__name__})"
        try:
            desk.bundle()
        except Exception as error:
            checks["bundle"] = f"none ({type(error).__name__})"
        ready = set(checks.values()) == {"ok"}
        return JSONResponse(
            {"status": "ready" if ready else "not ready", "checks": checks}, 200 if ready else 503
        )

    @app.get("/static/{name}")
    def static(name: str) -> Response:
        """A file under a name that changes with its content."""
        if name not in desk.files:
            raise HTTPException(404)
        content, kind = desk.files[name]
        return Response(
            content, media_type=kind, headers={"cache-control": "public, max-age=31536000, immutable"}
        )
