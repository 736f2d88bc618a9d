"""What tests on the real stack share: partners that publish, fictional people, and waiting until all is drained."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from bereik.app import App
from bereik.bundle import Bundle
from bereik.bus import CONTENT_TYPE, Broker, Producer
from bereik.days import local_day
from bereik.declared.signals import SignalType
from bereik.provision import provision
from bereik.runtime import Stack
from bereik.settings import Settings
from bereik.store import Store
from bereik.store.accounts import put_accounts, remove_account
from bereik.store.board import Account, Membership, as_user

REPOSITORY = Path(__file__).parents[1]

# Surnames of all fictional people here begin with it, so that one search finds any that leaked.
CANARY = "ZZCANARY"

# Another stretch of house numbers in each run, so that a stack may be used more than once.
_HOUSES = itertools.count(random.randrange(20_000, 90_000, 500))
_NAMES = itertools.count(random.randrange(10**6, 10**9, 1_000))

# One of these fits every pattern that a declared field has.
_EXAMPLES = ("00AP00", "9901", "1234AB", "0612345678", "A", "iemand@voorbeeld.example")


def today() -> date:
    """The day in the Netherlands."""
    return local_day(datetime.now(UTC))


def letters(number: int) -> str:
    """1 → B, 27 → BB: a name in letters only, because a number in a name is not compared."""
    text = ""
    while number:
        number, rest = divmod(number, 26)
        text = chr(ord("A") + rest) + text
    return text


def wait_for(condition: Callable[[], Any], seconds: float = 60, what: str = "") -> Any:
    """Ask until the answer is true, and give it; fails after the deadline."""
    until = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < until, f"not within {seconds:.0f} s: {what or condition.__name__}"
        time.sleep(0.05)
    return answer


def stands_in(number: str, text: str) -> bool:
    """Whether a text tells this number: as a word of its own, not as four digits inside a random id."""
    return re.search(rf"(?<![\w-]){re.escape(number)}(?![\w-])", text) is not None


def person(**changes: Any) -> dict[str, Any]:
    """A fictional grown-up by linkage field, whom nobody could take for the one before."""
    number = next(_NAMES)
    return {
        "surname": CANARY + letters(number),
        "initials": f"{letters(number % 26 + 1)[0]}.",
        "birth_date": (date(1950, 2, 3) + timedelta(days=397 * number % 15_000)).isoformat(),
        **changes,
    }


def house(bundle: Bundle, municipality: str, area: str | None = None) -> dict[str, Any]:
    """An address that nobody here lives at yet."""
    ranges = bundle.municipalities[municipality].ranges
    place = next(one for one in ranges if area in (None, one.area))
    return {"postcode": place.first[:4] + "ZX", "house_number": next(_HOUSES)}


def data_for(
    kind: SignalType, who: Mapping[str, Any], on: date | None = None, **changes: Any
) -> dict[str, Any]:
    """Sound data of a declared type, whatever its fields are; `who` goes by linkage field."""
    schema = kind.contract.schema
    day = (on or today()).isoformat()
    data: dict[str, Any] = {
        kind.identity[name]: value for name, value in who.items() if name in kind.identity
    }
    for name in (kind.date_field, kind.since_field):
        if name:
            data[name] = day
    if kind.amount_field:
        data[kind.amount_field] = 400
    if kind.contract_field:
        data[kind.contract_field] = f"C-{uuid4().hex[:12]}"
    for name in schema["required"]:
        if name not in data:
            data[name] = _example(schema["properties"][name], day)
    return {name: value for name, value in {**data, **changes}.items() if value is not ...}


def _example(field: Mapping[str, Any], day: str) -> Any:
    if "enum" in field:
        return field["enum"][0]
    if field.get("format") == "date":
        return day
    match field.get("type"):
        case "integer":
            return max(1, field.get("minimum", 1))
        case "boolean":
            return True
        case _:
            pattern = field.get("pattern")
            if pattern is None:
                return f"X-{uuid4().hex[:12]}"
            return next(text for text in _EXAMPLES if re.search(pattern, text))


def event(
    source: str, event_type: str, data: Any, event_id: str | None = None, **attributes: Any
) -> dict[str, Any]:
    """A CloudEvent; an attribute given as `...` is left out."""
    made = {
        "specversion": "1.0",
        "id": event_id or f"e-{uuid4().hex}",
        "source": source,
        "type": event_type,
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
        "data": data,
        **attributes,
    }
    return {name: value for name, value in made.items() if value is not ...}


class World:
    """A running stack, seen from all sides: partners that publish and read receipts, an auditor, the operator."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.app = App(Settings.from_env(stack.environment("operator")))
        self._producers: dict[str, Producer] = {}

    def close(self) -> None:
        """Give back every connection."""
        for producer in self._producers.values():
            producer.close()
        self.app.store.close()

    @property
    def bundle(self) -> Bundle:
        """The active declarations."""
        return self.app.bundle()

    def type_of(self, purpose: str, **wanted: bool) -> SignalType:
        """A declared type of a purpose; `amount`, `crisis` say whether it has such a field."""
        return next(
            kind
            for kind in self.bundle.signal_types.values()
            if kind.purpose == purpose
            and all((getattr(kind, f"{name}_field") is not None) is has for name, has in wanted.items())
        )

    def partner_of(self, kind: SignalType, municipality: str) -> str:
        """A partner that may send this type to this municipality without saying anything more."""
        return next(
            partner.id
            for partner in self.bundle.partners.values()
            for one in partner.agreements
            if kind.id in one.signal_types
            and one.municipality == municipality
            and one.in_force(today())
            and set(kind.steps) <= one.attested
        )

    # ------------------------------------------------------------ as a partner

    def broker(self, principal: str) -> Broker:
        """How a principal reaches Kafka."""
        settings = self.stack.settings
        return Broker(settings.kafka_bootstrap, principal, settings.kafka_password(principal))

    def producer(self, partner: str) -> Producer:
        """A producer under the partner's own principal."""
        if partner not in self._producers:
            self._producers[partner] = Producer(self.broker(f"partner_{partner}"))
        return self._producers[partner]

    def send(
        self,
        partner: str,
        *events: Any,
        key: str = "9901",
        headers: Sequence[tuple[str, bytes]] = CONTENT_TYPE,
        timestamp_ms: int | None = None,
    ) -> None:
        """Publish events (or raw bytes) to the partner's own topic; one key is one partition, so they keep their order."""
        producer = self.producer(partner)
        for one in events:
            value = one if one is None or isinstance(one, bytes) else json.dumps(one).encode()
            producer.send(f"in.{partner}", key.encode(), value, headers, timestamp_ms)
        producer.flush()

    def report(
        self,
        kind: SignalType,
        municipality: str,
        who: Mapping[str, Any],
        event_id: str | None = None,
        **changes: Any,
    ) -> str:
        """Publish one sound signal and give its event id."""
        partner = self.partner_of(kind, municipality)
        data = data_for(kind, who, **changes)
        made = event(self.bundle.partners[partner].source, kind.event_type, data, event_id)
        self.send(partner, made, key=municipality)
        return str(made["id"])

    def withdrawal(self, kind: SignalType, partner: str, original: str, **changes: Any) -> dict[str, Any]:
        """The event that takes an earlier one back."""
        assert kind.withdrawal_type and kind.withdrawal_contract and kind.withdrawal_reference_field
        data = {kind.withdrawal_reference_field: original}
        schema = kind.withdrawal_contract.schema
        for name in schema["required"]:
            data.setdefault(name, _example(schema["properties"][name], today().isoformat()))
        return event(self.bundle.partners[partner].source, kind.withdrawal_type, {**data, **changes})

    def correction(self, kind: SignalType, partner: str, original: str, **fields: Any) -> dict[str, Any]:
        """The event that corrects these fields of an earlier one."""
        assert kind.correction_type and kind.correction_reference_field
        data = {kind.correction_reference_field: original, **fields}
        return event(self.bundle.partners[partner].source, kind.correction_type, data)

    def receipts_topic(self, partner: str, principal: str | None = None) -> list[dict[str, Any]]:
        """Every message on the partner's receipts topic, read under its own principal."""
        place = TopicPartition(f"receipts.{partner}", 0)
        settings = self.broker(principal or f"partner_{partner}").settings()
        consumer = KafkaConsumer(**settings, enable_auto_commit=False, auto_offset_reset="earliest")
        try:
            consumer.assign([place])
            consumer.seek_to_beginning(place)
            end = consumer.end_offsets([place])[place]
            found: list[dict[str, Any]] = []
            until = time.monotonic() + 30
            while consumer.position(place) < end:
                assert time.monotonic() < until, "the receipts topic could not be read to its end"
                for records in consumer.poll(timeout_ms=200, max_records=5_000).values():
                    found += [event for record in records for event in json.loads(record.value)]
            return found
        finally:
            consumer.close(autocommit=False)

    # ------------------------------------------------------------ as auditor and operator

    def rows(self, sql: str, params: Any = None) -> list[tuple[Any, ...]]:
        """What the auditor reads."""
        with self.app.store.transaction() as tx, tx.role("bereik_auditor"):
            return [tuple(row) for row in tx.rows(sql, params)]

    def fate(self, partner: str, event_id: str, seconds: float = 60) -> tuple[str, str, list[str]]:
        """(fate, gate, codes of the reasons) of the newest receipt of an event; waits until there is one."""
        sql = (
            "SELECT fate, gate, reasons FROM intake.receipt WHERE partner = %s AND event_id = %s"
            ' ORDER BY topic, partition, "offset" DESC LIMIT 1'
        )
        fate, gate, reasons = wait_for(
            lambda: self.rows(sql, (partner, event_id)), seconds, f"a receipt for {partner}"
        )[0]
        return fate, gate, [reason["code"] for reason in reasons]

    def cases_of(self, partner: str, event_id: str) -> list[tuple[str, str]]:
        """(purpose, case id) of the case that an event's signal is in."""
        return self.rows(
            "SELECT s.purpose, s.case_id FROM intake.receipt r JOIN casework.signal s USING (signal_id)"
            " WHERE r.partner = %s AND r.event_id = %s AND r.fate = 'accepted' AND r.action = 'report'",
            (partner, event_id),
        )  # type: ignore[return-value]

    def case(self, case_id: str) -> dict[str, Any]:
        """One stored case."""
        names = (
            "municipality",
            "team",
            "kind",
            "crisis",
            "status",
            "result",
            "signals",
            "alerted",
            "stands",
        )
        row = self.rows(f"SELECT {', '.join(names)} FROM casework.case WHERE case_id = %s", (case_id,))[0]
        return dict(zip(names, row, strict=True))

    def alerts(self, case_id: str) -> list[str]:
        """Why the team was told, in order."""
        sql = "SELECT reason FROM casework.alert WHERE case_id = %s ORDER BY ordered_at, case_version"
        return [row[0] for row in self.rows(sql, (case_id,))]

    def drain(self, seconds: float = 90) -> None:
        """Wait until nothing is under way."""
        until = time.monotonic() + seconds
        while any((waiting := self.app.backlog()).values()):
            assert time.monotonic() < until, f"not drained within {seconds:.0f} s: {waiting}"
            time.sleep(0.1)

    def violations(self) -> dict[str, int]:
        """The invariants that do not hold; every one is judged, so the pipeline has to be drained."""
        waiting, found = self.app.check()
        assert not any(waiting.values()), waiting
        assert any(one.name.startswith("drained.") for one in found)
        return {one.name: one.violations for one in found if one.violations}

    def state(self, purpose: str, case_id: str, kind: str, /, **detail: Any) -> None:
        """A worker states something about a case."""
        self.app.state_fact(purpose, case_id, kind, detail, "test")


