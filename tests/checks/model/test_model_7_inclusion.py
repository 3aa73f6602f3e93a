"""model.7: gaps fail where they are shown; small groups and absent columns never pass, and chance never fails."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.model import Model, as_model
from mltestscore.testing import run_check

FEATURES = ["speed", "load", "title"]
ABSENT, CALIBRATION = "protected columns that the holdout has not", "gap in calibration"
TPR, SWAPPED = "gap in true positive rate", "mean move of the score with another group's attribute"


def rows(n: int, seed: int = 2, groups: tuple[str, ...] = ("f", "m"), clusters: int = 0) -> pd.DataFrame:
    """Rows of groups that differ in nothing; ``title`` tells the group without being read by a sound model."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"sex": rng.choice(groups, n), "age": rng.integers(18, 90, n)})
    frame["speed"], frame["load"] = rng.normal(size=(2, n))
    frame["title"] = frame["sex"].map(lambda one: f"of {one}")
    signal = truth(frame)
    frame["late"] = (rng.random(n) < 1 / (1 + np.exp(-signal))).astype(int)
    frame["grade"] = np.where(frame["late"] == 0, "a", np.where(frame["load"] > 0, "b", "c"))
    frame["value"] = signal + rng.normal(size=n)
    frame["id"], frame["user"] = np.arange(n), rng.integers(0, clusters or n, n)
    return frame


def truth(frame: pd.DataFrame) -> np.ndarray:
    return np.asarray(2 * frame["speed"] + np.sign(frame["load"]))


def sound_model(task: str = "binary") -> Model:
    def predict(frame: pd.DataFrame) -> np.ndarray:
        late = 1 / (1 + np.exp(-truth(frame)))
        if task == "multiclass":
            up = (frame["load"] > 0).to_numpy()
            return np.column_stack([1 - late, np.where(up, late, 0), np.where(up, 0, late)])
        return late if task == "binary" else truth(frame)

    made = as_model(predict, name="sound", task=task, features=FEATURES)
    return replace(made, classes={"binary": (0, 1), "multiclass": ("a", "b", "c"), "regression": ()}[task])


def given(frame: pd.DataFrame | int = 6000, task: str = "binary", protected=("sex",), **roles) -> dict:
    label = {"binary": "late", "multiclass": "grade", "regression": "value"}[task]
    frame = rows(frame) if isinstance(frame, int) else frame
    holdout = open_dataset("holdout", frame, Roles(label=label, key=("id",), protected=protected, **roles))
    return {"model": sound_model(task), "holdout": holdout}


def reading(column: str, change) -> Model:
    """Return a model that reads one more column, and whose scores are changed by it."""
    model = sound_model()
    scorer = lambda frame: np.clip(change(model.predict(frame), frame[column]), 0, 1)  # noqa: E731
    return replace(model, features=tuple(dict.fromkeys([*FEATURES, column])), scorer=scorer)


def run(prove: bool = False, options: dict | None = None, **inputs):
    return run_check("model.7", prove=prove, options=options or {}, **inputs)


def failed(result) -> set[str]:
    return {one.name for one in result.findings if one.verdict == "failed" and not one.advisory}


def find(result, name: str, where: str = ""):
    return next(one for one in result.findings if one.name == name and (not where or one.where == where))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_equal_treatment_passes_and_every_planted_fault_is_caught(task):
    result = run(prove=True, **given(task=task))
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof
    assert len(result.proof.faults) == 4


def test_the_gap_is_the_difference_that_fairlearn_counts():
    inputs = given()
    inputs["model"] = reading("sex", lambda scores, sex: scores - 0.2 * (sex == "f"))
    result = run(**inputs)
    table = next(one for one in result.details if "fairlearn" in one.title).data
    rate = {row[0]: row[3] for row in table["rows"]}
    assert table["columns"][3] == "true positive rate"
    assert find(result, TPR).value == pytest.approx(abs(rate["f"] - rate["m"]))


def test_a_group_whose_positives_are_missed_fails():
    inputs = given()
    inputs["model"] = reading("sex", lambda scores, sex: np.where(sex == "f", scores * 0.6, scores))
    assert {TPR, CALIBRATION} <= failed(run(**inputs))


def test_scores_that_mean_something_else_for_one_group_fail_by_calibration():
    inputs = given()
    inputs["model"] = reading("sex", lambda scores, sex: np.where(sex == "f", scores + 0.15, scores))
    assert failed(run(options={"measures": ("calibration",), "max_swap": 1.0}, **inputs)) == {CALIBRATION}


@pytest.mark.parametrize("n", [40, 400])
def test_twelve_small_groups_with_equal_rates_are_listed_and_not_accused(n):
    """Between the extremes of groups of forty, chance alone makes a gap of 0.15."""
    frame = rows(12 * n, groups=tuple("abcdefghijkl"))
    result = run(**given(frame))
    assert result.state == "inconclusive"
    assert failed(result) == set()
    assert {one.where for one in result.findings if one.name == TPR} == {f"sex = {one}" for one in "abcdefghijkl"}
    table = next(one for one in result.details if "fairlearn" in one.title).data
    assert len(table["rows"]) == 12


