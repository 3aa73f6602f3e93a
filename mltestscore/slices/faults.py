"""Models spoiled on some rows: what the faults of model.6 and model.7 are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model
from mltestscore.slices.declared import Mask
from mltestscore.slices.values import labels_of
from mltestscore.unstructured import structured

Vector = npt.NDArray[np.float64]
Region = Callable[[pd.DataFrame], Mask]

ENOUGH = 20_000  # rows to find a region in
LEAST, MOST = 0.1, 0.6  # of the rows lie in a region: enough to be judged, and still not all
QUARTER = 0.25


def told_by(model: Model, holdout: Dataset) -> list[str]:
    """Return the model inputs that vary enough to name a region by, in order."""
    frame = holdout.frame(model.features, limit=ENOUGH)
    names = [name for name in structured(frame, model.features) if _common(frame[name]) is not None]
    if model.task != "ranking" or not holdout.roles.cluster:
        return names
    # What is wrong for some rows of a query only is no slice of queries.
    queries = holdout.frame([holdout.roles.cluster], limit=ENOUGH)[holdout.roles.cluster]
    return [name for name in names if frame[name].groupby(queries.to_numpy()).nunique(dropna=False).max() == 1]


def region(holdout: Dataset, name: str) -> Region:
    """Return which rows are of the most common kind, of some tenths of the rows, by one input."""
    values = holdout.frame([name], limit=ENOUGH)[name]
    kind = _common(values)
    common = set(values[labels_of(values) == kind].dropna().unique().tolist())
    return lambda frame: frame[name].isin(common).to_numpy(dtype=bool)


def _common(values: pd.Series[Any]) -> str | None:
    shares = pd.Series(labels_of(values)).value_counts(normalize=True)
    fit = shares[(shares >= LEAST) & (shares <= MOST)]
    return str(fit.index[0]) if len(fit) else None


def spoiled(model: Model, regions: Sequence[Region]) -> Model:
    """Return the model with wrong answers for the rows in all regions; moved ones for every row where there are none.

    Wrong is the other way round: 1 - p, the next class's probability, or the mirror image about the average.
    """

    def predict(frame: pd.DataFrame) -> Any:
        scores = model.predict(frame)
        hit = np.logical_and.reduce([np.ones(len(frame), dtype=bool), *(inside(frame) for inside in regions)])
        spoil = _turned if regions else _moved
        shaped = hit if scores.ndim == 1 else hit[:, None]
        return np.where(shaped, spoil(scores, model.task), scores)

    return model.replace(predict)


def shifted_for(model: Model, column: str, groups: Sequence[object], shift: float) -> Model:
    """Return a model that reads ``column`` too, and moves its answers for the rows of some groups.

    ``shift`` is in probability (of the second class, in a multiclass task) or in standard deviations of the scores. Of
    a ranking, where all by as much is the same order, scores draw together too, and turn round beyond a half.
    """

    def predict(frame: pd.DataFrame) -> Any:
        scores = model.predict(frame)
        hit = frame[column].isin(groups).to_numpy(dtype=float)
        if model.task == "regression":
            return scores + shift * float(scores.std()) * hit
        if model.task == "ranking":
            drawn = scores.mean() + (1 - 2 * abs(shift)) * (scores - scores.mean())
            return np.where(hit, drawn + shift * float(scores.std()), scores)
        if scores.ndim == 1 or model.task == "multilabel":
            return np.clip(scores + shift * (hit if scores.ndim == 1 else hit[:, None]), 0, 1)
        target = np.zeros(scores.shape[1])
        target[1 if shift > 0 else 0] = 1
        return scores + (abs(shift) * hit)[:, None] * (target - scores)

    features = model.features if column in model.features else (*model.features, column)
    return replace(model, features=features, scorer=predict, digest="")


def _turned(scores: Vector, task: str) -> Vector:
    if task == "multiclass":
        return np.roll(scores, 1, axis=1)
    if task in ("binary", "multilabel"):
        return np.asarray(1 - scores)
    if task == "ranking":
        return np.asarray(-scores)
    return np.asarray(2 * scores.mean() - scores - scores.std())


def _moved(scores: Vector, task: str) -> Vector:
    if task == "regression":
        return np.asarray(scores + scores.std())
    if task == "ranking":  # all by as much is the same order: rows get the scores of their neighbours
        return np.roll(scores, 1)
    if task in ("binary", "multilabel"):
        return np.where(scores < 0.5, scores + QUARTER, scores - QUARTER)
    return (1 - QUARTER) * np.roll(scores, 1, axis=1) + QUARTER * scores


def group_of(holdout: Dataset) -> tuple[str, list[object]]:
    """Return the first protected column that is there, and the values of its largest group without a majority."""
    name = next(name for name in holdout.roles.protected if name in holdout.columns)
    values = holdout.frame([name])[name]
    labels = labels_of(values)
    shares = pd.Series(labels)[values.notna().to_numpy()].value_counts(normalize=True)
    fit = shares[shares <= MOST] if (shares <= MOST).any() else shares
    return name, values[labels == fit.index[0]].unique().tolist()
