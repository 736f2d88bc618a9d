"""`bereik demo`: the whole of Bereik on fictional months. `demo load` publishes them onto a running stack."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from bereik import fiction
from bereik.app import App
from bereik.bundle import Bundle
from bereik.cli import show
from bereik.cli.up import links_of
from bereik.errors import TransientError
from bereik.fiction.stage import NotRunning, Report, Stage
from bereik.runtime import Ports, Stack
from bereik.runtime.stack import REPOSITORY, home_from_env
from bereik.settings import CONSUMERS, Settings

SEED = 2026
_WIDTH = 96
# From a cold start with everything at once on 2 busy cores.
_PATIENCE = 300.0

_COMMAND = "from bereik.cli import main; raise SystemExit(main())"

Say = Callable[[str], None]


class NotStarted(TransientError):
    """The stack did not start; the lines above and the logs in its folder tell why. `bereik doctor` looks at this machine."""


def add(subparsers: Any) -> None:
    """Add the verb."""
    command = subparsers.add_parser(
        "demo", help="run the fictional months; `demo load` publishes them onto a running stack"
    )
    command.add_argument("what", nargs="?", choices=("load",), help="only publish, onto the stack that runs")
    command.add_argument(
        "--once", action="store_true", help="in a folder of its own: check the result, stop, exit 0 or 1"
    )
    command.add_argument(
        "--no-airflow", action="store_true", help="leave Airflow out; the command collects the files itself"
    )
    command.add_argument("--signals", type=int, default=3_000, help="about how many signals (3000)")
    command.add_argument("--seed", type=int, default=SEED, help="another seed, other people")
    command.add_argument("--json", action="store_true", help="print the result as JSON")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when every story ended as it should and every sum is right, else 1."""
    # A stopped container or job asks with SIGTERM; a shell that starts it in the background has it ignore Ctrl-C.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"  {time.monotonic() - began:5.1f} s  {text}", file=sys.stderr, flush=True)

    if arguments.what == "load":
        return _load(arguments, say)
    return _once(arguments, say) if arguments.once else _stay(arguments, say)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


# ---------------------------------------------------------------- three ways


def _load(arguments: argparse.Namespace, say: Say) -> int:
    stack = Stack(home_from_env(), say=say)
    if not _consumers_run(stack):
        raise NotRunning()
    report, password = _play(stack, arguments, say, lambda: None)
    _tell(stack, report, password, arguments.json)
    return 0 if report.fine else 1


def _once(arguments: argparse.Namespace, say: Say) -> int:
    """In a folder of its own, so that it neither finds old data nor stops a stack that somebody works on."""
    home = home_from_env() / "once"
    Stack(home).destroy()
    home.parent.mkdir(parents=True, exist_ok=True)
    stack = Stack(home, Ports.free(), say=say)
    fine = False
    try:
        with _starting(stack, not arguments.no_airflow) as started:
            report, password = _play(stack, arguments, say, started)
        _tell(stack, report, password, arguments.json)
        fine = report.fine
    finally:
        with _undisturbed():
            say("stopping")
            stack.down()
            if fine:
                stack.destroy()
            else:
                print(f"  The data and logs of this run are in {home}", file=sys.stderr)
    return 0 if fine else 1


def _stay(arguments: argparse.Namespace, say: Say) -> int:
    stack = Stack(home_from_env(), say=say)
    try:
        with _starting(stack, not arguments.no_airflow) as started:
            report, password = _play(stack, arguments, say, started)
        _tell(stack, report, password, arguments.json)
        print("  It all runs until you press Ctrl-C.", flush=True)
        with suppress(KeyboardInterrupt):
            while True:
                signal.pause()
    finally:
        with _undisturbed():
            say("stopping")
            stack.down()
    return 0 if report.fine else 1


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Whoever asks a second time to stop waits until it is done, so that no process is left behind."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    yield


