"""docker/compose.yaml read as data: what must hold of it also where no Docker daemon is. `make docker-test` runs it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from bereik import settings
from bereik.cli import secrets
from bereik.settings import REPOSITORY

TEXT = (REPOSITORY / "docker" / "compose.yaml").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PLATFORM = {"kafka", "postgres"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_is_closed(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("mem_limit") or name == "secrets"
    published = {"web", "airflow-api"}
    assert bool(service.get("ports")) == (name in published)
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert "privileged" not in service and "network_mode" not in service


def test_every_consumer_and_every_part_of_airflow_is_there_once_migrated() -> None:
    for name in (*settings.CONSUMERS, "web"):
        assert SERVICES[name]["environment"]["BEREIK_PROCESS"] == name
        assert SERVICES[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    parts = {
        service["command"][-1]
        for service in SERVICES.values()
        if service["command"][:2] == ["bereik", "airflow"]
    }
    assert parts == {"migrate", "api-server", "scheduler", "dag-processor", "triggerer"}


@pytest.mark.parametrize("name", sorted(set(SERVICES) - PLATFORM))
def test_a_process_has_its_own_secrets_and_nobody_elses(name: str) -> None:
    service = SERVICES[name]
    given = set(service.get("secrets", ()))
    environment = service.get("environment", {})
    used = set(re.findall(r"/run/secrets/([\w.]+)", str(environment)))
    # Tasks of the scheduler with a login of their own: who is who, and the national delivery. Exactly these two.
    tasks = (
        {"bereik_linkage", "bereik_delivery"} if environment.get("BEREIK_LOGINS") == "/run/secrets" else set()
    )
    assert (name == "airflow-scheduler") == bool(tasks)
    used |= tasks
    # The address of the keyring stands in the settings of all; only who opens seals gets the file.
    assert given <= used and used - given <= {"keyring.json"}
    process = service.get("environment", {}).get("BEREIK_PROCESS")
    if process:
        assert {one for one in given if one.startswith("bereik_")} == {f"bereik_{process}"} | tasks


def test_secrets_are_those_that_are_made() -> None:
    made = {*secrets.NAMES, "keyring.json", "passwords.json"}
    assert set(COMPOSE["secrets"]) == made
    assert {one for service in SERVICES.values() for one in service.get("secrets", ())} == made


def test_every_setting_in_it_is_one() -> None:
    known = {one.name for one in settings.SETTINGS}
    for service in SERVICES.values():
        for name in service.get("environment", {}):
            if name.startswith("BEREIK_"):
                assert name.removesuffix("_FILE") in known, name


def test_every_variable_of_it_is_explained() -> None:
    page = (REPOSITORY / "docs" / "deploy.md").read_text("utf-8")
    variables = set(re.findall(r"\$\{([A-Z_]+)", TEXT))
    assert {name for name in variables if f"`{name}`" not in page and f"{name}=" not in page} == set()
