"""Deliveries of everything that can become of a signal, held against what the official file of version 1.2 asks.

That file states no licence, so it is not in here. `ASKED` tells it once more by hand, apart from `ddas.model()` and from the
library behind that: VNG-Realisatie/ddas-vroegsignalering, v1.2/json_schema_Uitwisselmodel.json at commit 6abe3c57.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from bereik import cases, ddas
from bereik.bundle import Bundle
from bereik.cases import CONTRACT, Signal
from bereik.ddas import CaseLine, Sender, SignalLine
from bereik.lifecycle import Fact
from bereik.linkage import Identity

BUNDLE = Bundle.compile(Path(__file__).parents[2] / "schemas")
(DEBTS,) = (BUNDLE.purposes[name] for name in BUNDLE.delivered)
NOW = datetime(2026, 12, 31, 12, tzinfo=UTC)
WHO = Identity({"postcode": "1234AB", "house_number": "12", "house_letter": "a", "birth_date": "1985-02-03"})
BSN = "999990019"

# ---------------------------------------------------------------- what the official file asks

TEXT, WHOLE, YES = "text", "whole", "yes"
DAY, MOMENT, MAIL = r"\d{4}-\d\d-\d\d", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", r"[^@\s]+@[^@\s]+"
PARTNER_TYPES = frozenset(
    {
        "Belastingdienst",
        "CAK Eigen bijdrage",
        "CAK Zorgverzekeringen",
        "Dienst Toeslagen",
        "DUO",
        "Energie",
        "Huur",
        "Hypotheek",
        "Overige",
        "Water",
        "Zorg",
    }
)
STATUSES = frozenset(
    {
        "Inwoner al bekend bij schuldhulpverlening",
        "Inwoner is overleden",
        "Niet opgepakt: andere reden",
        "Niet opgepakt: herhaalde melding",
        "Niet opgepakt: onterecht signaal",
        "Nog niet opgepakt",
        "Opgepakt",
        "Persoon is geen inwoner (meer) in de gemeente",
    }
)
RESULTS = frozenset(
    {
        "(Budget)advies en/of quick fix",
        "Definitief geen contact kunnen krijgen",
        "Geen reactie na eerder contact",
        "Inwoner al bekend bij schuldhulpverlening",
        "Inwoner heeft al een ander lopend traject",
        "Inwoner heeft zelf al betaald/betalingsregeling getroffen",
        "Inwoner is overleden",
        "Inwoner regelt het zelf/hoeft geen hulp vanuit vroegsignalering",
        "Niet opgepakt: andere reden",
        "Niet opgepakt: herhaalde melding",
        "Niet opgepakt: onterecht signaal",
        "Persoon is geen inwoner (meer) in de gemeente",
        "Vervolghulp en/of verwijzing",
        "Vervolghulp en/of verwijzing financieel",
        "Vervolghulp en/of verwijzing niet financieel",
        "Verwijzing zonder tussenkomst inwoner",
    }
)
CONTACTS = frozenset(
    {
        "Administratief",
        "Afspraak op locatie",
        "Brief",
        "Huisbezoek",
        "Kaartje",
        "Mail",
        "Onbekend",
        "Overige",
        "SMS/Whatsapp",
        "Telefoon",
    }
)
DAYPARTS = frozenset({"Ochtend", "Middag", "Avond"})
SEXES = frozenset({"Man", "Vrouw", "Onbekend", "Leeg"})

# An object is a mapping, `!` behind a name: required. A list is (what it holds, how many at least). A client is one of two.
NUMBER = {"burgerservicenummer!": r"\d{9}"}
DOOR = {
    "postcode!": TEXT, "huisnummer!": TEXT, "huisnummertoevoeging": TEXT, "geboortedatum": DAY, "geslachtsaanduiding": SEXES,
}  # fmt: skip
SIGNAL = {
    "ID!": TEXT,
    "crisissignaal": YES,
    "warmeOverdracht": YES,
    "bedrag": WHOLE,
    "ontstaansdatum": DAY,
    "signaaldatum": DAY,
    "status": STATUSES,
    "signaalpartner!": {"type": PARTNER_TYPES},
    "client!": [NUMBER, DOOR],
}
CASE = {
    "resultaat": RESULTS,
    "matchingsdatum": DAY,
    "startdatumMatchingperiode": DAY,
    "einddatumMatchingperiode": DAY,
    "datumOpgepakt": DAY,
    "vroegsignalen": ({"ID!": TEXT}, 1),
    "contactpogingen": ({"soort": CONTACTS, "bereikt": YES, "datum": DAY, "dagdeel": DAYPARTS}, 0),
}
PERSON = {"naam": TEXT, "telefoonnummer": TEXT, "email": MAIL, "functietitel": TEXT}
DELIVERY = {
    "teller!": WHOLE,
    "gemeentecode!": TEXT,
    "aanleverendeOrganisatie!": {"naam": TEXT, "kvk-nummer": TEXT, "contactpersonen": (PERSON, 1)},
    "vroegsignalen": (SIGNAL, 0),
    "vroegsignaalzaken": (CASE, 0),
}
ASKED = {
    "startdatumLevering!": DAY,
    "einddatumLevering!": DAY,
    "aanleverdatumEnTijd!": MOMENT,
    "codeGegevensleverancier!": TEXT,
    "leveringen": (DELIVERY, 1),
}
# What may be said and we never say: of a contact person only the address, and nobody's sex.
UNSAID = {"telefoonnummer", "functietitel", "geslachtsaanduiding"}


def faults(value: Any, asked: Any, place: str = "") -> Iterator[str]:
    """Where a document differs from what is asked."""
    match asked:
        case dict() if isinstance(value, dict):
            names = {name.rstrip("!"): part for name, part in asked.items()}
            yield from (f"{place}/{name}: unknown" for name in value.keys() - names.keys())
            yield from (
                f"{place}/{name[:-1]}: absent"
                for name in asked
                if name.endswith("!") and name[:-1] not in value
            )
            for name in value.keys() & names.keys():
                yield from faults(value[name], names[name], f"{place}/{name}")
        case list():
            # Exactly one of the forms fits.
            if sum(not list(faults(value, form)) for form in asked) != 1:
                yield f"{place}: neither form, or both"
        case (part, least) if isinstance(value, list):
            if len(value) < least or any(value.count(one) > 1 for one in value):
                yield f"{place}: too few, or twice"
            for number, one in enumerate(value):
                yield from faults(one, part, f"{place}/{number}")
        case frozenset() if value in asked:
            pass
        case "text" if isinstance(value, str):
            pass
        case "whole" if isinstance(value, int) and not isinstance(value, bool):
            pass
        case "yes" if isinstance(value, bool):
            pass
        case str() if isinstance(value, str) and re.fullmatch(asked, value):
            pass
        case _:
            yield f"{place}: {value!r} is not what is asked"


def names_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from names_in(one)


# ---------------------------------------------------------------- everything that can become of a signal

RENT = next(kind for kind in BUNDLE.signal_types.values() if kind.partner_type == "Huur")
POWER = next(kind for kind in BUNDLE.signal_types.values() if kind.crisis_field)


def signals(name: str, *rows: tuple[str, Any, int]) -> list[Signal]:
    """Signals of one subject, (day, kind, amount) each, all in one case of this name."""
    return [
        Signal(
            f"{name}-{number}",
            kind.id,
            "p",
            "9901",
            "noord",
            date.fromisoformat(day),
            datetime.fromisoformat(f"{day}T09:00:00+00:00"),
            {kind.amount_field: amount, kind.since_field: day, CONTRACT: kind.id},
            f"{name}-{day[:7]}",
            "person",
        )
        for number, (day, kind, amount) in enumerate(rows, 1)
    ]


def acts(name: str, *told: tuple[str, Mapping[str, Any]]) -> list[Fact]:
    """Facts on the October case of this name, an hour apart."""
    return [
        Fact(f"{name}-2026-10", kind, detail, "", datetime(2026, 10, 12, 8 + hour, tzinfo=UTC))
        for hour, (kind, detail) in enumerate(told)
    ]


def lines(
    everything: Iterable[Signal], facts: Iterable[Fact] = (), withdrawn: Iterable[str] = ()
) -> list[CaseLine]:
    """What the real rules make of them, as the delivery reads it."""
    told, stated, gone = list(everything), list(facts), set(withdrawn)
    active = [one for one in told if one.signal_id not in gone]
    return [
        CaseLine(
            DEBTS,
            case.when,
            case.result,
            case.period,
            case.matched_on,
            tuple(
                SignalLine(
                    one.signal_id,
                    BUNDLE.signal_types[one.type],
                    one.signal_date,
                    one.facts,
                    one.signal_id in gone,
                    case.passed.get(one.signal_id),
                    WHO,
                    BSN if one.type == POWER.id else None,
                )
                for one in told
                if one.case_id == case.case_id
            ),
            tuple(fact for fact in stated if fact.case_id == case.case_id),
        )
        for case in cases.decide(active, stated, DEBTS, BUNDLE, NOW)
    ]


ATTEMPT = ("attempt", {"kind": "Huisbezoek", "reached": True, "day": "2026-10-12", "daypart": "Middag"})
STORIES = {
    "single": lines(signals("single", ("2026-10-05", RENT, 400))),
    "multiple": lines(signals("multiple", ("2026-10-05", RENT, 400), ("2026-10-06", POWER, 200))),
    "consecutive": lines(
        signals("later", ("2026-08-05", POWER, 400), ("2026-10-05", RENT, 400)),
        acts("later", ("taken_up", {}), ATTEMPT),
    ),
    # Once as a case of its own, and once beside another signal in a case that somebody took up.
    "repeat": lines(signals("again", ("2026-09-05", RENT, 400), ("2026-10-05", RENT, 400))),
    "repeat beside another": lines(
        signals("beside", ("2026-09-05", RENT, 400), ("2026-10-05", RENT, 400), ("2026-10-06", POWER, 200)),
        acts("beside", ("taken_up", {})),
    ),
    "below the threshold": lines(signals("small", ("2026-10-05", RENT, 1))),
    "taken back": lines(
        signals("back", ("2026-10-05", RENT, 400), ("2026-10-06", POWER, 200)), withdrawn=["back-1"]
    ),
    "taken back too late": lines(
        signals("late", ("2026-10-05", RENT, 400), ("2026-10-06", POWER, 200)),
        acts("late", ("taken_up", {})),
        ["late-1"],
    ),
}
# The results that a person closes with; the others are the rules' own.
BY_HAND = sorted(RESULTS - {"Niet opgepakt: herhaalde melding", "Niet opgepakt: onterecht signaal"})
for word in BY_HAND:
    STORIES[word] = lines(
        signals(word, ("2026-10-05", RENT, 400)),
        acts(word, ("taken_up", {}), ATTEMPT, ("closed", {"result": word})),
    )


def delivered(*names: str) -> dict[str, Any]:
    told = [one for name in names or STORIES for one in STORIES[name]]
    sender = Sender("9901", "Gemeente Waterwoude", "90009901", "gegevens@waterwoude.example")
    return ddas.deliver(sender, told, date(2026, 8, 1), date(2026, 10, 31), NOW, "Bereik 1.0").document


def part(name: str, *stories: str) -> list[dict[str, Any]]:
    return list(delivered(*stories)["leveringen"][0][name])


@pytest.mark.parametrize("story", STORIES)
def test_whatever_became_of_a_signal_its_delivery_is_what_the_official_file_asks(story: str) -> None:
    document = delivered(story)
    assert list(faults(document, ASKED)) == [] and ddas.problems(document) == []


def test_a_full_delivery_says_all_that_can_be_said_and_every_word_there_is() -> None:
    document = delivered()
    assert list(faults(document, ASKED)) == [] and ddas.problems(document) == []
    told = part("vroegsignalen"), part("vroegsignaalzaken")
    assert {one["status"] for one in told[0]} == STATUSES - {
        "Inwoner al bekend bij schuldhulpverlening",
        "Inwoner is overleden",
        "Niet opgepakt: andere reden",
        "Persoon is geen inwoner (meer) in de gemeente",
    }, "whoever took a case up leaves its signals taken up, whatever its result"
    assert {one["resultaat"] for one in told[1] if "resultaat" in one} == RESULTS
    every = {
        name.rstrip("!") for level in (ASKED, DELIVERY, SIGNAL, NUMBER, DOOR, CASE, PERSON) for name in level
    }
    every |= {
        name.rstrip("!")
        for level in (DELIVERY["aanleverendeOrganisatie!"], CASE["contactpogingen"][0])
        for name in level
    }  # type: ignore[index,union-attr]
    assert every - set(names_in(document)) == UNSAID


@pytest.mark.parametrize(
    ("result", "status"),
    [
        ("Inwoner al bekend bij schuldhulpverlening", "Inwoner al bekend bij schuldhulpverlening"),
        ("Inwoner is overleden", "Inwoner is overleden"),
        ("Niet opgepakt: andere reden", "Niet opgepakt: andere reden"),
        (
            "Persoon is geen inwoner (meer) in de gemeente",
            "Persoon is geen inwoner (meer) in de gemeente",
        ),
    ],
)
def test_what_ends_before_anybody_took_it_up_has_that_as_its_status_and_its_result(
    result: str, status: str
) -> None:
    closed = lines(signals("s", ("2026-10-05", RENT, 400)), acts("s", ("closed", {"result": result})))
    sender = Sender("9901", "Gemeente Waterwoude")
    document = ddas.deliver(sender, closed, date(2026, 10, 1), date(2026, 10, 31), NOW, "Bereik 1.0").document
    (told,) = document["leveringen"]
    assert [one["status"] for one in told["vroegsignalen"]] == [status]
    assert [one["resultaat"] for one in told["vroegsignaalzaken"]] == [result]
    assert list(faults(document, ASKED)) == [] and ddas.problems(document) == []


def test_a_repeat_keeps_that_word_beside_a_signal_that_was_taken_up() -> None:
    told = {one["ID"]: one["status"] for one in part("vroegsignalen", "repeat beside another")}
    assert told == {
        "beside-1": "Nog niet opgepakt",
        "beside-2": "Niet opgepakt: herhaalde melding",
        "beside-3": "Opgepakt",
    }


def test_taken_back_before_anybody_took_it_up_is_left_out_and_afterwards_it_is_told() -> None:
    assert [one["ID"] for one in part("vroegsignalen", "taken back")] == ["back-2"]
    assert [one["ID"] for one in part("vroegsignalen", "taken back too late")] == ["late-1", "late-2"]


# ---------------------------------------------------------------- our own telling of the model


def spoilt(document: Any, asked: Any) -> Iterator[tuple[str, Any]]:
    """Copies of a sound document with one thing wrong each; every name that occurs is spoilt once."""
    for path, level, names in _levels(document, asked, ()):
        yield f"{path}: something unknown", _with(document, path, {**level, "iets": 1})
        for name, what in names.items():
            bare = name.rstrip("!")
            if name.endswith("!"):
                rest = {key: value for key, value in level.items() if key != bare}
                yield f"{path}: no {bare}", _with(document, path, rest)
            if bare in level:
                yield f"{path}: {bare}", _with(document, path, {**level, bare: _wrong(what)})


def _wrong(asked: Any) -> Any:
    return 7 if asked in (TEXT,) or isinstance(asked, dict) else 1.5 if asked == WHOLE else "iets"


def _levels(value: Any, asked: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    if isinstance(asked, list):
        asked = next(form for form in asked if not list(faults(value, form)))
    if isinstance(asked, tuple):
        for number, one in enumerate(value):
            yield from _levels(one, asked[0], (*path, number))
    elif isinstance(asked, dict):
        yield path, value, asked
        for name, what in asked.items():
            if name.rstrip("!") in value:
                yield from _levels(value[name.rstrip("!")], what, (*path, name.rstrip("!")))


def _with(document: Any, path: tuple[Any, ...], level: Any) -> Any:
    if not path:
        return level
    copy = deepcopy(document)
    place = copy
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = level
    return copy


@pytest.mark.parametrize("story", ["multiple", "(Budget)advies en/of quick fix"])
def test_our_telling_of_the_model_refuses_whatever_the_official_file_refuses(story: str) -> None:
    document = delivered(story)
    number = 0
    for what, wrong in spoilt(document, ASKED):
        assert list(faults(wrong, ASKED)), what
        assert ddas.problems(wrong), what
        number += 1
    assert number > 40


def test_the_words_are_those_of_the_official_file() -> None:
    assert set(ddas.PARTNER_TYPES) == PARTNER_TYPES
    assert set(ddas.STATUSES.values()) == STATUSES
    assert set(ddas.RESULTS) == RESULTS
    assert set(ddas.CONTACTS) == CONTACTS
    assert set(ddas.DAYPARTS) == DAYPARTS and set(ddas.SEXES) == SEXES


def test_a_case_that_waited_is_matched_on_its_matching_moment() -> None:
    """Not on receipt: 9902 matches a month once every partner delivered, at the latest on the 8th."""
    told = [replace(one, municipality="9902", area="oost") for one in signals("w", ("2026-10-02", RENT, 400))]
    one = lines(told, acts("w", ("taken_up", {})))
    sender = Sender("9902", "Gemeente Lindeveen")
    document = ddas.deliver(sender, one, date(2026, 10, 1), date(2026, 10, 31), NOW, "Bereik 1.0").document
    (case,) = document["leveringen"][0]["vroegsignaalzaken"]
    assert (case["matchingsdatum"], case["datumOpgepakt"]) == ("2026-10-08", "2026-10-12")
    assert (case["startdatumMatchingperiode"], case["einddatumMatchingperiode"]) == (
        "2026-10-01",
        "2026-10-31",
    )
