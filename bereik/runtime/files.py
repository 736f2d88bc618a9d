"""Files that only their owner may read, and locks between processes."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read, also while it is being written."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600, exist_ok=False)
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold a file lock for the block; the kernel lets go of it however the process ends."""
    with path.open("a", encoding="ascii") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
