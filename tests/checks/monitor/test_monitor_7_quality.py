"""monitor.7: wrong rows, biased scores and labels that stop fail; late labels, seasons and few rows do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.model import Model, as_model
from mltestscore.testing import run_check

FEATURES = ["region", "speed", "season"]
START = datetime(2026, 1, 1, tzinfo=UTC)
LABELS = {"binary": "late", "multiclass": "grade", "regression": "value"}
CLASSES = {"binary": (0, 1), "multiclass": ("a", "b", "c"), "regression": ()}
LOST, DROP, WATCHED = (
    "quality lost between the model and its served scores",
    "quality lost since launch, newest window",
    "quality lost since launch, all days together",
)
ORDER = "discrimination lost between the model and its served scores"
OVERDUE, BIAS, SLICE_BIAS = (
    "served rows whose label is overdue",
    "prediction bias",
    "prediction bias of a slice beyond that of all other rows",
)


@cache
def rows(first: int, days: int, a_day: int, seed: int, level: float = 0.0) -> pd.DataFrame:
    """Rows of some days; ``level`` moves the season, which the model sees."""
    rng, n = np.random.default_rng(seed), days * a_day
    frame = pd.DataFrame({"id": np.arange(n) + first * 10**6, "region": rng.choice(["n", "s", "w"], n)})
    frame["speed"] = rng.normal(size=n)
    day = first + np.arange(n) // a_day
    frame["season"] = level + np.sin(day / 7) + rng.normal(0, 0.3, days)[day - first]
    frame["time"] = pd.Timestamp(START) + pd.to_timedelta(day * 24 + rng.uniform(0, 24, n), unit="h")
    chance = 1 / (1 + np.exp(-signal(frame)))
    frame["late"] = (rng.random(n) < chance).astype(int)
    frame["grade"] = np.where(rng.random(n) < 0.8, np.where(frame["speed"] > 0.5, "c", "b"), "a")
    frame["value"] = signal(frame) + rng.normal(size=n)
    frame["known"] = frame["time"] + pd.to_timedelta(rng.uniform(12, 60, n), unit="h")
    return frame


def signal(frame: pd.DataFrame) -> np.ndarray:
    return np.asarray(1.5 * frame["speed"] + 0.5 * (frame["region"] == "n") + 0.5 * frame["season"] - 1)


def sound_model(task: str = "binary") -> Model:
    def predict(frame: pd.DataFrame) -> np.ndarray:
        if task == "regression":
            return signal(frame)
        if task == "binary":
            return 1 / (1 + np.exp(-signal(frame)))
        fast = (frame["speed"] > 0.5).to_numpy()
        return np.column_stack([np.full(len(frame), 0.2), np.where(fast, 0.05, 0.75), np.where(fast, 0.75, 0.05)])

    made = as_model(predict, name="sound", task=task, features=FEATURES)
    return replace(made, classes=CLASSES[task])


def given(task: str = "binary", days: int = 28, a_day: int = 400, *, level: float = 0.0, before: int = 0, **roles):
    """A holdout of forty days, and a log of ``before`` and ``days`` days with late labels."""
    model, label = sound_model(task), LABELS[task]
    log = rows(60 - before, before + days, a_day, 2, level).copy()
    scores = model.predict(log)
    log["score"] = scores if scores.ndim == 1 else np.array(model.classes)[scores.argmax(axis=1)]
    served = log[["id", "time", "score", *FEATURES]]
    late = log[["id", label, "known"]]
    seen = Roles(label=label, key=("id",), feature_times=((label, "known"),))
    return {
        "model": model,
        "holdout": open_dataset("holdout", rows(0, 40, 400, 1), Roles(label=label, key=("id",), time="time")),
        "serving": open_dataset("serving", served, Roles(score="score", key=("id",), time="time", **roles)),
        "outcomes": open_dataset("outcomes", late, seen),
        "clock": START + timedelta(days=60 + days, hours=1),
    }


def run(prove: bool = False, options: dict | None = None, **inputs):
    return run_check("monitor.7", prove=prove, options=options, **inputs)


def failed(result) -> set[tuple[str, str]]:
    assert result.state != "error", result.reason
    return {(one.name, one.where) for one in result.findings if one.verdict == "failed"}


def find(result, name: str, where: str = ""):
    return next(one for one in result.findings if one.name == name and one.where == where)


def changed(inputs: dict, name: str, change) -> dict:
    frame = change(inputs[name].frame())
    return {**inputs, name: inputs[name].replace(frame)}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_sound_system_passes_and_every_planted_fault_is_caught(task):
    result = run(prove=True, options={"max_drop": 0.03}, **given(task))
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof
    assert len(result.proof.faults) == 3
    assert result.proxy == ""


def test_a_log_of_probabilities_a_class_counts_as_the_class_that_is_answered():
    classes = given("multiclass")
    lists = changed(classes, "serving", lambda log: log.assign(score=[*classes["model"].predict(log)]))
    told = [[(one.name, one.where, one.value) for one in run(**one).findings] for one in (classes, lists)]
    assert told[0] == told[1]


def test_without_labels_an_estimate_passes_as_a_proxy_and_proves_itself():
    result = run(prove=True, **{**given(), "outcomes": None})
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof
    assert len(result.proof.faults) == 2
    assert result.proxy == "estimated quality lost since launch"
    assert all(finding.proxy for finding in result.findings)


def test_without_labels_the_class_that_was_answered_is_estimated_too():
    result = run(prove=True, **{**given("multiclass"), "outcomes": None})
    assert (result.state, result.proof.state) == ("passed", "proven"), (result.reason, result.proof)


def test_scores_that_reach_the_wrong_rows_from_a_date_on_fail_against_the_model_and_since_launch():
    def mixed(frame: pd.DataFrame) -> pd.DataFrame:
        since = frame["time"] > pd.Timestamp(START) + pd.Timedelta(days=64)
        moved = frame["score"].where(~since, frame["score"].shift(1, fill_value=0.5))
        return frame.assign(score=moved)

    result = run(**changed(given(), "serving", mixed))
    assert {(LOST, ""), (DROP, "")} <= failed(result)


def rare(rows: int, seed: int) -> pd.DataFrame:
    """One row in a hundred is positive, and a good score explains a hundredth of the variance."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": np.arange(rows), "speed": rng.normal(size=rows)})
    frame["time"] = pd.Timestamp(START) + pd.to_timedelta(np.sort(rng.uniform(0, 28, rows)), unit="D")
    return frame.assign(late=(rng.random(rows) < rare_chance(frame)).astype(int), score=rare_chance(frame))


