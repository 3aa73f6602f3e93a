"""MLflow's model folders, written by the real library: its own file where that is known, else its general function."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from mltestscore.errors import InputError
from mltestscore.inputs.model import load_model
from tests.inputs.models import cases
from tests.inputs.models.cases import FEATURES, HOLDOUT, TRAINING

FULL = TRAINING.fillna(0.0)
REQUIRED = {"pip_requirements": ["scikit-learn"]}  # MLflow would import the model again to find out

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of MLflow, for models without type hints


@pytest.fixture(scope="module")
def trained():
    return HistGradientBoostingClassifier(max_iter=60, random_state=0).fit(TRAINING[FEATURES], TRAINING["late"])


def described(folder, change) -> None:
    said = yaml.safe_load((folder / "MLmodel").read_text())
    change(said)
    (folder / "MLmodel").write_text(yaml.safe_dump(said))


def pickled(folder, model, **more):
    from mlflow import sklearn

    sklearn.save_model(model, str(folder), serialization_format="cloudpickle", **REQUIRED, **more)
    return folder


def test_scikit_learn_gives_probabilities_and_passes_the_checks(tmp_path, trained):
    model = load_model(pickled(tmp_path / "m", trained), allow_pickle=True)
    np.testing.assert_array_equal(model.predict(HOLDOUT), trained.predict_proba(HOLDOUT[FEATURES])[:, 1])
    assert (model.task, model.features, model.classes) == ("binary", tuple(FEATURES), (0, 1))
    cases.assert_sound(model)


def test_a_pickle_inside_needs_the_permission_that_it_needs_outside(tmp_path, trained):
    with pytest.raises(InputError, match="allow_pickle = true"):
        load_model(pickled(tmp_path / "m", trained))


def test_skops_inside_needs_none(tmp_path):
    from mlflow import sklearn

    model = LogisticRegression().fit(FULL[FEATURES], FULL["late"])
    sklearn.save_model(model, str(tmp_path / "m"), serialization_format="skops", **REQUIRED)
    found = load_model(tmp_path / "m")
    np.testing.assert_array_equal(
        found.predict(HOLDOUT.fillna(0.0)), model.predict_proba(HOLDOUT.fillna(0.0)[FEATURES])[:, 1]
    )


def test_xgboost_is_read_from_its_own_file(tmp_path):
    xgboost = pytest.importorskip("xgboost", reason="XGBoost is not installed")
    from mlflow import xgboost as flavor

    model = xgboost.XGBClassifier(n_estimators=5).fit(TRAINING[FEATURES], TRAINING["late"])
    flavor.save_model(model, str(tmp_path / "m"), pip_requirements=["xgboost"])
    found = load_model(tmp_path / "m")
    np.testing.assert_allclose(found.predict(HOLDOUT), model.predict_proba(HOLDOUT[FEATURES])[:, 1], rtol=1e-6)


def test_onnx_takes_its_names_from_the_signature(tmp_path):
    to_onnx = pytest.importorskip("skl2onnx", reason="skl2onnx is not installed").to_onnx
    from mlflow import models, onnx

    numbers = FULL[FEATURES].to_numpy(dtype=np.float32)
    graph = to_onnx(LogisticRegression().fit(numbers, FULL["late"]), numbers[:1], options={"zipmap": False})
    signature = models.infer_signature(FULL[FEATURES])
    onnx.save_model(graph, str(tmp_path / "m"), signature=signature, pip_requirements=["onnxruntime"])
    assert load_model(tmp_path / "m").features == tuple(FEATURES)


def test_a_general_function_needs_permission_and_then_scores(tmp_path):
    from mlflow import models, pyfunc

    folder = tmp_path / "m"
    signature = models.infer_signature(FULL[FEATURES], FULL[FEATURES].sum(axis=1))

    class Sums(pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return model_input.sum(axis=1)

    pyfunc.save_model(str(folder), python_model=Sums(), signature=signature, pip_requirements=["pandas"])
    with pytest.raises(InputError, match=r"runs whatever code such a folder holds. Set allow_pickle = true"):
        load_model(folder, task="regression")
    (folder / "registered_model_meta").write_text("model_name: sums\nmodel_version: 7\n")
    model = load_model(folder, task="regression", allow_pickle=True)
    assert (model.features, model.version) == (tuple(FEATURES), "7")
    np.testing.assert_allclose(model.predict(FULL), FULL[FEATURES].sum(axis=1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda said: said["flavors"]["sklearn"].update(pickled_model="../secret.pkl"), "is not in the folder"),
        (lambda said: said["flavors"]["sklearn"].update(pickled_model="gone.pkl"), "'gone.pkl', which is not there"),
        (lambda said: said["flavors"]["sklearn"].pop("pickled_model"), "names no pickled_model for sklearn"),
        (lambda said: said.update(flavors={"spark": {"model_data": "x"}}), "of spark, without python_function"),
        (lambda said: said.pop("flavors"), "has no table of flavors"),
    ],
)
def test_a_description_that_leads_astray_is_refused(tmp_path, trained, change, message):
    (tmp_path / "secret.pkl").write_bytes(b"")
    folder = pickled(tmp_path / "m", trained)
    described(folder, change)
    with pytest.raises(InputError, match=message):
        load_model(folder, allow_pickle=True)


def test_yaml_that_is_none_is_named(tmp_path):
    (tmp_path / "MLmodel").write_text("flavors: [")
    with pytest.raises(InputError, match="MLmodel is no YAML"):
        load_model(tmp_path)


def test_the_digest_is_of_all_files(tmp_path, trained):
    folder = pickled(tmp_path / "m", trained)
    before = load_model(folder, allow_pickle=True).digest
    assert load_model(folder, allow_pickle=True).digest == before
    (folder / "note.json").write_text(json.dumps({}))
    assert load_model(folder, allow_pickle=True).digest != before
