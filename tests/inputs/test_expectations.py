"""A compiled rule says what was found where it is broken, and what a type and a time mean."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.dataset import open_dataset
from mltestscore.inputs.expectations import Outcome, can_compile, measure
from mltestscore.inputs.rules import Rule
from mltestscore.stats.cluster import design_effect

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


# --- what Great Expectations has not on pandas, so that no comparison with it covers it ---------------------------


@pytest.mark.parametrize(
    ("kind", "arguments", "unexpected"),
    [
        ("match_like_pattern", {"like_pattern": "U%"}, 1),
        ("match_like_pattern", {"like_pattern": "_A"}, 0),
        ("match_like_pattern", {"like_pattern": "u%"}, 3),
        ("not_match_like_pattern", {"like_pattern": "%A"}, 3),
        ("match_like_pattern_list", {"like_pattern_list": ["U%", "%A"], "match_on": "all"}, 1),
        ("match_like_pattern_list", {"like_pattern_list": ["U%", "A%"]}, 0),
        ("not_match_like_pattern_list", {"like_pattern_list": ["U%", "B%"]}, 2),
    ],
)
def test_like_patterns_are_those_of_sql(
    kind: str, arguments: dict[str, Any], unexpected: int, frame: pd.DataFrame
) -> None:
    found = outcome(frame, rule(VALUES + kind, "carrier", **arguments))
    assert (found.unexpected, found.rows) == (unexpected, 3)


def test_a_set_of_times_may_be_text(frame: pd.DataFrame) -> None:
    days = rule(VALUES + "be_in_set", "day", value_set=["2013-01-01", "2013-01-02T00:00:00"])
    assert outcome(frame, days).unexpected == 1


def test_columns_that_are_unique_together_are_a_key() -> None:
    twice = pd.DataFrame({"a": [1, 1, 2, None], "b": ["x", "x", "x", None]})
    found = outcome(twice, rule("expect_multicolumn_values_to_be_unique", column_list=["a", "b"]))
    assert (found.unexpected, found.rows, found.examples) == (2, 3, ((1.0, "x"),))


def test_pairs_in_a_set_obey_their_row_condition() -> None:
    pairs = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})
    some = {"column_A": "a", "column_B": "b", "value_pairs_set": [[1, "x"], [2, None]]}
    assert outcome(pairs, rule("expect_column_pair_values_to_be_in_set", **some)).unexpected == 1
    fewer = rule("expect_column_pair_values_to_be_in_set", **some, row_condition="a < 3", condition_parser="pandas")
    assert outcome(pairs, fewer).unexpected == 0


def test_a_condition_that_cannot_be_judged_breaks_the_rule(frame: pd.DataFrame) -> None:
    found = outcome(frame, rule(VALUES + "not_be_null", "temp", row_condition="carrier > 3", condition_parser="pandas"))
    assert found.broken
    assert "carrier is text and cannot be compared with 3" in found.message


def test_text_compared_with_numbers_says_why_no_row_obeys(frame: pd.DataFrame) -> None:
    pair = rule(COLUMN + "pair_values_a_to_be_greater_than_b", column_A="temp", column_B="carrier")
    assert "one column is number, the other text" in outcome(frame, pair).message


def test_long_sets_come_to_the_same_on_grouped_values(frame: pd.DataFrame) -> None:
    long = rule(VALUES + "be_in_set", "carrier", value_set=["UA", *map(str, range(50))], mostly=0.9)
    table = open_dataset("training", frame).table
    assert measure(table, [long]) == measure(table, [long], rows=4)
    assert measure(table, [long])[0] == Outcome(True, 1, 3, ("AA",), "1 of 3 rows break it")


def test_the_design_effect_of_repeated_values_counts_rows_and_not_values() -> None:
    hours = np.repeat(np.arange(10), 10)
    frame = pd.DataFrame({"hour": hours, "ticket": np.where(hours < 2, 0, np.arange(100))})
    once = rule(VALUES + "be_unique", "ticket", mostly=0.9)
    (found,) = measure(open_dataset("training", frame).table, [once], cluster="hour")
    assert found is not None
    by_hour = design_effect(clusters=10, rows=100, hits=20, rows2=1_000, hits2=200, both=200)
    assert (found.unexpected, found.rows, found.design_effect) == (20, 100, pytest.approx(by_hour))


def test_a_rule_says_a_limit_of_0_too() -> None:
    limits = {"column": "rain", "min_value": 0, "max_value": 3.5, "strict_min": False}
    assert Rule("expect_column_values_to_be_between", limits).text == "values to be between: min value 0, max value 3.5"


def test_small_decimals_are_asked_whether_they_are_whole() -> None:
    frame = pd.DataFrame({"x": [Decimal("-0.5"), Decimal("0.0"), None]})
    whole = rule(VALUES + "be_in_type_list", "x", type_list=["int64"], mostly=0.5)
    (found,) = measure(open_dataset("training", frame).table, [whole])
    assert found == Outcome(False, 1, 2)
