"""``infra.1`` on real trainings in real processes."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mltestscore.dependencies.environment_process import described
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.registry import open_registry
from mltestscore.inputs.trainer import Trainer
from mltestscore.reproduction.lock import Lock
from mltestscore.testing import run_check

TRAINING = '''
import time
import numpy as np

class Line:
    """Least squares on x, plus what the training added; picklable, parameters visible."""
    def __init__(self, frame, noise=0.0):
        self.slope_ = float(np.polyfit(frame["x"], frame["y"], 1)[0]) + noise
    def predict(self, rows):
        return rows["x"].to_numpy() * self.slope_

class Missing(Line):
    def predict(self, rows):
        return np.where(rows["x"] > 0, np.nan, super().predict(rows))

class MissingSometimes(Line):
    def predict(self, rows):
        return np.where(rows["x"] > self.slope_, np.nan, 0.5)

class Sampling(Line):
    def predict(self, rows):
        return super().predict(rows) + np.random.default_rng().normal(size=len(rows))

class Constant(Line):
    def predict(self, rows):
        return np.zeros(len(rows))

def seeded(frame, seed):
    rng = np.random.default_rng(seed)
    return Line(frame.iloc[rng.permutation(len(frame))[: len(frame) // 2]])

def global_generator(frame, seed):
    return Line(frame.sample(frac=0.5))

def set_of_days(frame, seed):
    days = list(set(frame["day"]))[:3]
    return Line(frame[frame["day"].isin(days)])

def clock(frame, seed):
    return Line(frame, noise=(time.time_ns() % 1_000_003) * 1e-6)

def rounding(frame, seed):
    return Line(frame, noise=1e-12 * (hash("threads") % 1000))

def threads_asked():
    import os
    return int(os.environ.get("OMP_NUM_THREADS", 0))

def last_digits(frame, seed):
    return Line(frame, noise=1e-13 * threads_asked())

def missing(frame, seed):
    return Missing(frame)

def missing_sometimes(frame, seed):
    return MissingSometimes(frame, noise=hash("order") % 3)

def sampling(frame, seed):
    return Sampling(frame)

def constant(frame, seed):
    return Constant(frame.sample(frac=0.5))

def unpicklable(frame, seed):
    slope = seeded(frame, seed).slope_
    model = seeded(frame, seed)
    model.log = lambda: print(slope)
    model.stream = (number for number in ())
    return model

def broken(frame, seed):
    raise ValueError("depth must be positive")

def boosting(frame, seed, state=None):
    from sklearn.ensemble import HistGradientBoostingClassifier
    model = HistGradientBoostingClassifier(max_iter=5, early_stopping=True, random_state=state)
    return model.fit(frame[["x", "z"]], frame["y"] > 0)

def seeded_boosting(frame, seed):
    return boosting(frame, seed, state=seed)
'''


@pytest.fixture
def trainer(tmp_path):
    """Return a function that makes the trainer of one of the functions above."""
    (tmp_path / "training.py").write_text(TRAINING)
    return lambda function: Trainer(f"training:{function}", Path(tmp_path))


@pytest.fixture
def training() -> Dataset:
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 600))
    days = rng.choice(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], 600)
    frame = pd.DataFrame({"x": x, "z": z, "y": x + rng.normal(size=600), "day": days})
    return open_dataset("training", frame, Roles(label="y", features=("x", "z")))


def finding(result, name):
    return next(found for found in result.findings if found.name.startswith(name))


def test_a_seeded_training_passes_and_shows_how_far_both_models_agree(training, trainer):
    result = run_check("infra.1", training=training, trainer=trainer("seeded"), prove=False)
    assert result.state == "passed"
    ladder = next(detail for detail in result.details if detail.title == "Ladder")
    assert [row[0] for row in ladder.data["rows"] if row[3]] == [
        "artefact bytes",
        "parameters",
        "predictions",
        "mean squared error on the probe",
    ]


@pytest.mark.slow
def test_a_real_model_with_its_seed_passes(training, trainer):
    result = run_check("infra.1", training=training, trainer=trainer("seeded_boosting"), prove=False)
    assert result.state == "passed"


@pytest.mark.slow
def test_a_real_model_with_its_seed_is_proven(training, trainer):
    result = run_check("infra.1", training=training, trainer=trainer("seeded_boosting"))
    assert (result.state, result.proof.state) == ("passed", "proven"), result.proof


@pytest.mark.parametrize(
    ("function", "cause"),
    [
        ("boosting", "randomness that the seed does not reach"),
        ("global_generator", "randomness that the seed does not reach"),
        ("clock", "randomness that the seed does not reach"),
        ("set_of_days", "order dependence"),
    ],
)
def test_a_training_that_cannot_be_repeated_fails_with_its_cause(training, trainer, function, cause):
    result = run_check("infra.1", training=training, trainer=trainer(function), prove=False)
    assert result.state == "failed"
    found = finding(result, "largest difference")
    assert found.value > 0
    assert found.cause.startswith(cause)
    assert "of 600 rows differ at all" in found.note


def test_the_last_bits_are_harmless_only_when_a_tolerance_is_declared(training, trainer):
    inputs = {"training": training, "trainer": trainer("rounding")}
    assert run_check("infra.1", **inputs, prove=False).state == "failed"
    tolerant = run_check("infra.1", **inputs, options={"tolerance": 1e-7})
    assert (tolerant.state, tolerant.proof.state) == ("passed", "proven")
    assert finding(tolerant, "models that differ").advisory


def test_another_number_of_threads_may_change_the_last_digits(training, trainer, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    result = run_check("infra.1", training=training, trainer=trainer("last_digits"), prove=False)
    assert result.state == "passed"
    assert finding(result, "largest difference").cause.startswith("thread count")


def test_missing_predictions_on_both_sides_are_equal(training, trainer):
    assert run_check("infra.1", training=training, trainer=trainer("missing"), prove=False).state == "passed"


def test_a_prediction_that_is_missing_in_one_training_only_fails(training, trainer):
    result = run_check("infra.1", training=training, trainer=trainer("missing_sometimes"), prove=False)
    found = finding(result, "rows with a finite prediction in one training only")
    assert (result.state, found.verdict) == ("failed", "failed")


def test_one_model_that_predicts_at_random_passes_and_is_shown(training, trainer):
    result = run_check("infra.1", training=training, trainer=trainer("sampling"), prove=False)
    shown = finding(result, "largest difference")
    assert (result.state, shown.advisory, shown.verdict) == ("passed", True, "failed")
    assert shown.note.endswith("one model that predicts at random")


def test_a_model_that_can_only_be_compared_by_its_predictions_passes(training, trainer):
    result = run_check("infra.1", training=training, trainer=trainer("unpicklable"), prove=False)
    assert result.state == "passed"
    assert not finding(result, "largest difference").advisory


def test_constant_predictions_of_two_models_decide_nothing(training, trainer):
    result = run_check("infra.1", training=training, trainer=trainer("constant"), prove=False)
    assert result.state == "inconclusive"
    assert "cannot tell them apart" in result.reason


def test_a_handful_of_rows_decides_nothing(training, trainer):
    few = training.replace(training.frame(limit=30))
    result = run_check("infra.1", training=few, trainer=trainer("boosting"))
    assert (result.state, finding(result, "largest difference").n_to_settle) == ("inconclusive", 100)


def test_without_a_trainer_it_is_not_offered(training):
    assert run_check("infra.1", training=training).state == "not_offered"


def test_a_training_that_raises_is_an_error_that_says_what_it_said(training, trainer):
    result = run_check("infra.1", training=training, trainer=trainer("broken"), prove=False)
    assert result.state == "error"
    assert "ValueError: depth must be positive" in result.reason
    assert result.traceback == ""


def test_a_bounded_number_of_rows_is_trained_on(training, trainer):
    result = run_check("infra.1", training=training, trainer=trainer("seeded"), options={"rows": 200}, prove=False)
    assert finding(result, "largest difference").n == 200


@pytest.mark.parametrize("listed", ["os.listdir(folder)", "[file.name for file in pathlib.Path(folder).glob('*.txt')]"])
def test_a_training_that_reads_files_in_the_order_of_the_folder_fails(training, tmp_path, listed):
    for day in ("Mon", "Tue", "Wed", "Thu", "Fri"):
        (tmp_path / "days").mkdir(exist_ok=True)
        (tmp_path / "days" / f"{day}.txt").touch()
    first = f"import os, pathlib\nfolder = 'days'\nday = {listed}[0].removesuffix('.txt')\n"
    (tmp_path / "listing.py").write_text(
        f"{TRAINING}\n{first}\ndef train(frame, seed):\n    return Line(frame[frame['day'] == day])\n"
    )
    result = run_check("infra.1", training=training, trainer=Trainer("listing:train", tmp_path), prove=False)
    assert result.state == "failed"
    assert finding(result, "largest difference").cause.startswith("order dependence")


def test_a_training_file_that_was_overwritten_is_not_the_one_on_record(training, trainer, tmp_path):
    file = tmp_path / "training.parquet"
    training.frame().to_parquet(file)
    lineage = tmp_path / "registry" / "v1" / "lineage.json"
    lineage.parent.mkdir(parents=True)
    (tmp_path / "registry" / "current").write_text("v1")

    def scored(digest):
        lineage.write_text(json.dumps({"trained_at": "2026-01-01T00:00:00+00:00", "data_digest": digest}))
        inputs = {
            "training": open_dataset("training", str(file), training.roles),
            "registry": open_registry(tmp_path / "registry"),
        }
        return run_check("infra.1", **inputs, trainer=trainer("seeded"), prove=False)

    recorded = f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    assert (scored(recorded).state, scored("of another kind").state) == ("passed", "passed")
    training.frame().iloc[1:].to_parquet(file)
    result = scored(recorded)
    assert (result.state, finding(result, "training file").verdict) == ("failed", "failed")
    assert "training.parquet changed since v1" in finding(result, "training file").cause


def test_the_packages_of_a_training_are_held_to_the_lock_and_an_open_lock_would_be_seen(
    training, trainer, tmp_path, monkeypatch
):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)  # where it is set, threads are no fault that could be planted
    installed = described()["packages"]
    (tmp_path / "all.txt").write_text("".join(f"{name}=={version}\n" for name, version in installed.items()))
    held = trainer("seeded").replace(lock=Lock(("all.txt",), tmp_path))
    result = run_check("infra.1", training=training, trainer=held)
    assert (result.state, result.proof.state) == ("passed", "proven"), result.reason
    assert [fault.state for fault in result.proof.faults] == ["caught"] * 4
    table = next(one for one in result.details if one.title == "What the training ran with")
    assert {row[0] for row in table.data["rows"]} >= {"numpy", "pandas"}
