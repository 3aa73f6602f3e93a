"""Two models judged on the same rows: pairing removes what the rows have in common, so that less data decides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
import scipy
from numpy.typing import ArrayLike, NDArray

from mltestscore.stats.cluster import Clusters, codes_of
from mltestscore.stats.interval import Interval
from mltestscore.stats.mean import freedom_of, spread
from mltestscore.stats.proportion import bounds

Vector = NDArray[numpy.float64]
MANY = 30
"""Rows that speak for each of two models, from which the t interval of a 0/1 difference misses as often as promised: at
0.0005 and at 0.05 at most 1.07 times that, in 2 million draws each of 300 to 30,000 rows. It is a fifth to a third
narrower than the exact one."""

SIGN_SHARE = 0.8  # of alpha goes to the sign of a 0/1 difference (exact McNemar), the rest to how often losses differ
STEPS = 40  # of bisection: a bound is known to 1e-12


def difference(loss_a: ArrayLike, loss_b: ArrayLike, alpha: float, clusters: Clusters | None = None) -> Interval:
    """Return the mean of ``loss_a - loss_b`` over the same rows, with bounds each at the level ``alpha``.

    Args:
        loss_a: shape (n,), one loss per row, finite; positive results mean that b is better.
        loss_b: likewise, of the other model on the same rows.
        alpha: the probability, in (0, 0.5], with which each bound may miss.
        clusters: the cluster of each row where rows are not independent.

    Losses of 0 and 1 on independent rows, of which fewer than :data:`MANY` speak for one of the models, are judged
    exactly: the sign as by McNemar's exact test on the rows where the models differ, the size by Clopper-Pearson
    bounds. Everything else is a t interval, cluster-robust where clusters are given, and wider on the side of rare
    large losses (:func:`mltestscore.stats.mean.spread`). One row, or one cluster, leaves the bounds infinite.

    No bound can know of losses that no row shows: where models differ in one row of fifty and always to one side, 30
    rows often hold no such row. From 300 rows on, the bounds hold there too, but for a level of 0.0005, which takes
    3,000 (tests/stats/coverage.md).

    Raises :class:`ValueError` for no rows, unequal lengths or losses that are not finite.

    >>> interval = difference([1, 1, 1, 0, 1, 1, 1, 1], [0] * 8, alpha=0.05)
    >>> interval.value, interval.low > 0
    (0.875, True)
    """
    _check_level(alpha)
    a, b = _vector(loss_a, "loss_a"), _vector(loss_b, "loss_b")
    if len(a) != len(b):
        raise ValueError(f"the two models must be judged on the same rows: {len(a)} and {len(b)} losses")
    gaps = a - b
    wins, against = int((gaps > 0).sum()), int((gaps < 0).sum())
    counted = numpy.isin(a, (0.0, 1.0)).all() and numpy.isin(b, (0.0, 1.0)).all()
    if clusters is None and counted and min(wins, against) < MANY:
        return _sign_difference(wins, against, len(gaps), alpha)
    mean, seen = float(gaps.mean()), spread(gaps, clusters)
    down, up = seen.reaches(alpha)
    method = "paired t" if clusters is None else "paired t, cluster-robust"
    return Interval(mean, mean - down, mean + up, seen.groups, 1 - alpha, method)


def auc(y: ArrayLike, s: ArrayLike, alpha: float, clusters: Clusters | None = None) -> Interval:
    """Return the area under the ROC curve, in [0, 1], with bounds each at the level ``alpha``.

    Args:
        y: shape (n,), true for the positive class; both classes must occur.
        s: shape (n,), scores, higher for the positive class; ties count one half.
        alpha: the probability, in (0, 0.5], with which each bound may miss.
        clusters: the cluster of each row where rows are not independent.

    Source: DeLong, DeLong and Clarke-Pearson (1988) in the fast form of Sun and Xu (2014), on the logit scale (Qin and
    Hotilovac 2008, Statistical Methods in Medical Research 17:207) with t quantiles on the rows of the rarer class;
    and Newcombe's bounds (2006, Statistics in Medicine 25:559, method 5), for a ranking so nearly right that few rows
    show no variance: the wider of both. A perfect ranking gets an exact bound over disjoint pairs.

    Raises :class:`ValueError` for one class only, unequal lengths or scores that are NaN.

    >>> auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], alpha=0.05).value
    0.75
    """
    positive, components = _components(y, [s])
    area = _delong(positive, components[0], alpha, clusters)
    if area.error == 0:
        return area.interval(area.unseen, 0.0)
    centre = float(scipy.special.logit(area.value))
    reach = area.quantile * area.error / (area.value * (1 - area.value))
    low, high = _newcombe(area.value, area.positives, area.negatives, alpha)
    low, high = (
        min(low, float(scipy.special.expit(centre - reach))),
        max(high, float(scipy.special.expit(centre + reach))),
    )
    return Interval(area.value, min(low, area.value), max(high, area.value), area.rarer, 1 - alpha, area.method)


def auc_difference(
    y: ArrayLike, a: ArrayLike, b: ArrayLike, alpha: float, clusters: Clusters | None = None
) -> Interval:
    """Return ``AUC(a) - AUC(b)`` of two models' scores on the same rows, with bounds each at the level ``alpha``.

    Arguments and errors as for :func:`auc`. Source: DeLong, DeLong and Clarke-Pearson (1988), with t quantiles.

    >>> auc_difference([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4], [0.1, 0.4, 0.35, 0.8], alpha=0.05).value
    0.25
    """
    positive, components = _components(y, [a, b])
    gap = _delong(positive, components[0] - components[1], alpha, clusters)
    return gap.interval(gap.quantile * gap.error if gap.error else 2 * gap.unseen, -1.0)


def auc_gains(y: ArrayLike, a: ArrayLike, b: ArrayLike) -> Vector:
    """Return what each row adds to the error of ``AUC(a) - AUC(b)``, shape (n,): its influence, 0 on average.

    Rows that stray together show it here, whatever the share of each class among them. Errors as for :func:`auc`.

    >>> auc_gains([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4], [0.1, 0.4, 0.35, 0.8]).tolist()
    [-0.5, 0.5, 0.5, -0.5]
    """
    positive, components = _components(y, [a, b])
    gap = components[0] - components[1]
    for side in (positive, ~positive):
        gap[side] = (gap[side] - gap[side].mean()) * len(gap) / side.sum()
    return gap


def _sign_difference(wins: int, losses: int, n: int, alpha: float) -> Interval:
    """(wins - losses) / n: which of two rows' outcomes is the likelier, times how often they differ at all."""
    differ = wins + losses
    value = (wins - losses) / n
    method = "exact McNemar, Clopper-Pearson"
    rare, often = bounds(differ, n, alpha * (1 - SIGN_SHARE))
    sign_low, sign_high = (-1.0, 1.0) if differ == 0 else bounds(wins, differ, alpha * SIGN_SHARE)
    if differ:
        sign_low, sign_high = 2 * sign_low - 1, 2 * sign_high - 1
    low = sign_low * (rare if sign_low > 0 else often)
    high = sign_high * (often if sign_high > 0 else rare)
    return Interval(value, min(low, value), max(high, value), n, 1 - alpha, method)


