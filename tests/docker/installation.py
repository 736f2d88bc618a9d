"""One compose project: its containers, its secrets, and what partners, teams and operators do with it."""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clock_world import as_csv
from machine import ROOT, Failed, call, composer, ensure, wait_for
from support import data_for, event, house, person, today

from bereik.bundle import Bundle
from bereik.runtime.ports import Ports

PASSWORD = "a password of the tests"


class Installation:
    """One compose project: its containers, its secrets, and what people do with it."""

    def __init__(self, images: Mapping[str, str], folder: Path) -> None:
        self.name = f"bereiktest{os.getpid()}"
        self.image = images["BEREIK_IMAGE"]
        self.images = images
        ports = Ports.free()
        self.secrets = folder / "secrets"
        self.secrets.mkdir()
        self.board = f"http://127.0.0.1:{ports.web}"
        self.airflow = f"http://127.0.0.1:{ports.airflow}"
        self.bundle = Bundle.compile(ROOT / "schemas")
        self._compose = composer()
        self._env = {
            **images,
            "COMPOSE_PROJECT_NAME": self.name,
            "BEREIK_SECRETS": str(self.secrets),
            "BEREIK_WEB_PORT": str(ports.web),
            "BEREIK_AIRFLOW_PORT": str(ports.airflow),
            "BEREIK_AIRFLOW_URL": self.airflow,
        }

    def compose(
        self, *arguments: str, fine: bool = True, given: bytes | None = None, timeout: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Compose in the folder where a user calls it."""
        return call(
            [*self._compose, *arguments],
            fine=fine,
            given=given,
            env=self._env,
            timeout=timeout,
            cwd=ROOT / "docker",
        )

    def containers(self, service: str = "", everything: bool = False) -> list[dict[str, Any]]:
        """What Docker knows about the containers of a service, or of all."""
        labels = [f"label=com.docker.compose.project={self.name}"]
        labels += [f"label=com.docker.compose.service={service}"] if service else []
        command = ["docker", "ps", "--quiet", "--no-trunc", *(["--all"] if everything else [])]
        ids = call([*command, *(part for label in labels for part in ("--filter", label))]).stdout.split()
        return json.loads(call(["docker", "inspect", *ids]).stdout) if ids else []

    def healthy(self, *services: str, seconds: float = 600) -> None:
        """Wait until every container of these services is healthy: a minute on a quiet machine, ten on one that is full."""

        def waiting() -> list[str]:
            states = {name: [_state(one) for one in self.containers(name)] for name in services}
            return [
                f"{name} {' '.join(found) or 'gone'}"
                for name, found in states.items()
                if not found or set(found) != {"healthy"}
            ]

        until = time.monotonic() + seconds
        while left := waiting():
            if time.monotonic() > until:
                raise Failed(
                    f"not healthy within {seconds:.0f} s: {', '.join(left)}\n{self.log(left[0].split()[0])}"
                )
            time.sleep(1)

    def log(self, service: str, lines: int = 20) -> str:
        """The end of a service's log."""
        return self.compose("logs", "--no-color", f"--tail={lines}", service, fine=False).stdout

    def operator(
        self, *arguments: str, fine: bool = True, given: bytes | None = None
    ) -> subprocess.CompletedProcess[str]:
        """The command line, as the operator."""
        return self.compose("run", "--rm", "-T", "operator", "bereik", *arguments, fine=fine, given=given)

    # ------------------------------------------------------------ as partners

    def send(self, municipality: str) -> str:
        """Publish one sound signal as the partner that may; returns its event id."""
        kind, partner = self._kind_of("kafka", municipality)
        data = data_for(kind, person() | house(self.bundle, municipality), on=today())
        made = event(partner.source, kind.event_type, data)
        password = json.loads((self.secrets / "passwords.json").read_text("utf-8"))[f"partner_{partner.id}"]
        publish = (
            "import os, sys; from bereik.bus import Broker, Producer, CONTENT_TYPE;"
            "p = Producer(Broker('kafka:9092', sys.argv[1], os.environ['PASSWORD']));"
            "p.send(sys.argv[2], sys.argv[3].encode(), sys.stdin.buffer.read(), CONTENT_TYPE); p.flush(); p.close()"
        )
        call(
            [
                "docker",
                "run",
                "--rm",
                "-i",
                f"--network={self.name}_inside",
                "-e",
                "PASSWORD",
                self.image,
                "python",
                "-c",
                publish,
                f"partner_{partner.id}",
                f"in.{partner.id}",
                municipality,
            ],
            given=json.dumps(made).encode(),
            env={"PASSWORD": password},
        )
        return str(made["id"])

    def deliver(self, municipality: str) -> str:
        """Put a file with one sound row in the drop folder of a partner; returns its reference."""
        kind, partner = self._kind_of("file", municipality)
        reference = f"K-{os.urandom(6).hex()}"
        data = data_for(
            kind, person() | house(self.bundle, municipality), on=today(), **{kind.reference_field: reference}
        )
        place = f"/drop/{partner.id}/incoming"
        put = f'mkdir -p {place} && cd {place} && cat > a.part && touch -d "1 minute ago" a.part && mv a.part a.csv'
        call(
            [
                "docker",
                "run",
                "--rm",
                "-i",
                "--network=none",
                "-v",
                f"{self.name}_drop:/drop",
                self.image,
                "sh",
                "-c",
                put,
            ],
            given=as_csv(partner, [data]),
        )
        return reference

    def _kind_of(self, door: str, municipality: str) -> tuple[Any, Any]:
        for partner in self.bundle.partners.values():
            if partner.door != door or (door == "file" and partner.file_format != "csv"):
                continue
            for agreement in partner.agreements:
                for name in agreement.signal_types:
                    kind = self.bundle.signal_types[name]
                    known = agreement.municipality == municipality and agreement.in_force(today())
                    if known and set(kind.steps) <= agreement.attested:
                        return kind, partner
        raise Failed(f"no partner of the {door} door may signal in {municipality}")

    # ------------------------------------------------------------ as people of the municipality

    def fate(self, event_id: str) -> dict[str, Any]:
        """Wait until an event is in a case, and say what became of it."""

        def asked() -> dict[str, Any] | None:
            answer = self.operator("explain", "signal", event_id, "--json", fine=False)
            found = json.loads(answer.stdout) if answer.returncode == 0 else []
            return found[-1] if found and (found[-1]["case_id"] or found[-1]["fate"] != "accepted") else None

        found: dict[str, Any] = wait_for("a case for the signal that was sent", asked)
        ensure(
            found["fate"] == "accepted", f"the signal was not accepted: {found['fate']} {found['reasons']}"
        )
        return found

    def alerted(self, case_id: str) -> None:
        """Wait until the team of a case was told."""
        wait_for(
            "an alert for the case",
            lambda: json.loads(self.operator("explain", "case", case_id, "--json").stdout)["alerts"],
        )

    def sees(self, team: str, case_id: str) -> None:
        """A worker of this team logs in to the board and finds the case there."""
        user = f"worker-{team}"
        self.operator(
            "account", "put", user, "--name", "A worker", "--team", team, given=f"{PASSWORD}\n".encode()
        )
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )
        page = opener.open(f"{self.board}/login", timeout=30).read().decode()
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        ensure(token, "the board shows no log-in form")
        form = urllib.parse.urlencode({"csrf": token[1], "next": "/", "username": user, "password": PASSWORD})  # type: ignore[index]
        page = opener.open(f"{self.board}/login", form.encode(), timeout=30).read().decode()
        ensure(f"/cases/{case_id}" in page, f"the board of {team} does not show the case")

    def run_dag(self, dag: str, seconds: float = 600) -> str:
        """Run a DAG over Airflow's API, and say how it ended."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        token = ""

        def ask(path: str, body: Mapping[str, Any] | None = None) -> Any:
            headers = {"content-type": "application/json"} | (
                {"authorization": f"Bearer {token}"} if token else {}
            )
            data = None if body is None else json.dumps(body).encode()
            with opener.open(
                urllib.request.Request(self.airflow + path, data, headers), timeout=60
            ) as answer:
                return json.load(answer)

        password = (self.secrets / "airflow_password").read_text("utf-8").strip()
        token = ask("/auth/token", {"username": "bereik", "password": password})["access_token"]
        wait_for(
            f"Airflow knows {dag}", lambda: dag in {one["dag_id"] for one in ask("/api/v2/dags")["dags"]}
        )
        run = ask(f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None})["dag_run_id"]
        path = f"/api/v2/dags/{dag}/dagRuns/{run}"
        return str(
            wait_for(
                f"the end of {dag}", lambda: (s := ask(path)["state"]) in ("success", "failed") and s, seconds
            )
        )

    def members(self) -> int:
        """How many members of the group intake hold partitions, asked under intake's own principal."""
        count = (
            "from bereik.settings import Settings; import os; from kafka import KafkaAdminClient;"
            "a = KafkaAdminClient(**Settings.from_env(os.environ).broker.settings());"
            "print(sum(1 for m in a.describe_groups(['intake'])['intake']['members'] if m['member_assignment']))"
        )
        return int(self.compose("exec", "-T", "intake", "python", "-c", count).stdout.split()[-1])

    def count(self) -> None:
        """Wait until nothing is under way, then `bereik status --check` must find every sum right."""

        def drained() -> dict[str, Any] | None:
            found: dict[str, Any] = json.loads(
                self.operator("status", "--check", "--json", fine=False).stdout
            )
            return found if not any(found["backlog"].values()) else None

        found = wait_for("nothing under way", drained)
        broken = {name: number for name, number in found["invariants"].items() if number}
        ensure(found["fine"], f"bereik status --check: {broken}")

    def sql(self, text: str) -> None:
        """One statement as PostgreSQL's superuser."""
        command = 'PGPASSWORD=$(cat /run/secrets/postgres) psql -h 127.0.0.1 -U postgres -q -d bereik -c "$0"'
        self.compose("exec", "-T", "postgres", "sh", "-c", command, text)

    def down(self) -> None:
        """Stop and remove everything, and look whether anything is left."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "20", fine=False)
        left = [one["Name"] for one in self.containers(everything=True)]
        for kind in ("volume", "network"):
            found = call(
                ["docker", kind, "ls", "--quiet", "--filter", f"label=com.docker.compose.project={self.name}"]
            )
            left += found.stdout.split()
        ensure(not left, f"left behind: {', '.join(left)}")


def _state(container: Mapping[str, Any]) -> str:
    return str(container["State"].get("Health", {}).get("Status", container["State"]["Status"]))
