"""The one loop under every consumer.

Its promise: the effects of a message and the position behind it are one PostgreSQL transaction, so a kill at any point
neither loses nor doubles an effect. Kafka's own commit is for lag tools only.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from bereik.bus.admin import Admin
from bereik.bus.broker import UNMETERED, Broker
from bereik.errors import TransientError
from bereik.ports import Letter, Record
from bereik.signal import unpack
from bereik.store import Stand, Store, StoreUnavailable, Tx

log = logging.getLogger(__name__)

# Enough to share a transaction's fixed cost of some forty statements; and twelve halvings find one offender in it.
MAX_RECORDS = 4_000
# Of our own topics, where a record holds up to EVENTS_PER_RECORD: at most 2,500 events in a transaction. With 4,000, casework
# came to 364 MB while it had a backlog.
MAX_BATCHES = 25

# A fetch holds at most 1 MB of each partition, about 1,000 events, and often less; sixteen polls fill a batch. The next fetch
# is on its way while a poll returns, and takes some 5 ms when there is more: without waiting for it no batch held a second one.
_POLLS_PER_BATCH, _NEXT_FETCH_MS = 16, 20

# How often a consumer asks the broker whether it is still in its group: one small request, and a stuck consumer is
# noticed within 20 s.
_ASK_MEMBERSHIP_S = 10.0
# How often it looks whether a partition that it left alone was mended.
_ASK_HELD_S = 10.0
# Why going on in a partition would lose or double messages.
_REPLACED, _SHORTER, _REMOVED = "replaced", "shorter", "removed"


class Step(Protocol):
    """What a consumer does with a batch. `prepare` needs no transaction; `write` and `park` get one."""

    def prepare(self, records: Sequence[Record]) -> Any:
        """Read and decide what can be decided without the database."""

    def write(self, prepared: Any, tx: Tx) -> None:
        """Write state and outgoing messages."""

    def park(self, letter: Letter, error: str, tx: Tx) -> None:
        """Set one event aside that fails for a lasting reason; `error` is the kind of error."""


@dataclass(frozen=True, slots=True)
class Work:
    """What to listen to, and what to do with it, under the active bundle.

    `batched`: a record holds many events. `ahead`: a batch is prepared while the one before it is written.
    """

    topics: tuple[str, ...]
    step: Step
    batched: bool = False
    ahead: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """Records of one partition, and the position before and after them."""

    partition: TopicPartition
    before: int
    after: int
    records: tuple[Record, ...]


def halves(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Split a batch in two of about equal size, keeping order and contiguous positions per partition."""
    middle = sum(len(part.records) for part in parts) // 2
    first: list[Part] = []
    second: list[Part] = []
    for part in parts:
        take = min(len(part.records), middle)
        middle -= take
        if take == len(part.records):
            first.append(part)
        elif take == 0:
            second.append(part)
        else:
            cut = part.records[take].offset
            first.append(Part(part.partition, part.before, cut, part.records[:take]))
            second.append(Part(part.partition, cut, part.after, part.records[take:]))
    yield first
    yield second


def letters(record: Record, batched: bool) -> list[Letter]:
    """The events of a record, each as a record of its own; a batch that cannot be read is one."""
    values: list[bytes | None] = [record.value]
    if batched:
        with contextlib.suppress(ValueError):
            values = [orjson.dumps(event) for event in unpack(record.value)]
    place = (record.topic, record.partition, record.offset, record.timestamp, record.headers)
    return [Letter(*place, value, number) for number, value in enumerate(values)]


