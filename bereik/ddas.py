"""The national delivery about early signals: DDAS vroegsignalering, as JSON. Pure: rows in, one document out.

The names and words are those of the exchange model v1.2 (VNG, Divosa, NVVK, CBS; JSON Schema 2020-12). That model states
no licence, so its file is not in here: `model` says in our own terms what it asks, every delivery is held against that,
and whoever has the official file holds it against that too (`problems`). Names and words differ between versions of the
model; a next version is a next set of these tables.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

import jsonschema_rs

from bereik import addresses, births, lifecycle
from bereik.cases import signal_when
from bereik.days import local_day
from bereik.declared.purposes import DELIVERED_PARTNER_TYPES as PARTNER_TYPES
from bereik.declared.purposes import Purpose
from bereik.declared.signals import SignalType
from bereik.lifecycle import Fact
from bereik.linkage import Identity
from bereik.signal import is_bsn

VERSION: Final = "1.2"

# The state of a signal by itself (`cases.signal_when`) → its status. Whoever closed a case had taken it up.
STATUSES: Final[Mapping[str, str]] = {
    "new": "Nog niet opgepakt",
    "taken_up": "Opgepakt",
    "closed": "Opgepakt",
    "withdrawn": "Opgepakt",
    "repeat": "Niet opgepakt: herhaalde melding",
    "below_threshold": "Niet opgepakt: onterecht signaal",
    "other": "Niet opgepakt: andere reden",
    "deceased": "Inwoner is overleden",
    "moved": "Persoon is geen inwoner (meer) in de gemeente",
    "known": "Inwoner al bekend bij schuldhulpverlening",
}
RESULTS: Final = (
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
)
CONTACTS: Final = (
    "Administratief", "Afspraak op locatie", "Brief", "Huisbezoek", "Kaartje", "Mail", "Onbekend", "Overige", "SMS/Whatsapp",
    "Telefoon",
)  # fmt: skip
DAYPARTS: Final = ("Ochtend", "Middag", "Avond")
SEXES: Final = ("Man", "Vrouw", "Onbekend", "Leeg")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who delivers: the municipality, and whom the statistics office may ask about the delivery."""

    municipality: str
    name: str
    kvk: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class SignalLine:
    """One signal. `signal_id` is the id it has in deliveries and nowhere else; printing it shows nobody.

    `passed` is the state it has by itself when it is not counted (`cases.Case.passed`).
    """

    signal_id: str
    type: SignalType
    signal_date: date
    facts: Mapping[str, Any]
    withdrawn: bool
    passed: str | None
    who: Identity = field(repr=False)
    bsn: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case with its signals and what was stated about it. `when` is the rule outcome behind its state."""

    purpose: Purpose
    when: str
    result: str | None
    period: str
    matched_on: date
    signals: tuple[SignalLine, ...]
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery: the document, and how much is in it."""

    document: dict[str, Any] = field(repr=False)
    signals: int
    cases: int


# ---------------------------------------------------------------- making it


def deliver(
    sender: Sender,
    lines: Sequence[CaseLine],
    first: date,
    last: date,
    made_at: datetime,
    supplier: str,
) -> Delivery:
    """The delivery of one municipality over one period, both days included. The same input gives the same document."""
    signals, cases = [], []
    for line in lines:
        taken_up_at = lifecycle.stand(line.facts, line.purpose, lifecycle.NEW).taken_up_at
        # What its partner took back before anybody took it up never was work of the municipality.
        kept = [one for one in line.signals if taken_up_at is not None or not one.withdrawn]
        signals += [
            _signal(one, signal_when(line.when, one.passed, taken_up_at is not None, one.withdrawn))
            for one in kept
        ]
        if kept and (taken_up_at is not None or line.when not in lifecycle.OPEN):
            cases.append(_case(line, kept, taken_up_at))
    signals.sort(key=lambda row: (row["signaaldatum"], row["ID"]))
    cases.sort(key=lambda row: (row["matchingsdatum"], row["vroegsignalen"][0]["ID"]))
    document = {
        "startdatumLevering": first.isoformat(),
        "einddatumLevering": last.isoformat(),
        "aanleverdatumEnTijd": made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "codeGegevensleverancier": supplier,
        "leveringen": [
            {
                "teller": 1,
                "gemeentecode": sender.municipality,
                "aanleverendeOrganisatie": _organisation(sender),
                "vroegsignalen": signals,
                "vroegsignaalzaken": cases,
            }
        ],
    }
    return Delivery(document, len(signals), len(cases))