@contextmanager
def activated(world: World, schemas: Path) -> Iterator[Bundle]:
    """Other declarations on the running stack within the block; those of the repository afterwards."""
    settings = world.stack.settings
    try:
        new = provision(settings, schemas, "test")
        wait_for(lambda: world.bundle.sha256 == new, what="the activation")
        yield world.bundle
    finally:
        sha256 = provision(settings, REPOSITORY / "schemas", "test")
        wait_for(lambda: world.bundle.sha256 == sha256, what="the old declarations")


def followed(world: World, kind: SignalType, municipality: str) -> None:
    """Wait until intake and casework go by the active declarations, which each of them looks up once a second."""

    def asked() -> bool:
        event_id = world.report(kind, municipality, {**person(), **house(world.bundle, municipality)})
        world.drain()
        found = world.rows(
            "SELECT b.sha256, d.sha256 FROM intake.receipt r JOIN ops.bundle b USING (bundle_id)"
            " JOIN casework.signal s USING (signal_id) JOIN casework.case c USING (case_id)"
            " JOIN ops.bundle d ON d.bundle_id = c.bundle_id WHERE r.event_id = %s",
            (event_id,),
        )
        return found == [(world.bundle.sha256,) * 2]

    wait_for(asked, what="a case under the new declarations")


