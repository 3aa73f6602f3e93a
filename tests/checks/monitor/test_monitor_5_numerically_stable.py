"""monitor.5: a sound model passes at every edge of its schema; what is not a sound number is found and named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, softmax
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.model import as_model
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.schema import Schema
from mltestscore.testing import run_check

FEATURES = ["distance", "weight", "carrier"]
REFUSED, NOT_FINITE = "allowed rows that the model refuses", "scores that are NaN or infinite"
OUTSIDE, DISTINCT = "scores outside of [0, 1]", "different scores"
MOVED = "rows whose score moves when inputs are rounded to 32 bits"


def rule(kind: str, column: str, **kwargs) -> Rule:
    return Rule(f"expect_column_values_to_{kind}", {"column": column, **kwargs})


def rules(**without) -> list[Rule]:
    return [
        rule("be_between", "distance", min_value=0, max_value=5000),
        rule("not_be_null", "distance"),
        rule("be_between", "weight", min_value=-10, max_value=10),
        rule("be_in_set", "carrier", value_set=["AA", "UA", "B6"]),
        rule("not_be_null", "carrier"),
    ]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"distance": rng.uniform(1, 4000, 600), "weight": rng.normal(size=600)})
    data["carrier"] = rng.choice(["AA", "UA", "B6"], 600)
    data.loc[::15, "weight"] = np.nan
    data["late"] = (data["distance"] / 2000 + rng.normal(size=600) > 1).astype(int)
    data["grade"] = np.array(["a", "b", "c"])[rng.integers(0, 3, 600)]
    return data


def pipeline(last):
    return make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(), StandardScaler()), ["distance", "weight"]),
            (OneHotEncoder(), ["carrier"]),
        ),
        last,
    )


@pytest.fixture(scope="module")
def sound(frame) -> dict:
    model = as_model(pipeline(LogisticRegression()).fit(frame[FEATURES], frame["late"]))
    training = open_dataset("training", frame, Roles(label="late", features=tuple(FEATURES), ignore=("grade",)))
    return {"model": model, "schema": Schema("suite", rules()), "training": training}


def scored(sound, function) -> dict:
    return {**sound, "model": sound["model"].replace(function)}


def failed(result) -> dict:
    return {(finding.name, finding.where): finding for finding in result.findings if finding.verdict == "failed"}


def run(**inputs):
    return run_check("monitor.5", prove=False, **inputs)


def test_a_sound_model_passes_and_every_planted_fault_is_caught(sound):
    result = run_check("monitor.5", **sound)
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof
    assert len(result.proof.faults) == 3


def test_training_data_are_optional(sound):
    assert run(model=sound["model"], schema=sound["schema"]).state == "passed"


def test_the_verdict_repeats_itself(sound):
    assert run(**sound).findings == run(**sound).findings


@pytest.mark.parametrize(("label", "last"), [("grade", LogisticRegression()), ("distance", Ridge())])
def test_more_classes_and_numbers_are_probed_too(sound, frame, label, last):
    model = as_model(pipeline(last).fit(frame[FEATURES], frame[label]))
    result = run_check("monitor.5", **{**sound, "model": model})
    assert (result.state, result.proof.state) == ("passed", "proven"), (result.reason, result.proof)


def test_a_logarithm_of_an_allowed_zero_is_found_and_named(sound):
    """Both ends of what happens: log(0) is -inf, and 0 · log(0) is NaN."""
    for power in (0, 1):
        found = failed(run(**scored(sound, lambda x, p=power: x["distance"] ** p * np.log(x["distance"]))))
        finding = found[NOT_FINITE, "probe"]
        assert "distance = 0 (least allowed)" in finding.cause


def test_nan_on_one_category_is_named(sound):
    def model(x):
        return np.where(x["carrier"] == "B6", np.nan, 0.5)

    assert "B6" in failed(run(**scored(sound, model)))[NOT_FINITE, "probe"].cause


def test_a_row_that_raises_is_found_and_the_message_shown(sound):
    def model(x):
        if (x["distance"] == 5000).any():
            raise OverflowError("math range error")
        return sound["model"].predict(x)

    finding = failed(run(**scored(sound, model)))[REFUSED, "probe"]
    assert finding.value < 30
    assert "distance = 5000 (largest allowed)" in finding.cause
    assert "math range error" in finding.cause


def test_a_missing_value_that_the_schema_allows_must_be_taken(sound):
    def model(x):
        if x["weight"].isna().any():
            raise ValueError("Input contains NaN")
        return sound["model"].predict(x)

    assert "weight missing" in failed(run(**scored(sound, model)))[REFUSED, "probe"].cause


def test_an_unseen_category_is_probed_only_where_no_rule_forbids_it(sound):
    """The encoder raises on a category that it has not seen: right with the set rule, a fault without it."""
    open_rules = [one for one in rules() if one.type != "expect_column_values_to_be_in_set"]
    finding = failed(run(**{**sound, "schema": Schema("open", open_rules)}))[REFUSED, "probe"]
    assert "never seen before" in finding.cause


def test_values_far_out_are_probed_where_no_rule_bounds_them(sound):
    open_rules = [one for one in rules() if one.kwargs["column"] != "distance"] + [rule("not_be_null", "distance")]
    exponential = scored({**sound, "schema": Schema("open", open_rules)}, lambda x: 1 / (1 + np.exp(-x["distance"])))
    assert run(**exponential).state == "passed"
    naive = scored(exponential, lambda x: np.exp(x["distance"] / 50) / (1 + np.exp(x["distance"] / 50)))
    assert "far above" in failed(run(**naive))[NOT_FINITE, "probe"].cause


def test_scores_beyond_one_fail(sound):
    result = run(**scored(sound, lambda x: 1.3 * expit(x["distance"] / 1000)))
    assert set(failed(result)) == {(OUTSIDE, "probe")}


def test_a_constant_output_fails(sound):
    assert set(failed(run(**scored(sound, lambda x: np.full(len(x), 0.5))))) == {(DISTINCT, "probe")}


def test_softmax_without_its_last_sum_fails(sound, frame):
    model = as_model(pipeline(LogisticRegression()).fit(frame[FEATURES], frame["grade"]))
    broken = model.replace(lambda x: softmax(model.predict(x), axis=1) * 0.99)
    assert set(failed(run(**{**sound, "model": broken}))) == {("class scores that do not sum to one", "probe")}


def test_a_score_that_hangs_on_the_last_bits_of_an_input_fails(sound):
    model = scored(sound, lambda x: (x["distance"] * 1e7) % 1)
    assert (MOVED, "") in failed(run(**model))


def test_parameters_that_are_not_finite_are_named(sound, frame):
    fitted = pipeline(LogisticRegression()).fit(frame[FEATURES], frame["late"])
    fitted[-1].coef_[0, 0] = np.inf
    broken = as_model(fitted).replace(sound["model"].predict)
    (finding,) = failed(run(**{**sound, "model": broken})).values()
    assert finding.name == "model parameters that are not finite"
    assert "logisticregression.coef_" in finding.cause


@pytest.mark.parametrize(
    ("scores", "name"),
    [
        ([0.1, 0.2, np.nan] * 60, NOT_FINITE),
        ([0.1, 0.2, np.inf] * 60, NOT_FINITE),
        ([0.1, 1.2] * 60, OUTSIDE),
        ([0.5] * 120, DISTINCT),
    ],
)
def test_the_log_of_served_scores_is_read_too(sound, scores, name):
    log = open_dataset("serving", pd.DataFrame({"p": scores}), Roles(score="p"))
    assert set(failed(run(**sound, serving=log))) == {(name, "serving log")}


def test_a_sound_log_passes_and_a_short_one_is_not_called_constant(sound):
    for scores in (np.linspace(0, 1, 500), [0.5] * 30):
        log = open_dataset("serving", pd.DataFrame({"p": scores}), Roles(score="p"))
        assert run(**sound, serving=log).state == "passed"


def test_a_log_without_a_score_column_adds_nothing(sound):
    log = open_dataset("serving", pd.DataFrame({"p": [0.1, 0.2]}), Roles())
    assert run(**sound, serving=log).findings == run(**sound).findings


def test_a_confident_model_passes(sound):
    """A fifth of the scores at .999, and some at exactly 0 and 1."""
    confident = scored(sound, lambda x: np.where(x["distance"] > 4000, 0.999, expit(x["distance"] / 4 - 500)))
    assert run(**confident).state == "passed"


def test_a_shallow_tree_with_few_scores_passes(sound, frame):
    model = as_model(pipeline(DecisionTreeClassifier(max_depth=2)).fit(frame[FEATURES], frame["late"]))
    assert run(**{**sound, "model": model}).state == "passed"


@pytest.mark.parametrize("n", [30, 100, 300])
def test_few_training_rows_do_no_harm(sound, frame, n):
    few = sound["training"].replace(frame.head(n))
    model = as_model(pipeline(LogisticRegression()).fit(frame[FEATURES].head(n), frame["late"].head(n)))
    assert run(**{**sound, "training": few, "model": model}).state == "passed"


def test_a_feature_without_a_rule_is_probed_within_its_training_range(sound):
    ruleless = Schema("short", [one for one in rules() if one.kwargs["column"] != "distance"])

    def model(x):
        return np.where((x["distance"] < 1) | (x["distance"] > 4000), np.nan, expit(x["distance"] / 1000))

    assert run(**{**scored(sound, model), "schema": ruleless}).state == "passed"


def test_a_feature_of_which_nothing_is_known_decides_nothing(sound):
    ruleless = Schema("short", [one for one in rules() if one.kwargs["column"] != "distance"])
    result = run(model=sound["model"], schema=ruleless)
    assert result.state == "inconclusive"
    assert "distance" in result.reason


def test_a_training_row_that_breaks_a_rule_is_not_held_against_the_model(sound, frame):
    dirty = sound["training"].replace(frame.assign(distance=frame["distance"].where(frame.index % 7 > 0, -1.0)))
    strict = scored({**sound, "training": dirty}, lambda x: expit(np.sqrt(x["distance"])))
    assert run(**strict).state == "passed"


def test_a_missing_schema_is_not_offered(sound):
    assert run(model=sound["model"]).state == "not_offered"
