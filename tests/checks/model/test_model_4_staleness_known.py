"""model.4 with real trainings: a world that moves fails, one that is only harder, larger or small does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.model import Model, as_model
from mltestscore.inputs.trainer import Trainer
from mltestscore.staleness.age import TOLERABLE, Age
from mltestscore.testing import run_check

LOST = "quality lost at the maximum age"
MAX_AGE = Age(60)
SPAN = 240.0

TRAINING = '''
import numpy as np
from pathlib import Path

class Line:
    """Least squares for each class, or for the value."""
    feature_names_in_ = ["a", "b"]

    def __init__(self, frame):
        with Path("calls.txt").open("a") as log:
            log.write(f"{len(frame)}\\n")
        y = frame["y"].to_numpy()
        self.classes_ = np.unique(y)
        target = (y[:, None] == self.classes_).astype(float) if len(self.classes_) < 9 else y
        self.weights = np.linalg.lstsq(self.inputs(frame), target, rcond=None)[0]

    def inputs(self, rows):
        return np.column_stack([np.ones(len(rows)), rows[["a", "b"]].to_numpy(float)])

class Value(Line):
    def predict(self, rows):
        return self.inputs(rows) @ self.weights

class Classes(Line):
    def predict_proba(self, rows):
        scores = np.clip(self.inputs(rows) @ self.weights, 0.001, 1)
        return scores / scores.sum(axis=1, keepdims=True)

class Broken(Classes):
    def predict_proba(self, rows):
        return np.full((len(rows), 2), np.nan)

def binary(frame, seed):
    return Classes(frame)

multiclass = binary

def regression(frame, seed):
    return Value(frame)

def not_a_number(frame, seed):
    return Broken(frame)

def old_snapshot(frame, seed):
    return Classes(frame[frame["day"] < "2026-03-01"])

class OneColumn(Classes):
    def predict_proba(self, rows):
        return super().predict_proba(rows)[:, 0]

def one_column(frame, seed):
    return OneColumn(frame)

def raising(frame, seed):
    raise ValueError("depth must be positive")
'''


def rows(n: int = 12_000, seed: int = 0, *, drift: float = 0.0, season: bool = False, growth: float = 1.0):
    """Labelled rows of 240 days.

    ``drift`` turns what counts from one input to the other. In the hard ``season`` labels are half noise, the mix of
    rows moves, and what is to be learned stays. A ``growth`` above 1 puts most rows into the last weeks.
    """
    rng = np.random.default_rng([seed, n])
    time = np.sort(rng.random(n) ** (1 / growth))
    a, b = rng.normal(size=(2, n))
    wave = np.sin(4 * np.pi * time) if season else np.zeros(n)
    angle = drift * time * np.pi / 2
    signal = (1 + 0.6 * wave) * (np.cos(angle) * a + np.sin(angle) * b + 0.3 * b)
    frame = pd.DataFrame({"a": a + 0.5 * wave, "b": b, "late": (rng.random(n) < 1 / (1 + np.exp(-2 * signal))) * 1})
    frame["grade"] = np.where(frame["late"] == 0, "low", np.where(b > 0, "mid", "top"))
    frame["value"] = signal + rng.normal(size=n) * 0.7
    frame["day"] = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(time * SPAN, unit="D")
    return frame.assign(id=np.arange(n))


class Given:
    """What is offered to the check: a folder with the training code, rows and a model."""

    def __init__(self, folder: Path) -> None:
        (folder / "staleness_training.py").write_text(TRAINING)
        self.folder = folder

    def data(self, frame: pd.DataFrame, task: str = "binary", **roles) -> Dataset:
        label = {"binary": "late", "multiclass": "grade", "regression": "value"}[task]
        named = frame.assign(y=frame[label])
        return open_dataset("training", named, Roles(**{"label": "y", "time": "day", "features": ("a", "b"), **roles}))

    def model(self, task: str = "binary") -> Model:
        made = as_model(lambda frame: np.zeros(len(frame)), name="sound", task=task, features=["a", "b"])
        return replace(made, classes={"binary": (0, 1), "multiclass": ("low", "mid", "top"), "regression": ()}[task])

    def trained(self) -> list[int]:
        """Return the rows of every training so far."""
        return [int(line) for line in (self.folder / "calls.txt").read_text().split()]

    def run(self, frame: pd.DataFrame, task: str = "binary", *, function: str = "", prove: bool = False, **changed):
        inputs = {
            "training": self.data(frame, task),
            "trainer": Trainer(f"staleness_training:{function or task}", self.folder),
            "model": self.model(task),
            "max_age": MAX_AGE,
        }
        return run_check("model.4", prove=prove, **{**inputs, **changed})


@pytest.fixture
def given(tmp_path) -> Given:
    return Given(tmp_path)


def find(result, name: str):
    return next(one for one in result.findings if one.name == name)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_world_that_stands_still_passes_with_both_faults_caught(given, task):
    result = given.run(rows(), task, prove=True)
    assert (result.state, result.proof.state) == ("passed", "proven"), (result.reason, result.proof)
    assert [fault.state for fault in result.proof.faults] == ["caught", "caught"]
    assert find(result, TOLERABLE).value >= 60


def test_trainings_have_equal_rows_and_the_control_trains_nothing_anew(given):
    given.run(rows(), prove=True)
    trained = given.trained()
    assert len(trained) == 3 * 21  # the check and two faults: four at each of five dates, and one with other labels
    assert len(set(trained[:21])) == 1


def test_a_world_that_moves_fails_at_sixty_days_and_passes_at_ten(given):
    moving = rows(20_000, drift=1)
    old, young = given.run(moving), given.run(moving, max_age=Age(10))
    assert old.state == "failed"
    assert find(old, LOST).low > 0.02
    assert find(old, TOLERABLE).value < 60
    assert find(young, LOST).value < find(old, LOST).value / 3
    assert young.state == "passed"


def test_a_harder_season_and_another_mix_are_not_taken_for_age(given):
    result = given.run(rows(season=True))
    blocks = next(one for one in result.details if one.title.endswith("by block of time"))
    quality = [row[2] for row in blocks.data["rows"]]
    assert max(quality) > 1.5 * min(quality)
    assert result.state == "passed"


def test_growing_volume_is_not_taken_for_age(given):
    assert given.run(rows(20_000, growth=2)).state == "passed"
    assert len(set(given.trained())) == 1


@pytest.mark.parametrize("n", [30, 300, 1_500])
def test_few_rows_decide_nothing_and_say_how_many_would(given, n):
    result = given.run(rows(n, drift=2))
    assert result.state == "inconclusive"
    assert find(result, LOST).n_to_settle > n


def test_rows_of_too_few_days_decide_nothing(given):
    result = given.run(rows(), max_age=Age(150))
    assert "reach over 240 days; to judge an age of 150 days they must over 375" in find(result, LOST).note


def test_without_a_declared_age_the_curve_is_measured_and_what_is_harmless_is_said(given):
    result = given.run(rows(), max_age=None, prove=True)
    assert (result.state, result.proof.state) == ("inconclusive", "unproven")
    assert "set max_age_days" in find(result, LOST).note
    assert find(result, TOLERABLE).value == pytest.approx(60, abs=1)
    assert find(result, TOLERABLE).advisory


def test_a_trainer_that_leaves_out_the_newest_rows_decides_nothing(given):
    result = given.run(rows(drift=2), function="old_snapshot")
    assert result.state == "inconclusive"
    assert "no model is fresh" in find(result, LOST).note
    assert [one for one in result.findings if one.name == TOLERABLE] == []


def test_the_picture_is_a_curve_with_its_band_and_the_limit(given):
    curve = next(one for one in given.run(rows()).details if one.kind == "series").data
    assert list(curve["x"]) == pytest.approx([0, 30, 60, 90])
    low, lost, high = (curve["lines"][name] for name in ("at least", "lost", "at most"))
    assert all(below <= value <= above for below, value, above in zip(low, lost, high, strict=True))
    assert set(curve["lines"]["limit"]) == {0.02}


def test_the_verdict_is_the_same_again_and_clusters_never_narrow_it(given):
    frame = rows(6_000)
    first, again = given.run(frame), given.run(frame)
    assert first.findings == again.findings
    users = given.data(frame.assign(user=frame["id"] // 600), cluster="user")
    clustered = find(given.run(frame, training=users), LOST)
    assert clustered.high - clustered.low >= 0.99 * (find(first, LOST).high - find(first, LOST).low)


def test_scores_that_are_not_finite_fail(given):
    result = given.run(rows(6_000), function="not_a_number")
    assert find(result, "judged rows without a finite score").verdict == "failed"


def test_a_class_that_a_training_never_sees_decides_nothing(given):
    frame = rows(6_000).assign(late=lambda frame: (frame["id"] > 5_000).astype(int))
    assert "hold none of the class 1" in find(given.run(frame), LOST).note


@pytest.mark.parametrize("absent", ["trainer", "training", "model"])
def test_without_an_input_it_is_not_offered(given, absent):
    assert given.run(rows(100), **{absent: None}).state == "not_offered"


@pytest.mark.parametrize("role", ["time", "label"])
def test_without_a_column_of_times_or_labels_it_is_not_offered(given, role):
    result = given.run(rows(100), training=given.data(rows(100), **{role: ""}))
    assert result.state == "not_offered"
    assert f"name it with {role} = … under [tool.mltestscore.data.training]" in result.reason


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"function": "raising"}, "ValueError: depth must be positive"),
        ({"function": "one_column"}, "Are trainer and model of the same task?"),
        ({"days": 1.0}, "holds numbers such as 1.0; make them dates or times"),
        ({"days": "soon"}, "holds what is no time"),
    ],
)
def test_what_cannot_be_used_is_a_clear_error(given, changed, words):
    frame = rows(6_000)
    task = "multiclass" if changed.get("function") == "one_column" else "binary"
    if "days" in changed:
        frame = frame.assign(day=changed["days"])
    result = given.run(frame, task, function=changed.get("function", ""))
    assert result.state == "error"
    assert words in result.reason
    assert result.traceback == ""


def test_a_metric_that_is_no_mean_over_rows_is_refused(given):
    result = run_check(
        "model.4",
        options={"metric": "roc_auc"},
        training=given.data(rows(100)),
        trainer=Trainer("staleness_training:binary", given.folder),
        model=given.model(),
    )
    assert result.state == "error"
    assert "roc_auc" in result.reason


def test_trainings_that_take_too_long_are_no_pass_and_no_error(given):
    with (given.folder / "staleness_training.py").open("a") as code:
        code.write("\n\ndef slow(frame, seed):\n    import time\n    time.sleep(60)\n")
    result = given.run(rows(), function="slow", options={"timeout": 3.0})
    assert result.state == "inconclusive"
    assert "was still training after 3 s and was stopped" in result.reason


def test_what_the_trainings_took_is_shown(given):
    result = given.run(rows(), options={"timeout": 200.0})
    (table,) = [one.data for one in result.details if one.title == "Budget of the back-test"]
    assert table["rows"][0][1] == len(given.trained())
    assert table["rows"][1][1] == max(given.trained())
    assert 0 < table["rows"][2][1] < table["rows"][2][2] == 200
