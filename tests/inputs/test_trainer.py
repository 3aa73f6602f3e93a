"""Trainings in real processes. Trainers are written without scikit-learn where they can be: a process starts faster."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.trainer import Trainer

TRAINING = '''
import os, subprocess, sys, time
import numpy as np

class Mean:
    """Predicts the mean of y, plus what the training added."""
    def __init__(self, value, names=("x",)):
        self.value_, self.feature_names_in_ = value, np.array(names, dtype=object)
    def predict(self, frame):
        return np.full(len(frame), self.value_)

def seeded(frame, seed):
    return Mean(frame["y"].mean() + np.random.default_rng(seed).normal())

def unseeded(frame, seed):
    return Mean(frame["y"].mean() + np.random.default_rng().normal())

def set_order(frame, seed):
    first = next(iter({f"row {number}" for number in range(len(frame))}))
    return Mean(frame["y"][int(first.split()[1])])

def look(frame, seed):
    print("a line on stdout")
    kinds = ",".join(f"{name}:{kind}" for name, kind in frame.dtypes.items())
    raise RuntimeError(f"{kinds} in {os.getcwd()} with {os.environ['PYTHONHASHSEED']} and {seed}")

def nothing(frame, seed):
    return None

def other_features(frame, seed):
    return Mean(0.0, names=("speed",))

def lambda_model(frame, seed):
    return lambda rows: rows["x"] * 2

def classes(frame, seed):
    from sklearn.linear_model import LogisticRegression
    return LogisticRegression().fit(frame[["x"]], frame["y"] > 0.5)

def forever(frame, seed):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open("child.pid", "w") as file:
        file.write(str(child.pid))
    time.sleep(600)

def killed(frame, seed):
    os.kill(os.getpid(), 9)
'''


@pytest.fixture
def project(tmp_path) -> Path:
    (tmp_path / "training.py").write_text(TRAINING)
    return tmp_path


@pytest.fixture
def data() -> Dataset:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=200),
            "y": rng.random(200),
            "carrier": pd.Categorical(["UA", "AA"] * 100),
            "at": pd.date_range("2026-01-01", periods=200, freq="h", tz="UTC"),
        }
    )
    return open_dataset("training", frame, Roles(label="y", time="at"))


def test_two_seeded_trainings_are_the_same_to_the_byte(project, data):
    probe = data.frame(["x"])
    first, second = Trainer("training:seeded", project).train_pair(data, probe, seed=5, timeout=60)
    assert first.artefact_digest == second.artefact_digest != ""
    assert first.parameters_digest == second.parameters_digest != ""
    np.testing.assert_array_equal(first.predictions, second.predictions)
    assert first.predictions.shape == (200,)
    assert first.seconds >= 0
    assert 20e6 < first.peak_bytes < 2e9


def test_another_seed_gives_another_model(project, data):
    trainer, probe = Trainer("training:seeded", project), data.frame(["x"])
    one, two = (trainer.train(data, probe, seed=seed, hash_seed=1, timeout=60) for seed in (1, 2))
    assert one.artefact_digest != two.artefact_digest
    assert one.parameters_digest != two.parameters_digest


@pytest.mark.parametrize("function", ["unseeded", "set_order"])
def test_a_training_that_ignores_the_seed_or_walks_a_set_gives_two_models(project, data, function):
    trainer = Trainer(f"training:{function}", project)
    first, second = trainer.train_pair(data, data.frame(["x"]), seed=5, timeout=60)
    assert first.parameters_digest != second.parameters_digest
    assert first.predictions[0] != second.predictions[0]


def test_order_by_hash_is_the_same_for_the_same_hash_seed(project, data):
    trainer, probe = Trainer("training:set_order", project), data.frame(["x"])
    one, two = (trainer.train(data, probe, seed=5, hash_seed=7, timeout=60) for _ in range(2))
    assert one.artefact_digest == two.artefact_digest


@pytest.mark.parametrize("wrapper", ["unseeded", "hash_ordered"])
def test_a_wrapper_breaks_the_teams_own_training(project, data, wrapper):
    trainer = Trainer("training:seeded", project).wrapped(f"mltestscore.inputs.training_faults:{wrapper}")
    first, second = trainer.train_pair(data, data.frame(["x"]), seed=5, timeout=60)
    assert first.predictions[0] != second.predictions[0]


def test_the_function_gets_the_frame_the_seed_and_the_projects_folder(project, data):
    with pytest.raises(InputError) as caught:
        Trainer("training:look", project).train(data, data.frame(["x"]), seed=5, hash_seed=42, timeout=60)
    message = str(caught.value)
    assert message.startswith("[tool.mltestscore.trainer] call: training:look failed in")
    assert "x:float64,y:float64,carrier:category,at:datetime64[us, UTC]" in message.replace("[ns,", "[us,")
    assert f"in {project} with 42 and 5" in message
    assert "a line on stdout" not in message


def test_two_probabilities_become_that_of_the_positive_class(project, data):
    trained = Trainer("training:classes", project).train(data, data.frame(["x"]), seed=5, hash_seed=1, timeout=60)
    assert trained.predictions.shape == (200,)
    assert 0 < trained.predictions.min() < trained.predictions.max() < 1


def test_a_model_that_does_not_pickle_is_judged_by_the_rest(project, data):
    trained = Trainer("training:lambda_model", project).train(data, data.frame(["x"]), seed=5, hash_seed=1, timeout=60)
    assert trained.artefact_digest == ""
    np.testing.assert_array_equal(trained.predictions, data.frame()["x"] * 2)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("training:nothing", "training:nothing returned NoneType; it must return the fitted estimator"),
        ("training:other_features", "asks for 'speed', which is no feature of the training data"),
        ("training:seded", "has no function 'seded'. Did you mean 'seeded'"),
        ("trainig:seeded", "no module 'trainig' in .* Did you mean 'training'"),
        ("training:killed", "training:killed was killed by signal 9"),
    ],
)
def test_what_went_wrong_in_the_process_is_said(project, data, function, message):
    with pytest.raises(InputError, match=message):
        Trainer(function, project).train(data, data.frame(["x"]), seed=5, hash_seed=1, timeout=60)


def test_a_training_that_hangs_is_stopped_with_all_that_it_started(project, data):
    started = time.monotonic()
    with pytest.raises(InputError, match=r"still training after 6 s and was stopped.*option timeout"):
        Trainer("training:forever", project).train(data, data.frame(["x"]), seed=5, hash_seed=1, timeout=6)
    assert time.monotonic() - started < 30
    child = int((project / "child.pid").read_text())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_a_training_leaves_nothing_behind(project, data, tmp_path_factory, monkeypatch):
    scratch = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    Trainer("training:seeded", project).train(data, data.frame(["x"]), seed=5, hash_seed=1, timeout=60)
    assert list(scratch.iterdir()) == []


def test_a_name_of_another_form_is_refused(project):
    with pytest.raises(ConfigError, match=r"\[tool\.mltestscore\.trainer\] call is 'train\.py'; write"):
        Trainer("train.py", project)


def test_the_digest_follows_the_code_beside_the_function(project):
    trainer = Trainer("training:seeded", project)
    before = trainer.digest
    assert trainer.digest == before
    (project / "helper.py").write_text("rate = 0.1\n")
    assert trainer.digest != before
    assert trainer.digest != trainer.wrapped("training:unseeded").digest
    assert trainer.replace("training:unseeded").source == "training:unseeded"


def test_a_missing_folder_is_named(project, data):
    with pytest.raises(InputError, match=r"the folder .*gone does not exist"):
        Trainer("training:seeded", project / "gone").train(data, data.frame(), seed=1, hash_seed=1, timeout=5)


def test_a_process_that_aborts_once_all_is_written_has_trained(tmp_path):
    """A library's threads at the end of the interpreter, say."""
    text = """
import atexit, os, signal
import numpy as np

def train(frame, seed):
    atexit.register(os.kill, os.getpid(), signal.SIGABRT)
    return lambda probe: np.zeros(len(probe))
"""
    (tmp_path / "aborting.py").write_text(text, encoding="utf-8")
    frame = pd.DataFrame({"a": [1.0, 2.0], "y": [0, 1]})
    data = open_dataset("training", frame, Roles(label="y", features=("a",)))
    made = Trainer("aborting:train", tmp_path).train(data, frame[["a"]], seed=1, hash_seed=1, timeout=60)
    assert made.predictions.tolist() == [0.0, 0.0]
