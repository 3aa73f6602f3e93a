"""Rows near in time are alike: time cut into periods so long that one says little of the next.

A forecast that is wrong today is wrong tomorrow for the same reason. Periods are clusters of rows for the intervals of
:mod:`mltestscore.stats.paired`; their length is read from the rows themselves.
"""

from __future__ import annotations

import math

import numpy
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[numpy.float64]

MOMENTS = 250
"""Parts of equal size in which time is looked at: enough to tell what is alike, of so many rows each that a weak effect
of a whole day is not lost in the noise of single rows."""

MOST = 50  # periods: more make no interval narrower that is worth the risk of cutting what belongs together
LEAST = 10
"""Periods, below which nothing is decided: a variance of fewer is not to be trusted at the levels of checks."""

LEFT = 0.1
"""Of the variance of a mean, what periods may miss, since the end of one is like the beginning of the next."""

SIGNIFICANT = 2.0  # a correlation at some lag, times sqrt(n / log10 n): the rule of Politis and White


def periods(times: ArrayLike, values: ArrayLike, longer_than: float = 0.0) -> NDArray[numpy.intp]:
    """Return the period of time that each row lies in, 0 … P-1 in order of time; at most :data:`MOST`.

    Args:
        times: shape (n,), numbers that grow with time; NaN comes last. Rows of one time are in one period.
        values: shape (n,) or (n, k), finite: what will be averaged, such as differences of losses. The values that are
            alike for longest decide.
        longer_than: in the unit of ``times``, what a period must cover: a horizon, within which forecasts are wrong
            together, or a season.

    So few periods as the rows are worth: fewer than :data:`LEAST` decide nothing, and the caller says so. Of fewer than
    100 different times a likeness is seen in part only: there a bound at the level 0.0005 misses up to 5 times in
    1,000, of 30 times up to 22 where neighbours correlate by 0.6 (``tests/stats/coverage.md``), and of fewer still more
    often; :mod:`mltestscore.stats.dates` is for those.

    Source: batch means, with the length at which they lack :data:`LEFT` of the variance of the mean, from the
    correlation over a flat-top lag window whose width the data choose (Politis and White 2004, Econometric Reviews
    23:53; Patton, Politis and White 2009).

    >>> len(set(periods(range(1000), numpy.random.default_rng(1).normal(size=1000)).tolist()))
    50
    """
    at, x = numpy.asarray(times, dtype=numpy.float64), numpy.asarray(values, dtype=numpy.float64)
    if at.ndim != 1 or len(at) == 0 or len(x) != len(at) or not numpy.isfinite(x).all():
        raise ValueError(f"times and finite values must be of one length ≥ 1, not {at.shape} and {x.shape}")
    moment = _moments(at)
    many = int(moment.max()) + 1
    columns = x.reshape(len(x), -1)
    sums = [numpy.bincount(moment, weights=one - one.mean(), minlength=many) for one in columns.T]
    lengths = [_length(numpy.asarray(one, dtype=numpy.float64)) for one in sums]
    length = max([1, *lengths, _covering(at, moment, longer_than)])
    count = min(MOST, max(1, many // length))
    return numpy.asarray(moment * count // many, dtype=numpy.intp)


def few(clusters: NDArray[numpy.intp]) -> str:
    """Say why so few periods decide nothing, or nothing if they are enough."""
    found = len(numpy.unique(clusters))
    if found >= LEAST:
        return ""
    return (
        f"rows near in time are alike, and these are worth {found} periods of time; at least {LEAST} are needed: offer "
        "rows of a longer time, or name what makes rows alike with cluster = …"
    )


def _moments(times: Vector) -> NDArray[numpy.intp]:
    """Return the part of time of each row: parts of equal size, but rows of one time together; numbered from 0."""
    ordered, place = numpy.unique(times, return_inverse=True)  # NaN are one, and last
    counts = numpy.bincount(place.reshape(-1), minlength=len(ordered))
    before = numpy.cumsum(counts) - counts
    part = before * MOMENTS // len(times) if len(ordered) > MOMENTS else numpy.arange(len(ordered))
    return numpy.asarray(numpy.unique(part, return_inverse=True)[1].reshape(-1)[place.reshape(-1)], dtype=numpy.intp)


def _covering(times: Vector, moment: NDArray[numpy.intp], longer_than: float) -> int:
    """Return how many moments cover a time: the most that any stretch of it needs."""
    known = numpy.isfinite(times)
    if not longer_than or not known.any():
        return 1
    starts = numpy.full(int(moment[known].max()) + 1, math.inf)
    numpy.minimum.at(starts, moment[known], times[known])
    reached = numpy.searchsorted(starts, starts + longer_than)
    return max(1, int((reached - numpy.arange(len(starts))).max()))


def _length(sums: Vector) -> int:
    """Return the moments of a period: so many that adjacent periods share little."""
    n, own = len(sums), float(sums @ sums)
    if n < 2 * LEAST or own <= 0:
        return 1
    lags = numpy.arange(1, n // 2)
    correlation = numpy.array([float(sums[lag:] @ sums[:-lag]) / own for lag in lags])
    quiet = max(5, math.ceil(math.sqrt(math.log10(n))))
    loud = numpy.abs(correlation) >= SIGNIFICANT * math.sqrt(math.log10(n) / n)
    alike = next((lag for lag in range(len(lags)) if not loud[lag : lag + quiet].any()), len(lags))
    if not alike:
        return 1
    window = min(2 * alike, len(lags))
    weight = numpy.clip(2 * (1 - lags[:window] / window), 0, 1)
    variance = 1 + 2 * float(weight @ correlation[:window])
    between = 2 * float((weight * lags[:window]) @ correlation[:window])
    windowed = between / variance if variance > between / n else n
    # Correlations of few moments come out too small, by Kendall's (1 + 3 r) / n of a first-order one.
    first = min(1 - 1 / n, correlation[0] + (1 + 3 * correlation[0]) / n)
    return min(n, math.ceil(float(max(alike * LEFT, windowed, 2 * first / (1 - first**2))) / LEFT))
