"""The parts of the embedded stack that need nothing running."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from bereik.errors import LastingError
from bereik.runtime import Ports, PortTaken, Stack, jars
from bereik.runtime.ports import WrongPort
from bereik.runtime.stack import REPOSITORY, Passwords
from bereik.runtime.supervise import Supervisor


def test_a_taken_port_is_named_with_its_owner() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(PortTaken) as caught:
            replace(Ports.free(), kafka=port).require_free()
    assert (caught.value.name, caught.value.port) == ("kafka", port)
    assert f"(pid {os.getpid()})" in caught.value.owner
    assert "BEREIK_KAFKA_PORT" in str(caught.value)


def test_a_port_that_is_ours_may_be_in_use() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        replace(Ports.free(), web=listener.getsockname()[1]).require_free(skip=frozenset({"web"}))


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", "１８０８０", "1e3"])
def test_a_port_setting_must_be_a_port(text: str) -> None:
    with pytest.raises(WrongPort, match="BEREIK_WEB_PORT"):
        Ports.from_env({"BEREIK_WEB_PORT": text})


def test_port_settings_replace_defaults_one_by_one() -> None:
    assert Ports.from_env({"BEREIK_WEB_PORT": "9000", "BEREIK_KAFKA_PORT": ""}) == replace(Ports(), web=9000)


def test_passwords_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "passwords.json"
    first = Passwords(path).get("one")
    assert Passwords(path).get("one") == first != Passwords(path).get("two")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_the_lock_list_has_every_jar_once() -> None:
    locked = jars.read_lock(REPOSITORY / "requirements" / "jars.lock")
    assert len({jar.name for jar in locked}) == len(locked) == 46


def test_a_damaged_lock_line_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "jars.lock"
    lock.write_text("# comment\norg.example:thing:1.0 sha256:short\n", encoding="utf-8")
    with pytest.raises(LastingError, match=r"jars\.lock:2"):
        jars.read_lock(lock)


def test_a_jar_with_another_content_is_not_believed(tmp_path: Path) -> None:
    lock = tmp_path / "jars.lock"
    lock.write_text(f"org.example:thing:1.0 sha256:{'0' * 64}\n", encoding="utf-8")
    (tmp_path / "thing-1.0.jar").write_bytes(b"something else")
    assert jars.damaged(lock, tmp_path) == ["thing-1.0.jar"]


def test_a_long_folder_gets_a_short_socket(tmp_path: Path) -> None:
    near, far = Supervisor(Path("/srv/bereik")), Supervisor(tmp_path / ("long" * 40))
    assert near.socket == Path("/srv/bereik/run/supervisor.sock")
    assert len(os.fsencode(far.socket)) <= 90


def test_a_home_remembers_its_ports(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text('{"ports": {"web": 9001}}', encoding="utf-8")
    assert Stack(tmp_path).ports == replace(Ports(), web=9001)


def test_status_of_a_stack_that_never_ran_is_empty(tmp_path: Path) -> None:
    assert Stack(tmp_path / "none").status() == []


def test_lock_files_name_no_hosts() -> None:
    for path in (REPOSITORY / "requirements").glob("*.txt"):
        assert "://" not in path.read_text(encoding="utf-8"), path.name
