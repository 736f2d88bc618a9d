"""The parts of the board that need no database: words, the picture, sessions and the brake."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from string import Formatter
from xml.etree import ElementTree

import pytest

from bereik.web import drawing, pages
from bereik.web.session import Brake, Sessions
from bereik.web.texts import TEXTS, euros, label, plain, text

WEB = Path(pages.__file__).parent
SECRET = b"sixteen bytes or more"


def test_both_languages_fill_in_the_same() -> None:
    fields = lambda words: {name for _, name, _, _ in Formatter().parse(words) if name}  # noqa: E731
    for key, (nl, en) in TEXTS.items():
        assert nl and en, key
        assert fields(nl) == fields(en), key


def test_every_text_exists_and_is_used() -> None:
    sources = [
        path.read_text("utf-8")
        for path in (*WEB.glob("*.py"), *WEB.glob("templates/*.html"))
        if path.name != "texts.py"
    ]
    used = {key for source in sources for key in re.findall(r'\bt\(\s*"([a-z0-9_.]+)"(?! ~)', source)}
    used |= {key for source in sources for key in re.findall(r'\btext\(\s*"([a-z0-9_.]+)"', source)}
    assert used and used <= set(TEXTS), used - set(TEXTS)
    # Texts asked for by an id of the database or put together in a template.
    families = ("login.point.", "login.refused.", "kind.", "error.", "reason.", "told.", "outlet.", "label.", "flows.gate.",
                "flows.col.", "plan.missing.", "plan.state.", "plan.promise.",
                "bridge.field.", "bridge.ground.", "board.morning", "board.afternoon", "board.evening", "due.", "fact.",
                "case.now.", "yes", "no", "review.answered.", "review.then.", "review.field.", "review.same", "review.different",
                "review.one_side", "tray.answer.", "tray.field.", "tray.choice.", "tray.then.",
                "tray.held.", "errand.")  # fmt: skip
    joined = "\n".join(sources)
    idle = [
        key
        for key in TEXTS
        if not key.startswith(families) and f'"{key}"' not in joined and f"'{key}'" not in joined
    ]
    assert idle == []


def test_no_declared_id_is_in_the_code() -> None:
    code = "\n".join(path.read_text("utf-8") for path in (*WEB.glob("*.py"), *WEB.glob("templates/*.html")))
    schemas = WEB.parents[1] / "schemas"
    ids = [
        path.name.split(".")[0]
        for folder in ("signals", "partners")
        for path in (schemas / folder).glob("*.yaml")
    ]
    assert ids and [name for name in ids if name in code] == []


def test_words() -> None:
    assert (
        euros(1290, "nl") == "€ 1.290"
        and euros(1290.5, "nl") == "€ 1.290,50"
        and euros(1290, "en") == "€ 1,290"
    )
    assert label({"nl": "Huur", "en": "Rent"}, "en") == "Rent" and label({"nl": "Huur"}, "en") == "Huur"
    assert label(None, "nl") == label(3, "nl") == "" and plain("since_when") == "since when"
    with pytest.raises(KeyError):
        text("no.such.text", "nl")


def picture(compartments: list[drawing.Compartment], ties: list[drawing.Tie]) -> ElementTree.Element:
    return ElementTree.fromstring(
        drawing.draw(compartments, ties, ["a", "b", "c", "d"], "apart", "title", "words")
    )


def compartment(name: str, counts: dict[str, int]) -> drawing.Compartment:
    nodes = [drawing.Node("gate", 1, "gate <&>", "n"), *(drawing.Node(each, 0, each, "n") for each in counts)]
    links = [
        drawing.Link(each, "gate", n, f"{each}: {n}", f"/?type={each}&x=1") for each, n in counts.items()
    ]
    return drawing.Compartment(name, name, "basis", tuple(nodes), tuple(links))


SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_is_sound_and_ribbons_are_in_proportion() -> None:
    svg = picture([compartment("one", {"x": 100, "y": 50}), compartment("two", {"z": 1})], [])
    wide = [float(each.get("stroke-width", "0")) for each in svg.iter(f"{SVG}path")]
    assert wide[0] == pytest.approx(2 * wide[1], rel=0.01) and wide[2] >= 1.5
    assert [each.get("href") for each in svg.iter(f"{SVG}a")] == [
        "/?type=x&x=1",
        "/?type=y&x=1",
        "/?type=z&x=1",
    ]
    assert "apart" in "".join(svg.itertext())
    assert not any("style" in each.attrib for each in svg.iter())


def test_compartments_do_not_overlap_and_boxes_stay_inside() -> None:
    svg = picture(
        [compartment("one", {f"t{n}": n * n for n in range(1, 12)}), compartment("two", {"z": 1})], []
    )
    frames = [each for each in svg.iter(f"{SVG}rect") if each.get("class") == "flow-compartment"]
    spans = [
        (float(each.get("y", 0)), float(each.get("y", 0)) + float(each.get("height", 0))) for each in frames
    ]
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    for group, (top, bottom) in zip(
        (g for g in svg if "compartment" in g.get("class", "")), spans, strict=True
    ):
        for box in (each for each in group.iter(f"{SVG}rect") if each.get("class") is None):
            y, height = float(box.get("y", 0)), float(box.get("height", 0))
            assert top < y and y + height < bottom


def test_a_bridge_is_drawn_with_its_ground_also_past_a_neighbour() -> None:
    ties = [
        drawing.Tie("one", "two", "bridge", ("by consent",)),
        drawing.Tie("three", "one", "bridge", ("by law",)),
    ]
    svg = picture([compartment(name, {"x": 1}) for name in ("one", "two", "three")], ties)
    words = "".join(svg.itertext())
    assert "by consent" in words and "by law" in words and words.count("apart") == 1


def test_an_empty_picture_is_drawn() -> None:
    assert picture([], []).tag == f"{SVG}svg"


def test_a_session_is_read_back_and_no_other_secret_reads_it() -> None:
    sessions = Sessions(SECRET)
    session = sessions.login("someone", "hash", "nl")
    cookie = sessions.write(session)
    assert sessions.read(cookie) == session and "hash" not in cookie
    assert Sessions(b"another secret of bytes").read(cookie) is None
    assert sessions.token(session) != sessions.token(sessions.login("someone", "hash", "nl"))
    for odd in (None, "", "x", cookie[:-1], cookie + "x", "a.b.c"):
        assert sessions.read(odd) is None
    sessions.end(session)
    assert sessions.read(cookie) is None
    with pytest.raises(ValueError, match="16 bytes"):
        Sessions(b"short")


def test_the_brake_lets_go_after_a_while_and_keeps_its_size() -> None:
    now = [0.0]
    brake = Brake(lambda: now[0])
    assert [brake.attempt("a") for _ in range(5)] == [0] * 5
    assert brake.attempt("a") > 0 and brake.attempt("b") == 0
    now[0] = 301
    assert brake.attempt("a") == 0
    brake.right("a")
    assert [brake.attempt("a") for _ in range(5)] == [0] * 5
    for number in range(10_050):
        brake.attempt(f"n{number}")
    assert len(brake._tries) == 10_000
