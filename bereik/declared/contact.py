"""How a municipality reaches out for one purpose: `contact:` in the policies of `schemas/municipalities/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bereik.declared.rows import match


@dataclass(frozen=True, slots=True)
class ContactStep:
    """One step of a plan: the kind of contact, its first and last day after the start, and the part of the day if it matters."""

    id: str
    contact: str
    earliest: int
    latest: int
    daypart: str | None = None


@dataclass(frozen=True, slots=True)
class Effort:
    """How much was tried: attempts, different channels among them, different parts of the day."""

    attempts: int
    channels: int
    dayparts: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done to reach the cases whose labels match. Days are working days, or calendar days.

    `minimum` is the least that counts as having tried; a team has `claim_working_days` to take a case up, and hears of a
    term `warn_working_days` before it ends when nobody tried yet.
    """

    id: str
    label: Mapping[str, str]
    match: Mapping[str, tuple[str, ...]]
    working_days: bool
    claim_working_days: int
    warn_working_days: int
    steps: tuple[ContactStep, ...]
    minimum: Effort


@dataclass(frozen=True, slots=True)
class FloorRule:
    """Cases that never drop to a lighter way: by labels, by how long the debt runs, or because something was promised."""

    id: str
    label: Mapping[str, str]
    match: Mapping[str, tuple[str, ...]]
    since_months: int | None = None
    promised: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """How a municipality reaches out for one purpose.

    `plans`: the first that matches counts; `lighter` is the one of them that a full team falls back to. `manager` is the team
    that hears what cannot be met. `counts` are the kinds of contact that are attempts, `letters` those of which an address
    gets one in `letter_days` days at most.
    """

    plans: tuple[Plan, ...]
    lighter: str
    floor: tuple[FloorRule, ...]
    manager: str
    counts: frozenset[str]
    letters: frozenset[str]
    letter_days: int

    def plan(self, plan_id: str) -> Plan:
        """The plan with this id."""
        return next(plan for plan in self.plans if plan.id == plan_id)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Contact:
        """The contact in a row of the document."""
        return cls(
            plans=tuple(
                Plan(
                    id=plan["id"],
                    label=plan["label"],
                    match=match(plan.get("match", {})),
                    working_days=plan["days"] == "working",
                    claim_working_days=plan["claimWorkingDays"],
                    warn_working_days=plan["warnWorkingDays"],
                    steps=tuple(
                        ContactStep(step["id"], step["contact"], step["from"], step["to"], step.get("daypart"))
                        for step in plan["steps"]
                    ),
                    minimum=Effort(**plan["minimum"]),
                )
                for plan in row["plans"]
            ),
            lighter=row["lighter"],
            floor=tuple(
                FloorRule(
                    rule["id"], rule["label"], match(rule.get("match", {})), rule.get("sinceMonths"),
                    rule.get("promised", False),
                )
                for rule in row["floor"]
            ),
            manager=row["manager"],
            counts=frozenset(row["counts"]),
            letters=frozenset(row["letters"]["contacts"]),
            letter_days=row["letters"]["everyDays"],
        )  # fmt: skip
