from __future__ import annotations

from pathlib import Path

import numpy
import pandas as pd
import pytest

from mltestscore.comparison import counting
from mltestscore.inputs.dataset import WIDE, Dataset, Roles, open_dataset
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.schema import Schema
from mltestscore.testing import run_check

ROWS = 4_000


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = numpy.random.default_rng(3)
    numbers = {f"n {place}": rng.normal(place, 1.0, ROWS) for place in range(WIDE)}
    numbers['n "0"'] = numpy.where(rng.random(ROWS) < 0.1, numpy.nan, rng.random(ROWS))
    time = pd.date_range("2024-01-01", periods=ROWS, freq="45min", tz="UTC", unit="ns")
    return pd.DataFrame({"at": time, **numbers, "t": rng.choice(["a", "b", ""], ROWS)})


@pytest.fixture
def wide(frame: pd.DataFrame, tmp_path: Path) -> Dataset:
    frame.to_parquet(tmp_path / "wide.parquet")
    return open_dataset("training", str(tmp_path / "wide.parquet"), Roles(time="at"))


def test_a_part_of_a_wide_file_holds_what_was_asked_for_and_no_nan(wide: Dataset, frame: pd.DataFrame) -> None:
    part = wide.part(['n "0"', "at"])
    assert part.columns == ('n "0"', "at")
    assert int(part['n "0"'].count().to_pyarrow().as_py()) == int(frame['n "0"'].notna().sum())
    assert part.schema() == wide.table.select('n "0"', "at").schema()


def test_the_parts_hold_every_column_once(wide: Dataset) -> None:
    held = [name for table, some in wide.parts(wide.columns) for name in some if name in table.columns]
    assert held == list(wide.columns)


def test_a_narrow_file_is_its_own_part(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame[["at", "t"]].to_parquet(tmp_path / "narrow.parquet")
    narrow = open_dataset("training", str(tmp_path / "narrow.parquet"))
    assert narrow.part(["t"]) is narrow.table


def test_a_wide_file_is_counted_as_its_frame_is(wide: Dataset, frame: pd.DataFrame) -> None:
    held = open_dataset("training", frame, Roles(time="at"))
    names = ['n "0"', "n 7", "n 40"]
    ours, theirs = (counting.laid(one, names) for one in (wide, held))
    for name in names:
        assert ours[name].atoms == theirs[name].atoms
        assert ours[name].missing == theirs[name].missing
        numpy.testing.assert_array_equal(ours[name].count, theirs[name].count)
    assert counting.tallied(wide, ["t"]) == counting.tallied(held, ["t"])


def test_rules_on_a_wide_file_read_the_columns_of_their_conditions(wide: Dataset) -> None:
    condition = {"row_condition": "t == 'a'", "condition_parser": "pandas"}
    rules = [
        Rule("expect_column_values_to_be_in_set", {"column": "t", "value_set": ["a"], **condition}),
        Rule("expect_column_values_to_not_be_null", {"column": 'n "0"'}),
        Rule("expect_column_values_to_be_unique", {"column": "n 3"}),
        Rule("expect_table_column_count_to_equal", {"value": len(wide.columns)}),
    ]
    assert [one.rule for one in Schema("", rules).violations(wide)] == [rules[1]]


def test_the_invariants_of_a_wide_file_hold_and_break_where_they_do(
    wide: Dataset, frame: pd.DataFrame, tmp_path: Path
) -> None:
    schema = Schema("", [Rule("expect_column_values_to_be_in_set", {"column": "t", "value_set": ["a", "b", ""]})])
    frame.assign(**{"n 5": -999.0}).to_parquet(tmp_path / "broken.parquet")
    broken = open_dataset("serving", str(tmp_path / "broken.parquet"), Roles(time="at"))
    assert run_check("monitor.2", prove=False, schema=schema, training=wide, serving=wide).state == "passed"
    found = run_check("monitor.2", prove=False, schema=schema, training=wide, serving=broken)
    assert {one.where for one in found.findings if one.verdict == "failed"} >= {"n 5"}
