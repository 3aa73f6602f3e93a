"""How far the mean of rows or of clusters may be off: Student's t, never too narrow where values are skewed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from scipy import special

from mltestscore.stats.cluster import Clusters, codes_of, icc

Vector = NDArray[numpy.float64]


@dataclass(frozen=True, slots=True)
class Spread:
    """What rows say of how far a mean of theirs is off.

    Attributes:
        groups: rows, or clusters where rows are not independent.
        error: the standard error.
        freedom: degrees of freedom of the error: ``groups - 1``, or fewer where clusters are of unequal size.
        skewness: of the mean, the third moment over the error cubed; that of a row over √n for independent rows.
    """

    groups: int
    error: float
    freedom: float
    skewness: float

    def reaches(self, alpha: float) -> tuple[float, float]:
        """Return how far the mean reaches down and up, each missed with probability ``alpha``; both may be infinite.

        The wider of two: Student's t, and the same after the cubic transformation that removes skewness (Hall 1992,
        On the removal of skewness by transformation, JRSS B 54:221), which alone would be too narrow where tails are
        heavy and symmetric. t alone accuses at 0.0005 in 0.6 % of 300 lognormal values, both together in 0.1 %.
        """
        if self.freedom < 1 - 1e-9:
            return math.inf, math.inf
        t = -float(special.stdtrit(self.freedom, alpha))
        return max(t, self._straightened(t)) * self.error, max(t, -self._straightened(-t)) * self.error

    def _straightened(self, t: float) -> float:
        """The studentised mean whose transform is t: the inverse of t + k t²/3 + k² t³/27 + k/6."""
        k = self.skewness
        return (float(numpy.cbrt(1 + k * (t - k / 6))) - 1) * 3 / k if abs(k) > 1e-6 else t


def spread(values: Vector, clusters: Clusters | None = None) -> Spread:
    """Return the spread of the mean of ``values``, shape (n,), at least one, over independent rows or clusters.

    Source: the cluster-robust variance of Liang and Zeger (1986), unbiased and with Satterthwaite's degrees of freedom
    under the intra-class correlation that the values show (after Bell and McCaffrey 2002, Survey Methodology 28:169);
    for clusters of equal size these are the usual ``G / (G - 1)`` and ``G - 1``.

    Raises :class:`ValueError` for clusters of another length.

    >>> found = spread(numpy.array([1.0, 1.0, 3.0, 3.0]), ["a", "a", "b", "b"])
    >>> found.groups, round(found.error, 6), found.freedom, found.skewness
    (2, 1.0, 1.0, 0.0)
    """
    scores = (values - values.mean()) / len(values)
    if clusters is None:
        n = len(values)
        return _spread(scores, n - 1.0, n / (n - 1) if n > 1 else 1.0)
    codes = codes_of(clusters)
    if len(codes) != len(values):
        raise ValueError(f"clusters must name one cluster for each of {len(values)} rows, not {len(codes)}")
    sums = numpy.bincount(codes, weights=scores).astype(numpy.float64)
    freedom, correction = _unequal(numpy.bincount(codes).astype(numpy.float64), icc(values, codes))
    return _spread(sums, freedom, correction)


def freedom_of(clusters: NDArray[numpy.intp], values: Vector) -> float:
    """Return the degrees of freedom that unequal clusters leave, at most one less than there are clusters."""
    return satterthwaite(clusters, values)[0]


def satterthwaite(clusters: NDArray[numpy.intp], values: Vector) -> tuple[float, float]:
    """Return the degrees of freedom that clusters leave, and what makes the variance of a mean over them unbiased.

    ``clusters``, shape (n,), are numbered from 0 without gaps; ``values``, shape (n,), say how alike their rows are.
    """
    return _unequal(numpy.bincount(clusters).astype(numpy.float64), icc(values, clusters))


def _unequal(sizes: Vector, correlation: float) -> tuple[float, float]:
    """Satterthwaite's degrees of freedom, and what makes the variance unbiased, where rows are so alike."""
    expected = sizes * (1 + (sizes - 1) * correlation)
    expected /= expected.sum()
    weights = sizes / sizes.sum()
    kept = 1 - 2 * float(weights @ expected) + float(weights @ weights)
    return 1 / float(expected @ expected) - 1, 1 / kept if kept > 1e-12 else 1.0


def _spread(sums: Vector, freedom: float, correction: float) -> Spread:
    length = float(numpy.linalg.norm(sums))
    skewness = float(((sums / length) ** 3).sum()) if length > 0 else 0.0
    return Spread(len(sums), math.sqrt(correction) * length, freedom, skewness)
