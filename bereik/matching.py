"""Matching: the persons of one register while records are placed among them, one after the other. Pure.

The stream, the nightly relink and the evaluation all place records by this one class, so they cannot differ: a batch of
n gives what n batches of one give, and records in the order of receipt give the same persons whatever order they came in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bereik import linkage
from bereik.declared.linkage import Linkage
from bereik.linkage import Decision, Look, Outcome, Reason, Traits


@dataclass(frozen=True, slots=True)
class Entry:
    """One record to be placed. `keys` are in the order of `linkage.keys`; any hash will do."""

    signal_id: str
    received_at: datetime
    traits: Traits = field(repr=False)
    keys: tuple[int, ...] = field(repr=False)
    unit_key: int | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a record came to stand. `merged` are persons that became `person`; `keyed` says whether it can be found by.

    A record that says nothing new about its person adds no key: the look that is there already is found instead.
    `crowded` says that its address holds too many unrelated people to be one household.
    """

    person: str
    outcome: Outcome
    reason: Reason
    against: str | None
    weight: float | None
    merged: tuple[str, ...] = ()
    keyed: bool = True
    crowded: bool = False


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What humans decided about pairs of signals: never one person (`apart`), or one person (`same`)."""

    apart: dict[str, set[str]] = field(default_factory=dict)
    same: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str, bool]]) -> Verdicts:
        """From (one, other, same) rows, in either order."""
        found = cls()
        for one, other, same in pairs:
            found.add(one, other, same)
        return found

    def add(self, one: str, other: str, same: bool) -> None:
        """One pair more."""
        pairs = self.same if same else self.apart
        pairs.setdefault(one, set()).add(other)
        pairs.setdefault(other, set()).add(one)


@dataclass(slots=True)
class _Person:
    """A person while records are placed: its looks, its first record, and the records that humans spoke about."""

    looks: list[Look] = field(default_factory=list)
    since: tuple[datetime, str] | None = None
    spoken: set[str] = field(default_factory=set)


_NEVER = (datetime.max.replace(tzinfo=UTC), "")


class Matcher:
    """The persons of one register, as far as they are known, and the keys they are found by."""

    def __init__(
        self, rules: Linkage, new_person: Callable[[str], str], verdicts: Verdicts | None = None
    ) -> None:
        self._rules, self._new_person = rules, new_person
        self._verdicts = Verdicts() if verdicts is None else verdicts
        self._found: dict[int, dict[str, None]] = {}
        self._looks: dict[int, int] = {}
        self._persons: dict[str, _Person] = {}
        self._became: dict[str, str] = {}
        self._at: dict[str, str] = {}

    # ------------------------------------------------------------ what was known before

    def know_key(self, key: int, persons: Sequence[str], looks: int) -> None:
        """The persons under a key, and how many looks: one more than the cap is enough to know it is generic."""
        found = self._found.get(key)
        if found is None:
            self._found[key], self._looks[key] = dict.fromkeys(persons), looks
        else:
            found.update(dict.fromkeys(persons))
            self._looks[key] += looks

    def know(self, person: str, signal_id: str, received_at: datetime, one: Traits) -> None:
        """A look of a person."""
        self._add(self._persons.setdefault(person, _Person()), signal_id, received_at, one)
        self._at[signal_id] = person

    def know_apart(self, one: str, other: str) -> None:
        """Two signals of which a human said that they are never of one person; known by now, or later."""
        self._verdicts.add(one, other, same=False)
        for signal_id in (one, other):
            if signal_id in self._at:
                self._persons[self.person_of(signal_id)].spoken.add(signal_id)

    # ------------------------------------------------------------ placing

    def place(self, entry: Entry) -> Placement:
        """Decide who a record is about, and remember it."""
        candidates, generic = self._candidates(entry)
        one = self._without(generic, entry) if generic else entry.traits
        forced = self._forced(entry)
        if forced:
            decision = Decision(Outcome.LINK, Reason.ENOUGH, forced[0], merge=tuple(forced[1:]))
        else:
            looks = {person: self._persons[person].looks for person in sorted(candidates, key=self._age)}
            decision = linkage.decide(
                one, looks, self._rules, lambda a, b: self._apart(entry, a, b), self._crowded(entry)
            )
        person, merged = self._settle(entry, decision)
        known = self._persons.get(person)
        if known is None:
            known = self._persons[person] = _Person()
        keyed = entry.traits not in [look.traits for look in known.looks] or self._spoken(entry.signal_id)
        if keyed:
            self._add(known, entry.signal_id, entry.received_at, entry.traits)
            for key in entry.keys:
                self.know_key(key, (person,), 1)
        self._at[entry.signal_id] = person
        return Placement(
            person,
            decision.outcome,
            decision.reason,
            decision.against,
            decision.weight,
            merged,
            keyed,
            self._crowded(entry),
        )

    def person_of(self, signal_id: str) -> str:
        """The person of a placed record, after all merges."""
        return self._now(self._at[signal_id])

    def door(self, person: str, one: Traits) -> str:
        """The addition of the door that a placed record means; "" when that is the building itself or cannot be known.

        Partners leave additions out. Where the person is known at one door of this building, that one is meant; it never
        says who somebody is.
        """
        if one.addition or not one.number or not one.postcode:
            return one.addition
        additions = {
            look.traits.addition
            for look in self._persons[person].looks
            if look.traits.addition
            and (look.traits.number, look.traits.postcode) == (one.number, one.postcode)
        }
        return additions.pop() if len(additions) == 1 else ""

    def residents(self, unit_key: int) -> list[str]:
        """The persons at an address unit."""
        return list(dict.fromkeys(map(self._now, self._found.get(unit_key, ()))))

    def _candidates(self, entry: Entry) -> tuple[dict[str, None], frozenset[int]]:
        """The persons under the keys of a record, and those of its keys that are generic."""
        found: dict[str, None] = {}
        generic = []
        for key in entry.keys:
            looks = self._looks.get(key, 0)
            if looks > self._rules.cap:
                generic.append(key)
            elif looks:
                found.update(self._found[key])
        return dict.fromkeys(map(self._now, found)) if self._became else found, frozenset(generic)

    def _without(self, generic: frozenset[int], entry: Entry) -> Traits:
        """The traits without what too many people share: such a value tells nobody from anybody."""
        one = entry.traits
        for text, key in zip(linkage.keys(one, self._rules), entry.keys, strict=True):
            if key not in generic:
                continue
            match self._rules.keys[int(text.partition("|")[0])]:
                case ("phone",):
                    one = one._replace(phone="")
                case ("email",):
                    one = one._replace(email="")
                case ("unit",):
                    one = one._replace(postcode="", number=0, addition="")
                case _:
                    pass
        return one

    def _settle(self, entry: Entry, decision: Decision) -> tuple[str, tuple[str, ...]]:
        if decision.outcome is not Outcome.LINK or decision.person is None:
            return self._new_person(entry.signal_id), ()
        if not decision.merge:
            return decision.person, ()
        # The oldest person keeps its id: cases, promises and letters hang on it.
        together = sorted(
            (decision.person, *decision.merge),
            key=self._age,
        )
        first = together[0]
        for other in together[1:]:
            mine, theirs = self._persons[first], self._persons.pop(other)
            mine.looks += theirs.looks
            mine.spoken |= theirs.spoken
            self._became[other] = first
        return first, tuple(together[1:])

    def _age(self, person: str) -> tuple[datetime, str]:
        """By which the oldest person comes first. Ids would do too, but a register under another key has others."""
        return self._persons[person].since or _NEVER

    def _now(self, person: str) -> str:
        while person in self._became:
            person = self._became[person]
        return person

    def _add(self, known: _Person, signal_id: str, received_at: datetime, one: Traits) -> None:
        known.looks.append(Look(signal_id, one))
        since = (received_at, signal_id)
        if known.since is None or since < known.since:
            known.since = since
        if self._spoken(signal_id):
            known.spoken.add(signal_id)

    # ------------------------------------------------------------ what humans decided

    def _spoken(self, signal_id: str) -> bool:
        return signal_id in self._verdicts.apart or signal_id in self._verdicts.same

    def _forced(self, entry: Entry) -> list[str]:
        """The persons that a human said this record is about."""
        said = self._verdicts.same.get(entry.signal_id)
        return sorted({self.person_of(other) for other in said if other in self._at}) if said else []

    def _apart(self, entry: Entry, person: str, other: str | None) -> bool:
        mine = self._persons[person].spoken
        if not mine:
            return False
        theirs = {entry.signal_id} if other is None else self._persons[other].spoken
        return any(not self._verdicts.apart.get(one, frozenset()).isdisjoint(theirs) for one in mine)

    def _crowded(self, entry: Entry) -> bool:
        unit = entry.unit_key
        if unit is None or len(self._found.get(unit, ())) < self._rules.crowd_persons:
            return False
        persons = self.residents(unit)
        if len(persons) < self._rules.crowd_persons or self._looks[unit] > self._rules.cap:
            return False
        traits = (look.traits for person in persons for look in self._persons[person].looks)
        return linkage.distinct(traits) >= self._rules.crowd_surnames
