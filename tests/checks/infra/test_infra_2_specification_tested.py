"""``infra.2`` on a network, and on models of scikit-learn, that are bent one at a time; all in real processes."""

from __future__ import annotations

import pandas as pd
import psutil
import pytest

from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs.specification import open_specification
from mltestscore.result import CheckResult, FindingRecord
from mltestscore.specification import judged, trials
from mltestscore.testing import run_check
from tests.specification.network import rows, sklearn_stepper, stepped, with_tests, write

MOVED, FALLS = "starts whose steps change predictions", "part of its loss that a model loses by its steps"
BY_HEART = "part of a handful of rows that is learned by heart"
UNFIT = "checkpoints that another process cannot go on from"
RESTORED = "difference between restored and saved predictions"
GOES_ON = "difference between going on and having been interrupted"
REFUSED, STRANGE = "legal rows that the model refuses", "rows whose predictions are no probabilities"
SHAPE = "rows whose predictions have another shape"
TYPE = "rows whose predictions have another type"
RANDOM = "rows that are predicted otherwise the second time"
BESIDE = "rows that are predicted otherwise alone or in another order"
NO_STEP = "frames of legal rows without a finite loss"
NOTICED, FAILING = "changes of the code that a test notices", "failing tests"

DROPOUT = ("DROPOUT, SMOOTHING = 0.02, 16, 0.0, 0.0", "DROPOUT, SMOOTHING = 0.005, 16, 0.4, 0.0")
SMOOTHED = ("DROPOUT, SMOOTHING = 0.02, 16, 0.0, 0.0", "DROPOUT, SMOOTHING = 0.02, 16, 0.0, 0.3")


def run(specification, training=None, prove=False, **options) -> CheckResult:
    training = rows() if training is None else training
    return run_check("infra.2", specification=specification, training=training, prove=prove, options=options)


def failed(result: CheckResult) -> dict[str, FindingRecord]:
    return {found.name: found for found in result.findings if found.verdict == "failed" and not found.advisory}


@pytest.mark.slow
def test_a_sound_network_passes_and_every_planted_fault_is_caught(tmp_path):
    result = run(stepped(tmp_path), prove=True)
    assert (result.state, result.proof.state) == ("passed", "proven"), (result.reason, result.proof)
    assert len(result.proof.faults) == 5
    assert {"Learning a handful by heart", "Loss around a checkpoint"} <= {one.title for one in result.details}
    edges = next(one for one in result.details if one.title.startswith("Edges")).data["body"]
    assert "z missing" in edges
    assert "x = 0 (zero)" in edges


def test_without_the_input_it_is_not_offered(tmp_path):
    assert run_check("infra.2").state == "not_offered"
    found = run_check("infra.2", specification=stepped(tmp_path))
    assert (found.state, "training" in found.reason) == ("not_offered", True)


# --- faults.md: I2b, I2c, I2d, each beside a sound look-alike -------------------------------------------------------


PREDICT = "return self.forward(inputs(frame))[1]"


LEARNING, RESTORING, ANSWERING = (MOVED, FALLS, BY_HEART), (UNFIT, RESTORED, GOES_ON), tuple(judged.ANSWERS.values())
QUICK = [
    ("self.update(gradients)", "self.update({name: 0 * one for name, one in gradients.items()})", MOVED),
    ("self.weights[name] - RATE", "self.weights[name] + RATE", BY_HEART),
    ("setattr(self, part, {name", 'part == "weights" and setattr(self, part, {name', GOES_ON),
    (PREDICT, "return 9 * self.forward(inputs(frame))[1] - 4", STRANGE),
    (PREDICT, "return self.forward(inputs(frame) - inputs(frame).mean(0))[1]", BESIDE),
    (PREDICT, "return self.forward(inputs(frame))[1].astype('f4' if len(frame) == 1 else 'f8')", TYPE),
]
SLOW = [
    ("DROPOUT, SMOOTHING = 0.02", "DROPOUT, SMOOTHING = 0.0", MOVED),
    ("rows @ self.weights", "0 * rows @ self.weights", BY_HEART),
    (PREDICT, "return np.maximum(self.forward(inputs(frame))[1], 0.5)", BY_HEART),
    ('self.steps = found["steps"]', "pass", GOES_ON),
    ('for part in ("weights", "means", "squares")', 'for part in ("means", "squares")', RESTORED),
    ("found = json.loads(path.read_text())", 'found = json.loads(path.with_name("last").read_text())', UNFIT),
    ('np.nan_to_num(frame["z"])', 'frame["z"]', NO_STEP),
    (PREDICT, "return self.forward(inputs(frame) + self.rng.normal())[1]", RANDOM),
    (PREDICT, "return self.forward(inputs(frame.dropna()))[1]", SHAPE),
    (PREDICT, "return self.forward(inputs(frame))[1].astype(object)", TYPE),
    (PREDICT, "return self.forward(inputs(frame))[1].astype(str)", TYPE),
    (PREDICT, "return self.forward(inputs(frame))[1] + 0j", TYPE),
    (PREDICT, "return self.forward(inputs(frame.iloc[[0, 1]] if len(frame) < 2 else frame))[1]", REFUSED),
]


