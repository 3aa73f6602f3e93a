"""Models from real skops, joblib and pickle files, loaders and callables."""

import os
import pickle
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from skops.io import dump

from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs.model import Model, as_model, load_model

FRAME = pd.DataFrame({"temp": [1.0, 2.0, 3.0, 4.0], "wind": [0.0, 1.0, 0.0, 1.0], "id": ["a", "b", "c", "d"]})
FEATURES = FRAME[["temp", "wind"]]


@pytest.fixture(autouse=True)
def _own_import_path(monkeypatch):
    """Loading puts a project on ``sys.path``; each test gives it back."""
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def classifier() -> LogisticRegression:
    return LogisticRegression().fit(FEATURES, [0, 0, 1, 1])


def double(frame):
    return frame * 2


def test_a_skops_model_scores_like_the_one_that_was_saved(tmp_path, classifier):
    dump(classifier, tmp_path / "m.skops")
    model = load_model(Path("m.skops"), base=tmp_path, version="7")
    np.testing.assert_array_equal(model.predict(FRAME), classifier.predict_proba(FEATURES)[:, 1])
    assert (model.task, model.features, model.classes, model.version) == ("binary", ("temp", "wind"), (0, 1), "7")
    assert (model.source, len(model.digest)) == ("m.skops", 16)


def test_a_skops_file_is_recognised_by_its_content(tmp_path, classifier):
    dump(classifier, tmp_path / "weights.bin")
    assert load_model(tmp_path / "weights.bin").task == "binary"


def test_untrusted_types_are_listed_ready_to_paste(tmp_path):
    pipeline = make_pipeline(FunctionTransformer(double), LogisticRegression()).fit(FEATURES, [0, 0, 1, 1])
    dump(pipeline, tmp_path / "m.skops")
    name = f"{double.__module__}.double"
    with pytest.raises(InputError, match=rf'mltestscore\.model.*: trusted = \["{name}"\]'):
        load_model(tmp_path / "m.skops")


def test_a_type_that_is_listed_as_trusted_is_loaded(tmp_path):
    pipeline = make_pipeline(FunctionTransformer(np.log1p), LogisticRegression()).fit(FEATURES, [0, 0, 1, 1])
    dump(pipeline, tmp_path / "m.skops")
    model = load_model(tmp_path / "m.skops", trusted=["numpy.log1p"])
    assert model.predict(FRAME).shape == (4,)


@pytest.mark.parametrize("write", [joblib.dump, lambda thing, file: file.write_bytes(pickle.dumps(thing))])
def test_joblib_and_pickle_need_permission_for_that_path(tmp_path, classifier, write):
    write(classifier, tmp_path / "m.joblib")
    with pytest.raises(InputError, match=r"m\.joblib is not a skops file.*allow_pickle = true under \[tool"):
        load_model(tmp_path / "m.joblib")
    assert load_model(tmp_path / "m.joblib", allow_pickle=True).predict(FRAME).shape == (4,)


def test_a_pickle_is_not_executed_without_permission(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "exploded"),))

    (tmp_path / "m.skops.pkl").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InputError, match="allow_pickle"):
        load_model(tmp_path / "m.skops.pkl")
    assert not (tmp_path / "exploded").exists()


def test_a_missing_file_suggests_the_near_name(tmp_path, classifier):
    dump(classifier, tmp_path / "model.skops")
    with pytest.raises(InputError, match=r"there is no .*modle\.skops\. Did you mean 'model\.skops'"):
        load_model(Path("modle.skops"), base=tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty"), (b"not a zip", "does not load as skops")],
)
def test_a_broken_file_is_named(tmp_path, content, message):
    (tmp_path / "m.skops").write_bytes(content)
    with pytest.raises(InputError, match=rf"m\.skops {message}"):
        load_model(tmp_path / "m.skops")


