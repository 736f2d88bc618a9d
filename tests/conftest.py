"""The real parts for every test that wants them, and the closing line that CI reads."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from bereik.runtime import Ports, Stack
from bereik.runtime.stack import BY_HAND

# No verdict hangs on the speed of a busy machine.
settings.register_profile("bereik", deadline=None)
settings.load_profile("bereik")

_counts = {"passed": 0, "failed": 0, "skipped": 0}


@pytest.fixture(scope="session")
def stack_home() -> Iterator[Path]:
    """A short folder of its own: not pytest's, which only root may pass, and which is too long for a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="bereik-test-") as folder:
        yield Path(folder) / "home"


@pytest.fixture(scope="session")
def stack(stack_home: Path) -> Iterator[Stack]:
    """One embedded stack for the whole run: broker, database, consumers and board; Airflow comes with `airflow_stack`."""
    # No test's people are in a register unless it brings one (test_checks.py): here checks are done by hand.
    one = Stack(stack_home, Ports.free(), environment=BY_HAND)
    try:
        one.up(airflow=False)
        yield one
    finally:
        one.destroy()


@pytest.fixture(scope="session")
def airflow_stack(stack: Stack) -> Stack:
    """The same stack with Airflow running too."""
    stack.up(airflow=True)
    return stack


def pytest_configure(config: pytest.Config) -> None:
    """Let SIGTERM (a time limit, a cancelled job) end the run as Ctrl-C does, so that fixtures stop what they started."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count each test once; an error in its set-up or tear-down is a failure."""
    if report.when == "call":
        _counts[report.outcome] += 1
    elif report.failed:
        _counts["failed"] += 1
    elif report.skipped:
        _counts["skipped"] += 1


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A file that cannot be read is a failure."""
    if report.failed:
        _counts["failed"] += 1


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close with `N passed, N failed`; each static check that failed before the tests counts as a failure."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    checks = [name for name in os.environ.get("BEREIK_FAILED_CHECKS", "").split(",") if name]
    if checks:
        print(f"checks that failed: {', '.join(checks)}")
    line = f"{_counts['passed']} passed, {_counts['failed'] + len(checks)} failed"
    if _counts["skipped"]:
        line += f", {_counts['skipped']} skipped"
    print(line, flush=True)
