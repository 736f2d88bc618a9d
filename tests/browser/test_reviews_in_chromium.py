"""The review page in a real browser: no script, no colour needed, fits a telephone, and reads well aloud."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from board_world import ENTRANCE, NOW, World, world
from chromium import Page, find
from oidc_provider import serving
from review_world import CANARY, PURPOSE, Questions, keyring
from test_board_in_chromium import CONTRAST, login

from bereik.runtime import Stack
from bereik.web import create_app

pytestmark = [
    pytest.mark.stack,
    pytest.mark.browser,
    pytest.mark.skipif(find() is None, reason="needs Chromium (apt-get install chromium)"),
]
REVIEWER = f"9901-reviewer-{PURPOSE}"


@pytest.fixture(scope="module")
def made(stack: Stack) -> World:
    return world(stack)


@pytest.fixture(scope="module")
def board(made: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Questions]]:
    with psycopg.connect(made.url("bereik_owner")) as owner:
        owner.execute(
            "TRUNCATE vault.register, vault.record, vault.key, vault.link, vault.review, vault.verdict"
        )
    keys = keyring(tmp_path_factory.mktemp("keys"))
    questions, store = Questions(made, keys), made.store()
    with serving(
        lambda _: create_app(
            store, lambda: made.bundle, b"a secret of the tests, 32 bytes.", ENTRANCE, lambda: NOW, keys
        )
    ) as port:
        yield f"http://127.0.0.1:{port}", questions
    store.close()
    questions.close()


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    program = find()
    assert program is not None
    one = Page(program, scripts=False)
    yield one
    one.close()


def test_a_reviewer_compares_decides_and_only_then_sees_the_weight(
    page: Page, board: tuple[str, Questions]
) -> None:
    address, questions = board
    known, asked = questions.ask()
    login(page, address, REVIEWER)
    page.click("nav a[href='/reviews']")
    assert page.look("document.querySelectorAll('.reviews tbody tr').length") == 1
    page.click(".reviews .ref")
    assert page.look("location.pathname") == f"/reviews/{asked}"
    assert CANARY in page.text() and "Gewicht" not in page.text()
    _picture(page, "review-open")
    page.click("#same")
    assert "Beslist: één persoon" in page.text() and "Gewicht" in page.text()
    assert questions.person(known) == questions.person(asked)
    _picture(page, "review-decided")
    page.open(f"{address}/reviews")
    assert "Niets te beoordelen" in page.text() and "Vragen per 1.000 signalen" in page.text()


def test_differences_are_told_without_colour_and_without_eyes(
    page: Page, board: tuple[str, Questions]
) -> None:
    address, questions = board
    _, asked = questions.ask()
    login(page, address, REVIEWER)
    page.open(f"{address}/reviews/{asked}")
    style = "getComputedStyle(document.querySelector('.records mark'))"
    assert page.look(f"{style}.textDecorationLine") == "underline"
    assert int(page.look(f"{style}.fontWeight")) >= 700
    rows = page.look(
        "[...document.querySelectorAll('.records tbody tr')].map(r => [r.querySelector('th[scope=row]').innerText,"
        " r.querySelector('.likeness').innerText.replace(/^\\W+/, '')])"
    )
    assert ["Voorletters", "verschilt"] in rows and ["Geboortedatum", "gelijk"] in rows
    assert page.look("document.querySelector('.answers legend').innerText")
    assert page.look("document.querySelectorAll('.answers button').length") == 3


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_it_fits_and_is_readable(page: Page, board: tuple[str, Questions], width: int) -> None:
    address, questions = board
    _, asked = questions.ask()
    login(page, address, REVIEWER)
    page.size(width, 800)
    page.complaints.clear()
    try:
        for path in ("/reviews", f"/reviews/{asked}"):
            page.open(address + path)
            assert page.look("document.documentElement.scrollWidth") <= width, path
            assert page.look(CONTRAST) == []
        page.click("#unknown")
        assert "U wist het niet" in page.text() and page.look("document.documentElement.scrollWidth") <= width
        assert page.look(CONTRAST) == [] and page.complaints == []
    finally:
        page.size(1280, 860)


def _picture(page: Page, name: str) -> None:
    """Keep a picture where BEREIK_PICTURES says, for the documentation."""
    if folder := os.environ.get("BEREIK_PICTURES"):
        page.screenshot(Path(folder) / f"{name}.png")
