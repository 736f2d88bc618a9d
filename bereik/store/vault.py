"""Rows of the schema `vault`, always under the role of one purpose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bereik.errors import LastingError
from bereik.keys import Keyring
from bereik.ports import Candidates, LookRow, Placed, RecordRow, Register, StoredRow
from bereik.store import Store, Tx, by_index, numbers, uuids

_REGISTER_LOCK = 7301
# Who decided, where nobody did.
MACHINE = "bereik"

_STAGE = {
    "signal_id": "text", "register_id": "int4", "sealed": "bytea", "keys": "int8[]", "household_id": "text", "person_id": "text",
    "received_at": "timestamptz", "outcome": "text", "reason": "text", "against": "text", "weight": "float4", "keyed": "bool",
}  # fmt: skip
# OFFSET 0: looked up for each, also while a table has no statistics.
_CANDIDATES = (
    "WITH found AS MATERIALIZED (SELECT k.key, r.person_id FROM unnest(%(keys)s::int8[]) AS k (key)"
    " CROSS JOIN LATERAL (SELECT signal_id FROM vault.key v WHERE v.register_id = %(register)s AND v.key = k.key"
    " ORDER BY v.register_id, v.key, v.signal_id LIMIT %(most)s) AS v"
    " CROSS JOIN LATERAL (SELECT person_id FROM vault.record WHERE signal_id = v.signal_id OFFSET 0) AS r),"
    " person AS (SELECT DISTINCT person_id FROM found JOIN"
    " (SELECT key FROM found GROUP BY key HAVING count(*) < %(most)s) AS few USING (key) ORDER BY person_id)"
    " SELECT key, person_id, NULL::uuid, NULL::timestamptz, NULL::bytea, NULL::text[] FROM found"
    " UNION ALL SELECT NULL, l.*, (SELECT array_agg(v.other::text) FROM vault.verdict v WHERE v.one = l.signal_id"
    " AND NOT v.same AND v.ended_at IS NULL) FROM person CROSS JOIN LATERAL (SELECT person_id, signal_id, received_at, sealed"
    " FROM vault.record WHERE person_id = person.person_id AND keyed OFFSET 0) AS l"
)
# A crowded address is one whose household is in vault.crowd.
_PLACED = (
    "r.signal_id, r.version, r.status, r.person_id, r.household_id,"
    " EXISTS (SELECT 1 FROM vault.crowd c WHERE c.household_id = r.household_id)"
)


@dataclass(frozen=True, slots=True)
class Edge:
    """A link as it was written down."""

    version: int
    person_id: str
    outcome: str
    reason: str
    against: str | None
    weight: float | None
    decided_by: str
    act_id: str | None
    bundle_id: int
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts over a window, and what follows from them.

    Precision: of the links made by themselves, the share that nobody broke. Recall: of the links that turned out to be
    right, the share that was made by itself; reviews answered with yes are the ones it missed.
    """

    signals: int
    links: int
    reviews: int
    same: int
    different: int
    broken: int

    @property
    def precision(self) -> float | None:
        """None before the first link."""
        return (self.links - self.broken) / self.links if self.links else None

    @property
    def recall(self) -> float | None:
        """None before anything was right."""
        right = self.links - self.broken
        return right / (right + self.same) if right + self.same else None

    @property
    def reviews_per_1000(self) -> float | None:
        """Reviews asked per 1,000 signals; None without signals."""
        return 1000 * self.reviews / self.signals if self.signals else None


