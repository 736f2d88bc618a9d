"""`bereik account`: who may log in, made on the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from uuid import uuid4

import pytest
from support import World

from bereik.settings import REPOSITORY
from bereik.store.accounts import has_password, verify_password

pytestmark = pytest.mark.stack

PASSWORD = "a long password of a test"


def account(world: World, *arguments: str, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **world.stack.environment("operator")}
    command = [
        sys.executable,
        "-c",
        "import sys; from bereik.cli import main; sys.exit(main())",
        "account",
        *arguments,
    ]
    return subprocess.run(
        command,
        env=env,
        cwd=REPOSITORY,
        input=f"{password}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def stored(world: World, username: str) -> list[tuple[str, str]]:
    sql = (
        "SELECT a.password_hash, m.team FROM ops.account a JOIN ops.member m USING (username) WHERE username = %s"
        " ORDER BY m.team"
    )
    with world.app.store.transaction() as tx:
        return [(row[0], row[1]) for row in tx.rows(sql, (username,))]


def test_an_account_sees_the_teams_it_was_given_and_no_longer_when_it_is_gone(world: World) -> None:
    username = f"worker-{uuid4().hex[:8]}"
    teams = sorted(team.id for team in next(iter(world.bundle.municipalities.values())).teams)[:2]
    done = account(world, "put", username, "--name", "A worker", "--team", teams[0], "--team", teams[1])
    assert done.returncode == 0, done.stderr
    found = stored(world, username)
    assert [team for _, team in found] == teams and verify_password(PASSWORD, found[0][0])
    # Put again is how a password or a team is changed.
    other = "another long password"
    assert (
        account(world, "put", username, "--name", "A worker", "--team", teams[1], password=other).returncode
        == 0
    )
    ((hashed, team),) = stored(world, username)
    assert team == teams[1] and verify_password(other, hashed)
    assert account(world, "remove", username).returncode == 0
    assert stored(world, username) == []


def test_an_account_of_the_provider_has_no_password_and_asks_for_none(world: World) -> None:
    username = f"subject-{uuid4().hex[:8]}"
    team = next(team.id for place in world.bundle.municipalities.values() for team in place.teams)
    assert (
        account(
            world, "put", username, "--oidc", "--name", "A worker", "--team", team, password=""
        ).returncode
        == 0
    )
    ((held, _),) = stored(world, username)
    assert not has_password(held) and not verify_password("", held)
    assert account(world, "remove", username).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "password", "said"),
    [
        (["--team", "nobody-declared"], PASSWORD, "There is no team nobody-declared"),
        ([], PASSWORD, "--team"),
        (["--team", "FIRST"], "short", "15 characters"),
    ],
)
def test_what_cannot_be_an_account_changes_nothing(
    world: World, arguments: list[str], password: str, said: str
) -> None:
    first = next(team.id for place in world.bundle.municipalities.values() for team in place.teams)
    username = f"worker-{uuid4().hex[:8]}"
    given = [first if part == "FIRST" else part for part in arguments]
    done = account(world, "put", username, "--name", "A worker", *given, password=password)
    assert done.returncode == 1 and said in done.stderr and len(done.stderr.splitlines()) == 1
    assert stored(world, username) == []
