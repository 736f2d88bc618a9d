"""Check before contact: what is asked of the national register, and what its answer means for a case. Pure.

Two paths, as the national matching service for health care has them (SBV-Z): birth date with address, then birth date
with surname. A case is only ended on the person that was asked about; every doubt goes to a tray, and the case stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol

from bereik import linkage
from bereik.linkage import Identity, Traits
from bereik.signal import is_bsn


class Answer(StrEnum):
    """What the register says of one person of one case."""

    UNIQUE = "unique"
    DEVIATING = "deviating"
    NOT_FOUND = "not_found"
    MOVED = "moved"
    DECEASED = "deceased"
    IN_ONDERZOEK = "in_onderzoek"


# A person looks at these; the case stands meanwhile and its terms run on.
TRAY = frozenset({Answer.DEVIATING, Answer.NOT_FOUND, Answer.IN_ONDERZOEK})


class Choice(StrEnum):
    """What somebody decides about an answer in the tray."""

    REGISTER = "register"
    PARTNER = "partner"
    ASKED = "asked"
    OTHER_PERSON = "other_person"
    NO_RESIDENT = "no_resident"


# Kinds of facts about the persons of a case. The detail of each names the person by its keyed id.
RESIDENT, KNOWN, REPAIRED, MOVED_AWAY, SECRECY = "resident", "known", "repaired", "moved_away", "secrecy"
# That a mover's case is offered, told to the team that leads where somebody lives now.
OFFERED = "offer_waiting"
# What becomes of a mover's case: the answer to its offer, on the old case; and on the new one, which it goes on from.
OFFER_ANSWERED, TAKEN_OVER = "offer_answered", "taken_over"

# Everything that is ever asked of the register, and nothing else: no household, income, nationality or sex. The number
# itself, what tells people apart, and where somebody is registered. Death, emigration, secrecy and a running
# investigation come with any answer by the register's own rules and cannot be asked for.
SEARCH_FIELDS = (
    "burgerservicenummer",
    "geboorte.datum",
    "naam.geslachtsnaam",
    "naam.voorletters",
    "naam.voorvoegsel",
)
RECORD_FIELDS = (
    "burgerservicenummer",
    "geboorte.datum",
    "gemeenteVanInschrijving",
    "naam.geslachtsnaam",
    "naam.voorletters",
    "naam.voorvoegsel",
    "verblijfplaats.verblijfadres.huisletter",
    "verblijfplaats.verblijfadres.huisnummer",
    "verblijfplaats.verblijfadres.huisnummertoevoeging",
    "verblijfplaats.verblijfadres.postcode",
)

# Reasons for which a record is no longer kept up (LO3, table 36 "reden opschorting").
_DIED, _LEFT = "O", frozenset({"E", "M", "R"})
# A record that was made by mistake is nobody.
_MISTAKE = "F"


@dataclass(frozen=True, slots=True)
class Resident:
    """One record of the register, as far as we ask for it. Printing it shows nothing."""

    bsn: str
    who: Identity
    municipality: str
    died: bool
    left: bool
    investigated: bool
    secret: bool

    def __repr__(self) -> str:
        """Never a value."""
        return "Resident(***)"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer, and the names of the fields that differ, in the national terms. `resident` is who was found."""

    answer: Answer
    differences: tuple[str, ...] = ()
    resident: Resident | None = None


# ---------------------------------------------------------------- asking


def questions(who: Identity, today: date) -> list[dict[str, Any]]:
    """The searches for one person, in the order in which they are tried; none without a full birth date.

    Dead people are included: that somebody died is an answer too.
    """
    one = linkage.traits(who, today)
    if not one.birth_date:
        return []
    asked: list[dict[str, Any]] = []
    if one.building:
        asked.append(
            {
                "type": "ZoekMetPostcodeEnHuisnummer",
                "postcode": one.postcode,
                "huisnummer": one.number,
                "geboortedatum": one.birth_date,
                "inclusiefOverledenPersonen": True,
                "fields": list(SEARCH_FIELDS),
            }
        )
    if surname := who.fields.get("surname", "").strip():
        asked.append(
            {
                "type": "ZoekMetGeslachtsnaamEnGeboortedatum",
                "geslachtsnaam": surname,
                "geboortedatum": one.birth_date,
                "inclusiefOverledenPersonen": True,
                "fields": list(SEARCH_FIELDS),
            }
        )
    return asked


def record_of(bsn: str) -> dict[str, Any]:
    """The question for one record."""
    return {
        "type": "RaadpleegMetBurgerservicenummer",
        "burgerservicenummer": [bsn],
        "fields": list(RECORD_FIELDS),
    }


