from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mltestscore.comparison.counts import count_events, repeated_keys, row_effects
from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.stats.cluster import effective_n


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
    few = (stats.t.isf(0.0005, 99) / stats.norm.isf(0.0005)) ** 2  # what a variance from 100 clusters costs
    assert hits([1] + [0] * 999, np.arange(1_000) // 10)[2] == pytest.approx(few, abs=0.02)


def test_one_cluster_says_as_much_as_one_row() -> None:
    assert hits([1, 0, 1, 0], [1, 1, 1, 1]) == (2, 4, 4.0)


def test_what_never_happens_has_no_design_effect() -> None:
    assert hits([0, 0, 0], [1, 1, 2]) == (0, 3, 1.0)


@pytest.mark.parametrize("cluster", ["", "c"])
def test_events_are_counted_side_by_side_and_unknown_is_not_true(cluster: str) -> None:
    frame = pd.DataFrame({"x": [1.0, 1.0, 2.0, None], "c": [1, 1, 2, 2]})
    data = open_dataset("serving", frame, Roles(cluster=cluster))
    x = data.table["x"]
    found = count_events(data, {"never": x == 9, "one": x == 1, "not one": x != 1})
    assert {name: (one.hits, one.rows) for name, one in found.items()} == {
        "never": (0, 4),
        "one": (2, 4),
        "not one": (1, 4),
    }
    assert [one.design_effect > 1 for one in found.values()] == [False, bool(cluster), bool(cluster)]


def test_nothing_to_count_asks_nothing() -> None:
    assert count_events(open_dataset("serving", pd.DataFrame({"x": [1]})), {}) == {}


def test_repeated_keys_are_counted() -> None:
    data = open_dataset("serving", pd.DataFrame({"k": [1, 1, 2, None]}), Roles(key=("k",)))
    assert repeated_keys(data) == (1, 3)


def test_rows_without_a_key_repeat_none() -> None:
    data = open_dataset("serving", pd.DataFrame({"k": ["a", "a"], "l": [None, None]}), Roles(key=("k", "l")))
    assert repeated_keys(data) == (0, 0)


def test_known_hits_are_not_counted_again() -> None:
    data = open_dataset("serving", pd.DataFrame({"x": [1, 1, 2]}))
    found = count_events(data, {"known": data.table["x"] == 1, "asked": data.table["x"] == 2}, {"known": 2})
    assert {name: (one.hits, one.rows) for name, one in found.items()} == {"known": (2, 3), "asked": (1, 3)}


def test_the_effect_of_clusters_on_numbers_is_that_of_the_raw_rows() -> None:
    rng = np.random.default_rng(6)
    clusters = rng.integers(0, 60, 3_000)
    values = rng.normal(size=60)[clusters] + rng.normal(size=3_000)
    frame = pd.DataFrame({"x": values, "same": 1.0, "c": clusters})
    frame.loc[:9, "x"] = None
    data = open_dataset("serving", frame, Roles(cluster="c"))
    rows = frame.dropna()
    found = row_effects(data, {name: data.table[name] for name in ("x", "same")})
    assert found["x"] == pytest.approx(len(rows) / effective_n(rows["x"], rows["c"]))
    assert found["same"] == pytest.approx(len(frame) / effective_n(frame["same"], frame["c"]))
    assert row_effects(open_dataset("serving", frame), {"x": None}) == {"x": 1.0}
