"""A small real system for searches: a training that takes parameters, its data, and records of trials."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.model import Model, as_model
from mltestscore.inputs.registry import Lineage, Registry
from mltestscore.inputs.search_space import Numbers
from mltestscore.inputs.trainer import Trainer
from mltestscore.inputs.tuning import Trial, Tuning

TRAINING = '''
import numpy as np

class Ridge:
    """Least squares on x1 … x8, drawn to zero by alpha; gives probabilities."""

    classes_ = np.array([0, 1])
    feature_names_in_ = np.array([f"x{number}" for number in range(1, 9)], dtype=object)

    def fit(self, frame, alpha):
        x, y = frame[list(self.feature_names_in_)].to_numpy(), frame["late"].to_numpy()
        signs = np.where(np.arange(8) < alpha, 1.0, 0.0)  # "alpha" features are used
        self.weights = signs * (x.T @ (y - y.mean()) / len(y))
        return self

    def predict_proba(self, frame):
        score = frame[list(self.feature_names_in_)].to_numpy() @ self.weights
        shares = 1 / (1 + np.exp(-4 * score))
        return np.column_stack([1 - shares, shares])

def predict(self, frame):
    return self.predict_proba(frame)[:, 1] > 0.5

Ridge.predict = predict

def train(frame, seed, parameters=None):
    given = {"used": 8, "scale": 1.0, **(parameters or {})}
    if given["scale"] > 90:
        raise ValueError("scale is too large")
    return Ridge().fit(frame, given["used"])

def deaf(frame, seed, parameters=None):
    return Ridge().fit(frame, 8)

def plain(frame, seed):
    return Ridge().fit(frame, 8)
'''
SPACE = {"used": Numbers(1, 12, integer=True), "scale": Numbers(0.01, 100, log=True)}
RELEASED = datetime(2026, 11, 1, 12, tzinfo=UTC)


def rows(n: int, seed: int) -> pd.DataFrame:
    """Rows whose label follows each of eight features a little."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 8))
    late = rng.random(n) < 1 / (1 + np.exp(-0.8 * x.sum(axis=1)))
    frame = pd.DataFrame(x, columns=[f"x{number}" for number in range(1, 9)])
    days = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(n), unit="min")
    return frame.assign(late=late.astype(int), at=days, key=np.arange(n))


def dataset(name: str, n: int = 3_000, seed: int = 1) -> Dataset:
    return open_dataset(name, rows(n, seed), Roles(label="late", time="at", key=("key",)))


def trainer(folder: Path, function: str = "train", *, takes: bool = True) -> Trainer:
    (folder / "team_training.py").write_text(TRAINING, encoding="utf-8")
    return Trainer(f"team_training:{function}", folder, takes_parameters=takes)


def model() -> Model:
    names: dict = {}
    exec(TRAINING, names)
    return as_model(names["train"](rows(3_000, 1), 1), name="team")


def trials(n: int = 25, seed: int = 3, *, folds: int = 5, noise: float = 0.002) -> tuple[Trial, ...]:
    """A random search, best at eight features; the first trial has them, and a scale of one."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(n):
        settings = {"used": 8, "scale": 1.0} if number == 0 else {name: one.draw(rng) for name, one in SPACE.items()}
        parts = 0.9 - 0.02 * abs(settings["used"] - 8) + noise * rng.normal(size=folds)
        ended = np.datetime64("2026-10-20", "s") + np.timedelta64(number, "h")
        metric = float(parts.mean()) if folds else 0.9 - 0.02 * abs(settings["used"] - 8)
        found.append(Trial(settings, metric, ended, tuple(parts.tolist()), "training", metric))
    return tuple(found)


def tuning(**changes: object) -> Tuning:
    given: dict = {"trials": trials(), "space": SPACE, "recorded": True, "left_alone": ("seed",), "digest": "record"}
    return Tuning("trials.csv", **{**given, **changes})


def registry(**settings: object) -> Registry:
    settings = {"used": 8, "scale": 1.0, "seed": 1} | settings
    lineage = Lineage("v2", RELEASED, published_at=RELEASED, parameters=settings)
    return Registry("registry", lineage, (lineage,), "registry")
