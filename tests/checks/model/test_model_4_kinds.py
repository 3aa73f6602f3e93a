"""model.4 for rankings and several labels, with real trainings: a world that moves fails, a harder one does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.model import as_model
from mltestscore.inputs.trainer import Trainer
from mltestscore.staleness.age import Age
from mltestscore.staleness.plan import Plan, plan, timed
from mltestscore.testing import run_check

LOST = "quality lost at the maximum age"
SPAN, EACH = 240.0, 8

TRAINING = """
import numpy as np
import pandas as pd

class Line:
    feature_names_in_ = ["a", "b"]

    def __init__(self, frame, target):
        self.weights = np.linalg.lstsq(self.inputs(frame), target, rcond=None)[0]

    def inputs(self, rows):
        return np.column_stack([np.ones(len(rows)), rows[["a", "b"]].to_numpy(float)])

class Order(Line):
    def predict(self, rows):
        return self.inputs(rows) @ self.weights

class Labels(Line):
    def predict_proba(self, rows):
        return np.clip(self.inputs(rows) @ self.weights, 0.001, 0.999)

class Pairs(Labels):
    def predict_proba(self, rows):
        return [np.column_stack([1 - one, one]) for one in super().predict_proba(rows).T]

def ranking(frame, seed):
    whole = frame.groupby("query").size()
    assert (whole == 8).all(), "a query was taken apart"
    return Order(frame, frame["grade"].to_numpy(float))

def listed(frame):
    return np.array([list(one) for one in frame["labels"]], dtype=float)

def multilabel(frame, seed):
    return Labels(frame, listed(frame))

def pairs(frame, seed):
    return Pairs(frame, listed(frame))

def tagged(frame, seed):
    return Labels(frame, np.array([[name in one for name in ("late", "wet")] for one in frame["tags"]], dtype=float))
"""


def rows(n: int = 9_600, seed: int = 0, *, drift: float = 0.0, season: bool = False) -> pd.DataFrame:
    """Labelled rows of 240 days in queries of eight; see the tests of one answer a row for ``drift`` and ``season``."""
    rng = np.random.default_rng([seed, n])
    time = np.repeat(np.sort(rng.random(n // EACH)), EACH)
    frame = pd.DataFrame({"query": np.repeat(rng.permutation(n // EACH), EACH)})
    a, b = rng.normal(size=(2, n))
    wave = np.sin(4 * np.pi * time) if season else np.zeros(n)
    angle = drift * time * np.pi / 2
    signal = (1 + 0.6 * wave) * (np.cos(angle) * a + np.sin(angle) * b + 0.3 * b)
    frame["a"], frame["b"] = a, b
    frame["grade"] = np.digitize(signal + rng.normal(size=n), [0.5, 1.5, 2.5])
    late, wet = (rng.random((2, n)) < 1 / (1 + np.exp(-2 * np.array([signal, signal - b])))) * 1
    frame["labels"] = [list(pair) for pair in zip(late.tolist(), wet.tolist(), strict=True)]
    frame["tags"] = [[name for name, has in (("late", x), ("wet", y)) if has] for x, y in frame["labels"]]
    frame["day"] = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(time * SPAN, unit="D")
    return frame


def data(frame: pd.DataFrame, label: str, cluster: str = "") -> Dataset:
    return open_dataset("training", frame, Roles(label=label, time="day", features=("a", "b"), cluster=cluster))


def run(folder: Path, frame: pd.DataFrame, function: str, *, prove: bool = False, **changed):
    (folder / "kinds_training.py").write_text(TRAINING)
    task = "ranking" if function == "ranking" else "multilabel"
    label = {"ranking": "grade", "tagged": "tags"}.get(function, "labels")
    inputs = {
        "training": data(frame, label, "query" if task == "ranking" else ""),
        "trainer": Trainer(f"kinds_training:{function}", folder),
        "model": as_model(lambda rows: np.zeros(len(rows)), task=task, features=["a", "b"]),
        "max_age": Age(60),
    }
    return run_check("model.4", prove=prove, **{**inputs, **changed})


def verdict(result, name: str = LOST) -> str:
    return next(one.verdict for one in result.findings if one.name == name)


@pytest.mark.parametrize("function", ["ranking", "multilabel"])
def test_a_world_that_stands_still_passes_with_both_faults_caught(tmp_path, function):
    result = run(tmp_path, rows(), function, prove=True)
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof
    assert len(result.proof.faults) == 2


@pytest.mark.parametrize("function", ["ranking", "multilabel"])
def test_a_world_that_turns_fails(tmp_path, function):
    assert verdict(run(tmp_path, rows(drift=2.0), function)) == "failed"


@pytest.mark.parametrize("function", ["ranking", "multilabel"])
def test_a_harder_season_does_not_fail(tmp_path, function):
    assert verdict(run(tmp_path, rows(season=True), function)) != "failed"


@pytest.mark.parametrize("function", ["pairs", "tagged"])
def test_labels_may_be_named_and_answered_in_pairs(tmp_path, function):
    assert run(tmp_path, rows(), function).state == "passed"


def test_few_queries_leave_it_open(tmp_path):
    result = run(tmp_path, rows(800), "ranking", options={"min_rows": 50})
    assert result.state == "inconclusive"
    assert "have an order to find" in result.reason


def test_a_label_that_all_rows_share_leaves_it_open(tmp_path):
    frame = rows().assign(labels=lambda given: [[*one, 1] for one in given["labels"]])
    result = run(tmp_path, frame, "multilabel")
    assert result.state == "inconclusive"
    assert "all say the same of 2" in result.reason


def test_a_ranking_without_queries_asks_for_them(tmp_path):
    result = run(tmp_path, rows(), "ranking", training=data(rows(), "grade"))
    assert result.state == "not_offered"
    assert "cluster = " in result.reason


def test_the_rows_of_a_query_are_of_one_time_and_one_part():
    frame = rows()
    frame["day"] += pd.to_timedelta(np.random.default_rng(1).random(len(frame)) * 20, unit="D")
    held = timed(data(frame, "grade", "query"), len(frame), "ranking")
    laid = plan(held, 60, most=10_000, least=100)
    assert isinstance(laid, Plan)
    assert held.queries is not None
    for lesson in (lesson for siblings in laid.lessons for lesson in siblings):
        assert np.bincount(held.queries[lesson])[np.unique(held.queries[lesson])].tolist() == [EACH] * (
            len(lesson) // EACH
        )
    assert np.unique(np.bincount(held.queries[laid.judged])).tolist() == [0, EACH]
