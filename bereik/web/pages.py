"""The board: log in, one's own cases, why each is here, and who may meet whom. Server-rendered; no JavaScript.

What a user may see is decided by row security in PostgreSQL (bereik/store/board.py), not here. This module chooses,
words and draws.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bereik.bundle import Bundle
from bereik.contact import FOR_THE_MANAGER
from bereik.keys import Keyring
from bereik.settings import Entrance
from bereik.store import SchemaIsOld, Store, StoreUnavailable, Tx, board
from bereik.store.accounts import Account, has_password, hash_password, verify_password
from bereik.verdicts import DecidedBefore
from bereik.web import holders, plan, reviews, tray, views
from bereik.web.oidc import FLOW_SECONDS, LoginFailed, Provider, ProviderAway
from bereik.web.session import MAX_AGE_SECONDS, Brake, Session, Sessions
from bereik.web.texts import AMSTERDAM, LANGUAGES, long_date, text

log = logging.getLogger(__name__)

COOKIE = "bereik_session"
# What a browser keeps while it is at the provider.
_FLOW_COOKIE, _FLOW_PATH = "bereik_login", "/login"
# The provider's ID token, which it wants to see again at logging out; the browser sends it there only.
_TOKEN_COOKIE, _TOKEN_PATH = "bereik_token", "/logout"
# Browsers keep cookies of 4,096 bytes, name and attributes included.
_MOST_TOKEN_BYTES = 3_800
PAGE_SIZE = 50
# How long a manager sees on the board what was told.
_NEWS = timedelta(days=7)
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


@cache
def _nobody() -> str:
    """Guessed at when a name does not exist, so that both answers take the same time."""
    return hash_password("nobody has this password")


def _static_file(name: str, kind: str) -> tuple[str, tuple[bytes, str]]:
    content = (Path(__file__).parent / "static" / name).read_bytes()
    stem, _, ending = name.partition(".")
    return f"{stem}-{hashlib.sha256(content).hexdigest()[:12]}.{ending}", (content, kind)


class _NotLoggedIn(Exception):
    """Nobody is logged in, so the log-in page comes first."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks for a page, within the transaction in which they may see what is theirs."""

    session: Session
    account: Account
    tx: Tx


class _Guard:
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


class _Board:
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
        """The logged-in user, in one transaction. Raises `_NotLoggedIn`, also when their password has changed since."""
        session = self.session(request)
        if session is None or session.username is None:
            raise _NotLoggedIn
        with board.as_user(self.store, session.username) as tx:
            found = board.account(tx, session.username)
            if found is None or not self.holds(session, found[1]):
                raise _NotLoggedIn
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
        session = session or self.sessions.new(_language_of(request))
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


async def _form(request: Request) -> dict[str, str]:
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


_Form = Annotated[dict[str, str], Depends(_form)]


def _language_of(request: Request) -> str:
    """Dutch, unless the browser prefers English."""
    first = request.headers.get("accept-language", "").split(",")[0].strip().lower()
    return "en" if first.startswith("en") else "nl"


def _local_path(path: str | None) -> str:
    """A path of this site to go on to; "/" for anything else, so that nobody is sent elsewhere."""
    ours = (
        path
        and path.startswith("/")
        and not path.startswith("//")
        and "\\" not in path
        and path.isprintable()
    )
    return path if ours and path else "/"


