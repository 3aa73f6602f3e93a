"""Our one query agrees with Great Expectations, and says what was found where a rule is broken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mltestscore.inputs import gx
from mltestscore.inputs.dataset import open_dataset
from mltestscore.inputs.expectations import can_compile, measure
from mltestscore.inputs.rules import ARGUMENTS, Rule

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


NUMBERS = st.one_of(st.none(), st.integers(-4, 4), st.sampled_from([0.5, -1.5]))
WORDS = st.one_of(st.none(), st.text("abAé1 \n", max_size=3))
FRAMES = st.integers(1, 8).flatmap(
    lambda rows: st.fixed_dictionaries(
        {
            "n": st.lists(NUMBERS.map(lambda v: np.nan if v is None else float(v)), min_size=rows, max_size=rows),
            "m": st.lists(NUMBERS.map(lambda v: np.nan if v is None else float(v)), min_size=rows, max_size=rows),
            "i": st.lists(st.integers(-4, 4), min_size=rows, max_size=rows),
            "s": st.lists(WORDS, min_size=rows, max_size=rows),
            "d": st.lists(st.integers(0, 5), min_size=rows, max_size=rows),
        }
    )
)
MOSTLY = st.sampled_from([0.0, 0.5, 0.75, 1.0])
BOUND = st.one_of(st.integers(-4, 4), st.sampled_from([-0.5, 1.5]))
DAY = st.integers(0, 5).map(lambda day: f"2013-01-0{day + 1}T00:00:00")


@st.composite
def bounds(draw: st.DrawFn, bound: st.SearchStrategy[Any] = BOUND, strict: bool = True) -> dict[str, Any]:
    low, high = sorted(draw(st.tuples(bound, bound)))
    sides = draw(st.sampled_from([("min_value",), ("max_value",), ("min_value", "max_value")]))
    limits = {side: {"min_value": low, "max_value": high}[side] for side in sides}
    return limits | ({"strict_min": draw(st.booleans()), "strict_max": draw(st.booleans())} if strict else {})


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    kind = draw(st.sampled_from(sorted(ARGUMENTS)))
    needed, allowed = ARGUMENTS[kind]
    number = draw(st.sampled_from(["n", "i"]))
    any_column = draw(st.sampled_from(["n", "i", "s"]))
    arguments: dict[str, Any] = {"mostly": draw(MOSTLY)} if "mostly" in allowed else {}
    if "type_" in needed or "type_list" in needed:
        # On pandas 3 Great Expectations finds no text in a list of types.
        column, name = draw(st.sampled_from([("n", "float64"), ("i", "int64"), ("s", "int64"), ("i", "str")]))
        return Rule(kind, {"column": column} | ({"type_": name} if "type_" in needed else {"type_list": [name]}))
    if kind == "expect_table_columns_to_match_set":
        names = st.sampled_from(["n", "m", "i", "s", "d", "x"])
        return rule(kind, column_set=draw(st.lists(names, unique=True)), exact_match=draw(st.booleans()))
    if "column_list" in needed or "column_A" in needed:
        words = ("all", "any", "never") if "column_list" in needed else ("both", "either", "neither")
        missing = {"all": "all_values_are_missing", "any": "any_value_is_missing", "either": "either_value_is_missing"}
        ignore = {"ignore_row_if": draw(st.sampled_from([missing.get(w, w) for w in words if w != "both"]))}
        if "column_list" in needed:
            return rule(kind, column_list=["n", "i"], **arguments, **ignore)
        equal = {"or_equal": draw(st.booleans())} if "or_equal" in allowed else {}
        return rule(kind, column_A="n", column_B="m", **arguments, **ignore, **equal)
    if "regex" in needed:
        return rule(kind, "s", regex=draw(st.sampled_from(["^a", r"\d", "[]a]", "", "é|1"])), **arguments)
    if "value_set" in needed:
        column, values = draw(st.sampled_from([("n", BOUND), ("i", BOUND), ("s", st.sampled_from(["a", "", "é"]))]))
        return rule(kind, column, value_set=draw(st.lists(values, min_size=1, unique=True)), **arguments)
    if "value_lengths" in kind:
        return rule(kind, "s", **draw(bounds(st.integers(0, 3))), **arguments)
    if kind == VALUES + "be_between" and draw(st.booleans()):
        return rule(kind, "d", **draw(bounds(DAY)), **arguments)
    if {"min_value"} & allowed:
        return rule(kind, number if "column" in needed else "", **draw(bounds(st.integers(-4, 8))), **arguments)
    return rule(kind, any_column, **arguments)


@settings(deadline=None, max_examples=24, derandomize=True, phases=[Phase.generate])
@given(columns=FRAMES, several=st.lists(rules(), min_size=6, max_size=6))
def test_compiled_rules_agree_with_great_expectations(columns: dict[str, list[Any]], several: list[Rule]) -> None:
    columns = {**columns, "d": [f"2013-01-0{day + 1}" for day in columns["d"]]}
    frame = pd.DataFrame(columns).astype({"s": "str", "d": "datetime64[ns]"})
    ours = measure(open_dataset("training", frame).table, several)
    theirs = gx.validate(frame, several)
    for one, our, their in zip(several, ours, theirs, strict=True):
        assert our.broken == their.broken, (one, our, their, frame)
        if "mostly" in ARGUMENTS[one.type][1] and "type" not in one.type and our.broken:
            assert our.unexpected == their.unexpected, (one, our, their, frame)


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
