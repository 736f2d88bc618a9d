"""The months: who reports what about whom and when, in the mix that municipalities see, with all that goes wrong."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from random import Random
from typing import Any, Final, NamedTuple

import orjson

from bereik.bundle import Bundle
from bereik.declared.partners import Agreement
from bereik.errors import LastingError
from bereik.fiction.oracle import Oracle, Sent
from bereik.fiction.people import Household, Person, Population, Wheel, mix
from bereik.fiction.senders import Facts, Sender
from bereik.signal import CONTENT_TYPE

_HEADERS: Final = (("content-type", CONTENT_TYPE),)
_DAY_MS: Final = 86_400_000
_ACCIDENTS: Final = ("missing", "stranger", "text_amount", "old")
# What a file can carry: a strange column or a wrong kind would damn the file or be mended by the file door.
_FILE_ACCIDENTS: Final = ("missing", "old")


class NobodyMaySend(LastingError):
    """No partner has an agreement in force, with its steps vouched for, in any municipality. Nothing can be imagined."""


class Delivery(NamedTuple):
    """One Kafka record, and the truth about it: how it should end, whom it is about (0: nobody)."""

    partner: str
    topic: str
    key: bytes
    headers: tuple[tuple[str, bytes], ...]
    value: bytes
    timestamp_ms: int
    event_id: str | None
    fate: str
    person: int
    household: int


class FileRow(NamedTuple):
    """The truth about one row of a file."""

    event_id: str
    fate: str
    person: int
    household: int


class File(NamedTuple):
    """One file for a partner's drop folder."""

    partner: str
    name: str
    content: bytes
    rows: tuple[FileRow, ...]


@dataclass(slots=True, eq=False)
class Seen:
    """A household that was reported: the last month, and its last signal."""

    home: Household
    month: int
    sender: Sender
    agreement: Agreement
    who: Person
    amount: int


@dataclass(slots=True)
class Row:
    """A row on its way into a file."""

    at: int
    event_id: str
    data: dict[str, Any]
    fate: str
    person: int
    household: int
    spoil: dict[str, str] = field(default_factory=dict)


class Span(NamedTuple):
    """One month as far as it may be filled: from the first day to the last, both included."""

    first: date
    last: date


