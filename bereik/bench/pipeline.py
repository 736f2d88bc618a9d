"""The whole path: from prefilled doors to alerts on the board, with encryption and receipts on, against an oracle."""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bereik import fiction
from bereik.app import App
from bereik.bench import bare, meter
from bereik.bench.bare import Bare
from bereik.bus import Admin, Producer
from bereik.errors import LastingError
from bereik.runtime import Ports, Stack
from bereik.runtime.stack import BY_HAND
from bereik.settings import CONSUMERS, Settings
from bereik.store.invariants import AUDITOR

_PARTS = ("broker", "database")
# Messages for the limit: some seconds, enough that starting does not count.
_BARE = 30_000


class WrongState(LastingError):
    """The pipeline was drained and its state is not what the oracle says; such a run has no speed."""


@dataclass(frozen=True, slots=True)
class Result:
    """One run. `seconds` is from the first message taken to the last effect written; `bare` is the limit of this machine."""

    signals: int
    seconds: float
    cpu_seconds: dict[str, float]
    peak_memory_mb: dict[str, int]
    cores: int
    bare: Bare

    def document(self) -> dict[str, Any]:
        """The figures as printed."""
        total = sum(self.cpu_seconds.values())
        return {
            "signals": self.signals,
            "seconds": round(self.seconds, 2),
            "signals_per_second": round(self.signals / self.seconds),
            "cpu_seconds_per_million": round(total * 1_000_000 / self.signals),
            "cpu_seconds": {name: round(value, 1) for name, value in self.cpu_seconds.items()},
            "peak_memory_mb": self.peak_memory_mb,
            "cores": self.cores,
            "bare": {
                "messages_per_second": round(self.bare.messages_per_second),
                "cpu_seconds_per_million": round(self.bare.cpu_seconds_per_million),
            },
            "times_bare": round(total * 1_000_000 / self.signals / self.bare.cpu_seconds_per_million, 1),
        }


def run(signals: int, seed: int, say: Callable[[str], None]) -> Result:
    """Start a stack of its own, fill the doors, drain, verify, stop. Raises `WrongState`."""
    with tempfile.TemporaryDirectory(prefix="bereik-bench-") as folder:
        stack = Stack(Path(folder) / "home", Ports.free(), environment=BY_HAND, say=say)
        try:
            stack.up(airflow=False, consumers=False)
            app = App(Settings.from_env(stack.environment("operator")))
            say("filling the doors")
            stream = fiction.load(app.bundle(), datetime.now(UTC).date(), seed, signals)
            sent = _fill(stack, app, stream, say)
            limit = _bare(stack, app, say)
            return _drain(stack, app, stream.oracle, sent, limit, say)
        finally:
            stack.destroy()


def _fill(stack: Stack, app: App, stream: fiction.Load, say: Callable[[str], None]) -> int:
    """Publish every record; returns how many. The history is older than a door keeps, so retention waits."""
    settings = stack.settings
    broker = settings.kafka_admin
    admin = Admin(broker)
    doors = _doors(app)
    admin.set_retention(doors, -1)
    # A file of the log ends where its records' own days are too far apart. A week of a door is one file or a few; of months
    # at once each batch would be one, and a fetch holds no more of a partition than one file.
    admin.configure({door: {"segment.ms": str(2**63 - 1)} for door in doors})
    admin.close()
    producer = Producer(broker)
    sent = 0
    for record in stream:
        producer.send(
            record.topic, record.key, record.value, record.headers, timestamp_ms=record.timestamp_ms
        )
        sent += 1
        if sent % 20_000 == 0:
            producer.flush()
            say(f"{sent} in the doors")
    producer.flush()
    producer.close()
    return sent


def _bare(stack: Stack, app: App, say: Callable[[str], None]) -> Bare:
    say("the same messages without a rule")
    settings = stack.settings
    return bare.run(settings.kafka_admin, settings.owner_url, _doors(app), _BARE, _roots(stack, _PARTS))


def _doors(app: App) -> list[str]:
    return [f"in.{partner}" for partner in app.bundle().partners]


def _roots(stack: Stack, names: Sequence[str]) -> dict[str, int]:
    return {state.name: state.pid for state in stack.status() if state.name in names}


def _drain(
    stack: Stack, app: App, oracle: fiction.Oracle, sent: int, limit: Bare, say: Callable[[str], None]
) -> Result:
    stack.supervisor.run(list(CONSUMERS))
    roots = _roots(stack, (*CONSUMERS, *_PARTS))
    peaks: Counter[str] = Counter()
    while not _landed(app):
        time.sleep(0.02)
    start, used = time.monotonic(), meter.cpu_seconds(roots)
    told = start
    while True:
        for name, size in meter.memory_bytes(roots).items():
            peaks[name] = max(peaks[name], size)
        # Asking is work for broker and database too: twice a second is not felt, and is at most 0.5 s too late.
        time.sleep(0.5)
        landed = _landed(app)
        if landed >= sent and not any(app.backlog().values()):
            break
        if time.monotonic() - told > 5:
            told = time.monotonic()
            say(f"{landed} of {sent} taken")
    seconds = time.monotonic() - start
    after = meter.cpu_seconds(roots)
    _verify(app, oracle, sent)
    return Result(
        signals=sent,
        seconds=seconds,
        cpu_seconds={name: after[name] - used[name] for name in roots},
        peak_memory_mb={name: size // 1_000_000 for name, size in peaks.items()},
        cores=len(os.sched_getaffinity(0)),
        bare=limit,
    )


def _landed(app: App) -> int:
    with app.store.transaction() as tx, tx.role(AUDITOR):
        return int(tx.rows("SELECT coalesce(sum(received), 0) FROM intake.landed")[0][0])


def _verify(app: App, oracle: fiction.Oracle, sent: int) -> None:
    """The fates per partner and the cases per purpose, kind and outcome, and every invariant."""
    _, findings = app.check()
    broken = [finding.name for finding in findings if finding.violations]
    if broken:
        raise WrongState(f"{WrongState.__doc__} Broken: {', '.join(broken)}")
    with app.store.transaction() as tx, tx.role(AUDITOR):
        fates = {
            (p, d, f): n
            for p, d, f, n in tx.rows(
                "SELECT partner, door, fate, count(*) FROM intake.receipt GROUP BY 1, 2, 3"
            )
        }
        cases = {
            (p, m, k, "new" if stands else "other"): n
            for p, m, k, stands, n in tx.rows(
                "SELECT purpose, municipality, kind, stands, count(*) FROM casework.case"
                " WHERE signals > 0 GROUP BY 1, 2, 3, 4"
            )
        }
    expected: Counter[tuple[str, str, str, str]] = Counter()
    for (purpose, municipality, kind, outcome), number in oracle.cases().items():
        expected[(purpose, municipality, kind, "new" if outcome == "new" else "other")] += number
    if sum(fates.values()) != sent or fates != dict(oracle.fates):
        wrong = {
            key for key in set(fates) | set(oracle.fates) if fates.get(key, 0) != oracle.fates.get(key, 0)
        }
        raise WrongState(f"{WrongState.__doc__} Fates differ for {sorted(wrong)[:6]}")
    if cases != dict(expected):
        wrong_cases = {key: (cases.get(key, 0), expected.get(key, 0)) for key in set(cases) | set(expected)}
        differing = {key: pair for key, pair in wrong_cases.items() if pair[0] != pair[1]}
        raise WrongState(
            f"{WrongState.__doc__} Cases differ (ours, oracle): {dict(sorted(differing.items())[:6])}"
        )
