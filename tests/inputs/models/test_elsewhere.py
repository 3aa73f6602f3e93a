"""Models in another environment's Python and behind a server: scored like one at hand, judged by the same checks."""

from __future__ import annotations

import sys
import sysconfig
import time
import venv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from mltestscore.config import read_config
from mltestscore.errors import InputError
from mltestscore.inputs import offered
from mltestscore.inputs.endpoint import open_endpoint
from mltestscore.inputs.model import Model, as_model, load_model
from mltestscore.inputs.models.elsewhere import ROWS, behind
from tests.inputs.models.cases import FEATURES, HOLDOUT, PARAMETERS, judged

SERVERS = Path(__file__).parents[2] / "serving" / "servers"
LOADERS = """
import os
import time
import numpy as np

class Linear:
    feature_names_in_ = np.array(["heat", "wear", "load"])
    def __init__(self, scale=1.0, classes=(0, 1)):
        self.scale, self.classes_ = scale, np.array(classes)
    def predict_proba(self, frame):
        score = 1 / (1 + np.exp(-self.scale * frame["heat"].to_numpy() * frame["load"].to_numpy()))
        rest = (1 - score) / (len(self.classes_) - 1)
        return np.column_stack([rest] * (len(self.classes_) - 1) + [score])

class Regression:
    _estimator_type = "regressor"
    feature_names_in_ = ["heat"]
    def predict(self, frame):
        return frame["heat"] * 2

def binary():
    return Linear()
def multiclass():
    return Linear(classes=("a", "b", "c"))
def regression():
    return Regression()
def function():
    return lambda frame: frame["heat"] * 3
def scaled(path):
    return Linear(float(open(path).read()))
def odd():
    import only_here
    return only_here.model
def unlucky():
    raise RuntimeError("no weights")
def number():
    return 3
def slow():
    time.sleep(60)
def falls():
    def score(frame):
        print("out of memory")
        os._exit(9)
    return score
def refuses():
    def score(frame):
        raise ValueError("bad row")
    return score
"""


@pytest.fixture
def load(tmp_path) -> Iterator:
    """Return :func:`load_model` for a loader in this interpreter's twin process; what it starts is ended."""
    (tmp_path / "loaders_elsewhere.py").write_text(LOADERS)
    loaded: list[Model] = []

    def start(loader: str, path: Path = Path(), **options) -> Model:
        given = {"python": sys.executable, "base": tmp_path, "loader": f"loaders_elsewhere:{loader}", **options}
        loaded.append(load_model(path, **given))
        return loaded[-1]

    yield start
    for model in loaded:
        model.close()


@pytest.mark.parametrize(("task", "shape"), [("binary", (2000,)), ("multiclass", (2000, 3)), ("regression", (2000,))])
def test_it_tells_its_task_and_scores_in_order(load, task, shape):
    model = load(task)
    scores = model.predict(HOLDOUT)
    assert (model.task, scores.shape) == (task, shape)
    order = np.random.default_rng(1).permutation(len(HOLDOUT))
    np.testing.assert_array_equal(model.predict(HOLDOUT.iloc[order]), scores[order])
    assert model.classes == {"binary": (0, 1), "multiclass": ("a", "b", "c"), "regression": ()}[task]


def test_a_function_gets_the_declared_features_and_a_loader_its_path(load, tmp_path):
    model = load("function", task="regression", features=["heat"])
    np.testing.assert_allclose(model.predict(HOLDOUT), HOLDOUT["heat"] * 3)
    (tmp_path / "scale.txt").write_text("0.01")
    model = load("scaled", Path("scale.txt"))
    np.testing.assert_allclose(model.predict(HOLDOUT), 1 / (1 + np.exp(-0.01 * HOLDOUT["heat"] * HOLDOUT["load"])))
    assert model.digest


