"""The embedded stack as one object: up, down, status. Several stand side by side with other homes and ports."""

from __future__ import annotations

import contextlib
import json
import os
import secrets as chance
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from bereik import settings
from bereik.brp import KNOWN, PERSONEN
from bereik.errors import LastingError, TransientError
from bereik.runtime import broker, clock, database, jars
from bereik.runtime.files import lock, write_secret
from bereik.runtime.ports import HOST, Ports
from bereik.runtime.supervise import ProcessState, Program, Supervisor
from bereik.settings import CONSUMERS, LOGINS, PROCESSES

if TYPE_CHECKING:
    from bereik.bus import Broker

REPOSITORY = Path(__file__).resolve().parents[2]

# The process of the fictional registers, and its port's name.
REGISTER = "register"

# More settings for a stack without fictional registers, where each person is looked up by hand.
BY_HAND: Mapping[str, str] = {"BEREIK_BRP_URL": "", "BEREIK_BEKEND_URL": ""}

# How long each part may take on a busy machine with 2 cores; measured there when idle: 1 s, 3 s, 2 s, 25 s.
_PATIENCE = {"database": 120, "broker": 180, "web": 180, "airflow": 300}

# What our processes may know of the caller's environment. Everything else stays outside, settings of Bereik included.
_INHERITED = ("HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")


def home_from_env() -> Path:
    """The folder of the stack: BEREIK_HOME, else `.bereik` in the repository."""
    return settings.home(os.environ)


class NotReady(TransientError):
    """A part of the stack did not become ready in time."""

    def __init__(self, name: str, seconds: float, log: Path) -> None:
        """Name the part and the log that tells why."""
        self.name, self.log = name, log
        super().__init__(f"{name} was not ready after {seconds:.0f} s. Its log is {log}")


class OtherOwner(LastingError):
    """The stack's folder belongs to another user. Use that user, or choose a folder with BEREIK_HOME."""


class Passwords:
    """Passwords of one home, each made once and kept in a file that only its owner can read."""

    def __init__(self, path: Path) -> None:
        """Take the file's path; it need not exist yet."""
        self._path = path

    def get(self, name: str) -> str:
        """The password of this name, made now when there is none. Safe with several processes at once."""
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        with lock(self._path.with_suffix(".lock")):
            known: dict[str, str] = {}
            with contextlib.suppress(FileNotFoundError):
                known = json.loads(self._path.read_text(encoding="utf-8"))
            if name not in known:
                # Hexadecimal: it stands unquoted in URLs, JAAS lines and settings files.
                known[name] = chance.token_hex(16)
                write_secret(self._path, json.dumps(known, indent=1))
            return known[name]


class HomeSettings:
    """What the stack tells `provision`: how to reach database and broker as their owners, and everybody's password."""

    def __init__(self, home: Path, ports: Ports) -> None:
        """Take the stack's folder and ports."""
        self.home = home
        self.ports = ports
        self.passwords = Passwords(home / "secrets" / "passwords.json")
        self.keys = home / "secrets" / "keyring.json"
        self.drop = home / "drop"

    @property
    def owner_url(self) -> str:
        """The database as its owner, who migrates."""
        return self.database_url(database.OWNER)

    @property
    def mail(self) -> Path:
        """The mails to the teams, as a Maildir."""
        return self.home / "mail"

    @property
    def residents(self) -> Path:
        """Who is in the fictional registers (`bereik.fiction.brp`)."""
        return self.home / "register" / "people.json"

    @property
    def kafka_bootstrap(self) -> str:
        """Where the broker listens."""
        return f"{HOST}:{self.ports.kafka}"

    @property
    def kafka_admin(self) -> Broker:
        """The broker as its super user."""
        # kafka-python is not needed to stop a stack or to tell how it is, and takes a while to load.
        from bereik.bus import Broker

        return Broker(self.kafka_bootstrap, broker.ADMIN, self.kafka_password(broker.ADMIN))

    def database_url(self, role: str) -> str:
        """The database as a login role."""
        return database.url(role, self.passwords.get(f"database:{role}"), self.ports.database)

    def kafka_password(self, principal: str) -> str:
        """A principal's password: `admin`, `bereik_<process>` or `partner_<id>`. Made when it is asked for first."""
        return self.passwords.get(f"kafka:{principal}")

    def environment(self, process: str) -> dict[str, str]:
        """The BEREIK_* settings of one process."""
        principal = f"bereik_{process}"
        return {
            "BEREIK_PROCESS": process,
            "BEREIK_HOME": str(self.home),
            "BEREIK_DATABASE_URL": self.database_url(principal),
            "BEREIK_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "BEREIK_KAFKA_USERNAME": principal,
            "BEREIK_KAFKA_PASSWORD": self.kafka_password(principal),
            "BEREIK_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "BEREIK_KAFKA_MECHANISM": "SCRAM-SHA-512",
            "BEREIK_KEYS": str(self.keys),
            "BEREIK_SCHEMAS": str(REPOSITORY / "schemas"),
            "BEREIK_EXPECTATIONS": str(REPOSITORY / "expectations"),
            "BEREIK_DROP": str(self.drop),
            "BEREIK_WEB_HOST": HOST,
            "BEREIK_WEB_PORT": str(self.ports.web),
            # The demo's own people, on this machine only.
            "BEREIK_WEB_LOGIN": "password",
            # Mails of the embedded stack are files that a person, and a test, can read.
            "BEREIK_SMTP_URL": f"maildir:{self.mail}",
            "BEREIK_MAIL_FROM": "bereik@bereik.example",
            "BEREIK_BRP_URL": f"http://{HOST}:{self.ports.register}{PERSONEN}",
            "BEREIK_BEKEND_URL": f"http://{HOST}:{self.ports.register}{KNOWN}",
        }


