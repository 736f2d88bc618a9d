"""Kafka: the only package that knows kafka-python."""

from bereik.bus.admin import Admin, retention
from bereik.bus.broker import (
    CONTENT_TYPE,
    Broker,
    BrokerUnavailable,
    NoAuthorizer,
    NotSent,
    Producer,
    refusals,
)
from bereik.bus.listener import Listener, Part, Step, Work, halves, letters
from bereik.bus.relay import BYTES_PER_RECORD, EVENTS_PER_RECORD, Relay, packed

__all__ = [
    "BYTES_PER_RECORD",
    "CONTENT_TYPE",
    "EVENTS_PER_RECORD",
    "Admin",
    "Broker",
    "BrokerUnavailable",
    "Listener",
    "NoAuthorizer",
    "NotSent",
    "Part",
    "Producer",
    "Relay",
    "Step",
    "Work",
    "halves",
    "letters",
    "packed",
    "refusals",
    "retention",
]
