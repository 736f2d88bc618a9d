"""The broker's jars: fetched once by coordinate, kept in a cache, believed only when the SHA-256 in jars.lock agrees."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bereik.errors import LastingError, TransientError

# 46 jars in 45 MB: eight at a time took 2 s; more only makes the far side slow down.
_PARALLEL = 8


class JarMismatch(LastingError):
    """A fetched jar is not the one that was locked. Nothing was installed; tell the maintainers."""


class JarsUnreachable(TransientError):
    """The broker's jars could not be fetched. Check the network and the proxy settings, then try again."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of jars.lock."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def name(self) -> str:
        """The file's name in the cache."""
        return f"{self.artifact}-{self.version}.jar"


def read_lock(path: Path) -> tuple[Jar, ...]:
    """Every jar in the lock list. Raises `LastingError` for a line that is not `group:artifact:version sha256:HEX`."""
    jars = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        coordinate, _, digest = line.partition(" sha256:")
        parts = coordinate.split(":")
        if len(parts) != 3 or len(digest) != 64:
            raise LastingError(f"{path.name}:{number}: expected group:artifact:version sha256:HEX")
        jars.append(Jar(parts[0], parts[1], parts[2], digest))
    return tuple(jars)


def cache_folder(env: Mapping[str, str]) -> Path:
    """Where jars are kept: BEREIK_CACHE, else the user's cache folder."""
    if env.get("BEREIK_CACHE"):
        return Path(env["BEREIK_CACHE"]) / "jars"
    return Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bereik" / "jars"


def damaged(lock: Path, cache: Path) -> list[str]:
    """Names of locked jars that are absent from the cache or differ from the lock."""
    return [jar.name for jar in read_lock(lock) if not _good(cache / jar.name, jar)]


def ensure(lock: Path, cache: Path) -> list[Path]:
    """All locked jars, in the cache and checked. Raises `JarsUnreachable` or `JarMismatch`."""
    jars = read_lock(lock)
    wanted = [jar for jar in jars if not _good(cache / jar.name, jar)]
    if wanted:
        cache.mkdir(parents=True, exist_ok=True)
        # In the cache itself, so that the last step is a rename: two starters at once cannot see half a jar.
        fetched = Path(tempfile.mkdtemp(prefix=".fetch-", dir=cache))
        try:
            with ThreadPoolExecutor(_PARALLEL) as pool:
                list(pool.map(lambda jar: _fetch(jar, fetched, cache), wanted))
        finally:
            shutil.rmtree(fetched, ignore_errors=True)
    return [cache / jar.name for jar in jars]


def _good(path: Path, jar: Jar) -> bool:
    with contextlib.suppress(OSError):
        return hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256
    return False


def _fetch(jar: Jar, folder: Path, cache: Path) -> None:
    """Fetch one jar with the locked Maven client, which knows the repository and honours proxy and CA settings."""
    # Imported here: it takes 0.4 s, and a warm cache never needs it.
    import requests
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=folder, timeout=60)
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    try:
        path = Path(artifact.resolve())
    except (requests.RequestException, RuntimeError, OSError) as error:
        raise JarsUnreachable(f"{JarsUnreachable.__doc__} ({jar.name}: {type(error).__name__})") from error
    if not _good(path, jar):
        raise JarMismatch(f"{JarMismatch.__doc__} ({jar.name})")
    os.replace(path, cache / jar.name)
