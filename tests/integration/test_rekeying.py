"""Other kinds of keys for a register in use, on the real stack: nobody is lost, what was stopped goes on, and it says when."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any
from uuid import UUID

import pytest
from support import REPOSITORY, World, activated, followed, house, person

from bereik.app import App
from bereik.rekeying import Rekeyed
from bereik.settings import Settings

pytestmark = pytest.mark.stack

HERE, PURPOSE = "9902", "leerplicht"


class Stopped(Exception):
    """Somebody pressed Ctrl-C."""


@pytest.fixture
def linkage(world: World) -> Iterator[App]:
    """The process that decides about links, under its own login."""
    app = App(Settings.from_env(world.stack.environment("linkage")))
    yield app
    app.store.close()


@pytest.fixture
def turned(tmp_path: Path) -> Path:
    """The declarations with their kinds of keys in another order: then every old key is another text."""
    schemas = copytree(REPOSITORY / "schemas", tmp_path / "schemas")
    text = (schemas / "linkage.yaml").read_text("utf-8")
    head, _, rest = text.partition("keys:\n")
    rows, _, tail = rest.partition("cap:")
    turned = "".join(f"{row}\n" for row in reversed(rows.splitlines()))
    (schemas / "linkage.yaml").write_text(f"{head}keys:\n{turned}cap:{tail}", "utf-8")
    return schemas


def activate(world: World, schemas: Path) -> dict[str, Any]:
    """As the operator does, who hears what is to be done after it."""
    home = world.stack.environment("operator")["BEREIK_HOME"]
    done = subprocess.run(
        [str(Path(sys.executable).parent / "bereik"), "rules", "activate", "--schemas", str(schemas), "--json"],
        cwd=REPOSITORY, env={"BEREIK_HOME": home, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def cli(world: World, *arguments: str, status: int = 0) -> list[dict[str, Any]]:
    home = world.stack.environment("linkage")["BEREIK_HOME"]
    done = subprocess.run(
        [str(Path(sys.executable).parent / "bereik"), "linkage", "rekey", *arguments, "--purpose", PURPOSE, "--municipality", HERE,
         "--json"],
        cwd=REPOSITORY, env={"BEREIK_HOME": home, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_a_register_under_other_keys_finds_its_people_again_once_it_was_rekeyed(
    world: World, linkage: App, turned: Path
) -> None:
    kind = next(one for one in world.bundle.signal_types.values() if one.purpose == PURPOSE)
    partner = world.partner_of(kind, HERE)
    known = [
        {**person(), **house(world.bundle, HERE), "birth_date": f"2010-03-{day:02}"} for day in range(1, 13)
    ]

    def reported(who: dict[str, Any]) -> str:
        """The person that a report is taken to be about."""
        sent = world.report(kind, HERE, who)
        world.drain()
        ((person_id,),) = world.rows(
            "SELECT s.person_id FROM intake.receipt r JOIN casework.signal s USING (signal_id)"
            " WHERE r.partner = %s AND r.event_id = %s",
            (partner, sent),
        )
        found: str = person_id
        return found

    def keys() -> list[tuple[int, int]]:
        """(records that are found by keys, keys)."""
        sql = (
            "SELECT count(DISTINCT k.signal_id), count(*) FROM vault.key k JOIN vault.register g USING (register_id)"
            " WHERE g.purpose = %s AND g.municipality = %s"
        )
        return [tuple(row) for row in world.rows(sql, (PURPOSE, HERE))]  # type: ignore[misc]

    people = [reported(who) for who in known]
    assert reported(known[0]) == people[0]
    assert cli(world, "--check")[0]["needed"] is False

    assert activate(world, REPOSITORY / "schemas")["rekey"] is False
    with activated(world, turned) as bundle:
        assert activate(world, turned) == {"sha256": bundle.sha256, "rekey": False}
        followed(world, kind, "9901")
        assert cli(world, "--check", status=1)[0]["needed"] is True
        assert reported(known[1]) != people[1], "its old keys say nothing under the new rules"
        before = keys()

        # Stopped after three batches, and again; each run goes on behind the batch before.
        seen: list[Rekeyed] = []

        def stop(at: Rekeyed) -> None:
            seen.append(at)
            if len(seen) in (2, 5):
                raise Stopped

        for _ in range(2):
            with pytest.raises(Stopped):
                linkage.rekeying.run(PURPOSE, HERE, "els", stop, batch=4)
            assert linkage.rekeying.needed(PURPOSE, HERE)
        assert reported(known[2]) != str(UUID(int=0)), "intake goes on between two batches"
        done = linkage.rekeying.run(PURPOSE, HERE, "els", batch=50)
        assert done.step == "done" and done.added > 0 and done.removed > 0
        assert [one.added for one in seen] == sorted(one.added for one in seen) and seen[0].added > 0

        assert cli(world, "--check")[0]["needed"] is False
        assert reported(known[3]) == people[3] and reported(known[11]) == people[11]
        assert keys()[0][0] >= before[0][0]
        # Once more changes nothing, and is no act.
        assert cli(world)[0] == {
            "purpose": PURPOSE, "municipality": HERE, "needed": False, "added": done.added, "removed": done.removed,
        }  # fmt: skip
        acts = world.rows("SELECT actor, purpose FROM audit.act WHERE act = 'register_rekeyed'")
        assert acts == [("els", PURPOSE)]

    assert activate(world, turned)["rekey"] is True
    assert activate(world, REPOSITORY / "schemas")["rekey"] is True
    # Under the rules of before it is needed once more: those of the block are the old ones now.
    followed(world, kind, "9901")
    assert cli(world, "--check", status=1)[0]["needed"] is True
    cli(world)
    assert reported(known[4]) == people[4]
    assert cli(world, "--check")[0]["needed"] is False
    # The other register that these rules met.
    linkage.rekeying.run(PURPOSE, "9901", "els")
    assert world.violations() == {}
