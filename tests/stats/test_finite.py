"""Bounds of a share of a finite population hold as often as they say, and are exact where all are drawn."""

from __future__ import annotations

import pytest
from scipy import stats

from mltestscore.stats.finite import finite_share
from mltestscore.stats.proportion import proportion


@pytest.mark.parametrize(("population", "good", "n"), [(30, 24, 10), (60, 12, 25), (200, 190, 24), (50, 0, 10)])
@pytest.mark.parametrize("alpha", [0.05, 0.001])
def test_each_bound_misses_at_most_as_often_as_its_level_says(population, good, n, alpha):
    counts = range(max(0, n - (population - good)), min(n, good) + 1)
    chance = {count: stats.hypergeom.pmf(count, population, good, n) for count in counts}
    found = {count: finite_share(count, n, population, alpha) for count in counts}
    share = good / population
    assert sum(chance[count] for count in counts if found[count].low > share) <= alpha + 1e-12
    assert sum(chance[count] for count in counts if found[count].high < share) <= alpha + 1e-12


def test_everything_drawn_is_exact():
    found = finite_share(7, 9, 9, 0.0001)
    assert (found.low, found.value, found.high) == (7 / 9, 7 / 9, 7 / 9)


def test_a_large_population_gives_clopper_pearson():
    finite, infinite = finite_share(23, 24, 200_000, 0.05), proportion(23, 24, 0.05)
    assert finite.low == pytest.approx(infinite.low, abs=1e-3)
    assert finite.high == pytest.approx(infinite.high, abs=1e-3)


@pytest.mark.parametrize("arguments", [(3, 2, 9, 0.1), (1, 0, 9, 0.1), (1, 5, 4, 0.1), (1, 2, 3, 0.0), (-1, 2, 3, 0.1)])
def test_impossible_counts_and_levels_are_refused(arguments):
    with pytest.raises(ValueError, match="not "):
        finite_share(*arguments)
