"""ONNX graphs, scored with ONNX Runtime: nothing of the file is executed but the graph."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import ConfigError, InputError, near
from mltestscore.inputs.models import onnx_graph
from mltestscore.inputs.models.native import A_LOADER, Loading, NativeModel, Numbers, brief, column, in_shape, matrix

CPU = "CPUExecutionProvider"
DTYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int16)": np.int16,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}
TEXT = "tensor(string)"
REAL = ("tensor(float)", "tensor(double)", "tensor(float16)")
LABELS = ("tensor(int64)", "tensor(int32)", TEXT)
PROBABILITIES = ("probabilities", "output_probability", "probability", "probs")


def read(file: Path, loading: Loading) -> NativeModel:
    """Open a graph with the providers that the configuration names.

    Raises :class:`ConfigError` for a provider that is not available, :class:`InputError` for what has no meaning here.
    """
    import onnx
    import onnxruntime

    graph = onnx.load(file, load_external_data=False)
    if outside := onnx_graph.elsewhere(graph, file.parent):
        raise InputError(f"{file}: its weights lie in {outside!r:.200}, outside of its folder; store them beside it.")
    wanted = list(loading.providers) or [CPU]
    available = onnxruntime.get_available_providers()
    for name in wanted:
        if name not in available:
            raise ConfigError(
                f"{loading.table} providers names {name!r}, which this onnxruntime does not have."
                f"{near(name, available)} Install the build that has it, or remove the name."
            )
    session = _session(file, wanted, loading.table)
    return _native(session, graph, partial(onnx_graph.numbers, graph, file.parent), loading.output, file.parent)


def _session(file: Path, wanted: Sequence[str], table: str) -> Any:
    """Open a graph with all the providers that are wanted.

    Raises :class:`InputError` where one of them does not start, and what the runtime does for a graph that is broken.
    """
    import onnxruntime

    def opened(providers: Sequence[str]) -> Any:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what goes wrong is raised, and said once
        # Its fallback prints to the console, and goes on without the providers that were asked for.
        return onnxruntime.InferenceSession(str(file), options, providers=list(providers), enable_fallback=0)

    try:
        session = opened(wanted)
    except Exception as error:
        opened([CPU])  # what is wrong with the graph is wrong here, too
        other = [name for name in wanted if name != CPU]
        which = f"{other[0]} did not start" if len(other) == 1 else f"not all of {', '.join(other)} started"
        raise InputError(f"{table} providers: {which} on this machine: {brief(error)}") from error
    if unused := [name for name in wanted if name not in session.get_providers()]:
        raise InputError(
            f"{table} providers: {unused[0]} did not start on this machine, and onnxruntime would go on without it. "
            f"In use: {', '.join(session.get_providers())}."
        )
    return session


def adapt(session: Any) -> NativeModel | None:
    """Take a session that a loader or fixture made; it does not show its graph, so classes and weights are unknown."""
    return _native(session, None, partial(iter, ()), "") if hasattr(session, "get_inputs") else None


def numbers(session: Any) -> Numbers:
    """Yield nothing: a session does not show its weights."""
    yield from ()


def _native(session: Any, graph: Any, weights: Any, output: str, folder: Path = Path()) -> NativeModel:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    for one in inputs:
        if len(one.shape) > 2 or one.type not in (*DTYPES, TEXT):
            raise InputError(
                f"the graph's input {one.name!r} is {one.type} of shape {one.shape}, no column; {A_LOADER}."
            )
    chosen = _scores_of(outputs, output)
    labelled = any(one.type in LABELS for one in outputs) and chosen.type not in LABELS
    classes = onnx_graph.classes(graph) if graph is not None and labelled else ()
    names = tuple(one.name for one in inputs) if len(inputs) > 1 else None
    version = 0 if graph is None else graph.model_version
    return NativeModel(
        native=session,
        score=partial(_score, session, chosen.name),
        numbers=weights,
        task=_task(graph, chosen, labelled, len(classes)),
        feature_names_in_=names,
        n_features_in_=len(inputs) if names else _width(inputs),
        classes_=classes or None,
        version=str(version) if version else "",
        graph=None if graph is None else (graph, folder),
    )


def _scores_of(outputs: Sequence[Any], wanted: str) -> Any:
    real = {one.name: one for one in outputs if one.type in REAL or one.type.startswith("seq(map(")}
    if wanted and wanted not in real:
        raise ConfigError(f"output names {wanted!r}, which is no output of real numbers.{near(wanted, real)}")
    named = [one for name, one in real.items() if name.lower() in PROBABILITIES]
    if wanted or len(real) == 1 or len(named) == 1:
        return real[wanted] if wanted else (named or list(real.values()))[0]
    if not real:
        raise InputError(
            f"the graph gives no real numbers, only {', '.join(one.name for one in outputs)}; convert it with "
            "probabilities among its outputs."
        )
    raise InputError(
        f"the graph has {len(real)} outputs of real numbers; write output = one of {', '.join(sorted(real))}."
    )


def _task(graph: Any, chosen: Any, labelled: bool, classes: int) -> str:
    if labelled:
        width = classes or (chosen.shape[1] if len(chosen.shape) == 2 else 0)
        if isinstance(width, int) and width:
            return "multiclass" if width > 2 else "binary"
        return ""
    return "regression" if graph is not None and onnx_graph.is_regressor(graph, chosen.name) else ""


def _width(inputs: Sequence[Any]) -> int | None:
    shape = inputs[0].shape
    return shape[1] if len(shape) == 2 and isinstance(shape[1], int) else None


def _score(session: Any, output: str, frame: pd.DataFrame, task: str) -> npt.NDArray[np.float64]:
    given = feed(session.get_inputs(), frame)
    fixed = session.get_inputs()[0].shape[:1]
    size = fixed[0] if fixed and isinstance(fixed[0], int) else len(frame)
    parts = []
    for start in range(0, len(frame), size) if size else [0]:
        rows = np.arange(start, start + size).clip(max=len(frame) - 1)  # a batch of fixed size ends in copies
        raw = session.run([output], {name: values[rows] for name, values in given.items()})[0]
        parts.append([list(one.values()) for one in raw] if isinstance(raw, list) else raw)
    return in_shape(np.concatenate(parts)[: len(frame)], task)


def feed(inputs: Sequence[Any], frame: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
    """Return the rows by the names of the graph's inputs."""
    if len(inputs) > 1:
        return {one.name: _column(one, frame[one.name]) for one in inputs}
    if inputs[0].type == TEXT:
        texts = [_texts(frame[name]) for name in frame.columns]
        return {inputs[0].name: np.column_stack(texts)}
    return {inputs[0].name: matrix(frame, DTYPES[inputs[0].type])}


def _column(one: Any, values: pd.Series[Any]) -> npt.NDArray[Any]:
    cells = _texts(values) if one.type == TEXT else column(values, DTYPES[one.type])
    return cells if len(one.shape) == 1 else cells.reshape(-1, 1)


def _texts(values: pd.Series[Any]) -> npt.NDArray[np.object_]:
    if values.isna().any():
        raise InputError(f"the graph takes texts in {values.name!r}, but some are missing, and ONNX has no such text.")
    return np.array([str(value) for value in values], dtype=object)
