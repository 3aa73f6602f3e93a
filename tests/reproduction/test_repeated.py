"""Several trainings and the deployed model among them; trainings are told, not run, but for one real round."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import NotOffered
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.model import as_model
from mltestscore.inputs.trainer import Trained, Trainer
from mltestscore.reproduction.repeated import BETTER, SPREAD, WORSE, Limits, repeated
from mltestscore.testing import run_check


def rows(n: int, seed: int = 0) -> Dataset:
    x, noise = np.random.default_rng(seed).normal(size=(2, n))
    return open_dataset("training", pd.DataFrame({"x": x, "y": x + noise}), Roles(label="y"))


@dataclass(frozen=True)
class Told:
    """A trainer whose models add to the truth of a line an error that its seed decides."""

    spread: float
    folder: Path = Path()
    lock: None = None
    digest: str = "told"
    source: str = "told:train"
    asked: list[int] = field(default_factory=list)
    memory: dict[Any, Any] = field(default_factory=dict)

    def train_in(self, surroundings: Any, data: Any, probe: pd.DataFrame, *, seed: int, **_: Any) -> list[Trained]:
        self.asked.append(seed)
        slope = 1 + self.spread * float(np.random.default_rng(seed).normal())
        return [Trained("", "", slope * probe["x"].to_numpy(), 0.1, 0)]


class Line:
    """A deployed model."""

    def __init__(self, slope: float) -> None:
        self.slope = slope

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        return self.slope * frame["x"].to_numpy()


def verdicts(trainer: Any, slope: float = 1.0, most: int = 3_000, **changed: Any) -> dict[str, str]:
    limits = {"retrainings": 8, "spread": 0.01, "gap": 0.02, "seconds": 60.0, "timeout": 60.0, "alpha": 0.0003}
    model = as_model(Line(slope), name="line", task="regression", features=["x"])
    found = repeated(trainer, rows(3_000), most, rows(2_000, 1), model, Limits(**(limits | changed)))
    return {one.name: one.verdict for one in found if hasattr(one, "verdict")} | {"asked": str(len(trainer.asked))}


@pytest.mark.parametrize(
    ("spread", "slope", "expected"),
    [
        (0.05, 1.0, ("passed", "passed", "passed")),
        (0.0, 1.05, ("passed", "passed", "passed")),
        (0.0, 1.5, ("passed", "failed", "passed")),
        (0.9, 1.0, ("failed", "inconclusive", "inconclusive")),
    ],
    ids=["alike", "deterministic", "deployed is worse", "luck"],
)
def test_the_deployed_model_must_lie_among_its_retrainings_and_these_together(spread, slope, expected):
    found = verdicts(Told(spread), slope)
    assert tuple(found[name] for name in (SPREAD, WORSE, BETTER)) == expected
    assert found["asked"] == "8"


def test_a_deployed_model_that_no_retraining_equals_is_too_good():
    class Poor(Told):
        def train_in(self, *given: Any, **named: Any) -> list[Trained]:
            (one,) = super().train_in(*given, **named)
            return [Trained("", "", 0.4 * one.predictions, 0.1, 0)]

    assert verdicts(Poor(0.01))[BETTER] == "failed"
    assert verdicts(Poor(0.01), most=500)[BETTER] == "inconclusive"


def test_too_few_trainings_decide_nothing_and_time_is_kept():
    assert set(verdicts(Told(0.01), retrainings=4).values()) == {"inconclusive", "4"}
    assert set(verdicts(Told(0.01), seconds=0.0).values()) == {"inconclusive", "1"}


def test_a_small_holdout_decides_nothing():
    model = as_model(Line(1.0), name="line", task="regression", features=["x"])
    found = list(repeated(Told(0.9), rows(3_000), 3_000, rows(900, 1), model, Limits(8, 0.01, 0.02, 60, 60, 0.0003)))
    assert {one.verdict for one in found} == {"inconclusive"}


def test_what_this_run_has_trained_is_taken_again():
    trainer = Told(0.01)
    assert verdicts(trainer) == verdicts(trainer)
    assert len(trainer.asked) == 8


def test_without_a_holdout_it_is_not_offered():
    with pytest.raises(NotOffered, match="holdout"):
        list(repeated(Told(0.01), rows(100), 100, None, None, Limits(8, 0.01, 0.02, 60, 60, 0.0003)))


@pytest.mark.slow
def test_a_training_that_draws_from_entropy_passes_where_that_is_declared_and_is_proven(tmp_path):
    (tmp_path / "shop.py").write_text(
        "import numpy as np\n"
        "class Line:\n"
        "    def __init__(self, slope): self.slope_ = slope\n"
        "    def predict(self, rows): return self.slope_ * rows['x'].to_numpy()\n"
        "def train(frame, seed):\n"
        "    some = frame.sample(frac=0.8, random_state=np.random.default_rng())\n"
        "    return Line(float(np.polyfit(some['x'], some['y'], 1)[0]))\n"
    )
    model = as_model(Line(1.0), name="line", task="regression", features=["x"])
    inputs = {"training": rows(3_000), "holdout": rows(2_000, 1), "model": model}
    trainer = Trainer("shop:train", tmp_path, exact=False)
    result = run_check("infra.1", trainer=trainer, **inputs, options={"retrainings": 6})
    assert (result.state, result.proof.state) == ("passed", "proven"), (result.reason, result.proof)
    assert [fault.state for fault in result.proof.faults] == ["caught"] * 2
    assert run_check("infra.1", trainer=trainer.replace(exact=True), **inputs, prove=False).state == "failed"
