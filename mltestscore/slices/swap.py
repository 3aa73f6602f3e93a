"""A metamorphic test: rows are given the protected attribute, and what stands for it, of another group's row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.stats.ranking import exposure

if TYPE_CHECKING:
    from mltestscore.inputs.model import Model

Vector = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


def donors(groups: npt.NDArray[Any], queries: Places | None, rng: np.random.Generator) -> Places:
    """Return for each row one of another group, drawn at random, shape (n,); ``groups`` must hold two at least.

    With ``queries``, whose rows are all of one group, all rows of one get the same.
    """
    first, own = np.arange(len(groups)), np.arange(len(groups))
    if queries is not None:
        _, first, own = np.unique(queries, return_index=True, return_inverse=True)
    found = np.empty(len(first), dtype=np.intp)
    for group in pd.unique(groups):
        inside = groups[first] == group
        found[inside] = rng.choice(np.flatnonzero(groups != group), int(inside.sum()))
    return np.asarray(found[own.reshape(-1)], dtype=np.intp)


def moves(
    model: Model, frame: pd.DataFrame, columns: Sequence[str], given: Places, queries: Places | None = None
) -> Vector:
    """Return how far each row's answers move when it gets the ``columns`` of row ``given``: one a label, else one.

    Values that go together are taken from one row. Moves are in probability (half the sum over classes, in a
    multiclass task), in standard deviations of the scores, or of a ranking in the share of a query's exposure that
    changes hands: its scores mean nothing else.
    """
    other = frame.copy()
    for name in columns:
        other[name] = frame[name].iloc[given].reset_index(drop=True)
    before, after = model.predict(frame), model.predict(other)
    if model.task == "ranking" and queries is not None:
        shown, moved = exposure(before, queries), exposure(after, queries)
        usual = np.bincount(queries, weights=shown) / np.maximum(1, np.bincount(queries))
        return np.asarray(np.abs(moved - shown) / (2 * usual[queries]))[:, None]
    apart = np.abs(after - before)
    if model.task == "multilabel":
        return np.asarray(apart)
    if before.ndim == 2:
        return np.asarray(apart.sum(axis=1) / 2)[:, None]
    scale = float(before.std()) or 1.0
    return np.asarray(apart / (scale if model.task == "regression" else 1.0))[:, None]
