"""ONNX graphs, converted from fitted pipelines and written by hand, scored with the real runtime."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs.model import as_model, load_model
from mltestscore.numerics.parameters import not_finite
from tests.inputs.models import cases
from tests.inputs.models.cases import FEATURES, HOLDOUT, LABELS, TRAINING

PLAIN = {"zipmap": False}
NARROW = TRAINING[FEATURES].astype("float32")


def pipeline(task: str):
    last = Ridge() if task == "regression" else LogisticRegression()
    made = make_pipeline(SimpleImputer(), PolynomialFeatures(2), StandardScaler(), last)
    return made.fit(NARROW.to_numpy(), TRAINING[LABELS[task]])


def write(model, file, sample=None, **options):
    """Convert a pipeline, trained on one array of three columns unless ``sample`` has names."""
    rows = NARROW.to_numpy()[:1] if sample is None else sample
    graph = to_onnx(model, rows, options=options or None, target_opset={"": 18, "ai.onnx.ml": 3})
    onnx.save(graph, file)
    return file


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write(pipeline("binary"), tmp_path_factory.mktemp("onnx") / "m.onnx", **PLAIN)


def graph_of(nodes, shape, outputs, initializers=()):
    """Return a graph with one input of floats."""
    given = helper.make_tensor_value_info("rows", TensorProto.FLOAT, shape)
    made = [helper.make_tensor_value_info(name, kind, dims) for name, kind, dims in outputs]
    graph = helper.make_graph(nodes, "g", [given], made, list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def linear(shape, weights, **more):
    """Return a graph that sums the weighted columns."""
    nodes = [helper.make_node("MatMul", ["rows", "weights"], ["sum"], name="layer")]
    weights = numpy_helper.from_array(np.asarray(weights, dtype=np.float32), "weights")
    return graph_of(nodes, shape, [("sum", TensorProto.FLOAT, [shape[0], 1])], [weights])


@pytest.mark.parametrize("options", [PLAIN, {}], ids=["tensor", "maps"])
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_a_classifier_scores_like_the_one_that_was_converted(tmp_path, task, options):
    made = pipeline(task)
    model = load_model(write(made, tmp_path / "m.onnx", **options), features=FEATURES)
    expected = made.predict_proba(HOLDOUT[FEATURES].to_numpy())
    np.testing.assert_allclose(
        model.predict(HOLDOUT), expected[:, 1] if task == "binary" else expected, rtol=1e-3, atol=1e-4
    )
    assert (model.task, model.classes) == (task, tuple(made.classes_))


def test_a_regressor_is_recognised_and_scores_like_the_one_that_was_converted(tmp_path):
    made = pipeline("regression")
    model = load_model(write(made, tmp_path / "m.onnx"), features=FEATURES)
    np.testing.assert_allclose(model.predict(HOLDOUT), made.predict(HOLDOUT[FEATURES].to_numpy()), rtol=1e-3, atol=1e-3)
    assert model.task == "regression"


def test_texts_as_classes_are_kept(tmp_path):
    made = LogisticRegression().fit(NARROW.fillna(0).to_numpy(), TRAINING["grade"].map({0: "a", 1: "b", 2: "c"}))
    model = load_model(write(made, tmp_path / "m.onnx", **PLAIN), features=FEATURES)
    assert model.classes == ("a", "b", "c")


def test_it_is_recognised_by_its_content(tmp_path, file):
    (tmp_path / "weights.bin").write_bytes(file.read_bytes())
    assert load_model(tmp_path / "weights.bin", features=FEATURES).task == "binary"


def test_order_and_columns(file):
    model = load_model(file, features=FEATURES)
    cases.assert_order_kept(model)
    cases.assert_columns_matter(model)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_sound_graphs_pass_the_checks(tmp_path, task):
    cases.assert_sound(load_model(write(pipeline(task), tmp_path / "m.onnx"), features=FEATURES))


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_weight_that_is_not_finite_fails_the_numerical_check(tmp_path, file, broken):
    graph = onnx.load(file)
    (node,) = [node for node in graph.graph.node if node.op_type == "LinearClassifier"]
    (weights,) = [attribute for attribute in node.attribute if attribute.name == "coefficients"]
    weights.floats[2] = broken
    onnx.save(graph, tmp_path / "m.onnx")
    cases.assert_unsound(load_model(tmp_path / "m.onnx", features=FEATURES), "coefficients")


def test_weights_of_tensors_are_read_and_masks_are_not(tmp_path):
    mask = numpy_helper.from_array(np.full((1, 3), -np.inf, dtype=np.float32), "mask")
    low = numpy_helper.from_array(np.array(-np.inf, dtype=np.float32), "low")
    weights = numpy_helper.from_array(np.ones((3, 1), dtype=np.float32), "weights")
    bias = numpy_helper.from_array(np.zeros(1, dtype=np.float32), "bias")
    nodes = [
        helper.make_node("Add", ["rows", "mask"], ["masked"]),
        helper.make_node("Clip", ["masked", "low"], ["clipped"]),
        helper.make_node("MatMul", ["clipped", "weights"], ["sum"]),
        helper.make_node("Add", ["sum", "bias"], ["scores"]),
    ]
    graph = graph_of(nodes, [None, 3], [("scores", TensorProto.FLOAT, [None, 1])], [mask, low, weights, bias])
    onnx.save(graph, tmp_path / "m.onnx")
    model = load_model(tmp_path / "m.onnx", features=FEATURES, task="regression")
    assert not_finite(model.estimator) == ([], 4)


def test_weights_in_a_file_beside_the_graph_are_read_and_those_elsewhere_are_not(tmp_path):
    graph = linear([None, 3], [[1.0], [np.nan], [3.0]])
    onnx.save(graph, tmp_path / "m.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    model = load_model(tmp_path / "m.onnx", features=FEATURES, task="regression")
    assert not_finite(model.estimator) == (["weights"], 3)

    elsewhere = onnx.load(tmp_path / "m.onnx", load_external_data=False)
    elsewhere.graph.initializer[0].external_data[0].value = "../weights.bin"
    (tmp_path / "inside").mkdir()
    onnx.save(elsewhere, tmp_path / "inside" / "m.onnx")
    with pytest.raises(InputError, match=r"its weights lie in '\.\./weights\.bin', outside of its folder"):
        load_model(tmp_path / "inside" / "m.onnx", features=FEATURES, task="regression")


def test_one_input_a_column_names_the_features_and_takes_texts(tmp_path):
    frame = TRAINING[["heat", "load"]].assign(line=np.array(["north", "south"])[TRAINING["late"]].astype(object))
    encoder = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["line"]), remainder="passthrough")
    narrow = frame.astype({"heat": "float32", "load": "float32"})
    made = make_pipeline(encoder, LogisticRegression()).fit(narrow, TRAINING["late"])
    model = load_model(write(made, tmp_path / "m.onnx", sample=narrow[:1]))
    assert (model.features, model.task) == (("heat", "load", "line"), "binary")
    expected = made.predict_proba(narrow)[:, 1]
    for kind in (object, "category", "str"):
        np.testing.assert_allclose(model.predict(narrow.astype({"line": kind})), expected, atol=1e-4)
    with pytest.raises(InputError, match="takes texts in 'line', but some are missing"):
        model.predict(narrow.assign(line=narrow["line"].where(narrow.index > 3)))
    with pytest.raises(InputError, match="takes numbers only, but 'heat' holds"):
        model.predict(narrow.assign(heat="warm"))


def test_a_wrong_number_of_features_is_refused(file):
    with pytest.raises(InputError, match=r"trained on 3 columns, but .* declares 2"):
        load_model(file, features=FEATURES[:2])
    with pytest.raises(InputError, match=r"declare features .* trained on 3 columns"):
        load_model(file)


def test_whole_numbers_reach_an_input_of_whole_numbers_as_they_are(tmp_path):
    given = helper.make_tensor_value_info("rows", TensorProto.INT64, [None, 1])
    made = helper.make_tensor_value_info("out", TensorProto.DOUBLE, [None, 1])
    node = helper.make_node("Cast", ["rows"], ["out"], to=TensorProto.DOUBLE)
    graph = helper.make_graph([node], "g", [given], [made])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), tmp_path / "m.onnx")
    model = load_model(tmp_path / "m.onnx", task="regression", features=["n"])
    assert model.predict(pd.DataFrame({"n": pd.array([1, 2**52], dtype="Int64")})).tolist() == [1, 2**52]
    with pytest.raises(InputError, match=r"whole numbers in 'n', but some are missing or have fractions"):
        model.predict(pd.DataFrame({"n": [1.0, np.nan]}))


def test_a_batch_of_fixed_size_takes_any_number_of_rows(tmp_path):
    onnx.save(linear([4, 3], [[1.0], [10.0], [100.0]]), tmp_path / "m.onnx")
    model = load_model(tmp_path / "m.onnx", task="regression", features=FEATURES)
    frame = HOLDOUT.dropna().head(10)
    np.testing.assert_allclose(model.predict(frame), frame[FEATURES] @ [1.0, 10.0, 100.0], rtol=1e-5)
    assert model.predict(frame.head(1)).shape == (1,)


def test_a_network_without_labels_needs_its_task(tmp_path):
    onnx.save(linear([None, 3], [[1.0], [1.0], [1.0]]), tmp_path / "m.onnx")
    with pytest.raises(InputError, match="does not tell its task; declare task = one of binary"):
        load_model(tmp_path / "m.onnx", features=FEATURES)


def test_one_of_several_outputs_is_chosen_by_the_configuration(tmp_path):
    nodes = [helper.make_node("Sigmoid", ["rows"], ["first"]), helper.make_node("Neg", ["rows"], ["second"])]
    outputs = [(name, TensorProto.FLOAT, [None, 1]) for name in ("first", "second")]
    onnx.save(graph_of(nodes, [None, 1], outputs), tmp_path / "m.onnx")
    how = {"task": "regression", "features": ["heat"]}
    with pytest.raises(InputError, match="2 outputs of real numbers; write output = one of first, second"):
        load_model(tmp_path / "m.onnx", **how)
    model = load_model(tmp_path / "m.onnx", output="second", **how)
    np.testing.assert_allclose(model.predict(HOLDOUT), -HOLDOUT["heat"], rtol=1e-6)
    with pytest.raises(ConfigError, match=r"output names 'secnd'.* Did you mean 'second'"):
        load_model(tmp_path / "m.onnx", output="secnd", **how)


def test_images_are_left_to_a_loader(tmp_path):
    node = helper.make_node("GlobalAveragePool", ["rows"], ["out"])
    onnx.save(graph_of([node], [None, 3, 8, 8], [("out", TensorProto.FLOAT, [None, 3, 1, 1])]), tmp_path / "m.onnx")
    with pytest.raises(InputError, match=r"input 'rows' is tensor\(float\) of shape .*, no column; name a loader"):
        load_model(tmp_path / "m.onnx", task="multiclass", features=FEATURES)


def test_a_classifier_without_probabilities_is_refused(tmp_path):
    node = helper.make_node("ArgMax", ["rows"], ["label"], axis=1)
    onnx.save(graph_of([node], [None, 3], [("label", TensorProto.INT64, [None, 1])]), tmp_path / "m.onnx")
    with pytest.raises(InputError, match="gives no real numbers, only label; convert it with probabilities"):
        load_model(tmp_path / "m.onnx", features=FEATURES)


def test_providers_are_used_and_one_that_is_not_available_is_named(file):
    model = load_model(file, features=FEATURES, providers=["CPUExecutionProvider"])
    assert model.estimator.native.get_providers() == ["CPUExecutionProvider"]
    with pytest.raises(ConfigError, match=r"providers names 'CPUExecutionProvidr'.* Did you mean 'CPUExecution"):
        load_model(file, features=FEATURES, providers=["CPUExecutionProvidr"])


@pytest.mark.filterwarnings("ignore:Specified provider")
@pytest.mark.parametrize("name", ["CUDAExecutionProvider", "TensorrtExecutionProvider"])
@pytest.mark.parametrize("then", [[], ["CPUExecutionProvider"]])
def test_a_provider_that_does_not_start_is_an_error_and_not_the_cpu_in_its_place(file, monkeypatch, name, then):
    """The runtime itself goes on by the CPU, as where a library of CUDA is missing, and only says so on the console."""
    known = onnxruntime.get_available_providers()
    if name in known:
        pytest.skip(f"this onnxruntime has {name}, which may start here")
    with pytest.raises(ConfigError, match=f"providers names '{name}', which this onnxruntime does not have"):
        load_model(file, features=FEATURES, providers=[name, *then])
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [name, *known])
    with pytest.raises(InputError, match=rf"{name} did not start on this machine.* In use: CPUExecutionProvider"):
        load_model(file, features=FEATURES, providers=[name, *then])


def test_the_version_that_the_graph_carries_counts_where_none_is_declared(tmp_path, file):
    graph = onnx.load(file)
    graph.model_version = 7
    onnx.save(graph, tmp_path / "m.onnx")
    assert load_model(tmp_path / "m.onnx", features=FEATURES).version == "7"
    assert load_model(tmp_path / "m.onnx", features=FEATURES, version="v9").version == "v9"


def test_broken_files(tmp_path, file):
    good = tmp_path / "m.onnx"
    good.write_bytes(file.read_bytes())
    cases.assert_broken_files_are_named(good, "ONNX", features=FEATURES)


def test_a_session_that_was_handed_over_scores_too(file):
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    model = as_model(session, features=FEATURES)
    np.testing.assert_array_equal(model.predict(HOLDOUT), load_model(file, features=FEATURES).predict(HOLDOUT))
    assert (model.task, model.estimator, not_finite(session)) == ("binary", session, ([], 0))


def test_a_forest_of_regression_passes(tmp_path):
    forest = RandomForestRegressor(20, max_depth=6, random_state=0).fit(NARROW.fillna(0).to_numpy(), TRAINING["cost"])
    model = load_model(write(forest, tmp_path / "m.onnx"), features=FEATURES)
    assert not_finite(model.estimator)[0] == []
    assert not_finite(model.estimator)[1] > 20
