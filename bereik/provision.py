"""Provisioning: tables, roles, topics, users and rights that the active declarations need. Idempotent.

`provision` is for whoever owns the database and the broker (the embedded stack, a deployment job); `activate` is what
`bereik rules activate` does on a running installation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from bereik.bundle import Bundle
from bereik.bus import Admin, Broker, refusals, retention
from bereik.settings import BRP_PRINCIPAL
from bereik.store import Store, bundles, migrate

# The topics that partners write.
DOORS = "in.{partner}"

Right = tuple[str, str, str, str, bool]


def _on_topics(principal: str, verbs: Sequence[str], *prefixes: str) -> tuple[Right, ...]:
    return tuple((principal, verb, "topic", f"{prefix}.", True) for prefix in prefixes for verb in verbs)


# Who may do what in Kafka: (principal, operation, resource, name, is prefix). Partners' rights follow from the bundle.
OWN_RIGHTS: tuple[Right, ...] = (
    *_on_topics("bereik_intake", ("READ", "DESCRIBE"), "in"),
    *_on_topics("bereik_casework", ("READ", "DESCRIBE"), "signals"),
    *_on_topics("bereik_outreach", ("READ", "DESCRIBE"), "alerts", "words"),
    *_on_topics("bereik_bridge", ("READ", "DESCRIBE"), "cases"),
    *_on_topics("bereik_checks", ("READ", "DESCRIBE"), "cases", "register"),
    # Whoever brings the national register's events here may do nothing else.
    *_on_topics(BRP_PRINCIPAL, ("WRITE", "DESCRIBE"), "register"),
    *_on_topics("bereik_relay", ("WRITE", "DESCRIBE"), "signals", "cases", "alerts", "words", "receipts"),
    # The file door writes for partners; the clock removes what has landed.
    *_on_topics("bereik_dags", ("WRITE", "READ", "DESCRIBE", "DELETE"), "in"),
    *_on_topics(
        "bereik_operator", ("DESCRIBE",), "in", "signals", "cases", "alerts", "words", "receipts", "register"
    ),
    *(
        (f"bereik_{name}", "READ", "group", name, False)
        for name in ("intake", "casework", "outreach", "bridge", "checks")
    ),
)


def may_see(principal: str, topic: str) -> bool:
    """Whether one of our own principals was given any right on a topic."""
    return any(
        (name, kind) == (principal, "topic") and topic.startswith(prefix)
        for name, _, kind, prefix, _ in OWN_RIGHTS
    )


class Owner(Protocol):
    """What an owner of database and broker can tell."""

    @property
    def owner_url(self) -> str: ...
    @property
    def kafka_admin(self) -> Broker: ...
    def kafka_password(self, principal: str) -> str: ...
    def database_url(self, role: str) -> str: ...


def provision(owner: Owner, schemas: Path, by: str = "bereik up") -> str:
    """Bring everything to what these declarations need and make them active; returns the bundle's SHA-256.

    Raises `InvalidDeclarations`, `StoreUnavailable`, `SchemaIsOld`, `BrokerUnavailable`, `NoAuthorizer`.
    """
    bundle = Bundle.compile(schemas)
    with refusals():
        admin = Admin(owner.kafka_admin)
        try:
            # First, so that nothing is half made: a broker that keeps no rights may take no signal.
            admin.require_authorizer()
            migrate(owner.owner_url, tuple(bundle.purposes), bundle.delivered)
            ensure_kafka(admin, bundle, owner.kafka_password)
        finally:
            admin.close()
    store = Store(owner.database_url("bereik_operator"))
    try:
        with store.transaction() as tx:
            bundles.activate(tx, bundles.save(tx, bundle.sha256, bundle.document), by)
    finally:
        store.close()
    return bundle.sha256


def ensure_kafka(admin: Admin, bundle: Bundle, password_of: Callable[[str], str]) -> None:
    """Topics, principals and rights. A partner may write its own door and read its own receipts, and nothing else."""
    admin.ensure_topics(
        {
            name: (
                topic.partitions,
                {
                    **(
                        retention(topic.retention_ms)
                        if topic.pattern == DOORS
                        else {"retention.ms": str(topic.retention_ms)}
                    ),
                    "segment.ms": str(topic.segment_ms),
                    # Partners compress as they like; without this, one batch in a codec that our consumers lack
                    # (snappy, lz4, zstd) would stop them. Also, a body is measured unpacked.
                    "compression.type": "uncompressed",
                },
            )
            for name, topic in bundle.topic_names().items()
        }
    )
    admin.await_groups(tuple(right[3] for right in OWN_RIGHTS if right[2] == "group"))
    partners = {f"partner_{partner}": partner for partner in bundle.partners}
    # Everybody's, each time: a password that was changed in the settings is changed in the broker too.
    wanted = {right[0] for right in OWN_RIGHTS} | set(partners)
    admin.set_passwords({principal: password_of(principal) for principal in sorted(wanted)})
    rights = list(OWN_RIGHTS)
    for principal, partner in sorted(partners.items()):
        rights += [(principal, verb, "topic", f"in.{partner}", False) for verb in ("WRITE", "DESCRIBE")]
        rights += [(principal, verb, "topic", f"receipts.{partner}", False) for verb in ("READ", "DESCRIBE")]
        rights += [(principal, "READ", "group", f"{partner}.", True)]
    admin.allow(rights)
