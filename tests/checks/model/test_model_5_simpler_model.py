"""model.5: a useful model passes and is proven; useless ones fail; few or rare rows never decide."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.heuristics import Heuristics
from mltestscore.inputs.model import as_model
from mltestscore.testing import run_check

FEATURES = ["speed", "load", "heat", "wear"]
ADVANTAGE = "advantage over the best simple model"


def rows(n: int, seed: int, *, share: float = 0.3, nulls: float = 0.0) -> pd.DataFrame:
    """Rows whose outcome depends on one feature alone and on a product of two, which no simple model sees."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 4)), columns=FEATURES)
    signal = frame["speed"] + 2 * np.sign(frame["load"] * frame["heat"])
    frame["value"] = 100 + 10 * signal + rng.normal(size=n)
    noisy = signal + rng.logistic(size=n)
    frame["late"] = (noisy > np.quantile(noisy, 1 - share)).astype(int)
    frame["grade"] = np.array(["a", "b", "c"])[np.digitize(noisy, np.quantile(noisy, [0.4, 0.75]))]
    frame["id"] = np.arange(n)
    frame.loc[rng.random(n) < nulls, "wear"] = np.nan
    return frame


def classifier() -> Pipeline:
    """A model that is worth its complexity: it sees the product of two features. Fitted in milliseconds."""
    return make_pipeline(SimpleImputer(), StandardScaler(), PolynomialFeatures(2), LogisticRegression(max_iter=500))


def regressor() -> Pipeline:
    return make_pipeline(SimpleImputer(), StandardScaler(), PolynomialFeatures(2), Ridge())


def dataset(name: str, frame: pd.DataFrame, label: str = "late", **roles):
    return open_dataset(name, frame, Roles(label=label, key=("id",), features=tuple(FEATURES), **roles))


def inputs(estimator, training: pd.DataFrame, holdout: pd.DataFrame, label: str = "late") -> dict:
    fitted = estimator.fit(training[FEATURES], training[label])
    return {
        "model": as_model(fitted),
        "training": dataset("training", training, label),
        "holdout": dataset("holdout", holdout, label),
    }


@pytest.fixture(scope="module")
def sound() -> dict:
    return inputs(classifier(), rows(4000, 1), rows(4000, 2))


def finding(result, name: str):
    return next(finding for finding in result.findings if finding.name == name)


def test_a_useful_model_passes_and_every_planted_fault_is_caught(sound):
    result = run_check("model.5", **sound)
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof
    assert len(result.proof.faults) == 3


def test_the_verdict_repeats_itself(sound):
    again = [run_check("model.5", prove=False, **sound).findings for _ in range(2)]
    assert again[0] == again[1]


def test_the_table_shows_every_model_with_its_metric(sound):
    result = run_check("model.5", prove=False, **sound)
    (table,) = result.details
    assert [row[0] for row in table.data["rows"]] == [
        "the model",
        "constant",
        "logistic regression",
        "tree of depth 3",
    ]
    assert all(0.45 < row[1] <= 1 for row in table.data["rows"])


@pytest.mark.parametrize(("label", "metric"), [("grade", "accuracy"), ("value", "r2")])
def test_more_classes_and_numbers_are_judged_too(label, metric):
    kind = regressor if label == "value" else classifier
    # A simple model is better than the commonest grade by four points only: so many rows show it.
    result = run_check("model.5", **inputs(kind(), rows(4000, 1), rows(12_000, 2), label))
    assert (result.state, result.proof.state) == ("passed", "proven"), (result.reason, result.proof)
    assert metric in result.details[0].data["columns"]


@pytest.mark.parametrize("metric", ["d2_log_loss", "accuracy"])
def test_another_metric_can_be_chosen(sound, metric):
    assert run_check("model.5", prove=False, options={"metric": metric}, **sound).state == "passed"


