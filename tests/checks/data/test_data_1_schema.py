"""``data.1`` on a small weather table: coverage, obedience and what a schema must reject."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.corruptions import CORRUPTIONS
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.inference import inferred
from mltestscore.inputs.model import Model, as_model
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.schema import Schema
from mltestscore.result import CheckResult, FindingRecord
from mltestscore.testing import run_check

VALUES, COLUMN = "expect_column_values_to_", "expect_column_"
FEATURES = ("temp", "carrier", "hour", "seats")
UNCOVERED = "model inputs without a rule"
BREAKING = "rows that break a rule"
BROKEN = "broken rules on the whole table or on absent columns"
KILL_RATE = "corrupted columns that the schema rejects"
COPIED = "ranges equal to the inferred ones"


def rows(n: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "temp": np.where(np.arange(n) % 20 == 7, np.nan, rng.normal(55, 15, n).round(1)),
            "carrier": rng.choice(["UA", "AA", "B6"], n, p=[0.6, 0.3, 0.1]),
            "hour": np.arange(n) % 24,
            "seats": rng.integers(100, 300, n),
            "late": rng.random(n) < 0.3,
        }
    )


def data(frame: pd.DataFrame, name: str = "training") -> Dataset:
    return open_dataset(name, frame, Roles(key=("id",), label="late"))


def rule(kind: str, column: str = "", **arguments: Any) -> Rule:
    return Rule(kind, {"column": column, **arguments} if column else arguments)


def sound(*more: Rule) -> Schema:
    rules = [rule(VALUES + "be_of_type", name, type_="float64") for name in ("temp", "hour", "seats")]
    rules += [rule(COLUMN + "unique_value_count_to_be_between", name, min_value=2) for name in FEATURES]
    rules += [
        rule(VALUES + "not_be_null", "temp", mostly=0.9),
        *(rule(VALUES + "not_be_null", name) for name in ("carrier", "hour", "seats")),
        rule(VALUES + "be_between", "temp", min_value=-40, max_value=130),
        rule(VALUES + "be_between", "hour", min_value=0, max_value=23),
        rule(VALUES + "be_between", "seats", min_value=10, max_value=600),
        rule(VALUES + "be_in_set", "carrier", value_set=["UA", "AA", "B6", "DL"]),
    ]
    return Schema("suite.json", [*rules, *more])


@pytest.fixture(scope="module")
def training() -> Dataset:
    return data(rows(3000))


@pytest.fixture(scope="module")
def model() -> Model:
    return as_model(lambda frame: np.full(len(frame), 0.5), task="binary", features=FEATURES)


@pytest.fixture
def run(training: Dataset, model: Model) -> Callable[..., CheckResult]:
    def run(schema: Schema, prove: bool = False, **inputs: Any) -> CheckResult:
        return run_check("data.1", prove=prove, **{"schema": schema, "model": model, "training": training, **inputs})

    return run


def finding(result: CheckResult, name: str, verdict: str = "failed") -> FindingRecord:
    found = [one for one in result.findings if one.name == name and one.verdict == verdict]
    assert found, [(one.name, one.where, one.verdict) for one in result.findings]
    return found[0]


Run = Callable[..., CheckResult]


def test_a_sound_schema_passes_and_every_planted_fault_is_caught(run: Run) -> None:
    result = run(sound(), prove=True, holdout=data(rows(500, 1), "holdout"))
    assert (result.state, result.reason) == ("passed", result.reason)
    assert result.proof.state == "proven", result.proof
    assert len(result.proof.faults) >= 2


def test_labels_that_are_not_known_yet_break_no_rule_of_a_log_but_one_of_the_holdout(run: Run) -> None:
    schema = sound(rule(VALUES + "not_be_null", "late"))
    frame = rows(1000, 1)
    young = frame.assign(late=frame["late"].astype(object).where(frame["id"] < 500))
    assert run(schema, serving=data(young, "serving")).state == "passed"
    assert "late" in finding(run(schema, holdout=data(young, "holdout")), BREAKING).where


@pytest.mark.parametrize("missing", ["schema", "model", "training"])
def test_without_a_required_input_it_is_not_offered(missing: str, run: Run) -> None:
    result = run(**{"schema": sound(), missing: None})
    assert result.state == "not_offered"
    assert missing in result.reason


def test_an_input_without_rules_is_named(run: Run) -> None:
    result = run(sound().without("seats"))
    assert result.state == "failed"
    assert finding(result, UNCOVERED).cause == "seats"


def test_a_rule_that_only_asks_for_the_column_does_not_cover_it(run: Run) -> None:
    result = run(Schema("s", [*sound().without("seats").rules, rule(COLUMN + "to_exist", "seats")]))
    assert finding(result, UNCOVERED).cause == "seats"


def test_infinite_ranges_reject_nothing(run: Run) -> None:
    wide = [rule(VALUES + "be_between", name, min_value=-1e300, max_value=1e300) for name in ("temp", "hour", "seats")]
    result = run(Schema("s", [*wide, rule(VALUES + "not_be_null", "carrier", mostly=0.0)]))
    assert result.state == "failed"
    assert "temp missing values" in finding(result, KILL_RATE).cause
    assert finding(result, "model inputs on which no corruption is rejected").cause == "carrier"


def test_a_set_that_lacks_a_common_carrier_contradicts_the_data(run: Run) -> None:
    result = run(sound(rule(VALUES + "be_in_set", "carrier", value_set=["AA", "B6", "DL"])))
    found = finding(result, BREAKING)
    assert result.state == "failed"
    assert found.where.startswith("training: carrier: values to be in set")
    assert found.cause == "for example UA, UA, UA"
    assert found.value == pytest.approx(0.6, abs=0.05)


def test_a_rule_that_the_held_out_data_break_is_found_there(run: Run) -> None:
    hot = rows(500, 1)
    hot.loc[:50, "temp"] = 500.0
    found = finding(run(sound(), holdout=data(hot, "holdout")), BREAKING)
    assert found.where.startswith("holdout: temp: values to be between")


def test_a_share_just_above_mostly_is_not_decided(run: Run) -> None:
    few = rows(200)
    few["temp"] = few["temp"].fillna(50.0).where(few.index >= 22)
    result = run(sound(), training=data(few))
    assert result.state == "inconclusive"
    assert finding(result, BREAKING, "inconclusive").where.startswith("training: temp: values to not be null")


def test_a_broken_figure_and_an_absent_column_are_counted(run: Run) -> None:
    schema = sound(rule(COLUMN + "mean_to_be_between", "seats", max_value=10), rule(COLUMN + "to_exist", "gate"))
    found = finding(run(schema), BROKEN)
    assert found.value == 2
    assert "the mean is" in found.cause
    assert "no column 'gate'" in found.cause


def test_a_model_input_that_the_data_lack_is_an_error_with_the_near_name(run: Run, training: Dataset) -> None:
    result = run(sound(), training=training.replace(training.frame().rename(columns={"seats": "seat"})))
    assert result.state == "error"
    assert "has no column 'seats'. Did you mean 'seat'" in result.reason


def test_the_table_names_the_survivors(run: Run) -> None:
    (table,) = [one for one in run(sound()).details if one.title == "Corruptions that the schema rejects"]
    assert table.data["columns"] == ["model input", *CORRUPTIONS]
    by_input = {row[0]: dict(zip(CORRUPTIONS, row[1:], strict=True)) for row in table.data["rows"]}
    assert by_input["carrier"]["out of range"] == "does not apply"
    assert by_input["seats"]["swapped with another"] == "rejected"
    assert by_input["hour"]["unseen category"] == "does not apply"


# --- healthy look-alikes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [3, 30, 100, 300])
def test_few_rows_do_not_fail(n: int, run: Run) -> None:
    assert run(sound(), training=data(rows(n))).state != "failed"


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.astype({"temp": "float32", "hour": "float64", "seats": "int16", "carrier": "category"}),
        lambda frame: frame.convert_dtypes(),
        lambda frame: frame.astype({"carrier": object}),
        lambda frame: frame[frame.columns[::-1]].sample(frac=1, random_state=1),
        lambda frame: pd.concat([frame, frame.head(300)], ignore_index=True),
        lambda frame: frame.assign(note=None, constant=1),
    ],
    ids=["narrow dtypes", "nullable dtypes", "object", "other order", "duplicate rows", "odd columns"],
)
def test_harmless_changes_of_the_data_do_not_fail(change: Callable[[pd.DataFrame], pd.DataFrame], run: Run) -> None:
    assert run(sound(), training=data(change(rows(600)))).state == "passed"


def test_a_deprecated_feature_that_is_absent_does_not_fail(run: Run) -> None:
    old = [rule(VALUES + "not_be_null", "old"), Rule(COLUMN + "to_exist", {"column": "older"}, optional=True)]
    assert run(sound(*old)).state == "passed"


def test_rules_on_the_whole_table_are_not_held_against_smaller_data(run: Run) -> None:
    whole = [
        rule("expect_table_row_count_to_be_between", min_value=2000),
        rule(COLUMN + "sum_to_be_between", "seats", min_value=1000),
    ]
    result = run(sound(*whole), prove=True, proof_rows=1000, holdout=data(rows(50, 1), "holdout"))
    assert (result.state, result.proof.state) == ("passed", "proven")


def test_served_rows_need_no_label_and_no_key(run: Run) -> None:
    served = open_dataset("serving", rows(200, 2)[list(FEATURES)])
    assert run(sound(rule(VALUES + "not_be_null", "late")), serving=served).state == "passed"


def test_ranges_copied_from_the_data_are_shown_and_do_not_fail(run: Run, training: Dataset) -> None:
    frame = training.frame()
    copied = [
        rule(VALUES + "be_between", c, min_value=float(frame[c].min()), max_value=float(frame[c].max()))
        for c in ("temp", "hour", "seats")
    ]
    result = run(sound(*copied))
    found = finding(result, COPIED)
    assert found.advisory
    assert found.cause == "temp, hour, seats"
    assert result.state == "passed"


def test_ranges_as_init_writes_them_are_shown_too(run: Run, training: Dataset) -> None:
    found = finding(run(Schema("inferred", inferred(training).rules)), COPIED)
    assert (found.advisory, found.value) == (True, 1.0)


def test_a_rule_on_two_columns_can_reject_a_swap(run: Run) -> None:
    pair = rule("expect_column_pair_values_a_to_be_greater_than_b", column_A="seats", column_B="hour")
    result = run(sound(pair))
    (table,) = [one for one in result.details if one.title == "Corruptions that the schema rejects"]
    assert ["hour", "rejected", "rejected", "does not apply", "rejected", "rejected", "rejected"] in table.data["rows"]
