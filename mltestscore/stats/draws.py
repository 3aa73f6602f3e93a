"""A few draws of one quantity: how far they spread, and whether a further one is of their kind."""

from __future__ import annotations

import math

import numpy
from numpy.typing import NDArray
from scipy import special

from mltestscore.stats.interval import Interval

Vector = NDArray[numpy.float64]
FEWEST = 5


def beyond(one: float, draws: Vector, alpha: float) -> Interval:
    """Return by how much the mean from which ``one`` was drawn exceeds that of ``draws``, each bound at ``alpha``.

    Where the two means are the same, bounds around it say where a further draw is predicted: Student's t with one
    degree of freedom less than there are draws, and the standard error ``s √(1 + 1/n)`` (Hahn and Meeker 1991,
    Statistical Intervals, 4.7), exact for normal draws. Of draws with the tails of Student's t with 3 degrees of
    freedom, a bound at the level 0.0005 misses 2 to 8 times in 1,000 (``tests/stats/coverage.md``).

    >>> found = beyond(0.5, numpy.array([0.4, 0.5, 0.6, 0.5, 0.5]), 0.05)
    >>> round(found.low, 3), found.value, round(found.high, 3)
    (-0.165, 0.0, 0.165)
    """
    mean, n = float(draws.mean()), len(draws)
    reach = -float(special.stdtrit(n - 1, alpha)) * float(draws.std(ddof=1)) * math.sqrt(1 + 1 / n)
    value = one - mean
    return Interval(value, value - reach, value + reach, n, 1 - alpha, "prediction interval, Student's t")


def deviation(draws: Vector, alpha: float) -> Interval:
    """Return the standard deviation of what is drawn, each bound at ``alpha``.

    From the chi-squared distribution, exact for normal draws. The lower bound leaves out the draw that is farthest from
    the median, so that no single one accuses: then it misses as seldom as it says, also where tails are those of
    Student's t with 3 degrees of freedom (1 in 1,000 at the level 0.0005). For such tails the upper bound is too sure.

    >>> found = deviation(numpy.array([1.0, 2.0, 3.0, 4.0, 5.0]), 0.05)
    >>> round(found.low, 3), round(found.value, 3), round(found.high, 3)
    (0.8, 1.581, 3.751)
    """
    value, freedom = float(draws.std(ddof=1)), len(draws) - 1
    kept = numpy.delete(draws, numpy.abs(draws - numpy.median(draws)).argmax())
    low = float(kept.std(ddof=1)) * math.sqrt((freedom - 1) / float(special.chdtri(freedom - 1, alpha)))
    high = value * math.sqrt(freedom / float(special.chdtri(freedom, 1 - alpha)))
    return Interval(
        value, min(low, value), high, len(draws), 1 - alpha, "chi-squared, the farthest draw not counted below"
    )
