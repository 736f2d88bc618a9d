"""The board in a real browser: it works without JavaScript, asks nothing of elsewhere, and fits a telephone."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
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


def test_the_tray_shows_the_command_to_look_and_takes_a_decision_by_a_form(
    page: Page, address: str, made: World
) -> None:
    person_id = str(uuid4())
    with psycopg.connect(made.url("bereik_checks")) as connection:
        connection.execute("SET ROLE checking_schuldhulp")
        connection.execute(
            "INSERT INTO vault.residency (case_id, person_id, purpose, municipality, signal_id, answer)"
            " VALUES (%s, %s, 'schuldhulp', '9901', %s, 'deviating')",
            (made.cases["zuid"], person_id, str(uuid4())),
        )
    doubt = {"person_id": person_id, "answer": "deviating", "differences": ["huisnummer"]}
    state(made, "zuid", "resident", doubt)
    login(page, address, "9901-vroeg-zuid")
    page.click("a[href='/tray']")
    assert page.look("location.pathname") == "/tray"
    assert "Gevonden, met andere gegevens" in page.text() and "huisnummer" in page.text()
    assert f"bereik tray show {made.cases['zuid'][:8]}" in page.text()
    topmost = "(b => document.elementFromPoint(b.x + 5, b.y + 5).tagName)(document.querySelector('.tray code').getClientRects()[0])"
    assert page.look(topmost) == "CODE", "a command can be selected"
    form = f".choose:has(input[value='{person_id}'])"
    page.look(f'document.querySelector("{form} select").value = "partner"')
    page.click(f"{form} button")
    path, words, again, forms = page.look(
        "[location.pathname, document.body.innerText, document.querySelectorAll('meta[http-equiv=refresh]').length,"
        f' document.querySelectorAll("{form}").length]'
    )
    assert (path, again, forms) == ("/tray", 1, 0) and "Wordt verwerkt" in words, "asked once"
    settled(made, made.cases["zuid"])
    state(made, "zuid", "repaired", {"person_id": person_id, "choice": "partner"})
    page.open(f"{address}/tray")
    assert page.look(f'document.querySelectorAll("{form}").length') == 0
    assert "vastgelegd op" in page.text() and "Het register loopt achter." in page.text()
    assert page.look("document.querySelectorAll('meta[http-equiv=refresh]').length") == 0


def settled(made: World, about: str, *after: str) -> None:
    """What the process `checks` does with what the board asked for, as far as the page shows it."""
    with psycopg.connect(made.url("bereik_checks")) as connection:
        connection.execute("SET ROLE checking_schuldhulp")
        connection.execute(
            "UPDATE casework.errand SET done_at = now(), outcome = 'done' WHERE about = %s", (about,)
        )
        for statement in after:
            connection.execute(statement.encode(), (about,))


def test_an_offer_is_answered_by_a_form(page: Page, address: str, made: World) -> None:
    transfer = str(uuid4())
    with psycopg.connect(made.url("bereik_checks")) as connection:
        connection.execute("SET ROLE checking_schuldhulp")
        connection.execute(
            "INSERT INTO vault.transfer (transfer_id, purpose, case_id, person_id, municipality, toward, team)"
            " VALUES (%s, 'schuldhulp', %s, %s, '9902', '9901', '9901-leiding-schuldhulp')",
            (transfer, made.cases["c-debt"], str(uuid4())),
        )
    login(page, address, "9901-leiding-schuldhulp")
    assert "verhuisde zaak wacht op antwoord" in page.text()
    page.click("a[href='/offers']")
    assert "Lindeveen" in page.text() and "Bel de andere gemeente" in page.text()
    page.click("button[value='no']")
    # In one look: three seconds later the page asks for itself again.
    path, words, again, buttons = page.look(
        "[location.pathname, document.body.innerText, document.querySelectorAll('meta[http-equiv=refresh]').length,"
        " document.querySelectorAll('.offers button').length]"
    )
    assert (path, again, buttons) == ("/offers", 1, 0) and "Wordt verwerkt" in words, "asked once"
    settled(
        made,
        transfer,
        "UPDATE vault.transfer SET decided_at = now(), accepted = false WHERE transfer_id = %s",
    )
    page.open(f"{address}/offers")
    assert "niet overgenomen op" in page.text() and "Geen aanbod" in page.text()
    assert page.look("document.querySelectorAll('meta[http-equiv=refresh]').length") == 0


def test_consent_that_a_partner_reported_is_confirmed_by_a_form(
    page: Page, address: str, made: World
) -> None:
    case_id = made.cases["b-debt"]
    with psycopg.connect(made.url("bereik_bridge")) as connection:
        connection.execute(
            "INSERT INTO bridge.announced (case_id, purpose, toward, municipality, person_id, form, who, announced_at)"
            " VALUES (%s, 'schuldhulp', 'leerplicht', '9901', %s, 'gezin-v1', 'contracthouder', %s)",
            (case_id, str(uuid4()), NOW),
        )
    login(page, address, "9901-vroeg-noord")
    page.open(f"{address}/cases/{case_id}")
    assert "contracthouder formulier gezin-v1" in page.text()
    page.click(".announced button")
    path, words = page.look("[location.pathname, document.body.innerText]")
    assert path == f"/cases/{case_id}" and "Wordt verwerkt" in words
    settled(made, case_id)
    page.open(f"{address}/cases/{case_id}")
    assert "Vastgelegd." in page.text()
    with psycopg.connect(made.url("bereik_bridge")) as connection:
        connection.execute("DELETE FROM bridge.announced WHERE case_id = %s", (case_id,))


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
        for path in ("/", f"/cases/{made.cases['a-debt']}", "/flows", "/tray", "/offers", "/?month=2020-01"):
            page.open(address + path)
            assert page.look("document.documentElement.scrollWidth") <= width, path
    finally:
        page.size(1280, 860)


@pytest.mark.parametrize("path", ["/", "case", "/flows", "/tray", "/offers"])
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
