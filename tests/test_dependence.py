"""Rows belong together by the declared cluster, else by times, of any kind, for as long as they stay alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from mltestscore.contest import judged_rows
from mltestscore.dependence import dependent, stretches
from mltestscore.inputs.dataset import Roles, open_dataset

N = 1200
LASTING = lfilter([1], [1, -0.8], np.random.default_rng(4).standard_normal(N))
FRESH = np.random.default_rng(5).standard_normal(N)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    times = pd.date_range("2026-01-01", periods=N, freq="h")
    rows = pd.DataFrame({"y": 0.0, "at": times, "text": times.astype(str), "zoned": times.tz_localize("Asia/Tokyo")})
    return rows.assign(step=np.arange(N), word=[f"week {place:04d}" for place in range(N)], user=np.arange(N) // 10)


def found(frame, values, **roles):
    known = {name: roles.pop(name) for name in ("horizon", "season") if name in roles}
    return dependent(frame, open_dataset("holdout", frame, Roles(label="y", **roles)), lambda: values, **known)


def test_without_time_and_cluster_rows_are_independent(frame):
    assert found(frame, LASTING) is None


def test_rows_that_are_all_of_one_time_are_independent(frame):
    assert len(set(found(frame.assign(at="2026-01-01"), LASTING, time="at").tolist())) == N


def test_a_declared_cluster_goes_before_the_time(frame):
    assert len(set(found(frame, LASTING, time="at", cluster="user").tolist())) == 120


@pytest.mark.parametrize("time", ["at", "text", "zoned", "step", "word"])
def test_times_of_any_kind_are_cut_into_the_same_periods(frame, time):
    assert (found(frame, LASTING, time=time) == found(frame, LASTING, time="at")).all()


def test_periods_are_as_long_as_rows_stay_alike_and_as_the_horizon(frame):
    many = {name: len(set(found(frame, values, time="at").tolist())) for name, values in [("a", FRESH), ("b", LASTING)]}
    assert many["a"] == 50
    assert 10 <= many["b"] <= 30
    assert np.bincount(found(frame, FRESH, time="at", horizon=2.0)).min() >= 48


def test_a_season_counts_where_the_rows_hold_many(frame):
    assert np.bincount(found(frame, FRESH, time="at", season=2.0)).min() >= 48
    assert len(set(found(frame, FRESH, time="at", season=365.0).tolist())) == 50


@pytest.mark.parametrize("lost", [np.nan, np.inf])
def test_a_score_that_is_not_finite_changes_no_period(frame, lost):
    assert (
        found(frame, np.where(np.arange(N) == 7, lost, LASTING), time="at") == found(frame, LASTING, time="at")
    ).all()


def test_whole_stretches_of_time_choose_or_judge(frame):
    dataset = open_dataset("holdout", frame, Roles(label="y", time="at"))
    judged = judged_rows(frame, dataset, "test")
    parts = stretches(frame, dataset, 48)
    assert judged.mean() == pytest.approx(0.75)
    assert all(len(set(judged[parts == part].tolist())) == 1 for part in range(48))
