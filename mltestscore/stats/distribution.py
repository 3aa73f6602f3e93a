"""How far two distributions lie apart, with bounds that hold at any n: the distance is judged, never a p-value.

Every function takes raw samples or :class:`Counted` values, so that a database can do the counting.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import ArrayLike, NDArray

from mltestscore.stats.interval import Interval, Side
from mltestscore.stats.proportion import share_bounds

Vector = NDArray[numpy.float64]


@dataclass(frozen=True)
class Counted:
    """A sample as distinct values and how often each occurs: what ``GROUP BY value`` returns, in any order."""

    support: Sequence[object]
    counts: Sequence[int]

    def __post_init__(self) -> None:
        if len(self.support) != len(self.counts) or any(count < 0 for count in self.counts):
            raise ValueError("counted values need one count ≥ 0 for each value")


@dataclass(frozen=True, slots=True)
class Distance(Interval):
    """A distance between two distributions, in [0, 1].

    Attributes:
        at: where the two differ most: a value (Kolmogorov-Smirnov) or a category.
        reach: half width before it was cut to [0, 1], which is what more rows make smaller.
    """

    at: object
    reach: float

    def smallest_visible(self, limit: float, side: Side) -> float | None:
        """Return the distance nearest to ``limit`` that this n would show as beyond it; ``None`` where none would."""
        visible = limit + self.reach if side == "above" else limit - self.reach
        return visible if 0 <= visible <= 1 else None

    def n_to_settle(self, limit: float) -> int | None:
        """Return the n, of both sides grown alike, that would decide this estimate; ``None`` on the limit itself."""
        distance = abs(self.value - limit)
        return None if distance == 0 else math.ceil(self.n * max(1.0, (self.reach / distance) ** 2))


Sample = ArrayLike | Counted


def ks_distance(
    reference: Sample, current: Sample, alpha: float, n_effective: tuple[float, float] | None = None
) -> Distance:
    """Return the Kolmogorov-Smirnov distance of two samples of numbers, with bounds each at the level ``alpha``.

    Args:
        reference: numbers, shape (n,), or counted numbers; no NaN (missing values are a matter of their own).
        current: likewise, shape (m,).
        alpha: the probability, in (0, 1), with which each bound may miss.
        n_effective: independent rows behind each sample where rows are clustered; default: the row counts.

    The half width is ``sqrt(-ln(alpha / 2) / 2) * sqrt((n + m) / (n m))``, the two-sample form of the inequality of
    Dvoretzky, Kiefer and Wolfowitz (Massart 1990; Wei and Dudley 2012). Judged against a tolerated distance it is a
    minimum-effect test: it stays quiet at any n while the true distance is within the tolerance.

    Raises :class:`ValueError` for an empty sample, NaN or an impossible level.

    >>> distance = ks_distance([1, 2, 3, 4], [3, 4, 5, 6], alpha=0.05)
    >>> distance.value, distance.at
    (0.5, 2.0)
    """
    _check_level(alpha)
    support_r, counts_r = _numbers(reference, "reference")
    support_c, counts_c = _numbers(current, "current")
    support = numpy.union1d(support_r, support_c)
    gaps = numpy.abs(_cdf(support_r, counts_r, support) - _cdf(support_c, counts_c, support))
    worst = int(gaps.argmax())
    n, m = n_effective or (float(counts_r.sum()), float(counts_c.sum()))
    reach = math.sqrt(-math.log(alpha / 2) / 2) * math.sqrt((n + m) / (n * m))
    value = min(1.0, float(gaps[worst]))
    low, high = max(0.0, value - reach), min(1.0, value + reach)
    return Distance(value, low, high, int(m), 1 - alpha, "KS distance, DKW bound", float(support[worst]), reach)


def category_distance(
    reference: Sample, current: Sample, alpha: float, n_effective: tuple[float, float] | None = None
) -> Distance:
    """Return the largest difference of any category's share (L-infinity), with simultaneous bounds at ``alpha``.

    Arguments as for :func:`ks_distance`, with categories of any type; ``None`` is a category like every other.

    Each category's difference gets bounds by the method of variance estimates recovery (Newcombe 1998, method 10, on
    Clopper-Pearson bounds) at ``alpha / (2 k)`` for k categories, so that all hold together. L-infinity does not grow
    with the number of categories as chi-squared, PSI and Jensen-Shannon do.

    Raises :class:`ValueError` for an empty sample or an impossible level.

    >>> distance = category_distance(["a"] * 50 + ["b"] * 50, ["a"] * 80 + ["b"] * 20, alpha=0.05)
    >>> round(distance.value, 2), distance.at
    (0.3, 'a')
    """
    _check_level(alpha)
    counts_r, counts_c = _categories(reference, "reference"), _categories(current, "current")
    names = list(dict.fromkeys([*counts_r, *counts_c]))
    total_r, total_c = sum(counts_r.values()), sum(counts_c.values())
    n, m = n_effective or (float(total_r), float(total_c))
    level = min(0.5, alpha / (2 * len(names)))
    p = numpy.array([counts_r.get(name, 0) for name in names]) / total_r
    q = numpy.array([counts_c.get(name, 0) for name in names]) / total_c
    gaps, lows, highs = _share_gaps(p, q, n, m, level)
    worst = int(gaps.argmax())
    value, low, high = float(gaps[worst]), max(0.0, float(lows.max())), min(1.0, float(highs.max()))
    reach = max(high - value, float((gaps - lows).max()))
    return Distance(value, low, high, int(m), 1 - alpha, "L-infinity, Clopper-Pearson bounds", names[worst], reach)


def _share_gaps(p: Vector, q: Vector, n: float, m: float, level: float) -> tuple[Vector, Vector, Vector]:
    """Absolute differences of shares with their bounds, category by category; not yet cut to [0, 1]."""
    (low_p, high_p), (low_q, high_q) = share_bounds(p * n, n, level), share_bounds(q * m, m, level)
    up, down = numpy.hypot(high_q - q, p - low_p), numpy.hypot(q - low_q, high_p - p)
    gaps = q - p
    lows = numpy.abs(gaps) - numpy.where(gaps >= 0, down, up)
    return numpy.abs(gaps), lows, numpy.maximum(numpy.abs(gaps + up), numpy.abs(gaps - down))


def _numbers(sample: Sample, side: str) -> tuple[Vector, Vector]:
    if isinstance(sample, Counted):
        support = numpy.asarray(sample.support, dtype=numpy.float64)
        counts = numpy.asarray(sample.counts, dtype=numpy.float64)
        order = numpy.argsort(support, kind="stable")
        support, counts = support[order], counts[order]
    else:
        values = numpy.asarray(sample, dtype=numpy.float64).reshape(-1)
        support, raw = numpy.unique(values, return_counts=True)
        counts = raw.astype(numpy.float64)
    if counts.sum() == 0:
        raise ValueError(f"the {side} sample is empty; yield undecided(…) instead")
    if numpy.isnan(support).any():
        raise ValueError(f"the {side} sample holds NaN; judge missing values by their share, and leave them out here")
    return support, counts


def _cdf(support: Vector, counts: Vector, at: Vector) -> Vector:
    cumulative = numpy.concatenate([[0.0], numpy.cumsum(counts)]) / counts.sum()
    return numpy.asarray(cumulative[numpy.searchsorted(support, at, side="right")])


def _categories(sample: Sample, side: str) -> dict[object, int]:
    counts: dict[object, int] = {}
    if isinstance(sample, Counted):
        pairs = zip(sample.support, sample.counts, strict=True)
    else:
        values = list(numpy.asarray(sample, dtype=object).reshape(-1))
        pairs = zip(values, [1] * len(values), strict=True)
    for value, count in pairs:
        name = None if isinstance(value, float) and math.isnan(value) else value
        counts[name] = counts.get(name, 0) + int(count)
    if not sum(counts.values()):
        raise ValueError(f"the {side} sample is empty; yield undecided(…) instead")
    return counts


def _check_level(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise ValueError(f"the level alpha must lie between 0 and 1, not {alpha}")
