"""Intra-class correlation and effective rows: known values, recovery, limits."""

from __future__ import annotations

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mltestscore.stats.cluster import design_effect, effective_n, icc


def test_the_published_example_of_shrout_and_fleiss():
    """Shrout and Fleiss (1979), table 2: six targets, four judges, ICC(1,1) = .17."""
    ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    targets = numpy.repeat(numpy.arange(6), 4)
    assert icc(numpy.ravel(ratings), targets) == pytest.approx(0.166, abs=5e-4)


def test_a_known_correlation_is_recovered():
    rng = numpy.random.default_rng(3)
    users = numpy.repeat(numpy.arange(500), 20)
    x = rng.normal(size=500)[users] + rng.normal(size=10_000)
    assert icc(x, users) == pytest.approx(0.5, abs=0.04)
    assert effective_n(x, users) == pytest.approx(10_000 / (1 + 19 * 0.5), rel=0.08)


def test_independent_rows_keep_nearly_all_of_their_weight():
    rng = numpy.random.default_rng(4)
    users = rng.integers(0, 1000, size=5000)
    assert effective_n(rng.normal(size=5000), users) > 4000


def test_rows_of_their_own_cluster_count_in_full():
    assert effective_n([1, 2, 3], ["a", "b", "c"]) == 3


def test_a_constant_within_clusters_counts_each_cluster_once():
    assert effective_n([7] * 12, numpy.repeat([1, 2, 3], 4)) == pytest.approx(3)


def test_one_cluster_counts_as_one_row():
    assert effective_n([1, 2, 3, 4], ["a"] * 4) == pytest.approx(1)


def test_cluster_labels_of_mixed_type_are_told_apart():
    assert icc([1, 1, 5, 5], ["a", "a", None, None]) == pytest.approx(1)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.integers(0, 8)), min_size=1, max_size=80))
def test_effective_rows_lie_between_one_and_all(rows):
    x, clusters = zip(*rows, strict=True)
    assert 0 <= icc(x, clusters) <= 1
    assert 1 - 1e-9 <= effective_n(x, clusters) <= len(x) + 1e-9


@pytest.mark.parametrize(
    ("values", "clusters", "message"), [([], [], "same length"), ([1], [1, 2], "same length"), ([None], [1], "finite")]
)
def test_values_that_cannot_be_analysed_are_refused(values, clusters, message):
    with pytest.raises(ValueError, match=message):
        icc(numpy.array(values, dtype=float), clusters)


def few(freedom: int) -> float:
    """What Korn and Graubard (1998) add for a variance from few clusters, at 0.0005."""
    return (stats.t.isf(0.0005, freedom) / stats.norm.isf(0.0005)) ** 2


def test_rows_of_one_cluster_that_agree_count_once():
    sizes, hits = numpy.full(40, 25.0), numpy.repeat([0.0, 25.0], 20)
    found = design_effect(40, 1000, 500, (sizes**2).sum(), (hits**2).sum(), (sizes * hits).sum())
    assert found == pytest.approx(25 * 40 / 39 * few(39))


def test_clusters_of_one_row_cost_nothing():
    assert design_effect(1000, 1000, 300, 1000, 300, 300) == pytest.approx(1000 / 999 * few(999))


def test_independent_rows_in_clusters_cost_about_nothing():
    rng = numpy.random.default_rng(1)
    sizes = rng.integers(5, 40, 2000).astype(float)
    hits = rng.binomial(sizes.astype(int), 0.1).astype(float)
    sums = (sizes**2).sum(), (hits**2).sum(), (sizes * hits).sum()
    assert design_effect(2000, sizes.sum(), hits.sum(), *sums) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(("hits", "effect"), [(0, 1), (100, 20)])
def test_a_share_without_variance_is_worth_its_clusters_only_where_something_happened(hits, effect):
    assert design_effect(5, 100, hits, 2000, 4 * hits * hits / 20, 20 * hits) == effect


def test_clusters_of_which_one_holds_nearly_all_rows_count_as_little_more_than_one():
    sizes, hits = numpy.array([990.0, 5, 5]), numpy.array([300.0, 0, 5])
    found = design_effect(3, 1000, 305, (sizes**2).sum(), (hits**2).sum(), (sizes * hits).sum())
    assert found == 1000
