"""A municipality: where it is, its teams, what it decided and promised, and who gets which case. `schemas/municipalities/`."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bereik.declared.contact import Contact
from bereik.declared.rows import day, match


@dataclass(frozen=True, slots=True)
class PostcodeRange:
    """Postcodes first..last (both count, as 1234AB) lie in `area` from `start` to `end`; numbers may be bounded."""

    first: str
    last: str
    area: str
    start: date
    end: date | None
    number_from: int | None = None
    number_to: int | None = None


@dataclass(frozen=True, slots=True)
class Outlet:
    """A way to tell a team: kind ("board" | "email" | "webhook") and target (empty for the board)."""

    kind: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Team:
    """Who reaches out. A team with role "enforce" is never part of a bridge."""

    id: str
    name: str
    purpose: str
    municipality: str
    role: str  # "help" | "enforce"
    outlets: tuple[Outlet, ...]
    capacity_per_week: int | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Days between the beginning of arrears and the signal's date; both ends count, None is no end."""

    min_days: int | None = None
    max_days: int | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """The day of the month on which its signals are judged together; or sooner, once all partners `delivered`."""

    day: int
    delivered: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """What a municipality decided for one purpose. Without its citation the threshold is 0 and there is no window.

    `windows` are by signal type; `matching` None means continuously.
    """

    threshold_eur: int = 0
    threshold_citation: str | None = None
    windows: Mapping[str, Window] = field(default_factory=dict)
    windows_citation: str | None = None
    matching: Moment | None = None
    first_contact_days: int = 14
    offer_days: int = 28
    crisis_working_days: int = 3
    contact: Contact | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Policy:
        """The policy in a row of the document."""
        moment = row.get("matching", {"when": "continuous"})
        return cls(
            threshold_eur=row.get("thresholdEur", 0),
            threshold_citation=row.get("thresholdCitation"),
            windows={
                name: Window(item.get("minDays"), item.get("maxDays"))
                for name, item in row.get("windows", {}).items()
            },
            windows_citation=row.get("windowsCitation"),
            matching=(
                Moment(moment["day"], moment["when"] == "delivered")
                if moment["when"] != "continuous"
                else None
            ),
            first_contact_days=row.get("firstContactDays", 14),
            offer_days=row.get("offerDays", 28),
            crisis_working_days=row.get("crisisWorkingDays", 3),
            contact=Contact.of(row["contact"]) if "contact" in row else None,
        )


@dataclass(frozen=True, slots=True)
class Statute:
    """A registered legal ground on which bridges between `purposes` arise by themselves in one municipality."""

    id: str
    article: str
    dpia: str
    signatory: str
    start: date
    end: date | None
    purposes: frozenset[str]

    def in_force(self, on: date) -> bool:
        """Whether the ground holds on that day; both ends count."""
        return self.start <= on and (self.end is None or on <= self.end)


@dataclass(frozen=True, slots=True)
class ReachedGroup:
    """People in one situation: who they are, how they are reached, and how often at least; each in Dutch and English."""

    who: Mapping[str, str]
    ways: Mapping[str, str]
    minimum: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reach:
    """What a municipality promises its residents about reaching them, who adopted it, and when it is looked at again."""

    whom: Mapping[str, str]
    groups: tuple[ReachedGroup, ...]
    stop: tuple[Mapping[str, str], ...]
    adopted_by: str
    adopted_on: date
    review: date
    phone: str

    def overdue(self, today: date) -> bool:
        """Whether it should have been looked at again."""
        return self.review < today

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Reach:
        """The promise in a row of the document."""
        return cls(
            whom=row["whom"],
            groups=tuple(ReachedGroup(item["who"], item["ways"], item["minimum"]) for item in row["groups"]),
            stop=tuple(row["stop"]),
            adopted_by=row["adoptedBy"],
            adopted_on=date.fromisoformat(row["adoptedOn"]),
            review=date.fromisoformat(row["review"]),
            phone=row["phone"],
        )


@dataclass(frozen=True, slots=True)
class RouteNode:
    """A node of a route tree: depth first, the first match wins. The root matches everything."""

    match: Mapping[str, tuple[str, ...]]
    team: str | None
    children: tuple[RouteNode, ...] = ()

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> RouteNode:
        """The node in a row of the document, with all below it."""
        return cls(
            match=match(row.get("match", {})),
            team=row.get("team"),
            children=tuple(RouteNode.of(child) for child in row.get("children", ())),
        )