@pytest.mark.parametrize(
    ("old", "new", "finding"), [*QUICK, *(pytest.param(*one, marks=pytest.mark.slow) for one in SLOW)]
)
def test_a_broken_network_fails_with_the_finding_that_names_it(tmp_path, old, new, finding):
    parts = {"learning": LEARNING, "restoring": RESTORING, "answering": ANSWERING}
    part = next(part for part, findings in parts.items() if finding in findings)
    result = run(stepped(tmp_path, (old, new)).replace(parts=(part,)))
    assert result.state == "failed", result.reason
    assert finding in failed(result), failed(result).keys()


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param([SMOOTHED], marks=pytest.mark.slow),
        [DROPOUT],
        [('{"weights": self.weights', '{"weights": {n: w.astype("float32") for n, w in self.weights.items()}')],
        pytest.param([("DROPOUT, SMOOTHING = 0.02", "DROPOUT, SMOOTHING = 0.004")], marks=pytest.mark.slow),
        pytest.param(
            [("self.rng.normal(0, 0.7, shape)", "(name == 'first') * self.rng.normal(0, 0.7, shape)")],
            marks=pytest.mark.slow,
        ),
    ],
    ids=["label smoothing", "dropout, its generator saved", "checkpoint in float32", "slow", "last layer of zeros"],
)
def test_a_sound_look_alike_passes(tmp_path, edits):
    result = run(stepped(tmp_path, *edits))
    assert result.state == "passed", result.reason


@pytest.mark.slow
@pytest.mark.parametrize("rate", ["0.0002", "1e-7"])
def test_a_network_that_learns_too_slowly_to_be_judged_is_not_accused(tmp_path, rate):
    result = run(stepped(tmp_path, ("DROPOUT, SMOOTHING = 0.02", f"DROPOUT, SMOOTHING = {rate}")))
    assert result.state == "inconclusive", result.reason


def test_a_generator_that_no_checkpoint_holds_must_be_declared(tmp_path):
    lost = ("self.rng.bit_generator.state = found", "found")
    alone = stepped(tmp_path, DROPOUT, lost).replace(parts=("restoring",))
    assert GOES_ON in failed(run(alone))
    result = run(alone.replace(random=True))
    assert result.state == "passed", result.reason