class VaultRows:
    """Records, persons, keys and links of one purpose."""

    def __init__(self, tx: Tx, purpose: str) -> None:
        self._tx, self._purpose = tx, purpose

    def lock(self, registers: Iterable[int]) -> None:
        """One advisory lock per register, ascending."""
        self._tx.locks(_REGISTER_LOCK, list(registers))

    def candidates(
        self, register_id: int, parts: Sequence[Collection[int]], cap: int
    ) -> Generator[Candidates, None, None]:
        """For each part of a batch's keys, who shares one. The next part is looked up while one is used."""
        # In the order of the index, whose pages are then at hand: 23 % less time.
        asked = [{"keys": numbers(sorted(keys)), "register": register_id, "most": cap + 1} for keys in parts]
        for rows in self._tx.each(_CANDIDATES, asked):
            found: dict[int, list[str]] = defaultdict(list)
            looks = []
            for key, person_id, signal_id, received_at, sealed, apart in rows:
                if key is not None:
                    found[key].append(person_id)
                else:
                    looks.append(LookRow(person_id, signal_id, received_at, sealed, apart))
            keys = [(key, list(dict.fromkeys(persons)), len(persons)) for key, persons in found.items()]
            yield Candidates(keys, looks)

    def save(self, rows: Sequence[RecordRow], bundle_id: int) -> set[str]:
        """Insert records, the keys they are found by, the links, and what waits for review. Which households are marked."""
        if not rows:
            return set()
        source, values = self._tx.source(
            f"stage_vault_{self._purpose}",
            _STAGE,
            [
                (
                    row.signal_id, row.register.register_id, row.sealed, list(row.keys) if row.keyed else None,
                    row.household_id, row.person_id, row.received_at, row.outcome, row.reason, row.against, row.weight,
                    row.keyed,
                )
                for row in rows
            ],
        )  # fmt: skip
        # One statement, because a signal that comes alone waits for each.
        marked = self._tx.rows(
            "WITH record AS (INSERT INTO vault.record (signal_id, purpose, register_id, version, status, sealed, keyed,"
            " household_id, person_id, received_at) SELECT signal_id::uuid, %(purpose)s, register_id, 1, 'active', sealed, keyed,"
            f" household_id::uuid, person_id::uuid, received_at FROM {source}),"
            " key AS (INSERT INTO vault.key (register_id, key, signal_id, purpose)"
            f" SELECT register_id, unnest(keys), signal_id::uuid, %(purpose)s FROM {source} WHERE keys IS NOT NULL ORDER BY 1, 2),"
            " link AS (INSERT INTO vault.link (signal_id, version, person_id, purpose, outcome, reason, against, weight,"
            " decided_by, bundle_id) SELECT signal_id::uuid, 1, person_id::uuid, %(purpose)s, outcome, reason, against::uuid,"
            f" weight, '{MACHINE}', %(bundle)s FROM {source})"
            f" SELECT household_id FROM vault.crowd WHERE household_id IN (SELECT household_id::uuid FROM {source})",
            {**values, "purpose": self._purpose, "bundle": bundle_id},
        )
        if any(row.outcome == "review" for row in rows):
            self._tx.execute(
                "INSERT INTO vault.review (signal_id, against, register_id, purpose, weight, reason) SELECT signal_id::uuid,"
                f" against::uuid, register_id, %(purpose)s, weight, reason FROM {source} WHERE outcome = 'review'",
                {**values, "purpose": self._purpose},
            )
        return {household_id for (household_id,) in marked}

    def merge(self, became: Mapping[str, str], bundle_id: int) -> list[Placed]:
        """Give the records of persons that turned out to be another person to that one, under a higher version."""
        final: dict[str, str] = {}
        for old in became:
            new = became[old]
            while new in became:
                new = became[new]
            final[old] = new
        # Looked up first: joined with the update, PostgreSQL read the whole table for fifteen persons.
        found = self._tx.rows(by_index("signal_id, person_id", "vault.record", "person_id"), (uuids(final),))
        rows = self._tx.rows(
            "UPDATE vault.record r SET person_id = m.new, version = version + 1"
            " FROM unnest(%s::uuid[], %s::uuid[]) AS m (signal_id, new) WHERE r.signal_id = m.signal_id"
            f" RETURNING {_PLACED}",
            ([signal_id for signal_id, _ in found], [final[old] for _, old in found]),
        )
        moved = [Placed(*row) for row in rows]
        self._edges(moved, "merged", MACHINE, bundle_id)
        return moved

    def crowd(self, residents: Mapping[str, Sequence[str]]) -> list[Placed]:
        """Mark addresses, given who lives there: from now on each person there has a case of its own."""
        self._tx.execute(
            "INSERT INTO vault.crowd (household_id, purpose) SELECT unnest(%s::uuid[]), %s ON CONFLICT DO NOTHING",
            (list(residents), self._purpose),
        )
        rows = self._tx.rows(
            "UPDATE vault.record r SET version = version + 1 WHERE r.household_id = ANY(%s) AND r.person_id = ANY(%s)"
            f" RETURNING {_PLACED}",
            (list(residents), [person for found in residents.values() for person in found]),
        )
        return [Placed(row[0], row[1], row[2], row[3], row[4], crowded=True) for row in rows]

    def _edges(
        self, placed: Sequence[Placed], reason: str, decided_by: str, bundle_id: int, act: str | None = None
    ) -> None:
        self._tx.execute(
            "INSERT INTO vault.link (signal_id, version, person_id, purpose, outcome, reason, decided_by, bundle_id, act_id)"
            " SELECT signal_id, version, person_id, %s, 'link', %s, %s, %s, %s"
            " FROM unnest(%s::uuid[], %s::int[], %s::uuid[]) AS p (signal_id, version, person_id)",
            (
                self._purpose, reason, decided_by, bundle_id, act, [p.signal_id for p in placed], [p.version for p in placed],
                [p.person_id for p in placed],
            ),
        )  # fmt: skip

    def withdraw(self, signal_ids: Sequence[str]) -> list[Placed]:
        """Mark signals withdrawn under a higher version; one that was withdrawn before stays as it is."""
        return self._raised(signal_ids, "withdrawn")

    def standing(self, signal_ids: Sequence[str]) -> set[str]:
        """Which of these signals are here and were not withdrawn."""
        rows = self._tx.rows(
            "SELECT signal_id FROM vault.record WHERE signal_id = ANY(%s) AND status = 'active'",
            (list(signal_ids),),
        )
        return {signal_id for (signal_id,) in rows}

    def correct(self, signal_ids: Sequence[str]) -> list[Placed]:
        """Give signals that were not withdrawn a higher version, because what their partner says of them changed."""
        return self._raised(signal_ids, "active")

    def _raised(self, signal_ids: Sequence[str], status: str) -> list[Placed]:
        """Give those that stand this status under a higher version."""
        changed = self._tx.rows(
            "UPDATE vault.record r SET status = %s, version = version + 1"
            f" WHERE signal_id = ANY(%s) AND status = 'active' RETURNING {_PLACED}",
            (status, list(signal_ids)),
        )
        return [Placed(*row) for row in changed]


