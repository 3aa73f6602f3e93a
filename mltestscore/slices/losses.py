"""Two models' losses on the same rows, and what one loses against the other on a slice."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mltestscore.errors import ConfigError
from mltestscore.slices.declared import Mask
from mltestscore.stats.interval import CLEAR, Interval, TwoLevels, two_levels
from mltestscore.stats.paired import difference
from mltestscore.stats.periods import LEAST
from mltestscore.stats.quality import loss_of_a_constant, losses, metric_for

Vector = npt.NDArray[np.float64]

METRIC = dict.fromkeys(("binary", "multiclass", "multilabel"), "d2_brier_score") | {
    "ranking": "ndcg",
    "regression": "d2_absolute_error",
}
LEAST_CLUSTERS = LEAST  # a cluster-robust variance of fewer is not to be trusted at these levels


@dataclass(frozen=True)
class Losses:
    """Losses of two models, as shares of what the best constant loses on all rows.

    Attributes:
        metric: the skill score that they add up to.
        ours: shape (n,), of the model in question.
        theirs: shape (n,), of the one that it is held against.
        clusters: shape (n,), or ``None`` where rows are independent.
    """

    metric: str
    ours: Vector
    theirs: Vector
    clusters: npt.NDArray[Any] | None

    @property
    def lost(self) -> Vector:
        """What each row lost; its mean over rows is the difference in quality."""
        return self.ours - self.theirs

    def quality(self, rows: Mask) -> float | None:
        """Return the metric of our model on some rows, against the constant of all rows; ``None`` for no rows."""
        return 1 - float(self.ours[rows].mean()) if rows.any() else None

    def loss_of(self, rows: Mask, alpha: float) -> TwoLevels:
        """Return the quality lost on some rows, at least one, with a bound at ``alpha`` that shows harm."""
        accusing, clearing = (
            difference(self.ours[rows], self.theirs[rows], level, self._clusters(rows)) for level in (alpha, CLEAR)
        )
        return two_levels(accusing, clearing)

    def level_of(self, rows: Mask, alpha: float) -> TwoLevels:
        """Return the quality on some rows, at least one, with a bound at ``alpha`` that shows it too low."""
        nothing = np.zeros(int(rows.sum()))
        accusing, clearing = (
            _shifted(difference(nothing, self.ours[rows], level, self._clusters(rows))) for level in (alpha, CLEAR)
        )
        return two_levels(accusing, clearing, harm="below")

    def too_few(self, rows: Mask, least: int) -> str:
        """Say why some rows cannot be judged, or nothing if they can."""
        if (count := int(rows.sum())) < least:
            return f"{count:,} rows; at least {least:,} are needed"
        clusters = self._clusters(rows)
        if clusters is not None and (many := len(np.unique(clusters))) < LEAST_CLUSTERS:
            return f"its {count:,} rows lie in {many} clusters; at least {LEAST_CLUSTERS} are needed"
        return ""

    def _clusters(self, rows: Mask) -> npt.NDArray[Any] | None:
        return None if self.clusters is None else self.clusters[rows]


def _shifted(gap: Interval) -> Interval:
    return replace(gap, value=1 + gap.value, low=1 + gap.low, high=1 + gap.high)


def slice_metric(task: str, wanted: str, also: Collection[str] = ()) -> str:
    """Return the metric by which slices are judged: one that is a mean over rows.

    Raises :class:`ConfigError` for one that the task has not, and for ``roc_auc``, which ranks rows of all slices.
    """
    metric = metric_for(task, wanted or METRIC.get(task, ""), also)
    if metric == "roc_auc":
        raise ConfigError('Slices are not judged by "roc_auc", which is no mean over rows; use "d2_brier_score".')
    return metric


def compare(metric: str, truth: npt.NDArray[Any], ours: Vector, theirs: Vector, clusters: Any) -> Losses:
    """Return the losses of two models' scores.

    Raises :class:`ValueError` for labels of one value only.
    """
    scale = loss_of_a_constant(metric, truth)
    return Losses(metric, losses(metric, truth, ours) / scale, losses(metric, truth, theirs) / scale, clusters)