def rare_chance(frame: pd.DataFrame) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(5.0 - 0.8 * frame["speed"])))


@pytest.mark.parametrize(
    ("rows", "shuffled", "decimals", "verdict"),
    [(20_000, 1, 9, "failed"), (20_000, 0, 2, "passed"), (2_000, 0, 9, "passed"), (2_000, 1, 9, "")],
)
def test_rare_events_whose_scores_reach_the_wrong_rows_lose_their_order_to_the_model(rows, shuffled, decimals, verdict):
    """A log that keeps two decimals has lost the order of rare events itself: what was served had it."""
    frame = rare(rows, 1)
    frame["score"] = np.roll(frame["score"], shuffled).round(decimals)
    model = replace(as_model(rare_chance, name="rare", task="binary", features=["speed"]), classes=(0, 1))
    log, known = frame.drop(columns="late"), frame[["id", "late"]]
    result = run(
        model=model,
        serving=open_dataset("serving", log, Roles(key=("id",), time="time", score="score")),
        outcomes=open_dataset("outcomes", known, Roles(key=("id",), label="late")),
        clock=START + timedelta(days=40),
    )
    assert find(result, ORDER).verdict == (verdict or "inconclusive")
    assert failed(result) == ({(ORDER, "")} if verdict == "failed" else set())


def test_a_label_join_that_is_off_by_one_fails_although_the_model_agrees_with_the_log():
    """Both sides of the comparison on the same rows are equally wrong; only the launch tells."""
    inputs = changed(given(), "outcomes", lambda frame: frame.assign(late=np.roll(frame["late"], 1)))
    result = run(**inputs)
    assert (DROP, "") in failed(result)
    assert find(result, LOST).verdict == "passed"


def test_scores_a_tenth_too_high_in_the_newest_window_fail_as_a_bias():
    def biased(frame: pd.DataFrame) -> pd.DataFrame:
        late = frame["time"] > pd.Timestamp(START) + pd.Timedelta(days=60)
        return frame.assign(score=(frame["score"] + 0.1 * late).clip(0, 1))

    result = run(**changed(given(before=28), "serving", biased))
    assert (BIAS, "") in failed(result)
    assert find(result, BIAS).note == "answers are too high on average"


def test_a_gross_bias_of_one_week_is_shown_although_a_week_says_little_of_how_days_differ():
    """Seven days whose errors differ somewhat: their own spread leaves hardly any freedom, that at launch does."""
    lifted = rows(60, 9, 400, 2)["time"].dt.dayofyear.to_numpy() % 3 * 0.035 + 0.16
    inputs = changed(given(days=9), "serving", lambda frame: frame.assign(score=(frame["score"] + lifted).clip(0, 1)))
    assert (BIAS, "") in failed(run(**inputs))