@dataclass(frozen=True, slots=True)
class Alerting:
    """How teams are told by e-mail and webhook: minutes in which alerts gather, hours until what nobody acts on is told
    again (0: never), the reasons that leave at once, the language."""

    group_minutes: int = 30
    repeat_hours: int = 48
    urgent: frozenset[str] = frozenset({"crisis"})
    language: str = "nl"

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Alerting:
        """The settings in a row of the document; what it leaves out is as ever."""
        plain = cls()
        return cls(
            group_minutes=row.get("groupMinutes", plain.group_minutes),
            repeat_hours=row.get("repeatHours", plain.repeat_hours),
            urgent=frozenset(row.get("urgent", plain.urgent)),
            language=row.get("language", plain.language),
        )


@dataclass(frozen=True, slots=True)
class Municipality:
    """One municipality: where it is, its teams, its policy and routes per purpose, its registered statutes.

    `kvk` and `delivery_email` are for the national delivery: who delivers, and where questions about it go.
    """

    code: str
    name: str
    ranges: tuple[PostcodeRange, ...]
    areas: Mapping[str, str]
    teams: tuple[Team, ...]
    policies: Mapping[str, Policy]
    routes: Mapping[str, RouteNode]
    statutes: tuple[Statute, ...] = ()
    kvk: str | None = None
    delivery_email: str | None = None
    alerting: Alerting = Alerting()
    reach: Reach | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Municipality:
        """The municipality in a row of the document."""
        return cls(
            code=row["code"],
            name=row["name"],
            areas=row["areas"],
            ranges=tuple(
                PostcodeRange(
                    first=item["first"],
                    last=item["last"],
                    area=item["area"],
                    start=date.fromisoformat(item["start"]),
                    end=day(item.get("end")),
                    number_from=item.get("numberFrom"),
                    number_to=item.get("numberTo"),
                )
                for item in row["postcodes"]
            ),
            teams=tuple(
                Team(
                    id=item["id"],
                    name=item["name"],
                    purpose=item["purpose"],
                    municipality=row["code"],
                    role=item["role"],
                    outlets=tuple(
                        Outlet(outlet["kind"], outlet.get("target", "")) for outlet in item["outlets"]
                    ),
                    capacity_per_week=item.get("capacityPerWeek"),
                )
                for item in row["teams"]
            ),
            policies={name: Policy.of(item) for name, item in row["policies"].items()},
            routes={name: RouteNode.of(item) for name, item in row["routes"].items()},
            statutes=tuple(
                Statute(
                    id=item["id"],
                    article=item["article"],
                    dpia=item["dpia"],
                    signatory=item["signatory"],
                    start=date.fromisoformat(item["start"]),
                    end=day(item.get("end")),
                    purposes=frozenset(item["purposes"]),
                )
                for item in row.get("statutes", ())
            ),
            kvk=row.get("delivery", {}).get("kvk"),
            delivery_email=row.get("delivery", {}).get("email"),
            alerting=Alerting.of(row.get("alerting", {})),
            reach=Reach.of(row["bereik"]) if "bereik" in row else None,
        )


@dataclass(frozen=True, slots=True)
class Places:
    """Postcode ranges cut at every border, so that one binary search finds the few that hold at a postcode."""

    borders: tuple[str, ...]
    rows: tuple[tuple[tuple[PostcodeRange, str], ...], ...]

    @classmethod
    def of(cls, municipalities: Iterable[Municipality]) -> Places:
        """Where each of them is."""
        ranges = sorted(
            ((row, town.code) for town in municipalities for row in town.ranges),
            key=lambda pair: pair[0].first,
        )
        # A border lies where a range begins and just after where one ends: "1234AB" + "!" sorts after it.
        borders = tuple(sorted({edge for row, _ in ranges for edge in (row.first, row.last + "!")}))
        held: list[list[tuple[PostcodeRange, str]]] = [[] for _ in borders]
        for row, code in ranges:
            for index in range(bisect_left(borders, row.first), bisect_left(borders, row.last + "!")):
                held[index].append((row, code))
        return cls(borders, tuple(tuple(rows) for rows in held))

    def find(self, postcode: str, house_number: int, on: date) -> tuple[str, str] | None:
        """The code and the area that an address lies in on a day; None where nobody is served."""
        index = bisect_right(self.borders, postcode) - 1
        if index < 0:
            return None
        for row, code in self.rows[index]:
            if (
                row.start <= on
                and (row.end is None or on <= row.end)
                and (row.number_from is None or row.number_from <= house_number)
                and (row.number_to is None or house_number <= row.number_to)
            ):
                return code, row.area
        return None