@contextmanager
def _starting(stack: Stack, airflow: bool) -> Iterator[Callable[[], None]]:
    """Start the stack beside the block, which begins once the consumers run; what it gets waits for the rest.

    Airflow takes most of the time of starting, and the first events do not need it. A process of its own can be ended
    at any moment; a thread could start parts behind the back of whoever is stopping them.
    """
    # Starting sets every door to what is declared, before the consumers start; where these run already, the history
    # must wait for that, because half-way it would be refused as too old.
    ran = _consumers_run(stack)
    ports = {f"BEREIK_{name.upper()}_PORT": str(port) for name, port in stack.ports.as_dict().items()}
    starter = subprocess.Popen(
        [sys.executable, "-c", _COMMAND, "up", *([] if airflow else ["--no-airflow"])],
        env={**os.environ, **ports, "BEREIK_HOME": str(stack.home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd=REPOSITORY,
        # Ctrl-C is for the command alone, which then stops all in order.
        start_new_session=True,
    )

    def finished() -> None:
        try:
            code = starter.wait(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            raise NotStarted() from None
        if code:
            raise NotStarted()

    try:
        until = time.monotonic() + _PATIENCE
        while starter.poll() is None and not _consumers_run(stack):
            if time.monotonic() > until:
                raise NotStarted()
            time.sleep(0.3)
        if not _consumers_run(stack):
            raise NotStarted()
        if ran:
            finished()
        yield finished
    finally:
        if starter.poll() is None:
            starter.kill()
            starter.wait()


def _consumers_run(stack: Stack) -> bool:
    return {*CONSUMERS, "broker", "database"} <= {state.name for state in stack.status() if state.running}


# ---------------------------------------------------------------- one history


def _play(
    stack: Stack, arguments: argparse.Namespace, say: Say, started: Callable[[], None]
) -> tuple[Report, str]:
    """Publish the history, unless this home has had it, and look how it ended."""
    note = stack.home / "demo.json"
    told = _note(note)
    today = date.fromisoformat(told["today"]) if told else datetime.now(UTC).date()
    seed, signals = int(told.get("seed", arguments.seed)), int(told.get("signals", arguments.signals))
    bundle = Bundle.compile(Path(os.environ.get("BEREIK_SCHEMAS") or REPOSITORY / "schemas"))
    history = fiction.months(bundle, today, seed, signals)
    stage = Stage(stack, history)
    password = stage.seed_accounts()
    if told.get("done"):
        say(
            f"this home has had its history, on {told['today']}; for a new one: bereik down, then remove {stack.home}"
        )
        started()
        return stage.report(), password
    note.write_text(
        json.dumps({"today": today.isoformat(), "seed": seed, "signals": signals}), encoding="utf-8"
    )
    stage.register()
    with stage.history_kept():
        stage.put_files()
        sent, partners = stage.publish(history.deliveries), len({one.partner for one in history.deliveries})
        say(f"{sent} events sent by {partners} partners, each on its own topic")
        stage.settle()
        stage.publish(history.afterwards)
        say("all of them decided")
        started()
        rows = sum(len(file.rows) for file in history.files)
        by = stage.collect()
        say(f"{len(history.files)} files with {rows} rows collected by {by}")
        stage.settle()
    stage.match()
    stage.settle()
    stage.agree()
    stage.settle()
    say("consent taken down, bridges settled")
    checked = stage.check()
    say("fictional registers asked about everybody, before contact")
    followed = stage.work()
    say(f"{len(followed)} cases brought to their outcome by fictional workers")
    report = replace(stage.report(), recognised=stage.recognise(), followed=followed, checked=checked)
    note.write_text(
        json.dumps({"today": today.isoformat(), "seed": seed, "signals": signals, "done": True}),
        encoding="utf-8",
    )
    return report, password


def _note(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


# ---------------------------------------------------------------- telling


def _deliveries(stack: Stack) -> list[Path]:
    """The national deliveries of last month, made when they are not there yet."""
    app = App(Settings.from_env(stack.environment("delivery")))
    try:
        app.deliver_month()
    finally:
        app.store.close()
    return sorted((stack.home / "ddas").glob("ddas-*.json"))


def _tell(stack: Stack, report: Report, password: str, as_json: bool) -> None:
    links, deliveries = links_of(stack), _deliveries(stack)
    if as_json:
        show(
            {
                "fine": report.fine,
                "seconds": round(report.seconds, 1),
                "counts": [
                    dict(
                        zip(
                            ("partner", "door", "received", "accepted", "duplicate", "refused", "parked"),
                            row,
                            strict=True,
                        )
                    )
                    for row in report.counts
                ],
                "alerts": report.alerts,
                "bridges": {
                    f"{state} by {ground}": number for (ground, state), number in report.bridges.items()
                },
                "stories": [
                    {
                        "name": t.story.name,
                        "fine": t.fine,
                        "found": t.found,
                        "command": t.command,
                        "events": [asdict(e) for e in t.story.events],
                    }
                    for t in report.stories
                ],
                "followed": [asdict(one) for one in report.followed],
                "wrong": report.wrong,
                "recognised": report.recognised,
                "checked": report.checked,
                "deliveries": [str(path) for path in deliveries],
                "links": links,
            }
        )
        return
    for line in _lines(report):
        print(line)
    print("THE NATIONAL DELIVERY OF LAST MONTH (DDAS)")
    for path in deliveries:
        print(f"  {path}")
    print()
    _links(stack, links, password)


def _lines(report: Report) -> Iterator[str]:
    yield ""
    yield "WHAT CAME IN"
    yield f"  {'partner':30}{'door':7}{'received':>9} = {'accepted':>8} + {'duplicate':>9} + {'refused':>7} + {'parked':>6}"
    total = [0, 0, 0, 0, 0]
    for partner, door, *numbers in report.counts:
        total = [a + b for a, b in zip(total, numbers, strict=True)]
        yield f"  {partner:30}{door:7}{_sum(numbers)}"
    yield f"  {'together':30}{'':7}{_sum(total)}"
    yield ""
    yield "WHAT BECAME OF IT (the last month; 'not up' is below the threshold, repeated or withdrawn)"
    yield f"  {'purpose':14}{'team':22}{'':26}{'single':>7}{'follows':>8}{'several':>8}{'not up':>7}"
    for purpose, team, name, single, consecutive, multiple, not_up, _ in report.cases:
        yield f"  {purpose:14}{team:22}{name:26}{single:7}{consecutive:8}{multiple:8}{not_up:7}"
    yield ""
    yield from _wrapped(_shares(report))
    alerts = ", ".join(f"{number} {reason.replace('_', ' ')}" for reason, number in report.alerts.items())
    yield from _wrapped(f"Teams were told {sum(report.alerts.values())} times: {alerts}.")
    bridges = ", ".join(
        f"{number} {state} by {ground}" for (ground, state), number in sorted(report.bridges.items())
    )
    yield f"  Bridges between purposes: {bridges or 'none'}."
    yield ""
    yield "STORIES TO FOLLOW"
    for number, told in enumerate(report.stories, 1):
        mark = "" if told.fine else "   <-- NOT AS IT SHOULD BE"
        yield f"  {number:2}. {told.story.name} ({told.story.municipality}){mark}"
        yield from textwrap.wrap(
            told.story.sentence, _WIDTH, initial_indent="      ", subsequent_indent="      "
        )
        yield from textwrap.wrap(told.found, _WIDTH, initial_indent="      > ", subsequent_indent="        ")
        yield f"      $ {told.command}"
    yield ""
    if report.followed:
        yield "FROM FIRST SIGNAL TO OUTCOME"
    for number, one in enumerate(report.followed, 1):
        mark = "" if one.fine else "   <-- NOT AS IT SHOULD BE"
        yield f"  {number:2}. {one.title}{mark}"
        for line in one.lines:
            yield from textwrap.wrap(
                line, _WIDTH, initial_indent="      ", subsequent_indent="                  "
            )
        yield f"      $ {one.command}"
    if report.followed:
        yield ""
    if report.checked:
        yield "CHECKED BEFORE CONTACT"
        for line in report.checked:
            yield f"  {line}"
        yield ""
    if report.recognised:
        yield "WHO IS WHO"
        for line in report.recognised:
            yield f"  {line}"
        yield ""
    if report.wrong:
        yield "NOT AS IT SHOULD BE"
        for line in report.wrong:
            yield f"  - {line}"
    else:
        yield "  Every message met exactly one fate, every invariant holds, every case is as expected."
    yield ""


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="  ")


def _shares(report: Report) -> str:
    """The mix of the last month among the cases that a team must act on."""
    kinds = [sum(column) for column in zip(*(row[3:6] for row in report.cases), strict=True)] or [0, 0, 0]
    single, follows, several = (round(100 * number / max(1, sum(kinds))) for number in kinds)
    return (
        f"Of the {sum(kinds)} cases to act on, {single} % stands alone, {several} % has several signals in the month,"
        f" {follows} % follows on an earlier signal."
    )


def _sum(numbers: list[int]) -> str:
    received, accepted, duplicate, refused, parked = numbers
    return f"{received:9} = {accepted:8} + {duplicate:9} + {refused:7} + {parked:6}"


def _links(stack: Stack, links: dict[str, str], password: str) -> None:
    print("OPEN")
    board = links.get("board")
    if board:
        print(f"  board            {board}   password for every account below: {password}")
        print("    <team id>                     that team's own cases, such as the team ids above")
        print("    <code>-coordinator-<purpose>  the teams of one purpose, and who may meet whom")
        print("    <code>-privacy                counts only: who may meet whom, and no case")
    if "airflow" in links:
        user, secret = stack.airflow_login
        print(f"  Airflow          {links['airflow']}   {user} / {secret}")
    print("  in words         bereik explain case ID · bereik explain signal ID · bereik status --check")
    print(f"  data and logs    {stack.home}")
    print("", flush=True)
