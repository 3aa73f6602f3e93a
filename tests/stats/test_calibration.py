"""The calibration error: noise is not counted, real error is, and its growth is accused as rarely as stated."""

from __future__ import annotations

import numpy
import pytest

from mltestscore.stats.calibration import bins_of, calibration, growth


def drawn(n: int, seed: int, shift: float = 0.0, days: int = 40):
    """Scores that are ``shift`` too high where they are high, and outcomes; rows of a day share their level."""
    rng = numpy.random.default_rng(seed)
    chances, day = rng.uniform(0.1, 0.8, n), rng.integers(0, days, n)
    came = rng.random(n) < chances + rng.normal(0, 0.02, days)[day]
    scores = chances + shift * (chances > 0.45)
    bins = bins_of(scores, numpy.random.default_rng(0).uniform(0.1, 0.8, 2000))
    return calibration(scores - came, bins, day)


def test_noise_is_counted_by_the_plain_sum_and_not_by_the_debiased_one():
    found = [drawn(400, seed) for seed in range(40)]
    assert abs(numpy.mean([one.debiased for one in found])) < 0.015
    assert numpy.mean([one.plain for one in found]) > 0.04


def test_a_real_error_is_found_by_both():
    """Half of the scores are 0.2 too high: the expected calibration error is 0.1."""
    found = drawn(20_000, 1, shift=0.2)
    assert found.debiased == pytest.approx(0.1, abs=0.02)
    assert found.debiased <= found.plain < 0.13


def test_growth_is_shown_where_it_is_and_ruled_out_where_it_is_not():
    before, same, worse = drawn(20_000, 2), drawn(20_000, 3), drawn(20_000, 4, shift=0.2)
    assert growth(worse, before, 0.0005).low > 0.05
    assert growth(same, before, 0.0005).high < 0.05


def test_clean_windows_are_accused_of_growth_less_often_than_stated():
    """300 clean comparisons at 5 %: 15 expected at most."""
    wrong = sum(growth(drawn(600, seed, days=12), drawn(600, seed + 999), 0.05).accusing.low > 0 for seed in range(300))
    assert wrong <= 15


def test_one_cluster_decides_nothing():
    one = calibration(numpy.array([0.1, -0.1]), numpy.array([0, 1]), numpy.array([0, 0]))
    found = growth(one, one, 0.05)
    assert (found.low, found.high) == (-numpy.inf, numpy.inf)


def test_constant_scores_are_one_bin():
    assert bins_of(numpy.full(4, 0.3), numpy.full(9, 0.3)).max() <= 1
