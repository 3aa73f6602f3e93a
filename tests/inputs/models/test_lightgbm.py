"""LightGBM's text files and boosters, with the real library."""

from __future__ import annotations

import re

import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from mltestscore.errors import InputError
from mltestscore.inputs.model import as_model, load_model
from mltestscore.numerics.parameters import not_finite
from tests.inputs.models import cases
from tests.inputs.models.cases import FEATURES, HOLDOUT, LABELS, TRAINING

QUIET = {"verbosity": -1, "num_threads": 1, "deterministic": True}


def trained(task: str = "binary", rounds: int = 60, **more) -> lightgbm.Booster:
    settings = QUIET | {"objective": task, "max_depth": 5} | ({"num_class": 3} if task == "multiclass" else {})
    return lightgbm.train(settings | more, lightgbm.Dataset(TRAINING[FEATURES], TRAINING[LABELS[task]]), rounds)


@pytest.fixture(scope="module")
def booster() -> lightgbm.Booster:
    return trained()


@pytest.fixture
def file(tmp_path, booster):
    booster.save_model(tmp_path / "m.txt")
    return tmp_path / "m.txt"


@pytest.mark.parametrize("task", list(LABELS))
def test_a_sound_model_scores_as_the_booster_does_and_passes_the_checks(tmp_path, task):
    made = trained(task)
    made.save_model(tmp_path / "m.txt")
    model = load_model(tmp_path / "m.txt")
    np.testing.assert_allclose(model.predict(HOLDOUT), made.predict(HOLDOUT[FEATURES]), rtol=1e-12)
    assert (model.task, model.features) == (task, tuple(FEATURES))
    cases.assert_sound(model)


def test_it_is_recognised_by_its_content(tmp_path, file):
    (tmp_path / "model.bin").write_bytes(file.read_bytes())
    model = load_model(tmp_path / "model.bin")
    cases.assert_order_kept(model)
    cases.assert_columns_matter(model)


def test_broken_files(file):
    cases.assert_broken_files_are_named(file, "LightGBM")


@pytest.mark.parametrize("broken", ["nan", "inf"])
def test_a_leaf_that_is_not_finite_fails_the_numerical_check(file, broken):
    file.write_text(re.sub(r"(leaf_value=\S+ )\S+", rf"\g<1>{broken}", file.read_text(), count=1))
    cases.assert_unsound(load_model(file), "leaf_value")


def test_a_broken_number_is_an_error_and_not_the_end_of_the_process(file):
    file.write_text(re.sub(r"(leaf_value=\S+ )\S+", r"\g<1>a.1", file.read_text()))
    with pytest.raises(InputError, match=r"m\.txt does not load as LightGBM"):
        load_model(file)


def test_weights_of_linear_leaves_are_read():
    names = {name for name, _ in cases.parameters(trained("regression", rounds=2, linear_tree=True))}
    assert names == {"leaf_value", "leaf_const", "leaf_coeff"}


def test_leaves_of_a_large_model_are_read_in_parts(monkeypatch, booster):
    whole = not_finite(booster)
    assert whole[1] > 60
    monkeypatch.setattr("mltestscore.inputs.models.lightgbm.AT_ONCE", 7)
    assert not_finite(booster) == whole


def test_an_objective_without_probabilities_is_refused(tmp_path):
    rows = lightgbm.Dataset(TRAINING[FEATURES], TRAINING["late"])
    chosen = QUIET | {"objective": lambda scores, data: (scores, np.ones(len(scores)))}
    lightgbm.train(chosen, rows, 2).save_model(tmp_path / "m.txt")
    with pytest.raises(InputError, match=r"objective 'custom' gives no probabilities.*name a loader"):
        load_model(tmp_path / "m.txt")


def test_a_ranking_tells_its_features_and_gives_a_number_a_row(tmp_path):
    rows = lightgbm.Dataset(TRAINING[FEATURES], TRAINING["late"], group=[100] * 30)
    lightgbm.train(QUIET | {"objective": "lambdarank"}, rows, 2).save_model(tmp_path / "m.txt")
    model = load_model(tmp_path / "m.txt")
    assert (model.task, model.features) == ("ranking", tuple(FEATURES))
    assert model.predict(HOLDOUT).shape == (len(HOLDOUT),)


