"""Two logs without a key over the time that both cover: which rows are compared, and what each part measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.comparison import window as module
from mltestscore.comparison.window import Part, Window, beyond_by_chance, common_window, compare, design_effect
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


def of(served: Sequence[Any], computed: Sequence[Any], kind: Any = "number") -> dict[str, Part]:
    sides = [pd.DataFrame({"x": side}) for side in (served, computed)]
    common = Window(0, 1, *sides, (len(served), len(computed)), {"x": kind})
    return {part.name: part for part in compare(common, "x", ALPHA)}


def test_only_rows_of_the_common_time_are_compared_its_ends_included() -> None:
    left, right = hourly("2013-01-01", 48, x=range(48)), hourly("2013-01-02", 48, x=range(100, 148))
    common = common_window(left, right, ["x"])
    assert isinstance(common, Window)
    assert common.high - common.low == 23 * 3600
    assert (sorted(common.served["x"]), sorted(common.computed["x"])) == ([*range(24, 48)], [*range(100, 124)])
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
    assert list(common.served[""]) == ["a", "b"]
    assert "" not in common.computed.columns
    assert all((common.served[name] == common.computed[name]).all() for name in names)


def test_of_many_rows_always_the_same_part_is_taken_from_all_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", 100)
    data = hourly("2013-01-01", 1_000, x=range(1_000))
    first, second = (common_window(data, data, ["x"]) for _ in range(2))
    assert isinstance(first, Window)
    assert isinstance(second, Window)
    assert (len(first.served), first.rows) == (100, (1_000, 1_000))
    assert sorted(first.served["x"]) == sorted(second.served["x"])
    assert first.served["x"].min() < 100
    assert first.served["x"].max() > 900


@pytest.mark.parametrize(
    ("values", "kind", "parts"),
    [
        (NORMAL, "number", {MISSING, KS, EXCESS, GRAIN, RANGE}),
        (np.arange(4_000) % 10, "number", {MISSING, CATEGORIES}),
        (np.arange(4_000) % 11, "number", {MISSING, KS, EXCESS, GRAIN, RANGE}),
        (["a", "b"] * 50, "text", {MISSING, CATEGORIES}),
        (NORMAL, "time", {MISSING}),
        ([None, None], "text", {MISSING}),
    ],
    ids=["numbers", "ten numbers", "eleven numbers", "texts", "times", "nothing"],
)
def test_the_parts_fit_the_kind_of_values(values: Sequence[Any], kind: str, parts: set[str]) -> None:
    assert set(of(values, values, kind)) == parts


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
    assert part.cause == f"medians: {np.median(NORMAL) + 5:.6g} served, {np.median(NORMAL):.6g} computed"


def test_a_default_is_named_by_its_value_with_its_usual_share() -> None:
    """A value that became rarer is no excess, however frequent it still is."""
    few, many = (np.where(np.arange(4_000) % 10 < part, -1.0, NORMAL) for part in (1, 3))
    part = of(many, few)[EXCESS]
    assert part.interval.value == pytest.approx(0.2)
    assert part.interval.low > 0.1
    assert (part.cause, part.usual) == ("default or clip: -1 is served too often", 0.1)
    assert of(few, many)[EXCESS].interval.low == 0


def test_a_category_that_grew_is_named() -> None:
    part = of(["a"] * 500 + ["b"] * 500, ["a"] * 800 + ["b"] * 200, "text")[CATEGORIES]
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


def test_rows_of_one_cluster_count_once() -> None:
    rng = np.random.default_rng(3)
    clusters = np.repeat(np.arange(200), 20)
    frame = pd.DataFrame({"x": rng.normal(size=200)[clusters], "y": rng.normal(size=4_000), "": clusters.astype(str)})
    frame["name"] = np.where(frame["x"] > 0, "a", "b")
    assert design_effect(frame, "x") == pytest.approx(20, rel=0.1)
    assert design_effect(frame, "name") == pytest.approx(20, rel=0.1)
    assert design_effect(frame, "y") == pytest.approx(1, abs=0.3)
    assert design_effect(frame.drop(columns=""), "x") == 1
    assert design_effect(frame.assign(x=np.nan), "x") == 1


@pytest.mark.parametrize("clustered", [(True, False), (False, True)], ids=["served", "computed"])
def test_clusters_on_either_side_widen_the_intervals(clustered: tuple[bool, bool]) -> None:
    clusters = np.repeat(np.arange(40), 100)
    values = np.random.default_rng(4).normal(size=40)[clusters]
    frames = [pd.DataFrame({"x": values + shift}) for shift in (0.4, 0.0)]
    alone = Window(0, 1, *frames, (4_000, 4_000), {"x": "number"})
    marked = [frame.assign(**{"": clusters}) if one else frame for frame, one in zip(frames, clustered, strict=True)]
    together = Window(0, 1, *marked, (4_000, 4_000), {"x": "number"})
    low = [{part.name: part.interval.low for part in compare(one, "x", ALPHA)}[KS] for one in (alone, together)]
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
