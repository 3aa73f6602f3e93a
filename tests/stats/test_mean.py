"""The spread of a mean: known values, skewness taken out, clusters of unequal size."""

from __future__ import annotations

import math

import numpy
import pytest
from scipy import stats

from mltestscore.stats.mean import Spread, freedom_of, spread


def test_symmetric_values_reach_as_far_as_students_t():
    values = numpy.array([-3.0, -1, 0, 1, 3])
    found = spread(values)
    assert found.reaches(0.05) == pytest.approx([stats.t.isf(0.05, 4) * stats.sem(values)] * 2)


def test_the_skewness_is_that_of_a_row_over_the_root_of_n():
    values = numpy.random.default_rng(0).lognormal(size=50)
    assert spread(values).skewness == pytest.approx(stats.skew(values) / math.sqrt(50))


def test_the_wide_side_of_skewed_values_is_where_halls_transform_reaches_the_quantile():
    """Hall (1992): t + k t²/3 + k² t³/27 + k/6 of the studentised mean is nearly Student's."""
    found = Spread(30, 1.0, 29.0, 0.2)
    down, up = found.reaches(0.01)
    quantile = stats.t.isf(0.01, 29)
    assert down == pytest.approx(quantile)
    assert -up + 0.2 * up**2 / 3 - 0.04 * up**3 / 27 + 0.2 / 6 == pytest.approx(-quantile)


def test_mirrored_values_reach_the_other_way():
    values = numpy.random.default_rng(1).lognormal(size=40)
    assert spread(-values).reaches(0.001) == pytest.approx(spread(values).reaches(0.001)[::-1])


def test_equal_clusters_have_the_usual_freedom_and_unequal_ones_less():
    values = numpy.random.default_rng(2).normal(size=60)
    equal, unequal = numpy.repeat(numpy.arange(6), 10), numpy.repeat(numpy.arange(6), [50, 2, 2, 2, 2, 2])
    assert spread(values, equal).freedom == pytest.approx(5)
    assert freedom_of(unequal, values) == spread(values, unequal).freedom < 1


def test_rows_that_are_one_cluster_for_all_purposes_leave_the_mean_open():
    values = numpy.random.default_rng(3).normal(size=60)
    assert spread(values, [0] * 59 + [1]).reaches(0.05) == (math.inf, math.inf)


def test_the_variance_of_unequal_clusters_is_unbiased_where_rows_are_independent():
    """4,000 means of 66 independent rows in clusters of 1 to 11: their squared error is 1/66, known to 4 %."""
    random, clusters = numpy.random.default_rng(4), numpy.repeat(numpy.arange(11), numpy.arange(1, 12))
    squares = [spread(random.normal(size=66), clusters).error ** 2 for _ in range(4_000)]
    assert numpy.mean(squares) * 66 == pytest.approx(1, abs=0.05)


def test_values_that_do_not_vary_reach_nowhere_and_tiny_ones_do_not_break():
    assert spread(numpy.full(9, 0.25)).reaches(0.05) == (0.0, 0.0)
    assert spread(numpy.array([0.0, 1e-200])).reaches(0.05)[0] >= 0


def test_another_number_of_clusters_is_refused():
    with pytest.raises(ValueError, match="one cluster for each of 3 rows"):
        spread(numpy.arange(3.0), [1, 2])
