"""Every kind of model through the items that judge losses: sound ones pass, broken ones fail, or it says why not.

Models are fitted by real libraries on a few thousand rows that hold something for each task.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from mltestscore.errors import InputError
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.heuristics import Heuristics
from mltestscore.inputs.model import Model, as_model, load_model
from mltestscore.inputs.schema import Rule, Schema
from mltestscore.inputs.tracer import open_tracer
from mltestscore.inputs.validator import Validator
from mltestscore.several_labels import indicators, names_of
from mltestscore.testing import run_check

FEATURES = ["region", "speed", "load"]
ADVANTAGE, LOST = "advantage over the best simple model", "quality lost on a slice"


@cache
def rows(n: int, seed: int) -> pd.DataFrame:
    """Queries of eight rows; what decides is a product of two features, which no simple model sees."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"query": np.arange(n) // 8, "speed": rng.normal(size=n), "load": rng.normal(size=n)})
    frame["region"] = rng.integers(0, 3, n // 8 + 1)[frame["query"]]
    signal = frame["speed"] + 2 * frame["speed"] * frame["load"]
    frame["grade"] = np.digitize(signal + rng.normal(size=n), [0.5, 2.0, 4.0])
    frame["value"] = signal + 0.2 * frame["region"] + rng.normal(size=n)
    late = (signal + rng.logistic(size=n) > 0.5).astype(int)
    wet = (frame["load"] * frame["speed"] + rng.logistic(size=n) > 0).astype(int)
    frame["labels"] = [list(pair) for pair in zip(late.tolist(), wet.tolist(), strict=True)]
    frame["tags"] = [[name for name, has in (("late", a), ("wet", b)) if has] for a, b in frame["labels"]]
    frame["at"] = pd.date_range("2026-01-01", periods=n, freq="h")
    return frame


def data(name: str, label: str, **roles: str) -> Dataset:
    frame = rows(6000, 1 if name == "training" else 2)
    return open_dataset(name, frame, Roles(label=label, features=tuple(FEATURES), **roles))


@cache
def ranker() -> Model:
    frame = rows(6000, 1)
    made = lightgbm.LGBMRanker(n_estimators=60, num_leaves=15, n_jobs=1, verbose=-1)
    return as_model(made.fit(frame[FEATURES], frame["grade"], group=[8] * 750))


def tagger(kind: str = "chain") -> Model:
    frame = rows(6000, 1)
    truth = np.array(frame["labels"].tolist())
    line = make_pipeline(PolynomialFeatures(2), LogisticRegression(max_iter=500))
    made = {
        "chain": OneVsRestClassifier(line),
        "outputs": MultiOutputClassifier(line),
        "forest": RandomForestClassifier(30, min_samples_leaf=20, n_jobs=1, random_state=1),
    }[kind]
    return as_model(made.fit(frame[FEATURES], truth), task="multilabel", features=FEATURES)


def forecaster() -> Model:
    frame = rows(6000, 1)
    made = make_pipeline(PolynomialFeatures(2), Ridge()).fit(frame[FEATURES], frame["value"])
    return as_model(made, task="forecast")


def given(task: str) -> dict:
    label = {"ranking": "grade", "multilabel": "labels", "forecast": "value"}[task]
    roles = {"ranking": {"cluster": "query"}, "multilabel": {}, "forecast": {"time": "at"}}[task]
    model = {"ranking": ranker, "multilabel": tagger, "forecast": forecaster}[task]()
    inputs = {"model": model, "training": data("training", label, **roles), "holdout": data("holdout", label, **roles)}
    return inputs | ({"heuristics": Heuristics(horizon_days=1 / 24)} if task == "forecast" else {})


def only(inputs: dict, *names: str) -> dict:
    return {name: value for name, value in inputs.items() if name in names}


def without_order(model: Model, seed: int = 0) -> Model:
    """The same scores, of other rows."""
    return model.replace(lambda frame: model.predict(frame)[np.random.default_rng(seed).permutation(len(frame))])


@pytest.mark.parametrize("task", ["ranking", "multilabel", "forecast"])
def test_a_sound_model_of_any_kind_beats_simple_ones_and_every_fault_is_caught(task):
    result = run_check("model.5", **given(task))
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof


@pytest.mark.parametrize("task", ["ranking", "multilabel", "forecast"])
def test_a_broken_model_of_any_kind_does_not(task):
    inputs = given(task)
    broken = run_check("model.5", **{**inputs, "model": without_order(inputs["model"])}, prove=False)
    assert ADVANTAGE in {one.name for one in broken.findings if one.verdict == "failed"}


@pytest.mark.parametrize("task", ["ranking", "multilabel", "forecast"])
def test_slices_of_any_kind_are_judged_and_every_fault_is_caught(task):
    inputs = only(given(task), "model", "holdout")
    result = run_check("model.6", **inputs, previous_model=inputs["model"], options={"slices": ("region",)})
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof


@pytest.mark.parametrize("task", ["ranking", "multilabel", "forecast"])
def test_a_slice_that_lost_is_named(task):
    inputs = only(given(task), "model", "holdout")
    sound = inputs["model"]

    def predict(frame: pd.DataFrame) -> np.ndarray:
        scores, hit = sound.predict(frame), (frame["region"] == 1).to_numpy()
        return np.where(hit if scores.ndim == 1 else hit[:, None], without_order(sound).predict(frame), scores)

    result = run_check(
        "model.6",
        **{**inputs, "model": sound.replace(predict)},
        previous_model=sound,
        options={"slices": ("region",)},
        prove=False,
    )
    failed = {one.where for one in result.findings if one.verdict == "failed" and one.name == LOST}
    assert any("1" in where for where in failed)
    assert not any("0" in where or "2" in where for where in failed)


def test_one_label_that_lost_is_named():
    inputs = only(given("multilabel"), "model", "holdout")
    sound = inputs["model"]
    worse = sound.replace(lambda frame: np.column_stack([sound.predict(frame)[:, 0], np.full(len(frame), 0.5)]))
    result = run_check("model.6", **{**inputs, "model": worse}, previous_model=sound, prove=False)
    failed = {(one.name, one.where) for one in result.findings if one.verdict == "failed"}
    assert ("quality lost on a label", "1") in failed
    assert ("quality lost on a label", "0") not in failed


@pytest.mark.parametrize("kind", ["outputs", "forest"])
def test_labels_may_be_named_and_models_may_answer_in_pairs(kind):
    inputs = {name: data(name, "tags") for name in ("training", "holdout")}
    result = run_check("model.5", model=tagger(kind), **inputs, prove=False)
    assert result.state == "passed", result.reason


@pytest.mark.parametrize(
    ("label", "said"),
    [("grade", "a row's labels are a list"), ("three", "there are 2")],
)
def test_labels_of_another_form_are_a_clear_error(label, said):
    frame = rows(6000, 2).assign(three=[[0, 1, 1]] * 6000)
    odd = open_dataset("holdout", frame, Roles(label=label, features=tuple(FEATURES)))
    result = run_check("model.5", model=tagger(), training=data("training", "labels"), holdout=odd, prove=False)
    assert result.state == "error"
    assert said in result.reason


def test_a_model_of_other_labels_is_a_clear_error():
    sound = tagger()
    more = sound.replace(lambda frame: np.column_stack([sound.predict(frame), sound.predict(frame)[:, 0]]))
    for item in ("model.5", "model.6"):
        inputs = {**given("multilabel"), "model": more}
        result = run_check(item, **only(inputs, "model", "training", "holdout"), prove=False)
        assert "holds 2 labels a row, but the model scores 3" in result.reason


@pytest.mark.parametrize("cell", [None, [[1, 0], [0, 1]], [0, 2], "late", {"late": 1}])
def test_odd_cells_of_labels_are_refused_by_name(cell):
    with pytest.raises(InputError, match="labels are a list"):
        indicators(pd.Series([[0, 1], cell]), names_of(pd.Series([[0, 1]])), "holdout")


def test_few_queries_decide_nothing():
    inputs = given("ranking")
    few = inputs["holdout"].frame()
    few = few.assign(query=np.arange(len(few)) % 8)
    holdout = open_dataset("holdout", few, inputs["holdout"].roles)
    result = run_check("model.5", **{**inputs, "holdout": holdout}, prove=False)
    assert result.state == "inconclusive"
    assert "queries of the judged rows" in result.reason


NOT_JUDGED = [("data.2", "ranking"), ("data.2", "multilabel")]


@pytest.mark.parametrize(("item", "task"), NOT_JUDGED)
def test_an_item_without_a_meaning_for_a_task_says_what_to_offer_instead(item, task):
    inputs = given(task)
    result = run_check(item, **only(inputs, "model", "training", "holdout"), prove=False)
    assert result.state == "not_offered", result.reason
    assert "score each in a run of its own" in result.reason or "serves in the end" in result.reason


@pytest.mark.parametrize(("task", "told"), [("ranking", True), ("multilabel", True), ("multilabel", False)])
def test_a_gate_of_another_kind_is_not_examined_and_nothing_of_it_runs(task, told, tmp_path):
    """Where no model is offered, the labels tell of several; that grades are ranked, they do not."""
    inputs = only(given(task), "training", "holdout", *(["model"] if told else []))
    gate = Validator(tmp_path, ("{python}", "gate.py", "{candidate}"), "gate:package")
    result = run_check("infra.4", validator=gate, **inputs, prove=False)
    gate.close()
    assert result.state == "not_offered", result.reason
    assert "run of its own" in result.reason or "serves in the end" in result.reason


@pytest.mark.parametrize(
    ("task", "take", "said"),
    [
        ("ranking", {"cluster": ""}, "the query of each row of holdout is not offered"),
        ("forecast", {"time": ""}, "the time of holdout is not offered"),
    ],
)
def test_what_a_kind_needs_is_asked_for(task, take, said):
    inputs = given(task)
    made = inputs["holdout"].replace(inputs["holdout"].frame())
    made.roles = Roles(**{**made.roles.__dict__, **take})
    result = run_check("model.5", **{**inputs, "holdout": made}, prove=False)
    assert result.state == "not_offered"
    assert said in result.reason


def test_a_forecast_without_its_horizon_is_asked_for_it():
    inputs = given("forecast")
    del inputs["heuristics"]
    result = run_check("model.5", **inputs, prove=False)
    assert result.state == "not_offered"
    assert "horizon_days" in result.reason


@pytest.mark.parametrize("task", ["ranking", "multilabel"])
def test_scores_of_any_kind_must_be_finite(task):
    kinds = [Rule("expect_column_values_to_be_in_set", {"column": "region", "value_set": [0, 1, 2]})]
    ends = [
        Rule("expect_column_values_to_be_between", {"column": name, "min_value": -5, "max_value": 5})
        for name in ("speed", "load")
    ]
    present = [Rule("expect_column_values_to_not_be_null", {"column": name}) for name in FEATURES]
    inputs = {**only(given(task), "model", "training"), "schema": Schema("suite", [*kinds, *ends, *present])}
    sound = inputs["model"]
    result = run_check("monitor.5", **inputs, prove=False)
    assert result.state == "passed", result.reason
    lost = sound.replace(lambda frame: np.log(np.maximum(0, sound.predict(frame) - sound.predict(frame).min())))
    result = run_check("monitor.5", **{**inputs, "model": lost}, prove=False)
    assert "scores that are NaN or infinite" in {one.name for one in result.findings if one.verdict == "failed"}


@pytest.mark.parametrize("task", ["ranking", "multilabel"])
def test_one_answer_of_any_kind_is_followed(task, tmp_path):
    result = run_check("infra.5", **only(given(task), "model", "holdout"), tracer=open_tracer(tmp_path), prove=False)
    assert result.state == "passed", result.reason


@pytest.mark.parametrize("metric", ["ndcg", "mrr"])
def test_a_ranking_is_judged_query_by_query(metric):
    result = run_check("model.5", **given("ranking"), options={"metric": metric}, prove=False)
    (found,) = [one for one in result.findings if one.name == ADVANTAGE]
    assert found.verdict == "passed"
    assert 300 < found.n <= 750  # queries, of 6,000 rows


def test_models_of_another_process_tell_their_kind_too(tmp_path):
    """The same check works there: the labels' pairs of probabilities and the order of rows come over as they are."""
    (tmp_path / "kinds.py").write_text(LOADERS)
    there = {"loader": "kinds:labels", "task": "multilabel", "python": sys.executable, "base": tmp_path}
    model = load_model(Path(), features=FEATURES, **there)
    try:
        result = run_check("model.5", **{**given("multilabel"), "model": model}, prove=False)
    finally:
        model.close()
    assert result.state == "passed", result.reason


LOADERS = """
import numpy as np

class Labels:
    classes_ = [np.array([0, 1]), np.array([0, 1])]
    def predict_proba(self, frame):
        speed, product = frame["speed"], frame["speed"] * frame["load"]
        chances = [1 / (1 + np.exp(-one)) for one in (speed + 2 * product - 0.5, product)]
        return [np.column_stack([1 - one, one]) for one in chances]

def labels():
    return Labels()
"""


@pytest.mark.parametrize(
    ("form", "item"), [(form, item) for form in ("text", "batch") for item in ("model.5", "model.6")]
)
def test_texts_and_images_are_judged_by_the_same_items(form, item):
    rng = np.random.default_rng(4)
    late = rng.integers(0, 2, 4000)
    heard = np.where(rng.random(4000) < 0.9, late, 1 - late)
    texts = [f"flight {place} is {'slow' if one else 'quick'}" for place, one in enumerate(heard)]
    images = [np.where(rng.random((4, 4)) < 0.4 + 0.3 * one, 1.0, 0.0).tolist() for one in late]
    frame = pd.DataFrame({"seen": texts if form == "text" else images, "late": late})
    model = as_model(READS[form], task="binary", features=["seen"], rows_as=form)
    parts = {"training": frame[:2000], "holdout": frame[2000:]}
    sides = {name: open_dataset(name, part, Roles(label="late", features=("seen",))) for name, part in parts.items()}
    result = run_check(item, model=model, **sides, prove=False)
    assert result.state in ("passed", "inconclusive"), result.reason
    wrong = model.replace(lambda rows: 1 - model.predict(rows))
    assert run_check(item, model=wrong, **sides, prove=False).state == "failed"


READS = {
    "text": lambda texts: np.array([0.9 if "slow" in text else 0.1 for text in texts]),
    "batch": lambda batch: 1 / (1 + np.exp(-1.5 * (batch.sum(axis=(1, 2)) - 8.8))),
}
