"""A model of another library, in the words in which :mod:`mltestscore.inputs.model` asks for scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mltestscore.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Numbers = Iterator[tuple[str, npt.NDArray[np.float64]]]

NUMERIC = ("integer", "floating", "mixed-integer-float", "boolean", "decimal", "empty")
LONGEST = 400  # characters of another library's message; some append a stack trace
A_LOADER = "name a loader under [tool.mltestscore.model]: a function of the path that returns one of a frame"


@dataclass(frozen=True)
class Loading:
    """What ``[tool.mltestscore.model]`` says of how to read the model's file.

    Attributes:
        base: the project's folder.
        table: the table of the configuration, for messages.
        allow_pickle: permission to run code of the file.
        providers: execution providers of ONNX Runtime, the preferred first; empty for the CPU.
        output: which output of an ONNX graph holds the scores; empty where there is one only.
        factory: ``"module:function"``, makes the PyTorch module that saved weights belong to.
    """

    base: Path
    table: str
    allow_pickle: bool = False
    providers: tuple[str, ...] = ()
    output: str = ""
    factory: str = ""


@dataclass(frozen=True)
class NativeModel:
    """A model of another library.

    Attributes:
        native: the library's own object.
        score: from the features in order, shape (n, d), and the task to scores as :meth:`Model.predict` gives them.
        numbers: yields the numbers inside that must be finite; see :func:`mltestscore.numerics.parameters.parameters`.
        task: see :data:`mltestscore.tasks.Task`; empty where the model does not tell.
        feature_names_in_: ``None`` where the model does not tell.
        n_features_in_: likewise.
        classes_: in the order of the scores; ``None`` where the model does not tell, or for regression.
        version: as written in the file; empty where there is none.
        close: ends what was started for it.
        any_form: whether ``score`` takes rows in every form of :mod:`mltestscore.inputs.batches`, and not a table only.
        graph: of ONNX, what the file holds and the folder of what it keeps beside it; ``None`` where it is not known.
    """

    native: Any
    score: Callable[[Any, str], object]
    numbers: Callable[[], Numbers]
    task: str = ""
    feature_names_in_: tuple[str, ...] | None = None
    n_features_in_: int | None = None
    classes_: tuple[object, ...] | None = None
    version: str = ""
    close: Callable[[], None] = lambda: None
    any_form: bool = False
    graph: tuple[Any, Path] | None = None

    def predict(self, frame: pd.DataFrame) -> object:
        """Return scores of a model that tells its task."""
        return self.score(frame, self.task)


def in_shape(raw: object, task: str) -> npt.NDArray[np.float64]:
    """Return scores in the shape of the task where only a column of one, or of the other class, is too much."""
    scores = np.asarray(raw, dtype=np.float64)
    if scores.ndim == 2 and task != "multiclass" and scores.shape[1] == 1:
        return scores[:, 0]
    if scores.ndim == 2 and task == "binary" and scores.shape[1] == 2:
        return scores[:, 1]
    return scores


def matrix(frame: pd.DataFrame, dtype: type[Any]) -> npt.NDArray[Any]:
    """Return the columns as one array of numbers, shape (n, d), missing as NaN.

    Raises :class:`InputError` that names the first column of texts, categories or dates.
    """
    return np.column_stack([column(frame[name], dtype) for name in frame.columns])


def column(values: pd.Series[Any], dtype: type[Any]) -> npt.NDArray[Any]:
    """Return one column as numbers, shape (n,), missing as NaN.

    Raises :class:`InputError` for texts, categories and dates, and for missing values or fractions in whole numbers.
    """
    import pandas as pd

    kind = pd.api.types.infer_dtype(values, skipna=True) if values.dtype == object else ""
    if kind not in NUMERIC if kind else not pd.api.types.is_numeric_dtype(values.dtype):
        raise InputError(
            f"the model takes numbers only, but {values.name!r} holds {kind or values.dtype} values; encode it inside "
            f"the model, or {A_LOADER}."
        )
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.issubdtype(np.dtype(dtype), np.floating):
        with np.errstate(over="ignore"):
            return numbers.astype(dtype)
    if not np.array_equal(numbers, np.rint(numbers)):
        raise InputError(f"the model takes whole numbers in {values.name!r}, but some are missing or have fractions.")
    if pd.api.types.is_integer_dtype(values.dtype) and not values.hasnans:
        return values.to_numpy(dtype=dtype)  # as they are: a float holds no more than 53 bits of them
    return numbers.astype(dtype)


def flat(values: Any) -> npt.NDArray[np.float64]:
    """Return numbers of any shape as shape (n,)."""
    return np.asarray(values, dtype=np.float64).ravel()


def brief(error: BaseException) -> str:
    """Return what a library says without its stack trace."""
    said = str(error).split("\nStack trace", 1)[0].strip()
    return f"{type(error).__name__}: {said[:LONGEST]}"
