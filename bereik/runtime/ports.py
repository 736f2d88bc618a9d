"""Which ports the stack listens on, and who is in the way when one is taken."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Self

from bereik.errors import LastingError

HOST = "127.0.0.1"
UNSEEN = "a process that cannot be seen from here"


class PortTaken(LastingError):
    """A port that the stack needs is in use."""

    def __init__(self, name: str, port: int, owner: str) -> None:
        """Name the part that needs `port`, and the process that has it."""
        self.name, self.port, self.owner = name, port, owner
        super().__init__(
            f"Port {port} ({name}) is in use by {owner}. Stop that process, or choose another port with "
            f"BEREIK_{name.upper()}_PORT."
        )


class WrongPort(LastingError):
    """A BEREIK_*_PORT variable must be a whole number from 1 to 65535."""


@dataclass(frozen=True, slots=True)
class Ports:
    """One port per listening part, all on 127.0.0.1. The defaults lie together, outside the usual ones."""

    database: int = 18432
    kafka: int = 18092
    controller: int = 18093
    web: int = 18080
    airflow: int = 18088
    register: int = 18099

    @classmethod
    def free(cls) -> Self:
        """As many ports that are free now: for tests and for stacks side by side."""
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in fields(cls)]
        try:
            for one in sockets:
                one.bind((HOST, 0))
            return cls(*(one.getsockname()[1] for one in sockets))
        finally:
            for one in sockets:
                one.close()

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """The defaults, each changed by BEREIK_<NAME>_PORT when that is set. Raises `WrongPort`."""
        chosen: dict[str, int] = {}
        for field in fields(cls):
            text = env.get(f"BEREIK_{field.name.upper()}_PORT", "")
            if not text:
                continue
            if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
                raise WrongPort(f"BEREIK_{field.name.upper()}_PORT must be a whole number from 1 to 65535.")
            chosen[field.name] = int(text)
        return replace(cls(), **chosen)

    def as_dict(self) -> dict[str, int]:
        """Name → port, for the stack's own file."""
        return asdict(self)

    def require_free(self, skip: frozenset[str] = frozenset()) -> None:
        """Raises `PortTaken` for the first port that somebody listens on; `skip` names those that are ours already."""
        # A killed process with many threads (the broker) is gone from /proc up to a second before its ports are.
        until = time.monotonic() + 3
        for name, port in self.as_dict().items():
            while name not in skip and in_use(port):
                owner = owner_of(port)
                if owner != UNSEEN or time.monotonic() > until:
                    raise PortTaken(name, port, owner)
                time.sleep(0.1)


def in_use(port: int) -> bool:
    """Whether binding the port on 127.0.0.1 is refused."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: connections of a stopped server in TIME_WAIT are not in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def owner_of(port: int) -> str:
    """`name (pid N)` of the process listening on a TCP port, or what is known when that is hidden from us."""
    inodes = _listening_inodes(port)
    if not inodes:
        return UNSEEN
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        # An error: it ended meanwhile, or belongs to somebody else.
        with contextlib.suppress(OSError):
            for entry in os.listdir(process / "fd"):
                if _socket_inode(process / "fd" / entry) in inodes:
                    name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
                    return f"{name} (pid {process.name})"
    return UNSEEN


def _socket_inode(link: Path) -> str:
    """The inode that a file descriptor's link names, empty when it is no socket or closed meanwhile."""
    with contextlib.suppress(OSError):
        target = os.readlink(link)
        if target.startswith("socket:["):
            return target[8:-1]
    return ""


def _listening_inodes(port: int) -> set[str]:
    """Socket inodes in state LISTEN (0A) on the port, from /proc/net/tcp and tcp6."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split()
            if columns[3] == "0A" and int(columns[1].rsplit(":", 1)[1], 16) == port:
                found.add(columns[9])
    return found