class VerdictRows(VaultRows):
    """The vault of one purpose for whoever decides about links."""

    def verdicts(self, register_id: int) -> list[tuple[str, str, bool]]:
        """What humans decided about pairs of signals in this register, and did not take back."""
        rows = self._tx.rows(
            "SELECT one, other, same FROM vault.verdict WHERE register_id = %s AND ended_at IS NULL",
            (register_id,),
        )
        return [(one, other, same) for one, other, same in rows]

    def find(self, beginning: str) -> list[tuple[str, str]]:
        """(signal, municipality) of the records whose id begins so; 16 at most."""
        digits = beginning.replace("-", "").lower()
        if not digits or len(digits) > 32 or not set(digits) <= set("0123456789abcdef"):
            return []
        rows = self._tx.rows(
            "SELECT r.signal_id, g.municipality FROM vault.record r JOIN vault.register g USING (register_id)"
            " WHERE r.signal_id BETWEEN %s AND %s ORDER BY r.signal_id LIMIT 16",
            (digits.ljust(32, "0"), digits.ljust(32, "f")),
        )
        return [(signal_id, municipality) for signal_id, municipality in rows]

    def reviews(self, limit: int) -> list[tuple[str, str, str, str, datetime]]:
        """(signal, possibly the same as, municipality, reason, since) that wait for a person, oldest first."""
        rows = self._tx.rows(
            "SELECT v.signal_id, v.against, g.municipality, v.reason, v.opened_at FROM vault.review v"
            " JOIN vault.register g USING (register_id) WHERE v.closed_at IS NULL ORDER BY v.opened_at, v.signal_id LIMIT %s",
            (limit,),
        )
        return [(one, against, code, reason, since) for one, against, code, reason, since in rows]

    def narrowest_link(self) -> tuple[str, str, str] | None:
        """(signal, signal, municipality) of the link that was made by itself on the least evidence."""
        rows = self._tx.rows(
            "SELECT l.signal_id, l.against, g.municipality FROM vault.link l JOIN vault.record r USING (signal_id)"
            " JOIN vault.register g USING (register_id) WHERE l.version = 1 AND r.version = 1 AND l.outcome = 'link'"
            " AND l.against IS NOT NULL ORDER BY l.weight, l.signal_id LIMIT 1"
        )
        return (rows[0][0], rows[0][1], rows[0][2]) if rows else None

    def asked(self, signal_id: str) -> str | None:
        """The signal that this one is possibly about the same person as, while that question is open."""
        rows = self._tx.rows(
            "SELECT against FROM vault.review WHERE signal_id = %s AND closed_at IS NULL", (signal_id,)
        )
        return rows[0][0] if rows else None

    def history(self, signal_id: str) -> list[Edge]:
        """Every edge that a signal had, oldest first."""
        rows = self._tx.rows(
            "SELECT version, person_id, outcome, reason, against, weight, decided_by, act_id, bundle_id, decided_at"
            " FROM vault.link WHERE signal_id = %s ORDER BY version",
            (signal_id,),
        )
        return [Edge(*row) for row in rows]

    def person_at(self, signal_id: str, moment: datetime) -> tuple[str, list[str]] | None:
        """Who a signal was about at a moment, and every signal of that person then; None before it was known."""
        rows = self._tx.rows(
            "WITH past AS (SELECT DISTINCT ON (signal_id) signal_id, person_id FROM vault.link WHERE decided_at <= %s"
            " AND signal_id IN (SELECT signal_id FROM vault.link WHERE person_id IN"
            "   (SELECT person_id FROM vault.link WHERE signal_id = %s)) ORDER BY signal_id, version DESC)"
            " SELECT o.person_id, t.signal_id FROM past o JOIN past t USING (person_id) WHERE o.signal_id = %s"
            " ORDER BY t.signal_id",
            (moment, signal_id, signal_id),
        )
        return (rows[0][0], [other for _, other in rows]) if rows else None

    def figures(self, municipality: str, since: datetime) -> Figures:
        """What people's decisions since a moment say of the links that one register made by itself."""
        row = self._tx.rows(
            "SELECT signals, links, reviews, same, different, broken FROM vault.figures(%s, %s, %s)",
            (self._purpose, municipality, since),
        )[0]
        return Figures(*row)

    def stored(self, signal_ids: Sequence[str]) -> list[StoredRow]:
        """These records, as far as they exist."""
        return self._stored("signal_id = ANY(%s)", list(signal_ids))

    def records_of(self, persons: Sequence[str]) -> list[StoredRow]:
        """Every record of these persons."""
        return self._stored("person_id = ANY(%s)", list(persons))

    def records(self, register_id: int) -> list[StoredRow]:
        """Every record of a register."""
        return self._stored("register_id = %s", register_id)

    def _stored(self, where: str, value: object) -> list[StoredRow]:
        found = self._tx.rows(
            "SELECT signal_id, register_id, person_id, household_id, version, status, received_at, sealed, keyed"
            f" FROM vault.record WHERE {where}",
            (value,),
        )
        return [StoredRow(*row) for row in found]

    def add_verdict(self, act: str, one: str, other: str, register_id: int, same: bool, by: str) -> None:
        """Take down what somebody decided about two signals."""
        self._tx.execute(
            "INSERT INTO vault.verdict (act_id, one, other, register_id, purpose, same, decided_by)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (act, one, other, register_id, self._purpose, same, by),
        )

    def end_verdicts(self, act: str, by: str) -> int:
        """Take back what an act decided; how many verdicts were in force."""
        return self._tx.execute(
            "UPDATE vault.verdict SET ended_at = now(), ended_by = %s WHERE act_id = %s AND ended_at IS NULL",
            (by, act),
        ).rowcount

    def before_act(self, act: str) -> list[tuple[str, str]]:
        """(signal, person before) for every signal that an act moved and nobody moved since."""
        rows = self._tx.rows(
            "SELECT l.signal_id, b.person_id FROM vault.link l"
            " CROSS JOIN LATERAL (SELECT person_id FROM vault.link p WHERE p.signal_id = l.signal_id"
            " AND p.version < l.version ORDER BY version DESC LIMIT 1) b"
            " WHERE l.act_id = %s AND NOT EXISTS (SELECT 1 FROM vault.link n WHERE n.signal_id = l.signal_id"
            " AND n.version > l.version)",
            (act,),
        )
        return [(signal_id, person_id) for signal_id, person_id in rows]

    def reassign(
        self, moves: Sequence[tuple[str, str]], reason: str, by: str, act: str, bundle_id: int
    ) -> list[Placed]:
        """Give signals to other persons, each under a higher version and with an edge that says why."""
        rows = self._tx.rows(
            "UPDATE vault.record r SET person_id = m.new, version = r.version + 1"
            " FROM unnest(%s::uuid[], %s::uuid[]) AS m (signal_id, new)"
            f" WHERE r.signal_id = m.signal_id AND r.person_id <> m.new RETURNING {_PLACED}",
            ([signal_id for signal_id, _ in moves], [person for _, person in moves]),
        )
        moved = [Placed(*row) for row in rows]
        self._edges(moved, reason, by, bundle_id, act)
        return moved

    def rehouse(self, homes: Sequence[tuple[str, str | None]]) -> list[Placed]:
        """Give signals to other households, each under a higher version."""
        rows = self._tx.rows(
            "UPDATE vault.record r SET household_id = m.new, version = version + 1"
            " FROM unnest(%s::uuid[], %s::uuid[]) AS m (signal_id, new) WHERE r.signal_id = m.signal_id"
            f" RETURNING {_PLACED}",
            ([signal_id for signal_id, _ in homes], [home for _, home in homes]),
        )
        return [Placed(*row) for row in rows]

    def add_keys(self, register_id: int, keys: Mapping[str, Sequence[int]]) -> None:
        """Make records findable."""
        self._tx.execute(
            "INSERT INTO vault.key (register_id, key, signal_id, purpose)"
            " SELECT %s, k.key, k.signal_id, %s FROM unnest(%s::int8[], %s::uuid[]) AS k (key, signal_id)",
            (
                register_id, self._purpose, [key for found in keys.values() for key in found],
                [signal_id for signal_id, found in keys.items() for _ in found],
            ),
        )  # fmt: skip
        self._tx.execute("UPDATE vault.record SET keyed = true WHERE signal_id = ANY(%s)", (list(keys),))

    def add_review(self, signal_id: str, against: str, register_id: int, reason: str) -> None:
        """Ask a person; what was asked about this signal before is not asked twice."""
        self._tx.execute(
            "INSERT INTO vault.review (signal_id, against, register_id, purpose, reason) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (signal_id) DO NOTHING",
            (signal_id, against, register_id, self._purpose, reason),
        )

    def close_reviews(self, signal_ids: Sequence[str], same: bool, by: str) -> None:
        """Write down the answer to what was asked about these signals."""
        self._tx.execute(
            "UPDATE vault.review SET closed_at = now(), closed_by = %s, same = %s WHERE signal_id = ANY(%s)"
            " AND closed_at IS NULL",
            (by, same, list(signal_ids)),
        )


