"""Kafka: the only module that knows kafka-python.

`Listener` is the one loop under every consumer. Its promise: the effects of a message and the position behind it are
one PostgreSQL transaction, so a kill at any point neither loses nor doubles an effect. Kafka's own commit is for lag
tools only.
"""

from __future__ import annotations

import contextlib
import logging
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    ConfigResourceType,
    OffsetSpec,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from kafka.errors import KafkaError, SecurityDisabledError
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.util import decode_varint
from kafka.structs import OffsetAndMetadata

from bereik import store as database
from bereik.errors import LastingError, TransientError
from bereik.ports import Letter, Record
from bereik.signal import BATCH_CONTENT_TYPE, pack, unpack
from bereik.store import Store, StoreUnavailable, Tx

log = logging.getLogger(__name__)

# kafka-python logs message keys and values at DEBUG, so its logger never goes below INFO.
logging.getLogger("kafka").setLevel(logging.WARNING)
# Said at every connection; whether a network needs TLS is BEREIK_KAFKA_SECURITY_PROTOCOL, and `bereik doctor` tells.
logging.getLogger("kafka.net.sasl").setLevel(logging.ERROR)
logging.getLogger("kafka.coordinator.assignors").setLevel(logging.ERROR)

# Enough to share a transaction's fixed cost of some forty statements; and twelve halvings find one offender in it.
MAX_RECORDS = 4_000
# Of our own topics, where a record holds up to EVENTS_PER_RECORD: at most 2,500 events in a transaction. With 4,000, casework
# came to 364 MB while it had a backlog.
MAX_BATCHES = 25
# Sending, keeping and polling are paid per record: 25, 15 and three times 10 µs. A hundredth of that is not felt.
EVENTS_PER_RECORD = 100
# Kafka's default bound of a record is 1 MB, and one event is at most some 64 KiB.
BYTES_PER_RECORD = 500_000


def _plain_header_names(buffer: bytes, at: int) -> bytearray:
    """The same batch with each byte above 127 in the header names of the record at `at` replaced by a question mark."""
    made = bytearray(buffer)
    for _ in ("length", "attributes", "timestamp", "offset"):
        _, at = decode_varint(made, at)
    for _ in ("key", "value"):
        size, at = decode_varint(made, at)
        at += max(size, 0)
    count, at = decode_varint(made, at)
    for _ in range(count):
        size, at = decode_varint(made, at)
        made[at : at + size] = bytes(byte if byte < 128 else 63 for byte in made[at : at + size])
        size, at = decode_varint(made, at + size)
        at += max(size, 0)
    return made


