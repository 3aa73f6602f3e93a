"""The rows that are followed: real ones, of low and high scores, some with missing values, the same ones each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.unstructured import is_array

if TYPE_CHECKING:
    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.model import Model

POOL = 500
WITH_MISSING = 4
HALF_SINGLE = 2.0**-24  # half of the last bit of single precision, at most
VERSION_COLUMNS = ("version", "model_version")


@dataclass(frozen=True)
class Rows:
    """Rows to follow, without label and score.

    Attributes:
        frame: all their other columns, the key too: a trace may look the features up again.
        scores: the model's own score of each, shape (n,) or (n, k).
        name: the dataset that they are from.
        served: the score that was served for each, where the log has one; else ``None``.
        versions: the version that answered each, where the log says so; else ``None``.
        precision: what the log rounds scores to, half of its last decimal; 0 where it does not round.
        rounding: by how much the logged value of an input may be off, absolutely and as a part of it, where the log
            keeps few decimals or single precision.
    """

    frame: pd.DataFrame
    scores: npt.NDArray[np.float64]
    name: str
    served: npt.NDArray[Any] | None = None
    versions: tuple[str, ...] | None = None
    precision: float = 0.0
    rounding: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def features(self, model: Model) -> pd.DataFrame:
        """Return the columns that a model takes."""
        return self.frame[list(model.features)]


def rows_to_follow(model: Model, offered: Sequence[Dataset | None], count: int, version_column: str) -> Rows | None:
    """Return ``count`` rows of the first dataset that has all features of the model; ``None`` where there is none.

    They are spread evenly over the scores of a sample, so that traces of different rows must differ; a few more are
    those with the most missing values, for which steps such as imputation matter.
    """
    for data in offered:
        if data is not None and set(model.features) <= set(data.columns):
            return _chosen(model, data, count, version_column)
    return None


def _chosen(model: Model, data: Dataset, count: int, version_column: str) -> Rows:
    frame = data.sample(POOL).frame()
    column = version_column or next((one for one in VERSION_COLUMNS if one in data.columns), "")
    if version_column:
        data.require(version_column)
    if column and model.version and frame[column].astype(str).eq(model.version).any():
        frame = frame[frame[column].astype(str).eq(model.version)]
    scores = model.predict(frame)
    precision = _precision(frame[data.roles.score]) if data.roles.score else 0.0
    rounding = {name: _rounding(frame[name]) for name in model.features if pd.api.types.is_float_dtype(frame[name])}
    places = _places(frame[list(model.features)], scores, count)
    frame, scores = frame.iloc[places].reset_index(drop=True), scores[places]
    served = _answered(frame[data.roles.score], model).to_numpy() if data.roles.score else None
    versions = tuple(frame[column].astype(str)) if column else None
    hidden = [one for one in (data.roles.label, data.roles.score) if one]
    return Rows(frame.drop(columns=hidden), scores, data.name, served, versions, precision, rounding)


def _answered(scores: pd.Series[Any], model: Model) -> pd.Series[Any]:
    """Return the served scores; of lists of probabilities the class that was answered, where one was."""
    if model.task != "multiclass" or not is_array(scores):
        return scores

    def largest(cell: Any) -> object:
        if not isinstance(cell, list | tuple | np.ndarray) or len(cell) != (len(model.classes) or len(cell)):
            return None
        chances = pd.to_numeric(pd.Series([*cell], dtype=object), errors="coerce").to_numpy(dtype=np.float64)
        if not len(chances) or not np.isfinite(chances).all():
            return None
        best = int(chances.argmax())
        return model.classes[best] if model.classes else best

    return scores.map(largest).astype(object)


def _places(features: pd.DataFrame, scores: npt.NDArray[np.float64], count: int) -> list[int]:
    height = scores if scores.ndim == 1 else scores.max(axis=1)
    order = np.argsort(np.nan_to_num(height), kind="stable")
    spread = order[np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int)].tolist()
    missing = features.isna().sum(axis=1).to_numpy()
    fullest = np.argsort(-missing, kind="stable")[:WITH_MISSING]
    return list(dict.fromkeys([*spread, *(int(one) for one in fullest if missing[one])]))


def _rounding(values: pd.Series[Any]) -> tuple[float, float]:
    """Return by how much a logged input may be off: absolutely, and as a part of it where 32 bits hold all values."""
    known = values.dropna().to_numpy(dtype=np.float64)
    with np.errstate(over="ignore"):
        single = np.array_equal(known, known.astype(np.float32).astype(np.float64))
    return _precision(values), HALF_SINGLE if single else 0.0


def _precision(scores: pd.Series[Any]) -> float:
    """Return half of the last decimal that a log keeps, from its scores: at most six decimals count as rounded."""
    try:
        found = scores.dropna().to_numpy(dtype=float)
    except (TypeError, ValueError):
        return 0.0
    found = found[np.isfinite(found)]
    for decimals in range(2, 7):
        if len(np.unique(found)) > decimals and np.allclose(found, found.round(decimals), rtol=0, atol=1e-9):
            return float(0.5 * 10.0**-decimals)
    return 0.0
