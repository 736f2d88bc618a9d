"""Partner feedback: what became of a signal, in the one word that its partner may hear. Nothing else goes back.

Casework knows which word each signal has and no event of a partner; outreach knows which receipt a signal of a purpose has,
and no case. So a word travels as (signal, word, code, day) and leaves as (receipt, word, code, day).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Protocol

import orjson

from bereik import lifecycle, receipts
from bereik.bundle import Bundle
from bereik.days import local_day
from bereik.declared.partners import Partner
from bereik.declared.purposes import Purpose
from bereik.ports import Letter, Outbox, Record, SignalRow, TellingTables, ToldRow
from bereik.signal import unpack

WORDS = "words."

# ---------------------------------------------------------------- deciding, pure


@dataclass(frozen=True, slots=True)
class Heard:
    """A word, and the code that explains it where the law's own list has one."""

    word: str
    code: str | None = None

    @classmethod
    def read(cls, text: str) -> Heard:
        """From the one text that casework remembers."""
        word, _, code = text.partition("/")
        return cls(word, code or None)

    def __str__(self) -> str:
        """The one text that casework remembers."""
        return f"{self.word}/{self.code}" if self.code else self.word


class Words:
    """What the partners of one purpose may hear of each state and result."""

    def __init__(self, purpose: Purpose, partners: Mapping[str, Partner]) -> None:
        self._partners = partners
        self._otherwise = {
            word: said["otherwise"] for word, said in purpose.feedback.items() if "otherwise" in said
        }
        self._states = {w.when: Heard(w.feedback, w.code) for w in purpose.states if w.feedback}
        self._results = {w.id: Heard(w.feedback, w.code) for w in purpose.results if w.feedback}
        # What its receipt said already.
        self.first = str(self._states[lifecycle.NEW])

    def of(self, when: str, result: str | None, row: SignalRow) -> str:
        """The word of one signal of a case in this state: the result's, else the state's.

        A word with `otherwise` is heard only where the agreement lists it; everybody else hears that other word.
        """
        heard = self._results.get(result or "") or self._states.get(when)
        if heard is None:
            return self.first
        otherwise = self._otherwise.get(heard.word)
        if otherwise is not None and heard.word not in self._listed(row):
            heard = Heard(otherwise)
        return str(heard)

    def _listed(self, row: SignalRow) -> frozenset[str]:
        partner = self._partners.get(row.partner)
        day = local_day(row.received_at)
        return frozenset(
            word
            for agreement in (partner.agreements if partner else ())
            if agreement.municipality == row.municipality
            and row.signal_type in agreement.signal_types
            and agreement.in_force(day)
            for word in agreement.feedback
        )


def word_message(signal_id: str, told: str, on: datetime) -> tuple[bytes, bytes]:
    """A changed word as a message for `words.<purpose>`: which signal, which word, which day."""
    heard = Heard.read(told)
    body = {
        "specversion": "1.0",
        "id": f"{signal_id}:{told}:{on.isoformat()}",
        "source": "urn:bereik:casework",
        "type": "nl.bereik.woord-veranderd.v1",
        "datacontenttype": "application/json",
        "data": {
            "signal_id": signal_id,
            "word": heard.word,
            "code": heard.code,
            "on": local_day(on),
        },
    }
    return signal_id.encode(), orjson.dumps(body)


@lru_cache(maxsize=64)
def words(bundle: Bundle, purpose_id: str) -> Words:
    """The words of a purpose under a bundle."""
    return Words(bundle.purposes[purpose_id], bundle.partners)


# ---------------------------------------------------------------- doing


class FeedbackTx(Outbox, Protocol):
    """The transaction as feedback sees it: the receipts of one purpose at a time."""

    def telling(self, purpose_id: str) -> AbstractContextManager[TellingTables]: ...
    def park_position(self, letter: Letter, error: str) -> None: ...


class Feedback:
    """The step that turns changed words into new versions of receipts; a word that says nothing new is not sent."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def prepare(self, records: Sequence[Record]) -> dict[str, list[ToldRow]]:
        """The words in the batch, per purpose; of one signal the last."""
        found: dict[str, dict[str, ToldRow]] = defaultdict(dict)
        for record in records:
            of_purpose = found[record.topic.removeprefix(WORDS)]
            for event in unpack(record.value):
                row = _read(event)
                of_purpose[row.signal_id] = row
        return {purpose_id: list(rows.values()) for purpose_id, rows in found.items()}

    def write(self, prepared: Mapping[str, list[ToldRow]], tx: FeedbackTx) -> None:
        """Keep each word with its receipt, and send it to the partner."""
        by_partner: dict[str, list[tuple[bytes, bytes]]] = defaultdict(list)
        for purpose_id in sorted(prepared):
            first = Heard.read(words(self._bundle, purpose_id).first).word
            with tx.telling(purpose_id) as tables:
                for partner, receipt_id, version, word, code, on in tables.tell(prepared[purpose_id], first):
                    message = receipts.told_message(receipt_id, version, word, code, on)
                    by_partner[partner].append(message)
        for partner, messages in sorted(by_partner.items()):
            tx.send(f"receipts.{partner}", messages)

    def park(self, letter: Letter, error: str, tx: FeedbackTx) -> None:
        """Set a message of ours aside by its coordinates."""
        tx.park_position(letter, error)


def _read(event: Mapping[str, Any]) -> ToldRow:
    data = event["data"]
    return ToldRow(data["signal_id"], data["word"], data["code"], date.fromisoformat(data["on"]))
