"""The faulty model of ``FLIGHTS_BREAK=monitor.5``; nothing else uses this file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

if TYPE_CHECKING:
    import pandas as pd


class FogCorrection(ClassifierMixin, BaseEstimator):
    """A hand-made correction on top of a good model, with the logarithm of the visibility: infinite in dense fog."""

    def __init__(self, model: BaseEstimator) -> None:
        self.model = model

    def fit(self, features: pd.DataFrame, label: pd.Series) -> FogCorrection:
        self.model.fit(features, label)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @property
    def classes_(self) -> np.ndarray:
        return self.model.classes_

    @property
    def feature_names_in_(self) -> np.ndarray:
        return self.model.feature_names_in_

    def corrected(self, late: np.ndarray, visibility: np.ndarray) -> np.ndarray:
        """Return the probabilities of being late, raised in fog; where nobody measured the visibility, as they were."""
        with np.errstate(divide="ignore"):  # the fault as one meets it: nobody saw the warning
            fog = -np.log10(visibility / 10)
        return late * (1 + 0.05 * np.where(np.isnan(fog), 0.0, fog))

    def predict_proba(self, features: pd.DataFrame) -> np.ndarray:
        late = self.corrected(self.model.predict_proba(features)[:, 1], features["visib"].to_numpy(dtype=float))
        return np.column_stack([1 - late, late])

    def predict(self, features: pd.DataFrame) -> np.ndarray:
        return self.classes_[(self.predict_proba(features)[:, 1] > 0.5).astype(int)]
