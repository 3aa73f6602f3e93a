"""Paired comparison of two models: known values, coverage, false alarms, clusters."""

from __future__ import annotations

import math

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from mltestscore.stats.paired import auc, auc_difference, difference
from mltestscore.stats.proportion import bounds

FLOATS = st.floats(-1e6, 1e6)


@pytest.fixture
def rng():
    return numpy.random.default_rng(20240611)


def test_the_mean_difference_has_the_t_interval_of_scipy(rng):
    gaps = rng.normal(1, 2, 20)
    a = 1 + numpy.r_[gaps, -gaps]  # symmetric: nothing to correct
    expected = stats.ttest_1samp(a, 0).confidence_interval(0.9)
    interval = difference(a, numpy.zeros(40), alpha=0.05)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))
    assert interval.n == 40


def test_zero_one_losses_are_decided_as_by_the_exact_sign_test():
    """12 rows differ, all one way: the exact p is 2⁻¹², so the bound excludes 0 at .0005 and not at .0002."""
    a = numpy.r_[numpy.ones(12), numpy.zeros(488)]
    b = numpy.zeros(500)
    assert difference(a, b, alpha=0.0005).low > 0
    assert difference(a, b, alpha=0.0002).low < 0
    assert difference(b, a, alpha=0.0005).high < 0


def test_equal_zero_one_losses_are_not_proven_equal_by_few_rows():
    interval = difference([0, 1, 0], [0, 1, 0], alpha=0.0005)
    assert (interval.low, interval.high) == pytest.approx((-bounds(0, 3, 1e-4)[1], bounds(0, 3, 1e-4)[1]))


@pytest.mark.parametrize("shares", [(0.02, 0.02, 0.96), (0.2, 0.1, 0.7), (0.4, 0.4, 0.2)])
def test_zero_one_bounds_miss_at_most_at_their_level(rng, shares):
    truth, alpha, missed = shares[0] - shares[1], 0.02, numpy.zeros(2)
    for wins, losses, _ in rng.multinomial(200, shares, size=1000):
        a = numpy.r_[numpy.ones(wins), numpy.zeros(200 - wins)]
        b = numpy.r_[numpy.zeros(wins), numpy.ones(losses), numpy.zeros(200 - wins - losses)]
        interval = difference(a, b, alpha)
        missed += [interval.low > truth, interval.high < truth]
    assert (missed / 1000 <= alpha + 3 * math.sqrt(alpha / 1000)).all()


def test_many_zero_one_differences_decide_with_the_planned_power(rng):
    n, alpha, shares = (
        8276,
        0.0005,
        (0.06, 0.03, 0.91),
    )  # four times the rows that show 0.03 above 0: half of it must show
    draws = rng.multinomial(n, shares, size=400)
    shown = [
        difference(numpy.arange(n) < won, (numpy.arange(n) >= won) & (numpy.arange(n) < won + lost), alpha).low > 0.015
        for won, lost, _ in draws
    ]
    assert numpy.mean(shown) > 0.85


def test_few_rows_for_one_model_are_judged_exactly_however_many_there_are():
    zeros = numpy.zeros(10_000)
    assert difference(numpy.arange(10_000) < 500, zeros, 0.05).method.startswith("exact McNemar")
    against = (numpy.arange(10_000) >= 500) & (numpy.arange(10_000) < 540)
    assert difference(numpy.arange(10_000) < 500, against, 0.05).method == "paired t"


def test_clustered_rows_do_not_raise_more_false_alarms_than_the_level(rng):
    """40 users with 25 rows each that share their user's difference: plain rows alarm often, clusters do not."""
    users = numpy.repeat(numpy.arange(40), 25)
    plain = robust = 0
    for _ in range(600):
        a = rng.normal(size=40)[users] + rng.normal(size=1000)
        plain += difference(a, numpy.zeros(1000), alpha=0.05).low > 0
        robust += difference(a, numpy.zeros(1000), alpha=0.05, clusters=users).low > 0
    assert plain > 150
    assert robust <= 30 + 3 * math.sqrt(30)


def test_clusters_of_one_row_change_nothing(rng):
    a, b = rng.normal(size=30), rng.normal(size=30)
    plain, singletons = difference(a, b, 0.01), difference(a, b, 0.01, clusters=[f"user {i}" for i in range(30)])
    assert (singletons.low, singletons.high) == pytest.approx((plain.low, plain.high))


def test_one_cluster_leaves_the_bounds_open():
    interval = difference([1.5, 2], [0, 0], alpha=0.05, clusters=["a", "a"])
    assert (interval.low, interval.high) == (-math.inf, math.inf)


@settings(deadline=None)
@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=2, max_size=50))
def test_swapping_the_models_mirrors_the_interval(pairs):
    a, b = numpy.array(pairs).T
    there, back = difference(a, b, 0.01), difference(b, a, 0.01)
    assert there.low <= there.value <= there.high
    assert (back.low, back.value, back.high) == pytest.approx((-there.high, -there.value, -there.low), abs=1e-6)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [([], [], "at least one"), ([1], [1, 2], "same rows"), ([math.nan], [1], "finite"), ([[1]], [[1]], "shape")],
)
def test_losses_that_cannot_be_compared_are_refused(a, b, message):
    with pytest.raises(ValueError, match=message):
        difference(a, b, alpha=0.05)


