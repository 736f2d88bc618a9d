"""The fictional registers on a free port, for tests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from bereik.brp import PERSONEN, Brp, Credentials, Line
from bereik.fiction import brp as fiction


@dataclass
class Served:
    """A register that listens."""

    url: str
    desk: fiction.Desk

    def brp(self, credentials: Credentials | None = None) -> Brp:
        """A client of it."""
        return Brp(Line(self.url + PERSONEN, credentials or Credentials(key=self.desk.key)))


@contextmanager
def serving(desk: fiction.Desk) -> Iterator[Served]:
    """The fictional registers on a free port of this machine while the block runs."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        server = uvicorn.Server(uvicorn.Config(fiction.app(desk), log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}", desk)
        finally:
            server.should_exit = True
            thread.join(10)