def test_it_lives_in_the_environment_that_is_named(load, tmp_path):
    """An environment of its own, with this one's libraries and a module that this one does not have."""
    venv.create(tmp_path / "env", symlinks=True)
    place = next((tmp_path / "env" / "lib").glob("python*/site-packages"))
    (place / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (place / "only_here.py").write_text("from loaders_elsewhere import Linear\nmodel = Linear()\n")
    assert load("odd", python="env/bin/python").predict(HOLDOUT).shape == (2000,)
    with pytest.raises(InputError, match="ModuleNotFoundError: No module named 'only_here'"):
        load("odd")


@pytest.mark.parametrize(
    ("loader", "options", "message"),
    [
        ("unlucky", {}, "loader 'loaders_elsewhere:unlucky' in .*RuntimeError: no weights"),
        ("number", {}, "neither predict_proba nor predict, and is no function"),
        ("nothing", {}, "AttributeError"),
        ("function", {"features": ["heat"]}, "does not tell its task"),
        ("function", {"task": "regression"}, "does not name its features"),
        ("binary", {"python": "no/such/python"}, "cannot be started: No such file"),
        ("slow", {"timeout": 1.0}, "gave no answer within 1 s"),
    ],
)
def test_what_is_wrong_there_is_said(load, loader, options, message):
    with pytest.raises(InputError, match=message):
        load(loader, **options)


def test_without_a_loader_it_is_refused(tmp_path):
    with pytest.raises(InputError, match="python needs a loader"):
        load_model(Path(), python=sys.executable, base=tmp_path)


def test_a_process_that_falls_is_told_and_started_again(load):
    declared = {"task": "regression", "features": ["heat"]}
    model = load("falls", **declared)
    for _ in range(2):
        with pytest.raises(InputError, match=r"ended without an answer(?s:.*)out of memory"):
            model.predict(HOLDOUT)
    with pytest.raises(InputError, match="ValueError: bad row"):
        load("refuses", **declared).predict(HOLDOUT)


def test_closing_ends_the_process(load):
    model = load("binary")
    model.predict(HOLDOUT)
    process = psutil.Process(model.estimator.native._running.process.pid)
    model.close()
    deadline = time.monotonic() + 30
    while process.is_running() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not process.is_running()


def test_the_same_check_passes_it_sound_and_fails_it_broken(load, tmp_path):
    (tmp_path / "nan.txt").write_text("nan")
    assert judged("monitor.5", load("binary")).state == "passed"
    broken = judged("monitor.5", load("scaled", Path("nan.txt")))
    assert broken.state == "failed"
    assert PARAMETERS not in {one.name for one in broken.findings}  # its numbers are not at hand


@pytest.fixture
def server() -> Iterator:
    command = [sys.executable, str(SERVERS / "flask_server.py"), "{port}", "7", "0"]
    endpoint = open_endpoint(command=command, health="/health")
    yield endpoint
    endpoint.close()


def test_behind_a_server_it_is_asked_for_some_rows_at_a_time(server):
    model = as_model(behind(server, ("a",)), name="model", task="regression")
    frame = pd.DataFrame({"a": np.arange(2 * ROWS + 7, dtype=float), "b": "not sent"})
    np.testing.assert_allclose(model.predict(frame), frame["a"] / 10)
    assert model.predict(frame.head(1)).tolist() == [0.0]


def test_the_configuration_says_where_it_lives(load, tmp_path, server):
    file = tmp_path / "pyproject.toml"
    file.write_text(f'[tool.mltestscore.model]\npython = "{sys.executable}"\nloader = "loaders_elsewhere:binary"\n')
    model = offered.model(read_config(file))
    try:
        assert (model.features, model.predict(HOLDOUT).shape) == (tuple(FEATURES), (2000,))
    finally:
        model.close()
    file.write_text('[tool.mltestscore.model]\nendpoint = true\ntask = "regression"\nfeatures = ["a"]\n')
    model = offered.model(read_config(file), lambda: server)
    assert model.predict(pd.DataFrame({"a": [5.0]})).tolist() == [0.5]
    file.write_text('[tool.mltestscore.model]\nendpoint = true\nfeatures = ["a"]\n')
    with pytest.raises(InputError, match="does not tell its task"):
        offered.model(read_config(file), lambda: server)
