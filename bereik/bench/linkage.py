"""Recognition measured: how well, beside Splink 5 over the same rows, and how fast, against a register of a million people.

Everything is judged on the held-out split, by the shipped rules and weights, with the encryption on.
"""

from __future__ import annotations

import csv
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import accumulate, combinations, islice
from pathlib import Path
from statistics import mean, quantiles
from tempfile import TemporaryDirectory
from typing import Any

from bereik import evaluation, evidence, linkage
from bereik.bench import baseline, pictures, resolve
from bereik.bench.register import Crew, Record, Trial, trial
from bereik.bundle import Bundle
from bereik.declared.linkage import Linkage
from bereik.fiction import registers
from bereik.linkage import Identity
from bereik.matching import Entry, Matcher

Say = Callable[[str], None]
# (threshold in log2 odds, precision, recall)
Curve = list[tuple[float, float, float]]

# A wrong link tells one family's debts to another (issue 4).
LEAST_PRECISION = 0.995
_THRESHOLDS = (-4, -2, 0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 22)
_FILL, _BATCH, _BATCHES, _SINGLES = 2_000, 1_000, 20, 1_000
# The aim is for two cores: as many consumers share the register, and PostgreSQL what they leave.
_CONSUMERS = 2
# Splink needs a tenth of a second and more for one record; its middle is known after so many.
_SPLINK_SINGLES = 20


