"""A ratio of sums over some rows against all others, such as a rate of errors: its gap, and how far that may be off."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from mltestscore.stats.interval import CLEAR, Interval, TwoLevels, two_levels
from mltestscore.stats.mean import Spread, satterthwaite
from mltestscore.stats.persistence import Persistence

Vector = NDArray[numpy.float64]

MANY_ROWS = 10  # of a cluster, whose sum is hardly skewed; what few clusters show of it is mostly chance
METHOD = "group against complement, cluster-robust t"


@dataclass(frozen=True)
class Gap:
    """A mean, a difference of two ratios, or of two such, with what is known of its error.

    Attributes:
        value: group minus complement.
        errors: shape (G,), what each cluster adds to the estimation error.
        least: the variance that rare events leave at least.
        groups: clusters in the smaller of the two sides, of rows that the ratio is counted among.
        freedom: degrees of freedom of the error; infinite: ``groups - 1``.
        straight: whether errors are sums of so many rows, in so few clusters, that how skewed they are is not asked.
        lasting: for how long clusters in order of time stay alike; ``None`` where they are independent.
        runs: the clusters of each side that is in order.
    """

    value: float
    errors: Vector
    least: float
    groups: int
    freedom: float = math.inf
    straight: bool = False
    lasting: Persistence | None = None
    runs: tuple[int, ...] = ()

    def magnitude(self, alpha: float) -> TwoLevels:
        """Return the size of the gap; both signs together are accused at ``alpha``, and each cleared at 95 %."""
        accusing, clearing = (_size(self.interval(level)) for level in (alpha / 2, CLEAR))
        return two_levels(accusing, clearing)

    def beyond(self, other: Gap, alpha: float) -> TwoLevels:
        """Return by how much this gap is larger than another model's on the same rows."""
        errors = math.copysign(1.0, self.value) * self.errors - math.copysign(1.0, other.value) * other.errors
        freedom, groups = min(self.freedom, other.freedom), min(self.groups, other.groups)
        grown = Gap(abs(self.value) - abs(other.value), errors, 0.0, groups, freedom)
        return two_levels(grown.interval(alpha), grown.interval(CLEAR))

    def since(self, other: Gap) -> Gap:
        """Return the change from another gap of other rows to this one."""
        errors = numpy.concatenate([self.errors, other.errors])
        freedom, groups = min(self.freedom, other.freedom), min(self.groups, other.groups)
        straight = self.straight and other.straight
        value, least, runs = self.value - other.value, self.least + other.least, self.runs + other.runs
        return Gap(value, errors, least, groups, freedom, straight, self.lasting, runs)

    def interval(self, alpha: float) -> Interval:
        """Return the gap with bounds each at the level ``alpha``; fewer than two clusters leave them infinite."""
        errors, freedom = self._worth(alpha)
        length = float(numpy.linalg.norm(errors))
        skewness = float(((errors / length) ** 3).sum()) if length > 0 and not self.straight else 0.0
        error = math.sqrt(max(length**2, self.least))
        skewness *= (length / error) ** 3 if error > 0 else 0.0
        known = Spread(self.groups, error, freedom, skewness)
        down, up = known.reaches(alpha)
        return Interval(self.value, self.value - down, self.value + up, self.groups, 1 - alpha, METHOD)

    def _worth(self, alpha: float) -> tuple[Vector, float]:
        """Return the errors and their degrees of freedom, as for so many clusters as those in order are worth."""
        freedom = self.freedom if math.isfinite(self.freedom) and self.groups > 1 else self.groups - 1.0
        if self.lasting is None or not self.runs:
            return self.errors, freedom
        left = [self.lasting.left(many, alpha) for many in self.runs]
        if min(left) <= 1:
            return self.errors, 0.0
        wide = [math.sqrt(self.lasting.widening(many, alpha)) for many in self.runs]
        freedom *= min(self.lasting.freedom(many) / (many - 1) for many in self.runs)
        return self.errors * numpy.repeat(wide, self.runs), freedom


