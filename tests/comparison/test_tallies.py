from __future__ import annotations

import numpy as np
import pandas as pd

from mltestscore.comparison.tallies import Tally, frequent_only, tallied, varied
from mltestscore.inputs.dataset import open_dataset


def test_the_most_frequent_values_come_first_ties_by_value_and_the_rest_is_counted() -> None:
    table = open_dataset("t", pd.DataFrame({"x": ["b", "b", "a", "a", "c", None], "y": [None] * 6})).table
    found = tallied(table, {"x": table["x"], "y": table["y"]}, 2)
    assert found == {"x": Tally({"a": 2, "b": 2}, 1, 1), "y": Tally({}, 0, 6)}
    assert list(found["x"].counts) == ["a", "b"]
    assert found["x"].present == 5


def test_columns_with_many_values_in_their_first_rows_are_named() -> None:
    table = open_dataset("t", pd.DataFrame({"few": [1, 2, 1], "many": ["a", "b", "c"]})).table
    assert varied(table, {"few": table["few"], "many": table["many"]}, 2) == {"many": 3}
    assert varied(table, {}, 2) == {}


def test_among_names_the_frequent_ones_are_found_with_exact_counts() -> None:
    names = [f"name {place}" for place in range(60_000)]
    names[:9_000], names[9_000:9_100] = ["unknown"] * 9_000, [None] * 100  # type: ignore[list-item]
    table = open_dataset("t", pd.DataFrame({"x": np.random.default_rng(1).permutation(np.array(names))})).table
    found = frequent_only(table, table["x"])
    assert next(iter(found.counts.items())) == ("unknown", 9_000)
    assert (found.missing, found.present) == (100, 59_900)
