"""Log in through a provider in a real browser, for which the provider is another site: cookies and policies as they really work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from board_world import NOW, World, world
from chromium import Page, find
from oidc_provider import CLIENT, SECRET, FictionalProvider, serving

from bereik.runtime import Stack
from bereik.settings import Entrance, Oidc
from bereik.store import Store
from bereik.store.accounts import Account, Membership, no_password, put_accounts
from bereik.web import create_app

pytestmark = [
    pytest.mark.stack,
    pytest.mark.browser,
    pytest.mark.skipif(find() is None, reason="needs Chromium (apt-get install chromium)"),
]

WORKER = "c4d2-subject-in-the-browser"


@pytest.fixture(scope="module")
def made(stack: Stack) -> World:
    one = world(stack)
    operator = Store(one.url("bereik_operator"))
    with operator.transaction() as tx:
        members = (Membership("schuldhulp", "9901", "9901-vroeg-noord"),)
        put_accounts(tx, [(Account(WORKER, "Worker", members=members), no_password())])
    operator.close()
    return one


@pytest.fixture(scope="module")
def address(made: World) -> Iterator[str]:
    store = made.store()
    providers: list[FictionalProvider] = []

    def provider(port: int) -> object:
        providers.append(FictionalProvider(port))
        return providers[0].app

    def board(port: int) -> object:
        url = f"http://127.0.0.1:{port}"
        providers[0].register(url)
        entrance = Entrance(url, False, Oidc(providers[0].issuer, CLIENT, SECRET))
        return create_app(
            store, lambda: made.bundle, b"a secret of the tests, 32 bytes.", entrance, lambda: NOW
        )

    with serving(provider), serving(board) as port:
        yield f"http://127.0.0.1:{port}"
    store.close()


@pytest.fixture
def page() -> Iterator[Page]:
    program = find()
    assert program is not None
    one = Page(program, scripts=False)
    yield one
    one.close()


def until(page: Page, wanted: str) -> None:
    """The page that a refreshing page leads to."""
    for _ in range(3):
        if page.look("location.pathname") == wanted:
            return
        page.wait()
    assert page.look("location.href") == wanted


def test_log_in_at_the_provider_see_ones_own_board_and_log_out_of_both(
    page: Page, address: str, made: World
) -> None:
    # A link in a mail: the case is asked for first, and the way to it leads past the provider.
    page.open(f"{address}/cases/{made.cases['a-debt']}")
    assert page.look("location.pathname") == "/login"
    assert page.look("document.querySelectorAll('input[type=password]').length") == 0
    page.click("#provider")
    assert page.look("location.hostname") == "localhost"
    page.fill("#user", WORKER)
    page.click("#enter")
    assert page.look("location.pathname") == f"/cases/{made.cases['a-debt']}"
    page.open(f"{address}/")
    assert str(made.cases["b-debt"]) in page.look("document.body.innerHTML")
    assert str(made.cases["zuid"]) not in page.look("document.body.innerHTML")
    page.click("#logout")
    until(page, "/login")
    assert page.look("location.origin") == address
    page.open(f"{address}/")
    assert page.look("location.pathname") == "/login"
    # The provider asks who it is again: it has forgotten too.
    page.click("#provider")
    assert page.look("document.querySelectorAll('#user').length") == 1


def test_a_refusal_is_a_page_that_says_what_to_do(page: Page, address: str) -> None:
    page.open(f"{address}/login")
    page.click("#provider")
    page.fill("#user", "somebody-unknown")
    page.click("#enter")
    # In the browser's own language, until they choose.
    assert "you have no account here" in page.text() and "somebody-unknown" in page.text()
    page.click("form[action='/language'] button")
    assert page.look("location.pathname") == "/login"
    assert "Inloggen via uw organisatie" in page.text()