@contextmanager
def as_worker(world: World, team: str) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Within the block, ask the database what a new worker of this team sees through the board's own login."""
    found = world.bundle.team(team)
    assert found is not None
    member = Membership(found.purpose, found.municipality, team)
    account = Account(f"worker-{uuid4().hex[:12]}", "A worker", "nl", False, (member,))
    with world.app.store.transaction() as tx:
        put_accounts(tx, [(account, "a long password of a test")])
    store = Store(world.stack.environment("web")["BEREIK_DATABASE_URL"])

    def ask(sql: str, params: Any = None) -> list[tuple[Any, ...]]:
        with as_user(store, account.username) as tx:
            return [tuple(row) for row in tx.rows(sql, params)]

    try:
        yield ask
    finally:
        store.close()
        with world.app.store.transaction() as tx:
            remove_account(tx, account.username)


def start(world: World, process: str, failpoint: str = "", **settings: str) -> subprocess.Popen[bytes]:
    """A consumer of our own, outside the keeper, with other settings; it kills itself at the failpoint."""
    env = {**os.environ, **world.stack.environment(process), "BEREIK_FAILPOINT": failpoint, **settings}
    with (world.stack.home / "log" / f"own-{process}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", f"consumers.{process}"], env=env, stdout=log, stderr=log, cwd=REPOSITORY
        )


def members(world: World, process: str) -> int:
    """How many processes hold partitions in the group's own eyes."""
    settings = world.stack.settings
    admin = KafkaAdminClient(**settings.kafka_admin.settings())
    try:
        group = admin.describe_groups([process])[process]
        return len([one for one in group["members"] if one["member_assignment"]])
    finally:
        admin.close()


@contextmanager
def second(world: World, process: str) -> Iterator[subprocess.Popen[bytes]]:
    """Within the block two processes share the work; one partition is still read by one of them."""
    own = start(world, process)
    try:
        wait_for(lambda: members(world, process) == 2, what=f"two members of {process}")
        yield own
    finally:
        own.terminate()
        try:
            own.wait(timeout=20)
        finally:
            own.kill()


@contextmanager
def world_of(stack: Stack) -> Iterator[World]:
    """A world that gives back its connections."""
    made = World(stack)
    try:
        yield made
    finally:
        made.close()
