"""A stack of its own for the fault tests: they kill parts of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import World, world_of

from bereik.runtime import Ports, Stack
from bereik.runtime.stack import BY_HAND


@pytest.fixture(scope="package")
def world() -> Iterator[World]:
    """Broker, database and consumers that may be killed without harm to other tests."""
    with tempfile.TemporaryDirectory(prefix="bereik-faults-") as folder:
        stack = Stack(Path(folder) / "home", Ports.free(), environment=BY_HAND)
        try:
            stack.up(airflow=False)
            with world_of(stack) as made:
                yield made
        finally:
            stack.destroy()