class Listener:
    """Poll, decide, write with the position, again; until `stopped()`.

    One batch is written at a time, in order, by a thread of its own: while it waits for PostgreSQL, the next is read and
    prepared. So two batches are held at most, and what is not written when this stops or fails is read again.

    `source` gives the work under the active bundle and is asked before every batch, so an activation is picked up
    without a restart. A partition in which going on would lose or double messages is left alone and written down in
    `ops.position.held`, while the others go on: one partner's topic stops no other's. `failpoint` is called with a name at
    the points where fault tests kill the process.
    """

    def __init__(
        self,
        broker: Broker,
        store: Store,
        group: str,
        source: Callable[[], Work],
        stopped: Callable[[], bool],
        failpoint: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._store, self._group, self._source, self._stopped = store, group, source, stopped
        self._failpoint = failpoint
        self._admin = Admin(broker)
        # The partitions that are left alone, and when they are looked at again.
        self._held: dict[TopicPartition, float] = {}
        # The partitions that were started, and the position of each: what PostgreSQL holds, or nothing is written.
        self._next: dict[TopicPartition, int] = {}
        self._topics: tuple[str, ...] = ()
        self._broker = broker
        self._uncommitted: dict[TopicPartition, int] = {}
        self._committed_at = time.monotonic()
        self._asked_at, self._absences = time.monotonic(), 0
        self._consumer = self._open()
        self._writer = ThreadPoolExecutor(1, "writer")
        self._writing: tuple[Sequence[Part], Future[list[Part]]] | None = None

    def _open(self) -> KafkaConsumer:
        return KafkaConsumer(
            **self._broker.settings(),
            **UNMETERED,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            allow_auto_create_topics=False,
            # A killed consumer's partitions wait this long; the broker's lower bound is 6 s.
            session_timeout_ms=6_000,
            heartbeat_interval_ms=2_000,
            metadata_max_age_ms=30_000,
            # The broker answers at once when there is something; idle, this is two requests a second and not twenty.
            fetch_max_wait_ms=500,
        )

    def run(self) -> None:
        """Until stopped."""
        try:
            while not self._stopped():
                try:
                    self._turn()
                except TransientError as error:
                    log.warning("%s waits: %s", self._group, error)
                    if self._writing is not None:
                        wait([self._writing[1]])
                        self._writing = None
                    self._wait_for_store()
        finally:
            self._writer.shutdown()
            self._consumer.close(autocommit=False, timeout_ms=2_000)
            self._admin.close()

    # ------------------------------------------------------------ one turn

    def _turn(self) -> None:
        work = self._source()
        if work.topics != self._topics:
            self._consumer.subscribe(topics=list(work.topics))
            self._topics = work.topics
        assigned = self._consumer.assignment()
        self._next = {partition: at for partition, at in self._next.items() if partition in assigned}
        now = time.monotonic()
        self._held = {partition: at for partition, at in self._held.items() if partition in assigned}
        left = {partition for partition, at in self._held.items() if at > now}
        self._start_at_stands(assigned - self._next.keys() - left)
        self._rejoin_when_stuck()
        self._commit_to_kafka()
        parts = self._collect(MAX_BATCHES if work.batched else MAX_RECORDS)
        if parts:
            self._failpoint(f"{self._group}:after_poll")
        prepared = self._prepare(parts, work) if parts else None
        self._settle()
        ours = [part for part in parts if part.partition in self._next]
        if not ours:
            return
        self._next |= {part.partition: part.after for part in ours}
        written = self._writer.submit(self._take, ours, work, prepared if ours == parts else None)
        self._writing = (ours, written)
        if not work.ahead:
            self._settle()

    @staticmethod
    def _prepare(parts: Sequence[Part], work: Work) -> Any:
        """What the step makes of a batch; None when it fails, which is for `_take` to look into."""
        try:
            return work.step.prepare([record for part in parts for record in part.records])
        except TransientError:
            raise
        except Exception:
            return None

    def _settle(self) -> None:
        """Wait until the batch before is written, and see what of it was ours. Raises what writing it raised."""
        if self._writing is None:
            return
        parts, written = self._writing
        self._writing = None
        kept = {part.partition: part.after for part in written.result()}
        self._uncommitted |= kept
        for part in parts:
            if kept.get(part.partition) != part.after:
                log.warning(
                    "%s no longer owns %s/%s", self._group, part.partition.topic, part.partition.partition
                )
                self._next.pop(part.partition, None)

    def _collect(self, room: int) -> list[Part]:
        """What is there, up to a full batch. One poll gives one fetch; under load many of them make a batch."""
        parts: dict[TopicPartition, Part] = {}
        for _ in range(_POLLS_PER_BATCH):
            polled = self._consumer.poll(timeout_ms=_NEXT_FETCH_MS if parts else 1_000, max_records=room)
            for partition, records in polled.items():
                held = parts.get(partition)
                at = held.after if held is not None else self._next.get(partition)
                if at is None or not records or records[0].offset < at:
                    # The partition came, or came back, during this poll: what we hold is not from our position.
                    self._next.pop(partition, None)
                    parts.pop(partition, None)
                    continue
                room -= len(records)
                first, earlier = (held.before, held.records) if held is not None else (at, ())
                parts[partition] = Part(partition, first, records[-1].offset + 1, (*earlier, *records))
            if not polled or room <= 0:
                break
        return list(parts.values())

    def _take(self, parts: Sequence[Part], work: Work, prepared: Any = None) -> list[Part]:
        """Write one batch; one that fails for a lasting reason is halved until the offender stands alone. What was ours."""
        records, step = [record for part in parts for record in part.records], work.step
        try:
            if prepared is None:
                prepared = step.prepare(records)
            with self._store.transaction() as tx:
                ours = self._advance(parts, tx)
                if len(ours) != len(parts):
                    prepared = step.prepare([record for part in ours for record in part.records])
                if ours:
                    step.write(prepared, tx)
                self._failpoint(f"{self._group}:before_commit")
        except TransientError:
            raise
        except Exception:
            if len(records) > 1:
                return [part for half in halves(parts) for part in self._take(half, work)]
            with self._store.transaction() as tx:
                ours = self._advance(parts, tx)
                for part in ours:
                    for letter in letters(part.records[0], work.batched):
                        self._write_or_park(letter, step, tx)
        self._failpoint(f"{self._group}:after_commit")
        return ours

    def _write_or_park(self, letter: Letter, step: Step, tx: Tx) -> None:
        """Write the effects of one event of a record that failed; only an event that fails by itself is parked."""
        try:
            prepared = step.prepare([letter])
            with tx.savepoint():
                step.write(prepared, tx)
        except TransientError:
            raise
        except Exception as error:
            # Only the kind: the message of an unexpected error may hold somebody's values.
            kind = type(error).__name__
            log.error(
                "%s parks %s/%s at %s, %s: %s",
                *(self._group, letter.topic, letter.partition, letter.offset, letter.number, kind),
            )
            step.park(letter, kind, tx)

    def _advance(self, parts: Sequence[Part], tx: Tx) -> list[Part]:
        """Move the positions behind these records; the parts that are still ours."""
        moved = tx.advance(self._group, [(*part.partition, part.before, part.after) for part in parts])
        return [part for part in parts if part.partition in moved]

    def _commit_to_kafka(self) -> None:
        """For lag tools only, so once a second: a commit per batch was a request and a log entry per partition."""
        now = time.monotonic()
        if now - self._committed_at < 1.0:
            return
        ours = {
            partition: OffsetAndMetadata(after, "", -1)
            for partition, after in self._uncommitted.items()
            if partition in self._next
        }
        if ours:
            self._consumer.commit_async(ours)
        self._committed_at = now
        self._uncommitted.clear()

    # ------------------------------------------------------------ where to start

    def _start_at_stands(self, new: set[TopicPartition]) -> None:
        """Seek new partitions to the positions that PostgreSQL holds, or write their first ones."""
        if not new:
            return
        firsts = self._consumer.beginning_offsets(list(new))
        ends = self._consumer.end_offsets(list(new))
        topic_ids = self._admin.topic_ids(sorted({partition.topic for partition in new}))
        at: dict[TopicPartition, int] = {}
        with self._store.transaction() as tx:
            stands = {topic: tx.stands(self._group, topic) for topic in topic_ids}
            for partition in sorted(new):
                topic, number = partition
                stand = stands[topic].get(number)
                if stand is None:
                    at[partition] = firsts[partition]
                    tx.begin_at(self._group, topic, topic_ids[topic], number, at[partition])
                    continue
                why = _unsure(stand, topic_ids[topic], firsts[partition], ends[partition])
                if why is None:
                    at[partition] = stand.next
                if why != stand.held:
                    tx.hold(self._group, topic, number, why)
                    if why is not None:
                        log.error("%s leaves %s/%s alone: %s", self._group, topic, number, why)
        for partition in sorted(new):
            try:
                if partition in at:
                    self._consumer.seek(partition, at[partition])
                    self._consumer.resume(partition)
                    self._next[partition] = at[partition]
                    self._held.pop(partition, None)
                else:
                    self._consumer.pause(partition)
                    self._held[partition] = time.monotonic() + _ASK_HELD_S
            except (AssertionError, KafkaError):
                log.info("%s lost %s/%s while starting", self._group, partition.topic, partition.partition)

    def _rejoin_when_stuck(self) -> None:
        """Make the consumer anew when the broker does not know it as a member, twice in a row.

        kafka-python 3.0.12 can believe it is in its group while its heartbeat has stopped: it then polls for ever and
        gets nothing. Seen after NotCoordinatorError from a busy, newly started broker. The broker's word decides.
        """
        now = time.monotonic()
        if now - self._asked_at < _ASK_MEMBERSHIP_S:
            return
        self._asked_at = now
        self._absences = (
            0
            if self._admin.is_member(self._group, self._consumer.group_metadata().member_id)
            else self._absences + 1
        )
        if self._absences >= 2:
            log.error("%s is not in its group and joins again with a new connection", self._group)
            self._consumer.close(autocommit=False, timeout_ms=2_000)
            self._consumer = self._open()
            self._topics, self._absences = (), 0
            self._next.clear()
            self._held.clear()

    def _wait_for_store(self) -> None:
        """While PostgreSQL is away: paused, but polling, so that the group keeps us as a member."""
        delay = 0.2
        while not self._stopped():
            assigned = self._consumer.assignment()
            self._consumer.pause(*assigned)
            self._consumer.poll(timeout_ms=int(delay * 1000))
            try:
                with self._store.transaction() as tx:
                    tx.rows("SELECT 1")
            except StoreUnavailable:
                delay = min(delay * 2, 5.0)
                continue
            self._next.clear()
            self._held.clear()
            self._consumer.resume(*self._consumer.assignment())
            return


def _unsure(stand: Stand, topic_id: str, first: int, end: int) -> str | None:
    """Why going on from here would lose or double messages; None when it would not."""
    if stand.topic_id != topic_id:
        return _REPLACED
    if end < stand.next:
        return _SHORTER
    return _REMOVED if stand.next < first else None
