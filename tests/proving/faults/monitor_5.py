"""Faults of arithmetic in a layer on top of the model, registered, served and logged."""

from __future__ import annotations

from tests.proving.cases import fault
from tests.proving.system import System

LAYER = '''"""A correction on top of a good model."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Recalibrated(ClassifierMixin, BaseEstimator):
    def __init__(self, model):
        self.model = model

    def __sklearn_is_fitted__(self):
        return True

    @property
    def classes_(self):
        return self.model.classes_

    @property
    def feature_names_in_(self):
        return self.model.feature_names_in_

    def predict_proba(self, frame):
        late = self.model.predict_proba(frame)[:, 1]
        with np.errstate(all="ignore"):
            late = {formula}
        return np.column_stack([1 - late, late])

    def predict(self, frame):
        return self.classes_[(self.predict_proba(frame)[:, 1] > 0.5).astype(int)]
'''
WRAP = """
import pandas
from flights import registry, spec
from flights.recalibrated import Recalibrated
folder = spec.HOME / "build" / "registry"
model = Recalibrated(registry.load(folder, spec.CURRENT))
registry.publish(folder, model, registry.read_lineage(folder, spec.CURRENT))
week = pandas.read_parquet(spec.HOME / "build" / "serving.parquet")
scores = model.predict_proba(week[list(spec.FEATURES)])[:, 1]
week.assign(score=scores).to_parquet(spec.HOME / "build" / "serving.parquet", index=False)
"""
TRUSTED = '"sklearn.utils.validation.check_array",'
OURS = f'{TRUSTED} "flights.recalibrated.Recalibrated",'


def corrected(system: System, formula: str) -> None:
    """Put ``formula`` (of ``late``, ``frame`` and ``np``) on top of the current model, and log its scores."""
    system.add("flights/recalibrated.py", LAYER.replace("{formula}", formula))
    for file in ("flights/registry.py", "pyproject.toml"):
        system.edit(file, TRUSTED, OURS)
    system.script(WRAP)


@fault(
    "O5a",
    "monitor.5",
    "the square root of (100, 95, 60 % - humidity), divided by itself",
    (100, 95, 60),
    ["humid", "NaN"],
    also=("model.5",),
)
def square_root(system: System, severity: float, seed: int) -> None:
    dry = f"np.sqrt({severity} - frame['humid'].fillna(50).to_numpy(float))"
    corrected(system, f"late * {dry} / {dry}")


@square_root.healthy("the same, with the value held above zero first")
def guarded(system: System, severity: float, seed: int) -> None:
    dry = f"np.sqrt(np.maximum({severity} - frame['humid'].fillna(50).to_numpy(float), 0.01))"
    corrected(system, f"late * {dry} / {dry}")


@fault(
    "O5b",
    "monitor.5",
    "half precision overflows from 4,680, 1,640, 100 miles",
    (14, 40, 655),
    ["distance", "NaN"],
    also=("model.5",),
)
def overflow(system: System, severity: float, seed: int) -> None:
    far = f"(frame['distance'].to_numpy(np.float16) * np.float16({severity}))"
    corrected(system, f"late * ({far} / {far}).astype(float)")


@overflow.healthy("the same in double precision")
def double(system: System, severity: float, seed: int) -> None:
    far = f"(frame['distance'].to_numpy(float) * {severity})"
    corrected(system, f"late * ({far} / {far})")


@fault(
    "O5c",
    "monitor.5",
    "probabilities times 1.5, times 3, or 0.5 for everyone",
    (1.5, 3, 0),
    ["scores"],
    also=("model.5",),
)
def not_a_probability(system: System, severity: float, seed: int) -> list[str]:
    corrected(system, f"late * {severity}" if severity else "np.full(len(late), 0.5)")
    return ["outside"] if severity else ["different"]


@not_a_probability.healthy("a confident model: a fifth of the scores lie above 0.999")
def confident(system: System, severity: float, seed: int) -> None:
    corrected(system, "1 / (1 + np.exp(-60 * (late - 0.2)))")
