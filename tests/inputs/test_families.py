from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.inputs.dataset import open_dataset
from mltestscore.inputs.families import inside, inside_long, whole
from tests.inputs.test_expectations import VALUES, outcome, rule


def are_whole(values: list[Any]) -> list[bool | None]:
    column = open_dataset("data", pd.DataFrame({"x": pd.Series(values, dtype="float64")})).table["x"]
    found: list[bool | None] = whole(column).to_pyarrow().to_pylist()
    return found


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(allow_nan=False) | st.integers(-(2**60), 2**60).map(float), min_size=1))
def test_a_number_is_whole_where_python_says_so(values: list[float]) -> None:
    assert are_whole(values) == [value.is_integer() for value in values]


def test_the_ends_of_the_exact_range_are_whole_and_what_is_missing_is_neither() -> None:
    assert are_whole([2.0**53, -(2.0**53), 1e300, 2.0**52 - 0.5, float("-inf"), None]) == [True] * 3 + [False] * 2 + [
        None
    ]


@pytest.mark.parametrize(("value", "broken"), [(float("inf"), 1), (1e300, 0)])
def test_an_infinity_breaks_an_integer_rule_and_ends_no_query(value: float, broken: int) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, value]})
    assert outcome(frame, rule(VALUES + "be_of_type", "a", type_="int64")).unexpected == broken


LONG = [f"v{place}" for place in range(40)]


@pytest.mark.parametrize("values", [LONG, ["", *LONG], [*LONG, "a\x1fb"], [*LONG, "\x1f"], [*LONG, 7, None, "it's \\"]])
def test_a_long_set_holds_what_a_short_one_does(values: list[Any]) -> None:
    texts = [None, "", "v0", "v39", "v40", "V0", "a", "b", "a\x1fb", "\x1f", "7", "it's \\", "v0\x1fv1"]
    column = open_dataset("data", pd.DataFrame({"x": texts})).table["x"]
    found = [of(column, values).to_pyarrow().to_pylist() for of in (inside_long, inside)]
    assert found[0] == found[1] == [None if one is None else one in values for one in texts]
