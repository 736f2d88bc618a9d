"""Reviews on the board: who may see two records side by side, what an answer does, and that nothing else gets out."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from html import unescape
from uuid import uuid4

import psycopg
import pytest
from board_world import ENTRANCE, NOW, PASSWORD, World, world
from fastapi.testclient import TestClient
from review_world import CANARY, PURPOSE, Questions, keyring

from bereik.keys import Keyring
from bereik.runtime import Stack
from bereik.store import Store
from bereik.web import create_app

pytestmark = pytest.mark.stack

REVIEWER = f"9901-reviewer-{PURPOSE}"


@pytest.fixture(scope="module")
def made(stack: Stack) -> World:
    return world(stack)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return keyring(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def questions(made: World, keys: Keyring) -> Iterator[Questions]:
    # The keyring is new, so the register has to be as well.
    with psycopg.connect(made.url("bereik_owner")) as owner:
        owner.execute(
            "TRUNCATE vault.register, vault.record, vault.key, vault.link, vault.review, vault.verdict"
        )
    one = Questions(made, keys)
    yield one
    one.close()


@pytest.fixture(scope="module")
def store(made: World) -> Iterator[Store]:
    # One connection: two users must take turns on it.
    one = made.store(pool_size=1)
    yield one
    one.close()


class Reader:
    """A visitor with cookies, who answers as the page's form does."""

    def __init__(self, made: World, store: Store, keys: Keyring, username: str) -> None:
        app = create_app(
            store, lambda: made.bundle, b"a secret of the tests, 32 bytes.", ENTRANCE, lambda: NOW, keys
        )
        self.client = TestClient(app, base_url="https://board.example", follow_redirects=False)
        page = self.client.get("/login").text
        form = {"csrf": self.token(page), "username": username, "password": PASSWORD, "next": "/"}
        assert self.client.post("/login", data=form).status_code == 303

    def token(self, page: str) -> str:
        return re.search(r'name="csrf" value="([0-9a-f]{64})"', page)[1]  # type: ignore[index]

    def get(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code)
        return unescape(answer.text)

    def answer(self, signal_id: str, answer: str, status: int = 303) -> str:
        token = self.token(self.client.get("/", follow_redirects=True).text)
        sent = self.client.post(f"/reviews/{signal_id}", data={"csrf": token, "answer": answer})
        assert sent.status_code == status, sent.status_code
        return unescape(sent.text)


@pytest.fixture
def as_(made: World, store: Store, keys: Keyring) -> Callable[[str], Reader]:
    return lambda username: Reader(made, store, keys, username)


# ---------------------------------------------------------------- who may look


def test_a_reviewer_sees_both_records_and_no_weight(
    questions: Questions, as_: Callable[[str], Reader]
) -> None:
    known, asked = questions.ask()
    page = as_(REVIEWER).get(f"/reviews/{asked}")
    assert CANARY in page and "<mark>A</mark>." in page and "<mark>Q</mark>." in page
    assert 'id="why"' not in page and "gewicht" not in page.split("</form>")[-1].lower()
    assert page.count('scope="row"') >= 5 and "verschilt" in page
    assert f"/reviews/{asked}" in as_(REVIEWER).get("/reviews")
    as_(REVIEWER).get(f"/reviews/{known}", 404)


@pytest.mark.parametrize(
    "username",
    [
        "9901-reviewer-leerplicht",
        "9902-reviewer-schuldhulp",
        "9901-vroeg-noord",
        "9901-privacy",
        "nobody",
        "9901-leerplicht",
    ],
)
def test_who_is_no_reviewer_there_sees_nothing(
    questions: Questions, as_: Callable[[str], Reader], username: str
) -> None:
    _, asked = questions.ask()
    reader = as_(username)
    assert CANARY not in reader.get(f"/reviews/{asked}", 404)
    reader.answer(asked, "same", 404)
    assert str(asked) not in reader.client.get("/reviews").text


def test_without_a_login_the_page_leads_to_it(
    questions: Questions, made: World, store: Store, keys: Keyring
) -> None:
    app = create_app(
        store, lambda: made.bundle, b"a secret of the tests, 32 bytes.", ENTRANCE, lambda: NOW, keys
    )
    client = TestClient(app, base_url="https://board.example", follow_redirects=False)
    _, asked = questions.ask()
    for path in ("/reviews", f"/reviews/{asked}"):
        assert client.get(path).headers["location"].startswith("/login")


def test_who_may_see_both_cases_decides_too(
    questions: Questions, made: World, as_: Callable[[str], Reader]
) -> None:
    known, asked = questions.ask()
    questions.into_case(known, made.cases["a-debt"])
    as_("9901-vroeg-noord").get(f"/reviews/{asked}", 404)
    questions.into_case(asked, made.cases["october"])
    worker = as_("9901-vroeg-noord")
    assert CANARY in worker.get(f"/reviews/{asked}")
    as_("9901-vroeg-zuid").get(f"/reviews/{asked}", 404)
    worker.answer(asked, "same")
    assert questions.person(known) == questions.person(asked)


