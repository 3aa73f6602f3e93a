"""ONNX graphs: the output of every node, asked of a copy of the graph that gives them all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.tracing.trace import MOST_VALUES, Step, Value, plain, scored

Row = npt.NDArray[np.float64]

LARGEST = 1_500_000_000
"""Bytes of a graph that is copied: protobuf holds no message beyond 2 GB."""


def too_large(graph: Any) -> bool:
    """Whether a graph cannot be copied in memory."""
    return bool(graph.ByteSize() > LARGEST)


def steps(graph: Any, folder: Path, row: pd.DataFrame, own: Row, opened: dict[Any, Any]) -> Iterator[Step]:
    """Yield the output of each node in order, and the score; ``opened`` keeps the session between rows."""
    from mltestscore.inputs.models.onnx import feed

    if id(graph) not in opened:
        opened[id(graph)] = _session(graph, folder)
    session = opened[id(graph)]
    makers = {name: node for node in graph.graph.node for name in node.output if name}
    wanted = list(makers)
    found = session.run(wanted, feed(session.get_inputs(), row))
    room = MOST_VALUES
    for name, value in zip(wanted, found, strict=True):
        values = _values(name, value)[:room]
        room -= len(values)
        yield Step(f"{makers[name].op_type} {name}"[:120], tuple(values))
    yield scored(own, "output of the graph")


def _session(graph: Any, folder: Path) -> Any:
    import onnx
    import onnxruntime
    from onnx.external_data_helper import load_external_data_for_model

    copy = onnx.ModelProto()
    copy.CopyFrom(graph)
    load_external_data_for_model(copy, str(folder))
    given = {one.name for one in copy.graph.output}
    for node in copy.graph.node:
        for name in node.output:
            if name and name not in given:
                copy.graph.output.append(onnx.ValueInfoProto(name=name))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    # Nodes that an optimiser fuses have no output of their own any more.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(copy.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _values(name: str, value: Any) -> list[Value]:
    if isinstance(value, list):  # a sequence, such as one mapping from class to probability a row
        value = value[0] if value else {}
    if isinstance(value, dict):
        return [Value(f"{key}"[:120], plain(part)) for key, part in value.items()]
    flat = np.ravel(value)[:MOST_VALUES].tolist()
    return [Value(name if len(flat) == 1 else f"{name}[{place}]", plain(one)) for place, one in enumerate(flat)]
