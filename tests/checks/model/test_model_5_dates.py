"""model.5 on holdouts of a few dates: useful models pass, broken ones fail, and days that differ accuse nobody."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from mltestscore.testing import run_check
from tests.checks.model.test_model_5_simpler_model import ADVANTAGE, classifier, dataset, finding, inputs, rows


def dated(estimator, dates: int, effect: float = 0.0) -> dict:
    """Holdout rows of a few days; on each, an ``effect`` of its own decides which of two inputs counts for more."""
    given = inputs(estimator, rows(4000, 1), rows(4000, 2))
    frame = given["holdout"].frame()
    rng = np.random.default_rng(dates)
    frame["day"] = pd.Timestamp("2026-03-01") + pd.to_timedelta(np.sort(rng.integers(0, dates, len(frame))), unit="D")
    shift = effect * rng.normal(size=dates)[(frame["day"] - frame["day"].min()).dt.days]
    frame["late"] = np.where(rng.random(len(frame)) < np.abs(shift), shift > 0, frame["late"]).astype(int)
    return {**given, "holdout": dataset("holdout", frame, time="day")}


@pytest.mark.parametrize("dates", [5, 9, 14, 40])
def test_a_useful_model_passes_on_a_few_dates_and_from_nine_on_every_fault_is_caught(dates):
    result = run_check("model.5", prove=dates >= 9, **dated(classifier(), dates, effect=0.1))
    assert result.state == "passed", result.reason
    assert dates < 9 or result.proof.state == "proven", result.proof


def test_two_dates_decide_nothing_and_say_so():
    result = run_check("model.5", prove=False, **dated(classifier(), 2))
    assert result.state == "inconclusive"
    assert "n is 2" in result.reason


@pytest.mark.parametrize("dates", [9, 14, 40])
def test_scores_of_other_rows_fail_on_a_few_dates(dates):
    given = dated(classifier(), dates)
    sound = given["model"]
    given["model"] = sound.replace(lambda frame: 1 - sound.predict(frame))
    assert finding(run_check("model.5", prove=False, **given), ADVANTAGE).verdict == "failed"


@pytest.mark.parametrize("dates", [2, 3, 9])
def test_a_model_as_good_as_the_best_simple_one_is_not_failed_on_dates_that_differ(dates):
    result = run_check("model.5", prove=False, **dated(LogisticRegression(C=0.5), dates, effect=0.3))
    assert result.state == "inconclusive"
