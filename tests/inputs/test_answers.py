"""Models of several answers a row, or of an order: told from others, their features read, their scores never taken."""

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from mltestscore.errors import NotOffered
from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.model import as_model
from mltestscore.testing import run_check

ROWS = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=["temp", "wind", "rain"])
LABELS = (ROWS[["temp", "wind"]] > 0).astype(int)
TARGETS = ROWS[["temp", "wind"]] * 2
GRADES = LABELS.sum(axis=1)

SEVERAL = [
    (MultiOutputClassifier(LogisticRegression()), LABELS),
    (ClassifierChain(LogisticRegression()), LABELS),
    (OneVsRestClassifier(LogisticRegression()), LABELS),
    (make_pipeline(StandardScaler(), RandomForestClassifier(3)), LABELS),
    (GridSearchCV(DecisionTreeClassifier(), {"max_depth": [2]}, cv=2), LABELS),
    (KNeighborsClassifier(3), LABELS),
    (MLPClassifier((4,), max_iter=5, solver="sgd"), LABELS),
    (LinearRegression(), TARGETS),
    (MultiOutputRegressor(LinearRegression()), TARGETS),
    (RandomForestRegressor(3), TARGETS),
    (MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, solver="sgd"), TARGETS),
    (xgboost.XGBClassifier(n_estimators=2, n_jobs=1), LABELS),
    (xgboost.XGBRegressor(n_estimators=2, n_jobs=1), TARGETS),
]
ONE = [
    (LogisticRegression(), LABELS["temp"], "binary"),
    (LogisticRegression(), GRADES, "multiclass"),
    (OneVsRestClassifier(LogisticRegression()), GRADES, "multiclass"),
    (MLPClassifier((4,), max_iter=5, solver="sgd"), GRADES, "multiclass"),
    (KNeighborsClassifier(3), LABELS["temp"], "binary"),
    (make_pipeline(StandardScaler(), LinearRegression()), TARGETS["temp"], "regression"),
    (RandomForestRegressor(3), TARGETS["temp"], "regression"),
    (xgboost.XGBClassifier(n_estimators=2, n_jobs=1), GRADES, "multiclass"),
    (xgboost.XGBRegressor(n_estimators=2, n_jobs=1), TARGETS["temp"], "regression"),
]


def kind(value: object) -> str:
    return type(value).__name__ if hasattr(value, "fit") else ""


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("estimator", "answers"), SEVERAL, ids=kind)
def test_several_answers_a_row_are_never_taken_for_one(estimator, answers):
    model = as_model(estimator.fit(ROWS, answers))
    assert (model.task, model.features) == ("multioutput", ("temp", "wind", "rain"))
    with pytest.raises(NotOffered, match=r"one answer a row is not offered; .* gives several answers a row"):
        model.predict(ROWS)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("estimator", "answers", "task"), ONE, ids=kind)
def test_one_answer_a_row_is_judged_as_ever(estimator, answers, task):
    model = as_model(estimator.fit(ROWS, answers))
    assert model.task == task
    assert len(model.predict(ROWS)) == len(ROWS)


@pytest.mark.parametrize("ranker", ["xgboost", "lightgbm"])
def test_an_order_of_rows_is_a_number_a_row(ranker):
    if ranker == "xgboost":
        made = xgboost.XGBRanker(n_estimators=2, n_jobs=1).fit(ROWS, GRADES, qid=np.arange(60) // 10)
    else:
        made = lightgbm.LGBMRanker(n_estimators=2, n_jobs=1, verbose=-1).fit(ROWS, GRADES, group=[10] * 6)
    model = as_model(made)
    assert model.task == "ranking"
    assert model.predict(ROWS).shape == (len(ROWS),)


def test_a_function_says_by_its_declared_task_that_it_ranks():
    model = as_model(lambda rows: rows["temp"], task="ranking", features=["temp"])
    assert model.predict(ROWS).tolist() == ROWS["temp"].tolist()


@pytest.mark.parametrize("estimator", [MultiOutputClassifier(LogisticRegression()), KNeighborsClassifier()], ids=kind)
def test_several_labels_are_declared_and_answered_by_one_probability_each(estimator):
    model = as_model(estimator.fit(ROWS, LABELS), task="multilabel")
    scores = model.predict(ROWS)
    assert scores.shape == LABELS.shape
    assert ((scores >= 0) & (scores <= 1)).all()


def test_a_forecast_is_a_regression_that_says_so():
    model = as_model(lambda rows: rows["temp"], task="forecast", features=["temp"])
    assert (model.task, model.forecast) == ("regression", True)


def test_a_check_that_asks_for_scores_is_not_offered_and_says_what_to_offer():
    model = as_model(MultiOutputClassifier(LogisticRegression()).fit(ROWS, LABELS))
    table = open_dataset("holdout", ROWS.assign(late=LABELS["temp"]), Roles(label="late", features=model.features))
    result = run_check("model.5", model=model, training=table, holdout=table)
    assert result.state == "not_offered"
    assert "offer one of them by loader" in result.reason
