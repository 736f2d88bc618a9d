"""How people come in and go out: by password, by the OIDC provider, and in which language."""

from __future__ import annotations

import logging
from functools import cache

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from bereik.store import board
from bereik.store.accounts import has_password, hash_password, verify_password
from bereik.web.desk import Desk, Form, language_of, local_path
from bereik.web.oidc import FLOW_SECONDS, LoginFailed, Provider, ProviderAway
from bereik.web.session import MAX_AGE_SECONDS
from bereik.web.texts import LANGUAGES, text

log = logging.getLogger(__name__)

# What a browser keeps while it is at the provider.
_FLOW_COOKIE, _FLOW_PATH = "bereik_login", "/login"
# The provider's ID token, which it wants to see again at logging out; the browser sends it there only.
_TOKEN_COOKIE, _TOKEN_PATH = "bereik_token", "/logout"
# Browsers keep cookies of 4,096 bytes, name and attributes included.
_MOST_TOKEN_BYTES = 3_800


def add_sessions(app: FastAPI, desk: Desk) -> None:
    """The log-in page, logging out, and the choice of language."""

    @app.get("/login")
    def login_page(request: Request) -> Response:
        session = desk.session(request)
        onward = local_path(request.query_params.get("next"))
        if session is not None and session.username is not None:
            with board.as_user(desk.store, session.username) as tx:
                found = board.account(tx, session.username)
            if found is not None and desk.holds(session, found[1]):
                return RedirectResponse(onward, 303)
            session = None
        return desk.login(request, session, onward=onward)

    @app.post("/login")
    def login(request: Request, form: Form) -> Response:
        if not desk.passwords:
            raise HTTPException(405)
        session = desk.checked(request, form)
        username, onward = form.get("username", "").strip()[:100], local_path(form.get("next"))
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
    def logout(request: Request, form: Form) -> Response:
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
    def language(request: Request, form: Form) -> Response:
        session = desk.checked(request, form)
        wanted = form.get("language", "")
        if wanted not in LANGUAGES:
            raise HTTPException(400)
        response = RedirectResponse(local_path(form.get("next")), 303)
        desk.give(request, response, session.speaking(wanted))
        return response


def add_provider(app: FastAPI, desk: Desk, provider: Provider) -> None:
    """The way to the provider and back."""

    def refuse(request: Request, status: int, code: str, **values: str) -> Response:
        session = desk.session(request)
        language = session.language if session else language_of(request)
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
        place, errand = provider.leave(local_path(request.query_params.get("next")))
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


@cache
def _nobody() -> str:
    """Guessed at when a name does not exist, so that both answers take the same time."""
    return hash_password("nobody has this password")
