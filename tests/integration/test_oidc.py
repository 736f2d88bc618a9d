"""Log in through an OIDC provider: a real one over HTTP, which tells the truth, lies, and goes away."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from board_world import NOW, PASSWORD, World, world
from oidc_provider import CLIENT, SECRET, FictionalProvider, serving

from bereik.runtime import Stack
from bereik.settings import Entrance, Oidc
from bereik.store import Store
from bereik.store.accounts import Account, Membership, no_password, put_accounts
from bereik.web import create_app

pytestmark = pytest.mark.stack

# What the provider calls a worker of this team; not a name of the board's own.
WORKER, TEAM = "b7c1-subject-of-a-worker", "9901-vroeg-noord"
BOARD_SECRET = b"a secret of the tests, 32 bytes."


@pytest.fixture(scope="module")
def made(stack: Stack) -> World:
    one = world(stack)
    operator = Store(one.url("bereik_operator"))
    with operator.transaction() as tx:
        account = Account(WORKER, "Worker", members=(Membership("schuldhulp", "9901", TEAM),))
        put_accounts(tx, [(account, no_password())])
    operator.close()
    return one


@dataclass
class Place:
    """A board and its provider, both listening."""

    board: str
    provider: FictionalProvider


@pytest.fixture(scope="module")
def places(made: World) -> Iterator[dict[str, Place]]:
    """By what the board asks of a token: nothing more ("plain"), a second factor ("strong"), or "both" ways to log in."""
    found: dict[str, Place] = {}
    stores, contexts = [], []
    for name, strength in (("plain", None), ("strong", ("acr", ("2", "3"))), ("both", None)):
        store = made.store()
        stores.append(store)
        holder: list[FictionalProvider] = []

        def provider(port: int, holder: list[FictionalProvider] = holder) -> object:
            holder.append(FictionalProvider(port))
            return holder[0].app

        contexts.append(serving(provider))
        contexts[-1].__enter__()

        def board(
            port: int, one: FictionalProvider = holder[0], strength=strength, store=store, name=name
        ) -> object:  # type: ignore[no-untyped-def]
            url = f"http://127.0.0.1:{port}"
            one.register(url)
            entrance = Entrance(
                url,
                passwords=name == "both",
                provider=Oidc(one.issuer, CLIENT, SECRET, strength=strength),
            )
            return create_app(store, lambda: made.bundle, BOARD_SECRET, entrance, lambda: NOW)

        contexts.append(serving(board))
        found[name] = Place(f"http://127.0.0.1:{contexts[-1].__enter__()}", holder[0])
    yield found
    for context in reversed(contexts):
        context.__exit__(None, None, None)
    for store in stores:
        store.close()


_open: list[httpx.Client] = []


def client(address: str, **cookies: str) -> httpx.Client:
    """A browser without a window, closed after the test."""
    _open.append(httpx.Client(base_url=address, cookies=cookies, trust_env=False))
    return _open[-1]


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while _open:
        _open.pop().close()


class Visitor:
    """A browser and the way to the provider and back, one step at a time."""

    def __init__(self, place: Place) -> None:
        self.place = place
        place.provider.lie = ""
        self.client = client(place.board)

    def leaves(self, path: str = "/login/provider") -> str:
        """To the provider's own page; its address."""
        answer = self.client.get(path)
        assert answer.status_code == 303
        return answer.headers["location"]

    def enters(self, address: str, user: str) -> str:
        """Types a name at the provider, and gives where it sends the browser back to."""
        page = self.client.get(address)
        if page.status_code == 303:
            return page.headers["location"]
        asked = unescape(re.search(r'name="asked" value="([^"]+)"', page.text)[1])  # type: ignore[index]
        answer = self.client.post(
            f"{self.place.provider.issuer}/authorize", data={"asked": asked, "user": user}
        )
        return answer.headers["location"]

    def logs_in(self, user: str, path: str = "/login/provider") -> httpx.Response:
        """There and back."""
        return self.client.get(self.enters(self.leaves(path), user))


