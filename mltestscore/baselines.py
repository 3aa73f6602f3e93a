"""Three simple models fitted fairly: a constant, a linear model and a small tree, on the same rows and features.

Fair means that numbers are imputed and scaled, categories encoded, words weighted and arrays laid out as numbers before
the linear model sees them: a baseline that is crippled by its input proves nothing about the model that beats it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore import unstructured
from mltestscore.errors import InputError, NotOffered
from mltestscore.features.groups import as_numbers, is_number
from mltestscore.inputs.heuristics import TABLE, Heuristics, as_scores

if TYPE_CHECKING:
    from mltestscore.contest import Lesson
    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.model import Model

Scores = npt.NDArray[np.float64]

MOST_CATEGORIES = 20  # of one feature; rarer ones share a column, so that codes do not blow up the design
MOST_WORDS = 2_000  # of one free text, the most frequent ones
ITERATIONS = 200
LEAF_SHARE = 0.005


@dataclass(frozen=True)
class Baseline:
    """A fitted simple model.

    Attributes:
        name: for the reader.
        predict: from a frame with the features to scores in the shape of :meth:`Model.predict`.
        seconds: wall time of fitting it, its share of the common preparation included.
        trained: whether it looks at the features; false for the constant.
    """

    name: str
    predict: Callable[[pd.DataFrame], Scores]
    seconds: float
    trained: bool


def fit_baselines(
    frame: pd.DataFrame, features: Sequence[str], y: npt.NDArray[Any], *, task: str, classes: int, median: bool = False
) -> tuple[Baseline, ...]:
    """Fit the constant, the linear model and the depth-3 tree.

    Args:
        frame: training rows, with the features in any dtype; missing values are welcome.
        features: the columns that the baselines may use: those of the model they are compared with.
        y: shape (n,), class numbers from 0, values or grades; shape (n, k) of 0 and 1 for several labels.
        task: as of the model.
        classes: how many classes there are; scores have that many columns in a multiclass task.
        median: for regression, whether the constant is the median rather than the mean.

    Raises :class:`InputError` for training labels of one value only: nothing can be learned from them.
    """
    if task == "ranking":  # each row for itself: how relevant it is orders the rows of a query
        task = "regression"
    if len(np.unique(y)) < 2:
        raise InputError(f"all {len(y)} labels of the training rows are the same; is the label column the right one?")
    started = perf_counter()
    design = _Design(frame, features)
    matrix = design.matrix(frame)
    shared = (perf_counter() - started) / 2
    fitted = [Baseline("constant", _constant(y, task, classes, median), 0.0, False)]
    for name, estimator in _estimators(task, len(y)).items():
        started = perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a baseline that stops before full convergence is still a baseline
            estimator.fit(matrix, y)
        predict = _predict(estimator, design, task, classes)
        fitted.append(Baseline(name, predict, shared + perf_counter() - started, True))
    return tuple(fitted)


def ruled(
    heuristics: Heuristics, lesson: Lesson, rows: pd.DataFrame, model: Model, training: Dataset, holdout: Dataset
) -> list[Baseline]:
    """Return a team's rules as baselines for some rows of the holdout; without an answer they give the constant's.

    A rule that answers for no row is left out. Raises :class:`InputError` as :meth:`Heuristics.answers` does.
    """
    if model.task == "multilabel":
        raise NotOffered(
            "rules of several labels", f"a rule gives one answer a row: remove {TABLE}, or offer one label"
        )
    otherwise = lesson.baselines[0].predict(rows)
    found = []
    for name, answers in heuristics.answers(rows, training, holdout).items():
        scores, missing = as_scores(answers, otherwise, model.task, lesson.classes)
        told = f"{name} ({missing:,} rows without an answer)" if missing else name
        if missing < len(rows):
            found.append(Baseline(told, partial(_given, scores), 0.0, False))
    return found


def _given(scores: Scores, _: pd.DataFrame) -> Scores:
    return scores


class _Design:
    """Numbers imputed by the median with a mark where they were missing, and scaled; categories as indicators.

    Free texts are weighted words (TF-IDF); arrays are numbers, a column a cell.
    """

    def __init__(self, frame: pd.DataFrame, features: Sequence[str]) -> None:
        from sklearn.compose import ColumnTransformer
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        self.numbers = [name for name in features if is_number(frame[name])]
        self.arrays = {
            name: unstructured.size_of(frame[name]) for name in features if unstructured.is_array(frame[name])
        }
        self.texts = [name for name in features if unstructured.is_free_text(frame[name])]
        others = {*self.numbers, *self.arrays, *self.texts}
        self.categories = [name for name in features if name not in others]
        imputed = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        encoded = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MOST_CATEGORIES)
        plain = self._plain(frame)
        known = {*self.categories, *self.texts}
        self.transformer = ColumnTransformer(
            [
                ("numbers", make_pipeline(imputed, StandardScaler()), [name for name in plain if name not in known]),
                ("categories", encoded, self.categories),
                *(
                    (f"words {place}", TfidfVectorizer(max_features=MOST_WORDS), name)
                    for place, name in enumerate(self.texts)
                ),
            ]
        ).fit(plain)

    def matrix(self, frame: pd.DataFrame) -> Any:
        return self.transformer.transform(self._plain(frame))

    def _plain(self, frame: pd.DataFrame) -> pd.DataFrame:
        columns = {name: as_numbers(frame[name]) for name in self.numbers}
        for name, size in self.arrays.items():
            laid = unstructured.cells(frame[name], size)
            columns |= {f"{name}[{cell}]": laid[:, cell] for cell in range(laid.shape[1])}
        columns |= {name: _as_texts(frame[name]) for name in (*self.categories, *self.texts)}
        return pd.DataFrame(columns, index=frame.index)


def _as_texts(column: pd.Series[Any]) -> npt.NDArray[Any]:
    present = column.notna().to_numpy()
    texts = np.full(len(column), "(missing)", dtype=object)
    texts[present] = [str(value) for value in column[present]]
    return texts


def _constant(y: npt.NDArray[Any], task: str, classes: int, median: bool) -> Callable[[pd.DataFrame], Scores]:
    if task == "multiclass":
        shares = np.bincount(y, minlength=classes) / len(y)
        return lambda frame: np.tile(shares, (len(frame), 1))
    if task == "multilabel":
        means = y.mean(axis=0)
        return lambda frame: np.tile(means, (len(frame), 1))
    value = float(np.median(y) if median and task == "regression" else np.mean(y))
    return lambda frame: np.full(len(frame), value)


def _estimators(task: str, rows: int) -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    leaf = max(5, int(LEAF_SHARE * rows))
    if task == "multilabel":
        from sklearn.multiclass import OneVsRestClassifier

        return {
            "logistic regression of each label": OneVsRestClassifier(LogisticRegression(max_iter=ITERATIONS)),
            "tree of depth 3": DecisionTreeRegressor(max_depth=3, min_samples_leaf=leaf, random_state=0),
        }
    if task == "regression":
        return {
            "ridge regression": Ridge(),
            "tree of depth 3": DecisionTreeRegressor(max_depth=3, min_samples_leaf=leaf, random_state=0),
        }
    return {
        "logistic regression": LogisticRegression(max_iter=ITERATIONS),
        "tree of depth 3": DecisionTreeClassifier(max_depth=3, min_samples_leaf=leaf, random_state=0),
    }


def _predict(estimator: Any, design: _Design, task: str, classes: int) -> Callable[[pd.DataFrame], Scores]:
    def predict(frame: pd.DataFrame) -> Scores:
        matrix = design.matrix(frame)
        if task == "regression" or not hasattr(estimator, "predict_proba"):
            return np.asarray(estimator.predict(matrix), dtype=np.float64)
        if task == "multilabel":
            return np.asarray(estimator.predict_proba(matrix), dtype=np.float64)
        shares = np.zeros((len(frame), classes))
        shares[:, estimator.classes_.astype(int)] = estimator.predict_proba(matrix)
        return shares[:, 1] if task == "binary" else shares

    return predict
