"""CatBoost's own files and models, with the real library where it is installed."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from mltestscore.errors import InputError, NotOffered
from mltestscore.inputs.model import as_model, load_model
from mltestscore.numerics.parameters import not_finite
from tests.inputs.models import cases
from tests.inputs.models.cases import FEATURES, HOLDOUT, LABELS, TRAINING

catboost = pytest.importorskip("catboost", reason="CatBoost is not installed: pip install 'mltestscore[models-heavy]'")

QUIET = {"allow_writing_files": False, "verbose": False, "thread_count": 1, "random_seed": 0}
LOSSES = {"binary": "Logloss", "multiclass": "MultiClass", "regression": "RMSE"}


def trained(task: str = "binary", iterations: int = 60, **more):
    settings = QUIET | {"loss_function": LOSSES[task], "depth": 5, "learning_rate": 0.3, "iterations": iterations}
    return catboost.CatBoost(settings | more).fit(TRAINING[FEATURES], TRAINING[LABELS[task]])


@pytest.fixture(scope="module")
def made():
    return trained()


@pytest.fixture(params=["cbm", "json"])
def file(request, tmp_path, made):
    made.save_model(str(tmp_path / f"m.{request.param}"), format=request.param)
    return tmp_path / f"m.{request.param}"


@pytest.mark.parametrize("task", list(LABELS))
def test_a_sound_model_scores_as_the_library_does_and_passes_the_checks(tmp_path, task):
    made = trained(task)
    made.save_model(str(tmp_path / "m.cbm"))
    model = load_model(tmp_path / "m.cbm")
    kind = "RawFormulaVal" if task == "regression" else "Probability"
    expected = made.predict(HOLDOUT[FEATURES], prediction_type=kind)
    np.testing.assert_array_equal(model.predict(HOLDOUT), expected[:, 1] if task == "binary" else expected)
    classes = {"binary": (0, 1), "multiclass": (0, 1, 2), "regression": ()}
    assert (model.task, model.features, model.classes) == (task, tuple(FEATURES), classes[task])
    cases.assert_sound(model)


def test_both_formats_are_recognised_by_their_content(tmp_path, file):
    (tmp_path / "model.bin").write_bytes(file.read_bytes())
    model = load_model(tmp_path / "model.bin")
    cases.assert_order_kept(model)
    cases.assert_columns_matter(model)


def test_broken_files(tmp_path, made):
    made.save_model(str(tmp_path / "m.cbm"))
    cases.assert_broken_files_are_named(tmp_path / "m.cbm", "CatBoost")


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_leaf_that_is_not_finite_fails_the_numerical_check(tmp_path, made, broken):
    made.save_model(str(tmp_path / "m.cbm"))
    whole, leaf = (tmp_path / "m.cbm").read_bytes(), struct.pack("<d", made.get_leaf_values()[5])
    assert whole.count(leaf) == 1
    (tmp_path / "m.cbm").write_bytes(whole.replace(leaf, struct.pack("<d", broken)))
    cases.assert_unsound(load_model(tmp_path / "m.cbm"), "leaf values")


def test_a_poisson_model_gives_counts_and_not_their_logarithm():
    counts = TRAINING.assign(cost=TRAINING["grade"])
    made = catboost.CatBoost(QUIET | {"loss_function": "Poisson", "iterations": 40})
    made.fit(counts[FEATURES], counts["cost"])
    scores = as_model(made).predict(HOLDOUT)
    assert scores.min() > 0
    assert abs(scores.mean() - HOLDOUT["grade"].mean()) < 0.1


@pytest.mark.parametrize(("loss", "task"), [("MultiRMSE", "multioutput"), ("YetiRank", "ranking")])
def test_a_ranking_gives_a_number_a_row_and_several_answers_are_not_asked_for(tmp_path, loss, task):
    made = catboost.CatBoost(QUIET | {"loss_function": loss, "iterations": 2})
    labels = TRAINING[["cost", "late"]] if loss == "MultiRMSE" else TRAINING["late"]
    groups = None if loss == "MultiRMSE" else np.arange(len(TRAINING)) // 100
    made.fit(catboost.Pool(TRAINING[FEATURES], labels, group_id=groups))
    made.save_model(str(tmp_path / "m.cbm"))
    model = load_model(tmp_path / "m.cbm")
    assert (model.task, model.features) == (task, tuple(FEATURES))
    if task == "ranking":
        assert model.predict(HOLDOUT).shape == (len(HOLDOUT),)
        return
    with pytest.raises(NotOffered, match="one answer a row"):
        model.predict(HOLDOUT)


def test_a_classifier_of_several_labels_is_told_from_one_of_two_classes():
    made = catboost.CatBoostClassifier(**QUIET | {"loss_function": "MultiLogloss", "iterations": 2})
    made.fit(TRAINING[FEATURES], TRAINING[["late", "late"]])
    assert as_model(made).task == "multioutput"


def test_texts_and_categories_are_taken_and_missing_ones_are_refused_by_the_library():
    frame = TRAINING[["heat"]].assign(line=np.array(["south", "east", "north"])[TRAINING["grade"]])
    made = catboost.CatBoost(QUIET | {"loss_function": "RMSE", "iterations": 80, "cat_features": ["line"]})
    model = as_model(made.fit(frame.astype({"line": object}), TRAINING["grade"]))
    one = frame[frame["line"] == "north"].head(50)
    for kind in ("category", object, "str"):
        assert model.predict(one.astype({"line": kind})).min() > 1.7, kind
    assert np.isfinite(model.predict(one.assign(line="nowhere"))).all()
    with pytest.raises(InputError, match="cat_features must be integer or string"):
        model.predict(one.astype({"line": object}).assign(line=np.nan))
    with pytest.raises(InputError, match="could not score"):
        model.predict(one.assign(heat="warm"))


def test_a_model_of_arrays_needs_names_and_their_number():
    made = catboost.CatBoost(QUIET | {"loss_function": "Logloss", "iterations": 3})
    made.fit(TRAINING[FEATURES].to_numpy(), TRAINING["late"])
    with pytest.raises(InputError, match=r"trained on 3 columns, but .* declares 2"):
        as_model(made, features=FEATURES[:2])
    expected = made.predict(HOLDOUT[FEATURES].to_numpy(), prediction_type="Probability")[:, 1]
    np.testing.assert_array_equal(as_model(made, features=FEATURES).predict(HOLDOUT), expected)


def test_a_sum_of_models_needs_its_task(made):
    both = catboost.sum_models([made, made])
    with pytest.raises(InputError, match="declare task"):
        as_model(both)
    assert as_model(both, task="binary").predict(HOLDOUT).shape == (len(HOLDOUT),)


def test_texts_as_classes_are_kept(tmp_path):
    made = catboost.CatBoost(QUIET | {"loss_function": "MultiClass", "iterations": 2})
    made.fit(TRAINING[FEATURES], TRAINING["grade"].map({0: "a", 1: "b", 2: "c"}))
    made.save_model(str(tmp_path / "m.cbm"))
    assert load_model(tmp_path / "m.cbm").classes == ("a", "b", "c")


def test_an_unfitted_model_is_refused():
    with pytest.raises(InputError, match="is not fitted"):
        as_model(catboost.CatBoost())


def test_the_classifier_in_a_pipeline_keeps_its_way_and_its_leaves_are_found():
    estimator = catboost.CatBoostClassifier(iterations=3, **QUIET)
    fitted = make_pipeline(FunctionTransformer(), estimator).fit(TRAINING[FEATURES], TRAINING["late"])
    names = {name for name, _ in cases.parameters(fitted)}
    assert "catboostclassifier.leaf values" in names
    assert as_model(estimator).features == tuple(FEATURES)


def test_a_calibrated_estimator_keeps_an_unfitted_one_beside_the_fitted():
    estimator = catboost.CatBoostClassifier(iterations=3, **QUIET)
    fitted = CalibratedClassifierCV(estimator, cv=2).fit(TRAINING[FEATURES], TRAINING["late"])
    assert any("leaf" in name for name, _ in cases.parameters(fitted))
    assert not_finite(fitted)[0] == []
