"""Planted features: the model takes them and hardly moves; what they hold comes from the labels of the very rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.features import faults as planted
from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.model import as_model

ROLES = Roles(label="y", features=("x",))


def side(name: str, labels) -> object:
    return open_dataset(name, pd.DataFrame({"x": np.linspace(0, 1, len(labels)), "y": labels}), ROLES)


def test_the_model_takes_the_new_inputs_and_hardly_moves():
    data = planted.with_columns(side("holdout", [0, 1] * 50), {"one": np.arange(100.0), "two": np.nan})
    before = as_model(lambda frame: frame["x"], task="regression", features=["x"])
    after = planted.with_inputs(before, data, ["one", "two"])
    assert after.features == data.features == ("x", "one", "two")
    moved = after.predict(data.frame()) - before.predict(data.frame())
    assert 0 < np.abs(moved).max() < 0.02
    assert np.isfinite(moved).all()


def test_every_class_of_a_multiclass_model_moves_apart():
    data = planted.with_columns(side("holdout", ["a", "b"] * 50), {"one": np.arange(100.0)})
    before = as_model(
        lambda frame: np.column_stack([frame["x"], 1 - frame["x"], 0 * frame["x"]]), task="multiclass", features=["x"]
    )
    moved = planted.with_inputs(before, data, ["one"]).predict(data.frame()) - before.predict(data.frame())
    assert moved[-1, 0] < 0 < moved[-1, 2]


@pytest.mark.parametrize("labels", [[0, 1, 1, 0], ["no", "yes", "yes", "no"], [False, True, True, False]])
def test_the_outcome_is_the_label_as_a_number(labels):
    model = as_model(lambda frame: frame["x"], task="binary", features=["x"])
    made = planted.with_outcome(model, side("training", labels), side("holdout", labels[::-1]), lambda numbers: numbers)
    assert made["training"].frame()[planted.PLANTED].tolist() == [0, 1, 1, 0]
    assert made["holdout"].frame()[planted.PLANTED].tolist() == [0, 1, 1, 0]
    assert made["model"].features == ("x", planted.PLANTED)


def test_blurred_labels_stay_near_and_encoded_ones_are_means():
    rng = np.random.default_rng(1)
    labels = np.tile([0.0, 1.0], 500)
    assert np.abs(planted.blurred(labels, rng) - labels).max() < 0.1
    means = planted.encoded(labels, rng)
    assert 10 < len(np.unique(means)) < 60
    assert means.mean() == pytest.approx(0.5)
