"""Two models judged on the same rows: pairing removes what the rows have in common, so that less data decides."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from mltestscore.stats.cluster import Clusters, codes_of
from mltestscore.stats.interval import Interval
from mltestscore.stats.proportion import bounds

Vector = NDArray[numpy.float64]
SIGN_SHARE = 0.8  # of alpha goes to the sign of a 0/1 difference (exact McNemar), the rest to how often losses differ


def difference(loss_a: ArrayLike, loss_b: ArrayLike, alpha: float, clusters: Clusters | None = None) -> Interval:
    """Return the mean of ``loss_a - loss_b`` over the same rows, with bounds each at the level ``alpha``.

    Args:
        loss_a: shape (n,), one loss per row, finite; positive results mean that b is better.
        loss_b: likewise, of the other model on the same rows.
        alpha: the probability, in (0, 0.5], with which each bound may miss.
        clusters: the cluster of each row where rows are not independent.

    Losses of 0 and 1 on independent rows are judged exactly: the sign as by McNemar's exact test on the rows where
    the models differ, the size by Clopper-Pearson bounds. Everything else is a t interval, with cluster-robust
    variance and G - 1 degrees of freedom where clusters are given (Liang and Zeger 1986). One row, or one cluster,
    leaves the bounds infinite.

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
    if clusters is None and numpy.isin(a, (0.0, 1.0)).all() and numpy.isin(b, (0.0, 1.0)).all():
        return _sign_difference(int((gaps > 0).sum()), int((gaps < 0).sum()), len(gaps), alpha)
    mean = float(gaps.mean())
    scores, groups = _cluster_sums((gaps - mean) / len(gaps), clusters)
    method = "paired t" if clusters is None else "paired t, cluster-robust"
    if groups < 2:
        return Interval(mean, -math.inf, math.inf, groups, 1 - alpha, method)
    error = math.sqrt(groups / (groups - 1) * float((scores**2).sum()))
    reach = float(stats.t.isf(alpha, groups - 1)) * error
    return Interval(mean, mean - reach, mean + reach, groups, 1 - alpha, method)


def auc(y: ArrayLike, s: ArrayLike, alpha: float, clusters: Clusters | None = None) -> Interval:
    """Return the area under the ROC curve, in [0, 1], with bounds each at the level ``alpha``.

    Args:
        y: shape (n,), true for the positive class; both classes must occur.
        s: shape (n,), scores, higher for the positive class; ties count one half.
        alpha: the probability, in (0, 0.5], with which each bound may miss.
        clusters: the cluster of each row where rows are not independent.

    Source: DeLong, DeLong and Clarke-Pearson (1988) in the fast form of Sun and Xu (2014), with t quantiles on the
    rows of the rarer class; scores that leave no variance (a perfect ranking) get an exact bound over disjoint pairs.

    Raises :class:`ValueError` for one class only, unequal lengths or scores that are NaN.

    >>> auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], alpha=0.05).value
    0.75
    """
    positive, components = _components(y, [s])
    return _ranked(positive, components[0], alpha, clusters, lowest=0.0)


def auc_difference(
    y: ArrayLike, a: ArrayLike, b: ArrayLike, alpha: float, clusters: Clusters | None = None
) -> Interval:
    """Return ``AUC(a) - AUC(b)`` of two models' scores on the same rows, with bounds each at the level ``alpha``.

    Arguments, source and errors as for :func:`auc`.

    >>> auc_difference([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4], [0.1, 0.4, 0.35, 0.8], alpha=0.05).value
    0.25
    """
    positive, components = _components(y, [a, b])
    return _ranked(positive, components[0] - components[1], alpha, clusters, lowest=-1.0)


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
        ranks = stats.rankdata(s)
        placement = numpy.empty(len(s))
        placement[positive] = (ranks[positive] - stats.rankdata(s[positive])) / n
        placement[~positive] = 1 - (ranks[~positive] - stats.rankdata(s[~positive])) / m
        placements.append(placement)
    return positive, placements


def _ranked(
    positive: NDArray[numpy.bool_],
    placement: Vector,
    alpha: float,
    clusters: Clusters | None,
    lowest: float,
) -> Interval:
    _check_level(alpha)
    m, n = int(positive.sum()), int((~positive).sum())
    value = float(placement[positive].mean())
    scores = placement - value
    for side, count in ((positive, m), (~positive, n)):
        scores[side] /= math.sqrt(count * max(1, count - 1))
    sums, groups = _cluster_sums(scores, clusters)
    rarer = min(m, n, groups)
    method = "DeLong" if clusters is None else "DeLong, cluster-robust"
    if rarer < 2:
        return Interval(value, lowest, 1.0, rarer, 1 - alpha, method)
    correction = 1.0 if clusters is None else groups / (groups - 1)
    error = math.sqrt(correction * float((sums**2).sum()))
    unseen = bounds(0, rarer, alpha)[1]  # no variance seen: what `rarer` disjoint pairs could still have missed
    reach = float(stats.t.isf(alpha, rarer - 1)) * error if error > 1e-12 else unseen * (1.0 - lowest)
    low, high = max(lowest, value - reach), min(1.0, value + reach)
    return Interval(value, min(low, value), max(high, value), rarer, 1 - alpha, method)


def _cluster_sums(scores: Vector, clusters: Clusters | None) -> tuple[Vector, int]:
    if clusters is None:
        return scores, len(scores)
    codes = codes_of(clusters)
    if len(codes) != len(scores):
        raise ValueError(f"clusters must name one cluster for each of {len(scores)} rows, not {len(codes)}")
    sums: Vector = numpy.bincount(codes, weights=scores).astype(numpy.float64)
    return sums, len(sums)


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
