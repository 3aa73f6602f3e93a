"""Row conditions are read without being run, choose the rows that pandas chooses, or are left to others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.condition_texts import LONGEST, BeyondGrammarError, parse
from mltestscore.inputs.database import as_table
from mltestscore.inputs.families import MismatchError
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.sources import frame_to_arrow

FRAME = pd.DataFrame(
    {
        "a": [1.0, 5.0, np.nan, -2.0, 7.0],
        "b": [1, 4, 4, 0, 9],
        "b c": ["x", None, "y`z", "it's", "x"],
        "flag": [True, False, True, True, False],
        "day": pd.to_datetime(["2024-03-01", "2024-03-02", None, "2024-03-04", "2024-03-05"]),
    }
)


def chosen(text: str | dict[str, Any], parser: str = "pandas") -> list[int]:
    condition = parse({"row_condition": text, "condition_parser": parser})
    assert condition is not None
    table = as_table(frame_to_arrow(FRAME.assign(row=range(len(FRAME)))))
    return sorted(table.filter(condition.mask(table)).row.to_pyarrow().to_pylist())


@pytest.mark.parametrize(
    "text",
    [
        "a > 1",
        "a != 5",
        "1 <= a < 6",
        "5 < a",
        "a > b",
        "a >= 1 & b == 4 | flag == True",
        "a > 1 or b < 4 and ~a.isnull()",
        "not (a > 1)",
        "`b c` == 'x' and b in [1, 9]",
        '`b c` not in ["x", "y`z"]',
        '`b c` == "it\'s"',
        "`b c`.notna() and b.isin((4, 0))",
        "b == [4, 9]",
        "b != [4, 9]",
        "day > '2024-03-02'",
        "a == 'x'",
        "a < -1.5e0",
    ],
)
def test_a_condition_chooses_the_rows_that_pandas_chooses(text: str) -> None:
    assert chosen(text) == FRAME.query(text).index.tolist()


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a <> 5", [0, 3, 4]),
        ("NOT a > 1", [0, 3]),
        ("a IS NULL OR b BETWEEN 4 AND 5", [1, 2]),
        ("a IS NOT NULL AND b IN (4, -1, 2.5)", [1]),
        ("`b c` = 'x' AND flag = true", [0]),
        ("4 < b", [4]),
        ("a = b", [0]),
    ],
)
def test_a_condition_for_spark_follows_sql(text: str, rows: list[int]) -> None:
    assert chosen(text, "spark") == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [('col("a") > -3', [0, 1, 3, 4]), ('col("b c").notnull()', [0, 2, 3, 4]), ('col("b c") == "x"', [0, 4])],
)
def test_the_short_texts_of_great_expectations_are_read(text: str, rows: list[int]) -> None:
    assert chosen(text, "great_expectations") == rows


def test_objects_are_read_as_they_stand_in_a_suite() -> None:
    above = {"type": "comparison", "column": {"name": "b"}, "operator": ">=", "parameter": 4}
    listed = {"type": "comparison", "column": {"name": "b c"}, "operator": "NOT_IN", "parameter": ["x"]}
    known = {"type": "nullity", "column": {"name": "b c"}, "is_null": False}
    query = {"type": "pass_through", "pass_through_filter": "flag == False"}
    assert chosen({"type": "and", "conditions": [above, listed]}) == [1, 2]
    assert chosen({"type": "or", "conditions": [known, query]}) == [0, 1, 2, 3, 4]
    rule = Rule(
        "expect_table_row_count_to_equal", {"value": 3, "row_condition": {"type": "and", "conditions": [above, known]}}
    )
    assert rule.text == "table row count to equal: value 3, row condition b >= 4 and b c known"
    assert rule.condition_columns == ("b", "b c")


@pytest.mark.parametrize(
    ("text", "parser"),
    [
        ("a.str.len() > 3", "pandas"),
        ("@limit > 3", "pandas"),
        ("index > 3", "pandas"),
        ("a > __import__('os')", "pandas"),
        ("a + b > 3", "pandas"),
        ("flag", "pandas"),
        (" or ".join(["a > 1"] * 101), "pandas"),
        ("(" * 1500, "pandas"),
        ("a > " + "1" * LONGEST, "pandas"),
        ("a > (SELECT 1)", "spark"),
        ("length(a) > 3", "spark"),
        ("a > ; DROP", "spark"),
        ('col("a") > 3 and col("b") < 2', "great_expectations"),
        ({"type": "comparison", "column": {"name": "a"}, "operator": "~", "parameter": 1}, None),
        ({"type": "comparison", "column": {"name": "a"}, "operator": "==", "parameter": {"$PARAMETER": "x"}}, None),
        ({"type": "other"}, None),
        ([1], None),
    ],
)
def test_what_is_beyond_the_grammar_is_left_to_others(text: Any, parser: str | None) -> None:
    with pytest.raises(BeyondGrammarError):
        parse({"row_condition": text, "condition_parser": parser})
    assert (
        not Rule("expect_table_row_count_to_equal", {"value": 1, "row_condition": text}).compiled or parser == "spark"
    )


def test_what_cannot_be_compared_is_said() -> None:
    with pytest.raises(MismatchError, match="b c is text and cannot be compared with 3"):
        chosen("`b c` > 3")