def test_a_small_group_keeps_the_item_open_until_it_is_accepted_as_small():
    frame = rows(6000)
    frame.loc[frame.index[:40], "sex"] = "x"
    inputs = given(frame)
    assert "it has 40 rows; at least 100" in find(run(**inputs), CALIBRATION, "sex = x").note
    assert run(**inputs).state == "inconclusive"
    accepted = run(options={"small_groups": ("sex = x",)}, **inputs)
    assert accepted.state == "passed", accepted.reason
    assert find(accepted, CALIBRATION, "sex = x").advisory


def test_base_rates_that_differ_with_equal_calibration_do_not_fail_where_calibration_is_chosen():
    frame = rows(20_000)
    frame["speed"] += np.where(frame["sex"] == "f", 0.7, -0.7)
    chance = 1 / (1 + np.exp(-truth(frame)))
    frame["late"] = (np.random.default_rng(5).random(len(frame)) < chance).astype(int)
    assert run(options={"measures": ("calibration",)}, **given(frame)).state == "passed"


def test_missing_values_are_a_group_of_their_own():
    frame = rows(6000)
    frame.loc[frame["id"] % 4 == 0, "sex"] = None
    inputs = given(frame)
    assert {one.where for one in run(**inputs).findings if one.name == TPR} == {
        f"sex = {g}" for g in ("f", "m", "(missing)")
    }
    inputs["model"] = reading("sex", lambda scores, sex: np.where(sex.isna(), scores - 0.3, scores))
    assert find(run(**inputs), CALIBRATION, "sex = (missing)").verdict == "failed"


def test_ages_are_compared_in_quarters():
    result = run(**given(protected=("age",)))
    assert sum(one.name == CALIBRATION for one in result.findings) == 4
    assert failed(result) == set()


@pytest.mark.parametrize("name", ["sex_", "gender"])
def test_a_column_that_is_absent_fails_with_near_names(name):
    result = run(**given(protected=(name, "age")))
    assert failed(result) == {ABSENT}
    assert f"{name!r} is not there" in find(result, ABSENT).note
    assert run(**given(protected=(name,))).state == "failed"


def test_a_column_of_one_value_proves_nothing():
    assert run(**given(rows(3000, groups=("f",)))).state == "inconclusive"


def test_without_a_protected_column_nothing_is_offered():
    result = run(**given(protected=()))
    assert result.state == "not_offered"
    assert "[tool.mltestscore.data.holdout]" in result.reason


def test_the_swap_of_attribute_and_proxies_must_not_move_scores():
    inputs = given()
    inputs["model"] = reading("title", lambda scores, title: scores + 0.2 * (title == "of f"))
    assert SWAPPED not in failed(run(**inputs))
    told = run(options={"proxies": {"sex": ["title"]}}, **inputs)
    assert SWAPPED in failed(told)
    assert "title" in find(told, SWAPPED).note
    sound = run(options={"proxies": {"sex": ["title"]}}, **given())
    assert (sound.state, find(sound, SWAPPED).value) == ("passed", 0.0)


def test_a_gap_that_grew_since_the_version_before_fails_within_its_limit():
    inputs = given(20_000)
    options = {"max_calibration_gap": 0.3, "max_gap": 0.5, "max_swap": 1.0}
    inputs["model"] = reading("sex", lambda scores, sex: np.where(sex == "f", scores - 0.15, scores))
    inputs["previous_model"] = sound_model()
    assert "growth of the gap in calibration" in failed(run(options=options, **inputs))
    assert run(options=options, **{**inputs, "previous_model": inputs["model"]}).state == "passed"
    back = {**inputs, "model": sound_model(), "previous_model": inputs["model"]}
    assert failed(run(options=options, **back)) == set()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"proxies": {"sez": ["title"]}}, "Did you mean 'sex'?"),
        ({"proxies": {"sex": ["titel"]}}, "Did you mean 'title'?"),
        ({"measures": ("callibration",)}, "Did you mean 'calibration'?"),
    ],
)
def test_bad_options_are_clear_errors(options, words):
    result = run(options=options, **given(300))
    assert result.state == "error"
    assert words in result.reason


def test_scores_that_are_not_finite_and_labels_of_one_kind():
    inputs = given()
    inputs["model"] = inputs["model"].replace(lambda f: np.where(f["speed"] > 2, np.nan, 0.5))
    assert failed(run(**inputs)) == {"holdout rows without a finite score"}
    assert run(**given(rows(500).assign(late=0))).state == "inconclusive"


def test_hostile_names_of_groups_are_kept_short():
    frame = rows(2000, groups=("<script>alert(1)</script>" * 40, "m", "x\n\x00y"))
    result = run(**given(frame))
    assert result.state != "error", result.reason
    assert all(len(one.where) < 110 for one in result.findings)


@pytest.mark.parametrize("n", [30, 100])
def test_few_rows_decide_nothing(n):
    assert run(**given(n)).state == "inconclusive"


def test_the_verdict_is_the_same_again():
    assert run(**given()).findings == run(**given()).findings
