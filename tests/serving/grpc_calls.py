"""Calls over gRPC as tests make and answer them."""

import numpy as np
import pytest

from mltestscore.serving.client import Client
from mltestscore.serving.messages import Messages
from mltestscore.serving.protocols import protocol_named

grpc = pytest.importorskip("grpc")

INFER, READY = "/inference.GRPCInferenceService/ModelInfer", "/inference.GRPCInferenceService/ModelReady"
PREDICT = "/tensorflow.serving.PredictionService/Predict"
ROWS = {"a": [1.0, 2.0, 3.0], "b": [1, 0, 2]}
SUMS = [11.0, 2.0, 23.0]
V2, TENSORFLOW = Messages("test", "open_inference"), Messages("test", "tensorflow_serving")


def client_of(url, *, protocol="open_inference_grpc", timeout=5.0, headers=None, **settings):
    return Client(url, protocol_named(protocol, settings), timeout=timeout, headers=headers)


def answer_of(messages, path, content):
    """Return a call's request as parsed, and an empty answer."""
    request, answer = (kind() for kind in messages._classes(path))
    request.ParseFromString(content)
    return request, answer


def infer(scores, *, version="2", datatype="FP64", raw=False):
    """Return an answer of the Open Inference Protocol for whatever was asked."""

    def answered(content, context):
        _, answer = answer_of(V2, INFER, content)
        values = np.array(scores, dtype={"FP64": "<f8", "FP32": "<f4", "FP16": "<f2"}[datatype])
        answer.model_version = version
        output = answer.outputs.add(name="score", datatype=datatype, shape=values.shape)
        if raw:
            answer.raw_output_contents.append(values.tobytes())
        else:
            getattr(output.contents, f"{datatype.lower()}_contents").extend(values.ravel().tolist())
        return answer.SerializeToString()

    return answered


def aborting(code, message):
    return lambda content, context: context.abort(getattr(grpc.StatusCode, code), message)
