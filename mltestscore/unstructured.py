"""Texts of several words, and arrays such as images, among a model's features: neither categories nor numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mltestscore.errors import NotOffered

if TYPE_CHECKING:
    import pandas as pd

LOOKED_AT = 2_000  # first values that tell what a column holds
MOST_CELLS = 256  # of an array, evenly spaced: a simple model of all pixels of a photograph is not simple


def is_array(column: pd.Series[Any]) -> bool:
    """Say whether a column holds lists, arrays or records of several fields."""
    if column.dtype != object:
        return False
    first = next(iter(column[column.notna()].head(1)), None)
    return isinstance(first, list | tuple | dict | np.ndarray)


def is_free_text(column: pd.Series[Any]) -> bool:
    """Say whether most values are of several words and occur once, so that an unseen one is nothing unusual.

    >>> import pandas as pd
    >>> is_free_text(pd.Series(["late again", "on time", "three hours late", "on time"]))
    False
    >>> is_free_text(pd.Series(["late again", "on time", "three hours late", "all well"]))
    True
    """
    import pandas as pd

    if not (column.dtype == object or isinstance(column.dtype, pd.StringDtype)):
        return False
    some = column[column.notna()].head(LOOKED_AT)
    if not len(some) or not some.map(lambda value: isinstance(value, str)).all():
        return False
    return mostly_phrases(some.tolist())


def mostly_phrases(texts: Sequence[str]) -> bool:
    """Say whether most of some texts are of several words and occur once."""
    phrases = sum(seen == 1 and len(text.split(maxsplit=1)) > 1 for text, seen in Counter(texts).items())
    return phrases > len(texts) / 2


def structured(frame: pd.DataFrame, features: Sequence[str]) -> list[str]:
    """Return the features of which a single value means something: numbers, times and categories."""
    return [name for name in features if not (is_array(frame[name]) or is_free_text(frame[name]))]


def require_single_values(frame: pd.DataFrame, features: Sequence[str], why: str) -> None:
    """Raise :class:`NotOffered` that names the first feature of lists or arrays, and ``why`` they cannot be judged."""
    arrays = [name for name in features if is_array(frame[name])]
    if arrays:
        remedy = f"{arrays[0]!r:.80} holds arrays, and {why}; offer what is computed from them as columns of their own"
        raise NotOffered("a table of single values", remedy)


def as_texts(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return each value as text, what is missing as missing; also bytes that are no UTF-8, of which pandas makes none.

    >>> import pandas as pd
    >>> as_texts(pd.Series([bytes([226]), 1.5], dtype=object)).tolist()
    ["b'\\\\xe2'", '1.5']
    """
    return (values.map(str, na_action="ignore") if values.dtype == object else values).astype(str)


def size_of(column: pd.Series[Any]) -> int:
    """Return how many numbers most arrays of the column hold, 0 where they hold something else."""
    import pandas as pd

    sizes = pd.Series([len(_flat(value)) for value in column.head(LOOKED_AT)], dtype=int)
    sizes = sizes[sizes > 0]
    return int(sizes.mode().iloc[0]) if len(sizes) else 0


def cells(column: pd.Series[Any], size: int) -> npt.NDArray[np.float64]:
    """Return at most :data:`MOST_CELLS` numbers of each array of ``size`` numbers, shape (n, cells).

    NaN where the array is missing, of another size or of something else.
    """
    chosen = np.unique(np.linspace(0, max(0, size - 1), min(size, MOST_CELLS)).round().astype(int))
    laid = np.full((len(column), len(chosen)), np.nan)
    for row, value in enumerate(column):
        numbers = _flat(value)
        if len(numbers) == size:
            laid[row] = numbers[chosen]
    return laid


def _flat(value: Any) -> npt.NDArray[np.float64]:
    if not isinstance(value, list | tuple | np.ndarray):
        return np.empty(0)
    try:
        return np.asarray(nested(value), dtype=np.float64).ravel()
    except (TypeError, ValueError):  # of texts, or ragged
        return np.empty(0)


def nested(value: Any) -> Any:
    """Return nested arrays, as databases give them, as nested lists."""
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype == object):
        return [nested(one) for one in value]
    return value
