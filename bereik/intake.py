"""Intake: land → check → admit to a purpose → identify. Every event leaves with a receipt and one of four fates."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson

from bereik import cases, linkage, purpose, receipts, signal, vault
from bereik.bundle import Bundle
from bereik.days import local_day
from bereik.declared.partners import Partner
from bereik.declared.signals import SignalType
from bereik.ports import (
    Assignment,
    Box,
    IntakeTables,
    Keys,
    Letter,
    Outbox,
    Placed,
    ReceiptRow,
    Record,
    RecordRow,
    Register,
    SourceRow,
    VaultTables,
)
from bereik.receipts import Fate, Gate
from bereik.signal import READ_TEXTS, Event, Unreadable

log = logging.getLogger(__name__)

IN = "in."

DOOR, FILE, KAFKA = "bereik-door", "file", "kafka"

# 2100-01-01 in milliseconds: beyond it, days in the Netherlands and terms would run out of the calendar.
_LAST_MS = 4_102_444_800_000


class IntakeTx(Outbox, Protocol):
    """The transaction as intake sees it: its own tables, and the vault of one purpose at a time."""

    def intake(self) -> IntakeTables: ...
    def vault(self, purpose_id: str) -> AbstractContextManager[VaultTables]: ...


@dataclass(slots=True)
class Item:
    """One landed event on its way: its receipt, and what is needed when it is accepted."""

    receipt: ReceiptRow
    signal_type: SignalType | None = None
    record: RecordRow | None = None
    area: str | None = None
    data: Mapping[str, Any] | None = None
    consent: purpose.Consent | None = None
    original: str | None = None
    reason: str | None = None
    # What a correction says is different.
    changes: Mapping[str, Any] | None = None


class Intake:
    """The step of the intake consumer under one bundle."""

    def __init__(
        self,
        bundle: Bundle,
        bundle_id: int,
        keys: Keys,
        register: Callable[[str, str], Register],
    ) -> None:
        self._bundle, self._bundle_id, self._register = bundle, bundle_id, register
        self._box: Box = keys.box("intake")
        self._purpose_boxes = {name: keys.box(f"purpose|{name}") for name in bundle.purposes}

    # ------------------------------------------------------------ deciding, without the database

    def prepare(self, records: Sequence[Record]) -> list[Item]:
        """Read, check and admit every record; seal what will be kept."""
        return [self._one(record) for record in records]

    def _one(self, record: Record) -> Item:
        receipt = self._receipt(record, Fate.REFUSED)
        item = Item(receipt)
        try:
            event = signal.read(record.headers, record.value)
        except Unreadable as error:
            nl, en = READ_TEXTS[error.reason]
            receipt.event_id = error.event_id
            # Without a usable id nobody can point at it, so it waits for a person instead of for its sender.
            receipt.fate = (Fate.REFUSED if error.event_id else Fate.PARKED).value
            receipt.reasons = [receipts.reason(error.reason.value, nl, en)]
            return item
        receipt.event_id, receipt.event_type = event.id, event.type
        partner = self._bundle.partners.get(receipt.partner)
        if partner is None:
            return _refuse(item, receipts.reason("unknown_partner"), Gate.UNCONFIGURED)
        if event.source != partner.source:
            return _refuse(item, receipts.reason("source_not_yours"))
        known = self._bundle.types_by_event.get(event.type)
        if known is None:
            return _refuse(item, receipts.reason(self._bundle.why_unknown(event.type)))
        item.signal_type, receipt.action = known
        receipt.content = self._box.digest(signal.canonical(event).decode())
        if receipt.action == "report":
            return self._report(item, event, partner)
        return self._about(item, event, partner)

    def _report(self, item: Item, event: Event, partner: Partner) -> Item:
        receipt, kind, data = item.receipt, item.signal_type, event.data
        assert kind is not None
        # The law speaks before the form: a partner without a basis gets no lesson in filling in fields.
        found = self._locate(kind, data, receipt.received_at)
        receipt.municipality, item.area = found or (None, None)
        admission = purpose.admit(
            kind,
            "report",
            partner,
            receipt.municipality,
            data,
            local_day(receipt.received_at),
            self._bundle,
        )
        receipt.gate = Gate(admission.outcome.value).value
        if admission.outcome is purpose.Outcome.UNCONFIGURED:
            receipt.reasons = [_law(reason) for reason in admission.reasons]
            return item
        errors = kind.contract.check(event, receipt.received_at)
        if errors or admission.outcome is not purpose.Outcome.ALLOWED:
            receipt.reasons = [_law(reason) for reason in admission.reasons] + [
                _field(error) for error in errors
            ]
            return item
        stated = data.get(kind.municipality_field) if kind.municipality_field else None
        if stated is not None and stated != receipt.municipality:
            return _refuse(
                item,
                receipts.reason("municipality_mismatch", field=kind.municipality_field or ""),
                Gate.ALLOWED,
            )
        assert admission.purpose is not None and receipt.municipality is not None
        self._accept(item, admission.purpose, partner, event.id)
        item.data = data
        item.consent = purpose.consent(kind, admission.agreement, data)
        if item.consent is not None and not item.consent.counts:
            receipt.reasons = [receipts.reason("consent_not_counted")]
        assert receipt.signal_id is not None
        register = self._register(admission.purpose, receipt.municipality)
        row = RecordRow(receipt.signal_id, register, receipt.received_at)
        item.record = vault.seal_record(kind, data, self._bundle.linkage, row)
        return item

    def _about(self, item: Item, event: Event, partner: Partner) -> Item:
        """A withdrawal or a correction of an earlier signal. A correction that it was somebody else takes the signal back."""
        receipt, kind = item.receipt, item.signal_type
        assert kind is not None and receipt.action is not None
        about = kind.about(receipt.action)
        if about is None:
            return _refuse(item, receipts.reason("unknown_type"))
        reference, reason = about.reference_field, about.reason_field
        admission = purpose.admit(
            kind,
            receipt.action,
            partner,
            None,
            event.data,
            local_day(receipt.received_at),
            self._bundle,
        )
        receipt.gate = Gate(admission.outcome.value).value
        if admission.outcome is not purpose.Outcome.ALLOWED:
            receipt.reasons = [_law(reason) for reason in admission.reasons]
            return item
        errors = about.contract.check(event, receipt.received_at)
        if errors:
            receipt.reasons = [_field(error) for error in errors]
            return item
        item.reason = str(event.data.get(reason or "", "")) or None
        if receipt.action == "correct" and item.reason not in kind.because:
            item.changes = {
                name: value for name, value in event.data.items() if name not in (reference, reason)
            }
            if not item.changes:
                return _refuse(item, receipts.reason("nothing_corrected"), Gate.ALLOWED)
            if (below := purpose.below_minimum(kind, item.changes)) is not None:
                return _refuse(item, _law(below), Gate.REFUSED)
            said = purpose.corrected_consent(kind, partner, item.changes)
            if said is not None and not said.counts:
                receipt.reasons = [receipts.reason("consent_not_counted")]
        item.original = str(event.data[reference])
        self._accept(item, kind.purpose, partner, item.original)
        return item

    def _locate(
        self, kind: SignalType, data: Mapping[str, Any], received_at: datetime
    ) -> tuple[str, str] | None:
        code, number = (data.get(kind.identity.get(name, "")) for name in ("postcode", "house_number"))
        if not isinstance(code, str) or not isinstance(number, int):
            return None
        return self._bundle.locate(code, number, local_day(received_at))

    def _accept(self, item: Item, purpose_id: str, partner: Partner, event_id: str) -> None:
        item.receipt.fate = Fate.ACCEPTED.value
        item.receipt.purpose = purpose_id
        # One purpose's id: the same event admitted to another purpose would share nothing with it.
        item.receipt.signal_id = self._purpose_boxes[purpose_id].id(f"signal|{partner.id}|{event_id}")

    # ------------------------------------------------------------ writing

    def write(self, items: list[Item], tx: IntakeTx) -> None:
        """Receipts, claims, records and assignments of one batch."""
        tables = tx.intake()
        tables.land(_landed(items))
        self._find_originals(items, tables, tx)
        tables.stage([item.receipt for item in items])
        won = tables.claim()
        self._settle_claims(items, won, tables)
        accepted: dict[str, list[Item]] = defaultdict(list)
        for item in items:
            if item.receipt.receipt_id in won and item.receipt.purpose is not None:
                accepted[item.receipt.purpose].append(item)
        for purpose_id in sorted(accepted):
            self._to_purpose(purpose_id, accepted[purpose_id], tx)
        by_partner: dict[str, list[tuple[bytes, bytes]]] = defaultdict(list)
        for item in items:
            by_partner[item.receipt.partner].append(_receipt_message(item.receipt))
        for partner, messages in sorted(by_partner.items()):
            tx.send(f"receipts.{partner}", messages)

    def _find_originals(self, items: Sequence[Item], tables: IntakeTables, tx: IntakeTx) -> None:
        """Answer what is about a signal that is not here, or was taken back: in the database or earlier in this batch."""
        asked = [item for item in items if item.original is not None]
        if not asked:
            return
        keys = [(item.receipt.partner, item.original or "") for item in asked]
        own = [(item.receipt.partner, item.receipt.event_id or "") for item in asked]
        held = tables.claimed([*keys, *own])
        known = {key for key, (_, _, _, action) in held.items() if action == "report"}
        standing, kept = self._originals(asked, tables, tx)
        # The same event again is for the claims to settle.
        seen = set(held)
        for item in items:
            receipt = item.receipt
            key = (receipt.partner, receipt.event_id or "")
            if item.original is None:
                if (
                    receipt.fate == Fate.ACCEPTED
                    and receipt.event_id is not None
                    and receipt.signal_id is not None
                ):
                    if key not in known:
                        standing.add(receipt.signal_id)
                        kept.add(receipt.signal_id)
                    known.add(key)
                continue
            again, signal_id = key in seen, receipt.signal_id
            if (receipt.partner, item.original) not in known:
                _end(receipt, Fate.REFUSED, "original_unknown")
            elif again:
                continue
            elif signal_id not in standing:
                if item.changes is None:
                    _end(receipt, Fate.DUPLICATE, "already_withdrawn")
                else:
                    _end(receipt, Fate.REFUSED, "original_withdrawn")
            elif item.changes is not None and signal_id not in kept:
                _end(receipt, Fate.REFUSED, "original_gone")
            else:
                seen.add(key)
                if item.changes is None:
                    standing.discard(signal_id)

    def _originals(
        self, asked: Sequence[Item], tables: IntakeTables, tx: IntakeTx
    ) -> tuple[set[str], set[str]]:
        """Of the signals that these are about: which stand, and which can still be corrected."""
        by_purpose: dict[str, list[str]] = defaultdict(list)
        for item in asked:
            if item.receipt.purpose is not None and item.receipt.signal_id is not None:
                by_purpose[item.receipt.purpose].append(item.receipt.signal_id)
        standing: set[str] = set()
        for purpose_id, signal_ids in sorted(by_purpose.items()):
            with tx.vault(purpose_id) as vault_tables:
                standing |= vault_tables.standing(signal_ids)
        changing = [
            one.receipt.signal_id for one in asked if one.changes is not None and one.receipt.signal_id
        ]
        return standing, tables.kept(changing) if changing else set()

    def _settle_claims(self, items: Sequence[Item], won: set[str], tables: IntakeTables) -> None:
        """An event that lost its claim is a duplicate, or an incident when its content differs."""
        lost = [
            i.receipt for i in items if i.receipt.fate == Fate.ACCEPTED and i.receipt.receipt_id not in won
        ]
        holders = tables.claimed([(row.partner, row.event_id or "") for row in lost])
        for row in lost:
            content, *_ = holders[(row.partner, row.event_id or "")]
            same = content == row.content
            row.fate = (Fate.DUPLICATE if same else Fate.REFUSED).value
            row.reasons = [receipts.reason("already_received" if same else "id_reuse")]
            row.purpose = row.signal_id = None
        tables.finish(lost)

    def _to_purpose(self, purpose_id: str, items: Sequence[Item], tx: IntakeTx) -> None:
        """Identify the new signals of one purpose, withdraw the withdrawn, and send the assignments."""
        box = self._purpose_boxes[purpose_id]
        subject = self._bundle.purposes[purpose_id].subject
        mended = sorted({i.receipt.signal_id for i in items if i.changes and i.receipt.signal_id})
        sources = tx.intake().sources(mended) if mended else []
        with tx.vault(purpose_id) as tables:
            new = [item for item in items if item.record is not None]
            records = [item.record for item in new if item.record is not None]
            moved = vault.identify(records, tables, self._bundle.linkage, self._bundle_id)
            assignments = [_assignment(item, box) for item in new]
            assignments += [vault.placed_assignment(one) for one in moved]
            if mended:
                assignments += self._corrected(tables.correct(mended), items, sources, box)
            gone = {
                item.receipt.signal_id: item.reason
                for item in items
                if item.record is None and item.changes is None and item.receipt.signal_id
            }
            if gone:
                assignments += [
                    vault.placed_assignment(placed, reason=gone.get(placed.signal_id))
                    for placed in tables.withdraw(sorted(gone))
                ]
        tx.send(
            f"signals.{purpose_id}",
            [vault.assignment_message(one, purpose_id, subject) for one in assignments],
        )

    def _corrected(
        self, placed: Sequence[Placed], items: Sequence[Item], rows: Sequence[SourceRow], box: Box
    ) -> list[Assignment]:
        """What casework hears of corrected signals: all that it may know of them, as it is by now, where they stand now."""
        kinds = {item.receipt.signal_id: item for item in items if item.changes}
        sources: dict[str, list[SourceRow]] = defaultdict(list)
        for row in rows:
            sources[row.signal_id].append(row)
        found = []
        for one in placed:
            item, (report, *corrections) = kinds[one.signal_id], sources[one.signal_id]
            kind, partner = item.signal_type, self._bundle.partners[item.receipt.partner]
            assert kind is not None
            data = dict(self._data(report))
            for row in corrections:
                named = (kind.correction_reference_field, kind.correction_reason_field)
                data |= {name: value for name, value in self._data(row).items() if name not in named}
            day = local_day(report.received_at)
            admission = purpose.admit(kind, "report", partner, report.municipality, data, day, self._bundle)
            place = self._locate(kind, data, report.received_at)
            found.append(
                Assignment(
                    signal_id=one.signal_id,
                    version=one.version,
                    status=cases.ACTIVE,
                    person_id=one.person_id,
                    household_id=one.household_id,
                    crowded=one.crowded,
                    municipality=report.municipality or "",
                    area=place[1] if place else None,
                    signal_type=kind.id,
                    partner=partner.id,
                    signal_date=kind.signal_date(data, day),
                    received_at=report.received_at,
                    facts=_facts(
                        kind, data, partner.id, purpose.consent(kind, admission.agreement, data), box
                    ),
                )
            )
        return found

    def _data(self, row: SourceRow) -> Mapping[str, Any]:
        """The data of an event as it was received, whichever of the two modes of CloudEvents it came in."""
        event = orjson.loads(self._box.open(row.sealed, row.receipt_id.encode()))
        data: Mapping[str, Any] = event["data"] if "specversion" in event else event
        return data

    def park(self, letter: Letter, error: str, tx: IntakeTx) -> None:
        """A message that met a fault of ours: its original is kept, its partner is told, a person looks."""
        receipt = self._receipt(letter, Fate.PARKED)
        receipt.reasons = [receipts.reason("our_fault", error=error)]
        tables = tx.intake()
        tables.land(_landed([Item(receipt)]))
        tables.stage([receipt])
        tables.finish([])
        tx.send(f"receipts.{receipt.partner}", [_receipt_message(receipt)])

    def _receipt(self, record: Record, fate: Fate) -> ReceiptRow:
        """The receipt of a record that nobody has read yet, with its original sealed."""
        place = f"{record.topic}|{record.partition}|{record.offset}|{record.timestamp}"
        receipt_id = self._box.id(f"receipt|{place}")
        return ReceiptRow(
            receipt_id=receipt_id,
            partner=record.topic.removeprefix(IN),
            door=self._door(record),
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            received_at=_received_at(record),
            fate=fate.value,
            gate=Gate.UNREAD.value,
            reasons=[],
            sealed=self._box.seal(record.value or b"", receipt_id.encode()),
        )

    def _door(self, record: Record) -> str:
        """By which door it came. The header may be anybody's, so it counts only for a partner that has a file door."""
        partner = self._bundle.partners.get(record.topic.removeprefix(IN))
        if partner is None or partner.door != FILE:
            return KAFKA
        return FILE if (DOOR, FILE.encode()) in record.headers else KAFKA


