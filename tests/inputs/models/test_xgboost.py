"""XGBoost's own files and boosters, with the real library."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from mltestscore.errors import InputError, NotOffered
from mltestscore.inputs.model import as_model, load_model
from mltestscore.numerics.parameters import not_finite
from tests.inputs.models import cases
from tests.inputs.models.cases import FEATURES, HOLDOUT, LABELS, TRAINING

OBJECTIVES = {"binary": "binary:logistic", "multiclass": "multi:softprob", "regression": "reg:squarederror"}


def trained(task: str = "binary", rounds: int = 60, **more) -> xgboost.Booster:
    settings = {"objective": OBJECTIVES[task], "max_depth": 5, "nthread": 1, "verbosity": 0}
    settings |= {"num_class": 3} if task == "multiclass" else {}
    rows = xgboost.DMatrix(TRAINING[FEATURES], label=TRAINING[LABELS[task]])
    return xgboost.train(settings | more, rows, rounds)


@pytest.fixture(scope="module")
def booster() -> xgboost.Booster:
    return trained()


@pytest.fixture(params=["json", "ubj"])
def file(request, tmp_path, booster):
    booster.save_model(tmp_path / f"m.{request.param}")
    return tmp_path / f"m.{request.param}"


def edited(booster: xgboost.Booster, file, change):
    """Save the booster as JSON with ``change`` made to its tree of values."""
    booster.save_model(file)
    tree = json.loads(file.read_text())
    change(tree["learner"])
    file.write_text(json.dumps(tree))
    return file


@pytest.mark.parametrize("task", list(OBJECTIVES))
def test_a_sound_model_scores_as_the_booster_does_and_passes_the_checks(tmp_path, task):
    made = trained(task)
    made.save_model(tmp_path / "m.ubj")
    model = load_model(tmp_path / "m.ubj")
    np.testing.assert_array_equal(model.predict(HOLDOUT), made.predict(xgboost.DMatrix(HOLDOUT[FEATURES])))
    classes = {"binary": (0, 1), "multiclass": (0, 1, 2), "regression": ()}
    assert (model.task, model.features, model.classes) == (task, tuple(FEATURES), classes[task])
    cases.assert_sound(model)


def test_both_formats_are_recognised_by_their_content(tmp_path, file, booster):
    (tmp_path / "model.bin").write_bytes(file.read_bytes())
    model = load_model(tmp_path / "model.bin")
    cases.assert_order_kept(model)
    cases.assert_columns_matter(model)


def test_broken_files(file):
    cases.assert_broken_files_are_named(file, "XGBoost")


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_leaf_that_is_not_finite_fails_the_numerical_check(tmp_path, booster, broken):
    def change(learner):
        tree = learner["gradient_booster"]["model"]["trees"][7]
        tree["split_conditions"][tree["left_children"].index(-1)] = broken

    cases.assert_unsound(load_model(edited(booster, tmp_path / "m.json", change)), "leaf values")


def test_infinite_thresholds_are_no_leaves(tmp_path, booster):
    def change(learner):
        learner["gradient_booster"]["model"]["trees"][0]["split_conditions"][0] = np.inf

    assert not_finite(load_model(edited(booster, tmp_path / "m.json", change)).estimator)[0] == []


@pytest.mark.parametrize(
    "more", [{"booster": "gblinear"}, {"booster": "dart", "rate_drop": 0.5}, {"multi_strategy": "multi_output_tree"}]
)
def test_numbers_of_every_booster_are_reached(more):
    task = "multiclass" if "multi_strategy" in more else "binary"
    unsound, count = not_finite(trained(task, rounds=3, **more))
    assert unsound == []
    assert count > 3


def test_leaves_of_a_large_model_are_read_in_parts(monkeypatch, booster):
    whole = not_finite(booster)
    monkeypatch.setattr("mltestscore.inputs.models.xgboost.AT_ONCE", 7)
    assert not_finite(booster) == whole


def test_margins_become_probabilities():
    rows = xgboost.DMatrix(HOLDOUT[FEATURES])
    made = trained(objective="binary:logitraw")
    np.testing.assert_allclose(as_model(made).predict(HOLDOUT), 1 / (1 + np.exp(-made.predict(rows))), rtol=1e-5)
    made = trained("multiclass", objective="multi:softmax")
    scores = as_model(made).predict(HOLDOUT)
    np.testing.assert_array_equal(scores.argmax(axis=1), made.predict(rows))
    np.testing.assert_allclose(scores.sum(axis=1), 1)


def test_an_objective_without_probabilities_is_refused(tmp_path):
    trained(objective="binary:hinge", rounds=2).save_model(tmp_path / "m.json")
    with pytest.raises(InputError, match=r"objective 'binary:hinge' gives no probabilities.*name a loader"):
        load_model(tmp_path / "m.json")


def test_a_ranking_gives_a_number_a_row(tmp_path):
    trained(objective="rank:pairwise", rounds=2).save_model(tmp_path / "m.json")
    model = load_model(tmp_path / "m.json")
    assert model.task == "ranking"
    assert model.predict(HOLDOUT).shape == (len(HOLDOUT),)


def test_a_number_between_0_and_1_needs_its_task(tmp_path):
    trained(objective="reg:logistic", rounds=2).save_model(tmp_path / "m.json")
    with pytest.raises(InputError, match="declare task"):
        load_model(tmp_path / "m.json")
    assert load_model(tmp_path / "m.json", task="binary").predict(HOLDOUT).shape == (len(HOLDOUT),)


def test_the_rounds_that_early_stopping_chose_count_as_in_the_estimator(tmp_path):
    estimator = xgboost.XGBClassifier(n_estimators=200, learning_rate=1.0, early_stopping_rounds=3, n_jobs=1)
    later = (HOLDOUT[FEATURES], HOLDOUT["late"])
    estimator.fit(TRAINING[FEATURES], TRAINING["late"], eval_set=[later], verbose=False)
    assert estimator.best_iteration + 1 < estimator.get_booster().num_boosted_rounds()
    estimator.save_model(tmp_path / "m.json")
    expected = estimator.predict_proba(HOLDOUT[FEATURES])[:, 1]
    np.testing.assert_array_equal(load_model(tmp_path / "m.json").predict(HOLDOUT), expected)


def test_categories_and_texts_find_their_number_and_unseen_ones_are_refused():
    frame = TRAINING[["heat"]].assign(line=pd.Categorical(np.array(["south", "east", "north"])[TRAINING["grade"]]))
    rows = xgboost.DMatrix(frame, label=TRAINING["grade"], enable_categorical=True)
    model = as_model(xgboost.train({"objective": "reg:squarederror", "nthread": 1}, rows, 20))
    one = frame[frame["line"] == "north"].head(50)
    for kind in ("category", object, "str", pd.CategoricalDtype(["north", "west"])):
        assert model.predict(one.astype({"line": kind})).min() > 1.8, kind
    for unseen in ("nowhere", "a", "eas"):  # XGBoost itself refuses none of these three
        with pytest.raises(InputError, match=f"'line' holds '{unseen}', a category that training did not hold"):
            model.predict(one.assign(line=unseen))


def test_coded_categories_take_numbers_and_no_texts():
    frame = TRAINING[["heat", "grade"]]
    rows = xgboost.DMatrix(
        frame.to_numpy(),
        label=TRAINING["cost"],
        feature_names=["heat", "grade"],
        feature_types=["q", "c"],
        enable_categorical=True,
    )
    made = xgboost.train({"objective": "reg:squarederror", "nthread": 1}, rows, 5)
    np.testing.assert_array_equal(as_model(made).predict(frame), made.predict(rows))
    with pytest.raises(InputError, match="does not hold the categories of 'grade'"):
        as_model(made).predict(frame.assign(grade="low"))


def test_a_model_of_arrays_needs_names_and_their_number(booster):
    rows = xgboost.DMatrix(TRAINING[FEATURES].to_numpy(), label=TRAINING["late"])
    made = xgboost.train({"objective": "binary:logistic", "nthread": 1}, rows, 5)
    with pytest.raises(InputError, match=r"trained on 3 columns, but .* declares 2"):
        as_model(made, features=FEATURES[:2])
    expected = made.predict(xgboost.DMatrix(HOLDOUT[FEATURES].to_numpy()))
    np.testing.assert_array_equal(as_model(made, features=FEATURES).predict(HOLDOUT), expected)


def test_texts_where_numbers_belong_are_named(booster):
    with pytest.raises(InputError, match=r"(?s)could not score.*heat: (str|object)"):
        as_model(booster).predict(HOLDOUT.assign(heat="warm"))


def test_an_error_of_the_library_comes_without_its_stack_trace(booster):
    model = as_model(booster)
    with pytest.raises(InputError, match="could not score") as raised:
        model.predict(HOLDOUT.assign(heat=np.inf))
    assert "Stack trace" not in str(raised.value)


def test_several_targets_are_not_asked_for_scores():
    rows = xgboost.DMatrix(TRAINING[FEATURES], label=TRAINING[["cost", "late"]])
    made = xgboost.train({"objective": "reg:squarederror", "nthread": 1}, rows, 2)
    model = as_model(made)
    assert model.task == "multioutput"
    with pytest.raises(NotOffered, match="several answers a row"):
        model.predict(HOLDOUT)


def test_leaves_are_found_inside_a_pipeline():
    estimator = xgboost.XGBClassifier(n_estimators=3, n_jobs=1)
    fitted = make_pipeline(FunctionTransformer(), estimator).fit(TRAINING[FEATURES], TRAINING["late"])
    names = {name for name, _ in cases.parameters(fitted)}
    assert "xgbclassifier.leaf values" in names
    assert as_model(fitted).task == "binary"


def test_a_calibrated_estimator_keeps_an_unfitted_one_beside_the_fitted():
    estimator = xgboost.XGBClassifier(n_estimators=3, n_jobs=1)
    fitted = CalibratedClassifierCV(estimator, cv=2).fit(TRAINING[FEATURES], TRAINING["late"])
    assert any("leaf" in name for name, _ in cases.parameters(fitted))
    assert not_finite(fitted)[0] == []
