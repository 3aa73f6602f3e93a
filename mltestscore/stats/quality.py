"""How good scores are and by how much one model is better than another on the same rows; higher is always better.

Metrics carry scikit-learn's names. ``roc_auc`` and ``accuracy`` are as usual; ``r2``, ``d2_absolute_error``,
``d2_log_loss`` and ``d2_brier_score`` are skill scores: the share of a constant's loss that the model removes, 1 at
best, 0 for the constant.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy
from numpy.typing import ArrayLike, NDArray

from mltestscore.errors import ConfigError, near
from mltestscore.stats import ranking
from mltestscore.stats.cluster import Clusters
from mltestscore.stats.interval import Interval
from mltestscore.stats.paired import auc, auc_difference, auc_gains, difference
from mltestscore.tasks import require_one_answer

Vector = NDArray[numpy.float64]

METRICS = {
    "binary": ("roc_auc", "d2_log_loss", "d2_brier_score", "accuracy"),
    "multiclass": ("accuracy", "d2_log_loss", "d2_brier_score"),
    "multilabel": ("d2_brier_score", "d2_log_loss", "accuracy"),
    "ranking": ranking.METRICS,
    "regression": ("r2", "d2_absolute_error"),
}
LEAST_PROBABILITY = 1e-6  # a single score of 0 must not decide a mean log loss alone


def metric_for(task: str, wanted: str = "", also: Collection[str] = ()) -> str:
    """Return ``wanted`` if the task has that metric, or the task's first metric for an empty ``wanted``.

    ``also``: tasks beyond one answer a row that the caller can judge.

    Raises :class:`ConfigError` with near names for a metric that the task has not, :class:`NotOffered` for a task
    without metrics.
    """
    require_one_answer(task, also=also)
    known = METRICS[task]
    if wanted and wanted not in known:
        raise ConfigError(f"A {task} model is not judged by the metric {wanted!r}.{near(wanted, known)}")
    return wanted or known[0]


def quality(metric: str, y: ArrayLike, scores: ArrayLike, clusters: Clusters | None = None) -> float:
    """Return the metric of scores; arguments as for :func:`advantage`.

    >>> quality("roc_auc", [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), quality("r2", [1, 2, 3], [2, 2, 2])
    (0.75, 0.0)
    """
    if metric == "roc_auc":
        return auc(y, scores, alpha=0.5).value
    if metric in ranking.METRICS:
        return float(ranking.qualities(metric, y, scores, _queries(clusters)).mean())
    loss = float(losses(metric, y, scores).mean())
    return 1 - loss / loss_of_a_constant(metric, numpy.asarray(y))


def advantage(
    metric: str, y: ArrayLike, ours: ArrayLike, theirs: ArrayLike, alpha: float, clusters: Clusters | None = None
) -> Interval:
    """Return ``quality(ours) - quality(theirs)`` on the same rows, with bounds each at the level ``alpha``.

    Args:
        metric: one of :data:`METRICS`.
        y: shape (n,): 0 and 1 (binary), class numbers from 0 (multiclass), values (regression), grades (ranking);
            shape (n, k) of 0 and 1: several labels, of which every row's mean loss counts.
        ours: scores in the shape that :meth:`mltestscore.inputs.model.Model.predict` returns; finite.
        theirs: likewise, of the other model.
        alpha: the probability, in (0, 0.5], with which each bound may miss.
        clusters: the cluster of each row where rows are not independent; of a ranking, its query.

    Source: :func:`mltestscore.stats.paired.auc_difference` and :func:`mltestscore.stats.paired.difference`; the
    loss of the constant, by which a skill score is scaled, counts once as known and once as estimated from the same
    rows (the linearised ratio estimator, Cochran 1977), and the wider bounds hold: where one label is rare, the second
    is too narrow, where losses are as skewed as the scale, the first. Of fewer than 3,000 rows of a regression with
    heavy tails or many equal values, a bound at the level 0.0005 misses up to 4 times in 1,000; of fewer than 300 rows,
    so does that of a logarithmic loss (``tests/stats/coverage.md``).

    Raises :class:`ValueError` for labels of one value only, where no metric tells models apart.
    """
    if metric == "roc_auc":
        return auc_difference(y, ours, theirs, alpha, clusters)
    if metric in ranking.METRICS:
        both = [1 - ranking.qualities(metric, y, one, _queries(clusters)) for one in (theirs, ours)]
        return difference(both[0], both[1], alpha)
    our, their = losses(metric, y, ours), losses(metric, y, theirs)
    if metric == "accuracy":
        return difference(their, our, alpha, clusters)
    constant = losses_of_a_constant(metric, numpy.asarray(y))
    scale = float(constant.mean())
    known = difference(their, our, alpha, clusters)
    estimated = difference(their, our + known.value / scale * constant, alpha, clusters)
    down = max(known.value - known.low, estimated.value - estimated.low)
    up = max(known.high - known.value, estimated.high - estimated.value)
    value = known.value / scale
    return replace(known, value=value, low=value - down / scale, high=value + up / scale)


def _queries(clusters: Clusters | None) -> Clusters:
    if clusters is None:
        raise ValueError("a ranking is judged query by query: name the query of each row")
    return clusters


def lost_by_row(metric: str, y: ArrayLike, ours: ArrayLike, theirs: ArrayLike) -> Vector:
    """Return what each row loses by ours, shape (n,): of ``roc_auc``, no mean of losses, by the Brier score.

    It tells which rows go wrong together. NaN where a score is.

    >>> lost_by_row("roc_auc", [0, 1], [0.5, 1.0], [0.0, 1.0]).tolist()
    [0.5, 0.0]
    """
    metric = "d2_brier_score" if metric == "roc_auc" else metric
    return losses(metric, y, ours) - losses(metric, y, theirs)


def gained_by_row(metric: str, y: ArrayLike, ours: ArrayLike, theirs: ArrayLike) -> Vector:
    """Return what each row says for ours, shape (n,), which tells whether rows stray together in :func:`advantage`."""
    if metric == "roc_auc":
        return auc_gains(y, ours, theirs)
    return -lost_by_row(metric, y, ours, theirs)


def losses(metric: str, y: ArrayLike, scores: ArrayLike) -> Vector:
    """Return one loss per row, lower is better; ``roc_auc`` is no mean of losses and has none.

    >>> losses("accuracy", [0, 1, 1], [0.2, 0.9, 0.4]).tolist()
    [0.0, 0.0, 1.0]
    """
    truth, given = numpy.asarray(y), numpy.asarray(scores, dtype=numpy.float64)
    if truth.ndim == 2:  # label by label, all of equal weight
        each = [losses(metric, own, score) for own, score in zip(truth.T, given.T, strict=True)]
        return numpy.asarray(numpy.mean(each, axis=0))
    if metric == "accuracy":
        chosen = given.argmax(axis=1) if given.ndim == 2 else given >= 0.5
        return numpy.asarray(chosen != truth, dtype=numpy.float64)
    if metric == "d2_log_loss":
        right = given[numpy.arange(len(truth)), truth] if given.ndim == 2 else numpy.where(truth == 1, given, 1 - given)
        return numpy.asarray(-numpy.log(numpy.clip(right, LEAST_PROBABILITY, 1.0)))
    if metric == "d2_brier_score":  # over all classes, of which the score of a binary task names one
        wrong = (given if given.ndim == 2 else numpy.column_stack([1 - given, given])).copy()
        wrong[numpy.arange(len(truth)), truth] -= 1
        return numpy.asarray((wrong**2).sum(axis=1))
    gaps = numpy.abs(truth - given)
    return numpy.asarray(gaps if metric == "d2_absolute_error" else gaps**2, dtype=numpy.float64)


def loss_of_a_constant(metric: str, y: NDArray[Any]) -> float:
    """Return the mean loss of the best constant on these rows; 1 for accuracy, which needs no scale.

    Raises :class:`ValueError` for labels of one value only.
    """
    return 1.0 if metric == "accuracy" else float(losses_of_a_constant(metric, y).mean())


def losses_of_a_constant(metric: str, y: NDArray[Any]) -> Vector:
    """Return the loss of each row under the best constant, shape (n,); errors as for :func:`loss_of_a_constant`."""
    if y.ndim == 2:
        found = losses(metric, y, numpy.broadcast_to(y.mean(axis=0), y.shape))
        if found.mean() <= 0:
            raise ValueError(f"{metric} needs labels that vary; each is the same in all {len(y)} rows")
        return found
    if metric in ("d2_log_loss", "d2_brier_score"):
        _, places, counts = numpy.unique(y, return_inverse=True, return_counts=True)
        shares = counts / len(y)
        own = shares[places.reshape(-1)]
        found = -numpy.log(own) if metric == "d2_log_loss" else 1 - 2 * own + (shares**2).sum()
    else:
        constant = y.astype(numpy.float64).mean() if metric == "r2" else numpy.median(y.astype(numpy.float64))
        found = losses(metric, y, numpy.full(len(y), constant))
    if found.mean() <= 0:
        raise ValueError(f"{metric} needs labels that vary; all {len(y)} are {y[0]!r}")
    return numpy.asarray(found)
