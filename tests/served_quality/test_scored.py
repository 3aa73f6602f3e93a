"""Answers and labels as arrays: days, blocks on which a metric can be taken, and what a log may hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import InputError
from mltestscore.inputs.model import as_model
from mltestscore.served_quality.scored import Scored, answers, block_qualities, blocks, days_of, errors, seconds, varies


def scored(truth, days, scores=None) -> Scored:
    truth = np.asarray(truth)
    given = np.full(len(truth), 0.5) if scores is None else np.asarray(scores, dtype=float)
    return Scored(truth, given, np.asarray(days), None, pd.DataFrame(index=range(len(truth))))


def test_days_that_are_too_short_are_judged_with_the_next_ones_and_the_rest_with_the_last():
    truth = np.tile([0, 1], 100)
    sizes = [len(one) for one in blocks(scored(truth, np.repeat([0, 1, 2, 3], [20, 90, 60, 30])), "accuracy")]
    assert sizes == [110, 90]


def test_a_block_holds_enough_of_both_classes_for_an_area_under_the_curve():
    truth = np.r_[np.zeros(100), np.tile([0, 1], 50), np.zeros(60)].astype(int)
    found = blocks(scored(truth, np.repeat([0, 1, 2], [100, 100, 60])), "roc_auc")
    assert [len(one) for one in found] == [260]
    assert blocks(scored(np.zeros(100, dtype=int), np.zeros(100, dtype=int)), "roc_auc") == []


def test_the_quality_of_a_day_does_not_depend_on_the_level_of_the_day():
    rng = np.random.default_rng(0)
    truth, days = rng.integers(0, 2, 400), np.repeat([0, 1], 200)
    score = 0.3 * truth + 0.3 * rng.random(400)
    plain = block_qualities(scored(truth, days, score), "roc_auc")
    assert block_qualities(scored(truth, days, score + 0.4 * days), "roc_auc") == pytest.approx(plain)


def test_times_are_days_in_utc_and_neighbours_where_there_are_none():
    times = pd.Series(pd.to_datetime(["2026-01-01T23:59Z", "2026-01-02T00:01Z", "2026-01-02T12:00Z"]))
    assert days_of(seconds(times), 3).tolist() == [0, 1, 1]
    assert days_of(None, 100).tolist() == [place // 2 for place in range(100)]


def test_errors_are_in_probability_in_standard_deviations_or_wrong_answers():
    assert errors(scored([1, 0], [0, 0], [0.7, 0.2]), "binary", 9.0) == pytest.approx([-0.3, 0.2])
    assert errors(scored([1.0, 3.0], [0, 0], [2.0, 2.0]), "regression", 2.0) == pytest.approx([0.5, -0.5])
    assert errors(scored([1, 0], [0, 0], [[0, 1], [0, 1]]), "multiclass", 1.0).tolist() == [0, 1]


def test_labels_of_one_value_tell_nothing():
    assert not varies(scored([1, 1], [0, 0]), "roc_auc")
    assert not varies(scored([2.5, 2.5], [0, 0]), "r2")
    assert varies(scored([2.5, 3.5], [0, 0]), "r2")


def test_a_log_of_classes_becomes_certain_answers_and_an_unknown_class_is_an_error():
    model = as_model(lambda frame: np.eye(3)[[0] * len(frame)], task="multiclass", features=["x"])
    found = answers(pd.Series(["b", "a"]), model, ("a", "b", "c"), "serving")
    assert found.tolist() == [[0, 1, 0], [1, 0, 0]]
    with pytest.raises(InputError, match=r"score column of serving .*class that was answered.* holds the label 'z'"):
        answers(pd.Series(["z"]), model, ("a", "b", "c"), "serving")
