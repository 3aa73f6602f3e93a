from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.comparison import profile
from mltestscore.comparison.profile import common_features, most_frequent, past, windows_of
from mltestscore.comparison.window import beyond_by_chance
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset


def yearly(**columns: object) -> Dataset:
    at = pd.date_range("2013-01-01", periods=30_000, freq="10min")
    return open_dataset("training", pd.DataFrame({"at": at} | columns), Roles(time="at"))


@pytest.mark.parametrize(("days", "unit"), [(40, "weeks"), (7, "weeks"), (2, "days")])
def test_windows_are_as_long_as_the_serving_data_and_at_least_twelve(days: int, unit: str) -> None:
    served = pd.DataFrame({"at": pd.date_range("2013-12-01", periods=days * 24, freq="h"), "x": 1})
    found = windows_of(yearly(x=1), open_dataset("serving", served, Roles(time="at")))
    assert (found.name, found.enough) == (unit, found.count >= 12)


def test_counters_identifiers_and_free_text_are_recognised() -> None:
    rows = np.arange(30_000)
    data = yearly(
        number=rows,
        ident=np.random.default_rng(1).permutation(rows),
        note=[f"note {row}" for row in rows],
        real=np.random.default_rng(2).normal(size=30_000),
        code=np.where(rows % 2, "a", "b"),
    )
    windows = windows_of(data, data)
    found = past(data, common_features(data, data), windows)
    assert {name: (one.grows, bool(one.nameless)) for name, one in found.items()} == {
        "number": (True, True),
        "ident": (False, True),
        "note": (False, True),
        "real": (False, False),
        "code": (False, False),
    }


def test_the_most_frequent_values_come_first_and_ties_by_value() -> None:
    frame = pd.DataFrame({"x": [3, 3, 3, 2, 1, None], "y": ["b", "b", "a", "a", "", None], "z": [None] * 6})
    data = open_dataset("training", frame)
    found = most_frequent(data, {"x": "number", "y": "text", "z": "text"}, 2)
    assert found == {"x": [(3.0, 3), (1.0, 1)], "y": [("a", 2), ("b", 2)], "z": []}
    assert most_frequent(data, {"y": "text"}, 1) == {"y": [("a", 2)]}


def test_frequent_values_of_many_rows_are_those_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashed into buckets first, nothing that holds a share worth looking at is lost or miscounted."""
    rng = np.random.default_rng(4)
    measured = rng.normal(size=40_000)
    measured[:60], measured[60:4_000], measured[4_000] = -999.0, 0.0, np.inf
    frame = pd.DataFrame({"measured": measured, "few": rng.integers(0, 3, 40_000), "one": 7.5})
    features: dict = dict.fromkeys(frame.columns, "number")
    exact = most_frequent(open_dataset("training", frame), features, 10)
    monkeypatch.setattr(profile, "MANY_ROWS", 1)
    hashed = most_frequent(open_dataset("training", frame), features, 10)
    assert hashed["measured"][:2] == exact["measured"][:2] == [(0.0, 3_940), (-999.0, 60)]
    assert (hashed["few"], hashed["one"]) == (exact["few"], [(7.5, 40_000)])


@pytest.mark.parametrize("n", [200, 2_000])
def test_beyond_by_chance_is_no_less_than_what_happens(n: int) -> None:
    """Simulated: how often at least k of 100 rows lie beyond the extremes of n others."""
    rng = np.random.default_rng(3)
    outside = []
    for _ in range(2_000):
        past_rows, rows = rng.random(n), rng.random(100)
        outside.append(((rows < past_rows.min()) | (rows > past_rows.max())).sum())
    for k in (2, 4, 8):
        assert (np.array(outside) >= k).mean() <= beyond_by_chance(k, n, 100) + 0.01
