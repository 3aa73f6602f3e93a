"""A metamorphic test: rows are given the protected attribute, and what stands for it, of another group's row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from mltestscore.inputs.model import Model

Vector = npt.NDArray[np.float64]


def swapped_moves(
    model: Model, frame: pd.DataFrame, groups: npt.NDArray[np.object_], columns: Sequence[str], rng: np.random.Generator
) -> Vector:
    """Return how far each row's score moves when it gets ``columns`` of a random row of another group, shape (n,).

    Values that go together are taken from one row. Moves are in probability (half the sum over classes, in a
    multiclass task) or in standard deviations of the scores. ``groups``, shape (n,), must hold two at least.
    """
    donors = np.empty(len(frame), dtype=np.intp)
    for group in pd.unique(groups):
        inside = groups == group
        donors[inside] = rng.choice(np.flatnonzero(~inside), int(inside.sum()))
    other = frame.copy()
    for name in columns:
        other[name] = frame[name].iloc[donors].reset_index(drop=True)
    before, after = model.predict(frame), model.predict(other)
    if before.ndim == 2:
        return np.asarray(np.abs(after - before).sum(axis=1) / 2)
    scale = float(before.std()) or 1.0
    return np.asarray(np.abs(after - before) / (scale if model.task == "regression" else 1.0))
