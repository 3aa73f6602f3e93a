"""Values in order of time: how many independent ones they are worth, and what a change in them must not hide."""

from __future__ import annotations

import numpy
import pytest
from scipy.signal import lfilter

from mltestscore.stats.persistence import Persistence, averaged, persistence
from mltestscore.stats.ratios import mean_gap
from mltestscore.stats.unpaired import mean_difference


def remembering(memory: float, n: int, seed: int) -> numpy.ndarray:
    return lfilter([1], [1, -memory], numpy.random.default_rng(seed).standard_normal(n + 200))[200:]


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.8])
def test_long_runs_are_worth_what_theory_says(memory):
    found = persistence([remembering(memory, 20_000, 1)])
    assert found.first == pytest.approx(memory, abs=0.02)
    assert found.left(1_000, 0.05) == pytest.approx(1_000 * (1 - memory) / (1 + memory), rel=0.1)


def test_stricter_levels_trust_few_days_less():
    found = persistence([remembering(0.0, 40, 2)])
    left = [found.left(28, alpha) for alpha in (0.05, 0.005, 0.0005, 0.00005)]
    assert left == sorted(left, reverse=True)
    assert 10 < left[-1] < left[0] <= 28


def test_what_never_varies_is_alike_for_no_time():
    assert persistence([numpy.ones(30)]).left(30, 0.05) == 30
    assert persistence([numpy.ones(1)]).left(1, 0.0005) == 1
    assert persistence([]).left(5, 0.05) == 5


def test_a_bound_over_days_that_are_worth_hardly_more_than_one_shows_nothing():
    days = numpy.arange(40.0)
    lasting = persistence([days])
    assert mean_difference(days, days, 0.0005, lasting).high > 10 * days.max()
    assert mean_gap(days, numpy.arange(40), lasting).interval(0.0005).high > 10 * days.max()


def test_both_bounds_of_a_mean_agree_with_days_that_count_fully_where_none_is_like_another():
    days, none = remembering(0.0, 40, 3), Persistence(-1.0, -0.5, 40)
    assert mean_gap(days, numpy.arange(40), none).interval(0.05) == mean_gap(days, numpy.arange(40)).interval(0.05)
    assert mean_difference(days, days[::-1], 0.05, none) == mean_difference(days, days[::-1], 0.05)


def test_a_launch_tells_it_so_that_a_change_since_is_still_shown():
    launch, now = (0.01 * remembering(0.3, 40, seed) for seed in (4, 5))
    now[:6] += 0.1  # six days before the change
    lost = mean_difference(launch, now - 0.1, 0.0005, persistence([launch]))
    assert lost.low > 0.02


def test_neighbours_are_averaged_in_order():
    assert averaged(numpy.arange(6.0), 3.2).tolist() == [0.5, 2.5, 4.5]
    assert averaged(numpy.arange(3.0), 1.0).tolist() == [1.0]
