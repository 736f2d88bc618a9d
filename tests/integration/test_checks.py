"""Check before contact on the real stack: planted people in a fictional register, from a signal to what the team sees."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from board_visitor import at_the_board
from kafka import KafkaConsumer, TopicPartition
from register_desk import Served, serving
from support import REPOSITORY, World, house, person, stands_in, today, wait_for

from bereik import receipts, residency
from bereik.app import App
from bereik.brp import KNOWN, PERSONEN, RegisterAway
from bereik.bus import Producer
from bereik.checks import NothingLeft
from bereik.fiction import brp as fiction
from bereik.settings import Register, Settings
from bereik.store import Store, board, errands

pytestmark = pytest.mark.stack

HERE, ELSEWHERE = "9901", "9902"


@dataclass
class Bench:
    """A register with planted people, the checks that ask it, and the stack whose cases they are about."""

    world: World
    served: Served
    app: App
    people: list[dict[str, Any]]
    known: set[str] = field(default_factory=set)
    numbers: Iterator[str] = field(default_factory=fiction.numbers)

    def plant(self, who: dict[str, Any], **changes: Any) -> str:
        """Register somebody, as a partner will report them but for the changes; gives the number."""
        bsn = next(self.numbers)
        fields = {
            "surname": who["surname"],
            "birth_date": who["birth_date"],
            "initials": who["initials"],
            "municipality": HERE,
            "postcode": who["postcode"],
            "house_number": who["house_number"],
            **changes,
        }
        self.people.append(fiction.person(bsn, **fields))
        return bsn

    def report(self, who: dict[str, Any]) -> str:
        """A partner reports somebody; gives the case once it waits to be asked about."""
        kind = self.world.type_of("schuldhulp", amount=True)
        sent = self.world.report(kind, HERE, who)
        partner = self.world.partner_of(kind, HERE)
        self.world.drain()
        ((_, case_id),) = self.world.cases_of(partner, sent)
        wait_for(lambda: self.rows_of(case_id), what="the person waits to be asked about")
        return case_id

    def rows_of(self, case_id: str) -> list[tuple[Any, ...]]:
        """(person, answer, differences, known, choice) of a case."""
        sql = "SELECT person_id, answer, differences, known, choice FROM vault.residency WHERE case_id = %s"
        return self.world.rows(sql, (case_id,))

    def ask(self, *case_ids: str) -> None:
        """One round of the checks, for these cases only: those of other tests wait."""
        self.own(
            "UPDATE vault.residency SET due_at = now() + interval '1 day' WHERE case_id <> ALL(%s)",
            list(case_ids),
        )
        self.own("UPDATE vault.residency SET due_at = now() WHERE case_id = ANY(%s)", list(case_ids))
        self.app.inquiries.ask()
        self.world.drain()

    def own(self, sql: str, *values: Any) -> None:
        """As the superuser of the embedded database, whom no row security stops."""
        stack = self.world.stack
        password = stack.settings.passwords.get("database:postgres")
        url = f"postgresql://postgres:{password}@127.0.0.1:{stack.ports.database}/bereik"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql, values)

    def checked(self, who: dict[str, Any]) -> str:
        """Reported, and asked about."""
        case_id = self.report(who)
        self.ask(case_id)
        return case_id

    def facts(self, case_id: str) -> list[tuple[str, dict[str, Any]]]:
        """(kind, detail) of what is stated about a case, in order."""
        sql = "SELECT kind, detail FROM casework.fact WHERE case_id = %s ORDER BY stated_at, kind DESC"
        return [(kind, detail) for kind, detail in self.world.rows(sql, (case_id,))]

    def event(self, kind: str, bsn: str, **data: Any) -> None:
        """The register tells of a change."""
        producer = Producer(self.world.broker("register_brp"))
        made = {
            "specversion": "1.0",
            "id": uuid4().hex,
            "source": "urn:nld:oin:00000000000000000000:systeem:BRP",
            "type": kind,
            "data": {"burgerservicenummer": bsn, **data},
        }
        producer.send("register.brp", None, json.dumps(made).encode())
        producer.flush()
        producer.close()
        self.world.drain()

    def take_back(self, case_id: str, **changes: Any) -> None:
        """The partner takes the one signal of a case back."""
        ((partner, event_id, signal_type),) = self.world.rows(
            "SELECT r.partner, r.event_id, s.signal_type FROM casework.signal s JOIN intake.receipt r USING (signal_id)"
            " WHERE s.case_id = %s AND r.action = 'report'",
            (case_id,),
        )
        kind = self.world.bundle.signal_types[signal_type]
        self.world.send(partner, self.world.withdrawal(kind, partner, event_id, **changes))
        self.world.drain()

    def cli(self, *arguments: str) -> Any:
        """A command, with its JSON."""
        env = self.world.stack.environment("operator")
        folder = {"BEREIK_HOME": env["BEREIK_HOME"], "PATH": "/usr/bin:/bin"}
        done = subprocess.run(
            [str(Path(sys.executable).parent / "bereik"), "tray", *arguments, "--json"],
            cwd=REPOSITORY,
            env=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def bench(world: World) -> Iterator[Bench]:
    """The fictional register beside the shared stack, whose own checks are done by hand."""
    people: list[dict[str, Any]] = []
    known: set[str] = set()
    with serving(fiction.Desk(lambda: people, lambda: known, key="sleutel")) as served:
        settings = Settings.from_env(world.stack.environment("checks"))
        line = Register(served.url + PERSONEN, "sleutel")
        app = App(replace(settings, brp=line, known=replace(line, url=served.url + KNOWN)))
        yield Bench(world, served, app, people, known)
        app.store.close()


def someone(world: World, **changes: Any) -> dict[str, Any]:
    """A fictional grown-up at an address of their own."""
    return {**person(), **house(world.bundle, HERE), **changes}


def test_one_whom_the_register_knows_is_unique_and_nothing_else_changes(bench: Bench) -> None:
    who = someone(bench.world)
    bench.plant(who)
    case_id = bench.report(who)
    before = bench.world.case(case_id)
    bench.ask(case_id)
    ((kind, detail), (also, known)) = bench.facts(case_id)
    assert (kind, detail["answer"]) == ("resident", "unique") and set(detail) == {"person_id", "answer"}
    assert (also, known["yes"]) == ("known", False)
    assert bench.world.case(case_id) == before
    bench.ask(case_id)
    assert len(bench.facts(case_id)) == 2


def test_one_who_is_helped_already_leaves_the_team(bench: Bench) -> None:
    who = someone(bench.world)
    bench.known.add(bench.plant(who))
    case_id = bench.checked(who)
    case = bench.world.case(case_id)
    assert (case["status"], case["stands"]) == ("Inwoner al bekend bij schuldhulpverlening", False)
    assert bench.world.alerts(case_id) == ["new_case", "register"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"suspended": "O"}, "Inwoner is overleden"),
        ({"municipality": ELSEWHERE}, "Persoon is geen inwoner (meer) in de gemeente"),
    ],
)
def test_nobody_goes_to_one_who_died_or_moved(bench: Bench, changes: dict[str, Any], status: str) -> None:
    who = someone(bench.world)
    bench.plant(who, **changes)
    case_id = bench.checked(who)
    case = bench.world.case(case_id)
    assert (case["status"], case["stands"]) == (status, False)
    assert bench.world.alerts(case_id)[-1] == "register"


def test_what_deviates_waits_in_the_tray_while_the_case_stands_and_a_person_decides(bench: Bench) -> None:
    who = someone(bench.world)
    bench.plant(who, house_number=who["house_number"] + 1)
    case_id = bench.checked(who)
    assert bench.world.case(case_id)["stands"]
    ((_, detail),) = bench.facts(case_id)
    assert detail["differences"] == ["huisnummer"]

    (row,) = [row for row in bench.cli("list") if row["case_id"] == str(case_id)]
    assert (row["answer"], row["differences"]) == ("deviating", ["huisnummer"])
    shown = bench.cli("show", str(case_id))
    assert {
        "field": "huisnummer",
        "partner": str(who["house_number"]),
        "register": str(who["house_number"] + 1),
    } in shown["fields"]
    seen = bench.world.rows(
        "SELECT count(*) FROM audit.act WHERE act = 'tray_shown' AND about = %s", (case_id,)
    )
    assert seen == [(1,)]

    bench.cli("repair", str(case_id), "--choice", "asked", "--by", "jan")
    assert str(case_id) in {row["case_id"] for row in bench.cli("list")}
    bench.cli("repair", str(case_id), "--choice", "no_resident", "--by", "jan")
    assert str(case_id) not in {row["case_id"] for row in bench.cli("list")}
    assert [kind for kind, _ in bench.facts(case_id)] == ["resident", "repaired", "repaired"]
    assert bench.world.case(case_id)["status"] == "Persoon is geen inwoner (meer) in de gemeente"
    rates = {(row["partner"], row["month"]): row for row in bench.cli("rates")}
    assert any(row["deviating"] >= 1 and 0 < row["share"] <= 1 for row in rates.values())


def team_of(bench: Bench, case_id: str) -> str:
    """The team that has a case."""
    return str(bench.world.case(case_id)["team"])


def decisions(bench: Bench, case_id: str) -> list[tuple[str, str]]:
    """(choice, by whom) of what people decided in the tray about a case, in order."""
    sql = "SELECT detail->>'choice', stated_by FROM casework.fact WHERE case_id = %s AND kind = 'repaired' ORDER BY stated_at"
    return [(choice, by) for choice, by in bench.world.rows(sql, (case_id,))]


def test_what_deviates_is_decided_by_a_form_on_the_board(bench: Bench) -> None:
    who = someone(bench.world)
    bench.plant(who, house_number=who["house_number"] + 1)
    case_id = bench.checked(who)
    ((person_id, *_),) = bench.rows_of(case_id)
    path, person_id = f"/tray/{case_id}", str(person_id)
    with at_the_board(bench.world, "schuldhulp", HERE, team_of(bench, case_id)) as visitor:
        row = f'action="{path}?page=1"'
        assert row in visitor.get("/tray")
        assert not stands_in(who["surname"], visitor.get("/tray"))
        visitor.post(path, 400, person=person_id, choice="perhaps")
        visitor.post(path, 404, person=str(uuid4()), choice="partner")
        assert visitor.client.post(path, data={"person": person_id, "choice": "partner"}).status_code == 403
        assert decisions(bench, case_id) == []

        visitor.post(path, person=person_id, choice="asked")
        wait_for(
            lambda: "Het blijft op deze lijst." in visitor.get("/tray").split("<table")[0],
            what="it is taken down",
        )
        assert row in visitor.get("/tray") and "partner gevraagd" in visitor.get("/tray")
        visitor.post(path, person=person_id, choice="no_resident")
        wait_for(
            lambda: "De zaak eindigt." in visitor.get("/tray").split("<table")[0], what="it is taken down"
        )
        assert row not in visitor.get("/tray")
        # Decided is decided: by nobody again.
        visitor.post(path, 404, person=person_id, choice="register")
        by = visitor.username
    assert decisions(bench, case_id) == [("asked", by), ("no_resident", by)]
    bench.world.drain()
    assert bench.world.case(case_id)["status"] == "Persoon is geen inwoner (meer) in de gemeente"
    actors = bench.world.rows(
        "SELECT actor FROM audit.act WHERE about = %s AND act = 'tray_repaired'", (case_id,)
    )
    assert actors == [(by,), (by,)]
    assert bench.world.violations() == {}


def test_a_decision_that_came_second_changes_nothing_and_says_so(bench: Bench) -> None:
    who = someone(bench.world)
    bench.plant(who, house_number=who["house_number"] + 1)
    case_id = bench.checked(who)
    ((person_id, *_),) = bench.rows_of(case_id)
    with at_the_board(bench.world, "schuldhulp", HERE, team_of(bench, case_id)) as visitor:
        store = Store(bench.world.stack.settings.database_url("bereik_web"))
        chosen = {"person_id": str(person_id), "choice": "no_resident"}
        bench.cli("repair", str(case_id), "--choice", "partner", "--by", "jan")
        with board.as_user(store, visitor.username) as tx:
            errands.ask(tx, "schuldhulp", residency.REPAIRED, case_id, chosen, visitor.username)
        store.close()
        wait_for(lambda: "Een ander was u voor." in visitor.get("/tray"), what="the page says so")
    assert decisions(bench, case_id) == [("partner", "jan")]
    assert bench.world.case(case_id)["stands"]


def test_nobody_decides_about_somebody_in_a_case_of_another_team(bench: Bench) -> None:
    who = someone(bench.world)
    bench.plant(who, house_number=who["house_number"] + 1)
    case_id = bench.checked(who)
    ((person_id, *_),) = bench.rows_of(case_id)
    own = team_of(bench, case_id)
    other = next(
        team.id
        for team in bench.world.bundle.municipalities[HERE].teams
        if team.purpose == "schuldhulp" and team.id != own
    )
    chosen = {"person_id": str(person_id), "choice": "no_resident"}
    # Past the pages too: the database takes no errand about a case of another team, in another's name, or about somebody else.
    store = Store(bench.world.stack.settings.database_url("bereik_web"))
    for team, name, detail in (
        (other, None, chosen),
        (own, "els", chosen),
        (own, None, {**chosen, "person_id": str(uuid4())}),
    ):
        with at_the_board(bench.world, "schuldhulp", HERE, team) as visitor:
            if team == other:
                assert f"/tray/{case_id}" not in visitor.get("/tray")
                visitor.post(f"/tray/{case_id}", 404, person=str(person_id), choice="no_resident")
            with (
                pytest.raises(psycopg.errors.InsufficientPrivilege),
                board.as_user(store, visitor.username) as tx,
            ):
                errands.ask(tx, "schuldhulp", residency.REPAIRED, case_id, detail, name or visitor.username)
    store.close()
    assert decisions(bench, case_id) == []


def test_one_who_is_not_found_is_not_dropped(bench: Bench) -> None:
    case_id = bench.checked(someone(bench.world))
    assert bench.world.case(case_id)["stands"]
    assert [detail["answer"] for _, detail in bench.facts(case_id)] == ["not_found"]
    assert str(case_id) in {row["case_id"] for row in bench.cli("list")}


def test_nobody_is_asked_about_whose_case_came_in_long_ago(bench: Bench) -> None:
    case_id = bench.report(someone(bench.world))
    with bench.app.inquiries.tray() as (checks, session):
        (purpose,) = checks.purposes
        received = bench.world.rows("SELECT received_at FROM casework.case WHERE case_id = %s", (case_id,))[
            0
        ][0]
        assert len(session.persons_of(purpose, [str(case_id)], received)) == 1
        assert session.persons_of(purpose, [str(case_id)], received + timedelta(seconds=1)) == []


def test_a_register_that_is_away_stops_nothing_and_is_asked_later(bench: Bench) -> None:
    who = someone(bench.world)
    bench.plant(who)
    case_id = bench.report(who)
    bench.served.desk.away = True
    with pytest.raises(RegisterAway):
        bench.ask(case_id)
    assert bench.world.case(case_id)["stands"] and not bench.facts(case_id)
    bench.served.desk.away = False
    bench.ask(case_id)
    assert bench.facts(case_id)[0][1]["answer"] == "unique"


def test_whom_the_register_looks_into_is_asked_about_again_until_it_knows(bench: Bench) -> None:
    who = someone(bench.world)
    bench.plant(who, investigated=True)
    record = bench.people[-1]
    case_id = bench.checked(who)
    days = "SELECT stands, due_at > now() + interval '6 days' FROM vault.residency WHERE case_id = %s"
    assert bench.world.rows(days, (case_id,)) == [(True, True)]
    bench.ask(case_id)
    # The same answer again is no news, and it is asked again a week later.
    assert [detail["answer"] for _, detail in bench.facts(case_id)] == ["in_onderzoek"]
    assert bench.world.rows(days, (case_id,)) == [(True, True)]
    del record["verblijfplaats"]["inOnderzoek"]
    bench.ask(case_id)
    answers = [detail["answer"] for kind, detail in bench.facts(case_id) if kind == "resident"]
    assert answers == ["in_onderzoek", "unique"]
    assert str(case_id) not in {row["case_id"] for row in bench.cli("list")}
    asked = len(bench.served.desk.asked)
    bench.ask(case_id)
    assert len(bench.served.desk.asked) == asked


def test_nobody_is_asked_about_again_or_waits_in_the_tray_for_a_case_that_ended(bench: Bench) -> None:
    who = someone(bench.world)
    bench.plant(who, investigated=True)
    case_id = bench.checked(who)
    assert str(case_id) in {row["case_id"] for row in bench.cli("list")}
    bench.take_back(case_id)
    sql = "SELECT stands FROM vault.residency WHERE case_id = %s"
    wait_for(lambda: bench.world.rows(sql, (case_id,)) == [(False,)], what="the case has ended")
    asked = len(bench.served.desk.asked)
    bench.ask(case_id)
    assert len(bench.served.desk.asked) == asked
    assert str(case_id) not in {row["case_id"] for row in bench.cli("list")}


@pytest.mark.parametrize(
    ("choice", "status", "followed"),
    [("register", "Inwoner is overleden", True), ("other_person", "Nog niet opgepakt", False)],
)
def test_an_event_about_somebody_in_the_tray_waits_until_a_person_decided_who_it_is(
    bench: Bench, choice: str, status: str, followed: bool
) -> None:
    who = someone(bench.world)
    bsn = bench.plant(who, house_number=who["house_number"] + 1)
    case_id = bench.checked(who)
    before = bench.facts(case_id)
    bench.event(residency.DIED, bsn)
    assert bench.facts(case_id) == before and bench.world.case(case_id)["stands"]
    # Who decides sees that the register told something since.
    (row,) = [one for one in bench.cli("list") if one["case_id"] == str(case_id)]
    assert (row["answer"], row["events"]) == ("deviating", [residency.DIED])
    bench.cli("repair", str(case_id), "--choice", "asked", "--by", "jan")
    assert bench.world.case(case_id)["stands"]
    bench.cli("repair", str(case_id), "--choice", choice, "--by", "jan")
    bench.world.drain()
    assert bench.world.case(case_id)["status"] == status
    assert (("resident", "deceased") in [(k, d.get("answer")) for k, d in bench.facts(case_id)]) is followed


def test_a_death_reaches_the_case_within_a_minute(bench: Bench) -> None:
    who = someone(bench.world)
    bsn = bench.plant(who)
    case_id = bench.checked(who)
    assert bench.world.case(case_id)["stands"]
    bench.event(residency.DIED, bsn)
    wait_for(lambda: not bench.world.case(case_id)["stands"], 60, "the case ends")
    assert bench.world.case(case_id)["status"] == "Inwoner is overleden"


def moved(bench: Bench, who: dict[str, Any], toward: str) -> str:
    """The case of somebody who was known to the register and moved, once it has ended here."""
    bsn = bench.plant(who)
    case_id = bench.checked(who)
    bench.event(residency.MOVED_OUT, bsn, gemeenteVanInschrijving={"code": toward})
    wait_for(lambda: not bench.world.case(case_id)["stands"], 60, "the case ends")
    return case_id


def test_a_movers_case_is_offered_where_this_installation_serves_and_told_by_number_elsewhere(
    bench: Bench,
) -> None:
    cases = [moved(bench, someone(bench.world), toward) for toward in (ELSEWHERE, "0001")]
    for case_id, way in zip(cases, ("offered", "number_only"), strict=True):
        assert dict(bench.facts(case_id))["moved_away"]["way"] == way
    sql = "SELECT toward FROM vault.transfer WHERE case_id = %s"
    assert [bench.world.rows(sql, (case_id,)) for case_id in cases] == [[(ELSEWHERE,)], []]


def test_a_case_that_is_taken_over_goes_on_there_under_the_term_that_runs_and_nothing_else_crosses(
    bench: Bench,
) -> None:
    who = someone(bench.world)
    old_id = moved(bench, who, ELSEWHERE)
    (offer,) = [one for one in bench.cli("offers") if one["case_id"] == str(old_id)]
    assert (offer["from"], offer["to"]) == (HERE, ELSEWHERE)
    new_id = UUID(bench.cli("answer", str(old_id), "--accepted", "yes", "--by", "els")["new_case_id"])
    assert str(old_id) not in {one["case_id"] for one in bench.cli("offers")}
    bench.world.drain()

    new, old = bench.world.case(new_id), bench.world.case(old_id)
    assert (new["municipality"], new["stands"], new["signals"]) == (ELSEWHERE, True, 1)
    assert bench.world.alerts(new_id) == ["new_case"]
    assert (old["status"], old["stands"]) == ("Persoon is geen inwoner (meer) in de gemeente", False)
    # Each names the other, and the old team is told.
    assert dict(bench.facts(new_id))["taken_over"] == {"municipality": HERE, "reference": str(old_id)}
    said = {"municipality": ELSEWHERE, "accepted": True, "reference": str(new_id)}
    assert dict(bench.facts(old_id))["offer_answered"] == said
    assert bench.world.alerts(old_id)[-1] == "offer_accepted"

    # The term counts from the first receipt, and neither the person nor a fact is known there.
    sql = "SELECT received_at, offer_by, subject FROM casework.case WHERE case_id = %s"
    (then,), (now,) = bench.world.rows(sql, (old_id,)), bench.world.rows(sql, (new_id,))
    assert now[:2] == then[:2] and now[2] != then[2]
    sql = "SELECT signal_id, person_id, household_id, facts, partner FROM casework.signal WHERE case_id = %s"
    (crossed,), (stayed,) = bench.world.rows(sql, (new_id,)), bench.world.rows(sql, (old_id,))
    assert not {*crossed[:2]} & {*stayed[:3]}
    assert crossed[2:] == (None, {}, f"gemeente-{HERE}")
    assert bench.world.rows("SELECT 1 FROM vault.record WHERE signal_id = %s", (crossed[0],)) == []
    # Nobody there can be looked up by it, and its team can work.
    assert bench.rows_of(new_id) == []
    bench.world.state("schuldhulp", new_id, "taken_up")
    assert bench.world.case(new_id)["status"] == "Opgepakt"
    bench.world.drain()
    assert bench.world.violations() == {}


def test_an_offer_that_is_declined_leaves_the_case_where_it_is_and_its_team_is_told(bench: Bench) -> None:
    case_id = moved(bench, someone(bench.world), ELSEWHERE)
    before = bench.world.case(case_id)
    assert bench.cli("answer", str(case_id), "--accepted", "no", "--by", "els")["new_case_id"] is None
    bench.world.drain()
    assert bench.world.case(case_id) == before
    assert dict(bench.facts(case_id))["offer_answered"] == {"municipality": ELSEWHERE, "accepted": False}
    assert bench.world.alerts(case_id)[-1] == "offer_declined"


def manager_of(bench: Bench, municipality: str) -> str:
    contact = bench.world.bundle.municipalities[municipality].policies["schuldhulp"].contact
    assert contact is not None
    return contact.manager


def test_who_leads_in_the_new_municipality_is_told_of_an_offer_and_takes_it_over_on_the_board(
    bench: Bench,
) -> None:
    old_id = moved(bench, someone(bench.world), ELSEWHERE)
    bench.world.drain()
    there = manager_of(bench, ELSEWHERE)
    # On the board now, and due by mail with the next of what gathers: this team has an address.
    sql = "SELECT municipality, team, due_at > ordered_at FROM casework.alert WHERE case_id = %s AND reason = 'offer_waiting'"
    assert bench.world.rows(sql, (old_id,)) == [(ELSEWHERE, there, True)]
    said = f"{old_id[:4]}-{old_id[4:8]}".upper()
    with at_the_board(bench.world, "schuldhulp", ELSEWHERE, there) as visitor:
        assert "/offers" in visitor.get("/")
        assert said in visitor.get("/offers")
        visitor.get(f"/cases/{old_id}", 404)
        ((transfer,),) = bench.world.rows(
            "SELECT transfer_id FROM vault.transfer WHERE case_id = %s", (old_id,)
        )
        visitor.post(f"/offers/{transfer}", 400, answer="perhaps")
        visitor.post(f"/offers/{transfer}", answer="yes")
        wait_for(lambda: f"{said}: overgenomen op" in visitor.get("/offers"), what="the offer is answered")
        # Answered is answered: it cannot be asked again, by nobody.
        visitor.post(f"/offers/{transfer}", 404, answer="no")
        ((actor,),) = bench.world.rows(
            "SELECT actor FROM audit.act WHERE about = %s AND act = 'offer_answered'", (old_id,)
        )
        assert actor == visitor.username
    bench.world.drain()
    answered = dict(bench.facts(old_id))["offer_answered"]
    new = bench.world.case(answered["reference"])
    assert answered["accepted"] is True and (new["municipality"], new["stands"]) == (ELSEWHERE, True)
    assert bench.world.violations() == {}


def test_nobody_sees_or_answers_an_offer_to_another_team(bench: Bench) -> None:
    old_id = moved(bench, someone(bench.world), ELSEWHERE)
    ((transfer,),) = bench.world.rows("SELECT transfer_id FROM vault.transfer WHERE case_id = %s", (old_id,))
    there = manager_of(bench, ELSEWHERE)
    other = next(
        team.id
        for team in bench.world.bundle.municipalities[ELSEWHERE].teams
        if team.id != there and team.purpose == "schuldhulp"
    )
    for municipality, team in ((ELSEWHERE, other), (HERE, manager_of(bench, HERE))):
        with at_the_board(bench.world, "schuldhulp", municipality, team) as visitor:
            assert f"{old_id[:4]}-{old_id[4:8]}".upper() not in visitor.get("/offers")
            visitor.post(f"/offers/{transfer}", 404, answer="yes")
            # Past the pages too: the database takes no errand about what this user may not see, nor in another's name.
            store = Store(bench.world.stack.settings.database_url("bereik_web"))
            for name in (visitor.username, "els"):
                with (
                    pytest.raises(psycopg.errors.InsufficientPrivilege),
                    board.as_user(store, visitor.username) as tx,
                ):
                    errands.ask(tx, "schuldhulp", "offer_answered", transfer, {"accepted": True}, name)
            store.close()


def test_an_offer_that_cannot_be_taken_over_says_why_on_the_page_and_may_be_declined(bench: Bench) -> None:
    old_id = moved(bench, someone(bench.world), ELSEWHERE)
    bench.take_back(old_id)
    there = manager_of(bench, ELSEWHERE)
    ((transfer,),) = bench.world.rows("SELECT transfer_id FROM vault.transfer WHERE case_id = %s", (old_id,))
    with at_the_board(bench.world, "schuldhulp", ELSEWHERE, there) as visitor:
        visitor.post(f"/offers/{transfer}", answer="yes")
        wait_for(lambda: "trok alle signalen in" in visitor.get("/offers"), what="the page says why")
        visitor.post(f"/offers/{transfer}", answer="no")
        wait_for(lambda: "niet overgenomen op" in visitor.get("/offers"), what="it is declined")
    bench.world.drain()
    assert dict(bench.facts(old_id))["offer_answered"]["accepted"] is False


def test_what_the_board_asked_for_is_forgotten_after_a_week(bench: Bench) -> None:
    old_id = moved(bench, someone(bench.world), ELSEWHERE)
    ((transfer,),) = bench.world.rows("SELECT transfer_id FROM vault.transfer WHERE case_id = %s", (old_id,))
    with at_the_board(bench.world, "schuldhulp", ELSEWHERE, manager_of(bench, ELSEWHERE)) as visitor:
        visitor.post(f"/offers/{transfer}", answer="no")
        wait_for(lambda: "niet overgenomen op" in visitor.get("/offers"), what="it is declined")
    clock = App(Settings.from_env(bench.world.stack.environment("dags")))
    sql = "SELECT count(*) FROM casework.errand WHERE about = %s"
    clock.forget()
    assert bench.world.rows(sql, (transfer,)) == [(1,)]
    bench.own("UPDATE casework.errand SET done_at = now() - interval '8 days' WHERE about = %s", transfer)
    assert clock.forget() >= 1
    assert bench.world.rows(sql, (transfer,)) == [(0,)]
    clock.store.close()


def test_a_case_that_was_taken_back_meanwhile_cannot_be_taken_over(bench: Bench) -> None:
    who = someone(bench.world)
    case_id = moved(bench, who, ELSEWHERE)
    bench.take_back(case_id)
    with bench.app.inquiries.tray() as (checks, session):
        ((purpose, offer),) = [one for one in checks.offers(session) if one[1].case_id == str(case_id)]
        with pytest.raises(NothingLeft):
            checks.answer_offer(purpose, offer, True, "els", session)


def test_secrecy_and_a_move_within_are_stated_and_the_case_stands(bench: Bench) -> None:
    who = someone(bench.world)
    bsn = bench.plant(who)
    case_id = bench.checked(who)
    bench.event(residency.RESTRICTED, bsn, geheimhoudingPersoonsgegevens=True)
    bench.event(residency.MOVED_WITHIN, bsn)
    wait_for(lambda: len(bench.facts(case_id)) == 4, 60, "both facts")
    stated = dict(bench.facts(case_id))
    assert stated["secrecy"]["on"] is True and stated["moved_away"]["way"] == "within"
    assert bench.world.case(case_id)["stands"]


def test_the_national_delivery_has_the_number_of_whom_is_surely_meant_and_the_door_of_all_others(
    bench: Bench, tmp_path: Path
) -> None:
    sure, chosen, doubted, refused = (someone(bench.world) for _ in range(4))
    numbers = {
        "sure": bench.plant(sure),
        "chosen": bench.plant(chosen, house_number=chosen["house_number"] + 1),
        "doubted": bench.plant(doubted, house_number=doubted["house_number"] + 1),
        "refused": bench.plant(refused, house_number=refused["house_number"] + 1),
    }
    bench.checked(sure)
    bench.checked(doubted)
    bench.cli("repair", str(bench.checked(chosen)), "--choice", "register", "--by", "jan")
    bench.cli("repair", str(bench.checked(refused)), "--choice", "partner", "--by", "jan")

    delivering = App(Settings.from_env(bench.world.stack.environment("delivery")))
    try:
        _, delivery = delivering.deliveries.export(
            delivering.bundle(), HERE, today() - timedelta(days=1), today(), tmp_path / "levering.json"
        )
    finally:
        delivering.store.close()

    clients = [one["client"] for one in delivery.document["leveringen"][0]["vroegsignalen"]]
    assert all(set(one) == {"burgerservicenummer"} or "burgerservicenummer" not in one for one in clients)
    delivered = {one["burgerservicenummer"] for one in clients if "burgerservicenummer" in one}
    assert {name for name, number in numbers.items() if number in delivered} == {"sure", "chosen"}
    doors = {(one["postcode"], one["huisnummer"]) for one in clients if "postcode" in one}
    for who, by_door in ((sure, False), (chosen, False), (doubted, True), (refused, True)):
        assert ((who["postcode"], str(who["house_number"])) in doors) is by_door


def test_a_partner_hears_its_rate_once_a_month_is_over_and_nothing_of_a_month_with_few(bench: Bench) -> None:
    waiting = [bench.report(someone(bench.world)) for _ in range(receipts.FEWEST)]
    bench.ask(*waiting)
    bench.own(
        "UPDATE vault.residency SET answered_at = now() - interval '40 days' WHERE case_id = ANY(%s)", waiting
    )
    few = bench.checked(someone(bench.world))
    bench.own("UPDATE vault.residency SET answered_at = now() - interval '80 days' WHERE case_id = %s", few)
    kind = bench.world.type_of("schuldhulp", amount=True)
    partner = bench.world.partner_of(kind, HERE)
    clock = App(Settings.from_env(bench.world.stack.environment("dags")))
    try:
        assert clock.inquiries.tell_rates() == 1 and clock.inquiries.tell_rates() == 0
    finally:
        clock.store.close()
    bench.world.drain()
    (told,) = [one for one in bench.world.receipts_topic(partner) if one["type"] == receipts.RATE]
    (row,) = [
        one for one in bench.cli("rates", "--partner", partner) if one["month"] == told["data"]["maand"]
    ]
    assert told["data"] == {
        "doel": "schuldhulp",
        "maand": row["month"],
        "bevraagd": receipts.FEWEST,
        "uniek": 0,
        "afwijkend": 0,
        "nietGevonden": receipts.FEWEST,
        "aandeel": 1.0,
    }


def test_what_the_registers_said_goes_when_its_term_is_over_and_not_before(bench: Bench) -> None:
    ended, recent, standing = (bench.checked(someone(bench.world)) for _ in range(3))
    for case_id in (ended, recent):
        bench.cli("repair", str(case_id), "--choice", "no_resident", "--by", "jan")
    mover = moved(bench, someone(bench.world), ELSEWHERE)
    term = bench.world.bundle.purposes["schuldhulp"].retention_days
    long_ago = "now() - make_interval(days => %s)"
    bench.own(
        f"UPDATE casework.case SET decided_at = {long_ago} WHERE case_id = %s", term["residency"] + 1, ended
    )
    bench.own(
        f"UPDATE casework.case SET decided_at = {long_ago} WHERE case_id = %s", term["residency"] - 1, recent
    )
    bench.own(f"UPDATE casework.case SET decided_at = {long_ago} WHERE case_id = %s", 4_000, standing)
    bench.own(
        f"UPDATE vault.transfer SET offered_at = {long_ago} WHERE case_id = %s", term["transfer"] + 1, mover
    )
    clock = App(Settings.from_env(bench.world.stack.environment("dags")))
    try:
        assert clock.inquiries.expire() == 2 and clock.inquiries.expire() == 0
    finally:
        clock.store.close()
    assert [len(bench.rows_of(case_id)) for case_id in (ended, recent, standing, mover)] == [0, 1, 1, 1]
    assert bench.world.rows("SELECT 1 FROM vault.transfer WHERE case_id = %s", (mover,)) == []


def test_no_number_stands_anywhere_outside_the_vault_and_there_only_sealed(bench: Bench) -> None:
    """Every table that holds anything after the tests above, every topic of ours, and every log of the stack."""
    numbers = [one["burgerservicenummer"] for one in bench.people]
    assert numbers
    stack = bench.world.stack
    password = stack.settings.passwords.get("database:postgres")
    url = f"postgresql://postgres:{password}@127.0.0.1:{stack.ports.database}/bereik"
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN"
            " ('ops', 'intake', 'vault', 'casework', 'bridge', 'audit')"
        ).fetchall()
        for schema, table in tables:
            found = connection.execute(
                f"SELECT count(*) FROM {schema}.{table} t WHERE t::text ~ %s", ("|".join(numbers),)
            ).fetchone()
            assert found == (0,), f"{schema}.{table}"
    for log in (stack.home / "log").rglob("*"):
        if log.is_file():
            text = log.read_text("utf-8", "replace")
            assert not any(number in text for number in numbers), log.name
    for message in messages(bench.world):
        assert not any(number.encode() in message for number in numbers)


def messages(world: World) -> list[bytes]:
    """Everything on the topics of our own, as the broker's super user."""
    names = [
        name
        for name in world.bundle.topic_names()
        if name.split(".")[0] in ("signals", "cases", "alerts", "receipts")
    ]
    consumer = KafkaConsumer(**world.stack.settings.kafka_admin.settings(), enable_auto_commit=False)
    try:
        places = [
            TopicPartition(name, part) for name in names for part in consumer.partitions_for_topic(name) or ()
        ]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        found: list[bytes] = []
        while any(consumer.position(place) < end for place, end in ends.items()):
            for records in consumer.poll(timeout_ms=500, max_records=5_000).values():
                found += [record.value for record in records]
        return found
    finally:
        consumer.close()
