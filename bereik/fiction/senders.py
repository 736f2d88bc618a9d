"""How each partner writes: the same person, spelled as its own system does, with the errors that people make."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any, Final

from bereik.bundle import Bundle
from bereik.declared.partners import Agreement, Partner
from bereik.declared.signals import SignalType
from bereik.errors import LastingError
from bereik.fiction import slips
from bereik.fiction.people import Household, Person, Wheel, plain

_INSTANT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Z]+")


class CannotImagine(LastingError):
    """A contract asks a field for which the fiction knows no value. Add it under `fields` in bereik/fiction/mix.yaml."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How one partner's system writes names and addresses. The same in every signal it sends."""

    prefix: str  # "apart", "in_front" or "behind" the surname
    dots: bool
    marks: bool
    capitals: bool
    joined: bool
    dashed: bool
    contact: bool
    says_municipality: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What one signal tells, apart from whom it is about."""

    event_id: str
    day: date
    since: date
    amount: int
    contract: str
    crisis: bool = False
    warm: bool = False


class Sender:
    """One partner that may send one signal type in some municipalities."""

    def __init__(
        self, partner: Partner, kind: SignalType, bundle: Bundle, mix: Mapping[str, Any], seed: int
    ) -> None:
        """Learn what the contract asks. Raises `CannotImagine` when it asks what the fiction does not know."""
        self.partner, self.kind = partner, kind
        self.purpose = bundle.purposes[kind.purpose]
        self.about_person = self.purpose.subject == "person"
        self.door = partner.door
        sector = mix["sectors"].get(kind.partner_type, mix["sectors"]["default"])
        self.share, self.median, self.sigma = (
            float(sector["share"]),
            float(sector["median"]),
            float(mix["sigma"]),
        )
        # A register that is fed from the population register does not type.
        self.errors: Mapping[str, float] = {} if self.about_person else mix["errors"]
        chance = Random(f"{seed}|{partner.id}")
        self.habits = Habits(
            prefix=Wheel({"apart": 6, "in_front": 2, "behind": 2}).spin(chance),
            dots=chance.random() < 0.5,
            marks=chance.random() < 0.6,
            capitals=chance.random() < 0.15,
            joined=chance.random() < 0.4,
            dashed=chance.random() < 0.25,
            contact=chance.random() < 0.7,
            says_municipality=chance.random() < 0.6,
        )
        self.short = "".join(word[0] for word in re.findall(r"[^\W\d_]+", partner.name))[:4].upper()
        self._encoding = partner.encoding if partner.file_format == "csv" else "utf-8"
        self._plan(mix)

    def _plan(self, mix: Mapping[str, Any]) -> None:
        kind, contract = self.kind, self.kind.contract
        may = set(self.partner.columns.values()) if self.door == "file" else set(contract.fields)
        self.identity = {name: path for name, path in kind.identity.items() if path in may}
        roles = {
            kind.reference_field, kind.date_field, kind.since_field, kind.amount_field, kind.crisis_field, kind.warm_field,
            kind.municipality_field, kind.attestation_field, kind.contract_field,
        }  # fmt: skip

        def usable(path: str | None) -> str | None:
            return path if path in may else None

        self._reference, self._date, self._since = (
            usable(kind.reference_field),
            usable(kind.date_field),
            usable(kind.since_field),
        )
        self.amount_field, self.crisis_field = usable(kind.amount_field), usable(kind.crisis_field)
        self.warm_field, self._contract = usable(kind.warm_field), usable(kind.contract_field)
        self._municipality = usable(kind.municipality_field)
        self._number_is_text = contract.fields[kind.identity["house_number"]].kind != "integer"
        properties: Mapping[str, Any] = contract.schema["properties"]
        conditional = {
            name
            for part in contract.schema.get("allOf", ())
            for name in part.get("then", {}).get("required", ())
        }
        self._others: list[tuple[str, Mapping[str, Any]]] = []
        for name, schema in properties.items():
            if name in roles or name in kind.identity.values() or name not in may:
                continue
            if name in mix["fields"]:
                self._others.append((name, _compiled(mix["fields"][name])))
            elif contract.fields[name].required or name in conditional:
                self._others.append((name, _imagined(name, schema)))

    def agreement(self, municipality: str, first: date, last: date) -> Agreement | None:
        """The agreement under which this sender may send there on both days, with every step vouched for or to be."""
        for one in self.partner.agreements:
            if (
                one.municipality == municipality
                and self.kind.id in one.signal_types
                and one.in_force(first)
                and one.in_force(last)
            ):
                vouched = one.attestation != "agreement" or set(self.kind.steps) <= one.attested
                return one if vouched else None
        return None

    # ------------------------------------------------------------ writing

    def amount(self, chance: Random) -> int:
        """An amount in whole euros, at least 1."""
        return max(1, round(self.median * chance.lognormvariate(0.0, self.sigma)))

    def data(
        self, who: Person, home: Household, facts: Facts, agreement: Agreement | None, chance: Random
    ) -> dict[str, Any]:
        """The data of one report, as this partner writes it. It keeps to the contract."""
        data: dict[str, Any] = {}
        if self._reference:
            data[self._reference] = facts.event_id
        if self._contract:
            data[self._contract] = facts.contract
        self._name(who, data, chance)
        self._address(home, data, chance)
        if self._municipality and self.habits.says_municipality:
            data[self._municipality] = home.municipality
        if self.amount_field:
            data[self.amount_field] = facts.amount
        if self._since:
            data[self._since] = facts.since.isoformat()
        if self._date:
            data[self._date] = facts.day.isoformat()
        if self.crisis_field and facts.crisis:
            data[self.crisis_field] = True
        if self.warm_field and facts.warm:
            data[self.warm_field] = True
        for name, source in self._others:
            data[name] = _value(source, who.age(facts.day), facts.day, chance)
        if agreement is not None and agreement.attestation != "agreement" and self.kind.attestation_field:
            data[self.kind.attestation_field] = dict.fromkeys(self.kind.steps, True)
        return data

    def _name(self, who: Person, data: dict[str, Any], chance: Random) -> None:
        fields, habits, errors = self.identity, self.habits, self.errors
        surname, prefix, initials = who.surname, who.prefix, who.initials
        birth = who.birth_date
        if errors:
            if chance.random() < errors["surname"]:
                surname = slips.typed(surname, chance)
            if prefix and chance.random() < errors["prefix_lost"]:
                prefix = ""
            if chance.random() < errors["initials_first"]:
                initials = initials[:1]
            slip = chance.random()
            if slip < errors["birth_swapped"] and birth.day <= 12:
                birth = birth.replace(month=birth.day, day=birth.month)
            elif slip > 1 - errors["birth_first"]:
                birth = birth.replace(month=1, day=1)
        if prefix and (habits.prefix != "apart" or "prefix" not in fields):
            surname = f"{prefix} {surname}" if habits.prefix != "behind" else f"{surname}, {prefix}"
            prefix = ""
        if habits.capitals:
            surname = surname.upper()
        data[fields["surname"]] = self._spelled(surname)
        if prefix:
            data[fields["prefix"]] = self._spelled(prefix)
        if "initials" in fields:
            data[fields["initials"]] = self._spelled(
                "".join(f"{one}." for one in initials) if habits.dots else initials
            )
        elif "first_names" in fields:
            data[fields["first_names"]] = self._spelled(" ".join(who.given))
        if "birth_date" in fields:
            data[fields["birth_date"]] = birth.isoformat()
        if habits.contact:
            if who.phone and "phone" in fields:
                data[fields["phone"]] = who.phone
            if who.email and "email" in fields:
                data[fields["email"]] = who.email

    def _address(self, home: Household, data: dict[str, Any], chance: Random) -> None:
        fields, habits, errors = self.identity, self.habits, self.errors
        number, letter, addition = home.house_number, home.letter, home.addition
        # No addition is left out here: which door is then meant hangs on what came before, and partners' topics are read side
        # by side. The registers of `bereik linkage generate` leave them out.
        if errors and chance.random() < errors["number"] and number > 9:
            number = int(str(number)[::-1]) or number
        data[fields["postcode"]] = home.postcode
        data[fields["house_number"]] = str(number) if self._number_is_text else number
        if letter and (habits.joined or "house_letter" not in fields):
            letter, addition = "", letter + addition
        if letter:
            data[fields["house_letter"]] = letter
        if addition and "house_number_addition" in fields:
            # Longer ones are no addition any more for the national model, so they are not dashed.
            data[fields["house_number_addition"]] = (
                f"-{addition}" if habits.dashed and len(addition) < 4 else addition
            )

    def _spelled(self, text: str) -> str:
        """The text in the letters this partner's system has."""
        if text.isascii():
            return text
        if not self.habits.marks:
            return plain(text)
        try:
            text.encode(self._encoding)
        except UnicodeEncodeError:
            return plain(text).encode(self._encoding, "ignore").decode(self._encoding)
        return text

    def unit(self, data: Mapping[str, Any]) -> str:
        """The address unit that this data points at; letter and addition count joined, without signs or case."""
        fields = self.kind.identity
        rest = f"{data.get(fields.get('house_letter', ''), '')}{data.get(fields.get('house_number_addition', ''), '')}"
        return f"{data[fields['postcode']]}|{data[fields['house_number']]}|{_NOT_ALPHANUMERIC.sub('', rest.upper())}"

    # ------------------------------------------------------------ files

    def file(self, rows: Sequence[Mapping[str, Any]], spoil: Mapping[int, Mapping[str, str]]) -> bytes:
        """These rows as the file this partner delivers; `spoil` puts a cell's text as it stands: row → field → text."""
        partner = self.partner
        lines = [
            [spoil.get(at, {}).get(path, self._cell(row, path)) for path in partner.columns.values()]
            for at, row in enumerate(rows)
        ]
        if partner.file_format == "xlsx":
            from openpyxl import Workbook

            book = Workbook(write_only=True)
            sheet = book.create_sheet("signalen")
            sheet.append(list(partner.columns))
            for line in lines:
                sheet.append(line)
            held = io.BytesIO()
            book.save(held)
            return _without_clock(held.getvalue())
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=partner.delimiter, lineterminator="\r\n")
        writer.writerow(list(partner.columns))
        writer.writerows(lines)
        return out.getvalue().encode(partner.encoding)

    def _cell(self, row: Mapping[str, Any], path: str) -> str | int:
        value: Any = row
        for step in path.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is None:
            return ""
        if isinstance(value, bool):
            return self.partner.yes_word if value else self.partner.no_word
        if isinstance(value, int):
            return value
        known = self.kind.contract.fields.get(path)
        if known is not None and known.kind == "date":
            try:
                return date.fromisoformat(value).strftime(self.partner.date_format)
            except ValueError:
                return str(value)
        return str(value)


