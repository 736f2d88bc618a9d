"""docker/compose.yaml for real: build, start, use, scale, restart, kill, spoil, stop. Run: make docker-test.

Needs a Docker daemon, Compose (2, or 1.29) and BuildKit; as root it starts a daemon of its own when none answers. Where no registry
can be reached it makes the base image with debootstrap, and stand-ins for Kafka and PostgreSQL from the repository's own locks.
Exit codes: 0 passed, 1 failed, 3 not run (with the reason).
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from installation import Installation
from machine import BEGAN, Failed, NotRun, call, daemon, ensure, forget, prepare, say, wait_for
from spoiled import Spoiled

from bereik.errors import BereikError

CONSUMERS = ("intake", "casework", "outreach", "bridge", "relay")
AIRFLOW = ("airflow-api", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer")
SERVICES = ("kafka", "postgres", *CONSUMERS, "web", *AIRFLOW, "mail")


def story(one: Installation, folder: Path) -> dict[str, Any]:
    """Everything in the order in which a user would meet it."""
    done = one.compose("run", "--rm", "secrets")
    ensure("secrets made" in done.stdout, "bereik secrets said nothing")
    say("secrets made")
    try:
        one.compose("up", "--detach")
    except Failed as failure:
        raise Failed(f"{failure}\n{one.log('migrate')}") from None
    say("up: platform, migration, consumers, board, Airflow; waiting until all are healthy")
    one.healthy(*SERVICES)
    started = time.monotonic() - BEGAN
    closed(one)

    sent, reference = one.send("9901"), one.deliver("9901")
    say("one signal published, one file delivered")
    found = [one.fate(sent)]
    ensure(one.run_dag("collect") == "success", "the DAG collect failed")
    found.append(one.fate(reference))
    ensure([event["door"] for event in found] == ["kafka", "file"], "the doors are not as used")
    for event_found in found:
        one.alerted(event_found["case_id"])
        one.sees(event_found["team"], event_found["case_id"])
    say("a case and an alert for each, seen on the board")
    mail(one)

    one.compose("up", "--detach", "--no-recreate", "--scale", "intake=3")
    one.healthy("intake")
    ensure(len(one.containers("intake")) == 3, "there are no three containers of intake")
    wait_for("three members of the group intake", lambda: one.members() == 3)
    one.fate(one.send("9902"))
    say("three of intake share the partitions")

    # The platform one by one under the others; of the rest those together that take long to stop.
    for services in (("kafka",), ("postgres",), (*CONSUMERS, "web", "mail"), AIRFLOW):
        one.compose("restart", "--timeout", "20", *services)
    one.healthy(*SERVICES)
    one.fate(one.send("9901"))
    say("every service was restarted once")

    for service in ("kafka", "postgres"):
        (container,) = one.containers(service)
        call(["docker", "kill", container["Id"]])
        call(["docker", "start", container["Id"]])
        one.healthy(service)
        one.fate(one.send("9901"))
        say(f"{service} was killed, came back, and the work went on")
    one.healthy(*SERVICES)
    one.count()
    say("bereik status --check: every sum is right")

    spoiled = Spoiled(one)
    spoiled.everything(folder)
    say(f"{len(spoiled.lines)} bad starts, each refused in one line")
    one.count()
    memory = {
        row["Name"].removeprefix(f"{one.name}").strip("-_"): row["MemUsage"].partition(" ")[0]
        for row in map(
            json.loads, call(["docker", "stats", "--no-stream", "--format", "{{json .}}"]).stdout.splitlines()
        )
        if row["Name"].startswith(one.name)
    }
    return {"healthy_after_s": round(started), "refusals": spoiled.lines, "memory": memory}


def closed(one: Installation) -> None:
    """Only two pages are reachable, from this machine; nothing of ours is root or writes its root; no password is seen."""
    secrets = {path.read_text("utf-8").strip() for path in one.secrets.iterdir() if not path.suffix}
    for container in one.containers(everything=True):
        name = container["Config"]["Labels"]["com.docker.compose.service"]
        published = [
            place["HostIp"]
            for places in (container["HostConfig"]["PortBindings"] or {}).values()
            for place in places
        ]
        ensure(
            published == (["127.0.0.1"] if name in ("web", "airflow-api") else []),
            f"{name} is published at {published}",
        )
        ensure(container["HostConfig"]["ReadonlyRootfs"], f"{name} can write its root file system")
        ensure(container["HostConfig"]["Memory"], f"{name} has no memory limit")
        shown = json.dumps(container)
        ensure(not any(secret in shown for secret in secrets), f"docker inspect shows a secret of {name}")
        if name not in ("kafka", "postgres"):
            ensure(
                container["Config"]["User"] == "10001:10001", f"{name} runs as {container['Config']['User']}"
            )
    look = "which gcc cc make pip uv curl wget; find / -xdev -perm /6000 -type f"
    tools = call(["docker", "run", "--rm", one.image, "sh", "-c", look], fine=False)
    ensure(not tools.stdout.strip(), f"left in the image: {tools.stdout.split()}")
    say("closed: two ports on 127.0.0.1, read-only, not root, no secret shown, no tools in the image")


def mail(one: Installation) -> None:
    """Outreach reaches the mail catcher, which shows what it caught."""
    send = (
        "import smtplib; s = smtplib.SMTP('mail', 2525, timeout=10);"
        "s.sendmail('bereik@bereik.example', ['team@bereik.example'], 'Subject: a case waits\\n\\nbereik-docker-test\\n')"
    )
    one.compose("exec", "-T", "outreach", "python", "-c", send)
    wait_for("the mail in the catcher", lambda: "bereik-docker-test" in one.log("mail", 50), 20)
    say("a mail was caught")


def main() -> int:
    """0 passed, 1 failed, 3 not run."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true", help="print what was found as JSON")
    given = arguments.parse_args()
    # A time limit or a cancelled job ends the run as Ctrl-C does, so that it stops what it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    found: dict[str, Any] = {}
    code, verdict = 0, "docker-test passed"
    try:
        with daemon(), tempfile.TemporaryDirectory(prefix="bereik-docker-") as scratch:
            images = prepare()
            one = Installation(images, Path(scratch))
            try:
                found = story(one, Path(scratch))
            finally:
                one.down()
                forget(images)
                say("stopped; nothing is left")
    except NotRun as reason:
        code, verdict = 3, f"docker-test skipped: {reason}"
    except (Failed, BereikError, subprocess.TimeoutExpired, urllib.error.URLError) as failure:
        code, verdict = 1, f"docker-test FAILED: {failure}"
    seconds = round(time.monotonic() - BEGAN)
    if given.json:
        print(json.dumps({"verdict": verdict, "seconds": seconds, **found}, indent=2))
    else:
        for case, line in found.get("refusals", {}).items():
            print(f"  {case}: {line}")
        print(f"{verdict} ({seconds} s)")
    return code


if __name__ == "__main__":
    sys.exit(main())
