"""Membership inference: can somebody who knows a row tell from the model's loss whether it was trained on?"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # a part of scikit-learn's installation

from mltestscore.contest import encoded, labelled, lesson
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model, Scores
from mltestscore.stats.interval import CLEAR, TwoLevels, two_levels
from mltestscore.stats.paired import auc
from mltestscore.stats.quality import losses

METRIC = {"binary": "d2_log_loss", "multiclass": "d2_log_loss", "regression": "r2"}
LINEAR = 1  # of the baselines: too simple to remember a row
KEPT = 4  # answers that are remembered


@dataclass(frozen=True)
class TooFew:
    """Why nothing can be said."""

    reason: str


_known: dict[Hashable, TwoLevels | TooFew] = {}


def membership(
    model: Model, training: Dataset, holdout: Dataset, *, rows: int, fewest: int, alpha: float
) -> TwoLevels | TooFew:
    """Return the area under the curve with which losses tell training rows from held-out ones; 0.5 is chance.

    A later holdout may be harder or easier for any model, so each loss counts relative to that of a linear model on
    the same row, which cannot remember rows (calibration by difficulty, Watson et al. 2022). At most ``rows`` rows of
    each side, at least ``fewest``; the lower bound is at the level ``alpha``, the upper one at 95 %, both robust to
    clusters.

    Raises :class:`InputError` and :class:`NotOffered` as the contest with simpler models does.
    """

    both = training, holdout
    first, second = (labelled(data, model.features, rows) for data in both)
    for data, frame in zip(both, (first, second), strict=True):
        if len(frame) < fewest:
            return TooFew(f"{data.name} has {len(frame)} labelled rows; at least {fewest} are needed")
    # Most faults of the check change neither the model nor what it is asked.
    key = (model.digest, model.features, training.roles, holdout.roles, alpha, _digest(first), _digest(second))
    if key not in _known or not all((model.digest, *key[-2:])):
        _known[key] = _attacked(model, training, [(training, first), (holdout, second)], rows, alpha)
        while len(_known) > KEPT:
            del _known[next(iter(_known))]
    return _known[key]


def _attacked(
    model: Model, training: Dataset, sides: list[tuple[Dataset, pd.DataFrame]], rows: int, alpha: float
) -> TwoLevels | TooFew:
    learned = lesson(training, model.features, model.classes, model.task, rows, False)
    scores, clusters = [], []
    for data, frame in sides:
        y = encoded(frame[data.roles.label], model.task, learned.classes, data.name)
        with threadpool_limits(limits=1):  # threads win little on so few rows
            ours, simple = model.predict(frame), learned.baselines[LINEAR].predict(frame)
        if not np.isfinite(ours).all():
            return TooFew(f"the model's scores on {data.name} are not all finite numbers")
        scores.append(_losses(model, y, simple) - _losses(model, y, ours))
        clusters.append(frame[data.roles.cluster].astype(str).to_numpy() if data.roles.cluster else None)
    member = np.repeat([True, False], [len(one) for one in scores])
    known = [one for one in clusters if one is not None]
    groups = np.concatenate(known) if len(known) == len(clusters) else None
    advantage = np.concatenate(scores)
    return two_levels(auc(member, advantage, alpha, groups), auc(member, advantage, CLEAR, groups))


def _digest(frame: pd.DataFrame) -> str:
    """Return a digest of the values; empty where they cannot be hashed."""
    try:
        hashed = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    except TypeError:
        return ""
    return hashlib.sha256(hashed.tobytes()).hexdigest()


def _losses(model: Model, y: Scores, scores: Scores) -> Scores:
    return losses(METRIC[model.task], y, scores)
