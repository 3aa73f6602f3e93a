"""Ways to break a path from raw rows to features on purpose; named to ``FeatureCode.wrapped``, run in its process."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import pandas as pd

Batch = Callable[[pd.DataFrame], pd.DataFrame]
Online = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def from_the_row_before(batch: Batch) -> Batch:
    """Give each row the features of the row before it, as a shift over an unsorted frame does."""

    def broken(rows: pd.DataFrame) -> pd.DataFrame:
        found = batch(rows)
        moved = found.shift(1)
        return moved.where(moved.notna(), found)

    return broken


def into_the_input(batch: Batch) -> Batch:
    """Empty the last column of the caller's frame."""

    def broken(rows: pd.DataFrame) -> pd.DataFrame:
        found = batch(rows)
        rows[rows.columns[-1]] = None
        return found

    return broken


def another_unit(online: Online) -> Online:
    """Give every number in a sixtieth of its unit, as hours for minutes."""

    def broken(row: Mapping[str, Any]) -> Mapping[str, Any]:
        numbers = (int, float)
        return {
            name: value / 60 if isinstance(value, numbers) and not isinstance(value, bool) else value
            for name, value in online(row).items()
        }

    return broken


def asking_again(online: Online) -> Online:
    """Ask a store of its own five times more for each row."""

    def broken(row: Mapping[str, Any]) -> Mapping[str, Any]:
        with closing(sqlite3.connect(":memory:")) as store:
            for _ in range(5):
                store.execute("SELECT 1")
        return online(row)

    return broken
