"""Rows become requests and answers become scores, by protocol."""

import json
import struct
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.errors import ConfigError, InputError
from mltestscore.serving import protocols
from mltestscore.serving.answers import Reply, error_in, scores
from mltestscore.serving.bodies import plain
from mltestscore.serving.protocols import NAMES, Wire, protocol_named

COLUMNS = {"a": [1.5, float("nan")], "b": ["x", None]}
NEEDED = {"datarobot": {"model": "d"}, "watson": {"model": "d"}, "yhat": {"user": "u"}, "yhat_bulk": {"user": "u"}}
NEEDED |= {name: {"missing_text": "none"} for name in ("open_inference_grpc", "tensorflow_grpc")}


def sent(wire: Wire, columns) -> object:
    return json.loads(wire.encode(columns))


def decoded(wire: Wire, body: object, rows: int):
    return wire.decode(Reply(200, json.dumps(body).encode()), rows)


def status(wire: Wire, body: object) -> tuple[bool, str]:
    route = wire.status_routes[0]
    return wire.ready(route, body), wire.version(route, body)


def test_every_file_is_a_protocol_with_a_title_and_a_source():
    files = {file.stem for file in Path(protocols.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(NAMES)
    for name in NAMES:
        declared = protocols.declaration(name)
        assert declared.title
        assert declared.source


def test_unknown_protocol_suggests_near_names():
    with pytest.raises(ConfigError, match="Did you mean 'tensorflow'"):
        protocol_named("tensorflw")


def test_unknown_setting_suggests_near_names():
    with pytest.raises(ConfigError, match=r"no setting 'modle'.*'model'"):
        protocol_named("open_inference", {"modle": "iris"})


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("tensorflow", {"named": "no"}, "'named' of protocol 'tensorflow' is true or false, not 'no'"),
        ("tensorflow", {"column": 1.5}, "'column' of protocol 'tensorflow' is a whole number"),
        ("tensorflow", {"column": True}, "'column' of protocol 'tensorflow' is a whole number"),
        ("tensorflow", {"model": ["iris"]}, "'model' of protocol 'tensorflow' is a text"),
        ("watson", {}, "'watson' needs model"),
    ],
)
def test_setting_of_another_kind_is_an_error(name, settings, message):
    with pytest.raises(ConfigError, match=message):
        protocol_named(name, settings)


@pytest.mark.parametrize(("name", "remedy"), [("h2o", "MOJO"), ("grpc", "open_inference_grpc")])
def test_protocol_that_is_not_spoken_says_what_to_do_instead(name, remedy):
    with pytest.raises(ConfigError, match=remedy):
        protocol_named(name)


@pytest.mark.parametrize("alias", ["triton", "mlserver", "kserve_v2"])
def test_system_is_found_by_its_own_name(alias):
    assert protocol_named(alias, {"model": "iris"}).predict_path == "/v2/models/iris/infer"


def test_number_as_a_version_is_its_text():
    assert protocol_named("tensorflow", {"model_version": 3}).predict_path == "/v1/models/model/versions/3:predict"


def test_model_name_is_escaped_in_the_path():
    assert protocol_named("tensorflow", {"model": "a/b ?"}).predict_path == "/v1/models/a%2Fb%20%3F:predict"


def test_tensorflow_rows_are_instances_in_order():
    wire = protocol_named("tensorflow", {"model": "iris", "model_version": "3"})
    assert wire.predict_path == "/v1/models/iris/versions/3:predict"
    assert sent(wire, COLUMNS) == {"instances": [{"a": 1.5, "b": "x"}, {"a": None, "b": None}]}


def test_tensorflow_unnamed_rows_are_lists():
    wire = protocol_named("tensorflow", {"named": False, "signature": "serving_default"})
    assert sent(wire, {"a": [1], "b": [2]}) == {"signature_name": "serving_default", "instances": [[1, 2]]}