def test_the_auc_equals_the_mann_whitney_statistic(rng):
    y = rng.random(200) < 0.3
    s = numpy.round(rng.normal(size=200) + y, 1)
    u = stats.mannwhitneyu(s[y], s[~y]).statistic
    assert auc(y, s, alpha=0.05).value == pytest.approx(u / (y.sum() * (~y).sum()))


def test_the_width_of_the_auc_follows_delongs_formula_on_the_logit_scale(rng):
    """Against the definition over all pairs: variances of the placement values of each class."""
    y = numpy.r_[numpy.ones(20), numpy.zeros(35)].astype(bool)
    s = rng.normal(size=55) * numpy.where(y, 3, 1) + y  # spread unequally, which Newcombe's bounds do not know
    wins = (s[y][:, None] > s[~y][None, :]) + 0.5 * (s[y][:, None] == s[~y][None, :])
    error = math.sqrt(wins.mean(1).var(ddof=1) / 20 + wins.mean(0).var(ddof=1) / 35)
    interval = auc(y, s, alpha=0.05)
    reach = stats.t.isf(0.05, 19) * error / (wins.mean() * (1 - wins.mean()))
    assert interval.low == pytest.approx(special.expit(special.logit(wins.mean()) - reach))
    assert interval.high == pytest.approx(special.expit(special.logit(wins.mean()) + reach))


def test_an_area_is_as_unlikely_at_newcombes_bounds_as_the_level_says():
    """Rankings nearly right, which show little variance."""
    y = numpy.repeat([True, False], 60)
    interval = auc(y, numpy.random.default_rng(0).normal(size=120) + 3 * y, alpha=0.05)
    low = interval.low
    shared = 59 * ((1 - low) / (2 - low) + low / (1 + low))
    error = math.sqrt(low * (1 - low) * (1 + shared) / 60**2)
    assert (interval.value - low) / error == pytest.approx(stats.norm.isf(0.05), abs=1e-6)


def test_a_perfect_ranking_of_few_rows_is_not_taken_for_certain():
    interval = auc([0] * 10 + [1] * 10, range(20), alpha=0.05)
    assert interval.value == interval.high == 1
    assert interval.low == pytest.approx(0.05 ** (1 / 10))


def test_one_row_of_a_class_leaves_the_auc_open():
    interval = auc([0, 0, 0, 1], [1, 2, 3, 4], alpha=0.05)
    assert (interval.low, interval.high) == (0, 1)


def test_auc_bounds_miss_at_most_near_their_level(rng):
    truth, missed = stats.norm.cdf(1 / math.sqrt(2)), numpy.zeros(2)
    y = numpy.r_[numpy.ones(50), numpy.zeros(250)].astype(bool)
    for _ in range(1500):
        interval = auc(y, rng.normal(size=300) + y, alpha=0.02)
        missed += [interval.low > truth, interval.high < truth]
    assert (missed / 1500 < 0.04).all()


def test_two_equally_good_scores_raise_false_alarms_at_the_level(rng):
    y = numpy.r_[numpy.ones(50), numpy.zeros(450)].astype(bool)
    alarms = 0
    for _ in range(1000):
        shared = rng.normal(size=500) + y
        a, b = shared + rng.normal(size=500), shared + rng.normal(size=500)
        alarms += auc_difference(y, a, b, alpha=0.02).low > 0
    assert alarms <= 20 + 3 * math.sqrt(20)


def test_clustered_rows_widen_the_auc(rng):
    users = numpy.repeat(numpy.arange(50), 20)
    y = (rng.random(50) < 0.5)[users]
    s = rng.normal(size=50)[users] + 0.1 * rng.normal(size=1000) + y
    plain, robust = auc(y, s, 0.05), auc(y, s, 0.05, clusters=users)
    assert robust.value == plain.value
    assert robust.high - robust.low > 3 * (plain.high - plain.low)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), FLOATS, FLOATS), min_size=4, max_size=60))
def test_swapping_two_scores_mirrors_the_auc_difference(rows):
    y, a, b = (numpy.array(column) for column in zip(*rows, strict=True))
    y[:2] = [True, False]
    there, back = auc_difference(y, a, b, 0.01), auc_difference(y, b, a, 0.01)
    assert -1 <= there.low <= there.value <= there.high <= 1
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1e-9)


@pytest.mark.parametrize(
    ("y", "s", "message"),
    [([1, 1], [1, 2], "both classes"), ([0, 1], [1, math.nan], "NaN"), ([0, 1], [1], "one score")],
)
def test_scores_that_cannot_be_ranked_are_refused(y, s, message):
    with pytest.raises(ValueError, match=message):
        auc(y, s, alpha=0.05)
