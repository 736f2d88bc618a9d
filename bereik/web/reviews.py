"""Reviews on the board: is this one person? What may be opened, what is answered, and what the page shows of it.

The only place where the web process opens identity. It does so under `reviewing_<purpose>`, where PostgreSQL shows the two
people of a question to whoever may answer it, and writes each opening in the audit within the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from bereik import vault
from bereik.bundle import Bundle
from bereik.differences import Line, side_by_side
from bereik.evidence import Evidence
from bereik.keys import Keyring
from bereik.ports import Placed, Register
from bereik.store import Tx, board, bundles
from bereik.store.accounts import Account
from bereik.store.reviews import Question, ReviewRows
from bereik.store.vault import Figures
from bereik.verdicts import Desk
from bereik.web.texts import known, local, long_date, plain
from bereik.web.words import Words, reference

SAME, DIFFERENT, UNKNOWN = "same", "different", "unknown"
ANSWERS = (SAME, DIFFERENT, UNKNOWN)
# As `bereik linkage figures` counts by itself.
FIGURE_DAYS = 90
# As one reads who somebody is; a field that is declared later comes after these.
_READ = (
    "initials", "first_names", "prefix", "surname", "birth_date", "postcode", "house_number", "house_letter",
    "house_number_addition", "phone", "email",
)  # fmt: skip
# More than a day's work; the page says how many it shows.
_MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Opened:
    """A question with both records. `why` is None until this user has answered: who knows the weight no longer looks."""

    purpose: str
    question: Question
    received: tuple[datetime, datetime]
    lines: tuple[Line, ...]
    why: Evidence | None
    may_answer: bool


class Reviewing:
    """What one user may do with questions. Every method runs in a transaction that names the user."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def waiting(self, tx: Tx, account: Account, bundle: Bundle) -> list[tuple[str, Question]]:
        """(purpose, question) that are open to this user and that they did not pass on."""
        found = []
        for purpose in _purposes(account, bundle):
            with tx.role(f"reviewing_{purpose}"):
                asked = ReviewRows(tx, purpose).waiting(_MOST_SHOWN)
            found += [(purpose, one) for one in asked if account.username not in one.unsure]
        return found

    def figures(self, tx: Tx, account: Account, now: datetime) -> list[tuple[str, str, Figures]]:
        """(purpose, municipality, figures) of where this user is the neutral reviewer."""
        found = []
        for remit in account.reviews:
            with tx.role(f"reviewing_{remit.purpose}"):
                counted = ReviewRows(tx, remit.purpose).figures(
                    remit.municipality, now - timedelta(days=FIGURE_DAYS)
                )
            found.append((remit.purpose, remit.municipality, counted))
        return found

    def open(self, tx: Tx, account: Account, bundle: Bundle, signal_id: str, language: str) -> Opened | None:
        """Both records, and an entry in the audit; None when this is no question of this user."""
        found = self._find(tx, account, bundle, signal_id)
        if found is None:
            return None
        purpose, question = found
        with tx.role(f"reviewing_{purpose}"):
            tables = ReviewRows(tx, purpose)
            rows = {row.signal_id: row for row in tables.stored([question.signal_id, question.against])}
            if len(rows) < 2:
                return None
            register = tables.register(question.municipality, self._keyring)
            earlier, later = (
                vault.open_record(register, one, rows[one].sealed)
                for one in (question.against, question.signal_id)
            )
            told = question.same is not None or account.username in question.unsure
            why = (
                self._desk(tables, register, bundle, 0, []).why(
                    question.signal_id, question.against, language
                )
                if told
                else None
            )
        board.note(tx, account.username, "review.opened", purpose, question.signal_id)
        received = (rows[question.against].received_at, rows[question.signal_id].received_at)
        return Opened(
            purpose,
            question,
            received,
            tuple(side_by_side(earlier, later, dict.fromkeys((*_READ, *bundle.linkage.fields)))),
            why,
            may_answer=not told,
        )

    def answer(
        self, tx: Tx, account: Account, bundle: Bundle, signal_id: str, answer: str
    ) -> Question | None:
        """Answer a question as `bereik linkage join` or `part` does; None when it is not open to this user any more.

        Raises `DecidedBefore` when somebody decided the opposite about these people.
        """
        found = self._find(tx, account, bundle, signal_id)
        if found is None:
            return None
        purpose, question = found
        moved: list[Placed] = []
        bundle_id = bundles.active_id(tx) or 0
        with tx.role(f"reviewing_{purpose}"):
            tables = ReviewRows(tx, purpose)
            register = tables.register(question.municipality, self._keyring)
            # The lock first: a colleague may be answering the same question.
            tables.lock([register.register_id])
            still = tables.question(signal_id)
            if still is None or still.same is not None or account.username in still.unsure:
                return None
            desk = self._desk(tables, register, bundle, bundle_id, moved)
            if answer == UNKNOWN:
                tables.not_told(signal_id, account.username)
            elif answer == SAME:
                desk.join(signal_id, question.against, account.username, str(uuid4()))
            else:
                desk.part(signal_id, question.against, account.username, str(uuid4()))
        tx.send(f"signals.{purpose}", vault.moved_messages(moved, purpose, bundle.purposes[purpose].subject))
        board.note(tx, account.username, f"review.{answer}", purpose, signal_id)
        return question

    def _desk(
        self, tables: ReviewRows, register: Register, bundle: Bundle, bundle_id: int, moved: list[Placed]
    ) -> Desk:
        return Desk(register, tables, bundle.linkage, bundle_id, moved.extend)

    def _find(self, tx: Tx, account: Account, bundle: Bundle, signal_id: str) -> tuple[str, Question] | None:
        for purpose in _purposes(account, bundle):
            with tx.role(f"reviewing_{purpose}"):
                question = ReviewRows(tx, purpose).question(signal_id)
            if question is not None:
                return purpose, question
        return None


