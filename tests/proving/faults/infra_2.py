"""Faults of the code that specifies the model: no tests, no learning, a wrong last layer, a checkpoint with gaps."""

from __future__ import annotations

from tests.proving.cases import fault
from tests.proving.system import System

STEPPER, TESTS = "flights/stepper.py", "tests_model/test_train.py"
MADE = '{"max_iter": 0, "warm_start": True}'
LOSS = "log_loss(frame[spec.LABEL], self.predict(frame), labels=trees.classes_)"
PREDICT = "return self.pipeline.predict_proba(frame[list(spec.FEATURES)])[:, 1]"
DUMP = "        skops.dump(self.pipeline, path)\n\n"
LOADED = "self.pipeline = skops.load(path, trusted=TRUSTED)"
UNTESTED = 'modules = ["flights.train"]\ntests = ["tests_model"]\nleft_out'


@fault(
    "I2a",
    "infra.2",
    "the last 1, 4, 6 of the seven unit tests are deleted",
    (1, 4, 6),
    ["functions that no test runs"],
    reach="M",
    below="the others still notice most changes of the code",
)
def tests_deleted(system: System, severity: float, seed: int) -> None:
    _tests_alone(system)
    for name in _named(system)[-int(severity) :]:
        system.edit(TESTS, f"def {name}(", f"def no_longer_{name}(")


@tests_deleted.healthy("a slow test is left to the night")
def nightly(system: System, severity: float, seed: int) -> None:
    _tests_alone(system)
    slow = f"def {_named(system)[-1]}("
    system.edit(TESTS, slow, f'@pytest.mark.skipif("NIGHTLY" not in os.environ, reason="slow")\n{slow}')
    system.edit(TESTS, "from contextlib", "import os\nfrom contextlib")


def _named(system: System) -> list[str]:
    text = (system.home / TESTS).read_text(encoding="utf-8")
    return [line[4:].partition("(")[0] for line in text.splitlines() if line.startswith("def test_")]


@fault(
    "I2b",
    "infra.2",
    "a learning rate of 0.01, a billionth, a trillionth: the loss does not fall",
    (1e-2, 1e-9, 1e-12),
    ["loss that a model loses|steps change predictions"],
    reach="M",
    below="a model that learns slowly may be sound",
)
def frozen(system: System, severity: float, seed: int) -> None:
    _stepper_alone(system)
    _settings(system, f'"learning_rate": {severity}')


@frozen.healthy("noisy steps at a third of the rate: each split sees a fifth of the features")
def noisy(system: System, severity: float, seed: int) -> None:
    _stepper_alone(system)
    _settings(system, '"learning_rate": 0.05, "max_features": 0.2')


@fault(
    "I2c",
    "infra.2",
    "squared error on a last layer without its activation: 0.2, 0.5, all of each prediction is the logit",
    (0.2, 0.5, 1.0),
    ["no probabilities"],
)
def linear_end(system: System, severity: float, seed: int) -> None:
    _stepper_alone(system)
    features = "frame[list(spec.FEATURES)]"
    mixed = f"{1 - severity} * self.pipeline.predict_proba({features})[:, 1]"
    system.edit(STEPPER, LOSS, "((frame[spec.LABEL] - self.predict(frame)) ** 2).mean()")
    system.edit(STEPPER, PREDICT, f"return {mixed} + {severity} * self.pipeline.decision_function({features})")


@linear_end.healthy("predictions as after label smoothing of 0.04, 0.1, 0.2")
def smoothed(system: System, severity: float, seed: int) -> None:
    _stepper_alone(system)
    share = severity / 5
    system.edit(STEPPER, PREDICT, PREDICT.replace("return ", f"return {share / 2} + {1 - share} * "))


@fault("I2d", "infra.2", "the last 1, 3, 7 trees are not in the checkpoint", (1, 3, 7), ["restored"])
def trees_lost(system: System, severity: float, seed: int) -> None:
    _stepper_alone(system)
    lost = f"""        from copy import deepcopy

        kept = deepcopy(self.pipeline)
        trees = kept.named_steps["trees"]
        trees._predictors = trees._predictors[:-{int(severity)}]
        trees.set_params(max_iter=len(trees._predictors))
        skops.dump(kept, path)

"""
    system.edit(STEPPER, DUMP, lost)


@trees_lost.healthy("the checkpoint holds the values of leaves in single precision")
def single_precision(system: System, severity: float, seed: int) -> None:
    _stepper_alone(system)
    rounded = 'one.nodes["value"] = one.nodes["value"].astype("float32")'
    each = f'for stage in self.pipeline.named_steps["trees"]._predictors:\n            for one in stage:\n{16 * " "}'
    system.edit(STEPPER, LOADED, f"{LOADED}\n        {each}{rounded}")


def _settings(system: System, more: str) -> None:
    system.edit(STEPPER, MADE, MADE.replace("}", f", {more}}}"))


def _stepper_alone(system: System) -> None:
    """Leave out the unit tests: they are of another file, and take longer than the trials."""
    system.edit("pyproject.toml", UNTESTED, "left_out")


def _tests_alone(system: System) -> None:
    system.edit("pyproject.toml", 'stepper = "flights.stepper:Stepper"\n', "")
