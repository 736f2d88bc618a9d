"""Great Expectations judges sets: a delivered file, a landed window, our own tables. The only module that knows it.

What leaves this module is an allow-list: which suite, which rule, whether it held, and counts. Never a value: GX's own
results hold offending values in most formats, so they are read here and dropped.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from bereik.collect import Finding as BatchFinding
from bereik.errors import LastingError

log = logging.getLogger(__name__)

SEVERITIES: Final = ("critical", "warning", "info")
# Rules about the set itself. A rule about one row belongs in the contract, which every door and intake share.
SET_RULES: Final = frozenset(
    {
        "expect_table_row_count_to_be_between",
        "expect_column_mean_to_be_between",
        "expect_column_proportion_of_unique_values_to_be_between",
        "expect_column_unique_value_count_to_be_between",
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_be_null",
        "expect_column_values_to_be_unique",
        "expect_column_values_to_be_between",
    }
)
_NOWHERE: Final = logging.NullHandler()
_COUNTS: Final = ("element_count", "missing_count", "unexpected_count")


class SuiteUnusable(LastingError):
    """A suite in expectations/ does not say what we can judge. Compare it with the suites that ship with Bereik."""


class SetRefused(LastingError):
    """A critical rule about a set does not hold, or a rule could not be judged. The rules are in expectations/."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule of a suite: did it hold? `broken` means that the rule itself could not be judged, so says nothing of the data."""

    rule: str
    type: str
    column: str | None
    severity: str
    success: bool
    broken: bool
    counts: Mapping[str, int]
    expected_nl: str
    expected_en: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a suite found. `skipped` counts rules that need a larger set than this one."""

    suite: str
    size: int
    findings: tuple[Finding, ...]
    skipped: int

    @property
    def failed(self) -> tuple[Finding, ...]:
        """Rules that were judged and did not hold."""
        return tuple(found for found in self.findings if not found.success and not found.broken)

    @property
    def broken(self) -> tuple[Finding, ...]:
        """Rules that could not be judged."""
        return tuple(found for found in self.findings if found.broken)

    @property
    def severity(self) -> str | None:
        """The worst severity among the failed rules; None when all held."""
        return next(
            (level for level in SEVERITIES if any(found.severity == level for found in self.failed)), None
        )

    @property
    def success(self) -> bool:
        """Every rule was judged and held."""
        return not self.failed and not self.broken

    def report(self, about: str) -> int:
        """Log every rule that did not hold and return how many. Raises `SetRefused` when a critical one is among them."""
        for found in self.failed + self.broken:
            how = "could not be judged" if found.broken else "did not hold"
            log.warning(
                "%s: %s (%s, %s) %s, size %d", about, found.rule, found.severity, self.suite, how, self.size
            )
        worst = [found.rule for found in self.failed if found.severity == "critical"]
        worst += [found.rule for found in self.broken]
        if worst:
            raise SetRefused(f"{about}: {', '.join(sorted(worst))}")
        return len(self.failed)

    def summary(self) -> dict[str, Any]:
        """What may be logged or handed between tasks."""
        return {
            "suite": self.suite,
            "size": self.size,
            "success": self.success,
            "severity": self.severity,
            "failed": sorted(found.rule for found in self.failed),
            "broken": sorted(found.rule for found in self.broken),
            "skipped": self.skipped,
        }


@dataclass(frozen=True, slots=True)
class Suite:
    """One file of expectations/, checked before Great Expectations sees it."""

    name: str
    expectations: tuple[Mapping[str, Any], ...]


class Suites:
    """The folder expectations/."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def batch(self, signal_type: str) -> Suite:
        """The suite for a delivered file: the signal type's own, else the default."""
        own = self._folder / "batches" / f"{signal_type}.json"
        return load(own if own.is_file() else self._folder / "batches" / "default.json")

    def landed(self, partner: str) -> Suite:
        """The suite for a landed window: the partner's own, else the default."""
        own = self._folder / "landed" / f"{partner}.json"
        return load(own if own.is_file() else self._folder / "landed" / "default.json")

    def invariants(self) -> Suite:
        """The suite over our own tables."""
        return load(self._folder / "tables" / "invariants.json")

    def all(self) -> list[Suite]:
        """Every suite there is. Raises `SuiteUnusable` for the first that cannot be used."""
        return [load(path) for path in sorted(self._folder.glob("*/*.json"))]


def load(path: Path) -> Suite:
    """Read a suite. Great Expectations drops what it does not know with a log line, so everything is checked first.

    Raises `SuiteUnusable`.
    """

    def refuse(what: str) -> SuiteUnusable:
        return SuiteUnusable(f"{path.parent.name}/{path.name}: {what}")

    try:
        document = json.loads(path.read_text("utf-8"))
        expectations = tuple(document["expectations"])
        name = str(document["name"])
    except (OSError, ValueError, KeyError, TypeError):
        raise refuse("not a suite: needs name and expectations") from None
    if not expectations:
        raise refuse("no expectations")
    seen: set[str] = set()
    for number, entry in enumerate(expectations, 1):
        meta = entry.get("meta") or {}
        if entry.get("type") not in SET_RULES:
            raise refuse(f"expectation {number}: type is not one of {', '.join(sorted(SET_RULES))}")
        if entry.get("severity") not in SEVERITIES:
            raise refuse(f"expectation {number}: severity is not one of {', '.join(SEVERITIES)}")
        if not all(isinstance(meta.get(key), str) for key in ("id", "nl", "en")) or meta["id"] in seen:
            raise refuse(f"expectation {number}: meta needs an id of its own, nl and en")
        if (
            not any(key in entry.get("kwargs", {}) for key in ("min_value", "max_value"))
            and "column" not in entry["kwargs"]
        ):
            raise refuse(f"expectation {number}: no bound, so it would pass everything")
        seen.add(meta["id"])
    return Suite(name, expectations)


