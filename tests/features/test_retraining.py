"""Training again, in real processes: a model that saw the holdout is told, and so is a feature that a model ignores."""

from __future__ import annotations

import runpy

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import InputError
from mltestscore.features.benefit import Rows
from mltestscore.features.retraining import advantage_over_refit, gain_over_shadows
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.model import as_model
from mltestscore.inputs.trainer import Trainer
from mltestscore.testing import run_check

NAMES = ("a", "b", "c")
TRAINING = """
import numpy as np

class Line:
    def __init__(self, weights):
        self.weights, self.feature_names_in_ = weights, np.array(["a", "b", "c"], dtype=object)
    def predict(self, frame):
        return frame[["a", "b", "c"]].to_numpy() @ self.weights

def train(frame, seed):
    return Line(np.linalg.lstsq(frame[["a", "b", "c"]].to_numpy(), frame["y"].to_numpy(), rcond=None)[0])

def text(frame, seed):
    return lambda probe: np.array(["?"] * len(probe))
"""


def rows(n: int, seed: int) -> pd.DataFrame:
    """y = a + b + noise; c is noise."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 3)), columns=list(NAMES))
    return frame.assign(y=frame["a"] + frame["b"] + rng.normal(size=n))


def dataset(name: str, frame: pd.DataFrame) -> Dataset:
    return open_dataset(name, frame, Roles(label="y", features=NAMES))


def model(weights):
    return as_model(lambda frame: frame[list(NAMES)].to_numpy() @ np.array(weights), task="regression", features=NAMES)


def judging(weights, frame: pd.DataFrame, predict=None) -> Rows:
    one = model(weights) if predict is None else model(weights).replace(predict)
    return Rows(one, frame, frame["y"].to_numpy(), "r2", None, 1, "seed")


@pytest.fixture
def trainer(tmp_path) -> Trainer:
    (tmp_path / "project.py").write_text(TRAINING, encoding="utf-8")
    return Trainer("project:train", tmp_path)


def test_a_model_is_as_good_as_its_refit_unless_it_saw_the_holdout(trainer):
    training, holdout = dataset("training", rows(2_000, 1)), rows(2_000, 2)
    honest = advantage_over_refit(judging([1, 1, 0], holdout), trainer, training, 1e-4, 60)
    assert honest.low < 0 < honest.high < 0.05
    learned = judging([1, 1, 0], holdout, lambda frame: 0.5 * frame["a"] + 0.5 * frame["b"] + 0.5 * holdout["y"])
    assert advantage_over_refit(learned, trainer, training, 1e-4, 60).low > 0.05


def test_a_retrained_model_gains_from_content_and_not_from_shadows(trainer):
    training, holdout = dataset("training", rows(2_000, 1)), rows(2_000, 2)
    ignoring = judging([1, 0, 0], holdout)
    assert gain_over_shadows(ignoring, trainer, training, ["b"], 60).low > 0.2
    idle = gain_over_shadows(ignoring, trainer, training, ["c"], 60)
    assert idle.low < 0 < idle.high < 0.01


def test_an_estimator_of_another_task_is_an_error(trainer):
    training, holdout = dataset("training", rows(100, 1)), rows(100, 2)
    with pytest.raises(InputError, match="same task"):
        advantage_over_refit(judging([1, 1, 0], holdout), trainer.replace("project:text"), training, 1e-4, 60)


def test_the_check_fails_a_model_that_saw_the_holdout_and_acquits_features_that_only_this_model_ignores(trainer):
    training, holdout = rows(2_000, 1), rows(2_000, 2)
    given = {"training": dataset("training", training), "holdout": dataset("holdout", holdout), "trainer": trainer}
    answers = holdout.set_index("c")["y"]

    def remembering(frame):
        return (
            frame["a"]
            + frame["b"]
            + 0.01 * frame["c"]
            + (frame["c"].map(answers) - frame["a"] - frame["b"]).fillna(0) / 2
        )

    result = run_check("data.2", prove=False, model=model([1, 1, 0]).replace(remembering), **given)
    assert "refit on the training rows" in next(one.name for one in result.findings if one.verdict == "failed")
    none = {"allowed": 0.0}
    ignoring = run_check("data.2", prove=False, model=model([1, 0, 0.1]), options=none, **given)
    assert ignoring.state == "inconclusive"
    assert "a retrained model gains" in ignoring.findings[0].note
    alone = run_check("data.2", prove=False, model=model([1, 0, 0.1]), options=none, **{**given, "trainer": None})
    assert alone.state == "failed"


def test_the_check_does_not_train_where_that_would_cost_too_much(trainer):
    given = {name: dataset(name, rows(1_500, seed)) for seed, name in enumerate(("training", "holdout"))}
    broken = trainer.replace("project:no_such_function")
    result = run_check(
        "data.2", prove=False, model=model([1, 1, 0.1]), trainer=broken, options={"refit_rows": 1_000}, **given
    )
    assert result.state != "error"


# --- what prepares features is fitted outside of the fold -------------------------------------------------------------

WIDE = 400
PREPARED = """
import numpy as np

