"""Airflow of a running stack as its tests use it: over its REST API, with files in the drop folder."""

from __future__ import annotations

import csv
import io
import json
import os
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

from support import CANARY, World, data_for, house, letters, person, today, world_of

from bereik.days import add_working_days
from bereik.declared.partners import Partner
from bereik.runtime import Stack

Row = dict[str, Any]


class Clock:
    """Airflow's API, as its one local user."""

    def __init__(self, stack: Stack) -> None:
        self._base = stack.links["airflow"].rstrip("/")
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
        user, password = stack.airflow_login
        self._token = ""
        self._token = self._call("POST", "/auth/token", {"username": user, "password": password})[
            "access_token"
        ]

    def _call(self, verb: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        headers = {"content-type": "application/json"}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, method=verb, data=data, headers=headers)
        with self._open(request, timeout=60) as answer:
            return json.load(answer)

    def run(self, *dags: str, seconds: float = 240) -> dict[str, dict[str, list[str]]]:
        """Run DAGs at once, each to its end; DAG → task id → the states of its instances."""
        until = time.monotonic() + seconds
        while lacking := set(dags) - {row["dag_id"] for row in self._call("GET", "/api/v2/dags")["dags"]}:
            assert time.monotonic() < until, f"Airflow does not know {lacking}"
            time.sleep(1)
        runs = {}
        for dag in dags:
            made = self._call("POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None})
            runs[dag] = f"/api/v2/dags/{dag}/dagRuns/{made['dag_run_id']}"
        states: dict[str, dict[str, list[str]]] = {}
        for dag, path in runs.items():
            while self._call("GET", path)["state"] not in ("success", "failed"):
                assert time.monotonic() < until, f"{dag} did not end within {seconds:.0f} s"
                time.sleep(1)
            found = states.setdefault(dag, {})
            for row in self._call("GET", f"{path}/taskInstances")["task_instances"]:
                found.setdefault(row["task_id"], []).append(row["state"])
        return states


def as_csv(partner: Partner, rows: Sequence[Row]) -> bytes:
    """Rows by data field as this partner delivers them."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=partner.delimiter)
    writer.writerow(partner.columns)
    for row in rows:
        writer.writerow([_spelled(partner, row.get(path, "")) for path in partner.columns.values()])
    return out.getvalue().encode(partner.encoding)


def _spelled(partner: Partner, value: Any) -> str:
    if isinstance(value, bool):
        return partner.yes_word if value else partner.no_word
    text = str(value)
    try:
        return date.fromisoformat(text).strftime(partner.date_format) if "-" in text else text
    except ValueError:
        return text


def deliver(stack: Stack, partner: Partner, name: str, content: bytes) -> None:
    """Put a file in the drop folder whose upload ended a minute ago."""
    folder = stack.settings.drop / partner.id / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{name}.part"
    part.write_bytes(content)
    os.utime(part, (time.time() - 60,) * 2)
    part.replace(folder / name)


@dataclass(frozen=True)
class Told:
    """What a day did: states per DAG and task, the partner, the references delivered, and a case with a promise for tomorrow."""

    partner: Partner
    states: Mapping[str, Mapping[str, Sequence[str]]]
    good: str
    bad: str
    name: str
    folders: Mapping[str, frozenset[str]]
    violations: Sequence[str]
    promised: str


_TOLD: dict[Path, Told] = {}


def a_day_at_the_file_door(stack: Stack) -> Told:
    """Deliver marked people, sound and broken, in a good and an unreadable file; run every DAG but `train`. Once per stack."""
    if stack.home not in _TOLD:
        with world_of(stack) as world:
            _TOLD[stack.home] = _live(stack, world)
    return _TOLD[stack.home]


def _live(stack: Stack, world: World) -> Told:
    bundle = world.bundle
    partner = next(one for one in bundle.partners.values() if one.file_format == "csv")
    kind = bundle.signal_types[partner.file_signal_type or ""]
    stamp = letters(time.time_ns() // 1_000_000)
    good, bad = f"K-{stamp}-1", f"K-{stamp}-2"

    def row(reference: str, **changes: Any) -> Row:
        who = person() | house(bundle, partner.agreements[0].municipality)
        return data_for(kind, who, on=today(), **{kind.reference_field: reference}) | changes

    sound = row(good)
    broken = row(bad, **{kind.identity["house_number"]: f"{CANARY}5-dec"})
    name = f"{CANARY}-{stamp}.csv"
    deliver(stack, partner, name, as_csv(partner, [sound, broken, sound]))
    deliver(stack, partner, f"headless-{name}", as_csv(partner, [sound]).split(b"\n", 1)[1])
    promised = _promise(world)
    clock = Clock(stack)
    states = clock.run("collect")
    world.fate(partner.id, good)
    world.fate(partner.id, bad)
    world.drain()
    violations = [one.name for one in world.app.check()[1] if one.violations]
    # By itself: it counts what the others would be moving.
    states |= clock.run("quality", seconds=400)
    states |= clock.run("clock", "rounds", "relink", "delivery", "train", seconds=400)
    world.drain()
    home = stack.settings.drop / partner.id
    folders = {
        folder: frozenset(path.name for path in (home / folder).iterdir())
        for folder in ("incoming", "done", "rejected", "errors")
    }
    return Told(partner, states, good, bad, name, folders, violations, promised)


def _promise(world: World) -> str:
    """A case in which somebody promised something for the next working day."""
    kind = world.type_of("schuldhulp", amount=True, crisis=False)
    event_id = world.report(kind, "9901", person() | house(world.bundle, "9901"))
    world.drain()
    ((purpose, case_id),) = world.cases_of(world.partner_of(kind, "9901"), event_id)
    world.state(purpose, case_id, "taken_up")
    what = world.bundle.purposes[purpose].words["promises"][0].id
    by = add_working_days(today(), 1).isoformat()
    world.state(purpose, case_id, "promise", promise_id=uuid4().hex, what=what, by=by)
    return case_id
