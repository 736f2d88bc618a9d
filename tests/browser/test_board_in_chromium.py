"""The board in a real browser: it works without JavaScript, asks nothing of elsewhere, and fits a telephone."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from board_world import ENTRANCE, NOW, PASSWORD, World, state, world
from chromium import Page, find
from oidc_provider import serving

from bereik.runtime import Stack
from bereik.web import create_app

pytestmark = [
    pytest.mark.stack,
    pytest.mark.browser,
    pytest.mark.skipif(find() is None, reason="needs Chromium (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def made(stack: Stack) -> World:
    return world(stack)


@pytest.fixture(scope="module")
def address(made: World) -> Iterator[str]:
    store = made.store()
    with serving(
        lambda _: create_app(
            store, lambda: made.bundle, b"a secret of the tests, 32 bytes.", ENTRANCE, lambda: NOW
        )
    ) as port:
        yield f"http://127.0.0.1:{port}"
    store.close()


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    program = find()
    assert program is not None
    # Without scripts: whatever works here works for everybody.
    one = Page(program, scripts=False)
    yield one
    one.close()


def login(page: Page, address: str, username: str) -> None:
    page.forget()
    page.open(f"{address}/login")
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.click("#login")
    assert page.look("location.pathname") == "/"


def test_a_coordinator_logs_in_reads_a_case_and_follows_a_flow(page: Page, address: str, made: World) -> None:
    login(page, address, "9901-coordinator-schuldhulp")
    assert "Mijn zaken" in page.text() and "crisis" in page.text()
    page.click(".ref")
    assert page.look("location.pathname") == f"/cases/{made.cases['crisis']}"
    assert "Waarom bij ons" in page.text()
    page.open(f"{address}/flows")
    assert page.look("document.querySelectorAll('svg.flow .compartment').length") >= 2
    assert page.look("document.querySelectorAll('svg.flow .tie:not(.apart)').length") == 1
    # Picture and table say the same: every flow that has cases leads to them.
    target = "svg.flow a[href*='team=9901-crisis'] .ribbon"
    page.click(target)
    assert str(made.cases["crisis"]) in page.look("document.body.innerHTML")
    page.click("form[action='/language'] button")
    assert "My cases" in page.text()
    page.click("#logout")
    assert page.look("location.pathname") == "/login"


def test_the_tray_leads_from_the_board_to_the_command(page: Page, address: str, made: World) -> None:
    doubt = {"person_id": str(uuid4()), "answer": "deviating", "differences": ["huisnummer"]}
    state(made, "zuid", "resident", doubt)
    login(page, address, "9901-vroeg-zuid")
    page.click("a[href='/tray']")
    assert page.look("location.pathname") == "/tray"
    assert "Gevonden, met andere gegevens" in page.text() and "huisnummer" in page.text()
    assert f"bereik tray show {made.cases['zuid'].hex[:8]}" in page.text()
    page.click(".ref")
    assert page.look("location.pathname") == f"/cases/{made.cases['zuid']}"


def test_two_teams_do_not_see_each_other(page: Page, address: str, made: World) -> None:
    login(page, address, "9901-vroeg-noord")
    page.open(f"{address}/cases/{made.cases['a-debt']}")
    assert "Gezin: een brug" in page.text()
    page.open(f"{address}/cases/{made.cases['b-debt']}")
    assert "gezin" not in page.text().lower() and "brug" not in page.text().lower()
    page.open(f"{address}/cases/{made.cases['b-absence']}")
    assert "Niet gevonden" in page.text()


def test_nothing_is_blocked_or_asked_of_elsewhere(page: Page, address: str, made: World) -> None:
    login(page, address, "9901-coordinator-schuldhulp")
    page.complaints.clear()
    for path in ("/", f"/cases/{made.cases['a-debt']}", "/flows"):
        page.open(address + path)
        # A style sheet that the policy had blocked would leave the page in the browser's own font colour.
        assert page.look("getComputedStyle(document.querySelector('.top')).borderBottomStyle") == "solid"
    assert page.complaints == []
    assert {each for each in page.requested if not each.startswith((address, "about:"))} == set()


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_page_is_wider_than_the_window(page: Page, address: str, made: World, width: int) -> None:
    login(page, address, "9901-coordinator-schuldhulp")
    page.size(width, 800)
    try:
        for path in ("/", f"/cases/{made.cases['a-debt']}", "/flows", "/tray", "/?month=2020-01"):
            page.open(address + path)
            assert page.look("document.documentElement.scrollWidth") <= width, path
    finally:
        page.size(1280, 860)


@pytest.mark.parametrize("path", ["/", "case", "/flows", "/tray"])
def test_text_is_readable(page: Page, address: str, made: World, path: str) -> None:
    """WCAG AA: at least 4.5 to 1 between text and what is behind it, on all text outside the picture."""
    login(page, address, "9901-coordinator-schuldhulp")
    page.open(address + (f"/cases/{made.cases['a-debt']}" if path == "case" else path))
    weak = page.look(CONTRAST)
    assert weak == []


CONTRAST = """
(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgb = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * r + .7152 * g + .0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c[3] > 250) return c; } return [255, 255, 255, 255]; };
  const weak = new Set();
  for (const e of document.querySelectorAll("body *:not(svg *)")) {
    if (!e.getClientRects().length || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    if (e.classList.contains("skip") || e.closest("option, select")) continue;
    const style = getComputedStyle(e), a = light(rgb(style.color)), b = light(behind(e));
    const shown = +style.opacity, ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio * shown < 4.5) weak.add(e.tagName + "." + e.className + " " + ratio.toFixed(2) + " opacity " + shown);
  }
  return [...weak];
})()
"""