def _read_tolerantly(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """kafka-python 3.0.12 fails the whole poll, for ever, on one header name that is no UTF-8; the broker takes any."""

    def read_record(batch: Any) -> Any:
        at = batch._pos
        try:
            return read(batch)
        except UnicodeDecodeError:
            batch._buffer, batch._pos = _plain_header_names(batch._buffer, at), at
            return read(batch)

    return read_record


DefaultRecordBatch._read_msg = _read_tolerantly(DefaultRecordBatch._read_msg)

# A fetch holds at most 1 MB of each partition, about 1,000 events, and often less; sixteen polls fill a batch. The next fetch
# is on its way while a poll returns, and takes some 5 ms when there is more: without waiting for it no batch held a second one.
_POLLS_PER_BATCH, _NEXT_FETCH_MS = 16, 20

# How often a consumer asks the broker whether it is still in its group: one small request, and a stuck consumer is
# noticed within 20 s.
_ASK_MEMBERSHIP_S = 10.0

# Kafka's own "no bound" for message.timestamp.before.max.ms.
_ANY_AGE = 2**63 - 1

# The client's own meters: nobody reads them, and each partition of each fetch and each record sent is written down in several.
_UNMETERED = {"metrics_enabled": False}

CONTENT_TYPE = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
_BATCH = [("content-type", BATCH_CONTENT_TYPE)]


class BrokerUnavailable(TransientError):
    """Kafka cannot be reached or refuses the credentials. See `bereik doctor`, BEREIK_KAFKA_BOOTSTRAP and the ACLs."""


class NoAuthorizer(LastingError):
    """Kafka keeps no rights (ACLs): any partner could write as another. Set authorizer.class.name on every broker."""


class TopicReplaced(LastingError):
    """A topic was made anew or lost its end since we read it. Restore it, or reset ops.position after checking what is lost."""


class NotSent(TransientError):
    """Kafka did not acknowledge a message; it stays where it was and is sent again."""


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Within the block, what the broker refuses is `NoAuthorizer` or `BrokerUnavailable`, with the kind of error only."""
    try:
        yield
    except SecurityDisabledError:
        raise NoAuthorizer() from None
    except KafkaError as error:
        raise BrokerUnavailable(f"{BrokerUnavailable.__doc__} ({type(error).__name__})") from None


@dataclass(frozen=True, slots=True)
class Broker:
    """How to reach Kafka."""

    bootstrap: str
    username: str
    password: str
    security_protocol: str = "SASL_PLAINTEXT"
    mechanism: str = "SCRAM-SHA-512"
    ca: str | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str], username: str, password: str) -> Broker:
        """As the BEREIK_KAFKA_* settings say, under this principal."""
        return cls(
            env["BEREIK_KAFKA_BOOTSTRAP"],
            username,
            password,
            env.get("BEREIK_KAFKA_SECURITY_PROTOCOL") or "SASL_PLAINTEXT",
            env.get("BEREIK_KAFKA_MECHANISM") or "SCRAM-SHA-512",
            env.get("BEREIK_KAFKA_CA") or None,
        )

    def settings(self) -> dict[str, Any]:
        """As kafka-python's keyword arguments."""
        return {
            "bootstrap_servers": self.bootstrap.split(","),
            "security_protocol": self.security_protocol,
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
            "ssl_cafile": self.ca,
            # By default the pause between two attempts grows to 30 s, so that a broker that is back is not noticed.
            "reconnect_backoff_max_ms": 1_000,
        }


# ---------------------------------------------------------------- sending


class Producer:
    """Sends and knows what was acknowledged. Idempotent, acks=all."""

    def __init__(self, broker: Broker) -> None:
        # 5 ms of linger fills batches of 128 KiB under load and is not felt without it.
        with refusals():
            self._producer = KafkaProducer(
                **broker.settings(), **_UNMETERED, linger_ms=5, batch_size=131_072, max_block_ms=30_000
            )
        self._waiting: list[Any] = []

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        timestamp_ms: int | None = None,
        partition: int | None = None,
    ) -> None:
        """Queue one message; `flush` tells whether it arrived. Without a timestamp it is of now."""
        try:
            self._waiting.append(
                self._producer.send(
                    topic,
                    key=key,
                    value=value,
                    headers=list(headers),
                    timestamp_ms=timestamp_ms,
                    partition=partition,
                )
            )
        except KafkaError as error:
            raise NotSent(f"{NotSent.__doc__} ({type(error).__name__})") from None

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises `NotSent` when it cannot be asked."""
        try:
            return len(self._producer.partitions_for(topic))
        except KafkaError as error:
            raise NotSent(f"{NotSent.__doc__} ({type(error).__name__})") from None

    def flush(self) -> int:
        """Wait until all queued messages are acknowledged, and say how many. Raises `NotSent`."""
        waiting, self._waiting = self._waiting, []
        try:
            self._producer.flush(timeout=60)
        except KafkaError as error:
            raise NotSent(f"{NotSent.__doc__} ({type(error).__name__})") from None
        for future in waiting:
            if not future.succeeded():
                raise NotSent(f"{NotSent.__doc__} ({type(future.exception).__name__})")
        return len(waiting)

    def close(self) -> None:
        """Close the connection."""
        self._producer.close(timeout=5)


# ---------------------------------------------------------------- listening


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
    without a restart. `failpoint` is called with a name at the points where fault tests kill the process.
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
        self._topic_ids: dict[str, str] = {}
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
            **_UNMETERED,
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
        """Until stopped. Raises `TopicReplaced` when going on would lose or double messages."""
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
        self._start_at_stands(assigned - self._next.keys())
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
        with self._store.transaction() as tx:
            stands = {
                topic: tx.stands(self._group, topic) for topic in {partition.topic for partition in new}
            }
            for partition in sorted(new):
                if partition.partition not in stands[partition.topic]:
                    topic_id = self._topic_id(partition.topic)
                    tx.begin_at(
                        self._group, partition.topic, topic_id, partition.partition, firsts[partition]
                    )
        for partition in sorted(new):
            stand = stands[partition.topic].get(partition.partition)
            at = firsts[partition] if stand is None else stand.next
            place = f"{partition.topic}/{partition.partition}"
            if stand is not None and (
                stand.topic_id != self._topic_id(partition.topic) or ends[partition] < at
            ):
                raise TopicReplaced(f"{place}: {TopicReplaced.__doc__}")
            if at < firsts[partition]:
                lost = firsts[partition] - at
                raise TopicReplaced(
                    f"{place}: retention removed {lost} messages before {self._group} read them."
                )
            try:
                self._consumer.seek(partition, at)
                self._next[partition] = at
            except (AssertionError, KafkaError):
                log.info("%s lost %s while starting", self._group, place)

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

    def _topic_id(self, topic: str) -> str:
        if topic not in self._topic_ids:
            self._topic_ids.update(self._admin.topic_ids([topic]))
        return self._topic_ids[topic]

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
            self._consumer.resume(*self._consumer.assignment())
            return


# ---------------------------------------------------------------- administration


class Admin:
    """Topics, users and rights."""

    def __init__(self, broker: Broker) -> None:
        with refusals():
            self._admin = KafkaAdminClient(**broker.settings())

    def require_authorizer(self) -> None:
        """Raises `NoAuthorizer` when the broker lets everybody do everything. For its super user."""
        anything = ACLFilter(
            principal=None,
            host=None,
            operation=ACLOperation.ANY,
            permission_type=ACLPermissionType.ANY,
            resource_pattern=ResourcePatternFilter(ResourceType.CLUSTER, None, ACLResourcePatternType.ANY),
        )
        with refusals():
            self._admin.describe_acls(anything)

    def topic_ids(self, topics: Sequence[str]) -> dict[str, str]:
        """The ids of existing topics. Raises `BrokerUnavailable` when one is not there yet."""
        found = {
            topic["name"]: topic["topic_id"]
            for topic in self._admin.describe_topics(list(topics))
            if not topic["error_code"]
        }
        missing = set(topics) - set(found)
        if missing:
            raise BrokerUnavailable(
                f"These topics do not exist: {', '.join(sorted(missing))}. Run `bereik rules activate`."
            )
        return {name: str(value) for name, value in found.items()}

    def await_groups(self, groups: Sequence[str]) -> None:
        """Wait until the broker can coordinate these groups.

        A new broker first has to make its offsets topic; consumers that come earlier only cause each other delay.
        """
        for _ in range(60):
            with contextlib.suppress(KafkaError):
                self._admin.describe_groups(list(groups))
                return
            time.sleep(0.5)
        raise BrokerUnavailable("The broker cannot coordinate consumer groups. See its log.")

    def is_member(self, group: str, member_id: str) -> bool:
        """Whether the broker knows this member of the group; True when it cannot be asked."""
        try:
            described = self._admin.describe_groups([group])[group]
        except (KafkaError, KeyError):
            return True
        return any(member["member_id"] == member_id for member in described["members"])

    def topics(self) -> set[str]:
        """Names of all topics this principal may see."""
        with refusals():
            return set(self._admin.list_topics())

    def ensure_topics(
        self, wanted: Mapping[str, tuple[int, Mapping[str, str]]], replication: int = 1
    ) -> list[str]:
        """Make the topics that are not there: name → (partitions, settings); the others get these settings.

        Returns what was made.
        """
        known = self.topics()
        missing = {
            name: {"num_partitions": partitions, "replication_factor": replication, "configs": dict(configs)}
            for name, (partitions, configs) in wanted.items()
            if name not in known
        }
        if missing:
            self._admin.create_topics(missing)
            self._admin.wait_for_topics(list(missing))
        self.configure({name: configs for name, (_, configs) in wanted.items() if name not in missing})
        return sorted(missing)

    def set_passwords(self, passwords: Mapping[str, str]) -> None:
        """Make or renew SCRAM-SHA-512 credentials. Raises `BrokerUnavailable` when the broker refuses one."""
        wanted = [
            UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, password)
            for user, password in passwords.items()
        ]
        refused = (
            [user for user, error in self._admin.alter_user_scram_credentials(wanted).items() if error]
            if wanted
            else []
        )
        if refused:
            raise BrokerUnavailable(
                f"The broker refused a credential for {', '.join(sorted(refused))}. See its log."
            )

    def users(self) -> set[str]:
        """Users that have a SCRAM credential."""
        return set(self._admin.describe_user_scram_credentials())

    def allow(self, rights: Sequence[tuple[str, str, str, str, bool]]) -> None:
        """Grant (user, operation, "topic" | "group" | "cluster", name, is_prefix); what is there already stays."""
        self._admin.create_acls(
            [
                ACL(
                    principal=f"User:{user}",
                    host="*",
                    operation=ACLOperation[operation],
                    permission_type=ACLPermissionType.ALLOW,
                    resource_pattern=ResourcePattern(
                        ResourceType[kind.upper()],
                        name,
                        ACLResourcePatternType.PREFIXED if prefix else ACLResourcePatternType.LITERAL,
                    ),
                )
                for user, operation, kind, name, prefix in rights
            ]
        )

    def ends(self, topics: Sequence[str]) -> dict[tuple[str, int], tuple[int, int]]:
        """First and end offset of every partition of these topics."""
        parts = [
            TopicPartition(topic["name"], part["partition_index"])
            for topic in self._admin.describe_topics(list(topics))
            for part in topic["partitions"]
        ]
        firsts = self._admin.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.EARLIEST))
        ends = self._admin.list_partition_offsets(dict.fromkeys(parts, OffsetSpec.LATEST))
        return {(part.topic, part.partition): (firsts[part].offset, ends[part].offset) for part in parts}

    def settings(self, topics: Iterable[str]) -> dict[str, dict[str, str]]:
        """The settings in force: topic → setting → value."""
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in topics]
        found = self._admin.describe_configs(asked, config_filter="all")
        return {
            name: {key: one["value"] for key, one in settings.items()}
            for name, settings in found["topic"].items()
        }

    def configure(self, wanted: Mapping[str, Mapping[str, str]]) -> list[str]:
        """Bring the settings of existing topics to name → settings, where they differ; returns which did."""
        if not wanted:
            return []
        stands = self.settings(wanted)
        differing = sorted(
            name
            for name, settings in wanted.items()
            if any(stands[name].get(key) != value for key, value in settings.items())
        )
        if differing:
            self._admin.alter_configs(
                [ConfigResource(ConfigResourceType.TOPIC, name, dict(wanted[name])) for name in differing]
            )
        return differing

    def set_retention(self, topics: Sequence[str], retention_ms: int) -> None:
        """Keep these doors' records so long after their own timestamp, and refuse what is older at once.

        -1 keeps and takes records of any age until it is set again.
        """
        self.configure(dict.fromkeys(topics, retention(retention_ms)))

    def delete_before(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Remove landed records below these offsets (kafka's delete_records)."""
        if offsets:
            self._admin.delete_records(
                {TopicPartition(topic, part): before for (topic, part), before in offsets.items()}
            )

    def close(self) -> None:
        """Close the connection."""
        self._admin.close()


