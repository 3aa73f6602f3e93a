"""What runs on Great Expectations itself runs whole, or row by row in parts, or says how much is too much."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from mltestscore.errors import InputError
from mltestscore.inputs import gx
from mltestscore.inputs.dataset import Dataset, open_dataset
from mltestscore.inputs.rules import ARGUMENTS, Rule
from mltestscore.inputs.suites import types_of_great_expectations

VALUES = "expect_column_values_to_"
FRAME = pd.DataFrame({"text": ["{}", "[1", "3", None, "x"], "n": [1, 2, 3, 9, 5]})


@pytest.fixture
def data() -> Dataset:
    return open_dataset("training", FRAME)


def rule(kind: str, **arguments: Any) -> Rule:
    return Rule(kind, arguments)


JSON = rule(VALUES + "be_json_parseable", column="text", mostly=0.9)
RISING = rule(VALUES + "be_increasing", column="n")


def test_every_core_type_is_compiled_or_known_to_be_left() -> None:
    left = {
        # distances between distributions, and tests
        "expect_column_kl_divergence_to_be_less_than",
        "expect_column_bootstrapped_ks_test_p_value_to_be_greater_than",
        "expect_column_chisquare_test_p_value_to_be_greater_than",
        "expect_column_pair_cramers_phi_value_to_be_less_than",
        "expect_column_parameterized_distribution_ks_test_p_value_to_be_greater_than",
        # values against the spread of their column
        "expect_column_value_z_scores_to_be_less_than",
        VALUES + "not_be_outliers",
        # parsers of Python
        *(f"{VALUES}be_{what}_parseable" for what in ("dateutil", "json")),
        VALUES + "match_json_schema",
        VALUES + "match_strftime_format",
        # the order of rows, which a table of a database has not
        VALUES + "be_increasing",
        VALUES + "be_decreasing",
        # a team's own SQL, other tables
        "expect_query_results_to_match_comparison",
        "expect_table_row_count_to_equal_other_table",
        "unexpected_rows_expectation",
    }
    assert types_of_great_expectations() <= set(ARGUMENTS) | left  # older versions have fewer
    assert not set(ARGUMENTS) & left


def test_a_rule_that_looks_at_each_row_goes_through_the_rows_in_parts(data: Dataset) -> None:
    (whole,), (parts,) = gx.judged(data, [JSON]), gx.judged(data, [JSON], most_cells=2)
    assert (parts.broken, parts.unexpected, parts.rows) == (whole.broken, whole.unexpected, whole.rows) == (True, 2, 4)
    assert parts.examples == ("[1", "x")
    assert parts.message == "2 of 4 rows break it"


def test_a_share_that_only_one_part_exceeds_is_kept(data: Dataset) -> None:
    some = Rule(JSON.type, {**JSON.kwargs, "mostly": 0.5})
    assert [one.broken for one in gx.judged(data, [some], most_cells=1)] == [False]


def test_a_rule_that_needs_all_rows_at_once_says_how_many_are_too_many(data: Dataset) -> None:
    assert gx.judged(data, [RISING])[0].unexpected == 1
    with pytest.raises(InputError) as caught:
        gx.judged(data, [JSON, RISING], most_cells=8)
    assert "training (pandas frame) has 5 rows, and expect_column_values_to_be_increasing needs all" in str(
        caught.value
    )
    assert "up to 4 rows of these 2 columns" in str(caught.value)


def test_what_fails_in_one_part_fails(data: Dataset) -> None:
    wrong = rule(VALUES + "match_strftime_format", column="n", strftime_format="%Y")
    (outcome,) = gx.judged(data, [wrong], most_cells=2)
    assert outcome.broken
    assert "cannot be judged" in outcome.message