def read(person: Mapping[str, Any]) -> Resident:
    """A `Persoon` or `PersoonBeperkt` of the register. A field that is absent is unknown."""
    name, stay = person.get("naam") or {}, person.get("verblijfplaats") or {}
    home = stay.get("verblijfadres") or {}
    reason = ((person.get("opschortingBijhouding") or {}).get("reden") or {}).get("code", "")
    fields = {
        "surname": name.get("geslachtsnaam"),
        "prefix": name.get("voorvoegsel"),
        "initials": name.get("voorletters"),
        # An incomplete date has another type and no `datum`: then it is unknown.
        "birth_date": ((person.get("geboorte") or {}).get("datum") or {}).get("datum"),
        "postcode": home.get("postcode"),
        "house_number": home.get("huisnummer"),
        "house_letter": home.get("huisletter"),
        "house_number_addition": home.get("huisnummertoevoeging"),
    }
    return Resident(
        bsn=str(person.get("burgerservicenummer") or ""),
        who=Identity({key: str(value) for key, value in fields.items() if value}),
        municipality=str((person.get("gemeenteVanInschrijving") or {}).get("code") or ""),
        died=reason == _DIED,
        left=reason in _LEFT or stay.get("type") in ("VerblijfplaatsBuitenland", "VerblijfplaatsOnbekend"),
        investigated=_investigated(person),
        secret=bool(person.get("geheimhoudingPersoonsgegevens")),
    )


def _investigated(person: Mapping[str, Any]) -> bool:
    parts = (person, person.get("naam"), person.get("geboorte"), person.get("verblijfplaats"))
    home = (person.get("verblijfplaats") or {}).get("verblijfadres")
    return any(part.get("inOnderzoek") for part in (*parts, home) if part)


def people(found: Iterable[Mapping[str, Any]]) -> list[Resident]:
    """The records that are somebody, each once."""
    seen: dict[str, Resident] = {}
    for person in found:
        reason = ((person.get("opschortingBijhouding") or {}).get("reden") or {}).get("code", "")
        one = read(person)
        if reason != _MISTAKE and is_bsn(one.bsn):
            seen.setdefault(one.bsn, one)
    return list(seen.values())


def single(who: Identity, found: Sequence[Resident], today: date) -> Resident | None:
    """The one that is meant: the only one, or the only one with that surname and those initials; else None."""
    if len(found) == 1:
        return found[0]
    asked = linkage.traits(who, today)
    alike = [one for one in found if not _person_differences(asked, linkage.traits(one.who, today))]
    return alike[0] if len(alike) == 1 else None


# ---------------------------------------------------------------- judging


def judge(who: Identity, municipality: str, found: Resident | None, today: date) -> Verdict:
    """What one record means for a person of a case in this municipality.

    Dead and moved hold only for the person that was asked about: when surname, initials or birth date differ too, it may
    be somebody else, and a person looks.
    """
    if found is None:
        return Verdict(Answer.NOT_FOUND)
    asked, known = linkage.traits(who, today), linkage.traits(found.who, today)
    person, place = _person_differences(asked, known), _place_differences(asked, known)
    if person and (found.died or found.left or found.municipality != municipality):
        return Verdict(Answer.DEVIATING, (*person, "verblijfplaats"), found)
    if found.died:
        return Verdict(Answer.DECEASED, (), found)
    if found.investigated:
        return Verdict(Answer.IN_ONDERZOEK, (*person, *place), found)
    if found.left or found.municipality != municipality:
        return Verdict(Answer.MOVED, (), found)
    if person or place:
        return Verdict(Answer.DEVIATING, (*person, *place), found)
    return Verdict(Answer.UNIQUE, (), found)


def _person_differences(asked: Traits, known: Traits) -> tuple[str, ...]:
    """Names of the fields about the person that are known on both sides and differ.

    A surname agrees when one part does: people use their own name, their partner's, or both. Initials agree when one
    side's begin with the other's.
    """
    found = []
    if asked.surnames and known.surnames and set(asked.surnames).isdisjoint(known.surnames):
        found.append("geslachtsnaam")
    one, other = asked.initials, known.initials
    if one and other and not (one.startswith(other) or other.startswith(one)):
        found.append("voorletters")
    if all(asked.birth) and all(known.birth) and asked.birth != known.birth:
        found.append("geboortedatum")
    return tuple(found)


def _place_differences(asked: Traits, known: Traits) -> tuple[str, ...]:
    """Names of the address fields that differ; a door that one side did not write is no difference."""
    found = []
    if asked.postcode != known.postcode:
        found.append("postcode")
    if asked.number != known.number:
        found.append("huisnummer")
    if asked.addition and known.addition and asked.addition != known.addition:
        found.append("huisnummertoevoeging")
    return tuple(found)


# ---------------------------------------------------------------- what follows for a case


