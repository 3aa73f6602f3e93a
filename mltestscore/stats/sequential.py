"""A mean watched from day to day: bounds that hold at every look at once, however often somebody looks."""

from __future__ import annotations

import math

import numpy
from numpy.typing import ArrayLike, NDArray

from mltestscore.stats.interval import Interval

Vector = NDArray[numpy.float64]

METHOD = "betting confidence sequence"
BOLDNESS = 0.5  # of the largest bet that cannot ruin: Waudby-Smith and Ramdas recommend 1/2 or 3/4
STEPS = 50  # of bisection: the bound is known to 1e-15 of the range


def mean_so_far(values: ArrayLike, alpha: float, least: float = 0.0, most: float = 1.0) -> Interval:
    """Return the mean of values in order of time, with bounds that hold at all times together, each at ``alpha``.

    Args:
        values: shape (n,), in order of time, all within [``least``, ``most``]; what is known before a value may tell
            its spread, but not its mean.
        alpha: the probability, in (0, 0.5], that the bound is ever wrong, at this look or at any before.
        least, most: the range that values cannot leave.

    The lower bound is the largest mean against which a gambler, who bets on higher values and knows only the past, has
    ever made 1/alpha of his stake; by Ville's inequality that happens with probability alpha at most. It also holds
    where the mean changes with time: then some of the means since the start lie above it.

    Source: Waudby-Smith and Ramdas (2024), Estimating means of bounded random variables by betting, JRSS B 86:1,
    theorem 3, one side, with their predictable plug-in bets.

    Raises :class:`ValueError` for values that leave the range or are not finite, and for an impossible level.

    >>> interval = mean_so_far([0.2, 0.3, 0.25, 0.2, 0.3] * 20, alpha=0.05)
    >>> round(interval.low, 2), interval.value, round(interval.high, 2)
    (0.23, 0.25, 0.29)
    """
    if not 0 < alpha <= 0.5:
        raise ValueError(f"the level alpha must lie in (0, 0.5], not {alpha}")
    if not least < most:
        raise ValueError(f"the range must have least < most, not {least} and {most}")
    x = numpy.asarray(values, dtype=numpy.float64)
    if x.ndim != 1 or not numpy.isfinite(x).all() or (len(x) and not least <= x.min() <= x.max() <= most):
        raise ValueError(f"values must be a list of finite numbers within {least} and {most}")
    if not len(x):
        return Interval((least + most) / 2, least, most, 0, 1 - alpha, METHOD)
    unit, span = (x - least) / (most - least), most - least
    mean = float(x.mean())
    low, high = least + span * _lower(unit, alpha), most - span * _lower(1 - unit, alpha)
    return Interval(mean, min(low, mean), max(high, mean), len(x), 1 - alpha, METHOD)


def _lower(x: Vector, alpha: float) -> float:
    """Return the largest mean that the wealth of the bets has ever refuted; wealth falls as the mean rises."""
    bets = _bets(x, alpha)
    low, high, enough = 0.0, 1.0, -math.log(alpha)
    for _ in range(STEPS):
        middle = (low + high) / 2
        bold = numpy.minimum(bets, BOLDNESS / middle)
        wealth = numpy.cumsum(numpy.log1p(bold * (x - middle)))
        low, high = (middle, high) if wealth.max() >= enough else (low, middle)
    return low


def _bets(x: Vector, alpha: float) -> Vector:
    """Return how much to bet on each value, from those before it: more where they vary less, less as time goes on."""
    times = numpy.arange(1, len(x) + 1)
    means = (0.5 + numpy.cumsum(x)) / (times + 1)
    spread = (0.25 + numpy.cumsum((x - means) ** 2)) / (times + 1)
    before = numpy.concatenate([[0.25], spread[:-1]])
    return numpy.asarray(numpy.sqrt(2 * math.log(1 / alpha) / (before * times * numpy.log(1 + times))))