def _components(y: ArrayLike, scores: Sequence[ArrayLike]) -> tuple[NDArray[numpy.bool_], list[Vector]]:
    """Each row's placement value: the share of the other class that it ranks rightly against."""
    positive = numpy.asarray(y).astype(bool)
    m, n = int(positive.sum()), int((~positive).sum())
    if m == 0 or n == 0:
        raise ValueError(f"an AUC needs rows of both classes; found {m} positive and {n} negative rows")
    placements = []
    for score in scores:
        s = numpy.asarray(score, dtype=numpy.float64)
        if s.shape != positive.shape or numpy.isnan(s).any():
            raise ValueError(f"an AUC needs one score, not NaN, for each of {len(positive)} rows; got {s.shape}")
        ranks = scipy.stats.rankdata(s)
        placement = numpy.empty(len(s))
        placement[positive] = (ranks[positive] - scipy.stats.rankdata(s[positive])) / n
        placement[~positive] = 1 - (ranks[~positive] - scipy.stats.rankdata(s[~positive])) / m
        placements.append(placement)
    return positive, placements


@dataclass(frozen=True, slots=True)
class _DeLong:
    """An area, or a difference of two, and what its variance leaves open."""

    value: float
    error: float
    quantile: float
    unseen: float  # what `rarer` disjoint pairs could still have missed
    rarer: int
    positives: float  # effective rows, where they come in clusters
    negatives: float
    alpha: float
    method: str

    def interval(self, reach: float, lowest: float) -> Interval:
        low, high = max(lowest, self.value - reach), min(1.0, self.value + reach)
        return Interval(
            self.value, min(low, self.value), max(high, self.value), self.rarer, 1 - self.alpha, self.method
        )


