"""Few dates: bounds are as wide as the likeness asks for that so few could have without showing it."""

from __future__ import annotations

import math

import numpy
import pytest

from mltestscore.stats.dates import MANY, widened
from mltestscore.stats.interval import Interval
from mltestscore.stats.paired import difference


def over(values: numpy.ndarray, alpha: float) -> tuple[Interval, Interval]:
    """Return the interval of the mean of one value a date by t alone, and as wide as it is judged by."""
    plain = difference(values, numpy.zeros(len(values)), alpha, numpy.arange(len(values)))
    return plain, widened(plain, values, alpha)


def wider(values: numpy.ndarray, alpha: float) -> float:
    plain, found = over(values, alpha)
    assert found.value == plain.value
    return (found.high - found.low) / (plain.high - plain.low)


@pytest.mark.parametrize("many", [2, 3, 5, 9, 19])
def test_so_few_are_taken_to_be_alike_whatever_they_look_like(many):
    turning = numpy.arange(many) % 2 * 1.0
    assert wider(turning, 0.05) > 1.3
    assert wider(turning, 0.0005) > wider(turning, 0.05)


def test_more_dates_say_themselves_whether_they_are_alike():
    rng = numpy.random.default_rng(0)
    apart, trend = rng.normal(size=MANY - 1), numpy.linspace(-1, 1, MANY - 1)
    assert wider(apart, 0.05) < 1.6
    assert wider(trend, 0.05) > 5


def test_a_large_effect_on_few_dates_is_still_shown():
    """Five dates, each of which says 0.2 or so: by t alone from 0.19 on."""
    _, found = over(numpy.array([0.2, 0.21, 0.19, 0.2, 0.2]), 0.05)
    assert found.low > 0.17


def test_one_date_says_nothing_and_neither_do_open_bounds():
    open_one = Interval(0.2, -math.inf, math.inf, 1, 0.95, "paired t")
    assert widened(open_one, numpy.array([0.2]), 0.05) == open_one
    assert widened(open_one, numpy.array([0.2, 0.2, 0.3]), 0.05) == open_one
