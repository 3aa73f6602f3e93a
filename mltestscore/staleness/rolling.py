"""Many trainings in one process: one for each lesson of a frame, and one answer that holds the answers of all.

Runs in the training's own process (:mod:`mltestscore.inputs.training_process`), as the function that
:func:`mltestscore.inputs.trainer.Trainer.wrapped` names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import MltestscoreError
from mltestscore.inputs.model import own_features
from mltestscore.inputs.training_process import predict

LESSON = "mltestscore_lesson"
"""The column that numbers the lessons of a frame from 0; the training function never sees it."""

WRAPPER = f"{__name__}:each_lesson"
LABELS_WRAPPER = f"{__name__}:each_lesson_of_labels"

Train = Callable[..., object]


class Models:
    """Models of several lessons; it lives as long as the process and is not written anywhere."""

    def __init__(self, models: list[object], features: list[str], source: str, *, labels: bool = False) -> None:
        self._models, self._features, self._source, self._labels = models, features, source, labels
        if named := sorted({name for model in models for name in own_features(model)}):
            self.feature_names_in_ = named

    def __reduce_ex__(self, protocol: Any) -> str:
        raise TypeError("models of several lessons are not written")

    def predict(self, rows: pd.DataFrame) -> npt.NDArray[Any]:
        """Return the scores of all models side by side: ``(n, lessons)``, or ``(n, lessons * classes or labels)``."""
        scores = [predict(model, rows, self._features, self._source, labels=self._labels) for model in self._models]
        shapes = sorted({one.shape for one in scores})
        if len(shapes) > 1:
            raise MltestscoreError(
                f"{self._source}: models of several lessons answer in different shapes, {shapes[0]} and {shapes[1]}. "
                "Let the training function return one kind of estimator with all classes."
            )
        return np.column_stack(scores)


def each_lesson(train: Train, *, labels: bool = False) -> Train:
    """Return a training function that trains once a lesson, with the same seed; ``labels``: a row has several."""

    def trained(frame: pd.DataFrame, seed: int, **parameters: Any) -> Models:
        lessons = [rows.drop(columns=LESSON).reset_index(drop=True) for _, rows in frame.groupby(LESSON, sort=True)]
        features = [name for name in frame.columns if name != LESSON]
        models = [train(rows, seed, **parameters) for rows in lessons]
        return Models(models, features, getattr(train, "__name__", "the training function"), labels=labels)

    return trained


def each_lesson_of_labels(train: Train) -> Train:
    """Return the same for models of several labels, whose probabilities of each are kept."""
    return each_lesson(train, labels=True)
