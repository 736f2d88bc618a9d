"""From a partner's event to a team's alert on the real broker and database, and everything that can be wrong with one."""

from __future__ import annotations

import json
import re
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import kafka.codec
import kafka.errors
import kafka.record.default_records as batches
import psycopg
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from support import (
    CANARY,
    REPOSITORY,
    World,
    as_worker,
    data_for,
    event,
    house,
    person,
    today,
    wait_for,
)

from bereik import casework, contact, signal
from bereik.bus import CONTENT_TYPE, Admin, NotSent, Producer
from bereik.declared.signals import SignalType
from bereik.keys import Box
from bereik.lifecycle import IllegalMove
from bereik.outreach import UnknownCase
from bereik.provision import provision
from bereik.store.session import Session

pytestmark = pytest.mark.stack

HERE = "9901"


@pytest.fixture(scope="module")
def debt(world: World) -> SignalType:
    """A type with an amount."""
    return world.type_of("schuldhulp", amount=True, crisis=False)


@pytest.fixture
def partner(world: World, debt: SignalType) -> str:
    """A partner that may send it."""
    return world.partner_of(debt, HERE)


def sound(
    world: World, kind: SignalType, partner: str, event_id: str | None = None, **changes: Any
) -> dict[str, Any]:
    """A sound event about somebody new."""
    who = {**person(), **house(world.bundle, HERE)}
    return event(
        world.bundle.partners[partner].source, kind.event_type, data_for(kind, who, **changes), event_id
    )


# ---------------------------------------------------------------- what goes well


def test_a_signal_of_each_purpose_becomes_an_alert_for_its_own_team(world: World) -> None:
    sent = {}
    for purpose in world.bundle.purposes:
        kind = next(one for one in world.bundle.signal_types.values() if one.purpose == purpose)
        partner = world.partner_of(kind, HERE)
        sent[purpose] = (partner, world.report(kind, HERE, {**person(), **house(world.bundle, HERE)}))
    world.drain()
    for purpose, (partner, event_id) in sent.items():
        assert world.fate(partner, event_id) == ("accepted", "allowed", [])
        ((found, case_id),) = world.cases_of(partner, event_id)
        case = world.case(case_id)
        team = world.bundle.team(case["team"])
        assert found == purpose and team is not None and team.purpose == purpose
        assert case["stands"] and case["kind"] == "single"
        assert world.alerts(case_id) == ["new_case"]


def test_two_partners_about_one_address_are_one_case_and_its_team_hears_of_it_once_each(world: World) -> None:
    home = house(world.bundle, HERE)
    first = world.type_of("schuldhulp", amount=True, crisis=False)
    second = world.type_of("schuldhulp", amount=True, crisis=True)
    one = world.report(first, HERE, {**person(), **home})
    world.drain()
    two = world.report(second, HERE, {**person(), **home})
    world.drain()
    ((_, case_id),) = world.cases_of(world.partner_of(first, HERE), one)
    assert world.cases_of(world.partner_of(second, HERE), two) == [("schuldhulp", case_id)]
    assert world.case(case_id)["kind"] == "multiple" and world.case(case_id)["signals"] == 2
    assert world.alerts(case_id) == ["new_case", "now_multiple"]


def test_absence_goes_to_where_the_pupil_lives_and_not_to_where_the_school_is(world: World) -> None:
    absence = next(one for one in world.bundle.signal_types.values() if "brin" in one.fact_fields)
    school = {"brin": "00AP00"}
    sent = {
        code: world.report(absence, code, {**person(), **house(world.bundle, code)}, **school)
        for code in world.bundle.municipalities
    }
    world.drain()
    partner = world.partner_of(absence, HERE)
    for code, event_id in sent.items():
        ((_, case_id),) = world.cases_of(partner, event_id)
        case = world.case(case_id)
        team = world.bundle.team(case["team"])
        assert team is not None and (case["municipality"], team.municipality) == (code, code)
    # Not even when the message names the municipality of the school.
    there = next(code for code in world.bundle.municipalities if code != HERE)
    assert absence.municipality_field is not None
    who = {**person(), **house(world.bundle, HERE)}
    claimed = world.report(absence, HERE, who, **school, **{absence.municipality_field: there})
    assert world.fate(partner, claimed)[::2] == ("refused", ["municipality_disagrees"])


def test_upstairs_and_downstairs_are_two_cases(world: World, debt: SignalType, partner: str) -> None:
    home = house(world.bundle, HERE)
    sent = [
        world.report(debt, HERE, {**person(), **home, "house_number_addition": floor}) for floor in ("1", "2")
    ]
    world.drain()
    assert len({world.cases_of(partner, one)[0] for one in sent}) == 2


