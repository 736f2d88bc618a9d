"""Keeps the stack's processes alive (supervisord from the locked wheel), and finds every one of them again.

What belongs to a stack is known in two ways: the marker in its environment, and the session that supervisord leads.
Two, because PostgreSQL and Airflow overwrite their environment to show a title, and a program may start a session.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bereik.errors import LastingError
from bereik.runtime.files import write_secret

MARKER = "BEREIK_STACK"


class SupervisorFailed(LastingError):
    """The process keeper did not start or does not answer. Its log is in the stack's log folder."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process to keep alive. `stop` is the signal that ends it cleanly within `patience` seconds."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stop: str = "TERM"
    patience: int = 10
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class ProcessState:
    """What one process of the stack is doing: supervisor's word for it, its pid (0 when not running), its log."""

    name: str
    state: str
    pid: int
    log: Path

    @property
    def running(self) -> bool:
        """Whether it is up."""
        return self.state == "RUNNING"


class Supervisor:
    """The process keeper of one home folder."""

    def __init__(self, home: Path) -> None:
        """Take the folder; nothing is started or read yet."""
        self.home = home
        self._run = home / "run"
        self._conf = self._run / "supervisord.conf"
        self._session = self._run / "session"
        self._pidfile = self._run / "supervisord.pid"

    @property
    def socket(self) -> Path:
        """Where the keeper listens. A Unix socket's path may have 107 bytes, and supervisord appends its pid to it."""
        near = self._run / "supervisor.sock"
        if len(os.fsencode(near)) <= 90:
            return near
        name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"bereik-{os.getuid()}-{name}" / "s"

    def alive(self) -> bool:
        """Whether the keeper answers."""
        try:
            return bool(self._call("getState")["statecode"] == 1)
        except SupervisorFailed:
            return False

    def start(self, programs: Sequence[Program], path: Mapping[str, str]) -> None:
        """Start the keeper with these programs, none of them running yet. Raises `SupervisorFailed`."""
        self._run.mkdir(exist_ok=True)
        (self.home / "log").mkdir(exist_ok=True)
        folder = self.socket.parent
        if folder != self._run:
            folder.mkdir(mode=0o700, exist_ok=True)
            if folder.stat().st_uid != os.getuid():
                raise SupervisorFailed(
                    f"{folder} belongs to another user; it would be able to steer this stack."
                )
        self.socket.unlink(missing_ok=True)
        self._pidfile.unlink(missing_ok=True)
        write_secret(self._conf, self._configuration(programs))
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._conf)]
        environment = {**path, MARKER: str(self.home)}
        # Its own standard streams: a caller that waits for the end of our output must not wait for a daemon's.
        with (self.home / "log" / "supervisord.start.log").open("wb") as log:
            done = subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
                cwd=self.home,
            )
        if done.returncode:
            raise SupervisorFailed(
                f"{SupervisorFailed.__doc__} ({self.home / 'log' / 'supervisord.start.log'})"
            )
        until = time.monotonic() + 20
        while not self.alive():
            if time.monotonic() > until:
                raise SupervisorFailed(f"{SupervisorFailed.__doc__} ({self.home / 'log'})")
            time.sleep(0.05)
        leader = int(self._call("getPID"))
        self._session.write_text(f"{leader} {_boot()} {_started(leader)}\n", encoding="ascii")

    def run(self, names: Sequence[str]) -> None:
        """Start these programs when they are not running; returns at once. Raises `SupervisorFailed`."""
        states = {state.name: state for state in self.states()}
        for name in names:
            if states[name].state in ("RUNNING", "STARTING", "BACKOFF"):
                continue
            try:
                self._call("startProcess", name, False)
            except xmlrpc.client.Fault as fault:
                # 60: somebody else was first.
                if fault.faultCode != 60:
                    raise SupervisorFailed(f"{name} cannot be started: {fault.faultString}") from None

    def halt(self, names: Sequence[str]) -> None:
        """Stop these programs side by side and return when all have ended."""
        for name in names:
            with contextlib.suppress(xmlrpc.client.Fault):
                self._call("stopProcess", name, False)
        # The keeper itself kills what does not end in its time, so this ends.
        while any(state.name in names and state.pid for state in self.states()):
            time.sleep(0.05)

    def states(self) -> list[ProcessState]:
        """Every program's state, in the order of their start; empty when the keeper is not there."""
        try:
            found = self._call("getAllProcessInfo")
        except SupervisorFailed:
            return []
        ordered = sorted(found, key=lambda one: (one["start"] == 0, one["start"], one["name"]))
        return [
            ProcessState(
                one["name"], one["statename"], int(one["pid"]), self.home / "log" / f"{one['name']}.log"
            )
            for one in ordered
        ]

    def shutdown(self, stages: Sequence[Sequence[str]]) -> None:
        """Stop the programs stage by stage, then the keeper, then whatever is left. Returns when all is gone."""
        asked = self.alive()
        if asked:
            for names in stages:
                self.halt(names)
            with contextlib.suppress(xmlrpc.client.Fault, SupervisorFailed):
                self._call("shutdown")
        self.sweep(grace=3.0 if asked else 0.0)
        self.socket.unlink(missing_ok=True)
        if self.socket.parent != self._run:
            with contextlib.suppress(OSError):
                self.socket.parent.rmdir()

    def leftovers(self) -> list[int]:
        """Process ids of this stack that are alive now, the keeper included."""
        leader = self._leader()
        marker = f"{MARKER}={self.home}".encode()
        everybody: dict[int, _Facts] = {}
        found: set[int] = set()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            pid = int(entry.name)
            facts = _facts(pid)
            if facts is None or facts.state == "Z":
                continue
            everybody[pid] = facts
            if leader is not None and facts.session == leader:
                found.add(pid)
                continue
            with contextlib.suppress(OSError):
                if marker in (entry / "environ").read_bytes().split(b"\0"):
                    found.add(pid)
        # PostgreSQL's backends each begin a session of their own.
        more = found
        while more := {pid for pid, facts in everybody.items() if facts.parent in more} - found:
            found |= more
        return sorted(found)

    def sweep(self, grace: float = 0.0, patience: float = 15.0) -> None:
        """End every process of this stack. Raises `SupervisorFailed` for one that cannot be killed.

        Those that were told to stop just now get `grace` seconds; what is left is asked, and killed after `patience`.
        """
        began = time.monotonic()
        while (left := self.leftovers()) and time.monotonic() < began + grace:
            time.sleep(0.1)
        for pid in left:
            # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for its clients.
            _kill(pid, signal.SIGINT if _name(pid) == "postgres" else signal.SIGTERM)
        while (left := self.leftovers()) and time.monotonic() < began + patience:
            time.sleep(0.1)
        for pid in left:
            _kill(pid, signal.SIGKILL)
        until = time.monotonic() + 10
        while left := self.leftovers():
            if time.monotonic() > until:
                raise SupervisorFailed(f"Processes of this stack cannot be ended: {left}")
            time.sleep(0.05)

    def _leader(self) -> int | None:
        """The session of the keeper that ran last, unless the number now belongs to somebody else."""
        try:
            leader, boot, started = self._session.read_text(encoding="ascii").split()
        except (OSError, ValueError):
            return None
        if boot != _boot():
            return None
        now = _facts(int(leader))
        if now is not None and now.started != int(started):
            return None
        return int(leader)

    def _configuration(self, programs: Sequence[Program]) -> str:
        sections = [
            "[supervisord]",
            f"logfile={self.home}/log/supervisord.log",
            "logfile_maxbytes=5MB",
            "logfile_backups=1",
            f"pidfile={self._pidfile}",
            f"childlogdir={self.home}/log",
            "umask=077",
            "[unix_http_server]",
            f"file={self.socket}",
            "chmod=0700",
            "[rpcinterface:supervisor]",
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        ]
        for program in programs:
            environment = {**program.environment, MARKER: str(self.home)}
            sections += [
                f"[program:{program.name}]",
                "command=" + " ".join(_quote(part) for part in program.command),
                "environment="
                + ",".join(f"{key}={_quote(value)}" for key, value in sorted(environment.items())),
                f"directory={_plain(program.folder or self.home)}",
                "autostart=false",
                "autorestart=true",
                # A second of life counts as started; below that it is tried again, each time a second later.
                "startsecs=1",
                "startretries=1000",
                f"stopsignal={program.stop}",
                f"stopwaitsecs={program.patience}",
                # Not for PostgreSQL: its backends take SIGINT as "cancel this query", and the postmaster ends them.
                "stopasgroup=" + ("false" if program.stop == "INT" else "true"),
                "killasgroup=true",
                "redirect_stderr=true",
                f"stdout_logfile={_plain(self.home)}/log/{program.name}.log",
                "stdout_logfile_maxbytes=10MB",
                "stdout_logfile_backups=1",
            ]
            if program.user:
                sections.append(f"user={program.user}")
        return "\n".join(sections) + "\n"

    def _call(self, method: str, *arguments: Any) -> Any:
        """One remote call. Raises `SupervisorFailed` when nobody answers, `Fault` when the keeper says no."""
        proxy = xmlrpc.client.ServerProxy(
            "http://keeper", transport=_UnixTransport(self.socket), allow_none=True
        )
        try:
            with proxy:
                return getattr(proxy.supervisor, method)(*arguments)
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise SupervisorFailed(f"{SupervisorFailed.__doc__} ({type(error).__name__})") from None


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        # Stopping Airflow may take its full 20 seconds.
        super().__init__("keeper", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.sock.settimeout(self.timeout)
            self.sock.connect(str(self._path))
        except OSError:
            self.close()
            raise


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        connection = _UnixConnection(self._path)
        # Where the base class looks for what it must close.
        self._connection = ("keeper", connection)
        return connection


@dataclass(frozen=True, slots=True)
class _Facts:
    state: str
    parent: int
    session: int
    started: int


def _facts(pid: int) -> _Facts | None:
    """State, parent, session and start time from /proc/PID/stat; None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name, in parentheses, may hold anything; the columns after it are plain.
    columns = text[text.rindex(")") + 2 :].split()
    return _Facts(columns[0], int(columns[1]), int(columns[3]), int(columns[19]))


def _started(pid: int) -> int:
    facts = _facts(pid)
    return facts.started if facts else 0


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _kill(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def _plain(value: object) -> str:
    """A value for supervisor's file, where % begins an expansion."""
    return str(value).replace("%", "%%")


def _quote(value: str) -> str:
    """A value in quotes for supervisor's file."""
    return '"' + _plain(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
