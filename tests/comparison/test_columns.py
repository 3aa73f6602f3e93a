from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.comparison import columns
from mltestscore.inputs.database import as_table

MOMENT = datetime(2013, 3, 1, 12, 30, 15, 250_000, UTC)
SECONDS = 1362141015.25


def table(**values: list[Any]) -> ibis.Table:
    return as_table(pa.table(values))


def read(column: Any) -> list[Any]:
    found: list[Any] = column.to_pyarrow().to_pylist()
    return found


def meet(left: list[Any] | pa.Array, right: list[Any] | pa.Array) -> list[bool]:
    """Return row by row whether two keys join."""
    both = as_table(pa.table({"left": left, "right": right}))
    a, b = columns.key_text(both["left"], both["right"]), columns.key_text(both["right"], both["left"])
    return read(a == b)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1], "number"),
        ([0.5], "number"),
        ([True], "number"),
        (["1"], "text"),
        ([MOMENT], "time"),
        ([date(2013, 3, 1)], "time"),
        ([[1]], "other"),
        ([b"1"], "other"),
    ],
)
def test_the_kind_is_that_of_the_values(values: list[Any], kind: str) -> None:
    assert columns.kind_of(table(x=values)["x"].type()) == kind


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_a_number_written_as_text_is_the_same_number(values: list[float]) -> None:
    assert read(columns.number(table(x=[repr(value) for value in values])["x"])) == values


def test_truth_values_are_numbers_and_other_text_is_none() -> None:
    assert read(columns.number(table(x=["true", "False", "n/a", "", None, " 7"])["x"])) == [1, 0, None, None, None, 7]
    assert read(columns.number(table(x=[True, False, None])["x"])) == [1, 0, None]


def test_an_empty_text_is_none_and_a_blank_is_not() -> None:
    assert read(columns.text(table(x=["", " ", "a", None])["x"])) == [None, " ", "a", None]
    assert read(columns.missing(table(x=["", " ", "a", None])["x"])) == [True, False, False, True]


def test_only_what_is_not_there_is_missing() -> None:
    assert read(columns.missing(table(x=[0.0, None, float("inf")])["x"])) == [False, True, False]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), min_size=1))
def test_seconds_keep_microseconds_and_read_text_alike(moments: list[datetime]) -> None:
    meant = [(moment - datetime(1970, 1, 1)) / timedelta(seconds=1) for moment in moments]
    both = table(at=moments, said=[f"{moment:%Y-%m-%d %H:%M:%S.%f}" for moment in moments])
    assert read(columns.seconds(both["at"])) == pytest.approx(meant, abs=1e-6)
    assert read(columns.seconds(both["said"])) == pytest.approx(meant, abs=1e-6)


def test_seconds_are_those_of_utc_and_text_that_is_no_time_has_none() -> None:
    east = pd.Series([MOMENT.astimezone(timezone(timedelta(hours=5)))]).dt.as_unit("us")  # pandas 2 has ns
    assert read(columns.seconds(table(x=pa.array(east))["x"])) == [SECONDS]
    assert read(columns.seconds(table(x=[date(1970, 1, 2)])["x"])) == [86_400]
    assert read(columns.seconds(table(x=["soon", "", None])["x"])) == [None, None, None]


@pytest.mark.parametrize(
    ("left", "right", "kind", "same"),
    [
        ([5], [5.0], "number", True),
        (["5"], [5], "number", True),
        ([True], [1], "number", True),
        ([MOMENT], ["2013-03-01 12:30:15.25"], "time", True),
        ([date(2013, 3, 1)], [datetime(2013, 3, 1)], "time", True),
        (["5"], ["5.0"], "text", False),
        ([MOMENT], [SECONDS], "other", False),
    ],
)
def test_two_columns_are_compared_in_one_type(left: list[Any], right: list[Any], kind: str, same: bool) -> None:
    both = table(left=left, right=right)
    a, b, found = columns.comparable(both["left"], both["right"])
    assert found == kind
    assert read(a == b) == [same]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-(2**53), 2**53), min_size=1))
def test_a_whole_number_is_one_key_as_integer_float_and_text(keys: list[int]) -> None:
    floats = [float(key) for key in keys]
    assert all(meet(keys, floats))
    assert all(meet(floats, [str(key) for key in keys]))
    assert not any(meet(keys, [key + 1 for key in keys]))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(2**53, 2**63 - 2), min_size=1))
def test_neighbouring_keys_beyond_the_precision_of_a_float_stay_apart(keys: list[int]) -> None:
    assert not any(meet(keys, [key + 1 for key in keys]))
    assert all(meet(keys, [str(key) for key in keys]))


def test_fractions_are_not_cut_from_a_key() -> None:
    assert meet([5.5, 5.5], [5.5, 5.25]) == [True, False]
    assert meet([5.5, 5.0], [5, 5]) == [False, True]


def test_equal_times_are_one_key_whatever_they_are_held_as() -> None:
    moment = datetime(2013, 3, 1)
    assert meet([moment] * 3, ["2013-03-01", "2013-03-01 00:00:00", "2013-03-01 00:00:01"]) == [True, True, False]
    assert meet([moment], [date(2013, 3, 1)]) == [True]


def test_tables_of_one_database_stay_where_they_are_and_others_are_brought_together(tmp_path: Path) -> None:
    file = tmp_path / "theirs.db"
    with closing(sqlite3.connect(file)) as database:
        database.executescript("CREATE TABLE theirs (y INTEGER); INSERT INTO theirs VALUES (2), (3)")
    elsewhere = ibis.sqlite.connect(file)
    ours, theirs = table(x=[1, 2]), elsewhere.table("theirs")
    assert columns.together(ours, ours)[0] is ours
    left, right = columns.together(ours, theirs)
    assert read(left.inner_join(right, left.x == right.y).select("x")["x"]) == [2]
    elsewhere.disconnect()