def _delong(positive: NDArray[numpy.bool_], placement: Vector, alpha: float, clusters: Clusters | None) -> _DeLong:
    _check_level(alpha)
    m, n = int(positive.sum()), int((~positive).sum())
    value = float(placement[positive].mean())
    scores = placement - value
    for side, count in ((positive, m), (~positive, n)):
        scores[side] /= math.sqrt(count * max(1, count - 1))
    variance, rarer, fewer, freedom = float(scores @ scores), min(m, n), 1.0, min(m, n) - 1.0
    if clusters is not None:
        codes = codes_of(clusters)
        if len(codes) != len(scores):
            raise ValueError(f"clusters must name one cluster for each of {len(scores)} rows, not {len(codes)}")
        sums = numpy.bincount(codes, weights=scores)
        robust = len(sums) / max(1, len(sums) - 1) * float(sums @ sums)
        fewer, variance = max(1.0, robust / variance) if variance > 0 else 1.0, robust
        rarer, freedom = min(rarer, len(sums)), min(freedom, freedom_of(codes, scores))
    method = "DeLong" if clusters is None else "DeLong, cluster-robust"
    error = math.sqrt(variance) if variance > 1e-24 else 0.0
    if rarer < 2 or freedom < 1 - 1e-9:
        return _DeLong(value, 0.0, math.inf, 1.0, rarer, 1.0, 1.0, alpha, method)
    quantile, unseen = -float(scipy.special.stdtrit(freedom, alpha)), bounds(0, rarer, alpha)[1]
    return _DeLong(value, error, quantile, unseen, rarer, max(1.0, m / fewer), max(1.0, n / fewer), alpha, method)


def _newcombe(area: float, positives: float, negatives: float, alpha: float) -> tuple[float, float]:
    """Return the areas whose own standard error, as exponential scores have it, makes this one just likely enough."""
    z = -float(scipy.special.ndtri(alpha))
    pairs = max(0.0, (positives + negatives) / 2 - 1)

    def unlikely(true: float) -> bool:
        shared = (1 - true) / (2 - true) + true / (1 + true)
        return (area - true) ** 2 > z * z * true * (1 - true) * (1 + pairs * shared) / (positives * negatives)

    def bound(beyond: float) -> float:
        within = area
        for _ in range(STEPS):
            middle = (within + beyond) / 2
            within, beyond = (within, middle) if unlikely(middle) else (middle, beyond)
        return beyond

    return bound(0.0), bound(1.0)


def _vector(values: ArrayLike, name: str) -> Vector:
    vector = numpy.asarray(values, dtype=numpy.float64)
    if vector.ndim != 1 or len(vector) == 0:
        raise ValueError(f"{name} must be a list of at least one number, not of shape {vector.shape}")
    if not numpy.isfinite(vector).all():
        raise ValueError(f"{name} must be finite; {int((~numpy.isfinite(vector)).sum())} of {len(vector)} are not")
    return vector


def _check_level(alpha: float) -> None:
    if not 0 < alpha <= 0.5:
        raise ValueError(f"the level alpha must lie in (0, 0.5], not {alpha}")
