"""Of which type predictions are: what is a broken promise, and what only looks like one."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from mltestscore.specification.answers import answers
from mltestscore.specification.dtypes import broken_promise, type_name
from mltestscore.specification.stepper import Stepper, as_array

LABELS = {
    "spans": pd.Series(pd.to_timedelta([1, 2, 3], unit="min")),
    "binary": pd.Series([0, 1, 1]),
    "minutes": pd.Series(np.arange(50.0)),
    "names": pd.Series(["late", "in time"]),
}


def promised(found: object, kind: str, labels: str) -> str:
    scores = as_array(found)
    return broken_promise(type_name(found, np.asarray(found)), scores, kind, LABELS[labels])


@pytest.mark.parametrize(
    ("found", "kind", "labels", "says"),
    [
        (np.array([0.5, 0.25], dtype=object), "probabilities", "binary", "objects of numbers where probabilities"),
        ([Decimal("0.5")], "values", "minutes", "objects (Decimal) where values"),
        ([0.5, None], "probabilities", "binary", "objects (NoneType, float)"),
        (np.array(["0.5"]), "values", "minutes", "texts where values"),
        (np.array(["0.37", "1"]), "classes", "binary", "texts where numbers"),
        (np.array(["late", None], dtype=object), "classes", "names", "objects (NoneType, str) where classes"),
        (np.array([0, 1]), "probabilities", "binary", "int64 where probabilities"),
        (np.array([True]), "values", "minutes", "truth values where values"),
        (np.array([0.5 + 0j]), "classes", "binary", "complex numbers where classes"),
    ],
)
def test_broken_promise_is_named(found, kind, labels, says):
    assert promised(found, kind, labels).startswith(says)


@pytest.mark.parametrize(
    ("found", "kind", "labels"),
    [
        *((np.array([0.5, 0.25], dtype=name), "probabilities", "binary") for name in ("f2", "f4", "f8")),
        ([0, 0.5], "probabilities", "binary"),
        ([0, 1], "probabilities", "binary"),
        (pd.Series([0.5, 0.25], dtype="Float64"), "probabilities", "binary"),
        (np.array([7, 12], dtype="i4"), "values", "minutes"),
        (np.array([0, 1], dtype="u1"), "classes", "binary"),
        (np.array([True, False]), "classes", "binary"),
        (np.array([1, 0], dtype=object), "classes", "binary"),
        (np.array([1.0, 0.0], dtype=object), "probabilities", "binary"),
        (pd.Series(pd.to_timedelta([1, 2], unit="min")), "values", "spans"),
        (np.array(["1", "0"]), "classes", "binary"),
        (np.array(["late", "in time"], dtype=object), "classes", "names"),
        (pd.Series(["late"], dtype="category"), "classes", "names"),
        (np.array([0.5, None], dtype=object), "scores", "binary"),
    ],
)
def test_sound_type_keeps_its_promise(found, kind, labels):
    assert promised(found, kind, labels) == ""


class Shaped(Stepper):
    """A stepper whose predictions a function makes of ``x``."""

    def __init__(self, predict):
        self.types, self._features, self._stepper = [], ["x"], self
        self._given = predict
        self.predict_one = predict

    def step(self, frame):
        return 0.5

    def predict(self, frame):
        found = self._given(frame["x"].to_numpy())
        self.types.append((len(frame), type_name(found, np.asarray(found))))
        return as_array(found)


def mistyped(predict, kind: str = "values") -> tuple[int, str]:
    frame = pd.DataFrame({"x": np.linspace(0.0, 3.0, 7), "y": np.arange(7.0)})
    request = {"seeds": [1], "before": 1, "tolerance": 0.001, "label": "y", "single": True}
    found = answers(lambda seed: Shaped(predict), lambda scores: kind, [(frame, ["row"] * 7)], frame, request)
    return found["counts"].get("mistyped", 0), found["said"].get("mistyped", "")


@pytest.mark.parametrize(
    "predict",
    [
        lambda x: x,
        lambda x: x.astype("f4"),
        lambda x: [max(0, 2 * one) if one else 0 for one in x.tolist()],  # 0 alone is Python's whole number
        lambda x: np.array([one if one else 0 for one in x.tolist()]),
        lambda x: x + np.random.default_rng().normal(size=len(x)),
    ],
)
def test_one_type_for_one_row_and_for_many(predict):
    assert mistyped(predict) == (0, "")


def test_what_objects_are_depends_on_the_rows_and_is_no_other_type():
    def predict(x):
        return np.array([one if one > 1 else None for one in x], dtype=object)

    assert mistyped(predict, "scores") == (0, "")
    assert mistyped(predict) == (7, "objects (NoneType, float64) where values are meant")


@pytest.mark.parametrize(
    ("predict", "says"),
    [
        (lambda x: x.astype("f4") if len(x) == 1 else x, "float32 for one row, float64 for 7 rows"),
        (lambda x: (x + np.random.default_rng().normal(size=len(x))).astype("f4" if len(x) == 1 else "f8"), "float32"),
        (lambda x: x.astype(str) if len(x) == 1 else x, "texts for one row, float64 for 7 rows"),
        (lambda x: [float(one) for one in x] if len(x) == 1 else x.astype("f4"), "numbers for one row, float32"),
    ],
)
def test_another_type_for_one_row_is_found(predict, says):
    count, said = mistyped(predict)
    assert 1 <= count <= 7
    assert said.startswith(says)


def test_classes_as_bytes_for_one_row_are_found_and_are_the_same_class():
    def predict(x):
        names = np.where(x > 1, "spät", "in time")
        return np.char.encode(names, "utf-8") if len(x) == 1 else names

    assert mistyped(predict, "classes") == (7, "bytes for one row, texts for 7 rows")
