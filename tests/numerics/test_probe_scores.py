"""Scoring distrusted rows: refused rows are found, the rest is scored, and scores are described."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.model import as_model
from mltestscore.numerics.probe_scores import by_origin, moved_by_rounding, score_rows, served_scores

FRAME = pd.DataFrame({"x": np.linspace(0, 1, 64)})
ORIGINS = np.repeat(["a", "b"], 32).astype(object)


def model(function, task="binary"):
    return as_model(function, task=task, features=["x"])


def refusing(rows):
    def predict(frame):
        if frame.index.isin(rows).any():
            raise ValueError("no")
        return frame["x"]

    return model(predict)


def test_all_rows_are_scored_in_order_by_one_call():
    calls = []
    found = score_rows(model(lambda frame: calls.append(len(frame)) or frame["x"]), FRAME)
    assert calls == [64]
    assert found.accepted.all()
    assert found.scores.tolist() == FRAME["x"].tolist()


@pytest.mark.parametrize("rows", [[0], [63], [3, 4, 40], list(range(64))])
def test_exactly_the_refused_rows_are_found(rows):
    found = score_rows(refusing(rows), FRAME)
    assert np.flatnonzero(~found.accepted).tolist() == rows
    assert found.scores.tolist() == FRAME["x"].drop(rows).tolist()
    assert "ValueError: no" in found.message


def test_the_search_for_refused_rows_ends():
    frame = pd.DataFrame({"x": np.zeros(5000)})
    calls = []

    def predict(rows):
        calls.append(1)
        if (rows.index % 3 == 0).any():
            raise ValueError
        return rows["x"]

    assert not score_rows(model(predict), frame).accepted.all()
    assert len(calls) <= 201


def test_warnings_of_the_model_are_not_ours():
    found = score_rows(model(lambda frame: np.log(frame["x"].to_numpy())), FRAME)
    assert found.finite.sum() == 63


def test_scores_are_described_row_by_row():
    table = np.tile([0.2, 0.8], (64, 1))
    table[1], table[2], table[3] = [0.5, 0.6], [-0.2, 1.2], [np.nan, 1]
    found = score_rows(as_model(lambda frame: table[frame.index], task="multiclass", features=["x"]), FRAME)
    assert np.flatnonzero(found.unnormalised(1e-3)).tolist() == [1]
    assert np.flatnonzero(found.outside(0, 1)).tolist() == [2]
    assert np.flatnonzero(~found.finite).tolist() == [3]
    assert found.distinct(np.ones(64, dtype=bool)) == 3


def test_the_table_counts_by_origin_and_begins_with_the_worst():
    found = score_rows(refusing([40]), FRAME)
    b, a = by_origin(ORIGINS, found)
    assert a[:4] == ["a", 32, 0, 0]
    assert b[:4] == ["b", 32, 1, 0]
    assert b[5] == 1.0


def test_smooth_scores_do_not_move_when_inputs_are_rounded():
    smooth = model(lambda frame: frame["x"] ** 2)
    assert moved_by_rounding(smooth, FRAME, score_rows(smooth, FRAME), 0.01) == (0, 64)


def test_scores_that_hang_on_the_last_bits_move():
    chaotic = model(lambda frame: (frame["x"] * 1e8) % 1)
    moved, compared = moved_by_rounding(chaotic, FRAME, score_rows(chaotic, FRAME), 0.01)
    assert moved > 50
    assert compared == 64


def test_a_row_that_is_refused_once_rounded_has_moved():
    wary = model(lambda frame: frame["x"] if (frame["x"] * 63 % 1 < 1e-12).all() else 1 / 0)
    grid = pd.DataFrame({"x": np.arange(64) / 63})
    moved, compared = moved_by_rounding(wary, grid, score_rows(wary, grid), 0.01)
    assert 0 < moved <= compared


def test_a_column_that_32_bits_cannot_hold_is_not_rounded():
    """Seconds since 1970: rounding moves them by a minute, which says nothing about the model."""
    seconds = pd.DataFrame({"x": 1.7e9 + np.arange(64.0)})
    steep = model(lambda frame: (frame["x"] - 1.7e9) / 64)
    assert moved_by_rounding(steep, seconds, score_rows(steep, seconds), 0.01)[0] == 0


def test_a_log_is_counted_where_it_lies():
    log = open_dataset("serving", pd.DataFrame({"p": [0.5, 0.5, None, np.inf, 1.5]}), Roles(score="p"))
    found = served_scores(log)
    assert (found.rows, found.not_finite, found.outside) == (5, 2, 1)


@pytest.mark.parametrize("roles", [Roles(), Roles(score="name")])
def test_a_log_without_numeric_scores_is_not_counted(roles):
    assert served_scores(open_dataset("serving", pd.DataFrame({"name": ["a"]}), roles)) is None
