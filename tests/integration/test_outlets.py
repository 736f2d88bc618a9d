"""Alerts by mail, on the real stack with a real SMTP server: gathered, once, again, later, never, and after a crash."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller
from support import World, house, person, stands_in, start, wait_for

from bereik.app import App
from bereik.declared.signals import SignalType
from bereik.outlets import Outlets
from bereik.outreach import Courier
from bereik.runtime import Ports
from bereik.settings import Settings
from bereik.silences import NoEnd, NoTeam

pytestmark = pytest.mark.stack

SENDER = "bereik@bereik.example"


class Sink:
    """Takes mails, and refuses for good those to the addresses in `refused`."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.refused: set[str] = set()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"


@pytest.fixture
def post() -> Iterator[tuple[Sink, str]]:
    """A real SMTP server on a free port."""
    sink = Sink()
    port = Ports.free().web
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield sink, f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


@pytest.fixture
def app(world: World) -> Iterator[App]:
    """Outreach without its courier: the stack's own process is stopped, so that nobody else sends."""
    world.drain()
    world.stack.supervisor.halt(["outreach"])
    made = App(Settings.from_env(world.stack.environment("outreach")))
    # What earlier tests left gathering is told to nobody here.
    made.courier(Outlets({}), lambda: datetime.now(UTC) + timedelta(days=400)).turn()
    forget(world)
    yield made
    made.store.close()
    forget(world)
    world.stack.supervisor.run(["outreach"])


def forget(world: World) -> None:
    """Nothing waits and no endpoint rests."""
    for statement in (
        "UPDATE casework.alert SET due_at = NULL WHERE due_at IS NOT NULL",
        "UPDATE casework.notice SET state = 'parked' WHERE state = 'waiting'",
        "DELETE FROM ops.endpoint",
    ):
        with psycopg.connect(world.stack.settings.database_url("postgres")) as connection:
            connection.execute(statement)


def crisis(world: World) -> str:
    """Report that supply is about to end; the id of the case."""
    kind = world.type_of("schuldhulp", amount=True, crisis=True)
    return report(world, kind, **{str(kind.crisis_field): True})


def ordinary(world: World) -> str:
    """Report a debt; the id of the case."""
    return report(world, world.type_of("schuldhulp", amount=True, crisis=False))


def report(world: World, kind: SignalType, area: str = "zuid", **changes: Any) -> str:
    who = person() | house(world.bundle, "9901", area)
    sent = world.report(kind, "9901", who, **{str(kind.amount_field): 900}, **changes)
    partner = world.partner_of(kind, "9901")
    ((_, case_id),) = wait_for(lambda: world.cases_of(partner, sent), what="the case")
    wait_for(lambda: world.alerts(case_id), what="the alert on the board")
    return str(case_id)


