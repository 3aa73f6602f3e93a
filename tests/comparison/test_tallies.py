from __future__ import annotations

import numpy as np
import pandas as pd

from mltestscore.comparison import counting
from mltestscore.comparison.cells import FIRST_ROWS
from mltestscore.comparison.grid import RARE
from mltestscore.comparison.tallies import MOST_BUCKETS, Tally, codes, frequent, frequent_only, tallied, varied
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


def coded(rows: int = 40_000) -> pd.DataFrame:
    """Codes, the first ones far more often than the last; a name in each row; sessions of three rows."""
    rng = np.random.default_rng(2)
    place = np.arange(rows)
    code = [f"code {one}" for one in np.floor(rng.random((rows, 4)).prod(axis=1) * 8_000).astype(int)]
    columns = {"code": code, "name": [f"n {one}" for one in place], "session": [f"s {one // 3}" for one in place]}
    return pd.DataFrame(columns)


def test_codes_are_counted_one_by_one_and_names_are_not() -> None:
    frame = coded()
    table = open_dataset("t", frame).table
    columns = {name: table[name] for name in frame}
    first = {name: int(frame[name].head(FIRST_ROWS).nunique()) for name in frame}
    assert min(first.values()) > counting.MAX_CATEGORIES
    found = codes(table, columns, first)
    assert found == {"code": Tally(frame["code"].value_counts().to_dict(), 0, 0)}
    assert codes(table, {}, {}) == {}


def test_of_codes_those_count_as_frequent_that_are() -> None:
    frame = coded()
    data = open_dataset("t", frame)
    assert isinstance(counting.tallied(data, ["code"])["code"], int)
    counts = frame["code"].value_counts()
    usual = counts[counts >= RARE * len(frame)].to_dict()
    found = counting.frequent(data, "code")
    assert len(usual) < MOST_BUCKETS
    assert (found.counts, found.rest, found.missing) == (usual, len(frame) - sum(usual.values()), 0)
    assert found.counts.items() <= frequent_only(data.table, data.table["code"]).counts.items()
    assert data.known["code"].values == counts.to_dict()


def test_what_is_rarer_than_counts_becomes_the_rest() -> None:
    tally = Tally({"a": 9_000, "b": 995, "c": 5, "d": 4}, 6, 2, 1)
    assert frequent(tally) == Tally({"a": 9_000, "b": 995}, 15, 2, 1)
    assert frequent(tally, 1) == Tally({"a": 9_000}, 1_010, 2, 1)
    even = Tally({f"{place}": 10 for place in range(1_500)}, 0, 0)
    assert frequent(even) == Tally({f"{place}": 10 for place in range(1_000)}, 5_000, 0)
