"""Two logs without a key over the time that both cover: which rows are compared, and what each part measures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.comparison.window import Part, Window, beyond_by_chance, common_window, compare
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset

ALPHA = 1e-4
MISSING, CATEGORIES = "same-window difference of missing values", "same-window distance of categories"
KS, EXCESS = "same-window distance of numbers (KS)", "same-window excess of one value"
GRAIN, RANGE = "same-window difference of fractions", "same-window values out of the computed range"
NORMAL = np.random.default_rng(1).normal(50, 10, 4_000)


def hourly(start: str, hours: int, name: str = "data", **columns: Any) -> Dataset:
    at = pd.date_range(start, periods=hours, freq="h")
    roles = Roles(time="at", cluster="c" if "c" in columns else "")
    return open_dataset(name, pd.DataFrame({"at": at} | columns), roles)


def logged(values: Sequence[Any], clusters: Sequence[Any] | None = None) -> Dataset:
    frame = pd.DataFrame({"at": pd.Timestamp("2013-01-01"), "x": values})
    if clusters is not None:
        frame["c"] = clusters
    return open_dataset("data", frame, Roles(time="at", cluster="" if clusters is None else "c"))


def parts(served: Dataset, computed: Dataset) -> dict[str, Part]:
    common = common_window(served, computed, ["x"])
    assert isinstance(common, Window)
    return {part.name: part for part in compare(common, "x", ALPHA)}


def of(served: Sequence[Any], computed: Sequence[Any]) -> dict[str, Part]:
    return parts(logged(served), logged(computed))


def test_only_rows_of_the_common_time_are_compared_its_ends_included() -> None:
    left, right = hourly("2013-01-01", 48, x=range(48)), hourly("2013-01-02", 48, x=range(100, 148))
    common = common_window(left, right, ["x"])
    assert isinstance(common, Window)
    assert common.high - common.low == 23 * 3600
    assert [side["x"].range for side in (common.served, common.computed)] == [(24, 47), (100, 123)]
    assert (common.rows, common.kinds) == ((24, 24), {"x": "number"})


def test_one_common_moment_is_a_window_and_none_is_said() -> None:
    first, touching, later = (hourly(start, 24, x=1.0) for start in ("2013-01-01", "2013-01-01 23:00", "2013-01-02"))
    common = common_window(first, touching, ["x"])
    assert isinstance(common, Window)
    assert common.rows == (1, 1)
    assert "share no time" in str(common_window(first, later, ["x"]))


def test_a_side_without_times_is_named() -> None:
    timed, plain = hourly("2013-01-01", 2, x=1.0), open_dataset("bare", pd.DataFrame({"x": [1.0]}))
    assert str(common_window(timed, plain, ["x"])).endswith("no time column in bare")
    empty = open_dataset("empty", pd.DataFrame({"at": ["soon"], "x": [1.0]}), Roles(time="at"))
    assert common_window(timed, empty, ["x"]) == "a time column holds no time"


def test_columns_of_different_types_are_made_comparable_and_any_name_will_do() -> None:
    names = ["x", "f1", "cluster", "mltestscore_at"]
    left = hourly("2013-01-01", 2, c=["a", "b"], **dict.fromkeys(names, "7"))
    right = hourly("2013-01-01", 2, **dict.fromkeys(names, 7))
    common = common_window(left, right, names)
    assert isinstance(common, Window)
    assert common.kinds == {"x": "number", "f1": "number", "cluster": "number", "mltestscore_at": "number"}
    assert all(side[name].range == (7, 7) for side in (common.served, common.computed) for name in names)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (NORMAL, {MISSING, KS, EXCESS, GRAIN, RANGE}),
        (np.arange(4_000) % 10, {MISSING, CATEGORIES}),
        (np.arange(4_000) % 11, {MISSING, KS, EXCESS, GRAIN, RANGE}),
        (["a", "b"] * 50, {MISSING, CATEGORIES}),
        (pd.date_range("2013-01-01", periods=50), {MISSING}),
        (pd.DatetimeIndex(["2013-01-01", "2013-01-02"] * 50), {MISSING, CATEGORIES}),
        ([None, None], {MISSING}),
    ],
    ids=["numbers", "ten numbers", "eleven numbers", "texts", "times", "two times", "nothing"],
)
def test_the_parts_fit_the_kind_of_values(values: Sequence[Any], expected: set[str]) -> None:
    assert set(of(values, values)) == expected


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(100, 3_000), st.sampled_from([0.0, 0.05, 0.7]), st.booleans())
def test_two_samples_of_one_population_show_no_harm(seed: int, rows: int, gaps: float, counts: bool) -> None:
    rng = np.random.default_rng(seed)
    values = rng.negative_binomial(1, 0.05, 4_000) if counts else rng.standard_cauchy(4_000)
    both = np.where(rng.random(4_000) < gaps, np.nan, values)
    for part in of(both[:rows], both[rows:]).values():
        assert part.interval.low <= 0.001, part


def test_missing_values_are_a_difference_of_shares() -> None:
    served = np.where(np.arange(4_000) % 10 < 3, np.nan, NORMAL)
    computed = np.where(np.arange(4_000) % 10 < 1, np.nan, NORMAL)
    part = of(served, computed)[MISSING]
    assert part.interval.value == pytest.approx(0.2)
    assert part.interval.low > 0.1
    assert (part.cause, part.usual) == ("missing: 30.00% served, 10.00% computed", 0.1)
    assert of([np.nan] * 4_000, computed)[MISSING].cause == "always missing in serving"


def test_a_shift_shows_in_the_distance_and_its_medians_are_said() -> None:
    part = of(NORMAL + 5, NORMAL)[KS]
    assert part.interval.low > 0.1
    medians = re.findall(r"[\d.]+", part.cause)
    assert [float(one) for one in medians] == pytest.approx([np.median(NORMAL) + 5, np.median(NORMAL)], abs=0.05)


@pytest.mark.parametrize("zeros", [0.0, 0.4], ids=["smooth", "zeros among them"])
def test_the_distance_is_that_of_the_values_and_its_error_is_in_the_interval(zeros: float) -> None:
    """Coarse cells, on purpose: the truth lies between what is shown and what the cells leave open."""
    rng = np.random.default_rng(8)
    sides = [rng.lognormal(shift, 2, 5_000) * (rng.random(5_000) >= zeros) for shift in (0.0, 0.3)]
    computed, served = sides
    interval = of(served, computed)[KS].interval
    values = np.sort(np.concatenate(sides))
    ranks = [np.searchsorted(np.sort(side), values, side="right") / 5_000 for side in sides]
    truth = float(np.abs(ranks[0] - ranks[1]).max())
    assert interval.value <= truth + 1e-12
    error = float(re.findall(r"off by at most (\S+);", interval.method)[0])
    assert truth <= interval.value + 1.1 * error + 1e-12
    assert error < 0.005


def test_a_default_is_named_by_its_value_with_its_usual_share() -> None:
    """A value that became rarer is no excess, however frequent it still is."""
    few, many = (np.where(np.arange(4_000) % 10 < part, -1.0, NORMAL) for part in (1, 3))
    part = of(many, few)[EXCESS]
    assert part.interval.value == pytest.approx(0.2)
    assert part.interval.low > 0.1
    assert (part.cause, part.usual) == ("default or clip: -1 is served too often", 0.1)
    assert of(few, many)[EXCESS].interval.low == 0


def test_a_category_that_grew_is_named() -> None:
    part = of(["a"] * 500 + ["b"] * 500, ["a"] * 800 + ["b"] * 200)[CATEGORIES]
    assert part.interval.value == pytest.approx(0.3)
    assert part.interval.low > 0.2
    assert "differs most" in part.cause


@pytest.mark.parametrize("turned", [False, True])
def test_lost_fractions_name_the_side_that_lost_them(turned: bool) -> None:
    sides = [np.trunc(NORMAL), NORMAL]
    part = of(*(sides[::-1] if turned else sides))[GRAIN]
    assert part.interval.value == 1
    assert part.cause == f"rounded or truncated in {'the training path' if turned else 'serving'}"


def test_some_values_beyond_the_other_sides_extremes_are_expected_and_many_are_not() -> None:
    far = np.where(np.arange(4_000) % 50 == 0, 1e6, NORMAL)
    part = of(far, NORMAL)[RANGE]
    assert part.interval.value == pytest.approx(0.02)
    assert part.interval.low > 0.005
    assert of(NORMAL, NORMAL[:40])[RANGE].interval.low == 0


def effect(values: Sequence[Any], clusters: Sequence[Any]) -> float:
    common = common_window(logged(values, clusters), logged(values), ["x"])
    assert isinstance(common, Window)
    assert common.computed.effects == {"x": 1.0}
    return common.served.effects["x"]


def test_rows_of_one_cluster_count_once() -> None:
    rng = np.random.default_rng(3)
    clusters = np.repeat(np.arange(200), 20)
    values = rng.normal(size=200)[clusters]
    assert effect(values, clusters) == pytest.approx(20, rel=0.1)
    assert effect(np.where(values > 0, "a", "b"), clusters) == pytest.approx(20, rel=0.1)
    assert effect(rng.normal(size=4_000), clusters) == pytest.approx(1, abs=0.3)
    assert effect(np.full(4_000, np.nan), clusters) == 1


@pytest.mark.parametrize("clustered", [(True, False), (False, True)], ids=["served", "computed"])
def test_clusters_on_either_side_widen_the_intervals(clustered: tuple[bool, bool]) -> None:
    clusters = np.repeat(np.arange(40), 100)
    values = np.random.default_rng(4).normal(size=40)[clusters]
    alone = [logged(values + shift) for shift in (0.4, 0.0)]
    marked = [
        logged(values + shift, clusters) if one else side
        for shift, side, one in zip((0.4, 0.0), alone, clustered, strict=True)
    ]
    low = [parts(*pair)[KS].interval.low for pair in (alone, marked)]
    assert low[0] > 0.05
    assert low[1] == 0


ROWS = st.floats(1, 1e6)


@given(ROWS, ROWS, st.floats(0, 1e5), st.floats(0, 1e5))
def test_more_rows_beyond_the_extremes_are_ever_less_likely(n: float, m: float, k: float, more: float) -> None:
    few, many = beyond_by_chance(k, n, m), beyond_by_chance(k + more, n, m)
    assert 0 <= many <= few <= 1


@given(ROWS, ROWS, st.floats(1, 1e4))
def test_the_more_of_the_past_is_known_the_less_likely_is_a_row_beyond_it(n: float, m: float, k: float) -> None:
    assert beyond_by_chance(k, 2 * n, m) <= beyond_by_chance(k, n, m)
