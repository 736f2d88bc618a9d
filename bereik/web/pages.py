"""The board: one's own cases, why each is here, and who may meet whom. Server-rendered; no JavaScript.

What a user may see is decided by row security in PostgreSQL (bereik/store/board.py), not here. This module chooses,
words and draws.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from bereik.bridge import CONSENT
from bereik.bundle import Bundle
from bereik.days import local_day
from bereik.keys import Keyring
from bereik.residency import OFFER_ANSWERED, REPAIRED, Choice
from bereik.settings import Entrance
from bereik.store import Store, board
from bereik.store import errands as errand_rows
from bereik.verdicts import DecidedBefore
from bereik.web import cases, errands, flows, holders, plan, reviews, tray
from bereik.web.desk import Desk, Form, Guard, add_errors, add_probes, language_of
from bereik.web.entrance import add_provider, add_sessions
from bereik.web.filters import PAGE_SIZE, Chosen, Part, page_asked, picker
from bereik.web.texts import local, long_date, text
from bereik.web.words import Words
from bereik.workload import FOR_THE_MANAGER

# How long a manager sees on the board what was told.
_NEWS = timedelta(days=7)


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
    desk = Desk(store, bundle_source, secret, entrance, clock)

    app = FastAPI(title="Bereik", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, error_page=desk.error, https=desk.https)
    add_errors(app, desk)
    add_probes(app, desk)
    add_sessions(app, desk)
    if desk.provider is not None:
        add_provider(app, desk, desk.provider)
    _add_public(app, desk)
    _add_pages(app, desk)
    if keyring is not None:
        _add_reviews(app, desk, reviews.Reviewing(keyring))
    return app


def _add_public(app: FastAPI, desk: Desk) -> None:
    @app.get("/zo-bereiken-wij-u/{code}")
    def reach(request: Request, code: str) -> Response:
        """What a municipality promises its residents; for everybody, without logging in."""
        town = desk.bundle().municipalities.get(code)
        if town is None or town.reach is None:
            raise HTTPException(404)
        session = desk.session(request)
        language = session.language if session else language_of(request)
        return desk.page(
            request, "reach.html", session, None, town=town.name, reach=town.reach,
            adopted_on=long_date(town.reach.adopted_on, language), review=long_date(town.reach.review, language),
        )  # fmt: skip


def _add_pages(app: FastAPI, desk: Desk) -> None:
    @app.get("/")
    def overview(request: Request) -> Response:
        bundle, now = desk.bundle(), desk.clock()
        with desk.visitor(request) as visitor:
            chosen = Chosen.read(request.query_params, bundle, now)
            choices = board.choices(visitor.tx, chosen.filters)
            chosen = chosen.with_default_month(choices)
            totals = board.totals(visitor.tx, chosen.filters, chosen.today, chosen.soon)
            part = Part.asked(chosen.page, totals.cases, lambda number: chosen.link(page=number))
            rows = board.cases(visitor.tx, chosen.filters, PAGE_SIZE, part.offset)
            types = board.types_of(visitor.tx, rows)
            bridges = board.bridges(visitor.tx, [row.case_id for row in rows])
            active = board.active_signals(visitor.tx, rows)
            facts = board.facts(visitor.tx, rows)
            doubts = len(tray.waiting(board.register_facts(visitor.tx)))
            offers = len(board.offers(visitor.tx))
            told = board.told_managers(visitor.tx, FOR_THE_MANAGER, now - _NEWS)
        words = Words(bundle, visitor.session.language)
        steps = {
            row.case_id: plan.next_step(
                plan.seen(row, active.get(row.case_id, ()), facts.get(row.subject, {}), bundle, chosen.today), row, bundle,
                words.language, chosen.today,
            )
            for row in rows
        }  # fmt: skip
        return desk.page(
            request, "board.html", visitor.session, visitor.account, nav="board", greeting=_greeting(now), totals=totals,
            doubts=doubts, offers=offers, told=[cases.told_manager(row, words) for row in told],
            cards=[
                cases.card(row, types.get(row.case_id, ()), bridges, words, chosen.today) | {"next": steps[row.case_id]}
                for row in rows
            ],
            picker=picker(chosen, choices, words), chosen=chosen, part=part,
            teams=words.team_names(visitor.account),
        )  # fmt: skip

    @app.get("/cases/{case_id}")
    def case(request: Request, case_id: str) -> Response:
        bundle, now = desk.bundle(), desk.clock()
        with desk.visitor(request) as visitor:
            try:
                row = board.case(visitor.tx, str(UUID(case_id)))
            except ValueError:
                row = None
            if row is None:
                # The same answer whether it is another team's or does not exist.
                raise HTTPException(404)
            signals = board.signals(visitor.tx, row)
            alerts = board.alerts(visitor.tx, row.case_id)
            bridges = board.bridges(visitor.tx, [row.case_id])
            announced = board.announced(visitor.tx, row.case_id)
            asked = errand_rows.asked(visitor.tx, CONSENT, row.case_id)
            active = board.active_signals(visitor.tx, [row]).get(row.case_id, [])
            facts = board.facts(visitor.tx, [row]).get(row.subject, {})
            sha256 = board.bundle_sha(visitor.tx, row.bundle_id)
            board.note(visitor.tx, visitor.account.username, "case.viewed", row.purpose, row.case_id)
        words = Words(bundle, visitor.session.language)
        today = local_day(now)
        view = plan.seen(row, active, facts, bundle, today)
        stated = facts.get(row.case_id, [])
        tabs, signals = holders.split(
            row.decision.get("people", ()), signals, request.query_params.get("who")
        )
        return desk.page(
            request, "case.html", visitor.session, visitor.account, nav="board",
            case=cases.case(row, signals, alerts, bridges, sha256, words, today),
            announced=errands.announced(announced, row, asked, words, now), looks_again=errands.waits(asked, now),
            holders=tabs,
            reach=plan.page(view, row, stated, bundle, words.language, today) if view else None,
        )  # fmt: skip

    @app.post("/cases/{case_id}/consent")
    def confirm(request: Request, case_id: str, form: Form) -> Response:
        """Somebody confirmed in a conversation what a partner reported."""
        desk.checked(request, form)
        with desk.visitor(request) as visitor:
            row = board.case(visitor.tx, _id(case_id))
            found = board.announced(visitor.tx, row.case_id) if row is not None else []
            told = next(
                (one for one in found if (one.person_id, one.toward) == (form.get("person"), form.get("toward"))), None
            )  # fmt: skip
            if row is None or told is None:
                # Confirmed by a colleague, withdrawn, or never there: the page shows how it stands.
                raise HTTPException(404)
            errand_rows.ask(
                visitor.tx, row.purpose, CONSENT, row.case_id, errands.detail(told), visitor.account.username
            )
        return RedirectResponse(f"/cases/{row.case_id}", 303)

    @app.get("/offers")
    def offers(request: Request) -> Response:
        bundle, now = desk.bundle(), desk.clock()
        with desk.visitor(request) as visitor:
            found = board.offers(visitor.tx)
            asked = errand_rows.asked(visitor.tx, OFFER_ANSWERED)
        words = Words(bundle, visitor.session.language)
        return desk.page(
            request, "offers.html", visitor.session, visitor.account, nav="offers", rows=errands.offers(found, asked, words, now),
            answered=errands.answers(asked, words), looks_again=errands.waits(asked, now),
        )  # fmt: skip

    @app.post("/offers/{transfer_id}")
    def answer(request: Request, transfer_id: str, form: Form) -> Response:
        """The new municipality takes a mover's case over, or does not."""
        desk.checked(request, form)
        if form.get("answer") not in ("yes", "no"):
            raise HTTPException(400)
        with desk.visitor(request) as visitor:
            wanted = _id(transfer_id)
            offer = next((one for one in board.offers(visitor.tx) if one.transfer_id == wanted), None)
            if offer is None:
                raise HTTPException(404)
            answered = {"accepted": form["answer"] == "yes", "case_id": offer.case_id}
            errand_rows.ask(
                visitor.tx, offer.purpose, OFFER_ANSWERED, wanted, answered, visitor.account.username
            )
        return RedirectResponse("/offers", 303)

    @app.get("/tray")
    def doubts(request: Request) -> Response:
        bundle, now = desk.bundle(), desk.clock()
        with desk.visitor(request) as visitor:
            found = tray.waiting(board.register_facts(visitor.tx))
            part = Part.asked(
                page_asked(request.query_params), len(found), lambda number: f"/tray?page={number}"
            )
            shown = found[part.offset : part.offset + PAGE_SIZE]
            held = board.held_events(visitor.tx, [case.case_id for case, _ in shown])
            asked = errand_rows.asked(visitor.tx, REPAIRED)
        words = Words(bundle, visitor.session.language)
        return desk.page(
            request, "tray.html", visitor.session, visitor.account, nav="tray",
            rows=tray.rows(shown, held, asked, visitor.account.username, words, now), choices=tray.choices(words), part=part,
            decided=tray.decided(asked, {(case.case_id, one.person_id) for case, one in found}, words),
            looks_again=errands.waits(asked, now),
        )  # fmt: skip

    @app.post("/tray/{case_id}")
    def decide(request: Request, case_id: str, form: Form) -> Response:
        """Somebody decides whether this is the person that the register has."""
        desk.checked(request, form)
        if form.get("choice") not in list(Choice):
            raise HTTPException(400)
        with desk.visitor(request) as visitor:
            wanted = (_id(case_id), form.get("person"))
            found = tray.waiting(board.register_facts(visitor.tx))
            case = next((case for case, one in found if (case.case_id, one.person_id) == wanted), None)
            if case is None:
                # Decided by a colleague, another team's, or never there.
                raise HTTPException(404)
            chosen = {"person_id": wanted[1], "choice": form["choice"]}
            errand_rows.ask(
                visitor.tx, case.purpose, REPAIRED, case.case_id, chosen, visitor.account.username
            )
        return RedirectResponse(f"/tray?page={page_asked(request.query_params)}", 303)

    @app.get("/flows")
    def meetings(request: Request) -> Response:
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
        words = Words(bundle, visitor.session.language)
        today = local_day(desk.clock())
        return desk.page(
            request, "flows.html", visitor.session, visitor.account, nav="flows",
            flows=flows.flows(gates, counts, seen, words, today),
            municipalities=[(code, words.municipality(code)) for code in mine],
            municipality=wanted if wanted in mine else "",
        )  # fmt: skip