def _organisation(sender: Sender) -> dict[str, Any]:
    found: dict[str, Any] = {"naam": sender.name}
    if sender.kvk is not None:
        found["kvk-nummer"] = sender.kvk
    if sender.email is not None:
        found["contactpersonen"] = [{"email": sender.email}]
    return found


def _signal(one: SignalLine, when: str) -> dict[str, Any]:
    kind = one.type
    found: dict[str, Any] = {
        "ID": one.signal_id,
        "crisissignaal": _flag(one, kind.crisis_field),
        "warmeOverdracht": _flag(one, kind.warm_field),
        "signaaldatum": one.signal_date.isoformat(),
        "signaalpartner": {"type": kind.partner_type},
        "client": client(one.who, one.bsn, one.signal_date),
    }
    if when in STATUSES:
        found["status"] = STATUSES[when]
    amount = one.facts.get(kind.amount_field) if kind.amount_field else None
    if isinstance(amount, int):
        found["bedrag"] = amount
    since = one.facts.get(kind.since_field) if kind.since_field else None
    if isinstance(since, str):
        found["ontstaansdatum"] = since
    return found


def _flag(one: SignalLine, name: str | None) -> bool:
    return name is not None and one.facts.get(name) is True


def client(who: Identity, bsn: str | None, today: date) -> dict[str, str]:
    """Who it is about: the citizen service number alone, or else the door with the birth date. Never both, never a name."""
    if bsn is not None and is_bsn(bsn):
        return {"burgerservicenummer": bsn}
    get = who.fields.get
    place = addresses.parse(
        get("postcode", ""),
        get("house_number", ""),
        get("house_letter", ""),
        get("house_number_addition", ""),
    )
    found = {"postcode": place.postcode, "huisnummer": str(place.number)}
    if place.addition:
        found["huisnummertoevoeging"] = place.addition
    born = births.birth(get("birth_date", ""), today)
    # The model knows whole dates only, and the register also knows a year alone.
    if all((born.year, born.month, born.day)):
        found["geboortedatum"] = date(born.year, born.month, born.day).isoformat()
    return found


def _case(line: CaseLine, kept: Sequence[SignalLine], taken_up_at: datetime | None) -> dict[str, Any]:
    found: dict[str, Any] = {"matchingsdatum": line.matched_on.isoformat()}
    if line.result in RESULTS:
        found["resultaat"] = line.result
    if line.purpose.matching.period == "month":
        year, month = int(line.period[:4]), int(line.period[5:7])
        found["startdatumMatchingperiode"] = date(year, month, 1).isoformat()
        found["einddatumMatchingperiode"] = date(year, month, calendar.monthrange(year, month)[1]).isoformat()
    if taken_up_at is not None:
        found["datumOpgepakt"] = local_day(taken_up_at).isoformat()
    found["vroegsignalen"] = [{"ID": identifier} for identifier in sorted(one.signal_id for one in kept)]
    attempts = [_attempt(fact) for fact in line.facts if fact.kind == "attempt"]
    if attempts:
        found["contactpogingen"] = sorted(
            attempts, key=lambda row: (row["datum"], DAYPARTS.index(row["dagdeel"]), row["soort"])
        )
    return found


def _attempt(fact: Fact) -> dict[str, Any]:
    detail = fact.detail
    return {
        "soort": detail["kind"] if detail["kind"] in CONTACTS else "Overige",
        "bereikt": detail["reached"],
        "datum": detail["day"],
        "dagdeel": detail["daypart"],
    }


