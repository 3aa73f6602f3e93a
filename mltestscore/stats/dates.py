"""Rows of few dates: each date says one thing, and how alike neighbours are is assumed where so few cannot tell.

Periods of :mod:`mltestscore.stats.periods` see a likeness among 60 different times or more.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy
from numpy.typing import NDArray
from scipy import special

from mltestscore.stats.interval import Interval
from mltestscore.stats.persistence import STRONGEST, Persistence, persistence

Vector = NDArray[numpy.float64]

MANY = 60
"""Dates, from which on periods of time are read from the rows."""

ASSUMED = 0.3
"""Likeness of neighbours that few dates are taken to have at least: by chance they may look like less."""

DOUBT = 0.5  # standard errors by which a likeness may be larger than it looks
LEAST_FREEDOM = 0.05  # below it, a quantile of t is no number any more


def widened(interval: Interval, values: Vector, alpha: float) -> Interval:
    """Return an interval whose clusters are dates with bounds as wide as dates that are alike ask for.

    Args:
        interval: bounds each at ``alpha``, by t over the dates.
        values: shape (G,), finite: the mean of each date, in order, of what is averaged.
        alpha: the level.

    Source: the variance of a mean of first-order autoregressive values and its degrees of freedom (Bayley and
    Hammersley 1946). Bounds hold where neighbouring dates correlate by up to 0.3. At 0.6 one at the level 0.0005 misses
    up to 4 times in 1,000 (by t alone up to 40 times) and one at 5 % in 7 % (21 %); a likeness of 0.9 lasts longer than
    few dates reach over, and no statistic of theirs sees it: then up to 30 times in 1,000 (230 times), and in 15 %
    (``tests/stats/coverage.md``).

    >>> found = Interval(0.5, 0.4, 0.6, 9, 0.95, "paired t")
    >>> widened(found, numpy.arange(9.0) % 2, 0.05).low < 0.4
    True
    """
    many = len(values)
    if many < 2 or not math.isfinite(interval.low) or not math.isfinite(interval.high):
        return interval
    seen = persistence([values]).first
    first = min(max(ASSUMED, seen + DOUBT * math.sqrt((1 - seen**2) / many)), STRONGEST)
    alike = Persistence(first, 0.0, many)
    usual, wide = (
        -float(special.stdtrit(freedom, alpha)) for freedom in (many - 1.0, max(LEAST_FREEDOM, alike.freedom(many)))
    )
    factor = math.sqrt(alike.widening(many, 0.05)) * wide / usual if usual > 0 else math.inf
    low, high = (interval.value + factor * (bound - interval.value) for bound in (interval.low, interval.high))
    return replace(interval, low=low, high=high, method=f"{interval.method}, {many} dates that may be alike")
