"""From the outbox to Kafka."""

from __future__ import annotations

import logging
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bereik import store as database
from bereik.bus.broker import Broker, Producer
from bereik.errors import TransientError
from bereik.signal import BATCH_CONTENT_TYPE, pack
from bereik.store import Store

log = logging.getLogger(__name__)

# Sending, keeping and polling are paid per record: 25, 15 and three times 10 µs. A hundredth of that is not felt.
EVENTS_PER_RECORD = 100
# Kafka's default bound of a record is 1 MB, and one event is at most some 64 KiB.
BYTES_PER_RECORD = 500_000

_BATCH = [("content-type", BATCH_CONTENT_TYPE)]


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
