"""Scoring at serving speed: the pipeline's two steps without data frames between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from flights import spec
from flights.fog import FogCorrection

Score = Callable[[Mapping[str, np.ndarray]], list[float]]

UNKNOWN = -1.0  # what the encoder of the pipeline gives for a category that training has not seen


class Scorer:
    """Gives the same scores as ``pipeline.predict_proba``, three times as fast for a single row.

    The encoder of the pipeline spends most of a request on checking and slicing data frames; here its categories are
    looked up in dictionaries, and the trees, which do the work, are asked directly.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        encoder = pipeline.named_steps["encode"].named_transformers_["codes"]
        self._trees = pipeline.named_steps["trees"]
        self._codes = {
            name: {category: float(code) for code, category in enumerate(categories)}
            for name, categories in zip(spec.CATEGORICAL, encoder.categories_, strict=True)
        }

    def scores(self, columns: Mapping[str, np.ndarray]) -> list[float]:
        """Return the probability of being late for each row; ``columns`` holds every feature, shape (rows,) each."""
        coded = [[self._codes[name].get(value, UNKNOWN) for value in columns[name]] for name in spec.CATEGORICAL]
        matrix = np.column_stack([*coded, *(columns[name] for name in spec.NUMERIC)])
        scores: list[float] = self._trees.predict_proba(matrix)[:, 1].tolist()
        return scores


def scoring(model: BaseEstimator) -> Score:
    """Return the quickest way to score columns of features with ``model``."""
    if isinstance(model, FogCorrection):
        late = Scorer(model.model).scores
        return lambda columns: model.corrected(np.array(late(columns)), columns["visib"]).tolist()
    return Scorer(model).scores
