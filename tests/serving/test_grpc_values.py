"""Values as they travel over gRPC: typed, raw, of any shape; what cannot travel is an error."""

import math

import pytest

from mltestscore.errors import ConfigError, InputError

from .grpc_calls import INFER, PREDICT, ROWS, TENSORFLOW, V2, answer_of, client_of, infer
from .replay_grpc import serving

grpc = pytest.importorskip("grpc")


@pytest.mark.parametrize(
    ("answered", "message"),
    [
        (infer([1.0, 2.0]), "expected 3 scores, one per row in order, found 2 scores"),
        (infer([1.0, math.nan, 2.0]), "expected finite scores, found nan for row 1"),
        (lambda content, context: b"\xff\xff\xff", "expected an answer of /inference.*found"),
        (lambda content, context: b"", r"expected the key 'outputs\[name=\]' in the answer"),
    ],
)
def test_unusable_answer_is_an_error(answered, message):
    with serving({INFER: answered}) as url:
        client = client_of(url)
        with pytest.raises(InputError, match=message):
            client.predict(ROWS)
        client.close()


def test_tensors_that_do_not_fit_their_shape_are_an_error():
    def short(content, context):
        _, answer = answer_of(V2, INFER, content)
        answer.outputs.add(name="y", datatype="FP32", shape=[3])
        answer.raw_output_contents.append(b"\x00" * 10)
        return answer.SerializeToString()

    with serving({INFER: short}) as url:
        client = client_of(url)
        with pytest.raises(InputError, match="expected raw contents of 4 bytes a value, found 10 bytes"):
            client.predict(ROWS)
        client.close()


@pytest.mark.parametrize(("datatype", "raw"), [("FP64", True), ("FP32", False), ("FP32", True), ("FP16", True)])
def test_class_scores_come_typed_or_raw(datatype, raw):
    classes = [[0.5, 0.25, 0.25], [0.125, 0.5, 0.375], [0.0, 0.0, 1.0]]
    with serving({INFER: infer(classes, datatype=datatype, raw=raw)}) as url:
        client = client_of(url, column=2)
        answer = client.predict(ROWS)
        assert (answer.scores.tolist(), answer.version) == ([0.25, 0.375, 1.0], "2")
        client.close()


def test_rows_of_mixed_types_arrive_in_their_types():
    seen = {}

    def answered(content, context):
        request, _ = answer_of(V2, INFER, content)
        for one in request.inputs:
            ((_, values),) = one.contents.ListFields()
            seen[one.name] = (one.datatype, list(one.shape), list(values))
        return infer([0.5, 0.5])(content, context)

    with serving({INFER: answered}) as url:
        client = client_of(url, missing_text="UA")
        client.predict({"x": [0.5, None], "n": [3, -(2**62)], "s": [None, "ä"], "b": [True, False]})
        client.close()
    assert math.isnan(seen["x"][2].pop())
    assert seen == {
        "x": ("FP64", [2, 1], [0.5]),
        "n": ("INT64", [2, 1], [3, -(2**62)]),
        "s": ("BYTES", [2, 1], [b"UA", "ä".encode()]),
        "b": ("BOOL", [2, 1], [True, False]),
    }


@pytest.mark.parametrize("datatype", ["FP16", "BF16"])
def test_numbers_of_16_bits_travel_raw(datatype):
    seen = []

    def answered(content, context):
        request, _ = answer_of(V2, INFER, content)
        seen.extend(request.raw_input_contents)
        return infer([1.0, 2.0])(content, context)

    with serving({INFER: answered}) as url:
        client = client_of(url, datatype=datatype)
        client.predict({"x": [1.0, -2.5]})
        client.close()
    assert seen == [{"FP16": b"\x00\x3c\x00\xc1", "BF16": b"\x80\x3f\x20\xc0"}[datatype]]


@pytest.mark.parametrize(
    ("columns", "settings", "message"),
    [
        ({"s": ["UA", None]}, {}, "values of 's' cannot be sent as BYTES: row 1 has none"),
        ({"x": [1.5]}, {"datatype": "INT64"}, r"cannot be sent as INT64: row 0 has 1\.5"),
        ({"x": [300]}, {"datatype": "INT8"}, "cannot be sent as INT8"),
        ({"x": [1.0], "s": ["UA"]}, {"tensor": "in"}, "'UA' is text. One tensor holds values of one type"),
        ({"x": [1.0]}, {"datatype": "FP65"}, "no datatype 'FP65'.*FP64"),
    ],
)
def test_values_that_a_tensor_cannot_hold_are_an_error_before_anything_is_sent(columns, settings, message):
    client = client_of("grpc://127.0.0.1:1", **settings)
    with pytest.raises((InputError, ConfigError), match=message):
        client.predict(columns)
    client.close()


def test_tensorflow_fills_a_shape_with_its_last_value():
    def answered(content, context):
        request, answer = answer_of(TENSORFLOW, PREDICT, content)
        assert [dim.size for dim in request.inputs["in"].tensor_shape.dim] == [3, 2]
        output = answer.outputs["y"]
        output.dtype = 2
        output.tensor_shape.dim.add(size=3)
        output.double_val.extend([0.5, 0.75])
        answer.model_spec.version.value = 7
        return answer.SerializeToString()

    with serving({PREDICT: answered}) as url:
        client = client_of(url, protocol="tensorflow_grpc", tensor="in")
        found = client.predict(ROWS)
        assert (found.scores.tolist(), found.version) == ([0.5, 0.75, 0.75], "7")
        assert client.status() == (True, "")  # it has no ModelService: then the probe alone decides
        client.close()


def test_tensorflow_shape_of_billions_is_refused():
    def answered(content, context):
        _, answer = answer_of(TENSORFLOW, PREDICT, content)
        answer.outputs["y"].dtype = 1
        answer.outputs["y"].tensor_shape.dim.add(size=1 << 40)
        return answer.SerializeToString()

    with serving({PREDICT: answered}) as url:
        client = client_of(url, protocol="tensorflow_grpc")
        with pytest.raises(InputError, match="expected a shape of at most"):
            client.predict(ROWS)
        client.close()


def test_version_that_is_no_number_is_an_error_at_tensorflow():
    client = client_of("grpc://127.0.0.1:1", protocol="tensorflow_grpc", model_version="v2")
    with pytest.raises(InputError, match=r"'version' of tensorflow.serving.ModelSpec cannot be 'v2'"):
        client.predict(ROWS)
    client.close()
