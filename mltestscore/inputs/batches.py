"""What a model is handed instead of a table: an array of numbers, texts, or a batch of arrays such as images."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mltestscore.errors import InputError
from mltestscore.inputs.models.native import matrix
from mltestscore.unstructured import nested

if TYPE_CHECKING:
    import pandas as pd

RowsAs = Literal["table", "array", "text", "batch"]


def handed(form: RowsAs, scorer: Callable[[Any], object]) -> Callable[[pd.DataFrame], object]:
    """Return what scores a frame of features, shape (n, d), by a scorer that takes its rows in another form.

    ``array``: numbers, shape (n, d), missing as NaN. ``text``: a list of the n texts of the only feature, missing as
    empty. ``batch``: the n arrays of the only feature stacked, shape (n, …).

    Raises :class:`InputError` when scoring, for rows that cannot be handed over like that.
    """
    return scorer if form == "table" else lambda frame: scorer(as_handed(form, frame))


def as_handed(form: RowsAs, frame: pd.DataFrame) -> Any:
    """Return a frame in the form that :func:`handed` gives it to a scorer."""
    forms: dict[str, Callable[[pd.DataFrame], Any]] = {"array": _array, "text": _texts, "batch": _batch}
    return frame if form == "table" else forms[form](frame)


def _array(frame: pd.DataFrame) -> Any:
    return matrix(frame, np.float64)


def _texts(frame: pd.DataFrame) -> list[str]:
    column = _only(frame, "text")
    odd = column[column.map(lambda value: not isinstance(value, str), na_action="ignore").eq(True)]
    if len(odd):
        raise InputError(f'rows_as = "text", but {str(column.name)!r:.80} holds {type(odd.iloc[0]).__name__} values.')
    return [value if isinstance(value, str) else "" for value in column]


def _batch(frame: pd.DataFrame) -> Any:
    column = _only(frame, "batch")
    try:
        return np.stack([np.asarray(nested(value), dtype=np.float64) for value in column])
    except (TypeError, ValueError) as error:
        raise InputError(
            f'rows_as = "batch", but the values of {str(column.name)!r:.80} are no arrays of numbers of one shape: '
            f"{error}. Resize and fill them where the dataset is made."
        ) from error


def _only(frame: pd.DataFrame, form: str) -> pd.Series[Any]:
    if len(frame.columns) != 1:
        names = ", ".join(map(str, frame.columns[:5]))
        raise InputError(f'rows_as = "{form}" needs a model of one feature, not of {len(frame.columns)}: {names:.200}.')
    return frame.iloc[:, 0]
