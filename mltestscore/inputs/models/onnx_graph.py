"""What an ONNX graph says of itself: its classes, whether it is a regression, and its weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mltestscore.inputs.models.native import Numbers, flat

LABELS = ("classlabels_strings", "classlabels_int64s", "classlabels_ints", "class_labels")
REGRESSORS = ("LinearRegressor", "TreeEnsembleRegressor", "SVMRegressor")
UNCHANGED = ("Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten")

# Attributes of the ai.onnx.ml operators; thresholds of trees and values of an imputer may be infinite or NaN.
ATTRIBUTES = (
    "coefficients",
    "intercepts",
    "class_weights",
    "target_weights",
    "leaf_weights",
    "base_values",
    "rho",
    "offset",
    "scale",
)
# Operators whose constant inputs are weights. Constants elsewhere may be infinite in sound models: masks, bounds of
# a clip. So are those of two and more dimensions that are only added.
WEIGHTED = (
    "Gemm",
    "MatMul",
    "Conv",
    "ConvTranspose",
    "BatchNormalization",
    "LayerNormalization",
    "InstanceNormalization",
    "GroupNormalization",
    "LSTM",
    "GRU",
    "RNN",
    "PRelu",
    "Gather",
    "DequantizeLinear",
)
ELEMENTWISE = ("Add", "Sub", "Mul", "Div")
DEEPEST = 8  # bodies of loops and branches inside each other


def classes(model: Any) -> tuple[object, ...]:
    """Return the class labels that a classifier in the graph carries, in the order of its scores; else none."""
    for node in _nodes(model.graph):
        for attribute in node.attribute:
            if attribute.name in LABELS and (attribute.strings or attribute.ints):
                return tuple(text.decode("utf-8", "replace") for text in attribute.strings) or tuple(attribute.ints)
    return ()


def is_regressor(model: Any, output: str) -> bool:
    """Tell whether an operator for regression makes the output."""
    makers = {name: node for node in model.graph.node for name in node.output}
    while output in makers:
        node = makers.pop(output)
        if node.op_type in REGRESSORS:
            return True
        if node.op_type not in UNCHANGED:
            return False
        output = node.input[0]
    return False


def numbers(model: Any, folder: Path) -> Numbers:
    """Yield the weights of the graph; those that lie in files beside it are read from ``folder``.

    Raises :class:`onnx.checker.ValidationError` for a file that lies elsewhere or is missing.
    """
    held = {name: tensor for graph in _graphs(model.graph) for name, tensor in _constants(graph)}
    given: set[str] = set()
    for node in _nodes(model.graph):
        for attribute in node.attribute:
            if attribute.name in ATTRIBUTES and attribute.floats:
                yield f"{node.name or node.op_type}.{attribute.name}", flat(attribute.floats)
            elif attribute.name.removesuffix("_as_tensor") in ATTRIBUTES and attribute.HasField("t"):
                yield f"{node.name or node.op_type}.{attribute.name}", _array(attribute.t, folder)
        for name in node.input:
            if name in held and name not in given and _is_weight(node.op_type, held[name]):
                given.add(name)
                yield name, _array(held[name], folder)


def elsewhere(model: Any, folder: Path) -> str:
    """Return the first file outside of ``folder`` in which the graph says its weights lie; empty if there is none."""
    for graph in _graphs(model.graph):
        for _, tensor in _constants(graph):
            named = {entry.key: entry.value for entry in tensor.external_data}
            if "location" in named and not (folder / named["location"]).resolve().is_relative_to(folder.resolve()):
                return str(named["location"])
    return ""


def _is_weight(operator: str, tensor: Any) -> bool:
    from onnx import TensorProto

    if tensor.data_type not in (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16):
        return False
    return operator in WEIGHTED or (operator in ELEMENTWISE and len(tensor.dims) == 1)


def _array(tensor: Any, folder: Path) -> npt.NDArray[np.float64]:
    from onnx import numpy_helper

    return flat(numpy_helper.to_array(tensor, str(folder)))


def _constants(graph: Any) -> Iterator[tuple[str, Any]]:
    for tensor in graph.initializer:
        yield tensor.name, tensor
    for node in graph.node:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    yield node.output[0], attribute.t


def _nodes(graph: Any) -> Iterator[Any]:
    for part in _graphs(graph):
        yield from part.node


def _graphs(graph: Any, depth: int = 0) -> Iterator[Any]:
    yield graph
    for node in graph.node if depth < DEEPEST else ():
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _graphs(attribute.g, depth + 1)
