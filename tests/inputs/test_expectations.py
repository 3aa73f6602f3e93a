"""A compiled rule says what was found where it is broken, and what a type and a time mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.dataset import open_dataset
from mltestscore.inputs.expectations import can_compile, measure
from mltestscore.inputs.rules import Rule

VALUES, COLUMN = "expect_column_values_to_", "expect_column_"


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "temp": [10.0, 20.0, np.nan, 40.0],
            "carrier": ["UA", "AA", None, "UA"],
            "day": pd.to_datetime(["2013-01-01", "2013-01-02", "2013-01-03", None]),
        }
    )


def rule(kind: str, column: str = "", **arguments: Any) -> Rule:
    return Rule(kind, {"column": column, **arguments} if column else arguments)


def outcome(frame: pd.DataFrame, one: Rule) -> Any:
    assert can_compile(one)
    return measure(open_dataset("training", frame).table, [one])[0]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (rule(VALUES + "be_between", "carrier", min_value=1), "the column is text and cannot be compared with 1"),
        (rule(VALUES + "be_between", "temp", min_value="a"), "the column is number and cannot be compared with 'a'"),
        (rule(VALUES + "be_of_type", "carrier", type_="int64"), "the column is text, expected int64"),
        (rule(COLUMN + "mean_to_be_between", "carrier", min_value="a"), "the column is text and has no mean"),
        (rule(COLUMN + "mean_to_be_between", "temp", max_value=20), "the mean is 23.3333"),
        (rule(COLUMN + "distinct_values_to_contain_set", "carrier", value_set=["UA", "B6"]), "never occur is 1"),
        (rule(VALUES + "be_between", "day", min_value="soon"), "'soon' is not a time"),
    ],
    ids=lambda value: getattr(value, "type", ""),
)
def test_a_broken_rule_says_what_was_found(one: Rule, words: str, frame: pd.DataFrame) -> None:
    found = outcome(frame, one)
    assert found.broken
    assert words in found.message


@pytest.mark.parametrize(
    ("dtype", "name"),
    [("Int64", "int64"), ("float64", "int64"), ("int32", "INTEGER"), ("float32", "float64"), ("int64", "float")],
)
def test_a_type_means_its_family(dtype: str, name: str) -> None:
    numbers = pd.DataFrame({"a": pd.Series([1, 2, 3]).astype(dtype)})
    assert not outcome(numbers, rule(VALUES + "be_of_type", "a", type_=name)).broken


def test_halves_are_not_integers() -> None:
    assert outcome(pd.DataFrame({"a": [1.0, 2.5]}), rule(VALUES + "be_of_type", "a", type_="int64")).unexpected == 1


def test_an_infinity_has_no_deviation_and_breaks_a_range() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, np.inf]})
    assert outcome(frame, rule(COLUMN + "stdev_to_be_between", "a", min_value=0)).broken
    assert outcome(frame, rule(VALUES + "be_between", "a", max_value=5)).unexpected == 1


def test_a_zoned_time_is_compared_as_an_instant() -> None:
    frame = pd.DataFrame({"t": pd.to_datetime(["2013-01-01 23:30"]).tz_localize("America/New_York")})
    between = rule(VALUES + "be_between", "t", min_value="2013-01-02T04:00:00Z", max_value="2013-01-02 05:00")
    assert not outcome(frame, between).broken


def test_more_rules_than_one_query_takes_keep_their_order(frame: pd.DataFrame) -> None:
    several = [rule(VALUES + "be_between", "temp", max_value=limit) for limit in range(250)]
    outcomes = measure(open_dataset("training", frame).table, several, examples=0)
    assert [one.broken for one in outcomes] == [limit < 40 for limit in range(250)]
