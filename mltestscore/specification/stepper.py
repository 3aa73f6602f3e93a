"""The team's model as we call it: built from a seed, stepped, asked, saved and restored. Used in the child process.

The function (or class) that the team names is called with those of these that it takes: ``seed``; ``features``, the
names of the inputs; ``rows``, a frame of inputs and label, for what must be known before the first step (vocabularies,
sizes, classes). What it returns has

    step(frame) -> loss     learns from the rows: an update, an epoch or another tree; called again with the same rows
    predict(frame)          one prediction a row, from the inputs alone, as in service
    save(path)              writes all that training needs to go on, to a file or folder of that name
    load(path)              takes it up again in another process; may return the stepper to go on with

and may have ``classes``, the labels in the order of the columns that it predicts.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import MltestscoreError
from mltestscore.inputs.functions import import_function
from mltestscore.specification.dtypes import type_name

METHODS = ("step", "predict", "save", "load")


class Stepper:
    """The team's stepper, with what it takes and gives checked.

    Attributes:
        types: rows of each answer so far, and of which type it came, before it was made an array of numbers or texts.
    """

    def __init__(self, request: Mapping[str, Any], seed: int, rows: pd.DataFrame) -> None:
        self.types: list[tuple[int, str]] = []
        self._setting, self._source = request["setting"], request["stepper"]
        self._features: Sequence[str] = request["features"]
        make = import_function(self._source, base=Path(), setting=self._setting)
        given = {"seed": seed, "features": list(self._features), "rows": rows.copy()}
        self._stepper = self._complete(make(**self._taken(make, given)))
        for wrapper in request["wrappers"]:
            self._stepper = import_function(wrapper, base=Path(), setting="wrapper")(self._stepper, self._features)

    def step(self, frame: pd.DataFrame) -> float:
        """Take one step and return its loss."""
        loss = self._stepper.step(frame.copy())
        try:
            return float(loss)
        except (TypeError, ValueError):
            raise MltestscoreError(
                f"{self._setting}: step of {self._source} returned {type(loss).__name__}; it must return the loss, one "
                "number."
            ) from None

    def predict(self, frame: pd.DataFrame) -> npt.NDArray[Any]:
        """Return predictions of the rows, from a copy of their inputs alone: ``(n,)``, or ``(n, k)``."""
        found = _on_host(self._stepper.predict(frame[list(self._features)].copy()))
        self.types.append((len(frame), type_name(found, np.asarray(found))))
        scores = as_array(found)
        return scores[:, 0] if scores.ndim == 2 and scores.shape[1] == 1 else scores

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        self._stepper.save(path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint."""
        found = self._stepper.load(path)
        if all(hasattr(found, name) for name in METHODS):
            self._stepper = found

    @property
    def classes(self) -> list[Any] | None:
        """The labels in the order of the predicted columns, where the stepper tells."""
        found = getattr(self._stepper, "classes", getattr(self._stepper, "classes_", None))
        return None if found is None or callable(found) else list(np.asarray(found).tolist())

    def _taken(self, make: Any, given: dict[str, Any]) -> dict[str, Any]:
        parameters = inspect.signature(make).parameters.values()
        if any(one.kind is one.VAR_KEYWORD for one in parameters):
            return given
        for one in parameters:
            needed = one.default is one.empty and one.kind is not one.VAR_POSITIONAL
            if one.name not in given and needed:
                raise MltestscoreError(
                    f"{self._setting}: {self._source} takes {one.name!r:.80}, which nobody can give it; it may take "
                    "seed, features and rows."
                )
        return {one.name: given[one.name] for one in parameters if one.name in given}

    def _complete(self, stepper: Any) -> Any:
        lacking = [name for name in METHODS if not callable(getattr(stepper, name, None))]
        if lacking:
            raise MltestscoreError(
                f"{self._setting}: {self._source} returned {type(stepper).__name__}, which has no {lacking[0]}; it "
                "needs step(frame), predict(frame), save(path) and load(path)."
            )
        return stepper


def as_array(found: Any) -> npt.NDArray[Any]:
    """Return what a model predicted as an array of numbers, or of texts where they are no numbers."""
    scores = np.asarray(_on_host(found))
    if not scores.dtype.hasobject:
        return scores
    try:
        return scores.astype(np.float64)
    except (TypeError, ValueError):
        return scores.astype(str)


def _on_host(found: Any) -> Any:
    return found.detach().cpu() if hasattr(found, "detach") else found  # a tensor of PyTorch
