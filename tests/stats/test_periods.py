"""Periods last as long as rows stay alike, cover what they must and keep rows of one time together."""

from __future__ import annotations

import numpy
import pytest
from scipy.signal import lfilter

from mltestscore.stats.periods import LEAST, MOST, few, periods


def remembering(n: int, memory: float, seed: int = 1) -> numpy.ndarray:
    noise = numpy.random.default_rng(seed).standard_normal(n + 500)
    return lfilter([1], [1, -memory], noise)[500:]


def test_independent_rows_are_cut_into_as_many_periods_as_there_may_be():
    assert len(set(periods(range(2000), remembering(2000, 0.0)).tolist())) == MOST


@pytest.mark.parametrize(("memory", "least"), [(0.8, 20), (0.95, 100)])
def test_periods_last_several_times_as_long_as_the_memory(memory, least):
    found = numpy.bincount(periods(range(5000), remembering(5000, memory)))
    assert least < found.min()
    assert found.max() - found.min() <= 40  # equal but for a moment, of twenty rows


def test_rows_that_never_forget_are_one_period_or_few():
    walk = numpy.cumsum(remembering(1000, 0.0))
    assert len(set(periods(range(1000), walk).tolist())) < LEAST
    assert "at least 10" in few(periods(range(1000), walk))
    assert few(numpy.arange(LEAST)) == ""


def test_rows_of_one_time_stay_together_whatever_their_order():
    random = numpy.random.default_rng(3)
    times = random.integers(0, 37, 4000)
    found = periods(times, random.standard_normal(4000))
    assert all(len(set(found[times == time].tolist())) == 1 for time in range(37))
    order = random.permutation(4000)
    values = random.standard_normal(4000)
    assert (periods(times[order], values[order]) == periods(times, values)[order]).all()


def test_a_period_covers_the_horizon():
    found = periods(numpy.arange(1000.0), remembering(1000, 0.0), longer_than=60.0)
    assert numpy.bincount(found).min() >= 60


def test_the_values_that_are_alike_for_longest_decide():
    both = numpy.column_stack([remembering(3000, 0.0), remembering(3000, 0.9, 2)])
    assert (periods(range(3000), both) == periods(range(3000), both[:, 1])).all()


@pytest.mark.parametrize("values", [[1.0], [1.0, numpy.nan], []])
def test_values_that_do_not_fit_are_refused(values):
    with pytest.raises(ValueError, match="one length"):
        periods([1, 2] if values else [], values)


def test_constant_values_and_unknown_times_are_no_error():
    assert len(periods([numpy.nan] * 30, numpy.ones(30))) == 30
    assert len(set(periods(numpy.r_[numpy.arange(29.0), numpy.nan], numpy.ones(30)).tolist())) == 30
