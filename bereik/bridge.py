"""The bridge: a lawful tie between two cases of different purposes, with its ground and its end.

Nothing is copied. Each team reads its own side: the few fields that its purpose may be shown. Without a ground no
hash is made and nothing is looked up, so a case without a bridge holds no trace of another one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Protocol

from bereik import linkage, vault
from bereik.bundle import Bundle
from bereik.casework import alert_message
from bereik.days import local_day
from bereik.declared.municipalities import Statute
from bereik.declared.purposes import Agrees, BridgeRule
from bereik.lifecycle import Fact
from bereik.ports import (
    AnnouncedRow,
    Box,
    BridgeTables,
    CaseView,
    Keys,
    Letter,
    Outbox,
    Record,
    Register,
    SideRow,
    TraceRow,
)
from bereik.signal import unpack

CASES = "cases."
CONSENT, CONSENT_WITHDRAWN, ACCEPTED = "consent", "consent_withdrawn", "bridge_accepted"
# What a partner reports of consent. It is no consent yet: a worker confirms it in a conversation, by stating one.
ANNOUNCED = "consent_announced"


class State(StrEnum):
    """Where a possible bridge stands."""

    NONE = "none"
    REQUESTED = "requested"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Tie:
    """A decision about two cases: the state, the ground, and what it rests on."""

    state: State
    ground: str
    basis: str


@dataclass(frozen=True, slots=True)
class Consent:
    """That everybody whose data crosses from one side agreed: on which forms, and when the last of them did."""

    forms: tuple[str, ...]
    since: datetime


@dataclass(slots=True)
class Standing:
    """The ground of one case: a statute, or consent of its own side; and the address unit it is about."""

    place: str
    statute: Statute | None
    consent: Consent | None

    @property
    def ground(self) -> str:
        """The word for it."""
        return "statute" if self.statute is not None else "consent"


# The alerts of a batch, per topic.
Told = dict[str, list[tuple[bytes, bytes]]]


class BridgeTx(Outbox, Protocol):
    """The transaction as the bridge sees it."""

    def bridge(self) -> AbstractContextManager[BridgeTables]: ...
    def park_position(self, letter: Letter, error: str) -> None: ...


# ---------------------------------------------------------------- deciding, pure


def statute_for(statutes: Sequence[Statute], rule: BridgeRule, on: date) -> Statute | None:
    """The registered ground that covers both purposes of the rule on that day."""
    return next((s for s in statutes if s.in_force(on) and set(rule.purposes) <= s.purposes), None)


def agreements(case: CaseView, rule: BridgeRule, ages: Mapping[str, int | None]) -> dict[str, Fact]:
    """Per person of this side the consent that stands: on a known form, by one who may give it, and not withdrawn since.

    `ages` go by person. What a worker took down counts before what a partner announced; of several it is the first, so that
    signing again neither renews a request nor turns round who asked whom. A worker's note that names nobody is about the
    only person there is, and a withdrawal that names nobody is everybody's.
    """
    toward, agrees = rule.other(case.purpose), rule.agrees.get(case.purpose, ())
    only = next(iter(case.people)) if len(case.people) == 1 else None
    found: dict[str, Fact] = {}
    for fact in sorted((*case.facts, *case.announced), key=lambda fact: fact.stated_at):
        person = fact.detail.get("person_id", only)
        if fact.kind == CONSENT_WITHDRAWN and fact.detail.get("toward") == toward:
            named = "person_id" in fact.detail
            found = {one: held for one, held in found.items() if named and one != person}
            continue
        if person not in case.people or not _counts(fact, toward, agrees, rule.forms, ages[person]):
            continue
        if person not in found or (fact.kind == CONSENT and found[person].kind == ANNOUNCED):
            found[person] = fact
    return found


def _counts(fact: Fact, toward: str, agrees: Sequence[Agrees], forms: Sequence[str], age: int | None) -> bool:
    if fact.kind not in (CONSENT, ANNOUNCED) or fact.detail.get("form") not in forms:
        return False
    # A partner does not say toward what: its form does.
    if fact.kind == CONSENT and fact.detail.get("toward") != toward:
        return False
    return any(
        one.role == fact.detail.get("who")
        and (one.from_age is None or (age is not None and age >= one.from_age))
        and (one.below_age is None or (age is not None and age < one.below_age))
        for one in agrees
    )


def consent_of(case: CaseView, agreed: Mapping[str, Fact]) -> Consent | None:
    """The consent of one side: of each person whose data crosses, confirmed. One who did not agree keeps all of it shut."""
    confirmed = [fact for person in case.people if (fact := agreed.get(person)) and fact.kind == CONSENT]
    if not confirmed or len(confirmed) < len(case.people):
        return None
    forms = tuple(sorted({str(fact.detail["form"]) for fact in confirmed}))
    return Consent(forms, max(fact.stated_at for fact in confirmed))


def decide(
    first: CaseView,
    second: CaseView,
    rule: BridgeRule,
    statute: Statute | None,
    consents: tuple[Consent | None, Consent | None],
) -> Tie:
    """Whether two open cases about the same address are tied. Partial agreement opens nothing."""
    if not (first.open and second.open):
        return Tie(State.NONE, "", "")
    if statute is not None:
        return Tie(State.OPEN, "statute", f"{statute.article}; {statute.dpia}")
    mine, theirs = consents
    if mine is None or theirs is None:
        return Tie(State.NONE, "", "")
    basis = ", ".join(sorted({*mine.forms, *theirs.forms}))
    # The one who asked first waits until the other team accepts. An acceptance answers this request: one from before
    # both had agreed, or from before a withdrawal, does not count.
    answering = second if mine.since <= theirs.since else first
    requested_at = max(mine.since, theirs.since)
    accepted = any(fact.kind == ACCEPTED and fact.stated_at >= requested_at for fact in answering.facts)
    return Tie(State.OPEN if accepted else State.REQUESTED, "consent", basis)


def shown(fields: Sequence[str], other: CaseView, team_name: str) -> dict[str, Any]:
    """What one side is shown of the other: the declared fields and no others."""
    known = {
        "present": True,
        "help_involved": True,
        "since": other.first_signal.isoformat(),
        "contact": team_name,
    }
    return {field: known[field] for field in fields if field in known}


def age_on(birth_date: str | None, today: date) -> int | None:
    """Full years, or None when the birth date is not known exactly."""
    try:
        born = date.fromisoformat(birth_date or "")
    except ValueError:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


# ---------------------------------------------------------------- doing


class Bridge:
    """The step of the bridge consumer: looks at a case each time it changes or somebody states something about it."""

    def __init__(
        self,
        bundle: Bundle,
        keys: Keys,
        register: Callable[[str, str], Register],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._bundle, self._register, self._now = bundle, register, now
        self._boxes: dict[str, Box] = {rule.id: keys.box(f"bridge|{rule.id}") for rule in bundle.bridges}
        self._purpose_boxes: dict[str, Box] = {name: keys.box(f"purpose|{name}") for name in bundle.purposes}

    def prepare(self, records: Sequence[Record]) -> dict[tuple[str, str], str]:
        """The cases in the batch that a bridge could matter to, once each: (purpose, case) → municipality."""
        found: dict[tuple[str, str], str] = {}
        for record in records:
            purpose_id = record.topic.removeprefix(CASES)
            if any(purpose_id in rule.purposes for rule in self._bundle.bridges):
                for event in unpack(record.value):
                    data = event["data"]
                    found[(purpose_id, data["case_id"])] = data["municipality"]
        return found

    def write(self, prepared: Mapping[tuple[str, str], str], tx: BridgeTx) -> None:
        """Open, ask for, or end the bridges of each case. Few statements per batch, however many cases it has."""
        now = self._now()
        today = local_day(now)
        ruling = {code for code in set(prepared.values()) if self._has_statute(code, today)}
        told: Told = defaultdict(list)
        with tx.bridge() as tables:
            # Most cases have no ground and never had one; those are not even read.
            ruled = {key for key, municipality in prepared.items() if municipality in ruling}
            views = tables.cases(ruled | tables.noted(prepared.keys() - ruled))
            tables.lock({view.municipality for view in views.values()})
            for rule in self._bundle.bridges:
                concerned = [view for view in views.values() if view.purpose in rule.purposes]
                if concerned:
                    self._look(concerned, rule, tables, told, now)
        for topic, alerts in told.items():
            tx.send(topic, alerts)

    def _has_statute(self, municipality: str, today: date) -> bool:
        return any(statute.in_force(today) for statute in self._bundle.municipalities[municipality].statutes)

    def park(self, letter: Letter, error: str, tx: BridgeTx) -> None:
        """Set a message of ours aside by its coordinates."""
        tx.park_position(letter, error)

    def _look(
        self,
        concerned: Sequence[CaseView],
        rule: BridgeRule,
        tables: BridgeTables,
        told: Told,
        now: datetime,
    ) -> None:
        """Sort the cases by ground, keep or forget their traces, and decide about each pair that meets."""
        today = local_day(now)
        statutes = {
            code: statute_for(town.statutes, rule, today)
            for code, town in self._bundle.municipalities.items()
        }
        asking = [case for case in concerned if self._may_have_ground(case, statutes)]
        standing, announced = self._standings(asking, rule, statutes, tables, today)
        fresh = tables.announce([(rule.other(case.purpose), case.case_id) for case in concerned], announced)
        for case in asking:
            if case.case_id in fresh:
                # Only the side that it is about, and the same whether or not there is a counterpart: nothing was looked up.
                self._tell(
                    [self._side_of(case, {})], f"{rule.id}|{case.case_id}", "bridge_announced", told, now
                )
        mine = {case.case_id: case for case in asking if case.case_id in standing}
        tables.keep_traces([self._trace(case, rule, standing[case_id]) for case_id, case in mine.items()])
        # No ground: what may be there from an earlier ground goes.
        groundless = [
            (rule.other(case.purpose), case.case_id) for case in concerned if case.case_id not in standing
        ]
        for bridge_id, sides in tables.end_bridges(
            tables.drop_traces(groundless), "ground_gone", now
        ).items():
            self._tell(sides, bridge_id, "bridge_ended", told, now)

        met = tables.counterparts([(rule.other(case.purpose), case.case_id) for case in mine.values()])
        others = tables.cases((purpose_id, other_id) for _, purpose_id, other_id in met)
        unseen = [other for other in others.values() if other.case_id not in standing]
        standing |= self._standings(unseen, rule, statutes, tables, today)[0]
        for case_id, _, other_id in met:
            other, theirs = others.get(other_id), standing.get(other_id)
            if other is None or not other.open or self._enforces(other):
                continue
            one = standing[case_id]
            tie = decide(
                mine[case_id], other, rule, one.statute, (one.consent, theirs.consent if theirs else None)
            )
            if tie.state is not State.NONE:
                self._save(mine[case_id], other, rule, tie, tables, told, now)

    def _may_have_ground(self, case: CaseView, statutes: Mapping[str, Statute | None]) -> bool:
        """Open, with a team that helps, and with a statute or something said about consent."""
        if not case.open or self._enforces(case):
            return False
        said = case.announced or any(fact.kind == CONSENT for fact in case.facts)
        return bool(said) or statutes[case.municipality] is not None

    def _standings(
        self,
        asking: Sequence[CaseView],
        rule: BridgeRule,
        statutes: Mapping[str, Statute | None],
        tables: BridgeTables,
        today: date,
    ) -> tuple[dict[str, Standing], list[AnnouncedRow]]:
        """The cases that have a ground indeed, and what is announced. A sealed record of each of their people is opened, and
        nobody else's."""
        sealed = tables.sealed_records(
            (case.purpose, signal) for case in asking for signal in case.people.values()
        )
        found: dict[str, Standing] = {}
        announced: list[AnnouncedRow] = []
        for case in asking:
            told = case.people.values()
            # Of a case that was taken over there is no record, and maybe no register yet.
            if case.newest_signal not in told or any(signal_id not in sealed for signal_id in told):
                continue
            register = self._register(case.purpose, case.municipality)
            who = {
                person: vault.open_record(register, signal_id, sealed[signal_id])
                for person, signal_id in case.people.items()
            }
            ages = {person: age_on(one.fields.get("birth_date"), today) for person, one in who.items()}
            agreed = agreements(case, rule, ages)
            announced += [
                self._announced(case, rule, person, fact)
                for person, fact in agreed.items()
                if fact.kind == ANNOUNCED
            ]
            newest = next(person for person, signal in case.people.items() if signal == case.newest_signal)
            unit = linkage.address_unit(who[newest])
            statute, consent = statutes[case.municipality], consent_of(case, agreed)
            if unit is not None and (statute is not None or consent is not None):
                found[case.case_id] = Standing(f"{case.municipality}|{unit}", statute, consent)
        return found, announced

    def _announced(self, case: CaseView, rule: BridgeRule, person: str, fact: Fact) -> AnnouncedRow:
        return AnnouncedRow(
            case.case_id, case.purpose, rule.other(case.purpose), case.municipality, person,
            fact.detail["form"], fact.detail["who"], fact.stated_at,
        )  # fmt: skip

    def _trace(self, case: CaseView, rule: BridgeRule, standing: Standing) -> TraceRow:
        digest = self._boxes[rule.id].digest(standing.place)
        return TraceRow(
            case.case_id, case.purpose, rule.other(case.purpose), case.municipality, digest, standing.ground
        )

    def _enforces(self, case: CaseView) -> bool:
        teams = self._bundle.municipalities[case.municipality].teams
        return any(team.id == case.team and team.role == "enforce" for team in teams)

    def _save(
        self,
        case: CaseView,
        other: CaseView,
        rule: BridgeRule,
        tie: Tie,
        tables: BridgeTables,
        told: Told,
        now: datetime,
    ) -> None:
        pair = sorted((case.case_id, other.case_id))
        bridge_id = self._boxes[rule.id].id("bridge|" + "|".join(pair))
        sides = [self._side(mine, theirs, rule, tie) for mine, theirs in ((case, other), (other, case))]
        if tables.save(bridge_id, tie.ground, tie.basis, tie.state.value, sides, now):
            self._tell(sides, bridge_id, f"bridge_{tie.state.value}", told, now)

    def _side(self, mine: CaseView, theirs: CaseView, rule: BridgeRule, tie: Tie) -> SideRow:
        names = {team.id: team.name for team in self._bundle.municipalities[theirs.municipality].teams}
        fields = rule.fields.get(mine.purpose, ()) if tie.state is State.OPEN else ()
        return self._side_of(mine, shown(fields, theirs, names.get(theirs.team, theirs.team)))

    @staticmethod
    def _side_of(case: CaseView, crosses: Mapping[str, Any]) -> SideRow:
        return SideRow(case.purpose, case.case_id, case.municipality, case.team, crosses)

    def _tell(
        self, sides: Sequence[SideRow], about: str | str, reason: str, told: Told, now: datetime
    ) -> None:
        for side in sides:
            box = self._purpose_boxes[side.purpose]
            # Each change of state of each bridge is one alert, so the alert's id holds both.
            mark = f"{about}|{now.isoformat()}"
            told[f"alerts.{side.purpose}"].append(
                alert_message(
                    box, side.purpose, side.case_id, 0, side.municipality, side.team, reason, now, mark
                )
            )
