"""What must be refused: each with one line that says what to do, before anything was taken or written."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from installation import Installation
from machine import ROOT, call, ensure, wait_for

from bereik.store import HEAD


class Spoiled:
    """Starts one thing after the other with something wrong, and wants one line that says what to do."""

    def __init__(self, one: Installation) -> None:
        self._one = one
        self.lines: dict[str, str] = {}

    def refused(self, case: str, expected: str, *arguments: str) -> None:
        """A container started with these arguments stops by itself, with one line that holds `expected`."""
        done = call(["docker", "run", "--rm", *arguments], fine=False, timeout=120)
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        ensure(done.returncode not in (0, 125), f"{case}: it ended with {done.returncode}: {lines[-3:]}")
        ensure(
            len(lines) == 1 and expected in lines[0],
            f"{case}: wanted one line with '{expected}', got {lines[:5]}",
        )
        self.lines[case] = lines[0]

    def ours(self, case: str, expected: str, process: str, *more: str, command: Sequence[str] = ()) -> None:
        """One of our own processes with its settings but for `more`."""
        one = self._one
        where = [
            f"--network={one.name}_inside",
            "--read-only",
            "--tmpfs=/tmp",
            "-v",
            f"{one.secrets}:/run/secrets:ro",
        ]
        told = {
            "BEREIK_PROCESS": process,
            "BEREIK_DATABASE_URL": "postgresql://postgres:5432/bereik",
            "BEREIK_DATABASE_PASSWORD_FILE": f"/run/secrets/bereik_{process}",
            "BEREIK_KAFKA_BOOTSTRAP": "kafka:9092",
            "BEREIK_KAFKA_PASSWORD_FILE": f"/run/secrets/bereik_{process}",
            "BEREIK_KEYS": "/run/secrets/keyring.json",
        }
        env = [part for name, value in told.items() for part in ("-e", f"{name}={value}")]
        # As root, because the folder of the secrets is closed to all others; compose mounts its files one by one.
        self.refused(
            case,
            expected,
            *where,
            "--user=0",
            *env,
            *more,
            one.image,
            *(command or ("python", "-m", f"consumers.{process}")),
        )

    def platform(self, case: str, expected: str, which: str, *more: str) -> None:
        """Kafka or PostgreSQL as compose starts it, but for `more`."""
        one, folder = self._one, ROOT / "docker"
        settings = ["broker.properties", "broker.log4j2.xml"] if which == "kafka" else ["postgresql.conf"]
        mounts = [f"{folder}/{which}.sh:/etc/bereik/{which}.sh:ro"]
        mounts += [f"{ROOT}/bereik/runtime/{name}:/etc/bereik/{name}:ro" for name in settings]
        volumes = [part for mount in mounts for part in ("-v", mount)]
        if which == "postgres":
            more = ("-e", "POSTGRES_PASSWORD_FILE=/run/secrets/postgres", *more)
        self.refused(
            case, expected, "--network=none", *volumes, *more, "--entrypoint=/bin/bash",
            one.images[f"{which.upper()}_IMAGE"], f"/etc/bereik/{which}.sh", *(("postgres",) if which == "postgres" else ()),
        )  # fmt: skip

    def secret(self, name: str) -> tuple[str, str]:
        """One secret, mounted as compose does."""
        return "-v", f"{self._one.secrets}/{name}:/run/secrets/{name}:ro"

    @contextlib.contextmanager
    def volume(self, *lines: tuple[str, str]) -> Iterator[str]:
        """A volume with these files (path, content) in it."""
        name = f"{self._one.name}_spoiled"
        call(["docker", "volume", "create", name])
        try:
            for path, content in lines:
                put = f"mkdir -p /v/$(dirname {path}) && printf '{content}' > /v/{path} && chmod -R a+rwX /v"
                call(
                    [
                        "docker",
                        "run",
                        "--rm",
                        "--user=0",
                        "--network=none",
                        "-v",
                        f"{name}:/v",
                        self._one.image,
                        "sh",
                        "-c",
                        put,
                    ]
                )
            yield name
        finally:
            call(["docker", "volume", "rm", "--force", name])

    @contextlib.contextmanager
    def open_kafka(self, folder: Path) -> Iterator[str]:
        """Within the block a second broker, that keeps no rights."""
        one, name = self._one, f"{self._one.name}-open"
        lines = (
            (ROOT / "bereik" / "runtime" / "broker.properties").read_text("utf-8").splitlines(keepends=True)
        )
        weak = folder / "open.properties"
        weak.write_text(
            "".join(line for line in lines if not line.startswith(("authorizer.", "super.users", "allow."))),
            "utf-8",
        )
        mounts = {
            f"{ROOT}/docker/kafka.sh": "/etc/bereik/kafka.sh",
            f"{ROOT}/bereik/runtime/broker.log4j2.xml": "/etc/bereik/broker.log4j2.xml",
            str(weak): "/etc/bereik/broker.properties",
        }
        volumes = [part for source, target in mounts.items() for part in ("-v", f"{source}:{target}:ro")]
        where = [
            f"--name={name}",
            f"--network={one.name}_inside",
            f"--network-alias={name}",
            "-e",
            f"KAFKA_HOST={name}",
        ]
        what = ["--entrypoint=/bin/bash", one.images["KAFKA_IMAGE"], "/etc/bereik/kafka.sh"]
        call(["docker", "run", "--detach", *where, *volumes, *self.secret("kafka_admin"), *what])
        try:
            ready = ["docker", "exec", name, "bash", "-c", "</dev/tcp/127.0.0.1/9092"]
            wait_for("the second broker", lambda: call(ready, fine=False).returncode == 0)
            yield name
        finally:
            call(["docker", "rm", "--force", "--volumes", name])

    def everything(self, folder: Path) -> None:
        """All that issue 6 names: each stops with one line."""
        self.ours(
            "a missing secret",
            "BEREIK_DATABASE_PASSWORD_FILE",
            "intake",
            "-e",
            "BEREIK_DATABASE_PASSWORD_FILE=/run/secrets/none",
        )
        self.ours("a missing keyring", "keyring", "intake", "-e", "BEREIK_KEYS=/run/secrets/none")
        self.platform("Kafka without its secret", "secret kafka_admin", "kafka")
        self.platform("PostgreSQL without its secret", "secret postgres", "postgres")
        wrong = ("-e", "BEREIK_DATABASE_PASSWORD_FILE=/run/secrets/kafka_admin")
        for process in ("intake", "relay"):
            self.ours(f"a wrong database password ({process})", "refuses our password", process, *wrong)
        self.ours(
            "a wrong database password (web)",
            "refuses our password",
            "web",
            *wrong,
            *("-e", "BEREIK_WEB_LOGIN=password"),
            command=("python", "-m", "bereik.web"),
        )
        self.ours(
            "a board where nobody said how people log in",
            "BEREIK_WEB_LOGIN",
            "web",
            command=("python", "-m", "bereik.web"),
        )
        provision = (
            *(
                "-e",
                "BEREIK_OWNER_URL=postgresql://postgres:5432/bereik",
                "-e",
                "BEREIK_OWNER_PASSWORD_FILE=/run/secrets/bereik_owner",
            ),
            *(
                "-e",
                "BEREIK_KAFKA_ADMIN_USERNAME=admin",
                "-e",
                "BEREIK_KAFKA_ADMIN_PASSWORD_FILE=/run/secrets/kafka_admin",
            ),
            *("-e", "BEREIK_KAFKA_PASSWORDS=/run/secrets/passwords.json"),
        )
        with self.open_kafka(folder) as name:
            self.ours(
                "Kafka without ACLs", "keeps no rights", "operator", *provision, "-e", f"BEREIK_KAFKA_BOOTSTRAP={name}:9092",
                command=("bereik", "provision"),
            )  # fmt: skip
        for version, process in (("0000", "casework"), ("9999", "outreach")):
            self._one.sql(f"UPDATE public.alembic_version SET version_num = '{version}'")
            try:
                self.ours(f"a schema of version {version}", "another schema", process)
                if version == "9999":
                    self.ours(
                        "a schema newer than its migration",
                        "another schema",
                        "operator",
                        *provision,
                        command=("bereik", "provision"),
                    )
            finally:
                self._one.sql(f"UPDATE public.alembic_version SET version_num = '{HEAD}'")
        little = "size=32m,mode=1777"
        self.platform(
            "no disk space for Kafka",
            "no disk space",
            "kafka",
            *self.secret("kafka_admin"),
            f"--tmpfs=/var/lib/kafka/data:{little}",
        )
        self.platform(
            "no disk space for PostgreSQL",
            "no disk space",
            "postgres",
            *self.secret("postgres"),
            f"--tmpfs=/var/lib/postgresql:{little}",
        )
        with self.volume(("17/docker/PG_VERSION", "17\\n")) as name:
            self.platform(
                "a volume of another PostgreSQL",
                "PostgreSQL 17",
                "postgres",
                *self.secret("postgres"),
                "-v",
                f"{name}:/var/lib/postgresql",
            )
        with self.volume(("kafka.version", "99.1.0\\n")) as name:
            self.platform(
                "a volume of another Kafka",
                "Kafka 99.1.0",
                "kafka",
                *self.secret("kafka_admin"),
                "-v",
                f"{name}:/var/lib/kafka/data",
            )