class Stated(Protocol):
    """A fact about a case."""

    @property
    def kind(self) -> str: ...
    @property
    def detail(self) -> Mapping[str, Any]: ...
    @property
    def stated_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state (`when` of purposes.yaml) that the registers put a case in, and since when."""

    when: str
    since: datetime


def outcome(facts: Iterable[Stated], persons: Collection[str]) -> Outcome | None:
    """Where a case of these persons ends by what the registers say: deceased, moved or known; None when it does not.

    A case is about everybody whose signals it holds: it leaves the team's hands only when that holds for each of them.
    What was stated last about a person counts, so a repair overrules the register and a later answer the repair.
    """
    last: dict[str, Outcome | None] = {}
    known: dict[str, Outcome | None] = {}
    for fact in sorted(facts, key=lambda fact: fact.stated_at):
        person, at = str(fact.detail.get("person_id", "")), fact.stated_at
        if fact.kind == RESIDENT:
            answer = fact.detail["answer"]
            last[person] = Outcome(answer, at) if answer in (Answer.DECEASED, Answer.MOVED) else None
        elif fact.kind == REPAIRED:
            gone = fact.detail["choice"] == Choice.NO_RESIDENT
            last[person] = Outcome(Answer.MOVED.value, at) if gone else None
        elif fact.kind == KNOWN:
            known[person] = Outcome(KNOWN, at) if fact.detail["yes"] else None
    found = [last.get(person) or known.get(person) for person in persons]
    ends = [one for one in found if one is not None]
    if not ends or len(ends) < len(found):
        return None
    word = next(word for word in (KNOWN, "moved", "deceased") if any(one.when == word for one in ends))
    return Outcome(word, max(one.since for one in ends))


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody of a case about whom a person must decide. `asked`: the partner was asked, and has not answered yet."""

    person_id: str
    answer: Answer
    differences: tuple[str, ...]
    since: datetime
    asked: bool


def waiting(facts: Iterable[Stated]) -> list[Waiting]:
    """Who of one case is in the tray by what was stated about it: the last answer is a doubt, and nobody repaired it since."""
    found: dict[str, Waiting] = {}
    for fact in sorted(facts, key=lambda fact: fact.stated_at):
        person = str(fact.detail.get("person_id", ""))
        if fact.kind == RESIDENT:
            found.pop(person, None)
            answer = Answer(fact.detail["answer"])
            if answer in TRAY:
                names = tuple(fact.detail.get("differences", ()))
                found[person] = Waiting(person, answer, names, fact.stated_at, asked=False)
        elif fact.kind == REPAIRED and person in found:
            if fact.detail["choice"] == Choice.ASKED:
                found[person] = replace(found[person], asked=True)
            else:
                del found[person]
    return list(found.values())


# ---------------------------------------------------------------- events of the register


@dataclass(frozen=True, slots=True)
class Change:
    """One event of the register about one person. `answer` is None when nothing but the address or secrecy changed."""

    event_id: str
    bsn: str
    kind: str
    answer: Answer | None
    municipality: str | None
    secret: bool | None

    def __repr__(self) -> str:
        """Never a value."""
        return f"Change({self.kind})"


# The types that the national events service publishes, in the order of its own list; ours is a subscriber's view of them.
MOVED_OUT = "nl.brp.verhuisd.intergemeentelijk"
MOVED_WITHIN = "nl.brp.verhuisd.intragemeentelijk"
MOVED_ABROAD = "nl.brp.verhuisd.naar-buitenland"
DIED = "nl.brp.overleden"
RESTRICTED = "nl.brp.verstrekkingsbeperking"
_ANSWERS: Mapping[str, Answer | None] = {
    MOVED_OUT: Answer.MOVED,
    MOVED_ABROAD: Answer.MOVED,
    DIED: Answer.DECEASED,
    MOVED_WITHIN: None,
    RESTRICTED: None,
}


def kept(change: Change) -> dict[str, Any]:
    """An event as it is held until somebody decided whom it is about: without the number, under which it is held."""
    return {
        "event_id": change.event_id,
        "kind": change.kind,
        "municipality": change.municipality,
        "secret": change.secret,
    }


def change_of(held: Mapping[str, Any]) -> Change:
    """The event that `kept` made this of."""
    kind = held["kind"]
    return Change(held["event_id"], "", kind, _ANSWERS[kind], held["municipality"], held["secret"])


class NotAnEvent(ValueError):
    """This is no event of the register that we know: type, id or number is missing or of another kind."""


def read_event(event: Mapping[str, Any]) -> Change:
    """A CloudEvent of the register. Raises `NotAnEvent`, without any value of it."""
    kind, data, event_id = event.get("type"), event.get("data"), event.get("id")
    if (
        not isinstance(kind, str)
        or kind not in _ANSWERS
        or not isinstance(event_id, str)
        or not isinstance(data, dict)
    ):
        raise NotAnEvent()
    bsn = data.get("burgerservicenummer")
    if not isinstance(bsn, str) or not is_bsn(bsn):
        raise NotAnEvent()
    where = data.get("gemeenteVanInschrijving")
    code = where.get("code") if isinstance(where, dict) else None
    secret = data.get("geheimhoudingPersoonsgegevens")
    if kind == MOVED_OUT and not isinstance(code, str):
        raise NotAnEvent()
    return Change(
        event_id,
        bsn,
        kind,
        _ANSWERS[kind],
        code if isinstance(code, str) else None,
        bool(secret) if kind == RESTRICTED else None,
    )
