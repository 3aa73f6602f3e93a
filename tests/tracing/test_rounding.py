"""A served score is right where the model gives it for a value that the log rounds to the one which it holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.model import Model, as_model
from mltestscore.tracing.rounding import explained
from mltestscore.tracing.rows import Rows, rows_to_follow

TOLERANCE = 1e-5


def steps(frame: pd.DataFrame) -> Any:
    """Answer as trees do: thresholds are values that occur."""
    return 0.1 + 0.3 * (frame["first"].astype(float) > 0.1) + 0.4 * (frame["second"].astype(float) > 0.7)


def stepwise() -> Model:
    return as_model(steps, task="binary", features=["first", "second"])


def followed(change: Any, model: Model | None = None, **served: Any) -> Rows:
    """Return the rows of a log that ``change`` has rounded after they were scored."""
    made = pd.DataFrame({"first": np.tile([0.1, 0.05, 0.3, 0.6], 10), "second": np.tile([0.7, 0.7, 0.2, 0.9], 10)})
    made["first"] += np.repeat(np.arange(10), 4) * np.tile([0, 0, 1e-3, 1e-3], 10)
    model = model or stepwise()
    made = change(made.assign(score=model.predict(made[["first", "second"]]))).assign(**served)
    found = rows_to_follow(model, [open_dataset("serving", made, Roles(score="score"))], 20, "")
    assert found is not None
    return found


def wrong(rows: Rows) -> list[int]:
    assert rows.served is not None
    return [place for place in range(len(rows.frame)) if abs(rows.scores[place] - rows.served[place]) > TOLERANCE]


def single(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({"first": "float32", "second": "float32"})


def test_values_that_single_precision_moves_across_one_or_two_thresholds_are_explained():
    def jittered(frame: pd.DataFrame) -> pd.DataFrame:
        return single(frame).assign(first=np.float32(0.1), second=np.nextafter(np.float32(0.7), np.float32(1)))

    rows = followed(single)
    assert wrong(rows)
    assert explained(stepwise(), rows, wrong(rows), TOLERANCE) == set(wrong(rows))
    both = followed(jittered, score=0.1)
    assert explained(stepwise(), both, wrong(both), TOLERANCE) == set()  # the second is a whole step beyond


def test_values_that_decimals_move_across_a_threshold_are_explained():
    rows = followed(lambda frame: frame.assign(first=(frame["first"] + 4e-3).round(2), second=frame["second"]))
    assert explained(stepwise(), rows, wrong(rows), TOLERANCE) == set(wrong(rows))


def test_another_score_is_not_explained_by_rounding():
    rows = followed(single, score=0.123)
    places = list(range(len(rows.frame)))
    assert explained(stepwise(), rows, places, TOLERANCE) == set()


def test_a_log_that_does_not_round_explains_nothing():
    rows = followed(
        lambda frame: frame.assign(first=frame["first"] + 1e-9 * np.pi, second=frame["second"] + np.e / 1e9)
    )
    assert explained(stepwise(), rows, wrong(rows), TOLERANCE) == set()


def test_whole_numbers_and_texts_are_never_moved():
    model = as_model(lambda frame: 0.1 + 0.5 * (frame["count"] > 3), task="binary", features=["count", "town"])
    made = pd.DataFrame({"count": np.arange(40) % 7, "town": "Ulm", "score": 0.9})
    rows = rows_to_follow(model, [open_dataset("serving", made, Roles(score="score"))], 20, "")
    assert rows is not None
    assert rows.rounding == {}
    assert explained(model, rows, [0, 1], TOLERANCE) == set()