@contextmanager
def outreach(world: World, url: str, failpoint: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """Within the block the real process runs, and mails through this server."""
    own = start(world, "outreach", failpoint, BEREIK_SMTP_URL=url)
    try:
        yield own
    finally:
        own.terminate()
        own.wait(timeout=30)


def courier(app: App, url: str, later: timedelta = timedelta()) -> Courier:
    return app.courier(Outlets.of(url, "", SENDER, None), lambda: datetime.now(UTC) + later)


def about(sink: Sink, case_id: str) -> list[Message]:
    return [mail for mail in sink.mails if case_id[:8] in str(mail.get_payload(decode=True), "utf-8")]


def tries(world: World, state: str) -> list[tuple[Any, ...]]:
    return world.rows(
        "SELECT d.state, t.number, t.outcome FROM casework.notice d JOIN casework.notice_try t USING (notice_id)"
        " WHERE d.state = %s AND d.made_at > now() - interval '5 minutes' ORDER BY t.tried_at",
        (state,),
    )


HALF_AN_HOUR = timedelta(minutes=31)


def test_a_crisis_is_mailed_at_once_and_the_rest_in_one_mail_later(
    world: World, app: App, post: tuple[Sink, str]
) -> None:
    sink, url = post
    with outreach(world, url):
        first, second, urgent = ordinary(world), ordinary(world), crisis(world)
        (mail,) = wait_for(lambda: about(sink, urgent), what="the crisis mail")
    assert not about(sink, first)
    courier(app, url, HALF_AN_HOUR).turn()
    assert len(about(sink, first)) == 1 and about(sink, first) == about(sink, second)
    courier(app, url, HALF_AN_HOUR).turn()
    assert len(sink.mails) == 2, "nothing is told twice"
    assert not stands_in("900", mail.get_payload()) and mail["Subject"].startswith("Bereik: crisis")


def test_a_server_that_is_away_is_asked_later_and_nothing_is_lost(
    world: World, app: App, post: tuple[Sink, str]
) -> None:
    sink, url = post
    with outreach(world, url):
        case_id = ordinary(world)
    dead = "smtp://127.0.0.1:1"
    courier(app, dead, HALF_AN_HOUR).turn()
    counts, rests, _ = world.app.silences.counts()
    assert [one.failures for one in rests] == [1]
    assert any(one.state == "waiting" and one.outcome == rests[0].outcome for one in counts)
    courier(app, url, HALF_AN_HOUR).turn()
    assert not about(sink, case_id), "the endpoint rests, also for who finds the server up"
    courier(app, url, HALF_AN_HOUR + timedelta(hours=1)).turn()
    assert len(about(sink, case_id)) == 1
    assert world.app.silences.counts()[1] == []
    assert [number for _, number, _ in tries(world, "sent")][-2:] == [1, 2]


def test_a_refused_mail_is_parked_and_blocks_no_other(world: World, app: App, post: tuple[Sink, str]) -> None:
    sink, url = post
    with outreach(world, url):
        refused = report(world, world.type_of("schuldhulp", amount=True, crisis=False), area="noord")
        taken = ordinary(world)
    team = next(team for team in world.bundle.municipalities["9901"].teams if team.id.endswith("noord"))
    sink.refused = {outlet.target for outlet in team.outlets}
    courier(app, url, HALF_AN_HOUR).turn()
    assert not about(sink, refused) and len(about(sink, taken)) == 1
    assert "smtp_550" in [outcome for *_, outcome in tries(world, "parked")]
    assert world.app.silences.counts()[1] == [], "a refused mail does not make the server rest"


def test_after_a_kill_between_sending_and_noting_the_same_mail_comes_again(
    world: World, app: App, post: tuple[Sink, str]
) -> None:
    sink, url = post
    own = start(world, "outreach", "outreach:after_notice", BEREIK_SMTP_URL=url)
    urgent = crisis(world)
    assert own.wait(timeout=60) == -signal.SIGKILL
    with outreach(world, url):
        wait_for(lambda: len(about(sink, urgent)) == 2, what="the mail again")
    assert len({mail["Message-ID"] for mail in about(sink, urgent)}) == 1


def test_a_silenced_team_is_told_afterwards(world: World, app: App, post: tuple[Sink, str]) -> None:
    sink, url = post
    with outreach(world, url):
        case_id = ordinary(world)
    team = next(team.id for team in world.bundle.municipalities["9901"].teams if team.id.endswith("zuid"))
    number = world.app.silences.begin(team, "storing", "tester", hours=2)
    courier(app, url, HALF_AN_HOUR).turn()
    assert not about(sink, case_id) and [one.silence_id for one in world.app.silences.standing()] == [number]
    assert world.app.silences.end(number) and not world.app.silences.end(number)
    courier(app, url, HALF_AN_HOUR).turn()
    assert len(about(sink, case_id)) == 1


def test_all_that_waits_for_a_silenced_team_holds_up_nobody(
    world: World, app: App, post: tuple[Sink, str]
) -> None:
    sink, url = post
    with outreach(world, url):
        waiting, urgent = ordinary(world), crisis(world)
        wait_for(lambda: about(sink, urgent), what="the crisis by mail")
    # A weekend's worth: more than the courier looks at in one turn, all due before anything else.
    with psycopg.connect(world.stack.settings.database_url("postgres")) as connection:
        copied = (
            "INSERT INTO casework.alert (alert_id, purpose, case_id, case_version, municipality, team, reason, outlet, ordered_at,"
            " people, due_at) SELECT gen_random_uuid(), purpose, case_id, case_version, municipality, team, reason, outlet,"
            " ordered_at, people, ordered_at FROM casework.alert, generate_series(1, 2100) WHERE case_id = %s"
        )
        connection.execute(copied, (waiting,))
        told = "UPDATE casework.alert SET due_at = now(), times = 1 WHERE case_id = %s"
        connection.execute(told, (urgent,))
    ((team,),) = set(world.rows("SELECT team FROM casework.alert WHERE case_id = %s", (waiting,)))
    number = world.app.silences.begin(str(team), "weekend", "tester", hours=2)
    courier(app, url, timedelta(seconds=1)).turn()
    assert len(about(sink, urgent)) == 2 and not about(sink, waiting)
    assert world.app.silences.end(number)
    with psycopg.connect(world.stack.settings.database_url("postgres")) as connection:
        connection.execute(
            "DELETE FROM casework.alert WHERE case_id = %s AND due_at = ordered_at", (waiting,)
        )


def test_a_silence_needs_a_team_and_an_end(world: World) -> None:
    with pytest.raises(NoTeam):
        world.app.silences.begin("9901-nobody", "storing", "tester", hours=1)
    team = world.bundle.municipalities["9901"].teams[0].id
    for hours in (0, -1, 169):
        with pytest.raises(NoEnd):
            world.app.silences.begin(team, "storing", "tester", hours=hours)
