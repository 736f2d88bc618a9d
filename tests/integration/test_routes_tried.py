"""Routes on the real stack: a language that a resident asked for, and cases and a month under proposed declarations."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import REPOSITORY, World, house, person, today

from bereik.lifecycle import IllegalMove

pytestmark = pytest.mark.stack

HERE, PURPOSE = "9901", "schuldhulp"


@pytest.fixture(scope="module")
def proposed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The declarations of the repository, but the south goes to the team of the north, which has room for one a week."""
    folder = shutil.copytree(REPOSITORY / "schemas", tmp_path_factory.mktemp("proposed") / "schemas")
    town = next((folder / "municipalities").glob(f"{HERE}-*.yaml"))
    text = town.read_text("utf-8")
    for old, new in (
        ("{match: {area: [zuid]}, team: 9901-vroeg-zuid}", "{match: {area: [zuid]}, team: 9901-vroeg-noord}"),
        ("capacityPerWeek: 40", "capacityPerWeek: 1"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    town.write_text(text, "utf-8")
    return folder


def new_case(world: World, area: str) -> str:
    kind = world.type_of(PURPOSE, amount=True, crisis=False)
    event_id = world.report(kind, HERE, {**person(), **house(world.bundle, HERE, area)})
    world.drain()
    ((_, case_id),) = world.cases_of(world.partner_of(kind, HERE), event_id)
    return case_id


def bereik(world: World, *arguments: str) -> str:
    """What a command prints."""
    command = [sys.executable, "-c", "import sys; from bereik.cli import main; sys.exit(main())", *arguments]
    env = {**os.environ, **world.stack.environment("operator")}
    done = subprocess.run(
        command, env=env, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_language_that_the_resident_asked_for_brings_the_case_to_who_speaks_it(world: World) -> None:
    case_id = new_case(world, "zuid")
    assert world.case(case_id)["team"] == "9901-vroeg-zuid"
    with pytest.raises(IllegalMove, match="one of nl, en, pl"):
        world.state(PURPOSE, case_id, "language", language="klingon")
    world.state(PURPOSE, case_id, "language", language="pl")
    world.drain()
    assert world.case(case_id)["team"] == "9901-vroeg-noord"
    assert world.alerts(case_id) == ["new_case", "new_team"]
    case = json.loads(bereik(world, "explain", "case", str(case_id), "--json"))
    assert case["decision"]["route"]["path"] == ["language=pl|ar"]
    told = [one["en"] for one in case["otherwise"]]
    assert "Had the resident asked for no language: the team would have been Vroeg Erop Af Zuid." in told
    assert any(one.startswith("With a warm hand-over: ") for one in told)
    assert any(
        one["nl"].startswith("Met € ") and "minder: de status was dan" in one["nl"]
        for one in case["otherwise"]
    )


def test_a_case_and_a_month_are_tried_under_the_active_and_a_proposed_bundle(
    world: World, proposed: Path
) -> None:
    north, south = (new_case(world, area) for area in ("noord", "zuid"))
    before = {str(one): world.case(one) for one in (north, south)}

    def tried(*arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(bereik(world, "route", "test", *arguments, "--json"))
        return found

    one = tried("--case", str(south)[:8], "--schemas", str(proposed))[PURPOSE]
    assert one["before"] == {"9901-vroeg-zuid": 1} and one["after"] == {"9901-vroeg-noord": 1}

    month = f"{today():%Y-%m}"
    same = tried("--month", month)[PURPOSE]
    assert same["before"] == same["after"] and same["moved"] == []
    other = tried("--month", month, "--schemas", str(proposed))[PURPOSE]
    assert other["before"] == same["before"] and "9901-vroeg-zuid" not in other["after"]
    assert sum(other["after"].values()) == sum(other["before"].values()), "every case is somebody's"
    moved = {row["case_id"]: (row["before"], row["after"]) for row in other["moved"]}
    assert moved[str(south)] == ("9901-vroeg-zuid", "9901-vroeg-noord") and str(north) not in moved
    (load,) = [row for row in other["teams"] if row["team"] == "9901-vroeg-noord"]
    # A month has room for four of one a week; other tests left more.
    assert load["room"] in (4, 5)
    assert load["over"] == (load["after"] > load["room"]) and load["after"] >= 2
    for _ in range(max(0, load["room"] + 1 - load["after"])):
        new_case(world, "zuid")
    text = bereik(world, "route", "test", "--month", month, "--schemas", str(proposed))
    (line,) = [one for one in text.splitlines() if one.startswith("  9901-vroeg-noord ")]
    assert "room for" in line and "OVER by " in line
    assert {str(one): world.case(one) for one in (north, south)} == before, "nothing was written"
