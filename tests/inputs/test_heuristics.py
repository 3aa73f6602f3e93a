"""What a model must beat: rules of the team, the last value that was known, the one a season ago."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import ConfigError, InputError, NotOffered
from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.heuristics import LAST, SEASON, Heuristics, as_scores, open_heuristics

START = pd.Timestamp("2026-01-01")


def days(values, shop="north", start=START):
    """One value a day."""
    return pd.DataFrame(
        {"shop": shop, "day": pd.date_range(start, periods=len(values)), "sold": np.asarray(values, float)}
    )


def dataset(name, frame, **roles):
    return open_dataset(name, frame, Roles(**{"label": "sold", "time": "day", **roles}))


def forecasts(training, holdout, **settings):
    later = dataset("holdout", holdout)
    rules = Heuristics(series=("shop",), **settings)
    return rules.answers(later.frame(), dataset("training", training), later)


def test_the_last_value_is_the_one_known_when_the_forecast_is_made():
    training, holdout = days(range(10)), days(range(10, 15), start=START + pd.Timedelta(days=10))
    for horizon, expected in ((0, [9, 10, 11, 12, 13]), (1, [9, 10, 11, 12, 13]), (3, [7, 8, 9, 10, 11])):
        assert forecasts(training, holdout, horizon_days=horizon)[LAST].tolist() == expected


def test_the_value_a_season_ago_was_known_before_the_horizon():
    training, holdout = days(range(20)), days(range(20, 23), start=START + pd.Timedelta(days=20))
    assert forecasts(training, holdout, horizon_days=2, season_days=7)[SEASON].tolist() == [13, 14, 15]
    assert forecasts(training, holdout, horizon_days=8, season_days=7)[SEASON].tolist() == [6, 7, 8]


def test_each_series_has_its_own_values_and_a_new_one_none():
    training = pd.concat([days([1, 2, 3]), days([50, 60, 70], "south")])
    start = START + pd.Timedelta(days=3)
    holdout = pd.concat([days([4], "north", start), days([80], "south", start), days([9], "new", start)])
    found = forecasts(training.sample(frac=1, random_state=0), holdout, horizon_days=1)[LAST]
    assert found[:2].tolist() == [3, 70]
    assert np.isnan(found[2])


@pytest.mark.parametrize("as_text", [False, True])
def test_times_may_be_text_and_labels_may_be_late(as_text):
    training = days([1, 2, np.nan])
    holdout = days([4], start=START + pd.Timedelta(days=3))
    if as_text:
        training["day"], holdout["day"] = training["day"].astype(str), holdout["day"].astype(str)
    assert forecasts(training, holdout, horizon_days=1)[LAST].tolist() == [2]


def test_rules_are_columns_or_functions_that_never_see_the_label(tmp_path: Path):
    (tmp_path / "shop_rules.py").write_text("def known(rows):\n    return [float('sold' in rows)] * len(rows)\n")
    holdout = dataset("holdout", days([1, 2, 3]).assign(lag=[0.0, 1.0, np.nan]))
    rules = open_heuristics(
        tmp_path, rules={"lag": "lag", "label": "shop_rules:known"}, series=(), horizon_days=None, season_days=0
    )
    found = rules.answers(holdout.frame(), holdout, holdout)
    assert (found["label"].tolist(), found["lag"][:2].tolist()) == ([0, 0, 0], [0, 1])
    assert "sold" not in rules.columns(holdout)
    before = rules.digest
    (tmp_path / "shop_rules.py").write_text("def known(rows):\n    return [1.0] * len(rows)\n")
    assert before
    assert rules.digest != before


@pytest.mark.parametrize(
    ("code", "message"),
    [("raise ValueError('no stock')", "raised ValueError: no stock"), ("return [1.0]", "shape (1,) for 3 rows")],
)
def test_a_rule_that_fails_says_which(tmp_path: Path, code, message):
    name = f"failing_{abs(hash(code))}"
    (tmp_path / f"{name}.py").write_text(f"def rule(rows):\n    {code}\n")
    holdout = dataset("holdout", days([1, 2, 3]))
    with pytest.raises(InputError) as raised:
        Heuristics({"guess": f"{name}:rule"}, folder=tmp_path).answers(holdout.frame(), holdout, holdout)
    assert message in str(raised.value)
    assert "'guess'" in str(raised.value)


def test_a_forecast_needs_a_time_and_a_season_a_horizon():
    timeless = dataset("holdout", days([1, 2, 3]), time="")
    with pytest.raises(NotOffered, match="time of holdout"):
        Heuristics(horizon_days=1.0).answers(timeless.frame(), timeless, timeless)
    nothing = {"rules": {}, "series": (), "horizon_days": None}
    with pytest.raises(ConfigError, match="without horizon_days"):
        open_heuristics(Path(), **nothing, season_days=7.0)
    with pytest.raises(ConfigError, match="name of one of ours"):
        open_heuristics(Path(), **{**nothing, "rules": {LAST: "lag"}}, season_days=0)


def test_answers_become_scores_of_the_task():
    half = np.full(3, 0.5)
    assert as_scores(np.array([3, np.nan, 1.0]), half, "regression", ())[0].tolist() == [3, 0.5, 1]
    assert as_scores(np.array(["late", "early", None]), half, "binary", ("early", "late"))[0].tolist() == [1, 0, 0.5]
    assert as_scores(np.array([7, 8, 9]), half, "binary", (0, 1))[0].tolist() == [7, 8, 9]
    with pytest.raises(InputError, match="none of the classes"):
        as_scores(np.array(["d"]), np.full((1, 3), 1 / 3), "multiclass", ("a", "b", "c"))
    with pytest.raises(InputError, match="no finite number"):
        as_scores(np.array(["soon"]), half[:1], "regression", ())