def _add_reviews(app: FastAPI, desk: Desk, reviewing: reviews.Reviewing) -> None:
    @app.get("/reviews")
    def waiting(request: Request) -> Response:
        bundle = desk.bundle()
        with desk.visitor(request) as visitor:
            found = reviewing.waiting(visitor.tx, visitor.account, bundle)
            if not found and not visitor.account.reviews:
                raise HTTPException(404)
            figures = reviewing.figures(visitor.tx, visitor.account, desk.clock())
        words = Words(bundle, visitor.session.language)
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
        sheet = reviews.sheet(found, visitor.account.username, Words(bundle, language))
        return desk.page(
            request, "review.html", visitor.session, visitor.account, 409 if problem else 200, nav="reviews", review=sheet,
            problem=text(problem, language) if problem else "",
        )  # fmt: skip

    @app.get("/reviews/{signal_id}")
    def review(request: Request, signal_id: str) -> Response:
        return opened(request, signal_id)

    @app.post("/reviews/{signal_id}")
    def answer(request: Request, signal_id: str, form: Form) -> Response:
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


def _id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise HTTPException(404) from None


def _greeting(now: datetime) -> str:
    hour = local(now).hour
    return "board.morning" if hour < 12 else "board.afternoon" if hour < 18 else "board.evening"