def test_a_crisis_goes_to_the_crisis_team_at_once(world: World) -> None:
    kind = world.type_of("schuldhulp", amount=True, crisis=True)
    sent = world.report(
        kind,
        HERE,
        {**person(), **house(world.bundle, HERE)},
        **{kind.crisis_field or "": True, kind.amount_field or "": 1},
    )
    world.drain()
    ((_, case_id),) = world.cases_of(world.partner_of(kind, HERE), sent)
    assert world.alerts(case_id) == ["crisis"]
    assert world.case(case_id)["crisis"] and "crisis" in world.case(case_id)["team"]


def test_binary_mode(world: World, debt: SignalType, partner: str) -> None:
    made = sound(world, debt, partner)
    data = made.pop("data")
    media = made.pop("datacontenttype")
    headers = [("content-type", media.encode())] + [(f"ce_{k}", str(v).encode()) for k, v in made.items()]
    world.send(partner, data, headers=headers)
    assert world.fate(partner, made["id"]) == ("accepted", "allowed", [])


def test_the_same_event_again_is_a_duplicate_whatever_its_time_or_key(
    world: World, debt: SignalType, partner: str
) -> None:
    made = sound(world, debt, partner)
    world.send(partner, made, made)
    world.send(partner, {**made, "time": datetime.now(UTC).isoformat()}, key="9902")
    sql = (
        "SELECT fate, count(*) FROM intake.receipt WHERE partner = %s AND event_id = %s GROUP BY 1 ORDER BY 1"
    )
    wait_for(
        lambda: sum(row[1] for row in world.rows(sql, (partner, made["id"]))) == 3, what="three receipts"
    )
    assert world.rows(sql, (partner, made["id"])) == [("accepted", 1), ("duplicate", 2)]
    world.drain()
    ((_, case_id),) = world.cases_of(partner, made["id"])
    assert world.case(case_id)["signals"] == 1 and world.alerts(case_id) == ["new_case"]


def test_the_same_id_with_other_content_is_refused_and_changes_nothing(
    world: World, debt: SignalType, partner: str
) -> None:
    made = sound(world, debt, partner)
    other = sound(world, debt, partner, made["id"])
    world.send(partner, made, other)
    world.drain()
    assert world.fate(partner, made["id"]) == ("refused", "allowed", ["id_reuse"])
    ((_, case_id),) = world.cases_of(partner, made["id"])
    assert world.case(case_id)["signals"] == 1


def test_two_partners_may_use_the_same_id(world: World) -> None:
    kinds = [world.type_of("schuldhulp", amount=True, crisis=has) for has in (False, True)]
    same = f"same-{uuid4().hex}"
    for kind in kinds:
        world.report(kind, HERE, {**person(), **house(world.bundle, HERE)}, same)
    for kind in kinds:
        assert world.fate(world.partner_of(kind, HERE), same)[0] == "accepted"


def test_after_a_refusal_the_same_id_may_come_again_mended(
    world: World, debt: SignalType, partner: str
) -> None:
    wrong = sound(world, debt, partner)
    right = {**wrong, "data": dict(wrong["data"])}
    wrong["data"][debt.amount_field] = "veel"
    world.send(partner, wrong)
    assert world.fate(partner, wrong["id"])[0] == "refused"
    world.send(partner, right)
    sql = "SELECT count(*) FROM intake.receipt WHERE partner = %s AND event_id = %s AND fate = 'accepted'"
    wait_for(lambda: world.rows(sql, (partner, wrong["id"]))[0][0] == 1, what="the mended event")


# ---------------------------------------------------------------- withdrawals


@pytest.mark.parametrize(
    ("because", "result"),
    [
        ("paid", "Inwoner heeft zelf al betaald/betalingsregeling getroffen"),
        ("plan_agreed", "Inwoner heeft zelf al betaald/betalingsregeling getroffen"),
        ("wrong_person", "Niet opgepakt: andere reden"),
        (None, "Ingetrokken"),
    ],
)
def test_a_withdrawal_empties_the_case_and_tells_the_team_why(
    world: World, debt: SignalType, partner: str, because: str | None, result: str
) -> None:
    assert debt.withdrawal_contract is not None and debt.withdrawal_reason_field is not None
    words = debt.withdrawal_contract.schema["properties"][debt.withdrawal_reason_field]["enum"]
    reason = {debt.withdrawal_reason_field: next(w for w in words if debt.because.get(w) == because)}
    why = because or "withdrawn"
    sent = world.report(debt, HERE, {**person(), **house(world.bundle, HERE)})
    world.drain()
    ((purpose, case_id),) = world.cases_of(partner, sent)
    world.state(purpose, case_id, "taken_up")
    back = world.withdrawal(debt, partner, sent, **reason)
    world.send(partner, back, key=HERE)
    world.drain()
    assert world.fate(partner, back["id"]) == ("accepted", "allowed", [])
    case = world.case(case_id)
    assert case["signals"] == 0 and not case["stands"]
    stored = world.rows(
        "SELECT status, result, decision -> 'reasons' FROM casework.case WHERE case_id = %s", (case_id,)
    )
    assert stored == [("Ingetrokken", result, [{"code": why}])]
    assert world.alerts(case_id) == ["new_case", why]
    with pytest.raises(IllegalMove, match="The case is “Ingetrokken”"):
        world.state(purpose, case_id, "taken_up")
    again = world.withdrawal(debt, partner, sent, **reason)
    world.send(partner, again, key=HERE)
    world.drain()
    assert world.fate(partner, again["id"]) == ("duplicate", "allowed", ["already_withdrawn"])
    assert world.alerts(case_id) == ["new_case", why]


