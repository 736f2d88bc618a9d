"""The board on a real PostgreSQL: who sees what is decided by row security, and nothing else leaks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from html import unescape
from uuid import uuid4

import psycopg
import pytest
from board_world import ENTRANCE, NOW, PASSWORD, World, state, world
from fastapi.testclient import TestClient
from psycopg.types.json import Jsonb
from support import stands_in

from bereik.runtime import Stack
from bereik.store import Store, board
from bereik.store.accounts import (
    Account,
    Membership,
    hash_password,
    put_accounts,
    remove_account,
    verify_password,
)
from bereik.web import create_app
from bereik.web.words import reference

pytestmark = pytest.mark.stack

# Keyed ids as casework has them, of somebody in each case.
PEOPLE = {name: str(uuid4()) for name in ("a-debt", "b-debt", "october", "zuid", "crisis")}


@pytest.fixture(scope="module")
def made(stack: Stack) -> World:
    return world(stack)


@pytest.fixture(scope="module")
def store(made: World) -> Iterator[Store]:
    # One connection: two users must take turns on it.
    one = made.store(pool_size=1)
    yield one
    one.close()


class Browser:
    """A visitor with cookies, who sends forms as pages give them."""

    def __init__(self, made: World, store: Store) -> None:
        app = create_app(
            store, lambda: made.bundle, b"a secret of the tests, 32 bytes.", ENTRANCE, lambda: NOW
        )
        self.client = TestClient(app, base_url="https://board.example", follow_redirects=False)

    def token(self) -> str:
        page = self.client.get("/login", follow_redirects=True).text
        return re.search(r'name="csrf" value="([0-9a-f]{64})"', page)[1]  # type: ignore[index]

    def login(self, username: str, password: str = PASSWORD) -> Browser:
        form = {"csrf": self.token(), "username": username, "password": password, "next": "/"}
        self.answer = self.client.post("/login", data=form)
        return self

    def get(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code)
        return unescape(answer.text)


@pytest.fixture
def browser(made: World, store: Store) -> Browser:
    return Browser(made, store)


@pytest.fixture
def as_(made: World, store: Store):  # type: ignore[no-untyped-def]
    return lambda username: Browser(made, store).login(username)


# ---------------------------------------------------------------- row security


def test_two_teams_take_turns_on_one_connection_and_each_sees_its_own(made: World, store: Store) -> None:
    cases = made.cases
    own = {
        "9901-vroeg-noord": {cases["a-debt"], cases["b-debt"], cases["october"]},
        "9901-leerplicht": {cases["a-absence"], cases["b-absence"]},
    }
    for _ in range(3):
        for username, expected in own.items():
            with board.as_user(store, username) as tx:
                assert {row[0] for row in tx.rows("SELECT case_id FROM casework.case")} == expected
                assert {row[0] for row in tx.rows("SELECT case_id FROM casework.signal")} == expected
                assert {row[0] for row in tx.rows("SELECT case_id FROM casework.alert")} == expected
                assert tx.rows("SELECT count(*) FROM bridge.side") == [(1,)]


def test_without_a_user_nothing_is_seen(store: Store) -> None:
    with board.as_user(store, "9901-vroeg-noord"):
        pass
    with store.transaction() as tx:
        for table in ("casework.case", "casework.signal", "casework.alert", "bridge.side", "bridge.bridge"):
            assert tx.rows(f"SELECT count(*) FROM {table}") == [(0,)], table
    with board.as_user(store, "no such user") as tx:
        assert tx.rows("SELECT count(*) FROM casework.case") == [(0,)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM vault.record",
        "SELECT count(*) FROM intake.receipt",
        "SELECT count(*) FROM bridge.trace",
        "INSERT INTO ops.member VALUES ('9901-leerplicht', 'schuldhulp', '9901', '9901-vroeg-noord')",
        "UPDATE ops.account SET sees_flows = true",
        "UPDATE casework.case SET team = 'x'",
        "SELECT count(*) FROM audit.act",
        "SET ROLE casework_schuldhulp",
    ],
)
def test_the_web_role_has_no_right_to(made: World, statement: str) -> None:
    with (
        psycopg.connect(made.url("bereik_web")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


# ---------------------------------------------------------------- pages


def test_the_board_shows_ones_own_cases_most_urgent_first(made: World, as_) -> None:  # type: ignore[no-untyped-def]
    page = as_("9901-coordinator-schuldhulp").get("/")
    order = re.findall(r'class="ref" href="/cases/([0-9a-f-]{36})"', page)
    assert order[0] == str(made.cases["crisis"])
    assert set(order) == {str(made.cases[name]) for name in ("crisis", "a-debt", "b-debt", "zuid")}
    assert (
        "Huur" in page
        and "Energie" in page
        and "Er was in de 6 maanden hiervoor al een signaal (12 november 2026)." in page
    )
    assert "3 dagen te laat" in page and "nog 20 dagen" in page
    assert "oktober <span>1</span>" in page


def test_a_manager_sees_how_many_people_there_is_no_room_for_and_no_case_of_a_team(
    made: World, as_: Callable[[str], Browser]
) -> None:
    case_id = made.cases["a-debt"]
    with psycopg.connect(made.url("bereik_casework")) as connection:
        connection.execute("SET ROLE casework_schuldhulp")
        for reason, people, days in (
            ("floor_not_met", 3, 0),
            ("unclaimed", 1, 1),
            ("capacity_overflow", 9, 8),
        ):
            connection.execute(
                "INSERT INTO casework.alert (alert_id, purpose, case_id, case_version, municipality, team, reason, outlet,"
                " ordered_at, people) VALUES (%s, 'schuldhulp', %s, 0, '9901', '9901-leiding-schuldhulp', %s, 'board', %s, %s)",
                (str(uuid4()), case_id, reason, NOW - timedelta(days=days, hours=1), people),
            )
    manager = as_("9901-leiding-schuldhulp")
    page = manager.get("/")
    assert "Er is geen plaats voor wie voorgaat: 3 mensen, vanaf zaak " + reference(case_id) in page
    assert "Niemand pakte de zaak op tijd op: 1 persoon" in page
    assert "Het team is vol" not in page, "what is over a week old is no news"
    manager.get(f"/cases/{case_id}", 404)
    assert "Gemeld aan de leiding" not in as_("9901-vroeg-noord").get("/")
    assert "Gemeld aan de leiding" not in as_("9902-leiding-schuldhulp").get("/")


def test_filters_narrow_and_an_empty_choice_says_so(made: World, as_) -> None:  # type: ignore[no-untyped-def]
    browser = as_("9901-coordinator-schuldhulp")
    refs = lambda page: set(re.findall(r"/cases/([0-9a-f-]{36})", page))  # noqa: E731
    assert refs(browser.get("/?month=2026-10")) == {str(made.cases["october"])}
    assert refs(browser.get("/?month=all&kind=multiple")) == {
        str(made.cases["a-debt"]),
        str(made.cases["b-debt"]),
    }
    assert refs(browser.get("/?month=all&type=waterschuld")) == {str(made.cases["zuid"])}
    assert refs(browser.get("/?month=all&crisis=1")) == {str(made.cases["crisis"])}
    assert refs(browser.get("/?month=all&team=9901-vroeg-zuid")) == {str(made.cases["zuid"])}
    assert "Geen zaken bij deze keuze" in browser.get("/?month=2020-01")
    assert "Geen zaken bij deze keuze" in browser.get("/?kind=%27%20OR%201=1")
    for odd in (
        "/?month=2026-13",
        "/?page=999999999999",
        "/?page=-1",
        "/?kind=" + "x" * 5000,
        "/?status=%00",
    ):
        browser.get(odd)
    assert "Nog geen zaken voor uw team" in as_("9901-triage").get("/")
    assert "This account sees no cases" in as_("nobody").get("/")


def test_the_case_page_says_why(made: World, as_) -> None:  # type: ignore[no-untyped-def]
    page = as_("9901-vroeg-noord").get(f"/cases/{made.cases['a-debt']}")
    for words in (
        "Huurachterstand", "€ 640", "Energieschuld", "€ 210", "€ 850", "gebied: Noord", "Vroeg Erop Af Noord",
        "Binnen 28 dagen na ontvangst", "10 december 2026", made.bundle.sha256[:16], "Nieuwe zaak",
    ):  # fmt: skip
        assert words in page, words
    assert "{" not in re.sub(r"<[^>]*>", "", page)


def test_a_case_of_another_team_looks_like_none(made: World, as_) -> None:  # type: ignore[no-untyped-def]
    browser = as_("9901-vroeg-noord")
    answers = [
        browser.client.get(f"/cases/{case_id}")
        for case_id in (
            made.cases["a-absence"],
            made.cases["zuid"],
            made.cases["c-debt"],
            str(uuid4()),
            "no-uuid",
            "0" * 36,
        )
    ]
    assert {answer.status_code for answer in answers} == {404}
    bodies = {re.sub(r'name="next" value="[^"]*"', "", answer.text) for answer in answers}
    assert len(bodies) == 1
    assert len({tuple(sorted(k for k in answer.headers if k != "content-length")) for answer in answers}) == 1


def test_looking_at_a_case_is_on_record(made: World, as_) -> None:  # type: ignore[no-untyped-def]
    case_id = made.cases["crisis"]

    def viewed() -> list[tuple[str, str, str]]:
        with psycopg.connect(made.url("bereik_operator")) as connection:
            connection.execute("SET ROLE bereik_auditor")
            return connection.execute(
                "SELECT actor, act, purpose FROM audit.act WHERE about = %s ORDER BY at", (case_id,)
            ).fetchall()

    before = viewed()
    as_("9901-crisis").get(f"/cases/{case_id}")
    assert viewed() == [*before, ("9901-crisis", "case.viewed", "schuldhulp")]


# ---------------------------------------------------------------- the tray


def test_the_tray_shows_ones_own_doubts_without_anybody_in_it(made: World, as_) -> None:  # type: ignore[no-untyped-def]
    tell = lambda name, kind, **detail: state(made, name, kind, {"person_id": PEOPLE[name], **detail})  # noqa: E731
    tell("a-debt", "resident", answer="deviating", differences=["huisnummer", "voorletters"])
    tell("b-debt", "resident", answer="unique")
    tell("october", "resident", answer="in_onderzoek")
    tell("october", "repaired", choice="asked")
    tell("zuid", "resident", answer="not_found")
    tell("crisis", "resident", answer="not_found")
    tell("crisis", "repaired", choice="other_person")

    noord, case_id = as_("9901-vroeg-noord"), made.cases["a-debt"]
    assert re.search(r'href="/tray"><strong>2</strong> uit te zoeken', noord.get("/"))
    page = noord.get("/tray")
    assert set(re.findall(r"/cases/([0-9a-f-]{36})", page)) == {
        str(case_id),
        str(made.cases["october"]),
    }
    for words in (
        "Gevonden, met andere gegevens", "huisnummer, voorletters", "Het register onderzoekt deze gegevens zelf",
        "partner gevraagd",
        f"bereik tray show {case_id[:8]} --person {PEOPLE['a-debt'][:8]} --by 9901-vroeg-noord",
        "Er woont iemand anders op dit adres.", "het bord kan ze niet openen",
    ):  # fmt: skip
        assert words in page, words
    for username, expected in (
        ("9901-crisis", set()),
        ("9901-leerplicht", set()),
        ("9901-vroeg-zuid", {"zuid"}),
    ):
        other = as_(username)
        page = other.get("/tray")
        assert set(re.findall(r"/cases/([0-9a-f-]{36})", page)) == {
            str(made.cases[name]) for name in expected
        }
        assert ("/tray" in other.get("/")) is bool(expected)
    assert "Niets uit te zoeken" in as_("9901-crisis").get("/tray")

    token = re.search(r'name="csrf" value="([0-9a-f]{64})"', noord.get("/tray"))[1]  # type: ignore[index]
    noord.client.post("/language", data={"csrf": token, "language": "en", "next": "/tray"})
    assert "Found, with other data" in noord.get("/tray") and "house number, initials" in noord.get("/tray")


def test_a_long_tray_comes_in_pages_and_shows_what_waits_with_a_row(made: World, as_) -> None:  # type: ignore[no-untyped-def]
    """Held events stand where the row is, as kinds only: whom they are about is what a person decides."""
    people = [str(uuid4()) for _ in range(55)]
    for person_id in people:
        state(made, "october", "resident", {"person_id": person_id, "answer": "not_found"})
    with psycopg.connect(made.url("bereik_checks")) as connection:
        connection.execute("SET ROLE checking_schuldhulp")
        connection.execute(
            "INSERT INTO vault.residency (case_id, person_id, purpose, municipality, signal_id, answer, events)"
            " VALUES (%s, %s, 'schuldhulp', '9901', %s, 'not_found', %s)",
            (
                made.cases["october"],
                people[0],
                str(uuid4()),
                Jsonb([{"kind": "nl.brp.overleden", "event_id": "event-canary"}]),
            ),
        )
    noord = as_("9901-vroeg-noord")
    pages = [noord.get(f"/tray?page={number}") for number in (1, 2)]
    counted = [page.count('<a class="ref"') for page in pages]
    assert counted[0] == 50 and counted[1] >= 5
    assert "Pagina 1 van 2" in pages[0] and "/tray?page=2" in pages[0]
    assert noord.get("/tray?page=99").count('<a class="ref"') == counted[1], "past the end is the last page"
    together = "".join(pages)
    assert all(together.count(f'name="person" value="{one}"') == 1 for one in people), (
        "each on one page, with one form"
    )
    assert together.count("Daarna meldde het register: overleden") == 1 and "event-canary" not in together
    for person_id in people:
        state(made, "october", "repaired", {"person_id": person_id, "choice": "partner"})


# ---------------------------------------------------------------- families


def test_family_a_shows_what_crosses_and_on_which_ground(made: World, as_) -> None:  # type: ignore[no-untyped-def]
    helper = as_("9901-vroeg-noord").get(f"/cases/{made.cases['a-debt']}")
    for words in (
        "gezin",
        "Toestemming van wie het aangaat",
        "gezin-v1",
        "Team Leerplicht",
        "12 november 2026",
    ):
        assert words in helper
    other = as_("9901-leerplicht").get(f"/cases/{made.cases['a-absence']}")
    assert "Er is hulp betrokken" in other and "Vroeg Erop Af" in other
    assert "Huurachterstand" not in other and not stands_in("640", other)
    for page in (helper, other):
        assert not stands_in("4321", page) and not stands_in("4.321", page)
    assert str(made.cases["a-absence"]) not in helper and str(made.cases["a-debt"]) not in other


def test_family_c_names_the_statute(made: World, as_) -> None:  # type: ignore[no-untyped-def]
    page = as_("9902-vroeg-oost").get(f"/cases/{made.cases['c-debt']}")
    assert "Wettelijke grond van de gemeente" in page and "Wet gezinsaanpak (fictief), art. 4" in page


def test_family_b_looks_like_any_case(made: World, as_) -> None:  # type: ignore[no-untyped-def]
    hints = re.compile(r"gezin|famil|\bbrug|bridge|leerplicht|school|verzuim", re.IGNORECASE)
    team = as_("9901-vroeg-noord")
    assert not hints.search(team.get(f"/cases/{made.cases['b-debt']}"))
    board_page = team.get("/")
    row = next(part for part in board_page.split("<tr") if str(made.cases["b-debt"]) in part)
    assert not hints.search(row)
    other = as_("9901-leerplicht").get(f"/cases/{made.cases['b-absence']}")
    assert not re.search(r"gezin|famil|\bbrug|bridge|schuld|huur|energie", other, re.IGNORECASE)


def test_a_team_that_enforces_sees_nothing_of_a_bridge(made: World, as_) -> None:  # type: ignore[no-untyped-def]
    enforcer = as_("enforcer")
    for page in (enforcer.get("/"), enforcer.get(f"/cases/{made.cases['enforced']}")):
        assert not re.search(r"gezin|\bbrug|hulp betrokken", page, re.IGNORECASE)


# ---------------------------------------------------------------- who may meet whom


def test_flows_count_one_s_own_municipality_and_lead_to_cases(made: World, as_) -> None:  # type: ignore[no-untyped-def]
    browser = as_("9901-coordinator-schuldhulp")
    page = browser.get("/flows")
    for words in ("Schuldhulpverlening", "Leerplicht", "toegelaten", "geweigerd", "niet ingericht",
                  "stap vooraf niet bevestigd (Bgs art. 2 (fictief))",
                  "geen grondslag geregistreerd", "met toestemming, vastgelegd op formulier gezin-v1"):  # fmt: skip
        assert words in page, words
    # What is read, not what is between < and >: a token there may hold any three digits.
    read = re.sub(r"<[^>]*>", " ", page)
    assert re.search(r"\b777\b", read) is None and "Lindeveen" not in page
    links = set(re.findall(r'href="(/\?[^"]*)"', page))
    found = [browser.get(link) for link in links]
    assert any(str(made.cases["crisis"]) in each for each in found)
    # The flow of absence is counted there, but its cases are another team's.
    assert not any(str(made.cases["b-absence"]) in each for each in found)
    assert "Wet gezinsaanpak" in as_("9902-coordinator-schuldhulp").get("/flows")


def test_flows_are_for_who_may_see_them(as_) -> None:  # type: ignore[no-untyped-def]
    as_("9901-vroeg-noord").get("/flows", 404)
    privacy = as_("9901-privacy")
    assert "Leerplicht" in privacy.get("/flows")
    assert "Dit account ziet aantallen, geen zaken" in privacy.get("/")


# ---------------------------------------------------------------- the door


def test_pages_ask_to_log_in_first(browser: Browser, made: World) -> None:
    for path in ("/", f"/cases/{made.cases['a-debt']}", "/flows"):
        answer = browser.client.get(path)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/login")
    answer = browser.client.get("/login?next=//evil.example/x")
    # The language switch may come back to this very address; where logging in leads may not be elsewhere.
    assert '<input type="hidden" name="next" value="/">' in answer.text


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(browser: Browser) -> None:
    wrong = browser.login("9901-triage", "wrong").answer
    unknown = browser.login("does-not-exist", "wrong").answer
    assert wrong.status_code == unknown.status_code == 401
    strip = lambda text: re.sub(r'value="[^"]*"', "", text)  # noqa: E731
    assert strip(wrong.text) == strip(unknown.text)


def test_guessing_is_braked_per_name(browser: Browser) -> None:
    for _ in range(5):
        assert browser.login("9902-triage", "wrong").answer.status_code == 401
    answer = browser.login("9902-triage").answer
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 0
    assert browser.login("9902-crisis").answer.status_code == 303


def test_forms_need_their_token(browser: Browser) -> None:
    form = {"username": "9901-triage", "password": PASSWORD}
    assert browser.client.post("/login", data=form).status_code == 403
    assert browser.client.post("/login", data={**form, "csrf": "0" * 64}).status_code == 403
    browser.login("9901-triage")
    assert browser.client.post("/logout").status_code == 403
    assert browser.client.post("/login", content=b"\xff\xfe").status_code == 400
    assert browser.client.post("/login", content=b"a=" + b"x" * 100_000).status_code == 400


def test_the_cookie_is_signed_and_ends_with_logging_out(browser: Browser) -> None:
    cookie = browser.login("9901-triage").answer.headers["set-cookie"]
    for word in ("HttpOnly", "SameSite=lax", "Secure", "Path=/"):
        assert word in cookie
    value = browser.client.cookies["bereik_session"]
    token = re.search(r'name="csrf" value="([0-9a-f]{64})"', browser.get("/"))[1]  # type: ignore[index]
    assert browser.client.post("/logout", data={"csrf": token}).status_code == 303
    browser.client.cookies.clear()
    browser.client.cookies.set("bereik_session", value)
    browser.get("/", 303)
    browser.client.cookies.clear()
    browser.client.cookies.set("bereik_session", value[:-3] + "AAA")
    browser.get("/", 303)


def test_a_new_password_or_no_account_ends_the_session(made: World, store: Store) -> None:
    operator = Store(made.url("bereik_operator"))
    account = Account("short-lived", "Short", members=(Membership("schuldhulp", "9901", "9901-triage"),))
    with operator.transaction() as tx:
        put_accounts(tx, [(account, hash_password(PASSWORD, 1024))])
    browser = Browser(made, store).login("short-lived")
    browser.get("/")
    with operator.transaction() as tx:
        put_accounts(tx, [(account, hash_password("another", 1024))])
    browser.get("/", 303)
    browser = Browser(made, store).login("short-lived", "another")
    browser.get("/")
    with operator.transaction() as tx:
        assert remove_account(tx, "short-lived")
    browser.get("/", 303)
    operator.close()


def test_every_answer_has_the_headers(browser: Browser) -> None:
    browser.login("9901-triage")
    for path in ("/", "/login", "/healthz", "/nothing", "/cases/x", "/static/x.css"):
        headers = browser.client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
    page = browser.get("/")
    assert (
        "<script" not in page and " style=" not in page and "http" not in re.sub(r'xmlns="[^"]*"', "", page)
    )


def test_the_language_is_kept_in_the_session(browser: Browser, made: World) -> None:
    browser.login("9901-vroeg-noord")
    token = re.search(r'name="csrf" value="([0-9a-f]{64})"', browser.get("/"))[1]  # type: ignore[index]
    answer = browser.client.post("/language", data={"csrf": token, "language": "en", "next": "/?month=all"})
    assert answer.headers["location"] == "/?month=all"
    page = browser.get(f"/cases/{made.cases['a-debt']}")
    for words in (
        "Rent arrears",
        "Why this case exists",
        "There was a signal in the 6 months before (12 November 2026).",
        "area: Noord",
        "€ 640",
    ):
        assert words in page, words
    assert browser.client.post("/language", data={"csrf": token, "language": "xx"}).status_code == 400
    answer = browser.client.post(
        "/language", data={"csrf": token, "language": "nl", "next": "https://evil.example/"}
    )
    assert answer.headers["location"] == "/"


# ---------------------------------------------------------------- probes


def test_ready_and_alive(browser: Browser) -> None:
    assert browser.client.get("/healthz").json() == {"status": "ok"}
    assert browser.client.get("/readyz").json() == {
        "status": "ready",
        "checks": {"database": "ok", "schema": "ok", "bundle": "ok"},
    }


def test_without_a_database_it_lives_and_is_not_ready(made: World) -> None:
    nowhere = Store("postgresql://bereik_web:x@127.0.0.1:1/none")
    browser = Browser(made, nowhere)
    assert browser.client.get("/healthz").status_code == 200
    answer = browser.client.get("/readyz")
    assert answer.status_code == 503 and answer.json()["checks"]["database"] == "unreachable"
    token = browser.token()
    answer = browser.client.post("/login", data={"csrf": token, "username": "x", "password": "y"})
    assert answer.status_code == 503 and "retry-after" in answer.headers and "Traceback" not in answer.text


def test_an_unforeseen_error_tells_nothing(
    made: World, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("ZZCANARY")

    app = create_app(store, broken, b"another secret of 32 bytes .....", ENTRANCE, lambda: NOW)  # type: ignore[arg-type]
    client = TestClient(app, raise_server_exceptions=False)
    answer = client.get("/")
    assert (
        answer.status_code == 500 and "ZZCANARY" not in answer.text and "default-src" in str(answer.headers)
    )
    assert "ZZCANARY" not in caplog.text and "RuntimeError" in caplog.text


def test_passwords() -> None:
    stored = hash_password("geheim")
    assert stored.startswith("scrypt$32768$8$3$") and stored != hash_password("geheim")
    assert verify_password("geheim", stored) and not verify_password("Geheim", stored)
    for odd in ("", "plain", "scrypt$1$2$3$x", "md5$1$1$1$a$b", "scrypt$32768$8$3$!!$!!"):
        assert not verify_password("geheim", odd)
