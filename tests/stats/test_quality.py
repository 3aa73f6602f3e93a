"""Metrics equal scikit-learn's; advantages have the right sign, scale and silence."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from mltestscore.errors import ConfigError
from mltestscore.stats.quality import METRICS, advantage, metric_for, quality

# Orders are judged query by query: tests/stats/test_ranking.py.
ONE_NUMBER = [(task, metric) for task, known in METRICS.items() for metric in known if task != "ranking"]


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def brier(y, shares):
    return ((np.eye(shares.shape[1])[y] - shares) ** 2).sum(axis=1).mean()


def cases(rng):
    binary = rng.integers(0, 2, 300)
    shares = rng.dirichlet([1, 1, 1], 300)
    three, values = rng.integers(0, 3, 300), rng.normal(size=300)
    prior = np.tile(np.bincount(three) / 300, (300, 1))
    scores = np.clip(0.3 * binary + 0.7 * rng.random(300), 0.01, 0.99)
    labels = rng.integers(0, 2, (300, 2))
    chances = np.clip(0.3 * labels + 0.7 * rng.random((300, 2)), 0.01, 0.99)
    means = np.tile(labels.mean(axis=0), (300, 1))
    logs = [sum(metrics.log_loss(labels[:, at], one[:, at]) for at in (0, 1)) for one in (chances, means)]
    off = 1 - ((labels - chances) ** 2).mean() / labels.var(axis=0).mean()
    return {
        ("multilabel", "accuracy"): (labels, chances, 1 - metrics.hamming_loss(labels, chances >= 0.5)),
        ("multilabel", "d2_log_loss"): (labels, chances, 1 - logs[0] / logs[1]),
        ("multilabel", "d2_brier_score"): (labels, chances, off),
        ("binary", "roc_auc"): (binary, scores, metrics.roc_auc_score(binary, scores)),
        ("binary", "accuracy"): (binary, scores, metrics.accuracy_score(binary, scores >= 0.5)),
        ("binary", "d2_log_loss"): (binary, scores, metrics.d2_log_loss_score(binary, scores)),
        ("binary", "d2_brier_score"): (binary, scores, 1 - ((binary - scores) ** 2).mean() / binary.var()),
        ("multiclass", "accuracy"): (three, shares, metrics.accuracy_score(three, shares.argmax(axis=1))),
        ("multiclass", "d2_log_loss"): (three, shares, metrics.d2_log_loss_score(three, shares)),
        ("multiclass", "d2_brier_score"): (three, shares, 1 - brier(three, shares) / brier(three, prior)),
        ("regression", "r2"): (values, values + 1, metrics.r2_score(values, values + 1)),
        ("regression", "d2_absolute_error"): (values, -values, metrics.d2_absolute_error_score(values, -values)),
    }


@pytest.mark.parametrize(("task", "metric"), ONE_NUMBER)
def test_each_metric_equals_that_of_scikit_learn(rng, task, metric):
    y, scores, expected = cases(rng)[task, metric]
    assert quality(metric, y, scores) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("task", "metric"), ONE_NUMBER)
def test_the_advantage_is_the_difference_in_quality_and_changes_sign_when_swapped(rng, task, metric):
    y, scores, _ = cases(rng)[task, metric]
    other = rng.permutation(scores)
    there, back = advantage(metric, y, scores, other, 0.01), advantage(metric, y, other, scores, 0.01)
    assert there.value == pytest.approx(quality(metric, y, scores) - quality(metric, y, other))
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


def test_a_single_certain_mistake_does_not_make_the_log_loss_infinite():
    assert np.isfinite(quality("d2_log_loss", [0, 1, 1], [0.5, 0.5, 0.0]))


def test_labels_that_do_not_vary_are_refused():
    with pytest.raises(ValueError, match="vary"):
        advantage("r2", [1.0, 1.0], [1, 2], [2, 1], 0.05)


def test_a_metric_of_another_task_is_refused_with_near_names():
    assert metric_for("regression") == "r2"
    with pytest.raises(ConfigError, match="'roc_auc'"):
        metric_for("binary", "rocauc")
