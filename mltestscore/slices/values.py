"""The group of each row by the value of a column: texts and few numbers as they are, many numbers in quarters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Labels = npt.NDArray[np.object_]

MISSING = "(missing)"
MOST_VALUES = 10  # a column of more different numbers is cut into quarters, as the protected attributes of data.4 are
MAX_TEXT = 80


def is_scale(values: pd.Series[Any]) -> bool:
    """Say whether a column measures something: times, and more than ten different numbers."""
    if pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_timedelta64_dtype(values):
        return True
    number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return bool(number and values.nunique() > MOST_VALUES)


def labels_of(values: pd.Series[Any]) -> Labels:
    """Return the group of each row as text of at most 90 characters, shape (n,); missing values are one group.

    Different values are different groups, even where their first 80 characters are the same.
    """
    labels = _quarters(values) if is_scale(values) else _as_they_are(values)
    labels[values.isna().to_numpy()] = MISSING
    return labels


def _quarters(values: pd.Series[Any]) -> Labels:
    dates = not pd.api.types.is_numeric_dtype(values)
    numbers = values.astype("int64").to_numpy(np.float64) if dates else values.to_numpy(np.float64, na_value=np.nan)
    known = numbers[np.isfinite(numbers) & values.notna().to_numpy()]
    if not len(known):
        return np.full(len(values), MISSING, dtype=object)
    ends = np.unique(np.quantile(known, [0.25, 0.5, 0.75], method="lower"))
    shown = list(values.sort_values().iloc[np.searchsorted(np.sort(known), ends)]) if dates else [*ends]
    texts = [f"{end:.5g}" if isinstance(end, float) else str(end) for end in shown]
    middle = [f"{low} to {high}" for low, high in pairwise(texts)]
    names = _told_apart([f"up to {texts[0]}", *middle, f"above {texts[-1]}"])
    return np.array(names, dtype=object)[np.searchsorted(ends, numbers)]


def _as_they_are(values: pd.Series[Any]) -> Labels:
    codes, found = pd.factorize(values)
    names = _told_apart(str(value)[:MAX_TEXT] for value in found)
    return np.array([*names, MISSING], dtype=object)[codes]


def _told_apart(names: Iterable[str]) -> list[str]:
    """Return the names, numbered where one occurs again."""
    seen: Counter[str] = Counter()
    told = []
    for name in names:
        seen[name] += 1
        told.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return told
