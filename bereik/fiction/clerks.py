"""Clerks: how one partner puts somebody into its customer file, in its own way and with the slips that people make."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any, NamedTuple

from bereik.fiction import slips
from bereik.fiction.people import Names, Person, Wheel, plain

_DIGRAPHS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ø": "oe", "å": "aa"}
)
# As long as names are in a mainframe of that age.
_MAINFRAME_LETTERS = 18


class Card(NamedTuple):
    """The identity fields of one signal, in the columns of the linkage files. Empty is unknown."""

    voorletters: str = ""
    voornamen: str = ""
    voorvoegsel: str = ""
    geslachtsnaam: str = ""
    geboortedatum: str = ""
    postcode: str = ""
    huisnummer: str = ""
    huisletter: str = ""
    huisnummertoevoeging: str = ""
    telefoonnummer: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """One address unit. `number` is the truth that household recognition has to find back."""

    number: int
    postcode: str
    house_number: int
    letter: str = ""
    addition: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What can be known about somebody on a day. `naming` says which names are used; `known_birth` 3: to the day, 1: the year."""

    who: Person
    home: Home
    naming: str
    partner_name: tuple[str, str]
    phones: tuple[str, ...]
    email: str
    business: str
    known_birth: int


@dataclass(frozen=True, slots=True)
class Habits:
    """How one partner's system holds names and addresses: a word of `registers.yaml` each. The same in all it sends."""

    prefix: str
    prefix_case: str
    letters: str
    marks: str
    ij: str
    initials: str
    first_names: str
    naming: str
    hyphen: str
    joint: str
    number: str
    postcode: str
    unknown_day: str
    phone: str
    contact: str
    old_address: str
    desk_phone: str
    birth_date: bool
    business: float
    sloppy: float


def deal(shares: Mapping[str, float], hands: int, chance: Random) -> list[str]:
    """One value for each of so many partners, together as close to the shares as can be."""
    start, wheel = chance.random(), Wheel(shares)
    dealt = [wheel.at((place + start) / hands) for place in range(hands)]
    chance.shuffle(dealt)
    return dealt