@pytest.fixture
def visitor(places: dict[str, Place]) -> Visitor:
    return Visitor(places["plain"])


def is_refused(answer: httpx.Response, words: str, status: int = 403) -> None:
    assert (answer.status_code, words in unescape(answer.text)) == (status, True), answer.text


def test_a_worker_whom_the_provider_knows_sees_the_cases_of_their_own_team_and_no_other(
    visitor: Visitor, made: World
) -> None:
    answer = visitor.logs_in(WORKER, f"/login/provider?next=%2Fcases%2F{made.cases['a-debt']}%3Fx%3D1")
    assert answer.headers["location"] == f"/cases/{made.cases['a-debt']}?x=1"
    assert visitor.client.get(f"/cases/{made.cases['a-debt']}").status_code == 200
    assert visitor.client.get(f"/cases/{made.cases['zuid']}").status_code == 404
    assert visitor.client.get(f"/cases/{made.cases['a-absence']}").status_code == 404


def test_what_the_board_asks_of_the_provider_is_exact_and_new_each_time(visitor: Visitor) -> None:
    first, second = (parse_qs(urlsplit(visitor.leaves()).query) for _ in range(2))
    assert first["redirect_uri"] == [f"{visitor.place.board}/login/callback"]
    assert (first["response_type"], first["code_challenge_method"]) == (["code"], ["S256"])
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 43 and first[name] != second[name]


def test_no_password_is_asked_or_taken_where_only_the_provider_lets_in(visitor: Visitor) -> None:
    page = visitor.client.get("/login").text
    assert 'type="password"' not in page and "/login/provider?" in page
    token = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)[1]  # type: ignore[index]
    form = {"csrf": token, "username": TEAM, "password": PASSWORD, "next": "/"}
    assert visitor.client.post("/login", data=form).status_code == 405
    assert visitor.client.get("/").status_code == 303


def test_a_session_of_a_password_ends_where_passwords_no_longer_count(places: dict[str, Place]) -> None:
    both = Visitor(places["both"])
    page = both.client.get("/login").text
    token = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)[1]  # type: ignore[index]
    form = {"csrf": token, "username": TEAM, "password": PASSWORD, "next": "/"}
    assert both.client.post("/login", data=form).headers["location"] == "/"
    assert both.client.get("/").status_code == 200
    only = client(places["plain"].board, **both.client.cookies)
    assert only.get("/").status_code == 303


def test_a_password_does_not_open_an_account_of_the_provider(places: dict[str, Place]) -> None:
    both = Visitor(places["both"])
    token = re.search(r'name="csrf" value="([0-9a-f]{64})"', both.client.get("/login").text)[1]  # type: ignore[index]
    form = {"csrf": token, "username": WORKER, "password": PASSWORD, "next": "/"}
    assert both.client.post("/login", data=form).status_code == 401


@pytest.mark.parametrize("user", ["somebody-unknown", TEAM])
def test_who_has_no_account_for_the_provider_is_told_the_name_to_pass_on(
    visitor: Visitor, user: str, caplog: pytest.LogCaptureFixture
) -> None:
    # A team's demo account has a password: a provider that calls someone so must not open it.
    with caplog.at_level(logging.WARNING):
        answer = visitor.logs_in(user)
    is_refused(answer, user)
    assert "(account)" in caplog.text and user not in caplog.text
    assert visitor.client.get("/").status_code == 303


