"""What all wire protocols share: columns as JSON values, and scores out of hostile answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

Columns = Mapping[str, Sequence[object]]
"""Feature name → its values, one per row; all of the same length."""

MAX_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer: ``scores`` of shape (rows,) or (rows, classes), and the model version it names (else empty)."""

    scores: np.ndarray
    version: str = ""


def plain(value: object) -> object:
    """Return ``value`` as JSON can hold it: missing numbers as ``None``, times in ISO 8601, NumPy scalars as Python's.

    >>> [plain(value) for value in (float("nan"), np.int64(3), date(2024, 2, 29))]
    [None, 3, '2024-02-29']
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if type(value).__name__ in ("NAType", "NaTType"):  # pandas' own missing values
        return None
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def row_count(columns: Columns) -> int:
    """Return how many rows the columns have."""
    return len(next(iter(columns.values()))) if columns else 0


def as_rows(columns: Columns) -> list[dict[str, object]]:
    """Return the columns as one mapping per row, with JSON values.

    >>> as_rows({"a": [1, 2], "b": ["x", None]})
    [{'a': 1, 'b': 'x'}, {'a': 2, 'b': None}]
    """
    names = list(columns)
    return [
        {name: plain(value) for name, value in zip(names, row, strict=True)}
        for row in zip(*columns.values(), strict=True)
    ]


def at(body: object, path: str) -> Any:
    """Return the part of a JSON body that a dotted path names; the empty path is the body itself.

    Raises :class:`ValueError` naming the key that is missing and the keys that are there.
    """
    for key in filter(None, path.split(".")):
        if not isinstance(body, Mapping) or key not in body:
            found = sorted(map(str, body))[:10] if isinstance(body, Mapping) else type(body).__name__
            raise ValueError(f"expected the key {path!r} in the answer, found {found}")
        body = body[key]
    return body


def scores(values: object, rows: int, column: int | None) -> np.ndarray:
    """Return one score (or one vector of class scores) per row as float64, shape (rows,) or (rows, classes).

    A single column is flattened. ``column`` picks the class whose probability is the score.

    Raises :class:`ValueError` when the values are no numbers, not finite, or not one per row.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"expected {rows} numbers, found {str(values)[:MAX_SHOWN]}") from error
    if array.ndim == 0 or len(array) != rows:
        found = "one number" if array.ndim == 0 else f"{len(array)} scores"
        raise ValueError(f"expected {rows} scores, one per row in order, found {found}")
    if array.ndim > 2:
        raise ValueError(f"expected one score or one vector per row, found an array of shape {array.shape}")
    if not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0][0])
        raise ValueError(f"expected finite scores, found {array[row]} for row {row}")
    return _picked(array, column)


def _picked(array: np.ndarray, column: int | None) -> np.ndarray:
    if array.ndim == 1:
        return array
    if column is not None:
        if not -array.shape[1] <= column < array.shape[1]:
            raise ValueError(f"expected at least {column + 1} class scores per row, found {array.shape[1]}")
        return np.ascontiguousarray(array[:, column])
    return array[:, 0] if array.shape[1] == 1 else array


def error_in(body: object) -> str:
    """Return the error that a JSON body reports, whatever its HTTP status, else the empty string.

    >>> error_in({"error": "Servable not found for request: Latest(half)"})
    'Servable not found for request: Latest(half)'
    """
    if not isinstance(body, Mapping):
        return ""
    for key in ("error", "errors", "detail", "message"):
        if body.get(key):
            return str(body[key])[:MAX_SHOWN]
    return ""
