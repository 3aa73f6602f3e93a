"""Distances between distributions: known values, silence within the tolerance, aggregates equal samples."""

from __future__ import annotations

import math
from collections import Counter

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mltestscore.stats.distribution import Counted, category_distance, ks_distance

NUMBERS = st.lists(st.integers(-5, 5) | st.floats(-1e9, 1e9), min_size=1, max_size=60)
NAMES = st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=60)


def counted(values):
    counts = Counter(values)
    return Counted(list(counts), list(counts.values()))


@settings(deadline=None)
@given(NUMBERS, NUMBERS)
def test_the_distance_is_the_largest_gap_of_the_empirical_distributions(a, b):
    interval = ks_distance(a, b, alpha=0.05)
    both = numpy.array([*a, *b])
    gaps = stats.ecdf(a).cdf.evaluate(both) - stats.ecdf(b).cdf.evaluate(both)
    assert interval.value == pytest.approx(numpy.abs(gaps).max())
    assert 0 <= interval.low <= interval.value <= interval.high <= 1


@settings(deadline=None)
@given(NUMBERS, NUMBERS)
def test_counted_numbers_give_what_their_rows_give(a, b):
    assert ks_distance(counted(a), counted(b), 0.05) == ks_distance(a, b, 0.05)


@settings(deadline=None)
@given(NAMES, NAMES)
def test_counted_categories_give_what_their_rows_give(a, b):
    assert category_distance(counted(a), counted(b), 0.05) == category_distance(a, b, 0.05)


@settings(deadline=None)
@given(NAMES, NAMES)
def test_distances_do_not_depend_on_the_direction(a, b):
    there, back = category_distance(a, b, 0.01), category_distance(b, a, 0.01)
    assert (there.low, there.value, there.high) == pytest.approx((back.low, back.value, back.high))
    assert 0 <= there.low <= there.value <= there.high <= 1


def test_the_half_width_is_that_of_the_inequality():
    """300 rows on each side at 1e-5: 2.47 * 0.0816 = 0.20, so nothing below about 0.25 can be shown."""
    x = numpy.arange(300)
    interval = ks_distance(x, x, alpha=1e-5)
    assert interval.high == pytest.approx(0.2017, abs=1e-4)
    assert interval.smallest_visible(0.05, "above") == pytest.approx(0.2517, abs=1e-4)


@pytest.mark.parametrize(("n", "m"), [(100, 100), (1001, 100), (5000, 5000)])
def test_clean_samples_of_any_size_raise_false_alarms_at_most_at_the_level(n, m):
    rng = numpy.random.default_rng(n + m)
    alarms = sum(ks_distance(rng.random(n), rng.random(m), alpha=0.05).low > 0 for _ in range(200))
    assert alarms <= 10 + 3 * math.sqrt(10)


def test_a_benign_shift_within_the_tolerance_is_never_an_alarm_however_many_rows():
    rng = numpy.random.default_rng(1)
    interval = ks_distance(rng.normal(size=300_000), rng.normal(0.1, 1, size=300_000), alpha=1e-5)
    assert interval.low > 0.03
    assert interval.high < 0.05


def test_it_names_where_the_distributions_differ_most():
    assert ks_distance([1, 2, 3], [1, 2, 9], alpha=0.05).at == 3.0
    assert category_distance(["x"] * 9 + ["y"], ["x"] * 5 + [None] * 5, alpha=0.05).at is None


def test_fewer_effective_rows_widen_the_interval():
    x = numpy.arange(1000)
    plain, clustered = ks_distance(x, x, 0.05), ks_distance(x, x, 0.05, n_effective=(1000, 100))
    assert clustered.high > plain.high
    assert clustered.n == 100
    names = ["a"] * 500 + ["b"] * 500
    assert (
        category_distance(names, names, 0.05, n_effective=(50.5, 10.5)).high
        > category_distance(names, names, 0.05).high
    )


@pytest.mark.parametrize("levels", [2, 20, 200])
def test_categories_raise_false_alarms_at_most_at_the_level_however_many_they_are(levels):
    rng = numpy.random.default_rng(levels)
    alarms = 0
    for _ in range(100):
        reference = Counted(range(levels), rng.multinomial(5000, [1 / levels] * levels))
        current = Counted(range(levels), rng.multinomial(1000, [1 / levels] * levels))
        alarms += category_distance(reference, current, alpha=0.05).low > 0
    assert alarms <= 5 + 3 * math.sqrt(5)


def test_a_category_that_takes_a_tenth_is_shown_among_two_hundred():
    reference = Counted(range(200), [100] * 200)
    current = Counted([*range(200), "new"], [9] * 200 + [200])
    interval = category_distance(reference, current, alpha=2e-6)
    assert interval.at == "new"
    assert interval.low > 0.02


@settings(deadline=None)
@given(NUMBERS)
def test_a_sample_has_no_distance_to_itself(x):
    interval = ks_distance(x, x, 0.05)
    assert (interval.value, interval.low) == (0, 0)
    assert interval.n_to_settle(0.05) >= len(x)


def test_planned_rows_shrink_the_half_width_to_the_gap():
    x, y = numpy.arange(100), numpy.arange(100) + 20
    interval = ks_distance(x, y, alpha=0.001)
    planned = interval.n_to_settle(0.05)
    assert interval.reach * math.sqrt(100 / planned) <= 0.15
    assert interval.n_to_settle(interval.value) is None


@pytest.mark.parametrize("compare", [ks_distance, category_distance])
def test_an_empty_sample_is_refused_with_the_remedy(compare):
    with pytest.raises(ValueError, match="undecided"):
        compare([1], [], 0.05)
    with pytest.raises(ValueError, match="level"):
        compare([1], [1], 0)


def test_missing_numbers_are_refused_because_their_share_is_another_question():
    with pytest.raises(ValueError, match="missing"):
        ks_distance([1, math.nan], [1], 0.05)


def test_missing_categories_are_a_category():
    interval = category_distance(["a", math.nan], ["a", None], 0.05)
    assert interval.value == 0
