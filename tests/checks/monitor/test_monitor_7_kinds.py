"""monitor.7 on rankings and on several labels: what was served against the model, the launch and what came true."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.model import Model, as_model
from mltestscore.testing import run_check

START = datetime(2026, 1, 1, tzinfo=UTC)
FEATURES = ["region", "speed"]
TAGS = ("early", "late", "wet")
SIZE = 6  # rows of a query
LOST = "quality lost between the model and its served scores"
DROP = "quality lost since launch, newest window"
BIAS, GROWN = "prediction bias", "calibration error grown since launch"
OVERDUE = "served rows whose label is overdue"


@cache
def rows(first: int, days: int, a_day: int, seed: int) -> pd.DataFrame:
    """Rows of some days, in queries of six that were asked at one time."""
    rng, n = np.random.default_rng(seed), days * a_day
    frame = pd.DataFrame({"id": np.arange(n) + first * 10**6, "speed": rng.normal(size=n)})
    frame["query"] = np.arange(n) // SIZE + first * 10**6
    frame["region"] = rng.choice(["n", "s", "w"], n // SIZE + 1)[np.arange(n) // SIZE]
    hours = np.sort(rng.uniform(0, 24 * days, n // SIZE + 1))[np.arange(n) // SIZE]
    frame["time"] = pd.Timestamp(START) + pd.to_timedelta(24 * first + hours, unit="h")
    frame["known"] = frame["time"] + pd.to_timedelta(rng.uniform(12, 48, n), unit="h")
    frame["grade"] = np.digitize(frame["speed"] + rng.normal(size=n), [0.0, 1.0, 2.0])
    hit = rng.random((n, len(TAGS))) < chances(frame)
    frame["tags"] = [[tag for tag, has in zip(TAGS, row, strict=True) if has] for row in hit]
    return frame


def chances(frame: pd.DataFrame) -> np.ndarray:
    speed = frame["speed"].to_numpy()
    signals = (speed - 0.5, 1 - 2 * speed, np.where(frame["region"] == "n", 1.0, -1.0))
    return np.column_stack([1 / (1 + np.exp(-one)) for one in signals])


def model_for(task: str) -> Model:
    if task == "ranking":
        return as_model(lambda frame: frame["speed"].to_numpy(), task="ranking", features=FEATURES)
    return as_model(chances, task="multilabel", features=FEATURES)


def given(task: str, a_day: int = 300) -> dict:
    model, label = model_for(task), {"ranking": "grade", "multilabel": "tags"}[task]
    log = rows(60, 28, a_day, 2)
    log = log.assign(score=list(model.predict(log).tolist()))
    query = {"cluster": "query"} if task == "ranking" else {}
    seen = Roles(label=label, key=("id",), feature_times=((label, "known"),))
    launch = Roles(label=label, key=("id",), time="time", **query)
    serving = Roles(score="score", key=("id",), time="time", **query)
    served = log[["id", "query", "time", "score", *FEATURES]]
    return {
        "model": model,
        "holdout": open_dataset("holdout", rows(0, 40, 300, 1), launch),
        "serving": open_dataset("serving", served, serving),
        "outcomes": open_dataset("outcomes", log[["id", label, "known"]], seen),
        "clock": START + timedelta(days=88, hours=1),
    }


def run(inputs: dict, *, prove: bool = False, **options):
    return run_check("monitor.7", prove=prove, options={"max_drop": 0.05, **options}, **inputs)


def failed(result) -> set[tuple[str, str]]:
    assert result.state != "error", result.reason
    return {(one.name, one.where) for one in result.findings if one.verdict == "failed"}


def changed(inputs: dict, name: str, change) -> dict:
    return {**inputs, name: inputs[name].replace(change(inputs[name].frame()))}


@pytest.mark.parametrize("task", ["ranking", "multilabel"])
def test_a_sound_system_passes_and_every_planted_fault_is_caught(task):
    result = run(given(task), prove=True)
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof
    assert len(result.proof.faults) == 3


def test_the_best_rows_served_last_fail_against_the_model_and_the_launch():
    result = run(changed(given("ranking"), "serving", lambda frame: frame.assign(score=-frame["score"])))
    assert failed(result) == {(LOST, ""), (DROP, "")}


def test_scores_of_another_scale_are_the_same_order():
    result = run(changed(given("ranking"), "serving", lambda frame: frame.assign(score=40 * frame["score"] - 1000)))
    assert failed(result) == set()


def test_grades_that_no_longer_follow_the_order_fail_since_launch_alone():
    def mixed(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(grade=np.roll(frame["grade"], 1))

    assert failed(run(changed(given("ranking"), "outcomes", mixed))) == {(DROP, "")}


def test_one_label_served_too_high_is_named():
    def biased(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(score=[[a, b, min(1.0, c + 0.2)] for a, b, c in frame["score"]])

    found = failed(run(changed(given("multilabel"), "serving", biased)))
    assert {(BIAS, "label wet"), (GROWN, "label wet")} <= found
    assert not any("early" in where or "late" in where for _, where in found)


def test_one_label_too_high_for_one_slice_is_named_with_it():
    def biased(frame: pd.DataFrame) -> pd.DataFrame:
        hit = frame["region"] == "w"
        scores = [[min(1.0, a + 0.3 * h), b, c] for (a, b, c), h in zip(frame["score"], hit, strict=True)]
        return frame.assign(score=scores)

    found = failed(run(changed(given("multilabel"), "serving", biased)))
    assert ("prediction bias of a slice beyond that of all other rows", "region = w, label early") in found
    assert not any("label late" in where for _, where in found)


def test_whole_queries_are_drawn_and_copied():
    """Of half of the rows of each query the same order is worth more: nobody is accused of that."""
    inputs = given("ranking")
    half = run(inputs, max_rows=4_000)
    assert failed(half) == set()
    drop = next(one for one in half.findings if one.name == DROP)
    assert abs(drop.value) < 0.02
    part = inputs["holdout"].sample(3_000, together=True).frame()
    sizes = part["query"].value_counts()
    assert len(part) == 3_000
    assert (sizes == SIZE).sum() >= len(sizes) - 1


@pytest.mark.parametrize(
    ("task", "score", "words"),
    [
        ("multilabel", [0.1, 0.2], "of which there are 3"),
        ("multilabel", [0.1, 0.2, 7.0], "holds 7"),
        ("multilabel", ["late"], "of which there are 3"),
        ("multilabel", ["late", "wet", "early"], "probability of each label"),
        ("multilabel", 0.5, "probability of each label"),
    ],
)
def test_scores_of_another_form_are_a_clear_error(task, score, words):
    result = run(changed(given(task, a_day=60), "serving", lambda frame: frame.assign(score=[score] * len(frame))))
    assert result.state == "error"
    assert words in result.reason


def test_a_label_without_a_score_is_counted():
    def lost(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(
            score=[[*cell[:2], None if at % 90 == 0 else cell[2]] for at, cell in enumerate(frame["score"])]
        )

    result = run(changed(given("multilabel"), "serving", lost))
    assert failed(result) == {("served rows without a finite score", "")}


def test_what_a_kind_needs_is_asked_for():
    inputs = given("ranking", a_day=60)
    without = replace(inputs["serving"].roles, cluster="")
    serving = open_dataset("serving", inputs["serving"].frame(), without)
    assert "the query of each row of serving is not offered" in run({**inputs, "serving": serving}).reason
    for task in ("ranking", "multilabel"):
        result = run({**given(task, a_day=60), "outcomes": None})
        assert result.state == "not_offered"
        assert "offer the late labels" in result.reason


@pytest.mark.parametrize("task", ["ranking", "multilabel"])
def test_few_rows_decide_nothing_and_never_fail(task):
    inputs = given(task, a_day=12)
    result = run(inputs)
    assert failed(result) == set()
    assert result.state == "inconclusive"


def test_rows_of_a_query_without_a_label_are_overdue_and_the_rest_is_judged():
    inputs = changed(given("ranking"), "outcomes", lambda frame: frame[frame["id"] % 4 != 0])
    assert (OVERDUE, "") in failed(run(inputs))


def test_datasets_without_queries_are_copied_row_by_row():
    made = given("multilabel", a_day=60)["serving"]
    assert isinstance(made.sample(100, together=True), Dataset)
    assert made.sample(100, together=True).rows == 100
