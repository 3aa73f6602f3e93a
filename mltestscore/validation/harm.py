"""How much worse a candidate is than the one that it would replace: measured by us, on rows that neither has seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mltestscore import contest
from mltestscore.dependence import dependent, stretches
from mltestscore.inputs.dataset import Dataset
from mltestscore.slices import losses, reference
from mltestscore.slices.declared import Mask
from mltestscore.stats.interval import CLEAR, Interval, TwoLevels, two_levels
from mltestscore.stats.periods import LEAST
from mltestscore.stats.quality import Vector, advantage, loss_of_a_constant, lost_by_row, metric_for, quality
from mltestscore.validation.packaging import Material, Packaged, Scores

if TYPE_CHECKING:
    from mltestscore.inputs.model import Model


OF_A_STRETCH = 30  # rows: the bounds of fewer are not reliable


@dataclass(frozen=True)
class Scale:
    """The judged rows, by which candidates are compared.

    Attributes:
        metric: of the average.
        truth: shape (n,), encoded labels.
        together: from what will be averaged to which rows belong together; ``None`` where rows are independent.
        task: of the candidates.
        stretches: shape (n,), in which tenth of the rows' time each lies; ``None`` without times, and where a cluster
            says what belongs together.
    """

    metric: str
    truth: npt.NDArray[Any]
    together: Callable[[Vector], npt.NDArray[np.intp] | None]
    task: str
    stretches: npt.NDArray[np.intp] | None = None

    def quality(self, one: Packaged) -> float | None:
        """Return the metric of a candidate; ``None`` where it gives no finite scores."""
        return quality(self.metric, self.truth, one.scores) if one.scores is not None and _finite(one.scores) else None

    def drop(self, one: Packaged, base: Packaged, alpha: float) -> Interval | None:
        """Return by how much a candidate is worse than another one; ``None`` where one gives no finite scores."""
        if one.scores is None or base.scores is None or not (_finite(one.scores) and _finite(base.scores)):
            return None
        lost = lost_by_row(self.metric, self.truth, one.scores, base.scores)
        return advantage(self.metric, self.truth, base.scores, one.scores, alpha, self.together(lost))

    def lasting(self, one: Packaged, base: Packaged, alpha: float) -> float | None:
        """Return what a candidate at least loses in every tenth of the rows' time; ``None`` where that cannot be told.

        Where seasons or trends make all rows alike, they are worth one period of time, and no bound of an average is
        finite. What is lost all the time is no matter of the period: rows within a tenth tell it for that tenth.
        """
        if self.stretches is None or one.scores is None or base.scores is None:
            return None
        if not (_finite(one.scores) and _finite(base.scores)):
            return None
        least = np.inf
        for part in range(LEAST):
            rows = self.stretches == part
            if rows.sum() < OF_A_STRETCH or len(np.unique(self.truth[rows])) < 2:
                return None
            lost = advantage(self.metric, self.truth[rows], base.scores[rows], one.scores[rows], alpha)
            least = min(least, lost.low * self._weight(rows))
        return float(least)

    def _weight(self, rows: npt.NDArray[np.bool_]) -> float:
        """Return by what a skill on some rows counts on the scale of all of them."""
        if self.metric == "roc_auc":
            return 1.0
        return loss_of_a_constant(self.metric, self.truth[rows]) / loss_of_a_constant(self.metric, self.truth)

    def loss_on(self, one: Packaged, base: Packaged, rows: Mask, alpha: float, least: int) -> TwoLevels | None:
        """Return the quality that a candidate loses on some rows; ``None`` where too few rows could tell."""
        if one.scores is None or base.scores is None or not (_finite(one.scores) and _finite(base.scores)):
            return None
        metric = losses.slice_metric(self.task, "")
        compared = losses.compare(metric, self.truth, one.scores, base.scores, None)
        compared = replace(compared, clusters=self.together(compared.lost))
        return None if compared.too_few(rows, least) else compared.loss_of(rows, alpha)


def scale_of(base: Packaged, material: Material, holdout: Dataset) -> Scale:
    """Return the judged rows with their labels encoded as the packaged models do.

    Raises :class:`NotOffered` for models with several answers a row, or an order of rows.
    """
    label = material.judged[material.label]
    classes = contest.classes_of(base.classes, label)
    truth = contest.encoded(label, base.task, classes, holdout.name)
    judged = material.judged

    def together(lost: Vector) -> npt.NDArray[np.intp] | None:
        return dependent(judged, holdout, lambda: lost)

    tenths = None if holdout.roles.cluster else stretches(judged, holdout, LEAST)
    return Scale(metric_for(base.task), truth, together, base.task, tenths)


def lost_since(
    model: Model, previous: Model, holdout: Dataset, rows: int, least: int, alpha: float
) -> tuple[TwoLevels | None, str]:
    """Return the quality that the model lost against the version before, or why that is not known.

    Returns also the metric, or the reason.
    """
    more = [name for name in previous.features if name in holdout.columns]
    later = contest.labelled(holdout, list(dict.fromkeys([*model.features, *more])), rows)
    label = later[holdout.roles.label]
    if why := reference.incomparable(model, previous, later):
        return None, why
    truth = contest.encoded(label, model.task, contest.classes_of(model.classes, label), holdout.name)
    if len(truth) < least or len(np.unique(truth)) < 2:
        return None, f"{len(truth):,} labelled holdout rows with {len(np.unique(truth))} different labels are too few"
    ours, theirs = (contest.labelled_scores(one, holdout, later, rows) for one in (model, previous))
    if not (_finite(ours) and _finite(theirs)):
        return None, "one of the two gives scores that are not finite"
    metric = metric_for(model.task)
    clusters = dependent(later, holdout, lambda: lost_by_row(metric, truth, ours, theirs))
    accusing, clearing = (advantage(metric, truth, theirs, ours, level, clusters) for level in (alpha, CLEAR))
    return two_levels(accusing, clearing), f"metric: {metric}"


def _finite(scores: Scores) -> bool:
    return bool(np.isfinite(scores).all())
