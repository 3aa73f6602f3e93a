"""Columns of a team's table as numbers and dates: what is missing stays missing, what is wrong is named by its row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mltestscore.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def numbers(values: pd.Series, where: str) -> NDArray[np.float64]:
    """Return numbers, not finite where a value is missing; raises :class:`InputError` for what is no number."""
    import pandas as pd

    written = not pd.api.types.is_numeric_dtype(values)
    held = values.where(values.astype(str).str.strip() != "") if written else values
    found = pd.to_numeric(held, errors="coerce")
    wrong = held.notna() & found.isna()
    if wrong.any() or np.isinf(found.to_numpy(dtype=float, na_value=np.nan)).any():
        place = int((wrong | found.isin([np.inf, -np.inf])).to_numpy().argmax())
        raise InputError(f"{where}, row {place + 1}: {values.iloc[place]!r:.60} is no finite number; leave it empty.")
    return np.asarray(found.to_numpy(dtype=float, na_value=np.nan))


def dates(values: pd.Series, where: str) -> NDArray[np.datetime64]:
    """Return times in UTC, NaT where one is missing; raises :class:`InputError` for numbers and what is no date."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(values):
        raise InputError(f"{where} holds numbers; write dates as in 2026-11-01 or 2026-11-01T12:00:00+00:00.")
    written = not pd.api.types.is_datetime64_any_dtype(values)
    texts = values.astype("string").str.strip() if written else values
    texts = texts.mask(texts == "") if written else texts
    found = pd.to_datetime(texts, errors="coerce", utc=True, format="ISO8601" if written else None)
    wrong = texts.notna() & found.isna()
    if wrong.any():
        place = int(wrong.to_numpy().argmax())
        raise InputError(f"{where}, row {place + 1}: {values.iloc[place]!r:.60} is no date; write it as in 2026-11-01.")
    return found.dt.tz_localize(None).to_numpy().astype("datetime64[s]")
