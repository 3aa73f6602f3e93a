"""model.6: a slice that lost fails, wherever the average stands; harder, noisier, rarer and mixed slices do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.model import Model, as_model
from mltestscore.inputs.registry import Lineage, Registry
from mltestscore.testing import run_check

FEATURES = ["country", "device", "speed", "load"]
LOST, DISCOVERED = "quality lost on a slice", "quality lost on a discovered slice"
COUNTRIES, SHARES = ["DE", "FR", "NZ", "SE", "LU"], [0.4, 0.3, 0.2, 0.09, 0.01]


def rows(n: int, seed: int, *, clusters: int = 0) -> pd.DataFrame:
    """Rows of five countries; in NZ the outcome is nearly a coin toss, which no model can help."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"country": rng.choice(COUNTRIES, n, p=SHARES), "device": rng.choice(["app", "web"], n)})
    frame["speed"], frame["load"] = rng.normal(size=(2, n))
    signal = truth(frame)
    frame["late"] = (rng.random(n) < 1 / (1 + np.exp(-signal))).astype(int)
    frame["grade"] = np.where(frame["late"] == 0, "a", np.where(frame["load"] > 0, "b", "c"))
    frame["value"] = signal + rng.normal(size=n)
    frame["id"], frame["user"] = np.arange(n), rng.integers(0, clusters or n, n)
    frame["day"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n) // 100, unit="D")
    return frame


def truth(frame: pd.DataFrame) -> np.ndarray:
    strength = np.where(frame["country"] == "NZ", 0.1, 1.5)
    return np.asarray(strength * (frame["speed"] + 0.5 * np.sign(frame["load"])))


def scorer(seed: int, task: str = "binary", noise: float = 0.1):
    """Return a sound model: the truth with noise of its own for each row, as another seed of training gives."""

    def predict(frame: pd.DataFrame) -> np.ndarray:
        key = pd.util.hash_pandas_object(frame[["speed", "load"]], index=False).to_numpy()
        wobble = noise * np.sin(key % 100_003 * (seed + 1.0))
        signal = truth(frame) + wobble
        late = 1 / (1 + np.exp(-signal))
        if task == "multiclass":
            up = (frame["load"] > 0).to_numpy()
            return np.column_stack([1 - late, late * np.where(up, 0.95, 0.05), late * np.where(up, 0.05, 0.95)])
        return late if task == "binary" else signal

    return predict


def sound_model(seed: int, task: str = "binary") -> Model:
    made = as_model(scorer(seed, task), name="sound", task=task, features=FEATURES)
    classes = {"binary": (0, 1), "multiclass": ("a", "b", "c"), "regression": ()}[task]
    return replace(made, classes=classes, version=f"v{seed}")


def given(n: int = 6000, task: str = "binary", **roles) -> dict:
    label = {"binary": "late", "multiclass": "grade", "regression": "value"}[task]
    holdout = open_dataset("holdout", rows(n, 2), Roles(label=label, key=("id",), **roles))
    return {"model": sound_model(2, task), "previous_model": sound_model(1, task), "holdout": holdout}


def worse(model: Model, hit) -> Model:
    """Return the model with the answers of some rows 0.3 off."""

    def predict(frame: pd.DataFrame) -> np.ndarray:
        scores = model.predict(frame)
        return np.where(hit(frame), np.where(scores < 0.5, scores + 0.3, scores - 0.3), scores)

    return model.replace(predict)


def run(prove: bool = False, options: dict | None = None, **inputs):
    return run_check("model.6", prove=prove, options={"slices": ("country", "device"), **(options or {})}, **inputs)


def failed(result) -> set[tuple[str, str]]:
    return {(one.name, one.where) for one in result.findings if one.verdict == "failed"}


def find(result, name: str, where: str = ""):
    return next(one for one in result.findings if one.name == name and (not where or one.where == where))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_sound_system_passes_and_every_planted_fault_is_caught(task):
    result = run(prove=True, **given(task=task))
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof
    assert len(result.proof.faults) == 3


def test_a_slice_that_is_merely_hard_is_shown_and_not_accused():
    result = run(**given())
    table = next(one for one in result.details if "Quality by slice" in one.title).data
    line = next(row for row in table["rows"] if row[0] == "country = NZ")
    assert line[2] < 0.05 < 0.2 < line[3]
    assert find(result, LOST, "country = NZ").verdict == "passed"


def test_the_picture_begins_with_the_largest_loss():
    inputs = given()
    inputs["model"] = worse(inputs["model"], lambda frame: frame["country"] == "FR")
    result = run(**inputs)
    table, series = result.details[:2]
    bounds = [row[5] for row in table.data["rows"]]
    assert bounds == sorted(bounds, reverse=True)
    assert list(series.data["lines"]["at least"]) == pytest.approx(bounds)


def test_one_country_that_lost_fails_by_name():
    inputs = given()
    inputs["model"] = worse(inputs["model"], lambda frame: frame["country"] == "SE")
    result = run(options={"search": 0}, **inputs)
    assert failed(result) == {(LOST, "country = SE")}


def test_an_intersection_that_lost_is_named_where_it_is_declared_and_found_where_it_is_not():
    inputs = given(12_000)
    inputs["model"] = worse(inputs["model"], lambda f: (f["country"] == "NZ") & (f["device"] == "web"))
    declared = run(options={"slices": (["country", "device"],), "search": 0}, **inputs)
    assert failed(declared) == {(LOST, "country × device = NZ × web")}
    found = {where for name, where in failed(run(options={"slices": ("device",)}, **inputs)) if name == DISCOVERED}
    assert any("country among NZ" in where and "device among web" in where for where in found)


