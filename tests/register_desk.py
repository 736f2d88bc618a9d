"""The fictional registers on a free port, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bereik.brp import Brp, Credentials, Line
from bereik.fiction import brp as fiction


@dataclass
class Served:
    """A register that listens."""

    url: str
    desk: fiction.Desk

    def brp(self, credentials: Credentials | None = None) -> Brp:
        """A client of it."""
        return Brp(Line(self.url + fiction.PERSONEN, credentials or Credentials(key=self.desk.key)))


@contextmanager
def serving(desk: fiction.Desk) -> Iterator[Served]:
    """The fictional registers on a free port."""
    with fiction.serving(desk) as url:
        yield Served(url, desk)
