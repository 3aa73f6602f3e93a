"""Worlds that change, for faults to plant: what was learned before is wrong by now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from mltestscore.contest import classes_of
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model
from mltestscore.several_labels import cells, indicators
from mltestscore.staleness.plan import DAY, timed

KEPT_AGES = 3.2  # of history: more of the old world would hide what a fresh model learns of the new one
BEGUN, DONE = 0.3, 0.8  # of the time kept: the world changes in between, and stays changed
OF_ORDER = 0.25, 0.35
"""Likewise of a ranking, whose order turns only when most of what a model has learned is of the new world: then the
fresh models have turned, and those that are older have not."""
GOLDEN = 0.6180339887498949  # its multiples, less their whole part, are spread evenly however many are taken

Change = Callable[["pd.Series[Any]", Model], "pd.Series[Any]"]


def changing_world(training: Dataset, model: Model, days: float, change: Change) -> Dataset:
    """Return the newest rows, over some ages of ``days``, while the world goes over to ``change`` day by day.

    Classes change in a share of the rows that rises from none to all; numbers move from the old value to the new.
    """
    rows = timed(training, training.rows, model.task)
    end = int(rows.times.max())
    start = max(int(rows.times.min()), int(end - KEPT_AGES * days * DAY))
    kept = rows.times >= start
    begun, done = OF_ORDER if model.task == "ranking" else (BEGUN, DONE)
    share = np.clip(((rows.times[kept] - start) / max(1, end - start) - begun) / (done - begun), 0, 1)
    frame = rows.frame[kept].reset_index(drop=True)
    before = frame[training.roles.label]
    if model.task == "regression":
        before = before.astype("float64")
        after = before + share * (change(before, model) - before)
    else:
        taken = np.arange(len(frame)) * GOLDEN % 1 < share
        after = before.where(pd.Series(~taken), change(before, model))
    return training.replace(frame.assign(**{training.roles.label: after}))


def turned_round(labels: pd.Series[Any], model: Model) -> pd.Series[Any]:
    """Every class becomes the next one; numbers and grades change sides; of several labels, the others hold."""
    if model.task == "regression":
        return 2 * labels.mean() - labels
    if model.task == "ranking":
        ends = float(labels.max()) + float(labels.min())
        return (ends - labels).astype(labels.dtype)
    classes = classes_of(model.classes, labels)
    if model.task == "multilabel":
        return cells(1 - indicators(labels, classes, "training"), classes, labels)
    following = dict(zip(classes, (*classes[1:], classes[0]), strict=True))
    return labels.map(following).astype(labels.dtype)


def counted_otherwise(labels: pd.Series[Any], model: Model) -> pd.Series[Any]:
    """The commonest class counts as the next one, and so does each of several labels; numbers are given in tenths.

    Of a ranking, what was least is the only thing that counts: a click comes to be a complaint.
    """
    if model.task == "regression":
        return labels * 10
    if model.task == "multilabel":
        classes = classes_of(model.classes, labels)
        return cells(np.roll(indicators(labels, classes, "training"), 1, axis=1), classes, labels)
    if model.task == "ranking":
        worst = labels == labels.min()
        return labels.where(worst, labels.min()).where(~worst, labels.max())
    return labels.where(labels != labels.mode().iloc[0], turned_round(labels, model))