def retention(milliseconds: int) -> dict[str, str]:
    """Settings of a partner's door: what is older than the door keeps is refused, and so is what is of the future.

    A record's timestamp is written by its sender, and becomes the moment of receipt from which terms run.
    """
    any_age = milliseconds == -1
    return {
        "retention.ms": str(milliseconds),
        "message.timestamp.before.max.ms": str(_ANY_AGE if any_age else milliseconds),
        # An hour, for clocks that are ahead or that took summer time for UTC.
        "message.timestamp.after.max.ms": str(3_600_000),
    }


# ---------------------------------------------------------------- relay


def packed(events: Sequence[bytes]) -> Iterator[bytes]:
    """Events in order as the values of records, none with too many events or bytes."""
    held: list[bytes] = []
    size = 0
    for event in events:
        if held and (len(held) == EVENTS_PER_RECORD or size + len(event) > BYTES_PER_RECORD):
            yield pack(held)
            held, size = [], 0
        held.append(event)
        size += len(event) + 1
    if held:
        yield pack(held)


class Relay:
    """Outbox → Kafka: the only producer of our own topics.

    One active sender per topic group, by a session lock in PostgreSQL; rows leave in id order and are deleted after Kafka
    acknowledged them, so after a crash a row may be sent twice and is never lost.
    """

    GROUPS = ("signals", "cases", "alerts", "words", "receipts")
    # 20 rows of at most 500 messages: about 10 MB in flight at the most.
    ROWS = 20

    def __init__(
        self,
        broker: Broker,
        store: Store,
        stopped: Callable[[], bool],
        failpoint: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._store, self._stopped, self._failpoint = store, stopped, failpoint
        self._broker = broker
        self._producer = Producer(broker)

    def run(self) -> None:
        """Until stopped."""
        while not self._stopped():
            try:
                self._listen()
            except TransientError as error:
                log.warning("relay waits: %s", error)
                time.sleep(0.5)
        self._producer.close()

    def _listen(self) -> None:
        # The session is used outside a transaction of the store, which would have said by itself that it broke.
        with database.refusals(), self._store.listen() as session:
            session.execute("LISTEN outbox")
            held: list[str] = []
            sent: list[int] = []
            while not self._stopped():
                held += [
                    group for group in self.GROUPS if group not in held and self._try_lock(session, group)
                ]
                if held and (sent := self._pump(held, sent)):
                    continue
                for _ in session.notifies(timeout=0.5, stop_after=1):
                    pass
            with self._store.transaction() as tx:
                tx.sent(sent)

    def _try_lock(self, session: Any, group: str) -> bool:
        return bool(
            session.execute("SELECT pg_try_advisory_lock(7204, hashtext(%s))", (group,)).fetchone()[0]
        )

    def _pump(self, groups: Sequence[str], sent: Sequence[int]) -> list[int]:
        """Forget the rows that were sent and send the oldest of the groups we hold; returns what was sent now."""
        with self._store.transaction() as tx:
            tx.sent(sent)
            rows = tx.outgoing(groups, self.ROWS)
        batches: dict[tuple[str, int], list[bytes]] = defaultdict(list)
        for row in rows:
            count = self._producer.partitions(row.topic)
            for key, message in row.messages:
                # The client's own partitioner is pure Python; any fixed rule will do.
                batches[(row.topic, zlib.crc32(key) % count)].append(message)
        for (topic, partition), messages in batches.items():
            for value in packed(messages):
                self._producer.send(topic, None, value, _BATCH, partition=partition)
        if rows:
            self._producer.flush()
            self._failpoint("relay:after_send")
        return [row.outbox_id for row in rows]