class Stack:
    """Broker, database, consumers, board, fictional registers and Airflow in one folder."""

    def __init__(
        self,
        home: Path,
        ports: Ports | None = None,
        *,
        schemas: Path | None = None,
        environment: Mapping[str, str] | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        """Take the folder; nothing is started.

        `ports` given wins; else the ports that this home used before; else BEREIK_*_PORT and the defaults.
        `schemas` replaces the repository's declarations, `environment` adds to what every process of ours is told,
        `say` hears what is being waited for.
        """
        self.home = home.expanduser().absolute()
        self._given = ports
        self._schemas = schemas or REPOSITORY / "schemas"
        self._extra = dict(environment or {})
        self._say = say or (lambda _: None)
        self.supervisor = Supervisor(self.home)

    @property
    def ports(self) -> Ports:
        """The ports of this home."""
        if self._given is None:
            try:
                known = json.loads((self.home / "stack.json").read_text(encoding="utf-8"))
                self._given = Ports(**known["ports"])
            except (OSError, ValueError, KeyError, TypeError):
                self._given = Ports.from_env(os.environ)
        return self._given

    @property
    def settings(self) -> HomeSettings:
        """How to reach the parts."""
        return HomeSettings(self.home, self.ports)

    @property
    def links(self) -> dict[str, str]:
        """What a person can open."""
        return {
            "board": f"http://{HOST}:{self.ports.web}/",
            "airflow": f"http://{HOST}:{self.ports.airflow}/",
        }

    @property
    def airflow_login(self) -> tuple[str, str]:
        """User and password of Airflow's pages."""
        return clock.USER, self.settings.passwords.get("airflow:ui")

    def environment(self, process: str) -> dict[str, str]:
        """The settings of one process, as the stack gives them to it."""
        return {
            **self.settings.environment(process),
            "BEREIK_SCHEMAS": str(self._schemas),
            **self._extra,
        }

    @property
    def _served(self) -> tuple[str, ...]:
        """What runs beside the consumers: no fictional register where their settings name another, or none."""
        return ("web",) if "BEREIK_BRP_URL" in self._extra else (REGISTER, "web")

    # ------------------------------------------------------------------ up

    def up(self, airflow: bool = True, consumers: bool = True) -> None:
        """Start what is not running and return when it is ready. Harmless when all is running already.

        Raises `PortTaken`, `NotReady`, and what fetching the jars, the migration or the declarations raise.
        """
        self._make_home()
        with lock(self.home / "up.lock"):
            self._start_keeper(airflow, consumers)
            migration = self._start_platform(airflow)
            self._provision()
            # Everything is started before anything is waited for: on 2 cores that saves 10 of 40 seconds.
            if consumers:
                self.supervisor.run([*CONSUMERS, *self._served])
            if airflow:
                self._finish_airflow_migration(migration)
                self.supervisor.run(clock.PROCESSES)
            if consumers:
                self._wait("web", self._board_answers)
                for name in (*CONSUMERS, *self._served):
                    self._wait_running(name)
            if airflow:
                self._wait(
                    "airflow",
                    lambda: clock.ready(self.links["airflow"].rstrip("/")),
                    log="airflow-api",
                    pause=1.0,
                )

    def up_platform(self) -> None:
        """Start only database and broker, without tables or topics."""
        self._make_home()
        with lock(self.home / "up.lock"):
            self._start_keeper(airflow=False, consumers=False)
            self._start_platform(airflow=False)

    def _make_home(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        if self.home.stat().st_uid != os.geteuid():
            raise OtherOwner()
        # As root the database's own user must pass through; names are visible to nobody, files are closed.
        self.home.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for name in ("env", "kafka", "log", "run", "secrets", "airflow"):
            (self.home / name).mkdir(exist_ok=True)
            (self.home / name).chmod(0o700)
        self.settings.drop.mkdir(exist_ok=True)

    def _start_keeper(self, airflow: bool, consumers: bool) -> None:
        """Prepare database and broker, and start the process keeper with every program known and none running."""
        running = self._running()
        if not running and not self.supervisor.alive():
            # After kill -9 of the keeper its processes live on without it, and hold ports and data.
            self.supervisor.sweep()
        wanted = (
            {"database", "kafka", "controller"}
            | (set(self._served) if consumers else set())
            | ({"airflow"} if airflow else set())
        )
        ours = {
            "database": "database",
            "kafka": "broker",
            "controller": "broker",
            "web": "web",
            "register": REGISTER,
            "airflow": "airflow-api",
        }
        mine = {name for name, program in ours.items() if program in running}
        everything = set(self.ports.as_dict())
        self.ports.require_free(skip=frozenset(mine | (everything - wanted)))
        if self.supervisor.alive():
            return
        write_secret(self.home / "stack.json", json.dumps({"ports": self.ports.as_dict()}, indent=1))
        self._write_environment()
        self._say("preparing database and broker")
        with ThreadPoolExecutor(2) as pool:
            database_command = pool.submit(self._prepare_database)
            broker_command = pool.submit(self._prepare_broker)
            programs = self._programs(database_command.result(), broker_command.result())
        self.supervisor.start(programs, _inherited())

    def _prepare_database(self) -> list[str]:
        password = self.settings.passwords.get("database:postgres")
        return database.initialise(self.home, self.ports.database, password)

    def _prepare_broker(self) -> list[str]:
        found = jars.ensure(REPOSITORY / "requirements" / "jars.lock", jars.cache_folder(os.environ))
        return broker.initialise(self.home, self.ports, self.settings.kafka_password(broker.ADMIN), found)

    def _programs(self, database_command: Sequence[str], broker_command: Sequence[str]) -> list[Program]:
        python = sys.executable
        programs = [
            Program(
                "database",
                database_command,
                user=database.system_user(),
                stop="INT",
                patience=20,
                folder=Path("/"),
            ),
            Program("broker", broker_command, patience=20, folder=self.home / "kafka"),
        ]
        programs += [
            Program(name, [python, "-m", f"consumers.{name}"], self.environment(name), folder=REPOSITORY)
            for name in CONSUMERS
        ]
        people, port = str(self.settings.residents), str(self.ports.register)
        programs += [
            Program("web", [python, "-m", "bereik.web"], self.environment("web"), folder=REPOSITORY),
            Program(REGISTER, [python, "-m", "bereik.fiction.brp", people, port], folder=REPOSITORY),
        ]
        told = self._airflow_environment()
        programs += [
            # Airflow's scheduler took 19 s to end by itself; a task cut short is caught up by the next run.
            Program(name, command, told, patience=5, folder=self.home / "airflow")
            for name, command in clock.commands().items()
        ]
        return programs

    def _airflow_environment(self) -> dict[str, str]:
        passwords = self.settings.passwords
        url = self.links["airflow"].rstrip("/")
        folder = self.home / "airflow"
        place = clock.Place(
            folder, folder / "logs", REPOSITORY / "dags", HOST, self.ports.airflow, url=url, api=url
        )
        own = database.url("airflow", passwords.get("database:airflow"), self.ports.database, "airflow")
        told = clock.settings(place, own, clock.Secrets.derive(passwords.get("airflow:secret")))
        return {**self.environment("dags"), **told, **self._extra}

    def _write_environment(self) -> None:
        """One settings file per process, for people and for whoever starts a process by hand."""
        for process in PROCESSES:
            told = self._airflow_environment() if process == "dags" else self.environment(process)
            lines = "".join(f"{key}={value}\n" for key, value in told.items())
            write_secret(self.home / "env" / f"{process}.env", lines)

    def _start_platform(self, airflow: bool) -> subprocess.Popen[bytes] | None:
        """Start database and broker and wait for both. Airflow's own migration runs meanwhile; its process is returned."""
        self.supervisor.run(["database", "broker"])
        passwords = self.settings.passwords
        superuser = passwords.get("database:postgres")

        def as_superuser(name: str) -> str:
            return database.url("postgres", superuser, self.ports.database, name)

        self._wait("database", lambda: database.answers(as_superuser("postgres")))
        named = {role: passwords.get(f"database:{role}") for role in (database.OWNER, "airflow", *LOGINS)}
        database.create_roles(as_superuser, named, LOGINS)
        migration = self._start_airflow_migration() if airflow else None
        self._wait("broker", lambda: broker.answers(self.ports.kafka))
        return migration

    def _provision(self) -> None:
        """Bring tables, declarations, topics and principals to what this software needs."""
        from bereik import provision
        from bereik.keys import Keyring

        Keyring.create(self.settings.keys)
        self._say("tables, topics and declarations")
        provision.provision(self.settings, self._schemas)

    def _board_answers(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self.links["board"], timeout=5) as answer:
                return bool(answer.status < 500)
        except urllib.error.HTTPError as error:
            return error.code < 500
        except OSError:
            return False

    def _start_airflow_migration(self) -> subprocess.Popen[bytes] | None:
        clock.prepare(self.home / "airflow", self.airflow_login[1])
        if self._airflow_is_migrated():
            return None
        log = self.home / "log" / "airflow-migrate.log"
        environment = {**_inherited(), **self._airflow_environment(), "BEREIK_STACK": str(self.home)}
        with log.open("ab") as out:
            return subprocess.Popen(
                clock.command("migrate"),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.home,
            )

    def _airflow_is_migrated(self) -> bool:
        with contextlib.suppress(OSError):
            return (self.home / "airflow" / "migrated").read_text(encoding="ascii") == version(
                "apache-airflow-core"
            )
        return False

    def _finish_airflow_migration(self, migration: subprocess.Popen[bytes] | None) -> None:
        """Wait for Airflow's own tables, and remember for which version they are."""
        if migration is None:
            return
        self._say("Airflow's own tables")
        try:
            code = migration.wait(timeout=_PATIENCE["airflow"])
        except subprocess.TimeoutExpired:
            migration.kill()
            code = migration.wait()
        if code:
            raise NotReady("airflow-migrate", _PATIENCE["airflow"], self.home / "log" / "airflow-migrate.log")
        (self.home / "airflow" / "migrated").write_text(version("apache-airflow-core"), encoding="ascii")

    # ------------------------------------------------------------------ down and status

    def down(self) -> None:
        """Stop everything and return when nothing of this stack is left. Harmless when nothing runs."""
        # Whoever writes first, what it writes to last.
        self.supervisor.shutdown([[*clock.PROCESSES, "web", *CONSUMERS, REGISTER], ["broker"], ["database"]])

    def destroy(self) -> None:
        """Stop everything and remove the folder with all its data."""
        self.down()
        data = self.home / "postgres"
        if data.is_symlink():
            shutil.rmtree(data.resolve(), ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)

    def status(self) -> list[ProcessState]:
        """Every process of the stack; empty when it is down."""
        return self.supervisor.states()

    def restart(self, name: str) -> None:
        """Stop one process cleanly and start it again."""
        self.supervisor.halt([name])
        self.supervisor.run([name])

    def _running(self) -> set[str]:
        return {state.name for state in self.status() if state.running}

    def _wait(self, name: str, ready: Callable[[], bool], log: str = "", pause: float = 0.1) -> None:
        patience = _PATIENCE[name]
        self._say(f"waiting for {name}")
        until = time.monotonic() + patience
        while not ready():
            if time.monotonic() > until:
                raise NotReady(name, patience, self.home / "log" / f"{log or name}.log")
            time.sleep(pause)

    def _wait_running(self, name: str, patience: float = 180) -> None:
        """Wait until the keeper counts a process as started, which is after a second of life."""
        until = time.monotonic() + patience
        while name not in self._running():
            if time.monotonic() > until:
                raise NotReady(name, patience, self.home / "log" / f"{name}.log")
            time.sleep(0.2)


def _inherited() -> dict[str, str]:
    """The environment that the stack's processes start from."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '/usr/local/bin:/usr/bin:/bin')}"
    return {
        **kept,
        "PATH": path,
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": HOST,
        "no_proxy": HOST,
    }