def test_the_database_itself_shows_a_reviewer_only_what_is_asked(questions: Questions, made: World) -> None:
    known, asked = questions.ask()
    with psycopg.connect(made.url("bereik_web")) as connection:
        connection.execute(f"SET ROLE reviewing_{PURPOSE}")
        for sql in ("SELECT count(*) FROM vault.record", "SELECT count(*) FROM vault.register"):
            assert connection.execute(sql).fetchone() == (0,), "nobody is named"
        connection.execute("SELECT set_config('bereik.user', %s, false)", (REVIEWER,))
        seen = {row[0] for row in connection.execute("SELECT signal_id FROM vault.record")}
        assert {known, asked} <= seen
        open_ones = {one for row in connection.execute("SELECT signal_id, against FROM vault.review WHERE closed_at IS NULL"
                     " OR closed_by = %s", (REVIEWER,)) for one in row}  # fmt: skip
        assert seen <= open_ones
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE vault.record SET sealed = ''")
    with (
        psycopg.connect(made.url("bereik_web")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(f"SET ROLE linking_{PURPOSE}")


# ---------------------------------------------------------------- what an answer does


def test_one_person_joins_them_and_then_the_weight_is_shown(
    questions: Questions, as_: Callable[[str], Reader]
) -> None:
    known, asked = questions.ask()
    reader = as_(REVIEWER)
    assert questions.person(known) != questions.person(asked), "undecided never means linked"
    reader.answer(asked, "same")
    assert questions.person(known) == questions.person(asked)
    page = reader.get(f"/reviews/{asked}")
    assert "Beslist: één persoon" in page and 'id="why"' in page and "achternaam" in page
    assert 'name="answer"' not in page
    edges = questions.rows(
        "SELECT reason, decided_by FROM vault.link WHERE signal_id = %s ORDER BY version", asked
    )
    assert edges[-1] == ("joined", REVIEWER)
    reader.answer(asked, "different", 404)


def test_two_people_are_never_linked_again(questions: Questions, as_: Callable[[str], Reader]) -> None:
    known, asked = questions.ask()
    as_(REVIEWER).answer(asked, "different")
    assert questions.person(known) != questions.person(asked)
    verdicts = questions.rows(
        "SELECT same, decided_by FROM vault.verdict WHERE one = %s AND ended_at IS NULL", asked
    )
    assert verdicts == [(False, REVIEWER)]


def test_who_does_not_know_passes_it_on_and_is_not_asked_again(
    questions: Questions, as_: Callable[[str], Reader]
) -> None:
    known, asked = questions.ask()
    reader = as_(REVIEWER)
    reader.answer(asked, "unknown")
    assert questions.person(known) != questions.person(asked)
    assert questions.rows("SELECT closed_at, unsure FROM vault.review WHERE signal_id = %s", asked) == [
        (None, [REVIEWER])
    ]
    page = reader.get(f"/reviews/{asked}")
    assert 'id="why"' in page and 'name="answer"' not in page
    assert str(asked) not in reader.get("/reviews")
    reader.answer(asked, "same", 404)


def test_a_form_of_another_session_or_with_another_answer_decides_nothing(
    questions: Questions, as_: Callable[[str], Reader]
) -> None:
    known, asked = questions.ask()
    reader = as_(REVIEWER)
    forged = reader.client.post(f"/reviews/{asked}", data={"csrf": "0" * 64, "answer": "same"})
    assert forged.status_code == 403
    reader.answer(asked, "perhaps", 400)
    assert questions.person(known) != questions.person(asked)


def test_decisions_move_the_figures(questions: Questions, as_: Callable[[str], Reader]) -> None:
    page = as_(REVIEWER).get("/reviews")
    assert "Vragen per 1.000 signalen" in page and "Terecht gekoppeld" in page
    counted = questions.rows("SELECT signals, reviews, same, different FROM vault.figures(%s, '9901', %s)", PURPOSE,
                             NOW.replace(year=2020))  # fmt: skip
    assert counted[0][1] >= counted[0][2] + counted[0][3] > 0


def test_every_opening_is_put_on_record_and_no_value_is_logged(
    questions: Questions, made: World, as_: Callable[[str], Reader], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    _, asked = questions.ask()
    reader = as_(REVIEWER)
    reader.get(f"/reviews/{asked}")
    reader.answer(asked, "different")
    reader.get(f"/reviews/{uuid4()}", 404)
    with psycopg.connect(made.url("bereik_operator")) as connection:
        connection.execute("SET ROLE bereik_auditor")
        acts = connection.execute(
            "SELECT actor, act FROM audit.act WHERE about = %s ORDER BY at, act", (asked,)
        ).fetchall()
    assert ("review.opened" in {act for _, act in acts}) and (REVIEWER, "review.different") in acts
    assert CANARY.lower() not in caplog.text.lower()


def test_answers_reach_casework_as_assignments(
    questions: Questions, made: World, as_: Callable[[str], Reader]
) -> None:
    _, asked = questions.ask()
    as_(REVIEWER).answer(asked, "same")
    with psycopg.connect(made.url("bereik_relay")) as connection:
        rows = connection.execute(
            "SELECT messages FROM ops.outbox WHERE topic = %s", (f"signals.{PURPOSE}",)
        ).fetchall()
    text = b"".join(bytes(row[0]) for row in rows)
    assert str(asked).encode() in text and CANARY.lower().encode() not in text.lower()
