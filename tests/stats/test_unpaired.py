"""Two means over different rows: scipy's interval, coverage with unequal sides, too few values."""

from __future__ import annotations

import math

import numpy
import pytest
from scipy import stats

from mltestscore.stats.unpaired import mean_difference


def test_the_bounds_are_those_of_scipys_welch_interval():
    rng = numpy.random.default_rng(0)
    a, b = rng.normal(1, 1, 12), rng.normal(0, 3, 40)
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.9)
    found = mean_difference(a, b, 0.05)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_a_few_noisy_days_against_many_quiet_ones_alarm_as_often_as_stated():
    """2,000 clean comparisons of 7 days with 35, at 5 %: 100 expected, 4 standard deviations are 40."""
    rng = numpy.random.default_rng(1)
    wrong = sum(mean_difference(rng.normal(0, 3, 7), rng.normal(0, 1, 35), 0.05).low > 0 for _ in range(2000))
    assert 60 <= wrong <= 140


def test_one_value_leaves_the_bounds_open_and_equal_values_close_them():
    assert mean_difference([1.0], [2.0, 3.0], 0.05).high == math.inf
    found = mean_difference([1.0, 1.0], [0.5, 0.5], 0.05)
    assert (found.low, found.high) == (0.5, 0.5)


@pytest.mark.parametrize(("a", "b", "alpha"), [([], [1.0], 0.05), ([math.nan], [1.0], 0.05), ([1.0], [1.0], 0.0)])
def test_what_has_no_answer_is_refused(a, b, alpha):
    with pytest.raises(ValueError, match=r"finite number|level alpha"):
        mean_difference(a, b, alpha)