def test_a_number_between_0_and_1_needs_its_task():
    made = trained(rounds=2, objective="cross_entropy")
    with pytest.raises(InputError, match="declare task"):
        as_model(made)
    assert as_model(made, task="binary").predict(HOLDOUT).shape == (len(HOLDOUT),)


def test_categories_and_texts_find_their_number(tmp_path):
    frame = TRAINING[["heat"]].assign(line=pd.Categorical(np.array(["south", "east", "north"])[TRAINING["grade"]]))
    rows = lightgbm.Dataset(frame, TRAINING["grade"])
    lightgbm.train(QUIET | {"objective": "regression"}, rows, 60).save_model(tmp_path / "m.txt")
    model = load_model(tmp_path / "m.txt")
    one = frame[frame["line"] == "north"].head(50)
    for kind in ("category", object, "str", pd.CategoricalDtype(["north", "west"])):
        assert model.predict(one.astype({"line": kind})).min() > 1.8, kind
    with pytest.raises(InputError, match=r"trained on 1 categorical column\(s\), but the data hold 2: 'heat', 'line'"):
        model.predict(one.astype({"line": object}).assign(heat="warm"))


def test_categories_are_refused_where_the_file_holds_none():
    frame = TRAINING[["heat", "grade"]]
    rows = lightgbm.Dataset(frame.to_numpy(), TRAINING["cost"], feature_name=["heat", "grade"], categorical_feature=[1])
    model = as_model(lightgbm.train(QUIET | {"objective": "regression"}, rows, 5))
    assert model.predict(frame).std() > 0
    with pytest.raises(InputError, match="'grade' holds categories, but the model's file holds none"):
        model.predict(frame.astype({"grade": "category"}))


def test_numbers_that_were_categories_are_categories_again():
    frame = TRAINING[["heat", "grade"]].astype({"grade": "category"})
    made = lightgbm.train(QUIET | {"objective": "regression"}, lightgbm.Dataset(frame, TRAINING["cost"]), 20)
    np.testing.assert_array_equal(as_model(made).predict(TRAINING[["heat", "grade"]]), made.predict(frame))


def test_a_model_of_arrays_needs_names_and_their_number():
    made = lightgbm.train(
        QUIET | {"objective": "binary"}, lightgbm.Dataset(TRAINING[FEATURES].to_numpy(), TRAINING["late"]), 5
    )
    with pytest.raises(InputError, match=r"trained on 3 columns, but .* declares 2"):
        as_model(made, features=FEATURES[:2])
    expected = made.predict(HOLDOUT[FEATURES].to_numpy())
    np.testing.assert_array_equal(as_model(made, features=FEATURES).predict(HOLDOUT), expected)


def test_texts_where_numbers_belong_are_named(booster):
    with pytest.raises(InputError, match=r"(?s)could not score.*heat: (str|object)"):
        as_model(booster).predict(HOLDOUT.assign(heat="warm"))


def test_leaves_are_found_inside_a_pipeline():
    estimator = lightgbm.LGBMClassifier(n_estimators=3, n_jobs=1, verbosity=-1)
    fitted = make_pipeline(FunctionTransformer(), estimator).fit(TRAINING[FEATURES], TRAINING["late"])
    names = {name for name, _ in cases.parameters(fitted)}
    assert "lgbmclassifier.leaf_value" in names


def test_a_calibrated_estimator_keeps_an_unfitted_one_beside_the_fitted():
    estimator = lightgbm.LGBMClassifier(n_estimators=3, n_jobs=1, verbosity=-1)
    fitted = CalibratedClassifierCV(estimator, cv=2).fit(TRAINING[FEATURES], TRAINING["late"])
    assert any("leaf" in name for name, _ in cases.parameters(fitted))
    assert not_finite(fitted)[0] == []
