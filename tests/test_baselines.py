"""The baselines are fair: scale, encoding and missing values of the features do not cripple them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.baselines import MOST_CATEGORIES, fit_baselines
from mltestscore.errors import InputError
from mltestscore.stats.quality import quality


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame({"speed": rng.normal(size=800), "kind": rng.choice(["a", "b", "c"], size=800)})


@pytest.fixture
def y(frame):
    return ((frame["speed"] + 2 * (frame["kind"] == "b")) > 0.5).astype(int).to_numpy()


def qualities(frame, y):
    fitted = fit_baselines(frame, list(frame.columns), y, task="binary", classes=2)
    return {baseline.name: quality("roc_auc", y, baseline.predict(frame)) for baseline in fitted}


def test_trained_baselines_beat_the_constant(frame, y):
    found = qualities(frame, y)
    assert found["constant"] == 0.5
    assert found["logistic regression"] > 0.99
    assert found["tree of depth 3"] > 0.95


def test_a_feature_in_another_unit_changes_nothing(frame, y):
    assert qualities(frame.assign(speed=1e6 * frame["speed"] + 1e9), y) == pytest.approx(qualities(frame, y), abs=1e-3)


@pytest.mark.parametrize("dtype", ["object", "str", "category"])
def test_the_dtype_of_a_category_changes_nothing(frame, y, dtype):
    assert qualities(frame.astype({"kind": dtype}), y) == qualities(frame, y)


@pytest.mark.parametrize(
    "column",
    [
        [None] * 800,
        [np.nan] * 800,
        [7] * 800,
        [True, False] * 400,
        [np.inf, 1.0] * 400,
        [f"free text {i}" for i in range(800)],
        pd.date_range("2024-01-01", periods=800, tz="UTC"),
        pd.array([1, None] * 400, dtype="Int64"),
    ],
    ids=["none", "nan", "constant", "bool", "infinite", "text", "time", "nullable"],
)
def test_columns_of_any_kind_are_taken(frame, y, column):
    assert qualities(frame.assign(more=column), y)["logistic regression"] > 0.98


def test_categories_and_types_that_training_had_not_are_scored(frame, y):
    fitted = fit_baselines(frame, ["speed", "kind"], y, task="binary", classes=2)
    later = pd.DataFrame({"speed": ["0.5", "fast"], "kind": ["new", None]})
    assert all(np.isfinite(baseline.predict(later)).all() for baseline in fitted)


def test_free_text_does_not_blow_up_the_design(frame, y):
    text = frame.assign(text=[f"t{i}" for i in range(800)])[["text"]]
    (_, linear, _) = fit_baselines(text, ["text"], y, task="binary", classes=2)
    assert len(np.unique(linear.predict(text))) <= MOST_CATEGORIES


def test_a_class_that_training_lacks_gets_a_column_of_its_own(frame, y):
    for baseline in fit_baselines(frame, ["speed", "kind"], 2 * y, task="multiclass", classes=4):
        scores = baseline.predict(frame)
        assert scores.shape == (800, 4)
        assert scores.sum(axis=1) == pytest.approx(np.ones(800))
        assert (scores[:, [1, 3]] == 0).all()


def test_the_constant_of_a_regression_is_the_mean_or_the_median(frame):
    y = np.r_[np.zeros(700), np.full(100, 80.0)]
    mean, median = (
        fit_baselines(frame, ["speed"], y, task="regression", classes=0, median=flag)[0] for flag in (False, True)
    )
    assert mean.predict(frame)[0] == 10
    assert median.predict(frame)[0] == 0


def test_labels_of_one_value_are_refused(frame):
    with pytest.raises(InputError, match="the same"):
        fit_baselines(frame, ["speed"], np.ones(800, dtype=int), task="binary", classes=2)
