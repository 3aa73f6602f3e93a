"""What Great Expectations really writes is read as it means it; what contradicts itself is said to."""

from __future__ import annotations

import json
import warnings
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from mltestscore.borrowed.reading import Unreadable
from mltestscore.borrowed.validation_result import readings
from mltestscore.inputs.gx import quiet_context

FRAME = pd.DataFrame({"temp": [1.0, 2.0, 3.0, None, 400.0], "dest": ["x", "y", "z", "x", "q"]})


@pytest.fixture(scope="module")
def gx() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = quiet_context()
        asset = context.data_sources.add_pandas("memory").add_dataframe_asset("flights")
        context.whole = asset.add_batch_definition_whole_dataframe("whole")
        yield context


def validation(gx: Any, name: str) -> Any:
    """Return a real validation definition: two rules that hold, one broken, one that only warns, one on no column."""
    import great_expectations as package
    import great_expectations.expectations as rules

    expectations = [
        rules.ExpectColumnToExist(column="temp"),
        rules.ExpectColumnValuesToBeBetween(column="temp", min_value=0, max_value=1000),
        rules.ExpectColumnValuesToBeInSet(column="dest", value_set=["x", "y", "z"]),
        rules.ExpectColumnValuesToBeBetween(column="temp", max_value=10, severity="warning"),
        rules.ExpectColumnValuesToNotBeNull(column="gone"),
    ]
    suite = gx.suites.add(package.ExpectationSuite(name=name, expectations=expectations))
    return gx.validation_definitions.add(package.ValidationDefinition(name=name, data=gx.whole, suite=suite))


def as_file(content: Any) -> Any:
    return json.loads(json.dumps(content))


@pytest.fixture(scope="module")
def result(gx: Any) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return as_file(validation(gx, "nightly").run(batch_parameters={"dataframe": FRAME}).to_json_dict())


def test_a_real_validation_result_is_read(result: dict[str, Any]):
    (reading,) = readings(result)

    states = {(test.name.split(":")[0], test.column): test.state for test in reading.tests}
    assert states == {
        ("to exist", "temp"): "passed",
        ("values to be between", "temp"): "warned",
        ("values to be in set", "dest"): "failed",
        ("values to not be null", "gone"): "error",
    }
    assert sorted(test.state for test in reading.tests) == ["error", "failed", "passed", "passed", "warned"]
    assert (reading.subject, reading.rows, reading.ran, reading.contradiction) == ("nightly", 5, 5, "")
    assert {"flights", "memory/flights", "memory-flights"} <= reading.data
    assert reading.made is not None
    assert abs((datetime.now(UTC) - reading.made).total_seconds()) < 600
    said = {test.state: test.said for test in reading.tests}
    assert said["failed"] == "1 of 5 rows break it, for example q"
    assert 'The column "gone" in BatchData does not exist' in said["error"]


def test_the_result_of_a_batch_without_a_run_is_dated_by_its_batch(gx: Any):
    import great_expectations as package
    import great_expectations.expectations as rules

    suite = package.ExpectationSuite(name="batch", expectations=[rules.ExpectColumnToExist(column="temp")])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = gx.whole.get_batch({"dataframe": FRAME}).validate(suite).to_json_dict()

    (reading,) = readings(as_file(found))

    assert reading.made is not None
    assert (reading.made.tzinfo, [test.state for test in reading.tests]) == (UTC, ["passed"])


def test_a_checkpoint_gives_a_reading_a_validation(gx: Any):
    import great_expectations as package

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        definitions = [validation(gx, "first"), validation(gx, "second")]
        checkpoint = gx.checkpoints.add(package.Checkpoint(name="both", validation_definitions=definitions))
        done = checkpoint.run(batch_parameters={"dataframe": FRAME})
    runs = {str(name): one.to_json_dict() for name, one in done.run_results.items()}

    written = readings(as_file({"run_id": done.run_id.to_json_dict(), "success": done.success, "run_results": runs}))
    described = readings(as_file(done.describe_dict()))

    assert [reading.subject for reading in written] == ["first", "second"]
    assert all(reading.made is not None and "flights" in reading.data for reading in written)
    assert [reading.ran for reading in described] == [5, 5]
    assert [reading.made for reading in described] == [None, None]
    assert all("memory-flights" in reading.data for reading in described)


def entry(*, success: bool | None = True) -> dict[str, Any]:
    config = {"type": "expect_column_to_exist", "kwargs": {"column": "temp"}}
    return {"success": success, "expectation_config": config, "result": {}, "exception_info": {}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"success": True, "results": [entry(success=False)]}, '"success": true and holds 1 results that failed'),
        ({"success": False, "results": [entry()]}, '"success": false and holds no result that failed'),
        (
            {"success": False, "results": [entry(success=False)], "statistics": {"unsuccessful_expectations": 3}},
            "its statistics count 3 failures, it holds 1",
        ),
        ({"success": True, "results": [entry()], "statistics": {"unsuccessful_expectations": 0}}, ""),
    ],
)
def test_a_result_that_contradicts_itself_is_said_to(content: dict[str, Any], said: str):
    (reading,) = readings(content)

    assert said in reading.contradiction
    assert bool(reading.contradiction) == bool(said)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "is a JSON list, not a validation result"),
        ({"success": True}, 'needs "success" and a list "results"'),
        ({"success": "yes", "results": []}, 'needs "success" and a list'),
        ({"run_results": {"one": 3}}, 'needs "success" and a list'),
        ({"success": True, "results": [{"success": "true"}]}, 'without "success": true or false'),
        ({"success": True, "results": [{"success": True}]}, "does not say which expectation it is of"),
        (
            {"success": True, "results": [entry()], "statistics": {"evaluated_expectations": 40}},
            "holds 1 of the 40 results that its statistics count",
        ),
    ],
)
def test_what_is_no_whole_result_is_refused_with_the_reason(content: Any, message: str):
    with pytest.raises(Unreadable, match=message):
        readings(content)


def test_an_empty_result_has_no_test_that_ran():
    (reading,) = readings({"success": True, "results": [], "statistics": {"evaluated_expectations": 0}})

    assert (reading.ran, reading.contradiction) == (0, "")


def test_hostile_arguments_are_cut_and_kept_as_text():
    config = {"type": "expect_x" * 1000, "kwargs": {"column": ["a"] * 1000, "column_list": 3}}
    (reading,) = readings({"success": True, "results": [{"success": True, "expectation_config": config}]})

    (test,) = reading.tests
    assert (len(test.name), len(test.column)) == (160, 160)