def test_tensorflow_version_is_the_newest_available_one_by_number():
    states = [{"version": "9", "state": "AVAILABLE"}, {"version": "10", "state": "AVAILABLE"}]
    body = {"model_version_status": [*states, {"version": "11", "state": "LOADING"}]}
    assert status(protocol_named("tensorflow"), body) == (True, "10")


def test_tensorflow_is_not_ready_while_it_loads():
    body = {"model_version_status": [{"version": "11", "state": "LOADING"}]}
    assert status(protocol_named("tensorflow"), body) == (False, "")


def test_kserve_v1_status_body_counts_as_ready():
    assert status(protocol_named("tensorflow"), {"name": "iris", "ready": True}) == (True, "")


def test_open_inference_sends_one_tensor_per_feature_with_its_type():
    assert sent(protocol_named("open_inference", {"model": "iris"}), {**COLUMNS, "c": [1, 2], "d": [True, False]}) == {
        "inputs": [
            {"name": "a", "shape": [2, 1], "datatype": "FP64", "data": [1.5, None]},
            {"name": "b", "shape": [2, 1], "datatype": "BYTES", "data": ["x", None]},
            {"name": "c", "shape": [2, 1], "datatype": "INT64", "data": [1, 2]},
            {"name": "d", "shape": [2, 1], "datatype": "BOOL", "data": [True, False]},
        ]
    }


def test_triton_gets_nan_for_a_missing_number_since_it_refuses_null():
    columns = {**COLUMNS, "c": [1, 2], "d": [None, None]}
    inputs = sent(protocol_named("triton", {"model": "iris"}), columns)["inputs"]
    assert [(one["datatype"], one["data"]) for one in inputs[1:3]] == [("BYTES", ["x", None]), ("INT64", [1, 2])]
    np.testing.assert_array_equal([inputs[0]["data"], inputs[3]["data"]], [[1.5, np.nan], [np.nan, np.nan]])


def test_a_missing_number_is_null_or_nan_in_any_json_and_nothing_else():
    wire = protocol_named("plain_json", {"missing": "NaN"})
    assert b'"a": NaN' in wire.encode({"a": [float("nan")], "b": ["x"]})
    with pytest.raises(ConfigError, match='"missing" is \'nil\'; write "null" or "NaN"'):
        protocol_named("plain_json", {"missing": "nil"})


def test_open_inference_can_send_one_tensor_for_all_features():
    wire = protocol_named("open_inference", {"tensor": "x", "datatype": "FP32"})
    assert sent(wire, {"a": [1.0, 2.0], "b": [3.0, 4.0]}) == {
        "inputs": [{"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [1.0, 3.0, 2.0, 4.0]}]
    }


def test_open_inference_reshapes_flat_data_and_picks_the_class():
    wire = protocol_named("open_inference", {"output": "p", "column": 1})
    tensors = [
        {"name": "label", "shape": [2], "data": [0, 1]},
        {"name": "p", "shape": [2, 2], "data": [0.9, 0.1, 0.3, 0.7]},
    ]
    prediction = decoded(wire, {"model_version": "v1", "outputs": tensors}, 2)
    assert prediction.scores.tolist() == [0.1, 0.7]
    assert prediction.version == "v1"


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ([], r"expected the key 'outputs\[name=\]'"),
        ("nonsense", r"expected the key 'outputs\[name=\]'"),
        ([{"name": "p", "shape": [3], "data": [1.0, 2.0]}], "expected 3 values"),
        ([{"name": "p", "data": [1.0]}], "expected the key 'shape'"),
        ([{"name": "p", "shape": 1, "data": [1.0]}], "expected a shape"),
        ([{"name": "p", "shape": [float("inf")], "data": [1.0]}], "expected a shape"),
        ([{"name": "p", "shape": [-1, -2], "data": [1.0, 2.0]}], "expected 2 values for the output's shape"),
    ],
)
def test_open_inference_refuses_malformed_outputs(outputs, message):
    with pytest.raises(ValueError, match=message):
        decoded(protocol_named("open_inference"), {"outputs": outputs}, 2)


