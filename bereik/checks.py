"""Check before contact: who is asked about, what is kept of the answer, and what people make of it.

Being asked about is a row, written when a case changes; asking happens apart from it, a few persons at a time, and no
transaction is open while a register thinks. A register that is away therefore stops nothing: the case stands, its terms
run, the row waits. The number that a register gives is sealed in the vault at once; casework hears an answer and the names
of fields.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import orjson

from bereik import outreach, residency, vault
from bereik.bundle import Bundle
from bereik.casework import Casework, CaseworkTx, alert_message
from bereik.days import local_day
from bereik.declared.purposes import Lookup
from bereik.errors import LastingError
from bereik.lifecycle import IllegalMove
from bereik.linkage import Identity
from bereik.ports import (
    Box,
    Checked,
    CheckTables,
    Due,
    Found,
    Helped,
    Keys,
    Letter,
    Offer,
    Record,
    Register,
    Residents,
    TrayRow,
)
from bereik.residency import Answer, Choice, Verdict
from bereik.signal import unpack

log = logging.getLogger(__name__)

CASES, BRP = "cases.", "register.brp"
# Who states what the registers say.
BY_BRP, BY_DEBT_HELP = "brp", "schuldhulp-bekend"
# At four questions each and a second for each, a round of these ends well within the 300 s that Kafka allows.
PER_ROUND = 20


class NothingHeld(LastingError):
    """Nothing waits for a decision about this person of this case. `bereik tray list` shows what does."""


class NothingLeft(LastingError):
    """Nothing of this case is left to take over: its partners took every signal of this person back. Decline the offer."""


class ChecksTx(CaseworkTx, Protocol):
    """The transaction as the checks see it."""

    def checking(self, purpose_id: str) -> AbstractContextManager[CheckTables]: ...
    def persons_of(
        self, purpose_id: str, case_ids: Sequence[str], since: datetime
    ) -> list[tuple[str, str, str]]: ...


@dataclass(frozen=True, slots=True)
class Work:
    """What a batch brings: per purpose the cases with their municipality, None where one has ended; the register's events."""

    standing: Mapping[str, Mapping[str, str | None]]
    changes: Sequence[residency.Change]