@pytest.mark.parametrize(
    "lie",
    [
        "nonce", "audience", "azp", "issuer", "expired", "early", "no-expiry", "none", "hs256", "stranger", "seal", "torn",
        "subject",
    ],
)  # fmt: skip
def test_a_token_in_which_something_is_wrong_lets_nobody_in(
    visitor: Visitor, lie: str, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.place.provider.lie = lie
    with caplog.at_level(logging.WARNING):
        answer = visitor.logs_in(WORKER)
    is_refused(answer, "Het bewijs van de inlogdienst klopt niet")
    assert "(token)" in caplog.text and WORKER not in caplog.text
    assert visitor.client.get("/").status_code == 303


def test_a_state_stolen_for_another_browser_is_worth_nothing(
    visitor: Visitor, places: dict[str, Place], made: World
) -> None:
    # The attacker's own way back, opened by a browser that asked nothing, and by one that asked something else.
    back = visitor.enters(visitor.leaves(), WORKER)
    for victim in (Visitor(places["plain"]), Visitor(places["plain"])):
        is_refused(victim.client.get(back), "niet in deze browser begonnen")
        assert victim.client.get("/").status_code == 303
        victim.leaves()
        is_refused(victim.client.get(back), "niet in deze browser begonnen")
        assert victim.client.get("/").status_code == 303


def test_a_way_back_counts_once(visitor: Visitor) -> None:
    back = visitor.enters(visitor.leaves(), WORKER)
    errand = visitor.client.cookies["bereik_login"]
    assert visitor.client.get(back).status_code == 303
    again = client(visitor.place.board, bereik_login=errand)
    is_refused(again.get(back), "gaf geen bewijs wie u bent")


def test_a_code_of_somebody_else_fails_on_its_verifier(visitor: Visitor, places: dict[str, Place]) -> None:
    theirs = parse_qs(urlsplit(visitor.enters(visitor.leaves(), WORKER)).query)
    mine = Visitor(places["plain"])
    asked = parse_qs(urlsplit(mine.leaves()).query)
    answer = mine.client.get(
        "/login/callback",
        params={"code": theirs["code"][0], "iss": theirs["iss"][0], "state": asked["state"][0]},
    )
    is_refused(answer, "gaf geen bewijs wie u bent")


def test_an_answer_in_the_name_of_another_provider_or_a_refusal_lets_nobody_in(visitor: Visitor) -> None:
    visitor.place.provider.lie = "mix-up"
    is_refused(visitor.logs_in(WORKER), "niet in deze browser begonnen")
    other = Visitor(visitor.place)
    is_refused(other.logs_in("nobody"), "niet binnengelaten")


def test_a_client_that_the_provider_does_not_take_is_told_to_the_operator(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.place.provider.lie = "client"
    with caplog.at_level(logging.WARNING):
        is_refused(visitor.logs_in(WORKER), "gaf geen bewijs wie u bent")
    assert "invalid_client" in caplog.text and SECRET not in caplog.text


def test_without_the_second_factor_that_was_asked_for_nobody_comes_in(places: dict[str, Place]) -> None:
    weak, strong = Visitor(places["strong"]), Visitor(places["strong"])
    is_refused(weak.logs_in(WORKER), "tweede stap")
    assert strong.logs_in(f"{WORKER}+").headers["location"] == "/"
    assert places["strong"].provider.asked[-1]["acr_values"] == "2 3"


def test_a_new_key_of_the_provider_is_found(places: dict[str, Place]) -> None:
    assert Visitor(places["both"]).logs_in(WORKER).status_code == 303
    places["both"].provider.renew_keys()
    assert Visitor(places["both"]).logs_in(WORKER).status_code == 303


def test_logging_out_goes_on_to_the_provider(visitor: Visitor) -> None:
    visitor.logs_in(WORKER)
    held = dict(visitor.client.cookies)
    page = visitor.client.get("/").text
    token = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)[1]  # type: ignore[index]
    answer = visitor.client.post("/logout", data={"csrf": token})
    place = unescape(re.search(r'content="0; url=([^"]+)"', answer.text)[1])  # type: ignore[index]
    assert place.startswith(f"{visitor.place.provider.issuer}/logout?")
    assert visitor.client.get(place).headers["location"] == f"{visitor.place.board}/login"
    assert "bereik_token" not in visitor.client.cookies
    # A copy of the cookie is worth nothing any more.
    copy = client(visitor.place.board, **held)
    assert copy.get("/").status_code == 303


def test_a_session_ends_when_the_account_goes_or_is_put_again(visitor: Visitor, made: World) -> None:
    visitor.logs_in(WORKER)
    assert visitor.client.get("/").status_code == 200
    operator = Store(made.url("bereik_operator"))
    with operator.transaction() as tx:
        account = Account(WORKER, "Worker", members=(Membership("schuldhulp", "9901", TEAM),))
        put_accounts(tx, [(account, no_password())])
    operator.close()
    assert visitor.client.get("/").status_code == 303


def test_a_provider_that_is_away_stops_the_log_in_and_nothing_else(made: World) -> None:
    store = made.store()
    with serving(lambda _: create_app(
        store, lambda: made.bundle, BOARD_SECRET,
        # A port on which nothing listens.
        Entrance("http://127.0.0.1:1", True, Oidc("http://127.0.0.1:1", CLIENT, SECRET)), lambda: NOW,
    )) as port:  # fmt: skip
        browser = client(f"http://127.0.0.1:{port}")
        answer = browser.get("/login/provider")
        is_refused(answer, "antwoordt niet", 503)
        assert answer.headers["retry-after"] == "30"
        assert browser.get("/readyz").status_code == 200
        token = re.search(r'name="csrf" value="([0-9a-f]{64})"', browser.get("/login").text)[1]  # type: ignore[index]
        form = {"csrf": token, "username": TEAM, "password": PASSWORD, "next": "/"}
        assert browser.post("/login", data=form).headers["location"] == "/"
        page = browser.get("/").text
        token = re.search(r'name="csrf" value="([0-9a-f]{64})"', page)[1]  # type: ignore[index]
        assert browser.post("/logout", data={"csrf": token}).headers["location"] == "/login"
    store.close()


def test_a_provider_that_calls_itself_otherwise_is_none(made: World) -> None:
    store = made.store()
    holder: list[FictionalProvider] = []

    def provider(port: int) -> object:
        holder.append(FictionalProvider(port))
        holder[0].lie = "description"
        return holder[0].app

    with serving(provider) as port:
        entrance = Entrance("http://127.0.0.1:1", False, Oidc(f"http://localhost:{port}", CLIENT, SECRET))
        with serving(
            lambda _: create_app(store, lambda: made.bundle, BOARD_SECRET, entrance, lambda: NOW)
        ) as board:
            answer = httpx.get(f"http://127.0.0.1:{board}/login/provider", trust_env=False)
            is_refused(answer, "antwoordt niet", 503)
    store.close()


def test_cookies_are_closed_and_with_https_travel_over_nothing_else(
    places: dict[str, Place], made: World
) -> None:
    def flags(answer: httpx.Response, name: str) -> set[str]:
        line = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{name}="))
        return {part.strip().lower() for part in line.split(";")[1:]}

    visitor = Visitor(places["plain"])
    left = visitor.client.get("/login/provider")
    back = visitor.enters(left.headers["location"], WORKER)
    entered = visitor.client.get(back)
    assert {"httponly", "samesite=lax", "path=/login", "max-age=600"} <= flags(left, "bereik_login")
    assert {"httponly", "samesite=lax", "path=/", "max-age=36000"} <= flags(entered, "bereik_session")
    assert {"httponly", "samesite=strict", "path=/logout"} <= flags(entered, "bereik_token")
    assert "strict-transport-security" not in entered.headers
    store = made.store()
    # A proxy ended TLS: what reaches the board is http, and what people open is https.
    entrance = Entrance("https://board.example", False, Oidc(places["plain"].provider.issuer, CLIENT, SECRET))
    with serving(
        lambda _: create_app(store, lambda: made.bundle, BOARD_SECRET, entrance, lambda: NOW)
    ) as port:
        browser = client(f"http://127.0.0.1:{port}")
        for path, name in (("/login", "bereik_session"), ("/login/provider", "bereik_login")):
            answer = browser.get(path)
            assert "secure" in flags(answer, name)
            assert answer.headers["strict-transport-security"].startswith("max-age=")
            assert answer.headers["cache-control"] == "no-store"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
    store.close()
