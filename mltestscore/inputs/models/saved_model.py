"""TensorFlow's SavedModel folders, asked through one of their signatures.

Source: TensorFlow's guide, "Using the SavedModel format": signatures; "Using TensorFlow securely": a model is a
program, whose operations can read and write files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mltestscore.errors import InputError, near
from mltestscore.inputs.models.folders import ReadFile, needs_permission
from mltestscore.inputs.models.native import Loading, NativeModel, column, in_shape, matrix

if TYPE_CHECKING:
    import pandas as pd

SIGNATURE = "serving_default"
MOST = 10_000  # rows in one call: activations of more could fill the memory


def read(folder: Path, loading: Loading, read_file: ReadFile) -> NativeModel:
    """Load the folder and take its signature: columns of their own names, or one matrix of all features.

    ``output`` of the configuration chooses among several outputs.

    Raises :class:`InputError` without permission, TensorFlow, a signature of numbers or texts, or a choice of output.
    """
    needs_permission(folder, loading, "a SavedModel", "the operations of its graph can read and write files")
    try:
        import tensorflow as tf  # type: ignore[import-untyped,unused-ignore]  # its stubs are a package of their own
    except ImportError as error:
        raise InputError(
            f"{loading.table} path: {folder} is a SavedModel, but tensorflow cannot be imported ({error}); install "
            "tensorflow-cpu, or name python = the interpreter of an environment that has it, and a loader."
        ) from error
    loaded = tf.saved_model.load(str(folder))
    asked = _signature(loaded, folder, loading)
    inputs = dict(asked.structured_input_signature[1])
    output = _output(asked.structured_outputs, folder, loading)
    whole = _is_matrix(inputs)
    return NativeModel(
        native=_Kept(loaded, asked),
        score=partial(_score, asked, inputs, output, whole),
        numbers=partial(_numbers, loaded),
        feature_names_in_=None if whole else tuple(inputs),
        n_features_in_=next(iter(inputs.values())).shape[1] if whole else len(inputs),
    )


class _Kept:
    """What must live as long as the model: the signature does not keep the object that it belongs to."""

    def __init__(self, loaded: Any, asked: Any) -> None:
        self.loaded, self.asked = loaded, asked


def _signature(loaded: Any, folder: Path, loading: Loading) -> Any:
    found = getattr(loaded, "signatures", {})
    if SIGNATURE in found:
        return found[SIGNATURE]
    if len(found) == 1:
        return next(iter(found.values()))
    has = ", ".join(found) or "none"
    raise InputError(
        f"{loading.table} path: {folder} has no signature {SIGNATURE!r} (signatures: {has:.200}); save it with one "
        "(Keras: model.export), or name a loader."
    )


def _is_matrix(inputs: dict[str, Any]) -> bool:
    """Whether one input takes all features, shape (n, d)."""
    return len(inputs) == 1 and next(iter(inputs.values())).shape.rank == 2


def _output(outputs: dict[str, Any], folder: Path, loading: Loading) -> str:
    if loading.output:
        if loading.output not in outputs:
            raise InputError(
                f"{loading.table} output is {loading.output!r}, which {folder} does not answer."
                f"{near(loading.output, outputs)}"
            )
        return loading.output
    if len(outputs) == 1:
        return next(iter(outputs))
    names = ", ".join(sorted(outputs))
    raise InputError(f'{loading.table} path: {folder} answers {names:.200}; choose one: output = "…".')


def _numbers(loaded: Any) -> Iterator[tuple[str, npt.NDArray[np.float64]]]:
    for variable in getattr(loaded, "variables", ()):
        if variable.dtype.is_floating:
            yield str(variable.name), np.asarray(variable.numpy(), dtype=np.float64).ravel()


def _score(
    asked: Any, inputs: dict[str, Any], output: str, whole: bool, frame: pd.DataFrame, task: str
) -> npt.NDArray[np.float64]:
    parts = [
        _answer(asked, inputs, output, whole, frame.iloc[start : start + MOST])
        for start in range(0, max(1, len(frame)), MOST)
    ]
    return in_shape(np.concatenate(parts), task)


def _answer(asked: Any, inputs: dict[str, Any], output: str, whole: bool, frame: pd.DataFrame) -> npt.NDArray[Any]:
    import tensorflow as tf

    if whole:
        name, spec = next(iter(inputs.items()))
        given = {name: tf.constant(matrix(frame, spec.dtype.as_numpy_dtype), dtype=spec.dtype)}
    else:
        given = {name: _tensor(frame[name], spec) for name, spec in inputs.items()}
    return np.asarray(asked(**given)[output].numpy())


def _tensor(values: pd.Series[Any], spec: Any) -> Any:
    """Return a column as the tensor that the signature takes: shape (n,) or (n, 1)."""
    import tensorflow as tf

    if spec.dtype == tf.string:
        texts: Sequence[Any] = ["" if value is None or value != value else str(value) for value in values]
        cells: npt.NDArray[Any] = np.array(texts, dtype=object)
    else:
        cells = column(values, spec.dtype.as_numpy_dtype)
    return tf.constant(cells[:, None] if spec.shape.rank == 2 else cells, dtype=spec.dtype)