def test_a_first_release_is_held_against_the_best_simple_model():
    inputs = {**given(), "previous_model": None}
    assert run(**inputs).state == "not_offered"
    inputs["training"] = open_dataset("training", rows(6000, 1), Roles(label="late", key=("id",)))
    assert failed(run(**inputs)) == set()
    inputs["model"] = worse(inputs["model"], lambda frame: frame["country"] == "DE")
    assert (LOST, "country = DE") in failed(run(**inputs))


def test_rare_values_are_judged_together_and_listed():
    inputs = given()
    result = run(**inputs)
    small = next(one for one in result.details if one.title.startswith("Slices too small"))
    assert [row[0] for row in small.data["rows"]] == ["country = LU"]
    assert find(result, "rows in slices too small to judge", "country").value == pytest.approx(0.01, abs=0.005)
    assert run(options={"slices": ({"country": "LU"},)}, **inputs).state == "inconclusive"


def test_too_many_rows_in_values_too_rare_leave_the_slicing_undecided():
    inputs = given(1200)
    result = run(options={"min_rows": 200, "slices": ("country",), "max_unjudged": 0.05}, **inputs)
    assert find(result, "rows in slices too small to judge").verdict == "inconclusive"


def test_missing_values_are_a_slice_of_their_own():
    inputs = given()
    frame = inputs["holdout"].frame()
    frame.loc[frame["id"] % 5 == 0, "device"] = None
    inputs["holdout"] = inputs["holdout"].replace(frame)
    inputs["model"] = worse(inputs["model"], lambda f: f["device"].isna())
    assert (LOST, "device = (missing)") in failed(run(**inputs))


def test_a_declared_floor_is_judged_only_where_it_is_declared():
    inputs = given()
    assert run(**inputs).state == "passed"
    result = run(options={"min_quality": 0.1, "search": 0}, **inputs)
    assert failed(result) == {("quality of a slice", "country = NZ")}


def registry(before: float, now: float, metric: str = "roc_auc") -> Registry:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    old = Lineage("v1", day, metrics={metric: before})
    new = Lineage("v2", day + timedelta(days=30), metrics={metric: now})
    return Registry("registry", new, (old, new))


def test_simpsons_reversal_is_reported():
    """The record says better, because it was made on easier rows; every slice lost."""
    inputs = given(9000)
    inputs["model"] = worse(inputs["model"], lambda frame: frame["speed"] > -9)
    name = "slicings in which every slice lost while the record says better"
    slices = {"slices": ("device",)}
    result = run(options=slices, registry=registry(0.7, 0.8), **inputs)
    told = find(result, name)
    assert (told.value, find(result, LOST, "device = app").cause) == (1, "Simpson's reversal")
    assert "roc_auc went from 0.7 to 0.8" in told.note
    assert find(run(options=slices, registry=registry(0.7, 0.8, "log_loss"), **inputs), name).value == 0
    assert find(run(options=slices, registry=registry(0.8, 0.7, "log_loss"), **inputs), name).value == 1
    assert find(run(options=slices, registry=registry(0.7, 0.8), **given()), name).value == 0


@pytest.mark.parametrize("n", [30, 100])
def test_few_rows_decide_nothing(n):
    result = run(**given(n))
    assert result.state == "inconclusive"
    assert find(result, LOST).n_to_settle == 200


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"slices": ("contry",)}, "Did you mean 'country'?"),
        ({"slices": (["country", "device", "speed"],)}, "expected a column"),
        ({"metric": "roc_auc"}, "no mean over rows"),
        ({"metric": "brier"}, "d2_brier_score"),
    ],
)
def test_bad_options_are_clear_errors(options, words):
    result = run(options=options, **given(600))
    assert result.state == "error"
    assert words in result.reason


def test_a_named_slice_without_rows_is_undecided_with_near_names():
    result = run(options={"slices": ({"country": "NZL"},)}, **given())
    assert "Did you mean 'NZ'?" in find(result, LOST, "country = NZL").note


def test_a_version_before_of_other_inputs_or_classes_decides_nothing():
    inputs = given()
    older = replace(inputs["previous_model"], features=(*FEATURES, "gone"))
    assert "reads 'gone'" in find(run(**{**inputs, "previous_model": older}), LOST).note
    other = replace(inputs["previous_model"], classes=("no", "yes"))
    assert run(**{**inputs, "previous_model": other}).state == "inconclusive"


def test_scores_that_are_not_finite_fail():
    inputs = given()
    inputs["model"] = inputs["model"].replace(lambda f: np.where(f["speed"] > 2, np.nan, 0.5))
    assert failed(run(**inputs)) == {("holdout rows without a finite score", "")}


def test_the_verdict_is_the_same_again():
    assert run(**given()).findings == run(**given()).findings


def test_models_on_file_score_the_holdout_once_for_all_checks():
    calls = []

    def counted(frame):
        calls.append(len(frame))
        return scorer(2)(frame)

    inputs = given()
    training = open_dataset("training", rows(3000, 1), Roles(label="late", key=("id",)))
    inputs["model"] = replace(inputs["model"], scorer=counted, digest="of the file")
    for _ in range(2):
        run(**inputs)
    run_check("model.5", prove=False, model=inputs["model"], holdout=inputs["holdout"], training=training)
    assert calls == [6000]