class Checks:
    """The step of the checks consumer under one bundle, and the rounds of asking between its batches."""

    def __init__(
        self,
        bundle: Bundle,
        casework: Casework,
        keys: Keys,
        register: Callable[[str, str], Register],
        brp: Residents | None,
        known: Helped | None,
        refusals: tuple[type[LastingError], ...] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._bundle, self._casework, self._register = bundle, casework, register
        self._brp, self._known, self._refusals, self._now = brp, known, refusals, now
        self.purposes = sorted(name for name, purpose in bundle.purposes.items() if purpose.bsn)
        self._boxes: dict[str, Box] = {name: keys.box(f"residency|{name}") for name in self.purposes}
        self._alert_boxes: dict[str, Box] = {name: keys.box(f"purpose|{name}") for name in self.purposes}

    # ------------------------------------------------------------ the consumer's step

    def prepare(self, records: Sequence[Record]) -> Work:
        """The cases of the batch, as they are last told of, and the events of the register. Raises `NotAnEvent`."""
        standing: dict[str, dict[str, str | None]] = defaultdict(dict)
        changes = []
        for record in records:
            if record.topic == BRP:
                changes += [residency.read_event(event) for event in unpack(record.value)]
                continue
            purpose_id = record.topic.removeprefix(CASES)
            if purpose_id in self._boxes:
                for event in unpack(record.value):
                    data = event["data"]
                    place = data["municipality"] if data["stands"] else None
                    standing[purpose_id][data["case_id"]] = place
        return Work(standing, changes)

    def write(self, prepared: Work, tx: ChecksTx) -> None:
        """Note who must be asked about, and bring the register's events to the cases that they are about."""
        for purpose_id, found in sorted(prepared.standing.items()):
            standing = {case: place for case, place in found.items() if place is not None}
            persons = tx.persons_of(purpose_id, list(standing), self._since(purpose_id)) if standing else []
            with tx.checking(purpose_id) as tables:
                tables.want([(case, person, signal, standing[case]) for case, person, signal in persons])
                if len(standing) < len(found):
                    tables.rest([case for case in found if case not in standing])
        for change in prepared.changes:
            for purpose_id in self.purposes:
                self._follow(purpose_id, change, tx)

    def _since(self, purpose_id: str) -> datetime:
        """Nobody is asked about whose case came in before this."""
        return self._now() - timedelta(days=self._lookup(purpose_id).within_days)

    def _lookup(self, purpose_id: str) -> Lookup:
        lookup = self._bundle.purposes[purpose_id].bsn
        assert lookup is not None
        return lookup

    def park(self, letter: Letter, error: str, tx: ChecksTx) -> None:
        """Set a message aside by its coordinates."""
        tx.park_position(letter, error)

    def _follow(self, purpose_id: str, change: residency.Change, tx: ChecksTx) -> None:
        """Bring an event to everybody under its number; where it is doubted whose number that is, it waits for a person."""
        digest = self._boxes[purpose_id].digest(f"bsn|{change.bsn}")
        with tx.checking(purpose_id) as tables:
            found = tables.of_number(digest)
            for one in found:
                if _doubted(one):
                    tables.hold(one.case_id, one.person_id, residency.kept(change))
        for one in found:
            if not _doubted(one):
                self._apply(purpose_id, change, one.case_id, one.person_id, one.municipality, tx)

    def _apply(
        self,
        purpose_id: str,
        change: residency.Change,
        case_id: str,
        person_id: str,
        place: str,
        tx: ChecksTx,
    ) -> None:
        mark = f"{change.event_id}|{case_id}|{person_id}"
        answer = change.answer
        if change.kind == residency.MOVED_OUT and change.municipality == place:
            # The move ended here: this is the new municipality's own case.
            answer = Answer.UNIQUE
        if answer is not None:
            with tx.checking(purpose_id) as tables:
                tables.change(case_id, person_id, answer.value)
            detail = {"person_id": person_id, "answer": answer.value}
            self._state(purpose_id, case_id, residency.RESIDENT, detail, BY_BRP, mark, tx)
        if change.secret is not None:
            detail_on = {"person_id": person_id, "on": change.secret}
            self._state(purpose_id, case_id, residency.SECRECY, detail_on, BY_BRP, mark, tx)
        if way := self._way(purpose_id, change, place):
            if way == "offered" and change.municipality is not None:
                offer_id = self._boxes[purpose_id].id(f"transfer|{mark}")
                self._offer(purpose_id, offer_id, case_id, person_id, place, change.municipality, tx)
            detail_way = {"person_id": person_id, "way": way}
            self._state(purpose_id, case_id, residency.MOVED_AWAY, detail_way, BY_BRP, mark, tx)

    def _offer(
        self,
        purpose_id: str,
        offer_id: str,
        case_id: str,
        person_id: str,
        place: str,
        toward: str,
        tx: ChecksTx,
    ) -> None:
        """Offer a case where somebody lives now, and tell the team there that leads; it answers on the board."""
        contact = self._bundle.municipalities[toward].policies[purpose_id].contact
        team = contact.manager if contact is not None else None
        with tx.checking(purpose_id) as tables:
            fresh = tables.offer(offer_id, case_id, person_id, place, toward, team)
        if fresh and team is not None:
            box, now = self._alert_boxes[purpose_id], self._now()
            alert = alert_message(box, purpose_id, case_id, 0, toward, team, residency.OFFERED, now, offer_id)
            tx.send(f"alerts.{purpose_id}", [alert])

    def _apply_held(self, purpose_id: str, case_id: str, person_id: str, place: str, tx: ChecksTx) -> None:
        """What waited for the decision that this is whom the number belongs to."""
        with tx.checking(purpose_id) as tables:
            held = tables.release(case_id, person_id)
        for event in held:
            self._apply(purpose_id, residency.change_of(event), case_id, person_id, place, tx)

    def _way(self, purpose_id: str, change: residency.Change, place: str) -> str | None:
        """What becomes of a mover's case: offered where this installation serves the new municipality, else a number only."""
        match change.kind:
            case residency.MOVED_WITHIN:
                return "within"
            case residency.MOVED_ABROAD:
                return "abroad"
            case residency.MOVED_OUT if change.municipality != place:
                there = self._bundle.municipalities.get(change.municipality or "")
                served = there is not None and any(team.purpose == purpose_id for team in there.teams)
                return "offered" if served else "number_only"
            case _:
                return None

    # ------------------------------------------------------------ asking

    @property
    def by_hand(self) -> bool:
        """Whether no register is connected, so that each check is a task for a person."""
        return self._brp is None

    def due(self, tx: ChecksTx) -> list[tuple[str, Due]]:
        """(purpose, person) to be asked about now; none where checks are done by hand."""
        found: list[tuple[str, Due]] = []
        for purpose_id in () if self.by_hand else self.purposes:
            with tx.checking(purpose_id) as tables:
                found += [(purpose_id, one) for one in tables.due(PER_ROUND - len(found))]
        return found

    def ask(self, purpose_id: str, due: Due) -> Checked:
        """Ask the registers about one person; no transaction is open. Raises what the register's port raises."""
        register = self._register(purpose_id, due.municipality)
        who = vault.open_record(register, due.signal_id, due.sealed)
        verdict = self._verdict(who, due.municipality)
        if verdict.resident is None:
            return Checked(verdict.answer.value, verdict.differences)
        bsn, place = verdict.resident.bsn, f"{due.case_id}|{due.person_id}"
        # Only of whom we surely know who it is; in doubt we would ask about somebody else.
        sure = verdict.answer is Answer.UNIQUE and self._known is not None
        differs = verdict.answer in residency.TRAY
        again = timedelta(days=self._lookup(purpose_id).again_days)
        return Checked(
            verdict.answer.value,
            verdict.differences,
            bsn=vault.seal_number(register.box, due.case_id, due.person_id, bsn),
            bsn_hash=self._boxes[purpose_id].digest(f"bsn|{bsn}"),
            found=register.box.seal(orjson.dumps(verdict.resident.who.fields), f"found|{place}".encode())
            if differs
            else None,
            known=self._known.knows(bsn) if sure and self._known is not None else None,
            again=self._now() + again if verdict.answer is Answer.IN_ONDERZOEK else None,
        )

    def _verdict(self, who: Identity, municipality: str) -> Verdict:
        assert self._brp is not None
        today = local_day(self._now())
        try:
            for question in residency.questions(who, today):
                met = residency.people(self._brp.ask(question))
                if not met:
                    continue
                one = residency.single(who, met, today)
                full = (
                    residency.people(self._brp.ask(residency.record_of(one.bsn))) if one is not None else []
                )
                return residency.judge(who, municipality, full[0] if full else None, today)
        except self._refusals:
            # This one question is not taken, such as a name in letters that the register does not know: a person looks.
            return Verdict(Answer.NOT_FOUND)
        return Verdict(Answer.NOT_FOUND)

    def take_down(self, purpose_id: str, due: Due, checked: Checked, tx: ChecksTx) -> None:
        """Keep an answer and state it about the case, unless it says again what it said; harmless when it was kept before."""
        with tx.checking(purpose_id) as tables:
            if not tables.answered(due, checked):
                return
        if checked.answer == due.answer:
            return
        mark = f"{due.case_id}|{due.person_id}|{due.tries}"
        detail: dict[str, object] = {"person_id": due.person_id, "answer": checked.answer}
        if checked.differences:
            detail["differences"] = list(checked.differences)
        self._state(purpose_id, due.case_id, residency.RESIDENT, detail, BY_BRP, mark, tx)
        if checked.known is not None:
            said = {"person_id": due.person_id, "yes": checked.known}
            self._state(purpose_id, due.case_id, residency.KNOWN, said, BY_DEBT_HELP, mark, tx)
        if due.answer is not None and checked.answer not in residency.TRAY:
            self._apply_held(purpose_id, due.case_id, due.person_id, due.municipality, tx)

    def _state(
        self,
        purpose_id: str,
        case_id: str,
        kind: str,
        detail: Mapping[str, object],
        by: str,
        mark: str,
        tx: ChecksTx,
    ) -> None:
        fact_id = self._boxes[purpose_id].id(f"fact|{kind}|{mark}")
        try:
            outreach.state_fact(
                self._casework, tx, purpose_id, case_id, fact_id, kind, detail, by, self._now()
            )
        except (IllegalMove, outreach.UnknownCase) as error:
            # The answer is kept; a case that a declaration closed to it, or that was merged away, is not stopped by it.
            log.warning("what a register says of a case is not stated: %s", type(error).__name__)

    # ------------------------------------------------------------ the tray

    def tray(self, tx: ChecksTx) -> list[tuple[str, TrayRow]]:
        """(purpose, row) of all that waits for a person."""
        found: list[tuple[str, TrayRow]] = []
        for purpose_id in self.purposes:
            with tx.checking(purpose_id) as tables:
                found += [(purpose_id, row) for row in tables.tray(sorted(residency.TRAY), self.by_hand)]
        return found

    def offers(self, tx: ChecksTx) -> list[tuple[str, Offer]]:
        """(purpose, offer) of every mover's case that waits for its new municipality."""
        found: list[tuple[str, Offer]] = []
        for purpose_id in self.purposes:
            with tx.checking(purpose_id) as tables:
                found += [(purpose_id, offer) for offer in tables.offers()]
        return found

    def answer_offer(
        self, purpose_id: str, offer: Offer, accepted: bool, by: str, tx: ChecksTx
    ) -> str | None:
        """What the new municipality answers; once. Accepted: the id of the case there, which goes on from the old one.

        Both cases name the other by reference, and the old team is told. Raises `NothingHeld`; `NothingLeft` when it would
        be accepted and all signals were taken back since.
        """
        with tx.checking(purpose_id) as tables:
            if not tables.decide_offer(offer.transfer_id, accepted, by):
                raise NothingHeld()
        answer: dict[str, object] = {"municipality": offer.toward, "accepted": accepted}
        new_id = None
        if accepted:
            new_id = self._casework.take_over(
                purpose_id, offer.case_id, offer.person_id, offer.toward, offer.transfer_id, tx
            )
            if new_id is None:
                raise NothingLeft()
            answer["reference"] = new_id
            origin = {"municipality": offer.municipality, "reference": offer.case_id}
            self._state(purpose_id, new_id, residency.TAKEN_OVER, origin, by, offer.transfer_id, tx)
        self._state(purpose_id, offer.case_id, residency.OFFER_ANSWERED, answer, by, offer.transfer_id, tx)
        reason = "offer_accepted" if accepted else "offer_declined"
        self._casework.tell_team(purpose_id, offer.case_id, reason, offer.transfer_id, self._now(), tx)
        return new_id

    def compare(
        self, purpose_id: str, case_id: str, person_id: str, tx: ChecksTx
    ) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """What the partner wrote and what the register holds, for the one who repairs. Raises `NothingHeld`."""
        with tx.checking(purpose_id) as tables:
            held = tables.held(case_id, person_id)
        if held is None:
            raise NothingHeld()
        register = self._register(purpose_id, held.municipality)
        wrote = vault.open_record(register, held.signal_id, held.sealed).fields
        if held.found is None:
            return wrote, {}
        return wrote, orjson.loads(register.box.open(held.found, f"found|{case_id}|{person_id}".encode()))

    def repair(
        self, purpose_id: str, case_id: str, person_id: str, choice: Choice, by: str, tx: ChecksTx
    ) -> None:
        """Take down what a person decided. Asking the partner leaves it in the tray. Raises `NothingHeld`.

        Events of the register that waited for this are followed when it is this person, and forgotten when it is not.
        """
        with tx.checking(purpose_id) as tables:
            held = tables.held(case_id, person_id)
            if held is None or held.choice is not None or held.answer not in (None, *residency.TRAY):
                raise NothingHeld()
            keeps = choice in (Choice.REGISTER, Choice.ASKED)
            tables.repair(case_id, person_id, choice.value, by, keeps=keeps, ends=choice is not Choice.ASKED)
        outreach.state_fact(
            self._casework,
            tx,
            purpose_id,
            case_id,
            self._boxes[purpose_id].id(f"fact|repaired|{case_id}|{person_id}|{self._now().isoformat()}"),
            residency.REPAIRED,
            {"person_id": person_id, "choice": choice.value},
            by,
            self._now(),
        )
        if choice is Choice.REGISTER:
            self._apply_held(purpose_id, case_id, person_id, held.municipality, tx)
        elif choice is not Choice.ASKED:
            with tx.checking(purpose_id) as tables:
                tables.release(case_id, person_id)


def _doubted(one: Found) -> bool:
    """Whether nobody has decided yet that this number is this person's."""
    return one.answer in residency.TRAY and one.choice is None