def _received_at(record: Record) -> datetime:
    """The record's timestamp, which the door keeps within a week before and an hour after it came.

    Still, a sender may leave it out (-1), and history is loaded with that bound lifted: it stays within the calendar.
    """
    return datetime.fromtimestamp(min(max(record.timestamp, 0), _LAST_MS) / 1000, UTC)


def _refuse(item: Item, reason: dict[str, str], gate: Gate = Gate.UNREAD) -> Item:
    item.receipt.fate, item.receipt.gate = Fate.REFUSED.value, gate.value
    item.receipt.purpose = item.receipt.signal_id = None
    item.receipt.reasons = [reason]
    return item


def _end(receipt: ReceiptRow, fate: Fate, code: str) -> None:
    """An event that changes nothing, and why."""
    receipt.fate, receipt.purpose, receipt.signal_id = fate.value, None, None
    receipt.reasons = [receipts.reason(code)]


def _law(reason: purpose.Reason) -> dict[str, str]:
    return receipts.reason(str(reason.code), reason.text_nl, reason.text_en, article=reason.article or "")


def _field(error: Any) -> dict[str, str]:
    return receipts.reason(error.rule, error.expected_nl, error.expected_en, field=error.field)


def _landed(items: Sequence[Item]) -> list[tuple[str, int, int, int, str, str, int]]:
    """(topic, partition, first offset, next offset, partner, door, received) of a batch."""
    spans: dict[tuple[str, int], tuple[int, int]] = {}
    counts: dict[tuple[str, int, str, str], int] = defaultdict(int)
    for item in items:
        row = item.receipt
        place = (row.topic, row.partition)
        low, high = spans.get(place, (row.offset, row.offset))
        spans[place] = (min(low, row.offset), max(high, row.offset))
        counts[(*place, row.partner, row.door)] += 1
    return [
        (
            topic,
            partition,
            spans[(topic, partition)][0],
            spans[(topic, partition)][1] + 1,
            partner,
            door,
            count,
        )
        for (topic, partition, partner, door), count in counts.items()
    ]


