"""Verdicts: what people decide about links, taking that back, and the nightly replay of a whole register.

A link is never overwritten: each move of a signal is a new edge with a higher version, its reason, who decided and by
which act. An act can be taken back as long as nothing was decided about the same signals since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from bereik import linkage, vault
from bereik.declared.linkage import Linkage
from bereik.errors import LastingError
from bereik.evidence import Evidence, evidence
from bereik.linkage import Traits
from bereik.matching import Entry, Matcher, Verdicts
from bereik.ports import Placed, Register, StoredRow, VerdictTables

JOINED, PARTED, TAKEN_BACK, RELINKED = "joined", "parted", "taken_back", "relinked"


class UnknownSignal(LastingError):
    """This register has no such signal. Look the id up with `bereik explain signal`; ids differ per purpose."""


class SameSignal(LastingError):
    """A signal cannot be compared with itself. Name two signals."""


class DecidedBefore(LastingError):
    """Somebody decided the opposite about these people. Take that act back first: `bereik linkage undo ACT`."""


class UnknownAct(LastingError):
    """No such act is in force: it is unknown, or was taken back already. `bereik linkage history SIGNAL` names them."""


@dataclass(frozen=True, slots=True)
class Relinked:
    """What a replay changed: signals that moved, and signals that wait for a person because a case is open."""

    moved: list[Placed]
    reviews: int
    persons: int

    @property
    def touched(self) -> int:
        """How many signals stand elsewhere now, or wait to be decided about."""
        return len(self.moved) + self.reviews


class Desk:
    """The desk at which the links of one register are decided. Take the register's lock before writing: each act does."""

    def __init__(
        self,
        register: Register,
        tables: VerdictTables,
        rules: Linkage,
        bundle_id: int,
        tell: Callable[[Sequence[Placed]], None],
    ) -> None:
        """`tell` hears of every signal that moved, so that nothing moves untold."""
        self._register, self._tables, self._rules, self._bundle_id = register, tables, rules, bundle_id
        self._tell = tell

    # ------------------------------------------------------------ looking

    def why(self, one: str, other: str, language: str) -> Evidence:
        """How two signals compare. Raises `UnknownSignal`, `SameSignal`."""
        first, second = self._two(one, other)
        return evidence(self._traits(first), self._traits(second), self._rules, language)

    # ------------------------------------------------------------ deciding

    def join(self, one: str, other: str, by: str, act: str) -> list[Placed]:
        """One person: the older person's id stays. Raises `UnknownSignal`, `DecidedBefore`."""
        self._tables.lock([self._register.register_id])
        first, second = self._two(one, other)
        together = self._tables.records_of([first.person_id, second.person_id])
        self._refuse_opposite(together, first, second)
        self._tables.add_verdict(act, one, other, self._register.register_id, True, by)
        self._tables.close_reviews([one, other], True, by)
        keep = min(together, key=_age).person_id
        moves = [(row.signal_id, keep) for row in together if row.person_id != keep]
        return self._move(moves, JOINED, by, act, {first.person_id, second.person_id}, {one, other})

    def part(self, one: str, other: str, by: str, act: str) -> list[Placed]:
        """Never one person. Signals of a person that held both go with the one they resemble more.

        Signals that somebody said are about one person go together, with the oldest of them. The person's id stays with
        its oldest signal. Raises `UnknownSignal`, `DecidedBefore`.
        """
        self._tables.lock([self._register.register_id])
        first, second = self._two(one, other)
        same = Verdicts.of(self._in_force()).same
        if second.signal_id in _said_one(first.signal_id, same):
            raise DecidedBefore()
        self._tables.add_verdict(act, one, other, self._register.register_id, False, by)
        self._tables.close_reviews([one, other], False, by)
        if first.person_id != second.person_id:
            return self._move([], PARTED, by, act, {first.person_id, second.person_id}, {one, other})
        person = first.person_id
        sides = self._sides(self._tables.records_of([person]), first, second, same)
        oldest = min((row for side in sides for row in side), key=_age)
        leaving = next(side for side in sides if oldest not in side)
        new = self._register.box.id(f"parted-person|{act}")
        moves = [(row.signal_id, new) for row in leaving]
        return self._move(moves, PARTED, by, act, {person, new}, {one, other})

    def take_back(self, act: str, by: str) -> list[Placed]:
        """End an act and put back what it moved, except what was decided since. Raises `UnknownAct`."""
        self._tables.lock([self._register.register_id])
        if not self._tables.end_verdicts(act, by):
            raise UnknownAct()
        moves = self._tables.before_act(act)
        touched = {person for _, person in moves}
        touched |= {row.person_id for row in self._tables.stored([signal_id for signal_id, _ in moves])}
        return self._move(moves, TAKEN_BACK, by, act, touched, set())

    def _refuse_opposite(self, together: Sequence[StoredRow], first: StoredRow, second: StoredRow) -> None:
        if first.person_id == second.person_id:
            return
        verdicts = Verdicts.of(self._in_force())
        sides: dict[str, set[str]] = defaultdict(set)
        for row in together:
            sides[row.person_id].add(row.signal_id)
        theirs = sides[second.person_id]
        for signal_id in sides[first.person_id]:
            if not theirs.isdisjoint(verdicts.apart.get(signal_id, frozenset())):
                raise DecidedBefore()

    def _sides(
        self,
        rows: Sequence[StoredRow],
        first: StoredRow,
        second: StoredRow,
        same: Mapping[str, AbstractSet[str]],
    ) -> tuple[list[StoredRow], list[StoredRow]]:
        a, b = self._traits(first), self._traits(second)
        with_first = dict.fromkeys(_said_one(first.signal_id, same), True)
        with_first |= dict.fromkeys(_said_one(second.signal_id, same), False)
        mine: list[StoredRow] = []
        theirs: list[StoredRow] = []
        for row in sorted(rows, key=_age):
            if row.signal_id not in with_first:
                one = self._traits(row)
                nearer = linkage.weigh(one, a, self._rules).total - linkage.weigh(one, b, self._rules).total
                goes = (one == a and one != b) or nearer > 0
                with_first |= dict.fromkeys(_said_one(row.signal_id, same), goes)
            (mine if with_first[row.signal_id] else theirs).append(row)
        return mine, theirs

    # ------------------------------------------------------------ the replay

    def relink(self, protected: AbstractSet[str], by: str, act: str) -> Relinked:
        """Place every record anew, in order of receipt, under the rules and verdicts of today.

        Whatever order signals came in, the same records end in the same persons and households. What a person decided
        stands. A change of person that touches a signal in `protected` (its case is open) is put to review instead of made,
        one of household is not made.
        """
        self._tables.lock([self._register.register_id])
        rows = sorted(self._tables.records(self._register.register_id), key=_age)
        verdicts = Verdicts.of(self._in_force())
        matcher = Matcher(self._rules, vault.new_person(self._register), verdicts)
        written = {row.signal_id: self._traits(row) for row in rows}
        for row in rows:
            one = written[row.signal_id]
            matcher.place(
                Entry(row.signal_id, row.received_at, one, *vault.keys_of(self._register, one, self._rules))
            )
        groups: dict[str, list[StoredRow]] = defaultdict(list)
        for row in rows:
            groups[matcher.person_of(row.signal_id)].append(row)
        moves, doubts = self._changes(list(groups.values()), protected)
        for signal_id, against in doubts:
            self._tables.add_review(signal_id, against, self._register.register_id, RELINKED)
        touched = {row.person_id for row in rows if row.signal_id in {m for m, _ in moves}}
        moved = self._move(moves, RELINKED, by, act, touched | {person for _, person in moves}, set())
        in_doubt = {matcher.person_of(signal_id) for signal_id, _ in doubts}
        homes = []
        for row in rows:
            person, one = matcher.person_of(row.signal_id), written[row.signal_id]
            home = vault.household(self._register, one._replace(addition=matcher.door(person, one)))
            if home != row.household_id and row.signal_id not in protected and person not in in_doubt:
                homes.append((row.signal_id, home))
        rehoused = self._tables.rehouse(homes) if homes else []
        self._tell(rehoused)
        return Relinked(moved + rehoused, len(doubts), len(groups))

    def _changes(
        self, groups: Sequence[Sequence[StoredRow]], protected: AbstractSet[str]
    ) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """(signal, person) to move, and (signal, signal) to review. A group keeps the id of its oldest record."""
        members: dict[str, set[str]] = defaultdict(set)
        for group in groups:
            for row in group:
                members[row.person_id].add(row.signal_id)
        taken: set[str] = set()
        moves: list[tuple[str, str]] = []
        doubts: list[tuple[str, str]] = []
        for group in sorted(groups, key=lambda group: _age(group[0])):
            oldest = group[0]
            person = oldest.person_id
            if person in taken:
                person = self._register.box.id(f"relinked-person|{oldest.signal_id}")
            taken.add(person)
            changed = [row for row in group if row.person_id != person]
            affected = {row.signal_id for row in group}.union(*(members[row.person_id] for row in changed))
            if changed and not protected.isdisjoint(affected):
                doubts += [(row.signal_id, oldest.signal_id) for row in changed if row is not oldest]
            else:
                moves += [(row.signal_id, person) for row in changed]
        return moves, doubts

    # ------------------------------------------------------------ common ground

    def _move(
        self,
        moves: Sequence[tuple[str, str]],
        reason: str,
        by: str,
        act: str,
        persons: Iterable[str],
        spoken: AbstractSet[str],
    ) -> list[Placed]:
        moved = self._tables.reassign(moves, reason, by, act, self._bundle_id) if moves else []
        self._make_findable(persons, spoken)
        self._tell(moved)
        return moved

    def _make_findable(self, persons: Iterable[str], spoken: AbstractSet[str]) -> None:
        """Every look of a person has a record that is found by its keys, and so has every signal somebody spoke about."""
        seen: set[tuple[str, Traits]] = set()
        add: dict[str, tuple[int, ...]] = {}
        rows = [(row, self._traits(row)) for row in sorted(self._tables.records_of(list(persons)), key=_age)]
        seen.update((row.person_id, one) for row, one in rows if row.keyed)
        for row, one in rows:
            if not row.keyed and (row.signal_id in spoken or (row.person_id, one) not in seen):
                seen.add((row.person_id, one))
                add[row.signal_id] = vault.keys_of(self._register, one, self._rules)[0]
        if add:
            self._tables.add_keys(self._register.register_id, add)

    def _two(self, one: str, other: str) -> tuple[StoredRow, StoredRow]:
        if one == other:
            raise SameSignal()
        found = {row.signal_id: row for row in self._tables.stored([one, other])}
        if len(found) < 2 or any(row.register_id != self._register.register_id for row in found.values()):
            raise UnknownSignal()
        return found[one], found[other]

    def _in_force(self) -> list[tuple[str, str, bool]]:
        return self._tables.verdicts(self._register.register_id)

    def _traits(self, row: StoredRow) -> Traits:
        return vault.open_traits(self._register, row)


def _said_one(signal_id: str, same: Mapping[str, AbstractSet[str]]) -> set[str]:
    """This signal and all that people said are about one person with it, directly or by way of others."""
    found, ahead = {signal_id}, [signal_id]
    while ahead:
        more = same.get(ahead.pop(), frozenset()) - found
        found |= more
        ahead += more
    return found


def _age(row: StoredRow) -> tuple[object, str]:
    return row.received_at, row.signal_id
