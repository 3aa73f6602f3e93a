"""Declared rules in the invariants check: broken beyond doubt, perhaps by chance, or about another table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.schema import Schema
from mltestscore.result import CheckResult
from mltestscore.testing import run_check

SOME_GAPS = Rule("expect_column_values_to_not_be_null", {"column": "wind", "mostly": 0.95})
DECLARED = "declared rules that are broken"


def served(rule: Rule, gaps: int, rows: int, cluster: str = "") -> CheckResult:
    frame = pd.DataFrame({"id": np.arange(rows), "hour": np.arange(rows) // 50, "wind": np.arange(rows) % 90 + 0.5})
    serving = frame.assign(wind=frame["wind"].mask(frame["id"] < gaps))
    inputs = {
        name: open_dataset(name, table, Roles(key=("id",), cluster=cluster, features=("wind",)))
        for name, table in (("training", frame), ("serving", serving))
    }
    return run_check("monitor.2", schema=Schema("a test", [rule]), prove=False, **inputs)


@pytest.mark.parametrize(
    ("gaps", "rows", "cluster", "verdict"),
    [
        (2, 30, "", "inconclusive"),  # 6.7 % of 30 rows happen by chance where 5 % are declared
        (200, 2000, "", "failed"),
        (200, 2000, "hour", "inconclusive"),  # four hours of forty
        (0, 30, "", "passed"),
    ],
)
def test_a_share_is_held_against_the_data_where_chance_cannot_explain_it(gaps, rows, cluster, verdict):
    found = served(SOME_GAPS, gaps, rows, cluster).findings
    assert [one.verdict for one in found if one.name == DECLARED and one.where == "serving"] == [verdict]


def test_a_rule_on_a_figure_of_the_training_table_says_nothing_of_a_batch():
    whole = Rule("expect_table_row_count_to_be_between", {"min_value": 30, "max_value": 30})
    assert all(one.verdict == "passed" for one in served(whole, 0, 30).findings if one.name == DECLARED)
    many = Rule("expect_column_unique_value_count_to_be_between", {"column": "wind", "min_value": 60})
    found = {one.where: one.verdict for one in served(many, 0, 30).findings if one.name == DECLARED}
    assert found == {"training": "failed", "serving": "passed"}