def _receipt_message(row: ReceiptRow) -> tuple[bytes, bytes]:
    return receipts.message(
        row.receipt_id,
        Fate(row.fate),
        row.event_id,
        row.event_type,
        (row.topic, row.partition, row.offset),
        row.received_at,
        row.reasons,
    )


def _assignment(item: Item, box: Box) -> Assignment:
    record, kind, data, receipt = item.record, item.signal_type, item.data, item.receipt
    assert record is not None and kind is not None and data is not None and record.person_id is not None
    return Assignment(
        signal_id=record.signal_id,
        version=record.version,
        status="active",
        person_id=record.person_id,
        household_id=record.household_id,
        crowded=record.crowded,
        hint=record.against if record.outcome == linkage.Outcome.REVIEW else None,
        municipality=receipt.municipality or "",
        area=item.area,
        signal_type=kind.id,
        partner=receipt.partner,
        signal_date=kind.signal_date(data, local_day(receipt.received_at)),
        received_at=receipt.received_at,
        facts=_facts(kind, data, receipt.partner, item.consent, box),
    )


def _facts(
    kind: SignalType, data: Mapping[str, Any], partner: str, consent: purpose.Consent | None, box: Box
) -> dict[str, Any]:
    """All that casework may know of an event's data."""
    facts = {name: data[name] for name in kind.fact_fields if name in data}
    contract = data.get(kind.contract_field) if kind.contract_field else None
    if contract is not None:
        facts[cases.CONTRACT] = box.digest(f"contract|{partner}|{contract}").hex()
    if consent is not None and consent.counts:
        facts[cases.CONSENT] = {"form": consent.form, "who": consent.who}
    return facts