class Projected:
    \"\"\"One direction that prepared features, and a line on it: partial least squares with one component.\"\"\"
    def __init__(self, known, learned):
        self.names = [name for name in known if name.startswith("x")]
        self.feature_names_in_ = np.array(self.names, dtype=object)
        x, y = known[self.names].to_numpy(), known["y"].to_numpy()
        self.middle, self.scale = x.mean(axis=0), x.std(axis=0)
        self.direction = ((x - self.middle) / self.scale).T @ (y - y.mean()) / len(y)
        t, z = self.prepared(learned), learned["y"].to_numpy()
        self.slope = np.cov(t, z)[0, 1] / t.var(ddof=1)
        self.offset = z.mean() - self.slope * t.mean()
    def prepared(self, frame):
        return (frame[self.names].to_numpy() - self.middle) / self.scale @ self.direction
    def predict(self, frame):
        return self.slope * self.prepared(frame) + self.offset

class Scaled(Projected):
    \"\"\"The same, but only centre and scale come from more rows than were learned from.\"\"\"
    def __init__(self, known, learned):
        super().__init__(learned, learned)
        x = known[self.names].to_numpy()
        self.middle, self.scale = x.mean(axis=0), x.std(axis=0)

def train(frame, seed):
    return Projected(frame, frame)
"""


def wide(n: int, seed: int) -> pd.DataFrame:
    """y follows the mean of four hundred features a little."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, WIDE)), columns=[f"x{number}" for number in range(WIDE)])
    return frame.assign(y=0.05 * frame.sum(axis=1) + rng.normal(size=n))


@pytest.mark.parametrize(("kind", "verdict"), [("Projected", "failed"), ("Scaled", "passed")])
def test_a_preparation_that_used_the_labels_of_the_holdout_fails_and_one_that_only_scaled_does_not(
    tmp_path, kind, verdict
):
    (tmp_path / "prepared.py").write_text(PREPARED, encoding="utf-8")
    made = runpy.run_path(str(tmp_path / "prepared.py"))
    training, holdout = wide(500, 1), wide(1_500, 2)
    names = tuple(name for name in training if name != "y")
    fitted = made[kind](pd.concat([training, holdout]), training)
    result = run_check(
        "data.2",
        prove=False,
        model=as_model(fitted.predict, task="regression", features=names),
        training=open_dataset("training", training, Roles(label="y", features=names)),
        holdout=open_dataset("holdout", holdout, Roles(label="y", features=names)),
        trainer=Trainer("prepared:train", tmp_path),
        options={"groups": (names,), "allowed": 1.0},
    )
    found = next(one for one in result.findings if one.name.endswith("refit on the training rows"))
    assert found.verdict == verdict, found
    assert ("prepares its features" in found.cause) is (verdict == "failed")
