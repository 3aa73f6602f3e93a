"""Values in order of time, such as the quality of days, each like the one before: how many independent ones they are.

Days are too few for periods of :mod:`mltestscore.stats.periods`, which tell a likeness of rows among 100 times or more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from scipy import special

Vector = NDArray[numpy.float64]

LAGS = 7  # days: what comes back by the weekday, or lasts for days, is summed over a week
STRONGEST = 0.97  # likeness of neighbours, beyond which no number of days at hand says more than one
CLEAR = float(special.ndtri(0.05))


@dataclass(frozen=True)
class Persistence:
    """How long values stay alike.

    Attributes:
        first: the correlation of neighbours.
        week: the sum of the correlations over :data:`LAGS` lags.
        values: from how many values both were read.
    """

    first: float
    week: float
    values: int

    def left(self, n: int, alpha: float) -> float:
        """Return how many independent values a run of ``n`` is worth for its mean, from 1 to ``n``.

        ``alpha`` is the level of the bound that it serves: at 5 % the likeness counts as it is estimated, at stricter
        levels as larger, from 0.0005 on by a standard error: runs that look independent by chance must not accuse.

        Source: the variance of a mean of first-order autoregressive values (Bayley and Hammersley 1946), or over a week
        of lags where that is larger. A bound of 28 or 90 days against 40, whose likeness is read from the 40, misses at
        the level 0.0005 in at most 1 of 1,000 runs where neighbours correlate by up to 0.5 (in 29 if days counted as
        independent), and in 2 to 4 where they do by 0.8 (in 140); a likeness that is weak and lasts for weeks is seen
        in part only: then in 22 (``tests/stats/coverage.md``).
        """
        doubt = min(1.0, float(special.ndtri(alpha)) / CLEAR - 1)
        first = self.first + doubt * math.sqrt((1 - self.first**2) / self.values)
        first = min(max(0.0, first), STRONGEST)
        steady = (1 + first) / (1 - first) - 2 * first * (1 - first**n) / (n * (1 - first) ** 2)
        return n / min(max(1.0, steady, 1 + 2 * self.week), n)

    def freedom(self, n: int) -> float:
        """Return the degrees of freedom that the variance of ``n`` values has (Bayley and Hammersley 1946)."""
        first = max(0.0, self.first)
        return (n - 1) * (1 - first**2) / (1 + first**2)

    def widening(self, n: int, alpha: float) -> float:
        """Return by what it makes the variance of a mean of ``n`` values grow; infinite where they are worth one.

        >>> Persistence(0.0, 0.0, 40).widening(40, 0.05), Persistence(0.5, 1.0, 40).widening(40, 0.05) > 3
        (1.0, True)
        """
        left = self.left(n, alpha)
        return (n - 1) / (left - 1) if left > 1 else math.inf


def persistence(runs: Sequence[Vector]) -> Persistence:
    """Return for how long the values of runs stay alike, each of shape (n,), finite, in order of time.

    A run in which something changed once looks as if its values were alike for long: where a change is what is sought,
    the likeness is read from a run before it.

    Source: Kendall's correction of the correlation of short runs (1954). Values that do not vary are alike for no time.

    >>> persistence([numpy.array([1.0, 2.0, 1.0, 2.0])]).first
    -0.97
    >>> persistence([numpy.arange(40.0)]).first
    0.97
    """
    values = sum(map(len, runs))
    centred = [run - run.mean() for run in runs if len(run)]
    squares = sum(float(run @ run) for run in centred)
    if squares <= 0:
        return Persistence(0.0, 0.0, max(1, values))
    lagged = [sum(float(run[lag:] @ run[:-lag]) for run in centred) / squares for lag in range(1, LAGS + 1)]
    first = lagged[0] + (1 + 3 * lagged[0]) * len(centred) / values
    return Persistence(min(max(first, -STRONGEST), STRONGEST), sum(lagged), values)


def averaged(values: Vector, left: float) -> Vector:
    """Return the means of neighbours, as many as values are ``left``, in order: hardly like one another any more."""
    return numpy.array([part.mean() for part in numpy.array_split(values, max(1, int(left)))])
