"""A broker: how it is reached, what it refuses, and how something is sent to it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, SecurityDisabledError
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.util import decode_varint

from bereik.errors import LastingError, TransientError

# kafka-python logs message keys and values at DEBUG, so its logger never goes below INFO.
logging.getLogger("kafka").setLevel(logging.WARNING)
# Said at every connection; whether a network needs TLS is BEREIK_KAFKA_SECURITY_PROTOCOL, and `bereik doctor` tells.
logging.getLogger("kafka.net.sasl").setLevel(logging.ERROR)
logging.getLogger("kafka.coordinator.assignors").setLevel(logging.ERROR)


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

# The client's own meters: nobody reads them, and each partition of each fetch and each record sent is written down in several.
UNMETERED = {"metrics_enabled": False}

CONTENT_TYPE = [("content-type", b"application/cloudevents+json; charset=UTF-8")]


class BrokerUnavailable(TransientError):
    """Kafka cannot be reached or refuses the credentials. See `bereik doctor`, BEREIK_KAFKA_BOOTSTRAP and the ACLs."""


class NoAuthorizer(LastingError):
    """Kafka keeps no rights (ACLs): any partner could write as another. Set authorizer.class.name on every broker."""


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
                **broker.settings(), **UNMETERED, linger_ms=5, batch_size=131_072, max_block_ms=30_000
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
