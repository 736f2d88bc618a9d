"""One world per run on the shared stack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support import World, world_of

from bereik.runtime import Stack


@pytest.fixture(scope="session")
def world(stack: Stack) -> Iterator[World]:
    """The shared stack, seen from all sides."""
    with world_of(stack) as made:
        yield made
