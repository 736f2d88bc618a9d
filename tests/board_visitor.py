"""A person at the board of the shared stack: logs in, reads pages, sends the forms that stand on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from uuid import uuid4

from board_world import ENTRANCE, PASSWORD
from fastapi.testclient import TestClient
from support import World

from bereik.store import Store
from bereik.store.accounts import Account, Membership, hash_password, put_accounts, remove_account
from bereik.web import create_app


class Visitor:
    """One browser with somebody logged in."""

    def __init__(self, client: TestClient, username: str) -> None:
        self.client, self.username = client, username
        form = {"csrf": self._token("/login"), "username": username, "password": PASSWORD, "next": "/"}
        assert client.post("/login", data=form).status_code == 303

    def _token(self, path: str) -> str:
        page = self.client.get(path, follow_redirects=True).text
        return re.search(r'name="csrf" value="([0-9a-f]{64})"', page)[1]  # type: ignore[index]

    def get(self, path: str, status: int = 200) -> str:
        """The words of a page."""
        answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code)
        return unescape(answer.text)

    def post(self, path: str, status: int = 303, **fields: str) -> None:
        """Send a form as the pages have it."""
        sent = self.client.post(path, data={"csrf": self._token("/"), **fields})
        assert sent.status_code == status, (path, sent.status_code)


@contextmanager
def at_the_board(world: World, purpose: str, municipality: str, team: str) -> Iterator[Visitor]:
    """Somebody new of one team, logged in."""
    username = f"visitor-{uuid4().hex[:8]}"
    account = Account(username, "Visitor", members=(Membership(purpose, municipality, team),))
    operator = Store(world.stack.settings.database_url("bereik_operator"))
    store = Store(world.stack.settings.database_url("bereik_web"))
    try:
        with operator.transaction() as tx:
            put_accounts(tx, [(account, hash_password(PASSWORD, 1024))])
        app = create_app(store, lambda: world.bundle, b"a secret of the tests, 32 bytes.", ENTRANCE)
        yield Visitor(TestClient(app, base_url="https://board.example", follow_redirects=False), username)
        with operator.transaction() as tx:
            remove_account(tx, username)
    finally:
        store.close()
        operator.close()
