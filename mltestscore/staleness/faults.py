"""Worlds that change, for faults to plant: what was learned before is wrong by now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from mltestscore.contest import classes_of
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model
from mltestscore.staleness.plan import DAY, timed

KEPT_AGES = 4  # of history: more of the old world would hide what a fresh model has learned of the new one

Change = Callable[["pd.Series[Any]", Model], "pd.Series[Any]"]


def changed_world(training: Dataset, model: Model, days: float, change: Change) -> Dataset:
    """Return the newest rows, over four ages of ``days``; in all but the oldest quarter labels follow ``change``."""
    rows = timed(training, training.rows)
    start = max(int(rows.times.min()), int(rows.times.max() - KEPT_AGES * days * DAY))
    turn = start + (int(rows.times.max()) - start) // 4
    frame, label = rows.frame, training.roles.label
    column = frame[label].astype("float64") if model.task == "regression" else frame[label]
    frame = frame.assign(**{label: column.where(pd.Series(rows.times < turn), change(column, model))})
    return training.replace(frame[rows.times >= start].reset_index(drop=True))


def turned_round(labels: pd.Series[Any], model: Model) -> pd.Series[Any]:
    """Every class becomes the next one; numbers change sides of their mean."""
    if model.task == "regression":
        return 2 * labels.mean() - labels
    classes = classes_of(model.classes, labels)
    following = dict(zip(classes, (*classes[1:], classes[0]), strict=True))
    return labels.map(following).astype(labels.dtype)


def counted_otherwise(labels: pd.Series[Any], model: Model) -> pd.Series[Any]:
    """Every second row of the commonest class goes to the next class; numbers are given in a tenth of their unit."""
    if model.task == "regression":
        return labels * 10
    common = (labels == labels.mode().iloc[0]).to_numpy()
    second = common & (np.cumsum(common) % 2 == 0)
    return labels.where(~pd.Series(second, index=labels.index), turned_round(labels, model))
