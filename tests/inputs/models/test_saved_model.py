"""TensorFlow's SavedModel folders, with the real library where it is installed."""

from __future__ import annotations

import numpy as np
import pytest

from mltestscore.errors import InputError
from mltestscore.inputs.model import load_model
from mltestscore.numerics.parameters import not_finite
from tests.inputs.models import cases
from tests.inputs.models.cases import FEATURES, HOLDOUT, TRAINING

tf = pytest.importorskip("tensorflow", reason="pip install 'mltestscore[models-tensorflow]'")

DECLARED = {"task": "binary", "features": FEATURES, "allow_pickle": True}


def filled(frame):
    return frame[FEATURES].fillna(0.0).to_numpy(dtype=np.float32)


@pytest.fixture(scope="module")
def net():
    tf.keras.utils.set_random_seed(0)
    layers = tf.keras.layers
    scale = layers.Normalization()
    scale.adapt(filled(TRAINING))
    net = tf.keras.Sequential(
        [
            layers.Input((len(FEATURES),), name="rows"),
            # what is missing counts as nothing, inside the model
            layers.Lambda(lambda rows: tf.where(tf.math.is_nan(rows), tf.zeros_like(rows), rows)),
            scale,
            layers.Dense(32, "relu"),
            layers.Dense(16, "relu"),
            layers.Dense(1, "sigmoid"),
        ]
    )
    net.compile("adam", "binary_crossentropy")
    net.fit(filled(TRAINING), TRAINING["late"], epochs=30, batch_size=64, verbose=0)
    return net


@pytest.fixture(scope="module")
def folder(net, tmp_path_factory):
    folder = tmp_path_factory.mktemp("net") / "m"
    net.export(str(folder), verbose=False)
    return folder


def test_a_keras_export_scores_as_the_library_does_and_passes_the_checks(folder, net):
    model = load_model(folder, **DECLARED)
    expected = net.predict(filled(HOLDOUT), verbose=0)[:, 0]
    np.testing.assert_allclose(model.predict(HOLDOUT), expected, atol=1e-6)
    assert (model.task, model.features) == ("binary", tuple(FEATURES))
    cases.assert_sound(model)


def test_many_rows_are_scored_in_parts(folder, net, monkeypatch):
    monkeypatch.setattr("mltestscore.inputs.models.saved_model.MOST", 300)
    model = load_model(folder, **DECLARED)
    np.testing.assert_allclose(model.predict(HOLDOUT), net.predict(filled(HOLDOUT), verbose=0)[:, 0], atol=1e-6)


def test_it_is_a_program_and_needs_permission(folder):
    with pytest.raises(InputError, match=r"can read and write files\. Set allow_pickle = true"):
        load_model(folder, task="binary", features=FEATURES)


def test_weights_that_are_no_numbers_are_found(folder, net, tmp_path):
    assert not not_finite(load_model(folder, **DECLARED).estimator)[0]
    kept = net.layers[-1].get_weights()
    try:
        net.layers[-1].set_weights([kept[0] * np.nan, kept[1]])
        net.export(str(tmp_path / "m"), verbose=False)
    finally:
        net.layers[-1].set_weights(kept)
    assert not_finite(load_model(tmp_path / "m", **DECLARED).estimator)[0]


class Named(tf.Module):
    """Takes columns by name, a text among them, and answers twice."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.float32, "heat"),
            tf.TensorSpec([None, 1], tf.int64, "wear"),
            tf.TensorSpec([None], tf.string, "kind"),
        ]
    )
    def score(self, heat, wear, kind):
        away = heat + 10.0 * tf.cast(wear[:, 0], tf.float32) + 100.0 * tf.cast(tf.equal(kind, "b"), tf.float32)
        return {"away": away, "half": away / 2.0}


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    folder = tmp_path_factory.mktemp("named") / "m"
    module = Named()
    tf.saved_model.save(module, str(folder), signatures={"score": module.score})
    return folder


def test_columns_of_their_own_names_and_types(named):
    import pandas as pd

    frame = pd.DataFrame({"kind": ["a", "b", None], "heat": [1.0, 2.0, 3.0], "wear": [1, 2, 3]})
    model = load_model(named, task="regression", output="away", allow_pickle=True)
    assert sorted(model.features) == ["heat", "kind", "wear"]
    assert model.predict(frame).tolist() == [11.0, 122.0, 33.0]


def test_several_outputs_need_a_choice(named):
    with pytest.raises(InputError, match='answers away, half; choose one: output = "…"'):
        load_model(named, task="regression", allow_pickle=True)
    with pytest.raises(InputError, match=r"output is 'hal', which .* does not answer.*half"):
        load_model(named, task="regression", output="hal", allow_pickle=True)


def test_a_model_without_a_signature_is_named(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path / "m"))
    with pytest.raises(InputError, match=r"has no signature 'serving_default' \(signatures: none\)"):
        load_model(tmp_path / "m", task="regression", allow_pickle=True)


def test_a_broken_folder_is_named(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"\x00broken")
    with pytest.raises(InputError, match="does not load as a model of TensorFlow"):
        load_model(tmp_path, task="regression", allow_pickle=True)
