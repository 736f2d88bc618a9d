"""Rows of `vault.residency` and `vault.transfer`, always under the role of one purpose: what the registers said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from bereik.ports import Checked, Due, Found, Held, Offer, TrayRow
from bereik.store import ACTIVE, Tx, by_index, members, uuids


class CheckRows:
    """Who must be asked about, what was answered, and what people made of it, for one purpose."""

    def __init__(self, tx: Tx, purpose: str) -> None:
        self._tx, self._purpose = tx, purpose

    def want(self, rows: Sequence[tuple[str, str, str, str]]) -> None:
        """Have these (case, person, signal, municipality) asked about; each person of a case once."""
        if rows:
            cases, persons, signals, places = zip(*sorted(rows), strict=True)
            self._tx.execute(
                "INSERT INTO vault.residency (case_id, person_id, signal_id, municipality, purpose)"
                " SELECT w.*, %s FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[]) "
                " AS w (case_id, person_id, signal_id, place)"
                # Of a case that was taken over nothing is held to ask with: the teams tell each other who it is about.
                " WHERE EXISTS (SELECT FROM vault.record r WHERE r.signal_id = w.signal_id)"
                " ON CONFLICT (case_id, person_id) DO UPDATE SET stands = true WHERE NOT vault.residency.stands",
                (self._purpose, uuids(cases), uuids(persons), uuids(signals), list(places)),
            )

    def rest(self, case_ids: Sequence[str]) -> None:
        """Ask no more about the people of these cases, which have ended."""
        # Nearly all of them never stood here: those that did are looked up first, or each batch read the whole table.
        found = self._tx.rows(
            by_index("case_id", "vault.residency", "case_id", only="stands"), (uuids(case_ids),)
        )
        if found:
            self._tx.execute(
                "UPDATE vault.residency SET stands = false WHERE case_id = ANY(%s) AND stands",
                (uuids(case_id for (case_id,) in found),),
            )

    def due(self, limit: int) -> list[Due]:
        """Those to be asked about now, with one sealed record of each; longest waiting first."""
        rows = self._tx.rows(
            "SELECT d.case_id, d.person_id, d.signal_id, d.municipality, r.sealed, d.answer, d.tries"
            " FROM vault.residency d JOIN vault.record r USING (signal_id) WHERE d.stands AND d.choice IS NULL"
            " AND (d.answer IS NULL OR d.answer = 'in_onderzoek') AND d.due_at <= now()"
            " ORDER BY d.due_at LIMIT %s",
            (limit,),
        )
        return [
            Due(case, person, signal, place, bytes(sealed), answer, tries)
            for case, person, signal, place, sealed, answer, tries in rows
        ]

    def postpone(self, due: Due, seconds: int) -> None:
        """Ask about this one again later."""
        self._tx.execute(
            "UPDATE vault.residency SET due_at = now() + make_interval(secs => %s), tries = tries + 1"
            " WHERE case_id = %s AND person_id = %s",
            (seconds, due.case_id, due.person_id),
        )

    def answered(self, due: Due, checked: Checked) -> bool:
        """Write an answer down; False when there was one already, by another process or a person."""
        return bool(
            self._tx.execute(
                "UPDATE vault.residency SET answer = %s, differences = %s, bsn = %s, bsn_hash = %s, found = %s, known = %s,"
                # The same answer again is no news: since when somebody waits stays.
                " answered_at = CASE WHEN answer = %s THEN answered_at ELSE now() END, due_at = coalesce(%s, due_at),"
                " tries = tries + 1 WHERE case_id = %s AND person_id = %s AND tries = %s AND choice IS NULL"
                " AND (answer IS NULL OR answer = 'in_onderzoek')",
                (
                    checked.answer, list(checked.differences), checked.bsn, checked.bsn_hash, checked.found, checked.known,
                    checked.answer, checked.again, due.case_id, due.person_id, due.tries,
                ),
            ).rowcount
        )  # fmt: skip

    def of_number(self, digest: bytes) -> list[Found]:
        """Everybody with this number whom no person has taken out."""
        rows = self._tx.rows(
            "SELECT case_id, person_id, municipality, answer, choice FROM vault.residency"
            " WHERE bsn_hash = %s ORDER BY 1, 2",
            (digest,),
        )
        return [Found(*row) for row in rows]

    def hold(self, case_id: str, person_id: str, event: Mapping[str, Any]) -> None:
        """Keep an event of the register until somebody decided whom it is about; the same event once."""
        self._tx.execute(
            "UPDATE vault.residency SET events = events || %s::jsonb WHERE case_id = %s AND person_id = %s"
            " AND NOT events @> %s::jsonb",
            (Jsonb([dict(event)]), case_id, person_id, Jsonb([dict(event)])),
        )

    def release(self, case_id: str, person_id: str) -> list[Mapping[str, Any]]:
        """Give the events that were held, in the order in which they came, and hold them no longer."""
        rows = self._tx.rows(
            "UPDATE vault.residency d SET events = '[]' FROM (SELECT case_id, person_id, events FROM vault.residency"
            " WHERE case_id = %s AND person_id = %s FOR UPDATE) o"
            " WHERE d.case_id = o.case_id AND d.person_id = o.person_id RETURNING o.events",
            (case_id, person_id),
        )
        return list(rows[0][0]) if rows else []

    def change(self, case_id: str, person_id: str, answer: str) -> None:
        """What an event of the register makes of an answer."""
        self._tx.execute(
            "UPDATE vault.residency SET answer = %s, differences = '{}', found = NULL, answered_at = now()"
            " WHERE case_id = %s AND person_id = %s",
            (answer, case_id, person_id),
        )

    def tray(self, answers: Sequence[str], unasked: bool) -> list[TrayRow]:
        """What waits for a person, oldest first; with `unasked` also those about whom nobody asks a register."""
        rows = self._tx.rows(
            "SELECT case_id, person_id, municipality, answer, differences, coalesce(answered_at, due_at), events"
            " FROM vault.residency WHERE stands AND choice IS NULL AND (answer = ANY(%s) OR (%s AND answer IS NULL))"
            " ORDER BY coalesce(answered_at, due_at), case_id",
            (list(answers), unasked),
        )
        return [
            TrayRow(case, person, place, answer, tuple(names), at, tuple(one["kind"] for one in events))
            for case, person, place, answer, names, at, events in rows
        ]

    def held(self, case_id: str, person_id: str) -> Held | None:
        """One row with what is sealed in it."""
        rows = self._tx.rows(
            "SELECT d.municipality, d.signal_id, d.answer, d.differences, d.found, d.bsn, r.sealed, d.choice"
            " FROM vault.residency d JOIN vault.record r USING (signal_id) WHERE d.case_id = %s AND d.person_id = %s",
            (case_id, person_id),
        )
        if not rows:
            return None
        place, signal_id, answer, names, found, bsn, sealed, choice = rows[0]
        return Held(
            place, signal_id, answer, tuple(names), bytes(found) if found else None, bytes(bsn) if bsn else None,
            bytes(sealed), choice,
        )  # fmt: skip

    def repair(self, case_id: str, person_id: str, choice: str, by: str, *, keeps: bool, ends: bool) -> None:
        """What a person decided. `keeps`: the number found is this person's; `ends`: nothing is waited for any more."""
        self._tx.execute(
            "UPDATE vault.residency SET choice = CASE WHEN %(ends)s THEN %(choice)s END, repaired_by = %(by)s,"
            " repaired_at = now(), found = CASE WHEN %(ends)s THEN NULL ELSE found END,"
            " bsn = CASE WHEN %(keeps)s THEN bsn END, bsn_hash = CASE WHEN %(keeps)s THEN bsn_hash END"
            " WHERE case_id = %(case)s AND person_id = %(person)s",
            {"ends": ends, "keeps": keeps, "choice": choice, "by": by, "case": case_id, "person": person_id},
        )

    def offer(
        self,
        transfer_id: str,
        case_id: str,
        person_id: str,
        municipality: str,
        toward: str,
        team: str | None,
    ) -> bool:
        """Offer a mover's case to a team where somebody lives now; one offer for one move, False when it was made before."""
        return bool(
            self._tx.execute(
                "INSERT INTO vault.transfer (transfer_id, purpose, case_id, person_id, municipality, toward, team)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (transfer_id, self._purpose, case_id, person_id, municipality, toward, team),
            ).rowcount
        )

    def offers(self) -> list[Offer]:
        """Movers' cases that wait for an answer, oldest first."""
        rows = self._tx.rows(
            "SELECT transfer_id, case_id, person_id, municipality, toward, offered_at FROM vault.transfer"
            " WHERE decided_at IS NULL ORDER BY offered_at, transfer_id"
        )
        return [Offer(*row) for row in rows]

    def decide_offer(self, transfer_id: str, accepted: bool, by: str) -> bool:
        """Write down what the new municipality answered; False when it had answered already."""
        return bool(
            self._tx.execute(
                "UPDATE vault.transfer SET accepted = %s, decided_by = %s, decided_at = now()"
                " WHERE transfer_id = %s AND decided_at IS NULL",
                (accepted, by, transfer_id),
            ).rowcount
        )


