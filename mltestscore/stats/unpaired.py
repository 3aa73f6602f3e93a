"""Two means over different rows, such as the days before a release and the days after it."""

from __future__ import annotations

import math

import numpy
from numpy.typing import ArrayLike
from scipy import special

from mltestscore.stats.interval import Interval
from mltestscore.stats.persistence import Persistence

METHOD = "Welch's t over blocks of time"


def mean_difference(a: ArrayLike, b: ArrayLike, alpha: float, lasting: Persistence | None = None) -> Interval:
    """Return ``mean(a) - mean(b)`` of independent values, with bounds each at the level ``alpha``.

    Args:
        a, b: shapes (n,) and (m,), finite; for rows that depend on their neighbours, one value a block of them.
        alpha: the probability, in (0, 0.5], with which each bound may miss.
        lasting: for how long values in order of time stay alike, which are then worth fewer.

    Two values a side are the least that say how much values vary; with fewer the bounds are infinite.

    Source: Welch (1947) with Satterthwaite's degrees of freedom; of values that are worth fewer, of those.

    Raises :class:`ValueError` for no values, values that are not finite, or an impossible level.

    >>> interval = mean_difference([1.0, 2.0, 3.0], [0.0, 1.0, 2.0], alpha=0.05)
    >>> interval.value, round(interval.low, 2)
    (1.0, -0.74)
    """
    if not 0 < alpha <= 0.5:
        raise ValueError(f"the level alpha must lie in (0, 0.5], not {alpha}")
    sides = [numpy.asarray(side, dtype=numpy.float64) for side in (a, b)]
    if any(side.ndim != 1 or not len(side) or not numpy.isfinite(side).all() for side in sides):
        raise ValueError("both sides must be lists of at least one finite number")
    value, n = float(sides[0].mean() - sides[1].mean()), min(map(len, sides))
    if n < 2:
        return Interval(value, -math.inf, math.inf, n, 1 - alpha, METHOD)
    left = [float(len(side)) if lasting is None else lasting.left(len(side), alpha) for side in sides]
    if min(left) <= 1:
        return Interval(value, -math.inf, math.inf, n, 1 - alpha, METHOD)
    parts = [float(side.var()) / (many - 1) for side, many in zip(sides, left, strict=True)]
    error = math.sqrt(sum(parts))
    free = [len(side) - 1.0 if lasting is None else lasting.freedom(len(side)) for side in sides]
    shares = [part**2 / many for part, many in zip(parts, free, strict=True)]
    freedom = sum(parts) ** 2 / sum(shares) if error > 0 else n - 1
    reach = float(special.stdtrit(freedom, 1 - alpha)) * error
    return Interval(value, value - reach, value + reach, n, 1 - alpha, METHOD)
