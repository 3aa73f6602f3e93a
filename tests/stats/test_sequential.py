"""Bounds that hold at every look: false alarms however often somebody looks, power, and what is refused."""

from __future__ import annotations

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.stats.sequential import discordance_so_far, mean_so_far, share_so_far


@pytest.mark.parametrize(("a", "b"), [(2, 8), (0.3, 0.3), (40, 60)])
def test_looking_every_day_alarms_no_more_often_than_stated(a, b):
    """200 series of 120 days, looked at each day; bounds at 5 % may be wrong at any look in 10 of 200, and 8 more."""
    rng, mean = numpy.random.default_rng(int(a * 10)), a / (a + b)
    wrong = 0
    for _ in range(200):
        values = rng.beta(a, b, 120)
        lows = [mean_so_far(values[:day], 0.05).low for day in (5, 10, 20, 40, 80, 120)]
        wrong += max(lows) > mean
    assert wrong <= 18


def test_an_ordinary_interval_would_alarm_far_more_often_if_it_were_looked_at_every_day():
    """The same looks with the t interval's lower bound: what the sequence is for."""
    rng, wrong = numpy.random.default_rng(1), 0
    for _ in range(200):
        values = rng.beta(2, 8, 120)
        days = numpy.arange(1, 121)
        means = numpy.cumsum(values) / days
        spread = numpy.sqrt(numpy.maximum(numpy.cumsum(values**2) / days - means**2, 1e-12) / days)
        wrong += bool((means - 1.66 * spread > 0.2)[9:].any())
    assert wrong > 30


def test_a_mean_that_has_fallen_is_seen_after_some_weeks():
    values = numpy.random.default_rng(2).normal(0.6, 0.04, 60).clip(0, 1)
    assert mean_so_far(values[:7], 0.001).high > 0.7
    assert mean_so_far(values, 0.001).high < 0.7


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(0.001, 0.5))
@settings(max_examples=60, deadline=None)
def test_both_bounds_are_mirror_images_around_the_mean(values, alpha):
    found, mirrored = mean_so_far(values, alpha), mean_so_far([1 - value for value in values], alpha)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high == pytest.approx(1 - mirrored.low, abs=1e-9)


def test_another_range_moves_and_stretches_the_bounds():
    values = numpy.random.default_rng(3).random(50)
    unit, wide = mean_so_far(values, 0.05), mean_so_far(4 * values - 1, 0.05, least=-1, most=3)
    assert (wide.low, wide.high) == pytest.approx((4 * unit.low - 1, 4 * unit.high - 1))


def test_nothing_seen_leaves_the_whole_range():
    found = mean_so_far([], 0.05, least=-1)
    assert (found.low, found.high, found.n) == (-1, 1, 0)


@pytest.mark.parametrize(("values", "alpha"), [([1.1], 0.05), ([float("nan")], 0.05), ([[0.5]], 0.05), ([0.5], 0.6)])
def test_what_has_no_answer_is_refused(values, alpha):
    with pytest.raises(ValueError, match=r"values must|level alpha"):
        mean_so_far(values, alpha)


def test_an_empty_range_is_refused():
    with pytest.raises(ValueError, match="least < most"):
        mean_so_far([0.5], 0.05, least=1, most=1)


def looked_at(ours: float, theirs: float, pairs: int, rng: numpy.random.Generator, alpha: float) -> float:
    """Return the highest of the lower bounds after every hundred pairs of independent failures."""
    first, second = rng.random(pairs) < ours, rng.random(pairs) < theirs
    only_first, only_second = numpy.cumsum(first & ~second), numpy.cumsum(second & ~first)
    looks = range(99, pairs, 100)
    return max(discordance_so_far(int(only_first[at]), int(only_second[at]), at + 1, alpha).low for at in looks)


def test_looking_at_pairs_every_hundred_alarms_no_more_often_than_stated_and_shows_three_times_the_errors():
    rng = numpy.random.default_rng(3)
    assert sum(looked_at(0.05, 0.05, 1_500, rng, 0.05) > 0 for _ in range(60)) <= 8  # 3 are promised, and 5 by chance
    assert sum(looked_at(0.15, 0.05, 1_500, rng, 0.0005) > 0.01 for _ in range(20)) >= 18


@pytest.mark.parametrize("counts", [(0, 0, 0), (0, 0, 700), (700, 0, 700), (3, 4, 50)])
def test_bounds_of_pairs_hold_their_value_and_lie_in_range(counts):
    found = discordance_so_far(*counts, 0.05)
    assert -1 <= found.low <= found.value <= found.high <= 1
    share = share_so_far(counts[0], counts[0] + counts[1], 0.05)
    assert 0 <= share.low <= share.value <= share.high <= 1


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="impossible counts"):
        discordance_so_far(3, 3, 5, 0.05)
    with pytest.raises(ValueError, match="level alpha"):
        discordance_so_far(0, 0, 5, 0.6)
    with pytest.raises(ValueError, match="0 ≤ hits"):
        share_so_far(3, 2, 0.05)
