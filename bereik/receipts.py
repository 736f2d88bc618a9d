"""Receipts: the fate of one event in the words its partner may hear. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import orjson

SOURCE = "urn:bereik:intake"
TYPE = "nl.bereik.ontvangstbewijs-afgegeven.v1"
TOLD = "nl.bereik.ontvangstbewijs-bijgewerkt.v1"
RATE = "nl.bereik.herkenning-gemeld.v1"

# A month with fewer people is not told: a count of so few would say something about one of them.
FEWEST = 10


class Fate(StrEnum):
    """The four ends of a message; there is no fifth."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    PARKED = "parked"


class Gate(StrEnum):
    """What the law at the door said; UNREAD when it was not asked."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    UNCONFIGURED = "unconfigured"
    UNREAD = "unread"


# The national words for the partner.
WORDS: Mapping[Fate, str] = {
    Fate.ACCEPTED: "ontvangen",
    Fate.DUPLICATE: "alOntvangen",
    Fate.REFUSED: "afgekeurd",
    Fate.PARKED: "terzijdeGelegd",
}

# Reasons that intake itself gives: code → Dutch, English. Contract, reading and law have their own texts.
TEXTS: Mapping[str, tuple[str, str]] = {
    "source_not_yours": (
        "source hoort niet bij deze partner; gebruik de source uit uw aansluitgegevens.",
        "source does not belong to this partner; use the source from your connection details.",
    ),
    "unknown_type": ("type is onbekend.", "type is unknown."),
    "unknown_version": (
        "Deze hoofdversie van type wordt niet aangenomen.",
        "This major version of type is not taken.",
    ),
    "unknown_partner": (
        "Er is geen aansluiting voor deze partner.",
        "There is no connection for this partner.",
    ),
    "municipality_mismatch": (
        "De gemeentecode past niet bij postcode en huisnummer.",
        "The municipality code does not fit postcode and house number.",
    ),
    "already_received": (
        "Hetzelfde event is al ontvangen; er is niets veranderd.",
        "The same event was received before; nothing changed.",
    ),
    "id_reuse": (
        "Deze id is al gebruikt voor een ander bericht; geef een nieuw bericht een nieuwe id.",
        "This id was used for another message; give a new message a new id.",
    ),
    "original_unknown": (
        "Het signaal waar dit over gaat is niet ontvangen; stuur eerst het signaal.",
        "The signal that this is about was not received; send the signal first.",
    ),
    "original_withdrawn": (
        "Het signaal is ingetrokken, dus er valt niets te corrigeren; stuur zo nodig een nieuw signaal.",
        "The signal was withdrawn, so there is nothing to correct; send a new signal if one is needed.",
    ),
    "original_gone": (
        "Van dit signaal is te weinig bewaard om het te corrigeren; trek het in en stuur een nieuw signaal.",
        "Too little of this signal is kept to correct it; withdraw it and send a new signal.",
    ),
    "already_withdrawn": (
        "Dit signaal was al ingetrokken; er is niets veranderd.",
        "This signal was withdrawn before; nothing changed.",
    ),
    "nothing_corrected": (
        "Er staat niet in wat er anders moet zijn; noem ten minste één veld.",
        "It does not say what should be different; name at least one field.",
    ),
    "consent_not_counted": (
        "Het signaal is ontvangen. De toestemming telt niet mee: stuur de versie van een formulier dat voor u is"
        " geregistreerd, en wie het tekende.",
        "The signal was received. The consent does not count: send the version of a form that is registered for you, and who"
        " signed it.",
    ),
    "our_fault": (
        "Dit bericht liep op een fout van ons; wij kijken ernaar en het gaat niet verloren.",
        "This message met a fault of ours; we look at it and it is not lost.",
    ),
}


def reason(code: str, nl: str = "", en: str = "", **more: str) -> dict[str, str]:
    """One reason as it is stored and sent; texts come from `TEXTS` unless given."""
    if not nl:
        nl, en = TEXTS[code]
    return {"code": code, "nl": nl, "en": en} | {key: value for key, value in more.items() if value}


def message(
    receipt_id: str,
    fate: Fate,
    event_id: str | None,
    event_type: str | None,
    position: tuple[str, int, int],
    received_at: datetime,
    reasons: Sequence[Mapping[str, str]],
) -> tuple[bytes, bytes]:
    """The receipt as a message for `receipts.<partner>`: (key, CloudEvent). It holds no field of the event's data."""
    topic, partition, offset = position
    key = receipt_id.encode()
    body = {
        "specversion": "1.0",
        "id": f"{receipt_id}:1",
        "source": SOURCE,
        "type": TYPE,
        "time": received_at,
        "datacontenttype": "application/json",
        "data": {
            "ontvangstbewijs": receipt_id,
            "eventId": event_id,
            "eventType": event_type,
            "topic": topic,
            "partitie": partition,
            "volgnummer": offset,
            "ontvangenOp": received_at,
            "lot": WORDS[fate],
            "redenen": reasons,
        },
    }
    return key, orjson.dumps(body, option=orjson.OPT_UTC_Z)


def told_message(receipt_id: str, version: int, word: str, code: str | None, on: date) -> tuple[bytes, bytes]:
    """What became of an accepted event, as a higher version of its receipt: receipt, word, code, day, and nothing else."""
    body = {
        "specversion": "1.0",
        "id": f"{receipt_id}:{version}",
        "source": SOURCE,
        "type": TOLD,
        "datacontenttype": "application/json",
        "data": {"ontvangstbewijs": receipt_id, "versie": version, "woord": word, "code": code, "datum": on},
    }
    return receipt_id.encode(), orjson.dumps(body)


def rate_message(row: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """How many of a partner's people the register of persons did not have as they were reported, in one month: counts only."""
    data = {
        "doel": row["purpose"],
        "maand": row["month"],
        "bevraagd": row["asked"],
        "uniek": row["unique"],
        "afwijkend": row["deviating"],
        "nietGevonden": row["not_found"],
        "aandeel": row["share"],
    }
    body = {
        "specversion": "1.0",
        "id": f"{row['partner']}:{row['purpose']}:{row['month']}",
        "source": "urn:bereik:checks",
        "type": RATE,
        "datacontenttype": "application/json",
        "data": data,
    }
    return str(row["month"]).encode(), orjson.dumps(body)