def create_app(
    store: Store,
    bundle_source: Callable[[], Bundle],
    secret: bytes,
    entrance: Entrance,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    keyring: Keyring | None = None,
) -> FastAPI:
    """The board as an ASGI application. `bundle_source` gives the bundle now active; `secret` signs the sessions.

    Without the keyring no record can be opened, and there are no reviews.
    """
    desk = _Board(store, bundle_source, secret, entrance, clock)

    app = FastAPI(title="Bereik", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(_Guard, error_page=desk.error, https=desk.https)
    _add_errors(app, desk)
    _add_probes(app, desk)
    _add_sessions(app, desk)
    if desk.provider is not None:
        _add_provider(app, desk, desk.provider)
    _add_public(app, desk)
    _add_pages(app, desk)
    if keyring is not None:
        _add_reviews(app, desk, reviews.Reviewing(keyring))
    return app


def _add_errors(app: FastAPI, desk: _Board) -> None:
    @app.exception_handler(_NotLoggedIn)
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


def _add_probes(app: FastAPI, desk: _Board) -> None:
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


def _add_sessions(app: FastAPI, desk: _Board) -> None:
    @app.get("/login")
    def login_page(request: Request) -> Response:
        session = desk.session(request)
        onward = _local_path(request.query_params.get("next"))
        if session is not None and session.username is not None:
            with board.as_user(desk.store, session.username) as tx:
                found = board.account(tx, session.username)
            if found is not None and desk.holds(session, found[1]):
                return RedirectResponse(onward, 303)
            session = None
        return desk.login(request, session, onward=onward)

    @app.post("/login")
    def login(request: Request, form: _Form) -> Response:
        if not desk.passwords:
            raise HTTPException(405)
        session = desk.checked(request, form)
        username, onward = form.get("username", "").strip()[:100], _local_path(form.get("next"))
        wait = desk.brake.attempt(username)
        if wait:
            problem = text("login.wait", session.language, seconds=wait)
            asked_to_wait = desk.login(
                request, session, 429, onward=onward, username=username, problem=problem
            )
            asked_to_wait.headers["retry-after"] = str(wait)
            return asked_to_wait
        # The transaction ends before the guess: a guess takes a fifth of a second and needs no connection.
        with board.as_user(desk.store, username) as tx:
            found = board.account(tx, username)
        if (
            not verify_password(
                form.get("password", "")[:1000], found[1] if found and has_password(found[1]) else _nobody()
            )
            or found is None
            or not has_password(found[1])
        ):
            if found is not None:
                with board.as_user(desk.store, username) as tx:
                    board.note(tx, username, "login.refused")
            problem = text("login.wrong", session.language)
            return desk.login(request, session, 401, onward=onward, username=username, problem=problem)
        desk.brake.right(username)
        account, password_hash = found
        with board.as_user(desk.store, username) as tx:
            board.note(tx, username, "login")
        response = RedirectResponse(onward, 303)
        desk.give(request, response, desk.sessions.login(username, password_hash, account.language))
        return response

    @app.post("/logout")
    def logout(request: Request, form: _Form) -> Response:
        session = desk.checked(request, form)
        desk.sessions.end(session)
        anonymous = desk.sessions.new(session.language)
        token = request.cookies.get(_TOKEN_COOKIE)
        elsewhere = desk.provider.farewell(token) if desk.provider and token is not None else None
        response: Response = RedirectResponse("/login", 303)
        if elsewhere:
            # A page and no redirect: the policy lets a form lead to this site only.
            response = desk.page(request, "onward.html", anonymous, onward=elsewhere)
        desk.give(request, response, anonymous)
        if token is not None:
            response.delete_cookie(_TOKEN_COOKIE, _TOKEN_PATH)
        return response

    @app.post("/language")
    def language(request: Request, form: _Form) -> Response:
        session = desk.checked(request, form)
        wanted = form.get("language", "")
        if wanted not in LANGUAGES:
            raise HTTPException(400)
        response = RedirectResponse(_local_path(form.get("next")), 303)
        desk.give(request, response, session.speaking(wanted))
        return response


def _add_provider(app: FastAPI, desk: _Board, provider: Provider) -> None:
    def refuse(request: Request, status: int, code: str, **values: str) -> Response:
        session = desk.session(request)
        language = session.language if session else _language_of(request)
        response = desk.login(
            request, session, status, onward="/", problem=text(f"login.refused.{code}", language, **values)
        )
        response.delete_cookie(_FLOW_COOKIE, _FLOW_PATH)
        return response

    @app.exception_handler(ProviderAway)
    def away(request: Request, error: Exception) -> Response:
        log.warning("board: %s", error)
        response = refuse(request, 503, "away")
        response.headers["retry-after"] = "30"
        return response

    @app.get("/login/provider")
    def leave(request: Request) -> Response:
        place, errand = provider.leave(_local_path(request.query_params.get("next")))
        response = RedirectResponse(place, 303)
        response.set_cookie(
            _FLOW_COOKIE, errand, max_age=FLOW_SECONDS, path=_FLOW_PATH, httponly=True, samesite="lax",
            secure=desk.secure(request),
        )  # fmt: skip
        return response

    @app.get("/login/callback")
    def come_back(request: Request) -> Response:
        try:
            known = provider.come_back(request.cookies.get(_FLOW_COOKIE), request.query_params)
        except LoginFailed as failed:
            log.warning("board: %s", failed)
            return refuse(request, 403, failed.code)
        with board.as_user(desk.store, known.name) as tx:
            found = board.account(tx, known.name)
            if found is not None and not has_password(found[1]):
                board.note(tx, known.name, "login")
        if found is None or has_password(found[1]):
            log.warning(
                "board: a log in was refused (account): the provider knows somebody who has no account"
            )
            return refuse(request, 403, "account", name=known.name)
        account, stored = found
        response = RedirectResponse(known.onward, 303)
        desk.give(request, response, desk.sessions.login(known.name, stored, account.language))
        response.delete_cookie(_FLOW_COOKIE, _FLOW_PATH)
        fits = len(known.id_token) <= _MOST_TOKEN_BYTES
        response.set_cookie(
            _TOKEN_COOKIE, known.id_token if fits else "", max_age=MAX_AGE_SECONDS, path=_TOKEN_PATH, httponly=True,
            samesite="strict", secure=desk.secure(request),
        )  # fmt: skip
        return response


def _add_public(app: FastAPI, desk: _Board) -> None:
    @app.get("/zo-bereiken-wij-u/{code}")
    def reach(request: Request, code: str) -> Response:
        """What a municipality promises its residents; for everybody, without logging in."""
        town = desk.bundle().municipalities.get(code)
        if town is None or town.reach is None:
            raise HTTPException(404)
        session = desk.session(request)
        language = session.language if session else _language_of(request)
        return desk.page(
            request, "reach.html", session, None, town=town.name, reach=town.reach,
            adopted_on=long_date(town.reach.adopted_on, language), review=long_date(town.reach.review, language),
        )  # fmt: skip


def _add_pages(app: FastAPI, desk: _Board) -> None:
    @app.get("/")
    def cases(request: Request) -> Response:
        bundle, now = desk.bundle(), desk.clock()
        with desk.visitor(request) as visitor:
            chosen = views.Chosen.read(request.query_params, bundle, now)
            choices = board.choices(visitor.tx, chosen.filters)
            chosen = chosen.with_default_month(choices)
            totals = board.totals(visitor.tx, chosen.filters, chosen.today, chosen.soon)
            pages = max(1, -(-totals.cases // PAGE_SIZE))
            page = min(chosen.page, pages)
            rows = board.cases(visitor.tx, chosen.filters, PAGE_SIZE, (page - 1) * PAGE_SIZE)
            types = board.types_of(visitor.tx, rows)
            bridges = board.bridges(visitor.tx, [row.case_id for row in rows])
            active = board.active_signals(visitor.tx, rows)
            facts = board.facts(visitor.tx, rows)
            doubts = len(tray.waiting(board.register_facts(visitor.tx)))
            told = board.told_managers(visitor.tx, FOR_THE_MANAGER, now - _NEWS)
        words = views.Words(bundle, visitor.session.language)
        steps = {
            row.case_id: plan.next_step(
                plan.seen(row, active.get(row.case_id, ()), facts.get(row.subject, {}), bundle, chosen.today), row, bundle,
                words.language, chosen.today,
            )
            for row in rows
        }  # fmt: skip
        return desk.page(
            request, "board.html", visitor.session, visitor.account, nav="board", greeting=_greeting(now), totals=totals,
            doubts=doubts, told=[views.told_manager(row, words) for row in told],
            cards=[
                views.card(row, types.get(row.case_id, ()), bridges, words, chosen.today) | {"next": steps[row.case_id]}
                for row in rows
            ],
            picker=views.picker(chosen, choices, words), chosen=chosen, page=page, pages=pages,
            previous=chosen.link(page=page - 1) if page > 1 else None,
            next=chosen.link(page=page + 1) if page < pages else None,
            teams=words.team_names(visitor.account),
        )  # fmt: skip

    @app.get("/cases/{case_id}")
    def case(request: Request, case_id: str) -> Response:
        bundle, now = desk.bundle(), desk.clock()
        with desk.visitor(request) as visitor:
            try:
                row = board.case(visitor.tx, UUID(case_id))
            except ValueError:
                row = None
            if row is None:
                # The same answer whether it is another team's or does not exist.
                raise HTTPException(404)
            signals = board.signals(visitor.tx, row)
            alerts = board.alerts(visitor.tx, row.case_id)
            bridges = board.bridges(visitor.tx, [row.case_id])
            announced = board.announced(visitor.tx, row.case_id)
            active = board.active_signals(visitor.tx, [row]).get(row.case_id, [])
            facts = board.facts(visitor.tx, [row]).get(row.subject, {})
            sha256 = board.bundle_sha(visitor.tx, row.bundle_id)
            board.note(visitor.tx, visitor.account.username, "case.viewed", row.purpose, row.case_id)
        words = views.Words(bundle, visitor.session.language)
        today = now.astimezone(AMSTERDAM).date()
        view = plan.seen(row, active, facts, bundle, today)
        stated = facts.get(str(row.case_id), [])
        tabs, signals = holders.split(
            row.decision.get("people", ()), signals, request.query_params.get("who")
        )
        return desk.page(
            request, "case.html", visitor.session, visitor.account, nav="board",
            case=views.case(row, signals, alerts, bridges, sha256, words, today),
            announced=views.announced(announced, row, visitor.account.username, words),
            holders=tabs,
            reach=plan.page(view, row, stated, bundle, words.language, today) if view else None,
        )  # fmt: skip

    @app.get("/tray")
    def doubts(request: Request) -> Response:
        bundle = desk.bundle()
        with desk.visitor(request) as visitor:
            found = tray.waiting(board.register_facts(visitor.tx))
        words = views.Words(bundle, visitor.session.language)
        return desk.page(
            request, "tray.html", visitor.session, visitor.account, nav="tray",
            rows=tray.rows(found, visitor.account.username, words), choices=tray.choices(words),
        )  # fmt: skip

    @app.get("/flows")
    def flows(request: Request) -> Response:
        bundle = desk.bundle()
        with desk.visitor(request) as visitor:
            if not visitor.account.sees_flows:
                raise HTTPException(404)
            # Each municipality is a controller of its own: counts of those one works for, no others.
            mine = tuple(sorted({member.municipality for member in visitor.account.members}))
            wanted = request.query_params.get("municipality")
            seen = (wanted,) if wanted in mine and wanted is not None else mine
            gates = board.gate_counts(visitor.tx, seen)
            counts = board.flow_counts(visitor.tx, seen)
        words = views.Words(bundle, visitor.session.language)
        today = desk.clock().astimezone(AMSTERDAM).date()
        return desk.page(
            request, "flows.html", visitor.session, visitor.account, nav="flows",
            flows=views.flows(gates, counts, seen, words, today),
            municipalities=[(code, words.municipality(code)) for code in mine],
            municipality=wanted if wanted in mine else "",
        )  # fmt: skip


def _add_reviews(app: FastAPI, desk: _Board, reviewing: reviews.Reviewing) -> None:
    @app.get("/reviews")
    def waiting(request: Request) -> Response:
        bundle = desk.bundle()
        with desk.visitor(request) as visitor:
            found = reviewing.waiting(visitor.tx, visitor.account, bundle)
            if not found and not visitor.account.reviews:
                raise HTTPException(404)
            figures = reviewing.figures(visitor.tx, visitor.account, desk.clock())
        words = views.Words(bundle, visitor.session.language)
        return desk.page(
            request, "reviews.html", visitor.session, visitor.account, nav="reviews", rows=reviews.queue(found, words),
            figures=reviews.counts(figures, words), days=reviews.FIGURE_DAYS,
        )  # fmt: skip

    def opened(request: Request, signal_id: str, problem: str = "") -> Response:
        bundle = desk.bundle()
        with desk.visitor(request) as visitor:
            language = visitor.session.language
            found = reviewing.open(visitor.tx, visitor.account, bundle, _id(signal_id), language)
            if found is None:
                # The same answer whether it is not for this user, was answered by another, or does not exist.
                raise HTTPException(404)
        sheet = reviews.sheet(found, visitor.account.username, views.Words(bundle, language))
        return desk.page(
            request, "review.html", visitor.session, visitor.account, 409 if problem else 200, nav="reviews", review=sheet,
            problem=text(problem, language) if problem else "",
        )  # fmt: skip

    @app.get("/reviews/{signal_id}")
    def review(request: Request, signal_id: str) -> Response:
        return opened(request, signal_id)

    @app.post("/reviews/{signal_id}")
    def answer(request: Request, signal_id: str, form: _Form) -> Response:
        desk.checked(request, form)
        if form.get("answer") not in reviews.ANSWERS:
            raise HTTPException(400)
        bundle = desk.bundle()
        try:
            with desk.visitor(request) as visitor:
                found = reviewing.answer(visitor.tx, visitor.account, bundle, _id(signal_id), form["answer"])
                if found is None:
                    raise HTTPException(404)
        except DecidedBefore:
            return opened(request, signal_id, "review.opposite")
        return RedirectResponse(f"/reviews/{found.signal_id}", 303)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise HTTPException(404) from None


def _greeting(now: datetime) -> str:
    hour = now.astimezone(AMSTERDAM).hour
    return "board.morning" if hour < 12 else "board.afternoon" if hour < 18 else "board.evening"


def _same(given: str, expected: str) -> bool:
    return hashlib.sha256(given.encode()).digest() == hashlib.sha256(expected.encode()).digest()