def test_one_batch_with_a_signal_and_its_withdrawal_leaves_nobody_waiting(
    world: World, debt: SignalType, partner: str
) -> None:
    made = sound(world, debt, partner)
    world.send(partner, made, world.withdrawal(debt, partner, made["id"]))
    world.drain()
    cases = world.cases_of(partner, made["id"])
    assert all(not world.case(case_id)["stands"] for _, case_id in cases if case_id is not None)
    assert world.violations() == {}


def test_a_withdrawal_before_its_signal_is_refused_and_may_come_again(
    world: World, debt: SignalType, partner: str
) -> None:
    made = sound(world, debt, partner)
    back = world.withdrawal(debt, partner, made["id"])
    world.send(partner, back, made, back)
    world.drain()
    fates = world.rows(
        "SELECT fate, reasons -> 0 ->> 'code' FROM intake.receipt WHERE partner = %s AND event_id = %s ORDER BY \"offset\"",
        (partner, back["id"]),
    )
    assert fates == [("refused", "original_unknown"), ("accepted", None)]


def test_nobody_withdraws_the_signal_of_another_partner(world: World) -> None:
    mine, theirs = (world.type_of("schuldhulp", amount=True, crisis=has) for has in (False, True))
    sent = world.report(mine, HERE, {**person(), **house(world.bundle, HERE)})
    world.drain()
    other = world.partner_of(theirs, HERE)
    back = world.withdrawal(theirs, other, sent)
    world.send(other, back)
    assert world.fate(other, back["id"])[::2] == ("refused", ["original_unknown"])
    world.drain()
    ((_, case_id),) = world.cases_of(world.partner_of(mine, HERE), sent)
    assert world.case(case_id)["stands"]


# ---------------------------------------------------------------- corrections


def test_a_correction_reaches_the_case_and_its_team_and_keeps_the_term(
    world: World, debt: SignalType, partner: str
) -> None:
    assert debt.amount_field and debt.since_field
    sent = world.report(debt, HERE, {**person(), **house(world.bundle, HERE)})
    world.drain()
    ((_, case_id),) = world.cases_of(partner, sent)
    columns = "SELECT received_at, offer_by FROM casework.case WHERE case_id = %s"
    before = world.rows(columns, (case_id,))
    since = (today() - timedelta(days=40)).isoformat()
    first = world.correction(debt, partner, sent, **{debt.amount_field: 777})
    world.send(partner, first, first, key=HERE)
    world.drain()
    world.send(partner, world.correction(debt, partner, sent, **{debt.since_field: since}), key=HERE)
    world.drain()
    # One after the other: the second keeps what the first mended; the same again is a duplicate and changes nothing.
    assert world.fate(partner, first["id"])[0] in ("accepted", "duplicate")
    sql = "SELECT facts, version, status FROM casework.signal WHERE case_id = %s"
    ((facts, version, status),) = world.rows(sql, (case_id,))
    assert (facts[debt.amount_field], facts[debt.since_field]) == (777, since)
    assert (version, status) == (3, "active")
    assert world.rows(columns, (case_id,)) == before
    assert world.alerts(case_id) == ["new_case", "corrected", "corrected"]
    assert world.case(case_id)["stands"]
    assert world.violations() == {}


def test_a_school_corrects_size_and_days_of_an_absence_and_nothing_else_of_it(world: World) -> None:
    kind = next(one for one in world.bundle.signal_types.values() if one.purpose == "leerplicht")
    school = world.partner_of(kind, HERE)
    sent = world.report(kind, HERE, {**person(), **house(world.bundle, HERE)})
    world.drain()
    ((_, case_id),) = world.cases_of(school, sent)
    began, ended = ((today() - timedelta(days=days)).isoformat() for days in (9, 2))
    mended = world.correction(kind, school, sent, begindatum=began, einddatum=ended, omvang=21)
    other = [
        world.correction(kind, school, sent, **{field: value})
        for field, value in (("brin", "00AP00"), ("verzuimsoort", "L"), (kind.identity["birth_date"], began))
    ]
    world.send(school, mended, *other, key=HERE)
    world.drain()
    ((facts,),) = world.rows("SELECT facts FROM casework.signal WHERE case_id = %s", (case_id,))
    assert (facts["begindatum"], facts["einddatum"], facts["omvang"]) == (began, ended, 21)
    assert world.alerts(case_id) == ["new_case", "corrected"]
    assert {world.fate(school, one["id"])[0] for one in other} == {"refused"}
    assert world.violations() == {}


