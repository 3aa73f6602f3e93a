"""Suites of Great Expectations: our one query agrees with the original, and what is wrong with a suite is said."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import InputError
from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.expectations import can_compile
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.schema import Domain, Schema, load_schema

VALUES, COLUMN = "expect_column_values_to_", "expect_column_"
MEDIAN = {"quantiles": [0.5, 0.9], "value_ranges": [[0, 1]]}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*expectations: dict[str, Any], **suite: Any) -> Path:
        path = tmp_path / "suite.json"
        path.write_text(json.dumps({"name": "s", "expectations": list(expectations), **suite}))
        return path

    return write


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "temp": [10.0, 20.0, np.nan, 40.0],
            "carrier": ["UA", "AA", None, "UA"],
            "hour": [1, 2, 3, 4],
            "day": pd.to_datetime(["2013-01-01", "2013-01-02", "2013-01-03", None]),
        }
    )


def rule(kind: str, column: str = "", **arguments: Any) -> Rule:
    return Rule(kind, {"column": column, **arguments} if column else arguments)


# --- violations ---------------------------------------------------------------------------------------------------


def test_a_violation_says_how_many_rows_and_shows_some(frame: pd.DataFrame) -> None:
    schema = Schema("s", [rule(VALUES + "be_between", "temp", min_value=15, max_value=30)])
    (violation,) = schema.violations(open_dataset("training", frame))
    assert (violation.column, violation.unexpected, violation.rows) == ("temp", 2, 3)
    assert violation.examples == ("10.0", "40.0")
    assert violation.message == "2 of 3 rows break it"


def test_a_missing_column_suggests_the_near_one(frame: pd.DataFrame) -> None:
    schema = Schema("s", [rule(VALUES + "not_be_null", "tempp"), Rule(VALUES + "not_be_null", {"column": "old"}, True)])
    (violation,) = schema.violations(open_dataset("training", frame))
    assert violation.missing
    assert "training (pandas frame) has no column 'tempp'. Did you mean 'temp'?" in violation.message


def test_other_types_run_on_great_expectations(frame: pd.DataFrame) -> None:
    increasing = rule(VALUES + "be_decreasing", "hour")
    broken = rule(COLUMN + "value_z_scores_to_be_less_than", "carrier", threshold=1, double_sided=True)
    violations = Schema("s", [increasing, broken]).violations(open_dataset("training", frame))
    assert [one.rule for one in violations] == [increasing, broken]
    assert (violations[0].unexpected, violations[0].rows, violations[0].examples) == (3, 4, ("2", "3", "4"))
    assert "cannot be judged" in violations[1].message


@pytest.mark.parametrize(("condition", "compiled"), [("hour < 4", True), ("day.dt.month == 1 and hour < 4", False)])
def test_a_rule_for_some_rows_runs_where_its_condition_is_understood(
    condition: str, compiled: bool, frame: pd.DataFrame
) -> None:
    some = rule(VALUES + "be_between", "temp", max_value=15, row_condition=condition, condition_parser="pandas")
    assert can_compile(some) == compiled
    (violation,) = Schema("s", [some]).violations(open_dataset("training", frame))
    assert (violation.unexpected, violation.rows, violation.examples) == (1, 2, ("20.0",))


def test_a_row_condition_on_an_absent_column_suggests_the_near_one(frame: pd.DataFrame) -> None:
    schema = Schema("s", [rule(VALUES + "not_be_null", "temp", row_condition="hours < 4", condition_parser="pandas")])
    (violation,) = schema.violations(open_dataset("training", frame))
    assert "has no column 'hours'. Did you mean 'hour'?" in violation.message


def test_arguments_that_great_expectations_refuses_are_an_input_error(frame: pd.DataFrame) -> None:
    schema = Schema("s", [rule(VALUES + "be_increasing", "temp", mostlly=1)])
    with pytest.raises(InputError, match=r"Great Expectations refuses expect_column_values_to_be_increasing"):
        schema.violations(open_dataset("training", frame))


def test_compiled_suites_do_not_import_great_expectations(run_python: Callable[[str], str]) -> None:
    code = (
        "import sys, pandas as pd\n"
        "from mltestscore.inputs.dataset import open_dataset\n"
        "from mltestscore.inputs.schema import Schema\n"
        "from mltestscore.inputs.rules import Rule\n"
        "rules = [Rule('expect_column_values_to_be_unique', {'column': 'a'})]\n"
        "print(Schema('s', rules).violations(open_dataset('d', pd.DataFrame({'a': [1, 2]}))))\n"
        "print('great_expectations' in sys.modules)\n"
    )
    assert run_python(code).split() == ["[]", "False"]


@pytest.fixture
def run_python() -> Callable[[str], str]:

    def run(code: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
        ).stdout

    return run


# --- reading a suite ----------------------------------------------------------------------------------------------

BETWEEN = {"type": VALUES + "be_between", "kwargs": {"column": "temp", "min_value": 0}}


def test_a_suite_as_great_expectations_writes_it_is_read(write: Write) -> None:
    entry = {**BETWEEN, "meta": {"optional": True}, "id": "1", "severity": "critical"}
    schema = load_schema(write(entry, id="2", meta={"great_expectations_version": "1.24.1"}, notes=None))
    assert schema.rules == (Rule(BETWEEN["type"], BETWEEN["kwargs"], True),)
    assert schema.columns == {"temp"}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (
            {"type": "expect_column_values_to_be_betwen", "kwargs": {}},
            "Did you mean 'expect_column_values_to_be_between'",
        ),
        ({**BETWEEN, "kwarg": {}}, "unknown key 'kwarg'. Did you mean 'kwargs'"),
        (
            {"type": BETWEEN["type"], "kwargs": {"column": "a", "min_valu": 1}},
            "unknown argument 'min_valu'. Did you mean 'min_v",
        ),
        ({"type": BETWEEN["type"], "kwargs": {"min_value": 1}}, "the argument 'column' is missing"),
        ({"type": BETWEEN["type"], "kwargs": {"column": 3, "min_value": 1}}, "'column' must be text, found a int"),
        ({"type": BETWEEN["type"], "kwargs": {"column": "a"}}, "allows everything"),
        ({"type": BETWEEN["type"], "kwargs": {"column": "a", "min_value": 2, "max_value": 1}}, "exceeds 'max_value' 1"),
        ({"type": BETWEEN["type"], "kwargs": {"column": "a", "min_value": 2, "mostly": 99}}, "from 0 to 1, found 99"),
        ({"type": VALUES + "be_in_set", "kwargs": {"column": "a", "value_set": "UA"}}, "must be a list, found a str"),
        ({"expectation_type": "x"}, "expectation 1 is a dict; expected"),
        ({**BETWEEN, "kwargs": {"column": "a", "min_value": {"$PARAMETER": "low"}}}, "is a suite parameter"),
        (
            {**BETWEEN, "kwargs": {"column": "a", "min_value": [1]}},
            "'min_value' must be a number or text, found a list",
        ),
        ({"type": VALUES + "be_in_set", "kwargs": {"column": "a", "value_set": [[1]]}}, "'value_set' holds a list"),
        (
            {"type": COLUMN + "value_lengths_to_equal", "kwargs": {"column": "a", "value": "x"}},
            "'value' must be a number",
        ),
        (
            {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": ["a"], "ignore_row_if": "nevr"}},
            "'ignore_row_if' is 'nevr'. Did you mean 'never'",
        ),
        (
            {
                "type": COLUMN + "pair_values_to_be_in_set",
                "kwargs": {"column_A": "a", "column_B": "b", "value_pairs_set": [1]},
            },
            "expected pairs of values",
        ),
        (
            {"type": COLUMN + "quantile_values_to_be_between", "kwargs": {"column": "a", "quantile_ranges": MEDIAN}},
            "as many",
        ),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_what_is_wrong_with_an_expectation_is_said(entry: dict[str, Any], words: str, write: Write) -> None:
    with pytest.raises(InputError) as caught:
        load_schema(write(entry))
    assert words in str(caught.value)
    assert "suite.json: expectation 1" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"name": ', "line 1 is not JSON"),
        ("[]", "found a list; expected a Great Expectations 1.x suite"),
        ('{"name": "s"}', "'expectations' is missing"),
        ('{"name": "s", "expectations": []}', "the suite is empty"),
        ('{"name": "s", "expectation": []}', "unknown key 'expectation'. Did you mean 'expectations'"),
        ('{"expectation_suite_name": "s"}', "0.x"),
        ("\udcff", "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_suite_is_said(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "suite.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError) as caught:
        load_schema(tmp_path / "suite.json")
    assert words in str(caught.value)


def test_a_suite_that_is_not_there_suggests_the_near_file(write: Write, tmp_path: Path) -> None:
    write(BETWEEN)
    with pytest.raises(InputError, match=r"Did you mean 'suite\.json'"):
        load_schema(tmp_path / "suit.json")


# --- domains and planted faults -----------------------------------------------------------------------------------


def test_the_domain_is_what_the_rules_allow() -> None:
    schema = Schema(
        "s",
        [
            rule(VALUES + "be_between", "temp", min_value=-20, max_value=120),
            rule(COLUMN + "max_to_be_between", "temp", max_value=110),
            rule(VALUES + "be_between", "temp", max_value=40, row_condition="hour < 4", condition_parser="pandas"),
            rule(VALUES + "not_be_null", "temp", mostly=0.75),
            rule(VALUES + "be_of_type", "temp", type_="float64"),
            rule(VALUES + "be_in_set", "carrier", value_set=["UA", "AA"]),
            rule(VALUES + "not_be_null", "carrier"),
        ],
    )
    assert schema.domain("temp") == Domain(-20, 110, (), True, 0.25, "number")
    assert schema.domain("carrier") == Domain(None, None, ("UA", "AA"), False, 0.0, "")
    assert schema.domain("other") == Domain()


def test_without_and_loosened_leave_the_original_alone(frame: pd.DataFrame) -> None:
    schema = Schema("s", [rule(VALUES + "be_between", "temp", max_value=0), rule(VALUES + "not_be_null", "carrier")])
    data = open_dataset("training", frame, Roles())
    assert schema.without("temp").columns == {"carrier"}
    assert schema.loosened().columns == schema.columns == {"temp", "carrier"}
    assert schema.loosened().violations(data) == []
    assert len(schema.violations(data)) == 2


def test_the_digest_follows_the_rules_and_not_the_file() -> None:
    rule = Rule("expect_column_values_to_be_between", {"column": "x", "min_value": 0, "max_value": 1})
    same = Rule("expect_column_values_to_be_between", {"max_value": 1, "min_value": 0, "column": "x"})
    other = Rule("expect_column_values_to_be_between", {"column": "x", "min_value": 0, "max_value": 2})

    assert Schema("a.json", [rule]).digest == Schema("b.json", [same]).digest
    assert Schema("a.json", [rule]).digest != Schema("a.json", [other]).digest