@dataclass(frozen=True, slots=True)
class Point:
    """Where a system works: its threshold, and what it comes to there."""

    threshold: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Recognised:
    """One seed of the held-out split: what the stream decided, and both systems at every threshold."""

    seed: int
    signals: int
    seconds: float
    ours: evaluation.Evaluation
    curves: Mapping[str, Curve]
    best_splink: Point
    recall_at_least_precision: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds for one signal, and signals per second in batches, against a register of so many people."""

    people: int
    p50_ms: float
    p99_ms: float
    per_second: float
    splink_p50_ms: float
    splink_per_second: float


@dataclass(frozen=True, slots=True)
class Result:
    """A whole run. `speed` is None when it was not asked for."""

    recognised: tuple[Recognised, ...]
    speed: Speed | None

    def document(self) -> dict[str, Any]:
        """The figures as printed: means over the seeds, and each seed."""
        every = self.recognised
        gaps = [one.ours.gap for one in every if one.ours.gap is not None]
        return {
            "signals": every[0].signals,
            "seeds": len(every),
            "cores": len(os.sched_getaffinity(0)),
            "precision": _rounded(mean(one.ours.person.precision for one in every)),
            "recall": _rounded(mean(one.ours.person.recall for one in every)),
            "f1": _rounded(mean(one.ours.person.f1 for one in every)),
            "reviews_per_1000": _rounded(mean(one.ours.reviews_per_1000 for one in every)),
            "recall_at_precision_0_995": _rounded(
                mean(one.recall_at_least_precision["bereik"] for one in every)
            ),
            "splink_precision": _rounded(mean(one.best_splink.precision for one in every)),
            "splink_recall": _rounded(mean(one.best_splink.recall for one in every)),
            "splink_f1": _rounded(mean(one.best_splink.f1 for one in every)),
            "splink_recall_at_precision_0_995": _rounded(
                mean(one.recall_at_least_precision["splink"] for one in every)
            ),
            "recall_gap_points": _rounded(100 * mean(gaps)) if gaps else None,
            "recall_by_group": self._recall_by_group(),
            "resolve_seconds": _rounded(mean(one.seconds for one in every)),
            "speed": asdict(self.speed) if self.speed else None,
            "each": [
                {
                    "seed": one.seed,
                    "precision": _rounded(one.ours.person.precision),
                    "recall": _rounded(one.ours.person.recall),
                    "f1": _rounded(one.ours.person.f1),
                    "splink_f1": _rounded(one.best_splink.f1),
                    "gap": one.ours.gap,
                }
                for one in every
            ],
        }

    def _recall_by_group(self) -> dict[str, float]:
        found: dict[str, list[float]] = {}
        for one in self.recognised:
            for group in one.ours.groups:
                if group.recall is not None:
                    found.setdefault(group.group, []).append(group.recall)
        return {name: _rounded(mean(values)) for name, values in sorted(found.items())}


def run(bundle: Bundle, signals: int, seeds: int, people: int, say: Say) -> Result:
    """Measure. With `people` 0 the speed is left out. A seed of 20,000 signals takes some three minutes on two cores."""
    recognised = tuple(_recognise(bundle, seed, signals, say) for seed in range(1, seeds + 1))
    return Result(recognised, _speed(bundle, people, say) if people else None)


def curve(result: Result) -> str:
    """The precision-recall curve of the first seed, with both systems, as SVG."""
    one = result.recognised[0]
    return pictures.precision_recall(
        f"Held-out split, {one.signals:,} signals, no labels in training",
        {
            "Bereik, one signal at a time": [
                (recall, precision) for _, precision, recall in one.curves["bereik"]
            ],
            "Splink 5, all at once": [(recall, precision) for _, precision, recall in one.curves["splink"]],
        },
        {
            "Bereik, one signal at a time": (one.ours.person.recall, one.ours.person.precision),
            "Splink 5, all at once": (one.best_splink.recall, one.best_splink.precision),
        },
    )


def example(bundle: Bundle) -> str:
    """How one pair of fictional signals adds up, as SVG: one person who moved, with as much against it as can be."""
    rules, fields = bundle.linkage, resolve.columns(bundle)
    looks: dict[str, list[linkage.Traits]] = {}
    for row in registers.signals(bundle, registers.Split.HELD_OUT, 1, 4_000):
        signal = row.signal._asdict()
        who = Identity({fields[name]: value for name, value in signal.items() if value and name in fields})
        one = linkage.traits(who, datetime.fromisoformat(row.signal.received_at).date())
        looks.setdefault(row.truth.person, []).append(one)
    linked = []
    for one, other in (pair for ones in looks.values() for pair in combinations(ones, 2)):
        weight = linkage.weigh(one, other, rules)
        whole = len(weight.parts) == len(weight.levels)
        if weight.model == linkage.ELSEWHERE and weight.total >= rules.link and whole:
            linked.append((sum(min(part, 0.0) for part in weight.parts.values()), one, other))
    _, one, other = min(linked, key=lambda found: found[0])
    return waterfall(
        evidence.evidence(one, other, rules, "en"), rules, "Two signals about one person who moved"
    )


def waterfall(found: evidence.Evidence, rules: Linkage, title: str) -> str:
    """The evidence about one pair as SVG. It shows levels and weights, no identity."""
    steps = [(found.prior.finding, found.prior.weight or 0.0)]
    steps += [
        (f"{line.name}: {line.finding}", line.weight) for line in found.lines if line.weight is not None
    ]
    return pictures.waterfall(title, steps, {"review": rules.review, "link": rules.link})


# ---------------------------------------------------------------- how well


def _recognise(bundle: Bundle, seed: int, signals: int, say: Say) -> Recognised:
    rows = registers.signals(bundle, registers.Split.HELD_OUT, seed, signals)
    persons = {row.truth.signal_id: row.truth.person for row in rows}
    with TemporaryDirectory(prefix="bereik-bench-") as folder:
        files = registers.write(rows, Path(folder))
        out = Path(folder) / "out.csv"
        say(f"seed {seed}: {signals} signals through the stream's own code")
        began = time.monotonic()
        resolve.resolve(files[0], out, bundle, lambda _: None)
        seconds = time.monotonic() - began
        with (
            out.open(encoding="utf-8", newline="") as decided,
            files[1].open(encoding="utf-8", newline="") as truth,
        ):
            ours = evaluation.evaluate(
                evaluation.read_decided("out.csv", decided), evaluation.read_truth("truth.csv", truth), seed
            )
        records = resolve.read(files[0], bundle)
        with files[0].open(encoding="utf-8", newline="") as source:
            written = list(csv.DictReader(source))
    say(f"seed {seed}: precision {ours.person.precision:.4f}, F1 {ours.person.f1:.4f}; at other thresholds")
    mine = _swept(bundle, records, persons)
    say(f"seed {seed}: Splink over the same rows")
    theirs = [_clustered(baseline.score(written, variant, seed), persons) for variant in baseline.VARIANTS]
    best = max(theirs, key=lambda curve: _best(curve).f1)
    curves = {"bereik": mine, "splink": best}
    return Recognised(
        seed,
        len(rows),
        seconds,
        ours,
        curves,
        _best(best),
        {name: _recall_at(curve, LEAST_PRECISION) for name, curve in curves.items()},
    )


def _swept(
    bundle: Bundle, records: Sequence[tuple[str, datetime, Identity]], persons: Mapping[str, str]
) -> Curve:
    """The stream's decisions at other thresholds for a link, in memory by the same code; without reviews."""
    rules = bundle.linkage
    entries = []
    unit = f"{rules.keys.index(('unit',))}|"
    for name, at, who in records:
        one = linkage.traits(who, at.date())
        texts = linkage.keys(one, rules)
        # Any hash will do here; a file has no key of a register.
        keys = tuple(hash(text) for text in texts)
        door = next((key for key, text in zip(keys, texts, strict=True) if text.startswith(unit)), None)
        entries.append((name, Entry(resolve.id_of(name), at, one, keys, door)))
    found = []
    for threshold in _THRESHOLDS:
        matcher = Matcher(
            replace(rules, link=float(threshold), review=float(threshold)), lambda signal_id: signal_id
        )
        for _, entry in entries:
            matcher.place(entry)
        together = Counter((matcher.person_of(entry.signal_id), persons[name]) for name, entry in entries)
        found.append((float(threshold), *_pairwise(together)))
    return sorted(found, reverse=True)


