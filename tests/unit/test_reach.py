"""How a municipality reaches its residents: declared, dated, and shown to everybody in simple Dutch and English."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest
from board_world import ENTRANCE
from fastapi.testclient import TestClient

from bereik.bundle import Bundle
from bereik.cli import main
from bereik.declared.municipalities import Reach
from bereik.errors import InvalidDeclarations
from bereik.store import Store
from bereik.web import create_app

SCHEMAS = Path(__file__).parents[2] / "schemas"
BUNDLE = Bundle.compile(SCHEMAS)
TOWN = BUNDLE.municipalities["9901"]
REACH = cast(Reach, TOWN.reach)


@pytest.fixture(scope="module")
def client() -> TestClient:
    """The board without a database: this page needs none."""
    store = cast(Store, None)
    return TestClient(
        create_app(store, lambda: BUNDLE, b"a secret of the tests, 32 bytes.", ENTRANCE),
        base_url="http://127.0.0.1",
    )


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.mark.parametrize(("language", "title"), [("nl", "Zo bereiken wij u"), ("en", "How we reach you")])
def test_everybody_may_read_it_in_two_languages(client: TestClient, language: str, title: str) -> None:
    client.cookies.clear()
    answer = client.get("/zo-bereiken-wij-u/9901", headers={"accept-language": language})
    assert answer.status_code == 200
    text = words(answer.text)
    assert title in text and TOWN.name in text and REACH.phone in text and REACH.adopted_by in text
    for group in REACH.groups:
        assert all(part[language] in text for part in (group.who, group.ways, group.minimum))
    assert all(reason[language] in text for reason in REACH.stop)
    assert str(REACH.review.year) in text


@pytest.mark.parametrize("code", ["0000", "99011", "..%2f9901", "x"])
def test_a_code_without_a_policy_is_not_found(client: TestClient, code: str) -> None:
    assert client.get(f"/zo-bereiken-wij-u/{code}").status_code == 404


def test_its_sentences_are_short_enough_to_read() -> None:
    """B1: no sentence of more than twenty words."""
    for town in BUNDLE.municipalities.values():
        assert town.reach is not None
        parts = [town.reach.whom, *town.reach.stop]
        parts += [text for group in town.reach.groups for text in (group.who, group.ways, group.minimum)]
        for part in parts:
            for text in part.values():
                assert all(len(sentence.split()) <= 20 for sentence in re.split(r"[.?!]", text)), text


def spoiled(folder: Path, old: str, new: str) -> Path:
    made = folder / "schemas"
    shutil.copytree(SCHEMAS, made)
    path = next(made.glob("municipalities/9901-*.yaml"))
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    return made


def test_a_review_that_is_overdue_is_a_warning(tmp_path: Path, capsys: Any) -> None:
    made = spoiled(tmp_path, "review: 2027-02-10", "review: 2026-02-11")
    assert main(["check", "--schemas", str(made)]) == 0
    assert "warning: Waterwoude (9901): the reach policy should have been reviewed by 2026-02-11" in (
        capsys.readouterr().out
    )
    assert not REACH.overdue(REACH.review) and replace(REACH, review=date(2026, 1, 1)).overdue(
        date(2026, 1, 2)
    )


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("review: 2027-02-10", "review: 2026-02-10", "bereik.review"),
        ("  adoptedBy: College", "  adoptedBi: College", "adoptedBi"),
        ('phone: "14 0199"', 'phone: "bel ons"', "bereik.phone"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(tmp_path: Path, old: str, new: str, key: str) -> None:
    with pytest.raises(InvalidDeclarations, match=re.escape(key)):
        Bundle.compile(spoiled(tmp_path, old, new))
