"""`bereik demo` as somebody types it: it checks itself, and it leaves nothing running however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bereik.runtime.supervise import Supervisor

BEREIK = [sys.executable, "-c", "from bereik.cli import main; raise SystemExit(main())"]


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bereik-test-") as folder:
        yield Path(folder) / "home"


def start(home: Path, *words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "BEREIK_HOME": str(home)}
    return subprocess.Popen(
        [*BEREIK, *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.stack
@pytest.mark.airflow
@pytest.mark.slow
def test_once_ends_in_the_cases_of_the_oracle_follows_five_to_their_outcome_and_leaves_nothing(
    home: Path,
) -> None:
    """The same months through the real stack end in the cases that the oracle works out apart from the code."""
    command = start(home, "demo", "--once", "--json", "--signals", "700")
    out, err = command.communicate(timeout=900)
    assert command.returncode == 0, (err[-2_000:], out[-2_000:])
    result = json.loads(out)
    assert result["fine"] and not result["wrong"]
    assert len(result["stories"]) >= 16 and all(story["fine"] for story in result["stories"])
    assert {row["door"] for row in result["counts"]} == {"kafka", "file"}
    followed = result["followed"]
    assert len(followed) == 5 and all(one["fine"] for one in followed)
    assert all("first signal" in one["lines"][0] and "closed" in one["lines"][-1] for one in followed)
    assert any("refused" in line for one in followed for line in one["lines"])
    assert result["bridges"].get("open by consent", 0) >= 1
    assert "people asked about in fictional registers" in result["checked"][0]
    assert any("bereik tray show" in line for line in result["checked"])
    assert "collected by Airflow" in err
    assert Supervisor(home / "once").leftovers() == []


@pytest.mark.stack
def test_interrupted_while_starting_it_leaves_nothing(home: Path) -> None:
    command = start(home, "demo", "--once", "--no-airflow")
    until = time.monotonic() + 60
    while not Supervisor(home / "once").leftovers():
        assert time.monotonic() < until, "nothing started"
        time.sleep(0.1)
    command.send_signal(signal.SIGINT)
    _, err = command.communicate(timeout=120)
    assert command.returncode == 130, err[-2_000:]
    assert Supervisor(home / "once").leftovers() == []


def test_load_without_a_stack_says_what_to_do(home: Path) -> None:
    command = start(home, "demo", "load")
    _, err = command.communicate(timeout=60)
    assert command.returncode == 1
    assert "bereik up" in err