TREES = """
from sklearn.ensemble import HistGradientBoostingClassifier

def make(seed):
    return HistGradientBoostingClassifier(max_iter=1, warm_start=True, random_state=seed, min_samples_leaf=LEAF)

def step(model, inputs, labels):
    from sklearn.metrics import log_loss
    model.set_params(max_iter=getattr(model, "n_iter_", 0) + 1).fit(inputs, labels)
    return log_loss(labels, model.predict_proba(inputs), labels=model.classes_)

def predict(model, inputs):
    return model.predict_proba(inputs)PART
"""
LINE = """
import numpy as np
from sklearn.linear_model import SGDRegressor

def make(seed):
    return SGDRegressor(learning_rate="constant", eta0=0.01, random_state=seed)

def step(model, inputs, labels):
    model.partial_fit(inputs / [1, 10, 1], labels)
    return np.mean((model.predict(inputs / [1, 10, 1]) - labels) ** 2)

def predict(model, inputs):
    return model.predict(inputs / [1, 10, 1])
"""
WHOLE = """
from sklearn.linear_model import LogisticRegression

def make(seed):
    return LogisticRegression()

def step(model, inputs, labels):
    return 1 - model.fit(inputs, labels).score(inputs, labels)

def predict(model, inputs):
    return model.predict(inputs)
"""
FOREST = """
from sklearn.ensemble import ExtraTreesClassifier

def make(seed):
    return ExtraTreesClassifier(n_estimators=1, warm_start=True, bootstrap=False, random_state=seed)

def step(model, inputs, labels):
    if hasattr(model, "classes_"):
        model.n_estimators += 1
    return 1 - model.fit(inputs, labels).score(inputs, labels)

def predict(model, inputs):
    return model.predict_proba(inputs)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "label"),
    [
        (TREES.replace("LEAF", "300").replace("PART", "[:, 1]"), lambda frame: frame["late"]),
        (TREES.replace("LEAF", "20").replace("PART", ""), lambda frame: pd.cut(frame["x"], 4).cat.codes),
        (LINE, lambda frame: 100 + 5 * frame["x"] - frame["z"].fillna(0)),
        (WHOLE, lambda frame: frame["late"].map({0: "in time", 1: "late"})),
        (FOREST, lambda frame: frame["late"].astype(bool)),
        (WHOLE, lambda frame: (frame.index % 100 == 7).astype(int)),
    ],
    ids=["trees with large leaves", "four classes", "regression", "a whole fit, classes", "forest", "rare event"],
)
def test_a_sound_model_of_another_kind_passes(tmp_path, text, label):
    frame = rows().frame()
    result = run(sklearn_stepper(tmp_path, text), rows().replace(frame.assign(late=label(frame))))
    assert result.state == "passed", result.reason


# --- the unit tests of the code; more of this in test_data_7_feature_code_tested.py, which judges alike ---------------


@pytest.mark.slow
def test_unit_tests_that_compare_pass(tmp_path):
    result = run_check("infra.2", specification=with_tests(tmp_path), options={"mutants": 30}, prove=False)
    assert result.state == "passed", result.reason


def test_unit_tests_that_compare_nothing_fail(tmp_path):
    deaf = with_tests(tmp_path, "def test_nothing():\n    from shop.network import Network\n    Network(1)\n")
    result = run_check("infra.2", specification=deaf, options={"mutants": 4}, prove=False)
    assert "functions that no test runs" in failed(result)


# --- what cannot be used -------------------------------------------------------------------------------------------


def test_a_stepper_that_raises_is_an_error_that_says_so(tmp_path):
    raising = run(stepped(tmp_path / "one", ("rows, labels = inputs(frame)", 'raise ValueError("no batch")  #')))
    assert raising.state == "error"
    assert "shop.network:Network cannot be tried" in raising.reason
    assert "ValueError: no batch" in raising.reason


def test_a_stepper_that_hangs_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(trials, "START", 5.0)
    hanging = ("rows, labels = inputs(frame)", "import time; time.sleep(600)  #")
    result = run(stepped(tmp_path, hanging), seconds=1.0)
    assert result.state == "error"
    assert "did not come back from a few steps within 6 s and was stopped" in result.reason
    assert [
        one for one in psutil.Process().children(recursive=True) if "mltestscore.specification.trying" in one.cmdline()
    ] == []


def test_an_incomplete_stepper_is_an_error_that_names_what_it_lacks(tmp_path):
    result = run(stepped(tmp_path, ("def load(self", "def restore(self")))
    assert result.state == "error"
    assert "returned Network, which has no load" in result.reason


def test_labels_that_are_all_the_same_leave_learning_undecided(tmp_path):
    training = rows().replace(rows().frame().assign(late=1))
    result = run(stepped(tmp_path), training)
    assert result.state == "inconclusive"
    assert "no two different labels" in result.reason


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "offers nothing to try"),
        ({"modules": ["shop.network"]}, "names modules but no tests"),
        ({"stepper": "shop.network"}, 'write "module:function"'),
    ],
)
def test_an_impossible_configuration_is_refused(tmp_path, settings, says):
    with pytest.raises(ConfigError, match=says):
        open_specification(write(tmp_path), **settings)


def test_a_module_that_is_not_there_is_refused_with_the_near_name(tmp_path):
    with pytest.raises(InputError, match=r"tool\.mltestscore\.specification.*Did you mean 'shop\.network'"):
        open_specification(write(tmp_path), modules=["shop.netwrok"], tests=["tests"])
