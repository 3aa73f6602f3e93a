"""What a model is held against on a slice: the version before it, or the best simple model for a first release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore import contest
from mltestscore.errors import NotOffered
from mltestscore.inputs.dataset import Dataset
from mltestscore.slices.declared import Mask
from mltestscore.stats.quality import quality

if TYPE_CHECKING:
    from mltestscore.inputs.model import Model
    from mltestscore.inputs.registry import Registry

LOWER_IS_BETTER = ("loss", "error", "mse", "rmse", "mae", "mape", "brier", "deviance", "perplexity")


@dataclass(frozen=True)
class Reference:
    """Another model on the same rows.

    Attributes:
        name: in the reader's words.
        scores: in the shape of :meth:`mltestscore.inputs.model.Model.predict`.
        chosen: whether the searched half of the rows chose it, so that only the other half may judge.
    """

    name: str
    scores: npt.NDArray[np.float64]
    chosen: bool


def incomparable(model: Model, previous: Model | None, frame: pd.DataFrame) -> str:
    """Say why the version before cannot be held against the model on these rows; nothing if it can, or is none."""
    if previous is None:
        return ""
    missing = [name for name in previous.features if name not in frame.columns]
    if missing:
        return f"the version before reads {missing[0]!r:.80}, which these rows have not; add it to the holdout"
    told = bool(previous.classes and model.classes)  # a server does not say which classes it knows
    if previous.task != model.task or (told and previous.classes != model.classes):
        return f"the version before is a {previous.task} model of the classes {list(previous.classes)[:5]!r:.200}"
    return ""


def version_before(previous: Model, holdout: Dataset, frame: pd.DataFrame, rows: int) -> Reference:
    """Return the version before on ``frame``, which is ``labelled(holdout, …, rows)``."""
    name = f"the version before, {previous.version}" if previous.version else "the version before"
    return Reference(name[:100], contest.labelled_scores(previous, holdout, frame, rows), chosen=False)


@dataclass(frozen=True)
class Searched:
    """Labelled rows, some of which choose the simple model.

    Attributes:
        frame: shape (n, …), with the model's features.
        truth: shape (n,) or (n, k), encoded.
        rows: shape (n,), those that choose.
        clusters: shape (n,), as declared, or ``None``.
    """

    frame: pd.DataFrame
    truth: npt.NDArray[Any]
    rows: Mask
    clusters: npt.NDArray[Any] | None


def simple_model(model: Model, training: Dataset | None, given: Searched, metric: str, rows: int) -> Reference:
    """Return the constant, linear model or small tree of model.5 that is best on the searched rows.

    Raises :class:`NotOffered` without training rows to learn from.
    """
    if training is None:
        raise NotOffered("previous_model", "offer the version before, or training rows from which a simple one learns")
    lesson = contest.lesson(training, model.features, model.classes, model.task, rows, metric == "d2_absolute_error")
    scores = {one.name: one.predict(given.frame) for one in lesson.baselines}
    some = None if given.clusters is None else given.clusters[given.rows]
    truth = given.truth[given.rows]
    good = {name: quality(metric, truth, one[given.rows], some) for name, one in scores.items()}
    best = max(good, key=lambda name: good[name])
    return Reference(f"the best simple model, {best}", scores[best], chosen=True)


def recorded_gain(registry: Registry | None) -> str:
    """Return the first metric that the registry says has improved since the version before, in words, or nothing."""
    if registry is None or registry.previous is None:
        return ""
    before, now = registry.previous.metrics, registry.current.metrics
    for name in now:
        words = name.casefold().replace("-", "_").split("_")
        sign = -1 if any(word.endswith(LOWER_IS_BETTER) for word in words) else 1
        if name in before and sign * (now[name] - before[name]) > 0:
            return f"{name[:40]} went from {before[name]:.4g} to {now[name]:.4g}"
    return ""
