from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.comparison.profile import common_features, count_events, past, repeated_keys, windows_of
from mltestscore.comparison.window import beyond_by_chance
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset


def hits(values: list[int] | np.ndarray, clusters: list[int] | np.ndarray) -> tuple[int, int, float]:
    data = open_dataset("serving", pd.DataFrame({"x": values, "c": clusters}), Roles(cluster="c"))
    found = count_events(data, {"hit": data.table["x"] == 1})["hit"]
    return found.hits, found.rows, found.design_effect


def test_independent_rows_have_no_design_effect() -> None:
    rng = np.random.default_rng(1)
    assert hits(rng.integers(0, 2, 5_000), np.arange(5_000))[2] == pytest.approx(1, abs=0.01)
    assert hits(rng.integers(0, 2, 5_000), rng.integers(0, 250, 5_000))[2] == pytest.approx(1, abs=0.3)


def test_rows_that_share_their_cluster_count_once() -> None:
    clusters = np.repeat(np.arange(200), 20)
    assert hits(np.random.default_rng(2).integers(0, 2, 200)[clusters], clusters)[2] == pytest.approx(20, rel=0.05)


def test_a_single_hit_is_no_cluster() -> None:
    assert hits([1] + [0] * 999, np.arange(1_000) // 10)[2] == pytest.approx(1, abs=0.05)


def test_one_cluster_says_as_much_as_one_row() -> None:
    assert hits([1, 0, 1, 0], [1, 1, 1, 1]) == (2, 4, 4.0)


def test_what_never_happens_has_no_design_effect() -> None:
    assert hits([0, 0, 0], [1, 1, 2]) == (0, 3, 1.0)


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


def test_repeated_keys_are_counted() -> None:
    data = open_dataset("serving", pd.DataFrame({"k": [1, 1, 2, None]}), Roles(key=("k",)))
    assert repeated_keys(data) == (1, 3)


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
