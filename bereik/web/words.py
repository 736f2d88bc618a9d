"""What the active declarations call things, in one language; and how a case, a field and a moment are spoken of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime

from bereik.bundle import Bundle
from bereik.declared.municipalities import Team
from bereik.store.accounts import Account
from bereik.store.board import CaseRow
from bereik.web.texts import count, known, label, local, long_date, plain, text

_ISO_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")


def reference(case_id: str) -> str:
    """What people call a case on the phone: the first eight digits of its id."""
    return f"{case_id[:4]}-{case_id[4:8]}".upper()


def spaced(name: str) -> str:
    """The name of a field or a word as people write it: `ouderMetGezag` as `ouder met gezag`."""
    return re.sub("([A-Z])", lambda found: " " + found[1].lower(), name)


def moment(at: datetime, language: str) -> str:
    """A moment as people write it, in Amsterdam."""
    at = local(at)
    return f"{long_date(at.date(), language)}, {at:%H:%M}"


class Words:
    """Names out of the bundle in one language. What the active bundle no longer knows is called by its id."""

    def __init__(self, bundle: Bundle, language: str) -> None:
        self.bundle = bundle
        self.language = language

    def t(self, key: str, **values: object) -> str:
        """The board's own words for a key."""
        return text(key, self.language, **values)

    def count(self, number: int) -> str:
        """A count, with thousands marked."""
        return count(number, self.language)

    def purpose(self, purpose: str) -> str:
        """The name of a purpose."""
        found = self.bundle.purposes.get(purpose)
        return label(found.name, self.language) if found else plain(purpose)

    def municipality(self, code: str) -> str:
        """The name of a municipality."""
        found = self.bundle.municipalities.get(code)
        return found.name if found else code

    def area(self, municipality: str, area: str | None) -> str:
        """The name of an area; '' for none."""
        found = self.bundle.municipalities.get(municipality)
        return "" if area is None else (found.areas.get(area, plain(area)) if found else plain(area))

    def team(self, municipality: str, team: str) -> Team | None:
        """A team of a municipality as declared, or None."""
        found = self.bundle.municipalities.get(municipality)
        return next((each for each in found.teams if each.id == team), None) if found else None

    def team_name(self, municipality: str, team: str) -> str:
        """The name of a team."""
        found = self.team(municipality, team)
        return found.name if found else plain(team)

    def team_names(self, account: Account) -> list[str]:
        """The teams of an account that exist."""
        found = [self.team(member.municipality, member.team) for member in account.members]
        return [team.name for team in found if team]

    def partner(self, partner: str) -> str:
        """The name of a partner."""
        found = self.bundle.partners.get(partner)
        return found.name if found else plain(partner)

    def signal_type(self, signal_type: str) -> str:
        """The name of a signal type."""
        found = self.bundle.kinds.get(signal_type)
        return label(found.label, self.language) if found else plain(signal_type)

    def sector(self, signal_type: str) -> str:
        """The short name on a chip: in Dutch the national word for the source where that is used, else the type's name."""
        found = self.bundle.signal_types.get(signal_type)
        purpose = self.bundle.purposes.get(found.purpose) if found else None
        return (
            found.partner_type
            if found and purpose and purpose.ddas and self.language == "nl"
            else self.signal_type(signal_type)
        )

    def status(self, purpose: str, status: str) -> str:
        """The name of a state."""
        found = self.bundle.purposes.get(purpose)
        word = next((each for each in found.states if each.id == status), None) if found else None
        return label(word.label, self.language) if word else plain(status)

    def kind(self, kind: str) -> str:
        """The name of a kind of case."""
        return known(f"kind.{kind}", self.language) or plain(kind)

    def priority(self, row: CaseRow) -> str:
        """Why a case has its priority: as decided, else by the published rule of that level."""
        decided = label(row.decision.get("priority_reason"), self.language)
        found = self.bundle.purposes.get(row.purpose)
        rules = [rule for rule in found.priorities if rule.level == row.priority] if found else []
        return decided or (label(rules[0].label, self.language) if len(rules) == 1 else "")

    def reasons(self, row: CaseRow) -> list[str]:
        """Why a case is what it is, as stored with the decision."""
        stored = row.decision.get("reasons")
        found = [label(reason, self.language) for reason in stored] if isinstance(stored, list) else []
        return [_ISO_DATE.sub(lambda m: self._day(m[0]), words) for words in found if words]

    def _day(self, iso: str) -> str:
        """An ISO date as people write it; what only looks like one is left alone."""
        try:
            return long_date(date.fromisoformat(iso), self.language)
        except ValueError:
            return iso

    def step(self, step: object, municipality: str) -> str:
        """One step of a route in plain words: `area=noord|zuid` as 'gebied: Noord of Zuid'."""
        if isinstance(step, Mapping):
            return label(step, self.language) or ", ".join(
                self._matcher(str(name), _texts(values), municipality) for name, values in step.items()
            )
        parts = [part.partition("=") for part in str(step).split(", ")]
        return ", ".join(
            self._matcher(name, values.split("|"), municipality) if values else plain(name)
            for name, _, values in parts
        )

    def _matcher(self, name: str, values: Iterable[str], municipality: str) -> str:
        spoken = [self._value(name, value, municipality) for value in values]
        name_of_it = known(f"label.{name}", self.language) or plain(name)
        return f"{name_of_it}: " + f" {self.t('or')} ".join(spoken)

    def _value(self, name: str, value: str, municipality: str) -> str:
        if name == "area":
            return self.area(municipality, value)
        if name == "type":
            return self.signal_type(value)
        if name == "kind":
            return self.kind(value)
        if name == "language":
            words = (word for purpose in self.bundle.purposes.values() for word in purpose.words["languages"])
            return next((label(word.label, self.language) for word in words if word.id == value), value)
        return known(value, self.language) or value if value in ("yes", "no") else plain(value)

    def field(self, name: str, other: str) -> str:
        """A field that crosses a bridge, in words."""
        key = f"bridge.field.{name}"
        return self.t(key, other=other) if known(key, self.language) else plain(name)

    def value(self, value: object) -> str:
        """A value that crosses a bridge, in words; '' for nothing."""
        if value is True:
            return self.t("bridge.any")
        if isinstance(value, str) and _ISO_DATE.fullmatch(value):
            return self._day(value)
        if isinstance(value, Mapping):
            return label(value, self.language) or ", ".join(
                filter(None, (self.value(each) for each in value.values()))
            )
        if isinstance(value, list | tuple):
            return ", ".join(filter(None, (self.value(each) for each in value)))
        return "" if value is None or value is False else str(value)


def _texts(values: object) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list | tuple) else [str(values)]
