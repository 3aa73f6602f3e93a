"""``infra.5`` on models that are followed by us, and by functions in their own process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mltestscore.errors import ConfigError
from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.model import Model, as_model
from mltestscore.inputs.tracer import Tracer, open_tracer
from mltestscore.result import CheckResult, FindingRecord
from mltestscore.testing import run_check
from mltestscore.tracing.names import BETWEEN, FOLLOWED, LAST, SERVED, SHOWN

FEATURES = ["age", "max_age", "fare", "town"]

FUNCTION = """
import math
TOWNS = {"Ulm": 0.5, "Bern": -0.5, "Graz": 0.0}

def trace(row, version):
    scale = {"current": 1.0, "v2": 1.0, "v1": 2.0}[version]
    years = row["age"] / row["max_age"]
    town = TOWNS[row["town"]]
    total = scale * (years + town - row["fare"] / 100)
    # here
    return {"fare": row["fare"], "share of max_age": years, "age in years": row["age"],
            "town weight": town, "sum": total, "score": 1 / (1 + math.exp(-total))}
"""


def rows(count: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.integers(1, 90, count).astype(float)
    town = rng.choice(["Ulm", "Bern", "Graz"], count)
    years = age + rng.integers(1, 20, count)
    fare = rng.random(count) * 100
    return pd.DataFrame({"id": np.arange(count), "age": age, "max_age": years, "fare": fare, "town": town})


def formula(scale: float = 1.0) -> Any:
    def score(frame: pd.DataFrame) -> Any:
        town = frame["town"].map({"Ulm": 0.5, "Bern": -0.5, "Graz": 0.0})
        return 1 / (1 + np.exp(-scale * (frame["age"] / frame["max_age"] + town - frame["fare"] / 100)))

    return score


def by_formula(scale: float = 1.0) -> Model:
    return as_model(formula(scale), task="binary", features=FEATURES)


def pipeline(seed: int = 0) -> Model:
    frame = rows(seed=seed)
    label = frame["fare"] + 20 * np.random.default_rng(seed).normal(size=len(frame)) > 50
    encode = ColumnTransformer(
        [("town", OneHotEncoder(), ["town"]), ("numbers", StandardScaler(), ["age", "max_age", "fare"])]
    )
    return as_model(make_pipeline(encode, LogisticRegression()).fit(frame[FEATURES], label))


def log(model: Model, **changes: Any) -> Any:
    frame = rows(seed=1)
    return open_dataset(
        "serving", frame.assign(score=model.predict(frame), **changes), Roles(key=("id",), score="score")
    )


@pytest.fixture
def function(tmp_path: Path) -> Any:
    def written(*bends: tuple[str, str], **settings: Any) -> Tracer:
        text = FUNCTION
        for before, after in bends:
            assert before in text
            text = text.replace(before, after)
        (tmp_path / "explain.py").write_text(text)
        return open_tracer(tmp_path, call="explain:trace", **settings)

    return written


def run(prove: bool = False, **inputs: Any) -> CheckResult:
    return run_check("infra.5", prove=prove, **inputs)


def failed(result: CheckResult) -> dict[str, FindingRecord]:
    assert result.state != "error", result.reason
    return {found.name: found for found in result.findings if found.verdict == "failed"}


def test_a_pipeline_is_followed_without_help_and_every_fault_is_caught():
    model, before = pipeline(), pipeline(seed=3)
    result = run(prove=True, model=model, tracer=Tracer(), serving=log(model), previous_model=before)
    assert result.state == "passed", result
    assert [fault.state for fault in result.proof.faults] == ["caught"] * 6, result.proof
    (shown,) = [detail for detail in result.details if detail.title == "One row of serving, step by step"]
    steps = list(dict.fromkeys(row[0] for row in shown.data["rows"]))
    assert steps == ["input", "columntransformer", "contributions", "intercept", "sum", "score"]


def test_a_function_is_followed_and_every_fault_is_caught(function):
    model = by_formula()
    inputs = {"previous_model": by_formula(2.0).replace(formula(2.0)), "serving": log(model)}
    inputs["previous_model"] = Model(**{**inputs["previous_model"].__dict__, "version": "v1"})
    result = run(prove=True, model=model, tracer=function(), **inputs)
    assert result.state == "passed", result
    assert result.proof.state == "proven", result.proof


def test_without_a_model_or_a_tracer_it_is_not_offered():
    assert run(model=by_formula()).state == "not_offered"
    assert run(tracer=Tracer()).state == "not_offered"


def test_a_model_that_cannot_be_followed_is_inconclusive_and_says_what_to_offer():
    model = by_formula()
    result = run(model=model, tracer=Tracer(), serving=log(model))
    assert result.state == "inconclusive"
    assert any('call = "module:function"' in found.note for found in result.findings)


def test_a_layer_on_top_of_the_parts_is_no_fault_of_the_team():
    inner = pipeline()
    model = inner.replace(lambda frame: inner.predict(frame) ** 2)
    result = run(model=model, tracer=Tracer(), serving=log(model))
    assert result.state == "inconclusive"
    assert any("it does more than its parts show" in found.note for found in result.findings)


@pytest.mark.parametrize(
    ("bend", "name", "cause"),
    [
        (("# here", "return {'score': 1 / (1 + math.exp(-total))}"), BETWEEN, "nothing between"),
        (
            ("# here", "row = dict(row); return {**row, 'score': 1 / (1 + math.exp(-total))}"),
            BETWEEN,
            "nothing between",
        ),
        (('row["fare"] / 100)', 'round(row["fare"], -1) / 100)'), LAST, "the model says"),
        (("math.exp(-total))", "math.exp(-total)).__round__(2)"), LAST, "the model says"),
        (("# here", "if row['fare'] > 50: total = 0.0"), LAST, "a trace ends in 0.5"),
        (('"town weight": town, ', ""), SHOWN, "town"),
        (('"age in years": row["age"],', ""), SHOWN, "age"),
        (("town = TOWNS", "assert row['town'] != 'Ulm', 'no such town'; town = TOWNS"), FOLLOWED, "no such town"),
        (("# here", "return total"), FOLLOWED, "it returned float"),
        (("# here", "import os; os._exit(3)"), FOLLOWED, "ended the process"),
    ],
)
def test_a_faulty_trace_fails_by_name(function, bend, name, cause):
    model = by_formula()
    found = failed(run(model=model, tracer=function(bend), serving=log(model)))
    assert name in found, found
    assert cause in found[name].cause


def test_a_trace_that_hangs_is_stopped(function):
    model = by_formula()
    tracer = function(("# here", "import time; row['id'] and time.sleep(60)"), timeout=4)
    found = failed(run(model=model, tracer=tracer, serving=log(model)))
    assert "did not answer within 4 s" in found[FOLLOWED].cause


def test_fresh_features_in_the_trace_are_found_by_what_was_served(function):
    model = by_formula()
    serving = log(model)
    frame = serving.frame()
    moved = open_dataset("serving", frame.assign(fare=frame["fare"] * 1.1), serving.roles)
    found = failed(run(model=model, tracer=function(), serving=moved))
    assert list(found) == [SERVED]
    assert "what was served is" in found[SERVED].cause
    fresh = function(("# here", "row = {**row, 'fare': row['fare'] + 1}; total -= 0.01"))
    found = failed(run(model=model, tracer=fresh, serving=serving))
    assert "fare is" in found[SERVED].cause


@pytest.mark.parametrize(
    "bend",
    [
        ("# here", "total = total + 1e-9"),
        ("1 / (1 + math.exp(-total))}", "format(1 / (1 + math.exp(-total)), '.6g')}"),
        ('"score": 1 / (1 + math.exp(-total))}', '"score": [1 / (1 + math.exp(total)), 1 / (1 + math.exp(-total))]}'),
        ('return {"fare"', "return {'row': row, \"fare\""),
        ('"town weight": town, ', "'one hot': {f'town_{one}': float(row['town'] == one) for one in TOWNS}, "),
        ('"share of max_age": years, "age in years": row["age"],', "'MAX_AGE': row['max_age'], 'x__age': years,"),
    ],
)
def test_a_sound_trace_in_another_form_passes(function, bend):
    model = by_formula()
    result = run(model=model, tracer=function(bend), serving=log(model))
    assert result.state == "passed", failed(result)


def test_a_declared_name_stands_for_its_features(function):
    model = by_formula()
    bend = (('"town weight": town, ', '"place": town, '),)
    assert SHOWN in failed(run(model=model, tracer=function(*bend), serving=log(model)))
    result = run(model=model, tracer=function(*bend, derived={"place": ["town"]}), serving=log(model))
    assert result.state == "passed"


def test_a_log_that_rounds_and_one_with_two_versions_are_sound(function):
    model, before = pipeline(), pipeline(seed=3)
    frame = rows(seed=1)
    half = np.arange(len(frame)) % 2 == 0
    mixed = np.where(half, model.predict(frame), before.predict(frame)).round(4)
    roles = Roles(key=("id",), score="score")
    serving = open_dataset("serving", frame.assign(score=mixed), roles)
    assert run(model=model, tracer=Tracer(), serving=serving, previous_model=before).state == "passed"
    named = Model(**{**model.__dict__, "version": "v2"})
    versions = frame.assign(score=mixed, version=np.where(half, "v2", "v1"))
    serving = open_dataset("serving", versions, Roles(key=("id",), score="score", ignore=("version",)))
    assert run(model=named, tracer=Tracer(), serving=serving).state == "passed"
    later = Model(**{**model.__dict__, "version": "v3"})
    assert run(model=later, tracer=Tracer(), serving=serving).state == "inconclusive"


def test_an_old_version_that_answers_like_the_new_one_is_found(function):
    model = by_formula()
    before = Model(**{**by_formula(2.0).__dict__, "version": "v1"})
    tracer = function(('"v1": 2.0', '"v1": 1.0'))
    result = run(model=model, tracer=tracer, serving=log(model), previous_model=before)
    assert failed(result)[LAST].where == "version before"


def test_missing_values_classes_and_numbers_are_followed():
    frame = rows().drop(columns="town")
    frame.loc[::5, "age"] = np.nan
    features = ["age", "max_age", "fare"]
    three = np.digitize(frame["fare"], [30, 60])
    trees = as_model(HistGradientBoostingClassifier(max_iter=5).fit(frame[features], three))
    holdout = open_dataset("holdout", frame.assign(y=three), Roles(label="y"))
    assert run(model=trees, tracer=Tracer(), holdout=holdout).state == "passed"
    line = as_model(LinearRegression().fit(frame[["fare"]], frame["fare"] * 1e6))
    result = run(prove=True, model=line, tracer=Tracer(), training=holdout)
    assert (result.state, result.proof.state) == ("passed", "proven"), result


def test_no_data_with_all_inputs_is_inconclusive():
    holdout = open_dataset("holdout", rows().drop(columns="fare"), Roles())
    assert run(model=pipeline(), tracer=Tracer(), holdout=holdout).state == "inconclusive"


def test_settings_that_cannot_be_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="module:function"):
        open_tracer(tmp_path, call="explain.trace")
    with pytest.raises(ConfigError, match="derives from no feature"):
        open_tracer(tmp_path, call="explain:trace", derived={"place": []})
    result = run(model=by_formula(), tracer=open_tracer(tmp_path, call="nowhere:trace"), serving=log(by_formula()))
    assert result.state == "error"
    assert "there is no module 'nowhere'" in result.reason


@pytest.mark.parametrize("task", ["multiclass", "multilabel"])
def test_a_log_may_hold_a_list_of_probabilities(task: str) -> None:
    frame = rows()
    truth = np.column_stack([frame["fare"] > 50, frame["age"] > 40, frame["fare"] + frame["age"] > 90]).astype(int)
    label = truth.sum(axis=1) if task == "multiclass" else truth
    numbers = FEATURES[:3]
    estimator = MLPClassifier((4,), tol=1.0, random_state=0) if task == "multilabel" else LogisticRegression()
    model = as_model(make_pipeline(StandardScaler(), estimator).fit(frame[numbers], label), task=task)
    scores = model.predict(rows(seed=1))
    served = log_of([*scores])
    found = run(model=model, tracer=Tracer(), serving=served)
    assert [one.value for one in found.findings if one.name == SERVED] == [0], found.reason
    moved = run(model=model, tracer=Tracer(), serving=log_of([*np.roll(scores, 1, axis=1)]))
    assert SERVED in failed(moved)


def log_of(scores: list[Any]) -> Any:
    return open_dataset("serving", rows(seed=1).assign(score=scores), Roles(key=("id",), score="score"))
