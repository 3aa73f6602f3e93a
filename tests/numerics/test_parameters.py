"""Parameters are reached through pipelines and ensembles, and those that are not finite are named."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from mltestscore.numerics.parameters import not_finite, parameters

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 3))
Y = (X[:, 0] + 0.1 * RNG.normal(size=90) > 0).astype(int)


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        GaussianNB(),
        SVC(),
        MLPRegressor(hidden_layer_sizes=(3,), max_iter=2000, tol=1),
        RandomForestClassifier(n_estimators=3),
        GradientBoostingClassifier(n_estimators=3),
        HistGradientBoostingClassifier(max_iter=3),
        make_pipeline(StandardScaler(), LogisticRegression()),
        GridSearchCV(Ridge(), {"alpha": [1, 2]}, cv=2),
        CalibratedClassifierCV(LogisticRegression(), cv=2),
        TransformedTargetRegressor(Ridge()),
        StackingClassifier([("one", GaussianNB())], cv=2),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_parameters_are_reached_and_finite(estimator):
    unsound, count = not_finite(estimator.fit(X, Y))
    assert unsound == []
    assert count > 0


def test_a_leaf_that_is_not_finite_is_found():
    forest = RandomForestClassifier(n_estimators=3).fit(X, Y)
    forest.estimators_[1].tree_.value[0, 0, 0] = np.nan
    assert not_finite(forest)[0] == ["estimators_[1].tree_.value"]


def test_a_weight_inside_a_pipeline_is_found_by_name():
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
    fitted[-1].coef_[0, :2] = [np.inf, np.nan]
    assert not_finite(fitted)[0] == ["logisticregression.coef_"] * 2


def test_a_model_of_another_kind_has_no_parameters_to_reach():
    assert list(parameters(lambda frame: frame)) == []
