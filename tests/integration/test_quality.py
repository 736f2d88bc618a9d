"""Great Expectations for real: each shipped rule fails on its known-bad example, and no result holds a value."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bereik import quality
from bereik.quality import Suite, Suites, SuiteUnusable, Verdict

ROOT = Path(__file__).parents[2]
SUITES = Suites(ROOT / "expectations")
SIZE = 40


def delivery(**changes: Sequence[int | None]) -> dict[str, Sequence[int | None]]:
    """A delivered file of 40 rows in which all is well, as `batch.frame` makes it."""
    each = list(range(SIZE))
    return {
        "refused": [0] * SIZE,
        "reference": each,
        "person": each,
        "household": each,
        "birth_date": each,
        "postcode": each,
    } | changes


def window(**changes: object) -> list[dict[str, object]]:
    """A landed window in which all is well."""
    row = {
        "door": "kafka",
        "received": 100,
        "parked": 0,
        "refused_share": 0.05,
        "duplicate_share": 0.02,
        "placeless_share": 0.0,
        "volume_ratio": 1.1,
    }
    return [row | changes]


half_empty: list[int | None] = [None] * 30 + list(range(10))
same: list[int | None] = [0] * SIZE
in_pairs: list[int | None] = [number // 3 for number in range(SIZE)]

# (suite, rule) → a set on which that rule must fail. Whoever adds a rule adds its example here.
KNOWN_BAD: Mapping[tuple[str, str], Any] = {
    ("batches.default", "batch_volume"): {"refused": []},
    ("batches.default", "batch_mostly_refused"): delivery(refused=[1] * 38 + [0] * 2),
    ("batches.default", "batch_many_refused"): delivery(refused=[1] * 8 + [0] * 32),
    ("batches.default", "batch_references_repeat"): delivery(reference=in_pairs),
    ("batches.default", "batch_references_double"): delivery(reference=[0, 0, 0, *range(37)]),
    ("batches.default", "batch_addresses_repeat"): delivery(household=same),
    ("batches.default", "batch_people_repeat"): delivery(person=in_pairs),
    ("batches.default", "batch_birth_dates_missing"): delivery(birth_date=half_empty),
    ("batches.default", "batch_postcodes_missing"): delivery(postcode=half_empty),
    ("landed.default", "window_empty"): [],
    ("landed.default", "window_parked"): window(parked=1),
    ("landed.default", "window_refused"): window(refused_share=0.5),
    ("landed.default", "window_duplicates"): window(duplicate_share=0.6),
    ("landed.default", "window_placeless"): window(placeless_share=0.4),
    ("landed.default", "window_volume"): window(volume_ratio=9.0),
    ("tables.invariants", "invariant_broken"): {"one": 0, "two": 3},
    ("tables.invariants", "invariant_unanswered"): {"one": None},
    ("tables.invariants", "invariant_twice"): ["one", "one"],
    ("tables.invariants", "invariants_missing"): {},
}

SHIPPED = [(suite.name, entry["meta"]["id"]) for suite in SUITES.all() for entry in suite.expectations]


def judge(suite: str, given: Any) -> Verdict:
    """Judge one example with the shipped suite of that name."""
    kind, _ = suite.split(".")
    if kind == "batches":
        return quality.judge_batch(given, SUITES.batch("none"))
    if kind == "landed":
        return quality.judge_window(given, SUITES.landed("none"))
    if isinstance(given, list):
        given = TwoNames(given)
    return quality.judge_invariants(given, SUITES.invariants())


class TwoNames(dict[str, int | None]):
    """Results in which a name stands twice, which no real mapping can hold."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(dict.fromkeys(names, 0))
        self._names = names

    def __iter__(self) -> Any:
        """Both."""
        return iter(self._names)

    def __len__(self) -> int:
        """Both."""
        return len(self._names)

    def values(self) -> Any:
        """Both."""
        return [0 for _ in self._names]


@pytest.mark.parametrize(("suite", "rule"), SHIPPED)
def test_every_shipped_rule_fails_on_its_known_bad_example(suite: str, rule: str) -> None:
    verdict = judge(suite, KNOWN_BAD[(suite, rule)])
    assert rule in {found.rule for found in verdict.failed}, verdict.summary()
    assert not verdict.broken


def test_there_is_no_example_without_a_rule() -> None:
    assert set(KNOWN_BAD) == set(SHIPPED)