class Clerk:
    """Writes cards for one partner. Chance is an argument: the same chance makes the same card, slips included."""

    def __init__(
        self, partner: str, habits: Habits, errors: Mapping[str, float], names: Names, desk_phone: str
    ) -> None:
        self.partner, self.habits = partner, habits
        self._errors = {name: rate * habits.sloppy for name, rate in errors.items()}
        self._names, self._desk_phone = names, desk_phone

    def card(self, known: Known, other: Known | None, chance: Random) -> Card:
        """The card of somebody, or of a joint contract: then `other` is the second holder."""
        habits, errors = self.habits, self._errors
        if known.business and chance.random() < habits.business:
            initials = given = prefix = birth = ""
            surname = known.business
        else:
            prefix, surname = self._surname(known, chance)
            initials, given = self._given(known.who, chance)
            birth = self._birth(known, other, chance)
            if other is not None and habits.joint == "both":
                second = self._in_front(*self._surname(other, chance))
                surname, initials = (
                    f"{surname} en/of {second}",
                    f"{initials} en/of {self._given(other.who, chance)[0]}",
                )
        prefix, surname = self._placed(prefix, surname)
        phone = email = ""
        if habits.contact != "none":
            phone = self._phone(known.phones, chance)
            if habits.contact == "both" and chance.random() >= errors["email_missing"]:
                email = known.email
                if email and chance.random() < errors["email_slip"]:
                    box, _, domain = email.partition("@")
                    email = f"{slips.typed(box, chance)}@{domain}"
        return Card(
            self._spelled(initials), self._spelled(given), self._spelled(prefix), self._spelled(surname), birth,
            *self._address(known.home, chance), phone, email,
        )  # fmt: skip

    # ------------------------------------------------------------ names

    def _surname(self, known: Known, chance: Random) -> tuple[str, str]:
        """Voorvoegsel and surname as this partner builds them of the own name and a partner's."""
        who, habits, errors = known.who, self.habits, self._errors
        naming = known.naming
        if naming != "own" and habits.naming != "as_used":
            naming = habits.naming
        own, partner = (who.prefix, who.surname), known.partner_name
        parts = {
            "own": [own],
            "partner": [partner],
            "own-partner": [own, partner],
            "partner-own": [partner, own],
            "ev": [own, partner],
        }[naming if partner[1] else "own"]
        if len(parts) == 2 and chance.random() < errors["part_missing"]:
            parts = [parts[int(chance.random() * 2)]]
        sounds: Sequence[Sequence[str]] = self._names.origins[who.origin]["sounds"]
        if chance.random() < errors["surname_typed"]:
            parts[0] = (parts[0][0], slips.typed(parts[0][1], chance))
        if chance.random() < errors["surname_heard"]:
            parts[0] = (parts[0][0], slips.heard(parts[0][1], sounds, chance))
        prefix, surname = parts[0]
        if len(parts) == 2:
            between = " e/v " if naming == "ev" else habits.hyphen
            surname = f"{surname}{between}{self._in_front(*parts[1])}"
        if prefix and chance.random() < errors["prefix_missing"]:
            prefix = ""
        return prefix, surname

    def _in_front(self, prefix: str, surname: str) -> str:
        return f"{prefix} {surname}" if prefix else surname

    def _placed(self, prefix: str, surname: str) -> tuple[str, str]:
        """Voorvoegsel and surname in the fields where this partner keeps them."""
        if not prefix:
            return "", surname
        if self.habits.prefix_case == "title":
            prefix = prefix[:1].upper() + prefix[1:]
        match self.habits.prefix:
            case "apart":
                return prefix, surname
            case "behind":
                return "", f"{surname}, {prefix}"
            case "behind_bare":
                return "", f"{surname} {prefix}"
            case "glued":
                return "", f"{prefix}{surname}".replace(" ", "").capitalize()
            case "none":
                return "", surname
        return "", f"{prefix} {surname}"

    def _given(self, who: Person, chance: Random) -> tuple[str, str]:
        """Initials and first names."""
        habits, errors = self.habits, self._errors
        letters = [name[0] for name in who.given]
        given = list(who.given)
        called = who.called
        if chance.random() < errors["given_slip"]:
            sounds: Sequence[Sequence[str]] = self._names.origins[who.origin]["sounds"]
            given[0], called = slips.heard(given[0], sounds, chance), slips.heard(called, sounds, chance)
        slip = chance.random()
        for name, mistaken in (
            ("initials_first", letters[:1]),
            ("initials_called", [who.called[0]]),
            ("initials_wrong", ["ABCDEFGHIJKLMNOPRSTVWYZ"[int(chance.random() * 23)]]),
            ("initials_missing", []),
        ):
            if slip < errors[name]:
                letters = mistaken
                break
            slip -= errors[name]
        first_names = habits.first_names
        if habits.initials == "none" and first_names == "none":
            first_names = "called"
        written = {"none": "", "called": called, "first": given[0], "full": " ".join(given)}[first_names]
        match habits.initials:
            case "none":
                return "", written
            case "first":
                return "".join(letters[:1]), written
            case "called":
                return (f"{who.called[0]}." if letters else ""), written
            case "plain":
                return "".join(letters), written
            case "spaced":
                return " ".join(letters), written
            case "dots_spaced":
                return " ".join(f"{one}." for one in letters), written
        return "".join(f"{one}." for one in letters), written

    def _spelled(self, text: str) -> str:
        """The text in the letters of this partner's system."""
        habits = self.habits
        if habits.ij == "y":
            text = text.replace("ij", "y").replace("IJ", "Y")
        elif habits.ij == "sign":
            text = text.replace("ij", "ĳ").replace("IJ", "Ĳ")
        elif habits.ij == "diaeresis":
            text = text.replace("ij", "ÿ").replace("IJ", "Ÿ")
        if habits.marks == "digraph":
            text = text.translate(_DIGRAPHS)
        if (habits.marks != "kept" or habits.letters == "mainframe") and not text.isascii():
            text = plain(text)
        match habits.letters:
            case "capitals":
                return text.upper()
            case "mainframe":
                return text.upper()[:_MAINFRAME_LETTERS].strip()
            case "title":
                return re.sub(r"(^|[\s-])(\w)", lambda found: found[1] + found[2].upper(), text)
            case "small":
                return text.lower()
        return text

    # ------------------------------------------------------------ birth, address, contact

    def _birth(self, known: Known, other: Known | None, chance: Random) -> str:
        errors = self._errors
        if not self.habits.birth_date or chance.random() < errors["birth_missing"]:
            return ""
        who = known.who
        if other is not None and chance.random() < errors["other_holder"]:
            who = other.who
        day = who.birth_date
        if known.known_birth == 1:
            return {"zeros": f"{day.year}-00-00", "first": f"{day.year}-01-01", "empty": ""}[
                self.habits.unknown_day
            ]
        slip = chance.random()
        if slip < errors["birth_swapped"]:
            return day.replace(month=day.day, day=day.month).isoformat() if day.day <= 12 else day.isoformat()
        slip -= errors["birth_swapped"]
        if slip < errors["birth_digit"]:
            return _mistyped(day, chance)
        slip -= errors["birth_digit"]
        if slip < errors["birth_first"]:
            return f"{day.year}-01-01"
        slip -= errors["birth_first"]
        if slip < errors["birth_unknown"]:
            return f"{day.year}-{day.month:02d}-00" if chance.random() < 0.5 else f"{day.year}-00-00"
        return day.isoformat()

    def _address(self, home: Home, chance: Random) -> tuple[str, str, str, str]:
        """Postcode, number, letter and addition, in the fields where this partner keeps them."""
        habits, errors = self.habits, self._errors
        postcode, number, letter, addition = home.postcode, str(home.house_number), home.letter, home.addition
        if chance.random() < errors["postcode"]:
            postcode = slips.digit(postcode[:4], chance) + postcode[4:]
        if chance.random() < errors["number"]:
            number = slips.digit(number, chance)
        if chance.random() < errors["addition_missing"]:
            letter = addition = ""
        if habits.postcode == "space":
            postcode = f"{postcode[:4]} {postcode[4:]}"
        elif habits.postcode == "small":
            postcode = postcode.lower()
        joined = letter + addition
        match habits.number if joined else "apart":
            case "joined":
                return postcode, number, "", joined
            case "dashed":
                return postcode, number, letter, f"-{addition}" if addition else ""
            case "dash":
                return postcode, f"{number}{letter}-{addition}" if addition else f"{number}-{letter}", "", ""
            case "space":
                return postcode, f"{number}{letter} {addition}" if addition else f"{number} {letter}", "", ""
            case "glued":
                between = "-" if joined[0].isdigit() else ""
                return postcode, f"{number}{between}{joined}", "", ""
            case "word":
                return postcode, f"{number} toev. {joined}", "", ""
        return postcode, number, letter, addition

    def _phone(self, phones: Sequence[str], chance: Random) -> str:
        habits, errors = self.habits, self._errors
        if habits.desk_phone == "sometimes" and chance.random() < 0.06:
            return self.formatted(self._desk_phone)
        if not phones or chance.random() < errors["phone_missing"]:
            return ""
        chosen = phones[0] if chance.random() < 0.75 else phones[-1]
        if chance.random() < errors["phone_digit"]:
            chosen = chosen[:4] + slips.digit(chosen[4:], chance)
        if habits.phone == "two" and len(phones) > 1:
            return "/".join(self.formatted(one) for one in phones)
        return self.formatted(chosen)

    def formatted(self, phone: str) -> str:
        """A national number, such as 0699123456, as this partner notes it."""
        mobile = phone.startswith("06")
        area, rest = (phone[:2], phone[2:]) if mobile else (phone[:4], phone[4:])
        match self.habits.phone:
            case "dash" | "two":
                return f"{area}-{rest}"
            case "country":
                return f"+31{phone[1:]}"
            case "zeros":
                return f"0031 {phone[1:]}"
            case "spaces":
                return " ".join((area, *(rest[at : at + 2] for at in range(0, len(rest), 2))))
        return phone


