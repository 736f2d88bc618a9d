"""Which cases the board was asked for: the choices of its address, and what its filter row offers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from bereik.bundle import Bundle
from bereik.days import local_day
from bereik.lifecycle import OPEN
from bereik.store.board import Choices, Filters
from bereik.web.texts import month_name, plain
from bereik.web.words import Words

# Rows on a page of the board.
PAGE_SIZE = 50
# Days before its last day in which a case is soon due.
SOON_DAYS = 7
_LONGEST_PARAMETER = 100


def page_asked(params: Mapping[str, str]) -> int:
    """The number of the page that the address asks for; 1 for what is no number."""
    number = params.get("page", "1")
    return max(1, int(number)) if number.isascii() and number.isdigit() and len(number) < 6 else 1


@dataclass(frozen=True, slots=True)
class Part:
    """One page of a longer list: its number, how many there are, and where to go from here."""

    number: int
    of: int
    previous: str | None
    next: str | None

    @classmethod
    def asked(cls, number: int, rows: int, link: Callable[[int], str]) -> Part:
        """The page with this number of so many rows, or the last; `link` gives the address of a page."""
        of = max(1, -(-rows // PAGE_SIZE))
        number = min(number, of)
        return cls(
            number, of, link(number - 1) if number > 1 else None, link(number + 1) if number < of else None
        )

    @property
    def offset(self) -> int:
        """How many rows come before it."""
        return (self.number - 1) * PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address asked for, cleaned: unknown values count as not asked."""

    filters: Filters
    today: date
    soon: date
    page: int
    asked: Mapping[str, str]

    @classmethod
    def read(cls, params: Mapping[str, str], bundle: Bundle, now: datetime) -> Chosen:
        """Read the query. `status` is '' for what is to do, 'all', or a declared state."""
        today = local_day(now)
        asked = {
            name: value
            for name in (
                "month",
                "status",
                "kind",
                "type",
                "purpose",
                "municipality",
                "team",
                "crisis",
                "due",
            )
            if (value := params.get(name, "")) and len(value) <= _LONGEST_PARAMETER and value.isprintable()
        }
        month = asked.get("month", "")
        if month and month != "all" and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
            del asked["month"]
        standing = tuple(
            (purpose.id, word.id)
            for purpose in bundle.purposes.values()
            for word in purpose.states
            if word.when in OPEN
        )
        status = asked.get("status")
        filters = Filters(
            month=None if asked.get("month") in (None, "all") else asked["month"],
            status=None if status in (None, "all") else status,
            kind=asked.get("kind"),
            signal_type=asked.get("type"),
            purpose=asked.get("purpose"),
            municipality=asked.get("municipality"),
            team=asked.get("team"),
            crisis=asked.get("crisis") == "1",
            due_by=today + timedelta(days=SOON_DAYS) if asked.get("due") == "1" else None,
            to_do=status is None,
            standing=standing,
        )
        return cls(filters, today, today + timedelta(days=SOON_DAYS), page_asked(params), asked)

    def with_default_month(self, choices: Choices) -> Chosen:
        """Without a month asked for, the newest that has cases."""
        if "month" in self.asked or not choices.months:
            return self
        return replace(self, filters=replace(self.filters, month=choices.months[0][0]))

    @property
    def narrowed(self) -> bool:
        """Whether more than a month was asked for."""
        return bool(set(self.asked) - {"month"})

    def link(self, **changes: object) -> str:
        """The address of the same page with some choices changed; None or '' takes one away."""
        asked = {
            **self.asked,
            **{name: "" if value is None else str(value) for name, value in changes.items()},
        }
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"/?{query}" if query else "/"


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose: value, words, whether it is the present one; `href` and `count` where it is a link."""

    value: str
    words: str
    current: bool
    href: str = ""
    count: str = ""


def picker(chosen: Chosen, choices: Choices, words: Words) -> dict[str, Any]:
    """Everything the board's filter row offers."""
    asked, t = chosen.asked, words.t
    months = [
        Option(
            month,
            month_name(month, words.language, chosen.today.year),
            month == chosen.filters.month,
            chosen.link(month=month),
            words.count(number),
        )
        for month, number in choices.months[:12]
    ]
    every = words.count(sum(number for _, number in choices.months))
    months.append(
        Option("all", t("board.months.all"), chosen.filters.month is None, chosen.link(month="all"), every)
    )
    spoken = {status: _state_name(status, words) for status in choices.statuses}
    statuses = [
        Option("", t("board.filter.todo"), "status" not in asked),
        Option("all", t("board.filter.all"), asked.get("status") == "all"),
        *(Option(status, name, asked.get("status") == status) for status, name in spoken.items()),
    ]
    kinds = [Option("", t("board.filter.all"), "kind" not in asked)]
    kinds += [Option(kind, words.kind(kind), asked.get("kind") == kind) for kind in choices.kinds]
    team = asked.get("team", "")
    home = asked.get("municipality") or _municipality_of(words.bundle, team)
    active = [
        (words.signal_type(asked["type"]) if "type" in asked else "", "type"),
        (words.purpose(asked["purpose"]) if "purpose" in asked else "", "purpose"),
        (words.municipality(home) if "municipality" in asked and not team else "", "municipality"),
        (words.team_name(home, team) if team else "", "team"),
        (t("board.filter.crisis") if "crisis" in asked else "", "crisis"),
        (t("board.filter.due") if "due" in asked else "", "due"),
    ]
    return {
        "months": months,
        "statuses": statuses,
        "kinds": kinds,
        "active": [
            Option(name, spoken, True, chosen.link(**{name: None})) for spoken, name in active if spoken
        ],
        "kept": [(name, value) for name, value in asked.items() if name not in ("status", "kind")],
        "crisis": chosen.link(crisis=1),
        "due": chosen.link(due=1),
        "clear": chosen.link(**dict.fromkeys((name for name in asked if name != "month"), None)),
    }


def _state_name(status: str, words: Words) -> str:
    purpose = next(
        (each for each in words.bundle.purposes.values() if any(w.id == status for w in each.states)), None
    )
    return words.status(purpose.id, status) if purpose else plain(status)


def _municipality_of(bundle: Bundle, team: str) -> str:
    return next(
        (code for code, each in bundle.municipalities.items() if any(t.id == team for t in each.teams)), ""
    )