class RegisterMissing(LastingError):
    """This purpose has no register in this municipality. Intake makes it with the first signal; check ops.parked."""


class Registers:
    """The registers of all purposes, opened once and kept.

    For intake, a new one is made when its first signal comes. For others they are only read, under the role that
    begins with `found_by`: `tracing` for the bridge, `linking` for whoever decides about links.
    """

    def __init__(self, store: Store, keyring: Keyring, *, found_by: str | None = None) -> None:
        self._store, self._keyring, self._found_by = store, keyring, found_by
        self._known: dict[tuple[str, str], Register] = {}

    def __call__(self, purpose: str, municipality: str) -> Register:
        """The register of a purpose in a municipality. Raises `StoreUnavailable`, `SealBroken`, `RegisterMissing`."""
        known = self._known.get((purpose, municipality))
        return known or self._open(purpose, municipality)

    def _open(self, purpose: str, municipality: str) -> Register:
        label = f"{purpose}|{municipality}"
        with self._store.transaction() as tx, tx.role(f"{self._found_by or 'vault'}_{purpose}"):
            if self._found_by is None:
                tx.execute(
                    "INSERT INTO vault.register (purpose, municipality, sealed_key) VALUES (%s, %s, %s)"
                    " ON CONFLICT (purpose, municipality) DO NOTHING",
                    (purpose, municipality, self._keyring.new_register_key(label)),
                )
            rows = tx.rows(
                "SELECT register_id, sealed_key FROM vault.register WHERE purpose = %s AND municipality = %s",
                (purpose, municipality),
            )
        if not rows:
            raise RegisterMissing()
        register_id, sealed_key = rows[0]
        box = self._keyring.register_box(label, bytes(sealed_key))
        opened = Register(register_id, purpose, municipality, box)
        self._known[(purpose, municipality)] = opened
        return opened