def _pairwise(together: Mapping[tuple[Any, str], int]) -> tuple[float, float]:
    ours: Counter[Any] = Counter()
    true: Counter[str] = Counter()
    for (person, somebody), count in together.items():
        ours[person] += count
        true[somebody] += count
    right = _pairs(together.values())
    return right / max(_pairs(ours.values()), 1), right / max(_pairs(true.values()), 1)


def _pairs(counts: Iterable[int]) -> int:
    return sum(count * (count - 1) // 2 for count in counts)


def _clustered(edges: Sequence[baseline.Edge], persons: Mapping[str, str]) -> Curve:
    """Connected components at every threshold there is: edges join clusters one by one, best first."""
    leader = {name: name for name in persons}
    inside = {name: Counter({person: 1}) for name, person in persons.items()}
    total = _pairs(Counter(persons.values()).values())
    joined = right = 0
    found: Curve = []

    def lead(name: str) -> str:
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for place, (left, other, weight) in enumerate(edges):
        one, two = sorted((lead(left), lead(other)), key=lambda name: len(inside[name]), reverse=True)
        if one != two:
            joined += inside[one].total() * inside[two].total()
            right += sum(count * inside[one][person] for person, count in inside[two].items())
            inside[one].update(inside.pop(two))
            leader[two] = one
        if place + 1 == len(edges) or edges[place + 1][2] != weight:
            found.append((weight, right / max(joined, 1), right / max(total, 1)))
    return found


def _best(curve: Curve) -> Point:
    points = [Point(*point, 2 * point[1] * point[2] / (point[1] + point[2] or 1)) for point in curve]
    return max(points, key=lambda point: point.f1)


def _recall_at(curve: Curve, precision: float) -> float:
    return max((recall for _, reached, recall in curve if reached >= precision), default=0.0)


# ---------------------------------------------------------------- how fast


def _speed(bundle: Bundle, people: int, say: Say) -> Speed:
    fields = resolve.columns(bundle)

    def identity(row: registers.Row, again: str = "") -> Record:
        signal = row.signal._asdict()
        written = {fields[name]: value for name, value in signal.items() if value and name in fields}
        return (
            resolve.id_of(again + row.signal.signal_id),
            datetime.fromisoformat(row.signal.received_at),
            Identity(written),
        )

    # The first people of the same town, so that most of these signals are about somebody the register knows.
    more = registers.signals(bundle, registers.Split.HELD_OUT, 1, _BATCH * _BATCHES + _SINGLES)
    with trial(bundle) as register, register.crew(_CONSUMERS) as crew:
        say(f"a register of {people:,} people")
        crowd = map(identity, registers.people(bundle, registers.Split.HELD_OUT, 1, people))
        _fill(crew, crowd, people, say)
        known = [identity(row, "again ") for row in more]
        say("signals one by one, and in batches")
        singles = [1000 * _timed(register, one) for one in known[:_SINGLES]]
        rest = known[_SINGLES:]
        batches = [rest[at : at + _BATCH] for at in range(0, len(rest), _BATCH)]
        began = time.perf_counter()
        count = sum(crew(batches))
        seconds = time.perf_counter() - began
    cuts = quantiles(singles, n=100)
    say("Splink against the same people")
    splink_one, splink_many = _splink(bundle, people, more)
    return Speed(
        people,
        _rounded(cuts[49]),
        _rounded(cuts[98]),
        round(count / seconds),
        _rounded(1000 * splink_one),
        round(_BATCH / splink_many),
    )


def _fill(crew: Crew, crowd: Iterable[Record], people: int, say: Say) -> None:
    source = iter(crowd)
    batches = iter(lambda: list(islice(source, _FILL)), [])
    for done in accumulate(crew(batches)):
        if done % 50_000 == 0:
            say(f"{done:,} of {people:,} in the register")


def _timed(register: Trial, record: Record) -> float:
    """Seconds from the fields as written to the committed decision."""
    began = time.perf_counter()
    register.take([record])
    return time.perf_counter() - began


def _splink(bundle: Bundle, people: int, more: Sequence[registers.Row]) -> tuple[float, float]:
    """Seconds of `predict_between` for one record (the middle of some) and for a batch."""
    crowd = (row.signal._asdict() for row in registers.people(bundle, registers.Split.HELD_OUT, 1, people))
    trained = [row.signal._asdict() for row in registers.signals(bundle, registers.Split.TRAIN, 1, 20_000)]
    between = baseline.between(crowd, trained, seed=1)
    new = [row.signal._asdict() for row in more]
    singles = []
    for one in new[:_SPLINK_SINGLES]:
        began = time.perf_counter()
        between([one])
        singles.append(time.perf_counter() - began)
    began = time.perf_counter()
    between(new[:_BATCH])
    return sorted(singles)[len(singles) // 2], time.perf_counter() - began


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