def test_a_metric_that_the_task_has_not_is_an_error_with_near_names(sound):
    result = run_check("model.5", prove=False, options={"metric": "roc-auc"}, **sound)
    assert result.state == "error"
    assert "roc_auc" in result.reason


def test_a_model_overfitted_to_three_hundred_rows_fails():
    """The outcome is linear, so that a deep tree that learned few rows by heart loses to a logistic regression."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.normal(size=(6000, 4)), columns=FEATURES)
    frame["late"] = (frame.sum(axis=1) + rng.logistic(size=6000) > 0).astype(int)
    frame["id"] = range(6000)
    given = inputs(DecisionTreeClassifier(random_state=0), frame[:300], frame[3000:])
    given["training"] = dataset("training", frame[:3000])
    result = run_check("model.5", prove=False, **given)
    assert result.state == "failed"
    assert finding(result, ADVANTAGE).where == "logistic regression"


def test_a_model_that_answers_the_majority_class_fails_though_it_is_accurate(sound):
    rare = {"training": rows(8000, 1, share=0.05), "holdout": rows(8000, 2, share=0.05)}
    given = {name: dataset(name, frame) for name, frame in rare.items()}
    never = sound["model"].replace(lambda frame: np.full(len(frame), 0.01))
    assert run_check("model.5", prove=False, model=never, **given).state == "failed"


def test_a_model_that_reads_its_features_in_another_order_fails(sound):
    def swapped(frame):
        return sound["model"].predict(frame.rename(columns={"speed": "load", "load": "speed"}))

    assert run_check("model.5", prove=False, **{**sound, "model": sound["model"].replace(swapped)}).state == "failed"


def test_predictions_in_another_unit_fail():
    given = inputs(regressor(), rows(3000, 1), rows(3000, 2), "value")
    fahrenheit = given["model"].replace(lambda frame: given["model"].predict(frame) * 1.8 + 32)
    assert run_check("model.5", prove=False, **{**given, "model": fahrenheit}).state == "failed"


def test_scores_that_are_not_finite_fail_and_are_counted(sound):
    def broken(frame):
        return np.where(frame["speed"] > 2, np.nan, sound["model"].predict(frame))

    result = run_check("model.5", prove=False, **{**sound, "model": sound["model"].replace(broken)})
    assert result.state == "failed"
    assert finding(result, "holdout rows without a finite score").value > 50


@pytest.mark.parametrize("n", [30, 100, 300])
def test_few_rows_decide_nothing_and_say_how_many_are_needed(n):
    given = inputs(classifier(), rows(n, 1), rows(n, 2))
    result = run_check("model.5", prove=False, **given)
    assert result.state == "inconclusive"
    assert finding(result, ADVANTAGE).n_to_settle == 667


def test_rare_positives_decide_nothing():
    given = inputs(classifier(), rows(9000, 1, share=0.001), rows(9000, 2, share=0.001))
    result = run_check("model.5", prove=False, **given)
    assert result.state == "inconclusive"
    assert finding(result, ADVANTAGE).n_to_settle > 50_000


def test_training_labels_of_one_class_decide_nothing(sound):
    none_late = dataset("training", rows(500, 1).assign(late=0))
    assert run_check("model.5", prove=False, **{**sound, "training": none_late}).state == "inconclusive"


def straight() -> pd.DataFrame:
    """Rows whose outcome a linear model tells as well as any."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(rng.normal(size=(6000, 4)), columns=FEATURES).assign(id=range(6000))
    return frame.assign(late=(frame["speed"] + rng.logistic(size=6000) > 0).astype(int))


def test_a_linear_model_is_not_failed_for_being_as_good_as_the_linear_baseline():
    estimator, frame = make_pipeline(StandardScaler(), LogisticRegression()), straight()
    assert run_check("model.5", prove=False, **inputs(estimator, frame[:3000], frame[3000:])).state == "inconclusive"


COST = "time to score beside the best trained baseline"


