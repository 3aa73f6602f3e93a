"""Membership inference: can somebody who knows a row tell from the model's loss whether it was trained on?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mltestscore.contest import encoded, labelled, lesson
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model, Scores
from mltestscore.stats.interval import CLEAR, TwoLevels, two_levels
from mltestscore.stats.paired import auc
from mltestscore.stats.quality import losses

METRIC = {"binary": "d2_log_loss", "multiclass": "d2_log_loss", "regression": "r2"}
LINEAR = 1  # of the baselines: too simple to remember a row


@dataclass(frozen=True)
class TooFew:
    """Why nothing can be said."""

    reason: str


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

    def ask(_: object) -> list[TwoLevels | TooFew]:
        return [_membership(model, training, holdout, rows, fewest, alpha)]

    if not model.digest:
        return ask(None)[0]
    # Most faults of the check leave model and rows as they are.
    return training.recall("membership", [(model.digest, model.features, holdout, rows, fewest, alpha)], ask)[0]


def _membership(
    model: Model, training: Dataset, holdout: Dataset, rows: int, fewest: int, alpha: float
) -> TwoLevels | TooFew:
    learned = lesson(training, model.features, model.classes, model.task, rows, False)
    scores, clusters = [], []
    for data in (training, holdout):
        frame = labelled(data, model.features, rows)
        if len(frame) < fewest:
            return TooFew(f"{data.name} has {len(frame)} labelled rows; at least {fewest} are needed")
        y = encoded(frame[data.roles.label], model.task, learned.classes, data.name)
        ours, simple = model.predict(frame), learned.baselines[LINEAR].predict(frame)
        if not np.isfinite(ours).all():
            return TooFew(f"the model's scores on {data.name} are not all finite numbers")
        scores.append(_losses(model, y, simple) - _losses(model, y, ours))
        clusters.append(frame[data.roles.cluster].astype(str).to_numpy() if data.roles.cluster else None)
    member = np.repeat([True, False], [len(one) for one in scores])
    known = [one for one in clusters if one is not None]
    groups = np.concatenate(known) if len(known) == len(clusters) else None
    both = np.concatenate(scores)
    return two_levels(auc(member, both, alpha, groups), auc(member, both, CLEAR, groups))


def _losses(model: Model, y: Scores, scores: Scores) -> Scores:
    return losses(METRIC[model.task], y, scores)
