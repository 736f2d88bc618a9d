"""The demo's order of things, without a stack."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bereik.cli import demo
from bereik.runtime import Ports, Stack


@pytest.mark.parametrize("ran", [True, False])
def test_history_begins_after_the_doors_were_set_to_what_is_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ran: bool
) -> None:
    """Where consumers run already, only the end of `bereik up` tells that; elsewhere, that they run."""
    done = tmp_path / "done"
    monkeypatch.setattr(demo, "_COMMAND", f"import time; time.sleep(1.5); open({str(done)!r}, 'w')")
    asked: list[int] = []

    def consumers_run(_: Any) -> bool:
        asked.append(1)
        return ran or len(asked) > 1

    monkeypatch.setattr(demo, "_consumers_run", consumers_run)
    stack = cast(Stack, SimpleNamespace(home=tmp_path, ports=Ports.free()))
    with demo._starting(stack, airflow=False) as finished:
        assert done.exists() is ran
        finished()
        assert done.exists()