def gap(counted: Vector, among: Vector, group: NDArray[numpy.bool_], clusters: NDArray[numpy.intp], share: bool) -> Gap:
    """Return the gap of a ratio between the rows of a group and all others.

    Args:
        counted: shape (n,), what is counted.
        among: shape (n,), what it is counted among; either side must hold some.
        group: shape (n,), the rows of the group; neither all nor none.
        clusters: shape (n,), the cluster of each row; each row its own where rows are independent.
        share: whether the ratio lies in [0, 1], so that a count of none or all still leaves doubt.

    Source: the linearised ratio estimator (Cochran 1977) summed over clusters (Liang and Zeger 1986), each side
    unbiased and with Satterthwaite's degrees of freedom for unequal clusters, joined as Welch (1947) does; the least
    variance of a share is that with one more row of either kind on each side (Agresti and Caffo 2000). Bounds are those
    of :meth:`mltestscore.stats.mean.Spread.reaches`, wider where errors are skewed; still, of a group of
    100 rows with lognormal errors a bound at the level 0.0005 misses in 2 of 1,000 (``tests/stats/coverage.md``).

    >>> rows = numpy.arange(200)
    >>> gap((rows % 4 == 0) * 1.0, rows * 0 + 1.0, rows < 100, rows, share=True).value
    0.0
    """
    value, least, errors, groups = 0.0, 0.0, numpy.zeros(len(group)), []
    parts: list[tuple[float, float]] = []  # variance of each side, and its degrees of freedom
    for rows, sign in ((group, 1.0), (~group, -1.0)):
        total = float(among[rows].sum())
        level = float(counted[rows].sum()) / total
        value += sign * level
        own = (counted[rows] - level * among[rows]) / total
        present = among[rows] > 0
        codes = numpy.unique(clusters[rows][present], return_inverse=True)[1].reshape(-1)
        left, correction = satterthwaite(codes, own[present])
        errors[rows] = sign * math.sqrt(correction) * own
        groups.append(int(codes.max()) + 1)
        sums = numpy.bincount(codes, weights=own[present])
        parts.append((correction * float(sums @ sums), left))
        if share:
            padded = (float(counted[rows].sum()) + 1) / (total + 2)
            least += padded * (1 - padded) / (total + 2)
    added = numpy.bincount(clusters, weights=errors).astype(numpy.float64)
    return Gap(value, added, least, min(groups), _welch(parts), straight=len(group) >= MANY_ROWS * len(added))


def _welch(parts: list[tuple[float, float]]) -> float:
    if min(left for _, left in parts) < 1:
        return 0.0
    shares = sum(variance**2 / left for variance, left in parts)
    return float(sum(variance for variance, _ in parts) ** 2 / shares) if shares > 0 else min(left for _, left in parts)


def mean_gap(values: Vector, clusters: NDArray[numpy.intp], lasting: Persistence | None = None) -> Gap:
    """Return the mean of values, shape (n,), as a gap from nothing, with what each cluster, such as a day, adds to it.

    ``lasting``: for how long clusters stay alike that are numbered in order of time.

    >>> round(mean_gap(numpy.array([1.0, 1.0, 3.0, 3.0]), numpy.array([0, 0, 1, 1])).interval(0.25).low, 6)
    1.0
    """
    mean = float(values.mean())
    freedom, correction = satterthwaite(clusters, values)
    own = math.sqrt(correction) * (values - mean) / len(values)
    parts = numpy.bincount(clusters, weights=own).astype(numpy.float64)
    return Gap(mean, parts, 0.0, len(parts), freedom, straight=True, lasting=lasting, runs=(len(parts),))


def _size(interval: Interval) -> Interval:
    low = max(0.0, interval.low, -interval.high)
    high = max(-interval.low, interval.high)
    return Interval(abs(interval.value), low, high, interval.n, interval.confidence, interval.method)
