"""Probe rows are legal: every value lies in the domain that schema and training leave it, every edge has its rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.schema import Schema
from mltestscore.numerics.probe_rows import DRAWN, OBSERVED, UNSEEN, probe_rows, values_of

TRAINING = pd.DataFrame(
    {
        "n": [1, 5, 9] * 10,
        "x": [0.5, np.nan, 2.5] * 10,
        "kind": pd.Categorical(["a", "b", "a"] * 10),
        "flag": [True, False, True] * 10,
        "at": pd.date_range("2024-01-01", periods=30),
        "text": ["one", "two", None] * 10,
    }
)


def rule(kind: str, column: str, **kwargs) -> Rule:
    return Rule(f"expect_column_values_to_{kind}", {"column": column, **kwargs})


def probe(features, *rules, training=TRAINING, rows=200):
    data = None if training is None else open_dataset("training", training, Roles())
    return probe_rows(features, Schema("suite", rules), data, rows, np.random.default_rng(0))


def edges(name, *rules, seen=None):
    return [value for _, value in values_of(name, Schema("suite", rules), seen).edges]


def test_without_rules_rows_stay_within_training_and_keep_its_dtypes():
    found = probe(list(TRAINING.columns)).frame
    assert found["n"].between(1, 9).all()
    assert found["x"].dropna().between(0.5, 2.5).all()
    assert found["text"].dropna().isin(["one", "two"]).all()
    assert found.dtypes.to_dict() == TRAINING.dtypes.to_dict()


def test_only_what_training_misses_may_be_missing():
    found = probe(list(TRAINING.columns)).frame
    assert set(found.columns[found.isna().any()]) == {"x", "text"}


def test_a_tolerance_for_surprises_asks_no_model_to_take_gaps_that_no_row_had():
    many = pd.DataFrame({"n": [1.0, 5.0, 9.0] * 4_000, "x": [0.5, 1.5, 2.5] * 4_000, "y": [0.5, None, 2.5] * 4_000})
    tolerated, expected = ([rule("not_be_null", one, mostly=mostly) for one in "nxy"] for mostly in (0.999, 0.98))
    found = {
        mostly: probe(list("nxy"), *rules, training=many).frame for mostly, rules in ((1, tolerated), (2, expected))
    }
    assert {mostly: [*frame.columns[frame.isna().any()]] for mostly, frame in found.items()} == {
        1: ["y"],
        2: ["n", "x", "y"],
    }


@settings(deadline=None, max_examples=30)
@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.booleans())
def test_numbers_obey_their_range(low, width, whole):
    rules = [rule("be_between", "v", min_value=low, max_value=low + width + 1), rule("not_be_null", "v")]
    if whole:
        rules.append(rule("be_of_type", "v", type_="int64"))
    found = probe(["v"], *rules, training=None, rows=20).frame["v"]
    assert found.between(low, low + width + 1).all()


def test_every_edge_has_rows_of_its_own():
    found = probe(["n", "x"], rule("be_between", "n", min_value=0, max_value=10), rule("not_be_null", "n"))
    assert {DRAWN, OBSERVED, "n = 0 (least allowed)", "n = 10 (largest allowed)", "x missing"} <= set(found.origins)
    assert (found.frame["n"][found.origins == "n = 10 (largest allowed)"] == 10).all()
    assert len(found.origins) == len(found.frame)


def test_zero_is_an_edge_where_it_is_inside():
    assert edges("v", rule("be_between", "v", min_value=-1, max_value=1)) == [-1, 1, 0]
    assert edges("v", rule("be_between", "v", min_value=1, max_value=2)) == [1, 2]


def test_an_end_that_a_rule_excludes_is_not_an_edge():
    low, high = edges("v", rule("be_between", "v", min_value=1, max_value=2, strict_min=True, strict_max=True))
    assert 1 < low < high < 2
    assert 0 not in edges(
        "v", rule("be_between", "v", min_value=-1, max_value=1), rule("not_be_in_set", "v", value_set=[0])
    )


def test_an_open_end_is_probed_far_beyond_training():
    low, high, zero = edges("v", rule("not_be_null", "v"), seen=pd.Series([10.0, 20.0]))
    assert (low, high, zero) == (-90, 120, 0)


@pytest.mark.parametrize(
    ("rules", "probed"),
    [
        ([("not_be_null", {})], True),
        ([("be_of_type", {"type_": "str"})], True),
        ([("be_in_set", {"value_set": ["a"], "mostly": 0.9})], True),
        ([("be_in_set", {"value_set": ["a"]})], False),
        ([("match_regex", {"regex": "^[a-z]$"})], False),
        ([], False),
    ],
)
def test_an_unseen_category_is_an_edge_only_where_the_rules_leave_room(rules, probed):
    found = edges("v", *(rule(kind, "v", **kwargs) for kind, kwargs in rules), seen=pd.Series(["a", "b"]))
    assert (UNSEEN in found) == probed


def test_features_that_a_rule_ties_together_keep_the_values_of_training_rows():
    training = pd.DataFrame({"start": np.arange(50.0), "end": np.arange(50.0) + 1})
    tie = Rule("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "end", "column_B": "start"})
    found = probe(["start", "end"], tie, training=training).frame
    assert (found["end"] - found["start"] == 1).all()


def test_training_rows_that_break_a_rule_are_left_out():
    found = probe(["n"], rule("be_between", "n", max_value=5), rule("not_be_null", "n"))
    assert set(found.frame["n"][found.origins == OBSERVED]) == {1, 5}


def test_features_of_which_nothing_is_known_are_named():
    assert probe(["a", "b"], rule("be_in_set", "b", value_set=[1, 2]), training=None).unknown == ("a",)


def test_the_same_generator_draws_the_same_rows():
    one, again = probe(["n", "x", "text"]), probe(["n", "x", "text"])
    pd.testing.assert_frame_equal(one.frame, again.frame)


def test_training_rows_that_arrow_holds_are_taken_too():
    import pyarrow as pa

    table = pa.table({"n": [1, 2, 3, None], "kind": ["a", "b", None, "a"]})
    data = open_dataset("training", table, Roles())
    rules = [rule("be_between", "n", min_value=0, max_value=2), rule("be_in_set", "kind", value_set=["a", "b"])]
    found = probe_rows(["n", "kind"], Schema("suite", rules), data, 20, np.random.default_rng(0))
    legal = found.frame[found.origins == OBSERVED]
    assert legal["n"].tolist()[:2] == [1, 2]
    assert 3 not in legal["n"].tolist()
    assert legal["n"].isna().sum() == 1


@pytest.mark.parametrize("kind", ["uint8", "int8", "int64", "uint64", "Int16", "uint64[pyarrow]"])
def test_whole_numbers_stay_within_what_their_column_can_hold(kind):
    ends = np.iinfo(kind.lower().removesuffix("[pyarrow]"))
    seen = pd.Series([ends.min, ends.max], dtype=kind)
    wide = rule("be_between", "n", min_value=1.5 * float(ends.min), max_value=1.5 * float(ends.max))
    found = probe(["n"], wide, rule("not_be_null", "n"), training=pd.DataFrame({"n": seen}))
    assert found.frame["n"].dtype == seen.dtype
    assert found.frame["n"].nunique() > 50
    at_ends = edges("n", wide, seen=seen)
    assert ends.min <= min(at_ends) < max(at_ends) <= ends.max