def test_a_truncated_pickle_is_named(tmp_path, classifier):
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(classifier)[:100])
    with pytest.raises(InputError, match=r"m\.pkl does not load as joblib or pickle"):
        load_model(tmp_path / "m.pkl", allow_pickle=True)


def test_a_folder_needs_a_loader(tmp_path):
    with pytest.raises(InputError, match=r"is a folder; name a file, a folder with MLmodel or .*, or a loader"):
        load_model(tmp_path)


def test_a_loader_of_the_project_gets_the_path(tmp_path):
    (tmp_path / "loading_ok.py").write_text(
        "def load(path):\n    scale = float(path.read_text())\n    return lambda frame: frame['temp'] * scale\n"
    )
    (tmp_path / "scale.txt").write_text("0.5")
    model = load_model(Path("scale.txt"), base=tmp_path, loader="loading_ok:load", task="regression", features=["temp"])
    assert model.predict(FRAME).tolist() == [0.5, 1.0, 1.5, 2.0]


def test_a_loader_without_a_path_is_called_without_one(tmp_path):
    (tmp_path / "loading_alone.py").write_text("def load():\n    return lambda frame: frame['temp'] * 2.0\n")
    model = load_model(Path(), base=tmp_path, loader="loading_alone:load", task="regression", features=["temp"])
    assert model.predict(pd.DataFrame({"temp": [1.5]})).tolist() == [3.0]


def test_a_loader_that_raises_is_named(tmp_path):
    (tmp_path / "loading_bad.py").write_text("def load(path):\n    raise RuntimeError('no weights')\n")
    with pytest.raises(InputError, match="loader 'loading_bad:load' raised RuntimeError: no weights"):
        load_model(tmp_path / "loading_bad.py", base=tmp_path, loader="loading_bad:load")


@pytest.mark.parametrize(
    ("loader", "error", "message"),
    [
        ("loading_names", ConfigError, 'write "module:function"'),
        ("loading_nmes:load", InputError, "no module 'loading_nmes'.*Did you mean 'loading_names'"),
        ("loading_names:laod", InputError, "has no function 'laod'. Did you mean 'load'"),
        ("loading_names:number", InputError, "is a int; name a function"),
    ],
)
def test_a_wrong_loader_name_is_explained(tmp_path, loader, error, message):
    (tmp_path / "loading_names.py").write_text("number = 1\ndef load(path):\n    return None\n")
    with pytest.raises(error, match=message):
        load_model(tmp_path / "loading_names.py", base=tmp_path, loader=loader)


def test_a_pipelines_first_step_names_the_features():
    class Wrapped:
        """A pipeline of another library: steps, but no names of its own."""

        def __init__(self, steps):
            self.steps, self.classes_ = steps, steps[-1][1].classes_

        def predict(self, frame):
            return self.steps[-1][1].predict(frame)

        def predict_proba(self, frame):
            return self.steps[-1][1].predict_proba(self.steps[0][1].transform(frame))

    scaler = StandardScaler().fit(FEATURES)
    last = LogisticRegression().fit(scaler.transform(FEATURES), [0, 0, 1, 1])
    model = as_model(Wrapped([("scale", scaler), ("fit", last)]))
    assert model.features == ("temp", "wind")


def test_column_types_reach_the_model_unchanged():
    frame = FRAME.assign(carrier=pd.Categorical(["UA", "AA", "UA", "AA"]))
    encoder = make_column_transformer((OneHotEncoder(), ["carrier", "id"]), remainder="passthrough")
    pipeline = make_pipeline(encoder, LinearRegression()).fit(frame, [1.0, 2.0, 3.0, 4.0])
    seen = {}

    def spy(rows):
        seen.update(rows.dtypes)
        return np.zeros(len(rows))

    as_model(pipeline).replace(spy).predict(frame)
    assert seen == dict(frame.dtypes)


def test_features_are_selected_in_the_models_order():
    model = as_model(lambda rows: rows.iloc[:, 0], task="regression", features=["wind", "temp"])
    assert model.predict(FRAME).tolist() == FRAME["wind"].tolist()


