"""Rows with several labels at once: a column that holds the labels of each row, or a 0 or 1 for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import InputError
from mltestscore.unstructured import nested

SERVED = "expected a list with the probability of each label, from 0 to 1, in the model's order"
FORM = "a row's labels are a list of those that hold, or of a 0 or 1 for each, in the model's order"


def names_of(labels: pd.Series[Any]) -> tuple[object, ...]:
    """Return the labels in the order of the scores: sorted if they are named, else numbered from 0."""
    cells = [_listed(cell) or [] for cell in labels]
    if any(isinstance(one, str) for cell in cells for one in cell):
        return tuple(sorted({str(one) for cell in cells for one in cell}))
    return tuple(range(max((len(cell) for cell in cells), default=0)))


def require_same_labels(truth: npt.NDArray[Any], scores: npt.NDArray[np.float64], where: str) -> None:
    """Raise :class:`InputError` for scores of another number of labels than ``where`` holds."""
    if truth.ndim == 2 and truth.shape != scores.shape:
        raise InputError(
            f"{where} holds {truth.shape[1]} labels a row, but the model scores {scores.shape[1]}. Are both of the "
            "same system, and is the label column the right one?"
        )


def chances(served: pd.Series[Any], labels: int, where: str) -> npt.NDArray[np.float64]:
    """Return the served probabilities of each label, shape (n, ``labels``); NaN for what is no number.

    Raises :class:`InputError` that names ``where`` for a cell of another form or length.

    >>> chances(pd.Series([[0.2, 0.9], [None, 0.1]]), 2, "serving").tolist()
    [[0.2, 0.9], [nan, 0.1]]
    """
    found = np.full((len(served), labels), np.nan)
    for row, value in enumerate(served):
        cell = _listed(value)
        if cell is None or len(cell) != labels:
            raise InputError(f"The score column of {where} holds {value!r:.80}; {SERVED}, of which there are {labels}.")
        try:
            found[row] = np.asarray(cell, dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError(f"The score column of {where} holds {cell!r:.80}; {SERVED}.") from None
    known = found[np.isfinite(found)]
    if len(known) and not 0 <= known.min() <= known.max() <= 1:
        odd = known.min() if known.min() < 0 else known.max()
        raise InputError(f"The score column of {where} holds {odd:.6g}; {SERVED}.")
    return found


def _listed(value: Any) -> list[Any] | None:
    """Return the entries of a cell; ``None`` where it is no list of single values."""
    cell = nested(value)
    cell = cell.tolist() if isinstance(cell, np.ndarray) else cell
    if not isinstance(cell, list | tuple) or any(isinstance(one, list | tuple | dict | set) for one in cell):
        return None
    return list(cell)


def indicators(labels: pd.Series[Any], names: Sequence[object], where: str) -> npt.NDArray[np.int64]:
    """Return which labels each row has, shape (n, k), of 0 and 1.

    Raises :class:`InputError` that names ``where`` for a cell of another form, and for a label without a score.

    >>> indicators(pd.Series([["b"], ["a", "b"], []]), ("a", "b"), "holdout").tolist()
    [[0, 1], [1, 1], [0, 0]]
    """
    places = {name: place for place, name in enumerate(names)}
    found = np.zeros((len(labels), len(places)), dtype=np.int64)
    for row, value in enumerate(labels):
        cell = _listed(value)
        if cell is None:
            raise InputError(f"{where} holds the label {value!r:.80}, but {FORM}.")
        if any(isinstance(one, str) for one in cell) or not isinstance(names[0] if names else 0, int):
            unknown = [one for one in cell if one not in places]
            if unknown:
                raise InputError(f"{where} holds the label {unknown[0]!r:.80}, which training rows do not have.")
            found[row, [places[one] for one in cell]] = 1
        elif len(cell) == len(places) and set(cell) <= {0, 1}:
            found[row] = [int(one) for one in cell]
        else:
            raise InputError(f"{where} holds the labels {cell!r:.80}, but {FORM}; there are {len(places)}.")
    return found


def cells(truth: npt.NDArray[np.int64], names: Sequence[object], like: pd.Series[Any]) -> pd.Series[Any]:
    """Return labels that hold, shape (n, k) of 0 and 1, as a column in the form of ``like``.

    >>> cells(np.array([[1, 0], [1, 1]]), ("a", "b"), pd.Series([["a"], []])).tolist()
    [['a'], ['a', 'b']]
    """
    named = bool(names) and not isinstance(names[0], int)
    rows = [[name for name, has in zip(names, row, strict=True) if has] if named else row for row in truth.tolist()]
    return pd.Series(rows, index=like.index, dtype=object, name=like.name)
