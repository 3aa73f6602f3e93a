"""Which row a served value comes from, by the order of the keys and by the time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mltestscore.comparison.attribution import explain, with_values
from mltestscore.comparison.cause import best
from mltestscore.comparison.differing import Rows
from mltestscore.comparison.join import join
from mltestscore.comparison.lookups import AHEAD, candidates, clocks
from mltestscore.inputs.dataset import Roles, open_dataset

DAYS = pd.date_range("2013-03-01", periods=40, freq="D")
RANDOM = np.random.default_rng(3).permutation(30 * len(DAYS))


@pytest.mark.parametrize(
    ("moments", "named"),
    [
        ([day + pd.Timedelta(minutes=number) for number in range(30) for day in DAYS], "stale, or off by one"),
        ([DAYS[0] + pd.Timedelta(hours=int(hour)) for hour in RANDOM], "off by one"),
    ],
)
def test_the_row_before_may_be_a_stale_one_where_it_is_the_same_time_earlier(moments, named):
    """In the order of keys that end in the date, the row before is the same flight a day earlier."""
    keys = [f"B6{100 + number}-{day:%F}" for number in range(30) for day in DAYS]
    temp = np.random.default_rng(4).normal(12, 8, len(keys))
    frame = pd.DataFrame({"flight": keys, "at": moments, "temp": temp})
    roles = Roles(key=("flight",), time="at")
    served = open_dataset("serving", frame.assign(temp=frame["temp"].shift(1)).iloc[1:], roles)
    joined = join(served, open_dataset("recomputed", frame, roles), ("temp",), 1e-6)
    found = explain(Rows(joined, joined.features[:1]), joined.features[0])
    assert found is not None
    assert found.name.startswith(named)


MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
MOMENTS = np.random.default_rng(5).integers(1_300_000_000, 1_400_000_000, 200) + 0.25


def clock(served: np.ndarray, computed: np.ndarray = MOMENTS) -> str:
    named = best(clocks(pd.DataFrame({"served": served, "computed": computed})), len(served))
    return "" if named is None else named.name


@settings(max_examples=40)
@given(st.integers(-56, 56).filter(bool))
@example(56)
@example(-56)
def test_a_shift_of_quarter_hours_within_a_day_is_a_time_zone(quarters: int) -> None:
    assert clock(MOMENTS + quarters * HOUR / 4) == f"time zone: {quarters / 4:+g} h in serving"


@pytest.mark.parametrize(
    ("shift", "said"),
    [(7 * MINUTE, "7 min"), (-DAY, "-1 day"), (2 * DAY, "2 days"), (15 * HOUR, "15 h"), (1.5, "1.5 s")],
)
def test_any_other_shift_is_an_offset_in_the_unit_that_suits_it(shift: float, said: str) -> None:
    assert clock(MOMENTS + shift) == f"constant offset {said}"


def test_two_shifts_an_hour_apart_are_daylight_saving() -> None:
    summer = np.arange(200) % 10 < 4
    assert clock(MOMENTS - np.where(summer, 4, 5) * HOUR) == "time zone: -5 h and -4 h in serving (daylight saving)"
    assert clock(MOMENTS - np.where(summer, 3, 5) * HOUR) == "time zone: -5 h in serving"
    assert clock(MOMENTS - np.where(np.arange(200) % 2 < 1, 3, 5) * HOUR) == ""


@pytest.mark.parametrize(
    ("unit", "seconds"), [("millisecond", 0.001), ("second", 1.0), ("minute", MINUTE), ("hour", HOUR), ("day", DAY)]
)
def test_cut_times_name_the_unit(unit: str, seconds: float) -> None:
    exact = MOMENTS + np.random.default_rng(11).integers(0, 1_000_000, len(MOMENTS)) / 1e6
    assert clock(np.floor(exact / seconds) * seconds, exact) == f"times cut to the {unit} in serving"


def test_times_without_relation_are_not_named() -> None:
    assert clock(np.random.default_rng(6).permutation(MOMENTS)) == ""


ENTITIES, STEPS = 8, 60


def walks(step: str = "h", **columns: Any) -> pd.DataFrame:
    """Eight entities at sixty times, each with a value of its own at each time."""
    times = pd.date_range("2013-01-01", periods=STEPS, freq=step)
    real = np.random.default_rng(7).normal(0, 1, ENTITIES * STEPS)
    base = {"who": np.repeat(np.arange(ENTITIES), STEPS), "at": np.tile(times, ENTITIES), "x": real, "y": real[::-1]}
    return pd.DataFrame(base | columns)


def names(served: pd.DataFrame, computed: pd.DataFrame, feature: str = "x", rows: int = 1_000) -> list[str]:
    """Return the candidates that explain at least half of the rows that differ."""
    roles = Roles(key=("who", "at"))
    sides = [open_dataset(name, frame, roles) for name, frame in (("serving", served), ("recomputed", computed))]
    found = join(sides[0], sides[1], (feature, "y"), 1e-6)
    differing, of = Rows(found, found.features[:1], rows), found.features[0]
    return [name for name, mask in candidates(differing, of, with_values(differing.of(of))) if mask.mean() > 0.5]


def shifted(steps: int) -> pd.DataFrame:
    frame = walks()
    return frame.assign(x=frame.groupby("who")["x"].shift(steps).fillna(frame["x"]))


@pytest.mark.parametrize(("steps", "said"), [(1, "1 h"), (6, "6 h"), (24, "1 day"), (7, "7 h"), (36, "1.5 days")])
def test_a_lag_is_named_whether_it_is_a_usual_one_or_not(steps: int, said: str) -> None:
    assert f"stale: the value of the same entity {said} earlier{AHEAD}" in names(shifted(steps), walks())


def test_a_value_from_the_future_is_not_stale() -> None:
    assert [name for name in names(shifted(-24), walks()) if name.startswith("stale: the value")] == []


def test_an_irregular_refresh_is_the_row_before() -> None:
    frame = walks()
    gaps = pd.to_timedelta(np.random.default_rng(8).integers(1, 50, len(frame)).cumsum(), unit="min")
    frame["at"] = pd.Timestamp("2013-01-01") + gaps
    served = frame.assign(x=frame.groupby("who")["x"].shift(1).fillna(frame["x"]))
    assert "stale: the value of the same entity's row before" in names(served, frame)


def test_one_value_to_each_entity_is_never_refreshed_and_one_to_all_is_a_default() -> None:
    frame, frozen = walks(), "stale: never refreshed, one earlier value of each entity"
    assert frozen in names(frame.assign(x=frame.groupby("who")["x"].transform("first")), frame)
    assert frozen not in names(frame.assign(x=frame["x"].iloc[0]), frame)


def test_the_value_of_another_column_is_swapped() -> None:
    assert "swapped: the value of the column 'y'" in names(walks(x=walks()["y"]), walks())


@pytest.mark.parametrize("count", [1, 2])
def test_agreement_by_chance_names_nothing(count: int) -> None:
    """A flag agrees with any other flag half of the time, a constant with itself always; order alone may be lost."""
    flags = np.random.default_rng(9).integers(0, count, (3, ENTITIES * STEPS)).astype(float)
    found = names(walks(x=flags[0] + 5 * (count < 2), y=flags[1]), walks(x=flags[2], y=flags[1]))
    assert set(found) <= {
        "stale: never refreshed, one earlier value of each entity",
        "permuted: the value of another key",
    }


@pytest.mark.parametrize(("rows", "told"), [(4, False), (5, True)])
def test_of_few_rows_no_column_is_told(rows: int, told: bool) -> None:
    found = names(walks(x=walks()["y"]), walks(), rows=rows)
    assert ("swapped: the value of the column 'y'" in found) is told


def test_reals_found_at_other_keys_are_permuted_and_new_ones_are_not() -> None:
    frame, permuted = walks(), "permuted: the value of another key"
    mixed = frame.assign(x=frame["x"].sample(frac=1, random_state=1).to_numpy())
    assert permuted in names(mixed, frame)
    assert permuted in names(mixed.astype({"x": "float32"}), frame)
    assert permuted not in names(frame.assign(x=frame["x"] + 0.1), frame)


@pytest.mark.parametrize("kind", [str, int])
def test_few_values_are_permuted_only_where_their_distribution_is_kept(kind: type) -> None:
    drawn = np.random.default_rng(10).choice([1, 2, 3, 4, 5], (2, ENTITIES * STEPS), p=[0.4, 0.3, 0.1, 0.1, 0.1])
    frame, permuted = walks(x=pd.Series(drawn[0]).map(kind)), "permuted: the value of another key"
    assert permuted in names(walks(x=pd.Series(drawn[1]).map(kind)), frame)
    assert permuted not in names(walks(x=pd.Series(6 - drawn[0]).map(kind)), frame)
    assert permuted not in names(walks(x=pd.Series(np.where(drawn[1] > 2, 1, 2)).map(kind)), frame)


def test_values_that_are_neither_numbers_nor_texts_have_no_origin() -> None:
    lists = [[one] for one in range(ENTITIES * STEPS)]
    assert names(walks(x=lists[::-1]), walks(x=lists)) == []