def test_it_was_somebody_else_takes_the_signal_back(world: World, debt: SignalType, partner: str) -> None:
    word = next(word for word, ours in debt.because.items() if ours == "wrong_person")
    sent = world.report(debt, HERE, {**person(), **house(world.bundle, HERE)})
    world.drain()
    ((_, case_id),) = world.cases_of(partner, sent)
    mended = world.correction(debt, partner, sent, **{debt.correction_reason_field or "": word})
    world.send(partner, mended, key=HERE)
    world.drain()
    assert world.fate(partner, mended["id"]) == ("accepted", "allowed", [])
    assert (world.case(case_id)["stands"], world.alerts(case_id)) == (False, ["new_case", "wrong_person"])


def test_a_correction_that_can_change_nothing_is_refused_with_the_reason(
    world: World, debt: SignalType, partner: str
) -> None:
    amount = {debt.amount_field or "": 900}
    made = sound(world, debt, partner)
    early = world.correction(debt, partner, made["id"], **amount)
    empty = world.correction(debt, partner, made["id"])
    stranger = world.correction(debt, partner, made["id"], **{debt.identity["surname"]: CANARY})
    world.send(partner, early, made, early, empty, stranger, key=HERE)
    world.drain()
    fates = world.rows(
        "SELECT fate, reasons -> 0 ->> 'code' FROM intake.receipt WHERE partner = %s AND event_id = %s ORDER BY \"offset\"",
        (partner, early["id"]),
    )
    assert fates == [("refused", "original_unknown"), ("accepted", None)]
    assert world.fate(partner, empty["id"])[::2] == ("refused", ["nothing_corrected"])
    assert world.fate(partner, stranger["id"])[0] == "refused"
    world.send(partner, world.withdrawal(debt, partner, made["id"]), key=HERE)
    late = world.correction(debt, partner, made["id"], **amount)
    world.send(partner, late, key=HERE)
    world.drain()
    assert world.fate(partner, late["id"])[::2] == ("refused", ["original_withdrawn"])
    assert world.violations() == {}


