"""Which rows of a dataset belong together: those of a declared cluster, else those near in time while they are alike.

Nobody has to declare that a forecast is wrong for days on end: where a time is declared and no cluster, the rows
themselves tell how long.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.stats.cluster import codes_of
from mltestscore.stats.dates import MANY
from mltestscore.stats.periods import LEAST, periods

if TYPE_CHECKING:
    from mltestscore.inputs.dataset import Dataset

Codes = npt.NDArray[np.intp]
Values = npt.NDArray[np.float64]

DAY = 86_400.0


def dependent(
    frame: pd.DataFrame, dataset: Dataset, values: Callable[[], Values], *, horizon: float = 0.0, season: float = 0.0
) -> Codes | None:
    """Return which rows of ``frame``, taken from ``dataset``, belong together; ``None`` where rows are independent.

    Args:
        frame: shape (n, …), with the cluster and time column that are declared.
        dataset: whose roles count.
        values: asked only where time decides: shape (n,) or (n, k), what will be averaged; not finite counts as 0.
        horizon: in days: forecasts made within it of each other are wrong together.
        season: in days; a period covers it too, where the rows reach over enough of them.
    """
    roles = dataset.roles
    if roles.cluster:
        return codes_of(frame[roles.cluster].to_numpy())
    return near_in_time(frame[roles.time], values, horizon, season) if roles.time else None


def near_in_time(column: pd.Series[Any], values: Callable[[], Values], horizon: float = 0, season: float = 0) -> Codes:
    """Return the period of time of each row; arguments as for :func:`dependent`, ``column`` the times, shape (n,).

    Rows that are all of one time are each their own.
    """
    times, real = _seconds(column)
    if len(np.unique(times)) == 1:  # one batch: its time tells rows apart no more than its name does
        return np.arange(len(times), dtype=np.intp)
    span = (np.nanmax(times) - np.nanmin(times)) / DAY if real and len(times) else 0.0
    covered = max(horizon, season if span >= 2 * LEAST * season else 0.0) if real else 0.0
    found = np.nan_to_num(np.asarray(values(), dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    return periods(times, found, covered * DAY)


def few_dates(frame: pd.DataFrame, dataset: Dataset) -> Codes | None:
    """Return the date of each row, in order of time, where they are too few for periods; ``None`` for all others.

    Rows of one date, and those whose cluster is declared, need none.
    """
    if dataset.roles.cluster or not dataset.roles.time:
        return None
    found, place = np.unique(_seconds(frame[dataset.roles.time])[0], return_inverse=True)
    return place.reshape(-1).astype(np.intp) if 1 < len(found) < MANY else None


def stretches(frame: pd.DataFrame, dataset: Dataset, many: int) -> Codes | None:
    """Return in which of ``many`` stretches of time, of about as many rows each, a row lies; ``None`` without times."""
    if not dataset.roles.time:
        return None
    places = pd.Series(_seconds(frame[dataset.roles.time])[0]).rank(method="min", na_option="bottom") - 1
    found = np.asarray(places.to_numpy(dtype=np.float64) * many // max(1, len(frame)), dtype=np.intp)
    return codes_of(found)


def _seconds(times: pd.Series[Any]) -> tuple[Values, bool]:
    """Return times as seconds since 1970, or by their order where they are none, and whether they are times."""
    if not pd.api.types.is_numeric_dtype(times):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # texts of no known form: the order of what is no time counts
            stamps = pd.to_datetime(times, utc=True, errors="coerce")
        if stamps.notna().any():
            seconds = (stamps - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
            return np.asarray(seconds, dtype=np.float64), True
        return np.unique(times.astype(str).to_numpy(dtype=object), return_inverse=True)[1].astype(np.float64), False
    return np.asarray(times.to_numpy(dtype=np.float64, na_value=np.nan)), False
