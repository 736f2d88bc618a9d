"""Evaluation counts tables; the same figures must come from looking at every pair and every signal."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bereik import evaluation
from bereik.evaluation import Decided, Truth

IDS = st.sampled_from("abcdef")
# A person's group follows from its name, because a person has one.
ROWS = st.lists(st.tuples(IDS, IDS, IDS, IDS, st.sampled_from(evaluation.DECISIONS)), min_size=1, max_size=24)


def tables(rows: list[tuple[str, str, str, str, str]]) -> tuple[list[Decided], list[Truth]]:
    decided = [Decided(str(n), mine, home, what) for n, (mine, _, home, _, what) in enumerate(rows)]
    truth = [
        Truth(str(n), true, home, "nl" if true < "d" else "tr")
        for n, (_, true, _, home, _) in enumerate(rows)
    ]
    return decided, truth


def naive(mine: list[str], true: list[str]) -> tuple[float, float, float, float]:
    """Pairwise and B-cubed precision and recall, from the definitions."""
    places = range(len(mine))
    linked = {(i, j) for i, j in combinations(places, 2) if mine[i] == mine[j]}
    there = {(i, j) for i, j in combinations(places, 2) if true[i] == true[j]}
    precision = len(linked & there) / len(linked) if linked else 1.0
    recall = len(linked & there) / len(there) if there else 1.0
    by_signal = []
    for i in places:
        ours = {j for j in places if mine[j] == mine[i]}
        theirs = {j for j in places if true[j] == true[i]}
        by_signal.append((len(ours & theirs) / len(ours), len(ours & theirs) / len(theirs)))
    return (
        precision,
        recall,
        sum(one for one, _ in by_signal) / len(mine),
        sum(one for _, one in by_signal) / len(mine),
    )


@given(ROWS)
def test_the_table_says_what_the_pairs_say(rows: list[tuple[str, str, str, str, str]]) -> None:
    decided, truth = tables(rows)
    report = evaluation.evaluate(decided, truth, seed=1, resamples=20)
    for pairwise, b_cubed, mine, true in (
        (report.person, report.b_cubed, [d.person_id for d in decided], [t.person for t in truth]),
        (
            report.household,
            report.household_b_cubed,
            [d.household_id for d in decided],
            [t.household for t in truth],
        ),
    ):
        expected = naive(mine, true)
        found = (pairwise.precision, pairwise.recall, b_cubed.precision, b_cubed.recall)
        assert found == pytest.approx(expected)


@given(ROWS)
def test_recall_of_a_group_is_that_of_its_pairs_alone(rows: list[tuple[str, str, str, str, str]]) -> None:
    decided, truth = tables(rows)
    report = evaluation.evaluate(decided, truth, seed=1, resamples=20)
    for one in report.groups:
        members = [n for n, row in enumerate(truth) if row.group == one.group]
        pairs = [(i, j) for i, j in combinations(members, 2) if truth[i].person == truth[j].person]
        found = sum(decided[i].person_id == decided[j].person_id for i, j in pairs)
        assert one.pairs == len(pairs)
        assert one.recall == (pytest.approx(found / len(pairs)) if pairs else None)
        assert one.people == len({truth[n].person for n in members})
    assert sum(one.pairs for one in report.groups) == report.pairs


@given(ROWS, st.randoms(use_true_random=False))
def test_order_and_names_of_ids_do_not_matter(
    rows: list[tuple[str, str, str, str, str]], chance: object
) -> None:
    decided, truth = tables(rows)
    report = evaluation.evaluate(decided, truth, seed=1, resamples=20)
    renamed = [
        row._replace(person_id=f"other {row.person_id}", household_id=f"x{row.household_id}")
        for row in decided
    ]
    chance.shuffle(renamed)  # type: ignore[attr-defined]
    again = evaluation.evaluate(renamed, truth[::-1], seed=1, resamples=20)
    assert again.groups == report.groups
    assert again.person == report.person and again.household == report.household
    assert again.b_cubed.f1 == pytest.approx(report.b_cubed.f1)


@given(ROWS)
def test_the_truth_itself_is_perfect(rows: list[tuple[str, str, str, str, str]]) -> None:
    _, truth = tables(rows)
    report = evaluation.evaluate(
        [Decided(row.signal_id, row.person, row.household, "link") for row in truth],
        truth,
        seed=1,
        resamples=20,
    )
    for score in (report.person, report.b_cubed, report.household, report.household_b_cubed):
        assert score.f1 == pytest.approx(1)
    assert report.gap in (None, 0)
