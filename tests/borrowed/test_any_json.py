"""Whatever JSON a file holds, it is read or refused with a reason; what is read is bounded."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mltestscore.borrowed import evidently_snapshot, validation_result
from mltestscore.borrowed.reading import Unreadable, cut, moment

WORDS = [
    *("success", "results", "expectations", "expectation_config", "type", "expectation_type", "kwargs", "column"),
    *("column_list", "value_set", "row_condition", "condition_parser", "severity", "result", "element_count"),
    *("unexpected_count", "partial_unexpected_list", "observed_value", "exception_info", "raised_exception"),
    *("exception_message", "statistics", "evaluated_expectations", "unsuccessful_expectations", "meta", "run_id"),
    *("run_time", "active_batch_definition", "data_asset_name", "datasource_name", "run_results", "validation_result"),
    *("validation_results", "suite_name", "metric_results", "top_level_metrics", "tests", "metrics", "status", "name"),
    *("metric_config", "params", "description", "metadata", "tags", "timestamp", "batch_id", "SUCCESS", "FAIL"),
    *(
        "expect_column_to_exist",
        "expect_column_values_to_be_between",
        "2026-11-20T00:00:00",
        "0001-01-01T00:00:00+23:59",
    ),
]
word = st.sampled_from(WORDS)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | word | st.text(max_size=8)


def nested(inner: Any) -> Any:
    return st.lists(inner, max_size=4) | st.dictionaries(word, inner, max_size=6)


anything = st.recursive(leaves, nested, max_leaves=25)
kwargs = st.dictionaries(word, anything, max_size=4)
config = st.fixed_dictionaries({"type": word | st.text(max_size=9), "kwargs": kwargs}, optional={"severity": leaves})
entry = st.fixed_dictionaries(
    {"success": st.booleans() | st.none(), "expectation_config": config},
    optional={"result": anything, "exception_info": anything},
)
validation = st.fixed_dictionaries(
    {"success": st.booleans(), "results": st.lists(entry, max_size=4)},
    optional={"statistics": anything, "meta": anything, "suite_name": anything},
)
test = st.fixed_dictionaries(
    {"status": st.sampled_from(["SUCCESS", "FAIL", "SKIPPED"])},
    optional={"name": anything, "description": anything, "metric_config": anything},
)
snapshot = st.fixed_dictionaries(
    {"tests": st.lists(test, max_size=3), "metrics": st.just([])},
    optional={"name": anything, "timestamp": anything, "metadata": anything, "tags": anything},
)


@pytest.mark.parametrize(
    ("read", "shaped"),
    [(validation_result.readings, validation), (evidently_snapshot.readings, snapshot)],
    ids=["validation result", "snapshot"],
)
def test_any_json_is_read_or_refused(read: Any, shaped: Any) -> None:
    @settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(shaped | anything)
    def holds(content: Any) -> None:
        with suppress(Unreadable):
            for reading in read(content):
                assert len(reading.subject) <= 80
                assert reading.made is None or reading.made.tzinfo is UTC
                assert all(len(one.name) <= 160 and len(one.said) <= 300 for one in reading.tests)
                assert all(isinstance(name, str) for name in reading.data)

    holds()


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "yesterday", "", None, 3, []]
)
def test_what_is_no_time_is_none(text: object) -> None:
    assert moment(text) is None


def test_endless_text_becomes_one_short_line() -> None:
    assert cut("a\n b" * 10**6, 10) == "a ba ba b…"
