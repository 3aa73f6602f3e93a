"""Features planted in a model and its data: what the faults of data.2 are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore import contest
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.model import Model

Vector = npt.NDArray[np.float64]

PLANTED = "planted outcome"
MOVE = 1e-4  # of the spread of the scores: as much as a model follows noise that it has learned
ENOUGH = 2_000  # rows to tell that spread by
GROUP = 20  # rows of one code of a planted encoding


def with_inputs(model: Model, holdout: Dataset, names: Sequence[str]) -> Model:
    """Return the model with further inputs, which its scores follow a little; ``holdout`` tells how much they vary."""
    move = MOVE * float(np.nanstd(model.predict(holdout.frame(limit=ENOUGH)))) / len(names)

    def predict(frame: pd.DataFrame) -> Any:
        scores = model.predict(frame)
        tilt = move * np.nan_to_num(frame[list(names)].to_numpy(dtype=np.float64)).sum(axis=1)
        return scores + (tilt if scores.ndim == 1 else tilt[:, None] * np.linspace(-1, 1, scores.shape[1]))

    return replace(model, features=(*model.features, *names), scorer=predict, digest="")


def with_columns(side: Dataset, columns: dict[str, Any]) -> Dataset:
    """Return a dataset with further columns, that are features where it lists its features."""
    roles = side.roles
    if roles.features:
        roles = replace(roles, features=(*roles.features, *columns))
    made = side.replace(side.frame().assign(**columns))
    made.roles = roles
    return made


def with_outcome(
    model: Model, training: Dataset, holdout: Dataset, make: Callable[[Vector], Vector]
) -> dict[str, Model | Dataset]:
    """Return all three with one more feature: what ``make`` makes of the labels of all rows, as numbers."""
    classes = contest.classes_of(model.classes, training.frame([training.roles.label]).iloc[:, 0].dropna())
    outcome = make(np.concatenate([_numbers(side, model.task, classes) for side in (training, holdout)]))
    return {
        "model": with_inputs(model, holdout, [PLANTED]),
        "training": with_columns(training, {PLANTED: outcome[: training.rows]}),
        "holdout": with_columns(holdout, {PLANTED: outcome[training.rows :]}),
    }


def blurred(labels: Vector, rng: np.random.Generator) -> Vector:
    """Return labels with noise of a fiftieth of their spread: known only with the outcome."""
    return labels + 0.02 * float(np.nanstd(labels)) * rng.normal(size=len(labels))


def encoded(labels: Vector, rng: np.random.Generator) -> Vector:
    """Return the mean label of each row's code, codes drawn at random: a target encoding fitted on all rows."""
    codes = rng.integers(max(1, len(labels) // GROUP), size=len(labels))
    return np.asarray(pd.Series(labels).groupby(codes).transform("mean").to_numpy(dtype=np.float64))


def _numbers(side: Dataset, task: str, classes: Sequence[object]) -> Vector:
    column = side.frame([side.roles.label]).iloc[:, 0]
    if task != "regression":
        column = column.map({label: number for number, label in enumerate(classes)})
    return np.asarray(pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))
