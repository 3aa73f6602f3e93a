"""Exchanges over gRPC as the official stubs write them: ``python tests/serving/official_stubs.py``, for ``published/``.

Needs an environment with the stubs, which need an older protobuf than ours and so stay out of the suite:
that of the matrix' row ``pythie``.
tritonclient carries NVIDIA's stubs of the Open Inference Protocol; pythie-serving those of TensorFlow Serving and of
TensorFlow's tensors, generated from the official files, without TensorFlow. Our retyped messages must agree with both
in every name, number and type.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from pythie_serving.tensorflow_proto.tensorflow.core.framework import tensor_pb2, tensor_shape_pb2
from pythie_serving.tensorflow_proto.tensorflow_serving.apis import (
    get_model_status_pb2,
    model_pb2,
    model_service_pb2,
    predict_pb2,
    prediction_service_pb2,
)
from tritonclient.grpc import service_pb2

HERE = Path(__file__).parent
OURS = HERE.parents[1] / "mltestscore" / "serving" / "messages"
SERVICES = {
    "open_inference": [service_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]],
    "tensorflow_serving": [
        prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"],
        model_service_pb2.DESCRIPTOR.services_by_name["ModelService"],
    ],
}
SAME_BYTES = {"tensorflow.serving.StatusProto.error_code"}  # an enumeration there, its number here


def require_agreement() -> None:
    """Raise where a field of ours is not the official one."""
    for name, services in SERVICES.items():
        pool = DescriptorPool()
        for file in FileDescriptorSet.FromString((OURS / f"{name}.binpb").read_bytes()).file:
            pool.Add(file)
        for official in services:
            for method in pool.FindServiceByName(official.full_name).methods:
                theirs = official.methods_by_name[method.name]
                _agree(method.input_type, theirs.input_type, set())
                _agree(method.output_type, theirs.output_type, set())


def _agree(ours: Any, official: Any, seen: set[str]) -> None:
    assert ours.full_name == official.full_name
    seen.add(ours.full_name)
    for field in ours.fields:
        other = official.fields_by_name[field.name]
        same = (field.number, field.is_repeated, field.type) == (other.number, other.is_repeated, other.type)
        assert same or field.full_name in SAME_BYTES, field.full_name
        if field.message_type is not None and field.message_type.full_name not in seen:
            _agree(field.message_type, other.message_type, seen)
        if field.enum_type is not None:
            for value in field.enum_type.values:
                assert other.enum_type.values_by_name[value.name].number == value.number, value.name


def call(ask: str, request: Any, reply: Any = None, *, status: str = "OK", message: str = "") -> dict[str, Any]:
    """Return one call as JSON, readable and as bytes."""
    told = {"ask": ask, "says": text_format.MessageToString(request, as_one_line=True), "status": status}
    told["request"] = base64.b64encode(request.SerializeToString(deterministic=True)).decode()
    if reply is None:
        return {**told, "message": message}
    answer = text_format.MessageToString(reply, as_one_line=True)
    return {**told, "answers": answer, "reply": base64.b64encode(reply.SerializeToString(deterministic=True)).decode()}


def open_inference() -> dict[str, Any]:
    """Return exchanges in the Open Inference Protocol: typed as MLServer answers, raw as Triton does."""
    service, named = "/inference.GRPCInferenceService", {"model_name": "iris"}
    tensor, contents = service_pb2.ModelInferRequest.InferInputTensor, service_pb2.InferTensorContents
    output = service_pb2.ModelInferResponse.InferOutputTensor
    x = tensor(name="x", datatype="FP64", shape=[2, 1], contents=contents(fp64_contents=[0.5, 2.25]))
    n = tensor(name="n", datatype="INT64", shape=[2, 1], contents=contents(int64_contents=[3, -4]))
    s = tensor(name="s", datatype="BYTES", shape=[2, 1], contents=contents(bytes_contents=[b"UA", b"AA"]))
    b = tensor(name="b", datatype="BOOL", shape=[2, 1], contents=contents(bool_contents=[True, False]))
    typed = output(name="y", datatype="FP64", shape=[2], contents=contents(fp64_contents=[0.25, 0.75]))
    f32 = tensor(name="x", datatype="FP32", shape=[2, 2], contents=contents(fp32_contents=[0.5, 1.5, 2.5, 3.5]))
    raw = service_pb2.ModelInferResponse(
        model_version="2", outputs=[output(name="y", datatype="FP32", shape=[2, 1])], **named
    )
    raw.raw_output_contents.append(bytes.fromhex("0000003f0000803e"))
    mixed = service_pb2.ModelInferRequest(inputs=[x, n, s, b], **named)
    single = service_pb2.ModelInferRequest(
        model_version="2",
        inputs=[f32],
        outputs=[service_pb2.ModelInferRequest.InferRequestedOutputTensor(name="y")],
        **named,
    )
    ready = service_pb2.ModelReadyRequest(name="iris")
    matrix = {"model_version": "2", "tensor": "x", "datatype": "FP32", "output": "y"}
    four = {"x": [0.5, 2.25], "n": [3, -4], "s": ["UA", "AA"], "b": [True, False]}
    two = {"p": [0.5, 2.5], "q": [1.5, 3.5]}
    unknown = "Request for unknown model: 'iris' is not found"
    return {
        "system": "Triton, MLServer, KServe: gRPC",
        "protocol": "open_inference_grpc",
        "source": "kserve/open-inference-protocol open_inference_grpc.proto; bytes by tritonclient's stubs",
        "settings": {"model": "iris"},
        "exchanges": [
            {
                "name": "rows of mixed types, typed answer",
                "calls": [
                    call(f"{service}/ModelInfer", mixed, service_pb2.ModelInferResponse(outputs=[typed], **named))
                ],
                "columns": four,
                "scores": [0.25, 0.75],
            },
            {
                "name": "one tensor of a version, raw answer",
                "settings": matrix,
                "calls": [call(f"{service}/ModelInfer", single, raw)],
                "columns": two,
                "scores": [0.5, 0.25],
                "version": "2",
            },
            {
                "name": "ready",
                "calls": [call(f"{service}/ModelReady", ready, service_pb2.ModelReadyResponse(ready=True))],
                "ready": [True, ""],
            },
            {
                "name": "loading",
                "calls": [call(f"{service}/ModelReady", ready, service_pb2.ModelReadyResponse())],
                "ready": [False, ""],
            },
            {
                "name": "unknown model",
                "calls": [call(f"{service}/ModelInfer", mixed, status="NOT_FOUND", message=unknown)],
                "columns": four,
                "error": "expected gRPC status OK for 2 row.*found NOT_FOUND: .Request for unknown model",
            },
        ],
    }


def tensorflow() -> dict[str, Any]:
    """Return half_plus_three, TensorFlow Serving's own example, over gRPC."""
    service, model = "/tensorflow.serving.PredictionService", "half_plus_three"
    shape = tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=3)])
    x = tensor_pb2.TensorProto(dtype=1, tensor_shape=shape, tensor_content=bytes.fromhex("0000803f000000400000a040"))
    y = tensor_pb2.TensorProto(dtype=1, tensor_shape=shape, float_val=[3.5, 4.0, 5.5])
    spec, answered = model_pb2.ModelSpec(name=model), model_pb2.ModelSpec(name=model, signature_name="serving_default")
    answered.version.value = 123
    pinned = model_pb2.ModelSpec(name=model, signature_name="regress_x_to_y")
    pinned.version.value = 123
    asked = predict_pb2.PredictRequest(model_spec=spec, inputs={"x": x})
    filtered = predict_pb2.PredictRequest(model_spec=pinned, inputs={"x": x}, output_filter=["y"])
    state = get_model_status_pb2.ModelVersionStatus
    states = [
        state(version=122, state="END"),
        state(version=123, state="AVAILABLE"),
        state(version=124, state="LOADING"),
    ]
    status = get_model_status_pb2.GetModelStatusRequest(model_spec=spec)
    scores, x_values = [3.5, 4.0, 5.5], [1.0, 2.0, 5.0]
    several = predict_pb2.PredictResponse(model_spec=answered, outputs={"y": y, "y2": y})
    return {
        "system": "TensorFlow Serving, gRPC",
        "protocol": "tensorflow_grpc",
        "source": "tensorflow/serving prediction_service.proto, model_service.proto; half_plus_three of api_rest.md; "
        "bytes by the stubs of pythie-serving",
        "settings": {"model": model, "datatype": "DT_FLOAT"},
        "exchanges": [
            {
                "name": "half_plus_three",
                "calls": [
                    call(
                        f"{service}/Predict", asked, predict_pb2.PredictResponse(model_spec=answered, outputs={"y": y})
                    )
                ],
                "columns": {"x": x_values},
                "scores": scores,
                "version": "123",
            },
            {
                "name": "a version, a signature, one output",
                "settings": {"model_version": "123", "signature": "regress_x_to_y", "output": "y"},
                "calls": [
                    call(
                        f"{service}/Predict", filtered, predict_pb2.PredictResponse(model_spec=pinned, outputs={"y": y})
                    )
                ],
                "columns": {"x": x_values},
                "scores": scores,
                "version": "123",
            },
            {
                "name": "several outputs",
                "calls": [call(f"{service}/Predict", asked, several)],
                "columns": {"x": x_values},
                "error": "expected one output, found .'y', 'y2'.; name the one that is the score by the setting output",
            },
            {
                "name": "status",
                "calls": [
                    call(
                        "/tensorflow.serving.ModelService/GetModelStatus",
                        status,
                        get_model_status_pb2.GetModelStatusResponse(model_version_status=states),
                    )
                ],
                "ready": [True, "123"],
            },
            {
                "name": "status while loading",
                "calls": [
                    call(
                        "/tensorflow.serving.ModelService/GetModelStatus",
                        status,
                        get_model_status_pb2.GetModelStatusResponse(model_version_status=states[::2]),
                    )
                ],
                "ready": [False, ""],
            },
            {
                "name": "unknown model",
                "calls": [
                    call(
                        f"{service}/Predict",
                        asked,
                        status="NOT_FOUND",
                        message="Servable not found for request: Latest(half_plus_three)",
                    )
                ],
                "columns": {"x": x_values},
                "error": "found NOT_FOUND: .Servable not found for request: Latest",
            },
        ],
    }


def main() -> None:
    """Compare, then write the exchanges."""
    require_agreement()
    for system in (open_inference(), tensorflow()):
        file = HERE / "published" / f"{system['protocol']}.json"
        file.write_text(json.dumps(system, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