def _purposes(account: Account, bundle: Bundle) -> list[str]:
    mine = {remit.purpose for remit in account.reviews} | {member.purpose for member in account.members}
    return sorted(mine & set(bundle.purposes))


# ---------------------------------------------------------------- what the pages show


def queue(found: Sequence[tuple[str, Question]], words: Words) -> list[dict[str, Any]]:
    """The open questions as a list; no identity."""
    return [
        {
            "href": f"/reviews/{question.signal_id}",
            "reference": reference(question.signal_id),
            "purpose": words.purpose(purpose),
            "municipality": words.municipality(question.municipality),
            "since": _day(question.since, words),
            "passed_on": bool(question.unsure),
        }
        for purpose, question in found
    ]


def counts(found: Sequence[tuple[str, str, Figures]], words: Words) -> list[dict[str, Any]]:
    """The rolling figures per register."""

    def share(value: float | None) -> str:
        if value is None:
            return "–"
        spoken = f"{100 * value:.1f} %"
        return spoken.replace(".", ",") if words.language == "nl" else spoken

    def load(value: float | None) -> str:
        if value is None:
            return "–"
        return f"{value:.1f}".replace(".", ",") if words.language == "nl" else f"{value:.1f}"

    return [
        {
            **asdict(figures),
            "where": f"{words.purpose(purpose)} · {words.municipality(municipality)}",
            "precision": share(figures.precision),
            "recall": share(figures.recall),
            "load": load(figures.reviews_per_1000),
        }
        for purpose, municipality, figures in found
    ]


def sheet(opened: Opened, username: str, words: Words) -> dict[str, Any]:
    """Both records side by side, and after the answer the weight."""
    question = opened.question
    answer = None
    if question.same is not None:
        answer = SAME if question.same else DIFFERENT
    elif username in question.unsure:
        answer = UNKNOWN
    return {
        "path": f"/reviews/{question.signal_id}",
        "reference": reference(question.signal_id),
        "purpose": words.purpose(opened.purpose),
        "municipality": words.municipality(question.municipality),
        "received": [_day(one, words) for one in opened.received],
        "lines": [
            {
                "name": known(f"review.field.{line.name}", words.language) or plain(line.name),
                "sides": (line.one, line.other),
                "likeness": line.likeness.value,
                "words": words.t(f"review.{line.likeness.value}"),
            }
            for line in opened.lines
        ],
        "may_answer": opened.may_answer,
        "answer": answer,
        "why": _why(opened.why, words) if opened.why else None,
    }


def _why(found: Evidence, words: Words) -> Mapping[str, Any]:
    told = [found.prior, *found.lines]
    return {
        "lines": [(one.name or "", one.finding, _bits(one.weight, words)) for one in told],
        # Behind a line for each comparison stand the sum and what would have turned it.
        "sum": [line.strip() for line in found.text(words.language)[len(told) :]],
    }


def _bits(weight: float | None, words: Words) -> str:
    if weight is None:
        return "·"
    spoken = f"{weight:+.1f}"
    return spoken.replace(".", ",") if words.language == "nl" else spoken


def _day(moment: datetime, words: Words) -> str:
    return long_date(local(moment).date(), words.language)