def test_plain_json_names_and_path_are_settings():
    wire = protocol_named(
        "plain_json", {"path": "/score", "rows_field": "", "scores_field": "result.p", "version_field": "model.id"}
    )
    assert sent(wire, {"a": [1]}) == [{"a": 1}]
    prediction = decoded(wire, {"result": {"p": [0.5]}, "model": {"id": 7}}, 1)
    assert (prediction.scores.tolist(), prediction.version) == ([0.5], "7")


def test_plain_json_without_a_version_says_none():
    assert decoded(protocol_named("plain_json"), {"scores": [1]}, 1).version == ""
    assert decoded(protocol_named("plain_json", {"version_field": ""}), {"scores": [1]}, 1).version == ""


def test_every_protocol_encodes_what_its_format_says():
    for name in NAMES:
        wire = protocol_named(name, NEEDED.get(name))
        columns = (
            {key: values[:1] for key, values in COLUMNS.items()}
            if wire.transport == "resp" or wire.batch == 1
            else COLUMNS
        )
        body = wire.encode(columns)
        if wire.transport != "http":
            sent = struct.pack("<d", 1.5) if wire.transport == "grpc" else b"1.5"
            assert body.count(sent) == 1
        elif wire.declared.format == "json":
            assert json.loads(body)
        else:
            assert body.count(b"1.5") == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (float("inf"), None),
        (Decimal("0.5"), 0.5),
        (Decimal("NaN"), None),
        (pd.NA, None),
        (pd.NaT, None),
        (pd.Timestamp("2024-02-29", tz="UTC"), "2024-02-29T00:00:00+00:00"),
        (datetime(2024, 2, 29, tzinfo=UTC), "2024-02-29T00:00:00+00:00"),
    ],
)
def test_values_become_plain_json(value, expected):
    assert plain(value) == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.1, float("nan")], "found nan for row 1"),
        ([0.1], "found 1 scores"),
        (0.1, "found one number"),
        (["high", "low"], "expected 2 numbers"),
        ([[0.1, 0.9], [0.1]], "expected 2 numbers"),
        ([[[1.0]], [[2.0]]], "one vector per row"),
        (None, "found one number"),
    ],
)
def test_scores_must_be_finite_and_one_per_row(values, message):
    with pytest.raises(ValueError, match=message):
        scores(values, 2, None)


def test_a_class_that_the_answer_does_not_have_is_an_error():
    with pytest.raises(ValueError, match="at least 3 class scores per row, found 2"):
        scores([[0.1, 0.9]], 1, 2)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_a_hostile_body_is_decoded_or_refused_with_a_message(body):
    content = json.dumps(body).encode()
    for name in NAMES:
        wire, reply = protocol_named(name, NEEDED.get(name)), Reply(200, content)
        with suppress(ValueError):  # the only way to refuse
            found = wire.decode(reply, 2).scores
            assert len(found) == 2
            assert np.isfinite(found).all()
        assert isinstance(wire.failure(reply), str)
        for route in wire.status_routes:
            assert isinstance(wire.version(route, body), str)
            assert isinstance(wire.ready(route, body), bool)
        assert isinstance(error_in(body), str)


def test_arrays_are_lists_in_json_and_refused_where_each_column_has_a_type():
    images = {"image": [np.eye(2), [[0.0, 1.0], [1.0, 0.0]]]}
    assert sent(protocol_named("plain_json"), images) == {
        "rows": [{"image": [[1.0, 0.0], [0.0, 1.0]]}, {"image": [[0.0, 1.0], [1.0, 0.0]]}]
    }
    with pytest.raises(InputError, match="offer the model by loader"):
        protocol_named("open_inference", {}).encode(images)
