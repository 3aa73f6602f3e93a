"""Trials that are asked together come to what each comes to alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore import trials
from mltestscore.inputs import sources
from mltestscore.inputs.dataset import open_dataset
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.schema import Schema

SOUND = pd.DataFrame(
    {"n": [1.0, 2.0, np.nan, 4.0], "s": ["a", "b", None, "a"], "t": pd.date_range("2024-01-01", periods=4)}
)
TRIALS = {
    "whole": {"n": pd.Series([1, 2, 3, 4]), "s": pd.Series(["a", "b", "c", "d"])},
    "text": {"n": pd.Series(["x", None, "y", "z"])},
    "numbers": {"s": pd.Series([1.5, 2.5, None, 1.5]), "t": pd.Series([1.0, 2.0, 3.0, 4.0])},
    "late": {"t": SOUND["t"] + pd.Timedelta("999D"), "n": SOUND["n"] * 100},
}
RULES = [
    Rule("expect_column_values_to_be_between", {"column": "n", "max_value": 50}),
    Rule("expect_column_values_to_be_of_type", {"column": "n", "type_": "int64"}),
    Rule("expect_column_values_to_not_be_null", {"column": "n", "mostly": 0.8}),
    Rule(
        "expect_column_quantile_values_to_be_between",
        {"column": "n", "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[2, 3]]}},
    ),
    Rule("expect_column_values_to_be_unique", {"column": "s"}),
    Rule("expect_column_values_to_be_in_set", {"column": "s", "value_set": ["a", "b"], "mostly": 0.5}),
    Rule("expect_column_most_common_value_to_be_in_set", {"column": "s", "value_set": ["a"]}),
    Rule("expect_column_values_to_match_regex", {"column": "s", "regex": "[a-d1]"}),
    Rule("expect_column_max_to_be_between", {"column": "t", "max_value": "2025-01-01"}),
    Rule(
        "expect_column_values_to_be_null",
        {"column": "t", "row_condition": "t > '2024-06-01'", "condition_parser": "pandas"},
    ),
]


@pytest.fixture(scope="module")
def layers() -> list[trials.Layer]:
    tables = {trial: sources.frame_to_arrow(pd.DataFrame(columns)) for trial, columns in TRIALS.items()}
    arrays = {
        trial: {name: table[name].combine_chunks() for name in table.column_names} for trial, table in tables.items()
    }
    return trials.layers(arrays, len(SOUND))


def test_what_is_asked_of_all_trials_together_is_what_each_comes_to_alone(layers: list[trials.Layer]) -> None:
    found = trials.broken(layers, RULES)
    for trial, columns in TRIALS.items():
        for rule in RULES:
            if rule.column in columns and (trial, rule) in found:
                alone = open_dataset("trial", pd.DataFrame({rule.column: columns[rule.column]}))
                assert found[trial, rule] == bool(Schema("s", [rule]).violations(alone)), (trial, rule.text)
    assert len(found) >= 20
    assert set(found.values()) == {True, False}


def test_only_what_a_trial_holds_is_judged(layers: list[trials.Layer]) -> None:
    assert {trial for trial, rule in trials.broken(layers, RULES) if rule.column == "t"} == {"numbers", "late"}


def test_values_of_one_kind_share_a_table(layers: list[trials.Layer]) -> None:
    assert len(layers) == 2
    assert {("whole", "n"), ("late", "n"), ("text", "n")} <= layers[0].held | layers[1].held
    assert not layers[0].held & layers[1].held


def test_no_rule_is_asked_twice(layers: list[trials.Layer]) -> None:
    first = trials.broken(layers, RULES[:3])
    before = [dict(layer.answers) for layer in layers]
    assert trials.broken(layers, RULES[:3]) == first
    assert [dict(layer.answers) for layer in layers] == before


def test_what_only_great_expectations_can_tell_is_left(layers: list[trials.Layer]) -> None:
    rising = Rule("expect_column_values_to_be_increasing", {"column": "n"})
    assert trials.broken(layers, [rising]) == {}