def spans(today: date, months: int) -> list[Span]:
    """The months that end with today's; the last stops yesterday, or today when it has only begun."""
    found = []
    for back in range(months - 1, -1, -1):
        year, month = divmod(today.year * 12 + today.month - 1 - back, 12)
        first = date(year, month + 1, 1)
        after = date(year + month // 11, (month + 1) % 12 + 1, 1)
        found.append(
            Span(first, after - timedelta(days=1) if back else max(first, today - timedelta(days=1)))
        )
    return found


class World:
    """Everything that happens, month by month. `out` holds each month's records, `files` its rows."""

    def __init__(self, bundle: Bundle, today: date, seed: int, months: int, with_files: bool) -> None:
        self.bundle, self.today, self.seed, self.with_files = bundle, today, seed, with_files
        self.chance = Random(f"{seed}|world")
        self.mix = mix()
        self.spans = spans(today, months)
        self._ends = [_midnight(span.last) + _DAY_MS for span in self.spans]
        self.people = Population(bundle, today, Random(f"{seed}|people"))
        self.oracle = Oracle(bundle)
        self.out: dict[int, list[Delivery]] = defaultdict(list)
        self.rows: dict[str, list[Row]] = defaultdict(list)
        # What is sent only after all else was decided, so that one can see what it changes.
        self.afterwards: list[Delivery] = []
        # Who may be looked up in the register of persons: number → (the last report, who, where).
        self.reported: dict[int, tuple[int, Person, Household]] = {}
        self.senders = [
            Sender(partner, bundle.signal_types[kind], bundle, self.mix, seed)
            for _, partner in sorted(bundle.partners.items())
            for kind in sorted(partner.signal_types)
            if partner.sector == bundle.signal_types[kind].partner_type
            and (partner.door != "file" or partner.file_signal_type == kind)
        ]
        self.debts: dict[str, Wheel[tuple[Sender, Agreement]]] = {}
        self.persons: dict[str, Wheel[tuple[Sender, Agreement]]] = {}
        for code in self.people.municipalities:
            for wheels, about_person in ((self.debts, False), (self.persons, True)):
                offers = self.offers(code, about_person)
                if offers:
                    # A sector's share is divided over the partners that share it.
                    crowd: dict[str, int] = defaultdict(int)
                    for sender, _ in offers:
                        crowd[sender.kind.partner_type] += 1
                    wheels[code] = Wheel({(s, a): s.share / crowd[s.kind.partner_type] for s, a in offers})
        if not self.debts and not self.persons:
            raise NobodyMaySend()
        self._numbers: dict[str, int] = defaultdict(int)
        self._contracts = 0

    def offers(self, municipality: str, about_person: bool) -> list[tuple[Sender, Agreement]]:
        """Who may send there from the first day to today, about persons or about addresses."""
        first = self.spans[0].first
        return [
            (sender, agreement)
            for sender in self.senders
            if sender.about_person == about_person
            and (agreement := sender.agreement(municipality, first, self.today))
        ]

    # ------------------------------------------------------------ ids, days

    def event_id(self, sender: Sender, day: date) -> str:
        """The partner's next reference."""
        self._numbers[sender.partner.id] += 1
        return f"{sender.short}-{_year_month(day)}-{self._numbers[sender.partner.id]:05d}"

    def contract(self, sender: Sender, who: Person) -> str:
        """What this partner calls this person's contract; the same every month."""
        found = who.contracts.get(sender.partner.id)
        if found is None:
            self._contracts += 1
            found = who.contracts[sender.partner.id] = f"{sender.short[0]}{self._contracts:06d}"
        return found

    def moment(self, day: date) -> int:
        """An instant of that day in milliseconds: working hours, and of today only its first minute."""
        start = _midnight(day)
        if day >= self.today:
            return start + int(self.chance.random() * 60_000)
        return start + int((6 + self.chance.random() * 12) * 3_600_000)

    def day(self, span: Span) -> date:
        """A day of that month."""
        return span.first + timedelta(days=int(self.chance.random() * ((span.last - span.first).days + 1)))

    def later(self, at: int, days: float) -> int:
        """That many days later, but never later than the last instant that the fiction knows."""
        limit = _midnight(self.spans[-1].last)
        limit += 60_000 if self.spans[-1].last >= self.today else _DAY_MS - 1
        return min(at + max(1_000, int(days * _DAY_MS)), max(at + 1, limit))

    def month_of(self, at: int) -> int:
        """The index of the month in which an instant falls."""
        return min(bisect_right(self._ends, at), len(self.spans) - 1)

    # ------------------------------------------------------------ sending

    def report(
        self,
        sender: Sender,
        agreement: Agreement | None,
        home: Household,
        who: Person,
        facts: Facts,
        at: int,
        accident: str | None = None,
        fate: str = "accepted",
        changes: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One report, into its month's records or into its partner's file. `changes` overwrites fields (None removes)."""
        data = sender.data(who, home, facts, agreement, self.chance)
        if accident is not None:
            fate = "refused"
            _spoil(data, sender, accident)
        for name, value in (changes or {}).items():
            if value is None:
                data.pop(name, None)
            else:
                data[name] = value
        self.put(sender, facts.event_id, data, at, fate, who.number, home)
        if fate == "accepted":
            if sender.purpose.bsn:
                self.reported[who.number] = (at, who, home)
            subject = str(who.number) if sender.about_person else sender.unit(data)
            self.oracle.report(
                sender.purpose.id,
                home.municipality,
                subject,
                Sent(
                    (sender.partner.id, facts.event_id),
                    sender.kind.id,
                    facts.contract,
                    facts.day if sender.kind.date_field else datetime.fromtimestamp(at / 1000, UTC).date(),
                    facts.since if sender.kind.since_field in data else None,
                    facts.amount if sender.amount_field else None,
                    facts.crisis and sender.crisis_field is not None,
                    facts.warm and sender.warm_field is not None,
                ),
            )
        return data

    def put(
        self,
        sender: Sender,
        event_id: str,
        data: dict[str, Any],
        at: int,
        fate: str,
        person: int,
        home: Household,
    ) -> None:
        """One event on its way. Of a partner with a file door, this month's become rows of a file."""
        month = self.month_of(at)
        self.oracle.fate(sender.partner.id, sender.door, fate)
        if sender.door == "file" and self.with_files and month == len(self.spans) - 1:
            self.rows[sender.partner.id].append(Row(at, event_id, data, fate, person, home.number))
            return
        headers: tuple[tuple[str, bytes], ...] = _HEADERS
        if sender.door == "file":
            headers = (*_HEADERS, ("bereik-door", b"file"))
        value = envelope(event_id, sender.partner.source, sender.kind.event_type, at, data)
        self.out[month].append(
            Delivery(
                sender.partner.id, f"in.{sender.partner.id}", home.municipality.encode(), headers, value, at, event_id, fate,
                person, home.number,
            )
        )  # fmt: skip

    def withdraw(self, sender: Sender, event_id: str, at: int, person: int, home: Household) -> str:
        """Take a report back; the id of the event that does so."""
        kind = sender.kind
        contract = kind.withdrawal_contract
        assert (
            kind.withdrawal_type is not None
            and contract is not None
            and kind.withdrawal_reference_field is not None
        )
        data: dict[str, Any] = {kind.withdrawal_reference_field: event_id}
        if kind.withdrawal_reason_field:
            words = contract.schema["properties"][kind.withdrawal_reason_field].get("enum") or ["onbekend"]
            data[kind.withdrawal_reason_field] = words[int(self.chance.random() * len(words))]
        own = f"{event_id}-W"
        self.oracle.fate(sender.partner.id, sender.door, "accepted")
        self.oracle.withdraw(sender.partner.id, event_id)
        value = envelope(own, sender.partner.source, kind.withdrawal_type, at, data)
        self.raw(
            sender.partner.id, home.municipality, value, at, own, "accepted", person, home.number, count=False
        )
        return own

    def raw(
        self,
        partner: str,
        municipality: str,
        value: bytes,
        at: int,
        event_id: str | None,
        fate: str,
        person: int = 0,
        household: int = 0,
        headers: tuple[tuple[str, bytes], ...] = _HEADERS,
        count: bool = True,
    ) -> None:
        """Any bytes on a partner's topic."""
        if count:
            self.oracle.fate(partner, "kafka", fate)
        record = Delivery(
            partner,
            f"in.{partner}",
            municipality.encode(),
            headers,
            value,
            at,
            event_id,
            fate,
            person,
            household,
        )
        self.out[self.month_of(at)].append(record)

    def can_withdraw(self, sender: Sender) -> bool:
        """A file holds reports only."""
        return sender.door != "file" and sender.kind.withdrawal_contract is not None

    # ------------------------------------------------------------ living

    def live(self, signals: int) -> Iterator[list[Delivery]]:
        """Fill the months with about so many signals; each month's records, in the order of their time."""
        reports, sector = self.mix["reports"], self.mix["person_share"]
        codes = sorted(set(self.debts) | set(self.persons))
        pools: dict[str, list[Seen]] = {code: [] for code in codes}
        pupils: dict[str, list[Seen]] = {code: [] for code in codes}
        chance = self.chance
        # The running month gets its share of the days that have been.
        weights = [(span.last - span.first).days + 1 for span in self.spans]
        for index, span in enumerate(self.spans):
            share = max(weights[index], 15) / sum(max(weight, 15) for weight in weights)
            budget = round(signals * share)
            for code in codes:
                pools[code] = [seen for seen in pools[code] if index - seen.month <= reports["months_before"]]
            while budget > 0:
                code = codes[int(chance.random() * len(codes))]
                if code in self.persons and (code not in self.debts or chance.random() < sector):
                    budget -= self._absence(code, index, span, pools[code], pupils[code])
                elif code in self.debts:
                    budget -= self._arrears(code, index, span, pools[code])
            records = self.out.pop(index, [])
            records.sort(key=lambda record: record.timestamp_ms)
            yield records

    def _arrears(self, code: str, index: int, span: Span, pool: list[Seen]) -> int:
        """One household's reports of this month; how many signals they were."""
        reports, chance, wheel = self.mix["reports"], self.chance, self.debts[code]
        again = self._earlier(pool, index) if chance.random() < reports["consecutive"] else None
        draw = chance.random()
        if again is None:
            sender, agreement = wheel.spin(chance)
            home = self.people.household(code)
            seen = Seen(home, index, sender, agreement, home.adults[0], sender.amount(chance))
            pool.append(seen)
        else:
            seen = again
            home = seen.home
            if draw < reports["same_contract"]:
                seen.amount += 1 + int(seen.amount * (0.15 + 0.4 * chance.random()))
            elif draw < reports["same_contract"] + reports["repeat"]:
                seen.amount = max(1, seen.amount - int(chance.random() * seen.amount * 0.2))
            else:
                seen.sender, seen.agreement = wheel.spin(chance)
                seen.who = home.adults[int(chance.random() * len(home.adults))]
                seen.amount = seen.sender.amount(chance)
            seen.month = index
        self._signal(seen, span)
        made = 1
        if chance.random() < reports["multiple"]:
            first = seen.sender
            for _ in range(1 + (chance.random() < reports["third"])):
                for _ in range(4):
                    sender, agreement = wheel.spin(chance)
                    if sender.partner.id != first.partner.id:
                        break
                who = home.adults[int(chance.random() * len(home.adults))]
                self._signal(Seen(home, index, sender, agreement, who, sender.amount(chance)), span)
                made += 1
        return made

    def _earlier(self, pool: list[Seen], index: int) -> Seen | None:
        """A household reported in the months before, and not yet in this one."""
        for _ in range(8):
            if not pool:
                return None
            seen = pool[int(self.chance.random() * len(pool))]
            if seen.month < index:
                return seen
        return None

    def _absence(self, code: str, index: int, span: Span, pool: list[Seen], pupils: list[Seen]) -> int:
        """One report about a person: now and then of a household with debts, or about somebody reported before."""
        chance, wheel = self.chance, self.persons[code]
        if pupils and chance.random() < self.mix["reports"]["pupil_again"]:
            seen = pupils[int(chance.random() * len(pupils))]
            self._signal(seen, span)
            return 1
        sender, agreement = wheel.spin(chance)
        home = None
        if pool and chance.random() < 0.12:
            home = next(
                (
                    one.home
                    for one in (pool[int(chance.random() * len(pool))] for _ in range(6))
                    if one.home.children
                ),
                None,
            )
        home = home or self.people.household(code, children=1 + (chance.random() < 0.4))
        who = home.children[int(chance.random() * len(home.children))]
        seen = Seen(home, index, sender, agreement, who, 0)
        pupils.append(seen)
        self._signal(seen, span)
        return 1

    def _signal(self, seen: Seen, span: Span) -> None:
        """One signal, and what may go wrong with it."""
        chance, rates, sender = self.chance, self.mix["accidents"], seen.sender
        day = self.day(span)
        received = min(day + timedelta(days=int(chance.random() * 3)), span.last)
        at = self.moment(received)
        if sender.about_person:
            since = day - timedelta(days=int(chance.random() * 21))
            contract = ""
        else:
            since = day - timedelta(days=30 + int(chance.random() * 90))
            contract = self.contract(sender, seen.who)
        facts = Facts(
            self.event_id(sender, day), day, since, seen.amount, contract,
            crisis=sender.crisis_field is not None and chance.random() < rates["crisis"],
            warm=sender.warm_field is not None and chance.random() < rates["warm"],
        )  # fmt: skip
        accident = None
        draw = chance.random()
        if draw < rates["refused"]:
            kinds = _FILE_ACCIDENTS if sender.door == "file" else _ACCIDENTS
            accident = kinds[int(chance.random() * len(kinds))]
            if (accident == "text_amount" and not sender.amount_field) or (
                accident == "old" and not sender.kind.date_field
            ):
                accident = "missing"
        data = self.report(sender, seen.agreement, seen.home, seen.who, facts, at, accident)
        if accident is None:
            if chance.random() < rates["duplicate"]:
                again = self.later(at, chance.random() * 2)
                self.put(sender, facts.event_id, data, again, "duplicate", seen.who.number, seen.home)
            if chance.random() < rates["withdrawn"] and self.can_withdraw(sender):
                self.withdraw(
                    sender,
                    facts.event_id,
                    self.later(at, 2 + chance.random() * 8),
                    seen.who.number,
                    seen.home,
                )
        if chance.random() < rates["parked"] and sender.door != "file":
            self.raw(
                sender.partner.id, seen.home.municipality, b"\xff\xfe geen event", at + 1, None, "parked"
            )

    # ------------------------------------------------------------ files

    def files(self) -> Iterator[File]:
        """The rows of the last month as files: two per partner, so that what is sent twice lies in the second."""
        by_partner = {sender.partner.id: sender for sender in self.senders if sender.door == "file"}
        for partner, rows in sorted(self.rows.items()):
            sender = by_partner[partner]
            rows.sort(key=lambda row: row.at)
            ids: set[str] = set()
            first: list[Row] = []
            second: list[Row] = []
            for at, row in enumerate(rows):
                (first if at < len(rows) // 2 and row.event_id not in ids else second).append(row)
                ids.add(row.event_id)
            for number, part in enumerate((first, second), 1):
                if part:
                    spoil = {at: row.spoil for at, row in enumerate(part) if row.spoil}
                    content = sender.file([row.data for row in part], spoil)
                    name = f"signalen-{self.spans[-1].first:%Y-%m}-{number}.{sender.partner.file_format}"
                    truth = tuple(FileRow(row.event_id, row.fate, row.person, row.household) for row in part)
                    yield File(partner, name, content, truth)


@lru_cache(maxsize=1024)
def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp() * 1000)


@lru_cache(maxsize=1024)
def _iso_day(number: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()


@lru_cache(maxsize=1024)
def _year_month(day: date) -> str:
    return f"{day:%y%m}"


def envelope(event_id: str, source: str, kind: str, at: int, data: Mapping[str, Any]) -> bytes:
    """A structured CloudEvent of that instant."""
    day, rest = divmod(at // 1000, 86_400)
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": source,
            "type": kind,
            "datacontenttype": "application/json",
            "time": f"{_iso_day(day)}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z",
            "data": data,
        }
    )


def _spoil(data: dict[str, Any], sender: Sender, accident: str) -> None:
    """Make the data break its contract in one place."""
    kind = sender.kind
    match accident:
        case "stranger":
            data["opmerking"] = "belt liever na zes uur"
        case "text_amount" if sender.amount_field:
            data[sender.amount_field] = f"€ {data[sender.amount_field]}"
        case "old" if kind.date_field:
            data[kind.date_field] = (
                date.fromisoformat(data[kind.date_field]) - timedelta(days=90)
            ).isoformat()
        case _:
            del data[kind.identity["surname"]]
