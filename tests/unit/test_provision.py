"""What provisioning reads of an external broker and database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bereik.bus import retention
from bereik.cli.provision import External, PasswordMissing
from bereik.settings import NotConfigured


def settings(folder: Path, **more: str) -> dict[str, str]:
    passwords = folder / "passwords.json"
    passwords.write_text(json.dumps({"bereik_intake": "a"}), "utf-8")
    return {
        "BEREIK_OWNER_URL": "postgresql://bereik_owner:x@db.example/bereik",
        "BEREIK_DATABASE_URL": "postgresql://bereik_operator:x@db.example/bereik",
        "BEREIK_KAFKA_BOOTSTRAP": "one.example:9093,two.example:9093",
        "BEREIK_KAFKA_ADMIN_USERNAME": "root",
        "BEREIK_KAFKA_ADMIN_PASSWORD": "secret",
        "BEREIK_KAFKA_PASSWORDS": str(passwords),
        **more,
    }


def test_the_broker_is_reached_as_the_settings_say(tmp_path: Path) -> None:
    env = settings(
        tmp_path,
        BEREIK_KAFKA_SECURITY_PROTOCOL="SASL_SSL",
        BEREIK_KAFKA_MECHANISM="SCRAM-SHA-256",
        BEREIK_KAFKA_CA="/etc/ca.pem",
        BEREIK_KAFKA_USERNAME="bereik_operator",
    )
    found = External(env).kafka_admin.settings()
    assert found["bootstrap_servers"] == ["one.example:9093", "two.example:9093"]
    assert (found["security_protocol"], found["sasl_mechanism"]) == ("SASL_SSL", "SCRAM-SHA-256")
    assert found["ssl_cafile"] == "/etc/ca.pem"
    assert (found["sasl_plain_username"], found["sasl_plain_password"]) == ("root", "secret")


def test_what_is_not_set_is_as_for_every_process(tmp_path: Path) -> None:
    found = External(settings(tmp_path, BEREIK_KAFKA_CA="")).kafka_admin.settings()
    assert (found["security_protocol"], found["sasl_mechanism"]) == ("SASL_PLAINTEXT", "SCRAM-SHA-512")
    assert found["ssl_cafile"] is None


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    env = settings(tmp_path)
    del env["BEREIK_OWNER_URL"]
    with pytest.raises(NotConfigured, match="BEREIK_OWNER_URL"):
        External(env)
    with pytest.raises(PasswordMissing, match="bereik_casework"):
        External(settings(tmp_path)).kafka_password("bereik_casework")


def test_a_door_takes_nothing_older_than_it_keeps_unless_it_keeps_everything() -> None:
    assert retention(1000)["retention.ms"] == retention(1000)["message.timestamp.before.max.ms"] == "1000"
    history = retention(-1)
    assert (history["retention.ms"], history["message.timestamp.before.max.ms"]) == ("-1", str(2**63 - 1))