def test_what_a_partner_takes_back_reaches_case_plan_and_board_at_once(
    world: World, debt: SignalType, partner: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A worker is at work on it: what waits for them is gone and they see why. How long it took is printed, not judged."""
    sent = world.report(debt, HERE, {**person(), **house(world.bundle, HERE)})
    world.drain()
    ((purpose, case_id),) = world.cases_of(partner, sent)
    world.state(purpose, case_id, "taken_up")
    team = world.case(case_id)["team"]
    word = next(word for word, ours in debt.because.items() if ours == "paid")

    def planned() -> int:
        """How many steps of the plan the team still has to take in this case."""
        with world.app.store.transaction() as tx, Session(tx, "operator", 0).casework(purpose) as tables:
            row = tables.case(str(case_id))
            assert row is not None
            known = casework.Casework(world.bundle, 0, world.app.keyring).known(purpose, [row], tables)
        rules = world.bundle.municipalities[HERE].policies[purpose].contact
        assert rules is not None
        return sum(contact.view(one, rules, today()).progress.next is not None for one in known)

    assert planned() == 1
    with as_worker(world, team) as ask:
        back = world.withdrawal(debt, partner, sent, **{debt.withdrawal_reason_field or "": word})
        began, took = time.monotonic(), dict[str, float]()
        world.send(partner, back, key=HERE)
        wait_for(lambda: not world.case(case_id)["stands"], 60, "the case ends")
        took["case"] = time.monotonic() - began
        wait_for(lambda: planned() == 0, 60, "the plan stops")
        took["plan"] = time.monotonic() - began
        sql = "SELECT reason FROM casework.alert WHERE case_id = %s AND reason = 'paid'"
        wait_for(lambda: ask(sql, (case_id,)), 60, "the worker sees why")
        took["board"] = time.monotonic() - began
    with capsys.disabled():
        print(
            "\n  taken back: " + ", ".join(f"{name} after {seconds:.2f} s" for name, seconds in took.items())
        )


# ---------------------------------------------------------------- what people state


def test_a_closed_case_is_opened_by_a_later_signal_and_its_team_is_told(world: World) -> None:
    kinds = [world.type_of("schuldhulp", amount=True, crisis=has) for has in (False, True)]
    home = house(world.bundle, HERE)
    sent = world.report(kinds[0], HERE, {**person(), **home})
    world.drain()
    ((purpose, case_id),) = world.cases_of(world.partner_of(kinds[0], HERE), sent)
    world.state(purpose, case_id, "taken_up")
    result = next(word.id for word in world.bundle.purposes[purpose].results if word.when is None)
    world.state(purpose, case_id, "closed", result=result)
    world.drain()
    assert not world.case(case_id)["stands"]
    assert world.alerts(case_id) == ["new_case"], "who closes a case need not be told so"
    world.report(kinds[1], HERE, {**person(), **home}, **{kinds[1].crisis_field or "": True})
    world.drain()
    assert world.case(case_id)["stands"] and world.case(case_id)["signals"] == 2
    assert world.alerts(case_id)[-1] == "crisis"
    assert world.violations() == {}


def test_of_two_workers_who_claim_a_case_at_once_one_has_it_and_the_other_hears_why(
    world: World, debt: SignalType, partner: str
) -> None:
    sent = world.report(debt, HERE, {**person(), **house(world.bundle, HERE)})
    world.drain()
    ((purpose, case_id),) = world.cases_of(partner, sent)

    def claim(worker: str) -> str:
        try:
            return world.app.state_fact(purpose, case_id, "taken_up", {}, worker).status
        except IllegalMove as refusal:
            return str(refusal)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(claim, ["w1", "w2", "w3", "w4"]))
    taken = world.bundle.purposes[purpose].state("taken_up")
    assert taken is not None and sorted(answers).count(taken.id) == 1
    assert all("taken this case up already" in answer for answer in answers if answer != taken.id)
    assert world.rows("SELECT count(*) FROM casework.fact WHERE case_id = %s", (case_id,)) == [(1,)]
    with pytest.raises(IllegalMove, match="lies in the future"):
        world.state(
            purpose, case_id, "attempt", kind="Brief", reached=False, day="2099-01-01", daypart="Avond"
        )


def test_a_fact_about_a_case_of_another_purpose_is_not_taken(
    world: World, debt: SignalType, partner: str
) -> None:
    sent = world.report(debt, HERE, {**person(), **house(world.bundle, HERE)})
    world.drain()
    ((purpose, case_id),) = world.cases_of(partner, sent)
    other = next(one for one in world.bundle.purposes if one != purpose)
    with pytest.raises(UnknownCase):
        world.state(other, case_id, "taken_up")
    assert world.case(case_id)["stands"]


# ---------------------------------------------------------------- law at the door


def test_a_partner_without_a_registered_ground_is_unconfigured_also_when_it_withdraws(world: World) -> None:
    stranger = next(one for one in world.bundle.partners.values() if not one.agreements)
    kind = world.type_of("leerplicht")
    made = event(stranger.source, kind.event_type, data_for(kind, {**person(), **house(world.bundle, HERE)}))
    back = world.withdrawal(kind, stranger.id, made["id"])
    world.send(stranger.id, made, back)
    for one in (made, back):
        fate, gate, reasons = world.fate(stranger.id, one["id"])
        assert (fate, gate) == ("refused", "unconfigured") and reasons == ["no_agreement"]


def test_a_type_that_a_partner_is_not_designated_for_goes_nowhere(world: World) -> None:
    kind = world.type_of("leerplicht")
    partner = world.partner_of(world.type_of("schuldhulp", amount=True, crisis=False), HERE)
    made = sound(world, kind, partner)
    world.send(partner, made)
    assert world.fate(partner, made["id"])[:2] == ("refused", "unconfigured")
    assert world.cases_of(partner, made["id"]) == []


def test_a_municipality_code_that_does_not_fit_the_address_is_refused(
    world: World, debt: SignalType, partner: str
) -> None:
    made = sound(world, debt, partner, **{debt.municipality_field or "": "9902"})
    world.send(partner, made)
    fate, _, reasons = world.fate(partner, made["id"])
    assert fate == "refused" and "municipality_disagrees" in reasons


# ---------------------------------------------------------------- bad input


def deep(levels: int) -> bytes:
    return (
        b'{"specversion":"1.0","id":"' + CANARY.encode() + b'","data":' + b"[" * levels + b"]" * levels + b"}"
    )


def edited(made: dict[str, Any], pattern: bytes, new: bytes) -> bytes:
    """The event's text with one part replaced: what no JSON writer would make."""
    text = json.dumps(made).encode()
    changed = re.sub(pattern, lambda _: new, text, count=1)
    assert changed != text
    return changed


# name → (how it is made, fate, one of its reasons). The data's surname is marked in each.
BAD: dict[str, tuple[Any, str, str]] = {
    "bad UTF-8": (lambda e, k: edited(e, CANARY.encode(), CANARY.encode() + b"\xff\xfe"), "parked", "not_utf8"),
    "10 MB": (lambda e, k: json.dumps({**e, "data": {"x": CANARY * 1_250_000}}).encode(), "parked", "too_large"),
    "nested 10,000 deep": (lambda e, k: deep(10_000), "parked", "too_deep"),
    "NaN": (lambda e, k: edited(e, rb'"data": {', b'"data": {"n": NaN, '), "parked", "not_a_number"),
    "duplicate keys": (lambda e, k: edited(e, rb'"data": {', b'"data": {"n": 1, "n": 2, '), "parked", "duplicate_key"),
    "a NUL as escape": (lambda e, k: edited(e, CANARY.encode(), CANARY.encode() + b"\\u0000"), "parked", "nul_character"),
    "a raw NUL": (lambda e, k: edited(e, CANARY.encode(), CANARY.encode() + b"\x00"), "parked", "nul_character"),
    "half a character": (lambda e, k: edited(e, CANARY.encode(), CANARY.encode() + b"\\ud800"), "parked", "lone_surrogate"),
    "no JSON": (lambda e, k: CANARY.encode(), "parked", "not_json"),
    "no value at all": (lambda e, k: None, "parked", "no_data"),
    "an empty value": (lambda e, k: b"", "parked", "not_json"),
    "a list": (lambda e, k: json.dumps([e]).encode(), "parked", "not_an_object"),
    "no id": (lambda e, k: {**e, "id": ""}, "parked", "no_usable_id"),
    "an id that is a number": (lambda e, k: {**e, "id": 7}, "parked", "no_usable_id"),
    "an id with a line end": (lambda e, k: {**e, "id": e["id"] + "\n"}, "parked", "no_usable_id"),
    "another specversion": (lambda e, k: {**e, "specversion": "2.0"}, "refused", "specversion"),
    "no data": (lambda e, k: {n: v for n, v in e.items() if n != "data"}, "refused", "no_data"),
    "data that is a text": (lambda e, k: {**e, "data": CANARY}, "refused", "data_not_object"),
    "a wrong type": (lambda e, k: {**e, "data": {**e["data"], k.amount_field: CANARY}}, "refused", "type"),
    "an amount of 0": (lambda e, k: {**e, "data": {**e["data"], k.amount_field: 0}}, "refused", "range"),
    "a huge number": (lambda e, k: {**e, "data": {**e["data"], k.amount_field: 10**40}}, "refused", "range"),
    "an unknown field": (lambda e, k: {**e, "data": {**e["data"], CANARY: 1}}, "refused", "unknown_field"),
    "4,000 unknown fields": (
        lambda e, k: {**e, "data": {**e["data"], **{f"v{n}": 1 for n in range(4_000)}}},
        "refused",
        "unknown_field",
    ),
    "a forbidden field": (
        lambda e, k: {**e, "data": {**e["data"], k.forbidden[0].field: "999990019"}},
        "refused",
        "forbidden_field",
    ),
    "a missing field": (
        lambda e, k: {**e, "data": {n: v for n, v in e["data"].items() if n != k.identity["surname"]}},
        "refused",
        "required",
    ),
    "an unknown type": (lambda e, k: {**e, "type": "nl.vroegsignalen.iets-gemeld.v1"}, "refused", "unknown_type"),
    "an unknown major version": (
        lambda e, k: {**e, "type": re.sub(r"v\d+$", "v99", e["type"])},
        "refused",
        "unknown_version",
    ),
    "a foreign source": (
        lambda e, k: {**e, "source": "urn:nld:oin:00000000000000000000:systeem:x"},
        "refused",
        "source_not_yours",
    ),
    "an event time out of bounds": (
        lambda e, k: {**e, "time": (datetime.now(UTC) - timedelta(days=60)).isoformat()},
        "refused",
        "out_of_bounds",
    ),
    "a signal date in the future": (
        lambda e, k: {**e, "data": {**e["data"], k.date_field: "2999-01-01"}},
        "refused",
        "out_of_bounds",
    ),
    "an address outside the municipalities": (
        lambda e, k: {**e, "data": {**e["data"], k.identity["postcode"]: "9999XX"}},
        "refused",
        "outside_municipalities",
    ),
}  # fmt: skip


def newest(world: World, partner: str, offset: int, partition: int) -> tuple[Any, ...]:
    sql = (
        "SELECT fate, reasons, receipt_id FROM intake.receipt WHERE topic = %s AND partition = %s"
        ' AND "offset" = %s'
    )
    return wait_for(
        lambda: world.rows(sql, (f"in.{partner}", partition, offset)), what=f"a receipt for offset {offset}"
    )[0]


def test_every_bad_input_ends_with_a_typed_reason_and_the_partition_goes_on(
    world: World, debt: SignalType, partner: str
) -> None:
    settings = world.broker(f"partner_{partner}").settings()
    # Packed, because the broker takes no message of 10 MB otherwise.
    producer = KafkaProducer(**settings, compression_type="gzip", max_request_size=20_000_000)
    put = {}
    try:
        for name, (make, _, _) in BAD.items():
            bad = make(sound(world, debt, partner), debt)
            value = json.dumps(bad).encode() if isinstance(bad, dict) else bad
            put[name] = producer.send(f"in.{partner}", key=HERE.encode(), value=value, headers=CONTENT_TYPE)
        last = sound(world, debt, partner)
        put_last = producer.send(
            f"in.{partner}", key=HERE.encode(), value=json.dumps(last).encode(), headers=CONTENT_TYPE
        )
        producer.flush(timeout=30)
        places = {name: future.get(timeout=30) for name, future in put.items()}
        assert {place.partition for place in places.values()} == {put_last.get(timeout=30).partition}
    finally:
        producer.close(timeout=5)

    assert world.fate(partner, last["id"]) == ("accepted", "allowed", []), "what came behind them arrives"
    told = {}
    for name, place in places.items():
        fate, reasons, receipt_id = newest(world, partner, place.offset, place.partition)
        _, wanted_fate, wanted_reason = BAD[name]
        assert (name, fate) == (name, wanted_fate)
        assert wanted_reason in [reason["code"] for reason in reasons], name
        assert all(reason["nl"] and reason["en"] for reason in reasons), name
        assert CANARY not in str(reasons) and "999990019" not in str(reasons), name
        told[str(receipt_id)] = {"parked": "terzijdeGelegd", "refused": "afgekeurd"}[fate]

    world.drain()
    messages = {one["data"]["ontvangstbewijs"]: one for one in world.receipts_topic(partner)}
    for receipt_id, word in told.items():
        assert messages[receipt_id]["data"]["lot"] == word
        assert CANARY not in json.dumps(messages[receipt_id])
    assert world.violations() == {}


def test_no_value_is_ever_logged(world: World) -> None:
    """Runs after the above: everybody's surname here is marked, in what was taken and in what was not."""
    logs = [path for path in (world.stack.home / "log").rglob("*") if path.is_file()]
    assert any(path.name.startswith("intake") for path in logs)
    leaks = [
        path.name
        for path in logs
        if CANARY.encode() in path.read_bytes() or b"999990019" in path.read_bytes()
    ]
    assert leaks == []


DAY_MS = 86_400_000


def sent_at(world: World, partner: str, made: dict[str, Any], timestamp_ms: int) -> bool:
    """Whether the door takes an event with this timestamp. A producer that was refused is of no more use."""
    producer = Producer(world.broker(f"partner_{partner}"))
    try:
        producer.send(f"in.{partner}", HERE.encode(), json.dumps(made).encode(), CONTENT_TYPE, timestamp_ms)
        return producer.flush() == 1
    except NotSent as refused:
        assert "InvalidTimestamp" in str(refused)
        return False
    finally:
        producer.close()


@pytest.mark.parametrize(
    ("after_now_ms", "taken"),
    [
        (-(10**14), False),
        (-8 * DAY_MS, False),
        (-6 * DAY_MS, True),
        (DAY_MS // 48, True),
        (DAY_MS // 12, False),
        (10**14, False),
    ],
)
def test_the_moment_of_receipt_cannot_be_moved(
    world: World, debt: SignalType, partner: str, after_now_ms: int, taken: bool
) -> None:
    at = int(time.time() * 1000) + after_now_ms
    made = sound(world, debt, partner)
    if taken:
        # A signal may not be dated after its receipt, so this one is of the moment that its sender claims.
        moment = datetime.fromtimestamp(at / 1000, UTC)
        made = {**sound(world, debt, partner, on=moment.date()), "time": moment.isoformat()}
    assert sent_at(world, partner, made, at) is taken
    if taken:
        assert world.fate(partner, made["id"]) == ("accepted", "allowed", [])


def test_an_event_without_a_timestamp_is_not_taken_for_one_of_1970(
    world: World, debt: SignalType, partner: str
) -> None:
    made = sound(world, debt, partner)
    assert sent_at(world, partner, made, -1), "to the broker, -1 is no timestamp at all"
    assert world.fate(partner, made["id"])[0] == "refused"


def test_a_door_that_was_opened_for_history_is_closed_again(
    world: World, debt: SignalType, partner: str
) -> None:
    admin, door = Admin(world.stack.settings.kafka_admin), f"in.{partner}"
    names = ("retention.ms", "message.timestamp.before.max.ms", "message.timestamp.after.max.ms")
    week = str(world.bundle.topic_names()[door].retention_ms)
    long_ago = int(time.time() * 1000) - 100 * DAY_MS

    def stands(topic: str) -> list[str]:
        found = admin.settings([topic])[topic]
        return [found[name] for name in names]

    try:
        assert stands(door) == [week, week, "3600000"]
        assert stands(f"receipts.{partner}")[1] == str(2**63 - 1), "what we write ourselves is not bounded"
        admin.set_retention([door], -1)
        assert sent_at(world, partner, sound(world, debt, partner), long_ago)
        # Whoever activates declarations, or starts the stack again, puts right what was left open.
        provision(world.stack.settings, REPOSITORY / "schemas", "test")
        assert stands(door) == [week, week, "3600000"]
        assert not sent_at(world, partner, sound(world, debt, partner), long_ago)
        assert admin.configure({door: {"retention.ms": week}}) == [], "nothing differs, so nothing is altered"
    finally:
        admin.close()


def test_null_headers_stop_nobody(
    world: World, debt: SignalType, partner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Java clients send null header values; kafka-python's own producer would not, so its batch writer is bent here."""
    append = batches.DefaultRecordBatchBuilder.append

    def bent(
        self: Any, offset: int, at: int, key: Any, value: Any, headers: Any, *more: Any, **rest: Any
    ) -> Any:
        return append(self, offset, at, key, value, [(n, v or None) for n, v in headers], *more, **rest)

    monkeypatch.setattr(batches.DefaultRecordBatchBuilder, "append", bent)
    for headers in ([*CONTENT_TYPE, ("bereik-door", b"")], [("content-type", b"")], [("", b"")]):
        world.send(partner, sound(world, debt, partner), headers=headers)
    last = sound(world, debt, partner)
    world.send(partner, last)
    assert world.fate(partner, last["id"])[0] == "accepted"


def test_a_header_name_that_is_no_text_stops_nobody(world: World, debt: SignalType, partner: str) -> None:
    class Raw(str):
        """Goes over the wire as two bytes that are no UTF-8."""

        def encode(self, *_: Any) -> bytes:
            return b"\xff\xfe"

    made = sound(world, debt, partner)
    world.send(partner, made, headers=[*CONTENT_TYPE, (Raw("xx"), b"1")])
    assert world.fate(partner, made["id"])[0] == "accepted"


def snappy(payload: bytes, *_: Any) -> bytes:
    """Snappy as Java frames it, in literals only: this Python has no codec, and neither have the consumers."""
    size, left = b"", len(payload)
    while left > 127:
        size, left = size + bytes([left & 127 | 128]), left >> 7
    body = size + bytes([left])
    for start in range(0, len(payload), 60):
        part = bytes(payload[start : start + 60])
        body += bytes([len(part) - 1 << 2]) + part
    return b"\x82SNAPPY\x00" + struct.pack("!iii", 1, 1, len(body)) + body


def test_a_partner_may_pack_in_a_codec_that_consumers_lack(
    world: World, debt: SignalType, partner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka.codec, "has_snappy", lambda: True)
    monkeypatch.setattr(batches, "snappy_encode", snappy)
    monkeypatch.setitem(KafkaProducer._COMPRESSORS, "snappy", (lambda: True, 2))
    made = sound(world, debt, partner)
    producer = KafkaProducer(**world.broker(f"partner_{partner}").settings(), compression_type="snappy")
    try:
        producer.send(f"in.{partner}", value=json.dumps(made).encode(), headers=CONTENT_TYPE).get(timeout=30)
    finally:
        producer.close(timeout=5)
    assert world.fate(partner, made["id"])[0] == "accepted"


# ---------------------------------------------------------------- who may write and read where


def test_a_partner_writes_to_its_own_door_only(world: World, debt: SignalType, partner: str) -> None:
    other = next(name for name in world.bundle.partners if name != partner)
    producer = world.producer(partner)
    producer.send(f"in.{other}", b"9901", b"{}", CONTENT_TYPE)
    with pytest.raises(NotSent, match="Authorization"):
        producer.flush()


@pytest.mark.parametrize("topic", ["receipts.{other}", "in.{own}", "signals.{purpose}", "alerts.{purpose}"])
def test_a_partner_reads_its_own_receipts_and_nothing_else(world: World, partner: str, topic: str) -> None:
    other = next(name for name in world.bundle.partners if name != partner)
    name = topic.format(other=other, own=partner, purpose=next(iter(world.bundle.purposes)))
    settings = world.broker(f"partner_{partner}").settings()
    consumer = KafkaConsumer(**settings, enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        if name not in consumer.topics():
            return  # It may not even know of it.
        place = TopicPartition(name, 0)
        consumer.assign([place])
        consumer.seek(place, 0)
        with pytest.raises(kafka.errors.TopicAuthorizationFailedError):
            for _ in range(50):
                assert not consumer.poll(timeout_ms=200)
    finally:
        consumer.close(autocommit=False)


def test_everything_so_far_adds_up(world: World) -> None:
    world.drain()
    assert world.violations() == {}


# ---------------------------------------------------------------- a fault of ours


def test_of_a_batch_with_one_event_that_cannot_be_taken_only_that_one_is_parked(world: World) -> None:
    """Our own topics hold many events in a record; the position of a group is behind whole records only."""
    purpose = min(world.bundle.purposes)
    alerts = [
        casework.alert_message(
            Box(bytes(32)), purpose, str(uuid4()), 0, HERE, f"{HERE}-x", "new_case", datetime.now(UTC)
        )[1]
        for _ in range(3)
    ]
    wanted = {json.loads(one)["data"]["case_id"] for one in alerts}
    batch = signal.pack([alerts[0], b'{"data": {}}', *alerts[1:]])
    producer = Producer(world.stack.settings.kafka_admin)
    producer.send(f"alerts.{purpose}", None, batch, partition=0)
    producer.flush()
    producer.close()
    world.drain()
    told = {row[0] for row in world.rows("SELECT case_id FROM casework.alert WHERE case_version = 0")}
    assert told >= wanted
    with psycopg.connect(world.stack.settings.owner_url, autocommit=True) as owner:
        parked = owner.execute("DELETE FROM ops.parked RETURNING group_name, topic, number, error").fetchall()
    assert parked == [("outreach", f"alerts.{purpose}", 1, "KeyError")]
    assert world.violations() == {}
