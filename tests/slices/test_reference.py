"""When the version before can be held against the model, and why not."""

from __future__ import annotations

import pandas as pd
import pytest

from mltestscore.inputs.model import Model
from mltestscore.slices.reference import incomparable

ROWS = pd.DataFrame({"a": [1.0], "b": [2.0]})


def model(task="binary", classes=(0, 1), features=("a",)) -> Model:
    return Model("m", "", task, features, classes, None, "", "", lambda frame: frame["a"])


@pytest.mark.parametrize(
    ("previous", "said"),
    [
        (None, ""),
        (model(), ""),
        (model(classes=()), ""),  # behind a server nobody knows its classes
        (model(features=("b", "c")), "the version before reads 'c'"),
        (model(classes=(0, 2)), "the version before is a binary model of the classes [0, 2]"),
        (model("regression", ()), "the version before is a regression model"),
    ],
)
def test_another_task_other_classes_and_missing_columns_are_named(previous, said):
    found = incomparable(model(), previous, ROWS)
    assert found.startswith(said)
    assert bool(found) == bool(said)
