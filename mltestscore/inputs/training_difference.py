"""How far two trainings are from each other: the ladder bytes, parameters, predictions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.details import Table
from mltestscore.inputs.trainer import Trained


@dataclass(frozen=True)
class Difference:
    """Two trainings compared on one probe.

    Attributes:
        same_bytes: the pickled estimators are the same, to the byte.
        same_parameters: parameters and fitted attributes are the same.
        rows: of the probe.
        differing: rows with any difference, NaN being equal to NaN.
        one_sided: rows that only one training gave a finite prediction, or the same number of outputs.
        largest: largest absolute difference of two finite predictions; 1 for two different class names.
        constant: both gave every row the same prediction, so that predictions cannot tell the models apart.
    """

    same_bytes: bool
    same_parameters: bool
    rows: int
    differing: int
    one_sided: int
    largest: float
    constant: bool

    @property
    def same_model(self) -> bool:
        """Whether bytes or parameters show that it is one model."""
        return self.same_bytes or self.same_parameters

    def within(self, tolerance: float) -> bool:
        """Whether it is one model, or no prediction differs by more than ``tolerance``."""
        return self.same_model or (self.one_sided == 0 and self.largest <= tolerance)


def compare(first: Trained, second: Trained) -> Difference:
    """Compare two trainings whose predictions are for the same rows.

    >>> import numpy as np
    >>> one, two = (Trained("", "", np.array([np.nan, 0.5, p]), 1.0, 1) for p in (0.25, 0.75))
    >>> found = compare(one, two)
    >>> found.differing, found.largest, found.one_sided
    (1, 0.5, 0)
    """
    left, right = (_by_row(trained.predictions) for trained in (first, second))
    rows = len(left)
    if left.shape != right.shape or left.dtype.kind != right.dtype.kind:
        differing, one_sided, largest = rows, rows, 0.0
    elif left.dtype.kind in "US":
        differing, one_sided = int((left != right).any(axis=1).sum()), 0
        largest = float(differing > 0)
    else:
        differing, one_sided, largest = _numbers(left, right)
    return Difference(
        same_bytes=first.artefact_digest == second.artefact_digest != "",
        same_parameters=first.parameters_digest == second.parameters_digest != "",
        rows=rows,
        differing=differing,
        one_sided=one_sided,
        largest=largest,
        constant=_constant(left) and _constant(right),
    )


def _by_row(predictions: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return predictions with one row a probe row; numbers and booleans as float64."""
    rows, *outputs = predictions.shape or (1,)
    table = predictions.reshape(rows, math.prod(outputs))
    return table if table.dtype.kind in "US" else table.astype(np.float64)


def _numbers(left: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> tuple[int, int, float]:
    """Return rows that differ, rows where only one side is finite, and the largest difference of two finite values."""
    same = (left == right) | (np.isnan(left) & np.isnan(right))
    finite = np.isfinite(left) & np.isfinite(right)
    apart = np.abs(np.where(finite, left, 0.0) - np.where(finite, right, 0.0))
    differing, one_sided = (~same).any(axis=1), (~same & ~finite).any(axis=1)
    return int(differing.sum()), int(one_sided.sum()), float(apart.max(initial=0.0))


def _constant(table: npt.NDArray[Any]) -> bool:
    return len(table) > 0 and bool((table == table[:1]).all())


def ladder(first: Trained, second: Trained, found: Difference, label: pd.Series[Any] | None) -> Table:
    """Return what was compared, rung by rung; ``label`` adds the error of each training on the probe."""
    rungs: list[tuple[str, str, str, bool]] = [
        ("artefact bytes", first.artefact_digest[:12], second.artefact_digest[:12], found.same_bytes),
        ("parameters", first.parameters_digest[:12], second.parameters_digest[:12], found.same_parameters),
        ("predictions", "", f"largest difference {found.largest:.3g}", found.differing == 0),
    ]
    errors = [_squared_error(trained, label) for trained in (first, second)]
    if None not in errors:
        rungs.append(
            ("mean squared error on the probe", f"{errors[0]:.9g}", f"{errors[1]:.9g}", errors[0] == errors[1])
        )
    return Table("Ladder", ["compared", "training 1", "training 2", "same"], rungs)


def _squared_error(trained: Trained, label: pd.Series[Any] | None) -> float | None:
    """Return the mean squared error (the Brier score of a binary 0/1 label), or None where labels are no numbers."""
    scores = trained.predictions
    if (
        label is None
        or scores.shape != label.shape
        or scores.dtype.kind not in "fiub"
        or label.dtype.kind not in "fiub"
    ):
        return None
    squares = np.square(scores.astype(float) - label.to_numpy(dtype=float, na_value=np.nan))
    squares = squares[np.isfinite(squares)]
    return float(squares.mean()) if len(squares) else None