def test_a_bias_of_one_slice_is_named():
    def biased(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(score=np.where(frame["region"] == "w", (frame["score"] - 0.25).clip(0, 1), frame["score"]))

    assert (SLICE_BIAS, "region = w") in failed(run(**changed(given(), "serving", biased)))


def test_a_slice_on_days_of_its_own_is_not_accused_of_what_those_days_did():
    """Half of the days are worse than foreseen, for every row; a column that names those days is no slice to blame."""
    inputs = given(days=14)
    bad = inputs["serving"].frame()["time"] > pd.Timestamp(START) + pd.Timedelta(days=69)
    inputs = changed(inputs, "serving", lambda frame: frame.assign(week=np.where(bad, "second", "first")))
    inputs = changed(
        inputs, "outcomes", lambda frame: frame.assign(late=np.where(bad & (frame["id"] % 3 > 0), 1, frame["late"]))
    )
    found = find(run(options={"slices": ("week",)}, **inputs), SLICE_BIAS, "week = second")
    assert (found.verdict, found.value) == ("inconclusive", None)
    assert "3 of 12 days" in found.note  # the last two have no labels yet


def test_labels_of_one_slice_that_stop_are_named():
    inputs = given()
    gone = set(inputs["serving"].frame().query("region == 's'")["id"])
    result = run(**changed(inputs, "outcomes", lambda frame: frame[~frame["id"].isin(gone)]))
    assert {(OVERDUE, ""), (OVERDUE, "region = s")} <= failed(result)
    assert (OVERDUE, "region = n") not in failed(result)


def test_scores_squared_keep_their_order_and_fail_the_calibration():
    result = run(**changed(given(), "serving", lambda frame: frame.assign(score=frame["score"] ** 2)))
    assert ("calibration error grown since launch", "") in failed(result)
    assert find(result, DROP).verdict == "passed"


def test_without_times_of_the_log_missing_labels_accuse_only_a_slice_that_lacks_more_than_the_others():
    inputs = given()
    log = inputs["serving"].frame().drop(columns="time")
    inputs["serving"] = open_dataset("serving", log, replace(inputs["serving"].roles, time=""))
    newest = set(log["id"].iloc[-3_000:])
    young = changed(inputs, "outcomes", lambda frame: frame[~frame["id"].isin(newest)])
    assert find(run(**young), OVERDUE).verdict == "inconclusive"
    assert "time = " in find(run(**young), OVERDUE).note
    assert not [name for name, _ in failed(run(**young)) if name == OVERDUE]
    gone = set(log.query("region == 's'")["id"])
    lost = changed(inputs, "outcomes", lambda frame: frame[~frame["id"].isin(gone)])
    assert [where for name, where in failed(run(**lost)) if name == OVERDUE] == ["region = s"]


def test_rows_too_young_for_a_label_are_left_out_and_counted():
    """The last three days have only the early labels, all of one kind; nobody is accused of it."""
    inputs = given()
    late = inputs["outcomes"].frame()
    seen = late[(late["known"] < inputs["clock"]) | (late["late"] == 1)]
    result = run(**{**inputs, "outcomes": inputs["outcomes"].replace(seen)})
    table = dict(next(one for one in result.details if one.title.startswith("Served rows")).data["rows"])
    assert failed(result) == set()
    assert find(result, OVERDUE).verdict == "passed"
    assert 600 < int(table["rows too young to have a label, left out"].replace(",", "")) < 1_500
    assert "99%" in table["delay of labels"]


def test_a_declared_delay_takes_the_place_of_the_measured_one():
    table = dict(run(options={"label_delay_hours": 240}, **given()).details[0].data["rows"])
    assert table["delay of labels"] == "240 hours, declared"


@pytest.mark.parametrize("level", [-1.5, 1.5])
def test_a_season_with_another_base_rate_never_fails(level):
    inputs = given(level=level)
    share = inputs["outcomes"].frame()["late"].mean() - inputs["holdout"].frame()["late"].mean()
    assert abs(share) > 0.08
    assert failed(run(**inputs)) == set()


@pytest.mark.parametrize(("days", "a_day"), [(1, 30), (3, 100), (7, 43), (28, 11)])
def test_few_rows_decide_nothing_and_never_fail(days, a_day):
    result = run(**given(days=days, a_day=a_day))
    assert failed(result) == set()
    assert result.state == "inconclusive"


def test_rows_that_no_label_reaches_by_nature_pass_below_the_limit():
    inputs = changed(given(), "outcomes", lambda frame: frame[frame["id"] % 33 != 0])
    assert find(run(**inputs), OVERDUE).value == pytest.approx(0.03, abs=0.005)
    assert find(run(**inputs), OVERDUE).verdict == "passed"


def test_clusters_widen_what_days_do_not():
    """A user who stays for weeks answers alike: forty users are forty observations, not twenty thousand."""
    inputs = given()
    log = inputs["serving"].frame().assign(user=lambda frame: frame["id"] % 40)
    roles = replace(inputs["serving"].roles, cluster="user")
    clustered = {**inputs, "serving": open_dataset("serving", log, roles)}
    assert failed(run(**clustered)) == set()
    assert find(run(**clustered), LOST).n == 40


def test_a_slow_decay_is_watched_over_all_days_since_the_launch():
    def decayed(frame: pd.DataFrame) -> pd.DataFrame:
        rng = np.random.default_rng(3)
        return frame.assign(late=np.where(rng.random(len(frame)) < 0.6, rng.random(len(frame)) < 0.4, frame["late"]))

    sound = given(before=50)
    assert find(run(**sound), WATCHED).verdict != "failed"
    assert (WATCHED, "") in failed(run(**changed(sound, "outcomes", decayed)))


def test_without_a_holdout_the_first_window_of_the_log_is_the_launch():
    inputs = {**given(before=28), "holdout": None}
    assert find(run(options={"max_drop": 0.03}, **inputs), DROP).verdict == "passed"
    alone = run(**{**given(), "holdout": None})
    assert "offer a holdout" in find(alone, DROP).note


def test_nothing_to_judge_by_is_not_offered():
    inputs = given()
    assert run(model=inputs["model"]).state == "not_offered"
    assert "outcomes" in run(model=inputs["model"], serving=inputs["serving"]).reason
    numbers = given("regression")
    assert "outcomes" in run(**{**numbers, "outcomes": None}).reason
    nameless = open_dataset("serving", inputs["serving"].frame(), Roles(key=("id",), time="time"))
    assert "score = …" in run(**{**inputs, "serving": nameless}).reason
    keyless = open_dataset("serving", inputs["serving"].frame(), Roles(score="score", time="time"))
    without = open_dataset("outcomes", inputs["outcomes"].frame().rename(columns={"id": "key"}), Roles(label="late"))
    assert "key = […]" in run(**{**inputs, "serving": keyless, "outcomes": without}).reason


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("serving", lambda frame: frame.assign(score=frame["score"] * 100), "from 0 to 1"),
        ("outcomes", lambda frame: frame.assign(late=frame["late"] + 5), "not among the model's classes"),
        ("outcomes", lambda frame: frame.assign(id="f" + frame["id"].astype(str)), "in the same form"),
        (
            "outcomes",
            lambda frame: pd.concat([frame, frame.assign(late=1 - frame["late"])]),
            "Every key of outcomes stands in several rows",
        ),
        ("serving", lambda frame: frame.assign(id=1), "Every key of serving stands in several rows"),
    ],
)
def test_bad_inputs_are_clear_errors(name, change, words):
    result = run(**changed(given(a_day=60), name, change))
    assert result.state == "error"
    assert words in result.reason


