"""Each way to corrupt a column changes what it says it changes, on every kind of column, or does not apply."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from mltestscore.corruptions import CORRUPTIONS, UNSEEN, rejected
from mltestscore.inputs import sources
from mltestscore.inputs.dataset import open_dataset
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.schema import Schema

TIMES = pd.Series(pd.date_range("2013-01-01", periods=6, tz="America/New_York"))
FRAME = {
    "float": pd.Series([1.5, np.nan, 3.0, 4.0, np.inf, 6.0]),
    "integer": pd.Series([1, 2, 3, 4, 5, 6], dtype="int8"),
    "nullable": pd.Series([1, None, 3, 4, 5, 6], dtype="Int64"),
    "arrow": pd.Series([1, None, 3, 4, 5, 6], dtype="int64[pyarrow]"),
    "boolean": pd.Series([True, False] * 3),
    "text": pd.Series(["a", None, "b", "a", "b", "c"]),
    "object": pd.Series(["a", None, "b", "a", "b", "c"], dtype=object),
    "category": pd.Series(["a", None, "b", "a", "b", "c"], dtype="category"),
    "time": TIMES,
    "constant": pd.Series([7] * 6),
}
COLUMNS = {
    name: sources.frame_to_arrow(pd.DataFrame({name: values}))[name].combine_chunks() for name, values in FRAME.items()
}
COLUMNS["day"] = COLUMNS["time"].cast(pa.date32())
COLUMNS["endless"] = pa.array([0, None, 2**62, 10, 20, 30]).cast(pa.timestamp("us"))
COLUMNS["decimal"] = COLUMNS["integer"].cast(pa.decimal128(12, 2))
NUMBERS = ("float", "integer", "nullable", "arrow", "constant", "decimal")
TEXTS = ("text", "object", "category")


@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("way", CORRUPTIONS)
def test_a_corrupted_column_keeps_its_length_and_differs(way: str, kind: str) -> None:
    column = COLUMNS[kind]
    changed = CORRUPTIONS[way](column, COLUMNS["float"])
    assert changed is None or (len(changed) == 6 and not changed.equals(column))


@pytest.mark.parametrize("way", ["wrong type", "swapped with another"])
def test_times_that_python_cannot_hold_are_corrupted_too(way: str) -> None:
    assert CORRUPTIONS[way](COLUMNS["endless"], COLUMNS["time"]) is not None


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_wrong_type_swaps_text_and_the_rest(kind: str) -> None:
    changed = CORRUPTIONS["wrong type"](COLUMNS[kind], COLUMNS["float"])
    assert pa.types.is_floating(changed.type) == (kind in TEXTS)
    assert changed.is_null() == COLUMNS[kind].is_null()


@pytest.mark.parametrize("kind", COLUMNS)
def test_out_of_range_is_for_numbers_and_times(kind: str) -> None:
    changed = CORRUPTIONS["out of range"](COLUMNS[kind], COLUMNS["float"])
    assert (changed is not None) == (kind in (*NUMBERS, "time", "day", "endless"))
    if kind in NUMBERS:
        finite = changed.filter(pc.is_finite(changed)).to_pylist()
        assert max(finite) > 100
        assert min(finite) < -50
        assert changed.is_null() == COLUMNS[kind].is_null()
    if kind in ("time", "day"):
        assert changed.type == COLUMNS[kind].type
        values = changed.to_pylist()
        assert max(values) - min(values) > timedelta(days=70_000)


@pytest.mark.parametrize("kind", COLUMNS)
def test_an_unseen_category_is_for_text(kind: str) -> None:
    changed = CORRUPTIONS["unseen category"](COLUMNS[kind], COLUMNS["float"])
    assert (changed is not None) == (kind in TEXTS)
    assert changed is None or changed.to_pylist().count(UNSEEN) == 2


@pytest.mark.parametrize("kind", COLUMNS)
def test_two_more_of_six_values_are_missing(kind: str) -> None:
    changed = CORRUPTIONS["missing values"](COLUMNS[kind], COLUMNS["float"])
    assert changed.null_count == COLUMNS[kind].null_count + 2
    there = changed.is_valid()
    assert changed.filter(there).equals(COLUMNS[kind].filter(there))


def test_a_constant_column_cannot_be_made_constant() -> None:
    assert CORRUPTIONS["constant"](COLUMNS["constant"], COLUMNS["float"]) is None
    assert CORRUPTIONS["constant"](COLUMNS["text"], COLUMNS["float"]).to_pylist() == ["a"] * 6


def test_only_rules_that_the_sound_sample_obeys_can_reject() -> None:
    sample = open_dataset("training", pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [9.0, 8.0, 7.0], "empty": [None] * 3}))
    broken = Rule("expect_column_values_to_be_between", {"column": "a", "max_value": 2})
    obeyed = Rule("expect_column_values_to_not_be_null", {"column": "b"})
    found = rejected(Schema("s", [broken, obeyed]), sample, ["a", "b", "empty"])
    assert not any(found["a"].values())
    assert [way for way, killed in found["b"].items() if killed] == ["missing values", "swapped with another"]
    assert found["empty"] == {}


@pytest.mark.parametrize(
    ("column", "neighbour", "applies"),
    [
        ([True, False, False], [True, True, True], False),
        ([0, 0, 0], [1, 0, 1], False),
        ([1, 2, 3], [3, 3, 1], False),
        ([1.0, 2.0, 3.0], [3.0, None, 1.0], True),
        ([1, 2, 3], [4, 2, 3], True),
        ([True, False, True], [1, 0, 1], True),
        (["a", "b", "c"], ["b", "b", "a"], False),
        (["a", "b", "c"], ["d", "b", "a"], True),
        ([["a"], ["b"], None], [["c"], ["a"], None], True),
    ],
)
def test_a_swap_that_no_rule_on_values_can_tell_does_not_apply(
    column: list[object], neighbour: list[object], applies: bool
) -> None:
    swapped = CORRUPTIONS["swapped with another"](pa.array(column), pa.array(neighbour))
    assert (swapped is not None) == applies