@pytest.mark.parametrize("waits", [0.0, 0.3])
def test_a_model_hardly_better_than_a_simple_one_that_scores_for_long_is_warned_of(waits):
    def predict(frame: pd.DataFrame) -> np.ndarray:
        time.sleep(waits)
        return linear.predict_proba(frame)[:, 1]

    training, holdout = straight()[:3000], straight()[3000:]
    linear = make_pipeline(SimpleImputer(), LogisticRegression()).fit(training[FEATURES], training["late"])
    given = {"training": dataset("training", training), "holdout": dataset("holdout", holdout)}
    model = as_model(predict, features=FEATURES, task="binary")

    result = run_check("model.5", prove=False, model=model, **given)

    cost = finding(result, COST)
    assert (cost.advisory, cost.verdict) == (True, "failed" if waits else "passed")
    assert ("the simple model may do" in cost.cause) == bool(waits)
    assert result.state != "failed"


def test_a_model_that_is_worth_its_time_is_not_timed_and_one_below_the_margin_fails(sound):
    result = run_check("model.5", prove=False, **sound)
    assert COST not in [one.name for one in result.findings]

    demanding = run_check("model.5", prove=False, options={"margin": 0.4}, **sound)
    assert demanding.state == "failed"
    assert finding(demanding, ADVANTAGE).verdict == "failed"


def test_labels_that_nothing_predicts_pass_nobody():
    noise = [rows(3000, seed) for seed in (1, 2)]
    for frame in noise:
        frame["late"] = np.random.default_rng(5).integers(0, 2, len(frame))
    result = run_check("model.5", prove=False, **inputs(classifier(), *noise))
    assert result.state == "inconclusive"
    assert "beating them proves little" in result.reason


def test_missing_values_twins_and_outliers_do_no_harm():
    frames = [rows(4000, seed, nulls=0.2) for seed in (1, 2)]
    for frame in frames:
        frame["heat"] = frame["load"] * frame["heat"]
        frame["load"] = frame["heat"]
        frame.loc[0, "wear"] = 1e12
    estimator = make_pipeline(SimpleImputer(), DecisionTreeClassifier(max_depth=7, min_samples_leaf=20, random_state=0))
    assert run_check("model.5", prove=False, **inputs(estimator, *frames)).state != "failed"


def test_clustered_rows_count_less(sound):
    """The same rows forty times over are no more evidence where the cluster is declared."""
    frame = rows(120, 2)
    copies = pd.concat([frame] * 40, ignore_index=True)
    holdout = open_dataset("holdout", copies, Roles(label="late", cluster="id", features=tuple(FEATURES)))
    result = run_check("model.5", prove=False, **{**sound, "holdout": holdout})
    assert finding(result, ADVANTAGE).n < 120
    assert result.state == "inconclusive"


def test_a_missing_holdout_is_not_offered(sound):
    assert run_check("model.5", model=sound["model"], training=sound["training"]).state == "not_offered"


def test_a_missing_label_role_is_not_offered_and_says_where_to_name_it(sound):
    unlabelled = open_dataset("holdout", rows(100, 2), Roles(features=tuple(FEATURES)))
    result = run_check("model.5", **{**sound, "holdout": unlabelled})
    assert result.state == "not_offered"
    assert "tool.mltestscore.data.holdout" in result.reason


def test_a_label_of_another_system_is_an_error_that_names_it(sound):
    odd = dataset("holdout", rows(2000, 2).assign(late="yes"))
    result = run_check("model.5", **{**sound, "holdout": odd})
    assert result.state == "error"
    assert "'yes'" in result.reason
    assert "[0, 1]" in result.reason