@pytest.mark.parametrize(
    ("options", "words"),
    [({"slices": ("regoin",)}, "Did you mean 'region'?"), ({"metric": "auc"}, "roc_auc")],
)
def test_bad_options_are_clear_errors(options, words):
    result = run(options=options, **given(a_day=60))
    assert result.state == "error"
    assert words in result.reason


def test_scores_that_are_not_finite_fail_and_the_rest_is_judged():
    inputs = changed(given(), "serving", lambda frame: frame.assign(score=frame["score"].where(frame["id"] % 50 != 0)))
    result = run(**inputs)
    assert failed(result) == {("served rows without a finite score", "")}


def test_a_log_without_any_finite_score_fails_by_that_and_no_error_hides_it():
    result = run(**changed(given(a_day=60), "serving", lambda frame: frame.assign(score=np.nan)))
    assert failed(result) == {("served rows without a finite score", "")}


def test_a_log_without_the_models_inputs_is_judged_by_its_labels_alone():
    inputs = given()
    short = open_dataset("serving", inputs["serving"].frame(["id", "time", "score"]), inputs["serving"].roles)
    names = {one.name for one in run(**{**inputs, "serving": short}).findings}
    assert LOST not in names
    assert {DROP, BIAS, OVERDUE} <= names


def test_the_verdict_is_the_same_again():
    assert run(**given(a_day=100)).findings == run(**given(a_day=100)).findings
