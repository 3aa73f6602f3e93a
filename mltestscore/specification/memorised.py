"""How much of what there is to learn in a few rows a model has learned: its error beside that of the best constant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.specification import Kind

FEW_CLASSES = 20
OUTSIDE = 1e-6  # rounding beyond 0 and 1
SUM = 1e-3  # likewise of the sum of a row; single precision over thousands of classes stays below


def kind_of(labels: pd.Series[Any], scores: npt.NDArray[Any], task: str, predicts: Kind) -> Kind:
    """Return what the predictions are: as declared, by the model's task, else as labels and predictions look.

    >>> kind_of(pd.Series([0, 1, 1]), np.array([0.2, 0.9, 1.0]), "", "")
    'probabilities'
    >>> kind_of(pd.Series([3.5, 1.0, 2.0]), np.array([3.0, 1.0, 2.0]), "", "")
    'values'
    """
    if predicts or labels.empty or not is_single(labels):
        return predicts or "scores"
    if task == "regression":
        return "values"
    if task in ("ranking", "multioutput") or scores.ndim > 2:
        return "scores"
    few = not is_number(labels) or labels.nunique() <= 2 or scores.ndim == 2 or task in ("binary", "multiclass")
    if scores.dtype.kind not in "f":
        whole = scores.dtype.kind in "iub" and labels.nunique() > FEW_CLASSES
        return "values" if whole and task == "" else "classes"
    return "probabilities" if few else "values"


def memorised(
    labels: pd.Series[Any],
    scores: npt.NDArray[Any],
    kind: Kind,
    orders: Sequence[Sequence[Any]],
    declared: bool = False,
) -> float | None:
    """Return 1 for rows learned by heart, 0 for no better than the best constant; below that for worse.

    By the squared error of probabilities (Brier score) or values, or by the share of wrong classes. ``None`` where
    that cannot be told: scores, or columns that nobody says which classes they are for.

    Args:
        labels: the truth.
        scores: predictions of the same rows.
        kind: what they are.
        orders: in which order the columns may stand for classes; the first that has as many is taken.
        declared: whether the model says so; else columns are given to classes as suits them best, but for 0 and 1.
    """
    if kind == "scores" or scores.shape[0] != len(labels):
        return None
    if kind == "values":
        if scores.ndim != 1 or scores.dtype.kind not in "fiub" or not is_number(labels):
            return None
        truth = labels.to_numpy(dtype=np.float64)
        return _share(_mean_square(scores.astype(np.float64) - truth), _mean_square(truth - truth.mean()))
    if kind == "classes":
        shares = labels.astype(str).value_counts(normalize=True)
        wrong = np.mean(_as_texts(scores) != _as_texts(labels.to_numpy()))
        return _share(float(wrong), float(1 - shares.max())) if scores.ndim == 1 else None
    columns = _columns(scores, orders)
    if columns is None:
        return None
    names, chances = columns
    truth = (_as_texts(labels.to_numpy())[:, None] == _as_texts(np.array(names, dtype=object))[None, :]).astype(float)
    sure = declared or set(_as_texts(np.array(names, dtype=object))) == {"0", "1"}
    matched = chances if sure else chances[:, _suiting(chances, truth)]
    return _share(_mean_square(matched - truth), _mean_square(truth - truth.mean(axis=0)))


def settled(shares: Sequence[float]) -> float:
    """Return the part that is learned in the end: the median of the last three looks, so that no single one decides.

    >>> settled([0.0, 0.9]), settled([0.0, 0.8, 0.2, 0.9])
    (0.45, 0.8)
    """
    return float(np.median(shares[-3:]))


def strange(scores: npt.NDArray[Any]) -> int:
    """Count the rows that are no probabilities: one number from 0 to 1, or several that sum to 1.

    >>> strange(np.array([0.0, 1.0, 1.2])), strange(np.array([[0.5, 0.5], [0.9, 0.3]]))
    (1, 1)
    """
    rows = scores.reshape(len(scores), -1).astype(np.float64)
    with np.errstate(invalid="ignore"):
        bad = ((rows < -OUTSIDE) | (rows > 1 + OUTSIDE)).any(axis=1)
        if rows.shape[1] > 1:
            bad |= np.abs(rows.sum(axis=1) - 1) > SUM
    return int(bad.sum())


def is_single(labels: pd.Series[Any]) -> bool:
    """Say whether every label is one number, text or truth value."""
    return all(np.isscalar(value) or isinstance(value, np.generic) for value in labels.head(100))


def is_number(labels: pd.Series[Any]) -> bool:
    """Say whether labels are numbers, truth values not being any."""
    return bool(pd.api.types.is_numeric_dtype(labels)) and not pd.api.types.is_bool_dtype(labels)


def classes_of(labels: pd.Series[Any]) -> list[Any]:
    """Return the classes among labels, sorted as scikit-learn sorts them."""
    return sorted(labels.dropna().unique().tolist(), key=lambda one: (str(type(one)), one))


def _columns(
    scores: npt.NDArray[Any], orders: Sequence[Sequence[Any]]
) -> tuple[Sequence[Any], npt.NDArray[np.float64]] | None:
    """Return the classes and a column of probabilities for each; a single column is the second of two classes."""
    chances = scores.astype(np.float64)
    if chances.ndim == 1:
        chances = np.column_stack([1 - chances, chances])
    names = next((order for order in orders if len(order) == chances.shape[1]), None)
    return None if names is None else (names, chances)


def _suiting(chances: npt.NDArray[np.float64], truth: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return for each class the column that is most like it, each column once."""
    from scipy.optimize import linear_sum_assignment

    apart = np.square(np.nan_to_num(chances)[:, :, None] - truth[:, None, :]).sum(axis=0)
    columns, classes = linear_sum_assignment(apart)
    return np.asarray(columns[np.argsort(classes)], dtype=np.intp)


def _as_texts(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return values so that 1, 1.0 and True are the same class, and likewise 0."""

    def text(value: Any) -> str:
        if isinstance(value, bool | int | float | np.number | np.bool_) and float(value).is_integer():
            return str(int(value))
        return str(value)

    return np.array([text(value) for value in values.tolist()], dtype=object)


def _share(error: float, constant: float) -> float | None:
    if not constant > 0:
        return None
    return 1 - error / constant if np.isfinite(error) else -np.inf


def _mean_square(values: npt.NDArray[Any]) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.mean(np.square(values)))