def _mistyped(day: date, chance: Random) -> str:
    """The date with one slip in it that is still a date."""
    year, month, number = f"{day.year}", f"{day.month}", f"{day.day}"
    for _ in range(8):
        part = int(chance.random() * 3)
        found = [year, month, number]
        found[part] = slips.digit(found[part] if part else found[part][2:], chance)
        if not part:
            found[0] = year[:2] + found[0]
        try:
            made = date(*(int(one) for one in found))
        except ValueError:
            continue
        if made != day:
            return made.isoformat()
    return day.isoformat()


def partners(
    rules: Mapping[str, Any], held_out: bool, first_number: int, names: Names, chance: Random
) -> dict[str, list[Clerk]]:
    """The clerks of every sector. Habits are dealt over all partners, so that their shares hardly differ by seed."""
    sectors: Mapping[str, Any] = rules["sectors"]
    places = [(sector, place) for sector, one in sectors.items() for place in range(one["partners"])]
    dealt: dict[str, list[str]] = {}
    for name, shares in rules["habits"].items():
        more = rules["held_out"].get(name, {}) if held_out else {}
        dealt[name] = deal({**shares, **more}, len(places), chance)
    sloppy = deal({str(one): 1.0 for one in rules["file_errors"]["sloppy"]}, len(places), chance)
    errors = {name: rate for name, rate in rules["file_errors"].items() if name != "sloppy"}
    found: dict[str, list[Clerk]] = {}
    for at, (sector, place) in enumerate(places):
        one = sectors[sector]
        if not place:
            with_birth = deal(
                {"yes": one["birth_date"], "no": 1 - one["birth_date"]}, one["partners"], chance
            )
            first_names = deal(one["first_names"], one["partners"], chance)
        habits = Habits(
            **{name: values[at] for name, values in dealt.items()},
            first_names=first_names[place],
            birth_date=with_birth[place] == "yes",
            business=float(one.get("business", 0)),
            sloppy=float(sloppy[at]),
        )
        number = first_number + place
        found.setdefault(sector, []).append(
            Clerk(f"{sector}-{number}", habits, errors, names, f"0999{800_000 + 100 * at + number:06d}")
        )
    return found
