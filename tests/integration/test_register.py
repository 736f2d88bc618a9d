"""A register on a real database: one at a time, in any order, with what people decide, and back again."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bereik.bench.register import Trial, trial
from bereik.bundle import Bundle
from bereik.linkage import Identity, Outcome
from bereik.ports import RecordRow, Register
from bereik.verdicts import DecidedBefore, Relinked, SameSignal, UnknownAct, UnknownSignal

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
_NUMBER = itertools.count(1)
Record = tuple[str, datetime, Identity]


@pytest.fixture(scope="module")
def one_trial() -> Iterator[Trial]:
    """A database for this file."""
    with trial(Bundle.compile(Path(__file__).parents[2] / "schemas")) as made:
        yield made


class Place:
    """A register of its own within the trial."""

    def __init__(self, made: Trial) -> None:
        self.trial = made
        self.register: Register = made.register(f"t{next(_NUMBER)}")

    def take(self, records: Sequence[Record]) -> list[RecordRow]:
        rows = self.trial.prepare(records, self.register)
        self.trial.identify(rows)
        return rows

    def rows(self, sql: str) -> list[Any]:
        with self.trial.store.transaction() as tx, tx.role(f"vault_{self.trial.purpose}"):
            return tx.rows(sql, (self.register.register_id,))

    def persons(self) -> dict[str, str]:
        return dict(self.rows("SELECT signal_id, person_id FROM vault.record WHERE register_id = %s"))

    def clusters(self) -> set[frozenset[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for signal_id, person in self.persons().items():
            found[person].add(signal_id)
        return {frozenset(members) for members in found.values()}

    def decide(self, todo: str, *arguments: Any) -> str:
        act = str(uuid4())
        with self.trial.desk(self.register) as desk:
            getattr(desk, todo)(*arguments, "somebody", act)
        return act

    def undo(self, act: str) -> None:
        with self.trial.desk(self.register) as desk:
            desk.take_back(act, "somebody")

    def relink(self, protected: frozenset[str] = frozenset()) -> Relinked:
        with self.trial.desk(self.register) as desk:
            return desk.relink(protected, "somebody", str(uuid4()))

    def sound(self) -> None:
        """What is always true of a register."""
        lost = self.rows(
            "SELECT signal_id FROM vault.record r WHERE register_id = %s AND person_id IS DISTINCT FROM"
            " (SELECT person_id FROM vault.link l WHERE l.signal_id = r.signal_id ORDER BY version DESC LIMIT 1)"
        )
        assert not lost, "a record stands where its last edge says"
        broken = self.rows(
            "SELECT v.one FROM vault.verdict v JOIN vault.record a ON a.signal_id = v.one"
            " JOIN vault.record b ON b.signal_id = v.other"
            " WHERE v.register_id = %s AND v.ended_at IS NULL AND v.same <> (a.person_id = b.person_id)"
        )
        assert not broken, "what a person decided stands"


@pytest.fixture
def place(one_trial: Trial) -> Place:
    return Place(one_trial)


def who(number: int, **changes: str | None) -> Identity:
    """A fictional person; without changes always written the same way."""
    fields: dict[str, str | None] = {
        "surname": f"Testnaam{chr(97 + number % 26)}{chr(97 + number // 26 % 26)}{chr(97 + number // 676)}",
        "initials": "ABCDEFGHJK"[number % 10] + ".",
        "birth_date": f"{1950 + number % 50}-{1 + number % 12:02}-{1 + number % 28:02}",
        "postcode": f"12{34 + number % 5}{chr(65 + number % 26)}{chr(65 + number // 26 % 26)}",
        "house_number": str(1 + number % 90),
        **changes,
    }
    return Identity({name: value for name, value in fields.items() if value is not None})


def record(identity: Identity, minutes: int = 0) -> Record:
    return str(uuid4()), START + timedelta(minutes=minutes), identity


def mixed(chance: Random, people: int, signals: int) -> list[Record]:
    """Signals about few people, written in many ways, so that links, reviews and merges all occur."""
    ways: list[Mapping[str, str | None]] = [
        {}, {"birth_date": None}, {"postcode": "9999ZZ", "house_number": "1"}, {"initials": None}, {"surname": "Testnaam"},
        {"phone": "0699000111"}, {"birth_date": None, "phone": "0699000222"}, {"house_number": None},
    ]  # fmt: skip
    return [record(who(chance.randrange(people), **chance.choice(ways)), minute) for minute in range(signals)]


# ---------------------------------------------------------------- algebra


def test_a_batch_of_n_gives_exactly_what_n_batches_of_one_give(one_trial: Trial) -> None:
    # The last goes in parts, for whose keys PostgreSQL looks while the part before is placed.
    for seed, people, signals in ((0, 12, 60), (1, 12, 60), (2, 12, 60), (3, 90, 800)):
        records = mixed(Random(seed), people, signals)
        whole, single = Place(one_trial), Place(one_trial)
        whole.take(records[: signals // 4])
        whole.take(records[signals // 4 :])
        again = [(str(uuid4()), at, identity) for _, at, identity in records]
        for one in again:
            single.take([one])
        renamed = {new[0]: old[0] for new, old in zip(again, records, strict=True)}
        assert {frozenset(renamed[s] for s in cluster) for cluster in single.clusters()} == whole.clusters()
        outcome = "SELECT outcome, reason, count(*) FROM vault.link WHERE version = 1 AND signal_id IN"
        outcome += " (SELECT signal_id FROM vault.record WHERE register_id = %s) GROUP BY 1, 2 ORDER BY 1, 2"
        assert whole.rows(outcome) == single.rows(outcome)
        whole.sound()
        single.sound()


def test_any_order_of_arrival_ends_after_relink_in_the_same_persons(one_trial: Trial) -> None:
    for seed in range(4):
        chance = Random(seed)
        records = mixed(chance, 10, 50)
        ends = []
        for _ in range(3):
            place = Place(one_trial)
            shuffled = [(str(uuid4()), at, identity) for _, at, identity in records]
            chance.shuffle(shuffled)
            for start in range(0, len(shuffled), 7):
                place.take(shuffled[start : start + 7])
            place.relink()
            place.sound()
            names = {signal_id: at for signal_id, at, _ in shuffled}
            ends.append({frozenset(names[s] for s in cluster) for cluster in place.clusters()})
        assert ends[0] == ends[1] == ends[2]


def test_a_second_relink_changes_nothing(place: Place) -> None:
    place.take(mixed(Random(5), 8, 60))
    place.relink()
    before = place.persons()
    assert place.relink().moved == [] and place.persons() == before


def test_four_consumers_at_once_end_with_the_right_people(one_trial: Trial) -> None:
    """1,000 people in one register, each reported by each of four consumers; they wait for one lock, never in a circle.

    Every batch also has a record for a second register, so that there is an order of locks to keep.
    """
    first, second = Place(one_trial), Place(one_trial)

    def consume(turn: int) -> None:
        chance = Random(turn)
        order = list(range(1_000))
        chance.shuffle(order)
        for start in range(0, 1_000, 50):
            batch: list[RecordRow] = []
            for number in order[start : start + 50]:
                batch += one_trial.prepare([record(who(number), turn)], first.register)
            batch += one_trial.prepare([record(who(order[start]), turn)], second.register)
            if turn % 2:
                batch.reverse()
            one_trial.identify(batch)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(consume, turn) for turn in range(4)]:
            done.result()
    assert len(set(first.persons().values())) == 1_000 and len(first.persons()) == 4_000
    assert len(second.persons()) == 80


class Links(RuleBasedStateMachine):
    """Signals come, people join, part and take back, a register is placed anew; in any order."""

    made: Trial

    @initialize()
    def begin(self) -> None:
        self.place = Place(type(self).made)
        self.signals: list[str] = []
        self.minute = 0

    @rule(number=st.integers(0, 3), way=st.sampled_from(["", "birth", "initials", "moved", "phone"]))
    def signal(self, number: int, way: str) -> None:
        changes: dict[str, dict[str, str | None]] = {
            "": {}, "birth": {"birth_date": None}, "initials": {"initials": None},
            "moved": {"postcode": "9999ZZ", "house_number": "3"}, "phone": {"phone": f"069900000{number}"},
        }  # fmt: skip
        self.minute += 1
        one = record(who(number, **changes[way]), self.minute)
        self.place.take([one])
        self.signals.append(one[0])

    def _two(self, data: st.DataObject) -> tuple[str, str] | None:
        if len(self.signals) < 2:
            return None
        one, other = data.draw(st.permutations(self.signals))[:2]
        return one, other

    @rule(data=st.data())
    def join_and_take_back(self, data: st.DataObject) -> None:
        """Link, then unlink: everything is as it was."""
        if two := self._two(data):
            before = self.place.persons()
            try:
                act = self.place.decide("join", *two)
            except DecidedBefore:
                assert self.place.persons() == before
                return
            assert self.place.persons()[two[0]] == self.place.persons()[two[1]]
            if data.draw(st.booleans()):
                self.place.undo(act)
                assert self.place.persons() == before

    @rule(data=st.data())
    def part_and_take_back(self, data: st.DataObject) -> None:
        """Break, then re-instate: everything is as it was."""
        if two := self._two(data):
            before = self.place.persons()
            try:
                act = self.place.decide("part", *two)
            except DecidedBefore:
                assert self.place.persons() == before
                return
            assert self.place.persons()[two[0]] != self.place.persons()[two[1]]
            if data.draw(st.booleans()):
                self.place.undo(act)
                assert self.place.persons() == before

    @rule()
    def relink(self) -> None:
        self.place.relink()

    @rule()
    def relink_with_every_case_open(self) -> None:
        """What touches an open case is asked, not done."""
        before = self.place.persons()
        assert self.place.relink(frozenset(self.signals)).moved == []
        assert self.place.persons() == before

    @invariant()
    def what_is_always_true(self) -> None:
        if hasattr(self, "place"):
            self.place.sound()


def test_links_under_any_course_of_events(one_trial: Trial) -> None:
    Links.made = one_trial
    run_state_machine_as_test(
        Links,
        settings=settings(
            max_examples=25, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


# ---------------------------------------------------------------- people decide


def test_after_a_break_the_next_report_goes_to_the_right_one_of_the_two(place: Place) -> None:
    """Father and son were taken for one; whatever comes later and is written as before goes to its own."""
    father, son = who(1, birth_date=None), who(1, birth_date=None, initials="A.B.")
    rows = place.take([record(father), record(son, 1), record(father, 2)])
    persons = place.persons()
    if len(set(persons.values())) == 1:
        place.decide("part", rows[0].signal_id, rows[1].signal_id)
    (later,) = place.take([record(son, 3)])
    persons = place.persons()
    assert persons[later.signal_id] == persons[rows[1].signal_id] != persons[rows[0].signal_id]
    assert persons[rows[2].signal_id] == persons[rows[0].signal_id]


def test_what_somebody_said_is_one_stays_together_when_a_third_is_parted(place: Place) -> None:
    first, second, third = place.take([record(who(1), minute) for minute in range(3)])
    place.decide("join", first.signal_id, second.signal_id)
    place.decide("part", first.signal_id, third.signal_id)
    now = place.persons()
    assert now[first.signal_id] == now[second.signal_id] != now[third.signal_id]


def test_a_person_keeps_the_id_of_its_oldest_signal(place: Place) -> None:
    old, new = place.take([record(who(1)), record(who(2), 1)])
    before = place.persons()
    place.decide("join", new.signal_id, old.signal_id)
    assert set(place.persons().values()) == {before[old.signal_id]}


def test_who_it_was_about_on_a_past_day_can_be_asked(place: Place) -> None:
    one, other = place.take([record(who(1)), record(who(2), 1)])
    with place.trial.linking() as tables:
        moment = datetime.now(UTC)
        act = place.decide("join", one.signal_id, other.signal_id)
        now = tables.person_at(one.signal_id, datetime.now(UTC) + timedelta(minutes=1))
        then = tables.person_at(one.signal_id, moment)
        assert now is not None and set(now[1]) == {one.signal_id, other.signal_id}
        assert then is not None and then[1] == [one.signal_id]
        edges = tables.history(other.signal_id)
    assert [edge.reason for edge in edges] == ["unseen", "joined"] and edges[1].act_id == act
    assert edges[1].decided_by == "somebody"


def test_wrong_acts_are_refused_in_words(place: Place, one_trial: Trial) -> None:
    one, other = place.take([record(who(1)), record(who(2), 1)])
    (foreign,) = Place(one_trial).take([record(who(1))])
    with pytest.raises(SameSignal):
        place.decide("join", one.signal_id, one.signal_id)
    for stranger in (str(uuid4()), foreign.signal_id):
        with pytest.raises(UnknownSignal):
            place.decide("join", one.signal_id, stranger)
    with pytest.raises(UnknownAct):
        place.undo(str(uuid4()))
    act = place.decide("part", one.signal_id, other.signal_id)
    with pytest.raises(DecidedBefore):
        place.decide("join", one.signal_id, other.signal_id)
    place.undo(act)
    with pytest.raises(UnknownAct):
        place.undo(act)
    place.decide("join", one.signal_id, other.signal_id)


# ---------------------------------------------------------------- households, generic values, what is stored


def test_who_lives_together_is_not_one_person(place: Place) -> None:
    home = {"postcode": "1234AB", "house_number": "7", "phone": "0699000333"}
    rows = place.take([record(who(number, **home), number) for number in range(4)])
    assert len(set(place.persons().values())) == 4
    assert len({row.household_id for row in rows}) == 1


def test_a_door_without_its_addition_is_the_one_where_the_person_is_known(place: Place) -> None:
    """The household only: a stranger at that number, and somebody known at two doors, stay with what was written."""
    flat = {"postcode": "1234AB", "house_number": "7"}
    home, bare, stranger = place.take(
        [
            record(who(1, **flat, house_number_addition="2")),
            record(who(1, **flat), 1),
            record(who(5, **flat), 2),
        ]
    )
    assert bare.household_id == home.household_id != stranger.household_id
    other, again = place.take(
        [record(who(1, **flat, house_number_addition="3"), 3), record(who(1, **flat), 4)]
    )
    assert len(set(place.persons().values())) == 2
    assert again.household_id == stranger.household_id and other.household_id != home.household_id


def test_a_door_that_becomes_known_later_is_given_to_earlier_signals_by_relink(place: Place) -> None:
    """Also when the same records came in another order; not while a case of theirs is open."""
    flat = {"postcode": "1234AB", "house_number": "7"}
    bare, home = place.take(
        [record(who(1, **flat)), record(who(1, **flat, house_number_addition="2"), 1)],
    )
    households = "SELECT signal_id, household_id FROM vault.record WHERE register_id = %s"
    assert bare.household_id != home.household_id
    assert place.relink(frozenset({bare.signal_id})).moved == []
    (moved,) = place.relink().moved
    assert (moved.signal_id, moved.household_id, moved.version) == (bare.signal_id, home.household_id, 2)
    assert set(dict(place.rows(households)).values()) == {home.household_id}
    assert place.relink().moved == []
    place.sound()


def test_a_mover_stays_the_same_person_in_another_household(place: Place) -> None:
    before, after = place.take(
        [record(who(1)), record(who(1, postcode="4321BA", house_number="3", phone="0699000444"), 1)]
    )
    assert len(set(place.persons().values())) == 1
    assert before.household_id != after.household_id


def test_a_shelter_is_marked_and_its_people_stay_apart(place: Place) -> None:
    """From the fifth unrelated person on, and also for those who were there before."""
    home = {"postcode": "1234AB", "house_number": "7"}
    early = place.take([record(who(number, **home), number) for number in range(4)])
    assert not any(row.crowded for row in early)
    rows = place.trial.prepare([record(who(4, **home), 4)], place.register)
    told = place.trial.identify(rows)
    assert rows[0].crowded
    assert {one.signal_id for one in told} == {row.signal_id for row in early}
    assert all(one.crowded and one.version == 2 for one in told)
    many = place.take([record(who(number, **home), number) for number in range(5, 65)])
    assert all(row.crowded for row in many)
    assert len(set(place.persons().values())) == 65


def test_a_telephone_that_everybody_has_tells_nobody_from_anybody(place: Place) -> None:
    switchboard = "0699999999"
    place.take([record(who(number, phone=switchboard), number) for number in range(60)])
    assert len(set(place.persons().values())) == 60
    (one,) = place.take([record(Identity({"surname": "Onbekend", "phone": switchboard}), 100)])
    assert one.outcome == Outcome.NEW


def test_poor_input_is_new_or_asked_and_never_a_guess(place: Place) -> None:
    home = {"surname": "Testhuis", "postcode": "1234AB", "house_number": "7"}
    family = [
        record(
            Identity(
                {
                    **home,
                    "initials": "ABCDEFGHJK"[n % 10] + ".",
                    "birth_date": f"{1950 + n}-{1 + n % 12:02}-{1 + n % 28:02}",
                }
            ),
            n,
        )
        for n in range(60)
    ]
    place.take(family)
    assert len(set(place.persons().values())) == 60, "a household of 60 is 60 people"
    poor = [
        {"phone": "0699000777"},
        {"surname": "Testhuis"},
        {"surname": "x" * 300, "birth_date": "2199-01-01"},
        {"initials": "A.", "postcode": "1234AB", "house_number": "7"},
    ]
    rows = place.take([record(Identity(fields), 100 + n) for n, fields in enumerate(poor)])
    assert all(row.outcome in (Outcome.NEW, Outcome.REVIEW) and row.reason for row in rows)
    assert len(set(place.persons().values())) == 64


def test_nothing_of_a_person_is_readable_in_the_database(place: Place) -> None:
    place.take([record(who(1, phone="0699000555", email="geheim@post.example"))])
    text = str(place.rows("SELECT r::text FROM vault.record r WHERE register_id = %s"))
    text += str(place.rows("SELECT k::text FROM vault.key k WHERE register_id = %s"))
    for value in ("Testnaam", "testnaam", "0699000555", "geheim", "1234"):
        assert value not in text and value.encode().hex() not in text


def test_two_registers_share_no_hash(one_trial: Trial) -> None:
    one, other = Place(one_trial), Place(one_trial)
    for place in (one, other):
        place.take([record(who(1))])
    keys = [
        {key for (key,) in place.rows("SELECT key FROM vault.key WHERE register_id = %s")}
        for place in (one, other)
    ]
    assert keys[0] and keys[0].isdisjoint(keys[1])
    assert not set(one.persons().values()) & set(other.persons().values())


def test_several_processes_take_every_batch_once(one_trial: Trial) -> None:
    batches = [[record(who(number)) for number in range(start, start + 10)] for start in range(0, 60, 10)]
    with one_trial.crew(2) as crew:
        assert list(crew(batches)) == [10] * 6
    standing = one_trial.standing()
    assert {signal_id for batch in batches for signal_id, _, _ in batch} <= standing.keys()


# ---------------------------------------------------------------- the connection


def test_a_connection_that_ended_while_it_rested_is_made_anew(
    one_trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pids() -> set[int]:
        with one_trial.store.transaction() as one, one_trial.store.transaction() as other:
            return {tx.rows("SELECT pg_backend_pid()")[0][0] for tx in (one, other)}

    before = pids()
    with one_trial.store.transaction() as tx:
        tx.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s::int[]) AS pid WHERE pid <> pg_backend_pid()",
            (list(before),),
        )
    monkeypatch.setattr("bereik.store._RESTED_S", -1.0)
    assert len(pids() - before) >= 1


def test_after_a_role_a_transaction_has_the_rights_of_its_login_again(one_trial: Trial) -> None:
    with one_trial.store.transaction() as tx:
        ((login,),) = tx.rows("SELECT current_user::text")
        role = f"vault_{one_trial.purpose}"
        for _ in range(2):
            with tx.role(role):
                assert tx.rows("SELECT current_user::text") == [(role,)]
        assert tx.rows("SELECT current_user::text") == [(login,)]
        with tx.role(role):
            pass
        with tx.savepoint():
            assert tx.rows("SELECT current_user::text") == [(login,)]
        with tx.role(role):
            pass
        assert list(tx.each("SELECT current_user::text", ((), ()))) == [[(login,)], [(login,)]]
