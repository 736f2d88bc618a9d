"""The embedded stack on real parts: harmless twice, alive after kill -9, closed to strangers, gone after down."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import kafka
import kafka.errors
import psycopg
import pytest
from kafka.admin import ACL, ACLOperation, ACLPermissionType, NewTopic, ResourcePattern, ResourceType

from bereik.runtime import Ports, Stack
from bereik.runtime.ports import in_use
from bereik.settings import LOGINS

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def platform() -> Iterator[Stack]:
    """Database and broker of its own, because these tests kill them."""
    with tempfile.TemporaryDirectory(prefix="bereik-runtime-") as folder:
        one = Stack(Path(folder) / "home", Ports.free())
        try:
            one.up_platform()
            yield one
        finally:
            one.destroy()


def as_user(stack: Stack, name: str) -> dict[str, str]:
    """How a principal connects to the broker."""
    return {
        "bootstrap_servers": stack.settings.kafka_bootstrap,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": name,
        "sasl_plain_password": stack.settings.kafka_password(name),
    }


def pids(stack: Stack) -> dict[str, int]:
    """Process ids of what runs."""
    return {state.name: state.pid for state in stack.status() if state.running}


def kill_all(stack: Stack) -> None:
    """kill -9 of every process of the stack at once, the keeper first so that it restarts nothing."""
    keeper = int((stack.home / "run" / "supervisord.pid").read_text(encoding="ascii"))
    everyone = stack.supervisor.leftovers()
    os.kill(keeper, signal.SIGKILL)
    for pid in everyone:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def test_up_twice_starts_nothing_twice(platform: Stack) -> None:
    before = pids(platform)
    platform.up_platform()
    assert pids(platform) == before
    assert set(before) == {"database", "broker"}


def test_a_partner_writes_to_its_own_topic_only(platform: Stack) -> None:
    principal = "partner_first"
    admin = kafka.KafkaAdminClient(**as_user(platform, "admin"))
    try:
        admin.create_topics([NewTopic("in.first", 1, 1), NewTopic("in.second", 1, 1)])
        password = platform.settings.kafka_password(principal)
        admin.alter_user_scram_credentials(
            [kafka.admin.UserScramCredentialUpsertion(principal, "SCRAM-SHA-512", password)]
        )
        admin.create_acls(
            [
                ACL(
                    f"User:{principal}",
                    "*",
                    ACLOperation.WRITE,
                    ACLPermissionType.ALLOW,
                    ResourcePattern(ResourceType.TOPIC, "in.first"),
                )
            ]
        )
    finally:
        admin.close()
    producer = kafka.KafkaProducer(**as_user(platform, principal), enable_idempotence=False)
    try:
        assert producer.send("in.first", b"{}").get(timeout=20).offset == 0
        with pytest.raises(kafka.errors.TopicAuthorizationFailedError):
            producer.send("in.second", b"{}").get(timeout=20)
    finally:
        producer.close(timeout=5)


def test_the_database_wants_a_password(platform: Stack) -> None:
    url = platform.settings.database_url("bereik_intake")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("bereik_intake",)
    password = platform.settings.passwords.get("database:bereik_intake")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url.replace(password, "wrong"))


def test_login_roles_are_no_superusers_and_inherit_nothing(platform: Stack) -> None:
    with psycopg.connect(platform.settings.owner_url) as connection:
        roles = connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolinherit FROM pg_roles WHERE rolname ~ '^bereik_'"
        ).fetchall()
    assert {row[0] for row in roles} - {"bereik_auditor"} == {"bereik_owner", *LOGINS}
    assert not [row for row in roles if row[1] or row[2]]
    assert [row[0] for row in roles if row[3]] == ["bereik_owner"]


def test_no_password_stands_in_a_command_line(platform: Stack) -> None:
    secrets = (platform.home / "secrets" / "passwords.json").read_text(encoding="utf-8")
    words = [part for part in secrets.split('"') if len(part) == 32]
    assert words
    for pid in platform.supervisor.leftovers():
        line = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        assert not any(word in line for word in words)


def test_one_killed_part_is_started_again(platform: Stack) -> None:
    before = pids(platform)["database"]
    os.kill(before, signal.SIGKILL)
    until = time.monotonic() + 30
    while pids(platform).get("database", before) == before:
        assert time.monotonic() < until
        time.sleep(0.2)
    platform.up_platform()


def test_killed_with_9_it_comes_up_with_its_data(platform: Stack) -> None:
    with psycopg.connect(platform.settings.owner_url) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (42)")
    producer = kafka.KafkaProducer(**as_user(platform, "admin"))
    offset = producer.send("in.first", b"kept").get(timeout=20).offset
    producer.close()
    before = pids(platform)

    kill_all(platform)
    platform.up_platform()

    assert not set(before.values()) & set(pids(platform).values())
    with psycopg.connect(platform.settings.owner_url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (42,)
    consumer = kafka.KafkaConsumer(**as_user(platform, "admin"))
    try:
        place = kafka.TopicPartition("in.first", 0)
        consumer.assign([place])
        consumer.seek(place, offset)
        found = [record.value for records in consumer.poll(20_000).values() for record in records]
    finally:
        consumer.close()
    assert found == [b"kept"]


def test_down_leaves_nothing_and_up_brings_it_back(platform: Stack) -> None:
    platform.down()
    assert platform.supervisor.leftovers() == []
    assert platform.status() == []
    assert not [name for name, port in platform.ports.as_dict().items() if in_use(port)]
    platform.down()
    platform.up_platform()
    with psycopg.connect(platform.settings.owner_url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (42,)
