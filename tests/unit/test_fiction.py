"""The fiction keeps to the declarations, repeats itself byte for byte, and knows how each of its events must end."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from bereik import fiction, purpose, signal
from bereik.batch import read_delivery
from bereik.bundle import Bundle
from bereik.days import local_day
from bereik.fiction import Delivery, Ending, History
from bereik.fiction import brp as registers

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.compile(SCHEMAS)


@pytest.fixture(scope="module")
def history(bundle: Bundle) -> History:
    return fiction.months(bundle, TODAY, seed=7)


def verdict(record: Delivery, bundle: Bundle) -> str:
    """What the pure part of the door says: parked, refused or accepted (it knows nothing of ids)."""
    received = datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)
    try:
        event = signal.read(record.headers, record.value)
    except signal.Unreadable as error:
        return "refused" if error.event_id else "parked"
    partner = bundle.partners[record.partner]
    if event.source != partner.source:
        return "refused"
    kind, action = bundle.types_by_event[event.type]
    contract = kind.contract if action == "report" else kind.withdrawal_contract
    assert contract is not None
    if contract.check(event, received):
        return "refused"
    place = None
    if action == "report":
        place = bundle.locate(
            event.data[kind.identity["postcode"]],
            event.data[kind.identity["house_number"]],
            local_day(received),
        )
    admission = purpose.admit(
        kind, action, partner, place and place[0], event.data, local_day(received), bundle
    )
    return "accepted" if admission.outcome is purpose.Outcome.ALLOWED else "refused"


def test_every_record_ends_as_the_fiction_says(bundle: Bundle, history: History) -> None:
    claimed: set[tuple[str, str]] = set()
    for record in history.deliveries:
        found = verdict(record, bundle)
        if found == "accepted" and (record.partner, record.event_id) in claimed:
            found = record.fate
            assert found in ("duplicate", "refused")
        if found == "accepted":
            claimed.add((record.partner, str(record.event_id)))
        assert found == record.fate, (record.partner, record.event_id)


def test_files_are_read_as_written(bundle: Bundle, history: History) -> None:
    class Box:
        def id(self, text: str) -> str:
            return f"id of {len(text)}"

    now = datetime(2026, 11, 22, 3, tzinfo=UTC)
    assert history.files
    for file in history.files:
        partner = bundle.partners[file.partner]
        delivery = read_delivery(file.content, file.name.rpartition(".")[2], partner, bundle, Box(), now)  # type: ignore[arg-type]
        kind = bundle.signal_types[delivery.signal_type]
        assert [row.event.id for row in delivery.rows] == [row.event_id for row in file.rows]
        for row, truth in zip(delivery.rows, file.rows, strict=True):
            admission = purpose.admit(
                kind, "report", partner, row.municipality, row.event.data, TODAY, bundle
            )
            sound = not row.errors and admission.outcome is purpose.Outcome.ALLOWED
            assert sound == (truth.fate in ("accepted", "duplicate")), (truth.event_id, row.errors)


@pytest.mark.parametrize(
    "today", [date(2026, 11, 1), date(2026, 3, 31), date(2027, 1, 2), date(2027, 12, 31)]
)
def test_it_fits_any_day_of_the_month(bundle: Bundle, today: date) -> None:
    history = fiction.months(bundle, today, seed=1, signals=600)
    limit = datetime.combine(today, time(0, 1), UTC).timestamp() * 1000
    assert all(record.timestamp_ms <= limit for record in history.deliveries)
    assert {verdict(record, bundle) for record in history.deliveries if record.fate == "accepted"} == {
        "accepted"
    }
    assert [record.timestamp_ms for record in history.deliveries] == sorted(
        r.timestamp_ms for r in history.deliveries
    )


def test_the_same_arguments_give_the_same_bytes(bundle: Bundle, history: History) -> None:
    again = fiction.months(bundle, TODAY, seed=7)
    assert again.deliveries == history.deliveries and again.files == history.files
    assert fiction.months(bundle, TODAY, seed=8).deliveries != history.deliveries


def test_the_mix_is_that_of_municipalities(bundle: Bundle) -> None:
    load = fiction.load(bundle, TODAY, seed=3, signals=30_000)
    sectors: Counter[str] = Counter()
    for record in load:
        sectors[bundle.partners[record.partner].sector] += 1
    debts = {name: number for name, number in sectors.items() if name != "Verzuimregister"}
    assert 0.40 < debts["Zorg"] / sum(debts.values()) < 0.50
    ours = [
        case
        for (name, _, _), cases in load.oracle.subjects().items()
        if bundle.purposes[name].subject == "address"
        for case in cases
        if case.period == "2026-11"
    ]
    kinds = Counter(case.kind for case in ours)
    assert 0.40 < kinds["single"] / len(ours) < 0.62
    assert 0.08 < kinds["multiple"] / len(ours) < 0.15
    assert 0.28 < kinds["consecutive"] / len(ours) < 0.46
    assert 0.03 < sum(case.outcome == "below_threshold" for case in ours) / len(ours) < 0.14


def test_the_register_holds_whoever_was_reported_last_each_under_a_number_of_its_own(
    bundle: Bundle, history: History
) -> None:
    held = registers.residents(history.reported, sorted(bundle.municipalities), 7)
    numbers = [one["burgerservicenummer"] for one in held["personen"]]
    assert len(numbers) == len(set(numbers)) == 909 < len(history.reported)
    assert held == registers.residents(history.reported, sorted(bundle.municipalities), 7)
    assert all(number.startswith("99999") and signal.is_bsn(number) for number in numbers)
    assert set(held["bekend"]) < set(numbers)
    # Who gets a number was reported no earlier than who gets none, and nobody of a story has moved, died or is looked into.
    for (who, home, told), one in zip(history.reported, held["personen"], strict=False):
        assert one["naam"]["geslachtsnaam"] == who.surname
        if told:
            assert one["gemeenteVanInschrijving"]["code"] == home.municipality
            assert "opschortingBijhouding" not in one and one["burgerservicenummer"] not in held["bekend"]
    assert any("opschortingBijhouding" in one for one in held["personen"])


def test_every_story_is_there(history: History) -> None:
    endings = [story.ending for story in history.stories]
    assert set(endings) == set(Ending)
    assert len({story.name for story in history.stories}) == len(history.stories) >= 16
    small = next(story for story in history.stories if story.ending is Ending.TOGETHER_ABOVE)
    assert len(small.events) == 4


@pytest.mark.parametrize("today", [TODAY, date(2026, 12, 1), date(2027, 1, 31)])
def test_the_oracle_agrees_with_the_rules(bundle: Bundle, today: date) -> None:
    """The oracle and `cases.decide` are written apart; over many households they must say the same."""
    from uuid import UUID

    from bereik import cases

    load = fiction.load(bundle, today, seed=5, signals=5_000)
    active: dict[tuple[str, str, str], dict[tuple[str, str], cases.Signal]] = {}
    number = 0
    for record in load:
        if record.fate != "accepted":
            continue
        event = signal.read(record.headers, record.value)
        kind, action = bundle.types_by_event[event.type]
        if action == "withdraw":
            gone = (record.partner, str(event.data[kind.withdrawal_reference_field or ""]))
            for signals in active.values():
                signals.pop(gone, None)
            continue
        received = datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)
        data = dict(event.data)
        place = bundle.locate(
            data[kind.identity["postcode"]], data[kind.identity["house_number"]], received.date()
        )
        assert place is not None
        facts = {name: data[name] for name in kind.fact_fields if name in data}
        facts[cases.CONTRACT] = data.get(kind.contract_field or "")
        number += 1
        subject = str(record.person)
        if bundle.purposes[kind.purpose].subject == "address":
            letters = f"{data.get(kind.identity['house_letter'], '')}{data.get(kind.identity['house_number_addition'], '')}"
            subject = "|".join(
                (
                    data["postcode"],
                    str(data["huisnummer"]),
                    "".join(c for c in letters.upper() if c.isalnum()),
                )
            )
        one = cases.Signal(
            str(UUID(int=number)),
            kind.id,
            record.partner,
            place[0],
            place[1],
            kind.signal_date(data, local_day(received)),
            received,
            facts,
        )
        active.setdefault((kind.purpose, place[0], subject), {})[(record.partner, event.id)] = one
    found: Counter[tuple[str, str, str, str]] = Counter()
    for (purpose_id, municipality, _), signals in active.items():
        for case in cases.decide(
            list(signals.values()), [], bundle.purposes[purpose_id], bundle, datetime(2100, 1, 1, tzinfo=UTC)
        ):
            repeat = bundle.purposes[purpose_id].state("repeat")
            outcome = (
                "new"
                if case.stands
                else "repeat"
                if repeat and case.status == repeat.id
                else "below_threshold"
            )
            found[(purpose_id, municipality, case.kind.value, outcome)] += 1
    assert found == load.oracle.cases()