def judge_batch(columns: Mapping[str, Sequence[int | None]], suite: Suite) -> Verdict:
    """Judge a delivered file, as `batch.frame` made it: numbers that tell equal from different."""
    size = len(next(iter(columns.values()), ()))
    # A field that the partner's columns do not have is not asked of its files; the contract says what is required.
    kept = [entry for entry in suite.expectations if entry["kwargs"].get("column", "refused") in columns]
    return _judge(
        columns, Suite(suite.name, tuple(kept)), size, "min_rows", len(suite.expectations) - len(kept)
    )


def judge_window(rows: Sequence[Mapping[str, Any]], suite: Suite) -> Verdict:
    """Judge a landed window: one row of counts and shares per door."""
    names = (
        "door",
        "received",
        "parked",
        "refused_share",
        "duplicate_share",
        "placeless_share",
        "volume_ratio",
    )
    columns = {name: [row[name] for row in rows] for name in names}
    return _judge(columns, suite, sum(columns["received"]), "min_events", 0)


def judge_invariants(violations: Mapping[str, int | None], suite: Suite) -> Verdict:
    """Judge our own tables: the number of rows each named query of invariants.sql returned."""
    columns: dict[str, Sequence[Any]] = {"name": list(violations), "violations": list(violations.values())}
    return _judge(columns, suite, len(violations), "min_rows", 0)


def batch_findings(columns: Mapping[str, Sequence[int | None]], suite: Suite) -> list[BatchFinding]:
    """The failed rules of a delivered file as the file door tells them. A broken rule is our fault and holds nothing."""
    verdict = judge_batch(columns, suite)
    for broken in verdict.broken:
        log.error("suite %s: rule %s could not be judged", suite.name, broken.rule)
    return [
        BatchFinding(found.rule, found.severity == "critical", found.expected_nl, found.expected_en)
        for found in verdict.failed
    ]


def _judge(
    columns: Mapping[str, Sequence[Any]], suite: Suite, size: int, bound: str, skipped: int
) -> Verdict:
    kept = [entry for entry in suite.expectations if size >= (entry.get("meta") or {}).get(bound, 0)]
    skipped += len(suite.expectations) - len(kept)
    if not kept:
        return Verdict(suite.name, size, (), skipped)
    gx, pandas = _great_expectations()
    built = gx.ExpectationSuite(name=suite.name, expectations=[_plain(entry) for entry in kept])
    if len(built.expectations) != len(kept):
        raise SuiteUnusable(
            f"{suite.name}: Great Expectations took {len(built.expectations)} of {len(kept)} rules"
        )
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = _no_progress_bars()
    asset = context.data_sources.add_pandas("set").add_dataframe_asset("set")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch(
        batch_parameters={
            "dataframe": pandas.DataFrame({name: list(cells) for name, cells in columns.items()})
        }
    )
    with warnings.catch_warnings():
        # GX warns about its own use of pandas; nothing in it is for us, and a warning may quote a cell.
        warnings.simplefilter("ignore")
        outcome = batch.validate(
            built, result_format={"result_format": "BASIC", "exclude_unexpected_values": True}
        )
    by_id = {entry["meta"]["id"]: entry for entry in kept}
    findings = tuple(_finding(result, by_id) for result in outcome.results)
    if len(findings) != len(kept):
        raise SuiteUnusable(f"{suite.name}: Great Expectations judged {len(findings)} of {len(kept)} rules")
    return Verdict(suite.name, size, findings, skipped)


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: entry[key] for key in ("type", "kwargs", "meta", "severity")}


def _finding(result: Any, by_id: Mapping[str, Mapping[str, Any]]) -> Finding:
    """Copy what is allowed out of one GX result."""
    entry = by_id[result.expectation_config.meta["id"]]
    details = result.result or {}
    counts = {name: int(details[name]) for name in _COUNTS if isinstance(details.get(name), int)}
    return Finding(
        rule=entry["meta"]["id"],
        type=entry["type"],
        column=entry["kwargs"].get("column"),
        severity=entry["severity"],
        success=bool(result.success),
        broken=_raised(result.exception_info),
        counts=counts,
        expected_nl=entry["meta"]["nl"],
        expected_en=entry["meta"]["en"],
    )


def _raised(info: Any) -> bool:
    """Whether a rule crashed. GX gives one dict, or one per metric."""
    if not isinstance(info, Mapping):
        return False
    if info.get("raised_exception"):
        return True
    return any(isinstance(part, Mapping) and part.get("raised_exception") for part in info.values())


def _great_expectations() -> tuple[Any, Any]:
    """Import Great Expectations quietly: 2.6 s, 200 MB and 214 log lines. What it logs later may quote a cell."""
    logger = logging.getLogger("great_expectations")
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    logger.addHandler(_NOWHERE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module("great_expectations"), import_module("pandas")


def _no_progress_bars() -> Any:
    from great_expectations.data_context.types.base import ProgressBarsConfig

    return ProgressBarsConfig(globally=False)