def _without_clock(workbook: bytes) -> bytes:
    """The same workbook without the time of writing, so that the same rows are the same bytes."""
    held = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as old,
        zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            content = (
                _INSTANT.sub(b"2020-01-01T00:00:00Z", old.read(name))
                if name.startswith("docProps/")
                else old.read(name)
            )
            new.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return held.getvalue()


# ---------------------------------------------------------------- fields that are nobody's role

_CANDIDATES: Final = (
    "A",
    "1",
    "12",
    "1234",
    "12345678",
    "00XX",
    "00XX00",
    "onbekend",
    "2020-01-01",
    "x@post.example",
)


def _compiled(source: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"wheel": Wheel(source["choices"])} if "choices" in source else source


def _imagined(name: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A source of values for a field that only its own schema describes."""
    if "enum" in schema:
        return {"wheel": Wheel(dict.fromkeys(schema["enum"], 1.0))}
    match schema.get("type"):
        case "boolean":
            return {"wheel": Wheel({False: 0.9, True: 0.1})}
        case "integer" | "number":
            low = int(schema.get("minimum", 1))
            return {"between": [low, min(int(schema.get("maximum", low + 100)), low + 1_000)]}
        case "string" if schema.get("format") == "date":
            return {"day": True}
        case "string":
            pattern = re.compile(str(schema.get("pattern", "")))
            low, high = int(schema.get("minLength", 0)), int(schema.get("maxLength", 10_000))
            fitting = [text for text in _CANDIDATES if low <= len(text) <= high and pattern.search(text)]
            if fitting:
                return {"wheel": Wheel(dict.fromkeys(fitting, 1.0))}
    raise CannotImagine(f"{CannotImagine.__doc__} ({name})")


def _value(source: Mapping[str, Any], age: int, day: date, chance: Random) -> Any:
    if "wheel" in source:
        return source["wheel"].spin(chance)
    if "between" in source:
        low, high = source["between"]
        return low + int(chance.random() * (high - low + 1))
    if "by_age" in source:
        return next((word for limit, word in source["by_age"] if age <= limit), source["by_age"][-1][1])
    return day.isoformat()
