"""Values of any column become groups: hostile texts, dates, gaps, booleans, many numbers, nothing at all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.slices.values import MISSING, labels_of


def groups(values) -> dict[str, int]:
    return pd.Series(labels_of(pd.Series(values))).value_counts().to_dict()


def test_few_values_stand_as_they_are_and_missing_ones_are_a_group():
    assert groups(["b", None, "a", "b"]) == {"b": 2, "a": 1, MISSING: 1}
    assert groups([True, False, True]) == {"True": 2, "False": 1}
    assert groups(pd.array([1, None, 2], dtype="Int64")) == {"1": 1, "2": 1, MISSING: 1}
    assert groups(pd.Categorical(["x", "y", None])) == {"x": 1, "y": 1, MISSING: 1}


def test_many_numbers_are_cut_into_quarters():
    found = groups([*np.arange(100.0), np.nan, np.inf])
    assert list(found.values())[:4] == [26, 25, 25, 25]
    assert found[MISSING] == 1


def test_numbers_that_look_alike_in_print_stay_apart():
    assert len(groups(1e15 + np.arange(100))) == 4


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_times_are_cut_into_quarters_too(zone):
    found = groups([*pd.date_range("2026-01-01", periods=40, tz=zone), pd.NaT])
    assert sorted(found.values()) == [1, 10, 10, 10, 10]
    assert any("2026-01-10" in name for name in found)


def test_a_column_of_zeros_mostly_and_an_empty_one():
    assert sum(groups([0.0] * 90 + list(np.arange(1.0, 21.0))).values()) == 110
    assert groups([np.nan, np.nan]) == {MISSING: 2}
    assert groups(pd.Series([pd.NaT, pd.NaT])) == {MISSING: 2}


def test_long_and_hostile_texts_are_cut_and_stay_apart():
    found = groups(["<script>" * 50 + "1", "<script>" * 50 + "2"])
    assert len(found) == 2
    assert all(len(name) <= 90 for name in found)
