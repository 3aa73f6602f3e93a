"""How much worse a candidate is than the one that it would replace: measured by us, on rows that neither has seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mltestscore import contest
from mltestscore.dependence import dependent
from mltestscore.inputs.dataset import Dataset
from mltestscore.slices import losses, reference
from mltestscore.slices.declared import Mask
from mltestscore.stats.interval import CLEAR, Interval, TwoLevels, two_levels
from mltestscore.stats.quality import Vector, advantage, lost_by_row, metric_for, quality
from mltestscore.validation.packaging import Material, Packaged, Scores

if TYPE_CHECKING:
    from mltestscore.inputs.model import Model


@dataclass(frozen=True)
class Scale:
    """The judged rows, by which candidates are compared.

    Attributes:
        metric: of the average.
        truth: shape (n,), encoded labels.
        together: from what will be averaged to which rows belong together; ``None`` where rows are independent.
        task: of the candidates.
    """

    metric: str
    truth: npt.NDArray[Any]
    together: Callable[[Vector], npt.NDArray[np.intp] | None]
    task: str

    def quality(self, one: Packaged) -> float | None:
        """Return the metric of a candidate; ``None`` where it gives no finite scores."""
        return quality(self.metric, self.truth, one.scores) if one.scores is not None and _finite(one.scores) else None

    def drop(self, one: Packaged, base: Packaged, alpha: float) -> Interval | None:
        """Return by how much a candidate is worse than another one; ``None`` where one gives no finite scores."""
        if one.scores is None or base.scores is None or not (_finite(one.scores) and _finite(base.scores)):
            return None
        lost = lost_by_row(self.metric, self.truth, one.scores, base.scores)
        return advantage(self.metric, self.truth, base.scores, one.scores, alpha, self.together(lost))

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
    return Scale(metric_for(base.task), truth, lambda lost: dependent(judged, holdout, lambda: lost), base.task)


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
