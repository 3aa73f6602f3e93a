"""Rows become requests and answers become scores, by protocol."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltestscore.errors import ConfigError
from mltestscore.serving.protocols import PROTOCOLS, protocol_named
from mltestscore.serving.protocols.answers import error_in, plain, scores

COLUMNS = {"a": [1.5, float("nan")], "b": ["x", None]}


def test_unknown_protocol_suggests_near_names():
    with pytest.raises(ConfigError, match="Did you mean 'tensorflow'"):
        protocol_named("tensorflw")


def test_unknown_setting_suggests_near_names():
    with pytest.raises(ConfigError, match=r"no setting 'modle'.*'model'"):
        protocol_named("open_inference", {"modle": "iris"})


def test_tensorflow_rows_are_instances_in_order():
    wire = protocol_named("tensorflow", {"model": "iris", "model_version": "3"})
    assert wire.predict_path == "/v1/models/iris/versions/3:predict"
    assert wire.encode(COLUMNS) == {"instances": [{"a": 1.5, "b": "x"}, {"a": None, "b": None}]}


def test_tensorflow_unnamed_rows_are_lists():
    wire = protocol_named("tensorflow", {"named": False, "signature": "serving_default"})
    assert wire.encode({"a": [1], "b": [2]}) == {"signature_name": "serving_default", "instances": [[1, 2]]}


def test_tensorflow_version_is_the_newest_available_one_by_number():
    states = [{"version": "9", "state": "AVAILABLE"}, {"version": "10", "state": "AVAILABLE"}]
    body = {"model_version_status": [*states, {"version": "11", "state": "LOADING"}]}
    assert protocol_named("tensorflow").version(body) == "10"


def test_tensorflow_is_not_ready_while_it_loads():
    body = {"model_version_status": [{"version": "11", "state": "LOADING"}]}
    assert not protocol_named("tensorflow").ready(body)


def test_kserve_v1_status_body_counts_as_ready():
    assert protocol_named("tensorflow").ready({"name": "iris", "ready": True})


def test_open_inference_sends_one_tensor_per_feature_with_its_type():
    sent = protocol_named("open_inference", {"model": "iris"}).encode({**COLUMNS, "c": [1, 2]})
    assert sent == {
        "inputs": [
            {"name": "a", "shape": [2, 1], "datatype": "FP64", "data": [1.5, None]},
            {"name": "b", "shape": [2, 1], "datatype": "BYTES", "data": ["x", None]},
            {"name": "c", "shape": [2, 1], "datatype": "INT64", "data": [1, 2]},
        ]
    }


def test_open_inference_can_send_one_tensor_for_all_features():
    sent = protocol_named("open_inference", {"tensor": "x"}).encode({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    assert sent == {"inputs": [{"name": "x", "shape": [2, 2], "datatype": "FP64", "data": [1.0, 3.0, 2.0, 4.0]}]}


def test_open_inference_reshapes_flat_data_and_picks_the_class():
    wire = protocol_named("open_inference", {"output": "p", "column": 1})
    tensors = [
        {"name": "label", "shape": [2], "data": [0, 1]},
        {"name": "p", "shape": [2, 2], "data": [0.9, 0.1, 0.3, 0.7]},
    ]
    prediction = wire.decode({"model_version": "v1", "outputs": tensors}, 2)
    assert prediction.scores.tolist() == [0.1, 0.7]
    assert prediction.version == "v1"


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ([], "expected an output"),
        ("nonsense", "expected an output"),
        ([{"name": "p", "shape": [3], "data": [1.0, 2.0]}], "expected 3 values"),
        ([{"name": "p", "data": [1.0]}], "expected the key 'shape'"),
    ],
)
def test_open_inference_refuses_malformed_outputs(outputs, message):
    with pytest.raises(ValueError, match=message):
        protocol_named("open_inference").decode({"outputs": outputs}, 2)


def test_plain_json_names_and_path_are_settings():
    wire = protocol_named(
        "plain_json", {"path": "/score", "rows_field": "", "scores_field": "result.p", "version_field": "model.id"}
    )
    assert wire.encode({"a": [1]}) == [{"a": 1}]
    prediction = wire.decode({"result": {"p": [0.5]}, "model": {"id": 7}}, 1)
    assert (prediction.scores.tolist(), prediction.version) == ([0.5], "7")


def test_plain_json_without_a_version_says_none():
    assert protocol_named("plain_json").decode({"scores": [1]}, 1).version == ""


def test_every_protocol_encodes_valid_json_and_keeps_the_row_count():
    for name in PROTOCOLS:
        body = json.dumps(protocol_named(name).encode(COLUMNS), allow_nan=False)
        assert json.loads(body)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (float("inf"), None),
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
    for name in PROTOCOLS:
        with suppress(ValueError):  # the only way to refuse
            found = protocol_named(name).decode(body, 2).scores
            assert len(found) == 2
            assert np.isfinite(found).all()
        assert isinstance(error_in(body), str)
