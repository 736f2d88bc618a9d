"""The limit beside which the whole path is measured: the same messages, broker and database in the same run, and no rule.

A machine that shares its cache may take three times as long for everything as another of the same size. What one process
needs to read a message, parse it, keep it under a key and send it on says how fast this one is today.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson
from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from bereik.bench import meter
from bereik.bus import Admin, Broker, Producer
from bereik.store import Store

_OUT = "bench.bare"
_BATCH = 3_000
_COLUMNS = {"topic": "text", "partition": "int4", "at": "int8", "event_id": "bytea", "value": "bytea"}


@dataclass(frozen=True, slots=True)
class Bare:
    """One process without rules: messages, seconds, and CPU seconds of the process, broker and database together."""

    messages: int
    seconds: float
    cpu_seconds: float

    @property
    def messages_per_second(self) -> float:
        """On one core beside broker and database."""
        return self.messages / self.seconds

    @property
    def cpu_seconds_per_million(self) -> float:
        """What the whole path's figure is to be held against."""
        return self.cpu_seconds * 1_000_000 / self.messages


def run(broker: Broker, owner_url: str, topics: Sequence[str], most: int, roots: Mapping[str, int]) -> Bare:
    """Read what stands in the topics, about `most`, keep each message in a table, send it on, and drop the table.

    `roots` are broker and database by their process ids.
    """
    admin, store, producer = Admin(broker), Store(owner_url), Producer(broker)
    consumer = KafkaConsumer(**broker.settings(), enable_auto_commit=False)
    shape = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
    try:
        admin.ensure_topics({_OUT: (6, {})})
        with store.transaction() as tx:
            tx.execute("CREATE SCHEMA bench")
            tx.execute(f"CREATE TABLE bench.bare ({shape}, PRIMARY KEY (topic, partition, at))")
        ends = admin.ends(topics)
        consumer.assign([TopicPartition(*place) for place in ends])
        consumer.seek_to_beginning()
        there = min(most, sum(last - first for first, last in ends.values()))
        start, used = time.monotonic(), _cpu(roots)
        done = 0
        for batch in _batches(consumer, there):
            _pass_on(batch, store, producer)
            done += len(batch)
        return Bare(done, time.monotonic() - start, _cpu(roots) - used)
    finally:
        consumer.close()
        producer.close()
        with store.transaction() as tx:
            tx.execute("DROP SCHEMA IF EXISTS bench CASCADE")
        store.close()
        admin.close()


def _batches(consumer: KafkaConsumer, wanted: int) -> Iterator[list[ConsumerRecord]]:
    done = 0
    while done < wanted:
        found = consumer.poll(timeout_ms=1_000, max_records=_BATCH)
        batch = [record for records in found.values() for record in records]
        if batch:
            done += len(batch)
            yield batch


def _pass_on(batch: Sequence[ConsumerRecord], store: Store, producer: Producer) -> None:
    rows = []
    for record in batch:
        event_id = _event_id(record.value)
        rows.append((record.topic, record.partition, record.offset, event_id, record.value))
        producer.send(_OUT, event_id, record.value)
    names = ", ".join(_COLUMNS)
    with store.transaction() as tx:
        tx.stage("stage_bare", _COLUMNS, iter(rows))
        tx.execute(f"INSERT INTO bench.bare ({names}) SELECT {names} FROM stage_bare")
    producer.flush()


def _event_id(value: bytes | None) -> bytes:
    """The id of an event; empty when the message is none."""
    try:
        return str(orjson.loads(value or b"")["id"]).encode()
    except (ValueError, TypeError, KeyError):
        return b""


def _cpu(roots: Mapping[str, int]) -> float:
    return sum(meter.cpu_seconds(roots).values()) + time.process_time()
