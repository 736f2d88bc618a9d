"""The national delivery from the real database: under its own login, of its own purposes, as a file that only its owner reads."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from support import REPOSITORY, World, activated, data_for, event, followed, house, person, today

from bereik import ddas
from bereik.app import App
from bereik.bundle import Bundle
from bereik.declared.purposes import Word
from bereik.delivery import NotDelivered, UnknownMunicipality
from bereik.errors import InvalidDeclarations
from bereik.settings import Settings

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def app(world: World) -> Iterator[App]:
    """The process that delivers."""
    made = App(Settings.from_env(world.stack.environment("delivery")))
    yield made
    made.store.close()


def told_of(document: dict[str, object], place: dict[str, object]) -> list[dict[str, str]]:
    """The signals of a delivery about one address."""
    (delivery,) = document["leveringen"]  # type: ignore[misc]
    return [
        one
        for one in delivery["vroegsignalen"]
        if one["client"].get("postcode") == place["postcode"]
        and one["client"].get("huisnummer") == str(place["house_number"])
    ]


def test_a_month_of_cases_becomes_one_sound_private_file(world: World, app: App, tmp_path: Path) -> None:
    place = house(world.bundle, "9901")
    who = {**person(), **place}
    told = [
        (world.partner_of(kind, "9901"), world.report(kind, "9901", who))
        for kind in world.bundle.signal_types.values()
        if kind.purpose in world.bundle.delivered and not kind.crisis_field
    ]
    apart = next(
        kind for kind in world.bundle.signal_types.values() if kind.purpose not in world.bundle.delivered
    )
    event_id = world.report(apart, "9901", who)
    world.drain()
    ((purpose, case_id),) = {row for one in told for row in world.cases_of(*one)}
    world.app.state_fact(purpose, case_id, "taken_up", {}, "worker-canary")
    attempt = {"kind": "Brief", "reached": False, "day": today().isoformat(), "daypart": "Middag"}
    world.app.state_fact(purpose, case_id, "attempt", attempt, "worker-canary")

    path, delivery = app.deliveries.export(
        app.bundle(), "9901", today() - timedelta(days=1), today(), tmp_path / "new" / "levering.json"
    )

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    document = json.loads(path.read_bytes())
    assert document == delivery.document and ddas.problems(document) == []
    found = told_of(document, place)
    # Arrears that began today are outside the window of a type that has one: that signal stands apart, whatever its case.
    windowed = world.bundle.municipalities["9901"].policies[purpose].windows
    young = {world.bundle.signal_types[name].partner_type for name in windowed}
    assert len(found) > 1 and all(
        one["status"]
        == ("Niet opgepakt: onterecht signaal" if one["signaalpartner"]["type"] in young else "Opgepakt")
        for one in found
    )
    assert {one["signaalpartner"]["type"] for one in found} <= set(ddas.PARTNER_TYPES)
    dossiers = [
        one
        for one in document["leveringen"][0]["vroegsignaalzaken"]
        if {"ID": found[0]["ID"]} in one["vroegsignalen"]
    ]
    assert [(one["datumOpgepakt"], len(one["contactpogingen"])) for one in dossiers] == [
        (today().isoformat(), 1)
    ]
    text = path.read_text("utf-8")
    known = world.rows(
        "SELECT signal_id::text, case_id::text FROM casework.signal WHERE case_id = %s", (case_id,)
    )
    assert all(value not in text for row in known for value in row), "ids that mean nothing here"
    assert who["surname"] not in text and "worker-canary" not in text
    assert world.fate(world.partner_of(apart, "9901"), event_id)[0] == "accepted"
    assert apart.partner_type not in text


def test_a_case_that_waited_for_its_month_is_dated_by_the_matching_moment(
    world: World, app: App, tmp_path: Path
) -> None:
    """Not by its receipt: a municipality that looks at a month on one day did so that day, and not when the first signal came."""
    # A day of at most a week ago on which a month may be matched, and the day before it, in the same month.
    matched = next(day for ago in range(7) if 2 <= (day := today() - timedelta(days=ago)).day <= 28)
    received = matched - timedelta(days=1)
    schemas = tmp_path / "schemas"
    shutil.copytree(REPOSITORY / "schemas", schemas)
    town = next((schemas / "municipalities").glob("9902-*.yaml"))
    text = town.read_text("utf-8")
    moment = re.compile(r"matching: \{when: delivered, day: \d+\}")
    assert moment.search(text)
    town.write_text(moment.sub(f"matching: {{when: day, day: {matched.day}}}", text), "utf-8")
    with activated(world, schemas) as bundle:
        kind = next(
            kind
            for kind in bundle.signal_types.values()
            if kind.purpose in bundle.delivered and not kind.crisis_field
        )
        partner = world.partner_of(kind, "9902")
        followed(world, kind, "9902")
        place = house(bundle, "9902")
        data = data_for(kind, {**person(), **place}, on=received)
        noon = datetime(received.year, received.month, received.day, 12, tzinfo=UTC)
        told = event(bundle.partners[partner].source, kind.event_type, data, time=noon.isoformat())
        world.send(partner, told, key="9902", timestamp_ms=int(noon.timestamp() * 1000))
        world.drain()
        assert world.fate(partner, told["id"])[::2] == ("accepted", [])
        ((purpose, case_id),) = world.cases_of(partner, told["id"])
        world.app.state_fact(purpose, case_id, "taken_up", {}, "worker-canary")
        path, _ = app.deliveries.export(app.bundle(), "9902", received, today(), tmp_path / "levering.json")
    document = json.loads(path.read_bytes())
    (signal,) = told_of(document, place)
    (case,) = [
        one
        for one in document["leveringen"][0]["vroegsignaalzaken"]
        if {"ID": signal["ID"]} in one["vroegsignalen"]
    ]
    assert (signal["signaaldatum"], case["matchingsdatum"]) == (received.isoformat(), matched.isoformat())


def test_a_period_without_signals_and_a_code_without_municipality(app: App, tmp_path: Path) -> None:
    path, delivery = app.deliveries.export(
        app.bundle(), "9902", date(2020, 1, 1), date(2020, 1, 31), tmp_path / "leeg.json"
    )
    assert (delivery.signals, delivery.cases) == (0, 0)
    assert ddas.problems(json.loads(path.read_bytes())) == []
    with pytest.raises(UnknownMunicipality):
        app.deliveries.export(app.bundle(), "0000", date(2020, 1, 1), date(2020, 1, 31))


def test_what_does_not_fit_the_given_schema_is_not_written(app: App, tmp_path: Path) -> None:
    target = tmp_path / "levering.json"
    with pytest.raises(NotDelivered, match="the whole: required"):
        app.deliveries.export(
            app.bundle(), "9902", date(2020, 1, 1), date(2020, 1, 31), target, {"required": ["iets"]}
        )
    assert list(tmp_path.iterdir()) == []


def test_the_month_is_made_once_and_old_ones_go(app: App) -> None:
    folder = app.settings.home / "ddas"
    # The DAG may have made this month on the same stack already.
    for one in folder.glob("*"):
        one.unlink()
    first = app.deliver_month()
    assert first == len(app.bundle().municipalities)
    assert app.deliver_month() == 0
    made = list(folder.iterdir())
    assert len(made) == first and all(stat.S_IMODE(one.stat().st_mode) == 0o600 for one in made)


def test_the_login_that_delivers_reaches_no_other_purpose_and_writes_nothing(world: World) -> None:
    with psycopg.connect(world.stack.settings.database_url("bereik_delivery"), autocommit=True) as connection:
        for purpose in set(world.bundle.purposes) - world.bundle.delivered:
            for role in ("delivering", "vault", "casework"):
                with pytest.raises(psycopg.Error):
                    connection.execute(f"SET ROLE {role}_{purpose}")
        for purpose in world.bundle.delivered:
            connection.execute(f"SET ROLE delivering_{purpose}")
            assert connection.execute("SELECT DISTINCT purpose FROM casework.signal").fetchall() == [
                (purpose,)
            ]
            for statement in (
                "SELECT stated_by FROM casework.fact",
                "SELECT person_id FROM vault.record",
                "SELECT 1 FROM vault.key",
                "UPDATE casework.case SET status = ''",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)


def test_what_does_not_deliver_is_in_no_delivery_by_any_route(world: World, app: App, tmp_path: Path) -> None:
    """School absence: by the command, by what the DAG calls, by its words, and by declarations that say it delivers."""
    apart = next(
        one for one in world.bundle.signal_types.values() if one.purpose not in world.bundle.delivered
    )
    debt = next(one for one in world.bundle.signal_types.values() if one.purpose in world.bundle.delivered)
    place = house(world.bundle, "9901")
    pupil = {**person(), **house(world.bundle, "9901"), "birth_date": "2010-02-03"}
    sent = {
        kind.id: world.report(kind, "9901", who)
        for kind, who in ((apart, pupil), (debt, {**person(), **place}))
    }
    world.drain()
    ((purpose, case_id),) = world.cases_of(world.partner_of(apart, "9901"), sent[apart.id])
    world.app.state_fact(purpose, case_id, "taken_up", {}, "worker-canary")
    world.drain()

    last = today().replace(day=28) + timedelta(days=4)
    app.deliveries.make_due(app.bundle(), last.replace(day=1))
    month = today().replace(day=1)
    by_dag = (
        app.settings.home
        / "ddas"
        / f"ddas-v{ddas.VERSION}-9901-{month}-{last - timedelta(days=last.day)}.json"
    )
    by_command = tmp_path / "levering.json"
    command = [str(Path(sys.executable).parent / "bereik"), "ddas", "export", "--municipality", "9901"]
    command += ["--from", month.isoformat(), "--to", today().isoformat(), "--out", str(by_command)]
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={"BEREIK_HOME": str(app.settings.home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for path in (by_dag, by_command):
        document = json.loads(path.read_bytes())
        assert told_of(document, place), "a debt is there"
        assert told_of(document, pupil) == [], "and the pupil is not"
        kinds = {one["signaalpartner"]["type"] for one in document["leveringen"][0]["vroegsignalen"]}
        assert kinds <= set(ddas.PARTNER_TYPES) and apart.partner_type not in kinds
        text = path.read_text("utf-8")
        own = {word.id for word in bundle_words(world, purpose)} - {
            word.id for word in bundle_words(world, debt.purpose)
        }
        assert [word for word in own if f'"{word}"' in text] == []

    words = world.rows(
        "SELECT DISTINCT t.word FROM intake.told t JOIN intake.receipt r USING (receipt_id) WHERE r.purpose = %s",
        (purpose,),
    )
    assert words and {word for (word,) in words} <= set(world.bundle.purposes[purpose].feedback)

    schemas = tmp_path / "schemas"
    shutil.copytree(REPOSITORY / "schemas", schemas)
    purposes = schemas / "purposes.yaml"
    purposes.write_text(purposes.read_text("utf-8").replace("ddas: false", "ddas: true"), "utf-8")
    with pytest.raises(InvalidDeclarations, match="cannot deliver"):
        Bundle.compile(schemas)


def bundle_words(world: World, purpose: str) -> tuple[Word, ...]:
    """The states and results of a purpose."""
    found = world.bundle.purposes[purpose]
    return (*found.states, *found.results)
