"""Features are grouped by what they say in common, whatever their types; chance and gaps make no group."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import ConfigError
from mltestscore.features.groups import as_numbers, as_texts, association, feature_groups


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    n = 4_000
    x = rng.normal(size=n)
    shop = rng.choice(list("abcdef"), n)
    return pd.DataFrame(
        {
            "x": x,
            "cube": x**3,
            "near": x + 0.3 * rng.normal(size=n),
            "far": x + 3 * rng.normal(size=n),
            "shop": shop,
            "region": pd.Series(shop).map(dict(zip("abcdef", "nnsswe", strict=True))),
            "rent": pd.Series(shop).map(dict(zip("abcdef", range(6), strict=True))).astype(float),
            "colour": rng.choice(["red", "green"], n),
            "code": [f"id{number}" for number in rng.integers(3_900, size=n)],
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.exp(x), unit="h"),
        }
    )


def test_what_says_the_same_is_one_group_in_any_types(frame):
    assert feature_groups(frame, list(frame)) == [
        ("x", "cube", "near", "when"),
        ("far",),
        ("shop", "region", "rent"),
        ("colour",),
        ("code",),
    ]


def test_association_is_symmetric_and_between_0_and_1(frame):
    found = association(frame, list(frame))
    assert np.array_equal(found, found.T)
    assert (found.diagonal() == 1).all()
    assert 0 <= found.min() <= found.max() <= 1
    assert found[0, 1] == pytest.approx(1)  # a monotone function has the same ranks
    assert found[0, 2] == pytest.approx(0.95, abs=0.01)  # 1 / sqrt(1 + 0.09), as ranks


def test_many_categories_are_not_associated_with_everything_by_chance(frame):
    place = list(frame).index("code")
    assert np.delete(association(frame, list(frame))[place], place).max() < 0.5


def test_missing_values_do_not_hide_twins(frame):
    gaps = frame[["x", "far"]].assign(twin=frame["x"] * 2 + 1)
    gaps.loc[np.random.default_rng(2).random(len(frame)) < 0.1, ["x", "twin"]] = np.nan
    assert ("x", "twin") in feature_groups(gaps, ["x", "far", "twin"])


def test_declared_groups_stand_and_what_stands_still_leaves_them(frame):
    names = ["x", "cube", "far", "shop", "colour"]
    assert feature_groups(frame, names, [("cube", "far")]) == [("x",), ("cube", "far"), ("shop",), ("colour",)]
    assert feature_groups(frame, names, [("cube", "far")], flat=["far"])[1:3] == [("cube",), ("far",)]


def test_columns_without_any_variation_or_value_are_groups_of_their_own():
    frame = pd.DataFrame({"one": 1.0, "none": np.nan, "text": "a", "x": np.arange(50.0)})
    assert feature_groups(frame, list(frame)) == [("one",), ("none",), ("text",), ("x",)]


@pytest.mark.parametrize(("groups", "said"), [([("tempp",)], "Did you mean 'temp'"), ([("temp",), ("temp",)], "twice")])
def test_a_group_that_makes_no_sense_is_refused(groups, said):
    with pytest.raises(ConfigError, match=said):
        feature_groups(pd.DataFrame({"temp": [1.0, 2.0]}), ["temp"], groups)


def test_values_are_read_the_same_in_any_dtype():
    assert as_numbers(pd.Series([1, None], dtype="Int64")).tolist()[0] == 1.0
    assert np.isnan(as_numbers(pd.Series([np.inf, np.nan]))).all()
    times = pd.Series(pd.to_datetime(["1970-01-02"])).dt.tz_localize("UTC")
    assert as_numbers(times).tolist() == [86_400.0]
    assert as_texts(pd.Series(["a", None], dtype="category")).tolist() == ["a", ""]