def test_three_classes_make_it_multiclass():
    fitted = HistGradientBoostingClassifier(max_iter=2).fit(FEATURES, ["x", "y", "z", "x"])
    model = as_model(fitted)
    assert (model.task, model.classes, model.predict(FRAME).shape) == ("multiclass", ("x", "y", "z"), (4, 3))


def test_a_regressor_is_recognised():
    assert as_model(LinearRegression().fit(FEATURES, [1.0, 2.0, 3.0, 4.0])).task == "regression"


def test_a_feature_that_the_data_lack_is_named_with_the_nearest_column(classifier):
    with pytest.raises(InputError, match=r"asks for 1 feature.*'temp'\. Did you mean 'tmp'"):
        as_model(classifier).predict(FRAME.rename(columns={"temp": "tmp"}))


@pytest.mark.parametrize(
    ("task", "scores", "message"),
    [
        ("binary", np.zeros((4, 2)), r"shape \(4, 2\) for 4 rows; a binary model gives one probability"),
        ("regression", np.zeros(3), r"shape \(3,\) for 4 rows"),
        ("multiclass", np.zeros(4), r"shape \(4,\) for 4 rows; a multiclass model"),
        ("binary", ["yes"] * 4, "returned a list that is not numeric"),
    ],
)
def test_scores_of_a_wrong_shape_are_refused(task, scores, message):
    with pytest.raises(InputError, match=message):
        as_model(lambda rows: scores, task=task, features=["temp"]).predict(FRAME)


def test_a_model_that_raises_is_named():
    def broken(rows):
        raise KeyError("weights")

    with pytest.raises(InputError, match="could not score 4 rows: KeyError: 'weights'"):
        as_model(broken, task="binary", features=["temp"]).predict(FRAME)


@pytest.mark.parametrize(
    ("thing", "more", "message"),
    [
        (3, {}, "is a int; expected a fitted estimator or a function"),
        (LogisticRegression, {}, "is the class LogisticRegression; expected a fitted"),
        (len, {"features": ["temp"]}, "does not tell its task"),
        (len, {"task": "binray"}, "Did you mean 'binary'"),
        (len, {"task": "binary"}, r"declare features = \[…\] under \[tool\.mltestscore\.model\]"),
    ],
)
def test_what_is_no_model_is_refused(thing, more, message):
    with pytest.raises(InputError, match=message):
        as_model(thing, **more)


def test_a_model_trained_without_names_says_how_many_columns_it_takes():
    nameless = LogisticRegression().fit(FEATURES.to_numpy(), [0, 0, 1, 1])
    with pytest.raises(InputError, match="trained on 2 columns"):
        as_model(nameless)
    with pytest.raises(InputError, match=r"trained on 2 columns, but .* declares 1"):
        as_model(nameless, features=["temp"])


def test_a_declaration_that_contradicts_the_model_is_refused(classifier):
    with pytest.raises(InputError, match="trained on other features"):
        as_model(classifier, features=["temp", "rain"])
    with pytest.raises(InputError, match=r"is a binary model, but .* declares 'regression'"):
        as_model(classifier, task="regression")


def test_a_classifier_without_probabilities_is_refused_with_the_remedy():
    with pytest.raises(InputError, match="CalibratedClassifierCV"):
        as_model(RidgeClassifier().fit(FEATURES, [0, 0, 1, 1]))


def test_a_replaced_model_keeps_all_but_its_scores(classifier):
    model = as_model(classifier, name="delays")
    broken = model.replace(lambda rows: np.full(len(rows), np.nan))
    assert isinstance(broken, Model)
    assert np.isnan(broken.predict(FRAME)).all()
    assert (broken.name, broken.features, broken.classes) == (model.name, model.features, model.classes)


def test_a_model_is_its_own_model(classifier):
    model = as_model(classifier)
    assert as_model(model) is model
