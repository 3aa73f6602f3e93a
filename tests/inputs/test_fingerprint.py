"""Digests of estimators: equal only for equal models."""

import subprocess
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from mltestscore.inputs.fingerprint import artefact_digest, parameters_digest

X, Y = make_classification(300, random_state=0)


def scaled_by(factor):
    return lambda values: values * factor


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: HistGradientBoostingClassifier(max_iter=3, early_stopping=True, random_state=seed),
        lambda seed: RandomForestClassifier(3, random_state=seed),
        lambda seed: make_pipeline(StandardScaler(), LogisticRegression(C=seed + 1.0)),
        lambda seed: GridSearchCV(RandomForestClassifier(2, random_state=seed), {"max_depth": [1, 2]}, cv=2),
    ],
    ids=["boosting", "forest", "pipeline", "search"],
)
def test_equal_trainings_agree_and_other_ones_do_not(make):
    one, same, other = (parameters_digest(make(seed).fit(X, Y)) for seed in (0, 0, 1))
    assert one == same != ""
    assert one != other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (True, 1),
        ([1], (1,)),
        (["ab", "c"], ["a", "bc"]),
        (np.zeros(2), np.zeros((2, 1))),
        (np.zeros(2), np.zeros(2, dtype=np.float32)),
        (np.array(["a", None], dtype=object), np.array(["a", "b"], dtype=object)),
        (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 2], mask=[0, 0])),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]})),
        (scaled_by(2), scaled_by(3)),
        (partial(pow, 2), partial(pow, 3)),
        (np.random.default_rng(1), np.random.default_rng(2)),
        (np.random.default_rng(1).normal, np.random.default_rng(2).normal),
        (FunctionTransformer(scaled_by(2)), FunctionTransformer(scaled_by(3))),
    ],
)
def test_different_values_have_different_digests(one, other):
    assert parameters_digest(one) != parameters_digest(other)


def test_nan_equals_nan():
    assert parameters_digest([float("nan")]) == parameters_digest([float("nan")])


def test_the_order_of_a_dict_does_not_matter():
    assert parameters_digest({"a": 1, "b": {2, 3}}) == parameters_digest({"b": {3, 2}, "a": 1})


def test_a_cycle_ends():
    loop: list[object] = [1]
    loop.append(loop)
    assert parameters_digest(loop) != ""


def test_the_order_of_a_set_of_strings_does_not_matter():
    code = "from mltestscore.inputs.fingerprint import parameters_digest as d; print(d({'s': set('abcdef'), 'b': 1}))"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(seen) == 1


def test_what_cannot_be_taken_apart_has_no_digest():
    assert parameters_digest(number for number in [1]) == ""
    assert artefact_digest(scaled_by(2)) == ""


def test_bytes_of_equal_models_are_equal():
    first, second = (LogisticRegression().fit(X, Y) for _ in range(2))
    assert artefact_digest(first) == artefact_digest(second) != ""