def series(days: int, seed: int) -> pd.DataFrame:
    """Two shops whose sales wander, with the day before and the day before that as features."""
    rng = np.random.default_rng(seed)
    made = []
    for shop in ("north", "south"):
        sold = 100 + np.cumsum(rng.normal(size=days))
        frame = pd.DataFrame({"shop": shop, "day": pd.date_range("2020-01-01", periods=days), "sold": sold})
        made.append(frame.assign(yesterday=frame["sold"].shift(1), before=frame["sold"].shift(2)).dropna())
    return pd.concat(made)


@pytest.mark.parametrize(("features", "state"), [(["before"], "failed"), (["yesterday", "before"], "inconclusive")])
def test_a_forecast_must_beat_the_last_value(features, state):
    frame = series(2200, 5)
    early = frame["day"] < "2022-06-01"
    roles = Roles(label="sold", time="day", key=("shop", "day"), features=tuple(features))
    fitted = LinearRegression().fit(frame[early][features], frame[early]["sold"])
    result = run_check(
        "model.5",
        model=as_model(fitted, task="regression"),
        training=open_dataset("training", frame[early], roles),
        holdout=open_dataset("holdout", frame[~early], roles),
        heuristics=Heuristics(series=("shop",), horizon_days=1.0, season_days=7.0),
        prove=False,
    )
    assert result.state == state, result.reason
    table = next(detail for detail in result.details if detail.title.startswith("Models on"))
    assert {"last value", "value a season ago"} <= {row[0].split(" (")[0] for row in table.data["rows"]}
    if state == "failed":
        assert finding(result, ADVANTAGE).where == "last value"


def test_a_rule_of_the_team_that_beats_the_model_is_named(sound):
    holdout = sound["holdout"].frame()
    holdout["guess"] = (holdout["load"] * holdout["heat"] > 0) * 2.0 + holdout["speed"]
    crude = as_model(LogisticRegression().fit(holdout[["wear", "load"]], holdout["late"]))
    roles = Roles(label="late", key=("id",), features=tuple(FEATURES))
    given = {**sound, "model": crude, "holdout": open_dataset("holdout", holdout, roles)}
    result = run_check("model.5", **given, heuristics=Heuristics({"the foreman's rule": "guess"}), prove=False)
    assert (result.state, finding(result, ADVANTAGE).where) == ("failed", "the foreman's rule")


def forecasts(n: int, seed: int, *, memory: float) -> dict:
    """Hourly values, and a model whose errors last; the team's rule is as good, with lasting errors of its own."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"at": pd.date_range("2026-01-01", periods=n, freq="h"), "heat": rng.normal(size=n)})
    errors = lfilter([1], [1, -memory], rng.standard_normal((2, n + 300)))[:, 300:] * np.sqrt(1 - memory**2)
    frame["value"] = frame["heat"] + 2 * rng.normal(size=n)
    frame["own"], frame["rule"] = frame["value"].to_numpy() + errors
    roles = Roles(label="value", time="at", features=("heat", "own"))
    past = frame.assign(own=rng.normal(size=n))
    return {
        "model": as_model(lambda rows: rows["own"], task="regression", features=["heat", "own"]),
        "training": open_dataset("training", past, roles),
        "holdout": open_dataset("holdout", frame, roles),
        "heuristics": Heuristics({"rule": "rule"}, horizon_days=1 / 24),
    }


def test_a_forecast_is_judged_by_periods_of_time_without_a_cluster():
    """Both are equally good; errors that remember 80 % of the hour before say so in few periods of 3,000 rows."""
    result = run_check("model.5", prove=False, **forecasts(3000, 1, memory=0.8))
    found = finding(result, ADVANTAGE)
    assert (found.where, found.verdict) == ("rule", "inconclusive")
    assert "cluster-robust" in found.method
    assert 10 <= found.n <= 50


def test_a_forecast_of_few_periods_is_undecided():
    result = run_check("model.5", prove=False, **forecasts(800, 1, memory=0.97))
    assert result.state == "inconclusive", result.reason
    assert "periods of time; at least 10 are needed" in str(finding(result, ADVANTAGE))
