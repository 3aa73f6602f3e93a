from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.comparison.profile import (
    categories_by_window,
    common_features,
    count,
    past,
    shares_by_window,
    windows_of,
)
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


def test_rare_fractions_are_counted_in_the_window_where_they_lie() -> None:
    whole = np.arange(30_000) % 500
    data = yearly(x=np.where(np.arange(30_000) < 20, 0.5, whole))
    one = past(data, {"x": "number"}, windows_of(data, data))["x"]
    assert one.fractions.sum() == 20
    assert one.fractions.max() == 20


def test_categories_and_shares_by_window_add_up_to_the_whole() -> None:
    rng = np.random.default_rng(5)
    value = np.where(rng.random(30_000) < 0.1, 7.0, rng.normal(size=30_000))
    data = yearly(code=rng.choice(["a", "b", ""], 30_000), value=value)
    windows = windows_of(data, data)
    found = past(data, {"code": "text", "value": "number"}, windows)
    code = categories_by_window(data, found["code"], windows)
    assert {name: rows.sum() for name, rows in code.categories.items()} == {
        name: rows.sum() for name, rows in found["code"].categories.items()
    }
    assert not code.constant.any()
    assert code.missing.sum() == (data.frame(["code"])["code"] == "").sum()
    shares = shares_by_window(data, found["value"], [7.0, 99.0], windows)
    assert (shares * found["value"].rows[:, None]).sum(axis=0).tolist() == [(value == 7.0).sum(), 0]


def test_a_text_that_fills_a_window_is_constant_there() -> None:
    data = yearly(code=np.where(np.arange(30_000) < 15_000, "a", "b"))
    windows = windows_of(data, data)
    code = categories_by_window(data, past(data, {"code": "text"}, windows)["code"], windows)
    assert code.constant.sum() >= len(code.rows) - 1


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


def test_what_is_served_as_another_kind_is_left_to_the_rules() -> None:
    served = yearly(x=[f"{row}" for row in range(30_000)], y=1.5, z="a")
    training = yearly(x=1.0, y=2.0, z="b")
    count(training, served)
    assert set(served.known) == set(training.known) == {"y", "z"}
    assert served.known["z"].values == {"a": 30_000}
    assert served.known["y"].low == (1.5,)
