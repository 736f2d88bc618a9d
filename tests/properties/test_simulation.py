"""A simulated half year in small: every case ends, every term is met or told, order and duplicates change nothing.

`make simulate` runs the same with 20,000 signals. That the real stack comes to the cases of the pure rules is what
tests/e2e/test_demo.py shows: `bereik demo` compares every case of its months with an oracle that works the rules out apart.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from simulation import simulate

from bereik.bundle import Bundle


@pytest.mark.parametrize("seed", [1, 2])
def test_in_half_a_year_every_case_ends_every_term_is_met_or_told_and_order_and_duplicates_change_nothing(
    seed: int,
) -> None:
    counts, _ = simulate(Bundle.compile(Path(__file__).parents[2] / "schemas"), 600, seed)
    assert counts["signals"] == 600 and counts["duplicates"] > 0
    assert counts["fact attempt"] > 200 and counts["ended closed"] > 200


def test_the_same_seed_gives_the_same_half_year() -> None:
    bundle = Bundle.compile(Path(__file__).parents[2] / "schemas")
    assert simulate(bundle, 150, 7) == simulate(bundle, 150, 7)
    assert simulate(bundle, 150, 7)[1] != simulate(bundle, 150, 8)[1]
