"""What a candidate loses where the rows are worth one period of time: told only if it is lost all the time."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.dataset import Dataset, Roles
from mltestscore.inputs.sources import Content
from mltestscore.validation.harm import Scale, scale_of
from mltestscore.validation.packaging import Material, Packaged

N = 2_000
SEASON = 10 * np.cos(np.linspace(0, np.pi, N))  # half a year, in which every day is like the next


def judged(task: str = "regression", **roles: str) -> tuple[Scale, np.ndarray]:
    rng = np.random.default_rng(3)
    y = SEASON + rng.normal(0, 1, N)
    label = y if task == "regression" else (y > SEASON).astype(int)
    frame = pd.DataFrame({"at": pd.date_range("2026-01-01", periods=N, freq="h"), "shop": "one", "y": label})
    material = Material(frame, frame, "y", (), (), "")
    holdout = Dataset("holdout", Content("rows", frame=frame), Roles(label="y", time="at", **roles))
    return scale_of(made(SEASON, task), material, holdout), y


def made(scores: np.ndarray, task: str = "regression") -> Packaged:
    return Packaged("one", Path("model"), 0.0, scores=scores, task=task, classes=() if task == "regression" else (0, 1))


def test_candidate_that_knows_no_season_is_worse_all_the_time():
    scale, _ = judged()
    base, blind = made(SEASON), made(np.full(N, 30.0))
    drop = scale.drop(blind, base, 0.0005)
    assert drop is not None
    assert drop.low == -np.inf  # the rows are worth one period
    least = scale.lasting(blind, base, 0.0005)
    assert least is not None
    assert 0.1 < least < drop.value


@pytest.mark.parametrize("until", [N // 2, N - N // 10])
def test_candidate_that_is_worse_for_a_time_is_not_worse_all_the_time(until):
    scale, _ = judged()
    least = scale.lasting(made(np.where(np.arange(N) < until, 30.0, SEASON)), made(SEASON), 0.0005)
    assert least is None or least < 0.1


def test_equal_candidate_is_not_worse():
    scale, _ = judged()
    wobble = np.random.default_rng(4).normal(0, 0.1, N)
    least = scale.lasting(made(SEASON + wobble), made(SEASON - wobble), 0.0005)
    assert least is not None
    assert least < 0.01


def test_two_classes_are_told_by_the_area_in_each_tenth():
    scale, y = judged("binary")
    base, blind = made(1 / (1 + np.exp(SEASON - y)), "binary"), made(np.full(N, 0.5), "binary")
    least = scale.lasting(blind, base, 0.0005)
    assert least is not None
    assert 0.3 < least <= 0.5


def test_declared_cluster_says_what_belongs_together():
    scale, _ = judged(cluster="shop")
    assert scale.lasting(made(np.full(N, 30.0)), made(SEASON), 0.0005) is None
