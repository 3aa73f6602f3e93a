"""Clopper-Pearson bounds: known values, coverage, and planning that keeps its promise."""

from __future__ import annotations

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mltestscore.stats.proportion import POWER, proportion, share_bounds, wilson

LEVELS = st.sampled_from([0.5, 0.05, 0.0005, 1e-5, 4e-6])


@st.composite
def counts(draw):
    n = draw(st.integers(1, 5000))
    return draw(st.integers(0, n)), n


def test_bounds_equal_the_exact_interval_of_scipy():
    exact = stats.binomtest(7, 50).proportion_ci(confidence_level=0.9, method="exact")
    interval = proportion(7, 50, alpha=0.05)
    assert (interval.low, interval.high) == pytest.approx((exact.low, exact.high))


def test_no_success_among_n_gives_the_rule_of_three():
    interval = proportion(0, 300, alpha=0.05)
    assert (interval.value, interval.low) == (0, 0)
    assert interval.high == pytest.approx(1 - 0.05 ** (1 / 300))


@pytest.mark.parametrize("rate", [0.001, 0.02, 0.5, 0.97])
def test_each_bound_misses_at_most_at_its_level(rate):
    """Exact, not simulated: the probability mass of all counts whose bound misses the true rate."""
    n, alpha = 120, 0.01
    count = numpy.arange(n + 1)
    mass = stats.binom.pmf(count, n, rate)
    low, high = share_bounds(count.astype(float), n, alpha)
    assert mass[low > rate].sum() <= alpha
    assert mass[high < rate].sum() <= alpha


@settings(deadline=None)
@given(counts(), LEVELS)
def test_the_value_lies_between_its_bounds(case, alpha):
    successes, n = case
    interval = proportion(successes, n, alpha)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1


@settings(deadline=None)
@given(counts(), LEVELS)
def test_bounds_mirror_when_successes_and_failures_swap(case, alpha):
    successes, n = case
    interval, mirrored = proportion(successes, n, alpha), proportion(n - successes, n, alpha)
    assert interval.low == pytest.approx(1 - mirrored.high, abs=1e-9)


@settings(deadline=None)
@given(counts(), LEVELS)
def test_ten_times_the_rows_make_the_interval_narrower(case, alpha):
    successes, n = case
    few, many = proportion(successes, n, alpha), proportion(10 * successes, 10 * n, alpha)
    assert many.low >= few.low - 1e-12
    assert many.high <= few.high + 1e-12


@pytest.mark.parametrize(("limit", "side"), [(0.0, "above"), (0.001, "above"), (0.3, "above"), (0.3, "below")])
def test_the_smallest_visible_rate_is_shown_with_power_ninety_per_cent(limit, side):
    interval = proportion(0, 1000, alpha=1e-4)
    rate = interval.smallest_visible(limit, side)
    count = numpy.arange(1001)
    low, high = share_bounds(count.astype(float), 1000, 1e-4)
    beyond = low > limit if side == "above" else high < limit
    assert stats.binom.pmf(count, 1000, rate)[beyond].sum() == pytest.approx(POWER, abs=1e-6)


@pytest.mark.parametrize(("limit", "side"), [(1.0, "above"), (0.0, "below"), (0.9, "above")])
def test_nothing_is_visible_where_no_count_could_show_it(limit, side):
    assert proportion(1, 2, alpha=0.001).smallest_visible(limit, side) is None


@pytest.mark.parametrize(("successes", "n", "limit"), [(3, 100, 0.001), (0, 100, 0.01), (40, 100, 0.5)])
def test_n_to_settle_settles_nine_times_in_ten(successes, n, limit):
    planned = proportion(successes, n, alpha=0.001).n_to_settle(limit)
    assert planned > n
    count = numpy.arange(planned + 1)
    low, high = share_bounds(count.astype(float), planned, 0.001)
    decided = low > limit if successes / n > limit else high <= limit
    assert stats.binom.pmf(count, planned, successes / n)[decided].sum() >= POWER


def test_no_n_settles_an_estimate_that_lies_on_its_limit():
    assert proportion(0, 100, alpha=0.05).n_to_settle(0) is None
    assert proportion(5, 100, alpha=0.05).n_to_settle(0.05) is None


def test_no_rows_are_refused_with_the_remedy():
    with pytest.raises(ValueError, match="undecided"):
        proportion(0, 0, alpha=0.05)


@pytest.mark.parametrize(("successes", "alpha"), [(-1, 0.05), (11, 0.05), (5, 0), (5, 0.6)])
def test_impossible_arguments_are_refused(successes, alpha):
    with pytest.raises(ValueError, match=r"needs|level"):
        proportion(successes, 10, alpha)


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (13, 15), (15, 15), (180, 300)])
def test_the_score_bounds_are_those_of_scipy_and_lie_within_the_exact_ones(successes, n):
    found, exact = wilson(successes, n, 0.05), proportion(successes, n, 0.05)
    expected = stats.binomtest(successes, n).proportion_ci(0.9, method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert exact.low <= found.low <= found.value <= found.high <= exact.high