@pytest.mark.parametrize(
    ("suite", "given"),
    [
        ("batches.default", delivery()),
        ("landed.default", window()),
        ("landed.default", window(volume_ratio=None)),
        ("tables.invariants", {"one": 0, "two": 0}),
    ],
)
def test_a_good_set_passes_every_rule(suite: str, given: Any) -> None:
    verdict = judge(suite, given)
    assert verdict.success and verdict.skipped == 0, verdict.summary()


def test_shares_of_a_small_set_are_not_judged() -> None:
    verdict = judge("batches.default", {"refused": [1], "reference": [0], "postcode": [None]})
    assert verdict.success and verdict.skipped == len(SUITES.batch("none").expectations) - 1
    verdict = judge("landed.default", window(received=3, refused_share=1.0))
    assert verdict.success and verdict.skipped > 0


def test_critical_holds_a_delivery_and_a_warning_does_not() -> None:
    suite = SUITES.batch("none")
    held = quality.batch_findings(delivery(household=same), suite)
    assert [(found.rule, found.holds) for found in held] == [("batch_addresses_repeat", True)]
    told = quality.batch_findings(delivery(person=in_pairs), suite)
    assert [(found.rule, found.holds) for found in told] == [("batch_people_repeat", False)]


def rule(**changes: Any) -> dict[str, Any]:
    """One expectation that can be used."""
    return {
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {"column": "name"},
        "severity": "critical",
        "meta": {"id": "one", "nl": "een", "en": "one"},
    } | changes


def test_a_rule_that_crashes_is_broken_and_not_a_fault_of_the_data() -> None:
    mean = rule(type="expect_column_mean_to_be_between", kwargs={"column": "name", "min_value": 0})
    verdict = quality._judge({"name": ["ZZCANARY-one", "b"]}, Suite("x", (mean,)), 2, "min_rows", 0)
    assert [found.rule for found in verdict.broken] == ["one"] and not verdict.failed
    absent = rule(kwargs={"column": "nowhere"})
    verdict = quality._judge({"name": ["a"]}, Suite("x", (absent,)), 1, "min_rows", 0)
    assert verdict.broken and not verdict.success and "ZZCANARY" not in repr(verdict)
    with pytest.raises(quality.SetRefused):
        verdict.report("somebody")


def test_no_value_leaves_although_great_expectations_holds_it() -> None:
    rules = (
        rule(type="expect_column_values_to_be_unique"),
        rule(meta={"id": "two", "nl": "twee", "en": "two"}, kwargs={"column": "name", "mostly": 1.0}),
    )
    cells = ["ZZCANARY-one", "ZZCANARY-one", None]
    verdict = quality._judge({"name": cells}, Suite("x", rules), 3, "min_rows", 0)
    assert {found.rule for found in verdict.failed} == {"one", "two"}
    assert "ZZCANARY" not in repr(verdict) and "ZZCANARY" not in json.dumps(verdict.summary())
    assert verdict.findings[0].counts["unexpected_count"] == 2


@pytest.mark.parametrize(
    "spoiled",
    [
        [],
        [rule(type="expect_column_to_be_magic")],
        [rule(type="expect_column_values_to_match_regex")],
        [rule(severity="fatal")],
        [rule(meta={"id": "one"})],
        [rule(), rule()],
        [rule(type="expect_table_row_count_to_be_between", kwargs={})],
    ],
)
def test_a_suite_that_would_be_dropped_in_silence_is_refused(tmp_path: Path, spoiled: list[Any]) -> None:
    path = tmp_path / "batches" / "default.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"name": "x", "expectations": spoiled}))
    with pytest.raises(SuiteUnusable):
        Suites(tmp_path).batch("any")


def test_a_type_may_have_a_suite_of_its_own(tmp_path: Path) -> None:
    for name in ("default", "some-type"):
        path = tmp_path / "batches" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"name": name, "expectations": [rule()]}))
    assert Suites(tmp_path).batch("some-type").name == "some-type"
    assert Suites(tmp_path).batch("other").name == "default"


def test_great_expectations_is_quiet() -> None:
    code = (
        "import logging, pathlib; logging.basicConfig(level=logging.DEBUG); from bereik import quality as q;"
        "q.judge_invariants({'one': 1}, q.Suites(pathlib.Path('expectations')).invariants())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "great_expectations" not in done.stdout + done.stderr and "Calculating" not in done.stderr


def test_importing_the_module_does_not_import_great_expectations() -> None:
    code = "import sys, bereik.quality; print('great_expectations' in sys.modules, 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["False", "False"]