def persons_of(tx: Tx, case_ids: Sequence[str], since: datetime) -> list[tuple[str, str, str]]:
    """(case, person, newest signal) of everybody whose active signals these cases hold, of cases received since then.

    Under the role of casework.
    """
    rows = tx.rows(
        "SELECT DISTINCT ON (c.case_id, s.person_id) c.case_id, s.person_id, s.signal_id"
        f" FROM ({by_index('case_id, subject', 'casework.case', 'case_id', only='received_at >= %s')}) AS c"
        f" CROSS JOIN {members('g.person_id, g.signal_id, g.received_at', ACTIVE)}"
        " ORDER BY c.case_id, s.person_id, s.received_at DESC",
        (uuids(case_ids), since),
    )
    return [(case, person, signal) for case, person, signal in rows]


def rates(tx: Tx) -> list[Mapping[str, Any]]:
    """Per purpose, partner and month of the answer: how many of its people were asked about, and how many did not fit.

    Under the auditor's role; counts only. A person whom two partners reported counts for both.
    """
    rows = tx.rows(
        "SELECT d.purpose, s.partner, to_char(d.answered_at AT TIME ZONE 'Europe/Amsterdam', 'YYYY-MM') AS month, count(*),"
        " count(*) FILTER (WHERE d.answer = 'unique'), count(*) FILTER (WHERE d.answer = 'deviating'),"
        " count(*) FILTER (WHERE d.answer = 'not_found') FROM vault.residency d JOIN casework.case c USING (case_id)"
        f" CROSS JOIN {members('DISTINCT g.partner', 'g.person_id = d.person_id')}"
        " WHERE d.answer IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    names = ("purpose", "partner", "month", "asked", "unique", "deviating", "not_found")
    return [
        {**dict(zip(names, row, strict=True)), "share": round((row[5] + row[6]) / row[3], 3)} for row in rows
    ]


def untold(tx: Tx, purpose: str, rows: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """(partner, month) of those rows that their partner was not told before; from now on they count as told.

    Under the role `keeping`.
    """
    found = tx.rows(
        "INSERT INTO vault.rate (purpose, partner, month, asked)"
        " SELECT %s, r.* FROM unnest(%s::text[], %s::text[], %s::int[]) AS r"
        " ON CONFLICT DO NOTHING RETURNING partner, month",
        (purpose, [r["partner"] for r in rows], [r["month"] for r in rows], [r["asked"] for r in rows]),
    )
    return {(partner, month) for partner, month in found}


def expire(tx: Tx, residency_days: int, transfer_days: int) -> int:
    """Remove what the registers said of people whose case ended so long ago, and offers made so long ago; returns how many.

    Under the role `keeping` of one purpose.
    """
    gone = tx.execute(
        "DELETE FROM vault.residency d USING casework.case c WHERE c.case_id = d.case_id AND NOT c.stands"
        " AND c.decided_at < now() - make_interval(days => %s)",
        (residency_days,),
    ).rowcount
    return (
        gone
        + tx.execute(
            "DELETE FROM vault.transfer WHERE offered_at < now() - make_interval(days => %s)",
            (transfer_days,),
        ).rowcount
    )
