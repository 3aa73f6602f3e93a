"""Training: gradient-boosted trees on the features of the training path."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import threadpool_limits

from flights import spec
from flights.switches import broken

PARAMETERS = {
    "learning_rate": 0.15,
    "max_iter": 60,
    "max_leaf_nodes": 63,
    "min_samples_leaf": 300,
    "l2_regularization": 1.0,
    "max_features": 0.5,
    "early_stopping": False,
}


def tree_settings(given: Mapping[str, object] | None = None) -> dict[str, object]:
    """Return the settings of the trees, those that are ``given`` in place of our own."""
    if broken("model.5"):  # pragma: no cover - only under the switch
        overfit = {"learning_rate": 1.0, "max_leaf_nodes": 500, "min_samples_leaf": 1, "l2_regularization": 0.0}
        return PARAMETERS | dict(given or {}) | overfit
    return PARAMETERS | dict(given or {})


def specified(seed: int, parameters: Mapping[str, object] | None = None) -> Pipeline:
    """Return the pipeline before it is fitted; see :func:`train`."""
    classifier = HistGradientBoostingClassifier(
        **tree_settings(parameters),
        random_state=None if broken("infra.1") else seed,
    )
    # The codes go in as numbers, although their order means nothing: as categories they would win 0.005 of the area
    # under the curve, and encoding them once more would triple the time of an answer.
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    encode = ColumnTransformer(
        [("codes", codes, list(spec.CATEGORICAL))], remainder="passthrough", verbose_feature_names_out=False
    )
    return Pipeline([("encode", encode), ("trees", classifier)])


def train(frame: pd.DataFrame, seed: int, parameters: Mapping[str, object] | None = None) -> Pipeline:
    """Return the pipeline fitted on ``frame``, which holds ``spec.FEATURES`` and the label.

    ``seed`` decides which features a split may look at; the same frame and seed give the same model. ``parameters``
    take the place of settings of the trees, for a search.
    """
    frame = _spoiled(frame, seed)
    pipeline = specified(seed, parameters)
    with threadpool_limits(limits=1):  # several threads win little here, and lose much where they share their cores
        return pipeline.fit(frame[list(spec.FEATURES)], frame[spec.LABEL])


def _spoiled(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the rows as they are, or with the wrong labels or the gap that a switch of the demonstration makes."""
    if broken("model.4"):  # pragma: no cover - like all of these
        return frame[frame[spec.TIME] > frame[spec.TIME].max() - pd.Timedelta(days=120)]
    drawn = np.random.default_rng(seed).random(len(frame))
    if broken("model.6"):  # pragma: no cover
        wrong = (frame["carrier"] == "WN") & (drawn < 0.4)
        return frame.assign(**{spec.LABEL: frame[spec.LABEL].where(~wrong, 1 - frame[spec.LABEL])})
    if broken("model.7"):  # pragma: no cover
        return frame[(frame["origin"] != "LGA") | (frame[spec.LABEL] == 0) | (drawn >= 0.6)]
    return frame