# ---------------------------------------------------------------- holding it against the model


def problems(document: Any, schema: Mapping[str, Any] | None = None) -> list[str]:
    """What a delivery breaks, as "place: rule", without any value; empty when nothing. Against `model()` unless given.

    Raises `ValueError` for a schema that is none.
    """
    validator = jsonschema_rs.validator_for(
        dict(schema if schema is not None else model()), validate_formats=True
    )
    found = {
        f"{'/'.join(map(str, fault.instance_path)) or 'the whole'}: {fault.kind.name}"
        for fault in validator.iter_errors(document)
    }
    return sorted(found)


def model() -> dict[str, Any]:
    """What the exchange model v1.2 asks, as JSON Schema; a little stricter where its own text is stricter than its file."""
    day = {"type": "string", "format": "date"}
    text, yes = {"type": "string", "minLength": 1}, {"type": "boolean"}
    reference = {"ID": text}
    by_number = _object({"burgerservicenummer": {"type": "string", "pattern": "^[0-9]{9}$"}})
    by_door = _object(
        {
            "postcode": {"type": "string", "pattern": "^[1-9][0-9]{3}[A-Z]{2}$"},
            "huisnummer": {"type": "string", "pattern": "^[1-9][0-9]{0,4}$"},
            "huisnummertoevoeging": text,
            "geboortedatum": day,
            "geslachtsaanduiding": {"enum": [*SEXES]},
        },
        ("postcode", "huisnummer"),
    )
    early_signal = _object(
        {
            "ID": text,
            "crisissignaal": yes,
            "warmeOverdracht": yes,
            "bedrag": {"type": "integer"},
            "ontstaansdatum": day,
            "signaaldatum": day,
            "status": {"enum": sorted(set(STATUSES.values()))},
            "signaalpartner": _object({"type": {"enum": [*PARTNER_TYPES]}}),
            "client": {"oneOf": [by_number, by_door]},
        },
        ("ID", "client", "signaalpartner"),
    )
    attempt = _object(
        {"soort": {"enum": [*CONTACTS]}, "bereikt": yes, "datum": day, "dagdeel": {"enum": [*DAYPARTS]}}, ()
    )
    case = _object(
        {
            "resultaat": {"enum": [*RESULTS]},
            "matchingsdatum": day,
            "startdatumMatchingperiode": day,
            "einddatumMatchingperiode": day,
            "datumOpgepakt": day,
            "vroegsignalen": _list(_object(reference), 1),
            "contactpogingen": {"type": "array", "items": attempt},
        },
        (),
    )
    person = _object(
        {
            "naam": text,
            "telefoonnummer": text,
            "email": {"type": "string", "format": "email"},
            "functietitel": text,
        },
        (),
    )
    organisation = _object({"naam": text, "kvk-nummer": text, "contactpersonen": _list(person, 1)}, ())
    delivery = _object(
        {
            "teller": {"type": "integer"},
            "gemeentecode": text,
            "aanleverendeOrganisatie": organisation,
            "vroegsignalen": {"type": "array", "items": early_signal},
            "vroegsignaalzaken": {"type": "array", "items": case},
        },
        ("aanleverendeOrganisatie", "gemeentecode", "teller"),
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_object(
            {
                "startdatumLevering": day,
                "einddatumLevering": day,
                "aanleverdatumEnTijd": {"type": "string", "format": "date-time"},
                "codeGegevensleverancier": text,
                "leveringen": _list(delivery, 1),
            }
        ),
    }


def _object(properties: Mapping[str, Any], required: Sequence[str] | None = None) -> dict[str, Any]:
    """Nothing but these properties; all of them required unless it is said which."""
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties if required is None else required),
        "additionalProperties": False,
    }


def _list(items: Mapping[str, Any], least: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least, "uniqueItems": True}
