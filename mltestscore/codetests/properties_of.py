"""The properties that code from raw rows to features must have, held on one frame of raw rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

Batch = Callable[[pd.DataFrame], pd.DataFrame]
Online = Callable[[Mapping[str, Any]], Mapping[str, Any]]

TOTAL = "frames of raw rows that a path refuses"
REPEATED = "frames that get other features the second time"
UNTOUCHED = "frames that the batch path changes for its caller"
ORDER = "frames in another order that get other features"
SIZE = "rows that get other features alone than among others"
AGREE = "frames on which batch and online path disagree"
PROPERTIES = (TOTAL, REPEATED, UNTOUCHED, ORDER, SIZE, AGREE)
LONGEST = 200


@dataclass(frozen=True)
class Broken:
    """How a property does not hold: in words, and the first feature with its two values."""

    said: str
    feature: str = ""
    values: tuple[str, str] = ("", "")


def broken_properties(
    make: Callable[[], pd.DataFrame], batch: Batch | None, online: Online | None, tolerance: float
) -> dict[str, Broken | None]:
    """Hold the paths to each property on a frame that ``make`` makes anew; leave out what cannot be observed.

    Two features are the same if both are missing, or differ by no more than ``tolerance`` of the larger one: sums in
    another order may differ in their last bits.
    """
    found: dict[str, Broken | None] = {TOTAL: None}
    table: list[dict[str, Any]] | None = None
    if batch is not None:
        table = _batch(batch, make(), found)
        if table is not None:
            found |= _of_batch(make, batch, table, tolerance)
    if online is not None:
        served = _online(online, make(), found)
        if served is not None and table is not None:
            found[AGREE] = _difference(table, served, tolerance, shared=True)
    return found


def _of_batch(
    make: Callable[[], pd.DataFrame], batch: Batch, table: list[dict[str, Any]], tolerance: float
) -> dict[str, Broken | None]:
    """Ask for the rows backwards, and for the last alone.

    Who gives the same features for the rows backwards gives them twice; only where they differ, the frame as it was is
    asked for again, to tell chance from order.
    """
    places = list(range(len(table)))[::-1]
    frame = make().iloc[places].reset_index(drop=True)
    turned = _again([table[place] for place in places], batch, frame, tolerance)
    found = {REPEATED: turned, UNTOUCHED: _changed(make().iloc[places].reset_index(drop=True), frame)}
    if len(table) > 1:
        repeated = _again(table, batch, make(), tolerance) if turned is not None else None
        last = _again(table[-1:], batch, make().iloc[-1:].reset_index(drop=True), tolerance)
        found |= {REPEATED: repeated, ORDER: turned, SIZE: last}
    return found


def _again(expected: Sequence[dict[str, Any]], batch: Batch, frame: pd.DataFrame, tolerance: float) -> Broken | None:
    refused: dict[str, Broken | None] = {}
    found = _batch(batch, frame, refused)
    return refused[TOTAL] if found is None else _difference(expected, found, tolerance, shared=False)


def _batch(batch: Batch, frame: pd.DataFrame, found: dict[str, Broken | None]) -> list[dict[str, Any]] | None:
    """Return one dictionary a row, or ``None`` with the reason noted under TOTAL."""
    rows = len(frame)
    try:
        features = batch(frame)
    except Exception as error:
        found[TOTAL] = Broken(f"batch raised {type(error).__name__}: {str(error)[:LONGEST]}")
        return None
    if not isinstance(features, pd.DataFrame) or len(features) != rows:
        what = f"{len(features)} rows" if isinstance(features, pd.DataFrame) else type(features).__name__
        found[TOTAL] = Broken(f"batch returned {what} for {rows} rows; it must return a frame with one row each")
        return None
    columns = {str(name): features[name].tolist() for name in features.columns}
    return [{name: values[place] for name, values in columns.items()} for place in range(rows)]


def _online(online: Online, frame: pd.DataFrame, found: dict[str, Broken | None]) -> list[dict[str, Any]] | None:
    served = []
    for row in frame.to_dict("records"):
        try:
            served.append({str(name): value for name, value in online({str(key): row[key] for key in row}).items()})
        except Exception as error:
            found[TOTAL] = Broken(f"online raised {type(error).__name__}: {str(error)[:LONGEST]}")
            return None
    return served


def _difference(
    left: Sequence[Mapping[str, Any]], right: Sequence[Mapping[str, Any]], tolerance: float, *, shared: bool
) -> Broken | None:
    for place, (one, other) in enumerate(zip(left, right, strict=True)):
        if not shared and set(one) != set(other):
            return Broken("other columns", min(set(one) ^ set(other)))
        names = [name for name in one if name in other]
        if not names:
            return Broken(f"the paths share no feature: {sorted(one)[:3]} and {sorted(other)[:3]}"[:LONGEST])
        for name in names:
            if not same(one[name], other[name], tolerance):
                values = (repr(one[name])[:LONGEST], repr(other[name])[:LONGEST])
                return Broken(f"row {place + 1}", name, values)
    return None


def same(one: Any, other: Any, tolerance: float) -> bool:
    """Say whether two values of a feature are the same.

    >>> same(None, float("nan"), 0), same(1, 1.0, 0), same("a", "b", 0), same(1.0, 1.0 + 1e-12, 1e-9)
    (True, True, False, True)
    """
    if _missing(one) or _missing(other):
        return _missing(one) and _missing(other)
    numbers = (int, float, np.number, bool, np.bool_)
    if isinstance(one, numbers) and isinstance(other, numbers):
        return math.isclose(float(one), float(other), rel_tol=tolerance, abs_tol=tolerance)
    if isinstance(one, np.ndarray | list | tuple) and isinstance(other, np.ndarray | list | tuple):
        return len(one) == len(other) and all(same(a, b, tolerance) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def _changed(before: pd.DataFrame, after: pd.DataFrame) -> Broken | None:
    if before.columns.equals(after.columns) and before.equals(after) and before.index.equals(after.index):
        return None
    for name in before.columns:
        if name not in after.columns:
            return Broken("a column is gone", str(name))
        if not before[name].equals(after[name]):
            values = (repr(before[name].tolist()[:2])[:LONGEST], repr(after[name].tolist()[:2])[:LONGEST])
            return Broken("a column is changed", str(name), values)
    added = [str(name) for name in after.columns if name not in before.columns]
    return Broken("a column is added" if added else "its order is changed", added[0] if added else "")
